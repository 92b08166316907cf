//! Connections and probes.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use offhook_model::{DnsFault, Endpoint, Fault, Link, Service, TlsFault};
use offhook_net::{HostEntry, Net, NetOptions};
use offhook_ports::{Clock, Dns, Http, Probe};
use socket2::{Domain, Socket, Type};
use tokio::net::TcpStream;

use crate::doubles::authority::{Authority, Days};
use crate::doubles::{PATIENCE, closed_port, knowing, net, web};

#[tokio::test]
async fn all_addresses_of_a_host_are_tried() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let at = listener.local_addr().expect("bound");
    let address = |text: &str| HostEntry::new("pbx", text.parse().expect("an address"));
    let net = net(NetOptions {
        hosts: vec![address("::1"), address("127.0.0.77"), address("127.0.0.1")],
        ..NetOptions::default()
    });
    let stream = net.connect_tcp("pbx", at.port(), PATIENCE).await.expect("connected");
    assert_eq!(stream.peer_addr().expect("a peer"), at);
    assert!(stream.nodelay().expect("an option"));
}

#[tokio::test]
async fn a_port_of_a_host_can_lead_elsewhere() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let at = listener.local_addr().expect("bound");
    let entry = |text: String| text.parse::<HostEntry>().expect("an entry");
    let net = net(NetOptions {
        hosts: vec![entry(format!("edge.example.com:8443=127.0.0.1:{}", at.port()))],
        ..NetOptions::default()
    });
    let stream = net.connect_tcp("Edge.example.com.", 8443, PATIENCE).await.expect("connected");
    assert_eq!(stream.peer_addr().expect("a peer"), at);
    let stream = net.connect_tcp("edge.example.com", at.port(), PATIENCE).await.expect("connected");
    assert_eq!(stream.peer_addr().expect("a peer"), at, "other ports stay what they are");
    let closed = closed_port().port();
    let refused = net.connect_tcp("edge.example.com", closed, PATIENCE).await.err();
    assert_eq!(refused, Some(Fault::PortRefused));
}

#[tokio::test]
async fn a_host_that_refuses_and_a_name_without_address_are_told_apart() {
    let net = knowing(&["pbx"], &[]);
    let connect = |host: &'static str| net.connect_tcp(host, closed_port().port(), PATIENCE);
    assert_eq!(connect("pbx").await.err(), Some(Fault::PortRefused));
    let silence = Fault::Dns(DnsFault::Silence);
    assert_eq!(connect("elsewhere.example.com").await.err(), Some(silence));
}

/// A listener that never accepts, with its queue full, leaves SYN packets unanswered. Nothing
/// when this system accepts connections all the same.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
async fn deaf(
    net: &Net,
    address: [u8; 4],
    port: u16,
) -> Option<(SocketAddr, Vec<TcpStream>, Socket)> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((address, port)).into()).expect("loopback");
    socket.listen(0).expect("listening");
    let at = socket.local_addr().expect("bound").as_socket().expect("IP");
    let mut held = vec![];
    for _ in 0..8 {
        let patience = Duration::from_millis(300);
        match net.connect_tcp(&at.ip().to_string(), at.port(), patience).await {
            Ok(stream) => held.push(stream),
            Err(fault) => {
                assert_eq!(fault, Fault::ConnectTimeout);
                return Some((at, held, socket));
            }
        }
    }
    println!("SKIPPED: this system accepts connections beyond the backlog");
    None
}

#[tokio::test]
async fn a_host_that_drops_connections_is_a_timeout() {
    let _held = deaf(&knowing(&[], &[]), [127, 0, 0, 1], 0).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_address_that_drops_connections_does_not_hold_up_the_next() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let good = listener.local_addr().expect("bound");
    let address = |text: &str| HostEntry::new("pbx", text.parse().expect("an address"));
    let net = net(NetOptions {
        hosts: vec![address("127.0.0.78"), address("127.0.0.1")],
        ..NetOptions::default()
    });
    let Some(_held) = deaf(&net, [127, 0, 0, 78], good.port()).await else {
        return;
    };
    let stream = net.connect_tcp("pbx", good.port(), PATIENCE).await.expect("connected");
    assert_eq!(stream.peer_addr().expect("a peer"), good);
}

fn at(port: u16, link: Link) -> Endpoint {
    Endpoint { service: Service::Sip, host: "pbx.example.com".to_owned(), port, link }
}

async fn check(net: &Net, at: Endpoint, names: &[&str], expected: Result<bool, Fault>) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let reached = net.reach(&at, &names).await;
    assert_eq!(reached.clone().map(|reached| reached.tls.is_some()), expected, "{at:?}");
    if let Ok(reached) = reached {
        assert_eq!(reached.peer.port(), at.port);
        assert!(reached.local.ip().is_loopback() && reached.local.port() != 0);
    }
}

#[tokio::test]
async fn probes_tell_what_is_there() {
    let authority = Authority::new("probe authority");
    let identity = authority.issue(&["pbx.example.com"], Days::Now);
    let clear = web::server(None, |_| {}).port();
    let secure = web::server(Some(identity.config()), |stream| {
        let _ = stream.read(&mut [0]);
    });
    let net = knowing(&["pbx.example.com"], &[&authority.file.0]);
    let closed = closed_port().port();
    check(&net, at(clear, Link::Tcp), &[], Ok(false)).await;
    check(&net, at(clear, Link::StartTls), &[], Ok(false)).await;
    check(&net, at(closed, Link::Udp), &[], Ok(false)).await;
    check(&net, at(closed, Link::Tcp), &[], Err(Fault::PortRefused)).await;
    check(&net, at(closed, Link::Tls), &[], Err(Fault::PortRefused)).await;
    check(&net, at(secure.port(), Link::Tls), &[], Ok(true)).await;
    check(&net, at(secure.port(), Link::Tls), &["x.org", "pbx.example.com"], Ok(true)).await;
    let wrong = TlsFault::WrongName {
        wanted: "x.org".to_owned(),
        present: vec!["pbx.example.com".to_owned()],
    };
    check(&net, at(secure.port(), Link::Tls), &["x.org"], Err(Fault::Tls(wrong))).await;
}

#[tokio::test(start_paused = true)]
async fn the_clock_can_be_waited_on() {
    let net = net(NetOptions::default());
    let before = net.now();
    net.sleep(Duration::from_secs(3600)).await;
    assert!(net.now() >= before);
}

#[test]
fn one_net_serves_every_port_and_may_move_between_threads() {
    fn takes(
        _: std::sync::Arc<dyn Dns>,
        _: std::sync::Arc<dyn Http>,
        _: std::sync::Arc<dyn Probe>,
    ) {
    }
    let net = net(NetOptions::default());
    takes(net.clone(), net.clone(), net);
}
