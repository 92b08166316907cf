//! Hold, conference, park, voicemail, forwarding, do not disturb, and the rest.

use offhook_model::{CallState, CallWish, DialString, Dnd, Forward};
use offhook_ports::{PhoneAccount, PhoneDialect, PhoneFeatures};

use crate::ladder::{Ladder, carol};
use crate::stage::{PLAIN, Stage, account, bob, sdp, secs};

/// A phone of a call manager.
fn manager() -> Stage {
    let features = PhoneFeatures {
        busy_trigger: Some(2),
        forward_service: Some("x-cisco-serviceuri-cfwdall".into()),
        pickup_service: Some("x-cisco-serviceuri-pickup".into()),
        group_pickup_service: Some("x-cisco-serviceuri-gpickup".into()),
        ..PhoneFeatures::default()
    };
    let dialect =
        PhoneDialect::Cucm { device: "CSFALICE".into(), model: 503, line_contact: "1f2e".into() };
    Stage::of(PhoneAccount { dialect, features, ..account() }).in_service()
}

#[test]
fn features() {
    let mut out = String::new();
    hold(&mut out);
    held(&mut out);
    conference(&mut out);
    digits(&mut out);
    waiting(&mut out);
    forwarded(&mut out);
    quiet(&mut out);
    redial(&mut out);
    crate::page(
        "features.md",
        "Features of every account",
        "What works with any SIP server.",
        &out,
    );
}

fn hold(out: &mut String) {
    let mut ladder =
        Ladder::new("We hold and resume", "Hold is ours at once, whatever they answer.");
    let (id, _) = ladder.talking("Bob", bob());
    ladder.you("hold", |phone, now| phone.hold(id, now)).expect("held");
    let offer = ladder.newest("INVITE ");
    ladder.answer(&offer, "200 OK", &sdp("recvonly"));
    ladder.wait(secs(30));
    ladder.you("resume", |phone, now| phone.resume(id, now)).expect("resumed");
    let offer = ladder.newest("INVITE ");
    ladder.answer(&offer, "200 OK", &sdp("sendrecv"));
    assert_eq!(ladder.stage.state(id), CallState::Connected);
    ladder.write(out);
}

fn held(out: &mut String) {
    let mut ladder = Ladder::new("They hold us", "Their music is heard.");
    let (id, mut leg) = ladder.talking("Bob", bob());
    ladder.request(&mut leg, "INVITE", "", &sdp("sendonly"));
    ladder.request(&mut leg, "ACK", "", "");
    assert_eq!(
        (ladder.stage.state(id), ladder.stage.sound(id)),
        (CallState::RemoteHeld, (false, true))
    );
    ladder.wait(secs(20));
    ladder.request(&mut leg, "INVITE", "", &sdp("sendrecv"));
    ladder.request(&mut leg, "ACK", "", "");
    ladder.write(out);
}

fn conference(out: &mut String) {
    let mut ladder = Ladder::new(
        "Three in one conversation",
        "Two calls are mixed here; each hears you and the other. Who hangs up leaves.",
    );
    let (id, _) = ladder.talking("Bob", bob());
    let other = ladder.you("call Carol", |phone, now| phone.dial(carol(), now)).expect("dialled");
    let asked: Vec<String> =
        ladder.stage.sent.iter().filter(|m| m.starts_with("INVITE ")).cloned().collect();
    let [.., hold, invite] = &asked[..] else { panic!("{asked:#?}") };
    ladder.answer(hold, "200 OK", &sdp("recvonly"));
    ladder.answer(invite, "200 OK", &sdp("sendrecv"));
    let mut second = ladder.stage.leg_of(invite);
    ladder.wish("merge", CallWish::Merge { id, other });
    let resume = ladder.newest("INVITE ");
    ladder.answer(&resume, "200 OK", &sdp("sendrecv"));
    for id in [id, other] {
        let plan = ladder.stage.applied.iter().rev().find(|(call, _)| *call == id).expect("a plan");
        assert!(plan.1.mix && plan.1.sending && plan.1.receiving, "{id}");
        assert_eq!(ladder.stage.call(id).conference.expect("one").people.len(), 3);
    }
    ladder.wait(secs(60));
    ladder.request(&mut second, "BYE", "", "");
    let plan = ladder.stage.applied.last().expect("a plan").clone();
    assert!(plan.0 == id && !plan.1.mix);
    assert_eq!(ladder.stage.call(id).conference, None);
    ladder.write(out);
}

