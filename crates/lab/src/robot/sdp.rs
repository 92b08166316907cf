//! Just enough SDP for a colleague with one audio stream (RFC 8866, 3264, 4733), in clear or under
//! a key (RFC 4568).

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use super::g711::Law;
use crate::random;
use crate::srtp::Key;

/// What the other side says about its audio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remote {
    /// Where to send; `None` when it wants nothing (port 0, hold).
    pub(crate) address: Option<SocketAddr>,
    /// The codec both speak.
    pub(crate) law: Law,
    /// Payload type of that codec.
    pub(crate) payload: u8,
    /// Payload type of telephone events.
    pub(crate) events: Option<u8>,
    /// Whether it wants to hear us.
    pub(crate) listens: bool,
    /// Whether it sends.
    pub(crate) sends: bool,
    /// What it encrypts with, where it wants nothing else.
    pub(crate) key: Option<Key>,
    /// Media lines in order, to be answered one by one; which of them is ours.
    lines: Vec<String>,
    ours: usize,
}

/// The transport of sound in clear, and of encrypted sound.
const CLEAR: &str = "RTP/AVP";
const SEALED: &str = "RTP/SAVP";

/// Whether the sound that a description is about is encrypted.
pub(crate) fn is_sealed(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| line.starts_with("m=audio "));
    lines.any(|line| line.split(' ').nth(2) == Some(SEALED))
}

/// The same description for somebody who has no encryption: without transport and keys of it.
pub(crate) fn in_clear(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("a=crypto:"));
    lines.map(|line| format!("{}\r\n", line.replace(" RTP/SAVP ", " RTP/AVP "))).collect()
}

/// Reads an offer or answer; `None` when there is no audio in a codec of `wanted`, or it is encrypted
/// in no way that robots know.
pub(crate) fn read(text: &str, wanted: &[Law]) -> Option<Remote> {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let media: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.starts_with("m="))
        .map(|(at, _)| at)
        .collect();
    let session = &lines[..media.first().copied().unwrap_or(lines.len())];
    let ours = media.iter().position(|at| {
        let mut words = lines[*at].split(' ');
        words.next() == Some("m=audio")
            && words.next().is_some_and(|port| port != "0")
            && words.next().is_some_and(|transport| [CLEAR, SEALED].contains(&transport))
    })?;
    let start = *media.get(ours)?;
    let end = media.get(ours + 1).copied().unwrap_or(lines.len());
    let section = &lines[start..end];
    let mut words = section[0].split(' ').skip(1);
    let port: u16 = words.next()?.split('/').next()?.parse().ok()?;
    let sealed = words.next() == Some(SEALED);
    let keys = || section.iter().filter_map(|line| Key::read(line.strip_prefix("a=crypto:")?));
    let key = if sealed { Some(keys().next()?) } else { None };
    let payloads: Vec<u8> = words.filter_map(|word| word.parse().ok()).collect();
    let map = |payload: u8| -> Option<String> {
        let prefix = format!("a=rtpmap:{payload} ");
        let named = section.iter().find_map(|line| line.strip_prefix(prefix.as_str()));
        match (named, payload) {
            (Some(name), _) => Some(name.to_ascii_uppercase()),
            (None, 0) => Some("PCMU/8000".into()),
            (None, 8) => Some("PCMA/8000".into()),
            (None, _) => None,
        }
    };
    let of_law = |law: Law| {
        payloads.iter().copied().find(|payload| {
            map(*payload).is_some_and(|name| name.starts_with(&format!("{}/8000", law.name())))
        })
    };
    let (law, payload) = wanted.iter().find_map(|law| Some((*law, of_law(*law)?)))?;
    let events = payloads
        .iter()
        .copied()
        .find(|payload| map(*payload).is_some_and(|name| name.starts_with("TELEPHONE-EVENT/8000")));
    let connection = section
        .iter()
        .chain(session)
        .find_map(|line| line.strip_prefix("c=IN IP4 ").or(line.strip_prefix("c=IN IP6 ")))?;
    let ip: IpAddr = connection.split('/').next()?.trim().parse().ok()?;
    let direction = section
        .iter()
        .chain(session)
        .find_map(|line| match *line {
            "a=sendrecv" => Some((true, true)),
            "a=sendonly" => Some((true, false)),
            "a=recvonly" => Some((false, true)),
            "a=inactive" => Some((false, false)),
            _ => None,
        })
        .unwrap_or((true, true));
    let reachable = !ip.is_unspecified();
    Some(Remote {
        address: reachable.then(|| SocketAddr::new(ip, port)),
        law,
        payload,
        events,
        key,
        sends: direction.0,
        listens: direction.1 && reachable,
        lines: media.iter().map(|at| lines[*at].to_owned()).collect(),
        ours,
    })
}

/// Our session over the life of a call.
#[derive(Debug)]
pub(crate) struct Local {
    id: u64,
    version: u64,
    address: SocketAddr,
    laws: Vec<Law>,
    key: Option<Key>,
}

impl Local {
    pub(crate) fn new(address: SocketAddr, laws: &[Law]) -> Self {
        let id = u64::from(u32::from_be_bytes(random::bytes()));
        Self { id, version: 0, address, laws: laws.to_vec(), key: None }
    }

    /// The same with a key: encrypted sound is offered, and taken where it is offered.
    pub(crate) fn sealed(self) -> Self {
        Self { key: Some(Key::new()), ..self }
    }

    /// What ours is encrypted with.
    pub(crate) fn key(&self) -> Option<Key> {
        self.key.clone()
    }

