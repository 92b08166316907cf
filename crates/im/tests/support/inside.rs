//! A machine that is in a room, fed with what the room says.

use offhook_model::{CommandError, Jid, Reply, Room, RoomState, RoomWish, Ticket};

use super::{Bench, attribute, jid};

pub const ROOM: &str = "team@conference.example.com";

/// What a room of today says of itself.
pub const FEATURES: [&str; 5] = [
    "http://jabber.org/protocol/muc",
    "urn:xmpp:mam:2",
    "urn:xmpp:sid:0",
    "urn:xmpp:occupant-id:0",
    "urn:xmpp:message-moderate:1",
];

impl Bench {
    pub fn wish(&mut self, wish: RoomWish) -> Option<Result<Reply, CommandError>> {
        let answer = self.im.room_wish(Ticket(7), wish, self.now);
        self.drain();
        answer
    }

    pub fn ask_in(&mut self, nick: Option<&str>) {
        let wish =
            RoomWish::Join { room: jid(ROOM), nick: nick.map(str::to_owned), password: None };
        assert!(self.wish(wish).is_none(), "the answer comes later");
    }

    /// Answers the only question that holds `needle` with this payload.
    #[track_caller]
    pub fn reply(&mut self, needle: &str, payload: &str) {
        let question = self.sent_with(needle).to_owned();
        self.forget();
        let (id, to) = (attribute(&question, "id"), attribute(&question, "to"));
        self.receive(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}' from='{to}'>{payload}</iq>"
        ));
    }

    #[track_caller]
    pub fn refuse(&mut self, needle: &str, condition: &str) {
        let question = self.sent_with(needle).to_owned();
        self.forget();
        let (id, to) = (attribute(&question, "id"), attribute(&question, "to"));
        self.receive(&format!(
            "<iq xmlns='jabber:client' type='error' id='{id}' from='{to}'><error type='cancel'>\
             <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        ));
    }

    pub fn told(&mut self, features: &[&str]) {
        let features: String = features.iter().map(|it| format!("<feature var='{it}'/>")).collect();
        self.reply(
            "disco#info",
            &format!(
                "<query xmlns='http://jabber.org/protocol/disco#info'>\
                 <identity category='conference' type='text' name='Team'/>{features}</query>"
            ),
        );
    }

    /// Presence of an occupant: `item` are attributes of the item, `more` stands beside it.
    pub fn occupant(&mut self, nick: &str, item: &str, more: &str) {
        self.receive(&format!(
            "<presence xmlns='jabber:client' from='{ROOM}/{nick}' to='alice@example.com/desk'>\
             <x xmlns='http://jabber.org/protocol/muc#user'><item {item}/>{more}</x></presence>"
        ));
    }

    pub fn gone(&mut self, nick: &str, item: &str, more: &str) {
        self.receive(&format!(
            "<presence xmlns='jabber:client' type='unavailable' from='{ROOM}/{nick}'>\
             <x xmlns='http://jabber.org/protocol/muc#user'><item {item}/>{more}</x></presence>"
        ));
    }

    pub fn let_in(&mut self, nick: &str) {
        self.occupant(nick, "affiliation='member' role='participant'", "<status code='110'/>");
    }

    pub fn settle(&mut self) {
        self.receive(&format!(
            "<message xmlns='jabber:client' type='groupchat' from='{ROOM}'><subject>Lunch</subject></message>"
        ));
    }

    /// In the room as `alice` with bob and carol, all said.
    pub fn inside(features: &[&str]) -> Self {
        let mut bench = Self::with_contacts(
            "<item jid='bob@example.com' name='Bob Builder' subscription='both'/>",
        );
        bench.ask_in(None);
        bench.told(features);
        bench.occupant("bob", "affiliation='owner' role='moderator' jid='bob@example.com/x'", "");
        bench.occupant("carol", "affiliation='none' role='visitor'", "");
        bench.let_in("alice");
        bench.settle();
        bench.forget();
        bench
    }

    /// Somebody says something in the room; `more` stands beside the body.
    pub fn said(&mut self, nick: &str, id: &str, body: &str, more: &str) {
        self.receive(&format!(
            "<message xmlns='jabber:client' type='groupchat' id='{id}' from='{ROOM}/{nick}'>\
             <body>{body}</body>{more}</message>"
        ));
    }

    pub fn room(&self) -> Room {
        self.im.rooms().get(&jid(ROOM)).map(|it| it.as_ref().clone()).expect("the room is known")
    }

    pub fn error(&self) -> String {
        let room = self.room();
        assert_eq!(room.state, RoomState::Failed);
        room.error.expect("why")
    }
}

pub fn room_jid() -> Jid {
    jid(ROOM)
}