fn digits(out: &mut String) {
    let mut ladder = Ladder::new(
        "Digits where telephone events were not agreed",
        "They go by INFO (RFC 6086) in place of RFC 4733.",
    );
    let (id, invite) = ladder.dial("Bob", bob());
    ladder.answer(&invite, "200 OK", PLAIN);
    ladder.you("press 7", |phone, now| phone.dtmf(id, "7", now)).expect("sent");
    ladder.write(out);
}

fn waiting(out: &mut String) {
    let mut ladder =
        Ladder::new("Call waiting", "A second call comes; answering it holds the first.");
    let (id, _) = ladder.talking("Bob", bob());
    let mut leg =
        ladder.stage.invite_from("\"Carol\" <sip:2003@example.test>", "", &sdp("sendrecv"));
    let ringing = ladder.newest("SIP/2.0 180");
    leg.theirs = crate::stage::header(&ringing, "To").to_owned();
    let second = ladder.stage.newest();
    ladder.you("hold and answer", |phone, now| phone.answer(second, now)).expect("answered");
    let hold = ladder.newest("INVITE ");
    ladder.answer(&hold, "200 OK", &sdp("recvonly"));
    ladder.request(&mut leg, "ACK", "", "");
    assert_eq!(
        (ladder.stage.state(id), ladder.stage.state(second)),
        (CallState::Held, CallState::Connected)
    );
    ladder.write(out);
}

fn forwarded(out: &mut String) {
    let mut ladder = Ladder::new(
        "All calls go somewhere else",
        "A standard server forwards nothing for us: the phone sends callers on itself while it is registered.",
    );
    ladder.wish("forward all calls to 2003", CallWish::Forward(Some(Forward::To(carol()))));
    ladder.stage.invite(&sdp("sendrecv"));
    ladder.note();
    let sent = ladder.newest("SIP/2.0 302");
    assert!(sent.contains("sip:2003@example.test"), "{sent}");
    assert!(!ladder.stage.records[0].missed);
    ladder.write(out);
}

fn quiet(out: &mut String) {
    let mut ladder = Ladder::new("Do not disturb: no ringing", "Calls are shown and do not ring.");
    ladder.wish("do not disturb, without ringing", CallWish::DoNotDisturb(Some(Dnd::RingerOff)));
    ladder.stage.invite(&sdp("sendrecv"));
    ladder.note();
    assert_eq!(
        (ladder.stage.tone, ladder.stage.state(ladder.stage.newest())),
        (None, CallState::Incoming)
    );
    ladder.write(out);

    let mut ladder = Ladder::new(
        "Do not disturb: refused",
        "Callers hear that we are busy; the history has the call as missed.",
    );
    ladder.wish("do not disturb, refuse", CallWish::DoNotDisturb(Some(Dnd::Reject)));
    ladder.stage.invite(&sdp("sendrecv"));
    ladder.note();
    ladder.newest("SIP/2.0 486");
    assert!(ladder.stage.records[0].missed);
    ladder.write(out);
}

fn redial(out: &mut String) {
    let mut ladder = Ladder::new("Redial", "The number that was called last is called once more.");
    let (_, invite) = ladder.dial("Bob", bob());
    ladder.answer(&invite, "486 Busy Here", "");
    ladder.wait(secs(5));
    ladder.wish("call the last number again", CallWish::Redial);
    ladder.newest("INVITE sip:2002@");
    ladder.write(out);
}

#[test]
fn call_manager() {
    let mut out = String::new();
    busy_trigger(&mut out);
    parked(&mut out);
    buttons(&mut out);
    bridge(&mut out);
    tones(&mut out);
    settings(&mut out);
    forward_at_server(&mut out);
    pickup(&mut out);
    crate::page(
        "call-manager.md",
        "Features of Communications Manager",
        "What a call manager offers by buttons and services of its own.",
        &out,
    );
}

