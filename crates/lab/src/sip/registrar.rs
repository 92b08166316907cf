//! Registrations as CUCM keeps them: by device and line, short-lived, bound to the connection
//! they came over (reference page sip-dialect sections 1, 2 and 5).

use std::time::{Duration, Instant};

use super::digest::Verdict;
use super::message::{Message, parameter, uri_of, user_of};
use super::server::{Incoming, Server};
use super::transport::{Kind, Route};
use crate::config::{DigestFor, Security};
use crate::events::LabEvent;
use crate::fault::{Fault, Faults};
use crate::scenario::Scenario;

/// How long after its end a registration still counts, as on the real server.
const GRACE: Duration = Duration::from_secs(15);
/// Registrations of one person kept at a time.
const MAX_BINDINGS: usize = 10;
/// When [`Fault::RegistrationLost`] strikes.
const LOST_AFTER: Duration = Duration::from_secs(3);
const DEVICE_NAME: &str = "+u.sip!devicename.ccm.cisco.com";
const NO_INSTANCE: &str = "00000000-0000-0000-0000-000000000000";

/// A registered phone.
#[derive(Debug, Clone)]
pub(super) struct Binding {
    /// User id of the person.
    pub(super) person: String,
    pub(super) number: String,
    /// Contact URI as registered.
    pub(super) contact: String,
    pub(super) device: Option<String>,
    pub(super) route: Route,
    pub(super) call_id: String,
    cseq: u32,
    since: Instant,
    expires: Instant,
}

/// What a REGISTER asks for.
struct Wish<'a> {
    contact: &'a str,
    device: Option<String>,
    forced: bool,
    expires: u32,
    keep_alive: bool,
}

fn wish(message: &Message) -> Option<Wish<'_>> {
    let contact = message.header("Contact")?;
    let header = message.header("Expires").and_then(|value| value.trim().parse().ok());
    let expires = parameter(contact, "expires").and_then(|value| value.parse().ok()).or(header);
    let instance = parameter(contact, "+sip.instance").unwrap_or_default();
    Some(Wish {
        contact,
        device: parameter(contact, DEVICE_NAME).map(str::to_owned),
        forced: !instance.is_empty() && !instance.contains(NO_INSTANCE),
        expires: if contact.trim() == "*" { 0 } else { expires.unwrap_or(3600) },
        keep_alive: parameter(contact, "cisco-keep-alive").is_some(),
    })
}

/// How a fault refuses every registration: status, reason, and the text of the Warning.
fn refusal(faults: &Faults) -> Option<(u16, &'static str, &'static str)> {
    let refusals = [
        (Fault::Sip403, (403, "Forbidden", "Device is not allowed to register")),
        (Fault::Sip404, (404, "Not Found", "Unknown device")),
        (Fault::Sip488, (488, "Not Acceptable Here", "Incompatible transport")),
        (Fault::Sip503, (503, "Service Unavailable", "Registration throttled")),
    ];
    refusals.into_iter().find(|(fault, _)| faults.has(*fault)).map(|(_, refusal)| refusal)
}

impl Server {
    /// Whether the message names the route that the edges' sign-in told.
    fn came_by_edge(&self, incoming: &Incoming) -> bool {
        let route = crate::edge::inner_route(&self.lab);
        incoming.message.all("Route").any(|value| value.contains(&route))
    }

