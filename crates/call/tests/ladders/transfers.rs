//! Calls that are given away, by us and by others.

use offhook_model::{CallState, CallWish};

use crate::ladder::{Ladder, carol};
use crate::stage::{Leg, Stage, bob, sdp, secs};

/// What they tell of the call that we asked them to make.
fn tell(ladder: &mut Ladder, leg: &mut Leg, line: &str, over: bool) {
    let state = if over { "terminated;reason=noresource" } else { "active;expires=60" };
    let more = format!("Event: refer\r\nSubscription-State: {state}\r\n");
    ladder.request(leg, "NOTIFY", &more, &format!("SIP/2.0 {line}\r\n"));
}

#[test]
fn we_transfer() {
    let mut out = String::new();
    blind(&mut out);
    for (title, status) in [
        ("Blind transfer, the target is busy", "486 Busy Here"),
        ("Blind transfer, nobody answers there", "480 Temporarily Unavailable"),
        ("Blind transfer, no such number", "404 Not Found"),
        ("Blind transfer, declined", "603 Decline"),
        ("Blind transfer, the server fails", "503 Service Unavailable"),
    ] {
        fails_there(title, status, &mut out);
    }
    for (title, status) in [
        ("The other side will not be transferred", "603 Decline"),
        ("The other side knows no transfer", "501 Not Implemented"),
        ("The call is unknown there", "481 Call/Transaction Does Not Exist"),
    ] {
        refused(title, status, &mut out);
    }
    silence(&mut out);
    attended(&mut out);
    attended_fails(&mut out);
    while_it_rings(&mut out);
    crate::page(
        "transfer.md",
        "Transfer",
        "We give a call away: blindly, or to somebody we spoke to (RFC 3515, RFC 5589). Until it stands the call can come back.",
        &out,
    );
}

fn blind(out: &mut String) {
    let mut ladder = Ladder::new("Blind transfer", "Bob is given to Carol without asking her.");
    let (id, mut leg) = ladder.talking("Bob", bob());
    ladder.wish("transfer to 2003", CallWish::Transfer { id, to: carol() });
    let refer = ladder.newest("REFER ");
    assert_eq!(
        (ladder.stage.state(id), ladder.stage.sound(id)),
        (CallState::Transferring, (false, false))
    );
    ladder.answer(&refer, "202 Accepted", "");
    tell(&mut ladder, &mut leg, "100 Trying", false);
    tell(&mut ladder, &mut leg, "180 Ringing", false);
    ladder.wait(secs(5));
    tell(&mut ladder, &mut leg, "200 OK", true);
    assert_eq!(ladder.stage.end(id).0, "transferred");
    let bye = ladder.newest("BYE ");
    ladder.answer(&bye, "200 OK", "");
    ladder.write(out);
}

fn fails_there(title: &'static str, status: &str, out: &mut String) {
    let mut ladder =
        Ladder::new(title, "The call is with you again, with a sentence that says why.");
    let (id, mut leg) = ladder.talking("Bob", bob());
    ladder.wish("transfer to 2003", CallWish::Transfer { id, to: carol() });
    let refer = ladder.newest("REFER ");
    ladder.answer(&refer, "202 Accepted", "");
    tell(&mut ladder, &mut leg, status, true);
    assert_eq!(
        (ladder.stage.state(id), ladder.stage.sound(id)),
        (CallState::Connected, (true, true))
    );
    assert!(ladder.stage.call(id).trouble.is_some());
    ladder.write(out);
}

fn refused(title: &'static str, status: &str, out: &mut String) {
    let mut ladder = Ladder::new(title, "REFER itself is refused.");
    let (id, _) = ladder.talking("Bob", bob());
    ladder.wish("transfer to 2003", CallWish::Transfer { id, to: carol() });
    let refer = ladder.newest("REFER ");
    ladder.answer(&refer, status, "");
    if !status.starts_with("481") {
        assert_eq!(ladder.stage.state(id), CallState::Connected);
    }
    ladder.write(out);
}

