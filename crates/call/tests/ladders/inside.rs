//! What stands behind a call: passwords, ringing that is acknowledged, forks, changes that meet,
//! sessions that are kept.

use offhook_model::{CallState, Secret};
use offhook_ports::PhoneAccount;

use crate::ladder::Ladder;
use crate::stage::{Stage, account, bob, header, sdp, secs};

#[test]
fn inside_a_call() {
    let mut out = String::new();
    password(&mut out);
    acknowledged_ringing(&mut out);
    early_change(&mut out);
    forks(&mut out);
    glare(&mut out);
    delayed(&mut out);
    other_codec(&mut out);
    session(&mut out);
    crate::page(
        "inside.md",
        "Inside a call",
        "What goes on between the messages that the user sees.",
        &out,
    );
}

fn password(out: &mut String) {
    for (title, right) in
        [("The proxy wants a password", true), ("The proxy does not take the password", false)]
    {
        let digest = Some(("alice".to_owned(), Secret::from("secret")));
        let stage = Stage::of(PhoneAccount { digest, ..account() }).in_service();
        let mut ladder =
            Ladder::on(stage, title, "Asked once, and answered once (RFC 3261 section 22).");
        let (id, invite) = ladder.dial("Bob", bob());
        let challenge = |nonce: &str| {
            format!(
                "Proxy-Authenticate: Digest realm=\"example.test\", nonce=\"{nonce}\", qop=\"auth\"\r\n"
            )
        };
        ladder.answer_with(&invite, "407 Proxy Authentication Required", &challenge("a"), "");
        let again = ladder.newest("INVITE ");
        assert!(header(&again, "Proxy-Authorization").starts_with("Digest "));
        if right {
            ladder.answer(&again, "200 OK", &sdp("sendrecv"));
            assert_eq!(ladder.stage.state(id), CallState::Connected);
        } else {
            ladder.answer_with(&again, "407 Proxy Authentication Required", &challenge("b"), "");
            assert_eq!(ladder.stage.state(id), CallState::Ended);
        }
        ladder.write(out);
    }
}

fn acknowledged_ringing(out: &mut String) {
    let mut ladder = Ladder::new("Ringing that is acknowledged", "Theirs by our PRACK (RFC 3262).");
    let (id, invite) = ladder.dial("Bob", bob());
    ladder.answer_with(&invite, "180 Ringing", "Require: 100rel\r\nRSeq: 7\r\n", "");
    let prack = ladder.newest("PRACK ");
    ladder.answer(&prack, "200 OK", "");
    ladder.answer(&invite, "200 OK", &sdp("sendrecv"));
    assert_eq!(ladder.stage.state(id), CallState::Connected);
    ladder.write(out);

    let mut ladder = Ladder::new(
        "Our ringing is acknowledged",
        "It is repeated until their PRACK comes; without one the call is given up after 32 seconds.",
    );
    let mut leg = ladder.stage.invite_with("Require: 100rel\r\n", &sdp("sendrecv"));
    let ringing = ladder.newest("SIP/2.0 180");
    leg.theirs = header(&ringing, "To").to_owned();
    ladder.wait(secs(1));
    let more = format!("RAck: {} {}\r\n", header(&ringing, "RSeq"), header(&ringing, "CSeq"));
    ladder.request(&mut leg, "PRACK", &more, "");
    ladder.wait(secs(10));
    assert_eq!(ladder.stage.state(ladder.stage.newest()), CallState::Incoming);
    ladder.write(out);

    let mut ladder = Ladder::new("Nobody acknowledges our ringing", "The caller is gone.");
    ladder.stage.invite_with("Require: 100rel\r\n", &sdp("sendrecv"));
    ladder.note();
    ladder.wait(secs(40));
    assert!(ladder.stage.phone.calls().is_empty());
    ladder.write(out);
}

fn early_change(out: &mut String) {
    let mut ladder = Ladder::new(
        "Changed before the answer",
        "An announcement goes on hold and comes back while it rings (RFC 3311).",
    );
    let (id, invite) = ladder.dial("Bob", bob());
    let more = "Require: 100rel\r\nRSeq: 7\r\nAllow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE\r\n";
    ladder.answer_with(&invite, "183 Session Progress", more, &sdp("sendrecv"));
    let prack = ladder.newest("PRACK ");
    ladder.answer(&prack, "200 OK", "");
    let mut leg = ladder.stage.leg_of(&invite);
    ladder.request(&mut leg, "UPDATE", "", &sdp("inactive"));
    ladder.request(&mut leg, "UPDATE", "", &sdp("sendrecv"));
    ladder.answer(&invite, "200 OK", "");
    assert_eq!(ladder.stage.state(id), CallState::Connected);
    ladder.write(out);
}

