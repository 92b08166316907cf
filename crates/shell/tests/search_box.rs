//! The box for search and calls, by keys.

mod common;

use common::Window;
use common::sample;
use egui::{Key, Modifiers};
use egui_kittest::kittest::NodeT as _;

const CTRL: Modifiers = Modifiers::COMMAND;

fn check(window: &mut Window, wanted: &[&str]) {
    assert_eq!(window.sent(), wanted);
}

#[test]
fn the_search_box_dials_a_number() {
    let mut window = Window::new(sample::hub());
    let told = |text: &str| format!("Contacts(Type {{ query: {text:?} }})");
    window.key(CTRL, Key::K);
    window.control("Search or call").type_text("2002");
    window.harness.run();
    check(&mut window, &[&told("2002")]);
    window.press("Call 2002");
    check(&mut window, &["Dial { to: Number(\"2002\"), video: false }", &told("")]);
    window.key(CTRL, Key::K);
    window.control("Search or call").type_text("2003");
    window.harness.run();
    check(&mut window, &[&told("2003")]);
    window.key(Modifiers::NONE, Key::Enter);
    check(&mut window, &["Dial { to: Number(\"2003\"), video: false }", &told("")]);
}

#[test]
fn what_is_typed_at_once_after_the_key_goes_into_the_search_box() {
    let mut window = Window::new(sample::hub());
    let key = |pressed, modifiers| egui::Event::Key {
        key: Key::K,
        physical_key: None,
        pressed,
        repeat: false,
        modifiers,
    };
    let events = [key(true, CTRL), key(false, Modifiers::NONE), egui::Event::Text("len".into())];
    window.harness.input_mut().events.extend(events);
    window.harness.run();
    assert_eq!(window.control("Search or call").value().as_deref(), Some("len"));
}

#[test]
fn the_key_chooses_what_stood_in_the_search_box() {
    let mut window = Window::new(sample::hub());
    window.type_into("Search or call", "zoë");
    window.harness.run();
    window.key(CTRL, Key::K);
    window.harness.input_mut().events.push(egui::Event::Text("len".into()));
    window.harness.run();
    assert_eq!(window.control("Search or call").value().as_deref(), Some("len"));
}

#[test]
fn an_arrow_leads_from_the_search_box_to_the_first_result() {
    let mut window = Window::new(sample::hub());
    window.key(CTRL, Key::K);
    window.control("Search or call").type_text("a");
    window.harness.run();
    let focused = |window: &Window| {
        let nodes = window.harness.root().children_recursive();
        let at: Vec<_> = nodes.filter(|node| node.is_focused()).collect();
        at.iter().filter_map(|node| node.accesskit_node().label()).collect::<Vec<_>>().concat()
    };
    window.key(Modifiers::NONE, Key::ArrowDown);
    assert!(focused(&window).starts_with("Amira Khalil"), "{}", focused(&window));
    window.sent();
    window.key(Modifiers::NONE, Key::Enter);
    assert!(window.sent()[0].starts_with("OpenChat"));
    window.type_into("Search or call", "2002").key(Modifiers::NONE, Key::ArrowDown);
    assert_eq!(focused(&window), "Call 2002");
}

#[test]
fn the_search_box_finds_people_and_addresses() {
    let mut window = Window::new(sample::hub());
    window.type_into("Search or call", "lena");
    assert!(window.says("1 person"));
    window.sent();
    window.press("Lena Sommer, Away · Back at two");
    assert!(window.sent()[0].starts_with("OpenChat"));
    window.type_into("Search or call", "bob@other.example").sent();
    window.press("Chat with bob@other.example");
    let sent = window.sent();
    assert!(sent[0].contains("bob@other.example"), "{sent:?}");
}
