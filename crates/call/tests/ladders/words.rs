//! Messages, calls and settings in one line each.

use std::fmt::Write;

use offhook_call::Registration;
use offhook_model::{Call, CallState, Dnd, Forward, PhoneState, WatchedLine};

use crate::stage::header;

/// Headers that are told.
const SHOWN: &[&str] = &[
    "Refer-To",
    "Replaces",
    "Join",
    "Referred-By",
    "Subscription-State",
    "Event",
    "RAck",
    "Warning",
    "Retry-After",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Authorization",
    "Proxy-Authorization",
    "RTP-RxStat",
];

/// Headers that are told of what comes here; ours stand in every message.
const TOLD: &[&str] =
    &["Remote-Party-ID", "Session-Expires", "Require", "Reason", "Answer-Mode", "Info-Package"];

/// What is told of bodies: a mark, and the word before what follows it.
const BODIES: &[(&str, &str)] = &[
    ("softkeyevent>", "button "),
    ("tonetype>", "tone "),
    ("statustext>", "display "),
    ("dialstring>", "dial "),
    ("mwi>", "lamp "),
    ("rpid:", "says "),
];

/// The registration in words.
pub fn registered(registration: &Registration) -> String {
    match registration {
        Registration::Trying(server) => format!("registering at {}", server.host),
        Registration::Ready { server, .. } => format!("registered at {}", server.host),
        Registration::Failed { server, fault, retry_in } => {
            let again = match retry_in {
                Some(wait) => format!("again in {:.0} s", wait.as_secs_f64()),
                None => "not tried again by itself".to_owned(),
            };
            format!("not registered at {}: {fault:?}, {again}", server.host)
        }
        Registration::Gone => "signed off".to_owned(),
    }
}

/// What the phone shows beside its calls, a line each.
pub fn told(state: &PhoneState) -> Vec<String> {
    let mut out = vec![];
    if let Some(forward) = &state.forward {
        out.push(match forward {
            Forward::To(to) => format!("all calls go to {to}"),
            Forward::Voicemail => "all calls go to voicemail".to_owned(),
        });
    }
    if let Some(dnd) = state.dnd {
        out.push(match dnd {
            Dnd::RingerOff => "do not disturb, without ringing".to_owned(),
            Dnd::Reject => "do not disturb, refusing".to_owned(),
        });
    }
    if state.messages.waiting {
        let new = state.messages.new.map_or_else(String::new, |new| format!(" ({new} new)"));
        out.push(format!("messages wait{new}"));
    }
    if state.reduced {
        out.push("reduced: calls, hold and resume only".to_owned());
    }
    out.extend(state.elsewhere.iter().map(|words| format!("take over? {words}")));
    out.extend(state.parked.iter().map(|one| format!("{} waits at {}", one.who, one.at)));
    let line = |line: &WatchedLine| format!("lamp of {}: {:?}", line.number, line.state);
    out.extend(state.lines.iter().map(line));
    out.extend(
        state.asked.iter().map(|one| format!("asked: {} wants you to call {}", one.by, one.to)),
    );
    out.extend(state.status.iter().map(|text| format!("display: {text}")));
    out.extend(state.trouble.iter().map(|trouble| trouble.cause.clone()));
    out
}

/// A message in one line.
pub fn summary(message: &str, came: bool) -> String {
    let first = message.lines().next().unwrap_or("");
    let (head, body) = message.split_once("\r\n\r\n").unwrap_or((message, ""));
    let mut out = match first.strip_prefix("SIP/2.0 ") {
        Some(status) => {
            let method = header(message, "CSeq").split(' ').nth(1).unwrap_or("");
            format!("{status} ({method})")
        }
        None => first.trim_end_matches(" SIP/2.0").to_owned(),
    };
    for direction in ["sendrecv", "sendonly", "recvonly", "inactive"] {
        if body.contains(&format!("a={direction}")) {
            out = format!("{out}, sound {direction}");
        }
    }
    let redirects = first.contains(" 302 ") || first.contains(" 301 ");
    let contact = ["Contact"].iter().filter(|_| redirects);
    let expires = ["Expires"].iter().filter(|_| first.starts_with("REGISTER"));
    let more = TOLD.iter().filter(|_| came);
    for name in SHOWN.iter().chain(more).chain(contact).chain(expires) {
        let prefix = format!("{name}: ");
        for value in head.lines().filter_map(|line| line.strip_prefix(&prefix)) {
            let value = value.split(";reason").next().unwrap_or(value);
            let value = match value.split_once("Replaces=") {
                Some((before, _)) => format!("{before}Replaces=…>"),
                None if value.starts_with("<cid:") => "<cid:…>".to_owned(),
                None if matches!(*name, "Replaces" | "Join") => "…".to_owned(),
                None if name.contains("Auth") => "Digest".to_owned(),
                None => value.to_owned(),
            };
            out = format!("{out}, {name}: {value}");
        }
    }
    for (mark, word) in BODIES {
        if let Some((_, rest)) = body.split_once(&format!("<{mark}")) {
            out = format!("{out}, {word}{}", rest.split('<').next().unwrap_or(""));
        }
    }
    if let Some(line) = body.lines().next().filter(|line| line.starts_with("SIP/2.0 ")) {
        out = format!("{out}, \"{line}\"");
    }
    out
}

/// A call as the window shows it.
pub fn shown(call: &Call) -> String {
    let who = call.name.clone().unwrap_or_else(|| call.remote.clone());
    let mut out = format!("{} {who}: {}", call.id, state(call));
    if let Some(conference) = &call.conference {
        let people: Vec<&str> = conference.people.iter().map(|one| one.name.as_str()).collect();
        let place = if conference.local { "mixed here" } else { "at the bridge" };
        let _ = write!(out, ", conference {place} ({})", people.join(", "));
    }
    if call.preserved {
        out.push_str(", server gone");
    }
    if let Some(by) = &call.diverted_by {
        let _ = write!(out, ", diverted by {by}");
    }
    if let Some(at) = &call.parked_at {
        let _ = write!(out, ", parked at {at}");
    }
    if let Some(silence) = &call.silence {
        let repair = silence.repair.map(|repair| format!(" ({repair:?})").to_lowercase());
        let _ = write!(out, ". {}{}", silence.problem.cause, repair.unwrap_or_default());
    }
    if let Some(trouble) = &call.trouble {
        let _ = write!(out, ". {}", trouble.cause);
    }
    out
}

fn state(call: &Call) -> String {
    match (call.state, &call.end) {
        (CallState::Ended, Some(end)) => {
            let status = end.sip_status.map_or_else(String::new, |status| format!(" ({status})"));
            let problem = end.problem.as_ref().map_or("", |problem| problem.cause.as_str());
            let problem = if problem.is_empty() { String::new() } else { format!(". {problem}") };
            format!("over, {}{status}{problem}", end.cause)
        }
        (CallState::Dialing, _) => "dialling".into(),
        (CallState::Ringing, _) => "rings there".into(),
        (CallState::Incoming, _) => "rings here".into(),
        (CallState::Early, _) => "sound before the answer".into(),
        (CallState::Connected, _) => "talking".into(),
        (CallState::Held, _) => "on hold".into(),
        (CallState::RemoteHeld, _) => "they hold you".into(),
        (CallState::Transferring, _) => "being transferred".into(),
        (CallState::Ended, None) => "over".into(),
    }
}
