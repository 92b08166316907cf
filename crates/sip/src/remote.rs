//! What a call manager tells and asks by the bodies of REFER and NOTIFY (reference sip-dialect.md
//! section 6), and message summaries (RFC 3842). Only read here: whether to believe it is the user
//! agent's to say.

use offhook_model::{Dnd, Forward, MessagesWaiting};

use crate::cucm::clean_display;
use crate::message::text::trim;
use crate::message::{Message, Name, parts};
use crate::xml::{self, Element};

/// Most wishes read from one message.
const MAX_WISHES: usize = 32;
/// Longest text taken over, in characters.
const MAX_TEXT: usize = 200;
/// Our line: the only one this program registers by name.
const LINE: &str = "1";

/// One wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// `cfwdallupdate`.
    Forward(Option<Forward>),
    /// `dndupdate`.
    DoNotDisturb(Option<Dnd>),
    /// `bulkupdate` with lamps, or a message summary.
    Messages(MessagesWaiting),
    /// `playtonereq`: the vendor's name of the tone.
    Tone(String),
    /// `statuslineupdatereq`.
    Status { text: String, seconds: Option<u32> },
    /// `answercallreq`.
    Answer(DialogId),
    /// `initiatecallreq`: a dial string as it stands there.
    Dial(String),
    /// Service control.
    Service(Service),
    /// `response` to a request of ours: its code and words.
    Response { code: u16, text: String },
    /// `notifyreq`: how a feature that takes longer ended.
    Feature { name: String, complete: bool },
    /// Taken, and nothing follows from it: privacy, hunt group log-in, data for a display.
    Taken,
}

/// A dialog as the call manager names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DialogId {
    pub call_id: String,
    pub local_tag: String,
    pub remote_tag: String,
}

/// A service-control body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Service {
    /// `restart`, `reset`, `check-version` and the like, in small letters.
    pub action: String,
    /// The Call-ID of our REGISTER: the only proof that it comes from the server we registered with.
    pub register_call_id: Option<String>,
    /// `ConfigVersionStamp`, without braces.
    pub stamp: Option<String>,
}

impl Service {
    /// Whether the device file that has this stamp is out of date. All zeros mean that it is
    /// (reference sip-dialect.md section 6); without a stamp on both sides nobody knows.
    pub fn is_news(&self, ours: Option<&str>) -> bool {
        let Some(theirs) = self.stamp.as_deref().filter(|stamp| !stamp.is_empty()) else {
            return false;
        };
        if theirs.bytes().all(|byte| byte == b'0' || byte == b'-') {
            return true;
        }
        ours.is_some_and(|ours| !trim(ours).trim_matches(['{', '}']).eq_ignore_ascii_case(theirs))
    }
}

/// All wishes of a message, in order, at most 32. Parts that cannot be read are left out.
pub(crate) fn wishes(message: &Message) -> Vec<Wish> {
    let mut found = vec![];
    for part in parts(message.header(Name::ContentType).unwrap_or(""), message.body()) {
        match part.media_type.as_str() {
            "application/x-cisco-remotecc-request+xml"
            | "application/x-cisco-remotecc-response+xml" => {
                let Some(root) = xml::parse(part.body) else { continue };
                found.extend(of_root(&root));
            }
            "application/simple-message-summary" => {
                found.extend(summary(&String::from_utf8_lossy(part.body)).map(Wish::Messages));
            }
            "text/plain" => {
                found.extend(service(&String::from_utf8_lossy(part.body)).map(Wish::Service));
            }
            _ => {}
        }
    }
    found.truncate(MAX_WISHES);
    found
}

fn of_root(root: &Element) -> Vec<Wish> {
    // Some bodies have `combine` or `notify_display` around what they want [I].
    let inside = match root.child("combine") {
        Some(combine) => &combine.children,
        None => &root.children,
    };
    inside.iter().take(MAX_WISHES).filter_map(wish).collect()
}

fn wish(element: &Element) -> Option<Wish> {
    match element.name.to_ascii_lowercase().as_str() {
        "cfwdallupdate" => forward(element),
        "dndupdate" => Some(Wish::DoNotDisturb(dnd(element))),
        "bulkupdate" => lamps(element),
        "playtonereq" => Some(Wish::Tone(short(element.value_of("tonetype")?))),
        "statuslineupdatereq" => status(element),
        "answercallreq" => Some(Wish::Answer(dialog(element.child("dialogid")?))),
        "initiatecallreq" => Some(Wish::Dial(short(element.value_of("dialstring")?))),
        "response" => Some(Wish::Response {
            code: element.value_of("code").and_then(|code| code.parse().ok()).unwrap_or(500),
            text: element.value_of("reason").and_then(clean_display).unwrap_or_default(),
        }),
        "notifyreq" => Some(Wish::Feature {
            name: short(element.value_of("feature")?),
            complete: element
                .value_of("status")
                .is_some_and(|status| status.eq_ignore_ascii_case("complete")),
        }),
        "privacyreq" | "hlogupdate" | "datapassthroughreq" => Some(Wish::Taken),
        _ => None,
    }
}

