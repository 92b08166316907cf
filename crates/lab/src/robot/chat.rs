//! The chat side of a robot: online with a note, answers what is written to it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::PhoneCommand;
use super::rooms::Inside;
use crate::config::RobotConfig;
use crate::events::LabEvent;
use crate::xml::Element;
use crate::xmpp::Shared;
use crate::xmpp::roster::{Outgoing, plain};
use crate::xmpp::router::{Connected, Jid, error};

const RECEIPTS: &str = "urn:xmpp:receipts";
const STATES: &str = "http://jabber.org/protocol/chatstates";
const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
/// People whose counts are kept.
const MAX_PEOPLE: usize = 1000;
/// How long it types.
const TYPING: Duration = Duration::from_millis(400);

/// What a chat message asks for.
#[derive(Debug, PartialEq, Eq)]
enum Request {
    /// To be called, perhaps with this number shown.
    Call(Option<String>),
    /// To be asked into a room.
    Invite,
    /// To be answered.
    Echo,
}

fn request(body: &str) -> Request {
    let text = body.trim().trim_end_matches(['.', '!']).to_ascii_lowercase();
    if text == "invite me" {
        return Request::Invite;
    }
    match text.strip_prefix("call me") {
        Some("") => Request::Call(None),
        Some(rest) => match rest.strip_prefix(" from ").map(str::trim) {
            Some(number)
                if !number.is_empty()
                    && number.chars().all(|c| c.is_ascii_digit() || "+*#".contains(c)) =>
            {
                Request::Call(Some(number.to_owned()))
            }
            Some(_) | None => Request::Echo,
        },
        None => Request::Echo,
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    received: u64,
    sent: u64,
    receipts: u64,
}

struct Chat {
    shared: Arc<Shared>,
    robot: RobotConfig,
    connected: Connected,
    phone: mpsc::Sender<PhoneCommand>,
    counts: BTreeMap<String, Counts>,
    inside: Inside,
}

/// Plays a robot in one domain until the laboratory stops; `sits` is whether it sits in the room
/// that is always there.
pub(super) async fn run(
    shared: Arc<Shared>,
    (robot, sits): (RobotConfig, bool),
    domain: String,
    phone: mpsc::Sender<PhoneCommand>,
    mut stop: watch::Receiver<bool>,
) {
    let bare = format!("{}@{domain}", robot.name);
    let Some(connected) = shared.router.connect(&bare, Some("robot")) else { return };
    let presence = Element::stanza("presence")
        .child(plain("status").text(&robot.note))
        .child(plain("priority").text("1"));
    let inside = Inside::new(&bare.to_ascii_lowercase(), &domain);
    let mut chat = Chat { shared, robot, connected, phone, counts: BTreeMap::new(), inside };
    chat.send(presence);
    if sits {
        chat.send(chat.inside.sit_down());
    }
    loop {
        tokio::select! {
            out = chat.connected.queue.recv() => match out {
                Some(Outgoing::Stanza(stanza)) => chat.received(stanza).await,
                Some(Outgoing::Conflict) | None => return,
            },
            () = crate::net::stopped(&mut stop) => return,
        }
    }
}

impl Chat {
    fn send(&self, stanza: Element) {
        self.shared.router.route(&self.connected.jid, stanza);
    }

    async fn received(&mut self, stanza: Element) {
        match stanza.local() {
            "message" => self.message(&stanza).await,
            "presence" => self.presence(&stanza),
            _ => self.iq(&stanza),
        }
    }

    fn presence(&mut self, stanza: &Element) {
        if let Some(answer) = self.inside.presence(stanza) {
            return self.send(answer);
        }
        let Some(from) = stanza.attribute("from") else { return };
        if stanza.attribute("type") == Some("subscribe") {
            for kind in ["subscribed", "subscribe"] {
                self.send(Element::stanza("presence").with("type", kind).with("to", from));
            }
        }
    }

    fn iq(&self, iq: &Element) {
        if !matches!(iq.attribute("type"), Some("get" | "set")) {
            return;
        }
        let Some(from) = iq.attribute("from") else { return };
        let result = Element::stanza("iq")
            .with("type", "result")
            .with("to", from)
            .with("id", iq.attribute("id").unwrap_or_default());
        if iq.find("ping", "urn:xmpp:ping").is_some() {
            return self.send(result);
        }
        if iq.find("query", DISCO_INFO).is_some() {
            let identity = plain("identity").with("category", "client").with("type", "bot");
            let query = [DISCO_INFO, RECEIPTS, STATES, "urn:xmpp:ping"]
                .iter()
                .fold(Element::new("query", DISCO_INFO).child(identity), |query, feature| {
                    query.child(plain("feature").with("var", feature))
                });
            return self.send(result.child(query));
        }
        // A contact list push needs no answer inside the laboratory.
        if iq.find("query", "jabber:iq:roster").is_none() {
            self.send(error(iq, "cancel", "service-unavailable"));
        }
    }

    async fn message(&mut self, message: &Element) {
        let kind = message.attribute("type").unwrap_or("normal");
        let Some(from) = message.attribute("from").map(Jid::new) else { return };
        if kind == "groupchat" {
            let robot =
                |name: &str| self.shared.lab.person(name).is_some_and(|it| it.robot.is_some());
            let answer = self.inside.heard(message, robot);
            return answer.into_iter().for_each(|it| self.send(it));
        }
        if !matches!(kind, "chat" | "normal") {
            return;
        }
        if let Some(entering) = self.inside.invited(message) {
            return self.send(entering);
        }
        let name = from.bare.split('@').next().unwrap_or_default().to_owned();
        let person = self.shared.lab.person(&name).cloned();
        // Two robots would talk for ever.
        if person.as_ref().is_some_and(|person| person.robot.is_some()) {
            return;
        }
        if self.counts.len() >= MAX_PEOPLE && !self.counts.contains_key(&from.bare) {
            return;
        }
        let mut counts = self.counts.get(&from.bare).copied().unwrap_or_default();
        let to = from.full();
        let reply = || Element::stanza("message").with("type", "chat").with("to", &to);
        if message.find("received", RECEIPTS).is_some() {
            counts.receipts += 1;
            self.counts.insert(from.bare.clone(), counts);
        }
        let Some(body) = message.child_text("body") else { return };
        counts.received += 1;
        if let (Some(_), Some(id)) = (message.find("request", RECEIPTS), message.attribute("id")) {
            let received = Element::new("received", RECEIPTS).with("id", id);
            self.send(reply().with("id", &crate::random::hex::<8>()).child(received));
        }
        self.send(reply().child(Element::new("composing", STATES)));
        tokio::time::sleep(TYPING).await;
        let text = match (request(&body), person) {
            (Request::Call(shown), Some(person)) => {
                let call = PhoneCommand::Call { number: person.number.clone(), shown };
                match self.phone.try_send(call) {
                    Ok(()) => format!("Calling {} now.", person.number),
                    Err(_) => "My phone does not work.".to_owned(),
                }
            }
            (Request::Invite, Some(_)) if self.shared.has_rooms(from.domain()) => {
                let stanzas = self.inside.invite(&from.bare);
                stanzas.into_iter().for_each(|it| self.send(it));
                "There is a room for us.".to_owned()
            }
            (Request::Call(_) | Request::Invite | Request::Echo, _) => format!("You said: {body}"),
        };
        let answer = reply()
            .with("id", &crate::random::uuid())
            .child(plain("body").text(&text))
            .child(Element::new("active", STATES))
            .child(Element::new("request", RECEIPTS));
        self.send(answer);
        counts.sent += 1;
        self.counts.insert(from.bare.clone(), counts);
        self.shared.lab.events.tell(LabEvent::RobotChat {
            robot: self.robot.name.clone(),
            with: from.bare,
            received: counts.received,
            sent: counts.sent,
            receipts: counts.receipts,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_agreed_words_make_it_call() {
        assert_eq!(request("call me"), Request::Call(None));
        assert_eq!(request(" Call me! "), Request::Call(None));
        assert_eq!(request("call me from +4930123"), Request::Call(Some("+4930123".into())));
        assert_eq!(request("Invite me!"), Request::Invite);
        for text in [
            "call me later",
            "call me from home",
            "please call me",
            "hi",
            "call me from ",
            "invite",
        ] {
            assert_eq!(request(text), Request::Echo, "{text}");
        }
    }
}