fn silence(out: &mut String) {
    let mut ladder = Ladder::new("Nobody answers REFER", "Timer F ends the wait.");
    let (id, _) = ladder.talking("Bob", bob());
    ladder.wish("transfer to 2003", CallWish::Transfer { id, to: carol() });
    ladder.silence("nothing comes", secs(40));
    assert_ne!(
        ladder.stage.phone.calls().first().map(|call| call.state),
        Some(CallState::Transferring)
    );
    ladder.write(out);

    let mut ladder = Ladder::new(
        "Nobody tells how it went",
        "They agreed and say nothing more: after longer than any phone rings the call is yours again.",
    );
    let (id, _) = ladder.talking("Bob", bob());
    ladder.wish("transfer to 2003", CallWish::Transfer { id, to: carol() });
    let refer = ladder.newest("REFER ");
    ladder.answer(&refer, "202 Accepted", "");
    ladder.silence("nothing comes", secs(230));
    assert_eq!(ladder.stage.state(id), CallState::Connected);
    ladder.write(out);

    let mut ladder = Ladder::new(
        "The network breaks during a transfer",
        "Whether Bob reaches Carol nobody can tell; the call to him is there as long as its sound is.",
    );
    let (id, _) = ladder.talking("Bob", bob());
    ladder.wish("transfer to 2003", CallWish::Transfer { id, to: carol() });
    ladder.lose();
    ladder.wait(secs(2));
    ladder.you("hang up", |phone, now| phone.hang_up(id, now)).expect("hung up");
    ladder.write(out);
}

/// Bob is on hold, Carol is spoken to.
fn consult(ladder: &mut Ladder) -> (offhook_model::CallId, Leg, offhook_model::CallId, Leg) {
    let (id, leg) = ladder.talking("Bob", bob());
    let other = ladder.you("call Carol", |phone, now| phone.dial(carol(), now)).expect("dialled");
    ladder.note();
    let asked: Vec<String> =
        ladder.stage.sent.iter().filter(|m| m.starts_with("INVITE ")).cloned().collect();
    let [.., hold, invite] = &asked[..] else { panic!("{asked:#?}") };
    ladder.answer(hold, "200 OK", &sdp("recvonly"));
    ladder.answer(invite, "180 Ringing", "");
    ladder.answer(invite, "200 OK", &sdp("sendrecv"));
    let second = ladder.stage.leg_of(invite);
    (id, leg, other, second)
}

fn attended(out: &mut String) {
    let mut ladder = Ladder::new(
        "Attended transfer",
        "Carol is asked first; then Bob's call takes the place of ours with her (RFC 3891).",
    );
    let (id, mut leg, other, mut second) = consult(&mut ladder);
    ladder.wait(secs(10));
    ladder.wish("connect the two", CallWish::Connect { id, other });
    let refer = ladder.newest("REFER ");
    assert!(refer.contains("Replaces="), "{refer}");
    ladder.answer(&refer, "202 Accepted", "");
    tell(&mut ladder, &mut leg, "100 Trying", false);
    ladder.request(&mut second, "BYE", "", "");
    assert_eq!(ladder.stage.end(other).0, "transferred");
    tell(&mut ladder, &mut leg, "200 OK", true);
    assert_eq!(ladder.stage.end(id).0, "transferred");
    ladder.write(out);
}

fn attended_fails(out: &mut String) {
    let mut ladder = Ladder::new(
        "Attended transfer that fails",
        "Both calls are as they were: one on hold, one up.",
    );
    let (id, mut leg, other, _) = consult(&mut ladder);
    ladder.wish("connect the two", CallWish::Connect { id, other });
    let refer = ladder.newest("REFER ");
    ladder.answer(&refer, "202 Accepted", "");
    tell(&mut ladder, &mut leg, "481 Call/Transaction Does Not Exist", true);
    assert_eq!(ladder.stage.state(id), CallState::Held);
    assert_eq!(ladder.stage.state(other), CallState::Connected);
    ladder.write(out);
}

fn while_it_rings(out: &mut String) {
    let mut ladder = Ladder::new(
        "Connected while it still rings there",
        "Our call to Carol is given up and the transfer is a blind one (RFC 5589 section 7.6).",
    );
    let (id, mut leg) = ladder.talking("Bob", bob());
    let (other, invite) = ladder.dial("Carol", carol());
    ladder.answer(&invite, "180 Ringing", "");
    ladder.wish("connect the two", CallWish::Connect { id, other });
    let refer = ladder.newest("REFER ");
    assert!(!refer.contains("Replaces="), "{refer}");
    ladder.answer(&refer, "202 Accepted", "");
    tell(&mut ladder, &mut leg, "200 OK", true);
    assert_eq!(ladder.stage.end(id).0, "transferred");
    ladder.write(out);
}

