//! What is kept on disk. Requests are carried out in order by one thread.

use std::path::PathBuf;
use std::sync::Arc;

use offhook_model::{
    AcceptedKey, Alerts, CallRecord, Chat, ChatKind, Delivery, DirectoryEntry, Jid, Keeping,
    ManualAccount, Message, MessageId, PhotoId, Provisioned, Retraction, Secret, Settings,
    SourceKind, Timestamp,
};

use crate::Remembered;

/// One thing to keep or to read. `account` is our bare JID or address: each has its own history.
#[derive(Clone, Debug)]
pub enum StoreRequest {
    /// Keep a message; a message with the same id and conversation is replaced, so this is also
    /// how a new delivery state is kept.
    PutMessage(Message),
    /// Keep a message of an archive, unless it is here already, by its id or by the archive's: that
    /// one stays as it is.
    PutArchived(Message),
    /// Change only the delivery state; ignored when the message is not there or is further along.
    SetDelivery(MessageId, Delivery, Option<String>),
    /// Change a message that may no longer be in memory; ignored when it is not there or `change`
    /// is not the writer's to make.
    Amend {
        /// Conversation.
        with: Jid,
        /// Which message: by its id, or by the id the conversation's archive gave it.
        id: MessageId,
        /// What.
        change: Box<Amendment>,
    },
    /// All received messages of the conversation have been seen.
    MarkRead(Jid),
    /// Keep what is known of a conversation beside its messages.
    PutChat(Box<ChatRow>),
    /// Everything of the archive up to this id is here: of our account (`None`) or of a room
    /// (XEP-0313). Kept after the messages it speaks of.
    PutArchive(Option<Jid>, String),
    /// The archive of the account is read to its end: no message is unplaced any more.
    AllPlaced,
    /// Keep a private value of the account, such as keys (XEP-0384); nothing forgets it.
    PutValue(String, Option<Secret<String>>),
    /// Keep a picture.
    PutPhoto(PhotoId, Vec<u8>),
    /// Read a picture.
    GetPhoto(PhotoId),
    /// Take a picture out of the cache.
    ForgetPhoto(PhotoId),
    /// Keep what is known of people: each entry replaces the one of the same source and id. The time
    /// is the store's own. Contacts of our own are kept whatever the plan says; of the rest, the
    /// entries that were told of last are kept, at most a million.
    PutPeople(Vec<Arc<DirectoryEntry>>),
    /// Forget these entries of a source, or all of them.
    ForgetPeople(SourceKind, Option<Vec<String>>),
    /// Read what is known of people. What a source other than ourselves said before this time is
    /// forgotten.
    LoadPeople(Timestamp),
    /// Keep a call record.
    PutCall(CallRecord),
    /// Everything needed at sign-in.
    Load,
    /// The newest messages of a conversation, older than `before`, at most `limit`.
    History {
        /// Conversation.
        with: Jid,
        /// Only older.
        before: Option<MessageId>,
        /// At most.
        limit: u32,
    },
    /// All messages from `context` messages before this one to the newest, at most 200,000.
    HistoryFrom {
        /// Conversation.
        with: Jid,
        /// The message to be shown.
        id: MessageId,
        /// How many before it.
        context: u32,
    },
    /// Delete a conversation's messages.
    Clear(Jid),
    /// Write messages to a file.
    Export {
        /// One conversation, or all.
        with: Option<Jid>,
        /// File to make.
        path: PathBuf,
    },
    /// Messages that contain all words, the newest first found; the last word may be a beginning.
    Search {
        /// Words.
        query: String,
        /// Only in this conversation.
        with: Option<Jid>,
        /// At most.
        limit: u32,
    },
    /// Open the history of this account; all requests above concern it from now on. Opening it
    /// again changes how it is kept. A file that cannot be used is no failure: messages are in
    /// memory then, and the answer says why.
    Open(String, KeepingPlan),
    /// Close the account's history.
    Close,
    /// Keep settings.
    PutSettings(Box<Settings>),
    /// Keep the manual account.
    PutManual(Box<ManualAccount>),
    /// Keep what discovery found, or forget it.
    PutRemembered(Option<Box<Remembered>>),
    /// Keep the layers of settings that others made.
    PutProvisioned(Box<Provisioned>),
    /// Keep the accepted keys.
    PutAccepted(Vec<AcceptedKey>),
    /// Keep until when the phone's certificate in the credential store counts, in seconds since
    /// 1970, for who does not open that store; nothing when there is none.
    PutCertified(Option<i64>),
    /// Keep what the outside answered, for a problem report: `answers.json`, redacted already.
    PutAnswers(String),
    /// Keep a password in the credential store of the system; where there is none it is kept in
    /// memory until the program ends.
    PutPassword(String, Secret<String>),
    /// Read the password of this account.
    GetPassword(String),
    /// Forget the password of this account.
    ForgetPassword(String),
}

