//! Nothing happens while nothing happens.

use std::fs;
use std::net::UdpSocket;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use futures_util::future::join_all;
use offhook_model::Link;
use offhook_net::Watch;
use offhook_net::sip::SipFlowEvent;
use offhook_ports::{FlowId, SipServer};
use tokio::sync::mpsc;

use crate::doubles::authority::{Authority, Days};
use crate::doubles::{PATIENCE, knowing, web};

/// How often the thread has gone to sleep and woken up again.
fn wakings(thread: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{thread}/status")).expect("a thread");
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.expect("a count").trim().parse().expect("a number")
}

#[test]
fn open_flows_and_a_quiet_network_wake_nobody() {
    let authority = Authority::new("sip authority");
    let identity = authority.issue(&["pbx.example.com"], Days::Now);
    let wait = |stream: &mut dyn web::Stream| {
        let _ = stream.read(&mut [0; 100]);
    };
    let silent = UdpSocket::bind("127.0.0.1:0").expect("loopback");
    let servers = [
        (web::server(None, wait), Link::Tcp),
        (web::server(Some(identity.config()), wait), Link::Tls),
        (silent.local_addr().expect("bound"), Link::Udp),
    ];
    let net = knowing(&["pbx.example.com"], &[&authority.file.0]);
    let (tell, told) = sync_channel(8);
    let (sender, mut events) = mpsc::channel(16);
    thread::spawn(move || {
        let link = fs::read_link("/proc/thread-self").expect("this thread");
        tell.send(link.to_string_lossy().into_owned()).expect("the test waits");
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let flows = servers.map(|(at, link)| {
            let server = SipServer { host: "pbx.example.com".to_owned(), port: at.port(), link };
            net.open(FlowId(0), server, None, 24, sender.clone())
        });
        let (handles, runs): (Vec<_>, Vec<_>) = flows.into_iter().unzip();
        runtime.block_on(async {
            // Nor does the watch over the network, while that stays as it is.
            let mut watch = Watch::start().expect("a watch");
            futures_util::future::join(join_all(runs), watch.changed()).await
        });
        drop(handles);
    });
    let thread = told.recv_timeout(PATIENCE).expect("it runs");
    for _ in 0..3 {
        let event = events.blocking_recv();
        assert!(matches!(event, Some(SipFlowEvent::Opened { .. })), "{event:?}");
    }
    // Session tickets may still be on their way.
    thread::sleep(Duration::from_millis(500));
    let before = wakings(&thread);
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(wakings(&thread), before);
}
