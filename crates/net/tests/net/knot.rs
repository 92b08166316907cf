//! The resolver against Knot DNS, a server of other people's making.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use offhook_model::DnsFault;
use offhook_ports::Dns;

use crate::doubles::asking;

const ZONE: &str = "\
$ORIGIN knot.test.
$TTL 300
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
@ NAPTR 10 20 \"S\" \"SIP+D2T\" \"\" _sip._tcp
@ NAPTR 5 20 \"s\" \"sips+d2t\" \"\" _sips._tcp
_cisco-uds._tcp SRV 10 60 8443 cucm1
_cisco-uds._tcp SRV 20 0 8443 cucm2
cucm1 A 127.0.0.1
cucm1 AAAA ::1
cucm2 CNAME cucm1
empty TXT \"no address here\"
";

/// A running knotd; dropped, it ends.
struct Knot {
    child: Child,
    folder: PathBuf,
    at: SocketAddr,
}

impl Drop for Knot {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn start() -> Option<Knot> {
    let program = ["/usr/sbin/knotd", "/usr/bin/knotd", "/usr/local/sbin/knotd"]
        .into_iter()
        .find(|path| fs::exists(path).unwrap_or(false))?;
    let folder = std::env::temp_dir().join(format!("offhook-knot-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let at = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let many: String =
        (0..60).map(|index| format!("_big._tcp SRV {index} 0 5060 host-{index}.far\n")).collect();
    fs::write(folder.join("knot.test.zone"), format!("{ZONE}{many}")).expect("the zone");
    let place = folder.display();
    let config = format!(
        "server:\n  rundir: \"{place}\"\n  listen: 127.0.0.1@{port}\n\
         database:\n  storage: \"{place}\"\n\
         zone:\n  - domain: knot.test\n    storage: \"{place}\"\n    file: knot.test.zone\n",
        port = at.port()
    );
    fs::write(folder.join("knot.conf"), config).expect("the configuration");
    let child = Command::new(program)
        .arg("-c")
        .arg(folder.join("knot.conf"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("knotd starts");
    Some(Knot { child, folder, at })
}

#[tokio::test]
async fn knot_is_understood() {
    let Some(knot) = start() else {
        println!("SKIPPED: knotd is not installed");
        return;
    };
    let net = asking(knot.at);
    let mut tries = 0;
    let uds = loop {
        match net.srv("_cisco-uds._tcp.knot.test").await {
            Ok(answer) => break answer,
            Err(fault) if tries > 50 => panic!("knot never answered: {fault:?}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
        tries += 1;
    };
    let mut targets: Vec<_> = uds.records.iter().map(|srv| srv.target.as_str()).collect();
    targets.sort_unstable();
    assert_eq!(targets, ["cucm1.knot.test", "cucm2.knot.test"]);

    let naptr = net.naptr("knot.test").await.expect("NAPTR");
    let mut services: Vec<_> = naptr.records.iter().map(|one| one.service.as_str()).collect();
    services.sort_unstable();
    assert_eq!(services, ["SIP+D2T", "SIPS+D2T"]);

    // About 2,900 bytes: more than the datagram we offer to take, so it comes over TCP.
    let big = net.srv("_big._tcp.knot.test").await.expect("60 records");
    assert_eq!(big.records.len(), 60);

    let alias = net.addresses("cucm2.knot.test").await.expect("addresses");
    assert_eq!(alias.records.len(), 2);
    assert_eq!(net.addresses("empty.knot.test").await, Err(DnsFault::NoRecord));
    assert_eq!(net.addresses("nobody.knot.test").await, Err(DnsFault::NoName));
    assert_eq!(net.srv("_sip._udp.elsewhere.test").await, Err(DnsFault::Refused));
}
