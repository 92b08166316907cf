//! What the call manager tells phones of its own accord: their state after a registration, lamps,
//! forwarding, service control (reference page sip-dialect section 6); and what becomes of a node
//! that goes down.

use std::time::Instant;

use super::message::Message;
use super::nodes::{HOSTS, Word};
use super::registrar::Binding;
use super::server::{Incoming, Purpose, Server};
use crate::events::LabEvent;
use crate::random;
use crate::xml::escape;

/// How a person is left in peace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quiet {
    /// Phones show calls and do not ring.
    Ringer,
    /// Calls are refused.
    Reject,
}

impl Server {
    pub(super) fn word(&mut self, now: Instant, word: Word) {
        match word {
            Word::Node(node, up) => {
                if !up {
                    self.node_lost(node);
                }
                let node = HOSTS.get(node).copied().unwrap_or_default();
                self.lab.events.tell(LabEvent::Node { node, up });
            }
            Word::Messages(user, on) => {
                let state = if on { "yes" } else { "no" };
                let inner = format!(
                    "<bulkupdate><contact all=\"true\"><mwi>no</mwi></contact>\
                     <contact line=\"1\"><mwi>{state}</mwi></contact></bulkupdate>"
                );
                self.tell_phones(now, &user, &inner);
            }
            Word::Forward(user, to) => self.forward_all(now, &user, to),
            Word::Control(user, action) => {
                for binding in self.phones_of(&user) {
                    self.service_control(now, &binding, action);
                }
            }
            Word::Quiet(user, quiet) => self.be_quiet(now, &user, quiet),
            Word::Dial(phone, number) => self.dial_for(now, &phone, &number),
            Word::Answer(phone) => self.answer_at(now, &phone),
            Word::HangUp(phone) => self.hang_up_at(now, &phone),
        }
    }

    /// Connections of the node are gone already. Its calls go on without it, so nobody is told.
    fn node_lost(&mut self, node: usize) {
        self.forget(|binding| binding.route.node == node);
        self.forget_calls_by(node);
        self.transports.forget_node(node);
    }

    /// Keeps where all calls to a person go, and tells the person's phones.
    pub(super) fn forward_all(&mut self, now: Instant, user: &str, to: Option<String>) {
        let inner = cfwdall(to.as_deref());
        match to {
            Some(to) => drop(self.diverted.insert(user.to_owned(), to)),
            None => drop(self.diverted.remove(user)),
        }
        self.tell_phones(now, user, &inner);
    }

    /// Keeps whether a person may be disturbed, and tells the person's phones.
    pub(super) fn be_quiet(&mut self, now: Instant, user: &str, quiet: Option<Quiet>) {
        match quiet {
            Some(quiet) => drop(self.quiet.insert(user.to_owned(), quiet)),
            None => drop(self.quiet.remove(user)),
        }
        self.tell_phones(now, user, &dndupdate(quiet));
    }

    /// A phone tells whether its user may be disturbed: presence with `dnd` or `available` among the
    /// activities, as phones of the vendor publish it (seen in UCM-patch).
    pub(super) fn publish(&mut self, now: Instant, incoming: &Incoming) {
        let event = incoming.message.header("Event").unwrap_or_default();
        if !event.trim().starts_with("presence") || !self.lab.config.sip.takes_publish {
            return self.refuse(now, incoming, 489, "Bad Event");
        }
        let Some(binding) = self.caller(now, incoming) else { return };
        let text = String::from_utf8_lossy(&incoming.message.body).into_owned();
        let has = |name: &str| {
            text.contains(&format!(":{name}/>")) || text.contains(&format!(":{name} />"))
        };
        let quiet = match (has("dnd"), has("available")) {
            (true, _) => Some(self.quiet.get(&binding.person).copied().unwrap_or(Quiet::Ringer)),
            (false, true) => None,
            (false, false) => return self.refuse(now, incoming, 400, "Bad Request"),
        };
        let reply = self
            .reply(incoming, 200, "OK")
            .with("SIP-ETag", random::hex::<6>())
            .with("Expires", "3600");
        self.respond(now, &incoming.key, &reply);
        self.be_quiet(now, &binding.person, quiet);
    }

    fn phones_of(&self, user: &str) -> Vec<Binding> {
        let theirs = |binding: &&Binding| binding.person == user && binding.device.is_some();
        self.bindings.iter().filter(theirs).cloned().collect()
    }

