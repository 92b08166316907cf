//! Digits, and what media says of the sound.

use offhook_model::{CallId, ErrorCode, Mos};
use offhook_ports::{Figures, MediaFact, Opinion};

use crate::stage::{PLAIN, Stage, bob, sdp, secs};

/// The error code of digits that are not taken.
fn refused(stage: &mut Stage, id: CallId, digits: &str) -> ErrorCode {
    stage.phone.dtmf(id, digits, stage.now).expect_err("refused").code
}

#[test]
fn how_it_sounds_is_shown_while_it_goes_on_and_kept_afterwards() {
    let mut stage = Stage::registered();
    let (id, _) = stage.talking();
    let tell = |stage: &mut Stage, now: u16, mean: u16| {
        let opinion = Opinion { now: Mos(now), mean: Mos(mean), least: Mos(100), most: Mos(500) };
        let received = Figures { opinion: Some(opinion), ..Figures::default() };
        let fact = MediaFact::Figures { call: id, received, sent: Figures::default() };
        stage.phone.media(&fact, stage.now);
    };
    let sound = |stage: &Stage| stage.call(id).sound.clone();
    // Before anything is heard there is nothing to say of it.
    tell(&mut stage, 440, 440);
    assert_eq!(sound(&stage), None);
    stage.phone.media(&MediaFact::FirstPacket(id), stage.now);
    for (mos, word) in [(440, "good"), (360, "good"), (359, "fair"), (309, "poor")] {
        tell(&mut stage, mos, 367);
        assert_eq!(sound(&stage).as_deref(), Some(word), "{mos}");
    }
    stage.phone.media(&MediaFact::Silence(id, secs(3)), stage.now);
    tell(&mut stage, 440, 367);
    assert_eq!(sound(&stage).as_deref(), Some("silent"));
    stage.phone.hang_up(id, stage.now).expect("hung up");
    stage.drain();
    let records: Vec<_> = stage.records.iter().map(|record| record.mos).collect();
    assert_eq!(records, [Some(Mos(367))]);
}

#[test]
fn digits_are_sent_and_kept_on_the_screen() {
    let mut stage = Stage::registered();
    let (id, _) = stage.talking();
    stage.phone.dtmf(id, "12*#", stage.now).expect("sent");
    stage.phone.dtmf(id, "aD", stage.now).expect("sent");
    stage.drain();
    assert_eq!(
        (stage.digits.concat().as_str(), stage.call(id).digits.as_str()),
        ("12*#aD", "12*#aD")
    );
}

#[test]
fn digits_work_before_the_answer() {
    let mut stage = Stage::registered();
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    assert_eq!(refused(&mut stage, id, "1"), ErrorCode::NotPossible);
    let invite = stage.take("INVITE ");
    stage.respond(&invite, "183 Session Progress", "", &sdp("sendrecv"));
    stage.phone.dtmf(id, "1", stage.now).expect("sent");
}

#[test]
fn what_is_no_digit_is_refused() {
    let mut stage = Stage::registered();
    let (id, _) = stage.talking();
    let long = "1".repeat(65);
    for digits in ["", "12a4x", "1 2", "é", long.as_str()] {
        assert_eq!(refused(&mut stage, id, digits), ErrorCode::InvalidParams, "{digits}");
    }
    assert_eq!(refused(&mut stage, CallId(99), "1"), ErrorCode::NoSuchObject);
    stage.phone.hold(id, stage.now).expect("held");
    assert_eq!(refused(&mut stage, id, "1"), ErrorCode::NotPossible);
    stage.drain();
    assert!(stage.digits.is_empty());
}

#[test]
fn digits_go_by_info_where_events_were_not_agreed() {
    let mut stage = Stage::registered();
    let id = stage.phone.dial(bob(), stage.now).expect("dialled");
    stage.drain();
    let invite = stage.take("INVITE ");
    stage.respond(&invite, "200 OK", "", PLAIN);
    stage.phone.dtmf(id, "1", stage.now).expect("sent");
    stage.drain();
    assert_eq!((stage.call(id).digits.as_str(), stage.digits.len()), ("1", 0));
}

#[test]
fn silence_and_sound_are_shown() {
    let mut stage = Stage::registered();
    let (id, _) = stage.talking();
    let sound = |stage: &Stage| stage.call(id).sound;
    assert_eq!(sound(&stage), None);
    stage.phone.media(&MediaFact::FirstPacket(id), stage.now);
    assert_eq!(sound(&stage).as_deref(), Some("good"));
    stage.phone.media(&MediaFact::Silence(id, secs(5)), stage.now);
    assert_eq!(sound(&stage).as_deref(), Some("silent"));
    stage.phone.media(&MediaFact::SoundAgain(id), stage.now);
    assert_eq!(sound(&stage).as_deref(), Some("good"));
    stage.phone.media(&MediaFact::FirstPacket(CallId(99)), stage.now);
}
