//! What works with any server: hold, conference, voicemail, forwarding, do not disturb, and the rest.

use offhook_model::{CallId, CallState, CallWish, Dnd, Forward};
use offhook_ports::PhoneAccount;

use crate::ladder::{Ladder, carol};
use crate::stage::{Leg, PLAIN, Stage, account, bob, header, sdp, secs};

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
    muted(&mut out);
    keys(&mut out);
    by_itself(&mut out);
    lamp(&mut out);
    mailbox(&mut out);
    expelled(&mut out);
    answered_elsewhere(&mut out);
    joined(&mut out);
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
    let (id, other, mut second) = three(&mut ladder);
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

/// Bob and Carol in a conference that is mixed here, and Carol's end.
fn three(ladder: &mut Ladder) -> (CallId, CallId, Leg) {
    let (id, other, second) = ladder.two_calls();
    ladder.wish("merge", CallWish::Merge { id, other });
    let resume = ladder.newest("INVITE ");
    ladder.answer(&resume, "200 OK", &sdp("sendrecv"));
    (id, other, second)
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

fn muted(out: &mut String) {
    let mut ladder = Ladder::new(
        "Mute",
        "The microphone is off; nobody is told, and packets go on without sound.",
    );
    let (id, _) = ladder.talking("Bob", bob());
    ladder.stage.sent.clear();
    ladder.you("mute", |phone, _| phone.mute(id, true)).expect("muted");
    ladder.wait(secs(10));
    ladder.you("unmute", |phone, _| phone.mute(id, false)).expect("unmuted");
    ladder.stage.nothing_sent();
    assert_eq!(ladder.stage.muted, [(id, true), (id, false)]);
    ladder.write(out);
}

fn keys(out: &mut String) {
    let mut ladder = Ladder::new("Digits", "They go beside the sound (RFC 4733).");
    let (id, _) = ladder.talking("Bob", bob());
    ladder.you("press 1 2 #", |phone, now| phone.dtmf(id, "12#", now)).expect("sent");
    assert_eq!(ladder.stage.digits, ["12#"]);
    ladder.write(out);
}

fn by_itself(out: &mut String) {
    let mut ladder = Ladder::new(
        "Answered by itself",
        "Only where you allowed it, and never beside another call (RFC 5373).",
    );
    ladder.stage.phone.answer_if_asked(true);
    ladder.stage.invite_with("Call-Info: <sip:example.test>;answer-after=2\r\n", &sdp("sendrecv"));
    ladder.note();
    ladder.wait(secs(3));
    assert_eq!(ladder.stage.state(ladder.stage.newest()), CallState::Connected);
    ladder.write(out);

    let mut ladder = Ladder::new(
        "An answer by itself is demanded and not allowed",
        "The caller hears so; the history has the call.",
    );
    ladder.stage.invite_with("Answer-Mode: Auto;require\r\n", &sdp("sendrecv"));
    ladder.newest("SIP/2.0 403");
    ladder.write(out);
}

/// What is told of a line (RFC 4235).
fn dialog(version: u32, state: &str) -> String {
    format!(
        "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{version}\" state=\"full\" \
         entity=\"sip:2003@example.test\"><dialog id=\"1\"><state>{state}</state></dialog></dialog-info>"
    )
}

fn lamp(out: &mut String) {
    let mut ladder = Ladder::new(
        "The lamp of a line",
        "Carol's line is watched: it rings, she talks, it is free again (RFC 4235).",
    );
    ladder.wish("watch the line of 2003", CallWish::Watch(vec![carol()]));
    let subscribe = ladder.newest("SUBSCRIBE ");
    ladder.answer_with(&subscribe, "200 OK", "Expires: 600\r\n", "");
    let mut leg = ladder.stage.leg_of(&subscribe);
    for (version, state) in [(0, "terminated"), (1, "early"), (2, "confirmed"), (3, "terminated")] {
        let more = "Event: dialog\r\nSubscription-State: active;expires=600\r\n\
                    Content-Type: application/dialog-info+xml\r\n";
        ladder.wait(secs(5));
        ladder.request_as_is(&mut leg, "NOTIFY", more, &dialog(version, state));
    }
    ladder.wish("watch nobody", CallWish::Watch(vec![]));
    let last = ladder.newest("SUBSCRIBE ");
    assert_eq!(header(&last, "Expires"), "0");
    ladder.write(out);
}

fn mailbox(out: &mut String) {
    let account = PhoneAccount { voicemail_pilot: Some("2900".into()), ..account() };
    let mut ladder = Ladder::on(
        Stage::of(account).in_service(),
        "To voicemail",
        "A ringing call is sent on to the mailbox (302).",
    );
    ladder.stage.invite(&sdp("sendrecv"));
    ladder.note();
    let id = ladder.stage.newest();
    ladder.wish("to voicemail", CallWish::Divert(id));
    let sent = ladder.newest("SIP/2.0 302");
    assert!(sent.contains("sip:2900@"), "{sent}");
    assert_eq!(ladder.stage.end(id).0, "diverted");
    ladder.write(out);
}

fn expelled(out: &mut String) {
    let mut ladder = Ladder::new(
        "Out of a conference that is mixed here",
        "Whoever is taken out is hung up; who is left is in an ordinary call.",
    );
    let (id, other, _) = three(&mut ladder);
    let wish = CallWish::Expel { id, participant: id.to_string() };
    ladder.wish("take Bob out", wish);
    let bye = ladder.newest("BYE ");
    ladder.answer(&bye, "200 OK", "");
    assert_eq!(ladder.stage.state(id), CallState::Ended);
    assert_eq!(ladder.stage.call(other).conference, None);
    ladder.write(out);
}

fn answered_elsewhere(out: &mut String) {
    let mut ladder = Ladder::new(
        "Answered at another phone",
        "It rings no more, and is no missed call (RFC 3326).",
    );
    let mut leg = ladder.stage.invite(&sdp("sendrecv"));
    ladder.wait(secs(4));
    let more = "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n";
    ladder.request(&mut leg, "CANCEL", more, "");
    ladder.request(&mut leg, "ACK", "", "");
    assert!(!ladder.stage.records[0].missed);
    ladder.write(out);
}

fn joined(out: &mut String) {
    let mut ladder = Ladder::new(
        "Somebody joins a conversation",
        "Carol calls into our call with Bob (RFC 3911); once she is let in, all three talk.",
    );
    let (id, leg) = ladder.talking("Bob", bob());
    let (call, ours, theirs) = Stage::dialog_of(&leg);
    let more = format!("Join: {call};to-tag={ours};from-tag={theirs}\r\n");
    let mut second =
        ladder.stage.invite_from("\"Carol\" <sip:2003@example.test>", &more, &sdp("sendrecv"));
    ladder.note();
    let other = ladder.stage.newest();
    assert_ne!(id, other);
    ladder.you("let her in", |phone, now| phone.answer(other, now)).expect("answered");
    let answer = ladder.newest("SIP/2.0 200");
    second.theirs = header(&answer, "To").to_owned();
    ladder.request(&mut second, "ACK", "", "");
    assert_eq!(ladder.stage.call(id).conference.expect("one").people.len(), 3);
    ladder.write(out);
}
