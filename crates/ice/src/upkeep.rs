//! What goes on while sound does: consent (RFC 7675), and translators kept awake.

use std::time::{Duration, Instant};

use offhook_model::CandidateKind;
use offhook_ports::IceFact;

use crate::agent::{Agent, Via};
use crate::asking::{Purpose, Repeat};
use crate::gathering::ALIVE;
use offhook_stun::{Attribute, Class, Draft, Key, Method};

/// How often they are asked (RFC 7675 section 5.1), give or take a fifth.
const ASK: Duration = Duration::from_secs(5);
/// Without an answer for so long nothing may be sent any more.
const EXPIRES: Duration = Duration::from_secs(30);

/// Whether they still want what we send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Consent {
    pub(crate) next: Instant,
    said: Instant,
}

impl Consent {
    pub(crate) fn begin(now: Instant) -> Self {
        Self { next: now + ASK, said: now }
    }
}

impl Agent {
    /// Asks for consent when it is time, and stops without it.
    pub(crate) fn look_after(&mut self, now: Instant) {
        self.keep_awake(now);
        for component in [1, 2] {
            let place = usize::from(component) - 1;
            let chance = self.draw()[0];
            let Some(session) = self.session.as_mut().filter(|it| !it.lost) else { return };
            let Some(consent) = session.consent[place].as_mut().filter(|it| it.next <= now) else {
                continue;
            };
            if now >= consent.said + EXPIRES {
                session.lost = true;
                session.consent = [None, None];
                self.facts.push_back(IceFact::Lost);
                return;
            }
            // 0.8 to 1.2 of the interval.
            consent.next = now + ASK * (205 + u32::from(chance) * 102 / 255) / 256;
            self.ask_consent(component, now);
        }
    }

    /// The way that was taken leads nowhere any more: it is lost without waiting for their silence,
    /// but not before a server that starts anew is there again.
    pub(crate) fn lose_soon(&mut self, now: Instant) {
        let Some(session) = self.session.as_mut() else { return };
        for consent in session.consent.iter_mut().flatten() {
            consent.next = now + ASK;
            consent.said = consent.said.min(now.checked_sub(EXPIRES).unwrap_or(consent.said));
        }
    }

    /// Sound goes by this relay.
    pub(crate) fn goes_by(&self, relay: usize) -> bool {
        let session = self.session.as_ref().filter(|it| it.told && !it.gave_up());
        let way = session.and_then(|session| session.way(1, &self.locals));
        way.is_some_and(|(via, _)| via == Via::Relay(relay))
    }

    fn ask_consent(&mut self, component: u8, now: Instant) {
        let id = self.draw();
        let Some(session) = &self.session else { return };
        let Some(way) = session.way(component, &self.locals) else { return };
        let draft = session.request(id).with(Attribute::Priority, &1_u32.to_be_bytes());
        let key = Key::short_term(session.plan.remote.password.expose());
        let purpose = Purpose::Consent { session: session.number, component };
        let bytes = draft.signed(&key).finish();
        self.send(way.0, way.1, bytes.clone());
        // Each is asked once; the next one follows soon (RFC 7675 section 5.1).
        self.asking.add((id, bytes), purpose, way, Repeat(EXPIRES, 0), 0, now);
    }

    pub(crate) fn consented(&mut self, number: u32, component: u8, now: Instant) {
        let Some(session) = self.session.as_mut().filter(|it| it.number == number) else { return };
        if let Some(Some(consent)) = session.consent.get_mut(usize::from(component) - 1) {
            consent.said = now;
        }
    }

    /// While nobody sends sound yet, translators would forget what servers saw.
    fn keep_awake(&mut self, now: Instant) {
        if self.alive_at.is_none_or(|at| at > now) {
            return;
        }
        let settled = self.session.as_ref().is_some_and(|session| session.told);
        self.alive_at = (!settled).then_some(now + ALIVE);
        if settled {
            return;
        }
        let reflexive = |kind| kind == CandidateKind::ServerReflexive;
        let bases: Vec<usize> = self
            .locals
            .iter()
            .filter(|local| reflexive(local.candidate.kind))
            .filter_map(|local| match local.via {
                Via::Base(base) => Some(base),
                Via::Relay(_) => None,
            })
            .collect();
        for base in bases {
            let id = self.draw();
            let to = self.servers.iter().find(|(it, _)| *it == base).map(|(_, to)| *to);
            if let Some(to) = to {
                let bytes = Draft::new(Class::Indication, Method::Binding, id).finish();
                self.send(Via::Base(base), to, bytes);
            }
        }
    }
}
