//! Who is not heard in a call, why, and what is done about it (rules D34 and D37 of
//! `docs/doctor.md`).

use serde::Serialize;

use crate::{Area, Owner, Problem};

/// Which leg of a call's sound is silent, and how that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SilentLeg {
    /// The microphone is open and gives nothing but zeros, which no room is.
    MicrophoneSilent,
    /// There is no microphone that can be used.
    NoMicrophone,
    /// The microphone was there and is gone.
    MicrophoneGone,
    /// The system takes no packets of ours.
    NotSent,
    /// The call was arranged for an address that this computer does not have any more, or that
    /// packets to the other side do not leave from.
    WrongInterface,
    /// Their reports say that nothing of ours arrives.
    NotArriving,
    /// Nothing comes, and whether they send is not known.
    NothingReceived,
    /// They say that they send, and nothing comes.
    ReceptionBlocked,
    /// They say that they send nothing.
    FarEndSilent,
}

/// What is being done about it, without ending the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Repair {
    /// The microphone is opened anew.
    Reopening,
    /// The sound goes on from another address, and the other side is told (re-INVITE).
    Moving,
    /// The other side is told once more where the sound goes to (re-INVITE).
    Renewing,
}

/// A call in which somebody is not heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Silence {
    /// Which leg.
    pub leg: SilentLeg,
    /// What is being tried; nothing when it is the reader's turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repair: Option<Repair>,
    /// The same in words.
    pub problem: Problem,
}

impl SilentLeg {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::MicrophoneSilent,
        Self::NoMicrophone,
        Self::MicrophoneGone,
        Self::NotSent,
        Self::WrongInterface,
        Self::NotArriving,
        Self::NothingReceived,
        Self::ReceptionBlocked,
        Self::FarEndSilent,
    ];

    /// They do not hear us; else we do not hear them.
    pub fn is_ours(self) -> bool {
        match self {
            Self::MicrophoneSilent
            | Self::NoMicrophone
            | Self::MicrophoneGone
            | Self::NotSent
            | Self::WrongInterface
            | Self::NotArriving => true,
            Self::NothingReceived | Self::ReceptionBlocked | Self::FarEndSilent => false,
        }
    }

    /// The sentence about it.
    pub fn problem(self) -> Problem {
        let (rule, owner, code, cause, remedy) = match self {
            Self::MicrophoneSilent => (
                37,
                Owner::User,
                "silent-microphone",
                "They cannot hear you: the microphone is open and gives nothing at all.",
                "Switch it on at the headset or in the system's sound settings, allow programs to use it, \
                 or choose another one.",
            ),
            Self::NoMicrophone => (
                37,
                Owner::User,
                "no-microphone",
                "They cannot hear you: there is no microphone that can be used. You hear them all the same.",
                "Connect a headset or microphone; it is used as soon as it is there.",
            ),
            Self::MicrophoneGone => (
                37,
                Owner::User,
                "microphone-gone",
                "They cannot hear you: the microphone is gone.",
                "Connect it again or choose another one; it is used as soon as it is there.",
            ),
            Self::NotSent => (
                34,
                Owner::Network,
                "sound-not-sent",
                "They cannot hear you: this computer's network takes no packets of the call.",
                "Check the network connection, the VPN and this computer's firewall.",
            ),
            Self::WrongInterface => (
                34,
                Owner::Network,
                "sound-wrong-interface",
                "They cannot hear you: the call was arranged for an address that its sound does not leave from.",
                "Check the VPN and which networks this computer is connected to; hang up and call again.",
            ),
            Self::NotArriving => (
                34,
                Owner::Network,
                "sound-not-arriving",
                "They cannot hear you: the other side reports that nothing of your sound arrives.",
                "Let the media ports through from here to there (UDP), and check that VPN or address \
                 translation does not send the sound another way.",
            ),
            Self::NothingReceived => return Problem::silent_call(),
            Self::ReceptionBlocked => (
                34,
                Owner::Network,
                "sound-blocked",
                "You cannot hear them: they send, and nothing of it arrives here.",
                "Let the media ports through from there to here (UDP), in this computer's firewall too.",
            ),
            Self::FarEndSilent => (
                34,
                Owner::Server,
                "far-end-silent",
                "You cannot hear them: the other side sends nothing.",
                "Ask them, in writing if need be, to check their microphone and mute switch.",
            ),
        };
        let problem = Problem::new(Area::Media, owner, cause, remedy).with_rule(rule);
        let problem = Problem { who: self.who().to_owned(), ..problem };
        problem.coded(code, [])
    }

    fn who(self) -> &'static str {
        match self {
            Self::FarEndSilent => "the other side",
            Self::MicrophoneSilent | Self::NoMicrophone | Self::MicrophoneGone => {
                Problem::usual_who(Owner::User, Area::Media)
            }
            Self::NotSent
            | Self::WrongInterface
            | Self::NotArriving
            | Self::NothingReceived
            | Self::ReceptionBlocked => Problem::usual_who(Owner::Network, Area::Media),
        }
    }
}
