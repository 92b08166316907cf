//! A call goes on from another network.

use offhook_model::CallState;

use crate::stage::{Stage, sdp, secs};

const NEW: [u8; 4] = [192, 168, 7, 7];

/// The machine is on another network: the connection is opened anew from there and registered with.
fn move_to(stage: &mut Stage, home: [u8; 4]) {
    stage.home = home;
    stage.phone.network_changed(stage.now);
    stage.drain();
    stage.open();
    stage.accept_register();
}

/// The UPDATE that tells the new Contact is answered; what else was sent stays.
fn answer_update(stage: &mut Stage) {
    if stage.sent.first().is_some_and(|it| it.starts_with("UPDATE ")) {
        let update = stage.take("UPDATE ");
        stage.respond(&update, "200 OK", "", "");
    }
}

#[test]
fn the_sound_follows_and_the_other_side_is_told() {
    let mut stage = Stage::registered();
    let (id, mut leg) = stage.talking();
    stage.advance(secs(60));
    let before = stage.now;
    move_to(&mut stage, NEW);
    answer_update(&mut stage);
    let offer = stage.take("INVITE ");
    assert!(stage.now.at.duration_since(before.at) <= secs(3), "registered and moved within 3 s");
    assert!(offer.contains("c=IN IP4 192.168.7.7") && offer.contains("a=sendrecv"), "{offer}");
    assert!(offer.contains("Contact: <sip:alice@192.168.7.7:40000"), "{offer}");
    // The session is the same, and its description a later one (RFC 3264 section 8).
    assert!(offer.contains(" 2 IN IP4 192.168.7.7") || offer.contains(" 1 IN IP4"), "{offer}");
    stage.respond(&offer, "200 OK", "", &sdp("sendrecv"));
    stage.take("ACK ");
    assert_eq!((stage.state(id), stage.sound(id)), (CallState::Connected, (true, true)));
    assert!(stage.released.is_empty(), "the streams went on");
    stage.request(&mut leg, "BYE", "", "");
    assert_eq!(stage.end(id).0, "remoteHungUp");
}

#[test]
fn a_call_on_hold_moves_on_hold_and_is_taken_back_there() {
    let mut stage = Stage::registered();
    let (id, _) = stage.talking();
    stage.phone.hold(id, stage.now).expect("held");
    stage.drain();
    let offer = stage.take("INVITE ");
    stage.respond(&offer, "200 OK", "", &sdp("recvonly"));
    stage.take("ACK ");
    move_to(&mut stage, NEW);
    answer_update(&mut stage);
    let offer = stage.take("INVITE ");
    assert!(offer.contains("192.168.7.7") && offer.contains("a=sendonly"), "{offer}");
    // Whoever wants to talk again at once waits for this answer.
    stage.phone.resume(id, stage.now).expect("resumed");
    stage.drain();
    stage.nothing_sent();
    stage.respond(&offer, "200 OK", "", &sdp("recvonly"));
    stage.take("ACK ");
    let resume = stage.take("INVITE ");
    assert!(resume.contains("a=sendrecv"), "{resume}");
    stage.respond(&resume, "200 OK", "", &sdp("sendrecv"));
    stage.take("ACK ");
    assert_eq!((stage.state(id), stage.sound(id)), (CallState::Connected, (true, true)));
}

#[test]
fn who_does_not_want_to_know_is_sent_sound_all_the_same() {
    let mut stage = Stage::registered();
    let (id, _) = stage.talking();
    move_to(&mut stage, NEW);
    answer_update(&mut stage);
    let offer = stage.take("INVITE ");
    stage.respond(&offer, "488 Not Acceptable Here", "", "");
    stage.take("ACK ");
    assert_eq!((stage.state(id), stage.sound(id)), (CallState::Connected, (true, true)));
}

#[test]
fn who_has_forgotten_the_call_ends_it() {
    let mut stage = Stage::registered();
    let (id, _) = stage.talking();
    move_to(&mut stage, NEW);
    answer_update(&mut stage);
    let offer = stage.take("INVITE ");
    stage.respond(&offer, "481 Call/Transaction Does Not Exist", "", "");
    assert_eq!(stage.state(id), CallState::Ended);
}

#[test]
fn a_move_that_is_overtaken_by_another_ends_at_the_last_place() {
    let mut stage = Stage::registered();
    let (id, _) = stage.talking();
    move_to(&mut stage, NEW);
    stage.sent.clear();
    // The answer to the first offer is lost with its network.
    let last = [172, 16, 0, 5];
    move_to(&mut stage, last);
    answer_update(&mut stage);
    let offer = stage.take("INVITE ");
    assert!(offer.contains("c=IN IP4 172.16.0.5"), "{offer}");
    stage.respond(&offer, "200 OK", "", &sdp("sendrecv"));
    stage.take("ACK ");
    assert_eq!((stage.state(id), stage.sound(id)), (CallState::Connected, (true, true)));
}

#[test]
fn the_same_address_moves_nothing() {
    let mut stage = Stage::registered();
    let (id, _) = stage.talking();
    let applied = stage.applied.len();
    move_to(&mut stage, [10, 0, 0, 1]);
    assert_eq!((stage.state(id), stage.applied.len()), (CallState::Connected, applied));
    // The connection is another one, so the Contact is told: here by the same offer once more.
    let offer = stage.take("INVITE ");
    assert!(offer.contains("c=IN IP4 10.0.0.1"), "{offer}");
    stage.respond(&offer, "200 OK", "", &sdp("sendrecv"));
    stage.take("ACK ");
    stage.nothing_sent();
}

#[test]
fn without_a_port_there_the_call_says_so() {
    let mut stage = Stage::registered();
    let (id, _) = stage.talking();
    stage.ports_at_once = false;
    move_to(&mut stage, NEW);
    assert_eq!(stage.reserving, [id]);
    stage.phone.reserved(id, Err("no such address".into()), stage.now);
    stage.drain();
    let trouble = stage.call(id).trouble.expect("words");
    assert!(trouble.cause.contains("did not follow to this network"), "{}", trouble.cause);
    assert_eq!(stage.state(id), CallState::Connected);
}

#[test]
fn a_ringing_call_does_not_survive_the_loss_of_its_network() {
    let mut stage = Stage::registered();
    let (id, _) = stage.ringing_here();
    move_to(&mut stage, NEW);
    assert_eq!(stage.state(id), CallState::Ended);
}
