//! What a person does in a conversation, and which commands leave it.

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use common::Window;
use common::sample::jid;
use common::talk;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use offhook_model::{ChatFound, Settings, Snapshot};
use offhook_shell::Place;

const AMIRA: &str = "Jid { bare: \"amira@northwind.example\", resource: None }";

fn open(snapshot: Snapshot) -> Window {
    let mut window = Window::new(snapshot).open(Place::Chat(jid("amira")));
    window.sent();
    window
}

fn room() -> Window {
    let mut window = Window::new(talk::room()).open(Place::Chat(talk::room_jid()));
    window.sent();
    window
}

fn row<'a>(window: &'a Window, part: &'a str) -> egui_kittest::Node<'a> {
    window.harness.get_by(move |node| {
        node.role() == egui::Role::ListItem
            && node.label().is_some_and(|label| {
                label.contains(part) && !label.starts_with("Amira Khalil, Available")
            })
    })
}

/// Moves the pointer to a message and opens its menu.
fn menu(window: &mut Window, part: &str) {
    row(window, part).focus();
    window.harness.run();
    window.key(Modifiers::NONE, Key::Enter);
}

#[test]
fn styled_text_is_spoken_without_its_marks() {
    let mut window = open(talk::rich());
    window.key(Modifiers::NONE, Key::PageUp);
    assert!(window.says("Did all nodes get the new certificate?"));
    assert!(window.says("subject=CN=expre3.old.example"));
}

#[test]
fn a_message_about_its_writer_is_a_sentence_with_the_name() {
    let edit = |messages: &mut Vec<offhook_model::Message>| {
        if let Some(last) = messages.last_mut() {
            last.body = "/me shrugs in disgust".into();
            (last.more.html, last.own) = (None, false);
        }
    };
    let window = open(common::sample::with_messages(common::sample::hub(), edit));
    assert!(window.says("Amira Khalil shrugs in disgust"));
    assert!(!window.says("/me shrugs"));
}

#[test]
fn an_answered_message_is_quoted_and_gone_to() {
    let mut window = open(talk::rich());
    let name = "Answers Amira Khalil: Did *all* nodes get the new certificate? See https://wiki.northwind.example/edge_(new).";
    window.key(Modifiers::NONE, Key::PageUp);
    window.press(name);
    assert_eq!(window.sent().len(), 0, "it is loaded");
    let mut snapshot = talk::rich();
    let mut all = snapshot.messages[&jid("amira")].to_vec();
    all.remove(0);
    snapshot.messages = Arc::new([(jid("amira"), Arc::new(all))].into());
    window.see(snapshot);
    window.key(Modifiers::NONE, Key::PageUp);
    window.press("Answers Amira Khalil: an earlier message");
    let sent = window.sent();
    assert_eq!(sent, [format!("Chat(Show {{ with: {AMIRA}, id: MessageId(\"m1\") }})")]);
}

#[test]
fn a_reaction_is_added_and_taken_back() {
    let mut window = open(talk::rich());
    window.key(Modifiers::NONE, Key::PageUp);
    window.press("👍 from You, Amira Khalil");
    let wish = |emoji: &str| {
        format!("Chat(React {{ with: {AMIRA}, id: MessageId(\"m1\"), emoji: [{emoji}] }})")
    };
    assert_eq!(window.sent(), [wish("")]);
    window.press("🎉 from Amira Khalil");
    assert_eq!(window.sent(), [wish("\"👍\", \"🎉\"")]);
}

#[test]
fn a_message_is_answered_by_key() {
    let mut window = open(talk::rich());
    row(&window, "🎉🚀").focus();
    window.harness.run();
    window.key(Modifiers::NONE, Key::R);
    assert!(window.says("Reply to"));
    window.control("Message Amira").type_text("Hooray");
    window.harness.run();
    window.sent();
    window.key(Modifiers::NONE, Key::Enter);
    let wanted =
        format!("Chat(Reply {{ with: {AMIRA}, to: MessageId(\"m9\"), body: \"Hooray\" }})");
    assert_eq!(window.sent(), [wanted]);
    assert!(!window.says("Reply to"));
}

