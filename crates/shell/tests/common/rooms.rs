//! Group chats of the made-up company.

use std::collections::BTreeMap;
use std::sync::Arc;

use offhook_model::{
    Affiliation, Availability, Chat, ChatKind, Invitation, Jid, ListedRoom, Occupant, Room,
    RoomListing, RoomRole, RoomState, RoomTraits, Snapshot,
};

use super::sample;

/// The address of a room.
pub fn room(name: &str) -> Jid {
    format!("{name}@rooms.northwind.example").parse().expect("address")
}

fn occupant(name: &str, nick: &str, rights: (Affiliation, RoomRole), me: bool) -> Occupant {
    Occupant {
        nick: nick.into(),
        name: name.into(),
        jid: Some(sample::jid(nick)),
        affiliation: rights.0,
        role: rights.1,
        availability: if nick == "lena" { Availability::Away } else { Availability::Available },
        me,
    }
}

fn design() -> Room {
    let (owner, member) = (Affiliation::Owner, Affiliation::Member);
    let (moderator, participant) = (RoomRole::Moderator, RoomRole::Participant);
    Room {
        room: room("rollout"),
        name: "Rollout Europe".into(),
        subject: "Cut-over on Saturday, 06:00. Edge first, then the subscribers.".into(),
        nick: "nadja".into(),
        state: RoomState::Joined,
        error: None,
        autojoin: true,
        bookmarked: true,
        traits: RoomTraits { persistent: true, members_only: true, ..RoomTraits::default() },
        affiliation: owner,
        role: moderator,
        occupants: vec![
            occupant("Amira Khalil", "amira", (member, moderator), false),
            occupant("Jonas Weber", "jonas", (member, participant), false),
            occupant("Lena Sommer", "lena", (Affiliation::None, RoomRole::Visitor), false),
            occupant("Nadja Petrov", "nadja", (owner, moderator), true),
        ],
        absent: vec![occupant("Pedro Barros", "pedro", (member, RoomRole::None), false)],
    }
}

/// One room we are in, one that was left, two that are listed, one invitation.
pub fn rooms() -> Snapshot {
    let mut snapshot = sample::hub();
    let inside = design();
    let left = Room {
        room: room("lunch"),
        name: "Lunch".into(),
        state: RoomState::Left,
        occupants: vec![],
        absent: vec![],
        ..inside.clone()
    };
    let mut chats = snapshot.chats.to_vec();
    let plain = Chat::new(inside.room.clone(), inside.name.clone(), ChatKind::Room);
    let last = chats.first().and_then(|chat| chat.last.clone());
    chats.insert(0, Arc::new(Chat { last, ..plain }));
    snapshot.chats = Arc::new(chats);
    let all = [inside, left].map(|it| (it.room.clone(), Arc::new(it)));
    snapshot.rooms = Arc::new(BTreeMap::from(all));
    snapshot.invitations = Arc::new(vec![Invitation {
        room: room("pchatroom4711"),
        from: Some(sample::jid("jonas")),
        reason: Some("Service desk hand-over".into()),
    }]);
    let service: Jid = "rooms.northwind.example".parse().expect("address");
    let listed = |name: &str, local: &str| ListedRoom {
        room: room(local),
        name: name.into(),
        service: service.clone(),
    };
    snapshot.listing = Arc::new(RoomListing {
        services: vec![service.clone()],
        rooms: vec![listed("All hands", "allhands"), listed("Edge certificates", "edge")],
        busy: false,
        errors: vec![
            "conference-2.northwind.example did not answer. Its rooms are missing here.".into(),
        ],
    });
    snapshot
}
