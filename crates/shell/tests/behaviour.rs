//! What a person does in the window and which commands leave it.

mod common;

use common::Window;
use common::sample::{self, call, jid};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use offhook_model::{
    CallState, Delivery, ProductMode, Role, Snapshot, SoundTest, TestPhase, Theme,
};
use offhook_shell::Place;

const CTRL: Modifiers = Modifiers::COMMAND;

fn check(window: &mut Window, wanted: &[&str]) {
    assert_eq!(window.sent(), wanted);
}

fn both() -> Modifiers {
    Modifiers::COMMAND | Modifiers::SHIFT
}

/// A window on Amira's conversation, with the commands of opening it already read.
fn chatting() -> Window {
    let mut window = Window::new(sample::hub()).open(Place::Chat(jid("amira")));
    window.sent();
    window
}

fn in_call(state: CallState) -> Window {
    let mut window =
        Window::new(sample::calling(vec![call(1, "4188", state)])).open(Place::Chat(jid("amira")));
    window.sent();
    window
}

#[test]
fn a_conversation_is_opened_read_and_written_in() {
    let mut window = Window::new(sample::hub());
    window.press(
        "Ravi Menon, Do not disturb, 2 unread messages, The slides are in the folder., 10:17",
    );
    let ravi = "Jid { bare: \"ravi@northwind.example\", resource: None }";
    check(
        &mut window,
        &[&format!("OpenChat {{ with: {ravi} }}"), &format!("MarkRead {{ with: {ravi} }}")],
    );
    window.type_into("Message Ravi", "On my way");
    check(&mut window, &[&format!("Typing {{ to: {ravi}, typing: true }}")]);
    window.key(Modifiers::NONE, Key::Enter);
    let wanted = format!("SendChat {{ to: {ravi}, body: \"On my way\" }}");
    check(&mut window, &[&wanted]);
    let left = window.control("Message Ravi").value();
    assert_eq!(left.unwrap_or_default(), "");
}

#[test]
fn shift_and_enter_begin_a_new_line() {
    let mut window = chatting();
    window.type_into("Message Amira", "one");
    window.key(Modifiers::SHIFT, Key::Enter);
    window.control("Message Amira").type_text("two");
    window.harness.run();
    window.press("Send");
    let sent = window.sent();
    assert!(sent.iter().any(|one| one.contains("one\\ntwo")), "{sent:?}");
}

#[test]
fn a_draft_stays_with_its_conversation() {
    let mut window = chatting();
    window.type_into("Message Amira", "half a thought");
    window.key(Modifiers::CTRL, Key::Tab);
    assert!(window.says("Draft: half a thought"));
    window.key(Modifiers::CTRL | Modifiers::SHIFT, Key::Tab);
    let text = window.control("Message Amira").value();
    assert_eq!(text.as_deref(), Some("half a thought"));
}

#[test]
fn writing_is_taken_back_after_a_while() {
    let mut window = chatting();
    window.type_into("Message Amira", "hm");
    assert_eq!(window.sent().len(), 1);
    window.wait(4_000);
    check(&mut window, &[]);
    window.wait(2_000);
    let sent = window.sent();
    assert!(sent[0].contains("typing: false"), "{sent:?}");
}

#[test]
fn a_message_that_failed_says_why() {
    let snapshot = sample::with_messages(sample::hub(), |messages| {
        let last = messages.iter_mut().rfind(|message| message.own).expect("own");
        last.state = Delivery::Failed;
        last.error = Some("the address does not exist".into());
    });
    let window = Window::new(snapshot).open(Place::Chat(jid("amira")));
    assert!(window.says("Not delivered: the address does not exist"));
}

#[test]
fn a_web_address_in_a_message_can_be_followed() {
    let snapshot = sample::with_messages(sample::hub(), |messages| {
        let last = messages.last_mut().expect("message");
        last.body = "Look: https://wiki.northwind.example/edge.".into();
    });
    let window = Window::new(snapshot).open(Place::Chat(jid("amira")));
    let mut harness = window.harness;
    harness.get_by_label("https://wiki.northwind.example/edge").click();
    let mut opened = Vec::new();
    for _ in 0..4 {
        harness.step();
        let commands = &harness.output().platform_output.commands;
        opened.extend(commands.iter().map(|command| format!("{command:?}")));
    }
    let wanted = "https://wiki.northwind.example/edge\"";
    assert!(opened.iter().any(|one| one.contains(wanted)), "{opened:?}");
}

