//! Buttons of phones: a REFER that carries the press, answered by 202 and two NOTIFYs (reference
//! page sip-dialect section 3). Played are Conference and RmLastConf at the bridge, Park, with numbers
//! from 7001 on that take the call back, and IDivert to the robot that the configuration calls
//! voicemail. Others fail with 500.

use std::time::{Duration, Instant};

use super::calls::Side;
use super::message::Message;
use super::registrar::Binding;
use super::server::{Incoming, Purpose, Server};

/// The first number of parked calls.
const FIRST_PARK: u32 = 7001;

impl Server {
    pub(super) fn pressed(&mut self, now: Instant, incoming: &Incoming) {
        let Some(binding) = self.caller(now, incoming) else { return };
        let text = String::from_utf8_lossy(&incoming.message.body).into_owned();
        let Some(key) = element(&text, "softkeyevent").map(str::to_owned) else {
            return self.refuse(now, incoming, 403, "Forbidden");
        };
        let accepted = self.reply(incoming, 202, "Accepted");
        let tag = accepted.header("To").unwrap_or_default().to_owned();
        self.respond(now, &incoming.key, &accepted);
        let phone = |name| {
            let dialog = element(&text, name).unwrap_or_default();
            (
                element(dialog, "callid").unwrap_or_default(),
                element(dialog, "localtag").unwrap_or_default(),
            )
        };
        let (first, second) = (phone("dialogid"), phone("consultdialogid"));
        self.tell_begin(now, incoming, &tag);
        let found = self.leg_of_phone(first.0, first.1);
        let done = match (key.as_str(), found) {
            ("Conference", _) => {
                if self.conference(now, (incoming.clone(), tag.clone()), first, second) {
                    return;
                }
                false
            }
            ("RmLastConf", _) => self.remove_last(now, first),
            ("Park", Some((id, side))) => self.park(now, id, side, &binding),
            ("IDivert", Some((id, _))) => self.divert_to_voicemail(now, id),
            _ => false,
        };
        self.tell_end(now, incoming, &tag, done);
    }

    fn tell_begin(&mut self, now: Instant, incoming: &Incoming, from: &str) {
        let first = press_notify(incoming, from, 101, "active;expires=60");
        self.ask(now, incoming.route, first, Purpose::Alone);
    }

    /// Tells what came of a press.
    pub(super) fn tell_end(&mut self, now: Instant, incoming: &Incoming, from: &str, done: bool) {
        let code = if done { 200 } else { 500 };
        let body = format!(
            "<x-cisco-remotecc-response><response><code>{code}</code></response>\
             </x-cisco-remotecc-response>"
        );
        let last = press_notify(incoming, from, 102, "terminated;reason=noresource")
            .with_body("application/x-cisco-remotecc-response+xml", body);
        self.ask(now, incoming.route, last, Purpose::Alone);
    }

    /// The other side waits under a number until somebody calls that; the phone is let go and told
    /// the number.
    fn park(&mut self, now: Instant, id: u64, side: Side, binding: &Binding) -> bool {
        let taken: Vec<&String> = self.parked.keys().collect();
        let free = (FIRST_PARK..FIRST_PARK + 10).map(|number| number.to_string());
        let Some(number) = free.into_iter().find(|number| !taken.contains(&number)) else {
            return false;
        };
        let Some(mut parked) = self.take_other_side(now, id, side) else { return false };
        let patience = Duration::from_secs(self.lab.config.sip.park_reversion);
        parked.wait_for(binding.clone(), now + patience);
        self.parked.insert(number.clone(), parked);
        let body = format!(
            "<x-cisco-remotecc-request><statuslineupdatereq><action>notify_display</action>\
             <statustext>\u{80}! {number}</statustext><displaytimeout>10</displaytimeout>\
             <linenumber>1</linenumber><priority>1</priority></statuslineupdatereq>\
             </x-cisco-remotecc-request>"
        );
        self.refer(now, binding, "application/x-cisco-remotecc-request+xml", body);
        true
    }

    fn divert_to_voicemail(&mut self, now: Instant, id: u64) -> bool {
        let voicemail = self.lab.config.sip.voicemail.clone();
        let Some(person) = self.lab.by_sip_user(&voicemail).cloned() else { return false };
        let found = self.bindings.iter().find(|binding| binding.person == person.name);
        let Some(target) = found.cloned() else { return false };
        self.ring_elsewhere(now, id, &target)
    }
}

fn press_notify(incoming: &Incoming, from: &str, cseq: u32, state: &str) -> Message {
    let asked = &incoming.message;
    Message::request("NOTIFY", asked.contact_uri().unwrap_or_default())
        .with("From", from)
        .with("To", asked.header("From").unwrap_or_default())
        .with("Call-ID", asked.call_id())
        .with("CSeq", format!("{cseq} NOTIFY"))
        .with("Max-Forwards", "70")
        .with("Event", "refer")
        .with("Subscription-State", state)
}

/// What stands in the first element of this name; of its attributes nothing is known.
pub(crate) fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(inside, _)| inside)
}

#[cfg(test)]
mod tests {
    use super::element;

    #[test]
    fn elements_are_found_by_name() {
        let text = "<a><dialogid><callid>x</callid></dialogid><callid>y</callid></a>";
        let dialog = element(text, "dialogid").unwrap();
        assert_eq!(element(dialog, "callid"), Some("x"));
        assert_eq!(element(text, "b"), None);
    }
}
