//! A phone's certificate from a server that speaks CAPF over TLS, byte by byte, and what it is good
//! for afterwards.

use std::future::ready;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use offhook_model::{Endpoint, EnrolFault, Fault, Link, Service};
use offhook_net::Wanted;
use offhook_ports::{ClientIdentity, EnrolPlan, Enrolled};

use crate::doubles::authority::{Authority, Days};
use crate::doubles::web::{self, Stream};
use crate::doubles::{PATIENCE, knowing, uds};

fn say(stream: &mut dyn Stream, command: u8, body: &[u8]) {
    let mut record = vec![0x55, command, 0, 0, 0, 7];
    record.extend(u16::try_from(body.len()).expect("short").to_be_bytes());
    record.extend(body);
    let _ = stream.write_all(&record).and_then(|()| stream.flush());
}

/// The body of the phone's next record.
fn hear(stream: &mut dyn Stream) -> Vec<u8> {
    let mut head = [0; 8];
    if stream.read_exact(&mut head).is_err() {
        return vec![];
    }
    let mut body = vec![0; usize::from(u16::from_be_bytes([head[6], head[7]]))];
    let _ = stream.read_exact(&mut body);
    body
}

/// What the server saw: the key, and what the phone answered to its certificate.
struct Served {
    key: Vec<u8>,
    receipt: Vec<u8>,
}

/// Gives out a certificate against the string 12345; `other` signs a key that is not the phone's.
fn serve(stream: &mut dyn Stream, authority: &Authority, other: Option<&[u8]>) -> Option<Served> {
    say(stream, 1, &[7, 0, 1, 3]);
    if !hear(stream).ends_with(b"CSFALICE\0\x0b\0\x0612345\0") {
        say(stream, 15, &[1, 0, 1, 7]);
        return None;
    }
    say(stream, 3, &[10, 0, 2, 8, 0]);
    let key = hear(stream).get(3..)?.to_vec();
    let der = authority.issue_for("CSFALICE", other.unwrap_or(&key));
    let length = |more: usize| u16::try_from(der.len() + more).expect("short").to_be_bytes();
    let mut body = vec![3, 0, 1, 1, 4];
    body.extend(length(5));
    body.push(1);
    body.extend(length(2));
    body.extend([0, 1]);
    body.extend(&der);
    say(stream, 9, &body);
    let receipt = hear(stream);
    say(stream, 15, &[1, 0, 1, 1]);
    Some(Served { key, receipt })
}

async fn enrol(authority: &Arc<Authority>, string: &str, other: bool) -> Result<Enrolled, Fault> {
    let identity = authority.issue(&["127.0.0.1"], Days::Now);
    let (issuing, earlier) = (Arc::clone(authority), Mutex::new(None));
    let at = web::server(Some(identity.config()), move |stream| {
        let mut earlier = earlier.lock().expect("earlier");
        let served = serve(stream, &issuing, earlier.as_deref());
        *earlier = served.map(|served| served.key).filter(|_| other);
    });
    let net = knowing(&[], &[authority.file.0.as_path()]);
    if other {
        net.enrol(plan(at, string), |_| ready(true)).await?;
    }
    net.enrol(plan(at, string), |_| ready(true)).await
}

fn plan(at: SocketAddr, string: &str) -> EnrolPlan {
    EnrolPlan {
        at: Endpoint {
            service: Service::Capf,
            host: "127.0.0.1".into(),
            port: at.port(),
            link: Link::Tls,
        },
        device: "CSFALICE".into(),
        string: Some(string.into()),
        present: None,
    }
}

/// What the server hears of a certificate that was kept or could not be, and what comes of it.
async fn receipt(kept: bool) -> (Vec<u8>, bool, Result<Enrolled, Fault>) {
    let authority = Arc::new(Authority::new("phones"));
    let identity = authority.issue(&["127.0.0.1"], Days::Now);
    let (heard, hears) = mpsc::sync_channel(1);
    let (issuing, in_store) = (Arc::clone(&authority), Arc::new(AtomicBool::new(false)));
    let told_first = Arc::clone(&in_store);
    let at = web::server(Some(identity.config()), move |stream| {
        let served = serve(stream, &issuing, None).expect("a conversation");
        let _ = heard.send((served.receipt, told_first.load(Ordering::SeqCst)));
    });
    let net = knowing(&[], &[authority.file.0.as_path()]);
    let keep = |_: &ClientIdentity| async {
        // The store takes its time.
        tokio::task::yield_now().await;
        in_store.store(kept, Ordering::SeqCst);
        kept
    };
    let enrolled = net.enrol(plan(at, "12345"), keep).await;
    let (receipt, in_store) = hears.recv_timeout(PATIENCE).expect("the server's end");
    (receipt, in_store, enrolled)
}

/// Shakes hands with a call manager that wants a certificate, and is heard by it.
async fn is_taken(authority: &Arc<Authority>, ours: Option<&ClientIdentity>) -> bool {
    let server = authority.issue(&["127.0.0.1"], Days::Now).asking(authority);
    let at = web::server(Some(server), |stream| {
        let _ = stream.write_all(b"taken").and_then(|()| stream.flush());
    });
    let net = knowing(&[], &[authority.file.0.as_path()]);
    let endpoint = uds("127.0.0.1", at.port());
    let wanted = Wanted { identity: ours, ..Wanted::host(&endpoint) };
    let stream = net.connect_tcp("127.0.0.1", at.port(), PATIENCE).await.expect("connected");
    let Ok((mut stream, _)) = net.tls(stream, &wanted, PATIENCE).await else { return false };
    let mut heard = [0; 5];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut heard).await.is_ok() && &heard == b"taken"
}

#[tokio::test]
async fn a_certificate_is_issued_and_opens_a_door_that_wants_one() {
    let authority = Arc::new(Authority::new("phones"));
    let enrolled = enrol(&authority, "12345", false).await;
    let Ok(Enrolled::Issued(identity)) = enrolled else { panic!("{enrolled:?}") };
    assert!(identity.is_valid(1_800_000_000) && !identity.is_valid(0));
    assert!(is_taken(&authority, Some(&identity)).await);
    assert!(!is_taken(&authority, None).await);
}

#[tokio::test]
async fn a_receipt_is_confirmed_after_the_store_has_answered_and_not_without() {
    let (receipt, in_store, enrolled) = receipt(true).await;
    assert_eq!((receipt, in_store), (vec![1, 0, 1, 1], true));
    assert!(matches!(enrolled, Ok(Enrolled::Issued(_))), "{enrolled:?}");
    let (receipt, _, enrolled) = self::receipt(false).await;
    assert_eq!(receipt, Vec::<u8>::new(), "the server takes the certificate for lost");
    assert_eq!(enrolled.err(), Some(Fault::Enrolment(EnrolFault::NotKept)));
}

#[tokio::test]
async fn a_wrong_string_and_somebody_elses_certificate_are_refused() {
    let authority = Arc::new(Authority::new("phones"));
    let wrong = enrol(&authority, "1", false).await;
    assert_eq!(wrong.err(), Some(Fault::Enrolment(EnrolFault::WrongString)));
    let other = enrol(&authority, "12345", true).await;
    assert_eq!(other.err(), Some(Fault::Enrolment(EnrolFault::OtherKey)));
}
