//! ICE in session descriptions (RFC 8839).

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use offhook_model::{CandidateKind, Secret};
use offhook_ports::{IceCandidate, IceCredentials, IcePlan, default_candidate};
use ring::hkdf;

use super::description::{Description, Media};

/// Candidates of one stream that are looked at.
const MAX_CANDIDATES: usize = 64;
/// Where the old form of a description "to be completed" points (RFC 8840 section 4.1.1).
const DISCARD: u16 = 9;

/// Our side of the search for a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalIce {
    /// What our names and passwords are made of: from the system's source of chance, another for each
    /// set of candidates.
    pub secret: Secret<[u8; 32]>,
    /// Where we can be reached.
    pub candidates: Vec<IceCandidate>,
}

/// Name fragment and password of the so-manieth restart of a call.
pub fn ice_credentials(secret: &Secret<[u8; 32]>, turn: u64) -> IceCredentials {
    let mut bytes = [0; 24];
    let from = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, secret.expose());
    let turn = turn.to_be_bytes();
    let info = [b"ice".as_slice(), &turn];
    let filled = from.expand(&info, Length).and_then(|it| it.fill(&mut bytes));
    debug_assert!(filled.is_ok(), "shorter than 255 hashes");
    let (fragment, password) = bytes.split_at(6);
    IceCredentials {
        fragment: STANDARD_NO_PAD.encode(fragment),
        password: Secret::new(STANDARD_NO_PAD.encode(password)),
    }
}

struct Length;

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        24
    }
}

/// Whether this offer has ICE for some stream.
pub fn offers_ice(sdp: &str) -> bool {
    Description::parse(sdp).is_ok_and(|description| {
        description.media.iter().any(|media| credentials(&description, media).is_some())
    })
}

/// What they say of ICE for one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RemoteIce {
    pub credentials: IceCredentials,
    pub candidates: Vec<IceCandidate>,
    pub lite: bool,
}

/// Their ICE, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Theirs {
    Ice(RemoteIce),
    /// Somebody on the way changed the addresses and left the candidates (RFC 8839 section 4.2.5).
    Mismatch,
    None,
}

/// Reads a stream whose description names `usual` for its RTP.
pub(super) fn read(description: &Description, media: &Media, usual: SocketAddr) -> Theirs {
    let Some(credentials) = credentials(description, media) else { return Theirs::None };
    if media.values("ice-mismatch").next().is_some() {
        return Theirs::None;
    }
    let lines = media.values("candidate").take(MAX_CANDIDATES);
    let candidates: Vec<IceCandidate> = lines.filter_map(candidate).collect();
    let named = candidates.iter().any(|it| it.component == 1 && it.address == usual);
    let says_nothing = usual.ip().is_unspecified() || usual.port() == DISCARD;
    // Of candidates that cannot be read (names, TCP) one may be the one named.
    let all_read = candidates.len() == media.values("candidate").count();
    if !named && !says_nothing && all_read {
        return Theirs::Mismatch;
    }
    let lite = description.attributes.iter().any(|(name, _)| name == "ice-lite");
    Theirs::Ice(RemoteIce { credentials, candidates, lite })
}

/// Name and password of the stream, or of the whole session.
fn credentials(description: &Description, media: &Media) -> Option<IceCredentials> {
    let value = |name: &str| {
        let whole = description.attributes.iter().find(|(key, _)| key == name);
        media
            .values(name)
            .next()
            .or_else(|| whole.map(|(_, value)| value.as_str()))
            .map(str::to_owned)
    };
    let good = |text: &String, least: usize| {
        let known = |byte: u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
        };
        (least..=256).contains(&text.len()) && text.bytes().all(known)
    };
    let fragment = value("ice-ufrag").filter(|text| good(text, 4))?;
    let password = value("ice-pwd").filter(|text| good(text, 22))?;
    Some(IceCredentials { fragment, password: Secret::new(password) })
}

