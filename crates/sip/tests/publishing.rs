//! What others see of us, where the account has no chat (RFC 3903).

mod support;

use offhook_model::{Activity, Availability, Link, Presence};
use support::{Solo, account, body, cucm_account, first_line, header, response, secs};

fn is(availability: Availability) -> Presence {
    Presence { availability, ..Presence::default() }
}

/// The newest PUBLISH; nothing else was sent but keep-alives.
fn published(solo: &mut Solo) -> Option<String> {
    let mut sent = solo.take_all();
    sent.retain(|it| !it.trim().is_empty());
    assert!(sent.iter().all(|it| it.starts_with("PUBLISH ")) && sent.len() < 2, "{sent:#?}");
    sent.pop()
}

fn accept(solo: &mut Solo, request: &str, etag: &str) {
    let more = format!("SIP-ETag: {etag}\r\nExpires: 600\r\n");
    solo.feed(&response(request, "200 OK", "p", &more, ""));
}

fn show(solo: &mut Solo, presence: &Presence) -> Option<String> {
    solo.ua.publish(Some(presence), solo.now);
    solo.drain();
    published(solo)
}

fn available() -> (Solo, String) {
    let mut solo = Solo::registered(account("alice", Link::Tcp));
    let first = show(&mut solo, &is(Availability::Available)).expect("told");
    (solo, first)
}

#[test]
fn presence_is_told_changed_renewed_and_taken_back() {
    let (mut solo, first) = available();
    assert_eq!(first_line(&first), "PUBLISH sip:alice@example.test SIP/2.0");
    assert_eq!(header(&first, "Event"), Some("presence"));
    assert_eq!(header(&first, "SIP-If-Match"), None);
    assert!(body(&first).contains("<basic>open</basic>") && !body(&first).contains("rpid:activ"));
    // What changes while the first is out follows it.
    let busy = Presence { note: Some("a < b & \"c\"\u{1}".into()), ..is(Availability::Dnd) };
    assert_eq!(show(&mut solo, &busy), None);
    accept(&mut solo, &first, "e1");
    let second = published(&mut solo).expect("told");
    assert_eq!(header(&second, "SIP-If-Match"), Some("e1"));
    assert!(body(&second).contains("<rpid:busy/>"), "{second}");
    assert!(body(&second).contains("<note>a &lt; b &amp; &quot;c&quot; </note>"), "{second}");
    accept(&mut solo, &second, "e2");
    assert_eq!(show(&mut solo, &busy), None, "no news");
    // Renewed half a minute before its end, without a body.
    solo.advance(secs(571));
    let refresh = published(&mut solo).expect("renewed");
    assert_eq!((header(&refresh, "SIP-If-Match"), body(&refresh)), (Some("e2"), ""));
    accept(&mut solo, &refresh, "e3");
    solo.ua.stop(solo.now);
    solo.drain();
    let sent = solo.take_all();
    let last = sent.iter().find(|it| it.starts_with("PUBLISH ")).expect("taken back");
    assert_eq!((header(last, "Expires"), header(last, "SIP-If-Match")), (Some("0"), Some("e3")));
    assert!(sent.iter().any(|it| it.starts_with("REGISTER ")));
}

#[test]
fn what_keeps_us_busy_has_its_word() {
    for (presence, word, basic) in [
        (is(Availability::Away), "<rpid:away/>", "open"),
        (is(Availability::Offline), "", "closed"),
        (
            Presence { activity: Some(Activity::OnCall), ..is(Availability::Available) },
            "<rpid:on-the-phone/>",
            "open",
        ),
        (
            Presence { activity: Some(Activity::InMeeting), ..is(Availability::Dnd) },
            "<rpid:meeting/>",
            "open",
        ),
    ] {
        let mut solo = Solo::registered(account("alice", Link::Tcp));
        let told = show(&mut solo, &presence).expect("told");
        assert!(body(&told).contains(word), "{told}");
        assert!(body(&told).contains(&format!("<basic>{basic}</basic>")), "{told}");
    }
}

#[test]
fn a_server_that_has_forgotten_is_told_anew_and_not_without_end() {
    let (mut solo, first) = available();
    accept(&mut solo, &first, "e1");
    let mut request = show(&mut solo, &is(Availability::Away)).expect("told");
    for _ in 0..3 {
        solo.feed(&response(&request, "412 Conditional Request Failed", "p", "", ""));
        request = published(&mut solo).expect("anew");
        assert_eq!(header(&request, "SIP-If-Match"), None);
        assert!(body(&request).contains("away"));
    }
    solo.feed(&response(&request, "412 Conditional Request Failed", "p", "", ""));
    solo.advance(secs(3500));
    assert_eq!(published(&mut solo), None);
}

#[test]
fn a_server_that_knows_nothing_of_it_is_asked_once() {
    for status in ["405 Method Not Allowed", "489 Bad Event", "501 Not Implemented", "403 No"] {
        let (mut solo, first) = available();
        solo.feed(&response(&first, status, "p", "", ""));
        assert_eq!(show(&mut solo, &is(Availability::Away)), None, "{status}");
        solo.advance(secs(3000));
        assert_eq!(published(&mut solo), None, "{status}");
    }
}

#[test]
fn a_server_in_trouble_is_asked_again_later() {
    let (mut solo, first) = available();
    solo.feed(&response(&first, "503 Service Unavailable", "p", "Retry-After: 90\r\n", ""));
    assert_eq!(show(&mut solo, &is(Availability::Away)), None, "not before");
    solo.advance(secs(89));
    assert_eq!(published(&mut solo), None);
    solo.advance(secs(2));
    let again = published(&mut solo).expect("told");
    assert!(body(&again).contains("away"));
    solo.feed(&response(&again, "423 Interval Too Brief", "p", "Min-Expires: 7200\r\n", ""));
    let longer = published(&mut solo).expect("told");
    assert_eq!(header(&longer, "Expires"), Some("7200"));
}

#[test]
fn a_call_manager_is_told_nothing() {
    let mut solo = Solo::registered(cucm_account());
    assert_eq!(show(&mut solo, &is(Availability::Available)), None);
}
