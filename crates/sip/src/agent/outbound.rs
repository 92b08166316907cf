//! The flow as the way to us (RFC 5626), and the name that leads here from everywhere (RFC 5627).
//!
//! There is one flow at a time, to the server in use, under `reg-id` 1: a flow to another server
//! takes the place of the one that was lost at the registrar too. Several flows side by side
//! (section 4.2.1 asks that they be possible) are not built; a standard account goes to its next server
//! instead.

use std::time::{Duration, Instant};

use offhook_model::{Fault, Link};
use offhook_ports::PhoneDialect;

use super::flow::binding_answer;
use super::{Purpose, UserAgent};
use crate::message::text::unquote;
use crate::message::{Message, Name, Scheme, Uri};
use crate::token::Tokens;

/// Longest Flow-Timer that is believed; beyond it a dead flow would be noticed too late.
const LONGEST_TIMER: u32 = 3_600;
/// Between keep-alives where the registrar tells no Flow-Timer (RFC 5626 sections 4.4.1, 4.4.2).
const ON_STREAMS: (Duration, Duration) = (Duration::from_secs(95), Duration::from_secs(120));
const ON_DATAGRAMS: (Duration, Duration) = (Duration::from_secs(24), Duration::from_secs(29));
/// Longest name that is taken for a GRUU.
const LONGEST_GRUU: usize = 512;

/// What the registrar said of the flow and of our name.
#[derive(Debug, Default)]
pub(super) struct Outbound {
    /// It requires outbound: requests to us come by the flow, and it answers keep-alives.
    pub agreed: bool,
    /// Our public GRUU. It stays the same from one registration to the next, so it is kept.
    gruu: Option<String>,
    /// The first server on the way cannot do it (439), so it is not asked for.
    refused: bool,
}

impl UserAgent {
    /// Whether the registrar is asked for it: of a call manager nobody knows that it can [I].
    fn asks_outbound(&self) -> bool {
        self.instance().is_some() && !self.outbound.refused
    }

    /// The name of this device, where it has one and the dialect has a place for it.
    fn instance(&self) -> Option<&str> {
        match self.account.dialect {
            PhoneDialect::Standard => self.account.upkeep.instance.as_deref(),
            PhoneDialect::Cucm { .. } => None,
        }
    }

    /// Parameters of our Contact in REGISTER (RFC 5626 section 4.2).
    pub(super) fn outbound_params(&self) -> String {
        let Some(instance) = self.instance() else { return String::new() };
        let reg_id = if self.outbound.refused { "" } else { ";reg-id=1" };
        format!(";+sip.instance=\"<urn:uuid:{instance}>\"{reg_id}")
    }

    /// Option tags of REGISTER.
    pub(super) fn register_extensions(&self) -> Option<&'static str> {
        match (self.instance().is_some(), self.asks_outbound(), self.is_routed()) {
            (true, true, _) => Some("gruu, outbound, path"),
            (true, false, true) => Some("gruu, path"),
            (true, false, false) => Some("gruu"),
            (false, _, true) => Some("path"),
            (false, _, false) => None,
        }
    }

    /// 439 First Hop Lacks Outbound Support (RFC 5626 section 11.6): it goes without. False when it
    /// did already.
    pub(super) fn without_outbound(&mut self, now: Instant) -> bool {
        if !self.asks_outbound() {
            return false;
        }
        self.outbound.refused = true;
        self.send_register(Purpose::Register, now);
        true
    }

    /// What the 2xx to REGISTER says.
    pub(super) fn take_outbound(&mut self, message: &Message, now: Instant) {
        let Some(instance) = self.instance().map(|instance| format!("<urn:uuid:{instance}>"))
        else {
            return;
        };
        self.outbound.gruu = gruu_of(message, &instance);
        self.outbound.agreed = self.asks_outbound() && message.lists(Name::Require, "outbound");
        self.registration.attempts.outbound = self.outbound.agreed;
        let Some(flow) = self.flow.as_mut().filter(|_| self.outbound.agreed) else { return };
        let told = message.number(Name::FlowTimer).filter(|s| (1..=LONGEST_TIMER).contains(s));
        let every = match told.map(|s| Duration::from_secs(s.into())) {
            // Between 80 and 100 % of it (RFC 5626 section 4.4).
            Some(timer) => (timer * 4 / 5, timer),
            None if flow.link == Link::Udp => ON_DATAGRAMS,
            None => ON_STREAMS,
        };
        flow.ping_within(every, &mut self.tokens, now);
    }

    /// Contact of a standard account in dialogs: the GRUU, which leads to this device by whatever
    /// way; else our own address, with the wish to be reached by the flow (RFC 5626 section 4.3).
    /// The temporary GRUU is for calls whose caller hides, which are not made here.
    pub(super) fn outbound_contact(&self, own: String) -> String {
        match &self.outbound.gruu {
            Some(gruu) => gruu.clone(),
            None if self.outbound.agreed && !own.is_empty() => format!("{own};ob"),
            None => own,
        }
    }

    /// An answer to a keep-alive on datagrams (RFC 5626 section 4.4.2): a flow whose mapped address
    /// has changed is no longer the one that is registered. True when the datagram was one.
    pub(super) fn take_stun(&mut self, bytes: &[u8], now: Instant) -> bool {
        let Some(flow) = self.flow.as_mut().filter(|flow| flow.link == Link::Udp) else {
            return false;
        };
        let Some(answer) = binding_answer(bytes) else { return false };
        if !flow.pong(&answer) {
            self.close_after(Fault::Unreachable("the way through the network changed".into()), now);
        }
        true
    }
}

/// The public GRUU in the Contact that is ours by its instance (RFC 5627 section 4.2).
fn gruu_of(message: &Message, instance: &str) -> Option<String> {
    let contacts = message.addresses(Name::Contact).filter_map(Result::ok);
    let mut ours = contacts.filter(|contact| {
        let named = contact.params.get("+sip.instance").map(unquote);
        named.is_some_and(|named| named.eq_ignore_ascii_case(instance))
    });
    let gruu =
        ours.find_map(|contact| Some(unquote(contact.params.get("pub-gruu")?).into_owned()))?;
    let uri = Uri::parse(&gruu).ok()?;
    let good = gruu.len() <= LONGEST_GRUU
        && matches!(uri.scheme, Scheme::Sip | Scheme::Sips)
        && !gruu.contains(['<', '>', '"', ' '])
        && uri.params.has("gr");
    good.then_some(gruu)
}

/// A time between the two ends.
pub(super) fn within((least, most): (Duration, Duration), tokens: &mut Tokens) -> Duration {
    let room = most.saturating_sub(least).as_millis() as u64;
    least + Duration::from_millis(tokens.below(room + 1))
}
