//! Stream management (XEP-0198): what was sent and not acknowledged, and how a stream goes on over
//! another connection.

use std::collections::VecDeque;
use std::time::Duration;

use offhook_model::{Fault, Jid, Secret};
use offhook_ports::{Resumption, Unacknowledged};
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;

/// Nothing more is taken from the queue while the server has left so much unacknowledged.
const STANZAS: usize = 2_048;
const BYTES: usize = 4 * 1024 * 1024;

/// How long a stream is kept by a server that does not say (XEP-0198 section 3 leaves it open).
const UNSAID: Duration = Duration::from_secs(300);

/// Longest we count on, whatever the server says.
const LONGEST: Duration = Duration::from_secs(3_600);

/// Longest name of a stream that is kept (XEP-0198 section 3 sets 4,000 bytes).
const NAME: usize = 4_000;

/// Counters of XEP-0198 section 4, and what they speak of.
#[derive(Default)]
pub(crate) struct Management {
    pub(crate) received: u32,
    acknowledged: u32,
    sent: VecDeque<Unacknowledged>,
    bytes: usize,
    /// An acknowledgement was asked for.
    pub(crate) asked: bool,
    resumable: Option<Resumable>,
}

/// What the server said about taking the stream up again.
#[derive(Clone)]
struct Resumable {
    id: Secret<String>,
    location: Option<String>,
    max: Duration,
}

impl Management {
    /// The server's `<enabled/>`.
    pub(crate) fn enabled(answer: &Element) -> Self {
        let may = matches!(answer.attr("resume"), Some("true" | "1"));
        let id = answer.attr("id").filter(|id| may && !id.is_empty() && id.len() <= NAME);
        let max = answer.attr("max").and_then(|max| max.parse().ok()).map(Duration::from_secs);
        let resumable = id.map(|id| Resumable {
            id: Secret::from(id),
            location: answer.attr("location").filter(|it| it.len() <= 300).map(str::to_owned),
            max: max.unwrap_or(UNSAID).min(LONGEST),
        });
        Self { resumable, ..Self::default() }
    }

    /// The stream goes on; `h` is how much of ours the server has. With the ids of what it has.
    pub(crate) fn resumed(earlier: &Resumption, h: u32) -> Result<(Self, Vec<String>), Fault> {
        let Resumption { id, location, max, received, acknowledged, unacknowledged, .. } =
            earlier.clone();
        let bytes = unacknowledged.iter().map(|it| it.bytes.len()).sum();
        let mut management = Self {
            received,
            acknowledged,
            sent: unacknowledged,
            bytes,
            asked: false,
            resumable: Some(Resumable { id, location, max }),
        };
        let acknowledged = management.acknowledge(h)?;
        Ok((management, acknowledged))
    }

    /// Counts a stanza that goes out.
    pub(crate) fn sent(&mut self, id: Option<String>, bytes: &[u8]) {
        // Without resumption nobody sends it again from here.
        let bytes = if self.resumable.is_some() { bytes.to_vec() } else { Vec::new() };
        self.bytes += bytes.len();
        self.sent.push_back(Unacknowledged { id, bytes });
    }

    /// The server has so many stanzas; the ids of those that it did not have before.
    pub(crate) fn acknowledge(&mut self, h: u32) -> Result<Vec<String>, Fault> {
        let new = h.wrapping_sub(self.acknowledged) as usize;
        if new > self.sent.len() {
            return Err(Fault::Nonsense("an acknowledgement of what was not sent".into()));
        }
        self.acknowledged = h;
        self.asked = false;
        let had: Vec<Unacknowledged> = self.sent.drain(..new).collect();
        self.bytes -= had.iter().map(|it| it.bytes.len()).sum::<usize>();
        Ok(had.into_iter().filter_map(|it| it.id).collect())
    }

    /// Something is not acknowledged.
    pub(crate) fn is_owed(&self) -> bool {
        !self.sent.is_empty()
    }

    /// So much is not acknowledged that nothing more is to be sent.
    pub(crate) fn is_full(&self) -> bool {
        self.sent.len() >= STANZAS || self.bytes >= BYTES
    }

    /// What is not acknowledged, as it is written.
    pub(crate) fn unacknowledged(&self) -> impl Iterator<Item = &[u8]> {
        self.sent.iter().map(|it| it.bytes.as_slice())
    }