    fn head(&mut self) -> String {
        self.version += 1;
        let family = if self.address.is_ipv4() { "IP4" } else { "IP6" };
        let ip = self.address.ip();
        format!(
            "v=0\r\no=robot {} {} IN {family} {ip}\r\ns=SIP Call\r\nc=IN {family} {ip}\r\nt=0 0\r\n",
            self.id, self.version
        )
    }

    /// An offer of everything we speak.
    pub(crate) fn offer(&mut self) -> String {
        let mut out = self.head();
        let types: Vec<String> =
            self.laws.iter().map(|law| law.payload_type().to_string()).collect();
        let transport = if self.key.is_some() { SEALED } else { CLEAR };
        let port = self.address.port();
        let _ = write!(out, "m=audio {port} {transport} {} 101\r\n", types.join(" "));
        out.extend(self.key.as_ref().map(Key::line));
        for law in &self.laws {
            let _ = write!(out, "a=rtpmap:{} {}/8000\r\n", law.payload_type(), law.name());
        }
        out.push_str("a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n");
        out.push_str("a=ptime:20\r\na=sendrecv\r\n");
        out
    }

    /// The answer to an offer.
    pub(crate) fn answer(&mut self, remote: &Remote) -> String {
        let mut out = self.head();
        for (at, line) in remote.lines.iter().enumerate() {
            if at != remote.ours {
                // Everything else is refused in its place.
                let mut words = line.split(' ');
                let kind = words.next().unwrap_or("m=audio");
                let rest: Vec<&str> = words.skip(1).collect();
                let _ = write!(out, "{kind} 0 {}\r\n", rest.join(" "));
                continue;
            }
            let (payload, name) = (remote.payload, remote.law.name());
            let events = remote.events.map(|events| format!(" {events}")).unwrap_or_default();
            let port = self.address.port();
            let keys = remote.key.as_ref().zip(self.key.as_ref());
            let key = keys.map(|(theirs, ours)| ours.answering(theirs));
            let transport = if key.is_some() { SEALED } else { CLEAR };
            let _ = write!(out, "m=audio {port} {transport} {payload}{events}\r\n");
            out.extend(key.as_ref().map(Key::line));
            let _ = write!(out, "a=rtpmap:{payload} {name}/8000\r\n");
            if let Some(events) = remote.events {
                let _ = write!(
                    out,
                    "a=rtpmap:{events} telephone-event/8000\r\na=fmtp:{events} 0-16\r\n"
                );
            }
            let direction = match (remote.listens, remote.sends) {
                (true, true) => "sendrecv",
                (true, false) => "sendonly",
                (false, true) => "recvonly",
                (false, false) => "inactive",
            };
            let _ = write!(out, "a=ptime:20\r\na={direction}\r\n");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\no=x 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n\
        m=video 4000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n\
        m=audio 5000 RTP/AVP 114 8 0 101\r\nc=IN IP4 10.0.0.2\r\na=rtpmap:114 opus/48000/2\r\n\
        a=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n";

    #[test]
    fn the_audio_line_is_found_and_answered_in_its_place() {
        let remote = read(OFFER, &[Law::Mu, Law::A]).unwrap();
        assert_eq!(remote.address.unwrap().to_string(), "10.0.0.2:5000");
        assert_eq!((remote.law, remote.payload, remote.events), (Law::Mu, 0, Some(101)));
        assert!(remote.sends && !remote.listens);
        let mut local = Local::new("127.0.0.1:7000".parse().unwrap(), &[Law::Mu]);
        let answer = local.answer(&remote);
        assert!(answer.contains("m=video 0 RTP/AVP 96\r\nm=audio 7000 RTP/AVP 0 101\r\n"));
        assert!(answer.contains("a=recvonly\r\n"), "{answer}");
        assert_eq!(read(OFFER, &[Law::A]).unwrap().law, Law::A);
    }

    #[test]
    fn keys_are_answered_by_who_has_one_and_left_out_for_who_has_none() {
        let here = "127.0.0.1:7000".parse().unwrap();
        let mut ours = Local::new(here, &[Law::Mu]).sealed();
        let offer = ours.offer();
        assert!(is_sealed(&offer) && !is_sealed(&in_clear(&offer)), "{offer}");
        assert!(!in_clear(&offer).contains("crypto") && in_clear(&offer).ends_with("\r\n"));
        let theirs = read(&offer, &[Law::Mu]).unwrap();
        assert!(theirs.key.is_some() && read(&in_clear(&offer), &[Law::Mu]).unwrap().key.is_none());
        assert!(is_sealed(&Local::new(here, &[Law::Mu]).sealed().answer(&theirs)));
        assert!(!is_sealed(&Local::new(here, &[Law::Mu]).answer(&theirs)));
    }

    #[test]
    fn hold_by_an_empty_address_means_not_listening() {
        let held = OFFER.replace("10.0.0.2", "0.0.0.0").replace("a=sendonly\r\n", "");
        let remote = read(&held, &[Law::A]).unwrap();
        assert!(remote.address.is_none() && !remote.listens && remote.sends);
    }

    #[test]
    fn our_offer_can_be_read_back_and_nonsense_cannot() {
        let mut local = Local::new("127.0.0.1:7000".parse().unwrap(), &[Law::A, Law::Mu]);
        let offer = local.offer();
        assert_eq!(read(&offer, &[Law::Mu]).unwrap().events, Some(101));
        for text in [
            "",
            "m=audio",
            "m=audio x RTP/AVP 0",
            "m=audio 0 RTP/AVP 0",
            "c=IN IP4 1.2.3.4\r\nm=audio 1 RTP/SAVP 0",
            "m=audio 99999 RTP/AVP 0",
            "m=audio 1 RTP/AVP 0",
        ] {
            assert!(read(text, &[Law::Mu]).is_none(), "{text}");
        }
    }
}
