//! Discovery through this adapter, with the planning guide's example records ("External Records",
//! "Internal Records") served by BIND and by Knot: order for every draw, TCP when the answer does
//! not fit, name servers and targets of both families.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use offhook_discovery::{Request, check_targets, discover};
use offhook_model::{Excluded, IpMode, Preset, Rule};
use offhook_net::{Net, NetOptions};
use offhook_ports::{Dns, Found, Target, World};
use offhook_testkit::NoChat;

/// Internal and external records stand in views of their own: a domain for each here.
const ZONE: &str = "\
$TTL 60
@ IN SOA ns.example.com. admin.example.com. ( 1 60 60 60 60 )
@ IN NS ns.example.com.
ns IN A 127.0.0.1
_cisco-uds._tcp.example.com. IN SRV 6 30 8443 cucm3.example.com.
_cisco-uds._tcp.example.com. IN SRV 2 20 8443 cucm2.example.com.
_cisco-uds._tcp.example.com. IN SRV 1 5 8443 cucm1.example.com.
_cuplogin._tcp.cup8.example.com. IN SRV 8 50 8443 cup3.example.com.
_cuplogin._tcp.cup8.example.com. IN SRV 5 100 8443 cup1.example.com.
_cuplogin._tcp.cup8.example.com. IN SRV 7 4 8443 cup2.example.com.
_collab-edge._tls.outside.example.com. IN SRV 3 7 8443 xpre1.example.com.
_collab-edge._tls.outside.example.com. IN SRV 4 8 8443 xpre2.example.com.
_collab-edge._tls.outside.example.com. IN SRV 5 0 8443 xpre3.example.com.
_cisco-uds._tcp.cisco-internal.pin.example.com. IN SRV 1 5 8443 cucm1.example.com.
_collab-edge._tls.pin.example.com. IN SRV 3 7 8443 xpre1.example.com.
_cisco-uds._tcp.same.example.com. IN SRV 1 75 8443 heavy.example.com.
_cisco-uds._tcp.same.example.com. IN SRV 1 25 8443 light.example.com.
_cisco-uds._tcp.odd.example.com. IN SRV 1 0 8443 four.example.com.
_cisco-uds._tcp.odd.example.com. IN SRV 2 0 8443 six.example.com.
_cisco-uds._tcp.odd.example.com. IN SRV 3 0 8443 none.example.com.
_cisco-uds._tcp.odd.example.com. IN SRV 4 0 8443 alias.example.com.
four IN A 127.0.0.1
six IN AAAA ::1
none IN TXT \"no address here\"
alias IN CNAME four
";

