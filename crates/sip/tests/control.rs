//! What a call manager tells and asks outside of calls, buttons, and lines that are watched.

mod support;

use offhook_model::{DialString, Dnd, Forward, LineState, Link, MessagesWaiting};
use offhook_ports::{PhoneAccount, PhoneUpkeep};
use offhook_sip::{Control, Event, SipCall, SoftKey};
use support::{SDP, Solo, account, body, cucm_account, header, response, secs};

const REMOTE: &str = "application/x-cisco-remotecc-request+xml";

fn number(text: &str) -> DialString {
    DialString::Number(text.into())
}

/// A request of the call manager with a body of this type.
fn ask(solo: &mut Solo, method: &str, call_id: &str, more: &str, kind: &str, content: &str) {
    let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
    solo.feed(&format!(
        "{method} sip:guid-1@10.0.0.1:40000 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.9:5060;branch=z9hG4bK{call_id}{}\r\n\
         From: <sip:10.0.0.9>;tag=m\r\nTo: <sip:2001@10.0.0.9>\r\nCall-ID: {call_id}\r\nCSeq: 101 {method}\r\n\
         Contact: <sip:10.0.0.9:5060>\r\n{more}{kind}Content-Length: {}\r\n\r\n{content}",
        content.len() + more.len(),
        content.len(),
    ));
}

fn refer(solo: &mut Solo, inner: &str) -> Vec<Event> {
    let body = format!("<x-cisco-remotecc-request>{inner}</x-cisco-remotecc-request>");
    let more = "Require: norefersub\r\nRefer-To: cid:a@b\r\nContent-Id: <a@b>\r\n";
    ask(solo, "REFER", "r", more, REMOTE, &body);
    solo.take("SIP/2.0 202");
    solo.take_events()
}

#[test]
fn the_state_after_a_registration_is_told() {
    let mut solo = Solo::registered(cucm_account());
    let part = |inner: &str| {
        format!(
            "--u\r\nContent-Type: {REMOTE}\r\n\r\n<x-cisco-remotecc-request>{inner}</x-cisco-remotecc-request>\r\n"
        )
    };
    let body = [
        part("<cfwdallupdate><linenumber>1</linenumber><fwdaddress>2003</fwdaddress><tovoicemail>off</tovoicemail></cfwdallupdate>"),
        part("<privacyreq><status>true</status></privacyreq>"),
        part("<bulkupdate><contact all=\"true\"><mwi>no</mwi></contact><contact line=\"1\"><mwi>yes</mwi></contact></bulkupdate>"),
        part("<dndupdate><state>enable</state><option>callreject</option></dndupdate>"),
        "--u\r\nContent-Type: text/plain\r\n\r\naction=check-version\r\nConfigVersionStamp={000}\r\n".into(),
        "--u--\r\n".into(),
    ]
    .concat();
    ask(&mut solo, "REFER", "s", "Refer-To: <cid:x@y>\r\n", "multipart/mixed;boundary=u", &body);
    solo.take("SIP/2.0 202");
    assert_eq!(
        solo.take_events(),
        [
            Event::Control(Control::Forward(Some(Forward::To(number("2003"))))),
            Event::MessageWaiting(MessagesWaiting { waiting: true, new: None, old: None }),
            Event::Control(Control::DoNotDisturb(Some(Dnd::Reject))),
            Event::Control(Control::Outdated),
        ]
    );
}

