//! Finding people, everything known of them, and what a person does with them by pointer and keys.

mod common;

use std::sync::Arc;

use common::people::{self, search, searched};
use common::{Window, sample};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use offhook_model::{PeopleSearch, SearchStage, Snapshot, SourceKind};

const CTRL: Modifiers = Modifiers::COMMAND;
const BOX: &str = "Search or call";
const AMELIE: &str = "Amélie Østergård, Head of purchasing · Purchasing · Directory";

fn check(window: &mut Window, wanted: &[&str]) {
    assert_eq!(window.sent(), wanted);
}

/// A window in whose box `am` was typed, and the commands of that read.
fn searching(snapshot: Snapshot) -> Window {
    let mut window = Window::new(snapshot);
    window.type_into(BOX, "am").sent();
    window
}

/// The name of what has the focus.
fn focused(window: &Window) -> String {
    let nodes = window.harness.root().children_recursive();
    let at: Vec<_> = nodes.filter(|node| node.is_focused()).collect();
    at.iter().filter_map(|node| node.accesskit_node().label()).collect::<Vec<_>>().concat()
}

fn rows(window: &Window) -> Vec<String> {
    let rows = window.harness.get_all_by_role(egui::Role::ListItem);
    rows.filter_map(|row| row.accesskit_node().label()).collect()
}

#[test]
fn every_change_of_the_box_is_told_once_and_nothing_ends_it() {
    let mut window = Window::new(sample::hub());
    window.type_into(BOX, "a");
    check(&mut window, &["Contacts(Type { query: \"a\" })"]);
    window.wait(1_000).wait(1_000);
    check(&mut window, &[]);
    window.control(BOX).type_text("m ");
    window.harness.run();
    check(&mut window, &["Contacts(Type { query: \"am \" })"]);
    window.press("Clear");
    check(&mut window, &["Contacts(Type { query: \"\" })"]);
    window.type_into(BOX, "x").sent();
    window.key(Modifiers::NONE, Key::Escape);
    check(&mut window, &["Contacts(Type { query: \"\" })"]);
    window.type_into(BOX, "x").sent();
    window.key(Modifiers::NONE, Key::Backspace);
    check(&mut window, &["Contacts(Type { query: \"\" })"]);
}

#[test]
fn the_cores_answer_is_shown_in_its_order_with_why() {
    let window = searching(search(SearchStage::Local));
    let long = "Prof. Dr. Dr. h. c. Maximiliane Alexandra Amalie von Hohenlohe-Langenburg, Member of \
        the supervisory board for strategic matters · Office of the chair of the supervisory board \
        · Directory";
    let wanted = [
        "Amira Khalil, Available · Network engineering",
        AMELIE,
        "Plumber Amsel & Sons, Amsel & Sons · My contacts",
        long,
        "Sophie Laurent, amsterdam@laurent.example · Address book on a server",
        "Jonas Weber, Group Amsterdam · Available",
        "+49 30 5550 0142, Mobile +49 30 5550 0142 · Earlier chats and calls",
    ];
    assert_eq!(rows(&window), wanted);
    assert!(window.says("7 people"));
}

#[test]
fn a_screen_reader_is_told_of_results_and_card() {
    let mut window = searching(search(SearchStage::Asking));
    window.key(Modifiers::NONE, Key::ArrowDown).key(Modifiers::NONE, Key::ArrowDown);
    insta::assert_snapshot!("people_found", window.tree());
    window.key(Modifiers::NONE, Key::Menu).press("Details");
    insta::assert_snapshot!("person_card", window.tree());
}

#[test]
fn until_the_answer_is_here_the_contact_list_stands_in_and_then_the_last_answer() {
    let mut window = Window::new(sample::hub());
    window.type_into(BOX, "am");
    assert_eq!(rows(&window).len(), 6, "all whose address has it");
    window.see(search(SearchStage::Local));
    assert_eq!(rows(&window).len(), 7);
    window.control(BOX).type_text("i");
    window.harness.run();
    assert_eq!(rows(&window).len(), 7, "nothing flickers");
    let one = PeopleSearch {
        query: "ami".into(),
        people: vec![people::amira()],
        ..PeopleSearch::default()
    };
    window.see(searched(one));
    assert_eq!(rows(&window).len(), 1);
    // What was found before is not shown for what is typed anew.
    window.press("Clear").type_into(BOX, "lena");
    assert_eq!(rows(&window), ["Lena Sommer, Away · Back at two"]);
}