    /// The connection broke: what is needed to go on over another one, where the server can.
    pub(crate) fn interrupted(self, jid: Jid) -> Option<Box<Resumption>> {
        let Resumable { id, location, max } = self.resumable?;
        Some(Box::new(Resumption {
            id,
            jid,
            location,
            max,
            received: self.received,
            acknowledged: self.acknowledged,
            unacknowledged: self.sent,
        }))
    }
}

/// The number in an answer.
pub(crate) fn counted(element: &Element) -> Option<u32> {
    element.attr("h").and_then(|h| h.parse().ok())
}

/// The ids of what the server had of a stream that it will not take up again; none when it does not
/// say, or says nonsense.
pub(crate) fn covered(earlier: &Resumption, refusal: &Element) -> Vec<String> {
    let had = counted(refusal).map_or(0, |h| h.wrapping_sub(earlier.acknowledged) as usize);
    let sent = &earlier.unacknowledged;
    let had = if had > sent.len() { 0 } else { had };
    sent.iter().take(had).filter_map(|it| it.id.clone()).collect()
}

/// Our wish to go on with an earlier stream.
pub(crate) fn resume(earlier: &Resumption) -> Secret<String> {
    Secret::new(format!(
        "<resume xmlns='{}' h='{}' previd='{}'/>",
        ns::SM,
        earlier.received,
        crate::stream::escape(earlier.id.expose())
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use offhook_model::Jid;
    use xmpp_parsers::minidom::Element;

    use super::{Management, covered};

    fn element(text: &str) -> Element {
        text.replace("/>", " xmlns='urn:xmpp:sm:3'/>").parse().expect("XML")
    }

    fn jid() -> Jid {
        "alice@example.test/desk".parse().expect("valid")
    }

    fn interrupted_after(count: u32) -> Box<offhook_ports::Resumption> {
        let mut management = Management::enabled(&element("<enabled resume='true' id='x'/>"));
        for n in 0..count {
            management.sent(Some(format!("m{n}")), b"<message/>");
        }
        management.interrupted(jid()).expect("may be resumed")
    }

    #[test]
    fn what_the_server_says_of_resumption_is_read_with_care() {
        let max = |text: &str| {
            Management::enabled(&element(text)).interrupted(jid()).map(|it| it.max.as_secs())
        };
        assert_eq!(max("<enabled resume='true' id='x' max='600'/>"), Some(600));
        assert_eq!(max("<enabled resume='1' id='x'/>"), Some(300));
        assert_eq!(max("<enabled resume='1' id='x' max='99999999'/>"), Some(3_600));
        assert_eq!(max("<enabled resume='1' id='x' max='soon'/>"), Some(300));
        assert_eq!(max("<enabled id='x'/>"), None);
        assert_eq!(max("<enabled resume='true'/>"), None);
        assert_eq!(max("<enabled resume='true' id=''/>"), None);
    }

    #[test]
    fn a_resumed_stream_owes_what_the_server_does_not_have() {
        let earlier = interrupted_after(3);
        let (management, acknowledged) = Management::resumed(&earlier, 2).expect("sense");
        assert_eq!(acknowledged, ["m0", "m1"]);
        assert_eq!(management.unacknowledged().count(), 1);
        let again = management.interrupted(jid()).expect("may be resumed again");
        assert_eq!((again.acknowledged, again.max), (2, Duration::from_secs(300)));
        assert!(Management::resumed(&earlier, 4).is_err(), "more than was sent");
    }

    #[test]
    fn counters_go_round() {
        let mut earlier = interrupted_after(3);
        earlier.acknowledged = u32::MAX - 1;
        let (_, acknowledged) = Management::resumed(&earlier, 0).expect("sense");
        assert_eq!(acknowledged, ["m0", "m1"]);
    }

    #[test]
    fn a_refusal_tells_what_the_server_had() {
        let earlier = interrupted_after(3);
        assert_eq!(covered(&earlier, &element("<failed h='1'/>")), ["m0"]);
        assert!(covered(&earlier, &element("<failed/>")).is_empty());
        assert!(covered(&earlier, &element("<failed h='9'/>")).is_empty());
        assert!(covered(&earlier, &element("<failed h='-1'/>")).is_empty());
    }

    #[test]
    fn memory_for_what_is_not_acknowledged_is_bounded() {
        let mut management = Management::enabled(&element("<enabled resume='true' id='x'/>"));
        while !management.is_full() {
            management.sent(None, &[b'x'; 10_000]);
        }
        let count = management.unacknowledged().count();
        assert!(count < 500, "{count}");
        management.acknowledge(u32::try_from(count).expect("few")).expect("sense");
        assert!(!management.is_full() && !management.is_owed());
    }
}
