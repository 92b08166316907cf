//! Giving calls away and being given away (RFC 3515, 3891, 3892, 3911, 4488). The peer is played by
//! hand.

mod support;

use offhook_model::{DialString, Link};
use offhook_sip::{By, Event, ReferTarget, SipCall, TransferStep};
use support::talk::{ANSWER, CONTACT, Talk, calling, ringing, taken, talking, tcp, told};
use support::{SDP, Solo, account, between, body, first_line, header, response, secs};

fn number(text: &str) -> ReferTarget {
    ReferTarget::Number(DialString::Number(text.into()))
}

fn steps(solo: &mut Solo) -> Vec<TransferStep> {
    let step = |event| match event {
        Event::Transfer { step, .. } => Some(step),
        _ => None,
    };
    solo.take_events().into_iter().filter_map(step).collect()
}

fn transfer(solo: &mut Solo, call: SipCall, to: &ReferTarget) -> String {
    solo.ua.transfer(call, to, solo.now);
    solo.drain();
    solo.take("REFER ")
}

/// A transfer that the other side agreed to.
fn accepted(solo: &mut Solo) -> Talk {
    let talk = talking(solo, "2002", "b", "");
    let refer = transfer(solo, talk.call, &number("2003"));
    solo.feed(&response(&refer, "202 Accepted", "", CONTACT, ""));
    assert_eq!(steps(solo), [TransferStep::Accepted]);
    talk
}

#[test]
fn a_blind_transfer_is_followed_to_its_end() {
    let mut solo = tcp();
    let mut talk = talking(&mut solo, "2002", "b", "");
    let refer = transfer(&mut solo, talk.call, &number("2003"));
    assert_eq!(first_line(&refer), "REFER sip:bob@10.0.0.9:5060 SIP/2.0");
    assert_eq!(header(&refer, "Refer-To"), Some("<sip:2003@example.test;user=phone>"));
    assert_eq!(header(&refer, "Referred-By"), Some("\"ALICE\" <sip:alice@example.test>"));
    assert_eq!(header(&refer, "Contact"), Some("<sip:alice@10.0.0.1:40000;transport=tcp>"));
    assert!(solo.take_events().is_empty());
    solo.feed(&response(&refer, "202 Accepted", "", CONTACT, ""));
    assert_eq!(steps(&mut solo), [TransferStep::Accepted]);
    for (state, line, step) in [
        ("active;expires=60", "SIP/2.0 100 Trying", vec![]),
        ("active", "SIP/2.0 180 Ringing", vec![TransferStep::Progress(180)]),
        ("terminated;reason=noresource", "SIP/2.0 200 OK", vec![TransferStep::Done]),
        ("terminated;reason=noresource", "SIP/2.0 200 OK", vec![]),
    ] {
        told(&mut solo, &mut talk, state, line);
        solo.take("SIP/2.0 200");
        assert_eq!(steps(&mut solo), step, "{line}");
    }
    solo.ua.hang_up(talk.call, solo.now);
    solo.drain();
    solo.take("BYE ");
}