#[test]
fn how_far_the_search_is_is_said_below() {
    let mut window = searching(search(SearchStage::Local));
    assert!(!window.says("Searching the directory…"));
    window.see(search(SearchStage::Asking));
    assert!(window.says("Searching the directory…"));
    let place = |window: &Window| {
        let row = window.harness.get_by_label(AMELIE);
        row.rect()
    };
    let before = place(&window);
    window.see(search(SearchStage::Done));
    assert!(!window.says("Searching the directory…") && !window.says("type more letters"));
    assert_eq!(place(&window), before, "nothing moves");
    let none = |stage| {
        let query = "am".into();
        searched(PeopleSearch { query, stage, ..PeopleSearch::default() })
    };
    window.see(none(SearchStage::Asking));
    assert!(window.says("Nobody who is known here matches."));
    window.see(none(SearchStage::Done));
    assert!(window.says("Nobody matches."));
    // Who could not ask everybody does not say it of everybody.
    let mut fault = none(SearchStage::Done);
    Arc::make_mut(&mut fault.people).problems = vec![people::unreachable()];
    window.see(fault);
    assert!(window.says("Nobody who is known here matches."));
}

#[test]
fn who_could_not_be_asked_is_one_line_that_opens() {
    let mut window = Window::new(people::many());
    window.type_into(BOX, "person").sent();
    assert!(window.says("More people match; type more letters."));
    let line = "The directory ldap.northwind.example does not answer. Check that the directory server \
        runs and that port 636 is open from here.";
    assert!(!window.says("For the UC administrator"));
    window.press(line);
    assert!(window.says("For the UC administrator"));
    let remedy = "Check that the directory server runs and that port 636 is open from here.";
    let remedy = window.harness.get_by_label(remedy).rect();
    assert!(remedy.bottom() <= 800.0, "the rows make room: {remedy}");
    window.press(line);
    assert!(!window.says("For the UC administrator"));
    // By keys too; never as a toast.
    window.control(line).focus();
    window.key(Modifiers::NONE, Key::Enter);
    assert!(window.says("For the UC administrator") && !window.says("Dismiss"));
    check(&mut window, &[]);
}

#[test]
fn the_results_are_walked_by_keys() {
    let mut window = searching(search(SearchStage::Done));
    window.control(BOX).focus();
    window.key(Modifiers::NONE, Key::ArrowDown);
    assert!(focused(&window).starts_with("Amira Khalil"), "{}", focused(&window));
    window.key(Modifiers::NONE, Key::ArrowDown);
    assert_eq!(focused(&window), AMELIE);
    window.key(Modifiers::NONE, Key::ArrowUp).key(Modifiers::NONE, Key::ArrowUp);
    assert_eq!(focused(&window), BOX);
    window.key(Modifiers::NONE, Key::ArrowDown);
    for _ in 0..20 {
        window.key(Modifiers::NONE, Key::ArrowDown);
    }
    assert!(focused(&window).starts_with("+49 30 5550 0142"), "{}", focused(&window));
}

#[test]
fn the_focus_stays_with_the_person_whatever_else_is_found() {
    let mut window = searching(search(SearchStage::Asking));
    window.key(Modifiers::NONE, Key::ArrowDown).key(Modifiers::NONE, Key::ArrowDown);
    assert_eq!(focused(&window), AMELIE);
    // One goes away above, others come below.
    let mut more = search(SearchStage::Done);
    let all = &mut Arc::make_mut(&mut more.people).people;
    all.remove(0);
    all.push(people::person("Amos Late", SourceKind::Ldap, "cn=amos"));
    window.see(more);
    assert_eq!(focused(&window), AMELIE);
    window.key(Modifiers::NONE, Key::ArrowDown);
    assert!(focused(&window).starts_with("Plumber"), "{}", focused(&window));
    window.key(Modifiers::NONE, Key::ArrowUp).key(Modifiers::NONE, Key::Enter);
    let sent = window.sent();
    assert!(sent.iter().any(|it| it.starts_with("OpenChat") && it.contains("amelie@")), "{sent:?}");
}

#[test]
fn two_hundred_rows_cost_what_a_screen_does_and_are_all_reached_by_keys() {
    let mut window = Window::new(people::many());
    window.type_into(BOX, "person").sent();
    assert!(window.says("200 people"));
    assert!(rows(&window).len() < 20, "{}", rows(&window).len());
    window.key(Modifiers::NONE, Key::ArrowDown);
    for _ in 0..60 {
        window.key(Modifiers::NONE, Key::ArrowDown);
    }
    assert!(focused(&window).starts_with("Person 060"), "{}", focused(&window));
    for _ in 0..40 {
        window.key(Modifiers::NONE, Key::ArrowUp);
    }
    assert!(focused(&window).starts_with("Person 020"), "{}", focused(&window));
    window.key(CTRL, Key::Enter);
    let end = "Contacts(Type { query: \"\" })";
    check(&mut window, &["Dial { to: Number(\"7020\"), video: false }", end]);
}

