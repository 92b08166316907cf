//! Two nodes of IM and Presence: one goes down, the other goes on, and users are moved.

use std::net::SocketAddr;
use std::time::Duration;

use offhook_lab::{Lab, LabConfig, LabEvent, Scenario};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::Conversation;
use super::im::{bind, offered};

async fn two_nodes() -> Lab {
    let config = LabConfig::from_toml("[im]\nsecondNode = true\n").unwrap();
    Lab::start(Scenario::OnPrem, config).await.unwrap()
}

/// The same port of the second node.
fn second(at: SocketAddr) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 2], at.port()))
}

async fn signed_in(lab: &Lab, at: SocketAddr, user: &str) -> Conversation<TlsStream<TcpStream>> {
    let (mut stream, features) = offered(lab, at).await;
    let hosts = "imp1.lab.example</hostname><hostname xmlns='urn:xmpp:domain-based-name:0'>imp2.";
    assert!(features.contains(hosts), "{features}");
    bind(&mut stream, "PLAIN", &format!("\0{user}\0secret")).await;
    stream
}

async fn until(what: &str, found: impl AsyncFn() -> bool) {
    for _ in 0..200 {
        if found().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}");
}

async fn answers(at: SocketAddr) -> bool {
    TcpStream::connect(at).await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_goes_down_drops_everybody_and_refuses_until_it_is_back() {
    let lab = two_nodes().await;
    let services = lab.info().services;
    let mut alice = signed_in(&lab, services.xmpp, "alice").await;
    let mut carol = signed_in(&lab, second(services.xmpp), "carol").await;
    // At home on the first node, so the second one closes the stream.
    carol.until("</stream:stream>").await;
    lab.tell("move carol imp2").unwrap();
    let mut carol = signed_in(&lab, second(services.xmpp), "carol").await;
    carol.say("<presence/>").await;
    carol.until("from='bob@lab.example/robot'").await;
    alice.say("<presence to='carol@lab.example'/>").await;
    carol.until("from='alice@lab.example/raw'").await;
    lab.tell("kill imp1").unwrap();
    let gone = carol.until("type='unavailable'").await;
    assert!(!gone.contains("</stream:stream>"), "{gone}");
    for at in [services.xmpp, services.soap, services.xmpps] {
        until("it refuses", async || !answers(at).await).await;
    }
    assert!(answers(second(services.soap)).await);
    let mut alice = signed_in(&lab, second(services.xmpp), "alice").await;
    let mut events = lab.events();
    lab.tell("revive imp1").unwrap();
    for at in [services.xmpp, services.soap, services.xmpps] {
        until("it answers again", async || answers(at).await).await;
    }
    let event = events.recv().await.unwrap();
    assert!(matches!(event, LabEvent::Node { node: "imp1", up: true }), "{event:?}");
    lab.tell("fallback").unwrap();
    alice.until("</stream:stream>").await;
    signed_in(&lab, services.xmpp, "alice").await;
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_about_nodes_need_two_of_them() {
    let lab = super::lab(&[]).await;
    assert!(lab.tell("kill imp1").unwrap_err().to_string().contains("secondNode"));
    lab.stop().await;
    let lab = two_nodes().await;
    assert!(lab.tell("kill imp9").unwrap_err().to_string().contains("kill NODE"));
    lab.stop().await;
}
