//! The Certificate Authority Proxy Function of the call manager (reference page device-config,
//! section 5): gives phones of a secure profile their certificates, for an authentication string,
//! for the certificate that they have, or for nothing, as the configuration says.
//!
//! A conversation: who is it, make a key, here is the certificate, good-bye. What the phone says is
//! read byte by byte; anything odd ends the conversation with reason 7.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::config::CapfMode;
use crate::deployment::Deployment;
use crate::events::LabEvent;

/// How long a phone may be silent: it makes a key meanwhile.
const PATIENCE: Duration = Duration::from_secs(120);
/// The largest record that makes sense here.
const LARGEST: usize = 8192;
/// Bits of the keys that are asked for.
const BITS: u16 = 2048;

/// Commands, elements and reasons by their numbers on the wire.
mod number {
    pub(super) const WHO_IS_IT: u8 = 1;
    pub(super) const IT_IS_ME: u8 = 2;
    pub(super) const MAKE_A_KEY: u8 = 3;
    pub(super) const MY_KEY: u8 = 4;
    pub(super) const KEEP_THIS: u8 = 9;
    pub(super) const KEPT: u8 = 10;
    pub(super) const GOOD_BYE: u8 = 15;
    pub(super) const WAIT: u8 = 17;

    pub(super) const REASON: u8 = 1;
    pub(super) const KIND: u8 = 3;
    pub(super) const CERTIFICATE: u8 = 4;
    pub(super) const VERSION: u8 = 7;
    pub(super) const BY_WHAT: u8 = 8;
    pub(super) const PUBLIC_KEY: u8 = 9;
    pub(super) const KEY_BITS: u8 = 10;
    pub(super) const STRING: u8 = 11;
    pub(super) const DEVICE: u8 = 13;
    pub(super) const SIGNED: u8 = 20;

    pub(super) const NOTHING_PENDING: u8 = 0;
    pub(super) const WELL: u8 = 1;
    pub(super) const REFUSED: u8 = 7;
    pub(super) const UNKNOWN: u8 = 9;
}

/// What the phone said: command, and elements by tag.
struct Said {
    command: u8,
    elements: BTreeMap<u8, Vec<u8>>,
}

impl Said {
    /// An element that ends with a zero.
    fn text(&self, tag: u8) -> Option<String> {
        let value = self.elements.get(&tag)?;
        Some(String::from_utf8_lossy(value.strip_suffix(&[0])?).into_owned())
    }
}

/// Serves until dropped.
pub(crate) async fn run(lab: Arc<Deployment>, listener: TcpListener, tls: Arc<ServerConfig>) {
    let acceptor = TlsAcceptor::from(tls);
    let numbers = Arc::new(AtomicU32::new(0x0f00));
    crate::net::serve(listener, move |tcp, _| {
        let (lab, acceptor) = (Arc::clone(&lab), acceptor.clone());
        let session = numbers.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        async move {
            if let Ok(Ok(mut io)) = tokio::time::timeout(PATIENCE, acceptor.accept(tcp)).await {
                let talk = Conversation { lab: &lab, io: &mut io, session };
                let _ = tokio::time::timeout(PATIENCE, talk.run()).await;
                let _ = io.shutdown().await;
            }
        }
    })
    .await;
}

