//! Phones that watch lines (busy lamp fields): SUBSCRIBE for presence, and a NOTIFY with PIDF
//! whenever a line rings, talks or is free again.

use std::time::{Duration, Instant};

use super::message::Message;
use super::message::{uri_of, user_of};
use super::server::{Incoming, Purpose, Server};
use super::transport::Route;
use crate::xml::escape;

/// Longest subscription granted, and most kept.
const LONGEST: u32 = 120;
const MOST: usize = 512;

/// What a line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lamp {
    Closed,
    Free,
    Rings,
    Talks,
}

/// A subscription.
#[derive(Debug)]
pub(super) struct Watcher {
    route: Route,
    number: String,
    call_id: String,
    /// Our party and theirs, with tags.
    ours: String,
    theirs: String,
    target: String,
    cseq: u32,
    last: Option<Lamp>,
    until: Instant,
}

impl Server {
    pub(super) fn subscribe(&mut self, now: Instant, incoming: &Incoming) {
        let message = &incoming.message;
        if !message.header("Event").is_some_and(|event| event.trim().starts_with("presence")) {
            return self.refuse(now, incoming, 489, "Bad Event");
        }
        if self.caller(now, incoming).is_none() {
            return;
        }
        let message = &incoming.message;
        let wanted = user_of(uri_of(message.header("To").unwrap_or_default()));
        let asked = message.header("Expires").and_then(|text| text.trim().parse().ok());
        let expires: u32 = asked.unwrap_or(LONGEST).min(LONGEST);
        let known = self.watchers.iter().position(|it| it.call_id == message.call_id());
        let Some(person) = self.lab.by_sip_user(&wanted).filter(|_| self.watchers.len() < MOST)
        else {
            return self.refuse(now, incoming, 404, "Not Found");
        };
        let number = person.number.clone();
        let reply = self
            .reply(incoming, 200, "OK")
            .with("Contact", self.our_contact(&number, &incoming.route))
            .with("Expires", expires.to_string());
        let until = now + Duration::from_secs(u64::from(expires));
        match known.and_then(|at| self.watchers.get_mut(at)) {
            Some(watcher) => (watcher.until, watcher.last) = (until, None),
            None => self.watchers.push(Watcher {
                route: incoming.route,
                number,
                call_id: message.call_id().to_owned(),
                ours: reply.header("To").unwrap_or_default().to_owned(),
                theirs: message.header("From").unwrap_or_default().to_owned(),
                target: message.contact_uri().unwrap_or_default().to_owned(),
                cseq: 100,
                last: None,
                until,
            }),
        }
        self.respond(now, &incoming.key, &reply);
        self.watchers.retain(|watcher| now < watcher.until);
        self.tell_watchers(now);
    }

    /// Tells what changed.
    pub(super) fn tell_watchers(&mut self, now: Instant) {
        self.watchers.retain(|watcher| now < watcher.until);
        for at in 0..self.watchers.len() {
            let Some(watcher) = self.watchers.get(at) else { continue };
            let lamp = self.lamp(&watcher.number);
            if watcher.last == Some(lamp) {
                continue;
            }
            let Some(watcher) = self.watchers.get_mut(at) else { continue };
            watcher.last = Some(lamp);
            watcher.cseq += 1;
            let left = watcher.until.saturating_duration_since(now).as_secs();
            let notify = Message::request("NOTIFY", &watcher.target)
                .with("From", watcher.ours.clone())
                .with("To", watcher.theirs.clone())
                .with("Call-ID", watcher.call_id.clone())
                .with("CSeq", format!("{} NOTIFY", watcher.cseq))
                .with("Max-Forwards", "70")
                .with("Event", "presence")
                .with("Subscription-State", format!("active;expires={left}"))
                .with_body("application/pidf+xml", pidf(&watcher.number, lamp));
            let route = watcher.route;
            self.ask(now, route, notify, Purpose::Alone);
        }
    }

    fn lamp(&self, number: &str) -> Lamp {
        let busy =
            self.calls.values().filter_map(|call| call.lamp_of(number)).max_by_key(
                |lamp| match lamp {
                    Lamp::Closed => 0,
                    Lamp::Free => 1,
                    Lamp::Rings => 2,
                    Lamp::Talks => 3,
                },
            );
        let there = self.bindings.iter().any(|binding| binding.number == number);
        let busy = busy.or_else(|| self.bridge.talks(number).then_some(Lamp::Talks));
        busy.unwrap_or(if there { Lamp::Free } else { Lamp::Closed })
    }
}

fn pidf(number: &str, lamp: Lamp) -> String {
    let (basic, activity) = match lamp {
        Lamp::Closed => ("closed", ""),
        Lamp::Free => ("open", ""),
        Lamp::Rings => ("open", "<ce:alerting/>"),
        Lamp::Talks => ("open", "<e:on-the-phone/>"),
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><presence entity=\"sip:{}\" \
         xmlns=\"urn:ietf:params:xml:ns:pidf\" xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" \
         xmlns:e=\"urn:ietf:params:xml:ns:pidf:status:rpid\" \
         xmlns:ce=\"urn:cisco:params:xml:ns:pidf:rpid\"><tuple id=\"1\"><status><basic>{basic}</basic>\
         </status></tuple><dm:person><e:activities>{activity}</e:activities></dm:person></presence>",
        escape(number)
    )
}
