//! A registrar and proxy in one, for phones on 127.0.0.1: takes everybody, hands calls on, and puts a
//! relay into the sound of each by changing its port in the session descriptions, in which it leaves
//! one codec only. Reads and writes text; shares nothing with the client's own SIP.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::network::Network;
use super::relay::{Counts, Relay};
use crate::bench::baresip::Codec;

/// A running desk.
pub struct Desk {
    /// Its UDP port on 127.0.0.1.
    pub port: u16,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
}

#[derive(Default)]
struct State {
    /// Where phones are, by user.
    users: HashMap<String, SocketAddr>,
    /// Calls that are to come or are there, by the caller's name.
    calls: HashMap<String, Expected>,
}

struct Expected {
    network: Network,
    codec: Codec,
    relay: Option<Relay>,
}

impl Desk {
    /// Starts it.
    ///
    /// # Errors
    /// No port.
    pub fn start() -> Result<Self, String> {
        let text = |error: std::io::Error| error.to_string();
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(text)?;
        socket.set_read_timeout(Some(Duration::from_millis(200))).map_err(text)?;
        let port = socket.local_addr().map_err(text)?.port();
        let (state, stop) = (Arc::<Mutex<State>>::default(), Arc::<AtomicBool>::default());
        let mut clerk = Clerk { socket, port, ways: HashMap::new(), state: state.clone() };
        let over = stop.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while !over.load(Ordering::Relaxed) {
                if let Ok((length, from)) = clerk.socket.recv_from(&mut buffer) {
                    clerk.take(&String::from_utf8_lossy(&buffer[..length]), from);
                }
            }
        });
        Ok(Self { port, state, stop })
    }

    /// Its address as phones are told it.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Whether a phone is known.
    pub fn knows(&self, user: &str) -> bool {
        lock(&self.state).users.contains_key(user)
    }

    /// The call of this caller will go over that network.
    pub fn expect(&self, caller: &str, network: Network, codec: Codec) {
        let expected = Expected { network, codec, relay: None };
        lock(&self.state).calls.insert(caller.to_owned(), expected);
    }

    /// What was counted in this caller's call so far.
    pub fn counts(&self, caller: &str) -> Counts {
        let state = lock(&self.state);
        let call = state.calls.get(caller).and_then(|call| call.relay.as_ref());
        call.map(Relay::counts).unwrap_or_default()
    }

    /// Forgets it.
    pub fn over(&self, caller: &str) {
        lock(&self.state).calls.remove(caller);
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Clerk {
    socket: UdpSocket,
    port: u16,
    /// Where answers go, by our branch.
    ways: HashMap<String, SocketAddr>,
    state: Arc<Mutex<State>>,
}

impl Clerk {
    fn take(&mut self, message: &str, from: SocketAddr) {
        let (head, body) = message.split_once("\r\n\r\n").unwrap_or((message, ""));
        let Some((start, fields)) = head.split_once("\r\n") else { return };
        match start.split(' ').collect::<Vec<_>>()[..] {
            ["SIP/2.0", ..] => self.hand_back(start, fields, body),
            ["REGISTER", ..] => self.register(fields, from),
            ["NOTIFY" | "OPTIONS", ..] => self.answer("200 OK", fields, "", from),
            ["SUBSCRIBE" | "PUBLISH" | "MESSAGE", ..] => {
                self.answer("489 Bad Event", fields, "", from);
            }
            [_, uri, _] => self.hand_on(start, uri, fields, body, from),
            _ => {}
        }
    }

    fn register(&mut self, fields: &str, from: SocketAddr) {
        lock(&self.state).users.insert(user(field(fields, "to")).to_owned(), from);
        let contact = match field(fields, "contact") {
            "" => String::new(),
            contact if contact.contains("expires=") => format!("Contact: {contact}\r\n"),
            contact => format!("Contact: {contact};expires=600\r\n"),
        };
        self.answer("200 OK", fields, &contact, from);
    }

    fn answer(&self, status: &str, fields: &str, more: &str, to: SocketAddr) {
        let copied: String = lines(fields)
            .filter(|(name, _)| matches!(&name[..], "via" | "from" | "call-id" | "cseq"))
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let whom = field(fields, "to");
        let answer = format!(
            "SIP/2.0 {status}\r\n{copied}To: {whom};tag=desk\r\n{more}Content-Length: 0\r\n\r\n"
        );
        let _ = self.socket.send_to(answer.as_bytes(), to);
    }

    /// A request goes to the user it names, or within a call to the very address.
    fn hand_on(&mut self, start: &str, uri: &str, fields: &str, body: &str, from: SocketAddr) {
        let place = uri.split(['@', ';', '?', '>']).nth(1).and_then(|host| host.parse().ok());
        let user = uri.trim_start_matches("sip:").split(['@', ';']).next().unwrap_or_default();
        let known = || lock(&self.state).users.get(user).copied();
        let other = place.filter(|at: &SocketAddr| at.port() != self.port);
        let Some(to) = other.or_else(known) else {
            if !start.starts_with("ACK") {
                self.answer("404 Not Found", fields, "", from);
            }
            return;
        };
        let branch = branch(field(fields, "via"));
        let ours = format!("z9hG4bK-desk-{}-{branch}", from.port());
        self.ways.insert(ours.clone(), from);
        let fields = format!("Via: SIP/2.0/UDP 127.0.0.1:{};branch={ours}\r\n{fields}", self.port);
        let body = self.change(&fields, body, 0);
        self.send(start, &fields, &body, to);
    }

    /// An answer goes where its request came from, without our Via, which is the first.
    fn hand_back(&mut self, start: &str, fields: &str, body: &str) {
        let mut ours = None;
        let mut rest = String::new();
        for (name, value) in lines(fields) {
            let kept = if name == "via" && ours.is_none() {
                // There may be two in one line.
                let (first, others) = value.split_once(',').unwrap_or((value, ""));
                ours = Some(branch(first).to_owned());
                others.trim()
            } else {
                value
            };
            if !kept.is_empty() || name != "via" {
                rest += &format!("{name}: {kept}\r\n");
            }
        }
        let Some(to) = ours.and_then(|branch| self.ways.get(&branch).copied()) else { return };
        let body = self.change(&rest, body, 1);
        self.send(start, rest.trim_end(), &body, to);
    }

    fn send(&self, start: &str, fields: &str, body: &str, to: SocketAddr) {
        let kept: String = lines(fields)
            .filter(|(name, _)| !matches!(&name[..], "content-length" | "l"))
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let whole = format!("{start}\r\n{kept}content-length: {}\r\n\r\n{body}", body.len());
        let _ = self.socket.send_to(whole.as_bytes(), to);
    }

    /// The description of this end (caller 0, callee 1) with the relay's port in place of the phone's.
    fn change(&self, fields: &str, body: &str, end: usize) -> String {
        if !body.contains("m=audio") {
            return body.to_owned();
        }
        let mut state = lock(&self.state);
        let Some(call) = state.calls.get_mut(user(field(fields, "from"))) else {
            return body.to_owned();
        };
        if call.relay.is_none() {
            call.relay = Relay::start(call.network).ok();
        }
        let Some(relay) = &call.relay else { return body.to_owned() };
        describe(body, call.codec, |port| relay.port_for(end, port))
    }
}

/// Leaves one codec and telephone events, and takes out what would lead past the relay.
fn describe(body: &str, codec: Codec, place: impl Fn(u16) -> u16) -> String {
    let name = codec.name().to_lowercase() + "/";
    let mut kept: Vec<&str> = body
        .lines()
        .filter_map(|line| line.strip_prefix("a=rtpmap:")?.trim().split_once(' '))
        .filter(|(_, it)| {
            let it = it.to_lowercase();
            it.starts_with(&name) || it.starts_with("telephone-event/8000")
        })
        .map(|(number, _)| number)
        .collect();
    if matches!(codec, Codec::Pcmu) && !kept.contains(&"0") {
        kept.insert(0, "0");
    }
    let gone =
        ["a=candidate", "a=ice-", "a=rtcp:", "a=rtcp-mux", "a=crypto", "a=remote-candidates"];
    let about_another = |line: &str| {
        let rest = line.strip_prefix("a=rtpmap:").or_else(|| line.strip_prefix("a=fmtp:"));
        rest.and_then(|rest| rest.split(' ').next()).is_some_and(|number| !kept.contains(&number))
    };
    body.lines()
        .filter(|line| !gone.iter().any(|prefix| line.starts_with(prefix)) && !about_another(line))
        .map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
            ["m=audio", port, profile, ref offered @ ..] => {
                let port = port.parse().ok().filter(|port| *port != 0).map_or(0, &place);
                let left: Vec<&str> =
                    offered.iter().copied().filter(|it| kept.contains(it)).collect();
                format!("m=audio {port} {profile} {}\r\n", left.join(" "))
            }
            ["c=IN", ..] => "c=IN IP4 127.0.0.1\r\n".to_owned(),
            _ => format!("{line}\r\n"),
        })
        .collect()
}