#[test]
fn enter_opens_a_chat_or_the_card_and_ctrl_enter_calls() {
    let mut window = searching(search(SearchStage::Done));
    window.key(Modifiers::NONE, Key::Enter);
    assert!(window.sent()[0].starts_with("OpenChat"));
    let mut window = searching(search(SearchStage::Done));
    window.key(CTRL, Key::Enter);
    assert_eq!(window.sent()[0], "Dial { to: Number(\"4217\"), video: false }");
    let mut window = searching(search(SearchStage::Done));
    for _ in 0..3 {
        window.key(Modifiers::NONE, Key::ArrowDown);
    }
    assert!(focused(&window).starts_with("Plumber"), "{}", focused(&window));
    window.key(Modifiers::NONE, Key::Enter);
    check(&mut window, &[]);
    assert!(window.says("Known from") && window.says("+49 30 5550 0177"), "the card");
    let mut broken = search(SearchStage::Done);
    broken.session.services.phone.state = offhook_model::ServiceState::Failed;
    let mut window = searching(broken);
    window.key(CTRL, Key::Enter);
    check(&mut window, &[]);
}

#[test]
fn a_row_offers_its_buttons_when_it_has_the_focus_and_keeps_them_for_tab() {
    let mut window = searching(search(SearchStage::Done));
    let chat = "Chat with Amélie Østergård";
    assert!(!window.says(chat), "not before");
    window.key(Modifiers::NONE, Key::ArrowDown).key(Modifiers::NONE, Key::ArrowDown);
    for wanted in [chat, "Call Amélie Østergård", "Add Amélie Østergård to contacts"] {
        window.key(Modifiers::NONE, Key::Tab);
        assert_eq!(focused(&window), wanted);
    }
    window.key(Modifiers::NONE, Key::Enter);
    let sent = window.sent();
    assert!(sent[0].starts_with("RosterAdd") && sent[0].contains("amelie@"), "{sent:?}");
    window.key(Modifiers::SHIFT, Key::Tab).key(Modifiers::SHIFT, Key::Tab);
    window.key(Modifiers::SHIFT, Key::Tab);
    assert_eq!(focused(&window), AMELIE);
    window.key(Modifiers::NONE, Key::Tab).key(Modifiers::NONE, Key::Enter);
    assert!(window.sent()[0].starts_with("OpenChat"));
}

#[test]
fn of_several_numbers_one_is_chosen_by_what_it_is_for() {
    let mut window = searching(search(SearchStage::Done));
    window.key(Modifiers::NONE, Key::ArrowDown).key(Modifiers::NONE, Key::ArrowDown);
    window.press("Call Amélie Østergård");
    for shown in
        ["Work · +45 86 55 01 42", "Home · +45 86 55 01 44", "amelie@voice.northwind.example"]
    {
        assert!(window.says(shown), "{shown}");
    }
    window.press("Mobile · +45 20 55 01 43");
    assert_eq!(window.sent()[0], "Dial { to: Number(\"+4520550143\"), video: false }");
    // One number needs no choice.
    let mut window = searching(search(SearchStage::Done));
    for _ in 0..3 {
        window.key(Modifiers::NONE, Key::ArrowDown);
    }
    window.press("Call Plumber Amsel & Sons");
    assert_eq!(window.sent()[0], "Dial { to: Number(\"+493055500177\"), video: false }");
}

#[test]
fn the_menu_of_a_row_opens_by_both_keys() {
    for (modifiers, key) in [(Modifiers::SHIFT, Key::F10), (Modifiers::NONE, Key::Menu)] {
        let mut window = searching(search(SearchStage::Done));
        window.key(Modifiers::NONE, Key::ArrowDown).key(Modifiers::NONE, Key::ArrowDown);
        window.key(modifiers, key);
        for entry in ["Details", "Call +45 86 55 01 42", "Add to contacts"] {
            assert!(window.says(entry), "{entry}");
        }
        window.press("Details");
        assert!(window.says("Known from"));
    }
}

