//! What the core makes of people: notifications, the desk, calls that are told, photos.

use std::time::Duration;

use offhook_core::{Effect, Event, LinkId, StoreTag, XmppEvent};
use offhook_model::{
    Activity, Availability, ChatSettings, Command, ErrorCode, Jid, PeopleWish, PhotoId, Reply,
    Settings,
};
use offhook_ports::{StoreAnswer, StoreRequest};

use crate::bench::{Bench, full, secs};

const BOB: &str = "bob@example.test";

fn bob() -> Jid {
    BOB.parse().expect("a JID")
}

/// Signed in, with chat and phone; the chat connection has a name.
fn ready() -> (Bench, LinkId) {
    let mut bench = Bench::new();
    bench.let_in(full());
    let (link, flow) = (bench.link().expect("a link"), bench.flow().expect("a flow"));
    bench.online(link);
    bench.registered(flow);
    (bench, link)
}

fn hear((bench, link): &mut (Bench, LinkId), xml: &str) {
    let link = *link;
    let stanza = offhook_im::fuzzing::stanza(xml).expect("a stanza");
    bench.send(Event::Xmpp(link, XmppEvent::Stanza(Box::new(stanza))));
}

fn message(at: &mut (Bench, LinkId), id: &str, body: &str, inner: &str) {
    hear(
        at,
        &format!(
            "<message xmlns='jabber:client' from='{BOB}/x' to='alice@example.test' type='chat' \
             id='{id}'><body>{body}</body>{inner}</message>"
        ),
    );
}

fn notes(bench: &Bench) -> Vec<(String, String)> {
    let note = |effect: &Effect| match effect {
        Effect::Notify { title, body, .. } => Some((title.clone(), body.clone())),
        _ => None,
    };
    bench.effects.iter().filter_map(note).collect()
}

fn chat_settings(bench: &mut Bench, change: impl FnOnce(&mut ChatSettings)) {
    let mut settings = Settings::default();
    change(&mut settings.chat);
    bench.command(Command::SetSettings(Box::new(settings))).expect("set");
}

#[test]
fn messages_that_nobody_reads_become_one_notification() {
    let mut at = ready();
    message(&mut at, "m1", "hello", "");
    message(&mut at, "m2", "are you there?", "");
    assert!(notes(&at.0).is_empty(), "they wait a moment");
    at.0.advance(secs(1));
    assert_eq!(notes(&at.0), [(format!("{BOB} (2)"), "are you there?".to_owned())]);
    message(&mut at, "m3", "read at once", "");
    at.0.command(Command::MarkRead { with: bob() }).expect("read");
    at.0.advance(secs(1));
    let late = "<delay xmlns='urn:xmpp:delay' stamp='1969-12-31T00:00:00Z'/>";
    message(&mut at, "m4", "history", late);
    at.0.advance(secs(1));
    assert_eq!(notes(&at.0).len(), 1, "what was read or is old calls nobody");
}

#[test]
fn who_does_not_want_to_be_disturbed_is_not() {
    let mut at = ready();
    chat_settings(&mut at.0, |chat| chat.notification_text = false);
    message(&mut at, "m1", "secret", "");
    at.0.advance(secs(1));
    assert_eq!(notes(&at.0), [(BOB.to_owned(), "New message".to_owned())]);
    let dnd = Command::SetPresence { availability: Availability::Dnd, note: None };
    at.0.command(dnd).expect("set");
    message(&mut at, "m2", "hello", "");
    at.0.advance(secs(1));
    let free = Command::SetPresence { availability: Availability::Available, note: None };
    at.0.command(free).expect("set");
    chat_settings(&mut at.0, |chat| chat.notifications = false);
    message(&mut at, "m3", "hello", "");
    at.0.advance(secs(1));
    assert_eq!(notes(&at.0).len(), 1);
}