#[test]
fn a_call_can_be_made_and_answered_for_the_person() {
    let mut solo = Solo::registered(cucm_account());
    let dial = "<initiatecallreq><dialstring>2002</dialstring><linenumber>1</linenumber></initiatecallreq>";
    assert_eq!(refer(&mut solo, dial), [Event::Control(Control::Dial(number("2002")))]);
    ask(&mut solo, "INVITE", "in-1", "", "application/sdp", SDP);
    solo.ua.ring(SipCall(1), solo.now);
    solo.drain();
    let ringing = solo.take_all().pop().expect("180");
    solo.take_events();
    let ours = support::between(header(&ringing, "To").expect("to"), ";tag=", ';').to_owned();
    let answer = |local: &str| {
        format!(
            "<answercallreq><dialogid><callid>in-1</callid><localtag>{local}</localtag>\
             <remotetag>m</remotetag></dialogid></answercallreq>"
        )
    };
    let text = "<statuslineupdatereq><statustext>\u{80}! 7001</statustext></statuslineupdatereq>";
    assert!(
        refer(&mut Solo::registered(cucm_account()), &answer(&ours)).is_empty(),
        "no such call"
    );
    let more = "Refer-To: cid:a@b\r\n";
    let body = format!("<x>{}{text}</x>", answer(&ours));
    ask(&mut solo, "REFER", "other", more, REMOTE, &body);
    solo.take("SIP/2.0 202");
    let status = Control::Status { text: "Call park at 7001".into(), seconds: None };
    assert_eq!(
        solo.take_events(),
        [Event::Control(Control::Answer(SipCall(1))), Event::Control(status)]
    );
}

#[test]
fn a_standard_account_is_not_controlled() {
    let mut solo = Solo::registered(account("alice", Link::Tcp));
    let body = "<x><initiatecallreq><dialstring>2002</dialstring></initiatecallreq></x>";
    ask(&mut solo, "REFER", "r", "Refer-To: cid:a@b\r\n", REMOTE, body);
    assert!(!solo.take_all()[0].starts_with("SIP/2.0 2"));
    ask(&mut solo, "NOTIFY", "n", "Event: check-sync\r\n", "", "");
    assert!(solo.take_events().is_empty());
}

#[test]
fn service_control_needs_the_call_id_of_our_registration() {
    let mut account = cucm_account();
    account.upkeep.version_stamp = Some("17-a".into());
    let mut solo = Solo::new(account);
    solo.start();
    solo.open();
    let register = solo.sent[0].clone();
    solo.accept_register(120);
    solo.take_events();
    let id = header(&register, "Call-ID").expect("call-id").to_owned();
    let mut check = |id: &str,
                     action: &str,
                     stamp: &str,
                     status: &str,
                     expected: Option<Control>| {
        let text = format!(
            "action={action}\r\nRegisterCallId={{{id}}}\r\nConfigVersionStamp={{{stamp}}}\r\n"
        );
        ask(
            &mut solo,
            "NOTIFY",
            &format!("{action}{stamp}{}", id.len()),
            "Event: service-control\r\n",
            "text/plain",
            &text,
        );
        solo.take(&format!("SIP/2.0 {status}"));
        let events = solo.take_events();
        assert_eq!(events, expected.map(Event::Control).into_iter().collect::<Vec<_>>(), "{text}");
    };
    check(&id, "restart", "17-a", "200", Some(Control::Restart { reset: false }));
    check(&id, "reset", "17-a", "200", Some(Control::Restart { reset: true }));
    check(&id, "check-version", "17-a", "200", None);
    check(&id, "check-version", "18-b", "200", Some(Control::Outdated));
    check("somebody", "restart", "17-a", "400", None);
    check("", "restart", "17-a", "400", None);
}

/// A call of ours that is up; its number.
fn talking(solo: &mut Solo) -> (SipCall, String) {
    let call = solo.ua.invite(&number("2002"), SDP.into(), solo.now);
    solo.drain();
    let invite = solo.take("INVITE ");
    solo.feed(&response(&invite, "200 OK", "t&t", "Contact: <sip:10.0.0.9:5060>\r\n", SDP));
    solo.take("ACK ");
    solo.take_events();
    (call, invite)
}

fn press(solo: &mut Solo, call: SipCall, key: SoftKey) -> String {
    solo.ua.press(call, key, solo.now);
    solo.drain();
    let refer = solo.take("REFER sip:10.0.0.9 SIP/2.0");
    solo.feed(&response(&refer, "202 Accepted", "s", "", ""));
    refer
}

