//! What can be done with calls and with the phone, walked through as a person does.

mod common;

use std::sync::Arc;

use common::Window;
use common::sample::{self, call, jid};
use offhook_model::{CallState, DeskPhone, PhoneState, Repair, SilentLeg, Snapshot};
use offhook_shell::Place;

fn one() -> Window {
    Window::new(sample::calling(vec![call(1, "4217", CallState::Connected)]))
}

fn check(window: &mut Window, wanted: &[&str]) {
    assert_eq!(window.sent(), wanted);
}

fn phone(phone: PhoneState) -> Window {
    let snapshot = Snapshot { phone: Arc::new(phone), ..sample::hub() };
    let mut window = Window::new(snapshot).open(Place::Chat(jid("amira")));
    window.sent();
    window
}

#[test]
fn a_call_is_given_away_at_once_or_after_asking() {
    let mut window = one();
    window.press("Transfer");
    window.type_into("Number or address", "4302").press("Transfer now");
    check(&mut window, &["Call(Transfer { id: CallId(1), to: Number(\"4302\") })"]);

    let mut window = one();
    window.press("Transfer");
    window.type_into("Number or address", "4302").press("Ask first");
    check(&mut window, &["Dial { to: Number(\"4302\"), video: false }"]);
    let mut first = call(1, "4217", CallState::Held);
    first.can.transfer = true;
    window.see(sample::calling(vec![first, call(2, "4302", CallState::Connected)]));
    window.press("Transfer Amira Khalil here");
    check(&mut window, &["Call(Connect { id: CallId(1), other: CallId(2) })"]);
}

#[test]
fn what_is_no_number_is_said() {
    let mut window = one();
    window.press("Transfer");
    window.type_into("Number or address", "<>").press("Transfer now");
    assert!(window.says("This is neither a number nor an address."));
    check(&mut window, &[]);
}

#[test]
fn two_calls_become_a_conference() {
    let calls = vec![call(1, "4217", CallState::Connected), call(2, "4302", CallState::Held)];
    let mut window = Window::new(sample::calling(calls));
    let name = if window.tree().contains("Amira Khalil") { "" } else { panic!("who") };
    let _ = name;
    window.press("More");
    let tree = window.tree();
    let entry = tree.lines().find_map(|line| {
        let name = line.trim().strip_prefix("MenuItem \"Conference with ")?;
        Some(format!("Conference with {}", name.trim_end_matches('"')))
    });
    window.press(&entry.expect("an entry"));
    check(&mut window, &["Call(Merge { id: CallId(1), other: CallId(2) })"]);
    let mut window = Window::new(sample::controlled());
    window.press("Take Amira Haddad out of the conference");
    check(&mut window, &["Call(Expel { id: CallId(1), participant: \"c1\" })"]);
}

#[test]
fn only_what_is_possible_is_offered() {
    let mut bare = call(1, "4217", CallState::Connected);
    bare.can = offhook_model::CallAbilities::default();
    bare.preserved = true;
    let mut window = Window::new(sample::calling(vec![bare]));
    assert!(window.says("The call server is gone."));
    window.press("More").press("Hold");
    check(&mut window, &[]);
}

#[test]
fn a_ringing_call_goes_to_voicemail_or_ends_the_other() {
    let calls = vec![
        call(1, "4217", CallState::Connected),
        call(2, "+49 30 5550 0142", CallState::Incoming),
    ];
    let mut window = Window::new(sample::calling(calls)).open(Place::Chat(jid("amira")));
    window.sent();
    window.press("More");
    let (menu, card) = (window.control("End and answer").rect(), window.control("Decline").rect());
    assert!(menu.bottom() < card.top() - 60.0, "who calls is not covered: {menu} {card}");
    window.press("Send to voicemail");
    check(&mut window, &["Call(Divert(CallId(2)))"]);
    window.press("More").press("End and answer");
    check(&mut window, &["HangUp(CallId(1))", "Answer(CallId(2))"]);
}

#[test]
fn the_phone_is_set_in_its_menu() {
    let can = sample::phone().can;
    let mut window = phone(PhoneState { can, ..PhoneState::default() });
    window.press("Phone: calls ring here").press("Calls are refused");
    check(&mut window, &["Call(DoNotDisturb(Some(Reject)))"]);
    window.press("Phone: calls ring here");
    window.type_into("Forward all calls to", "4302").press("Forward");
    check(&mut window, &["Call(Forward(Some(To(Number(\"4302\")))))"]);
    window.press("Phone: calls ring here").press("Pick up a call of your group");
    check(&mut window, &["Call(Pickup(Group))"]);
    let mut window = phone(sample::phone());
    let name = "Phone: calls go to 4302, 3 voice messages";
    window.press(name).press("Stop forwarding");
    check(&mut window, &["Call(Forward(None))"]);
    window.press(name).press("Take back Lena Brandt · 5001");
    check(&mut window, &["Dial { to: Number(\"5001\"), video: false }"]);
    window.press(name).press("Call the last number again");
    check(&mut window, &["Call(Redial)"]);
}