#[test]
fn the_desk_and_calls_are_told_and_what_was_before_returns() {
    let mut at = ready();
    let watched = |bench: &Bench| {
        let watch = |effect: &Effect| match effect {
            Effect::WatchDesk(after) => Some(*after),
            _ => None,
        };
        bench.effects.iter().rev().find_map(watch)
    };
    assert_eq!(watched(&at.0), Some(Some(secs(15 * 60))));
    chat_settings(&mut at.0, |chat| chat.away_after_minutes = Some(5));
    assert_eq!(watched(&at.0), Some(Some(secs(300))));
    let own = |bench: &mut Bench| {
        let presence = bench.snapshot().me.presence;
        (presence.availability, presence.activity)
    };
    at.0.send(Event::Desk { idle: Some(Duration::from_secs(301)), locked: false });
    assert_eq!(own(&mut at.0), (Availability::Away, None));
    at.0.send(Event::Desk { idle: None, locked: true });
    assert_eq!(own(&mut at.0), (Availability::Away, None));
    at.0.send(Event::Desk { idle: None, locked: false });
    assert_eq!(own(&mut at.0), (Availability::Available, None));
    let meeting = |activity| Command::People(PeopleWish::Activity { activity });
    at.0.command(meeting(Some(Activity::InMeeting))).expect("set");
    assert_eq!(own(&mut at.0), (Availability::Away, Some(Activity::InMeeting)));
    at.0.command(meeting(None)).expect("set");
    assert_eq!(own(&mut at.0), (Availability::Available, None));
    at.0.command(Command::SignOut).expect("begun");
    at.0.advance(secs(10));
    assert_eq!(watched(&at.0), Some(None), "nobody is watched who is not signed in");
}

#[test]
fn wishes_that_cannot_be_fulfilled_say_why() {
    let mut at = ready();
    let wish = |wish| Command::People(wish);
    let refused = |bench: &mut Bench, it| bench.command(wish(it)).expect_err("refused");
    let block = refused(&mut at.0, PeopleWish::Block { who: bob(), on: true });
    assert!(block.cause.contains("cannot block"), "{}", block.cause);
    let alert = refused(&mut at.0, PeopleWish::Alert { contact: bob(), on: true });
    assert_eq!(alert.code, ErrorCode::NotPossible);
    let rename = PeopleWish::RenameGroup { from: "A".into(), to: " ".into() };
    assert_eq!(refused(&mut at.0, rename).code, ErrorCode::InvalidParams);
    let rename = PeopleWish::RenameGroup { from: "A".into(), to: "B".into() };
    assert_eq!(refused(&mut at.0, rename).code, ErrorCode::NoSuchObject);
}

#[test]
fn a_picture_is_looked_for_in_the_store_and_a_store_without_pictures_is_no_problem() {
    let mut at = ready();
    let id = PhotoId("da39a3ee5e6b4b0d3255bfef95601890afd80709".into());
    let roster = format!(
        "<iq xmlns='jabber:client' type='set' id='r1'><query xmlns='jabber:iq:roster'>\
         <item jid='{BOB}' subscription='both'/></query></iq>"
    );
    hear(&mut at, &roster);
    hear(
        &mut at,
        &format!(
            "<presence xmlns='jabber:client' from='{BOB}/x'><x xmlns='vcard-temp:x:update'>\
             <photo>{}</photo></x></presence>",
            id.0
        ),
    );
    at.0.command(Command::People(PeopleWish::Photo { who: bob() })).expect("wished");
    let tag = StoreTag::Photo(id.clone());
    let asked = |effect: &Effect| matches!(effect, Effect::Store(it, StoreRequest::GetPhoto(_)) if *it == tag);
    assert_eq!(at.0.count(asked), 1);
    at.0.send(Event::Store(tag.clone(), StoreAnswer::Failed("not kept".into())));
    assert!(at.0.snapshot().toasts.is_empty());
    let reply = at.0.command(Command::People(PeopleWish::OwnPhoto { path: None }));
    assert!(matches!(reply, Ok(Reply::Done)));
}
