//! The habits of a CSF device towards Communications Manager (reference sip-dialect.md). The
//! words of that dialect stand here and nowhere else.

use crate::message::text::{quote, trim};
use crate::message::{Message, Name, Request, parts};

/// Options announced in REGISTER (reference sip-dialect.md section 2).
pub const SUPPORTED_REGISTER: &str = "replaces,join,sdp-anat,norefersub,resource-priority,\
extended-refer,X-cisco-callinfo,X-cisco-serviceuri,X-cisco-escapecodes,X-cisco-service-control,\
X-cisco-srtp-fallback,X-cisco-monrec,X-cisco-config,X-cisco-sis-7.0.0,X-cisco-sessionpersist,\
X-cisco-xsi-8.5.1,X-cisco-graceful-reg,X-cisco-duplicate-reg";

/// Options announced in calls: those of the vendor's client, whole, because servers look for them
/// (reference sip-dialect.md section 3), and behind them what we can do beyond that.
pub const SUPPORTED_CALL: &str = "replaces,join,sdp-anat,norefersub,resource-priority,\
extended-refer,X-cisco-callinfo,X-cisco-serviceuri,X-cisco-escapecodes,X-cisco-service-control,\
X-cisco-srtp-fallback,X-cisco-monrec,X-cisco-config,X-cisco-sis-7.0.0,X-cisco-xsi-8.5.1,100rel,\
timer";

/// Methods announced: those of the vendor's client without REGISTER, which a phone does not take,
/// and with PRACK, which we do.
pub const ALLOW: &str = "ACK,BYE,CANCEL,INVITE,NOTIFY,OPTIONS,PRACK,REFER,UPDATE,SUBSCRIBE,INFO";

/// The text of a 403 when the device is registered somewhere else.
pub const OTHER_CLIENT: &str = "Registration is active for another client";

const PART: &str = "application/x-cisco-remotecc-request+xml";

const BULK_REGISTER: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<x-cisco-remotecc-request>\
<bulkregisterreq><contact all=\"true\"><register/></contact></bulkregisterreq>\
</x-cisco-remotecc-request>\n";

const OPTIONS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<x-cisco-remotecc-request>\
<optionsind><combine max=\"6\"><remotecc><status/></remotecc><service-control/></combine>\
<dialog usage=\"hook status\"><unot/><sub/></dialog>\
<dialog usage=\"shared line\"><unot/><sub/></dialog>\
<presence usage=\"blf speed dial\"><unot/><sub/></presence>\
<joinreq/><cfwdall-anyline/><coaching/><oosalarm/><x-cisco-number/><bfcp/><ix/>\
<gatewayrecording/><conferenceDisplayInstance/></optionsind></x-cisco-remotecc-request>\n";

/// Parameters of the Contact of a registration that takes nothing from another client.
pub fn register_params(device: &str, model: u16) -> String {
    format!(
        ";+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-000000000000>\"\
         ;+u.sip!devicename.ccm.cisco.com={};+u.sip!model.ccm.cisco.com=\"{model}\"",
        quote(device)
    )
}

/// Parameters of the Contact in a call.
pub fn call_params(device: &str) -> String {
    format!(";+u.sip!devicename.ccm.cisco.com={}", quote(device))
}

/// Adds what a first REGISTER says beyond the standard: the alarm and the two bodies.
pub fn dress_register(request: &mut Request, device: &str, product: &str) {
    let alarm =
        format!("cisco-alarm:25 Name={device} ActiveLoad={product} InactiveLoad= Last=initialized");
    request.push(Name::Reason, format_args!("SIP;cause=200;text={}", quote(&alarm)));
    request.push(Name::MimeVersion, "1.0");
    let mut body = String::new();
    for part in [BULK_REGISTER, OPTIONS] {
        body.push_str(&format!(
            "--uniqueBoundary\r\nContent-Type: {PART}\r\nContent-Disposition: session;handling=optional\r\n\r\n{part}\r\n"
        ));
    }
    body.push_str("--uniqueBoundary--\r\n");
    request.body("multipart/mixed; boundary=uniqueBoundary", body);
}

