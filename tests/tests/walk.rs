//! The window walked without a mouse and without a look: keys on a display of its own, names from
//! the screen reader's side (AT-SPI), and what came of it from the control API.

use offhook_interop::{Client, Desktop, Lab, Scratch, Setup, have, until};
use serde_json::{Value, json};

const ALICE: &str = "alice@lab.example";
const BOB: &str = "bob@lab.example";
const CAROL: &str = "carol@lab.example";
const PEERS: [&str; 5] = ["Xvfb", "xdotool", "dbus-daemon", "at-spi2-core", "pyatspi"];

/// A robot who answers, and two people.
const PEOPLE: &str = "\
[[users]]\nname = \"alice\"\nnumber = \"2001\"\nfirstName = \"Alice\"\nlastName = \"Anderson\"\n\
[[users]]\nname = \"carol\"\nnumber = \"2003\"\nfirstName = \"Carol\"\nlastName = \"Clark\"\n\
[[robots]]\nname = \"bob\"\nnumber = \"2002\"\ndisplayName = \"Bob Robot\"\nmode = \"tone\"\n\
toneHz = 1000.0\ntoneMs = 600000\nringMs = 200\n";

struct World {
    client: Client,
    desktop: Desktop,
    lab: Lab,
    scratch: Scratch,
}

impl World {
    /// The window, with the keyboard, before anybody has signed in.
    fn new() -> Self {
        let scratch = Scratch::new();
        let lab = Lab::start(scratch.path(), &[], PEOPLE);
        let desktop = Desktop::start(scratch.path());
        let setup = Setup { environment: desktop.environment(), ..setup(&lab) };
        let client = Client::window(scratch.path(), "alice", &setup);
        desktop.focus("Offhook");
        Self { client, desktop, lab, scratch }
    }

    /// Address, password, and both services are there.
    fn sign_in(&self) {
        let desktop = &self.desktop;
        desktop.until_focus("Work address");
        desktop.type_text(ALICE);
        desktop.press("Return");
        desktop.until_focus("Password");
        desktop.type_text("secret");
        let told = desktop.look();
        assert!(told.iter().all(|node| node.text() != "secret"), "no password is read out");
        desktop.press("Return");
        let ready = |it: &Value, name: &str| it["services"][name]["state"] == "ready";
        self.client.until_session("signed in", |it| {
            it["state"] == "signedIn" && ready(it, "im") && ready(it, "phone")
        });
    }

    /// Bob's conversation, by the box for search.
    fn open_chat(&self) {
        self.desktop.press("ctrl+k");
        self.desktop.until_focus("Search or call");
        self.desktop.type_text(BOB);
        self.desktop.until_there(&format!("Chat with {BOB}"));
        self.desktop.press("Return");
        self.desktop.until_focus("Message");
    }

    /// The first call is in this state.
    #[track_caller]
    fn until_state(&self, what: &str, fits: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let mut seen = vec![];
        let found = offhook_interop::attempt(60, || {
            let calls = self.client.must("call.list", Value::Null);
            seen = calls["items"].as_array().cloned().unwrap_or_default();
            fits(&seen).then_some(())
        });
        let said: Vec<String> = self.client.events().iter().map(Value::to_string).collect();
        assert!(found.is_some(), "never {what}: {seen:#?}\n{}", said.join("\n"));
        seen
    }

    /// Exactly these calls are up, in this state.
    #[track_caller]
    fn until_calls(&self, states: &[&str]) -> Vec<Value> {
        self.until_state(&format!("calls that are {states:?}"), |calls| {
            let up = calls.iter().filter(|call| call["state"] != "ended");
            up.map(|call| call["state"].as_str().unwrap_or_default()).eq(states.iter().copied())
        })
    }
}

fn setup(lab: &Lab) -> Setup {
    Setup {
        name_server: Some(lab.name_server()),
        ca_file: Some(lab.authority()),
        ..Setup::default()
    }
}