#[test]
fn an_attended_transfer_names_the_other_call() {
    let mut solo = tcp();
    let first = talking(&mut solo, "2002", "b", "");
    let second = talking(&mut solo, "2003", "c/1", "Contact: <sip:carol@10.0.0.3>\r\n");
    let refer = transfer(&mut solo, first.call, &ReferTarget::Call(second.call));
    assert_eq!(
        header(&refer, "Refer-To"),
        Some(&*format!(
            "<sip:2003@example.test;user=phone?Replaces={}%3Bto-tag%3Dc%2F1%3Bfrom-tag%3D{}>",
            second.id, second.ours
        ))
    );
    // A second attempt while the first is under way, and a call to itself.
    solo.ua.transfer(first.call, &number("1"), solo.now);
    solo.ua.transfer(second.call, &ReferTarget::Call(second.call), solo.now);
    solo.drain();
    let statuses: Vec<u16> = steps(&mut solo)
        .into_iter()
        .map(|step| match step {
            TransferStep::Failed { status, .. } => status,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(statuses, [491, 481]);
    assert!(solo.sent.is_empty());
}

#[test]
fn a_globally_good_contact_is_what_others_are_sent_to() {
    let mut solo = tcp();
    let first = talking(&mut solo, "2002", "b", "");
    let contact = "Contact: <sip:carol@x.test;gr=urn:uuid:1>\r\n";
    let second = talking(&mut solo, "2003", "c", contact);
    let refer = transfer(&mut solo, first.call, &ReferTarget::Call(second.call));
    assert!(
        header(&refer, "Refer-To")
            .is_some_and(|to| to.starts_with("<sip:carol@x.test;gr=urn:uuid:1?Replaces="))
    );
}

#[test]
fn what_goes_wrong_with_a_transfer_is_told() {
    let failed = |status: u16, text: &str| TransferStep::Failed { status, text: text.into() };
    // Refused.
    let mut solo = tcp();
    let talk = talking(&mut solo, "2002", "b", "");
    let refer = transfer(&mut solo, talk.call, &number("2003"));
    solo.feed(&response(&refer, "603 Decline", "", "Warning: 399 x \"no such thing\"\r\n", ""));
    assert_eq!(steps(&mut solo), [failed(603, "no such thing")]);
    // No answer: the call itself goes on.
    transfer(&mut solo, talk.call, &number("2003"));
    solo.advance(secs(33));
    assert_eq!(steps(&mut solo), [failed(408, "")]);
    // The target is busy.
    let mut solo = tcp();
    let mut talk = accepted(&mut solo);
    told(&mut solo, &mut talk, "terminated;reason=noresource", "SIP/2.0 486 Busy Here");
    solo.take("SIP/2.0 200");
    assert_eq!(steps(&mut solo), [failed(486, "Busy Here")]);
    // Agreed, and silent.
    let mut solo = tcp();
    accepted(&mut solo);
    solo.advance(secs(59));
    assert!(steps(&mut solo).is_empty());
    solo.advance(secs(2));
    assert_eq!(steps(&mut solo), [failed(408, "nothing was heard of the transfer")]);
    // The subscription ends in the middle.
    let mut solo = tcp();
    let mut talk = accepted(&mut solo);
    told(&mut solo, &mut talk, "terminated;reason=timeout", "SIP/2.0 180 Ringing");
    solo.take("SIP/2.0 200");
    assert_eq!(steps(&mut solo), [failed(408, "they do not tell how it ended")]);
    // Without a connection, and of a call that is not up.
    let mut solo = Solo::new(account("alice", Link::Tcp));
    solo.ua.transfer(SipCall(7), &number("1"), solo.now);
    solo.drain();
    assert_eq!(steps(&mut solo), [failed(481, "the call is not up")]);
}

#[test]
fn a_transfer_is_settled_by_the_goodbye_of_the_transferred() {
    let mut solo = tcp();
    let mut talk = accepted(&mut solo);
    told(&mut solo, &mut talk, "active", "SIP/2.0 100 Trying");
    solo.take("SIP/2.0 200");
    talk.say(&mut solo, "BYE", "", "");
    solo.take("SIP/2.0 200");
    let events = solo.take_events();
    assert!(
        matches!(&events[..], [Event::Transfer { step: TransferStep::Done, .. }, Event::Ended { end, .. }] if end.by == By::Them),
        "{events:?}"
    );
    told(&mut solo, &mut talk, "terminated", "SIP/2.0 200 OK");
    solo.take("SIP/2.0 200");
    solo.advance(secs(40));
    told(&mut solo, &mut talk, "terminated", "SIP/2.0 200 OK");
    solo.take("SIP/2.0 481");
    assert!(solo.take_events().is_empty());
}

#[test]
fn words_that_overtake_the_answer_count() {
    let mut solo = tcp();
    let mut talk = talking(&mut solo, "2002", "b", "");
    let refer = transfer(&mut solo, talk.call, &number("2003"));
    told(&mut solo, &mut talk, "active", "SIP/2.0 180 Ringing");
    solo.take("SIP/2.0 200");
    assert_eq!(steps(&mut solo), [TransferStep::Accepted, TransferStep::Progress(180)]);
    solo.feed(&response(&refer, "202 Accepted", "", "", ""));
    assert!(steps(&mut solo).is_empty());
}

#[test]
fn a_side_that_tells_nothing_has_done_its_part() {
    let mut solo = tcp();
    let talk = talking(&mut solo, "2002", "b", "");
    let refer = transfer(&mut solo, talk.call, &number("2003"));
    solo.feed(&response(&refer, "200 OK", "", "Refer-Sub: false\r\n", ""));
    assert_eq!(steps(&mut solo), [TransferStep::Accepted, TransferStep::Done]);
}

#[test]
fn a_challenged_refer_goes_out_again() {
    let mut solo = tcp();
    let mut talk = talking(&mut solo, "2002", "b", "");
    let refer = transfer(&mut solo, talk.call, &number("2003"));
    let challenge = "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n";
    solo.feed(&response(&refer, "407 Proxy Authentication Required", "", challenge, ""));
    let again = solo.take("REFER ");
    assert!(header(&again, "Proxy-Authorization").is_some());
    assert_eq!(header(&again, "CSeq"), Some("3 REFER"));
    solo.feed(&response(&again, "202 Accepted", "", "", ""));
    told(&mut solo, &mut talk, "terminated", "SIP/2.0 200 OK");
    assert_eq!(steps(&mut solo), [TransferStep::Accepted, TransferStep::Done]);
}

/// They ask for a call; the NOTIFY that is sent at once comes back.
fn referred(solo: &mut Solo, talk: &mut Talk, more: &str) -> String {
    talk.say(solo, "REFER", more, "");
    let mut sent = solo.take_all();
    assert_eq!(sent.len(), 2, "{sent:#?}");
    assert!(first_line(&sent[0]).starts_with("SIP/2.0 202"), "{sent:#?}");
    sent.remove(1)
}

#[test]
fn a_referral_is_followed_and_told() {
    let mut solo = tcp();
    let (mut talk, _) = taken(&mut solo, "in-1", "");
    let more =
        "Refer-To: \"Carol\" <sip:carol@other.test>\r\nReferred-By: <sip:bob@example.test>\r\n";
    let notify = referred(&mut solo, &mut talk, more);
    assert_eq!(first_line(&notify), "NOTIFY sip:bob@10.0.0.9:5060 SIP/2.0");
    assert_eq!(header(&notify, "Event"), Some("refer"));
    assert_eq!(header(&notify, "Subscription-State"), Some("active;expires=180"));
    assert_eq!(header(&notify, "Content-Type"), Some("message/sipfrag;version=2.0"));
    assert_eq!(body(&notify), "SIP/2.0 100 Trying\r\n");
    solo.feed(&response(&notify, "200 OK", "", "", ""));
    match &solo.take_events()[..] {
        [Event::Referred { call, referral }] => {
            assert_eq!((*call, referral.attended), (talk.call, false));
            assert_eq!(referral.target.uri, "sip:carol@other.test");
            assert_eq!(referral.target.name.as_deref(), Some("Carol"));
            assert_eq!(referral.by.as_ref().map(|by| by.number.as_str()), Some("bob"));
        }
        other => panic!("{other:?}"),
    }
    let made = solo.ua.follow(talk.call, SDP.into(), solo.now).expect("a call");
    solo.drain();
    let invite = solo.take("INVITE sip:carol@other.test SIP/2.0");
    assert_eq!(header(&invite, "Referred-By"), Some("<sip:bob@example.test>"));
    assert_eq!(header(&invite, "Replaces"), None);
    assert_eq!(solo.ua.follow(talk.call, SDP.into(), solo.now), None, "asked once");
    solo.feed(&response(&invite, "180 Ringing", "c", CONTACT, ""));
    let ringing = solo.take("NOTIFY ");
    assert_eq!(body(&ringing), "SIP/2.0 180 Ringing\r\n");
    solo.feed(&response(&ringing, "200 OK", "", "", ""));
    solo.feed(&response(&invite, "200 OK", "c", CONTACT, ANSWER));
    let sent = solo.take_all();
    assert!(sent[0].starts_with("ACK "), "{sent:#?}");
    assert_eq!(body(&sent[1]), "SIP/2.0 200 OK\r\n");
    assert_eq!(header(&sent[1], "Subscription-State"), Some("terminated;reason=noresource"));
    solo.ua.hang_up(made, solo.now);
    solo.drain();
    solo.take("BYE ");
}

#[test]
fn an_attended_referral_carries_replaces_and_no_other_header() {
    let mut solo = tcp();
    let (mut talk, _) = taken(&mut solo, "in-1", "");
    let more = "Refer-To: <sip:carol@x.test?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2&Route=%3Csip%3Aevil%3E>\r\n";
    let notify = referred(&mut solo, &mut talk, more);
    solo.feed(&response(&notify, "200 OK", "", "", ""));
    assert!(
        matches!(&solo.take_events()[..], [Event::Referred { referral, .. }] if referral.attended)
    );
    // They leave before we decide; what happens is told all the same.
    talk.say(&mut solo, "BYE", "", "");
    solo.take("SIP/2.0 200");
    solo.take_events();
    assert!(solo.ua.follow(talk.call, SDP.into(), solo.now).is_some());
    solo.drain();
    let invite = solo.take("INVITE sip:carol@x.test SIP/2.0");
    assert_eq!(header(&invite, "Replaces"), Some("a@b;to-tag=1;from-tag=2"));
    assert!(!invite.contains("evil"));
    solo.feed(&response(&invite, "486 Busy Here", "c", "", ""));
    let sent = solo.take_all();
    assert_eq!(body(&sent[1]), "SIP/2.0 486 Busy Here\r\n");
    assert_eq!(header(&sent[1], "Call-ID"), Some("in-1"));
    assert_eq!(header(&sent[1], "CSeq"), Some("102 NOTIFY"));
    solo.feed(&response(&sent[1], "481 x", "", "", ""));
}

#[test]
fn a_referral_can_be_refused_or_forgotten() {
    let mut solo = tcp();
    let (mut talk, _) = taken(&mut solo, "in-1", "");
    let notify = referred(&mut solo, &mut talk, "Refer-To: <tel:+49-30-55>\r\n");
    solo.feed(&response(&notify, "200 OK", "", "", ""));
    talk.say(&mut solo, "REFER", "Refer-To: <sip:x@y>\r\n", "");
    solo.take("SIP/2.0 491");
    solo.ua.refuse_referral(talk.call, 603, solo.now);
    solo.drain();
    let notify = solo.take("NOTIFY ");
    assert_eq!(body(&notify), "SIP/2.0 603 Decline\r\n");
    assert_eq!(header(&notify, "Subscription-State"), Some("terminated;reason=noresource"));
    solo.ua.refuse_referral(talk.call, 603, solo.now);
    solo.drain();
    assert!(solo.sent.is_empty());
    // The next one has a name, and is forgotten.
    solo.feed(&response(&notify, "200 OK", "", "", ""));
    let notify = referred(&mut solo, &mut talk, "Refer-To: <tel:+49-30-55>\r\n");
    assert_eq!(header(&notify, "Event"), Some(&*format!("refer;id={}", talk.cseq)));
    solo.feed(&response(&notify, "200 OK", "", "", ""));
    solo.advance(secs(181));
    let mut sent = solo.take_all().into_iter();
    let last = sent.find(|message| message.starts_with("NOTIFY ")).expect("the last word");
    assert_eq!(header(&last, "Subscription-State"), Some("terminated;reason=timeout"));
    assert_eq!(solo.ua.follow(talk.call, SDP.into(), solo.now), None);
}

#[test]
fn a_telephone_number_is_called_through_our_server_and_silence_is_kept() {
    let mut solo = tcp();
    let (mut talk, _) = taken(&mut solo, "in-1", "");
    talk.say(&mut solo, "REFER", "Refer-To: <tel:+49-30-55>\r\nRefer-Sub: false\r\n", "");
    let answer = solo.take("SIP/2.0 202");
    assert_eq!(header(&answer, "Refer-Sub"), Some("false"));
    solo.ua.follow(talk.call, SDP.into(), solo.now);
    solo.drain();
    let invite = solo.take("INVITE sip:+493055@example.test;user=phone ");
    solo.feed(&response(&invite, "200 OK", "c", CONTACT, ANSWER));
    solo.take("ACK ");
}

#[test]
fn a_subscription_to_a_referral_is_lengthened_and_ended() {
    let mut solo = tcp();
    let (mut talk, _) = taken(&mut solo, "in-1", "");
    referred(&mut solo, &mut talk, "Refer-To: <sip:x@y>\r\n");
    for (expires, state) in [("100", "active;expires=100"), ("0", "terminated;reason=timeout")] {
        let more = format!("Event: refer\r\nExpires: {expires}\r\n");
        talk.say(&mut solo, "SUBSCRIBE", &more, "");
        let sent = solo.take_all();
        assert!(sent[0].starts_with("SIP/2.0 200"), "{sent:#?}");
        assert_eq!(header(&sent[1], "Subscription-State"), Some(state));
    }
    talk.say(&mut solo, "SUBSCRIBE", "Event: refer\r\n", "");
    solo.take("SIP/2.0 489");
}

#[test]
fn referrals_that_make_no_sense_are_refused() {
    let mut solo = tcp();
    let (mut talk, _) = taken(&mut solo, "in-1", "");
    for (more, status) in [
        ("", "400"),
        ("Refer-To: <sip:a@b>\r\nRefer-To: <sip:c@d>\r\n", "400"),
        ("Refer-To: <sip:>\r\n", "400"),
        ("Refer-To: <http://example.test/>\r\n", "416"),
        ("Refer-To: <sip:a@b;method=BYE>\r\n", "501"),
        ("Refer-To: <sip:a@b?Replaces=x>\r\n", "400"),
    ] {
        talk.say(&mut solo, "REFER", more, "");
        solo.take(&format!("SIP/2.0 {status}"));
        assert!(solo.take_events().is_empty(), "{more}");
    }
    // Outside a call nobody may give one away.
    let replaces = "Refer-To: <sip:a@b?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\n";
    solo.request("REFER", 1, "out", ("b", ""), replaces, "");
    solo.take("SIP/2.0 403");
    // Nor before the call is up.
    let mut solo = tcp();
    let (mut talk, _) = ringing(&mut solo, "in-1", "");
    solo.ua.ring(talk.call, solo.now);
    solo.drain();
    talk.ours = support::talk::tag(&solo.take("SIP/2.0 180"), "To");
    talk.say(&mut solo, "REFER", "Refer-To: <sip:a@b>\r\n", "");
    solo.take("SIP/2.0 403");
}

#[test]
fn a_call_that_takes_the_place_of_another_ends_it_when_it_is_answered() {
    let mut solo = tcp();
    let old = talking(&mut solo, "2002", "b", "");
    let more = format!("Replaces: {};from-tag=b;to-tag={}\r\n", old.id, old.ours);
    solo.request("INVITE", 1, "new", ("c", ""), &more, SDP);
    solo.take("SIP/2.0 100");
    let new = match &solo.take_events()[..] {
        [Event::Incoming { call, arrival, .. }] => {
            assert_eq!(arrival.replaces, Some(old.call));
            *call
        }
        other => panic!("{other:?}"),
    };
    solo.ua.answer(new, SDP.into(), solo.now);
    solo.drain();
    let sent = solo.take_all();
    assert!(sent[0].starts_with("SIP/2.0 200"));
    assert!(sent[1].starts_with("BYE "));
    assert_eq!(header(&sent[1], "Call-ID"), Some(&*old.id));
    assert!(header(&sent[1], "Reason").is_some_and(|reason| reason.starts_with("SIP;cause=200")));
    assert!(
        matches!(&solo.take_events()[..], [Event::Ended { call, end }] if *call == old.call && end.by == By::Them)
    );
}

#[test]
fn a_call_of_ours_that_rings_can_be_replaced_by_whom_it_reached() {
    let mut solo = tcp();
    let (old, invite) = calling(&mut solo, "2002");
    solo.feed(&response(&invite, "180 Ringing", "b", CONTACT, ""));
    solo.take_events();
    let more = format!(
        "Replaces: {};from-tag=b;to-tag={};early-only\r\n",
        header(&invite, "Call-ID").expect("call-id"),
        support::talk::tag(&invite, "From")
    );
    solo.request("INVITE", 1, "new", ("c", ""), &more, SDP);
    solo.take("SIP/2.0 100");
    let new = match &solo.take_events()[..] {
        [Event::Incoming { call, arrival, .. }] if arrival.replaces == Some(old) => *call,
        other => panic!("{other:?}"),
    };
    solo.ua.answer(new, SDP.into(), solo.now);
    solo.drain();
    let sent = solo.take_all();
    assert!(sent[0].starts_with("SIP/2.0 200") && sent[1].starts_with("CANCEL "), "{sent:#?}");
    assert!(header(&sent[1], "Reason").is_some_and(|reason| reason.starts_with("SIP;cause=200")));
}

#[test]
fn only_who_knows_a_call_may_replace_or_join_it() {
    let mut solo = tcp();
    let (up, _) = taken(&mut solo, "up", "");
    let (rings, _) = ringing(&mut solo, "rings", "");
    solo.ua.ring(rings.call, solo.now);
    solo.drain();
    let ring_tag = support::talk::tag(&solo.take("SIP/2.0 180"), "To");
    let named = |name: &str, id: &str, to: &str, more: &str| {
        format!("{name}: {id};to-tag={to};from-tag=b{more}\r\n")
    };
    let good = named("Replaces", "up", &up.ours, "");
    let join = named("Join", "up", &up.ours, "");
    for (number, (headers, status)) in [
        (named("Replaces", "up", "guess", ""), "481"),
        (named("Replaces", "other", &up.ours, ""), "481"),
        (named("Replaces", "up", &up.ours, ";early-only"), "486"),
        (named("Replaces", "rings", &ring_tag, ""), "481"),
        (named("Join", "rings", &ring_tag, ""), "481"),
        (named("Join", "up", "guess", ""), "481"),
        (format!("{good}{good}"), "400"),
        (format!("{good}{join}"), "400"),
        ("Replaces: up\r\n".to_owned(), "400"),
    ]
    .into_iter()
    .enumerate()
    {
        solo.request("INVITE", 1, &format!("try-{number}"), ("c", ""), &headers, SDP);
        solo.take(&format!("SIP/2.0 {status}"));
        assert!(solo.take_events().is_empty(), "{headers}");
    }
    solo.request("INVITE", 1, "join", ("c", ""), &format!("Require: join\r\n{join}"), SDP);
    solo.take("SIP/2.0 100");
    assert!(
        matches!(&solo.take_events()[..], [Event::Incoming { arrival, .. }] if arrival.joins == Some(up.call))
    );
}

#[test]
fn an_arrival_tells_who_diverted_it_and_how_it_wants_to_be_answered() {
    let mut solo = tcp();
    let more = "Diversion: \"Desk\" <sip:2001@x>;reason=no-answer\r\nAnswer-Mode: Auto\r\n";
    solo.request("INVITE", 1, "in-1", ("b", ""), more, SDP);
    match &solo.take_events()[..] {
        [Event::Incoming { arrival, .. }] => {
            assert_eq!(arrival.answer_after, Some(secs(0)));
            assert_eq!(arrival.diverted[0].name.as_deref(), Some("Desk"));
        }
        other => panic!("{other:?}"),
    }
}

/// A REFER outside every call; what was answered, then told.
fn stranger(solo: &mut Solo, call_id: &str, more: &str) -> Vec<String> {
    solo.request("REFER", 1, call_id, ("eve", ""), more, "");
    solo.take_all()
}

#[test]
fn a_stranger_may_only_ask() {
    let mut solo = tcp();
    let sent = stranger(&mut solo, "r1", "Refer-To: <sip:carol@other.test>\r\n");
    assert!(sent[0].starts_with("SIP/2.0 202 ") && sent.len() == 2, "{sent:#?}");
    assert_eq!(body(&sent[1]), "SIP/2.0 100 Trying\r\n");
    assert_eq!(header(&sent[1], "Call-ID"), Some("r1"));
    let ours = between(header(&sent[0], "To").expect("to"), ";tag=", ';').to_owned();
    assert!(header(&sent[1], "From").is_some_and(|from| from.ends_with(&ours)), "one dialog");
    solo.feed(&response(&sent[1], "200 OK", "", "", ""));
    let asked = match &solo.take_events()[..] {
        [Event::Referred { call, referral }] => {
            assert!(referral.outside && referral.target.uri == "sip:carol@other.test");
            *call
        }
        other => panic!("{other:?}"),
    };
    // One question at a time; and nothing goes out by itself.
    let second = stranger(&mut solo, "r2", "Refer-To: <sip:dave@other.test>\r\n");
    assert!(second[0].starts_with("SIP/2.0 480 ") && second.len() == 1, "{second:#?}");
    solo.advance(secs(20));
    assert!(solo.take_all().is_empty());
    solo.ua.follow(asked, SDP.into(), solo.now).expect("a call");
    solo.drain();
    let invite = solo.take("INVITE sip:carol@other.test SIP/2.0");
    solo.feed(&response(&invite, "486 Busy Here", "c", CONTACT, ""));
    let sent = solo.take_all();
    assert!(sent[0].starts_with("ACK "), "{sent:#?}");
    assert_eq!(body(&sent[1]), "SIP/2.0 486 Busy Here\r\n");
    assert_eq!(header(&sent[1], "Subscription-State"), Some("terminated;reason=noresource"));
}

#[test]
fn a_stranger_is_told_that_nobody_wants_to() {
    let mut solo = tcp();
    let sent = stranger(&mut solo, "r1", "Refer-To: <sip:carol@other.test>\r\n");
    solo.feed(&response(&sent[1], "200 OK", "", "", ""));
    let Some(Event::Referred { call, .. }) = solo.take_events().pop() else { panic!("asked") };
    solo.ua.refuse_referral(call, 603, solo.now);
    solo.drain();
    assert_eq!(body(&solo.take("NOTIFY ")), "SIP/2.0 603 Decline\r\n");
    for more in [
        "Refer-To: <mailto:x@y>\r\n",
        "Refer-To: <sip:x@y;method=BYE>\r\n",
        "Refer-To: <sip:x@y?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\n",
        "",
    ] {
        solo.take_all();
        let sent = stranger(&mut solo, "r3", more);
        let status = &sent[0][8..11];
        assert!(
            sent.len() == 1 && matches!(status, "400" | "403" | "416" | "501"),
            "{more}: {status}"
        );
        solo.advance(secs(40));
    }
    assert!(solo.take_events().is_empty());
}
