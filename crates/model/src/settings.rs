//! What the user chose.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{AudioSpec, DeviceSet};

/// Light, dark, or as the system is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the system is.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// The user's settings, `config/settings.json`. Unknown members of the file are kept by the store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Settings {
    /// Microphone.
    pub audio_input: AudioSpec,
    /// Speaker or headset.
    pub audio_output: AudioSpec,
    /// What rings.
    pub ringer_output: AudioSpec,
    /// What was chosen while other devices were there, newest first.
    pub device_sets: Vec<DeviceSet>,
    /// Colours.
    pub theme: Theme,
    /// Language tag such as `de`, or nothing for the system's.
    pub language: Option<String>,
    /// The address of the last sign-in that succeeded.
    pub last_address: Option<String>,
    /// What is done to our own voice.
    pub sound: SoundSettings,
    /// Chats.
    pub chat: ChatSettings,
    /// Calls.
    pub calls: CallSettings,
    /// People.
    pub contacts: ContactSettings,
}

/// Where people are looked for, and what is kept of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ContactSettings {
    /// What directories said of people is kept, encrypted like messages, and found without them; off:
    /// it is forgotten with the sign-out.
    pub keep: bool,
    /// Days after which what a directory said is forgotten, 1 to 3,650.
    pub keep_days: u32,
    /// A folder or file of vCards that is read at each start.
    pub cards: Option<PathBuf>,
    /// An address book on a server.
    pub address_book: Option<AddressBook>,
}

impl Default for ContactSettings {
    fn default() -> Self {
        Self { keep: true, keep_days: 30, cards: None, address_book: None }
    }
}

/// An address book on a server (RFC 6352). Its password is in the credential store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AddressBook {
    /// Address of the server or of the address book, or a domain whose server is looked for
    /// (RFC 6764).
    pub url: String,
    /// Name to sign in with.
    pub user_name: String,
}

/// What is done to the sound of a microphone before it is sent. The system's own microphone level is
/// never touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SoundSettings {
    /// What the loudspeaker plays is taken out.
    pub echo_cancellation: bool,
    /// Steady noise is lowered.
    pub noise_suppression: bool,
    /// A low voice is raised, a loud one held back.
    pub automatic_gain: bool,
    /// Whose tones tell of a call's progress; nothing means those of ITU-T E.180 itself.
    pub tones: Option<ToneCountry>,
}

/// A country by its code of ISO 3166, as the owner of call progress tones (ITU-T E.180 Supplement 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the codes say what they are")]
pub enum ToneCountry {
    At,
    Au,
    Br,
    Ch,
    Cn,
    De,
    Es,
    Fr,
    Gb,
    It,
    Jp,
    Nl,
    Pl,
    Se,
    Us,
}

impl ToneCountry {
    /// All of them, by code.
    pub const ALL: [Self; 15] = [
        Self::At,
        Self::Au,
        Self::Br,
        Self::Ch,
        Self::Cn,
        Self::De,
        Self::Es,
        Self::Fr,
        Self::Gb,
        Self::It,
        Self::Jp,
        Self::Nl,
        Self::Pl,
        Self::Se,
        Self::Us,
    ];

    /// The code, such as `DE`.
    #[must_use]
    pub fn code(self) -> String {
        format!("{self:?}").to_ascii_uppercase()
    }
}

impl Default for SoundSettings {
    fn default() -> Self {
        Self { echo_cancellation: true, noise_suppression: true, automatic_gain: true, tones: None }
    }
}

impl SoundSettings {
    /// Nothing is done.
    pub const OFF: Self = Self {
        echo_cancellation: false,
        noise_suppression: false,
        automatic_gain: false,
        tones: None,
    };
}