/// Remote-Party-ID of ours: `party` is `calling` in requests and `called` in responses to the
/// INVITE that made the call.
pub fn remote_party(name: &str, user: &str, host: &str, party: &str) -> String {
    format!(
        "{} <sip:{}@{host}>;party={party};id-type=subscriber;privacy=off;screen=yes",
        quote(name),
        crate::message::uri::escape_user(user)
    )
}

/// A display text with the phrases that servers write as escape codes, and without control
/// characters; nothing when nothing is left. Codes that are not known are left out (reference
/// sip-dialect.md section 3).
pub fn clean_display(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\u{80}' {
            match chars.next() {
                Some('4') => out.push_str("Conference"),
                Some('5') => out.push_str("Park"),
                Some('!') => out.push_str("Call park at"),
                Some(_) | None => {}
            }
        } else if !c.is_control() {
            out.push(c);
        }
    }
    let out = out.trim();
    (!out.is_empty()).then(|| out.to_owned())
}

/// Whether messages wait, if this message says so: a `bulkupdate` from Communications Manager
/// (reference sip-dialect.md section 6) or a message summary (RFC 3842).
pub fn messages_waiting(message: &Message) -> Option<bool> {
    let parts = parts(message.header(Name::ContentType).unwrap_or(""), message.body());
    parts.iter().find_map(|part| {
        let text = String::from_utf8_lossy(part.body);
        match part.media_type.as_str() {
            PART => lamp(&text),
            "application/simple-message-summary" => summary(&text),
            _ => None,
        }
    })
}

fn lamp(text: &str) -> Option<bool> {
    let mut seen = None;
    for value in text.split("<mwi>").skip(1) {
        let on = trim(value.split('<').next().unwrap_or("")).eq_ignore_ascii_case("yes");
        seen = Some(seen.unwrap_or(false) || on);
    }
    seen.filter(|_| text.contains("<bulkupdate"))
}

fn summary(text: &str) -> Option<bool> {
    let line = |line: &str| -> Option<bool> {
        let (name, value) = line.split_once(':')?;
        trim(name)
            .eq_ignore_ascii_case("messages-waiting")
            .then(|| trim(value).eq_ignore_ascii_case("yes"))
    };
    text.lines().find_map(line)
}

/// The Call-ID of ours that a service-control NOTIFY is about: the only proof that it comes from
/// the server we registered with.
pub fn register_call_id(body: &str) -> Option<&str> {
    let value = body.lines().find_map(|line| trim(line).strip_prefix("RegisterCallId="))?;
    Some(trim(value).trim_start_matches('{').trim_end_matches('}'))
}

#[cfg(test)]
mod tests {
    use super::{clean_display, messages_waiting, register_call_id};
    use crate::message::parse;

    fn check(content_type: &str, body: &str, waiting: Option<bool>) {
        let text = format!(
            "NOTIFY sip:a SIP/2.0\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        assert_eq!(messages_waiting(&parse(text.as_bytes()).expect("valid")), waiting, "{body}");
    }

    #[test]
    fn the_lamp_is_found_in_both_forms() {
        check("application/simple-message-summary", "Messages-Waiting: yes\r\n", Some(true));
        check("application/simple-message-summary", "messages-waiting : no\r\n", Some(false));
        let bulk = |all, line| {
            format!(
                "--b\r\nContent-Type: application/x-cisco-remotecc-request+xml\r\n\r\n<x><bulkupdate><contact all=\"true\"><mwi>{all}</mwi></contact><contact line=\"1\"><mwi>{line}</mwi></contact></bulkupdate></x>\r\n--b--\r\n"
            )
        };
        check("multipart/mixed; boundary=b", &bulk("no", "yes"), Some(true));
        check("multipart/mixed; boundary=b", &bulk("no", "no"), Some(false));
        check("text/plain", "Messages-Waiting: yes", None);
    }

    #[test]
    fn phrases_and_stamps() {
        assert_eq!(clean_display("\u{80}4").as_deref(), Some("Conference"));
        assert_eq!(clean_display("\u{80}! 1234").as_deref(), Some("Call park at 1234"));
        assert_eq!(clean_display("\u{80}"), None);
        assert_eq!(register_call_id("action=restart\r\nRegisterCallId={abc@x}\r\n"), Some("abc@x"));
    }
}
