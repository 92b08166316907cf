//! Signing in by the window: the address, the password, what goes wrong, and settings by hand.

mod common;

use common::Window;
use common::sample;
use egui::{Key, Modifiers};

fn check(window: &mut Window, wanted: &[&str]) {
    assert_eq!(window.sent(), wanted);
}

#[test]
fn one_address_begins_the_sign_in() {
    let mut window = Window::new(sample::first_run());
    window.type_into("Work address", "mary.smith@northwind.example");
    window.press("Continue");
    let sent = window.sent();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(sent[0].starts_with("SignIn"), "{sent:?}");
    assert!(sent[0].contains("mary.smith"), "{sent:?}");
}

#[test]
fn enter_is_as_good_as_continue() {
    let mut window = Window::new(sample::first_run());
    window.type_into("Work address", "mary@northwind.example");
    window.key(Modifiers::NONE, Key::Enter);
    assert_eq!(window.sent().len(), 1);
}

#[test]
fn a_text_that_is_no_address_is_explained_and_not_sent() {
    let mut window = Window::new(sample::first_run());
    window.type_into("Work address", "mary").press("Continue");
    check(&mut window, &[]);
    assert!(window.says("addresses look like name@company.com"));
}

#[test]
fn the_step_is_named_while_services_are_looked_for() {
    let mut window = Window::new(sample::discovering());
    assert!(window.says("Asking _xmpp-client._tcp.northwind.example"));
    window.press("Cancel");
    check(&mut window, &["SignOut"]);
}

#[test]
fn a_password_is_given_and_never_printed() {
    let mut window = Window::new(sample::password(false));
    window.type_into("Password", "correct horse").press("Sign in");
    let wanted = "GivePassword { username: \"mary.smith\", password: Secret(…) }";
    check(&mut window, &[wanted]);
    assert!(!window.tree().contains("correct horse"));
}

#[test]
fn a_wrong_password_is_explained() {
    let window = Window::new(sample::password(true));
    assert!(window.says("did not accept the user name and password"));
}

#[test]
fn a_failure_says_cause_owner_and_remedy_and_can_be_tried_again() {
    let mut window = Window::new(sample::failure());
    for text in [
        "The name system has no record of any service for northwind.example.",
        "For the DNS administrator",
        "publish the SRV records",
    ] {
        assert!(window.says(text), "{text}");
    }
    assert!(!window.says("_cisco-uds"));
    window.press("Details");
    assert!(window.says("_cisco-uds._tcp.northwind.example SRV"));
    window.press("Try again");
    check(&mut window, &["TryAgain"]);
}

#[test]
fn the_facts_can_be_copied_for_support() {
    let mut window = Window::new(sample::failure());
    window.control("Copy for support").click();
    let mut copied = Vec::new();
    for _ in 0..4 {
        window.harness.step();
        let commands = &window.harness.output().platform_output.commands;
        copied.extend(commands.iter().map(|command| format!("{command:?}")));
    }
    assert!(
        copied.iter().any(|text| text.contains("rule: D01") && text.contains("_sip._udp")),
        "{copied:?}"
    );
}

#[test]
fn manual_setup_sets_the_servers_before_it_signs_in() {
    let mut window = Window::new(sample::first_run());
    window.press("Manual setup");
    window.type_into("Work address", "mary@northwind.example");
    window.press("Account type: Automatic");
    window.press("SIP and XMPP account");
    window.type_into("XMPP server", "127.0.0.1:5222").press("Sign in");
    let sent = window.sent();
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert!(sent[0].contains("Standard") && sent[0].contains("127.0.0.1:5222"));
    assert!(sent[1].starts_with("SignIn"));
}
