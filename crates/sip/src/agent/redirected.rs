//! Calls that are sent elsewhere (RFC 3261 section 8.1.3.4), and calls that nobody answers.

use std::time::{Duration, Instant};

use super::call::{Call, Stage};
use super::{By, Context, End, Event, Purpose, SipCall, UserAgent};
use crate::identity::Identity;
use crate::message::{Address, Message, Name, Scheme, Uri};
use crate::transaction::Delivered;

/// Most places that one call is sent to after the first.
const MOST: usize = 5;
/// For how long it may ring there without a sound of theirs: as long as a proxy waits (RFC 3261
/// section 16.6, timer C), and as a call manager is told (`Expires`). Whoever hears an
/// announcement or waits in a queue decides alone how long.
pub(super) const RINGS: Duration = Duration::from_secs(180);
/// For how long a call may ring here that does not say so itself (`Expires`). Servers and callers end
/// it sooner; this is for those that have died.
const RINGS_HERE: Duration = Duration::from_secs(300);

/// Where a call of ours was and may be sent.
#[derive(Debug, Default)]
pub(super) struct Redirection {
    /// URIs that were called, so that no two send it to each other for ever.
    tried: Vec<String>,
    /// URIs that may be called, with who that is, the best last.
    targets: Vec<(String, Identity)>,
}

impl UserAgent {
    /// A 3xx: whether the call goes on somewhere else.
    ///
    /// Only within our own domain, or that which was called, and under the same scheme: whoever
    /// answers a call may name any number, and what a call there costs is then for our own server to
    /// allow. Another domain, or a telephone number that no domain answers for, is shown to the person
    /// and not called.
    pub(super) fn redirected(
        &mut self,
        id: SipCall,
        delivered: &Delivered<Context>,
        message: &Message,
        now: Instant,
    ) -> bool {
        let status = message.status().unwrap_or(300);
        let mut found: Vec<(u16, Address<'_>)> = message
            .addresses(Name::Contact)
            .filter_map(Result::ok)
            .map(|a| (weight(&a), a))
            .collect();
        found.sort_by_key(|(weight, _)| *weight);
        // 305 names a proxy, 380 another service: neither is a place to call.
        let wanted = self.calls.get(&id).is_some_and(|call| call.stage == Stage::Calling);
        if !matches!(status, 300..=302) || !wanted {
            return false;
        }
        let here = self.domain();
        let follows = |address: &Address<'_>| may_follow(&delivered.request.uri, address, &here);
        let targets: Vec<(String, Identity)> = found
            .iter()
            .filter(|(_, address)| follows(address))
            .filter_map(|(_, address)| Some((bare(address)?, Identity::of(address))))
            .collect();
        let best = found.last().map(|(_, address)| Identity::of(address));
        let Some(call) = self.calls.get_mut(&id) else { return false };
        call.redirection.targets.extend(targets);
        if self.try_elsewhere(id, delivered, now) {
            return true;
        }
        if let Some(remote) = best {
            self.event(Event::RemoteIdentity { call: id, remote });
        }
        false
    }

    /// Calls the next place that is known, if there is one.
    pub(super) fn try_elsewhere(
        &mut self,
        id: SipCall,
        delivered: &Delivered<Context>,
        now: Instant,
    ) -> bool {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.stage == Stage::Calling) else {
            return false;
        };
        let places = &mut call.redirection;
        places.tried.push(delivered.request.uri.clone());
        if places.tried.len() > MOST {
            return false;
        }
        let next = loop {
            let Some(next) = places.targets.pop() else { return false };
            if !places.tried.contains(&next.0) {
                break next;
            }
        };
        call.unanswered_at = Some(now + RINGS);
        let mut request = delivered.request.clone();
        request.uri = next.0;
        request.cseq += 1;
        // Credentials are for the URI that they were made for (RFC 7616 section 3.4).
        request.remove(Name::Authorization);
        request.remove(Name::ProxyAuthorization);
        self.event(Event::RemoteIdentity { call: id, remote: next.1 });
        if let Some(key) = self.send(request, Context::of(Purpose::Invite(id)), now) {
            self.sent_again(&Purpose::Invite(id), key);
        }
        true
    }

    /// Ends what nobody has answered for too long, in either direction.
    pub(super) fn unanswered_timeout(&mut self, now: Instant) {
        let due = |call: &Call| call.unanswered_at.is_some_and(|at| at <= now);
        let ids: Vec<SipCall> =
            self.calls.iter().filter(|(_, call)| due(call)).map(|(id, _)| *id).collect();
        for id in ids {
            let Some(call) = self.calls.get_mut(&id) else { continue };
            call.unanswered_at = None;
            match call.stage {
                // RFC 3261 section 8.1.3.1 counts silence as 408.
                Stage::Calling => {
                    self.ended(id, End::new(By::Them, Some(408), "nobody answered"));
                    self.end_call(id, now);
                }
                Stage::Ringing => {
                    self.ended(id, End::new(By::Them, None, "nobody answered"));
                    self.send_rejection(id, 480, None, now);
                }
                Stage::Cancelling | Stage::Accepted | Stage::Confirmed | Stage::Ending => {}
            }
        }
    }
}

/// For how long an INVITE of theirs may ring (RFC 3261 section 13.3.1).
pub(super) fn rings_here(invite: &Message) -> Duration {
    let told = invite.number(Name::Expires).filter(|seconds| *seconds > 0);
    told.map_or(RINGS_HERE, |seconds| Duration::from_secs(seconds.into()).min(RINGS_HERE))
}

/// `q` in thousandths (RFC 3261 section 20.10); 1 where none is said.
fn weight(address: &Address<'_>) -> u16 {
    let Some(q) = address.params.get("q").map(str::trim) else { return 1_000 };
    let (whole, rest) = q.split_once('.').unwrap_or((q, ""));
    if whole != "0" {
        return 1_000;
    }
    let digits: String = rest.chars().chain("000".chars()).take(3).collect();
    digits.parse().unwrap_or(0)
}

/// The URI to call; headers in it are not let into a request of ours (RFC 3261 section 19.1.5).
fn bare(address: &Address<'_>) -> Option<String> {
    Some(Uri { headers: "", ..address.uri().ok()? }.to_string())
}

fn may_follow(called: &str, address: &Address<'_>, here: &str) -> bool {
    let (Ok(called), Ok(to)) = (Uri::parse(called), address.uri()) else { return false };
    let sip = matches!(to.scheme, Scheme::Sip | Scheme::Sips) && to.scheme == called.scheme;
    let same = |host: &str| to.host.eq_ignore_ascii_case(host);
    sip && to.user.is_some()
        && to.params.get("method").is_none()
        && (same(here) || same(called.host))
}
