//! Sound devices: which there are, which is used for what, and how a try of one went.

use serde::{Deserialize, Serialize};

use crate::{Area, AudioSpec, Owner, Problem};

/// What a sound device is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Microphone.
    Input,
    /// Speaker or headset.
    Output,
    /// What rings.
    Ringer,
}

/// A sound device that the system has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// Name to show and to select by.
    pub name: String,
    /// It can be a microphone.
    pub input: bool,
    /// It can be a speaker.
    pub output: bool,
    /// The system's choice at present for one of the two.
    pub is_default: bool,
    /// What the system calls its microphone; the same when it comes back. It selects as the name does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_id: Option<String>,
    /// The same of its loudspeaker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_id: Option<String>,
    /// How it is connected by Bluetooth, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bluetooth: Option<Bluetooth>,
}

/// Which of its two ways of sounding a Bluetooth device is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Bluetooth {
    /// As for music: good sound, and no microphone.
    Music,
    /// As a headset: with its microphone, both in the quality of a telephone.
    Headset,
}

/// How far a try of a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum TestPhase {
    /// The microphone is listened to.
    Recording,
    /// A tone is played, or what was recorded.
    Playing,
    /// It is over.
    Done,
}

/// A try of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SoundTest {
    /// Which was tried.
    pub role: Role,
    /// How far it is.
    pub phase: TestPhase,
    /// The loudest that the microphone gave, in decibels below full scale; nothing when it gave
    /// nothing, or was not listened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_db: Option<i32>,
}

/// What was chosen while just these devices were there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeviceSet {
    /// Their names, sorted.
    pub devices: Vec<String>,
    /// Microphone.
    pub input: AudioSpec,
    /// Speaker or headset.
    pub output: AudioSpec,
    /// What rings.
    pub ringer: AudioSpec,
}

/// The devices and which is used for what.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Devices {
    /// All of them.
    pub items: Vec<Device>,
    /// The microphone in use.
    pub input: AudioSpec,
    /// The output in use.
    pub output: AudioSpec,
    /// The ringer in use.
    pub ringer: AudioSpec,
    /// Why there is no sound, if so.
    pub problem: Option<String>,
    /// What could be better with these choices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<Problem>,
    /// The last try of a device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<SoundTest>,
}

impl Devices {
    /// The names of all of them, sorted: by this a set of devices is known again.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.items.iter().map(|item| item.name.clone()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// A microphone of this name works by Bluetooth's headset profile.
    pub fn headset_profile(name: &str) -> Problem {
        let cause = format!(
            "The microphone of {name} works by Bluetooth's headset profile: both what you say and what you \
             hear sound as on an old telephone, music too."
        );
        let remedy = "For better sound choose another microphone; then the device plays as it does for music.";
        Problem::new(Area::Media, Owner::User, cause, remedy)
            .coded("bluetooth-headset", [("name", name)])
    }
}
