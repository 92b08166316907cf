//! Pairs of candidates and where each stands (RFC 8445 section 6.1.2).

use std::net::{IpAddr, SocketAddr};

use offhook_model::CandidateKind;
use offhook_ports::IceCandidate;

use crate::agent::{Local, Via};

/// The longest list of pairs (RFC 8445 section 6.1.2.5).
pub(crate) const MAX_PAIRS: usize = 100;

/// Where a pair stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Waits for another one of its foundation.
    Frozen,
    /// Will be tried.
    Waiting,
    /// Is being tried.
    Trying,
    /// Works.
    Works,
    /// Does not.
    Failed,
}

/// Candidate of ours with one of theirs.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) local: usize,
    pub(crate) remote: usize,
    pub(crate) component: u8,
    pub(crate) priority: u64,
    pub(crate) state: State,
    /// The controlling side has chosen it, or will once it works.
    pub(crate) chosen: bool,
    /// Kind of our address as they see it.
    pub(crate) kind: CandidateKind,
}

/// Priority of a pair (RFC 8445 section 6.1.2.3).
pub(crate) fn priority(controlling: bool, ours: u32, theirs: u32) -> u64 {
    let (first, second) = if controlling { (ours, theirs) } else { (theirs, ours) };
    let (first, second) = (u64::from(first), u64::from(second));
    (first.min(second) << 32) + 2 * first.max(second) + u64::from(first > second)
}

/// All pairs that can be tried, the best ones first.
pub(crate) fn form(locals: &[Local], remotes: &[IceCandidate], controlling: bool) -> Vec<Pair> {
    let mut pairs = vec![];
    for (local, own) in locals.iter().enumerate() {
        // What a translator gave is sent from the host's own address (RFC 8445 section 6.1.2.4).
        if own.candidate.kind == CandidateKind::ServerReflexive {
            continue;
        }
        for (remote, theirs) in remotes.iter().enumerate() {
            if own.candidate.component == theirs.component
                && may_meet(own.candidate.address, theirs.address)
            {
                pairs.push(Pair {
                    local,
                    remote,
                    component: theirs.component,
                    priority: priority(controlling, own.candidate.priority, theirs.priority),
                    state: State::Frozen,
                    chosen: false,
                    kind: own.candidate.kind,
                });
            }
        }
    }
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.priority));
    pairs.truncate(MAX_PAIRS);
    thaw_first(&mut pairs, locals, remotes);
    pairs
}

/// One pair of each foundation is tried first: of the lowest component, and of those the best (RFC
/// 8445 section 6.1.2.6).
fn thaw_first(pairs: &mut [Pair], locals: &[Local], remotes: &[IceCandidate]) {
    let mut seen: Vec<(String, usize)> = vec![];
    for (at, pair) in pairs.iter().enumerate() {
        let name = foundation(pair, locals, remotes);
        match seen.iter_mut().find(|(known, _)| *known == name) {
            Some((_, first)) => {
                if pairs[*first].component > pair.component {
                    *first = at;
                }
            }
            None => seen.push((name, at)),
        }
    }
    for (_, at) in seen {
        pairs[at].state = State::Waiting;
    }
}

/// Both foundations together.
pub(crate) fn foundation(pair: &Pair, locals: &[Local], remotes: &[IceCandidate]) -> String {
    let ours = locals.get(pair.local).map_or("", |it| &it.candidate.foundation);
    let theirs = remotes.get(pair.remote).map_or("", |it| &it.foundation);
    format!("{ours} {theirs}")
}

/// The same family, and of IPv6 the same reach (RFC 8445 section 6.1.2.2).
fn may_meet(ours: SocketAddr, theirs: SocketAddr) -> bool {
    match (ours.ip(), theirs.ip()) {
        (IpAddr::V4(_), IpAddr::V4(_)) => true,
        (IpAddr::V6(a), IpAddr::V6(b)) => a.is_unicast_link_local() == b.is_unicast_link_local(),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

/// The candidate of ours that sends and receives this way.
pub(crate) fn local_by(locals: &[Local], via: Via) -> Option<usize> {
    locals.iter().position(|local| {
        local.via == via && local.candidate.kind != CandidateKind::ServerReflexive
    })
}