#[test]
fn we_are_transferred() {
    let mut out = String::new();
    for (title, status) in [
        ("We are put through", "200 OK"),
        ("We are put through, and it is busy there", "486 Busy Here"),
        ("We are put through, and there is no such number", "404 Not Found"),
    ] {
        put_through(title, status, &mut out);
    }
    left_early(&mut out);
    replaced(&mut out);
    crate::page(
        "transferred.md",
        "Being transferred",
        "Others give us to somebody else. For you it stays one call whose name changes.",
        &out,
    );
}

fn put_through(title: &'static str, status: &str, out: &mut String) {
    let mut ladder = Ladder::new(title, "Bob asks us to call Carol in his place (RFC 3515).");
    let (id, mut leg) = ladder.talking("Bob", bob());
    let more = "Refer-To: <sip:2003@example.test>\r\nReferred-By: <sip:2002@example.test>\r\n";
    ladder.request(&mut leg, "REFER", more, "");
    let invite = ladder.newest("INVITE ");
    assert!(invite.starts_with("INVITE sip:2003@example.test"), "{invite}");
    assert_eq!(ladder.stage.state(id), CallState::Transferring);
    ladder.answer(&invite, "180 Ringing", "");
    if status.starts_with("200") {
        ladder.answer(&invite, status, &sdp("sendrecv"));
        assert_eq!(
            (ladder.stage.state(id), ladder.stage.call(id).remote.as_str()),
            (CallState::Connected, "2003")
        );
        ladder.request(&mut leg, "BYE", "", "");
        assert_eq!(ladder.stage.state(id), CallState::Connected);
    } else {
        ladder.answer(&invite, status, "");
        assert_eq!(
            (ladder.stage.state(id), ladder.stage.call(id).remote.as_str()),
            (CallState::Connected, "2002")
        );
        assert!(ladder.stage.call(id).trouble.is_some());
    }
    assert_eq!(ladder.stage.sound(id), (true, true));
    ladder.write(out);
}

fn left_early(out: &mut String) {
    let mut ladder = Ladder::new(
        "Who put us through hangs up first, and nobody answers",
        "There is no call to go back to.",
    );
    let (id, mut leg) = ladder.talking("Bob", bob());
    ladder.request(&mut leg, "REFER", "Refer-To: <sip:2003@example.test>\r\n", "");
    let invite = ladder.newest("INVITE ");
    ladder.request(&mut leg, "BYE", "", "");
    assert_eq!(ladder.stage.state(id), CallState::Transferring);
    ladder.answer(&invite, "480 Temporarily Unavailable", "");
    assert_eq!(ladder.stage.end(id).0, "noAnswer");
    ladder.write(out);
}

fn replaced(out: &mut String) {
    let mut ladder = Ladder::new(
        "Another takes the other side's place",
        "Bob has given us to Carol, who calls in place of him (RFC 3891). Nobody has to answer.",
    );
    let (id, mut leg) = ladder.talking("Bob", bob());
    let (call, ours, theirs) = Stage::dialog_of(&leg);
    let more = format!("Replaces: {call};to-tag={ours};from-tag={theirs}\r\n");
    let mut second =
        ladder.stage.invite_from("\"Carol\" <sip:2003@example.test>", &more, &sdp("sendrecv"));
    let answer = ladder.newest("SIP/2.0 200");
    second.theirs = crate::stage::header(&answer, "To").to_owned();
    ladder.request(&mut second, "ACK", "", "");
    let bye = ladder.stage.sent.iter().find(|message| message.starts_with("BYE ")).cloned();
    match bye {
        Some(bye) => ladder.answer(&bye, "200 OK", ""),
        None => ladder.request(&mut leg, "BYE", "", ""),
    }
    ladder.wait(secs(6));
    assert_eq!(ladder.stage.phone.calls().len(), 1);
    assert_eq!(
        (ladder.stage.state(id), ladder.stage.call(id).remote.as_str()),
        (CallState::Connected, "2003")
    );
    ladder.write(out);
}
