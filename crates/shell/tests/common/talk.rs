//! Conversations of the made-up company with everything that messages can have.

use std::collections::BTreeMap;
use std::sync::Arc;

use offhook_model::{
    Attachment, Chat, ChatKind, ChatProtection, Delivery, DeviceKey, Jid, KeyTrust, Message,
    MessageId, More, Occupant, Protection, Reaction, ReplyTo, Retraction, Room, RoomRole,
    RoomState, RoomTraits, Snapshot, Timestamp, Transfer, TransferDirection, TransferId,
    TransferState, TransferWay,
};

use super::sample::{self, NOW, jid};

/// One message of a conversation.
pub fn message(with: &Jid, from: &Jid, own: bool, id: &str, minutes: i64, body: &str) -> Message {
    Message {
        id: MessageId(id.into()),
        with: with.clone(),
        from: from.clone(),
        to: with.clone(),
        body: body.into(),
        time: Timestamp(NOW.0 - minutes * 60_000),
        own,
        state: if own { Delivery::Read } else { Delivery::Delivered },
        error: None,
        more: More::default(),
    }
}

/// A snapshot whose conversation with `with` has these messages.
pub fn with_chat(mut snapshot: Snapshot, chat: Chat, messages: Vec<Message>) -> Snapshot {
    let with = chat.with.clone();
    let mut chats: Vec<_> = snapshot.chats.iter().filter(|one| one.with != with).cloned().collect();
    let last = messages.last().cloned();
    chats.insert(0, Arc::new(Chat { last, ..chat }));
    snapshot.chats = Arc::new(chats);
    let mut all = BTreeMap::clone(&snapshot.messages);
    all.insert(with, Arc::new(messages.into_iter().map(Arc::new).collect()));
    snapshot.messages = Arc::new(all);
    snapshot
}

/// The conversation with Amira, before it is changed.
pub fn amira() -> Chat {
    Chat { older: false, ..Chat::new(jid("amira"), "Amira Khalil".into(), ChatKind::Person) }
}

fn reaction(emoji: &str, from: &[&str], own: bool) -> Reaction {
    Reaction { emoji: emoji.into(), from: from.iter().map(|one| jid(one)).collect(), own }
}

/// Styles, reply, reactions, correction, retraction, a file, an own message that failed.
pub fn rich() -> Snapshot {
    let (with, me) = (jid("amira"), jid("mary.smith"));
    let theirs = |id: &str, minutes, body: &str| message(&with, &with, false, id, minutes, body);
    let own = |id: &str, minutes, body: &str| message(&with, &me, true, id, minutes, body);
    let mut question = theirs(
        "m1",
        62,
        "Did *all* nodes get the new certificate? See https://wiki.northwind.example/edge_(new).",
    );
    question.more.reactions =
        vec![reaction("👍", &["mary.smith", "amira"], true), reaction("🎉", &["amira"], false)];
    let mut answer = own(
        "m2",
        60,
        "All but one. `expre3` still shows the _old_ name:\n```\nsubject=CN=expre3.old.example\nnotAfter=Nov 30 2026\n```",
    );
    answer.more.reply_to = Some(ReplyTo { id: MessageId("m1".into()), to: Some(with.clone()) });
    let mut edited = own("m3", 59, "I asked for a new one.");
    edited.more.edited = true;
    let quoted = theirs(
        "m4",
        50,
        "> I asked for a new one.\nThank you, ~Monday~ today is fine 🙂 @Mary Smith",
    );
    let mut gone = theirs("m5", 49, "");
    gone.more.retracted = Some(Retraction { by: with.clone(), reason: None });
    let mut secret = theirs("m6", 40, "");
    secret.more.protection = Protection::Unreadable;
    let mut file = theirs("m7", 30, "https://files.northwind.example/report.pdf");
    file.more.attachment = Some(Attachment {
        name: "connection-report.pdf".into(),
        size: Some(38_400),
        media_type: Some("application/pdf".into()),
        ..Attachment::default()
    });
    let mut sending = own("m8", 20, "screen.png");
    sending.state = Delivery::Queued;
    sending.more.attachment = Some(Attachment {
        name: "screen.png".into(),
        size: Some(2_400_000),
        media_type: Some("image/png".into()),
        ..Attachment::default()
    });
    let big = theirs("m9", 10, "🎉🚀");
    let mut failed = own("m10", 2, "Shall we call?");
    failed.state = Delivery::Failed;
    failed.error = Some("the server of northwind.example did not answer".into());
    let messages = vec![question, answer, edited, quoted, gone, secret, file, sending, big, failed];
    let chat = Chat { typing: true, ..amira() };
    let mut snapshot = with_chat(sample::hub(), chat, messages);
    let transfer = |id, message: &str, name: &str, size, done, state, direction| {
        Arc::new(Transfer {
            id: TransferId(id),
            with: jid("amira"),
            message: MessageId(message.into()),
            direction,
            way: Some(TransferWay::Server),
            name: name.into(),
            size: Some(size),
            done,
            state,
            error: None,
            again: false,
            path: None,
        })
    };
    snapshot.transfers = Arc::new(vec![
        transfer(
            1,
            "m7",
            "connection-report.pdf",
            38_400,
            0,
            TransferState::Offered,
            TransferDirection::Incoming,
        ),
        transfer(
            2,
            "m8",
            "screen.png",
            2_400_000,
            900_000,
            TransferState::Active,
            TransferDirection::Outgoing,
        ),
    ]);
    snapshot
}

