//! What other lines do, as bodies of NOTIFY tell it: dialogs (RFC 4235) and presence (RFC 3863 with
//! the activities of RFC 4480). Only read here.

use std::collections::BTreeMap;

use offhook_model::LineState;

use crate::message::{Message, Name, parts};
use crate::xml::{self, Element};

/// Most dialogs of one line that are remembered.
const MAX_DIALOGS: usize = 32;

/// What is known of one line by its dialogs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dialogs {
    version: Option<u32>,
    /// By their ids; those that are over are not kept.
    states: BTreeMap<String, LineState>,
}

/// What a body says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// The line does this now.
    State(LineState),
    /// A part of the story is missing: the whole is to be asked for again.
    Gap,
}

/// What the message says of the line, and whose it is where that is named. Nothing when it says
/// nothing that can be read, or what is older than what is known.
pub(crate) fn read(message: &Message, known: &mut Dialogs) -> Option<(Option<String>, Told)> {
    parts(message.header(Name::ContentType).unwrap_or(""), message.body()).iter().find_map(|part| {
        let read: fn(&Element, &mut Dialogs) -> Option<Told> = match part.media_type.as_str() {
            "application/dialog-info+xml" => dialogs,
            "application/pidf+xml" | "application/cpim-pidf+xml" => presence,
            _ => return None,
        };
        let root = xml::parse(part.body)?;
        let entity = root.attribute("entity").map(str::to_owned);
        Some((entity, read(&root, known)?))
    })
}

fn dialogs(root: &Element, known: &mut Dialogs) -> Option<Told> {
    if !root.is("dialog-info") {
        return None;
    }
    let version: Option<u32> = root.attribute("version").and_then(|text| text.parse().ok());
    let partial = root.attribute("state").is_some_and(|text| text.eq_ignore_ascii_case("partial"));
    // RFC 4235 section 4.3; servers that do not count send the same number again.
    if let (Some(new), Some(old)) = (version, known.version) {
        if new < old {
            return None;
        }
        if partial && new > old.saturating_add(1) {
            return Some(Told::Gap);
        }
    }
    known.version = version.or(known.version);
    if !partial {
        known.states.clear();
    }
    for (index, dialog) in root.all("dialog").enumerate().take(MAX_DIALOGS) {
        let id = dialog.attribute("id").map_or_else(|| index.to_string(), str::to_owned);
        match state(dialog) {
            LineState::Idle => {
                known.states.remove(&id);
            }
            state if known.states.len() < MAX_DIALOGS => {
                known.states.insert(id, state);
            }
            _ => {}
        }
    }
    let all = || known.states.values();
    Some(Told::State(if all().any(|state| *state == LineState::Busy) {
        LineState::Busy
    } else if all().next().is_some() {
        LineState::Ringing
    } else {
        LineState::Idle
    }))
}

/// Who calls is busy before anybody answers; who is called rings.
fn state(dialog: &Element) -> LineState {
    let caller =
        dialog.attribute("direction").is_some_and(|text| text.eq_ignore_ascii_case("initiator"));
    match dialog.value_of("state").unwrap_or("").to_ascii_lowercase().as_str() {
        "confirmed" => LineState::Busy,
        "trying" | "proceeding" | "early" if caller => LineState::Busy,
        "trying" | "proceeding" | "early" => LineState::Ringing,
        _ => LineState::Idle,
    }
}

/// Of presence only that of a telephone counts: `on-the-phone` and, from call managers, `alerting`
/// [I]. Who is not there at all may be anything.
fn presence(root: &Element, _known: &mut Dialogs) -> Option<Told> {
    if !root.is("presence") {
        return None;
    }
    let open = root
        .find("basic")
        .and_then(Element::value)
        .is_some_and(|basic| basic.eq_ignore_ascii_case("open"));
    let activity =
        |name: &str| root.find("activities").is_some_and(|all| all.child(name).is_some());
    let state = if activity("on-the-phone") {
        LineState::Busy
    } else if activity("alerting") {
        LineState::Ringing
    } else if open {
        LineState::Idle
    } else {
        LineState::Unknown
    };
    Some(Told::State(state))
}

#[cfg(test)]
mod tests {
    use offhook_model::LineState;

    use super::{Dialogs, Told, read};
    use crate::message::parse;

    fn tell(kind: &str, body: &str, known: &mut Dialogs) -> Option<Told> {
        let length = body.len();
        let text = format!(
            "NOTIFY sip:a SIP/2.0\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        read(&parse(text.as_bytes()).expect("valid"), known).map(|(_, told)| told)
    }

    fn info(version: u32, state: &str, dialogs: &[(&str, &str, &str)]) -> String {
        let dialogs: String = dialogs
            .iter()
            .map(|(id, direction, state)| {
                format!(
                    "<dialog id=\"{id}\" direction=\"{direction}\"><state>{state}</state></dialog>"
                )
            })
            .collect();
        format!(
            "<?xml version=\"1.0\"?><dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" \
             version=\"{version}\" state=\"{state}\" entity=\"sip:bob@x\">{dialogs}</dialog-info>"
        )
    }

    #[test]
    fn dialogs_make_a_lamp() {
        let mut known = Dialogs::default();
        let mut check = |body: &str, expected: Option<LineState>| {
            let told = tell("application/dialog-info+xml", body, &mut known);
            assert_eq!(told, expected.map(Told::State), "{body}");
        };
        use LineState::{Busy, Idle, Ringing};
        check(&info(0, "full", &[]), Some(Idle));
        check(&info(1, "full", &[("a", "recipient", "early")]), Some(Ringing));
        check(&info(2, "partial", &[("b", "initiator", "trying")]), Some(Busy));
        check(&info(3, "partial", &[("b", "initiator", "terminated")]), Some(Ringing));
        check(&info(2, "partial", &[("a", "recipient", "confirmed")]), None);
        check(&info(4, "partial", &[("a", "recipient", "confirmed")]), Some(Busy));
        check(&info(5, "full", &[]), Some(Idle));
        check("<other/>", None);
        check("<dialog-info", None);
    }

    #[test]
    fn a_part_that_is_missing_is_noticed() {
        let mut known = Dialogs::default();
        let kind = "application/dialog-info+xml";
        tell(kind, &info(0, "full", &[]), &mut known);
        assert_eq!(tell(kind, &info(2, "partial", &[]), &mut known), Some(Told::Gap));
    }

    #[test]
    fn presence_makes_a_lamp() {
        let check = |basic: &str, activity: &str, expected| {
            let body = format!(
                "<presence xmlns:r='urn:r' entity='sip:bob@x'><tuple id='1'><status><basic>{basic}\
                 </basic></status></tuple><dm:person><r:activities>{activity}</r:activities>\
                 </dm:person></presence>"
            );
            let told = tell("application/pidf+xml", &body, &mut Dialogs::default());
            assert_eq!(told, Some(Told::State(expected)));
        };
        check("open", "", LineState::Idle);
        check("open", "<r:on-the-phone/>", LineState::Busy);
        check("open", "<ce:alerting/>", LineState::Ringing);
        check("closed", "", LineState::Unknown);
    }

    #[test]
    fn a_flood_of_dialogs_is_bounded() {
        let many: Vec<String> = (0..200).map(|n| n.to_string()).collect();
        let dialogs: Vec<_> = many.iter().map(|id| (id.as_str(), "recipient", "early")).collect();
        let mut known = Dialogs::default();
        tell("application/dialog-info+xml", &info(0, "full", &dialogs), &mut known);
        assert!(known.states.len() <= 32);
    }
}
