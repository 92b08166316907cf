//! The conference bridge: phones press Conference in one call and name another (reference page
//! sip-dialect section 3). Everybody is asked by a new INVITE to send to the bridge, is shown
//! `Conference` by its escape code, and is told who is in it by INFO (RFC 4575; that the call
//! manager does it so is inferred). The last two talk to each other by name again; who is alone is
//! let go.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::mixer::{LAWS, Mixer};
use super::{Leg, Party, Phase, Protection, Side, call_info};
use crate::robot::sdp;
use crate::sip::message::Message;
use crate::sip::server::{Incoming, Purpose, Server};
use crate::sip::transport::Route;
use crate::xml::escape;

/// Places in all conferences together.
const MAX_SEATS: usize = 128;
/// How long a phone that was busy with a change of its own (491) is left alone (RFC 3261 section
/// 14.1).
const AGAIN: Duration = Duration::from_millis(2200);
const SDP: &str = "application/sdp";

/// A phone at the bridge.
pub(in crate::sip) struct Seat {
    id: u64,
    leg: Leg,
    party: Party,
    room: u64,
    port: u64,
    sdp: sdp::Local,
    /// Our INVITE is out.
    asked: bool,
    /// It sends its sound here.
    up: bool,
    /// When it is to be asked once more.
    again: Option<Instant>,
}

/// A conference.
#[derive(Default)]
struct Room {
    /// Version of the last document about it.
    version: u32,
    /// The press that waits for everybody to be here: its REFER and our tag.
    press: Option<(Incoming, String)>,
}

/// All conferences, and the sound of the server's own.
#[derive(Default)]
pub(in crate::sip) struct Bridge {
    pub(in crate::sip) mixer: Mixer,
    seats: Vec<Seat>,
    rooms: HashMap<u64, Room>,
    next: u64,
}

impl Bridge {
    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn seat(&self, id: u64) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.id == id)
    }

    fn seat_mut(&mut self, id: u64) -> Option<&mut Seat> {
        self.seats.iter_mut().find(|seat| seat.id == id)
    }

    /// The seat that a message to us is for, by our tag.
    pub(super) fn by_our_tag(&self, call_id: &str, tag: &str) -> Option<u64> {
        let fits = |seat: &&Seat| seat.leg.call_id == call_id && seat.leg.tag == tag;
        self.seats.iter().find(fits).map(|seat| seat.id)
    }

    fn by_phone(&self, (call_id, tag): (&str, &str)) -> Option<&Seat> {
        let fits = |seat: &&Seat| seat.leg.call_id == call_id && seat.leg.remote_tag == tag;
        self.seats.iter().find(fits)
    }

    fn in_room(&self, room: u64) -> Vec<u64> {
        self.seats.iter().filter(|seat| seat.room == room).map(|seat| seat.id).collect()
    }

    /// Whether the line of this number talks at the bridge.
    pub(in crate::sip) fn talks(&self, number: &str) -> bool {
        self.seats.iter().any(|seat| seat.party.number == number)
    }

    /// Everybody in it, as a document.
    fn roster(&self, room: u64, version: u32, host: &str) -> String {
        let mut users = String::new();
        for seat in self.seats.iter().filter(|seat| seat.room == room) {
            let number = escape(&seat.party.number);
            let _ = write!(
                users,
                "<user entity=\"sip:{number}@{host}\" state=\"full\"><display-text>{}\
                 </display-text><endpoint entity=\"sip:{number}@{host}\"><status>connected\
                 </status></endpoint></user>",
                escape(&seat.party.name)
            );
        }
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><conference-info \
             xmlns=\"urn:ietf:params:xml:ns:conference-info\" entity=\"sip:{}@{host}\" \
             state=\"full\" version=\"{version}\"><users>{users}</users></conference-info>",
            number_of(room)
        )
    }
}

fn number_of(room: u64) -> String {
    format!("b{room:011}")
}

impl Server {
    /// Puts two calls of a phone together, each named by Call-ID and the phone's tag. False when
    /// that cannot be; otherwise the outcome is told when everybody is here.
    pub(in crate::sip) fn conference(
        &mut self,
        now: Instant,
        press: (Incoming, String),
        first: (&str, &str),
        second: (&str, &str),
    ) -> bool {
        let up =
            |server: &Self, id| server.calls.get(&id).is_some_and(|call| call.phase == Phase::Up);
        let Some((added, own)) = self.leg_of_phone(second.0, second.1) else { return false };
        if !up(self, added) || self.bridge.seats.len() + 3 > MAX_SEATS {
            return false;
        }
        let room = match self.bridge.by_phone(first).map(|seat| seat.room) {
            Some(room) => room,
            None => {
                let found = self.leg_of_phone(first.0, first.1);
                let Some((id, side)) = found.filter(|(id, _)| *id != added && up(self, *id)) else {
                    return false;
                };
                let room = self.bridge.number();
                self.bridge.rooms.insert(room, Room::default());
                let other = self.calls.get(&id).and_then(|call| call.other(side));
                self.sit(now, room, id, side);
                if let Some(other) = other {
                    self.sit(now, room, id, other);
                }
                self.over(now, id);
                room
            }
        };
        if let Some(room) = self.bridge.rooms.get_mut(&room) {
            room.press = Some(press);
        }
        let other = self.calls.get(&added).and_then(|call| call.other(own));
        if let Some(other) = other {
            self.sit(now, room, added, other);
        }
        self.hang_up(now, added, own, None);
        self.over(now, added);
        true
    }

