//! STUN that comes: answers to what we asked, and checks of theirs, which are answered.

use std::net::SocketAddr;
use std::time::Instant;

use offhook_ports::HelperFault;

use crate::agent::{Agent, Via};
use crate::asking::Purpose;
use offhook_stun::{Attribute, Class, Draft, ErrorCode, Key, Message, Method};

/// Checks that are kept until their description comes.
const MAX_EARLY: usize = 16;

/// A check of theirs before we know of them.
#[derive(Clone, Debug)]
pub(crate) struct Early {
    via: Via,
    from: SocketAddr,
    priority: u32,
    chosen: bool,
    /// Their user name fragment.
    theirs: String,
    /// How they see their role: they choose.
    controlling: Option<bool>,
    tie: u64,
}

impl Agent {
    pub(crate) fn message(
        &mut self,
        via: Via,
        from: SocketAddr,
        message: &Message<'_>,
        now: Instant,
    ) {
        match (message.class, message.method) {
            (Class::Success | Class::Error, _) => self.answered(via, from, message, now),
            (Class::Request, Method::Binding) => self.asked(via, from, message, now),
            // Indications only keep translators awake; of the rest nobody may ask us.
            (Class::Request | Class::Indication, _) => {}
        }
    }

    fn answered(&mut self, via: Via, from: SocketAddr, message: &Message<'_>, now: Instant) {
        let Some(at) = self.asking.find(&message.transaction(), via, from) else { return };
        if message.class == Class::Success && !self.believes(self.asking.purpose(at), message) {
            return;
        }
        let asked = self.asking.take(at);
        match asked.purpose {
            Purpose::Reflexive { base } => self.seen_as(base, message, now),
            Purpose::Check { .. } => self.check_answered(&asked, message, now),
            Purpose::Consent { session, component } if message.class == Class::Success => {
                self.consented(session, component, now);
            }
            Purpose::Consent { .. } => {}
            _ => self.relay_said(asked, message, now),
        }
    }

    /// A yes without the right signature is none: the request goes on. A no may be unsigned (RFC
    /// 8489 section 9.1.4).
    fn believes(&self, purpose: &Purpose, message: &Message<'_>) -> bool {
        match purpose {
            Purpose::Reflexive { .. } => true,
            Purpose::Check { .. } | Purpose::Consent { .. } => {
                let remote = self.session.as_ref().map(|session| &session.plan.remote);
                let key = remote.map(|remote| Key::short_term(remote.password.expose()));
                key.is_some_and(|key| message.is_signed(&key))
            }
            Purpose::Allocate(relay)
            | Purpose::Refresh(relay)
            | Purpose::Permit { relay, .. }
            | Purpose::Channel { relay, .. } => {
                self.allocations.get(*relay).is_some_and(|it| it.believes(message))
            }
        }
    }

    /// Nobody answered.
    pub(crate) fn silent(&mut self, purpose: &Purpose, now: Instant) {
        match *purpose {
            Purpose::Reflexive { .. } => {
                self.unhelped(false, HelperFault::Silent);
                self.gathered(now);
            }
            Purpose::Check { session, pair, nominates, .. } => {
                if let Some(it) = self.session.as_mut().filter(|it| it.number == session) {
                    it.wake(now);
                    self.check_failed(pair, nominates);
                }
            }
            Purpose::Consent { .. } => {}
            _ => self.relay_refused(purpose, HelperFault::Silent, now),
        }
    }

    /// A check of theirs (RFC 8445 section 7.3).
    fn asked(&mut self, via: Via, from: SocketAddr, message: &Message<'_>, now: Instant) {
        let id = message.transaction();
        let refuse = |code, words: &str| {
            Draft::new(Class::Error, Method::Binding, id).with_error(code, words)
        };
        // Whose name is not ours, or who does not know our password, gets no answer that would
        // make us an amplifier: it is shorter than the question.
        let Some(theirs) = self.who_asks(message) else {
            return self.send(via, from, refuse(ErrorCode::UNAUTHENTICATED, "").finish());
        };
        let key = Key::short_term(self.local.password.expose());
        let unknown = message.unknown();
        if !unknown.is_empty() {
            let list: Vec<u8> = unknown.iter().flat_map(|it| it.to_be_bytes()).collect();
            let draft = refuse(ErrorCode::UNKNOWN_ATTRIBUTE, "")
                .with(Attribute::UnknownAttributes, &list)
                .signed(&key);
            return self.send(via, from, draft.finish());
        }
        let early = Early {
            via,
            from,
            priority: message.number(Attribute::Priority).unwrap_or(0),
            chosen: message.get(Attribute::UseCandidate).is_some(),
            theirs: theirs.to_owned(),
            controlling: match message.get(Attribute::IceControlling) {
                Some(_) => Some(true),
                None => message.get(Attribute::IceControlled).map(|_| false),
            },
            tie: message
                .long(Attribute::IceControlling)
                .or_else(|| message.long(Attribute::IceControlled))
                .unwrap_or(0),
        };
        if self.session.is_some() && self.conflicts(&early) {
            let draft = refuse(ErrorCode::ROLE_CONFLICT, "Role Conflict").signed(&key);
            return self.send(via, from, draft.finish());
        }
        let answer = Draft::new(Class::Success, Method::Binding, id)
            .with_address(Attribute::XorMappedAddress, from)
            .signed(&key)
            .finish();
        self.send(via, from, answer);
        self.follow(early, now);
    }

    /// Their fragment, of a check that names ours and is signed with our password.
    fn who_asks<'a>(&self, message: &Message<'a>) -> Option<&'a str> {
        let (ours, theirs) = message.text(Attribute::Username)?.split_once(':')?;
        let key = Key::short_term(self.local.password.expose());
        (ours == self.local.fragment && message.is_signed(&key)).then_some(theirs)
    }

    fn follow(&mut self, early: Early, now: Instant) {
        let known = |it: &crate::checks::Session| it.plan.remote.fragment == early.theirs;
        if self.session.as_ref().is_some_and(known) {
            self.trigger(early.via, early.from, (early.priority, early.chosen), now);
        } else if self.early.len() < MAX_EARLY {
            self.early.push(early);
        }
    }

    /// Their description came after their check.
    pub(crate) fn asked_early(&mut self, early: &Early, now: Instant) {
        if self.session.as_ref().is_some_and(|it| it.plan.remote.fragment == early.theirs) {
            self.trigger(early.via, early.from, (early.priority, early.chosen), now);
        }
    }

    /// Both want to choose, or neither: the higher number keeps its wish (RFC 8445 section
    /// 7.3.1.1). True when they have to give way.
    fn conflicts(&mut self, early: &Early) -> bool {
        let Some(session) = &mut self.session else { return false };
        if early.controlling != Some(session.controlling) {
            return false;
        }
        let ours = session.tie >= early.tie;
        // The higher one ends up controlling.
        let they_yield = ours == session.controlling;
        if !they_yield {
            session.change_role(!session.controlling, &self.locals);
        }
        they_yield
    }
}