fn busy_trigger(out: &mut String) {
    let mut ladder = Ladder::on(
        manager(),
        "The busy trigger",
        "The line may have two calls; the third caller hears that we are busy, and the history has the call.",
    );
    ladder.stage.invite(&sdp("sendrecv"));
    ladder.stage.invite(&sdp("sendrecv"));
    ladder.note();
    ladder.stage.invite(&sdp("sendrecv"));
    ladder.newest("SIP/2.0 486");
    assert_eq!(ladder.stage.records.len(), 1);
    ladder.write(out);
}

/// The call manager tells what came of a button (reference sip-dialect.md section 3).
fn outcome(ladder: &mut Ladder, refer: &str, code: u16) {
    let mut leg = ladder.stage.leg_of(refer);
    ladder.answer(refer, "202 Accepted", "");
    let more = "Event: refer\r\nSubscription-State: terminated;reason=noresource\r\n";
    let body = format!(
        "<x-cisco-remotecc-response><response><code>{code}</code></response></x-cisco-remotecc-response>"
    );
    ladder.request(&mut leg, "NOTIFY", more, &body);
}

/// The call manager asks for something.
fn asked(ladder: &mut Ladder, body: &str) {
    let more = "Require: norefersub\r\nRefer-To: <cid:1@x>\r\nContent-Id: <1@x>\r\n";
    let body = format!("<x-cisco-remotecc-request>{body}</x-cisco-remotecc-request>");
    ladder.stage.server_asks("REFER", more, &body);
    ladder.note();
}

fn parked(out: &mut String) {
    let mut ladder = Ladder::on(
        manager(),
        "Park and take back",
        "The call manager tells where the call waits; calling that number takes it back.",
    );
    let (id, mut leg) = ladder.talking("Bob", bob());
    ladder.wish("park", CallWish::Park(id));
    let refer = ladder.newest("REFER ");
    outcome(&mut ladder, &refer, 200);
    asked(
        &mut ladder,
        "<statuslineupdatereq><action>notify_display</action><statustext>Call park at 5001</statustext>\
         <displaytimeout>10</displaytimeout></statuslineupdatereq>",
    );
    ladder.request(&mut leg, "BYE", "", "");
    assert_eq!(ladder.stage.end(id).0, "parked");
    assert_eq!(ladder.stage.phone.state().parked[0].at, "5001");
    ladder.wait(secs(20));
    assert_eq!(ladder.stage.phone.state().status, None);
    let back = DialString::Number("5001".into());
    ladder.you("call 5001", |phone, now| phone.dial(back, now)).expect("dialled");
    assert!(ladder.stage.phone.state().parked.is_empty());
    ladder.write(out);
}

fn bridge(out: &mut String) {
    for (title, code) in [("Conference at the bridge", 200), ("No conference can be made", 500)] {
        let mut ladder = Ladder::on(
            manager(),
            title,
            "The call manager puts both calls on a bridge of its own, by its button Conference.",
        );
        let (id, _) = ladder.talking("Bob", bob());
        let other =
            ladder.you("call Carol", |phone, now| phone.dial(carol(), now)).expect("dialled");
        let asked: Vec<String> =
            ladder.stage.sent.iter().filter(|m| m.starts_with("INVITE ")).cloned().collect();
        let [.., hold, invite] = &asked[..] else { panic!("{asked:#?}") };
        ladder.answer(hold, "200 OK", &sdp("recvonly"));
        ladder.answer(invite, "200 OK", &sdp("sendrecv"));
        ladder.wish("merge", CallWish::Merge { id, other });
        let refer = ladder.newest("REFER ");
        assert!(refer.contains("<softkeyevent>Conference</softkeyevent>"), "{refer}");
        outcome(&mut ladder, &refer, code);
        if code == 200 {
            // The call that is left comes back from hold by itself.
            let resume = ladder.newest("INVITE ");
            ladder.answer(&resume, "200 OK", &sdp("sendrecv"));
            assert_eq!(ladder.stage.state(id), CallState::Connected);
        }
        let call = ladder.stage.call(id);
        assert_eq!(call.conference.is_some(), code == 200);
        assert_eq!(call.trouble.is_some(), code == 500);
        ladder.write(out);
    }
}

