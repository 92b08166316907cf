//! How much of the way of a call is protected, which phones are told in Call-Info (reference page
//! sip-dialect section 4) as it is: by the certificates that both phones showed, and by what they
//! agreed on for the sound. Who has no certificate is asked for sound in clear (the
//! `X-cisco-srtp-fallback` of section 3).

use std::time::Instant;

use super::{Phase, Side};
use crate::config::Security;
use crate::robot::sdp;
use crate::sip::message::Message;
use crate::sip::server::{Purpose, Server};
use crate::sip::transport::Route;

/// Both phones together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protection {
    /// Nobody answered yet, and it might be either.
    Unknown,
    /// One of them showed no certificate.
    NotAuthenticated,
    /// Both did, and the sound is in clear.
    Authenticated,
    /// Everything is.
    Encrypted,
}

/// The header for one side.
pub(super) fn call_info(to_caller: bool, protection: Protection) -> String {
    let orientation = if to_caller { "to" } else { "from" };
    let security = match protection {
        Protection::Unknown => "Unknown",
        Protection::NotAuthenticated => "NotAuthenticated",
        Protection::Authenticated => "Authenticated",
        Protection::Encrypted => "Encrypted",
    };
    format!("<urn:x-cisco-remotecc:callinfo>; orientation={orientation}; security={security}")
}

impl Server {
    /// The device whose certificate was shown on this connection.
    pub(in crate::sip) fn device_shown(&self, route: &Route) -> Option<String> {
        self.transports.certificate(route).and_then(|der| self.lab.phones.holder(&der))
    }

    fn is_secure(&self, route: &Route) -> bool {
        self.device_shown(route).is_some()
    }

    /// What is offered to a phone that cannot encrypt, where there are secure ones.
    pub(in crate::sip) fn as_it_can(&self, route: &Route, mut request: Message) -> Message {
        if self.lab.security() != Security::Off && !self.is_secure(route) {
            let text = String::from_utf8_lossy(&request.body).into_owned();
            if sdp::is_sealed(&text) {
                request.body = sdp::in_clear(&text).into_bytes();
            }
        }
        request
    }

    /// Of a call between two phones.
    pub(super) fn protection(&self, id: u64) -> Protection {
        let Some(call) = self.calls.get(&id) else { return Protection::NotAuthenticated };
        let called = call.branches.iter().enumerate();
        let may_answer = called.filter(|(at, branch)| match call.winner {
            Some(winner) => winner == *at,
            None => !branch.failed,
        });
        let (mut any, mut all) = (false, true);
        for (_, branch) in may_answer {
            let secure = self.is_secure(&branch.leg.route);
            (any, all) = (any || secure, all && secure);
        }
        match (self.is_secure(&call.leg.route) && any, call.phase, call.sealed) {
            (false, _, _) => Protection::NotAuthenticated,
            (true, Phase::Ringing, _) => Protection::Unknown,
            (true, _, _) if !all => Protection::NotAuthenticated,
            (true, _, true) => Protection::Encrypted,
            (true, _, false) => Protection::Authenticated,
        }
    }

    /// Of a way that ends at the call manager's own sound, which is in clear, for all of these.
    pub(super) fn protection_here<'a>(
        &self,
        mut routes: impl Iterator<Item = &'a Route>,
    ) -> Protection {
        if routes.all(|route| self.is_secure(route)) {
            Protection::Authenticated
        } else {
            Protection::NotAuthenticated
        }
    }

    /// What both agreed on last.
    pub(super) fn note_sound(&mut self, id: u64, answer: &Message) {
        if let Some(call) = self.calls.get_mut(&id)
            && !answer.body.is_empty()
        {
            call.sealed = sdp::is_sealed(&String::from_utf8_lossy(&answer.body));
        }
    }

    /// The phone that was called is told what nobody knew while it rang.
    pub(super) fn tell_protection(&mut self, now: Instant, id: u64) {
        let protection = self.protection(id);
        let host = self.lab.host("cucm1");
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(winner) = call.winner.filter(|_| std::mem::take(&mut call.untold)) else { return };
        let party = call.party_header(Side::Caller, &host);
        let Some(leg) = call.leg_mut(Side::Branch(winner)) else { return };
        let update = leg
            .request("UPDATE")
            .with("Remote-Party-ID", party)
            .with("Call-Info", call_info(false, protection));
        let route = leg.route;
        self.ask(now, route, update, Purpose::Alone);
    }
}
