//! What a person decides about certificates, single sign-on and settings of administrators, and what
//! the window tells of them.

mod common;

use common::Window;
use common::{sample, trust};
use egui::{Key, Modifiers};
use offhook_shell::Place;

fn check(window: &mut Window, wanted: &[&str]) {
    assert_eq!(window.sent(), wanted);
}

#[test]
fn a_certificate_is_asked_about_and_the_safe_answer_is_the_first() {
    let mut window = Window::new(trust::question(true));
    for text in [
        "Trust cucm1.northwind.example?",
        "signed itself",
        "cucm1.northwind.example, cucm1",
        "4F:1C:9A",
    ] {
        assert!(window.says(text), "{text}");
    }
    window.key(Modifiers::NONE, Key::Enter);
    check(&mut window, &["AnswerTrust { id: 7, accept: false }"]);
    window.press("Trust from now on");
    check(&mut window, &["AnswerTrust { id: 7, accept: true }"]);
    window.key(Modifiers::NONE, Key::Escape);
    check(&mut window, &["AnswerTrust { id: 7, accept: false }"]);
    assert!(Window::new(trust::question(false)).says("Trust this time"));
}

#[test]
fn the_phone_asks_for_its_string_and_goes_on_without_it() {
    let mut window = Window::new(trust::enrolment());
    assert!(window.says("CSFMARY") && window.says("did not accept the authentication string"));
    window.press("Get the certificate");
    check(&mut window, &[]);
    window.type_into("Authentication string", " 12345 ").press("Get the certificate");
    let sent = window.sent();
    assert!(sent.len() == 1 && sent[0].starts_with("GiveAuthString(Some("), "{sent:?}");
    assert!(!sent[0].contains("12345"), "{sent:?}");
    window.press("Go on without the phone");
    check(&mut window, &["GiveAuthString(None)"]);
    window.key(Modifiers::NONE, Key::Escape);
    check(&mut window, &["GiveAuthString(None)"]);
}

#[test]
fn an_accepted_certificate_is_listed_and_taken_back() {
    let mut window = Window::tall(trust::outside()).open(Place::Settings);
    window.sent();
    let name = "No longer trust cucm1.northwind.example";
    window.control(name).scroll_to_me();
    window.harness.run();
    window.press(name);
    check(&mut window, &["RevokeTrust { key: \"ab12\" }"]);
}

#[test]
fn the_status_page_says_what_is_missing_outside_and_who_settled_what() {
    let window = Window::new(trust::outside()).open(Place::Status);
    for text in ["desk phone cannot be controlled", "EnableVideo", "sales.xml:4", "outranked"] {
        assert!(window.says(text), "{text}");
    }
}

#[test]
fn a_settled_domain_needs_only_a_name() {
    let mut window = Window::new(trust::settled_domain(false));
    assert!(window.says("at northwind.example"));
    window.type_into("User name", "mary").press("Continue");
    let sent = window.sent();
    assert!(sent[0].contains("mary") && sent[0].contains("northwind.example"), "{sent:?}");
    // Single sign-on may need the whole address to find the home cluster.
    let mut window = Window::new(trust::settled_domain(true));
    window.type_into("Work address", "mary").press("Continue");
    check(&mut window, &[]);
}

#[test]
fn a_configuration_address_may_be_typed_where_the_address_goes() {
    let mut window = Window::new(sample::first_run());
    let url = "ciscojabber://provision?ServicesDomain=northwind.example";
    window.type_into("Work address", url).press("Continue");
    check(&mut window, &["Provision(Secret(…))"]);
}

#[test]
fn everything_found_can_be_forgotten() {
    let mut window = Window::new(sample::first_run());
    window.press("Manual setup").press("Reset Offhook");
    check(&mut window, &["Reset"]);
}

#[test]
fn single_sign_on_goes_on_in_the_browser() {
    let mut window = Window::new(trust::browser());
    assert!(window.says("Continue in your browser") && window.says("idp.northwind.example"));
    let back = "https://cas.example.test/#type=sso&jabberToken=t0ken";
    window.type_into("Address of the page it ends on", back).press("Continue");
    check(&mut window, &["Provision(Secret(…))"]);
    assert!(!window.tree().contains("t0ken"));
    window.press("Cancel");
    check(&mut window, &["SignOut"]);
}