    /// Takes a side out of its call and asks it to come to the bridge.
    fn sit(&mut self, now: Instant, room: u64, call: u64, side: Side) {
        let Some((leg, party)) = self.detach(call, side) else { return };
        let opened = self.bridge.mixer.open(room, self.lab.config.bind, None);
        let Ok((port, at)) = opened else {
            tracing::warn!("no socket for a conference");
            return;
        };
        let id = self.bridge.number();
        let sdp = sdp::Local::new(at, &LAWS);
        let seat = Seat { id, leg, party, room, port, sdp, asked: false, up: false, again: None };
        self.bridge.seats.push(seat);
        self.ask_to_sit(now, id);
    }

    fn ask_to_sit(&mut self, now: Instant, id: u64) {
        let host = self.lab.host("cucm1");
        let protection = self.protection_at_bridge(id);
        let Some(seat) = self.bridge.seat_mut(id) else { return };
        (seat.asked, seat.again) = (true, None);
        let focus = format!("\"\u{80}4\" <sip:{}@{host}>", number_of(seat.room));
        let request = seat
            .leg
            .request("INVITE")
            .with("Remote-Party-ID", format!("{focus};party=calling;screen=yes;privacy=off"))
            .with("Call-Info", call_info(false, protection))
            .with("Supported", "replaces,X-cisco-srtp-fallback,X-cisco-sis-10.0.0")
            .with("Allow", "ACK,BYE,CANCEL,INVITE,NOTIFY,OPTIONS,UPDATE,INFO")
            .with("Recv-Info", "conference")
            .with_body(SDP, seat.sdp.offer());
        let route = seat.leg.route;
        self.ask(now, route, request, Purpose::Seat(id));
    }

    pub(in crate::sip) fn seat_response(&mut self, now: Instant, id: u64, message: &Message) {
        let status = message.status();
        let Some(seat) = self.bridge.seat_mut(id).filter(|_| status >= 200) else { return };
        seat.asked = false;
        match status {
            200..=299 => {
                if let Some(target) = message.contact_uri() {
                    target.clone_into(&mut seat.leg.target);
                }
                let ack = seat.leg.request_numbered("ACK", message.cseq().0);
                let route = seat.leg.route;
                self.send_alone(&route, ack);
                match sdp::read(&String::from_utf8_lossy(&message.body), &LAWS) {
                    Some(remote) => self.is_here(now, id, remote),
                    None => self.leave(now, id, true),
                }
            }
            491 => seat.again = Some(now + AGAIN),
            _ => self.leave(now, id, true),
        }
    }

    fn is_here(&mut self, now: Instant, id: u64, remote: sdp::Remote) {
        let Some(seat) = self.bridge.seat_mut(id) else { return };
        seat.up = true;
        let (room, port) = (seat.room, seat.port);
        self.bridge.mixer.describe(port, remote);
        self.settle(now, room);
    }

    /// Once everybody is here: the button worked, and all are told who is in it.
    fn settle(&mut self, now: Instant, room: u64) {
        if self.bridge.seats.iter().any(|seat| seat.room == room && !seat.up) {
            return;
        }
        let press = self.bridge.rooms.get_mut(&room).and_then(|room| room.press.take());
        if let Some((incoming, tag)) = press {
            let enough = self.bridge.in_room(room).len() > 2;
            self.tell_end(now, &incoming, &tag, enough);
        }
        self.tell_roster(now, room);
    }

    fn tell_roster(&mut self, now: Instant, room: u64) {
        let host = self.lab.host("cucm1");
        let Some(it) = self.bridge.rooms.get_mut(&room) else { return };
        it.version += 1;
        let version = it.version;
        let people = self.bridge.in_room(room);
        let document = if people.len() > 2 {
            self.bridge.roster(room, version, &host)
        } else {
            format!("<conference-info state=\"deleted\" version=\"{version}\"/>")
        };
        for id in people {
            let Some(seat) = self.bridge.seat_mut(id) else { continue };
            let info = seat
                .leg
                .request("INFO")
                .with("Info-Package", "conference")
                .with_body("application/conference-info+xml", document.clone());
            let route = seat.leg.route;
            self.ask(now, route, info, Purpose::Alone);
        }
    }

    /// A request of a phone at the bridge.
    pub(super) fn in_seat(&mut self, now: Instant, id: u64, incoming: &Incoming) {
        match incoming.message.method() {
            "BYE" => {
                self.refuse(now, incoming, 200, "OK");
                self.leave(now, id, false);
            }
            "INVITE" | "UPDATE" => self.describes_anew(now, id, incoming),
            "OPTIONS" | "INFO" | "NOTIFY" => self.refuse(now, incoming, 200, "OK"),
            _ => self.refuse(now, incoming, 501, "Not Implemented"),
        }
    }

