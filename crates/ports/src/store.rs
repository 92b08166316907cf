//! What is kept on disk. Requests are carried out in order by one thread.

use offhook_model::{
    AcceptedKey, CallRecord, Chat, Delivery, Jid, ManualAccount, Message, MessageId, Provisioned,
    Secret, Settings,
};

use crate::Remembered;

/// One thing to keep or to read. `account` is our bare JID or address: each has its own history.
#[derive(Clone, Debug)]
pub enum StoreRequest {
    /// Keep a message; a message with the same id and conversation is replaced, so this is also
    /// how a new delivery state is kept.
    PutMessage(Message),
    /// Change only the delivery state; ignored when the message is not there or is further along.
    SetDelivery(MessageId, Delivery, Option<String>),
    /// All received messages of the conversation have been seen.
    MarkRead(Jid),
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
    /// Messages that contain all words.
    Search {
        /// Words.
        query: String,
        /// At most.
        limit: u32,
    },
    /// Open the history of this account; all requests above concern it from now on.
    Open(String),
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

/// What was read.
#[derive(Clone, Debug)]
pub enum StoreAnswer {
    /// Kept.
    Kept,
    /// The answer to [`StoreRequest::Load`]: conversations newest first, calls newest first, and
    /// own messages that wait to be sent, oldest first.
    Loaded {
        /// Conversations with their last message and unread count.
        chats: Vec<Chat>,
        /// Earlier calls.
        calls: Vec<CallRecord>,
        /// Own messages in state queued.
        queued: Vec<Message>,
    },
    /// The answer to a query, in order of time.
    Messages {
        /// Messages.
        items: Vec<Message>,
        /// There are more.
        more: bool,
    },
    /// A password, if one is kept.
    Password(Option<Secret<String>>),
    /// The system's credential store cannot be used, so a password is kept in memory only, or could
    /// not be read; in words, with the remedy.
    MemoryOnly(String),
    /// It could not be done; in words, without private content.
    Failed(String),
}
