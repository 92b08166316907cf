//! Group chats, people and chat settings in the window: what is pressed and which commands leave.

mod common;

use common::Window;
use common::rooms::{room, rooms};
use common::sample::{self, jid};
use offhook_model::{ChatPolicy, EncryptionPolicy, Keeping, Snapshot};
use offhook_shell::Place;

fn tree(name: &str, snapshot: Snapshot, places: &[Place]) {
    let mut window = Window::new(snapshot);
    for place in places {
        window = window.open(place.clone());
    }
    window.harness.run();
    insta::assert_snapshot!(name, window.tree());
}

/// The last command, which must hold all these words.
#[track_caller]
fn last(window: &mut Window, words: &[&str]) {
    let sent = window.sent();
    let last = sent.last().expect("a command");
    assert!(words.iter().all(|word| last.contains(word)), "{words:?} in {last}");
}

#[test]
fn what_a_screen_reader_hears() {
    let rollout = Place::Chat(room("rollout"));
    tree("rooms_to_find", rooms(), &[Place::Rooms]);
    tree("room_panel", rooms(), &[rollout, Place::RoomPanel]);
    tree("new_room", rooms(), &[Place::NewRoom]);
}

#[test]
fn a_group_chat_is_made_with_name_topic_and_people() {
    let mut window = Window::new(sample::hub());
    window.press("New group chat");
    window.press("Create");
    assert!(window.says("Give the group chat a name."));
    window.type_into("Name", "Edge certificates").type_into("Topic", "Before Friday");
    window.type_into("Invite by name or address", "son");
    window.press("Only people who were invited may enter");
    window.type_into("Invite by name or address", "x");
    window.type_into("Invite by name or address", "");
    window.press("Create");
    last(&mut window, &["Create", "Edge certificates", "Before Friday", "members_only: true"]);
    assert!(!window.says("People you invite"), "the dialog is closed");
}

#[test]
fn somebody_found_by_name_is_invited_with_the_room() {
    let mut window = Window::new(sample::hub());
    window.press("New group chat");
    window.type_into("Name", "Two of us").type_into("Invite by name or address", "jonas");
    window.press("Jonas Weber").press("Create");
    last(&mut window, &["Create", "jonas@northwind.example"]);
}

#[test]
fn a_persistent_room_is_not_offered_where_policy_forbids_it() {
    let mut snapshot = sample::hub();
    let policy = ChatPolicy { persistent_rooms: false, ..ChatPolicy::default() };
    snapshot.policy = policy.into();
    let mut window = Window::new(snapshot);
    window.press("New group chat");
    assert!(!window.says("Keep the room when everybody has left"));
}

#[test]
fn an_invitation_is_answered_from_its_card() {
    let mut window = Window::new(rooms());
    assert!(window.says("Jonas Weber invites you"));
    window.press("Enter");
    last(&mut window, &["Answer", "pchatroom4711", "accept: true"]);
    window.press("Refuse");
    last(&mut window, &["Answer", "accept: false"]);
}

#[test]
fn rooms_are_looked_for_once_and_entered() {
    let mut window = Window::new(rooms());
    window.press("Find a room");
    last(&mut window, &["Browse"]);
    assert!(window.says("conference-2.northwind.example did not answer"));
    window.press("Enter: All hands");
    let sent = window.sent().join(" ");
    assert!(sent.contains("Join") && sent.contains("allhands@"), "{sent}");
}

#[test]
fn a_room_nobody_lists_is_entered_by_its_address() {
    let mut window = Window::new(rooms()).open(Place::Rooms);
    window.type_into("Name or address of a room", "quiet@rooms.other.example");
    window.press("Enter quiet@rooms.other.example");
    let sent = window.sent().join(" ");
    assert!(sent.contains("Join") && sent.contains("quiet@rooms.other.example"), "{sent}");
}

#[test]
fn topic_alerts_and_leaving_are_beside_the_room() {
    let mut window = Window::new(rooms()).open(Place::Chat(room("rollout"))).open(Place::RoomPanel);
    window.press("Messages that name me");
    last(&mut window, &["Alerts", "Mentions"]);
    window.press("Leave");
    last(&mut window, &["Leave", "rollout"]);
    window.press("Close the room for everybody");
    assert!(window.sent().is_empty(), "asked once more");
    window.press("Really close it for everybody?");
    last(&mut window, &["Destroy"]);
    window.type_into("Invite by name or address", "pedro");
    window.key(egui::Modifiers::NONE, egui::Key::Enter);
    last(&mut window, &["Invite", "pedro@northwind.example"]);
}

#[test]
fn a_narrow_window_shows_the_room_or_who_is_in() {
    let mut window =
        Window::of(rooms(), egui::vec2(360.0, 720.0), "en").open(Place::Chat(room("rollout")));
    window.press("4 people");
    assert!(window.says("Notify me of"));
    window.press("Close");
    assert!(!window.says("Notify me of"));
}

#[test]
fn being_in_a_meeting_is_said_in_the_own_menu() {
    let mut window = Window::new(sample::hub());
    let me = window.tree().lines().find(|it| it.contains("availability")).map(str::to_owned);
    let me = me.and_then(|it| it.split('"').nth(1).map(str::to_owned)).expect("the own menu");
    window.press(&me).press("In a meeting");
    last(&mut window, &["Activity", "InMeeting"]);
}

#[test]
fn what_the_administrator_decided_is_said_and_not_offered() {
    let mut snapshot = sample::hub();
    snapshot.policy = ChatPolicy {
        history: false,
        encryption: EncryptionPolicy::Required,
        server_sets_meetings: true,
        ..ChatPolicy::default()
    }
    .into();
    let window = Window::tall(snapshot).open(Place::Settings);
    assert!(window.says("Your administrator has decided that messages are not kept"));
    assert!(window.says("chats must be encrypted from end to end"));
    assert!(window.says("Your server reads your calendar"));
    assert!(!window.says("Delete messages after"));
}

#[test]
fn how_messages_are_kept_is_said_plainly() {
    let mut snapshot = sample::hub();
    let why = "The system has no credential store that can be used.".to_owned();
    snapshot.keeping = Keeping { kept: true, encrypted: false, why: Some(why.clone()) };
    let mut window = Window::tall(snapshot.clone()).open(Place::Settings);
    assert!(window.says("are not encrypted") && window.says(&why));
    snapshot.keeping = Keeping { kept: true, encrypted: true, why: None };
    window.see(snapshot);
    assert!(window.says("encrypted with a key in the system’s credential store"));
}

#[test]
fn chat_settings_are_changed_one_at_a_time() {
    let mut window = Window::tall(sample::hub()).open(Place::Settings);
    window.press("Show me as away when I have not touched this computer for: 10 minutes");
    last(&mut window, &["SetSettings", "away_after_minutes: Some(10)"]);
    window.press("Enter sends the message");
    last(&mut window, &["enter_sends: false", "away_after_minutes: None"]);
}

#[test]
fn blocked_people_are_listed_and_let_in_again() {
    let mut snapshot = sample::hub();
    snapshot.blocked = vec![jid("ravi")].into();
    let mut window = Window::tall(snapshot).open(Place::Settings);
    window.press("Unblock: ravi@northwind.example");
    last(&mut window, &["Block", "ravi", "on: false"]);
}
