//! What becomes of a phone's request for its own certificate, and the sentence about it (rule D28 of
//! `docs/doctor.md`).

use serde::{Deserialize, Serialize};

use crate::{Area, Owner, Problem};

/// Why there is no certificate (reference device-config.md section 5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EnrolFault {
    /// The server wants an authentication string, and none was given.
    StringWanted,
    /// The string was not accepted. The same reason (7) also stands for an enrolment that is not
    /// pending; which of the two it is the server does not say.
    WrongString,
    /// No enrolment is pending for the phone (0, 7).
    NothingPending,
    /// The server does not know a phone of this name (9).
    UnknownDevice,
    /// It gave another reason.
    Reason(u8),
    /// Busy; seconds after which to come again, where it says so.
    Later(Option<u32>),
    /// It wants a key that is too short or of an unknown kind; bits, where it is RSA.
    Key(Option<u32>),
    /// The certificate that it issued is not for our key, or cannot be read.
    OtherKey,
    /// The certificate could not be put into the credential store, and was not confirmed.
    NotKept,
    /// It made no sense; the text says what.
    Nonsense(String),
}

/// The user is asked for the authentication string of the phone's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EnrolmentQuestion {
    /// Name of the phone.
    pub device: String,
    /// Why it is asked again, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
}

impl EnrolFault {
    /// The one sentence for what this server said.
    pub(crate) fn problem(&self, host: &str) -> Problem {
        let (owner, cause, remedy) = match self {
            Self::StringWanted => (
                Owner::User,
                format!(
                    "{host} wants an authentication string before it gives the phone its certificate."
                ),
                "Ask the UC administrator for the string and type it.",
            ),
            Self::WrongString => (
                Owner::User,
                format!(
                    "{host} did not accept the authentication string, or expects no enrolment of this phone any more."
                ),
                "Type the string again; if it is right, have the UC administrator set the phone's certificate operation to \"Install/Upgrade\" once more.",
            ),
            Self::NothingPending => (
                Owner::Admin,
                format!(
                    "The phone has a secure profile and no certificate, and {host} expects no enrolment of it: none is pending, or its certificate was issued already and its key is not on this computer."
                ),
                "Set the phone's certificate operation (CAPF) to \"Install/Upgrade\", or give it a non-secure profile.",
            ),
            Self::UnknownDevice => (
                Owner::Admin,
                format!("{host} knows no phone of this name to issue a certificate for."),
                "Check the device's name, and that the certificate authority proxy runs on the publisher of its cluster.",
            ),
            Self::Reason(reason) => (
                Owner::Admin,
                format!("{host} refused the phone's certificate with reason {reason}."),
                "Have the log of the certificate authority proxy (CAPF) looked at for this device.",
            ),
            Self::Later(_) => (
                Owner::Server,
                format!("{host} is too busy to issue the phone's certificate now."),
                "Try again in some minutes.",
            ),
            Self::Key(bits) => (
                Owner::Admin,
                match bits {
                    Some(bits) => format!(
                        "{host} wants an RSA key of {bits} bits for the phone's certificate, and 2,048 to 4,096 are relied on."
                    ),
                    None => format!(
                        "{host} wants a kind of key for the phone's certificate that this client does not have."
                    ),
                },
                "Set the phone's key to RSA with 2,048 bits or to a curve P-256 or P-384.",
            ),
            Self::OtherKey => (
                Owner::Server,
                format!(
                    "{host} issued a certificate that does not fit the key that this phone made."
                ),
                "Try again; if it stays so, have the certificate authority proxy (CAPF) checked.",
            ),
            Self::NotKept => (
                Owner::User,
                format!(
                    "{host} issued the phone's certificate, but the credential store of this computer did not take it, so its receipt was not confirmed."
                ),
                "Unlock the credential store of the desktop and sign in again.",
            ),
            Self::Nonsense(what) => (
                Owner::Server,
                format!(
                    "The conversation with {host} about the phone's certificate failed: {what}."
                ),
                "Check that the certificate authority proxy (CAPF) listens on this port.",
            ),
        };
        Problem::new(Area::Registration, owner, cause, remedy).with_rule(28)
    }
}