struct Conversation<'a, S> {
    lab: &'a Deployment,
    io: &'a mut S,
    session: [u8; 4],
}

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<'_, S> {
    /// Nothing when the phone is gone or made no sense.
    async fn run(mut self) -> Option<()> {
        let by = self.lab.capf_mode().number();
        self.say(number::WHO_IS_IT, &[(number::VERSION, &[3]), (number::BY_WHAT, &[by])]).await?;
        let who = self.hear().await?;
        let device = who.text(number::DEVICE).unwrap_or_default();
        let reason = self.judge(&who, &device);
        if reason != number::WELL {
            return self.refuse(&device, reason).await;
        }
        self.say(number::MAKE_A_KEY, &[(number::KEY_BITS, &BITS.to_be_bytes())]).await?;
        let mut answer = self.hear().await?;
        while answer.command == number::WAIT {
            answer = self.hear().await?;
        }
        let key = answer.elements.get(&number::PUBLIC_KEY);
        let key = key.filter(|_| answer.command == number::MY_KEY);
        let Some(der) = key.and_then(|key| self.lab.phones.issue(&device, key)) else {
            return self.refuse(&device, number::REFUSED).await;
        };
        let kind = (number::KIND, [1].as_slice());
        self.say(number::KEEP_THIS, &[kind, (number::CERTIFICATE, &wrap(&der)?)]).await?;
        if self.hear().await?.command != number::KEPT {
            return self.refuse(&device, number::REFUSED).await;
        }
        self.lab
            .events
            .tell(LabEvent::CertificateIssued { device, by: self.lab.capf_mode().name() });
        self.say(number::GOOD_BYE, &[(number::REASON, &[number::WELL])]).await
    }

    /// The reason for which the phone is sent away, or that all is well.
    fn judge(&self, who: &Said, device: &str) -> u8 {
        let known = self.lab.people.iter().any(|person| person.device == device);
        let shown = match self.lab.capf_mode() {
            CapfMode::Nothing => return number::NOTHING_PENDING,
            CapfMode::String => {
                who.text(number::STRING).as_ref() == Some(&self.lab.config.sip.auth_string)
            }
            CapfMode::Null => true,
            CapfMode::Certificate => self.signed_by_phone(who, device).is_some(),
        };
        match (who.command, known, shown) {
            (number::IT_IS_ME, false, _) => number::UNKNOWN,
            (number::IT_IS_ME, true, true) => number::WELL,
            (_, _, _) => number::REFUSED,
        }
    }

    /// The phone's present certificate is one of ours and its key signed the name and itself.
    fn signed_by_phone(&self, who: &Said, device: &str) -> Option<()> {
        // One octet, a length, and a type of two octets stand before the certificate.
        let der = who.elements.get(&number::CERTIFICATE)?.get(5..)?;
        // The kind of the digest and a length stand before the signature.
        let signature = who.elements.get(&number::SIGNED)?.get(3..)?;
        let mut what = device.as_bytes().to_vec();
        what.push(0);
        what.extend(der);
        let phones = &self.lab.phones;
        let ours = phones.holder(der).is_some_and(|holder| holder == device);
        (ours && phones.has_signed(der, &what, signature)).then_some(())
    }

    async fn refuse(&mut self, device: &str, reason: u8) -> Option<()> {
        let device = device.to_owned();
        self.lab.events.tell(LabEvent::CertificateRefused { device, reason });
        self.say(number::GOOD_BYE, &[(number::REASON, &[reason])]).await
    }

    async fn say(&mut self, command: u8, elements: &[(u8, &[u8])]) -> Option<()> {
        let mut body = Vec::new();
        for (tag, value) in elements {
            body.push(*tag);
            body.extend(u16::try_from(value.len()).ok()?.to_be_bytes());
            body.extend_from_slice(value);
        }
        let mut record = vec![0x55, command];
        record.extend(self.session);
        record.extend(u16::try_from(body.len()).ok()?.to_be_bytes());
        record.extend(body);
        self.io.write_all(&record).await.ok()?;
        self.io.flush().await.ok()
    }

    async fn hear(&mut self) -> Option<Said> {
        let mut head = [0; 8];
        self.io.read_exact(&mut head).await.ok()?;
        let [protocol, command, a, b, c, d, high, low] = head;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if protocol != 0x55 || [a, b, c, d] != self.session || length > LARGEST {
            return None;
        }
        let mut body = vec![0; length];
        self.io.read_exact(&mut body).await.ok()?;
        Some(Said { command, elements: elements(&body)? })
    }
}

fn elements(body: &[u8]) -> Option<BTreeMap<u8, Vec<u8>>> {
    let mut elements = BTreeMap::new();
    let mut rest = body;
    while let Some(([tag, high, low], after)) = rest.split_first_chunk::<3>() {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        elements.insert(*tag, after.get(..length)?.to_vec());
        rest = after.get(length..)?;
    }
    rest.is_empty().then_some(elements)
}

