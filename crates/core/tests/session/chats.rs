//! Wishes about conversations.

use std::path::PathBuf;

use offhook_core::{Effect, Event, StoreTag, XmppEvent};
use offhook_model::{
    Alerts, ChatWish, Command, Delivery, ErrorCode, Jid, Message, MessageId, Reply, Ticket,
    Timestamp,
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
fn a_message_is_accepted_when_the_store_has_it_and_not_before() {
    for answer in [StoreAnswer::Kept, StoreAnswer::Failed("the disk is full".into())] {
        let mut bench = with_messages();
        let drained = |bench: &mut Bench, event: Event| -> Vec<Effect> {
            bench.core.handle(event, bench.now);
            std::iter::from_fn(|| bench.core.poll_effect()).collect()
        };
        let ticket = Ticket(9_999);
        let send = Command::SendChat { to: bob(), body: "accepted?".into() };
        let effects = drained(&mut bench, Event::Command(ticket, send));
        assert!(!effects.iter().any(|it| matches!(it, Effect::Reply(..))), "{effects:?}");
        let tag = effects.into_iter().find_map(|it| match it {
            Effect::Store(tag @ StoreTag::Own(_), _) => Some(tag),
            _ => None,
        });
        let tag = tag.expect("the store is asked");
        let effects = drained(&mut bench, Event::Store(tag, answer));
        let replies = effects.iter().filter(|it| match it {
            Effect::Reply(to, Ok(Reply::Message(_))) => *to == ticket,
            _ => false,
        });
        assert_eq!(replies.count(), 1, "{effects:?}");
    }
}

#[test]
fn what_comes_before_the_history_is_read_waits_for_it_but_not_for_ever() {
    for read in [true, false] {
        let mut bench = Bench::new();
        bench.let_in(plain(true, false));
        let link = bench.link().expect("a link");
        bench.online(link);
        let text = "<message xmlns='jabber:client' from='bob@example.test/x' \
                    to='alice@example.test' type='chat' id='m1'><body>hello</body></message>";
        let stanza = offhook_im::fuzzing::stanza(text).expect("a stanza");
        let event = Event::Xmpp(link, XmppEvent::Stanza(Box::new(stanza)));
        bench.core.handle(event, bench.now);
        assert!(bench.snapshot().chats.is_empty(), "before the history");
        if read {
            bench.send(Event::Store(StoreTag::Loaded, StoreAnswer::Loaded(Box::default())));
        } else {
            let due = bench.core.next_timeout().expect("something is due");
            assert!(due <= bench.now.at + std::time::Duration::from_secs(3));
            bench.now.at += std::time::Duration::from_secs(3);
            bench.send(Event::Timeout);
        }
        assert_eq!(bench.snapshot().chats.len(), 1, "{read}");
    }
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