    fn describes_anew(&mut self, now: Instant, id: u64, incoming: &Incoming) {
        let message = &incoming.message;
        let Some(seat) = self.bridge.seat_mut(id) else { return };
        if seat.asked {
            return self.refuse(now, incoming, 491, "Request Pending");
        }
        if let Some(target) = message.contact_uri() {
            target.clone_into(&mut seat.leg.target);
            seat.leg.route = incoming.route;
        }
        let remote = sdp::read(&String::from_utf8_lossy(&message.body), &LAWS);
        let body = match (&remote, message.body.is_empty()) {
            (Some(remote), _) => Some(seat.sdp.answer(remote)),
            (None, true) if message.method() == "INVITE" => Some(seat.sdp.offer()),
            (None, true) => None,
            (None, false) => return self.refuse(now, incoming, 488, "Not Acceptable Here"),
        };
        let (port, contact) = (seat.port, seat.leg.contact.clone());
        if let Some(remote) = remote {
            self.bridge.mixer.describe(port, remote);
        }
        let reply = self.reply(incoming, 200, "OK").with("Contact", contact);
        let reply = match body {
            Some(body) => reply.with_body(SDP, body),
            None => reply,
        };
        self.respond(now, &incoming.key, &reply);
    }

    /// The ACK of what a phone at the bridge asked; it brings the answer where our 200 offered.
    pub(super) fn seat_acknowledged(&mut self, id: u64, message: &Message) {
        let Some(seat) = self.bridge.seat(id).filter(|_| !message.body.is_empty()) else { return };
        let port = seat.port;
        if let Some(remote) = sdp::read(&String::from_utf8_lossy(&message.body), &LAWS) {
            self.bridge.mixer.describe(port, remote);
        }
    }

    /// Takes out who came last, for whoever is at the bridge in this dialog.
    pub(in crate::sip) fn remove_last(&mut self, now: Instant, phone: (&str, &str)) -> bool {
        let Some((own, room)) = self.bridge.by_phone(phone).map(|seat| (seat.id, seat.room)) else {
            return false;
        };
        let others = self.bridge.in_room(room).into_iter().filter(|id| *id != own);
        let Some(last) = others.max() else { return false };
        self.leave(now, last, true);
        true
    }

    fn leave(&mut self, now: Instant, id: u64, told: bool) {
        let Some(at) = self.bridge.seats.iter().position(|seat| seat.id == id) else { return };
        let mut seat = self.bridge.seats.remove(at);
        self.bridge.mixer.close(seat.port);
        if told {
            let bye = seat.leg.request("BYE");
            self.ask(now, seat.leg.route, bye, Purpose::Alone);
        }
        let left = self.bridge.in_room(seat.room);
        match left.as_slice() {
            [] => drop(self.bridge.rooms.remove(&seat.room)),
            [last] => {
                let last = *last;
                self.settle(now, seat.room);
                self.leave(now, last, true);
            }
            [one, other] => {
                let (one, other) = (*one, *other);
                self.settle(now, seat.room);
                self.name_each_other(now, one, other);
            }
            _ => self.settle(now, seat.room),
        }
    }

    /// Of everybody in the same conference.
    fn protection_at_bridge(&self, id: u64) -> Protection {
        let room = self.bridge.seat(id).map(|seat| seat.room);
        let seats = self.bridge.seats.iter().filter(|seat| Some(seat.room) == room);
        self.protection_here(seats.map(|seat| &seat.leg.route))
    }

    /// Two are left: each is shown the other by an UPDATE without a description.
    fn name_each_other(&mut self, now: Instant, one: u64, other: u64) {
        let host = self.lab.host("cucm1");
        for (to, shown) in [(one, other), (other, one)] {
            let Some(address) = self.bridge.seat(shown).map(|seat| seat.party.address(&host))
            else {
                continue;
            };
            let protection = self.protection_at_bridge(to);
            let Some(seat) = self.bridge.seat_mut(to) else { continue };
            let update = seat
                .leg
                .request("UPDATE")
                .with("Remote-Party-ID", format!("{address};party=calling;screen=yes;privacy=off"))
                .with("Call-Info", call_info(false, protection));
            let route = seat.leg.route;
            self.ask(now, route, update, Purpose::Alone);
        }
    }

    /// Asks again who was busy.
    pub(in crate::sip) fn seats_again(&mut self, now: Instant) {
        let due = |seat: &&Seat| seat.again.is_some_and(|at| at <= now);
        let ids: Vec<u64> = self.bridge.seats.iter().filter(due).map(|seat| seat.id).collect();
        ids.into_iter().for_each(|id| self.ask_to_sit(now, id));
    }

    /// A connection ended and took its phones along.
    pub(super) fn seats_gone(&mut self, now: Instant, route: &Route) {
        let gone = |seat: &&Seat| seat.leg.route == *route;
        let ids: Vec<u64> = self.bridge.seats.iter().filter(gone).map(|seat| seat.id).collect();
        ids.into_iter().for_each(|id| self.leave(now, id, false));
    }
}
