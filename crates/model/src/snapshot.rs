//! Everything the window and the control API may know, at one instant.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::{
    AcceptedKey, Call, CallRecord, CardsDone, Chat, ChatPolicy, Contact, Devices, DirectoryEntry,
    GroupTaking, Invitation, Jid, Keeping, Layer, ManualAccount, Message, PeopleSearch,
    PersonDetails, PhoneState, PhotoId, Presence, Preset, Problem, ProblemId, Room, RoomListing,
    Session, Settings, SourceKind, Transfer,
};

/// Ourselves.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Me {
    /// Our bare JID or SIP address, when known.
    pub address: Option<String>,
    /// Our name.
    pub name: String,
    /// What we tell others.
    pub presence: Presence,
    /// Our own number, if we have a phone.
    pub number: Option<String>,
    /// Our own picture, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo: Option<PhotoId>,
}

/// A problem on the screen until dismissed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Toast {
    /// To dismiss it by.
    pub id: ProblemId,
    /// What is wrong.
    pub problem: Problem,
}

/// What the last search in kept messages found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChatFound {
    /// The words as they were asked for.
    pub query: String,
    /// The conversation, if it was in one only.
    pub with: Option<Jid>,
    /// Messages in order of time.
    pub items: Vec<Message>,
}

/// Pictures of directories and address books by the source of an entry and its id; nothing where
/// there is none.
pub type Portraits = BTreeMap<(SourceKind, String), Option<Arc<[u8]>>>;

/// One consistent picture of the application. Cheap to clone: the large parts are shared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Counts up with every change.
    pub revision: u64,
    /// Who is signed in and how it fares.
    pub session: Session,
    /// Ourselves.
    pub me: Me,
    /// The contact list, sorted for display.
    pub contacts: Arc<Vec<Arc<Contact>>>,
    /// Conversations, newest first.
    pub chats: Arc<Vec<Arc<Chat>>>,
    /// The messages of each conversation that is loaded, oldest first, without a gap up to the
    /// newest.
    pub messages: Arc<BTreeMap<Jid, Arc<Vec<Arc<Message>>>>>,
    /// What the last search in kept messages found, for the search inside of a conversation.
    pub found: Arc<ChatFound>,
    /// Rooms we are in, have bookmarked or were in, by address.
    pub rooms: Arc<BTreeMap<Jid, Arc<Room>>>,
    /// Invitations that wait for an answer.
    pub invitations: Arc<Vec<Invitation>>,
    /// What browsing for rooms found.
    pub listing: Arc<RoomListing>,
    /// What people tell of themselves, of those who were asked about.
    pub details: Arc<BTreeMap<Jid, Arc<PersonDetails>>>,
    /// Pictures that were fetched, as PNG, JPEG, GIF or WebP of at most 1 MiB; not decoded, so not
    /// to be trusted.
    pub photos: Arc<BTreeMap<PhotoId, Arc<[u8]>>>,
    /// The search for people that is in the search box.
    pub people: Arc<PeopleSearch>,
    /// Contacts of our own, by name.
    pub own_contacts: Arc<Vec<Arc<DirectoryEntry>>>,
    /// How the last import or export of cards ended, if there was one.
    pub cards: Option<Arc<CardsDone>>,
    /// How taking over a group of the directory goes, or went the last time.
    pub group_taking: Option<Arc<GroupTaking>>,
    /// Pictures of directories and address books that were asked for
    /// ([`ContactsWish::Portrait`](crate::ContactsWish)), by source and id of the entry; nothing when
    /// there is none. Formats and bounds are those of `photos`.
    pub portraits: Arc<Portraits>,
    /// People who are blocked (XEP-0191).
    pub blocked: Arc<Vec<Jid>>,
    /// Files on their way, and those of this session that arrived or failed.
    pub transfers: Arc<Vec<Arc<Transfer>>>,
    /// What administrators decided about chat.
    pub policy: Arc<ChatPolicy>,
    /// How messages are kept on this computer.
    pub keeping: Keeping,
    /// Calls that go on, and those that ended in the last seconds.
    pub calls: Arc<Vec<Call>>,
    /// What the phone is set to, what waits, and which lines it watches.
    pub phone: Arc<PhoneState>,
    /// Earlier calls, newest first. Each is shared: a call that ends costs one, not two hundred.
    pub call_log: Arc<Vec<Arc<CallRecord>>>,
    /// Sound devices.
    pub devices: Arc<Devices>,
    /// The user's settings.
    pub settings: Arc<Settings>,
    /// Manual connection settings.
    pub manual: Arc<ManualAccount>,
    /// What is settled before discovery, as the layers say it.
    pub preset: Arc<Preset>,
    /// Settings that administrators and servers made, for `policy explain` and the status window.
    pub layers: Arc<Vec<Layer>>,
    /// Keys that the user accepted.
    pub accepted: Arc<Vec<AcceptedKey>>,
    /// What is wrong at present.
    pub toasts: Arc<Vec<Toast>>,
}