fn outcome(solo: &mut Solo, refer: &str, state: &str, content: &str) -> Vec<Event> {
    let tag = support::between(header(refer, "From").expect("from"), ";tag=", ';');
    let kind = if content.is_empty() {
        ""
    } else {
        "Content-Type: application/x-cisco-remotecc-response+xml\r\n"
    };
    solo.feed(&format!(
        "NOTIFY sip:guid-1@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.9;branch=z9hG4bKo{}\r\n\
         From: <sip:2001@10.0.0.9>;tag=s\r\nTo: <sip:2001@10.0.0.9>;tag={tag}\r\nCall-ID: {}\r\nCSeq: 1{} NOTIFY\r\n\
         Event: refer\r\nSubscription-State: {state}\r\n{kind}Content-Length: {}\r\n\r\n{content}",
        content.len(),
        header(refer, "Call-ID").expect("call-id"),
        content.len(),
        content.len()
    ));
    solo.take("SIP/2.0 200");
    solo.take_events()
}

#[test]
fn two_calls_are_made_one_conference_by_the_button() {
    let mut solo = Solo::registered(cucm_account());
    let ((a, first), (b, second)) = (talking(&mut solo), talking(&mut solo));
    let key = SoftKey::Conference(b);
    let refer = press(&mut solo, a, key);
    let pressed = body(&refer);
    for (tag, invite) in [("dialogid", &first), ("consultdialogid", &second)] {
        let from = support::between(header(invite, "From").expect("from"), ";tag=", ';');
        let id = header(invite, "Call-ID").expect("call-id");
        let dialog = format!(
            "<{tag}><callid>{id}</callid><localtag>{from}</localtag><remotetag>t&amp;t</remotetag></{tag}>"
        );
        assert!(pressed.contains(&dialog), "{pressed}");
    }
    assert!(pressed.contains("<softkeyevent>Conference</softkeyevent>"));
    assert!(outcome(&mut solo, &refer, "active;expires=10", "").is_empty());
    let done = "<x-cisco-remotecc-response><response><code>200</code></response></x-cisco-remotecc-response>";
    assert_eq!(
        outcome(&mut solo, &refer, "terminated;reason=noresource", done),
        [Event::SoftKey { call: a, key, outcome: Ok(()) }]
    );
}

#[test]
fn buttons_can_fail_or_stay_without_an_answer() {
    let mut solo = Solo::registered(cucm_account());
    let (call, _) = talking(&mut solo);
    let key = SoftKey::Park;
    let refer = press(&mut solo, call, key);
    let failed = "<x-cisco-remotecc-response><response><code>500</code></response></x-cisco-remotecc-response>";
    assert_eq!(
        outcome(&mut solo, &refer, "terminated;reason=noresource", failed),
        [Event::SoftKey { call, key, outcome: Err((500, String::new())) }]
    );
    press(&mut solo, call, key);
    solo.advance(secs(10));
    assert_eq!(solo.take_events(), [Event::SoftKey { call, key, outcome: Ok(()) }]);
    solo.ua.press(call, key, solo.now);
    solo.drain();
    let refer = solo.take("REFER ");
    solo.feed(&response(&refer, "403 Forbidden", "s", "", ""));
    assert!(matches!(&solo.take_events()[..], [Event::SoftKey { outcome: Err((403, _)), .. }]));
    solo.ua.press(SipCall(99), key, solo.now);
    solo.drain();
    assert!(matches!(&solo.take_events()[..], [Event::SoftKey { outcome: Err((481, _)), .. }]));
    let mut plain = Solo::registered(account("alice", Link::Tcp));
    plain.ua.press(SipCall(1), key, plain.now);
    plain.drain();
    assert!(matches!(&plain.take_events()[..], [Event::SoftKey { outcome: Err((501, _)), .. }]));
}

fn info(version: u32, state: &str) -> String {
    format!(
        "<dialog-info version=\"{version}\" state=\"full\" entity=\"sip:bob@example.test\">\
         <dialog id=\"1\" direction=\"recipient\"><state>{state}</state></dialog></dialog-info>"
    )
}

/// A NOTIFY of the subscription that this SUBSCRIBE made.
fn notify(solo: &mut Solo, subscribe: &str, cseq: u32, state: &str, kind: &str, content: &str) {
    let tag = support::between(header(subscribe, "From").expect("from"), ";tag=", ';').to_owned();
    let event = header(subscribe, "Event").expect("event").to_owned();
    let id = header(subscribe, "Call-ID").expect("call-id").to_owned();
    let more = format!("Event: {event}\r\nSubscription-State: {state}\r\nContent-Type: {kind}\r\n");
    let before = solo.sent.len();
    solo.request("NOTIFY", cseq, &id, ("p", &tag), &more, content);
    let answer = solo.sent.remove(before);
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
}

