//! The adapter against servers that lie: every answer is written by hand.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use offhook_ldap::Directories;
use offhook_model::{Fault, TrustQuestion};
use offhook_ports::{
    AskTrust, BoxFuture, Ldap, LdapAnswer, LdapEnd, LdapFailure, LdapRequest, LdapSecurity,
};
use support::slapd::{Like, Slapd};
use support::{Authority, READER, plain_net, question, server, simple};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// An element with these contents.
fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u32::try_from(contents.len()).expect("short").to_be_bytes();
    [&[tag, 0x84][..], &length, contents].concat()
}

fn message(id: u8, operation: &[u8]) -> Vec<u8> {
    element(0x30, &[&[2, 1, id][..], operation].concat())
}

/// An operation that ends with this code.
fn ended(tag: u8, code: u8) -> Vec<u8> {
    element(tag, &[0x0a, 1, code, 4, 0, 4, 0])
}

fn bound() -> Vec<u8> {
    message(1, &ended(0x61, 0))
}

fn entry(id: u8, number: usize) -> Vec<u8> {
    let dn = element(4, format!("cn={number}").as_bytes());
    let values = element(0x31, &element(4, b"x"));
    let attribute = element(0x30, &[element(4, b"cn"), values].concat());
    message(id, &element(0x64, &[dn, element(0x30, &attribute)].concat()))
}

fn reference(id: u8, number: usize) -> Vec<u8> {
    let url = element(4, format!("ldap://other{number}/").as_bytes());
    message(id, &element(0x73, &url))
}

/// Reads one message of the client's, which all are short.
async fn hear(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 2];
    if stream.read_exact(&mut head).await.is_err() {
        return vec![];
    }
    let mut length = usize::from(head[1]);
    let mut said = head.to_vec();
    if length > 0x80 {
        let mut more = vec![0; length & 0x7f];
        stream.read_exact(&mut more).await.expect("a length");
        length = more.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit));
        said.extend(more);
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await.expect("a message");
    said.extend(rest);
    said
}

/// Answers each message with the next of these, then closes after it has heard all.
async fn play(listener: TcpListener, answers: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let (mut stream, _) = listener.accept().await.expect("a client");
    let mut heard = vec![];
    for answer in answers {
        heard.push(hear(&mut stream).await);
        // The client may have had enough before the end.
        let _ = stream.write_all(&answer).await;
    }
    let _ = stream.shutdown().await;
    loop {
        let more = hear(&mut stream).await;
        if more.is_empty() {
            return heard;
        }
        heard.push(more);
    }
}

/// A search with limit 5 against these answers, and what the server heard.
async fn search(
    answers: Vec<Vec<u8>>,
    change: impl FnOnce(&mut LdapRequest),
) -> (Result<LdapAnswer, LdapFailure>, Vec<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let mut asked = LdapRequest { limit: 5, ..question(port, "(cn=*)") };
    change(&mut asked);
    let client = async {
        // Dropped with its connections, so that the server hears the end.
        let directories = Directories::new(plain_net());
        directories.search(asked).await
    };
    tokio::join!(client, play(listener, answers))
}

async fn failure(answers: Vec<Vec<u8>>) -> LdapFailure {
    search(answers, |_| {}).await.0.expect_err("a failure")
}

#[track_caller]
fn is_nonsense(failure: &LdapFailure) {
    assert!(matches!(failure, LdapFailure::Fault(Fault::Nonsense(_))), "{failure:?}");
}

#[tokio::test]
async fn lengths_that_nobody_has_room_for_are_refused_at_once() {
    for length in [
        &[0x84, 0x7f, 0xff, 0xff, 0xff][..],
        &[0x88, 255, 255, 255, 255, 255, 255, 255, 255],
        &[0x84, 2, 0, 0, 1],
    ] {
        let head = [&[0x30][..], length].concat();
        let large = LdapFailure::Fault(Fault::TooLarge(32 * 1024 * 1024));
        assert_eq!(failure(vec![head.clone()]).await, large);
        assert_eq!(failure(vec![bound(), head]).await, large);
    }
}

#[tokio::test]
async fn what_is_cut_is_a_closed_connection() {
    let closed = LdapFailure::Fault(Fault::Closed);
    let whole = entry(2, 1);
    for end in [0, 1, 5, 6, 20, whole.len() - 1] {
        assert_eq!(failure(vec![bound(), whole[..end].to_vec()]).await, closed, "{end}");
    }
    // Room is made for what comes, not for what is claimed.
    assert_eq!(failure(vec![bound(), vec![0x30, 0x84, 1, 0, 0, 0, 2]]).await, closed);
}

#[tokio::test]
async fn nests_and_other_shapes_are_nonsense() {
    let nest = (0..20_000).fold(vec![], |inner: Vec<u8>, depth| match depth % 1_000 {
        0 => element(0x30, &inner),
        // Heads alone: each says that all the rest is inside.
        _ => [&[0x30, 0x84, 0, 1, 0, 0][..], &inner].concat(),
    });
    let nest = element(0x30, &nest);
    for odd in [
        nest.clone(),
        message(2, &element(0x64, &nest)),
        message(2, &element(0x64, &[element(4, b"cn=x"), nest].concat())),
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        vec![0x30, 0x80, 0, 0],
        vec![0x30, 0],
        vec![0x30, 3, 2, 1, 2],
        message(2, &element(0x63, b"")),
        message(2, &ended(0x61, 0)),
    ] {
        is_nonsense(&failure(vec![bound(), odd]).await);
    }
    is_nonsense(&failure(vec![message(1, &ended(0x65, 0))]).await);
}

