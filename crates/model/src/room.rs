//! Group chat (XEP-0045).

use serde::{Deserialize, Serialize};

use crate::{Availability, Jid};

/// How a room is related to us at this moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RoomState {
    /// Known, by a bookmark or earlier, and not entered.
    #[default]
    Left,
    /// Being entered.
    Joining,
    /// We are in it.
    Joined,
    /// It did not let us in or put us out; [`Room::error`] says why.
    Failed,
}

/// What somebody may do in a room for as long as the room exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Affiliation {
    /// Shut out.
    Outcast,
    /// Nothing special.
    #[default]
    None,
    /// May enter a room for members.
    Member,
    /// May shut others out.
    Admin,
    /// May do everything.
    Owner,
}

/// What somebody may do while they are in the room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoomRole {
    /// Not in the room.
    #[default]
    None,
    /// May listen.
    Visitor,
    /// May speak.
    Participant,
    /// May put others out, give them voice, take messages back.
    Moderator,
}

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Occupant {
    /// Nickname; on a deployment of the vendor it is the person's address.
    pub nick: String,
    /// Name to show: from the contact list where the person is known, else made of the nickname.
    pub name: String,
    /// Real bare address, where the room tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jid: Option<Jid>,
    /// Lasting rights.
    pub affiliation: Affiliation,
    /// Rights at present.
    pub role: RoomRole,
    /// What they let others know.
    pub availability: Availability,
    /// This is us.
    pub me: bool,
}

/// How a room is set up, as far as it tells (`muc#roominfo`, XEP-0045 section 6.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RoomTraits {
    /// It outlives its last occupant.
    pub persistent: bool,
    /// Members only.
    pub members_only: bool,
    /// Visitors need voice to speak.
    pub moderated: bool,
    /// A password is asked for.
    pub password: bool,
    /// Everybody sees real addresses.
    pub open_addresses: bool,
    /// It does not appear in listings.
    pub hidden: bool,
    /// It keeps an archive (XEP-0313).
    pub archive: bool,
    /// Moderators can take messages back (XEP-0425).
    pub moderation: bool,
}

/// One room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Room {
    /// Bare address.
    pub room: Jid,
    /// Name to show.
    pub name: String,
    /// Topic.
    pub subject: String,
    /// Our nickname in it.
    pub nick: String,
    /// In or out.
    pub state: RoomState,
    /// Why we are out, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// It is entered by itself at sign-in (XEP-0402).
    pub autojoin: bool,
    /// It is among our bookmarks.
    pub bookmarked: bool,
    /// How it is set up.
    pub traits: RoomTraits,
    /// Our lasting rights.
    pub affiliation: Affiliation,
    /// Our rights at present.
    pub role: RoomRole,
    /// Who is in, sorted for display.
    pub occupants: Vec<Occupant>,
    /// Members, admins and owners who are not in, where the room tells.
    pub absent: Vec<Occupant>,
}

/// Somebody asks us into a room (XEP-0045 section 7.8, XEP-0249).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Invitation {
    /// Bare address of the room.
    pub room: Jid,
    /// Who asks, bare, where that is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Jid>,
    /// Why; the vendor's clients put the subject here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A room that a listing named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedRoom {
    /// Bare address.
    pub room: Jid,
    /// Its name, or the local part.
    pub name: String,
    /// Its service.
    pub service: Jid,
}

/// What browsing found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomListing {
    /// Group chat services that were found.
    pub services: Vec<Jid>,
    /// Rooms in them, by name.
    pub rooms: Vec<ListedRoom>,
    /// Answers are still to come.
    pub busy: bool,
    /// What did not answer, in words.
    pub errors: Vec<String>,
}