const DIALOGS: &str = "application/dialog-info+xml";

fn line(name: &str, state: LineState) -> Event {
    Event::Line { line: number(name), state }
}

#[test]
fn a_line_is_watched_renewed_and_left() {
    let mut solo = Solo::registered(account("alice", Link::Tcp));
    solo.ua.watch(&[number("bob")], solo.now);
    solo.drain();
    let subscribe = solo.take("SUBSCRIBE sip:bob@example.test SIP/2.0");
    assert_eq!(header(&subscribe, "Event"), Some("dialog"));
    assert_eq!(header(&subscribe, "Accept"), Some(DIALOGS));
    // The first word may come before the answer.
    notify(&mut solo, &subscribe, 1, "active;expires=600", DIALOGS, &info(0, "terminated"));
    assert_eq!(solo.take_events(), [line("bob", LineState::Idle)]);
    let contact = "Contact: <sip:10.0.0.9:5060>\r\nExpires: 600\r\n";
    solo.feed(&response(&subscribe, "200 OK", "p", contact, ""));
    notify(&mut solo, &subscribe, 2, "active", DIALOGS, &info(1, "early"));
    notify(&mut solo, &subscribe, 3, "active", DIALOGS, &info(2, "early"));
    assert_eq!(solo.take_events(), [line("bob", LineState::Ringing)], "told once");
    solo.advance(secs(571));
    let sent = solo.take_all();
    let again = sent.iter().find(|text| text.starts_with("SUBSCRIBE ")).expect("renewed");
    assert!(header(again, "To").is_some_and(|to| to.ends_with(";tag=p")));
    solo.feed(&response(again, "200 OK", "p", "Expires: 600\r\n", ""));
    solo.ua.watch(&[], solo.now);
    solo.drain();
    let last = solo.take("SUBSCRIBE ");
    assert_eq!(header(&last, "Expires"), Some("0"));
    solo.feed(&response(&last, "200 OK", "p", "", ""));
    solo.advance(secs(1200));
    assert!(!solo.take_all().iter().any(|text| text.starts_with("SUBSCRIBE")));
}

#[test]
fn an_ended_subscription_is_asked_for_again_as_its_reason_says() {
    let check = |reason: &str, again: Option<u64>| {
        let mut solo = Solo::registered(account("alice", Link::Udp));
        solo.ua.watch(&[number("bob")], solo.now);
        solo.drain();
        let subscribe = solo.take("SUBSCRIBE ");
        solo.feed(&response(
            &subscribe,
            "200 OK",
            "p",
            "Contact: <sip:10.0.0.9>\r\nExpires: 600\r\n",
            "",
        ));
        let state = format!("terminated;{reason}");
        notify(&mut solo, &subscribe, 1, &state, DIALOGS, &info(0, "confirmed"));
        match again {
            Some(seconds) => {
                solo.advance(secs(seconds - 1));
                assert!(solo.sent.is_empty(), "{reason}: too soon");
                solo.advance(secs(1));
                let next = solo.take("SUBSCRIBE ");
                assert_ne!(header(&next, "Call-ID"), header(&subscribe, "Call-ID"), "{reason}");
            }
            None => {
                solo.advance(secs(3000));
                assert!(solo.sent.is_empty(), "{reason}");
                assert_eq!(solo.take_events().last(), Some(&line("bob", LineState::Unknown)));
            }
        }
    };
    check("reason=deactivated", Some(1));
    check("reason=timeout", Some(1));
    check("reason=giveup;retry-after=120", Some(120));
    check("reason=probation", Some(60));
    check("reason=rejected", None);
    check("reason=noresource", None);
}

#[test]
fn where_dialogs_are_not_told_presence_is_asked_for() {
    let mut solo = Solo::registered(account("alice", Link::Tcp));
    solo.ua.watch(&[number("bob")], solo.now);
    solo.drain();
    let first = solo.take("SUBSCRIBE ");
    solo.feed(&response(&first, "489 Bad Event", "p", "", ""));
    let second = solo.take("SUBSCRIBE ");
    assert_eq!(header(&second, "Event"), Some("presence"));
    solo.feed(&response(&second, "489 Bad Event", "p", "", ""));
    solo.advance(secs(30));
    assert!(solo.sent.is_empty(), "that was all there is");
}

