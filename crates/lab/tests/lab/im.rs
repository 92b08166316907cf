//! XMPP by raw bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use offhook_lab::Lab;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::{Conversation, lab, tls};

const HEADER: &str = "<?xml version='1.0'?><stream:stream to='lab.example' version='1.0' \
    xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

async fn encrypted(lab: &Lab) -> Conversation<TlsStream<TcpStream>> {
    let (stream, features) = offered(lab, lab.info().services.xmpp).await;
    assert!(features.contains("<mechanism>CISCO-VTG-TOKEN</mechanism>"), "{features}");
    stream
}

/// A stream after STARTTLS, and what it offers then.
pub(crate) async fn offered(
    lab: &Lab,
    at: std::net::SocketAddr,
) -> (Conversation<TlsStream<TcpStream>>, String) {
    let tcp = TcpStream::connect(at).await.unwrap();
    let mut clear = Conversation::new(tcp);
    clear.say(HEADER).await;
    let features = clear.until("</stream:features>").await;
    assert!(features.contains("<starttls") && !features.contains("<mechanism>"), "{features}");
    clear.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await;
    clear.until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await;
    let mut stream = Conversation::new(tls(lab, clear.io, "lab.example").await.unwrap());
    stream.say(HEADER).await;
    let features = stream.until("</stream:features>").await;
    (stream, features)
}

/// Signs in with a mechanism of one message and asks for a resource; the answer to that.
pub(crate) async fn bind(
    stream: &mut Conversation<TlsStream<TcpStream>>,
    mechanism: &str,
    message: &str,
) -> String {
    let message = STANDARD.encode(message);
    stream
        .say(&format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='{mechanism}'>{message}</auth>"
        ))
        .await;
    stream.until("</success>").await;
    stream.say(HEADER).await;
    stream.until("</stream:features>").await;
    stream
        .say(
            "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
              <resource>raw</resource></bind></iq>",
        )
        .await;
    stream.until("</iq>").await
}

pub(crate) async fn signed_in(lab: &Lab, user: &str) -> Conversation<TlsStream<TcpStream>> {
    let mut stream = encrypted(lab).await;
    let bound = bind(&mut stream, "PLAIN", &format!("\0{user}\0secret")).await;
    assert!(bound.contains(&format!("<jid>{user}@lab.example/raw</jid>")), "{bound}");
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contact_list_presence_and_chat_with_the_robot() {
    let lab = lab(&[]).await;
    let mut alice = signed_in(&lab, "alice").await;
    alice.say("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>").await;
    let roster = alice.until("</iq>").await;
    assert!(roster.contains("jid='bob@lab.example'"), "{roster}");
    assert!(roster.contains("subscription='both'"), "{roster}");
    alice.say("<presence/>").await;
    let presence = alice.until("</presence>").await;
    assert!(presence.contains("from='bob@lab.example/robot'"), "{presence}");
    assert!(presence.contains("<status>"), "{presence}");
    alice
        .say(
            "<message to='bob@lab.example' type='chat' id='m1'><body>5 &lt; 6</body>\
             <request xmlns='urn:xmpp:receipts'/></message>",
        )
        .await;
    let text = alice.until("You said: 5 &lt; 6</body>").await;
    assert!(text.contains("<received xmlns='urn:xmpp:receipts' id='m1'/>"), "{text}");
    assert!(text.contains("<composing "), "{text}");
    lab.stop().await;
    let end = alice.until("</stream:stream>").await;
    assert!(end.contains("<system-shutdown "), "{end}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stream_management_counts_what_came() {
    let lab = lab(&[]).await;
    let mut alice = signed_in(&lab, "alice").await;
    alice.say("<enable xmlns='urn:xmpp:sm:3'/>").await;
    alice.until("<enabled xmlns='urn:xmpp:sm:3'/>").await;
    alice
        .say(
            "<iq type='get' id='p' to='lab.example'><ping xmlns='urn:xmpp:ping'/></iq><presence/>\
             <r xmlns='urn:xmpp:sm:3'/>",
        )
        .await;
    alice.until("<a xmlns='urn:xmpp:sm:3' h='2'/>").await;
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_may_be_corrected_and_a_broken_stream_may_not() {
    let lab = lab(&[]).await;
    let mut stream = encrypted(&lab).await;
    let wrong = STANDARD.encode("\0alice\0wrong");
    let auth = |text: &str| {
        format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{text}</auth>")
    };
    stream.say(&auth(&wrong)).await;
    let failure = stream.until("</failure>").await;
    assert!(failure.contains("<not-authorized/>"), "{failure}");
    stream.say(&auth(&STANDARD.encode("\0alice\0secret"))).await;
    stream.until("</success>").await;

    let mut stream = encrypted(&lab).await;
    stream.say("<a></b>").await;
    let end = stream.until("</stream:stream>").await;
    assert!(end.contains("<not-well-formed "), "{end}");
    let mut stream = encrypted(&lab).await;
    stream.say("<!DOCTYPE x>").await;
    let end = stream.until("</stream:stream>").await;
    assert!(end.contains("<restricted-xml "), "{end}");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_that_is_not_served_is_named_as_such() {
    let lab = lab(&[]).await;
    let tcp = TcpStream::connect(lab.info().services.xmpp).await.unwrap();
    let mut stream = Conversation::new(tcp);
    stream.say(&HEADER.replace("lab.example", "elsewhere.example")).await;
    let end = stream.until("</stream:stream>").await;
    assert!(end.contains("<host-unknown "), "{end}");
    lab.stop().await;
}
