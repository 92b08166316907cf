//! Giving a call to somebody else: our REFER and what it makes them tell (RFC 3515, RFC 3891,
//! RFC 3892, RFC 4488).

use std::time::{Duration, Instant};

use super::{Context, Event, Purpose, ReferTarget, SipCall, TransferStep, UserAgent};
use crate::dialog::Dialog;
use crate::message::text::{Params, trim};
use crate::message::uri::escape_header;
use crate::message::{Message, Method, Name};
use crate::transaction::PATIENCE;

/// How long the other side may say nothing at all, neither the first nor the next word.
const SILENCE: Duration = Duration::from_secs(60);
/// Longest time between two words, whatever their subscription says.
const LONGEST: Duration = Duration::from_secs(300);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The REFER is out.
    Asked,
    /// They agreed, or told something already.
    Accepted,
    /// It is known how it ended; late words are taken and not told.
    Settled,
}

/// A REFER of ours and the subscription that it makes.
#[derive(Debug)]
pub(super) struct Transfer {
    call: SipCall,
    /// The call's dialog. The subscription goes on in it when the call is over (RFC 5057).
    dialog: Dialog,
    /// Number of the REFER, which is the `id` of its events (RFC 3515 section 2.4.6).
    id: u32,
    state: State,
    /// When it is given up, or forgotten once it is settled.
    pub until: Option<Instant>,
}

/// What a NOTIFY says of the call that they made.
enum Word {
    Status(u16, String),
    /// The subscription ended without a final status.
    Over,
    Nothing,
}

impl UserAgent {
    pub(super) fn send_refer(&mut self, id: SipCall, to: &ReferTarget, now: Instant) {
        let refused = match self.refer_target(id, to) {
            Ok(target) if self.flow.is_some() => return self.refer(id, &target, now),
            Ok(_) => (503, "the phone is not connected to a server"),
            Err(refused) => refused,
        };
        self.transfer_step(
            id,
            TransferStep::Failed { status: refused.0, text: refused.1.to_owned() },
        );
    }

    /// The value of Refer-To, or why there is none.
    fn refer_target(&self, id: SipCall, to: &ReferTarget) -> Result<String, (u16, &'static str)> {
        let up = |id: SipCall| {
            let call = self.calls.get(&id).filter(|call| call.is_up())?;
            call.dialog.as_ref()
        };
        up(id).ok_or((481, "the call is not up"))?;
        if self.transfers.iter().any(|t| t.call == id && t.state != State::Settled) {
            return Err((491, "it is being transferred already"));
        }
        match to {
            ReferTarget::Number(number) => Ok(format!("<{}>", self.uri_of(number))),
            ReferTarget::Call(other) => {
                let dialog = up(*other).filter(|_| *other != id);
                let dialog = dialog.ok_or((481, "the other call is not up"))?;
                let replaces = escape_header(&dialog.replaces());
                Ok(format!("<{}?Replaces={replaces}>", dialog.public_target()))
            }
        }
    }

    fn refer(&mut self, id: SipCall, target: &str, now: Instant) {
        let by = self.own_address();
        let contact = self.contact();
        let Some(dialog) = self.calls.get_mut(&id).and_then(|call| call.dialog.as_mut()) else {
            return;
        };
        let mut request = dialog.request(Method::Refer);
        let dialog = dialog.clone();
        request.push(Name::Contact, contact);
        request.push(Name::ReferTo, target);
        request.push(Name::ReferredBy, by);
        request.push(Name::Supported, self.supported());
        self.dress_plain(&mut request, self.calls.get(&id));
        let state = State::Asked;
        self.transfers.push(Transfer { call: id, id: request.cseq, dialog, state, until: None });
        self.send(request, Context::of(Purpose::Refer(id)), now);
    }

    pub(super) fn refer_response(
        &mut self,
        id: SipCall,
        cseq: u32,
        message: &Message,
        now: Instant,
    ) {
        let status = message.status().unwrap_or(100);
        let Some(transfer) = self.transfers.iter_mut().rev().find(|t| t.call == id) else { return };
        if transfer.state == State::Settled || status < 200 {
            return;
        }
        if status >= 300 {
            return self.refer_failed(id, status, message.explanation());
        }
        transfer.id = cseq;
        self.transfer_accepted(id, now);
        // RFC 4488 section 4: they tell nothing, so nothing more will be known.
        let silent = message
            .header(Name::ReferSub)
            .is_some_and(|v| trim(v.split(';').next().unwrap_or("")).eq_ignore_ascii_case("false"));
        if silent {
            self.transfer_settled(id, TransferStep::Done, now);
        }
    }

    /// The REFER was refused, or nothing came of it at all.
    pub(super) fn refer_failed(&mut self, id: SipCall, status: u16, text: String) {
        let before = self.transfers.len();
        self.transfers.retain(|t| t.call != id || t.state == State::Settled);
        if self.transfers.len() < before {
            self.transfer_step(id, TransferStep::Failed { status, text });
        }
    }

    fn transfer_accepted(&mut self, id: SipCall, now: Instant) {
        let Some(transfer) = self.open_transfer(id) else { return };
        transfer.until = Some(now + SILENCE);
        if transfer.state == State::Asked {
            transfer.state = State::Accepted;
            self.transfer_step(id, TransferStep::Accepted);
        }
    }