fn forks(out: &mut String) {
    let mut ladder = Ladder::new(
        "Two phones answer",
        "The first is talked to; the second is answered and hung up (RFC 3261 section 13.2.2.4).",
    );
    let (id, invite) = ladder.dial("Bob", bob());
    for tag in ["bob", "desk"] {
        let ringing = Stage::response(&invite, "180 Ringing", "", "");
        ladder.answer_changed(&ringing.replace(";tag=bob", &format!(";tag={tag}")));
    }
    ladder.answer(&invite, "200 OK", &sdp("sendrecv"));
    let second = Stage::response(&invite, "200 OK", "", &sdp("sendrecv"));
    ladder.answer_changed(&second.replace(";tag=bob", ";tag=desk"));
    let bye = ladder.newest("BYE ");
    assert!(header(&bye, "To").ends_with(";tag=desk"), "{bye}");
    ladder.answer(&bye, "200 OK", "");
    assert_eq!(ladder.stage.state(id), CallState::Connected);
    ladder.write(out);
}

fn glare(out: &mut String) {
    let mut ladder = Ladder::new(
        "Both change the call at once",
        "Each refuses the other's change; ours is tried again after a wait by chance (RFC 3261 section 14.1).",
    );
    let (id, mut leg) = ladder.talking("Bob", bob());
    ladder.you("hold", |phone, now| phone.hold(id, now)).expect("held");
    let ours = ladder.newest("INVITE ");
    ladder.request(&mut leg, "INVITE", "", &sdp("sendonly"));
    ladder.newest("SIP/2.0 491");
    ladder.request(&mut leg, "ACK", "", "");
    ladder.answer(&ours, "491 Request Pending", "");
    ladder.wait(secs(5));
    let again = ladder.newest("INVITE ");
    assert_ne!(header(&again, "CSeq"), header(&ours, "CSeq"));
    ladder.answer(&again, "200 OK", &sdp("recvonly"));
    assert_eq!(ladder.stage.state(id), CallState::Held);
    ladder.write(out);
}

fn delayed(out: &mut String) {
    let mut ladder = Ladder::new(
        "A call without a description",
        "We describe in the 200, they answer in the ACK (RFC 3264; how call managers call).",
    );
    let mut leg = ladder.stage.invite("");
    let ringing = ladder.newest("SIP/2.0 180");
    leg.theirs = header(&ringing, "To").to_owned();
    let id = ladder.stage.newest();
    ladder.you("answer", |phone, now| phone.answer(id, now)).expect("answered");
    ladder.request(&mut leg, "ACK", "", &sdp("sendrecv"));
    assert_eq!(ladder.stage.sound(id), (true, true));
    ladder.write(out);

    let mut ladder = Ladder::new(
        "They hold us without a description",
        "A change of theirs that lets us describe first.",
    );
    let (id, mut leg) = ladder.talking("Bob", bob());
    ladder.request(&mut leg, "INVITE", "", "");
    ladder.request(&mut leg, "ACK", "", &sdp("sendonly"));
    assert_eq!(ladder.stage.state(id), CallState::RemoteHeld);
    ladder.write(out);
}

fn other_codec(out: &mut String) {
    let mut ladder =
        Ladder::new("They change the codec", "The stream goes on with A-law in place of µ-law.");
    let (id, mut leg) = ladder.talking("Bob", bob());
    let offer = sdp("sendrecv").replace("RTP/AVP 0 101", "RTP/AVP 8 101");
    ladder.request(&mut leg, "INVITE", "", &offer);
    ladder.request(&mut leg, "ACK", "", "");
    let [.., before, after] = &ladder.stage.applied[..] else { panic!("two plans") };
    assert_ne!(before.1.send.codec, after.1.send.codec);
    assert_eq!(ladder.stage.state(id), CallState::Connected);
    ladder.write(out);
}

fn session(out: &mut String) {
    let agreed = "Session-Expires: 600;refresher=uac\r\nRequire: timer\r\n\
                  Allow: INVITE, ACK, BYE, CANCEL, UPDATE\r\n";
    for (title, there) in
        [("A session is kept", true), ("A session is kept, and nobody is there any more", false)]
    {
        let mut ladder =
            Ladder::new(title, "It is refreshed after half its time, or it ends (RFC 4028).");
        let (id, invite) = ladder.dial("Bob", bob());
        ladder.answer_with(&invite, "200 OK", agreed, &sdp("sendrecv"));
        ladder.wait(secs(301));
        let update = ladder.newest("UPDATE ");
        if there {
            ladder.answer_with(&update, "200 OK", agreed, "");
            ladder.wait(secs(301));
            let update = ladder.newest("UPDATE ");
            ladder.answer_with(&update, "200 OK", agreed, "");
            assert_eq!(ladder.stage.state(id), CallState::Connected);
        } else {
            ladder.silence("nothing comes", secs(330));
            assert!(ladder.stage.phone.calls().iter().all(|call| call.end.is_some()));
        }
        ladder.write(out);
    }

    let mut ladder = Ladder::new(
        "Who was to keep the session says nothing",
        "A third before its end, at most 32 seconds, the call is over for us.",
    );
    let (_, invite) = ladder.dial("Bob", bob());
    let theirs = agreed.replace("refresher=uac", "refresher=uas");
    ladder.answer_with(&invite, "200 OK", &theirs, &sdp("sendrecv"));
    ladder.silence("nothing comes", secs(569));
    ladder.newest("BYE ");
    ladder.write(out);
}
