//! Calls that do not come about, by the answer they get.

use offhook_model::CallState;

use crate::ladder::Ladder;
use crate::stage::{FOREIGN, bob, sdp, secs};

/// Status, whether it rang before, and the cause that the user is told.
const ANSWERS: &[(&str, &str, bool, &str)] = &[
    ("Busy", "486 Busy Here", false, "busy"),
    ("Busy everywhere", "600 Busy Everywhere", false, "busy"),
    ("Nobody answers", "480 Temporarily Unavailable", true, "noAnswer"),
    ("The server gives up waiting", "408 Request Timeout", true, "noAnswer"),
    ("Declined", "603 Decline", true, "declined"),
    ("No such number", "404 Not Found", false, "notFound"),
    ("The number is gone", "410 Gone", false, "notFound"),
    ("The number is incomplete", "484 Address Incomplete", false, "notFound"),
    ("It exists nowhere", "604 Does Not Exist Anywhere", false, "notFound"),
    ("Not allowed", "403 Forbidden", false, "failed"),
    ("No sound in common", "488 Not Acceptable Here", false, "failed"),
    ("Another refusal (4xx)", "420 Bad Extension", false, "failed"),
    ("The server is out of order (5xx)", "500 Server Internal Error", false, "failed"),
    ("The server is overloaded (5xx)", "503 Service Unavailable", false, "failed"),
    ("The server waits in vain (5xx)", "504 Server Time-out", true, "failed"),
    ("Not acceptable anywhere (6xx)", "606 Not Acceptable", false, "failed"),
    ("A redirection (3xx)", "302 Moved Temporarily", false, "failed"),
];

#[test]
fn every_answer_has_its_words() {
    let mut out = String::new();
    for (title, status, rings, cause) in ANSWERS {
        let words =
            "The call is refused; what you see says why, and the row stays for four seconds.";
        let mut ladder = Ladder::new(title, words);
        let (id, invite) = ladder.dial("Bob", bob());
        ladder.answer(&invite, "100 Trying", "");
        if *rings {
            ladder.answer(&invite, "180 Ringing", "");
        }
        ladder.answer(&invite, status, "");
        assert_eq!(ladder.stage.end(id).0, *cause, "{status}");
        ladder.wait(secs(5));
        assert!(ladder.stage.phone.calls().is_empty());
        ladder.write(&mut out);
    }
    bad_answer(&mut out);
    crate::page(
        "refused.md",
        "Calls that are refused",
        "What becomes of a call by the answer it gets (RFC 3261 section 21).",
        &out,
    );
}

fn bad_answer(out: &mut String) {
    let mut ladder = Ladder::new(
        "Answered with sound nobody has",
        "A call without a description of both sides can only be ended (RFC 3261 section 13.2.2.4).",
    );
    let (id, invite) = ladder.dial("Bob", bob());
    ladder.answer(&invite, "200 OK", FOREIGN);
    assert_eq!(ladder.stage.state(id), CallState::Ended);
    let bye = ladder.newest("BYE ");
    ladder.answer(&bye, "200 OK", "");
    ladder.wait(secs(5));
    ladder.write(out);
}

#[test]
fn ordinary_calls() {
    let mut out = String::new();
    let mut ladder = Ladder::new("We call", "Rings, is answered, and is ended by us.");
    let (id, _) = ladder.talking("Bob", bob());
    ladder.wait(secs(60));
    ladder.you("hang up", |phone, now| phone.hang_up(id, now)).expect("hung up");
    let bye = ladder.newest("BYE ");
    ladder.answer(&bye, "200 OK", "");
    ladder.write(&mut out);

    let mut ladder = Ladder::new("We are called", "The other side ends it.");
    let mut leg = ladder.stage.invite(&sdp("sendrecv"));
    let ringing = ladder.newest("SIP/2.0 180");
    leg.theirs = crate::stage::header(&ringing, "To").to_owned();
    let id = ladder.stage.newest();
    ladder.wait(secs(3));
    ladder.you("answer", |phone, now| phone.answer(id, now)).expect("answered");
    ladder.request(&mut leg, "ACK", "", "");
    ladder.wait(secs(10));
    ladder.request(&mut leg, "BYE", "", "");
    assert_eq!(ladder.stage.end(id).0, "remoteHungUp");
    ladder.write(&mut out);

    let mut ladder = Ladder::new("We change our mind", "Cancelled before the answer.");
    let (id, invite) = ladder.dial("Bob", bob());
    ladder.answer(&invite, "180 Ringing", "");
    ladder.you("hang up", |phone, now| phone.hang_up(id, now)).expect("hung up");
    let cancel = ladder.newest("CANCEL ");
    ladder.answer(&cancel, "200 OK", "");
    ladder.answer(&invite, "487 Request Terminated", "");
    assert_eq!(ladder.stage.end(id).0, "cancelled");
    ladder.write(&mut out);

    let mut ladder = Ladder::new(
        "Sound before the answer",
        "An announcement is heard instead of a tone (RFC 3960).",
    );
    let (_, invite) = ladder.dial("Bob", bob());
    ladder.answer(&invite, "183 Session Progress", &sdp("sendrecv"));
    ladder.wait(secs(4));
    ladder.answer(&invite, "200 OK", &sdp("sendrecv"));
    ladder.write(&mut out);

    let mut ladder = Ladder::new("A missed call", "They give up; the history has it.");
    let mut leg = ladder.stage.invite(&sdp("sendrecv"));
    ladder.wait(secs(12));
    ladder.request(&mut leg, "CANCEL", "", "");
    ladder.request(&mut leg, "ACK", "", "");
    assert!(ladder.stage.records[0].missed);
    ladder.write(&mut out);
    crate::page("calls.md", "Ordinary calls", "Made, taken, given up.", &out);
}