    fn open_transfer(&mut self, id: SipCall) -> Option<&mut Transfer> {
        self.transfers.iter_mut().find(|t| t.call == id && t.state != State::Settled)
    }

    fn transfer_settled(&mut self, id: SipCall, step: TransferStep, now: Instant) {
        let Some(transfer) = self.open_transfer(id) else { return };
        transfer.state = State::Settled;
        transfer.until = Some(now + PATIENCE);
        self.transfer_step(id, step);
    }

    fn transfer_step(&mut self, call: SipCall, step: TransferStep) {
        self.event(Event::Transfer { call, step });
    }

    /// A NOTIFY of `Event: refer`. False when it belongs to no transfer of ours.
    pub(super) fn heard_of_transfer(&mut self, message: &Message, now: Instant) -> bool {
        let event = message.header(Name::Event).unwrap_or("");
        let params = Params::new(event.find(';').map_or("", |at| &event[at..]));
        let id = params.get("id").and_then(|id| id.parse::<u32>().ok());
        let found = self.transfers.iter().rev().find(|t| {
            // Before the answer to the REFER its number may still change by a challenge.
            let named = id.is_none_or(|id| id == t.id) || t.state == State::Asked;
            t.dialog.owns(message) && named
        });
        let Some((call, state)) = found.map(|t| (t.call, t.state)) else { return false };
        if state == State::Settled {
            return true;
        }
        self.transfer_accepted(call, now);
        if let Some(transfer) = self.open_transfer(call) {
            transfer.until = Some(now + subscribed(message).clamp(SILENCE, LONGEST));
        }
        let failed = |status, text| TransferStep::Failed { status, text };
        match word(message) {
            Word::Nothing | Word::Status(..=100, _) => {}
            Word::Status(status @ 101..=199, _) => {
                self.transfer_step(call, TransferStep::Progress(status));
            }
            Word::Status(200..=299, _) => self.transfer_settled(call, TransferStep::Done, now),
            Word::Status(status, text) => self.transfer_settled(call, failed(status, text), now),
            Word::Over => {
                let text = "they do not tell how it ended".to_owned();
                self.transfer_settled(call, failed(408, text), now);
            }
        }
        true
    }

    /// They hung up. A phone that agreed to call somebody else and leaves has done so: many do not
    /// wait for the end of the other call.
    pub(super) fn transfer_left(&mut self, id: SipCall, now: Instant) {
        let accepted = self.open_transfer(id).is_some_and(|t| t.state == State::Accepted);
        if accepted {
            self.transfer_settled(id, TransferStep::Done, now);
        }
    }

    pub(super) fn transfers_timeout(&mut self, now: Instant) {
        let due = |t: &Transfer| t.until.is_some_and(|until| until <= now);
        let silent = |t: &&Transfer| due(t) && t.state != State::Settled;
        let silent: Vec<SipCall> = self.transfers.iter().filter(silent).map(|t| t.call).collect();
        self.transfers.retain(|t| !due(t));
        for call in silent {
            let text = "nothing was heard of the transfer".to_owned();
            self.transfer_step(call, TransferStep::Failed { status: 408, text });
        }
    }
}

/// How long the subscription says that it goes on.
fn subscribed(message: &Message) -> Duration {
    let state = message.header(Name::SubscriptionState).unwrap_or("");
    let params = Params::new(state.find(';').map_or("", |at| &state[at..]));
    let seconds = params.get("expires").and_then(crate::message::text::capped_number);
    Duration::from_secs(u64::from(seconds.unwrap_or(0)))
}

fn word(message: &Message) -> Word {
    let state = message.header(Name::SubscriptionState).unwrap_or("");
    let over = trim(state.split(';').next().unwrap_or("")).eq_ignore_ascii_case("terminated");
    let told = message.content_type().filter(|kind| kind == "message/sipfrag");
    match told.and_then(|_| fragment(message.body())) {
        Some((status, text)) if status >= 200 || !over => Word::Status(status, text),
        _ if over => Word::Over,
        _ => Word::Nothing,
    }
}

/// Status and words of the status line with which a fragment begins (RFC 3420). No more than 512
/// bytes are looked at.
pub(crate) fn fragment(body: &[u8]) -> Option<(u16, String)> {
    let line = body.trim_ascii_start().split(|b| *b == b'\n').next()?;
    let line = String::from_utf8_lossy(line.get(..512).unwrap_or(line));
    let mut words = trim(&line).splitn(3, ' ');
    let version = words.next()?.to_ascii_uppercase();
    let status = words.next()?.parse().ok().filter(|status| (100..700).contains(status))?;
    let text: String = words.next().unwrap_or("").chars().filter(|c| !c.is_control()).collect();
    version.starts_with("SIP/").then_some((status, text))
}

#[cfg(test)]
mod tests {
    use super::fragment;

    #[test]
    fn the_first_line_counts() {
        let told = |body: &str| fragment(body.as_bytes());
        assert_eq!(told("SIP/2.0 200 OK\r\nTo: x\r\n"), Some((200, "OK".into())));
        assert_eq!(told("SIP/2.0 180"), Some((180, String::new())));
        for bad in ["", "200 OK", "SIP/2.0 99 x", "SIP/2.0 ok", "INVITE sip:a SIP/2.0"] {
            assert_eq!(told(bad), None, "{bad}");
        }
    }
}
