//! SIP flows over each transport.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread;

use offhook_model::{Fault, Link, TlsFault};
use offhook_net::Net;
use offhook_net::sip::{SipFlowEvent, SipFlowHandle};
use offhook_ports::{FlowId, SipServer};
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinHandle;

use crate::doubles::authority::{Authority, Days, self_signed};
use crate::doubles::{PATIENCE, closed_port, knowing, web};

const FLOW: FlowId = FlowId(7);
const DSCP: u8 = 24;

struct Running {
    handle: Option<SipFlowHandle>,
    events: Receiver<SipFlowEvent>,
    task: JoinHandle<()>,
}

#[expect(clippy::disallowed_methods, reason = "the test drives the flow as the engine does")]
fn start(net: &Arc<Net>, at: SocketAddr, link: Link) -> Running {
    let (sender, events) = mpsc::channel(16);
    let server = SipServer { host: "pbx.example.com".to_owned(), port: at.port(), link };
    let (handle, run) = net.open(FLOW, server, None, DSCP, sender);
    Running { handle: Some(handle), events, task: tokio::spawn(run) }
}

impl Running {
    async fn next(&mut self) -> Option<SipFlowEvent> {
        tokio::time::timeout(PATIENCE, self.events.recv()).await.expect("an event in time")
    }

    async fn opened(&mut self) -> (SocketAddr, SocketAddr, Option<String>) {
        match self.next().await {
            Some(SipFlowEvent::Opened { flow: FLOW, local, remote, tls }) => (local, remote, tls),
            other => panic!("{other:?}"),
        }
    }

    async fn data(&mut self, length: usize) -> Vec<u8> {
        let mut all = vec![];
        while all.len() < length {
            match self.next().await {
                Some(SipFlowEvent::Data { flow: FLOW, bytes }) => all.extend(bytes),
                other => panic!("{other:?} after {} bytes", all.len()),
            }
        }
        all
    }

    async fn failed(&mut self) -> Fault {
        match self.next().await {
            Some(SipFlowEvent::Failed { flow: FLOW, fault }) => {
                assert_eq!(self.next().await, None, "nothing comes after the end");
                fault
            }
            other => panic!("{other:?}"),
        }
    }

    fn send(&self, message: &[u8]) -> bool {
        self.handle.as_ref().expect("open").send(message.to_vec())
    }

    /// Drops the handle and waits for the end.
    async fn close(mut self) {
        self.handle.take().expect("open").close();
        tokio::time::timeout(PATIENCE, self.task).await.expect("it ends").expect("no panic");
    }
}

fn echo(stream: &mut dyn web::Stream) {
    let mut buffer = [0; 4096];
    while let Ok(length) = stream.read(&mut buffer) {
        if length == 0 || stream.write_all(&buffer[..length]).and_then(|()| stream.flush()).is_err()
        {
            return;
        }
    }
}

#[tokio::test]
async fn datagrams_come_and_go_whole() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback");
    let at = socket.local_addr().expect("bound");
    thread::spawn(move || {
        let mut buffer = vec![0; 70_000];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&[], from);
            let _ = socket.send_to(&buffer[..length], from);
        }
    });
    let net = knowing(&["pbx.example.com"], &[]);
    let mut flow = start(&net, at, Link::Udp);
    assert!(flow.send(b"before it is open"));
    let (local, remote, tls) = flow.opened().await;
    assert!(local.ip().is_loopback() && local.port() != 0, "{local}");
    assert_eq!((remote, tls), (at, None));
    assert_eq!(flow.data(17).await, b"before it is open");
    let large = vec![b'x'; 60_000];
    assert!(flow.send(&large));
    assert_eq!(flow.next().await, Some(SipFlowEvent::Data { flow: FLOW, bytes: large }));
    flow.close().await;
}