#[test]
fn an_incoming_call_is_answered_declined_or_answered_in_writing() {
    let ringing = || {
        let ring = call(3, "+49 30 5550 0142", CallState::Incoming);
        let mut window = Window::new(sample::calling(vec![ring]));
        window.sent();
        window
    };
    let mut window = ringing();
    assert!(window.says("Lena Sommer"));
    window.press("Answer");
    check(&mut window, &["Answer(CallId(3))"]);
    let mut window = ringing();
    window.press("Decline");
    check(&mut window, &["Decline(CallId(3))"]);
    let mut window = ringing();
    window.press("Decline and reply by chat");
    assert_eq!(window.sent()[0], "Decline(CallId(3))");
    assert!(window.says("Message Lena"));
    let mut window = ringing();
    window.key(CTRL, Key::L);
    check(&mut window, &["Answer(CallId(3))"]);
    let mut window = ringing();
    window.key(CTRL, Key::D);
    check(&mut window, &["Decline(CallId(3))"]);
}

#[test]
fn a_second_call_puts_the_first_on_hold() {
    let mut window = Window::new(sample::calling(vec![
        call(1, "4188", CallState::Connected),
        call(2, "4217", CallState::Incoming),
    ]));
    window.sent();
    window.press("Hold and answer");
    check(&mut window, &["Hold(CallId(1))", "Answer(CallId(2))"]);
}

#[test]
fn a_call_is_muted_held_and_ended_from_the_bar() {
    let mut window = in_call(CallState::Connected);
    window.press("Mute");
    check(&mut window, &["Mute { id: CallId(1), muted: true }"]);
    window.press("Hold");
    check(&mut window, &["Hold(CallId(1))"]);
    window.press("End");
    check(&mut window, &["HangUp(CallId(1))"]);
    let mut window = in_call(CallState::Held);
    window.press("Resume");
    check(&mut window, &["Resume(CallId(1))"]);
}

#[test]
fn a_call_obeys_its_keys() {
    let mut window = in_call(CallState::Connected);
    window.key(CTRL, Key::M);
    check(&mut window, &["Mute { id: CallId(1), muted: true }"]);
    window.key(both(), Key::H);
    check(&mut window, &["Hold(CallId(1))"]);
    window.key(both(), Key::T);
    assert!(window.says("Transfer the call with"));
    window.key(Modifiers::NONE, Key::Escape);
    window.key(both(), Key::E);
    check(&mut window, &["HangUp(CallId(1))"]);
}

#[test]
fn the_keypad_sends_tones() {
    let mut window = in_call(CallState::Connected);
    window.press("Keypad").press("Key 5");
    check(&mut window, &["Dtmf { id: CallId(1), digits: \"5\" }"]);
    window.press("Key #");
    check(&mut window, &["Dtmf { id: CallId(1), digits: \"#\" }"]);
}

#[test]
fn a_call_in_front_shows_everything_and_can_be_made_small() {
    let mut window = Window::new(sample::calling(vec![call(1, "4217", CallState::Connected)]));
    window.sent();
    for text in ["4217 · 04:12", "Good", "Encrypted"] {
        assert!(window.says(text), "{text}");
    }
    window.press("Keypad").press("Key 1");
    check(&mut window, &["Dtmf { id: CallId(1), digits: \"1\" }"]);
    window.press("Show the call as a bar");
    window.press("Show the call with Amira Khalil");
    window.press("End");
    check(&mut window, &["HangUp(CallId(1))"]);
}