#[test]
fn a_picture_is_asked_for_once_while_its_row_is_seen() {
    let mut window = searching(search(SearchStage::Done));
    window.wait(1_000);
    window.see(search(SearchStage::Done)).wait(1_000);
    check(&mut window, &[]);
    let mut window = Window::new(search(SearchStage::Done));
    check(&mut window, &[]);
    window.type_into(BOX, "am");
    let sent = window.sent();
    assert_eq!(
        sent,
        [
            "Contacts(Type { query: \"am\" })",
            "Contacts(Portrait { source: Ldap, id: \"cn=amelie\" })",
        ]
    );
    // None, and what is no picture, shows as initials and is not asked for again.
    for bytes in [None, Some(Arc::from(&b"no picture"[..]))] {
        let mut snapshot = search(SearchStage::Done);
        let key = (SourceKind::Ldap, "cn=amelie".to_owned());
        snapshot.portraits = Arc::new([(key, bytes)].into());
        window.see(snapshot).wait(1_000);
        check(&mut window, &[]);
    }
}

#[test]
fn the_card_tells_everything_and_who_says_it() {
    let mut window = searching(search(SearchStage::Done));
    window.key(Modifiers::NONE, Key::ArrowDown).key(Modifiers::NONE, Key::ArrowDown);
    window.key(Modifiers::NONE, Key::Menu).press("Details");
    let sent = window.sent();
    assert!(sent[0].contains("Details") && sent[0].contains("amelie"), "{sent:?}");
    for text in [
        "amelie@northwind.example",
        "Number (Work)",
        "+45 20 55 01 43",
        "Number (Home)",
        "amelie@voice.northwind.example",
        "Head of purchasing",
        "Purchasing",
        "Aarhus, second floor",
        "Board, Purchasing",
        "Directory",
    ] {
        assert!(window.says(text), "{text}");
    }
    window.type_into("Group (optional)", "Suppliers").press("Add to contacts");
    let sent = window.sent();
    let wanted = "name: Some(\"Amélie Østergård\"), groups: Some([\"Suppliers\"])";
    assert!(sent[0].contains("RosterAdd") && sent[0].contains(wanted), "{sent:?}");
    assert!(!window.says("Known from"));
}

#[test]
fn the_card_calls_writes_and_copies() {
    let card = || {
        let mut window = searching(search(SearchStage::Done));
        window.key(Modifiers::NONE, Key::ArrowDown).key(Modifiers::NONE, Key::ArrowDown);
        window.key(Modifiers::NONE, Key::Menu).press("Details");
        window.sent();
        window
    };
    let mut window = card();
    window.press("Call +45 86 55 01 44");
    assert_eq!(window.sent()[0], "Dial { to: Number(\"+4586550144\"), video: false }");
    assert!(!window.says("Known from"), "the call is in front");
    let mut window = card();
    window.press("Chat with amelie@northwind.example");
    assert!(window.sent()[0].starts_with("OpenChat"));
    let mut window = card();
    let name = "Copy +45 86 55 01 42";
    window.control(name).click();
    let mut copied = vec![];
    for _ in 0..4 {
        window.harness.step();
        let commands = &window.harness.output().platform_output.commands;
        copied.extend(commands.iter().map(|command| format!("{command:?}")));
    }
    assert!(copied.iter().any(|it| it.contains("+45 86 55 01 42")), "{copied:?}");
}

#[test]
fn in_phone_mode_people_are_called_and_not_written_to() {
    let mut snapshot = search(SearchStage::Done);
    snapshot.session.product_mode = Some(offhook_model::ProductMode::PhoneOnly);
    let mut window = searching(snapshot);
    window.key(Modifiers::NONE, Key::ArrowDown).key(Modifiers::NONE, Key::ArrowDown);
    assert!(window.says("Call Amélie Østergård") && !window.says("Chat with"));
    assert!(!window.says("to contacts"));
    window.key(Modifiers::NONE, Key::Enter);
    check(&mut window, &[]);
    assert!(window.says("Known from") && !window.says("Add to contacts"));
}

#[test]
fn search_is_said_in_german_too() {
    let size = egui::vec2(1240.0, 800.0);
    let mut window = Window::of(people::many(), size, "de");
    window.type_into("Suchen oder anrufen", "person");
    assert!(window.says("Es passen noch mehr Personen") && window.says("Verzeichnis"));
    let tree = window.tree();
    for bad in ["search-", "number-", "source-", "person-"] {
        assert!(!tree.contains(&format!("\"{bad}")), "{tree}");
    }
}

const GROUP: &str = "Amsterdam, The office in Amsterdam";
const ADD_GROUP: &str = "Add the group Amsterdam to contacts";

