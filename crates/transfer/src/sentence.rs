//! Why a file does not travel, in words: what happened, and what to do.

use offhook_model::{CommandError, ErrorCode, Owner};
use xmpp_parsers::minidom::Element;
use xmpp_parsers::stanza_error::{DefinedCondition, StanzaError};

use crate::stanza::ns;

pub(crate) const OFF: &str = "Your administrator does not allow files in chats (File_Transfer_Enabled). Ask them to allow it.";
pub(crate) const CAPTURES_OFF: &str = "Your administrator does not allow pictures of the screen (Screen_Capture_Enabled). Ask them to allow it.";
pub(crate) const OUTSIDE: &str = "You are connected from outside through the edge, where files go over the server only, and this server takes none. Send it when you are in the company's network, or ask your administrator for managed file transfer.";
pub(crate) const OUTSIDE_IN: &str = "It was offered directly, and you are connected from outside through the edge, where files go over the server only. Ask for it when you are in the company's network.";
pub(crate) const ROOM: &str = "A file for a room has to go over the server, and this server takes none. Send it to each person, or ask your administrator for file upload (XEP-0363).";
pub(crate) const NOBODY: &str = "The server takes no files, and the other person is not signed in at this moment. Send it again when they are there.";
pub(crate) const CANNOT: &str = "The server takes no files, and the other person's program cannot take one. Ask your administrator for file upload (XEP-0363), or send it in another way.";
pub(crate) const LOST: &str = "The connection to the chat server was lost while the file was on its way between the two programs. Send it again once you are connected.";
pub(crate) const UNCONNECTED: &str =
    "The chat server is not connected at this moment. Try it again once it is.";
pub(crate) const NO_ANSWER: &str = "The other side did not answer. Try again later.";
pub(crate) const NO_WAY: &str = "No connection between the two programs could be made, neither directly nor through the server's proxy. Try again, or ask your administrator for file upload.";
pub(crate) const CANCELLED: &str = "The other side broke it off.";
pub(crate) const CUT: &str =
    "What came does not fit what was announced, and was removed. Ask the sender to send it again.";
pub(crate) const SUM: &str = "The file was damaged on its way: its SHA-256 is not the announced one. It was removed. Ask the sender to send it again.";
pub(crate) const PROTOCOL: &str = "The other side's program broke the rules of file transfer. It was stopped; ask the sender to send the file in another way.";
pub(crate) const BAD_SLOT: &str = "The server named a place for the file that is not encrypted (https). Nothing was uploaded; tell your administrator.";
pub(crate) const MANY: &str = "Too many files wait already. Finish or refuse some first.";

/// An ending that the administrator refuses.
pub(crate) fn ending(ending: &str) -> String {
    format!(
        "Your administrator does not allow files that end in .{ending} (Disallowed_File_Transfer_Types). Send another kind of file, or ask them."
    )
}

/// A size that the administrator refuses.
pub(crate) fn too_large(largest: u64) -> String {
    format!(
        "The file is larger than your administrator allows ({}). Send a smaller one.",
        amount(largest)
    )
}

/// A size that the server refuses, and no other way is open.
pub(crate) fn server_too_small(largest: u64) -> String {
    format!("The file is larger than the server takes ({}). Send a smaller one.", amount(largest))
}

/// An answer to the question for a place at the server (XEP-0363 section 4.3).
pub(crate) fn no_slot(error: &StanzaError) -> String {
    let largest = error.other.as_ref().filter(|it| it.is("file-too-large", ns::UPLOAD));
    let largest = largest.and_then(|it| it.get_child("max-file-size", ns::UPLOAD));
    if let Some(Ok(largest)) = largest.map(Element::text).map(|it| it.trim().parse()) {
        return server_too_small(largest);
    }
    match error.defined_condition {
        DefinedCondition::ResourceConstraint => {
            "The server takes no more files of yours for now. Try again later.".to_owned()
        }
        DefinedCondition::NotAuthorized
        | DefinedCondition::NotAllowed
        | DefinedCondition::Forbidden => {
            "The server does not let you upload files. Ask your administrator.".to_owned()
        }
        _ => "The server gave no place for the file. Try again later, or ask your administrator."
            .to_owned(),
    }
}

/// Why the other side's program did not take an offer.
pub(crate) fn not_taken(error: &StanzaError) -> &'static str {
    match error.defined_condition {
        DefinedCondition::ServiceUnavailable
        | DefinedCondition::RecipientUnavailable
        | DefinedCondition::ItemNotFound
        | DefinedCondition::Gone { .. } => NOBODY,
        DefinedCondition::RemoteServerTimeout => NO_ANSWER,
        DefinedCondition::FeatureNotImplemented | DefinedCondition::BadRequest => CANNOT,
        _ => CANCELLED,
    }
}

/// A refusal for whoever asked.
pub(crate) fn refused(why: &str) -> CommandError {
    let (cause, remedy) = parts(why);
    CommandError { code: ErrorCode::Refused, cause, owner: Owner::Admin, remedy }
}

/// What is not possible in this state.
pub(crate) fn impossible(why: &str) -> CommandError {
    let (cause, remedy) = parts(why);
    CommandError::user(ErrorCode::NotPossible, cause, remedy)
}

/// The first sentence, and what follows.
fn parts(why: &str) -> (String, String) {
    match why.split_once(". ") {
        Some((cause, remedy)) => (format!("{cause}."), remedy.to_owned()),
        None => (why.to_owned(), "See docs/features.md for what is possible.".to_owned()),
    }
}

fn amount(bytes: u64) -> String {
    let mega = 1_000_000;
    if bytes < mega { format!("{} kB", bytes / 1_000) } else { format!("{} MB", bytes / mega) }
}
