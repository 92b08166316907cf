//! One room as we know it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use offhook_model::{
    Affiliation, Jid, MessageId, RoomRole, RoomState, RoomTraits, Secret, Ticket, Timestamp,
};

use super::bookmarks::Bookmark;
use super::creating::Plan;
use super::occupants::Crowd;

/// Longest name or topic that is kept, in characters.
const TEXT: usize = 2_000;

/// One room.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) jid: Jid,
    /// As the room tells.
    pub(crate) title: Option<String>,
    pub(crate) subject: String,
    /// Our nickname: the one we have, or ask for.
    pub(crate) nick: String,
    pub(crate) state: RoomState,
    /// Why we are out, in words.
    pub(crate) error: Option<String>,
    /// We want to be in it: every new connection enters it.
    pub(crate) wanted: bool,
    pub(crate) password: Option<Secret<String>>,
    pub(crate) bookmark: Option<Bookmark>,
    pub(crate) traits: RoomTraits,
    pub(crate) features: BTreeSet<String>,
    pub(crate) affiliation: Affiliation,
    pub(crate) role: RoomRole,
    pub(crate) crowd: Crowd,
    /// Members, admins and owners, as far as the room told; in or not.
    pub(crate) members: BTreeMap<Jid, Affiliation>,
    /// Lists of members that are still to come.
    pub(crate) lists: usize,
    /// Who waits to hear whether we got in.
    pub(crate) tickets: Vec<Ticket>,
    /// Invitations that the room may return: stanza id, whom, why.
    pub(crate) invited: Vec<(String, Jid, Option<String>)>,
    /// What is to be done with a room of our own once we are in.
    pub(crate) plan: Option<Box<Plan>>,
    /// The id of the presence that asks to be let in or for another nickname.
    pub(crate) asked: Option<String>,
    /// A nickname was taken and another is tried.
    pub(crate) second_nick: bool,
    /// How often entering was tried since we were in.
    pub(crate) tries: u32,
    /// What is done next, and when.
    pub(crate) next: Option<(Instant, Next)>,
    /// How often in a row our own question to ourselves was not answered (XEP-0410).
    pub(crate) unanswered: u32,
    /// All that was said before has been replayed, so own messages may go out.
    pub(crate) settled: bool,
    /// The archive tells what was said since we were in it; the replay was not asked for.
    pub(crate) catching_up: bool,
    /// The archive did not answer what was asked of it; from now on the room is asked for a replay.
    pub(crate) mute_archive: bool,
    /// Messages of the replay that goes on.
    pub(crate) replayed: BTreeSet<MessageId>,
    /// Who writes, until when.
    pub(crate) writers: BTreeMap<String, Instant>,
    /// When the newest message was written that we have, by the room's clock.
    pub(crate) newest: Option<Timestamp>,
    /// The mark the room gave us as an occupant (XEP-0421).
    pub(crate) own_mark: Option<String>,
}

/// What a room waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// To be let in; then it did not answer.
    GiveUp,
    /// To be tried again.
    Enter,
    /// For the end of what is replayed.
    Settle,
    /// To be asked whether we are still in it.
    Ping,
}

impl Place {
    pub(crate) fn new(jid: Jid, nick: String) -> Self {
        Self {
            jid,
            title: None,
            subject: String::new(),
            nick,
            state: RoomState::Left,
            error: None,
            wanted: false,
            password: None,
            bookmark: None,
            traits: RoomTraits::default(),
            features: BTreeSet::new(),
            affiliation: Affiliation::None,
            role: RoomRole::None,
            crowd: Crowd::default(),
            members: BTreeMap::new(),
            lists: 0,
            tickets: Vec::new(),
            invited: Vec::new(),
            plan: None,
            asked: None,
            second_nick: false,
            tries: 0,
            next: None,
            unanswered: 0,
            settled: false,
            catching_up: false,
            mute_archive: false,
            replayed: BTreeSet::new(),
            writers: BTreeMap::new(),
            newest: None,
            own_mark: None,
        }
    }

    /// The name to show: what the room says, what we called it, or the first part of its address.
    pub(crate) fn name(&self) -> String {
        let ours = self.bookmark.as_ref().and_then(|it| it.name.as_deref());
        let named = [self.title.as_deref(), ours];
        let named = named.into_iter().flatten().find(|it| !it.trim().is_empty());
        named.unwrap_or_else(|| self.jid.local().unwrap_or(self.jid.bare_str())).to_owned()
    }

    pub(crate) fn is_in(&self) -> bool {
        self.state == RoomState::Joined
    }

    /// We are in it or being let in, so that what it says concerns us.
    pub(crate) fn listens(&self) -> bool {
        matches!(self.state, RoomState::Joined | RoomState::Joining)
    }

    /// Our own address in it.
    pub(crate) fn own(&self) -> Jid {
        self.jid.with_resource(&self.nick)
    }

    pub(crate) fn has(&self, feature: &str) -> bool {
        self.features.contains(feature)
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        let next = self.next.map(|(at, _)| at);
        self.writers.values().copied().chain(next).min()
    }

    /// We are no longer in it; who was there is forgotten, what it is called is not.
    pub(crate) fn leave(&mut self, state: RoomState) {
        self.state = state;
        self.crowd = Crowd::default();
        self.role = RoomRole::None;
        self.asked = None;
        self.next = None;
        self.unanswered = 0;
        self.settled = false;
        self.catching_up = false;
        self.replayed.clear();
        self.writers.clear();
        self.own_mark = None;
    }
}

/// Text of a room, bounded.
pub(crate) fn bounded(text: &str) -> String {
    text.trim().chars().take(TEXT).collect()
}