#[test]
fn the_timer_asks_for_one_frame_a_second_and_nothing_else_for_any() {
    let mut window = in_call(CallState::Connected);
    let delay = |window: &Window| {
        let output = &window.harness.output().viewport_output;
        output[&egui::ViewportId::ROOT].repaint_delay
    };
    window.harness.step();
    assert!(delay(&window).as_millis() <= 1000 && delay(&window).as_millis() > 100);
    window.wait(1_000);
    assert!(window.says("04:13"));
    for snapshot in [
        sample::hub(),
        sample::favourites(),
        sample::asked_to_call(),
        sample::first_run(),
        sample::failure(),
        sample::toast(),
    ] {
        for place in [None, Some(Place::Contacts), Some(Place::Calls), Some(Place::Keys)] {
            let mut window = Window::new(snapshot.clone());
            window = place.into_iter().fold(window, Window::open);
            window.harness.run();
            window.harness.step();
            assert!(delay(&window).as_secs() > 60, "{:?}", delay(&window));
        }
    }
}

#[test]
fn a_call_that_ended_says_why() {
    let window = Window::new(sample::ended("busy")).open(Place::Chat(jid("amira")));
    assert!(window.says("Busy"));
}

#[test]
fn silence_in_a_call_is_said() {
    let mut one = call(1, "4217", CallState::Connected);
    one.sound = Some("silent".into());
    let window = Window::new(sample::calling(vec![one]));
    assert!(window.says("No sound"));
}

#[test]
fn availability_and_note_are_changed_in_one_menu() {
    let menu = "My availability: Available · Ready for the launch";
    let mut window = Window::new(sample::hub());
    window.press(menu).press("Do not disturb");
    let sent = window.sent();
    assert!(sent[0].contains("Dnd") && sent[0].contains("Ready for the launch"), "{sent:?}");
    window.press(menu);
    window.control("Note").focus();
    window.harness.run();
    window.key(CTRL, Key::A);
    window.control("Note").type_text("Back at three");
    window.harness.run();
    window.press("Save note");
    let sent = window.sent();
    assert!(sent[0].contains("Back at three"), "{sent:?}");
}

#[test]
fn no_call_is_offered_without_a_phone_service() {
    let mut window = Window::new(sample::phone_broken()).open(Place::Chat(jid("amira")));
    window.sent();
    assert!(window.control("Call Amira Khalil").accesskit_node().is_disabled());
    window.key(both(), Key::C);
    check(&mut window, &[]);
}

#[test]
fn a_person_is_called_from_the_conversation() {
    let mut window = chatting();
    window.press("Call Amira Khalil");
    check(&mut window, &["Dial { to: Number(\"4217\"), video: false }"]);
    window.key(both(), Key::C);
    check(&mut window, &["Dial { to: Number(\"4217\"), video: false }"]);
}

#[test]
fn the_dial_pad_collects_a_number() {
    let mut window = Window::new(sample::hub()).open(Place::Calls);
    for key in ["Key 4", "Key 2", "Key 1", "Key 7"] {
        window.press(key);
    }
    window.press("Call");
    check(&mut window, &["Dial { to: Number(\"4217\"), video: false }"]);
}

#[test]
fn a_missed_call_is_news_until_the_list_was_opened() {
    let mut window = Window::new(sample::hub());
    window.press("Calls, 1 missed call");
    window.press("Chats, 9 unread messages");
    assert!(!window.says("1 missed call"));
}

#[test]
fn a_request_is_accepted_or_refused() {
    let mut window = Window::new(sample::request()).open(Place::Contacts);
    window.press("Accept");
    let sent = window.sent();
    assert!(sent[0].contains("tomas") && sent[0].contains("allow: true"), "{sent:?}");
    window.press("Refuse");
    assert!(window.sent()[0].contains("allow: false"));
}

#[test]
fn a_contact_is_added_by_address() {
    let mut window = Window::new(sample::hub()).open(Place::Contacts);
    window.press("Add contact");
    window.type_into("Address", "nobody").press("Add");
    assert!(window.says("has a name before the @"));
    window.type_into("Address", "@other.example");
    window.type_into("Name (optional)", "No Body").press("Add");
    let sent = window.sent();
    assert!(sent[0].contains("RosterAdd") && sent[0].contains("nobody@other.example"), "{sent:?}");
    assert!(!window.says("Name (optional)"));
}

