//! Addresses for as long as the name system says they hold. Failures are never kept: the next try
//! may go better.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use offhook_ports::DnsAnswer;

/// A client talks to a handful of hosts.
const MOST: usize = 64;
/// Longer than this nothing is believed, whatever its TTL.
const LONGEST: Duration = Duration::from_secs(300);

/// Answers by host, with the time until which they hold.
#[derive(Debug, Default)]
pub(super) struct Cache {
    kept: Mutex<HashMap<String, (Instant, DnsAnswer<IpAddr>)>>,
}

impl Cache {
    pub(super) fn get(&self, host: &str, now: Instant) -> Option<DnsAnswer<IpAddr>> {
        let kept = self.lock();
        let (until, answer) = kept.get(&host.to_ascii_lowercase())?;
        (now < *until).then(|| answer.clone())
    }

    pub(super) fn put(&self, host: &str, answer: &DnsAnswer<IpAddr>, ttl: u32, now: Instant) {
        let holds = Duration::from_secs(ttl.into()).min(LONGEST);
        if holds.is_zero() {
            return;
        }
        let mut kept = self.lock();
        if kept.len() >= MOST {
            kept.retain(|_, (until, _)| now < *until);
        }
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(host.to_ascii_lowercase(), (now + holds, answer.clone()));
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Instant, DnsAnswer<IpAddr>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use offhook_ports::DnsAnswer;

    use super::Cache;

    #[test]
    fn an_answer_holds_for_its_time_and_no_longer() {
        let cache = Cache::default();
        let start = crate::now();
        let answer = DnsAnswer { records: vec![], server: "here".to_owned(), alias_of: None };
        cache.put("Host.example", &answer, 30, start);
        cache.put("zero.example", &answer, 0, start);
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(cache.get("host.EXAMPLE", after(29)), Some(answer));
        assert_eq!(cache.get("host.example", after(30)), None);
        assert_eq!(cache.get("zero.example", start), None);
    }
}