/// Fields by lower-case name; these phones send no folded lines.
fn lines(fields: &str) -> impl Iterator<Item = (String, &str)> {
    fields.split("\r\n").filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        let name = name.trim().to_lowercase();
        let long = match &name[..] {
            "v" => "via",
            "f" => "from",
            "t" => "to",
            "i" => "call-id",
            "m" => "contact",
            "c" => "content-type",
            _ => return Some((name, value.trim())),
        };
        Some((long.to_owned(), value.trim()))
    })
}

fn field<'a>(fields: &'a str, wanted: &str) -> &'a str {
    lines(fields).find(|(name, _)| name == wanted).map_or("", |(_, value)| value)
}

fn branch(via: &str) -> &str {
    let rest = via.split("branch=").nth(1).unwrap_or_default();
    rest.split([';', ',']).next().unwrap_or_default()
}

fn user(address: &str) -> &str {
    let rest = address.find("sip:").map_or("", |at| &address[at + 4..]);
    rest.split(['@', '>', ';']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Codec, describe};

    #[test]
    fn a_description_is_left_with_one_codec_and_the_relay() {
        let offer = "v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP 96 0 8 101\r\n\
                     a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\n\
                     a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
                     a=candidate:1 1 UDP 1 192.0.2.9 4000 typ host\r\na=rtcp:4001\r\n";
        let opus = describe(offer, Codec::Opus, |port| port + 1);
        assert_eq!(
            opus,
            "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4001 RTP/AVP 96 101\r\n\
             a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\n\
             a=rtpmap:101 telephone-event/8000\r\n"
        );
        let g711 = describe(offer, Codec::Pcmu, |port| port);
        assert!(g711.contains("m=audio 4000 RTP/AVP 0 101\r\n"), "{g711}");
        assert!(!g711.contains("opus"), "{g711}");
    }
}
