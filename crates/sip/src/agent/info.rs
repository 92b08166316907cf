//! INFO in a call (RFC 6086): digits both ways, and who is in a conference.

use std::collections::VecDeque;
use std::time::Instant;

use super::{Context, Event, Purpose, SipCall, UserAgent};
use crate::conference::MEDIA_TYPE;
use crate::message::text::trim;
use crate::message::{Message, Method, Name};
use crate::transaction::ServerKey;

/// What INFO may carry.
const ACCEPT: &str = "application/dtmf-relay, application/dtmf, application/conference-info+xml";
/// Info packages of conferences (reference sip-dialect.md section 3).
pub(super) const PACKAGES: [&str; 2] = ["conference", "x-cisco-conference"];
/// How long a digit of ours sounds, in milliseconds.
const DURATION: u16 = 160;
/// Most digits that wait for the other side.
const MOST_WAITING: usize = 64;

/// Digits of ours: one INFO at a time, so that none overtakes another.
#[derive(Debug, Default)]
pub(super) struct InfoDigits {
    waiting: VecDeque<char>,
    /// The one that is out.
    out: Option<char>,
    /// They do not know `application/dtmf-relay`.
    plain: bool,
}

impl UserAgent {
    /// INFO of theirs.
    pub(super) fn info(&mut self, id: SipCall, key: &ServerKey, message: &Message, now: Instant) {
        let package = message.header(Name::InfoPackage).unwrap_or("");
        let package = trim(package.split(';').next().unwrap_or("")).to_ascii_lowercase();
        let kind = message.content_type().unwrap_or_default();
        let conference = PACKAGES.contains(&package.as_str()) || kind == MEDIA_TYPE;
        let status = match () {
            () if conference && message.body().is_empty() => 200,
            () if conference => self.roster(id, message),
            () if !package.is_empty() => 469,
            () if message.body().is_empty() => 200,
            () if kind == "application/dtmf-relay" => {
                self.digit_came(id, relayed_digit(&message.body_text()))
            }
            () if kind == "application/dtmf" => self.digit_came(id, digit(&message.body_text())),
            // Switches send what only their own phones know.
            () if self.is_cucm() => 200,
            () => 415,
        };
        let Some(call) = self.calls.get(&id) else { return };
        let mut response = self.call_response(call, message, status);
        match status {
            415 => response.push(Name::Accept, ACCEPT),
            469 if self.is_cucm() => PACKAGES.iter().for_each(|p| response.push(Name::RecvInfo, p)),
            469 => response.push(Name::RecvInfo, ""),
            _ => {}
        }
        self.respond(key, &response, now);
    }

    fn digit_came(&mut self, call: SipCall, digit: Option<char>) -> u16 {
        if let Some(digit) = digit {
            self.event(Event::Digit { call, digit });
        }
        200
    }

    /// A document of who is in the conference, by INFO or NOTIFY.
    pub(super) fn roster(&mut self, id: SipCall, message: &Message) -> u16 {
        let Some(call) = self.calls.get_mut(&id) else { return 481 };
        match call.roster.take(message) {
            None => 400,
            Some(false) => 200,
            Some(true) => {
                let people = call.roster.people().to_vec();
                self.event(Event::Roster { call: id, people });
                200
            }
        }
    }

    pub(super) fn queue_digit(&mut self, id: SipCall, digit: char, now: Instant) {
        let digit = digit.to_ascii_uppercase();
        if !"0123456789*#ABCD".contains(digit) || self.tell_key(id, digit, now) {
            return;
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.digits.waiting.len() < MOST_WAITING {
            call.digits.waiting.push_back(digit);
        }
        self.next_digit(id, now);
    }

    fn next_digit(&mut self, id: SipCall, now: Instant) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.digits.out.is_none()) else {
            return;
        };
        let Some(digit) = call.digits.waiting.pop_front() else { return };
        let plain = call.digits.plain;
        let Some(mut request) = call.dialogs().next().map(|dialog| dialog.request(Method::Info))
        else {
            return;
        };
        call.digits.out = Some(digit);
        self.dress_plain(&mut request, self.calls.get(&id));
        if plain {
            request.body("application/dtmf", format!("{digit}\r\n"));
        } else {
            let body = format!("Signal={digit}\r\nDuration={DURATION}\r\n");
            request.body("application/dtmf-relay", body);
        }
        if self.send(request, Context::of(Purpose::Info(id)), now).is_none() {
            self.digit_answered(id, 503, now);
        }
    }

    /// The INFO with a digit was answered, or not at all.
    pub(super) fn digit_answered(&mut self, id: SipCall, status: u16, now: Instant) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let digits = &mut call.digits;
        match (status, digits.out) {
            (100..=199, _) => return,
            (200..=299, _) => {}
            (415, Some(digit)) if !digits.plain => {
                digits.plain = true;
                digits.waiting.push_front(digit);
            }
            // They do not take it, or are not there; the others would fare no better.
            _ => digits.waiting.clear(),
        }
        digits.out = None;
        self.next_digit(id, now);
    }
}

/// The digit of an `application/dtmf-relay` body.
pub(crate) fn relayed_digit(body: &str) -> Option<char> {
    body.lines().take(16).find_map(|line| {
        let (name, value) = line.split_once('=')?;
        trim(name).eq_ignore_ascii_case("signal").then(|| digit(value)).flatten()
    })
}

/// A digit as it is written, or by its number of RFC 4733: 10 is the star, 11 the hash.
pub(crate) fn digit(text: &str) -> Option<char> {
    let text = trim(text);
    let mut chars = text.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some(c), None, None) => {
            Some(c.to_ascii_uppercase()).filter(|c| "0123456789*#ABCD".contains(*c))
        }
        (Some('1'), Some(c), None) => {
            let place = "012345".find(c)?;
            "*#ABCD".chars().nth(place)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::relayed_digit;

    #[test]
    fn every_way_to_write_a_digit_is_read() {
        for (body, digit) in [
            ("Signal=5\r\nDuration=160\r\n", Some('5')),
            ("signal= *\nduration=1", Some('*')),
            ("Duration=1\r\nSignal = 11", Some('#')),
            ("Signal=10", Some('*')),
            ("Signal=15", Some('D')),
            ("Signal=d", Some('D')),
            ("Signal=16", None),
            ("Signal=", None),
            ("Signal=é", None),
            ("", None),
        ] {
            assert_eq!(relayed_digit(body), digit, "{body}");
        }
    }
}
