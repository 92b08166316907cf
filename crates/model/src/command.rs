//! What may be asked of the core, by the window, the control API or a test.

use serde::Serialize;

use crate::{
    AudioSpec, Availability, CallId, CallWish, ChatWish, ContactsWish, DialString, FileWish,
    GroupTaken, Jid, ManualAccount, Message, MessageId, Owner, PeopleSearch, PeopleWish, Problem,
    ProblemId, Role, RoomWish, Secret, Settings, StreamStats, TransferId, UserAddress,
};

/// One wish. Every command is answered once with a [`Reply`] or a [`CommandError`].
#[derive(Clone, Debug)]
pub enum Command {
    /// Begin to sign in; answers at once, progress is in the session.
    SignIn {
        /// Whom.
        address: UserAddress,
        /// User name, where it is not the first part of the address.
        username: Option<String>,
        /// Password; without it the session prompts when it needs one.
        password: Option<Secret<String>>,
    },
    /// Answer the session's prompt.
    GivePassword {
        /// User name as corrected.
        username: String,
        /// Password.
        password: Secret<String>,
    },
    /// Sign out, hang up everything.
    SignOut,
    /// Sign out, then end the program.
    Quit,
    /// Look for the services anew and sign in again, with what was given before.
    TryAgain,
    /// Forget what was found and cached for the account, its password, its manual settings and the
    /// settings it was provisioned with; the user's own settings and histories stay. Not while
    /// somebody is signed in.
    Reset,
    /// Take over the settings of a configuration URL (`ciscojabber://provision?…`,
    /// `offhook://provision?…`). Not while somebody is signed in.
    /// What the browser ends on after single sign-on is taken as well; it holds a token.
    Provision(Secret<String>),
    /// Answer the session's question about a certificate.
    AnswerTrust {
        /// Which question.
        id: u32,
        /// The key is accepted for this host.
        accept: bool,
    },
    /// Answer the session's question for the authentication string of the phone's certificate;
    /// nothing leaves the phone without one for now.
    GiveAuthString(Option<Secret<String>>),
    /// No longer accept this key.
    RevokeTrust {
        /// SHA-256 of the SubjectPublicKeyInfo, in hex.
        key: String,
    },
    /// Replace the manual connection settings.
    SetManual(ManualAccount),
    /// Change own availability and note.
    SetPresence {
        /// The state to show.
        availability: Availability,
        /// The note to show.
        note: Option<String>,
    },
    /// Add to or rename on the contact list, and ask to see the person's presence.
    RosterAdd {
        /// Whom.
        contact: Jid,
        /// Name to show.
        name: Option<String>,
        /// Groups to put them in; nothing leaves them where they are.
        groups: Option<Vec<String>>,
    },
    /// Take off the contact list.
    RosterRemove {
        /// Whom.
        contact: Jid,
    },
    /// Allow or refuse a person who wants to see our presence.
    RosterAnswer {
        /// Whom.
        contact: Jid,
        /// Allow.
        allow: bool,
    },
    /// Send a message; visible at once.
    SendChat {
        /// To whom.
        to: Jid,
        /// Plain text.
        body: String,
    },
    /// Tell the other side that we are writing, or no more.
    Typing {
        /// To whom.
        to: Jid,
        /// We are.
        typing: bool,
    },
    /// All received messages of this conversation have been seen.
    MarkRead {
        /// Which.
        with: Jid,
    },
    /// Load the newest stored messages into the snapshot, because a conversation is shown.
    OpenChat {
        /// Which.
        with: Jid,
    },
    /// Read stored messages.
    ChatHistory {
        /// Which conversation.
        with: Jid,
        /// Only older than this message.
        before: Option<MessageId>,
        /// At most so many (1 to 1,000), the newest of them, in order of time.
        limit: u32,
    },
    /// Search stored messages for words.
    ChatSearch {
        /// Words; the last may be the beginning of one.
        query: String,
        /// Only in this conversation.
        with: Option<Jid>,
        /// At most so many (1 to 1,000).
        limit: u32,
    },
    /// About a conversation.
    Chat(ChatWish),
    /// About a room.
    Room(RoomWish),
    /// About a person.
    People(PeopleWish),
    /// About people of directories and address books.
    Contacts(ContactsWish),
    /// About a file.
    File(FileWish),
    /// Call.
    Dial {
        /// Number or address.
        to: DialString,
        /// With video.
        video: bool,
    },
    /// Answer an incoming call.
    Answer(CallId),
    /// Refuse an incoming call.
    Decline(CallId),
    /// End a call.
    HangUp(CallId),
    /// Put on hold.
    Hold(CallId),
    /// Take back from hold.
    Resume(CallId),
    /// Microphone off or on.
    Mute {
        /// Which call.
        id: CallId,
        /// Off.
        muted: bool,
    },
    /// Send digits in a call.
    Dtmf {
        /// Which call.
        id: CallId,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        digits: String,
    },
    /// About the phone and its calls.
    Call(CallWish),
    /// Figures of a call's streams.
    CallStats(CallId),
    /// Choose a device for a role.
    SelectDevice {
        /// For what.
        role: Role,
        /// Which.
        spec: AudioSpec,
    },
    /// Ask the system for its devices again.
    RefreshDevices,
    /// Try a device: record and play back, or play a tone.
    TestDevice(Role),
    /// Replace the user's settings.
    SetSettings(Box<Settings>),
    /// Keep the password of the relay for sound; an empty one forgets it.
    SetRelayPassword(Secret<String>),
    /// Keep the password of the address book on a server
    /// ([`ContactSettings::address_book`](crate::ContactSettings)) in the credential store; an empty one
    /// forgets it.
    SetAddressBookPassword(Secret<String>),
    /// Take a problem off the screen.
    Dismiss(ProblemId),
}