    pub(super) fn register(&mut self, now: Instant, incoming: &Incoming) {
        let to = user_of(uri_of(incoming.message.header("To").unwrap_or_default()));
        let Some(person) = self.lab.by_sip_user(&to).cloned() else {
            return self.refuse(now, incoming, 404, "Not Found");
        };
        let Some(wish) = wish(&incoming.message) else {
            // A question: which contacts are there?
            return self.registered(now, incoming, &person.name, false);
        };
        if wish.keep_alive {
            let node = super::nodes::HOSTS.get(incoming.route.node).copied().unwrap_or_default();
            self.lab.events.tell(LabEvent::KeptAlive { number: person.number, node });
            let reply =
                self.reply(incoming, 200, "OK").with("Contact", wish.contact).with("Expires", "0");
            return self.respond(now, &incoming.key, &reply);
        }
        let at_desk = self.lab.config.sip.desk_phones
            && wish.device.as_ref().is_some_and(|device| *device == person.desk_phone());
        // What the laboratory plays itself is let in as it comes.
        let played = at_desk || person.robot.is_some();
        if let Some(device) = &wish.device
            && *device != person.device
            && !at_desk
        {
            return self.refuse(now, incoming, 404, "Not Found");
        }
        let by_edge = self.came_by_edge(incoming);
        let secure = self.lab.security() != Security::Off && wish.device.is_some();
        let shown = self.device_shown(&incoming.route);
        if secure && person.robot.is_none() && !at_desk && !by_edge && wish.device != shown {
            let text = format!("399 {} \"TLS authentication failure\"", self.lab.host("cucm1"));
            let reply = self.reply(incoming, 403, "Forbidden").with("Warning", text);
            return self.respond(now, &incoming.key, &reply);
        }
        if self.lab.scenario == Scenario::Edge && !played && !by_edge {
            return self.refuse(now, incoming, 403, "No Route To The Inside");
        }
        if !played
            && wish.expires > 0
            && let Some((status, reason, warning)) = refusal(&self.lab.faults)
        {
            let text = format!("399 {} \"{warning}\"", self.lab.host("cucm1"));
            let reply = self.reply(incoming, status, reason).with("Warning", text);
            return self.respond(now, &incoming.key, &reply);
        }
        let challenged = match self.lab.config.sip.digest {
            DigestFor::Nobody => false,
            DigestFor::Standard => wish.device.is_none(),
            DigestFor::Everybody => !played,
        };
        if challenged && !self.authorised(now, incoming, &person.name) {
            return;
        }
        if wish.expires == 0 {
            let everything = wish.contact.trim() == "*";
            let contact = uri_of(wish.contact).to_owned();
            self.forget(|binding| {
                binding.person == person.name && (everything || binding.contact == contact)
            });
            return self.registered(now, incoming, &person.name, false);
        }
        if self.held_by_another(incoming, &wish) {
            let host = self.lab.host("cucm1");
            let text = format!("399 {host} \"Registration is active for another client\"");
            let reply = self.reply(incoming, 403, "Forbidden").with("Warning", text);
            return self.respond(now, &incoming.key, &reply);
        }
        let (contact, device) = (uri_of(wish.contact).to_owned(), wish.device.clone());
        let lifetime = Duration::from_secs(u64::from(self.lab.config.sip.expires)) + GRACE;
        let call_id = incoming.message.call_id().to_owned();
        let cseq = incoming.message.cseq().0;
        let same = |binding: &Binding| match &device {
            Some(device) => binding.device.as_ref() == Some(device),
            None => binding.device.is_none() && binding.contact == contact,
        };
        let known = self.bindings.iter().position(|b| b.person == person.name && same(b));
        let mut fresh = true;
        if let Some(at) = known {
            let old = self.bindings.remove(at);
            if old.call_id == call_id && cseq <= old.cseq {
                self.bindings.push(old);
                return self.refuse(now, incoming, 500, "Server Internal Error");
            }
            fresh = old.call_id != call_id || old.route != incoming.route;
        }
        if self.bindings.iter().filter(|binding| binding.person == person.name).count()
            >= MAX_BINDINGS
        {
            return self.refuse(now, incoming, 503, "Service Unavailable");
        }
        self.bindings.push(Binding {
            person: person.name.clone(),
            number: person.number.clone(),
            contact,
            device: device.clone(),
            route: incoming.route,
            call_id,
            cseq,
            since: now,
            expires: now + lifetime,
        });
        let is_cucm_device = device.is_some() && !played;
        if fresh && !played {
            self.lab.events.tell(LabEvent::Registered {
                number: person.number.clone(),
                device,
                transport: incoming.route.kind.name(),
                by_edge,
                node: super::nodes::HOSTS.get(incoming.route.node).copied().unwrap_or_default(),
            });
        }
        self.registered(now, incoming, &person.name, fresh && is_cucm_device);
        if fresh
            && is_cucm_device
            && let Some(binding) = self.bindings.last().cloned()
        {
            self.tell_state(now, &binding);
        }
    }

    /// Somebody else holds the device, and this registration does not insist.
    fn held_by_another(&self, incoming: &Incoming, wish: &Wish<'_>) -> bool {
        if wish.device.is_none() || wish.forced {
            return false;
        }
        self.lab.faults.has(Fault::ActiveElsewhere)
            || self.bindings.iter().any(|binding| {
                binding.device == wish.device
                    && binding.call_id != incoming.message.call_id()
                    && binding.route != incoming.route
                    // A connection that ended took its registration along; UDP cannot tell.
                    && binding.route.kind != Kind::Udp
            })
    }