/// A certificate as it stands in its element.
fn wrap(der: &[u8]) -> Option<Vec<u8>> {
    let mut out = vec![1];
    out.extend(u16::try_from(der.len() + 2).ok()?.to_be_bytes());
    out.extend([0, 1]);
    out.extend(der);
    Some(out)
}

#[cfg(test)]
mod tests {
    use rcgen::{KeyPair, PublicKeyData as _};
    use tokio::io::DuplexStream;

    use super::*;
    use crate::config::LabConfig;
    use crate::deployment::tests::configured;
    use crate::scenario::Scenario;

    fn lab(mode: CapfMode) -> Deployment {
        let mut config = LabConfig::default();
        (config.sip.capf, config.sip.auth_string) = (mode, "12345".into());
        configured(Scenario::OnPrem, &[], config)
    }

    async fn read(io: &mut DuplexStream) -> (u8, Vec<u8>) {
        let mut head = [0; 8];
        io.read_exact(&mut head).await.unwrap();
        let mut body = vec![0; usize::from(u16::from_be_bytes([head[6], head[7]]))];
        io.read_exact(&mut body).await.unwrap();
        (head[1], body)
    }

    async fn write(io: &mut DuplexStream, command: u8, tag: u8, value: &[u8], more: &[u8]) {
        let mut body = vec![tag];
        body.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        body.extend(value);
        body.extend(more);
        let mut record = vec![0x55, command, 0, 0, 0, 7];
        record.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        record.extend(body);
        io.write_all(&record).await.unwrap();
    }

    /// What the server said last: the body.
    async fn talk(lab: &Deployment, device: &[u8], string: &[u8]) -> Vec<u8> {
        let (mut phone, mut server) = tokio::io::duplex(65_536);
        let talk = Conversation { lab, io: &mut server, session: [0, 0, 0, 7] };
        let ours = async {
            assert_eq!(read(&mut phone).await.0, 1);
            write(&mut phone, 2, 13, device, string).await;
            let (command, body) = read(&mut phone).await;
            if command == 15 {
                return body;
            }
            assert_eq!((command, body.as_slice()), (3, [10, 0, 2, 8, 0].as_slice()));
            write(&mut phone, 17, 1, &[1], &[]).await;
            let key = KeyPair::generate().unwrap();
            write(&mut phone, 4, 9, &key.subject_public_key_info(), &[]).await;
            let (command, body) = read(&mut phone).await;
            assert_eq!((command, &body[..5]), (9, [3, 0, 1, 1, 4].as_slice()));
            write(&mut phone, 10, 1, &[1], &[]).await;
            read(&mut phone).await.1
        };
        tokio::join!(ours, talk.run()).0
    }

    #[tokio::test]
    async fn a_certificate_is_given_for_the_right_string_only() {
        let lab = lab(CapfMode::String);
        let string =
            |text: &str| [&[11, 0, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        assert_eq!(talk(&lab, b"CSFALICE\0", &string("12345\0")).await, [1, 0, 1, 1]);
        assert_eq!(talk(&lab, b"CSFALICE\0", &string("1234\0")).await, [1, 0, 1, 7]);
        assert_eq!(talk(&lab, b"CSFALICE\0", &[]).await, [1, 0, 1, 7]);
        assert_eq!(talk(&lab, b"CSFMALLORY\0", &string("12345\0")).await, [1, 0, 1, 9]);
    }

    #[tokio::test]
    async fn who_needs_no_string_and_who_expects_nobody() {
        assert_eq!(talk(&lab(CapfMode::Null), b"CSFALICE\0", &[]).await, [1, 0, 1, 1]);
        assert_eq!(talk(&lab(CapfMode::Nothing), b"CSFALICE\0", &[]).await, [1, 0, 1, 0]);
        assert_eq!(talk(&lab(CapfMode::Certificate), b"CSFALICE\0", &[]).await, [1, 0, 1, 7]);
    }

    #[test]
    fn elements_reach_no_further_than_their_record() {
        assert_eq!(elements(&[7, 0, 1, 3]).unwrap().get(&7).unwrap(), &[3]);
        for bad in [&[7][..], &[7, 0, 2, 3], &[7, 0, 1, 3, 9]] {
            assert!(elements(bad).is_none(), "{bad:?}");
        }
    }
}