#[test]
fn up_edits_the_last_own_message_and_escape_lets_it_be() {
    let mut window = open(talk::protected());
    window.key(Modifiers::NONE, Key::ArrowUp);
    assert!(window.says("Edit message"));
    let text = window.control("Message Amira").value();
    assert_eq!(text.as_deref(), Some("Compare the keys and it is."));
    window.key(Modifiers::NONE, Key::Escape);
    assert!(!window.says("Edit message"));
    assert_eq!(window.control("Message Amira").value().unwrap_or_default(), "");
    window.key(Modifiers::NONE, Key::ArrowUp);
    window.control("Message Amira").type_text(" Now.");
    window.harness.run();
    window.sent();
    window.key(Modifiers::NONE, Key::Enter);
    let sent = window.sent();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(sent[0].starts_with("Chat(Correct") && sent[0].contains("it is. Now."), "{sent:?}");
}

#[test]
fn an_own_message_is_deleted_and_a_failed_one_sent_again() {
    let mut window = open(talk::protected());
    menu(&mut window, "Compare the keys");
    window.press("Delete for everyone");
    let sent = window.sent();
    assert_eq!(sent, [format!("Chat(Retract {{ with: {AMIRA}, id: MessageId(\"p2\") }})")]);
    let mut window = open(talk::rich());
    window.press("Send again");
    let sent = window.sent();
    assert_eq!(sent, [format!("Chat(Again {{ with: {AMIRA}, id: MessageId(\"m10\") }})")]);
}

#[test]
fn what_was_taken_back_or_cannot_be_read_says_so() {
    let window = open(talk::rich());
    assert!(window.says("Message deleted"));
    assert!(window.says("could not be decrypted"));
}

#[test]
fn a_file_is_accepted_declined_or_broken_off() {
    let mut window = open(talk::rich());
    window.press("Accept");
    window.press("Decline");
    window.press("Cancel transfer");
    let wanted = [
        "File(Accept { id: TransferId(1), path: None })",
        "File(Decline { id: TransferId(1) })",
        "File(Decline { id: TransferId(2) })",
    ];
    assert_eq!(window.sent(), wanted);
}

#[test]
fn a_file_is_sent_by_its_path_and_by_pasting_it() {
    let mut window = open(talk::protected());
    window.press("Attach").press("Send a file…");
    window.type_into("Path of the file", "/home/mary/plan.pdf");
    window.press("Send file");
    let send = |path: &str| format!("File(Send {{ to: {AMIRA}, path: \"{path}\" }})");
    assert_eq!(window.sent(), [send("/home/mary/plan.pdf")]);
    window.control("Message Amira").focus();
    window.harness.run();
    window.harness.event(egui::Event::Paste("file:///home/mary/my%20plan.pdf".into()));
    window.harness.run();
    assert!(window.sent().contains(&send("/home/mary/my plan.pdf")));
    window.press("Attach").press("Picture of a region");
    let wanted = format!("File(Capture {{ to: {AMIRA}, area: Region }})");
    assert!(window.sent().contains(&wanted));
}

#[test]
fn short_codes_become_emoji_and_the_picker_is_searched() {
    let mut window = open(talk::protected());
    window.type_into("Message Amira", "done :tada:");
    assert_eq!(window.control("Message Amira").value().as_deref(), Some("done 🎉"));
    window.press("Emoji");
    window.type_into("Search emoji", "rocket");
    window.press("launch ship fast");
    assert_eq!(window.control("Message Amira").value().as_deref(), Some("done 🎉🚀"));
}

#[test]
fn names_are_completed_in_rooms() {
    let mut window = room();
    window.type_into("Message Ops team", "@jon");
    assert!(window.says("Jonas Weber"));
    window.key(Modifiers::NONE, Key::Enter);
    assert_eq!(window.control("Message Ops team").value().as_deref(), Some("@jonas "));
}

