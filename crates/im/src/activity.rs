//! How composed states travel: words in the status, and the vendor's extension beside them
//! (reference im-presence.md section 4).

use offhook_model::{Activity, Availability};
use xmpp_parsers::minidom::Element;

use crate::stanza::element;

/// The vendor's extension. Its values are not public: ours are an addition to the words, and of
/// others' we read what we understand (reference, marked inferred).
const CUSTOM: &str = "http://webex.com/connect/customstatus";

/// Between the words of a state and the person's own note.
const THEN: &str = " - ";

/// The words of the vendor's servers and clients, lower case, with what they mean. The first of each
/// state is what we write.
const WORDS: [(&str, Activity); 8] = [
    ("On a call", Activity::OnCall),
    ("In a meeting", Activity::InMeeting),
    ("Presenting", Activity::Presenting),
    ("In a WebEx meeting", Activity::InMeeting),
    ("On the phone", Activity::OnCall),
    ("In a call", Activity::OnCall),
    ("In a conference call", Activity::OnCall),
    ("Sharing", Activity::Presenting),
];

fn words(activity: Activity) -> &'static str {
    match activity {
        Activity::OnCall => "On a call",
        Activity::InMeeting => "In a meeting",
        Activity::Presenting => "Presenting",
    }
}

/// The status text for a state and a note.
pub(crate) fn status(activity: Option<Activity>, note: Option<&str>) -> Option<String> {
    match (activity.map(words), note) {
        (Some(words), Some(note)) => Some(format!("{words}{THEN}{note}")),
        (words, note) => words.or(note).map(str::to_owned),
    }
}

/// The extension for a state.
pub(crate) fn extension(activity: Activity) -> Element {
    let var = match activity {
        Activity::OnCall => "on-call",
        Activity::InMeeting => "in-meeting",
        Activity::Presenting => "presenting",
    };
    element("x", CUSTOM, &[("var", var)])
}

/// What somebody's status text and extension say: the state, and the note without its words. Only a
/// person who is busy in some way has a state: "Presenting" of somebody available is a note.
pub(crate) fn read(
    availability: Availability,
    status: Option<String>,
    payloads: &[Element],
) -> (Option<Activity>, Option<String>) {
    if matches!(availability, Availability::Available | Availability::Offline) {
        return (None, status);
    }
    let told = status.as_deref().and_then(split);
    let custom = payloads.iter().find(|payload| payload.is("x", CUSTOM));
    let custom = custom.and_then(|x| x.attr("var")).and_then(named);
    match (told, custom) {
        (Some((activity, note)), custom) => (custom.or(Some(activity)), note.map(str::to_owned)),
        (None, custom) => (custom, status),
    }
}

/// A status text that is the words of a state, with or without a note.
fn split(status: &str) -> Option<(Activity, Option<&str>)> {
    let status = status.trim();
    WORDS.iter().find_map(|(words, activity)| {
        let begins = status.get(..words.len())?.eq_ignore_ascii_case(words);
        let rest = status.get(words.len()..).filter(|_| begins)?;
        match rest.strip_prefix(THEN) {
            Some(note) => Some((*activity, Some(note))),
            None => rest.is_empty().then_some((*activity, None)),
        }
    })
}

/// A value of the extension, however it is written: `on-call`, `OnACall`, `in_meeting`.
fn named(var: &str) -> Option<Activity> {
    let letters: String =
        var.chars().take(64).filter(char::is_ascii_alphabetic).collect::<String>();
    match letters.to_ascii_lowercase().as_str() {
        "oncall" | "onacall" | "onthephone" | "incall" | "call" => Some(Activity::OnCall),
        "inmeeting" | "inameeting" | "meeting" | "inawebexmeeting" | "inwebexmeeting" => {
            Some(Activity::InMeeting)
        }
        "presenting" | "sharing" => Some(Activity::Presenting),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use offhook_model::{Activity, Availability};
    use xmpp_parsers::minidom::Element;

    use super::{extension, read, status};

    #[test]
    fn what_we_write_is_read_as_it_was_meant() {
        for activity in [Activity::OnCall, Activity::InMeeting, Activity::Presenting] {
            for note in [None, Some("back at 5 - perhaps")] {
                let text = status(Some(activity), note);
                let want = (Some(activity), note.map(str::to_owned));
                // With the extension, and for whom it was lost on the way.
                assert_eq!(read(Availability::Away, text.clone(), &[extension(activity)]), want);
                assert_eq!(read(Availability::Dnd, text, &[]), want);
            }
        }
    }

    #[test]
    fn the_vendors_words_are_understood_and_others_are_notes() {
        let custom = |var: &str| -> Element {
            format!("<x xmlns='http://webex.com/connect/customstatus' var='{var}'/>")
                .parse()
                .expect("valid")
        };
        let activity = |text: &str, payloads: &[Element]| {
            read(Availability::Away, Some(text.to_owned()), payloads)
        };
        assert_eq!(activity("In a WebEx meeting", &[]), (Some(Activity::InMeeting), None));
        assert_eq!(activity("ON A CALL", &[]), (Some(Activity::OnCall), None));
        let note = |text: &str| (None, Some(text.to_owned()));
        for text in ["On a callback", "In a meeting of minds", "é", "", "On a cal"] {
            assert_eq!(activity(text, &[]), note(text), "{text}");
        }
        let (got, said) = activity("busy", &[custom("OnACall")]);
        assert_eq!((got, said.as_deref()), (Some(Activity::OnCall), Some("busy")));
        assert_eq!(activity("busy", &[custom("lunch")]), note("busy"));
        let free = read(Availability::Available, Some("Presenting".into()), &[]);
        assert_eq!(free, note("Presenting"));
    }
}
