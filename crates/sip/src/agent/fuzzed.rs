//! The readers of what requests in and for calls tell, for fuzzing.

use super::{arrival, info, kpml, referred, transfer};
use crate::message::{Message, Name};

/// What an INVITE or REFER may tell.
pub(crate) fn look(message: &Message) {
    assert!(arrival::diverted(message).len() <= 10);
    let _ = (arrival::answer_after(message), referred::wanted(message));
    for name in [Name::Replaces, Name::Join] {
        let _ = message.header(name).and_then(arrival::named);
    }
}

/// What a body in a call may tell.
pub(crate) fn look_at_body(body: &[u8]) {
    let text = String::from_utf8_lossy(body);
    let _ = (kpml::request(body), transfer::fragment(body));
    let _ = (info::relayed_digit(&text), info::digit(&text));
}
