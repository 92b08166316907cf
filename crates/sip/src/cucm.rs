//! The habits of a CSF device towards Communications Manager (reference sip-dialect.md). The
//! words of that dialect stand here and nowhere else.

use std::fmt::Write as _;

use offhook_ports::{Figures, Opinion};

use crate::message::text::{Params, quote};
use crate::message::{Message, Method, Name, Request};
use crate::remote::DialogId;
use crate::xml::escape;

/// Options announced in REGISTER (reference sip-dialect.md section 2).
pub const SUPPORTED_REGISTER: &str = "replaces,join,sdp-anat,norefersub,resource-priority,\
extended-refer,X-cisco-callinfo,X-cisco-serviceuri,X-cisco-escapecodes,X-cisco-service-control,\
X-cisco-srtp-fallback,X-cisco-monrec,X-cisco-config,X-cisco-sis-7.0.0,X-cisco-sessionpersist,\
X-cisco-xsi-8.5.1,X-cisco-graceful-reg,X-cisco-duplicate-reg";

/// Options announced in calls: those of the vendor's client, because servers look for them (reference
/// sip-dialect.md section 3), without sdp-anat, which we cannot, and with what we can beyond that.
pub const SUPPORTED_CALL: &str = "replaces,join,norefersub,resource-priority,\
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

/// Why a phone registers anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// It was started.
    Initialized,
    /// It takes the device from another client.
    Taking,
}

/// The instance of a registration that takes nothing from another client.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// Parameters of the Contact of a registration. An `instance` (a UUID) takes the device from
/// another client.
pub fn register_params(device: &str, model: u16, instance: Option<&str>) -> String {
    let instance = instance.unwrap_or(NOBODY);
    format!(
        ";+sip.instance=\"<urn:uuid:{instance}>\"\
         ;+u.sip!devicename.ccm.cisco.com={};+u.sip!model.ccm.cisco.com=\"{model}\"",
        quote(device)
    )
}

/// Parameters of the Contact in a call.
pub fn call_params(device: &str) -> String {
    format!(";+u.sip!devicename.ccm.cisco.com={}", quote(device))
}

/// Adds what a first REGISTER says beyond the standard: the alarm and the two bodies.
pub fn dress_register(request: &mut Request, device: &str, product: &str, alarm: Alarm) {
    let (number, last) = match alarm {
        Alarm::Initialized => (25, "initialized"),
        Alarm::Taking => (111, "Application-Requested-Destroy"),
    };
    let alarm = format!(
        "cisco-alarm:{number} Name={device} ActiveLoad={product} InactiveLoad= Last={last}"
    );
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

/// The press of a button in a call (`softkeyeventmsg`); `consult` is the call it is to be put
/// together with.
pub(crate) fn soft_key(name: &str, call: &DialogId, consult: Option<&DialogId>) -> String {
    let dialog = |tag: &str, id: Option<&DialogId>| {
        let empty = DialogId::default();
        let id = id.unwrap_or(&empty);
        let [call_id, local, remote] =
            [&id.call_id, &id.local_tag, &id.remote_tag].map(|text| escape(text));
        format!(
            "<{tag}><callid>{call_id}</callid><localtag>{local}</localtag>\
             <remotetag>{remote}</remotetag></{tag}>"
        )
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<x-cisco-remotecc-request><softkeyeventmsg>\
         <softkeyevent>{name}</softkeyevent>{}<linenumber>0</linenumber>\
         <participantnum>0</participantnum>{}<state>false</state>{}\
         <eventdata><invocationtype>explicit</invocationtype></eventdata>\
         <userdata></userdata><softkeyid>0</softkeyid><applicationid>0</applicationid>\
         </softkeyeventmsg></x-cisco-remotecc-request>\n",
        dialog("dialogid", Some(call)),
        dialog("consultdialogid", consult),
        dialog("joindialogid", None),
    )
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

/// What came of a call's sound, as the value of `RTP-RxStat` (reference sip-dialect.md section 6). Names and
/// order are those of an example in the vendor's serviceability guide: listening quality at the end, on
/// average, at its worst and best, then the share of sound that was concealed. Shares of single
/// intervals and the version of the vendor's formula are left out: ours is estimated by ITU-T G.107. In
/// that example the jitter is a whole number, in the reference it has decimals; both mean milliseconds.
pub fn received(figures: &Figures) -> String {
    let jitter = figures.jitter.as_secs_f64() * 1_000.0;
    let Figures { late, lost, .. } = figures;
    let mut value = format!("{},LatePkt={late},LostPkt={lost},AvgJit={jitter:.2}", sent(figures));
    if let Some(opinion) = figures.opinion {
        let (due, missing) = figures.due;
        let concealed = missing as f64 / due.max(1) as f64;
        let Opinion { now, mean, least, most } = opinion;
        // Writing into a text does not fail.
        let _ = write!(
            value,
            ",VQMetrics=\"MLQK={:.4};MLQKav={:.4};MLQKmn={:.4};MLQKmx={:.4};CCR={concealed:.4}\"",
            now.value(),
            mean.value(),
            least.value(),
            most.value()
        );
    }
    value
}

/// What went of a call's sound, as the value of `RTP-TxStat`.
pub fn sent(figures: &Figures) -> String {
    format!("Dur={},Pkt={},Oct={}", figures.time.as_secs(), figures.packets, figures.bytes)
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

/// Whether the call manager says that all of the call's way is encrypted; nothing when it says
/// nothing (reference sip-dialect.md section 4).
pub fn encrypted(message: &Message) -> Option<bool> {
    message.tokens(Name::CallInfo).find_map(|value| {
        let value = value.to_ascii_lowercase();
        let (uri, params) = value.split_at(value.find('>')? + 1);
        let params = params.get(params.find(';')?..)?;
        let known = uri.contains("urn:x-cisco-remotecc:callinfo");
        let security = Params::new(params).get("security").map(str::to_owned);
        security.filter(|_| known).map(|security| security == "encrypted")
    })
}

/// Whether the name of the other side is the escape code for a conference; nothing when no name is
/// told (reference sip-dialect.md section 3).
pub fn names_conference(message: &Message) -> Option<bool> {
    let party = message.address(Name::RemotePartyId);
    let from = || message.party(Name::From).filter(|_| message.method() == Some(&Method::Invite));
    let name = party.or_else(from)?.name()?;
    Some(name.trim_start().starts_with("\u{80}4"))
}

#[cfg(test)]
mod tests {
    use super::clean_display;

    #[test]
    fn phrases_are_known_or_left_out() {
        assert_eq!(clean_display("\u{80}4").as_deref(), Some("Conference"));
        assert_eq!(clean_display("\u{80}! 1234").as_deref(), Some("Call park at 1234"));
        assert_eq!(clean_display("\u{80}"), None);
    }
}