#[test]
fn calls_are_made_with_the_phone_on_the_desk() {
    let desk_phones = vec![DeskPhone { device: "SEP0012".into(), model: "Cisco 8845".into() }];
    let state = PhoneState { desk_phones, ..PhoneState::default() };
    let mut window = phone(state.clone());
    let menu = "Phone: calls ring here";
    window.press(menu).press("Call with Cisco 8845 · SEP0012");
    check(&mut window, &["Call(CallWith(Some(\"SEP0012\")))"]);
    let mut window = phone(PhoneState { desk: Some("SEP0012".into()), ..state });
    window.press(menu).press("Call with this computer");
    check(&mut window, &["Call(CallWith(None))"]);
    let mut at_desk = call(1, "4217", CallState::Ringing);
    at_desk.desk = Some("SEP0012".into());
    let window = Window::new(sample::calling(vec![at_desk]));
    assert!(window.says("At the phone on your desk"));
}

#[test]
fn the_phone_is_taken_over_only_when_the_person_says_so() {
    let mut window = Window::new(sample::elsewhere());
    window.press("Not now");
    check(&mut window, &[]);
    assert!(!window.says("Use your phone here?"));
    let mut window = Window::new(sample::elsewhere());
    window.press("Use it here");
    check(&mut window, &["Call(TakeOver)"]);
}

#[test]
fn nothing_is_dialled_for_a_stranger_before_the_person_says_so() {
    let mut window = Window::new(sample::asked_to_call());
    assert!(window.says("Call 4302?"));
    window.press("Do not call");
    check(&mut window, &["Call(AnswerReferral { id: 7, accept: false })"]);
    // Nor behind the question, where nothing takes the focus from it.
    let mut window = Window::new(sample::asked_to_call()).open(Place::Chat(jid("amira")));
    assert!(window.control("Do not call").is_focused());
    window.sent();
    window.key(egui::Modifiers::COMMAND, egui::Key::K);
    assert!(window.control("Do not call").is_focused());
    window.press("Do not call");
    // Who types on and presses Enter has not said yes.
    for key in [egui::Key::Enter, egui::Key::Space, egui::Key::Escape] {
        let mut window = Window::new(sample::asked_to_call());
        assert!(window.control("Do not call").is_focused());
        window.key(egui::Modifiers::NONE, key);
        check(&mut window, &["Call(AnswerReferral { id: 7, accept: false })"]);
    }
    let mut window = Window::new(sample::asked_to_call());
    window.press("Make the call");
    check(&mut window, &["Call(AnswerReferral { id: 7, accept: true })"]);
}

#[test]
fn what_the_phone_is_set_to_stands_above_the_lists_and_ends_there() {
    let mut window = phone(PhoneState { voicemail: Some("8000".into()), ..sample::phone() });
    window.press("End: All calls go to 4302");
    check(&mut window, &["Call(Forward(None))"]);
    window.press("Take back: Parked at 5001: Lena Brandt");
    check(&mut window, &["Dial { to: Number(\"5001\"), video: false }"]);
    let mut window = window.open(Place::Calls);
    window.press("Listen: 3 voice messages");
    check(&mut window, &["Dial { to: Number(\"8000\"), video: false }"]);
    let dnd = Some(offhook_model::Dnd::Reject);
    let mut window = phone(PhoneState { dnd, ..PhoneState::default() });
    window.press("End: Calls are refused");
    check(&mut window, &["Call(DoNotDisturb(None))"]);
}

#[test]
fn a_call_is_given_to_one_that_is_held() {
    let calls =
        vec![call(1, "4217", CallState::Connected), call(2, "+49 30 5550 0142", CallState::Held)];
    let mut window = Window::new(sample::calling(calls));
    window.press("Transfer").press("Transfer to Lena Sommer");
    check(&mut window, &["Call(Connect { id: CallId(1), other: CallId(2) })"]);
}

#[test]
fn a_menu_is_walked_and_closed_by_keys() {
    let calls =
        vec![call(1, "4217", CallState::Connected), call(2, "+49 30 5550 0142", CallState::Held)];
    let mut window = Window::new(sample::calling(calls));
    window.control("More").focus();
    window.key(egui::Modifiers::NONE, egui::Key::Enter);
    assert!(window.tree().contains("MenuItem \"Park\""));
    window.control("Park").focus();
    window.key(egui::Modifiers::NONE, egui::Key::Enter);
    check(&mut window, &["Call(Park(CallId(1)))"]);
    assert!(!window.tree().contains("MenuItem"), "it is closed");
    window.control("More").focus();
    window.key(egui::Modifiers::NONE, egui::Key::Enter);
    window.key(egui::Modifiers::NONE, egui::Key::Escape);
    assert!(!window.tree().contains("MenuItem"), "Escape closes it");
    check(&mut window, &[]);
}

#[test]
fn a_line_that_is_watched_shows_its_lamp() {
    let line = |number: &str, state| offhook_model::WatchedLine { number: number.into(), state };
    let lines = vec![
        line("4217", offhook_model::LineState::Busy),
        line("4302", offhook_model::LineState::Ringing),
    ];
    let window = phone(PhoneState { lines, ..PhoneState::default() }).open(Place::Contacts);
    assert!(window.says("Amira Khalil, On the phone · Available"));
    assert!(window.says("Jonas Weber, Phone rings · Available"));
    assert!(window.says("Pedro Barros, Offline"));
}

