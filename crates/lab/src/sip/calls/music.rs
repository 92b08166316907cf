//! Music on hold: who holds is answered by the server, and the other side is asked to listen to the
//! server's music until the call is resumed.

use std::time::Instant;

use super::mixer::LAWS;
use super::{Phase, Side, call_info};
use crate::robot::sdp;
use crate::sip::message::Message;
use crate::sip::server::{Incoming, Purpose, Server};

/// The music, in hertz.
pub(super) const MUSIC_HZ: f64 = 523.0;
const SDP: &str = "application/sdp";

/// Music for one side of a call.
pub(in crate::sip) struct Playing {
    call: u64,
    to: Side,
    port: u64,
}

impl Server {
    /// A side wishes to hold the other one. False when it does not, or nobody plays music.
    pub(super) fn holds_with_music(
        &mut self,
        now: Instant,
        id: u64,
        from: Side,
        incoming: &Incoming,
    ) -> bool {
        let up = self.calls.get(&id).filter(|call| call.phase == Phase::Up);
        let Some(other) = up.and_then(|call| call.other(from)) else { return false };
        let message = &incoming.message;
        if !self.lab.config.sip.music || message.method() != "INVITE" || message.body.is_empty() {
            return false;
        }
        let Some(offer) = sdp::read(&String::from_utf8_lossy(&message.body), &LAWS) else {
            return false;
        };
        if offer.listens {
            self.stop_music(|playing| playing.call == id && playing.to == other);
            return false;
        }
        let room = self.bridge.number();
        let opened = self.bridge.mixer.open(room, self.lab.config.bind, Some(MUSIC_HZ));
        let Ok((port, at)) = opened else { return false };
        self.stop_music(|playing| playing.call == id && playing.to == other);
        self.music.push(Playing { call: id, to: other, port });
        let mut ours = sdp::Local::new(at, &LAWS);
        let answer = silent(&ours.answer(&offer));
        let offer = ours.offer().replace("a=sendrecv", "a=sendonly");
        self.answer_holder(now, id, from, incoming, answer);
        let leg = self.calls.get_mut(&id).and_then(|call| call.leg_mut(other));
        let Some(to) = leg.map(|leg| leg.route) else { return true };
        let protection = self.protection_here(std::iter::once(&to));
        let Some(leg) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(other)) else {
            return true;
        };
        let request = leg
            .request("INVITE")
            .with("Call-Info", call_info(other == Side::Caller, protection))
            .with("Supported", "replaces,X-cisco-srtp-fallback,X-cisco-sis-10.0.0")
            .with("Allow", "ACK,BYE,CANCEL,INVITE,NOTIFY,OPTIONS,UPDATE,INFO")
            .with_body(SDP, offer);
        let route = leg.route;
        self.ask(now, route, request, Purpose::Music { call: id, to: other });
        true
    }

    fn answer_holder(
        &mut self,
        now: Instant,
        id: u64,
        from: Side,
        incoming: &Incoming,
        answer: String,
    ) {
        let Some(leg) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(from)) else { return };
        if let Some(target) = incoming.message.contact_uri() {
            target.clone_into(&mut leg.target);
        }
        let contact = leg.contact.clone();
        let reply = self.reply(incoming, 200, "OK").with("Contact", contact).with_body(SDP, answer);
        self.respond(now, &incoming.key, &reply);
    }

    pub(in crate::sip) fn music_response(&mut self, id: u64, to: Side, message: &Message) {
        if !(200..300).contains(&message.status()) {
            return;
        }
        if let Some(leg) = self.calls.get_mut(&id).and_then(|call| call.leg_mut(to)) {
            leg.unacknowledged = Some(message.cseq().0);
        }
        self.acknowledge(id, to, None);
        let playing = self.music.iter().find(|playing| playing.call == id && playing.to == to);
        let answer = sdp::read(&String::from_utf8_lossy(&message.body), &LAWS);
        if let (Some(playing), Some(answer)) = (playing, answer) {
            self.bridge.mixer.describe(playing.port, answer);
        }
    }

    pub(super) fn stop_music(&mut self, over: impl Fn(&Playing) -> bool) {
        for playing in self.music.iter().filter(|playing| over(playing)) {
            self.bridge.mixer.close(playing.port);
        }
        self.music.retain(|playing| !over(playing));
    }

    /// The call is over, and so is its music.
    pub(super) fn no_more_music(&mut self, call: u64) {
        self.stop_music(|playing| playing.call == call);
    }
}

/// A description that keeps its streams and lets no sound through.
pub(super) fn silent(sdp: &str) -> String {
    ["a=sendrecv", "a=sendonly", "a=recvonly"]
        .iter()
        .fold(sdp.to_owned(), |sdp, way| sdp.replace(way, "a=inactive"))
}