/// A name server that ends with the test.
struct Server {
    child: Child,
    folder: PathBuf,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

type Config = fn(&str, u16) -> String;

fn named(place: &str, port: u16) -> String {
    format!(
        "options {{ directory \"{place}\"; pid-file \"{place}/pid\"; session-keyfile \
         \"{place}/key\"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 port {port} {{ ::1; \
         }}; recursion no; dnssec-validation no; allow-query {{ any; }}; max-udp-size 1232; }};\n\
         controls {{ }};\nzone \"example.com\" {{ type primary; file \"{place}/zone\"; \
         check-names ignore; }};\n"
    )
}

fn knot(place: &str, port: u16) -> String {
    format!(
        "server:\n  rundir: \"{place}\"\n  listen: [ 127.0.0.1@{port}, ::1@{port} ]\n  \
         udp-max-payload: 1232\ndatabase:\n  storage: \"{place}\"\nzone:\n  - domain: \
         example.com\n    storage: \"{place}\"\n    file: zone\n"
    )
}

/// Nothing when the program is not installed.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn start(program: &str, words: &[&str], config: Config) -> Option<Server> {
    let path = Path::new("/usr/sbin").join(program);
    if !path.is_file() {
        println!("SKIPPED for want of {program}: the planning guide's records");
        return None;
    }
    let folder = std::env::temp_dir().join(format!("offhook-{program}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let any = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let port = any.expect("a port").port();
    let many: String = (0..60)
        .map(|index| {
            format!("_cisco-uds._tcp.big IN SRV {index} 0 8443 a-long-host-name-{index:03}\n")
        })
        .collect();
    fs::write(folder.join("zone"), format!("$ORIGIN example.com.\n{ZONE}{many}")).expect("a zone");
    let file = folder.join("conf");
    fs::write(&file, config(&folder.to_string_lossy(), port)).expect("a configuration");
    let log = fs::File::create(folder.join("log")).expect("a log");
    let child = Command::new(path)
        .args(words)
        .arg("-c")
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("the name server starts");
    Some(Server { child, folder, port })
}

async fn world(server: SocketAddr) -> World {
    let net = Net::new(NetOptions { name_servers: vec![server], ..NetOptions::default() });
    let net = net.expect("a network");
    for _ in 0..100 {
        if net.srv("_cisco-uds._tcp.example.com").await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    World {
        dns: net.clone(),
        http: net.clone(),
        probe: net.clone(),
        clock: net,
        xmpp: Arc::new(NoChat),
    }
}

/// The cloud is left out: this test asks nobody on the Internet.
async fn found(world: &World, domain: &str, seed: u64) -> Found {
    let address = format!("adam@{domain}").parse().expect("an address");
    let excluded = Excluded { webex: true, ..Excluded::default() };
    let preset = Preset { excluded, ..Preset::default() };
    let request = Request { preset, ..Request::new(address, seed) };
    discover(world, &request, &|_| {}).await.outcome.expect("services")
}

fn targets(hosts: &[&str]) -> Vec<Target> {
    let target = |host: &&str| Target { host: format!("{host}.example.com"), port: 8443 };
    hosts.iter().map(target).collect()
}

async fn check_order(world: &World) {
    for seed in 0..25 {
        let of = |domain| found(world, domain, seed);
        let uds = targets(&["cucm1", "cucm2", "cucm3"]);
        assert_eq!(of("example.com").await, Found::Cucm(uds));
        let cup = targets(&["cup1", "cup2", "cup3"]);
        assert_eq!(of("cup8.example.com").await, Found::Cup(cup));
        let edge = targets(&["xpre1", "xpre2", "xpre3"]);
        assert_eq!(of("outside.example.com").await, Found::Edge(edge));
    }
    let pinpoint = Found::Cucm(targets(&["cucm1"]));
    assert_eq!(found(world, "pin.example.com", 1).await, pinpoint);
    let heavy_first = Found::Cucm(targets(&["heavy", "light"]));
    let mut heavy = 0;
    for seed in 0..100 {
        heavy += u32::from(found(world, "same.example.com", seed).await == heavy_first);
    }
    assert!((60..90).contains(&heavy), "{heavy} of 100");
}

async fn check_size(world: &World) {
    // About 3,000 bytes: it comes over TCP.
    let hosts: Vec<String> = (0..60).map(|index| format!("a-long-host-name-{index:03}")).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    assert_eq!(found(world, "big.example.com", 1).await, Found::Cucm(targets(&hosts)));
}

async fn check_families(world: &World) {
    let found = found(world, "odd.example.com", 1).await;
    for (mode, expected) in [
        (IpMode::Both, vec![("none", 5), ("alias", 4)]),
        (IpMode::V4, vec![("six", 5), ("none", 5), ("alias", 4)]),
        (IpMode::V6, vec![("four", 5), ("none", 5), ("alias", 5)]),
    ] {
        let checked = check_targets(world, &found, mode).await;
        for (host, rule) in expected {
            let told = checked.problems.iter().any(|it| {
                it.rule == Some(Rule(rule)) && it.cause.contains(&format!("{host}.example.com"))
            });
            assert!(told, "{host} with {mode:?}: {:?}", checked.problems);
        }
    }
}

async fn check(server: &Server) {
    for ip in [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()] {
        let world = world(SocketAddr::new(ip, server.port)).await;
        check_order(&world).await;
        check_size(&world).await;
        check_families(&world).await;
    }
}

#[tokio::test]
async fn bind_serves_the_guides_records() {
    if let Some(server) = start("named", &["-g"], named) {
        check(&server).await;
    }
}

#[tokio::test]
async fn knot_serves_the_guides_records() {
    if let Some(server) = start("knotd", &[], knot) {
        check(&server).await;
    }
}
