//! A call that goes on from another network, or whose way was lost (RFC 8445 section 9): its sound
//! gets new ports, and with them new addresses and names to find ways by, and the other side is told
//! by re-INVITE (RFC 3261 section 14, RFC 3264 section 8.3.1).
//!
//! The streams stay what they are: numbers, keys and the microphone's switch. Until they have
//! answered, what they send goes to where we were.

use std::net::{IpAddr, SocketAddr};

use offhook_model::{Area, Moment, Owner, Problem};
use offhook_sip::SipCall;

use crate::Phone;

/// How far the move of one call is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Move {
    /// It is where the phone is.
    #[default]
    Still,
    /// Ports on the new address are asked for.
    Ports,
    /// They are there, and the other side is to be told.
    Due,
    /// The other side was told; whether that offer held them.
    Asked(bool),
}

impl Phone {
    /// Registered from this address: calls whose sound is elsewhere come after. What is not
    /// answered yet did not survive the loss of its connection.
    pub(crate) fn move_calls(&mut self, ip: IpAddr) {
        for index in 0..self.entries.len() {
            let entry = &mut self.entries[index];
            let elsewhere = entry.ports.is_some_and(|(rtp, _)| rtp.ip() != ip);
            // Another call manager than before knows nothing of the call.
            if elsewhere && entry.is_up() && entry.sip.is_some() && !entry.call.preserved {
                entry.moving = Move::Ports;
                let id = entry.call.id;
                self.reserve(id, ip);
            }
        }
    }

    /// The way of a call was lost: it moves where it is, since what servers and relays gave before is
    /// likely gone with it. False when the other side cannot be told, or is about to be.
    pub(crate) fn look_anew(&mut self, index: usize) -> bool {
        let entry = &mut self.entries[index];
        let possible = entry.is_up() && entry.sip.is_some() && !entry.call.preserved;
        let ip = entry.ports.map(|(rtp, _)| rtp.ip());
        match ip.filter(|_| possible && entry.moving == Move::Still) {
            Some(ip) => {
                entry.moving = Move::Ports;
                let id = entry.call.id;
                self.reserve(id, ip);
                true
            }
            None => false,
        }
    }

    /// The answer to what [`Phone::move_calls`] asked for; true when it was that.
    pub(crate) fn ports_moved(
        &mut self,
        index: usize,
        ports: Result<(SocketAddr, SocketAddr), &str>,
        now: Moment,
    ) -> bool {
        let ice = self.local_ice(self.entries[index].call.id, 0);
        let entry = &mut self.entries[index];
        if entry.moving != Move::Ports {
            return false;
        }
        match (ports, entry.description.as_mut()) {
            (Ok((rtp, rtcp)), Some(description)) => {
                description.move_to(rtp, rtcp.port(), ice);
                (entry.ports, entry.moving) = (Some((rtp, rtcp)), Move::Due);
                self.ask_hold(index, now);
            }
            (ports, _) => {
                entry.moving = Move::Still;
                let why = ports.err().unwrap_or("it has none");
                entry.call.trouble = Some(Problem::new(
                    Area::Media,
                    Owner::Network,
                    format!("The sound of the call did not follow to this network: {why}."),
                    "Hang up and call again.",
                ));
                let id = entry.call.id;
                self.tell(id);
            }
        }
        true
    }

    /// Tells the other side where we are, as soon as nothing else is being asked; true while that
    /// is under way.
    pub(crate) fn ask_move(&mut self, index: usize, now: Moment) -> bool {
        let entry = &mut self.entries[index];
        match (entry.moving, entry.sip, entry.description.as_mut()) {
            (Move::Asked(_), ..) => true,
            (Move::Due, Some(sip), Some(description)) => {
                let hold = entry.hold.wished;
                entry.moving = Move::Asked(hold);
                description.set_hold(hold);
                let offer = description.offer();
                self.agent.reinvite(sip, offer, now.at);
                true
            }
            _ => false,
        }
    }

    /// Our offer was answered, or refused (no description): true when it was that of a move. A refusal
    /// changes nothing of what was agreed, so the sound goes on by it: who sends to where sound comes
    /// from finds us all the same.
    pub(crate) fn move_answered(&mut self, sip: SipCall, sdp: Option<&str>, now: Moment) -> bool {
        let Some(index) = self.of_sip(sip) else { return false };
        let Move::Asked(held) = self.entries[index].moving else { return false };
        self.entries[index].moving = Move::Still;
        let agreed = self.accept(index, sdp);
        if agreed.is_some() {
            self.entries[index].hold.held = held;
        }
        if let Some(plan) = agreed.or_else(|| self.entries[index].plan.clone()) {
            self.apply(index, plan);
        }
        if self.entries[index].hold.wished {
            self.silence(index);
        }
        self.reflect_hold(index);
        self.ask_hold(index, now);
        true
    }
}