/// What the user chose about calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct CallSettings {
    /// Calls that ask to be answered by themselves (RFC 5373) are, when no other call goes on. A
    /// call manager may always ask.
    pub answer_if_asked: bool,
    /// Nobody we do not talk to may ask us to call somebody (RFC 3515): it is refused without a
    /// question.
    pub refuse_referrals: bool,
    /// Packets of calls are marked for differentiated service (DSCP); nothing means that they are.
    /// Where administrators have set `EnableDSCPPacketMarking`, their word counts.
    pub differentiated_service: Option<bool>,
    /// Sound takes as little of the network as it can: calls use G.729 and no other codec.
    pub low_bandwidth: bool,
    /// How sound of standard accounts finds its way through address translators.
    pub ways: WaySettings,
}

/// Servers that help sound through address translators (STUN, TURN), and whether ways are looked for
/// with the other side (ICE). The relay's password is none of the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct WaySettings {
    /// On or off; nothing means on where a server is set.
    pub ice: Option<bool>,
    /// `host[:port]` of the server that tells our address.
    pub stun: Option<String>,
    /// `host[:port]` of the relay.
    pub turn: Option<String>,
    /// Its user; without one the account's.
    pub turn_user: Option<String>,
    /// Sound goes by the relay only, and descriptions name no other address.
    pub relay_only: bool,
}

/// How messages are kept on this computer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Keeping {
    /// Messages are kept beyond this session.
    pub kept: bool,
    /// They are encrypted with a key that the system's credential store holds.
    pub encrypted: bool,
    /// Why not, or what was found wrong, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What the user chose about chats and status. Policies go before them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ChatSettings {
    /// Enter sends; otherwise Ctrl+Enter does.
    pub enter_sends: bool,
    /// Others learn that their message arrived and was seen (XEP-0184, XEP-0333).
    pub tell_read: bool,
    /// Others learn that we are writing (XEP-0085).
    pub tell_typing: bool,
    /// Pages behind links are fetched for a preview. Off: it tells the page who reads.
    pub link_previews: bool,
    /// Minutes without key or pointer until "away"; 0 never; nothing as the policy says.
    pub away_after_minutes: Option<u32>,
    /// A locked screen means away.
    pub away_when_locked: bool,
    /// Others learn from the calendar that we are in a meeting.
    pub meetings_from_calendar: bool,
    /// Days after which kept messages are deleted; 0 keeps them.
    pub retention_days: u32,
    /// Conversations are encrypted from client to client where the other side can.
    pub encrypt: bool,
    /// Folder for received files; the system's download folder without it.
    pub downloads: Option<std::path::PathBuf>,
    /// Folder into which conversations are written as text as well.
    pub archive_folder: Option<std::path::PathBuf>,
    /// The system shows a notification for a message.
    pub notifications: bool,
    /// It shows the text, too.
    pub notification_text: bool,
}

impl Default for ChatSettings {
    fn default() -> Self {
        Self {
            enter_sends: true,
            tell_read: true,
            tell_typing: true,
            link_previews: false,
            away_after_minutes: None,
            away_when_locked: true,
            meetings_from_calendar: true,
            retention_days: 0,
            encrypt: false,
            downloads: None,
            archive_folder: None,
            notifications: true,
            notification_text: true,
        }
    }
}

/// The account types of manual setup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountType {
    /// Find everything by the address.
    #[default]
    Automatic,
    /// IM and Presence at a given address.
    Cup,
    /// Communications Manager at given addresses.
    Cucm,
    /// The cloud.
    Webex,
    /// A SIP and XMPP account.
    Standard,
}

/// Manual connection settings (`session.setManual`). `Automatic` clears all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ManualAccount {
    /// Which kind.
    pub account_type: AccountType,
    /// IM and Presence server.
    pub server: Option<String>,
    /// TFTP server.
    pub tftp: Option<String>,
    /// CCMCIP server.
    pub ccmcip: Option<String>,
    /// CTI server.
    pub cti: Option<String>,
    /// CAS address.
    pub cas_url: Option<String>,
    /// `host[:port][;transport=udp|tcp|tls]`.
    pub sip_server: Option<String>,
    /// `host[:port]`.
    pub xmpp_server: Option<String>,
}