/// `<foundation> <component> UDP <priority> <address> <port> typ <kind> [raddr … rport …]`. What
/// is not UDP, not a literal address or not known is passed over.
fn candidate(line: &str) -> Option<IceCandidate> {
    let words: Vec<&str> = line.split_ascii_whitespace().take(32).collect();
    let [foundation, component, transport, priority, address, port, typ, kind, more @ ..] =
        words.as_slice()
    else {
        return None;
    };
    let component = component.parse().ok().filter(|it| (1..=2).contains(it))?;
    let port = port.parse().ok().filter(|port| *port != 0)?;
    let known = transport.eq_ignore_ascii_case("UDP") && typ.eq_ignore_ascii_case("typ");
    if !known || foundation.len() > 32 {
        return None;
    }
    let ip: IpAddr = address.parse().ok()?;
    if ip.is_unspecified() || ip.is_multicast() {
        return None;
    }
    let after = |name: &str| {
        more.chunks_exact(2).find(|pair| pair[0].eq_ignore_ascii_case(name)).map(|pair| pair[1])
    };
    let related = after("raddr").and_then(|it| it.parse().ok()).zip(after("rport"));
    Some(IceCandidate {
        foundation: (*foundation).to_owned(),
        component,
        priority: priority.parse().ok().filter(|it| (1..=0x7fff_ffff).contains(it))?,
        address: SocketAddr::new(ip, port),
        kind: match kind.to_ascii_lowercase().as_str() {
            "host" => CandidateKind::Host,
            "srflx" => CandidateKind::ServerReflexive,
            "prflx" => CandidateKind::PeerReflexive,
            "relay" => CandidateKind::Relayed,
            _ => return None,
        },
        related: related.and_then(|(ip, port)| Some(SocketAddr::new(ip, port.parse().ok()?))),
    })
}

/// Our ICE through the descriptions of one call.
#[derive(Clone, Debug)]
pub(super) struct OwnIce {
    local: LocalIce,
    /// How often it began anew.
    turn: u64,
    /// Theirs, as they were last.
    theirs: Option<IceCredentials>,
    /// We choose the way: who made the first offer (RFC 8445 section 6.1.1).
    controlling: Option<bool>,
}

impl OwnIce {
    pub(super) fn new(local: LocalIce) -> Self {
        Self { local, turn: 0, theirs: None, controlling: None }
    }

    /// Other candidates: everything begins anew with the next description.
    pub(super) fn replaced(self, local: LocalIce) -> Self {
        Self { local, turn: 0, ..self }
    }

    /// The address that a component has for those who know nothing of ICE, of the call's own family
    /// where there is one.
    pub(super) fn usual(&self, component: u8, ipv4: bool) -> Option<SocketAddr> {
        default_candidate(&self.local.candidates, component, ipv4).map(|it| it.address)
    }

    /// We make an offer.
    pub(super) fn offering(&mut self) {
        self.controlling.get_or_insert(true);
    }

    /// They made an offer: other credentials than before begin anew, ours too (RFC 8839 section
    /// 4.4.1.1.1).
    pub(super) fn offered(&mut self, theirs: &RemoteIce) {
        self.controlling.get_or_insert(false);
        if self.theirs.as_ref().is_some_and(|known| *known != theirs.credentials) {
            self.turn += 1;
        }
    }

    /// What both sides look for a way with.
    pub(super) fn plan(&mut self, theirs: &RemoteIce) -> IcePlan {
        self.theirs = Some(theirs.credentials.clone());
        IcePlan {
            local: ice_credentials(&self.local.secret, self.turn),
            remote: theirs.credentials.clone(),
            candidates: theirs.candidates.clone(),
            lite: theirs.lite,
            controlling: self.controlling.unwrap_or(true),
        }
    }

    /// Writes the lines of the stream.
    pub(super) fn write(&self, out: &mut String, components: u8) {
        let own = ice_credentials(&self.local.secret, self.turn);
        let _ =
            write!(out, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", own.fragment, own.password.expose());
        for it in self.local.candidates.iter().filter(|it| it.component <= components) {
            let (ip, port) = (it.address.ip(), it.address.port());
            let kind = match it.kind {
                CandidateKind::Host => "host",
                CandidateKind::ServerReflexive => "srflx",
                CandidateKind::PeerReflexive => "prflx",
                CandidateKind::Relayed => "relay",
            };
            let _ = write!(
                out,
                "a=candidate:{} {} UDP {} {ip} {port} typ {kind}",
                it.foundation, it.component, it.priority
            );
            if let Some(related) = it.related {
                let _ = write!(out, " raddr {} rport {}", related.ip(), related.port());
            }
            out.push_str("\r\n");
        }
    }
}