#[test]
fn groups_stand_below_the_people_and_nobody_moves_when_they_come() {
    let mut window = searching(search(SearchStage::Asking));
    // A bar to scroll by may come.
    let place = |window: &Window| window.harness.get_by_label(AMELIE).rect().left_top();
    let before = place(&window);
    assert!(!window.says("3 groups"));
    window.see(people::search_with_groups(SearchStage::Done, 7));
    assert_eq!(place(&window), before, "nobody moves");
    let all = rows(&window);
    assert_eq!(all.len(), 10);
    assert_eq!(all[7..9], [GROUP, "Ambassadors"]);
    // Where nobody was found, groups may be.
    window.see(people::search_with_groups(SearchStage::Done, 0));
    assert!(window.says("Nobody matches.") && window.says("3 groups"));
    let mut more = people::search_with_groups(SearchStage::Done, 2);
    Arc::make_mut(&mut more.people).more_groups = true;
    window.see(more);
    assert!(window.says("More groups match; type more letters."));
    // Without chat there is nothing to take them over into.
    let mut phone = people::search_with_groups(SearchStage::Done, 7);
    phone.session.product_mode = Some(offhook_model::ProductMode::PhoneOnly);
    window.see(phone);
    assert_eq!(rows(&window).len(), 7);
    assert!(!window.says("3 groups"));
}

#[test]
fn a_group_is_taken_over_by_keys_alone_and_what_came_of_it_is_said() {
    let snapshot = people::search_with_groups(SearchStage::Done, 2);
    let mut window = searching(snapshot.clone());
    for _ in 0..3 {
        window.key(Modifiers::NONE, Key::ArrowDown);
    }
    assert_eq!(focused(&window), GROUP);
    window.key(Modifiers::NONE, Key::ArrowDown).key(Modifiers::NONE, Key::ArrowUp);
    window.key(Modifiers::NONE, Key::Tab);
    assert_eq!(focused(&window), ADD_GROUP);
    window.key(Modifiers::NONE, Key::Enter);
    check(&mut window, &[]);
    assert!(window.says("Everybody in it who has a chat address"), "it is asked first");
    window.key(Modifiers::NONE, Key::Escape);
    check(&mut window, &[]);
    assert!(!window.says("Everybody in it"), "it was not meant");
    window.control(GROUP).focus();
    window.harness.run();
    window.key(Modifiers::NONE, Key::Enter);
    assert_eq!(focused(&window), "Add to contacts");
    window.key(Modifiers::NONE, Key::Enter);
    let id = &people::groups()[0].id;
    check(&mut window, &[&format!("Contacts(TakeGroup {{ id: {id:?} }})")]);
    assert!(window.says("The directory is asked who is in it…"));
    let mut told = snapshot.clone();
    told.group_taking = Some(Arc::new(people::taken()));
    window.see(told.clone());
    for words in [
        "84 contacts were added.",
        "6 contacts that you had are in the group now.",
        "One contact was in the group already.",
        "5 people were left out: the directory knows no chat address of them.",
        "3 members were left out: they are no people, or may not be read.",
        "12 more are in the group and were left out: 100 are added at most.",
    ] {
        assert!(window.says(words), "{words}");
    }
    assert_eq!(focused(&window), "Close");
    window.key(Modifiers::NONE, Key::Enter);
    assert!(!window.says("84 contacts were added."));
    check(&mut window, &[]);
    // What came of the last one is not said of the next; one is taken over at a time.
    window.press(ADD_GROUP);
    assert!(!window.says("84 contacts were added."));
    let running = offhook_model::GroupTaking { number: 2, outcome: None, ..people::taken() };
    told.group_taking = Some(Arc::new(running));
    window.see(told.clone());
    assert!(window.says("Another group is being added."));
    window.press("Add to contacts");
    check(&mut window, &[]);
    let error = offhook_model::CommandError::user(
        offhook_model::ErrorCode::Failed,
        "The directory does not answer.",
        "Try again later.",
    );
    let failed = |number| {
        let failed = Err(error.clone());
        Some(Arc::new(offhook_model::GroupTaking {
            number,
            outcome: Some(failed),
            ..people::taken()
        }))
    };
    told.group_taking = failed(2);
    window.see(told.clone());
    assert!(!window.says("does not answer"), "that was another");
    window.press("Add to contacts");
    assert_eq!(window.sent().len(), 1);
    told.group_taking = failed(3);
    window.see(told);
    assert!(window.says("The directory does not answer.") && window.says("Try again later."));
}

#[test]
fn a_screen_reader_is_told_of_groups_and_the_question() {
    let mut window = searching(people::search_with_groups(SearchStage::Done, 1));
    insta::assert_snapshot!("groups_found", window.tree());
    window.press(ADD_GROUP);
    insta::assert_snapshot!("group_question", window.tree());
}
