//! The accessibility tree of every screen, as a screen reader walks it.

mod common;

use common::Window;
use common::sample::{self, call, jid};
use common::talk;
use common::trust;
use offhook_model::{CallState, Snapshot};
use offhook_shell::Place;

fn check(name: &str, snapshot: Snapshot, place: Option<Place>) {
    let mut window = Window::new(snapshot);
    if let Some(place) = place {
        window = window.open(place);
    }
    window.harness.run();
    insta::assert_snapshot!(name, window.tree());
}

fn amira() -> Option<Place> {
    Some(Place::Chat(jid("amira")))
}

#[test]
fn before_sign_in() {
    check("first_run", sample::first_run(), None);
    check("manual_setup", sample::first_run(), Some(Place::ManualSetup));
    check("discovering", sample::discovering(), None);
    check("password_again", sample::password(true), None);
    check("failure", sample::failure(), None);
    check("certificate_question", trust::question(true), None);
    check("authentication_string", trust::enrolment(), None);
    check("browser_sign_in", trust::browser(), None);
}

#[test]
fn main_window() {
    check("nothing_open", sample::hub(), None);
    check("conversation", sample::hub(), amira());
    check("conversation_with_everything", talk::rich(), amira());
    check("room_with_news", talk::room(), Some(Place::Chat(talk::room_jid())));
    check("contacts_with_a_request", sample::request(), Some(Place::Contacts));
    check("calls", sample::hub(), Some(Place::Calls));
    check("problem", sample::toast(), amira());
}

#[test]
fn calls() {
    let one = |state| vec![call(1, "4217", state)];
    check("incoming_call", sample::calling(one(CallState::Incoming)), amira());
    check("call_in_front", sample::calling(one(CallState::Connected)), None);
    check("conference_in_front", sample::controlled(), None);
    check("phone_used_elsewhere", sample::elsewhere(), amira());
    check("call_bar_on_hold", sample::calling(one(CallState::Held)), amira());
}

#[test]
fn pages() {
    check("settings", sample::hub(), Some(Place::Settings));
    check("connection_status", sample::phone_broken(), Some(Place::Status));
    check("keys", sample::hub(), Some(Place::Keys));
    check("connection_status_outside", trust::outside(), Some(Place::Status));
    check("settings_with_certificates", trust::outside(), Some(Place::Settings));
}

#[test]
fn every_screen_is_said_in_german_too() {
    let size = egui::vec2(1240.0, 800.0);
    for (snapshot, place) in [
        (sample::first_run(), Place::ManualSetup),
        (sample::hub(), Place::Chat(jid("amira"))),
        (sample::hub(), Place::Settings),
        (sample::phone_broken(), Place::Status),
        (sample::hub(), Place::Keys),
        (trust::outside(), Place::Status),
        (trust::outside(), Place::Settings),
        (trust::question(false), Place::ManualSetup),
    ] {
        let window = Window::of(snapshot, size, "de").open(place);
        // A key that is missing shows as itself: words joined by hyphens, in lower case.
        let tree = window.tree();
        for bad in ["section-", "status-", "settings-", "key-", "manual-", "trust-", "layer-"] {
            assert!(!tree.contains(&format!("\"{bad}")), "{tree}");
        }
    }
}