#[test]
fn a_room_names_its_writers_and_marks_what_is_new() {
    let window = room();
    assert!(window.says("New messages"));
    assert!(window.says("Lena Sommer, 10:38"));
    assert!(window.says("jonas and lena are writing"));
    assert!(window.says("3 people · Everything that beeps"));
    assert!(window.says("Internal"));
}

#[test]
fn ctrl_and_enter_send_where_the_setting_says_so() {
    let mut snapshot = talk::protected();
    let mut settings = Settings::clone(&snapshot.settings);
    settings.chat.enter_sends = false;
    snapshot.settings = Arc::new(settings);
    let mut window = open(snapshot);
    window.type_into("Message Amira", "one");
    window.key(Modifiers::NONE, Key::Enter);
    window.sent();
    window.key(Modifiers::COMMAND, Key::Enter);
    assert!(window.sent()[0].starts_with("SendChat"));
}

#[test]
fn a_draft_is_kept_after_a_while_and_comes_back() {
    let mut window = open(talk::protected());
    window.type_into("Message Amira", "half");
    window.sent();
    window.wait(6_000);
    let sent = window.sent();
    let wanted = format!("Chat(Draft {{ with: {AMIRA}, text: \"half\" }})");
    assert!(sent.contains(&wanted), "{sent:?}");
    let mut snapshot = talk::protected();
    let mut chats = snapshot.chats.to_vec();
    let mut first = offhook_model::Chat::clone(&chats[0]);
    first.draft = "kept".into();
    chats[0] = first.into();
    snapshot.chats = chats.into();
    let window = open(snapshot);
    assert_eq!(window.control("Message Amira").value().as_deref(), Some("kept"));
}

#[test]
fn keys_are_shown_in_groups_and_believed_or_not() {
    let mut window = open(talk::protected());
    window.press("Chat options").press("Protection of this chat");
    assert!(window.says("3f3f3f3f 3f3f3f3f 3f3f3f3f 3f3f3f3f\n3f3f3f3f"));
    assert!(window.says("encrypted with TLSv1.3"));
    window.press("Encrypted from client to client");
    assert_eq!(window.sent(), [format!("Chat(Encrypt {{ with: {AMIRA}, on: false }})")]);
}

#[test]
fn a_key_is_verified_or_distrusted_by_its_own_button() {
    let mut window = open(talk::protected());
    window.press("Chat options").press("Protection of this chat");
    for (word, at, key, trust) in [
        ("Verify", 1, "a0", "Verified"),
        ("Distrust", 0, "3f", "Distrusted"),
        ("Verify", 2, "7c", "Verified"),
    ] {
        window.harness.get_all_by_label(word).nth(at).expect("a button").click();
        window.harness.run();
        let sent = window.sent();
        let wanted = format!("fingerprint: \"{}\", trust: {trust}", key.repeat(32));
        assert!(sent.len() == 1 && sent[0].contains(&wanted), "{sent:?}");
    }
    // What a key is held for already cannot be chosen again.
    window.harness.get_all_by_label("Verify").next().expect("a button").click();
    window.harness.run();
    assert!(window.sent().is_empty());
}

/// Buttons that are scrolled in a dialog stay where they are while the pointer comes near.
#[test]
fn keys_do_not_move_away_from_the_pointer() {
    let mut window = open(talk::protected());
    window.press("Chat options").press("Protection of this chat");
    let place = |window: &Window| window.control("Encrypted from client to client").rect();
    let before = place(&window);
    for step in 0..8 {
        let near = before.center() + egui::vec2(40.0 - 5.0 * step as f32, 0.0);
        window.harness.hover_at(near);
        window.harness.run();
        assert_eq!(place(&window), before, "{step}");
    }
    window.sent();
    window.harness.drag_at(before.center());
    window.harness.run();
    window.harness.drop_at(before.center());
    window.harness.run();
    assert_eq!(window.sent(), [format!("Chat(Encrypt {{ with: {AMIRA}, on: false }})")]);
}