#[test]
fn many_lines_are_asked_for_a_few_at_a_time() {
    let mut solo = Solo::registered(account("alice", Link::Tcp));
    let lines: Vec<_> = (0..150).map(|n| number(&n.to_string())).collect();
    solo.ua.watch(&lines, solo.now);
    solo.drain();
    let mut asked = 0;
    while !solo.sent.is_empty() {
        assert!(solo.sent.len() <= 10);
        let subscribe = solo.sent.remove(0);
        asked += 1;
        solo.feed(&response(&subscribe, "200 OK", "p", "Expires: 600\r\n", ""));
    }
    assert_eq!(asked, 100);
}

#[test]
fn a_stranger_cannot_speak_for_a_subscription() {
    let mut solo = Solo::registered(account("alice", Link::Tcp));
    solo.ua.watch(&[number("bob")], solo.now);
    solo.drain();
    let subscribe = solo.take("SUBSCRIBE ");
    solo.feed(&response(&subscribe, "200 OK", "p", "Contact: <sip:10.0.0.9>\r\n", ""));
    let id = header(&subscribe, "Call-ID").expect("call-id").to_owned();
    let more = format!("Event: dialog\r\nContent-Type: {DIALOGS}\r\n");
    solo.request("NOTIFY", 1, &id, ("p", "guess"), &more, &info(0, "confirmed"));
    solo.request("NOTIFY", 1, "else", ("p", ""), &more, &info(0, "confirmed"));
    assert!(solo.take_all().iter().all(|answer| answer.starts_with("SIP/2.0 4")));
    assert!(solo.take_events().is_empty());
}

#[test]
fn a_call_manager_tells_of_lines_unasked() {
    let mut solo = Solo::registered(cucm_account());
    solo.ua.watch(&[number("2002")], solo.now);
    solo.drain();
    let subscribe = solo.take("SUBSCRIBE ");
    assert_eq!(header(&subscribe, "Event"), Some("presence"));
    solo.feed(&response(&subscribe, "403 Forbidden", "p", "", ""));
    let body = |user: &str| {
        format!(
            "<presence entity=\"sip:{user}@10.0.0.9\"><tuple id=\"1\"><status><basic>open</basic></status>\
             </tuple><person><activities><on-the-phone/></activities></person></presence>"
        )
    };
    ask(&mut solo, "NOTIFY", "u1", "Event: presence\r\n", "application/pidf+xml", &body("2009"));
    ask(&mut solo, "NOTIFY", "u2", "Event: presence\r\n", "application/pidf+xml", &body("2002"));
    assert_eq!(solo.take_events(), [line("2002", LineState::Busy)], "of the line watched only");
}

#[test]
fn the_mailbox_of_a_standard_account_is_asked() {
    let upkeep = PhoneUpkeep { mailbox: true, ..PhoneUpkeep::default() };
    let mut solo = Solo::registered(PhoneAccount { upkeep, ..account("alice", Link::Tcp) });
    let subscribe = solo.take("SUBSCRIBE sip:alice@example.test SIP/2.0");
    assert_eq!(header(&subscribe, "Event"), Some("message-summary"));
    solo.feed(&response(
        &subscribe,
        "200 OK",
        "p",
        "Contact: <sip:10.0.0.9>\r\nExpires: 60\r\n",
        "",
    ));
    let text = "Messages-Waiting: yes\r\nVoice-Message: 3/1\r\n";
    notify(&mut solo, &subscribe, 1, "active", "application/simple-message-summary", text);
    let told = MessagesWaiting { waiting: true, new: Some(3), old: Some(1) };
    assert_eq!(solo.take_events(), [Event::MessageWaiting(told)]);
    // Another address: asked for anew.
    solo.ua.network_changed(solo.now);
    solo.drain();
    solo.open();
    solo.accept_register(60);
    let again = solo.take("SUBSCRIBE ");
    assert_ne!(header(&again, "Call-ID"), header(&subscribe, "Call-ID"));
}