#[tokio::test]
async fn answers_to_questions_that_nobody_asked_are_nonsense() {
    for id in [1, 3, 77] {
        is_nonsense(&failure(vec![bound(), entry(id, 1)]).await);
    }
    is_nonsense(&failure(vec![bound(), message(255, &ended(0x65, 0))]).await);
    let goodbye = failure(vec![bound(), message(0, &ended(0x78, 52))]).await;
    assert_eq!(goodbye, LdapFailure::Fault(Fault::Closed));
}

#[tokio::test]
async fn more_than_was_asked_for_is_cut_off_and_abandoned() {
    let flood: Vec<u8> = (0..1_000).flat_map(|number| entry(2, number)).collect();
    let (answer, heard) = search(vec![bound(), flood], |_| {}).await;
    let answer = answer.expect("an answer");
    assert_eq!((answer.entries.len(), answer.end), (5, LdapEnd::SizeLimit));
    assert_eq!(heard.len(), 3, "bind, search, abandon");
    assert_eq!(heard[2], [0x30, 6, 2, 1, 3, 0x50, 1, 2]);
    let flood: Vec<u8> = (0..1_000).flat_map(|number| reference(2, number)).collect();
    let flood = [flood, message(2, &ended(0x65, 0))].concat();
    let answer = search(vec![bound(), flood], |_| {}).await.0.expect("an answer");
    assert_eq!(answer.referrals.len(), 100);
}

#[tokio::test]
async fn what_comes_in_clear_after_the_word_to_encrypt_does_not_count() {
    let start_tls = |request: &mut LdapRequest| request.server.security = LdapSecurity::StartTls;
    let yes = message(1, &ended(0x78, 0));
    let both = [yes, message(2, &ended(0x61, 0))].concat();
    let (answer, _) = search(vec![both], start_tls).await;
    is_nonsense(&answer.expect_err("a failure"));
    let (answer, _) = search(vec![message(1, &ended(0x78, 52))], start_tls).await;
    assert_eq!(answer.err(), Some(LdapFailure::Fault(Fault::NoEncryption)));
}

#[tokio::test]
async fn a_password_goes_to_nobody_before_encryption() {
    let (answer, heard) = search(vec![message(1, &ended(0x78, 2))], |request| {
        request.server.security = LdapSecurity::StartTls;
        request.bind = simple(READER.0, READER.1);
    })
    .await;
    assert_eq!(answer.err(), Some(LdapFailure::Fault(Fault::NoEncryption)));
    let heard = heard.concat();
    assert!(!heard.windows(6).any(|bytes| bytes == READER.1.as_bytes()));
}

#[tokio::test]
async fn who_says_nothing_more_is_not_waited_for_longer_than_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let directories = Directories::new(plain_net());
    let asked = LdapRequest { timeout: Duration::from_secs(30), ..question(port, "(cn=*)") };
    let silent = async {
        let (mut stream, _) = listener.accept().await.expect("a client");
        hear(&mut stream).await;
        stream.write_all(&bound()).await.expect("sent");
        let asked = hear(&mut stream).await;
        // From here on nothing happens but time.
        tokio::time::pause();
        let abandoned = hear(&mut stream).await;
        tokio::time::resume();
        // Who did not answer is not asked again on the same connection.
        let end = hear(&mut stream).await;
        assert!(end.is_empty(), "{end:x?}");
        (asked, abandoned)
    };
    let (answer, (asked, abandoned)) = tokio::join!(directories.search(asked), silent);
    assert_eq!(answer.err(), Some(LdapFailure::Fault(Fault::AnswerTimeout)));
    let told = [2, 1, 30, 1, 1, 0];
    assert!(asked.windows(6).any(|bytes| bytes == told), "30 seconds in {asked:x?}");
    assert_eq!(abandoned, [0x30, 6, 2, 1, 3, 0x50, 1, 2]);
}

#[tokio::test]
async fn idle_connections_are_closed_after_five_minutes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let directories = Directories::new(plain_net());
    let done = message(2, &ended(0x65, 0));
    let server = play(listener, vec![bound(), done]);
    // A play closes for writing at its end, which a kept connection would notice only when used.
    let client = async {
        let answer = directories.search(question(port, "(cn=*)")).await;
        tokio::time::pause();
        answer
    };
    let both = async { tokio::join!(client, server) };
    let (answer, heard) = tokio::select! {
        both = both => both,
        () = directories.close_idle() => panic!("it never ends"),
    };
    assert!(answer.is_ok());
    assert_eq!(heard.last().map(Vec::as_slice), Some(&[0x30, 5, 2, 1, 3, 0x42, 0][..]));
}

/// Says yes or no, and counts the questions.
struct Word(bool, AtomicU32);

impl AskTrust for Word {
    fn ask(&self, _: TrustQuestion) -> BoxFuture<'static, bool> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::ready(self.0))
    }
}

#[tokio::test]
async fn a_person_decides_about_a_strange_certificate() {
    let Some(slapd) = Slapd::start(Like { people: 2, ..Like::default() }).await else { return };
    for (port, security) in [(slapd.port, LdapSecurity::StartTls), (slapd.tls, LdapSecurity::Tls)] {
        for yes in [true, false] {
            let word = Arc::new(Word(yes, AtomicU32::new(0)));
            let net = Authority::new().net();
            let asker: Arc<dyn AskTrust> = Arc::clone(&word) as _;
            net.ask_about_certificates(asker);
            let asked = LdapRequest { server: server(port, security), ..question(port, "(uid=*)") };
            let answer = Directories::new(net).search(asked).await;
            assert_eq!(answer.is_ok(), yes, "{security:?}");
            assert_eq!(word.1.load(Ordering::Relaxed), 1);
        }
    }
}