#[test]
fn strangers_and_blocked_people_have_their_banner() {
    let mut window = Window::new(talk::stranger()).open(Place::Chat(jid("unknown")));
    window.sent();
    window.press("Add");
    assert!(window.sent()[0].starts_with("RosterAdd"));
    window.press("Block");
    assert!(window.sent()[0].contains("on: true"));
    let mut window = open(talk::blocked());
    assert!(window.says("You blocked this person. Unblock to write."));
    window.press("Unblock");
    assert!(window.sent()[0].contains("on: false"));
}

#[test]
fn words_are_searched_here_and_in_what_is_kept() {
    let mut window = open(talk::long(300));
    window.key(Modifiers::COMMAND, Key::F);
    window.control("Find in this chat").type_text("Message 12");
    window.harness.run();
    let sent = window.sent();
    let asked = format!("ChatSearch {{ query: \"Message 12\", with: Some({AMIRA}), limit: 500 }}");
    assert!(sent.contains(&asked), "{sent:?}");
    assert!(window.says("1 of 11"), "{}", window.tree());
    assert!(window.says("Message 129"));
    window.press("Older match");
    assert!(window.says("2 of 11"));
    assert!(window.says("Message 128"));
    // What the store finds besides is loaded in its context.
    let mut snapshot = talk::long(300);
    let old = talk::message(&jid("amira"), &jid("amira"), false, "old", 900, "Message 12 of then");
    snapshot.found = Arc::new(ChatFound {
        query: "Message 12".into(),
        with: Some(jid("amira")),
        items: vec![old],
    });
    window.see(snapshot);
    assert!(window.says("2 of 12"));
}

#[test]
fn older_messages_are_asked_for_near_the_beginning_once() {
    let mut snapshot = talk::long(200);
    let mut chats = snapshot.chats.to_vec();
    let mut first = offhook_model::Chat::clone(&chats[0]);
    first.older = true;
    chats[0] = first.into();
    snapshot.chats = chats.into();
    let mut window = open(snapshot);
    for _ in 0..40 {
        window.key(Modifiers::NONE, Key::PageUp);
    }
    assert_eq!(window.sent(), [format!("Chat(Older {{ with: {AMIRA} }})")]);
    assert!(window.says("To the newest message"));
    window.press("To the newest message");
    assert!(window.says("Message 199"));
}

/// What is laid out in one frame, by egui's own count, and which messages are there.
fn look(window: &Window, seen: &mut BTreeSet<usize>) -> usize {
    for node in window.harness.get_all_by_role(egui::Role::ListItem) {
        let Some(label) = node.accesskit_node().label() else { continue };
        let Some((_, rest)) = label.split_once("Message ") else { continue };
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        seen.extend(digits.parse::<usize>());
    }
    window.harness.ctx.fonts(|fonts| fonts.num_galleys_in_cache())
}

#[test]
fn a_hundred_thousand_messages_lay_out_what_is_seen() {
    let mut few = open(talk::long(40));
    few.harness.step();
    let mut seen = BTreeSet::new();
    let small = look(&few, &mut seen);
    let mut window = open(talk::long(100_000));
    window.harness.step();
    let mut seen = BTreeSet::new();
    let large = look(&window, &mut seen);
    assert!(seen.contains(&99_999) && seen.len() <= 60, "{}", seen.len());
    assert!(large <= small + 60, "{large} galleys for 100,000 messages, {small} for 40");
    for _ in 0..20 {
        window.key(Modifiers::NONE, Key::PageUp);
        let now = look(&window, &mut seen);
        assert!(now <= small + 120, "{now}");
    }
    // No message was jumped over on the way up.
    let first = *seen.first().expect("seen");
    assert_eq!(seen.len(), 100_000 - first);
}
