//! Calls that answer by themselves, lines that are watched, and a server that wants a new beginning.

use offhook_model::{CallState, CallWish, DialString, ErrorCode, LineState};

use crate::stage::{Stage, bob, sdp, secs};

#[test]
fn a_call_answers_by_itself_only_where_the_user_allowed_it() {
    let more = "Call-Info: <sip:example.test>;answer-after=2\r\n";
    let mut stage = Stage::registered();
    stage.invite_with(more, &sdp("sendrecv"));
    stage.advance(secs(10));
    assert_eq!(stage.state(stage.newest()), CallState::Incoming);

    let mut stage = Stage::registered();
    stage.phone.answer_if_asked(true);
    stage.invite_with(more, &sdp("sendrecv"));
    stage.advance(secs(1));
    assert_eq!(stage.state(stage.newest()), CallState::Incoming);
    stage.advance(secs(2));
    assert_eq!(stage.state(stage.newest()), CallState::Connected);

    // Never beside another call.
    let first = stage.newest();
    stage.invite_with(more, &sdp("sendrecv"));
    stage.advance(secs(10));
    assert_eq!(stage.state(stage.newest()), CallState::Incoming);
    assert_eq!(stage.state(first), CallState::Connected);
}

#[test]
fn lines_are_watched_until_others_are() {
    let mut stage = Stage::registered();
    let line = |number: &str| DialString::Number(number.into());
    let watch = CallWish::Watch(vec![line("2003"), line("2004"), line("2003")]);
    stage.phone.wish(watch, stage.now).expect("watched");
    stage.drain();
    let numbers = |stage: &Stage| -> Vec<(String, LineState)> {
        stage.phone.state().lines.iter().map(|line| (line.number.clone(), line.state)).collect()
    };
    let unknown = |number: &str| (number.to_owned(), LineState::Unknown);
    assert_eq!(numbers(&stage), [unknown("2003"), unknown("2004")]);
    stage.phone.wish(CallWish::Watch(vec![line("2004")]), stage.now).expect("watched");
    assert_eq!(numbers(&stage), [unknown("2004")]);
    let many = (0..101).map(|n| line(&(3000 + n).to_string())).collect();
    let error = stage.phone.wish(CallWish::Watch(many), stage.now).expect_err("too many");
    assert_eq!(error.code, ErrorCode::InvalidParams);
}

#[test]
fn nothing_is_taken_over_or_redialled_without_reason() {
    let mut stage = Stage::registered();
    for wish in [CallWish::TakeOver, CallWish::Redial] {
        let error = stage.phone.wish(wish, stage.now).expect_err("refused");
        assert_eq!(error.code, ErrorCode::NotPossible);
    }
    stage.phone.dialled_before(bob());
    stage.phone.wish(CallWish::Redial, stage.now).expect("dialled");
    stage.drain();
    assert!(stage.take("INVITE ").starts_with("INVITE sip:2002@"));
}

#[test]
fn what_is_said_of_calls_that_are_not_there_is_refused() {
    let mut stage = Stage::registered();
    let (id, _) = stage.talking();
    let other = offhook_model::CallId(99);
    for wish in [
        CallWish::Transfer { id: other, to: bob() },
        CallWish::Connect { id, other },
        CallWish::Merge { id, other },
        CallWish::Park(other),
        CallWish::Divert(other),
        CallWish::Expel { id: other, participant: "x".into() },
    ] {
        let error = stage.phone.wish(wish, stage.now).expect_err("no such call");
        assert_eq!(error.code, ErrorCode::NoSuchObject);
    }
    for wish in [
        CallWish::Connect { id, other: id },
        CallWish::Merge { id, other: id },
        CallWish::Park(id),
        CallWish::Divert(id),
    ] {
        let error = stage.phone.wish(wish, stage.now).expect_err("not possible");
        assert_eq!(error.code, ErrorCode::NotPossible);
    }
    stage.drain();
    stage.nothing_sent();
    assert_eq!(stage.state(id), CallState::Connected);
}

#[test]
fn who_insists_on_an_answer_by_itself_is_refused_where_nothing_answers() {
    let insists = "Answer-Mode: Auto;require\r\n";
    let mut stage = Stage::registered();
    stage.invite_with(insists, &sdp("sendrecv"));
    stage.take("SIP/2.0 100 ");
    let refusal = stage.take("SIP/2.0 403 ");
    assert!(refusal.contains("Automatic answer forbidden"), "{refusal}");
    assert_eq!(stage.records.len(), 1, "it is in the history");

    let mut stage = Stage::registered();
    stage.phone.answer_if_asked(true);
    stage.invite_with(insists, &sdp("sendrecv"));
    stage.advance(secs(1));
    assert!(stage.sent.iter().any(|it| it.starts_with("SIP/2.0 200 ")), "{:#?}", stage.sent);
}

/// Somebody we do not talk to asks us to call this; the question and its id, if there is one.
fn stranger(stage: &mut Stage, to: &str) -> Option<(u32, String, String)> {
    stage.server_asks("REFER", &format!("Refer-To: <{to}>\r\n"), "");
    stage.phone.state().asked.first().map(|it| (it.id, it.by.clone(), it.to.clone()))
}

#[test]
fn strangers_may_ask_for_a_call_and_the_person_decides() {
    let mut stage = Stage::registered();
    let (id, by, to) = stranger(&mut stage, "sip:2002@example.test").expect("a question");
    assert_eq!((by.as_str(), to.as_str()), ("server", "2002"));
    stage.take("SIP/2.0 202 ");
    let trying = stage.take("NOTIFY ");
    stage.respond(&trying, "200 OK", "", "");
    stage.advance(secs(30));
    assert!(stage.phone.calls().is_empty(), "nothing is dialled by itself");
    stage.nothing_sent();
    let accept = CallWish::AnswerReferral { id, accept: true };
    stage.phone.wish(accept.clone(), stage.now).expect("called");
    stage.drain();
    let invite = stage.take("INVITE sip:2002@example.test");
    assert!(stage.phone.state().asked.is_empty());
    stage.respond(&invite, "200 OK", "", &sdp("sendrecv"));
    assert_eq!(stage.state(stage.newest()), CallState::Connected);
    assert_eq!(
        stage.phone.wish(accept, stage.now).expect_err("answered").code,
        ErrorCode::NoSuchObject
    );

    // The same number in another domain is somebody else.
    let mut stage = Stage::registered();
    let (id, _, to) = stranger(&mut stage, "sip:2002@elsewhere.test;x=y").expect("a question");
    assert_eq!(to, "2002@elsewhere.test");
    stage.sent.clear();
    stage.phone.wish(CallWish::AnswerReferral { id, accept: false }, stage.now).expect("refused");
    stage.drain();
    let told = stage.take("NOTIFY ");
    assert!(told.contains("SIP/2.0 603 "), "{told}");
    assert!(stage.phone.state().asked.is_empty() && stage.phone.calls().is_empty());
}

#[test]
fn a_question_of_strangers_ends_and_may_be_refused_unasked() {
    let mut stage = Stage::registered();
    stranger(&mut stage, "sip:2002@example.test").expect("a question");
    stage.advance(secs(181));
    assert!(stage.phone.state().asked.is_empty() && stage.phone.calls().is_empty());

    let mut stage = Stage::registered();
    stage.phone.refuse_referrals(true);
    assert_eq!(stranger(&mut stage, "sip:2002@example.test"), None);
    assert!(stage.sent.iter().any(|it| it.contains("SIP/2.0 603 ")), "{:#?}", stage.sent);
}
