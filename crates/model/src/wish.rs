//! What may be asked of chats, rooms, people and files beyond the simplest.

use std::path::PathBuf;

use crate::{
    Affiliation, Alerts, CaptureArea, Jid, KeyTrust, MessageId, RoomRole, Secret, TransferId,
};

/// Wishes about conversations.
#[derive(Clone, Debug)]
pub enum ChatWish {
    /// Answer one message (XEP-0461).
    Reply {
        /// Conversation.
        with: Jid,
        /// Which message.
        to: MessageId,
        /// Plain text.
        body: String,
    },
    /// Replace the text of an own message (XEP-0308).
    Correct {
        /// Conversation.
        with: Jid,
        /// Which message.
        id: MessageId,
        /// New text.
        body: String,
    },
    /// Our reactions to a message from now on (XEP-0444); none takes them back.
    React {
        /// Conversation.
        with: Jid,
        /// Which message.
        id: MessageId,
        /// At most 20 emoji.
        emoji: Vec<String>,
    },
    /// Take an own message back (XEP-0424).
    Retract {
        /// Conversation.
        with: Jid,
        /// Which message.
        id: MessageId,
    },
    /// Send a message again that failed.
    Again {
        /// Conversation.
        with: Jid,
        /// Which message.
        id: MessageId,
    },
    /// Keep what was begun and not sent.
    Draft {
        /// Conversation.
        with: Jid,
        /// The text; empty forgets it.
        text: String,
    },
    /// What the conversation may disturb us with.
    Alerts {
        /// Conversation.
        with: Jid,
        /// How much.
        alerts: Alerts,
    },
    /// Load older messages into the snapshot: from this computer, and when it has no more from the
    /// server's archive.
    Older {
        /// Conversation.
        with: Jid,
    },
    /// Load everything from some messages before this one, to show it in context.
    Show {
        /// Conversation.
        with: Jid,
        /// Which message.
        id: MessageId,
    },
    /// Encrypt from client to client from now on, or no more (XEP-0384).
    Encrypt {
        /// Conversation with a person.
        with: Jid,
        /// On.
        on: bool,
    },
    /// Say whether a key is believed.
    Trust {
        /// Whose key, bare.
        owner: Jid,
        /// Which, in lower-case hex.
        fingerprint: String,
        /// Believed?
        trust: KeyTrust,
    },
    /// Delete the conversation's messages on this computer.
    Clear {
        /// Conversation.
        with: Jid,
    },
    /// Write messages to a file that a person can read (`.html`, `.txt`) or a program (`.json`).
    Export {
        /// One conversation, or all.
        with: Option<Jid>,
        /// File to make; refused when it exists.
        path: PathBuf,
    },
}

/// Wishes about rooms (XEP-0045).
#[derive(Clone, Debug)]
pub enum RoomWish {
    /// Make a room and enter it. Answered with its address.
    Create {
        /// Name to show.
        name: String,
        /// Topic.
        topic: Option<String>,
        /// It outlives its last occupant.
        persistent: bool,
        /// Members only.
        members_only: bool,
        /// Whom to invite at once.
        invite: Vec<Jid>,
    },
    /// Enter.
    Join {
        /// Which.
        room: Jid,
        /// Nickname; ours by habit of the deployment without it.
        nick: Option<String>,
        /// Password, if it wants one.
        password: Option<Secret<String>>,
    },
    /// Leave; the bookmark stays without entering by itself.
    Leave {
        /// Which.
        room: Jid,
    },
    /// Close the room for everybody.
    Destroy {
        /// Which.
        room: Jid,
    },
    /// Ask somebody in.
    Invite {
        /// Which.
        room: Jid,
        /// Whom.
        who: Jid,
        /// Why.
        reason: Option<String>,
    },
    /// Answer an invitation.
    Answer {
        /// Which.
        room: Jid,
        /// Enter.
        accept: bool,
    },
    /// Change the topic.
    Subject {
        /// Which.
        room: Jid,
        /// New topic.
        subject: String,
    },
    /// Change name or access; what is `None` stays.
    Configure {
        /// Which.
        room: Jid,
        /// Name to show.
        name: Option<String>,
        /// Members only.
        members_only: Option<bool>,
        /// Visitors need voice.
        moderated: Option<bool>,
        /// Password; empty takes it away.
        password: Option<Secret<String>>,
    },
    /// Change what an occupant may do at present; [`RoomRole::None`] puts them out.
    Role {
        /// Which.
        room: Jid,
        /// Whom.
        nick: String,
        /// What they may do.
        role: RoomRole,
        /// Why.
        reason: Option<String>,
    },
    /// Change somebody's lasting rights; [`Affiliation::Outcast`] shuts them out.
    Affiliate {
        /// Which.
        room: Jid,
        /// Whom, bare.
        who: Jid,
        /// Rights.
        affiliation: Affiliation,
        /// Why.
        reason: Option<String>,
    },
    /// Take somebody's message back as a moderator (XEP-0425).
    Moderate {
        /// Which.
        room: Jid,
        /// Which message.
        id: MessageId,
        /// Why.
        reason: Option<String>,
    },
    /// Change our nickname.
    Nick {
        /// Which.
        room: Jid,
        /// New nickname.
        nick: String,
    },
    /// Keep the room among our bookmarks (XEP-0402), or no more.
    Bookmark {
        /// Which.
        room: Jid,
        /// Keep it.
        keep: bool,
        /// Enter it at sign-in.
        autojoin: bool,
    },
    /// Look for rooms; the snapshot's listing tells what is found.
    Browse {
        /// One service, or all that the server and our bookmarks name.
        service: Option<Jid>,
    },
}

