//! Requests inside a call: what one side asks is asked of the other.

use std::time::Instant;

use super::{CARRIED, Phase, Side, call_info, reason_of};
use crate::sip::message::Message;
use crate::sip::server::{Incoming, Purpose, Server};

impl Server {
    pub(in crate::sip) fn in_dialog(&mut self, now: Instant, incoming: Incoming) {
        let message = &incoming.message;
        if message.method() == "BYE" {
            self.note_statistics(message, false);
        }
        let found = self.find_leg(message.call_id(), message.receiver_tag());
        let live = found
            .filter(|(id, _)| self.calls.get(id).is_some_and(|call| call.phase != Phase::Over));
        let Some((id, side)) = live else {
            return match self.bridge.by_our_tag(message.call_id(), message.receiver_tag()) {
                Some(seat) => self.in_seat(now, seat, &incoming),
                None => self.refuse(now, &incoming, 481, "Call/Transaction Does Not Exist"),
            };
        };
        match message.method() {
            "BYE" => {
                self.refuse(now, &incoming, 200, "OK");
                self.bye(now, id, side, &incoming);
            }
            "OPTIONS" => self.refuse(now, &incoming, 200, "OK"),
            "INVITE" if self.holds_with_music(now, id, side, &incoming) => {}
            "INVITE" | "UPDATE" | "INFO" | "NOTIFY" | "MESSAGE" => {
                self.forward(now, id, side, &incoming);
            }
            _ => self.refuse(now, &incoming, 501, "Not Implemented"),
        }
    }

    pub(super) fn bye(&mut self, now: Instant, id: u64, from: Side, incoming: &Incoming) {
        let Some(call) = self.calls.get(&id) else { return };
        if call.phase == Phase::Ringing {
            if from == Side::Caller {
                self.cancel_all(now, id, 487, "Request Terminated");
            }
            return;
        }
        let other = call.other(from);
        if let Some(other) = other {
            self.hang_up(now, id, other, Some(&incoming.message));
        }
        self.over(now, id);
    }

    pub(super) fn hang_up(&mut self, now: Instant, id: u64, side: Side, because: Option<&Message>) {
        let Some(leg) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(side)) else { return };
        let mut bye = leg.request("BYE");
        if let Some(because) = because {
            bye = bye.carry(because, &["Reason", "Session-ID"]).with_no_body();
        }
        let route = leg.route;
        self.ask(now, route, bye, Purpose::Alone);
    }

    /// Asks the other side what this side asks.
    pub(super) fn forward(&mut self, now: Instant, id: u64, from: Side, incoming: &Incoming) {
        let host = self.lab.host("cucm1");
        let protection = self.protection(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(other) = call.other(from) else {
            return self.refuse(now, incoming, 500, "Server Internal Error");
        };
        let method = incoming.message.method().to_owned();
        let renews = matches!(method.as_str(), "INVITE" | "UPDATE");
        let party = call.party_header(from, &host);
        if let (true, Some(target), Some(leg)) =
            (renews, incoming.message.contact_uri(), call.leg_mut(from))
        {
            target.clone_into(&mut leg.target);
            // A phone that has moved asks over a new connection, and is reached there from now on.
            leg.route = incoming.route;
        }
        let Some(leg) = call.leg_mut(other) else { return };
        let mut request = leg.request(&method);
        if renews {
            request = request
                .with("Remote-Party-ID", party)
                .with("Call-Info", call_info(other == Side::Caller, protection))
                .with("Supported", "replaces,X-cisco-srtp-fallback,X-cisco-sis-10.0.0")
                .with("Allow", "ACK,BYE,CANCEL,INVITE,NOTIFY,OPTIONS,UPDATE,INFO");
        }
        let request = request.carry(&incoming.message, &CARRIED);
        let route = leg.route;
        if method == "INVITE" {
            let trying = self.reply(incoming, 100, "Trying");
            self.respond(now, &incoming.key, &trying);
        }
        let purpose = Purpose::Forward { call: id, to: other, key: incoming.key.clone() };
        self.pending_forward(id, other, incoming);
        self.ask(now, route, request, purpose);
    }

    /// Keeps the request that was passed on, to answer it with what the other side says.
    pub(super) fn pending_forward(&mut self, id: u64, to: Side, incoming: &Incoming) {
        self.forwarded.retain(|_, (call, _, _)| self.calls.contains_key(call));
        self.forwarded.insert(incoming.key.clone(), (id, to, incoming.clone()));
    }

    pub(in crate::sip) fn forward_response(
        &mut self,
        now: Instant,
        id: u64,
        to: Side,
        key: &str,
        message: &Message,
    ) {
        let status = message.status();
        if status <= 100 {
            return;
        }
        let Some((_, _, incoming)) = self.forwarded.get(key).cloned() else { return };
        if status >= 200 {
            self.forwarded.remove(key);
        }
        let (number, method) = message.cseq();
        let renews = matches!(method, "INVITE" | "UPDATE");
        let host = self.lab.host("cucm1");
        let Some(call) = self.calls.get_mut(&id) else { return };
        if (200..300).contains(&status)
            && renews
            && let Some(leg) = call.leg_mut(to)
        {
            if let Some(target) = message.contact_uri() {
                target.clone_into(&mut leg.target);
            }
            if method == "INVITE" {
                leg.unacknowledged = Some(number);
            }
        }
        let party = call.party_header(to, &host);
        let asks = call.other(to);
        let asker = asks.and_then(|side| call.leg_mut(side));
        let contact = asker.map(|leg| leg.contact.clone()).unwrap_or_default();
        if (200..300).contains(&status) && renews {
            self.note_sound(id, message);
        }
        let info = call_info(asks == Some(Side::Caller), self.protection(id));
        let mut reply = self.reply(&incoming, status, &reason_of(message));
        if renews && status < 300 {
            reply = reply
                .with("Contact", contact)
                .with("Remote-Party-ID", party)
                .with("Call-Info", info);
        }
        let reply = reply.carry(message, &CARRIED);
        self.respond(now, key, &reply);
    }

    /// Acknowledges what a side accepted; `from` brings the body of the other side's ACK.
    pub(super) fn acknowledge(&mut self, id: u64, side: Side, from: Option<&Message>) {
        let Some(leg) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(side)) else { return };
        let Some(number) = leg.unacknowledged.take() else { return };
        let mut ack = leg.request_numbered("ACK", number);
        if let Some(from) = from {
            ack = ack.carry(from, &["Content-Type", "Content-Disposition", "Session-ID"]);
        }
        let route = leg.route;
        let bytes = self.send_alone(&route, ack);
        if let Some(leg) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(side)) {
            leg.last_ack = Some((number, bytes));
        }
    }

    /// The ACK of a 2xx: the other side's 2xx is acknowledged with it.
    pub(in crate::sip) fn acknowledged(&mut self, now: Instant, message: &Message) {
        if self.taken_acknowledged(now, message) {
            return;
        }
        if let Some(seat) = self.bridge.by_our_tag(message.call_id(), message.receiver_tag()) {
            return self.seat_acknowledged(seat, message);
        }
        let Some((id, side)) = self.find_leg(message.call_id(), message.receiver_tag()) else {
            return;
        };
        let Some(other) = self.calls.get(&id).and_then(|call| call.other(side)) else { return };
        self.acknowledge(id, other, Some(message));
        self.tell_protection(now, id);
    }
}
