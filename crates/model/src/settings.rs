//! What the user chose.

use serde::{Deserialize, Serialize};

use crate::AudioSpec;

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
    /// Colours.
    pub theme: Theme,
    /// Language tag such as `de`, or nothing for the system's.
    pub language: Option<String>,
    /// The address of the last sign-in that succeeded.
    pub last_address: Option<String>,
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