#[test]
fn settings_choose_theme_language_and_devices() {
    let mut window = Window::new(sample::hub()).open(Place::Settings);
    // Who looks at the devices wants to see those that there are now.
    check(&mut window, &["RefreshDevices"]);
    window.press("Theme: Dark");
    assert!(window.sent()[0].contains("theme: Dark"));
    window.press("Language: Deutsch");
    assert!(window.sent()[0].contains("language: Some(\"de\")"));
    window.press("Ringer: System default");
    window.press("HDMI monitor");
    check(&mut window, &["SelectDevice { role: Ringer, spec: Device(\"HDMI monitor\") }"]);
    window.press("Look for devices again");
    check(&mut window, &["RefreshDevices"]);
}

#[test]
fn devices_are_tried_out_by_keys_and_it_is_said_how_that_went() {
    let test = |phase, peak_db| SoundTest { role: Role::Input, phase, peak_db };
    let mut window = Window::new(sample::tried(test(TestPhase::Done, Some(-14))));
    window = window.open(Place::Settings);
    window.sent();
    assert!(window.says("works by Bluetooth's headset profile"));
    assert!(window.says("The microphone works (-14 dB at its loudest)."));
    for (button, role) in
        [("Record and play back", "Input"), ("Play a tone", "Output"), ("Ring", "Ringer")]
    {
        window.press(button);
        check(&mut window, &[&format!("TestDevice({role})")]);
    }
    window.see(sample::tried(test(TestPhase::Recording, None)));
    assert!(window.says("four seconds are recorded"));
    window.see(sample::tried(test(TestPhase::Done, None)));
    assert!(window.says("The microphone gave nothing."));
}

#[test]
fn packets_are_marked_by_choice_where_no_administrator_decides() {
    let mut window = Window::tall(sample::hub()).open(Place::Settings);
    window.sent();
    window.press("Mark packets of calls for differentiated service");
    assert!(window.sent()[0].contains("differentiated_service: Some(false)"));
    let mut snapshot = sample::hub();
    let setting = offhook_model::Setting {
        key: "EnableDSCPPacketMarking".into(),
        section: None,
        value: "false".into(),
        line: None,
    };
    snapshot.layers = std::sync::Arc::new(vec![offhook_model::Layer {
        source: offhook_model::Source::GlobalFile,
        origin: "jabber-config.xml".into(),
        settings: vec![setting],
        oddities: vec![],
    }]);
    let window = Window::new(snapshot).open(Place::Settings);
    assert!(window.says("Your administrator has decided"));
}

#[test]
fn the_theme_and_language_of_the_settings_are_shown() {
    let mut window = Window::new(sample::themed(sample::hub(), Theme::Light));
    assert!(!window.harness.ctx.global_style().visuals.dark_mode);
    let mut snapshot = sample::themed(sample::hub(), Theme::Dark);
    let mut settings = offhook_model::Settings::clone(&snapshot.settings);
    settings.language = Some("de".into());
    snapshot.settings = settings.into();
    window.see(snapshot);
    assert!(window.harness.ctx.global_style().visuals.dark_mode);
    assert!(window.says("Suchen oder anrufen"));
}

#[test]
fn connection_status_opens_by_key_and_closes_by_escape() {
    let mut window = Window::new(sample::phone_broken());
    window.key(both(), Key::D);
    for text in [
        "voice.northwind.example:5061 · SIP/TLS",
        "Does not work",
        "Issue a certificate that names voice.northwind.example.",
        "REGISTER sip:northwind.example",
    ] {
        assert!(window.says(text), "{text}");
    }
    window.key(Modifiers::NONE, Key::Escape);
    assert!(!window.says("Does not work"));
}

