//! Wishes about conversations.

use std::path::PathBuf;

use offhook_core::{Effect, Event, StoreTag};
use offhook_model::{
    Alerts, ChatWish, Command, Delivery, ErrorCode, Jid, Message, MessageId, Reply, Timestamp,
};
use offhook_ports::{StoreAnswer, StoreRequest};

use crate::bench::{ADDRESS, Bench, plain};

fn bob() -> Jid {
    "bob@example.test".parse().expect("a JID")
}

fn from_bob(n: i64) -> Message {
    let me: Jid = ADDRESS.parse().expect("a JID");
    Message {
        id: MessageId(format!("m{n}")),
        with: bob(),
        from: bob(),
        to: me,
        body: "hello".into(),
        time: Timestamp(n),
        own: false,
        state: Delivery::Read,
        error: None,
        more: offhook_model::More::default(),
    }
}

/// Somebody with a conversation on the screen.
fn with_messages() -> Bench {
    let mut bench = Bench::up(plain(true, false));
    bench.command(Command::OpenChat { with: bob() }).expect("begun");
    // The history at sign-in was asked for before it.
    bench.send(Event::Store(StoreTag::Loaded, StoreAnswer::Loaded(Box::default())));
    let items = (500..700).map(from_bob).collect();
    let answer = StoreAnswer::Messages { items, more: true };
    bench.send(Event::Store(StoreTag::OpenChat(bob()), answer));
    bench
}

fn wish(bench: &mut Bench, wish: ChatWish) -> Result<Reply, ErrorCode> {
    bench.command(Command::Chat(wish)).map_err(|error| error.code)
}

#[test]
fn a_wish_is_carried_out_or_refused_with_its_kind() {
    let mut bench = with_messages();
    let (with, id) = (bob(), MessageId("m600".into()));
    let to = id.clone();
    let reply = ChatWish::Reply { with: with.clone(), to, body: "yes".into() };
    let Ok(Reply::Message(answer)) = wish(&mut bench, reply) else { panic!("no id") };
    let correct = |id: &MessageId, body: &str| ChatWish::Correct {
        with: bob(),
        id: id.clone(),
        body: body.into(),
    };
    assert_eq!(wish(&mut bench, correct(&answer, "no")), Ok(Reply::Done));
    assert_eq!(wish(&mut bench, correct(&answer, " ")), Err(ErrorCode::InvalidParams));
    assert_eq!(wish(&mut bench, correct(&id, "forged")), Err(ErrorCode::Refused));
    let gone = MessageId("m1".into());
    assert_eq!(wish(&mut bench, correct(&gone, "x")), Err(ErrorCode::NoSuchObject));
    let react = |emoji: &str| ChatWish::React {
        with: bob(),
        id: MessageId("m600".into()),
        emoji: vec![emoji.into()],
    };
    assert_eq!(wish(&mut bench, react("👍")), Ok(Reply::Done));
    assert_eq!(wish(&mut bench, react("fine")), Err(ErrorCode::InvalidParams));
    let again = ChatWish::Again { with: with.clone(), id: answer.clone() };
    assert_eq!(wish(&mut bench, again), Err(ErrorCode::NotPossible));
    let retract = ChatWish::Retract { with: with.clone(), id: answer };
    assert_eq!(wish(&mut bench, retract), Ok(Reply::Done));
    let draft = ChatWish::Draft { with: with.clone(), text: "Dear".into() };
    assert_eq!(wish(&mut bench, draft), Ok(Reply::Done));
    let alerts = ChatWish::Alerts { with, alerts: Alerts::None };
    assert_eq!(wish(&mut bench, alerts), Ok(Reply::Done));
    let chat = bench.snapshot().chats[0].clone();
    assert_eq!((chat.draft.as_str(), chat.alerts), ("Dear", Alerts::None));
}

#[test]
fn older_messages_are_read_until_there_are_none() {
    let mut bench = with_messages();
    let older = |bench: &mut Bench| {
        bench.effects.clear();
        wish(bench, ChatWish::Older { with: bob() }).expect("begun");
        bench.effects.iter().find_map(|effect| match effect {
            Effect::Store(tag, StoreRequest::History { before, limit: 500, .. }) => {
                Some((tag.clone(), before.clone()))
            }
            _ => None,
        })
    };
    let (tag, before) = older(&mut bench).expect("the store is asked");
    assert_eq!(before, Some(MessageId("m500".into())));
    let items = (0..500).map(from_bob).collect();
    bench.send(Event::Store(tag, StoreAnswer::Messages { items, more: false }));
    assert_eq!(bench.snapshot().messages[&bob()].len(), 700);
    assert_eq!(older(&mut bench), None, "the store has no more");
}

#[test]
fn an_export_is_answered_when_it_is_written() {
    let mut bench = with_messages();
    let path = PathBuf::from("all.html");
    let export = ChatWish::Export { with: None, path: path.clone() };
    assert!(bench.begin(Command::Chat(export)).is_none());
    let tag = bench.effects.iter().find_map(|effect| match effect {
        Effect::Store(tag, StoreRequest::Export { with: None, .. }) => Some(tag.clone()),
        _ => None,
    });
    let answer = StoreAnswer::Exported(path.clone(), 3);
    bench.core.handle(Event::Store(tag.expect("asked"), answer), bench.now);
    let reply = bench.core.poll_effect().expect("a reply");
    let Effect::Reply(_, Ok(reply)) = reply else { panic!("{reply:?}") };
    assert_eq!(reply, Reply::Exported { path, messages: 3 });
}

#[test]
fn nobody_signed_in_has_no_conversations() {
    let mut bench = Bench::new();
    for refused in [
        ChatWish::Clear { with: bob() },
        ChatWish::Older { with: bob() },
        ChatWish::Export { with: None, path: PathBuf::from("x.txt") },
        ChatWish::Retract { with: bob(), id: MessageId("m1".into()) },
    ] {
        assert_eq!(wish(&mut bench, refused), Err(ErrorCode::NotSignedIn));
    }
}