    fn tell_phones(&mut self, now: Instant, user: &str, inner: &str) {
        for binding in self.phones_of(user) {
            let body = format!("<x-cisco-remotecc-request>{inner}</x-cisco-remotecc-request>");
            self.refer(now, &binding, "application/x-cisco-remotecc-request+xml", body);
        }
    }

    /// After a registration: what the phone has to know about its line.
    pub(super) fn tell_state(&mut self, now: Instant, binding: &Binding) {
        let kind = "Content-Type: application/x-cisco-remotecc-request+xml\r\n\
                    Content-Disposition: session;handling=required\r\n\r\n";
        let part = |inner: &str| {
            format!(
                "--uniqueBoundary\r\n{kind}<x-cisco-remotecc-request>{inner}\
                 </x-cisco-remotecc-request>\r\n"
            )
        };
        let to = self.diverted.get(&binding.person);
        let body = [
            part(&cfwdall(to.map(String::as_str))),
            part(
                "<bulkupdate><contact all=\"true\"><mwi>no</mwi></contact>\
                 <contact line=\"1\"><mwi>no</mwi></contact></bulkupdate>",
            ),
            part(&dndupdate(self.quiet.get(&binding.person).copied())),
            "--uniqueBoundary--\r\n".to_owned(),
        ]
        .concat();
        self.refer(now, binding, "multipart/mixed;boundary=uniqueBoundary", body);
    }

    /// A REFER outside of any call with what it refers to inside.
    pub(super) fn refer(&mut self, now: Instant, binding: &Binding, kind: &str, body: String) {
        let host = self.lab.host("cucm1");
        let cid = format!("{}@{host}", random::hex::<6>());
        let ours = self.our_address(binding);
        let refer = self
            .out_of_call("REFER", binding)
            .with("Contact", ours.clone())
            .with("Require", "norefersub")
            .with("Referred-By", ours)
            .with("Refer-To", format!("cid:{cid}"))
            .with("Content-Id", format!("<{cid}>"))
            .with("Expires", "0")
            .with("Mime-Version", "1.0")
            .with_body(kind, body);
        self.ask(now, binding.route, refer, Purpose::Alone);
    }

    fn service_control(&mut self, now: Instant, binding: &Binding, action: &str) {
        let body = format!(
            "action={action}\r\nRegisterCallId={{{}}}\r\nConfigVersionStamp={{0000000000000000}}\r\n\
             DialplanVersionStamp={{0000000000000000}}\r\nSoftkeyVersionStamp={{0000000000000000}}\r\n",
            binding.call_id
        );
        let ours = self.our_address(binding);
        let notify = self
            .out_of_call("NOTIFY", binding)
            .with("Contact", ours)
            .with("Event", "service-control")
            .with("Subscription-State", "active")
            .with_body("text/plain", body);
        self.ask(now, binding.route, notify, Purpose::Alone);
    }

    fn our_address(&self, binding: &Binding) -> String {
        let kind = binding.route.kind;
        format!("<sip:{};transport={}>", self.local(kind), kind.name())
    }

    fn out_of_call(&self, method: &str, binding: &Binding) -> Message {
        let host = self.lab.host("cucm1");
        Message::request(method, &binding.contact)
            .with("From", format!("<sip:{host}>;tag={}", random::hex::<6>()))
            .with("To", format!("<sip:{}@{host}>", binding.number))
            .with("Call-ID", format!("{}@{host}", random::hex::<10>()))
            .with("CSeq", format!("101 {method}"))
            .with("Max-Forwards", "70")
    }
}

fn dndupdate(quiet: Option<Quiet>) -> String {
    let (state, option) = match quiet {
        None => ("disable", "ringeroff"),
        Some(Quiet::Ringer) => ("enable", "ringeroff"),
        Some(Quiet::Reject) => ("enable", "callreject"),
    };
    format!("<dndupdate><state>{state}</state><option>{option}</option></dndupdate>")
}

fn cfwdall(to: Option<&str>) -> String {
    format!(
        "<cfwdallupdate><linenumber>1</linenumber><fwdaddress>{}</fwdaddress>\
         <tovoicemail>off</tovoicemail></cfwdallupdate>",
        escape(to.unwrap_or_default())
    )
}