    /// Whether the credentials are right; if not, the challenge is sent.
    fn authorised(&mut self, now: Instant, incoming: &Incoming, person: &str) -> bool {
        let method = incoming.message.method();
        let proxy = method != "REGISTER";
        let (header, challenge, status, reason) = if proxy {
            ("Proxy-Authorization", "Proxy-Authenticate", 407, "Proxy Authentication Required")
        } else {
            ("Authorization", "WWW-Authenticate", 401, "Unauthorized")
        };
        let lab = &self.lab;
        let verdict = self.nonces.check(incoming.message.header(header), method, |name| {
            let asker = lab.by_sip_user(name)?;
            (asker.name == person).then(|| asker.password.clone()).flatten()
        });
        let stale = match verdict {
            Verdict::Accepted => return true,
            Verdict::Refused => false,
            Verdict::Stale => true,
        };
        let value = self.nonces.challenge(stale);
        let reply = self.reply(incoming, status, reason).with(challenge, value);
        self.respond(now, &incoming.key, &reply);
        false
    }

    /// The registration a request comes from; `None` after a refusal has been sent.
    pub(super) fn caller(&mut self, now: Instant, incoming: &Incoming) -> Option<Binding> {
        let user = user_of(uri_of(incoming.message.header("From").unwrap_or_default()));
        let mut from_there: Vec<&Binding> =
            self.bindings.iter().filter(|binding| binding.route == incoming.route).collect();
        // Several people behind one address are told apart by From.
        from_there.sort_by_key(|binding| binding.number != user && binding.person != user);
        let Some(binding) = from_there.first().map(|binding| (*binding).clone()) else {
            self.refuse(now, incoming, 403, "Forbidden");
            return None;
        };
        let challenged = match self.lab.config.sip.digest {
            DigestFor::Nobody => false,
            DigestFor::Standard | DigestFor::Everybody => binding.device.is_none(),
        };
        if challenged && !self.authorised(now, incoming, &binding.person) {
            return None;
        }
        Some(binding)
    }

    fn registered(&mut self, now: Instant, incoming: &Incoming, person: &str, with_body: bool) {
        let mut reply = self.reply(incoming, 200, "OK");
        for binding in self.bindings.iter().filter(|binding| binding.person == person) {
            let left = binding.expires.saturating_duration_since(now).saturating_sub(GRACE);
            let contact = format!("<{}>;expires={}", binding.contact, left.as_secs());
            reply = reply.with("Contact", contact);
        }
        reply = reply.with("Expires", self.lab.config.sip.expires.to_string());
        if with_body {
            let body = "<x-cisco-remotecc-response><response><code>200</code><optionsind>\
                <combine max=\"6\"><remotecc><status/></remotecc><service-control/></combine>\
                <dialog usage=\"hook status\"><unot/></dialog>\
                <presence usage=\"blf speed dial\"><unot/></presence>\
                <joinreq/><cfwdall-anyline/></optionsind></response></x-cisco-remotecc-response>";
            reply = reply.with_body("application/x-cisco-remotecc-response+xml", body);
        }
        self.respond(now, &incoming.key, &reply);
    }

    pub(super) fn forget(&mut self, gone: impl Fn(&Binding) -> bool) {
        let (out, kept) = self.bindings.drain(..).partition(|binding| gone(binding));
        self.bindings = kept;
        let out: Vec<Binding> = out;
        for binding in out {
            if self.lab.person(&binding.person).is_some_and(|person| person.robot.is_none()) {
                self.lab.events.tell(LabEvent::Unregistered {
                    number: binding.number,
                    device: binding.device,
                });
            }
        }
    }

    pub(super) fn expire_bindings(&mut self, now: Instant) {
        if self.lab.faults.has(Fault::RegistrationLost) {
            let lost = |binding: &&Binding| {
                binding.route.kind != Kind::Udp
                    && now.saturating_duration_since(binding.since) >= LOST_AFTER
            };
            let routes: Vec<Route> =
                self.bindings.iter().filter(lost).map(|binding| binding.route).collect();
            for route in routes {
                self.transports.cut(&route);
            }
        }
        if self.bindings.iter().any(|binding| now >= binding.expires) {
            self.forget(|binding| now >= binding.expires);
        }
    }

    pub(super) fn drop_bindings_of(&mut self, route: &Route) {
        self.forget(|binding| binding.route == *route);
    }
}