/// Wishes about people.
#[derive(Clone, Debug)]
pub enum PeopleWish {
    /// Tell us once when this contact becomes available, or no more.
    Alert {
        /// Whom.
        contact: Jid,
        /// Tell.
        on: bool,
    },
    /// Hear nothing of this person (XEP-0191), or again.
    Block {
        /// Whom.
        who: Jid,
        /// Block.
        on: bool,
    },
    /// See the presence of somebody who is no contact, while their card or search row is shown
    /// (reference im-presence.md section 4), or no more.
    Watch {
        /// Whom.
        who: Jid,
        /// See.
        on: bool,
    },
    /// Fetch what the person tells of themselves (XEP-0054), last activity (XEP-0012) and client
    /// (XEP-0092); the snapshot's details tell.
    Details {
        /// Whom.
        who: Jid,
    },
    /// The photo of this person is to be shown (XEP-0084, XEP-0153): fetch it if it is not here.
    Photo {
        /// Whom.
        who: Jid,
    },
    /// Use this picture as our own, or none.
    OwnPhoto {
        /// PNG or JPEG file.
        path: Option<PathBuf>,
    },
    /// "In a meeting" or "Presenting" by hand or by another part of the program, or no more.
    Activity {
        /// Which, or none.
        activity: Option<crate::Activity>,
    },
    /// Key and pointer have not been used for so long, and whether the screen is locked: for
    /// accessories and tests, where the system itself does not tell.
    Idle {
        /// Seconds; 0 is somebody at the desk.
        seconds: u64,
        /// Locked.
        locked: bool,
    },
    /// The groups of a contact from now on.
    Groups {
        /// Whom.
        contact: Jid,
        /// Their groups; none is the list's own.
        groups: Vec<String>,
    },
    /// Give a group another name: all who are in it move.
    RenameGroup {
        /// As it is called.
        from: String,
        /// As it is to be called; the name of another group joins the two.
        to: String,
    },
}

/// Wishes about files.
#[derive(Clone, Debug)]
pub enum FileWish {
    /// Send a file. Answered with the transfer's id.
    Send {
        /// To a person or a room.
        to: Jid,
        /// Which.
        path: PathBuf,
    },
    /// Take an offered file, or fetch one that lies at the server.
    Accept {
        /// Which.
        id: TransferId,
        /// Where to; the download folder without it. Nothing that exists is overwritten.
        path: Option<PathBuf>,
    },
    /// Refuse an offered file, or break off.
    Decline {
        /// Which.
        id: TransferId,
    },
    /// Try again what failed, from where it stopped if the way allows.
    Again {
        /// Which.
        id: TransferId,
    },
    /// Take a picture of the screen and send it.
    Capture {
        /// To a person or a room.
        to: Jid,
        /// What of it.
        area: CaptureArea,
    },
}