#[test]
fn an_account_without_phone_has_no_calls_and_one_without_chat_nothing_else() {
    let with = |mode| {
        let mut snapshot = sample::hub();
        snapshot.session.product_mode = Some(mode);
        Window::new(snapshot)
    };
    let window = with(ProductMode::ImOnly);
    assert!(window.says("Chats, ") && !window.says("missed call"));
    let window = with(ProductMode::PhoneOnly);
    assert!(window.says("Dial pad") && !window.says("Chats") && !window.says("Contacts"));
}

#[test]
fn in_phone_mode_nothing_of_chat_and_presence_is_shown() {
    let with = |mode, mut snapshot: Snapshot| {
        snapshot.session.product_mode = Some(mode);
        Window::new(snapshot)
    };
    let talking = || sample::calling(vec![call(1, "4217", CallState::Connected)]);
    for words in ["Available", "Chat", "Contacts"] {
        assert!(with(ProductMode::Full, talking()).says(words), "else this shows nothing: {words}");
        assert!(!with(ProductMode::PhoneOnly, talking()).says(words), "{words}");
    }
    let mut window = with(ProductMode::PhoneOnly, talking());
    window.key(Modifiers::COMMAND, Key::Comma);
    assert!(window.says("Sound") && !window.says("Chats") && !window.says("Privacy"));
    window.key(Modifiers::NONE, Key::Escape).key(Modifiers::NONE, Key::F1);
    assert!(window.says("Hold or resume") && !window.says("Next conversation"));
    let window = with(ProductMode::PhoneOnly, sample::hub());
    assert!(window.says("Dial pad"), "the phone is there");
}

#[test]
fn writing_is_taken_back_although_another_page_is_open() {
    let mut window = chatting();
    window.type_into("Message Amira", "hm");
    window.sent();
    window.key(Modifiers::NONE, Key::F1);
    window.wait(6_000);
    assert!(window.sent()[0].contains("typing: false"));
}

#[test]
fn what_was_seen_is_reported_once() {
    let mut window = Window::new(sample::hub()).open(Place::Chat(jid("ravi")));
    window.sent();
    window.wait(1_000).wait(1_000);
    check(&mut window, &[]);
}

#[test]
fn all_keys_are_on_one_page() {
    let mut window = Window::new(sample::hub());
    window.key(Modifiers::NONE, Key::F1);
    assert!(window.says("Hold or resume") && window.says("Ctrl+Shift+H"));
}

#[test]
fn a_problem_stays_until_it_is_dismissed() {
    let mut window = Window::new(sample::toast());
    assert!(window.says("For the UC administrator"));
    window.press("Dismiss");
    check(&mut window, &["Dismiss(ProblemId(1))"]);
}

#[test]
fn a_narrow_window_shows_list_or_conversation() {
    let size = egui::vec2(360.0, 720.0);
    let mut window = Window::of(sample::hub(), size, "en");
    assert!(window.says("Search or call") && !window.says("Message Amira"));
    window.press("Amira Khalil, Available, Looks good. Call you in five?, 10:42");
    assert!(!window.says("Search or call") && window.says("Message Amira"));
    window.press("Back");
    assert!(window.says("Search or call"));
}

#[test]
fn ten_thousand_people_cost_what_twenty_do() {
    let mut window = Window::new(sample::crowd()).open(Place::Contacts);
    let rows = |window: &Window| window.harness.get_all_by_role(egui::Role::ListItem).count();
    assert!(rows(&window) < 30, "{}", rows(&window));
    window.type_into("Search or call", "09999");
    assert_eq!(rows(&window), 2, "the person, and the offer to call");
}

#[test]
fn the_window_can_be_walked_by_keyboard() {
    let mut window = chatting();
    let mut seen = Vec::new();
    for _ in 0..40 {
        window.key(Modifiers::NONE, Key::Tab);
        let focused = window.harness.root().children_recursive();
        let focused = focused.filter(|node| node.is_focused());
        seen.extend(focused.filter_map(|node| node.accesskit_node().label()));
    }
    for name in [
        "Chats, 9 unread messages",
        "Settings",
        "Search or call",
        "Call Amira Khalil",
        "Message Amira",
    ] {
        assert!(seen.iter().any(|one| one == name), "{name} not in {seen:#?}");
    }
}