fn tones(out: &mut String) {
    for (title, tone, cause) in [
        ("Busy, said by a tone", "DtLineBusyTone", "busy"),
        ("No way there, said by a tone", "DtReorderTone", "failed"),
    ] {
        let mut ladder = Ladder::on(
            manager(),
            title,
            "A call manager may let a tone be played where others answer with a status.",
        );
        let (id, invite) = ladder.dial("Bob", bob());
        ladder.answer(&invite, "183 Session Progress", "");
        let body = format!(
            "<playtonereq><tonetype>{tone}</tonetype><direction>all</direction></playtonereq>"
        );
        asked(&mut ladder, &body);
        assert!(ladder.stage.tone.is_some());
        ladder.wait(secs(3));
        ladder.answer(&invite, "487 Request Terminated", "");
        assert_eq!(ladder.stage.end(id).0, cause);
        ladder.wait(secs(5));
        assert_eq!(ladder.stage.tone, None);
        ladder.write(out);
    }
}

fn settings(out: &mut String) {
    let mut ladder = Ladder::on(
        manager(),
        "Set elsewhere",
        "Forwarding and do not disturb that were set at the desk phone or in the portal.",
    );
    asked(&mut ladder, "<dndupdate><state>enable</state><option>ringeroff</option></dndupdate>");
    assert_eq!(ladder.stage.phone.state().dnd, Some(Dnd::RingerOff));
    asked(
        &mut ladder,
        "<cfwdallupdate><linenumber>1</linenumber><fwdaddress>2003</fwdaddress><tovoicemail>off</tovoicemail></cfwdallupdate>",
    );
    assert_eq!(ladder.stage.phone.state().forward, Some(Forward::To(carol())));
    ladder.write(out);
}

fn buttons(out: &mut String) {
    for (title, outcome) in
        [("Park is refused", "603 Decline"), ("Park is not known", "501 Not Implemented")]
    {
        let mut ladder = Ladder::on(manager(), title, "The call goes on, with a sentence.");
        let (id, _) = ladder.talking("Bob", bob());
        ladder.wish("park", CallWish::Park(id));
        let refer = ladder.newest("REFER ");
        assert!(refer.contains("<softkeyevent>Park</softkeyevent>"), "{refer}");
        ladder.answer(&refer, outcome, "");
        assert!(ladder.stage.call(id).trouble.is_some());
        assert_eq!(ladder.stage.state(id), CallState::Connected);
        ladder.write(out);
    }
}

fn forward_at_server(out: &mut String) {
    let mut ladder = Ladder::on(
        manager(),
        "Forward all calls",
        "A call without sound to a service of the call manager [I: how the number is written].",
    );
    ladder.wish("forward all calls to 2003", CallWish::Forward(Some(Forward::To(carol()))));
    let invite = ladder.newest("INVITE sip:x-cisco-serviceuri-cfwdall-2003@");
    ladder.answer(&invite, "200 OK", &sdp("inactive"));
    assert_eq!(ladder.stage.phone.state().forward, Some(Forward::To(carol())));
    assert!(ladder.stage.phone.calls().is_empty());
    ladder.write(out);

    let mut ladder = Ladder::on(manager(), "Forwarding is refused", "Nothing is changed.");
    ladder.wish("forward all calls to 2003", CallWish::Forward(Some(Forward::To(carol()))));
    let invite = ladder.newest("INVITE sip:x-cisco-serviceuri-cfwdall-2003@");
    ladder.answer(&invite, "403 Forbidden", "");
    let state = ladder.stage.phone.state();
    assert!(state.forward.is_none() && state.trouble.is_some());
    ladder.write(out);
}

fn pickup(out: &mut String) {
    let mut ladder = Ladder::on(manager(), "Pickup", "A call that rings in our group is taken.");
    ladder.wish("pick up", CallWish::Pickup(offhook_model::Pickup::Group));
    let invite = ladder.newest("INVITE sip:x-cisco-serviceuri-pickup@");
    ladder.answer(&invite, "200 OK", &sdp("sendrecv"));
    assert_eq!(ladder.stage.state(ladder.stage.newest()), CallState::Connected);
    ladder.write(out);

    let mut ladder =
        Ladder::new("Pickup where there is none", "Other servers have codes of their own for it.");
    ladder.wish(
        "pick up",
        CallWish::Pickup(offhook_model::Pickup::Directed(DialString::Number("2003".into()))),
    );
    ladder.stage.nothing_sent();
    ladder.write(out);
}