/// An update without a line number is about the line there is [I].
fn forward(element: &Element) -> Option<Wish> {
    if element.value_of("linenumber").is_some_and(|line| line != LINE) {
        return None;
    }
    let on = |name: &str| element.value_of(name).is_some_and(is_on);
    if on("tovoicemail") {
        return Some(Wish::Forward(Some(Forward::Voicemail)));
    }
    let to = element.value_of("fwdaddress").and_then(|text| text.parse().ok());
    Some(Wish::Forward(to.map(Forward::To)))
}

fn dnd(element: &Element) -> Option<Dnd> {
    let on = element.value_of("state").is_some_and(|state| state.eq_ignore_ascii_case("enable"));
    let option = element.value_of("option").unwrap_or("");
    // Anything but a refusal rings off: what is not understood must not lose calls.
    let how = if option.eq_ignore_ascii_case("callreject") { Dnd::Reject } else { Dnd::RingerOff };
    on.then_some(how)
}

/// The line's own lamp counts before that of all lines.
fn lamps(element: &Element) -> Option<Wish> {
    let lamp = |contact: &Element| contact.value_of("mwi").map(is_on);
    let ours = element.all("contact").find(|c| c.attribute("line") == Some(LINE)).and_then(lamp);
    let waiting = ours.or_else(|| element.all("contact").find_map(lamp))?;
    Some(Wish::Messages(MessagesWaiting { waiting, new: None, old: None }))
}

fn status(element: &Element) -> Option<Wish> {
    let text = clean_display(element.value_of("statustext")?)?;
    let seconds = element.value_of("displaytimeout").and_then(|text| text.parse().ok());
    Some(Wish::Status { text: short(&text), seconds: seconds.filter(|seconds| *seconds > 0) })
}

pub(crate) fn dialog(element: &Element) -> DialogId {
    let text = |name: &str| element.value_of(name).unwrap_or("").to_owned();
    DialogId { call_id: text("callid"), local_tag: text("localtag"), remote_tag: text("remotetag") }
}

fn is_on(text: &str) -> bool {
    ["yes", "on", "true", "1"].iter().any(|on| text.eq_ignore_ascii_case(on))
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect()
}

/// A message summary; the figures are those of voice messages.
fn summary(text: &str) -> Option<MessagesWaiting> {
    let value = |wanted: &str| {
        text.lines()
            .filter_map(|line| line.split_once(':'))
            .find_map(|(name, value)| trim(name).eq_ignore_ascii_case(wanted).then(|| trim(value)))
    };
    let waiting = value("messages-waiting")?.eq_ignore_ascii_case("yes");
    // `new/old (urgent new/urgent old)`
    let figures = value("voice-message").and_then(|value| {
        let plain = value.split('(').next()?;
        let (new, old) = plain.split_once('/')?;
        Some((trim(new).parse().ok()?, trim(old).parse().ok()?))
    });
    let (new, old) = figures.unzip();
    Some(MessagesWaiting { waiting, new, old })
}

fn service(text: &str) -> Option<Service> {
    let value = |wanted: &str| {
        text.lines().filter_map(|line| line.split_once('=')).find_map(|(name, value)| {
            let value = trim(value).trim_start_matches('{').trim_end_matches('}');
            trim(name).eq_ignore_ascii_case(wanted).then(|| value.to_owned())
        })
    };
    Some(Service {
        action: value("action")?.to_ascii_lowercase(),
        register_call_id: value("RegisterCallId"),
        stamp: value("ConfigVersionStamp"),
    })
}

#[cfg(test)]
mod tests {
    use offhook_model::{DialString, Dnd, Forward, MessagesWaiting};

    use super::{DialogId, Service, Wish, wishes};
    use crate::message::parse;