#[tokio::test]
async fn streams_come_and_go_and_end_in_order() {
    let authority = Authority::new("sip authority");
    let identity = authority.issue(&["pbx.example.com"], Days::Now);
    let net = knowing(&["pbx.example.com"], &[&authority.file.0]);
    for (at, link) in [
        (web::server(None, echo), Link::Tcp),
        (web::server(Some(identity.config()), echo), Link::Tls),
    ] {
        let mut flow = start(&net, at, link);
        assert!(flow.send(b"REGISTER"));
        let (local, remote, tls) = flow.opened().await;
        assert_eq!((remote, tls.is_some()), (at, link == Link::Tls));
        assert!(local.ip().is_loopback());
        assert_eq!(flow.data(8).await, b"REGISTER");
        let large = vec![b'x'; 200_000];
        assert!(flow.send(&large));
        assert_eq!(flow.data(large.len()).await, large);
        flow.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signalling_is_marked_on_the_wire() {
    let Some(mut wire) = offhook_testkit::wire::Wire::open() else { return };
    let authority = Authority::new("sip authority");
    let identity = authority.issue(&["pbx.example.com"], Days::Now);
    let net = knowing(&["pbx.example.com"], &[&authority.file.0]);
    let datagrams = UdpSocket::bind("127.0.0.1:0").expect("a port");
    for (at, link) in [
        (datagrams.local_addr().expect("bound"), Link::Udp),
        (web::server(None, echo), Link::Tcp),
        (web::server(Some(identity.config()), echo), Link::Tls),
    ] {
        let mut flow = start(&net, at, link);
        let (local, ..) = flow.opened().await;
        // From the first packet of the connection on.
        let marks = wire.marks_from(local.port(), || _ = flow.send(b"REGISTER"));
        assert_eq!(marks.into_iter().collect::<Vec<_>>(), [DSCP], "{link:?}");
        flow.close().await;
    }
}

#[tokio::test]
async fn what_waits_is_written_before_the_end() {
    let (sender, received) = std::sync::mpsc::sync_channel(1);
    let at = web::server(None, move |stream| {
        let mut all = String::new();
        stream.read_to_string(&mut all).expect("an orderly end");
        sender.send(all).expect("the test waits");
    });
    let net = knowing(&["pbx.example.com"], &[]);
    let flow = start(&net, at, Link::Tcp);
    assert!(flow.send(b"BYE ") && flow.send(b"and goodbye"));
    flow.close().await;
    let all = received.recv_timeout(PATIENCE).expect("all of it");
    assert_eq!(all, "BYE and goodbye");
}

#[tokio::test]
async fn refusals_name_their_reason() {
    let net = knowing(&["pbx.example.com"], &[]);
    for link in [Link::Tcp, Link::Tls] {
        let mut flow = start(&net, closed_port(), link);
        assert_eq!(flow.failed().await, Fault::PortRefused);
        assert!(!flow.send(b"too late"));
    }
    // A closed UDP port is learnt only by sending there.
    let mut flow = start(&net, closed_port(), Link::Udp);
    flow.opened().await;
    assert!(flow.send(b"anybody?"));
    assert_eq!(flow.failed().await, Fault::PortRefused);

    let own = self_signed(&["pbx.example.com"], Days::Now, false);
    let mut flow = start(&net, web::server(Some(own.config()), echo), Link::Tls);
    assert_eq!(flow.failed().await, Fault::Tls(TlsFault::SelfSigned));
}

#[tokio::test]
async fn the_other_side_may_hang_up() {
    let net = knowing(&["pbx.example.com"], &[]);
    let at = web::server(None, |stream| {
        let _ = stream.write_all(b"bye");
    });
    let mut flow = start(&net, at, Link::Tcp);
    flow.opened().await;
    assert_eq!(flow.data(3).await, b"bye");
    assert_eq!(flow.failed().await, Fault::Closed);
}

#[tokio::test]
async fn a_full_queue_is_told_to_the_sender() {
    let net = knowing(&["pbx.example.com"], &[]);
    let (sender, _events) = mpsc::channel(1);
    let server = SipServer { host: "pbx.example.com".to_owned(), port: 9, link: Link::Tcp };
    let (handle, _not_running) = net.open(FLOW, server, None, 0, sender);
    let taken = (0..1000).filter(|_| handle.send(vec![0])).count();
    assert_eq!(taken, 64);
}

#[tokio::test]
async fn a_flow_given_up_while_it_opens_ends_quietly() {
    // Nobody answers the handshake.
    let at = web::server(None, |stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.read(&mut [0; 4096]);
    });
    let net = knowing(&["pbx.example.com"], &[]);
    let flow = start(&net, at, Link::Tls);
    flow.close().await;
}
