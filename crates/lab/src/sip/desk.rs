//! Phones that are controlled from outside: told to call, to answer, to end their calls (reference
//! page sip-dialect section 6). WebDialer does it with the phone on the desk.

use std::time::Instant;

use super::nodes::Phone;
use super::registrar::Binding;
use super::server::Server;
use crate::xml::escape;

const REQUEST: &str = "application/x-cisco-remotecc-request+xml";

impl Server {
    fn phone_of(&self, phone: &Phone) -> Option<Binding> {
        let person = self.lab.person(&phone.user)?;
        let device = if phone.desk { person.desk_phone() } else { person.device.clone() };
        self.bindings.iter().find(|it| it.device.as_ref() == Some(&device)).cloned()
    }

    /// Click to dial: the phone is to call.
    pub(super) fn dial_for(&mut self, now: Instant, phone: &Phone, number: &str) {
        let Some(binding) = self.phone_of(phone) else { return };
        let body = format!(
            "<x-cisco-remotecc-request><initiatecallreq><dialstring>{}</dialstring>\
             <linenumber>1</linenumber><globalcallid/></initiatecallreq></x-cisco-remotecc-request>",
            escape(number)
        );
        self.refer(now, &binding, REQUEST, body);
    }

    /// The phone is to answer what rings there.
    pub(super) fn answer_at(&mut self, now: Instant, phone: &Phone) {
        let Some(binding) = self.phone_of(phone) else { return };
        let Some((call_id, theirs, ours)) = self.ringing_at(&binding) else { return };
        let body = format!(
            "<x-cisco-remotecc-request><answercallreq><dialogid><callid>{}</callid>\
             <localtag>{}</localtag><remotetag>{}</remotetag></dialogid></answercallreq>\
             </x-cisco-remotecc-request>",
            escape(&call_id),
            escape(&theirs),
            escape(&ours)
        );
        self.refer(now, &binding, REQUEST, body);
    }

    /// All calls of the phone end.
    pub(super) fn hang_up_at(&mut self, now: Instant, phone: &Phone) {
        if let Some(binding) = self.phone_of(phone) {
            self.end_calls_at(now, &binding.route);
        }
    }
}