    fn read(content_type: &str, body: &str) -> Vec<Wish> {
        let length = body.len();
        let text = format!(
            "NOTIFY sip:a SIP/2.0\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        wishes(&parse(text.as_bytes()).expect("valid"))
    }

    #[track_caller]
    fn check(body: &str, expected: &[Wish]) {
        let body = format!("<x-cisco-remotecc-request>{body}</x-cisco-remotecc-request>");
        assert_eq!(read("application/x-cisco-remotecc-request+xml", &body), expected, "{body}");
    }

    #[test]
    fn forwarding_is_that_of_our_line() {
        let to = |text: &str| Some(Forward::To(DialString::Number(text.into())));
        let update = |line: &str, to: &str, mail: &str| {
            format!(
                "<cfwdallupdate><linenumber>{line}</linenumber><fwdaddress>{to}</fwdaddress>\
                 <tovoicemail>{mail}</tovoicemail></cfwdallupdate>"
            )
        };
        check(&update("1", "2002", "off"), &[Wish::Forward(to("2002"))]);
        check(&update("1", "2002", "on"), &[Wish::Forward(Some(Forward::Voicemail))]);
        check(&update("", "", "off"), &[Wish::Forward(None)]);
        check(&update("2", "2002", "off"), &[]);
    }

    #[test]
    fn do_not_disturb_has_two_forms() {
        let update = |s: &str, o: &str| {
            format!("<dndupdate><state>{s}</state><option>{o}</option></dndupdate>")
        };
        check(&update("enable", "callreject"), &[Wish::DoNotDisturb(Some(Dnd::Reject))]);
        check(&update("enable", "ringeroff"), &[Wish::DoNotDisturb(Some(Dnd::RingerOff))]);
        check(&update("disable", "ringeroff"), &[Wish::DoNotDisturb(None)]);
    }

    #[test]
    fn the_lamp_is_found_in_both_forms() {
        let bulk = |all: &str, line: &str| {
            format!(
                "--b\r\nContent-Type: application/x-cisco-remotecc-request+xml\r\n\r\n<x><bulkupdate>\
                 <contact all=\"true\"><mwi>{all}</mwi></contact><contact line=\"1\"><mwi>{line}</mwi>\
                 </contact></bulkupdate></x>\r\n--b--\r\n"
            )
        };
        let lamp =
            |waiting| vec![Wish::Messages(MessagesWaiting { waiting, new: None, old: None })];
        assert_eq!(read("multipart/mixed; boundary=b", &bulk("no", "yes")), lamp(true));
        assert_eq!(read("multipart/mixed; boundary=b", &bulk("no", "no")), lamp(false));
        let kind = "application/simple-message-summary";
        assert_eq!(read(kind, "messages-waiting : no\r\n"), lamp(false));
        let figures = MessagesWaiting { waiting: true, new: Some(2), old: Some(8) };
        assert_eq!(
            read(kind, "Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n"),
            [Wish::Messages(figures)]
        );
        assert_eq!(read("text/plain", "Messages-Waiting: yes"), []);
    }

    #[test]
    fn other_requests() {
        check(
            "<playtonereq><tonetype>DtReorderTone</tonetype><direction>all</direction></playtonereq>",
            &[Wish::Tone("DtReorderTone".into())],
        );
        check(
            "<statuslineupdatereq><action>notify_display</action><statustext>\u{80}! 7001</statustext>\
             <displaytimeout>10</displaytimeout></statuslineupdatereq>",
            &[Wish::Status { text: "Call park at 7001".into(), seconds: Some(10) }],
        );
        let id =
            DialogId { call_id: "c@x".into(), local_tag: "l".into(), remote_tag: String::new() };
        check(
            "<answercallreq><dialogid><callid>c@x</callid><localtag>l</localtag><remotetag/>\
             </dialogid></answercallreq>",
            &[Wish::Answer(id)],
        );
        check(
            "<initiatecallreq><dialstring>+49 30 1</dialstring></initiatecallreq>",
            &[Wish::Dial("+49 30 1".into())],
        );
        check("<privacyreq><status>true</status></privacyreq><unknown/>", &[Wish::Taken]);
        check(
            "<response><code>500</code></response>",
            &[Wish::Response { code: 500, text: String::new() }],
        );
    }

    #[test]
    fn stamps_tell_whether_the_file_is_old() {
        let text = "action=Check-Version\r\nRegisterCallId={abc@x}\r\nConfigVersionStamp={1-a}\r\n";
        let found = read("text/plain", text);
        let [Wish::Service(service)] = &found[..] else { panic!("{found:?}") };
        assert_eq!(service.action, "check-version");
        assert_eq!(service.register_call_id.as_deref(), Some("abc@x"));
        assert!(service.is_news(Some("2-b")) && !service.is_news(Some("{1-A}")));
        assert!(!service.is_news(None), "nobody knows");
        let zeros = Service { stamp: Some("0000-00".into()), ..Service::default() };
        assert!(zeros.is_news(None));
    }
}