fn occupant(nick: &str, name: &str, me: bool) -> Occupant {
    Occupant {
        nick: nick.into(),
        name: name.into(),
        jid: None,
        affiliation: offhook_model::Affiliation::Member,
        role: RoomRole::Moderator,
        availability: offhook_model::Availability::Available,
        me,
    }
}

/// A room in which several people talk, with something new.
pub fn room() -> Snapshot {
    let with: Jid = "ops@rooms.northwind.example".parse().expect("address");
    let nick = |nick: &str| with.with_resource(nick);
    let says = |who: &str, id: &str, minutes, body: &str| {
        message(&with, &nick(who), who == "mary", id, minutes, body)
    };
    let mut labelled = says("jonas", "r3", 100, "Switch maintenance at 18:00 tonight.");
    labelled.more.label = Some("Internal".into());
    let messages = vec![
        says("jonas", "r1", 26 * 60, "Who has the *rack plan*?"),
        says("lena", "r2", 26 * 60 - 1, "I do. @jonas look in the wiki."),
        labelled,
        says("mary", "r4", 90, "Fine with me."),
        says("lena", "r5", 5, "@mary can you warn the third floor?"),
        says("lena", "r6", 4, "They complained last time."),
    ];
    let mut chat = Chat::new(with.clone(), "Ops team".into(), ChatKind::Room);
    chat.unread = 2;
    chat.mentions = 1;
    chat.first_unread = Some(MessageId("r5".into()));
    chat.writers = vec!["jonas".into(), "lena".into()];
    chat.typing = true;
    chat.older = false;
    let mut snapshot = with_chat(sample::hub(), chat, messages);
    let room = Room {
        room: with.clone(),
        name: "Ops team".into(),
        subject: "Everything that beeps".into(),
        nick: "mary".into(),
        state: RoomState::Joined,
        error: None,
        autojoin: true,
        bookmarked: true,
        traits: RoomTraits { moderation: true, ..RoomTraits::default() },
        affiliation: offhook_model::Affiliation::Member,
        role: RoomRole::Moderator,
        occupants: vec![
            occupant("jonas", "Jonas Weber", false),
            occupant("lena", "Lena Sommer", false),
            occupant("mary", "Mary Smith", true),
        ],
        absent: vec![],
    };
    snapshot.rooms = Arc::new(BTreeMap::from([(with, Arc::new(room))]));
    snapshot
}

/// The address of that room.
pub fn room_jid() -> Jid {
    "ops@rooms.northwind.example".parse().expect("address")
}

/// Encrypted from client to client, with keys of which one was compared.
pub fn protected() -> Snapshot {
    let (with, me) = (jid("amira"), jid("mary.smith"));
    let key = |owner: &Jid, device, letter: &str, trust| DeviceKey {
        owner: owner.clone(),
        device,
        fingerprint: letter.repeat(32),
        trust,
        active: true,
    };
    let mut chat = amira();
    chat.protection = ChatProtection {
        on: true,
        changeable: true,
        why: None,
        keys: vec![
            key(&with, 4711, "3f", KeyTrust::Verified),
            key(&with, 815, "a0", KeyTrust::Undecided),
            key(&me, 99, "7c", KeyTrust::Distrusted),
        ],
        ..ChatProtection::default()
    };
    let mut hello = message(&with, &with, false, "p1", 3, "Is this line safe?");
    hello.more.protection = Protection::Verified;
    let mut yes = message(&with, &me, true, "p2", 2, "Compare the keys and it is.");
    yes.more.protection = Protection::Encrypted;
    with_chat(sample::hub(), chat, vec![hello, yes])
}

/// Somebody who is not on the contact list.
pub fn stranger() -> Snapshot {
    let with = jid("unknown");
    let chat = Chat::new(with.clone(), "unknown@northwind.example".into(), ChatKind::Person);
    let hello = message(&with, &with, false, "s1", 3, "Hello, is this Mary?");
    with_chat(sample::hub(), chat, vec![hello])
}

/// Somebody who is blocked.
pub fn blocked() -> Snapshot {
    let chat = Chat { blocked: true, ..amira() };
    let (with, last) = (jid("amira"), "Until then.");
    with_chat(sample::hub(), chat, vec![message(&with, &with, false, "b1", 3, last)])
}

/// So many messages, of which every seventh is ours.
pub fn long(count: usize) -> Snapshot {
    let (with, me) = (jid("amira"), jid("mary.smith"));
    let many = (0..count).map(|at| {
        let own = at % 7 == 0;
        let from = if own { &me } else { &with };
        let minutes = i64::try_from(count - at).expect("small");
        let body = match at % 5 {
            0 => format!("Message {at}"),
            1 => format!("Message {at} with a few more words, so that it takes two lines or three in a narrow window and is not like its neighbours"),
            2 => format!("Message {at}: *strong* and `code`"),
            3 => format!("> quoted\nMessage {at}"),
            _ => format!("Message {at} https://example.org/{at}"),
        };
        message(&with, from, own, &format!("l{at}"), minutes, &body)
    });
    let messages: Vec<Message> = many.collect();
    with_chat(sample::hub(), amira(), messages)
}
