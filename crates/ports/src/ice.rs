//! How sound finds its way through network address translators: ICE (RFC 8445) with STUN
//! (RFC 8489) and TURN (RFC 8656), as plans and facts.

use std::net::SocketAddr;

use offhook_model::{CandidateKind, Link, Secret};

/// A server that helps sound through, as it is set for an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelperName {
    /// Host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken to: datagrams, or for relays a stream (RFC 8656 section 3.1), in clear or not.
    pub link: Link,
    /// User and password where it is to relay (TURN); nothing when it only tells our address (STUN).
    pub login: Option<(String, Secret<String>)>,
}

/// The same server with its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helper {
    /// Where it listens; of a stream the address is only a name for it.
    pub address: SocketAddr,
    /// As in [`HelperName::link`].
    pub link: Link,
    /// As in [`HelperName::login`].
    pub login: Option<(String, Secret<String>)>,
}

/// How an account uses ICE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IceAccount {
    /// Whom to ask for addresses. Relays over streams are asked in this order, the next one when
    /// no relay before it has answered.
    pub helpers: Vec<HelperName>,
    /// Only relayed addresses stand in descriptions and are used. What SIP itself says of us
    /// (Contact, Via) is another matter.
    pub relay_only: bool,
}

/// What the other side proves itself to us with, and we to it (RFC 8445 section 5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceCredentials {
    /// User name fragment, 4 to 256 characters.
    pub fragment: String,
    /// Password, 22 to 256 characters.
    pub password: Secret<String>,
}

/// One address where a call's sound may be sent (RFC 8839 section 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceCandidate {
    /// The same for candidates that will fare alike, 1 to 32 characters.
    pub foundation: String,
    /// 1 for RTP, 2 for RTCP.
    pub component: u8,
    /// 1 to 2³¹ − 1, more is better.
    pub priority: u32,
    /// The address.
    pub address: SocketAddr,
    /// Where it comes from.
    pub kind: CandidateKind,
    /// The address it stands for, of all but host candidates.
    pub related: Option<SocketAddr>,
}

/// How a call begins to look for ways: with its ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceStart {
    /// Ours, for who asks before we know of them.
    pub local: IceCredentials,
    /// Whom to ask for addresses.
    pub account: IceAccount,
}

/// The same with addresses in place of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceGather {
    /// Ours.
    pub local: IceCredentials,
    /// Whom to ask for addresses.
    pub helpers: Vec<Helper>,
    /// As in [`IceAccount::relay_only`].
    pub relay_only: bool,
}

/// What was agreed with the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IcePlan {
    /// Ours.
    pub local: IceCredentials,
    /// Theirs.
    pub remote: IceCredentials,
    /// Their addresses.
    pub candidates: Vec<IceCandidate>,
    /// They only answer (ICE lite).
    pub lite: bool,
    /// We choose the way.
    pub controlling: bool,
}

/// Why a helper did not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelperFault {
    /// Its name has no address.
    NoAddress,
    /// It did not answer in time.
    Silent,
    /// It does not know the user, or the password is another one.
    Login,
    /// It refused with this code (RFC 8489 section 14.8).
    Refused(u16),
}

/// What the search for a way came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IceFact {
    /// Our addresses; the offer or answer can be written.
    Candidates(Vec<IceCandidate>),
    /// A helper did not help; `relay` when it should have relayed.
    Unhelped {
        /// It was to relay.
        relay: bool,
        /// Why not.
        fault: HelperFault,
    },
    /// Sound goes this way now.
    Found {
        /// Kind of our address.
        local: CandidateKind,
        /// Kind of theirs.
        remote: CandidateKind,
    },
    /// No way was found; sound goes to the address that the description names.
    NoWay {
        /// So many were tried.
        tried: usize,
    },
    /// The other side does not answer any more on the way that was found, so nothing may be sent
    /// there (RFC 7675 section 5.1).
    Lost,
}

/// The candidate that a description names in its `c=` and `m=` lines, for those who know nothing of
/// ICE: the one that most likely works, relayed before reflexive before host (RFC 8445 section
/// 5.1.4). One of the call's own family, `ipv4` or not, goes before all others: who knows nothing of
/// ICE was reached by it.
pub fn default_candidate(
    candidates: &[IceCandidate],
    component: u8,
    ipv4: bool,
) -> Option<&IceCandidate> {
    let rank = |kind: CandidateKind| match kind {
        CandidateKind::Relayed => 2,
        CandidateKind::ServerReflexive => 1,
        CandidateKind::Host | CandidateKind::PeerReflexive => 0,
    };
    candidates.iter().filter(|candidate| candidate.component == component).max_by_key(|candidate| {
        let alike = candidate.address.is_ipv4() == ipv4;
        (alike, rank(candidate.kind), candidate.priority)
    })
}