#[test]
fn a_day_at_the_desk_without_a_mouse() {
    if !have("the window by keyboard", &PEERS) {
        return;
    }
    let world = World::new();
    let (client, desktop) = (&world.client, &world.desktop);
    world.sign_in();

    // A person is found, written to and called.
    world.open_chat();
    let since = client.count();
    desktop.type_text("hello by keyboard");
    desktop.press("Return");
    client.until_message(BOB, "You said: hello by keyboard", since);
    desktop.press("ctrl+shift+c");
    world.until_calls(&["connected"]);
    desktop.until_there("End");
    desktop.press("ctrl+m");
    world.until_state("muted", |calls| calls[0]["muted"] == true);
    desktop.press("ctrl+m");
    world.until_state("not muted", |calls| calls[0]["muted"] == false);
    desktop.press("ctrl+shift+h");
    world.until_calls(&["held"]);
    desktop.until_there("Resume");
    desktop.press("ctrl+shift+h");
    world.until_calls(&["connected"]);

    // Somebody is asked before the call is given to them, and all three talk.
    let carol = Client::start(world.scratch.path(), "carol", &setup(&world.lab));
    carol.sign_in(CAROL, "secret", &["im", "phone"]);
    desktop.press("ctrl+shift+t");
    desktop.until_focus("Number or address");
    desktop.press("Escape");
    desktop.until_gone("Number or address");
    desktop.press("ctrl+shift+t");
    desktop.until_focus("Number or address");
    desktop.type_text("2003");
    let since = carol.count();
    desktop.tab_to("Tab", "Ask first");
    desktop.press("space");
    let called = carol.until_called(since);
    carol.must("call.answer", json!({ "id": called }));
    world.until_calls(&["held", "connected"]);

    // Both are ended by one key.
    desktop.press("ctrl+shift+e");
    world.until_calls(&["held"]);
    desktop.press("ctrl+shift+e");
    world.until_calls(&[]);

    // Somebody calls while another program is in front: a small window that leaves the keyboard
    // alone. Back in ours the call is declined, and the next one answered.
    desktop.away();
    let keyboard = desktop.keyboard();
    let since = client.count();
    client.say(BOB, "call me", "delivered");
    client.until_called(since);
    until("the call's own window", 60, || desktop.window("Incoming call").then_some(()));
    assert_eq!(desktop.keyboard(), keyboard);
    desktop.focus("Offhook");
    desktop.until_there("Decline");
    desktop.press("ctrl+d");
    world.until_calls(&[]);
    until("its window is gone", 60, || (!desktop.window("Incoming call")).then_some(()));
    let since = client.count();
    client.say(BOB, "call me", "delivered");
    client.until_called(since);
    desktop.until_there("Answer");
    desktop.press("ctrl+l");
    world.until_calls(&["connected"]);
    desktop.press("ctrl+shift+e");
    world.until_calls(&[]);
}

#[test]
fn availability_settings_and_every_control_are_reached_by_keys() {
    if !have("availability and settings by keyboard", &PEERS) {
        return;
    }
    let world = World::new();
    let (client, desktop) = (&world.client, &world.desktop);
    world.sign_in();

    // Availability: back from the box for search.
    desktop.press("ctrl+k");
    desktop.until_focus("Search or call");
    desktop.tab_to("shift+Tab", "My availability");
    desktop.press("space");
    desktop.until_there("Do not disturb");
    let passed = desktop.tab_to("Tab", "Do not disturb");
    assert_eq!(passed, ["Available", "Away", "Do not disturb"], "the menu comes next");
    desktop.press("Return");
    until("do not disturb is told", 60, || {
        let presence = client.must("presence.get", Value::Null);
        (presence["availability"] == "dnd").then_some(())
    });

    // Settings: a choice by the space bar, and back by Escape.
    desktop.press("ctrl+comma");
    desktop.until_there("Look for devices again");
    desktop.tab_to("Tab", "Theme: Dark");
    desktop.press("space");
    until("the dark theme is kept", 60, || {
        let settings = client.must("settings.get", Value::Null);
        (settings["theme"] == "dark").then_some(())
    });
    desktop.press("Escape");
    desktop.until_gone("Look for devices again");
    desktop.press("F1");
    desktop.until_there("Hold or resume");
    desktop.press("Escape");
    desktop.until_gone("Hold or resume");

    // Once around: everything that takes the focus has a name, and the end leads to the beginning.
    world.open_chat();
    let around = desktop.tab_to("Tab", "Message");
    assert!(around.iter().all(|name| !name.is_empty()), "{around:#?}");
    for name in ["Chats", "Contacts", "Calls", "Phone", "Settings", "My availability", "Search"] {
        assert!(around.iter().any(|one| one.starts_with(name)), "{name} is not in {around:#?}");
    }

    // And out.
    desktop.press("ctrl+k");
    desktop.until_focus("Search or call");
    desktop.tab_to("shift+Tab", "My availability");
    desktop.press("space");
    desktop.tab_to("Tab", "Sign out");
    desktop.press("Return");
    client.until_session("signed out", |it| it["state"] == "signedOut");
    desktop.until_focus("Work address");
}
