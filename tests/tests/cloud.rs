//! Chat with WebEx Messenger of the laboratory: port 443 first, then 5222, directly and through a web
//! proxy.

use offhook_interop::{Client, Lab, Scratch, Setup, Tunnels, free_port};
use serde_json::Value;

const ALICE: &str = "alice@lab.example";
const BOB: &str = "bob@lab.example";
const CHAT: &str = "isj6cmx.webexconnect.com";

struct World {
    scratch: Scratch,
    lab: Lab,
}

impl World {
    fn new() -> Self {
        let scratch = Scratch::new();
        let lab = Lab::scenario(scratch.path(), "cloud", &[], "");
        Self { scratch, lab }
    }

    /// The laboratory's places: `NAME:PORT` and what stands for it.
    fn places(&self) -> Vec<(String, String)> {
        let entries = self.lab.hosts();
        let parts = entries.iter().filter_map(|entry| entry.split_once('='));
        parts.map(|(name, at)| (name.to_owned(), at.to_owned())).collect()
    }

    fn client(&self, places: &[(String, String)], proxy: Option<&Tunnels>) -> Client {
        let proxy = proxy.map(|it| ("https_proxy", format!("http://127.0.0.1:{}", it.port)));
        let setup = Setup {
            name_server: Some(self.lab.name_server()),
            ca_file: Some(self.lab.authority()),
            hosts: places.iter().map(|(name, at)| format!("{name}={at}")).collect(),
            environment: proxy.into_iter().collect(),
            ..Setup::default()
        };
        Client::start(self.scratch.path(), "alice", &setup)
    }
}

fn address(session: &Value) -> &str {
    session["services"]["im"]["address"].as_str().unwrap_or_default()
}

/// Those that are reached without TLS, which the proxy for TLS is not asked about.
fn in_clear(places: &[(String, String)]) -> Vec<(String, String)> {
    places.iter().filter(|(name, _)| name.ends_with(":80")).cloned().collect()
}

#[test]
fn chat_of_the_cloud_goes_to_443_first_and_then_to_5222() {
    let world = World::new();
    let mut places = world.places();
    let client = world.client(&places, None);
    let session = client.sign_in(ALICE, "secret", &["im"]);
    assert_eq!(address(&session), format!("{CHAT}:443"));
    client.say(BOB, "by 443", "delivered");
    drop(client);

    let closed = format!("127.0.0.1:{}", free_port());
    for (name, at) in &mut places {
        if *name == format!("{CHAT}:443") {
            at.clone_from(&closed);
        }
    }
    let client = world.client(&places, None);
    let session = client.sign_in(ALICE, "secret", &["im"]);
    assert_eq!(address(&session), format!("{CHAT}:5222"));
    client.say(BOB, "by 5222", "delivered");
}

/// No name of the cloud has an address here but those that the proxy knows.
#[test]
fn chat_of_the_cloud_goes_through_the_proxy() {
    let world = World::new();
    let places = world.places();
    let proxy = Tunnels::start(places.clone());
    let client = world.client(&in_clear(&places), Some(&proxy));
    let session = client.sign_in(ALICE, "secret", &["im"]);
    assert_eq!(address(&session), format!("{CHAT}:443"));
    client.say(BOB, "through the proxy", "delivered");
    let asked = proxy.asked();
    assert!(asked.contains(&format!("{CHAT}:443")), "{asked:?}");
    assert!(!asked.contains(&format!("{CHAT}:5222")), "{asked:?}");
    drop(client);

    // A proxy that lets through to 5222 only.
    let some = places.iter().filter(|(name, _)| *name != format!("{CHAT}:443")).cloned().collect();
    let proxy = Tunnels::start(some);
    let client = world.client(&in_clear(&places), Some(&proxy));
    let session = client.sign_in(ALICE, "secret", &["im"]);
    assert_eq!(address(&session), format!("{CHAT}:5222"));
    let asked: Vec<String> = proxy.asked().into_iter().filter(|it| it.starts_with(CHAT)).collect();
    assert_eq!(asked, [format!("{CHAT}:443"), format!("{CHAT}:5222")]);
}

#[test]
fn a_proxy_that_does_not_let_chat_through_is_told() {
    let world = World::new();
    let places = world.places();
    let some = places.iter().filter(|(name, _)| !name.starts_with(CHAT)).cloned().collect();
    let proxy = Tunnels::start(some);
    let client = world.client(&in_clear(&places), Some(&proxy));
    client.begin_sign_in(ALICE, "secret");
    let session = client.until_session("told", |it| {
        it["services"]["im"]["state"] == "failed" || it["state"] == "failed"
    });
    let problem = [&session["services"]["im"]["error"], &session["error"]];
    let told = problem.iter().any(|it| {
        it["cause"].as_str().is_some_and(|it| it.contains("proxy") && it.contains("status 403"))
    });
    assert!(told, "{session:#}");
}