/// How an account's messages are to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeepingPlan {
    /// Beyond the session. When false nothing but own messages that wait to be sent, archive
    /// positions, private values and calls is written; the rest lives in memory until
    /// [`StoreRequest::Close`]. Messages that were kept before are deleted.
    pub history: bool,
    /// Days after which messages are deleted; 0 keeps them.
    pub retention_days: u32,
    /// Folder into which each conversation is written as text as well.
    pub archive_folder: Option<PathBuf>,
}

impl Default for KeepingPlan {
    fn default() -> Self {
        Self { history: true, retention_days: 0, archive_folder: None }
    }
}

/// A change of a message by those who may make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amendment {
    /// The writer replaced the text; only when `by` wrote it.
    Body {
        /// Who.
        by: Jid,
        /// New text.
        body: String,
        /// New rich text.
        html: Option<String>,
    },
    /// It was taken back; by its writer, or by the room when `by_room`.
    Retract {
        /// By whom and why.
        retraction: Retraction,
        /// The room said so.
        by_room: bool,
    },
    /// Somebody's reactions from now on.
    Reactions {
        /// Whose.
        by: Jid,
        /// They are ours.
        own: bool,
        /// Emoji.
        emoji: Vec<String>,
    },
    /// The archive gave it this id.
    ArchiveId(String),
    /// The archive came to it: it stands here ([`offhook_model::More::unplaced`] no longer).
    Placed(Timestamp),
}

/// What is kept of a conversation beside its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatRow {
    /// Which.
    pub with: Jid,
    /// Person or room.
    pub kind: ChatKind,
    /// Name of a room.
    pub name: Option<String>,
    /// What was begun and not sent.
    pub draft: String,
    /// What it may disturb us with.
    pub alerts: Alerts,
    /// The user's word about encryption, if there was one.
    pub encrypt: Option<bool>,
}

/// Everything needed at sign-in.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Conversations with their last message, unread count, draft and alerts, newest first.
    pub chats: Vec<Chat>,
    /// The rows of [`StoreRequest::PutChat`].
    pub rows: Vec<ChatRow>,
    /// By conversation, the time of the newest message that the server is known to have and that has
    /// its place: own ones that wait or failed stand behind it.
    pub settled: Vec<(Jid, Timestamp)>,
    /// Messages that are not placed, in order of time.
    pub unplaced: Vec<Unplaced>,
    /// Positions in archives.
    pub archives: Vec<(Option<Jid>, String)>,
    /// Private values.
    pub values: Vec<(String, Secret<String>)>,
    /// The file cannot be opened now, for one because the key store is locked: nothing here is of
    /// earlier sessions, and private values do not outlast this one.
    pub shut: bool,
    /// How messages are really kept.
    pub keeping: Keeping,
    /// Earlier calls, newest first.
    pub calls: Vec<CallRecord>,
    /// Own messages in state queued, oldest first.
    pub queued: Vec<Message>,
}

/// A message of which the archive of the account has not told the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unplaced {
    /// Conversation.
    pub with: Jid,
    /// Which.
    pub id: MessageId,
    /// The time under which it stands.
    pub time: Timestamp,
    /// We wrote it, at another device.
    pub own: bool,
}

/// What was read.
#[derive(Clone, Debug)]
pub enum StoreAnswer {
    /// Kept.
    Kept,
    /// Kept, but the text archive that is wanted beside it cannot be written; in words. Told once.
    KeptBut(String),
    /// The answer to [`StoreRequest::Open`]: how messages are really kept.
    Opened(Keeping),
    /// The answer to [`StoreRequest::Load`].
    Loaded(Box<Loaded>),
    /// The answer to a query, in order of time.
    Messages {
        /// Messages.
        items: Vec<Message>,
        /// There are more.
        more: bool,
    },
    /// A picture, if it is kept.
    Photo(PhotoId, Option<Vec<u8>>),
    /// The answer to [`StoreRequest::LoadPeople`].
    People(Vec<DirectoryEntry>),
    /// The file was written, with so many messages.
    Exported(PathBuf, u64),
    /// A password, if one is kept.
    Password(Option<Secret<String>>),
    /// The system's credential store cannot be used, so a password is kept in memory only, or could
    /// not be read; in words, with the remedy.
    MemoryOnly(String),
    /// It could not be done; in words, without private content.
    Failed(String),
}
