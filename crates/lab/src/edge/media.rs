//! The sound of calls through an edge: SRTP by SDES outside, RTP inside, whatever the device's
//! security is (reference page edge section 4). Session descriptions that pass are rewritten, one
//! [`Passage`] a dialog with a phone outside, and its packets relayed to where they come from.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::net::UdpSocket;

use crate::srtp::{Context, Key};

/// Dialogs relayed at a time; more are not.
const MAX_PASSAGES: usize = 64;
/// How long a relay waits before it looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(500);
/// Where packets go, and by which keys.
#[derive(Default)]
struct Ends {
    outside: Option<SocketAddr>,
    inside: Option<SocketAddr>,
    open: Option<Context>,
    seal: Option<Context>,
    relayed: [u64; 2],
}

/// A dialog with a phone outside.
struct Passage {
    ends: Arc<Mutex<Ends>>,
    /// Our ports: for the phone outside, and for who is inside.
    ports: [u16; 2],
    key: Key,
    /// The phone's key, whose number and suite both use.
    agreed: Option<Key>,
    /// The suite, by the bytes of its proof, that packets to the phone are sealed with now.
    sealing: Option<usize>,
}

/// All of them, by the Call-ID of the dialog outside.
pub(crate) struct Passages {
    ip: IpAddr,
    all: HashMap<String, Passage>,
}

impl Passages {
    pub(crate) fn new(ip: IpAddr) -> Self {
        Self { ip, all: HashMap::new() }
    }

    /// A description of the phone outside, as those inside are to see it. Nothing when it has no
    /// keys that can be used, or no relay can be made.
    pub(crate) fn inwards(&mut self, call_id: &str, sdp: &str) -> Option<String> {
        let theirs = crypto(sdp)?;
        let at = address(sdp);
        let ip = self.ip;
        let passage = self.passage(call_id)?;
        let mut ends = passage.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.outside = at;
        if passage.agreed.as_ref() != Some(&theirs) {
            ends.open = Some(Context::new(&theirs));
        }
        if passage.sealing != Some(theirs.proof()) {
            ends.seal = Some(Context::new(&passage.key.answering(&theirs)));
            passage.sealing = Some(theirs.proof());
        }
        drop(ends);
        passage.agreed = Some(theirs);
        Some(rewritten(sdp, (ip, passage.ports[1]), "RTP/AVP", None))
    }

    /// A description of somebody inside, as the phone outside is to see it.
    pub(crate) fn outwards(&mut self, call_id: &str, sdp: &str) -> Option<String> {
        let at = address(sdp);
        let ip = self.ip;
        let passage = self.passage(call_id)?;
        passage.ends.lock().unwrap_or_else(PoisonError::into_inner).inside = at;
        let key = match &passage.agreed {
            Some(theirs) => passage.key.answering(theirs),
            None => passage.key.clone(),
        };
        Some(rewritten(sdp, (ip, passage.ports[0]), "RTP/SAVP", Some(&key)))
    }

    /// The dialog is over: how many packets came in and how many went out.
    pub(crate) fn close(&mut self, call_id: &str) -> Option<[u64; 2]> {
        let passage = self.all.remove(call_id)?;
        Some(passage.ends.lock().unwrap_or_else(PoisonError::into_inner).relayed)
    }

    fn passage(&mut self, call_id: &str) -> Option<&mut Passage> {
        if !self.all.contains_key(call_id) {
            if self.all.len() >= MAX_PASSAGES {
                return None;
            }
            let passage = open(self.ip)
                .inspect_err(|error| tracing::warn!(%error, "no relay for a call"))
                .ok()?;
            self.all.insert(call_id.to_owned(), passage);
        }
        self.all.get_mut(call_id)
    }
}