fn check_watched(window: &mut Window, wanted: &str) {
    let sent = window.sent();
    let watched: Vec<&String> = sent.iter().filter(|one| one.contains("Watch(")).collect();
    assert_eq!(watched, [&format!("Call(Watch([{wanted}]))")]);
}

#[test]
fn the_lines_of_favourites_are_watched_and_those_of_scripts_stay() {
    let mut snapshot = sample::favourite(sample::hub(), "ravi");
    let mut window = Window::new(snapshot.clone());
    check_watched(&mut window, "Number(\"4188\")");
    let line = |number: &str| offhook_model::WatchedLine {
        number: number.into(),
        state: offhook_model::LineState::Idle,
    };
    let phone = PhoneState { lines: vec![line("4188"), line("5000")], ..PhoneState::default() };
    snapshot.phone = Arc::new(phone);
    window.see(snapshot.clone());
    check(&mut window, &[]);
    // Presence of somebody changes, and nobody's line is asked for anew.
    window.see(sample::favourite(snapshot.clone(), "sofia"));
    check(&mut window, &[]);
    let mut other = sample::favourite(sample::hub(), "amira");
    other.phone = Arc::clone(&snapshot.phone);
    window.see(other);
    check_watched(&mut window, "Number(\"5000\"), Number(\"4217\")");
}

#[test]
fn favourites_stand_first_and_are_called_at_a_press() {
    let mut window = Window::new(sample::favourite(sample::hub(), "ravi")).open(Place::Contacts);
    let tree = window.tree();
    let at = |name: &str| tree.find(&format!("ListItem \"{name}")).expect("a row");
    assert!(at("Ravi Menon") < at("Amira Khalil"), "{tree}");
    window.sent();
    window.control("Ravi Menon, Do not disturb · On a call").focus();
    window.harness.run();
    window.key(egui::Modifiers::SHIFT, egui::Key::F10).press("Remove from favourites");
    let sent = window.sent();
    assert!(sent[0].contains("Groups") && sent[0].contains("groups: []"), "{sent:?}");
    let mut window = Window::new(sample::favourites()).open(Place::Calls);
    window.sent();
    window.press("Call Ravi Menon, 4188 · On the phone");
    check(&mut window, &["Dial { to: Number(\"4188\"), video: false }"]);
}

#[test]
fn answering_by_itself_is_a_switch_of_the_settings() {
    let mut window = Window::tall(sample::hub()).open(Place::Settings);
    window.press("Answer calls that ask for it by themselves");
    assert!(window.sent().concat().contains("answer_if_asked: true"));
}

#[test]
fn ways_of_calls_are_set_and_the_password_leaves_at_once() {
    let mut window = Window::tall(sample::hub()).open(Place::Settings);
    window.press("Look for ways (ICE): Always");
    assert!(window.sent().concat().contains("ice: Some(true)"));
    window.press("Send sound by the relay only");
    assert!(window.sent().concat().contains("relay_only: true"));
    window.type_into("Relay (TURN)", "turns:turn.example.com");
    window.type_into("User at the relay", "alice");
    assert!(window.sent().concat().contains("turn: Some(\"turns:turn.example.com\")"));
    window.type_into("Password at the relay", "Secret-0f-the-relay");
    window.press("Keep password");
    let sent = window.sent().concat();
    assert!(sent.contains("SetRelayPassword(Secret(") && !sent.contains("0f-the-relay"), "{sent}");
    assert!(!window.tree().contains("0f-the-relay"));
    window.press("Forget password");
    assert!(window.sent().concat().contains("SetRelayPassword"));
}

#[test]
fn what_is_done_to_our_voice_and_whose_tones_sound_is_chosen() {
    let mut window = Window::tall(sample::hub()).open(Place::Settings);
    for (switch, member) in [
        ("Take out what your loudspeaker plays", "echo_cancellation: false"),
        ("Lower steady noise", "noise_suppression: false"),
        ("Keep your voice at an even loudness", "automatic_gain: false"),
    ] {
        window.press(switch);
        assert!(window.sent().concat().contains(member), "{member}");
    }
    window.press("Tones of a call: International").press("Austria");
    assert!(window.sent().concat().contains("tones: Some(At)"));
}

#[test]
fn who_is_not_heard_is_said_with_what_is_tried_or_to_be_done() {
    let mut window = Window::new(sample::unheard(SilentLeg::MicrophoneSilent, None));
    assert!(window.says("the microphone is open and gives nothing at all"));
    assert!(window.says("Switch it on at the headset"));
    window.see(sample::unheard(SilentLeg::NotArriving, Some(Repair::Renewing)));
    assert!(window.says("The other side is told once more where the sound goes"));
    let window = window.open(Place::Chat(jid("amira")));
    assert!(window.says("They cannot hear you"));
}
