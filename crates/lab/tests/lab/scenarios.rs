//! Each scenario by raw bytes: its records lead to what it has, and it has no more.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use offhook_lab::{Lab, Scenario};

use super::im::{bind, offered};
use super::scenario;
use super::wire::{https, srv};

fn get(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}\r\n")
}

fn post(path: &str, more: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}Content-Length: \
         {length}\r\n\r\n{body}"
    )
}

fn basic(user: &str, password: &str) -> String {
    format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("{user}:{password}")))
}

/// The text between two tags.
fn between<'a>(text: &'a str, name: &str) -> &'a str {
    let from = text.find(&format!("<{name}>")).map(|at| at + name.len() + 2);
    let rest = &text[from.unwrap_or_else(|| panic!("no {name} in {text}"))..];
    &rest[..rest.find(&format!("</{name}>")).unwrap()]
}

async fn uds(lab: &Lab, path: &str) -> String {
    let at = lab.info().services.uds;
    https(lab, at, "cucm1.lab.example", &get(path, &basic("alice", "secret"))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_are_where_the_scenario_has_them() {
    let names = ["lab.example", "voice.lab.example", "cisco-internal.lab.example"];
    for (kind, service, zone) in [
        (Scenario::OnPrem, "_cisco-uds._tcp", Some(0)),
        (Scenario::Pinpoint, "_cisco-uds._tcp", Some(2)),
        (Scenario::VoiceDomain, "_cisco-uds._tcp", Some(1)),
        (Scenario::Hybrid, "_cisco-uds._tcp", Some(1)),
        (Scenario::Cup8, "_cuplogin._tcp", Some(0)),
        (Scenario::Manual, "_cisco-uds._tcp", None),
        (Scenario::Cloud, "_cisco-uds._tcp", None),
    ] {
        let lab = scenario(kind, &[]).await;
        for (at, name) in names.iter().enumerate() {
            let (_, ports) = srv(&lab, &format!("{service}.{name}")).await;
            assert_eq!(ports.len(), usize::from(zone == Some(at)), "{kind:?} {name}");
        }
        let voice = lab.info().voice_services_domain;
        assert_eq!(voice.is_some(), zone == Some(1), "{kind:?}");
        lab.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_printed_leads_here() {
    let lab = scenario(Scenario::VoiceDomain, &[]).await;
    let info = lab.info();
    let bootstrap = std::fs::read_to_string(&info.bootstrap_file).unwrap();
    assert!(bootstrap.contains("ServicesDomain: lab.example\r\n"), "{bootstrap}");
    assert!(bootstrap.contains("VoiceServicesDomain: voice.lab.example\r\n"), "{bootstrap}");
    assert!(info.configuration_url.ends_with("&VoiceServicesDomain=voice.lab.example"));
    let uds = format!("cucm1.lab.example:8443={}", info.services.uds);
    assert!(info.hosts.contains(&uds), "{:?}", info.hosts);
    lab.stop().await;
    let lab = scenario(Scenario::Manual, &[]).await;
    let info = lab.info();
    assert_eq!(info.manual[0]["accountType"], "cup");
    assert_eq!(info.manual[1]["tftp"], "cucm1.lab.example");
    let bootstrap = std::fs::read_to_string(&info.bootstrap_file).unwrap();
    assert!(bootstrap.contains("CUPAddress: imp1.lab.example\r\n"), "{bootstrap}");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_chat_or_without_phone() {
    let lab = scenario(Scenario::ImOnly, &[]).await;
    let devices = uds(&lab, "/cucm-uds/user/alice/devices").await;
    assert!(devices.contains("200 OK") && !devices.contains("<device "), "{devices}");
    assert!(uds(&lab, "/cucm-uds/user/alice").await.contains("<serviceProfile>"));
    lab.stop().await;
    let lab = scenario(Scenario::PhoneOnly, &[]).await;
    let devices = uds(&lab, "/cucm-uds/user/alice/devices").await;
    assert!(devices.contains("<name>CSFALICE</name>"), "{devices}");
    assert!(!uds(&lab, "/cucm-uds/user/alice").await.contains("<serviceProfile>"));
    lab.stop().await;
}

const ENVELOPE: &str = "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'>";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn release_8_signs_in_by_soap_and_lists_devices() {
    let lab = scenario(Scenario::Cup8, &[]).await;
    let services = lab.info().services;
    assert!(uds(&lab, "/cucm-uds/version").await.starts_with("HTTP/1.1 404 "));
    let call = |header: &str, body: &str| {
        let text = format!("{ENVELOPE}{header}<s:Body>{body}</s:Body></s:Envelope>");
        post("/EPASSoap/service/v80", "Content-Type: application/soap+xml\r\n", &text)
    };
    let login = "<login xmlns='urn:cisco:epas:soap' force='true'><username>alice</username>\
                 <password>secret</password></login>";
    let answer = https(&lab, services.soap, "imp1.lab.example", &call("", login)).await;
    let key = between(&answer, "epas:session-key").to_owned();
    let header = format!(
        "<s:Header><session-key xmlns='urn:cisco:epas:soap'>{key}</session-key></s:Header>"
    );
    let ask = "<get-all-config xmlns='urn:cisco:epas:soap'><system-config/></get-all-config>";
    let answer = https(&lab, services.soap, "imp1.lab.example", &call(&header, ask)).await;
    for name in
        ["Presence.Primary.Address", "TFTP.Primary", "CCMCIP.Host", "VoiceMail.Primary.Address"]
    {
        assert!(answer.contains(&format!("name=\"{name}\"")), "{name}: {answer}");
    }
    let inner = STANDARD.encode("secret");
    let list = post(
        "/ccmcip/Personalization",
        &format!("Content-Type: text/xml\r\n{}", basic("alice", &inner)),
        "<getDevices><user>alice</user></getDevices>",
    );
    let answer = https(&lab, services.uds, "cucm1.lab.example", &list).await;
    assert!(answer.contains("<name>CSFALICE</name>"), "{answer}");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cloud_gives_a_token_that_opens_the_chat() {
    let lab = scenario(Scenario::Cloud, &[]).await;
    let services = lab.info().services;
    let host = "loginp.webexconnect.com";
    let answer =
        https(&lab, services.cas, host, &get("/cas/FederatedSSO?org=lab.example", "")).await;
    assert_eq!(between(&answer, "errorcode"), "7");
    let form = "cmd=getwebextoken&username=alice%40lab.example&password=secret&isp=wbx";
    let answer = https(&lab, services.cas, host, &post("/cas/auth.do", "", form)).await;
    let token = between(&answer, "jabberToken").to_owned();
    let cluster = between(&answer, "jabberCluster").to_owned();
    for at in [services.xmpp443, services.xmpp] {
        let (mut stream, features) = offered(&lab, at).await;
        assert!(features.contains("<mechanism>WEBEX-TOKEN</mechanism>"), "{features}");
        let bound = bind(&mut stream, "WEBEX-TOKEN", &token).await;
        assert!(bound.contains("<jid>alice@lab.example/raw</jid>"), "{bound}");
    }
    let entry = format!("{cluster}:443={}", services.xmpp443);
    assert!(lab.info().hosts.contains(&entry));
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_nodes_share_a_port_and_two_their_users() {
    let lab = scenario(Scenario::MultiCluster, &[]).await;
    let port = lab.info().services.uds.port();
    let (_, ports) = srv(&lab, "_cisco-uds._tcp.lab.example").await;
    assert_eq!(ports, [port; 4]);
    for node in 1..=4u8 {
        let at = SocketAddr::from(([127, 0, 0, node], port));
        let host = format!("cucm{node}.lab.example");
        let asked = get("/cucm-uds/clusterUser?username=carol", "");
        let answer = https(&lab, at, &host, &asked).await;
        assert!(answer.contains(">cucm3.lab.example</homeCluster>"), "{answer}");
        let asked = get("/cucm-uds/user/carol", &basic("carol", "secret"));
        let own = https(&lab, at, &host, &asked).await;
        let status = if node > 2 { "HTTP/1.1 200 " } else { "HTTP/1.1 401 " };
        assert!(own.starts_with(status), "node {node}");
        let servers = https(&lab, at, &host, &get("/cucm-uds/servers", "")).await;
        assert!(servers.contains(&format!("<server>{host}</server>")), "{servers}");
    }
    // The cookie of one node is good at the other of the cluster.
    let at = |node: u8| SocketAddr::from(([127, 0, 0, node], port));
    let asked = get("/cucm-uds/user/alice", &basic("alice", "secret"));
    let answer = https(&lab, at(1), "cucm1.lab.example", &asked).await;
    let cookie = answer.split("JSESSIONIDSSO=").nth(1).and_then(|it| it.split(';').next());
    let asked = get(
        "/cucm-uds/user/alice/devices",
        &format!("Cookie: JSESSIONIDSSO={}\r\n", cookie.unwrap()),
    );
    let answer = https(&lab, at(2), "cucm2.lab.example", &asked).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    lab.stop().await;
}