/// The good answer to a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// Done, or begun; the snapshot tells the rest.
    Done,
    /// The message has this id.
    Message(MessageId),
    /// The call has this id.
    Call(CallId),
    /// The room has this address.
    Room(Jid),
    /// The transfer has this id.
    Transfer(TransferId),
    /// Messages in order of time, and whether there are more.
    Messages {
        /// The messages.
        items: Vec<Message>,
        /// More exist.
        more: bool,
    },
    /// So many messages were written to this file.
    Exported {
        /// Where it lies.
        path: std::path::PathBuf,
        /// How many.
        messages: u64,
    },
    /// Figures.
    Stats(Vec<StreamStats>),
    /// Who was found.
    People(Box<PeopleSearch>),
    /// The contact of our own has this id.
    Contact(String),
    /// The group was taken over.
    Group(GroupTaken),
    /// A file of people was read or written.
    Cards {
        /// File.
        path: std::path::PathBuf,
        /// How many.
        people: u64,
        /// What could not be read.
        left_out: crate::LeftOut,
    },
}

/// Error codes of contract section 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum ErrorCode {
    /// Parameters are not valid.
    InvalidParams = -32602,
    /// The program is at fault.
    Internal = -32603,
    /// Nobody is signed in, or this service is not.
    NotSignedIn = -32001,
    /// There is no such call, chat, contact or device.
    NoSuchObject = -32002,
    /// Not in this state.
    NotPossible = -32003,
    /// Forbidden by policy.
    Refused = -32004,
    /// The other side failed.
    Failed = -32005,
}

/// The bad answer to a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommandError {
    /// Which kind.
    #[serde(skip)]
    pub code: ErrorCode,
    /// What happened.
    pub cause: String,
    /// Who must act.
    pub owner: Owner,
    /// What to do.
    pub remedy: String,
}

impl CommandError {
    /// Builds an error for which the user must act.
    pub fn user(code: ErrorCode, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code, cause: cause.into(), owner: Owner::User, remedy: remedy.into() }
    }

    /// Nothing can be done before signing in.
    pub fn not_signed_in(what: &str) -> Self {
        Self::user(
            ErrorCode::NotSignedIn,
            format!("{what} is not possible: not signed in."),
            "Sign in first.",
        )
    }

    /// The feature does not exist yet.
    pub fn not_built(what: &str) -> Self {
        Self::user(
            ErrorCode::NotPossible,
            format!("{what} is not built yet."),
            "See docs/features.md for what is.",
        )
    }

    /// The call does not exist.
    pub fn no_call(id: CallId) -> Self {
        Self::user(
            ErrorCode::NoSuchObject,
            format!("There is no call {id}."),
            "Ask call.list for the calls there are.",
        )
    }
}

impl From<Problem> for CommandError {
    fn from(problem: Problem) -> Self {
        Self {
            code: ErrorCode::Failed,
            cause: problem.cause,
            owner: problem.owner,
            remedy: problem.remedy,
        }
    }
}