fn open(ip: IpAddr) -> std::io::Result<Passage> {
    let [outer, inner] = [even_socket(ip)?, even_socket(ip)?];
    let ports = [outer.local_addr()?.port(), inner.local_addr()?.port()];
    let ends = Arc::new(Mutex::new(Ends::default()));
    tokio::spawn(relay(
        UdpSocket::from_std(outer)?,
        UdpSocket::from_std(inner)?,
        Arc::downgrade(&ends),
    ));
    Ok(Passage { ends, ports, key: Key::new(), agreed: None, sealing: None })
}

/// A socket on an even port, as RTP has it.
fn even_socket(ip: IpAddr) -> std::io::Result<std::net::UdpSocket> {
    let mut socket = std::net::UdpSocket::bind((ip, 0))?;
    for _ in 0..20 {
        if socket.local_addr()?.port() % 2 == 0 {
            break;
        }
        socket = std::net::UdpSocket::bind((ip, 0))?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Passes packets on until the dialog is over.
async fn relay(outer: UdpSocket, inner: UdpSocket, ends: Weak<Mutex<Ends>>) {
    let (mut from_outside, mut from_inside) = ([0; 2048], [0; 2048]);
    loop {
        tokio::select! {
            came = outer.recv_from(&mut from_outside) => {
                let Some(ends) = ends.upgrade() else { return };
                let Ok((length, from)) = came else { continue };
                let packet = from_outside.get(..length).unwrap_or_default();
                let Some((packet, to)) = inwards(&ends, packet, from) else { continue };
                let _ = inner.send_to(&packet, to).await;
            }
            came = inner.recv_from(&mut from_inside) => {
                let Some(ends) = ends.upgrade() else { return };
                let Ok((length, _)) = came else { continue };
                let packet = from_inside.get(..length).unwrap_or_default();
                let Some((packet, to)) = outwards(&ends, packet) else { continue };
                let _ = outer.send_to(&packet, to).await;
            }
            () = tokio::time::sleep(LOOK) => if ends.strong_count() == 0 { return },
        }
    }
}

fn inwards(ends: &Mutex<Ends>, packet: &[u8], from: SocketAddr) -> Option<(Vec<u8>, SocketAddr)> {
    let mut ends = ends.lock().unwrap_or_else(PoisonError::into_inner);
    let packet = ends.open.as_mut()?.open(packet)?;
    // The address that a phone names may be a private one: what counts is where it is heard from.
    ends.outside = Some(from);
    ends.relayed[0] += 1;
    Some((packet, ends.inside?))
}

fn outwards(ends: &Mutex<Ends>, packet: &[u8]) -> Option<(Vec<u8>, SocketAddr)> {
    let mut ends = ends.lock().unwrap_or_else(PoisonError::into_inner);
    let packet = ends.seal.as_mut()?.seal(packet)?;
    ends.relayed[1] += 1;
    Some((packet, ends.outside?))
}

/// Where a description wants its sound; nothing when it wants none.
fn address(sdp: &str) -> Option<SocketAddr> {
    let (mut ip, mut port, mut ours) = (None, 0, true);
    for line in sdp.lines() {
        if let Some(media) = line.strip_prefix("m=") {
            ours = media.starts_with("audio ");
            if ours {
                port = media.split(' ').nth(1)?.parse().ok()?;
            }
        } else if let Some(at) = line.strip_prefix("c=").filter(|_| ours) {
            ip = at.rsplit(' ').next()?.parse::<IpAddr>().ok();
        }
    }
    ip.filter(|ip| !ip.is_unspecified() && port > 0).map(|ip| SocketAddr::new(ip, port))
}

/// The first key of a suite that we have.
fn crypto(sdp: &str) -> Option<Key> {
    if !sdp.lines().any(|line| line.starts_with("m=audio ") && line.contains(" RTP/SAVP")) {
        return None;
    }
    sdp.lines().filter_map(|line| line.strip_prefix("a=crypto:")).find_map(Key::read)
}

/// The description with our address and profile in its audio, and these keys or none.
fn rewritten(sdp: &str, (ip, port): (IpAddr, u16), profile: &str, key: Option<&Key>) -> String {
    let mut out = String::new();
    let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
    for line in sdp.lines().filter(|line| !line.starts_with("a=crypto:")) {
        if let Some(media) = line.strip_prefix("m=audio ") {
            let words: Vec<&str> = media.split(' ').collect();
            let refused = words.first() == Some(&"0");
            let port = if refused { 0 } else { port };
            let formats = words.get(2..).unwrap_or_default().join(" ");
            let _ = write!(out, "m=audio {port} {profile} {formats}\r\n");
            if let Some(key) = key {
                out.push_str(&key.line());
            }
        } else if line.starts_with("c=") && !line.ends_with(" 0.0.0.0") {
            let _ = write!(out, "c=IN {family} {ip}\r\n");
        } else {
            let _ = write!(out, "{line}\r\n");
        }
    }
    out
}

/// See [`crate::fuzzing`].
pub(crate) fn fuzz(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let at = (IpAddr::from([127, 0, 0, 1]), 4000);
    let inner = rewritten(&text, at, "RTP/AVP", None);
    assert!(crypto(&inner).is_none());
    let _ = (crypto(&text), address(&text));
    assert_eq!(Context::new(&Key::new()).open(data), None);
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSIDE: &str = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n\
        m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";

    fn outside(port: u16, key: &Key) -> String {
        let line = key.line().replace("\r\n", "|2^20\r\n");
        let unknown = "a=crypto:2 AEAD_AES_256_GCM inline:AAAA\r\n";
        INSIDE
            .replace("4000 RTP/AVP", &format!("{port} RTP/SAVP"))
            .replace("10.0.0.1", "127.0.0.1")
            .replace("a=sendrecv", &format!("{unknown}{line}a=sendrecv"))
    }

    #[tokio::test]
    async fn sound_is_clear_inside_and_sealed_outside() {
        let mut passages = Passages::new([127, 0, 0, 1].into());
        let (phone, robot) = (
            UdpSocket::bind("127.0.0.1:0").await.unwrap(),
            UdpSocket::bind("127.0.0.1:0").await.unwrap(),
        );
        let theirs = Key::of(3, 4, [5; 30]);
        let offer = outside(phone.local_addr().unwrap().port(), &theirs);
        let inner = passages.inwards("a", &offer).unwrap();
        assert!(inner.contains(" RTP/AVP 0 101\r\n") && !inner.contains("crypto"), "{inner}");
        let answer = INSIDE
            .replace("4000", &robot.local_addr().unwrap().port().to_string())
            .replace("10.0.0.1", "127.0.0.1");
        let outer = passages.outwards("a", &answer).unwrap();
        assert!(outer.contains("a=crypto:3 AES_CM_128_HMAC_SHA1_32 inline:"), "{outer}");
        let ours = crypto(&outer).unwrap();
        let packet = [&[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9][..], &[0x55; 160]].concat();
        let sealed = Context::new(&theirs).seal(&packet).unwrap();
        phone.send_to(&sealed, address(&outer).unwrap()).await.unwrap();
        let mut buffer = [0; 2048];
        let (length, from) = robot.recv_from(&mut buffer).await.unwrap();
        assert_eq!((&buffer[..length], from), (&packet[..], address(&inner).unwrap()));
        robot.send_to(&packet, from).await.unwrap();
        let (length, _) = phone.recv_from(&mut buffer).await.unwrap();
        assert_eq!(Context::new(&ours).open(&buffer[..length]), Some(packet));
        assert_eq!(passages.close("a"), Some([1, 1]));
    }

    #[test]
    fn who_does_not_encrypt_does_not_pass() {
        let mut passages = Passages::new([127, 0, 0, 1].into());
        for sdp in ["", INSIDE, "m=audio 1 RTP/SAVP 0\r\na=crypto:1 X inline:AAAA\r\n"] {
            assert_eq!(passages.inwards("a", sdp), None);
        }
    }
}
