//! Calls that are sent elsewhere, and calls that others want us to make.

use offhook_model::{CallState, CallWish};

use crate::ladder::Ladder;
use crate::stage::{Stage, bob, sdp, secs};

/// The answer to an INVITE that names other places.
fn elsewhere(invite: &str, contacts: &str) -> String {
    Stage::response(invite, "302 Moved Temporarily", "", "")
        .replace("<sip:bob@10.0.0.2:5060>", contacts)
}

#[test]
fn sent_on_and_asked() {
    let mut out = String::new();
    followed(&mut out);
    busy_there(&mut out);
    not_followed(&mut out);
    in_circles(&mut out);
    asked_and_called(&mut out);
    asked_and_refused(&mut out);
    crate::page(
        "redirected.md",
        "Sent elsewhere, and asked to call",
        "A call is sent on by whom it reaches (RFC 3261 section 8.1.3.4), or somebody outside every call wants \
         us to make one (RFC 3515).",
        &out,
    );
}

fn followed(out: &mut String) {
    let mut ladder =
        Ladder::new("Sent to another number", "Followed within our own domain, and shown.");
    let (id, invite) = ladder.dial("Bob", bob());
    ladder.answer_changed(&elsewhere(&invite, "\"Mobile\" <sip:2009@example.test>"));
    let next = ladder.newest("INVITE sip:2009@example.test");
    ladder.answer(&next, "180 Ringing", "");
    ladder.answer(&next, "200 OK", &sdp("sendrecv"));
    assert_eq!(ladder.stage.state(id), CallState::Connected);
    ladder.write(out);
}

fn busy_there(out: &mut String) {
    let mut ladder = Ladder::new(
        "Sent to several, and none of them takes it",
        "The best first; the last refusal is what the user is told.",
    );
    let (id, invite) = ladder.dial("Bob", bob());
    let contacts = "<sip:2008@example.test>;q=0.3, <sip:2009@example.test>;q=0.9";
    ladder.answer_changed(&elsewhere(&invite, contacts));
    for number in ["2009", "2008"] {
        let next = ladder.newest(&format!("INVITE sip:{number}@example.test"));
        ladder.answer(&next, "486 Busy Here", "");
    }
    assert_eq!(ladder.stage.end(id).0, "busy");
    ladder.write(out);
}

fn not_followed(out: &mut String) {
    for (title, contact) in [
        ("Sent to another domain", "<sip:2009@elsewhere.test>"),
        ("Sent to a telephone number", "<tel:+19005551234>"),
    ] {
        let words = "What may cost money or go to strangers is shown and not dialled.";
        let mut ladder = Ladder::new(title, words);
        let (id, invite) = ladder.dial("Bob", bob());
        ladder.answer_changed(&elsewhere(&invite, contact));
        assert_eq!(ladder.stage.end(id), ("failed", Some(302)));
        ladder.write(out);
    }
}

fn in_circles(out: &mut String) {
    let mut ladder = Ladder::new("Sent in circles", "It ends when an address comes round again.");
    let (id, invite) = ladder.dial("Bob", bob());
    ladder.answer_changed(&elsewhere(&invite, "<sip:2009@example.test>"));
    for to in ["2002", "2009"] {
        let next = ladder.newest("INVITE ");
        ladder.answer_changed(&elsewhere(&next, &format!("<sip:{to}@example.test>")));
    }
    assert_eq!(ladder.stage.state(id), CallState::Ended);
    ladder.write(out);
}

/// Somebody we do not talk to wants us to call Carol.
fn stranger(ladder: &mut Ladder) {
    ladder.stage.server_asks("REFER", "Refer-To: <sip:2003@example.test>\r\n", "");
    ladder.note();
}

/// They heard what we told them.
fn heard(ladder: &mut Ladder) {
    let told = ladder.newest("NOTIFY ");
    ladder.answer(&told, "200 OK", "");
}

fn asked_and_called(out: &mut String) {
    let mut ladder = Ladder::new(
        "A stranger wants us to call somebody",
        "Nothing is dialled before you agree; then they are told how it fares.",
    );
    stranger(&mut ladder);
    heard(&mut ladder);
    ladder.wait(secs(10));
    assert!(ladder.stage.phone.calls().is_empty());
    let id = ladder.stage.phone.state().asked[0].id;
    ladder.wish("call them", CallWish::AnswerReferral { id, accept: true });
    let invite = ladder.newest("INVITE sip:2003@example.test");
    ladder.answer(&invite, "180 Ringing", "");
    heard(&mut ladder);
    ladder.answer(&invite, "200 OK", &sdp("sendrecv"));
    heard(&mut ladder);
    assert_eq!(ladder.stage.state(ladder.stage.newest()), CallState::Connected);
    ladder.write(out);
}

fn asked_and_refused(out: &mut String) {
    let mut ladder =
        Ladder::new("A stranger asks, and you refuse", "They are told; nothing is dialled.");
    stranger(&mut ladder);
    heard(&mut ladder);
    let id = ladder.stage.phone.state().asked[0].id;
    ladder.wish("do not call", CallWish::AnswerReferral { id, accept: false });
    heard(&mut ladder);
    ladder.write(out);

    let mut ladder = Ladder::new(
        "A stranger asks, and nobody decides",
        "After three minutes the question is gone; nothing is dialled.",
    );
    stranger(&mut ladder);
    heard(&mut ladder);
    ladder.wait(secs(185));
    assert!(ladder.stage.phone.state().asked.is_empty());
    assert!(ladder.stage.phone.calls().is_empty());
    ladder.write(out);

    let mut ladder = Ladder::new(
        "A stranger asks, and such questions are switched off",
        "Refused without a question (`calls.refuseReferrals`).",
    );
    ladder.stage.phone.refuse_referrals(true);
    stranger(&mut ladder);
    assert!(ladder.stage.phone.state().asked.is_empty());
    ladder.write(out);
}
