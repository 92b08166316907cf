//! Registering, staying registered, and finding the way back.

mod support;

use offhook_model::{Fault, Link, TlsFault};
use offhook_ports::PhoneAccount;
use offhook_sip::{Event, message};
use support::world::World;
use support::{Solo, account, cucm_account, first_line, header, headers, response, secs, server};

const CHALLENGE: &str =
    "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"\r\n";

fn failures(solo: &mut Solo) -> Vec<(Fault, Option<u64>)> {
    let failed = |event| match event {
        Event::RegistrationFailed { fault, retry_in, .. } => {
            Some((fault, retry_in.map(|wait| wait.as_secs())))
        }
        _ => None,
    };
    solo.take_events().into_iter().filter_map(failed).collect()
}

#[test]
fn a_phone_registers_with_digest_over_every_link() {
    for link in [Link::Udp, Link::Tcp, Link::Tls] {
        let mut world = World::new(link);
        world.challenge = true;
        world.start();
        assert_eq!(world.registers, 4, "{link:?}: a challenge and an answer each");
        assert_eq!(world.phones[0].ua.is_secure(), link == Link::Tls);
    }
}

#[test]
fn a_refresh_comes_before_expiry_and_uses_the_nonce_again() {
    let mut world = World::new(Link::Tcp);
    (world.challenge, world.expires) = (true, 120);
    world.start();
    world.run(secs(113));
    assert_eq!(world.registers, 4);
    world.run(secs(3));
    assert_eq!(world.registers, 6, "one each at 115 s, not challenged again");
    assert!(world.events(0).is_empty(), "a refresh is no event");
}

#[test]
fn a_registrar_that_restarts_is_found_again_within_thirty_seconds() {
    for link in [Link::Tcp, Link::Tls] {
        let mut world = World::ready(link);
        world.run(secs(100));
        world.crash();
        world.run(secs(20));
        assert!(!world.phones[0].ua.is_registered());
        world.up = true;
        world.run(secs(10));
        assert!(world.phones.iter().all(|phone| phone.ua.is_registered()), "{:#?}", world.trace);
    }
}

#[test]
fn a_silent_udp_registrar_is_noticed_and_found_again() {
    let mut world = World::new(Link::Udp);
    world.expires = 160;
    world.start();
    world.up = false;
    // Refreshed at 90 s, which takes 32 s to fail.
    world.run(secs(123));
    assert!(!world.phones[0].ua.is_registered());
    world.up = true;
    world.run(secs(30));
    assert!(world.phones[0].ua.is_registered(), "{:#?}", world.trace);
}

#[test]
fn a_wrong_password_is_tried_once() {
    let mut solo = Solo::new(account("alice", Link::Tcp));
    solo.start();
    solo.open();
    let first = solo.take("REGISTER ");
    assert_eq!(header(&first, "Authorization"), None);
    solo.feed(&response(&first, "401 Unauthorized", "r", CHALLENGE, ""));
    let second = solo.take("REGISTER ");
    assert!(
        header(&second, "Authorization")
            .is_some_and(|a| a.contains("nc=00000001") && a.contains("SHA-256"))
    );
    assert!(!second.contains("secret"));
    solo.take_events();
    solo.feed(&response(&second, "401 Unauthorized", "r", CHALLENGE, ""));
    assert_eq!(failures(&mut solo), [(Fault::BadCredentials, None)]);
    solo.advance(secs(3600));
    assert!(solo.sent.is_empty() && solo.opened.len() == 1);
}

#[test]
fn a_stale_nonce_is_no_wrong_password() {
    let mut solo = Solo::new(account("alice", Link::Tcp));
    solo.start();
    solo.open();
    let mut request = solo.take("REGISTER ");
    solo.feed(&response(&request, "401 Unauthorized", "r", CHALLENGE, ""));
    for nonce in ["m", "o"] {
        request = solo.take("REGISTER ");
        let stale =
            format!("WWW-Authenticate: Digest realm=\"r\", nonce=\"{nonce}\", stale=TRUE\r\n");
        solo.feed(&response(&request, "401 Unauthorized", "r", &stale, ""));
    }
    request = solo.take("REGISTER ");
    assert!(header(&request, "Authorization").is_some_and(|a| a.contains("nonce=\"o\"")));
    solo.feed(&response(&request, "200 OK", "r", "", ""));
    assert!(solo.ua.is_registered());
}

#[test]
fn the_next_nonce_is_used_and_counted_from_one() {
    let mut solo = Solo::new(account("alice", Link::Tcp));
    solo.start();
    solo.open();
    let first = solo.take("REGISTER ");
    solo.feed(&response(&first, "401 Unauthorized", "r", CHALLENGE, ""));
    let second = solo.take("REGISTER ");
    let more = "Expires: 60\r\nAuthentication-Info: nextnonce=\"new\", qop=auth\r\n";
    solo.feed(&response(&second, "200 OK", "r", more, ""));
    solo.advance(secs(56));
    let refresh = solo.take("REGISTER ");
    let value = header(&refresh, "Authorization").expect("credentials");
    assert!(value.contains("nonce=\"new\"") && value.contains("nc=00000001"), "{value}");
}

#[test]
fn a_registrar_and_a_proxy_may_both_ask() {
    let mut solo = Solo::new(account("alice", Link::Tcp));
    solo.start();
    solo.open();
    let first = solo.take("REGISTER ");
    let proxy = "Proxy-Authenticate: Digest realm=\"p\", nonce=\"m\"\r\n";
    solo.feed(&response(&first, "407 Proxy Authentication Required", "r", proxy, ""));
    let second = solo.take("REGISTER ");
    assert!(header(&second, "Proxy-Authorization").is_some_and(|v| v.contains("realm=\"p\"")));
    solo.feed(&response(&second, "401 Unauthorized", "r", CHALLENGE, ""));
    let third = solo.take("REGISTER ");
    assert!(header(&third, "Proxy-Authorization").is_some_and(|v| v.contains("realm=\"p\"")));
    assert!(header(&third, "Authorization").is_some_and(|v| v.contains("realm=\"r\"")));
    solo.feed(&response(&third, "200 OK", "r", "", ""));
    assert!(solo.ua.is_registered());
}

#[test]
fn a_server_that_is_always_stale_does_not_keep_us_busy() {
    let mut solo = Solo::new(account("alice", Link::Tcp));
    solo.start();
    solo.open();
    for _ in 0..20 {
        let Some(request) = solo.take_all().pop() else { break };
        let stale = "WWW-Authenticate: Digest realm=\"r\", nonce=\"m\", stale=TRUE\r\n";
        solo.feed(&response(&request, "401 Unauthorized", "r", stale, ""));
    }
    assert!(failures(&mut solo).contains(&(Fault::BadCredentials, None)));
}

#[test]
fn an_unknown_mechanism_is_named() {
    let mut solo = Solo::new(account("alice", Link::Tcp));
    solo.start();
    solo.open();
    let request = solo.take("REGISTER ");
    solo.feed(&response(
        &request,
        "401 Unauthorized",
        "r",
        "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256\r\n",
        "",
    ));
    assert_eq!(failures(&mut solo), [(Fault::NoMechanism(vec!["SHA-512-256".into()]), None)]);
}

#[test]
fn servers_are_tried_in_order_and_then_again() {
    let servers = vec![server(8, Link::Tcp), server(9, Link::Tcp)];
    let mut solo = Solo::new(PhoneAccount { servers, ..account("alice", Link::Tcp) });
    solo.start();
    assert_eq!(solo.opened[0].host, "10.0.0.8");
    solo.ua.flow_failed(solo.flow, Fault::PortRefused, solo.now);
    solo.drain();
    assert_eq!(solo.opened[1].host, "10.0.0.9");
    solo.advance(secs(8));
    assert_eq!(
        failures(&mut solo),
        [(Fault::PortRefused, Some(0)), (Fault::ConnectTimeout, Some(1))]
    );
    assert_eq!(solo.closed.len(), 1);
    solo.advance(secs(2));
    assert_eq!(solo.opened[2].host, "10.0.0.8");
    solo.open();
    solo.advance(secs(8));
    assert_eq!(failures(&mut solo)[0].0, Fault::AnswerTimeout, "connected, and then nothing");
}

#[test]
fn a_certificate_that_is_refused_does_not_lead_to_a_link_in_clear() {
    let servers = vec![server(8, Link::Tls), server(9, Link::Tcp), server(7, Link::Tls)];
    let mut solo = Solo::new(PhoneAccount { servers, ..account("alice", Link::Tls) });
    solo.start();
    for _ in 0..6 {
        solo.ua.flow_failed(solo.flow, Fault::Tls(TlsFault::SelfSigned), solo.now);
        solo.drain();
        solo.advance(secs(6));
    }
    let hosts: Vec<_> = solo.opened.iter().map(|server| server.host.as_str()).collect();
    assert!(hosts.contains(&"10.0.0.7"), "{hosts:?}");
    assert!(!hosts.contains(&"10.0.0.9"), "{hosts:?}");
}

#[test]
fn refusals_are_told_apart() {
    let check = |status: &str, more: &str, expected: Fault, retry: Option<u64>| {
        let mut solo = Solo::new(cucm_account());
        solo.start();
        solo.open();
        let request = solo.take("REGISTER ");
        solo.feed(&response(&request, status, "r", more, ""));
        assert_eq!(failures(&mut solo), [(expected, retry)], "{status}");
    };
    let warning = |text: &str| format!("Warning: 399 cucm \"{text}\"\r\n");
    let other = "Registration is active for another client";
    check("403 Forbidden", &warning(other), Fault::Sip(403, other.into()), None);
    check(
        "403 Forbidden",
        &warning("TLS authentication failure"),
        Fault::Sip(403, "TLS authentication failure".into()),
        Some(60),
    );
    check("404 Not Found", "", Fault::Sip(404, "Not Found".into()), Some(60));
    check(
        "503 Service Unavailable",
        "Retry-After: 100 (busy)\r\n",
        Fault::Sip(503, "Service Unavailable".into()),
        Some(100),
    );
}

#[test]
fn a_short_interval_is_made_longer_when_asked() {
    let mut solo = Solo::new(account("alice", Link::Tcp));
    solo.start();
    solo.open();
    let request = solo.take("REGISTER ");
    solo.feed(&response(&request, "423 Interval Too Brief", "r", "Min-Expires: 7200\r\n", ""));
    let again = solo.take("REGISTER ");
    assert_eq!(header(&again, "Expires"), Some("7200"));
    solo.feed(&response(&again, "423 Interval Too Brief", "r", "Min-Expires: 7200\r\n", ""));
    assert_eq!(failures(&mut solo).len(), 1, "not asked for ever");
}

#[test]
fn stopping_takes_the_registration_back() {
    let mut solo = Solo::registered(account("alice", Link::Tcp));
    solo.ua.stop(solo.now);
    solo.drain();
    let request = solo.take("REGISTER ");
    assert_eq!(header(&request, "Expires"), Some("0"));
    assert!(!solo.stopped);
    solo.feed(&response(&request, "200 OK", "r", "", ""));
    assert!(solo.stopped);
    assert_eq!(solo.take_events(), [Event::Unregistered]);
    assert_eq!(solo.closed, [solo.flow]);
    assert_eq!(solo.ua.next_timeout(), None);
}

#[test]
fn stopping_does_not_wait_for_ever() {
    let mut solo = Solo::registered(account("alice", Link::Udp));
    solo.ua.stop(solo.now);
    solo.drain();
    solo.advance(secs(2));
    assert!(solo.stopped);
}

#[test]
fn a_server_that_hangs_up_after_registering_is_not_hammered() {
    let mut solo = Solo::new(account("alice", Link::Tcp));
    solo.start();
    for _ in 0..50 {
        if solo.opened.len() > solo.closed.len() && !solo.ua.is_registered() {
            solo.open();
            if let Some(request) = solo.take_all().pop() {
                solo.feed(&response(&request, "200 OK", "r", "", ""));
            }
            solo.ua.flow_failed(solo.flow, Fault::Closed, solo.now);
            solo.drain();
        }
        solo.advance(std::time::Duration::from_millis(100));
    }
    assert!(solo.opened.len() <= 7, "{} attempts in 5 s", solo.opened.len());
}

#[test]
fn a_public_address_is_registered_instead_of_ours() {
    let mut solo = Solo::new(account("alice", Link::Udp));
    solo.start();
    solo.open();
    let request = solo.take("REGISTER ");
    let answer = response(&request, "200 OK", "r", "", "").replacen(
        ";rport",
        ";rport=7777;received=192.0.2.7",
        1,
    );
    solo.feed(&answer);
    let again = solo.take("REGISTER ");
    assert_eq!(
        headers(&again, "Contact"),
        ["<sip:alice@192.0.2.7:7777>", "<sip:alice@10.0.0.1:40000>;expires=0"]
    );
    let answer = response(&again, "200 OK", "r", "", "").replacen(
        ";rport",
        ";rport=8888;received=192.0.2.7",
        1,
    );
    solo.feed(&answer);
    assert!(solo.sent.is_empty(), "once for a flow");
}

#[test]
fn communications_manager_sees_a_csf_device() {
    let mut solo = Solo::new(cucm_account());
    solo.start();
    solo.open();
    let request = solo.take("REGISTER sip:10.0.0.9 SIP/2.0");
    let contact = header(&request, "Contact").expect("contact");
    assert_eq!(
        contact,
        "<sip:guid-1@10.0.0.1:40000;transport=tcp>;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-000000000000>\";\
         +u.sip!devicename.ccm.cisco.com=\"CSFALICE\";+u.sip!model.ccm.cisco.com=\"503\""
    );
    assert_eq!(header(&request, "CSeq"), Some("101 REGISTER"));
    assert!(header(&request, "Supported").is_some_and(|s| s.contains("X-cisco-duplicate-reg")));
    assert!(header(&request, "Reason").is_some_and(|r| r.contains("cisco-alarm:25 Name=CSFALICE")));
    let read = message::parse(request.as_bytes()).expect("readable");
    let parts = message::parts(read.header(message::Name::ContentType).expect("type"), read.body());
    assert_eq!(parts.len(), 2);
    assert!(parts.iter().all(|part| part.media_type == "application/x-cisco-remotecc-request+xml"));
    solo.feed(&response(&request, "200 OK", "r", "Expires: 120\r\n", ""));
    assert!(
        matches!(&solo.take_events()[..], [Event::Registering { .. }, Event::Registered { expires, .. }] if expires.as_secs() == 120)
    );
    solo.advance(secs(116));
    let refresh = solo.take("REGISTER ");
    assert_eq!(header(&refresh, "Content-Length"), Some("0"), "{}", first_line(&refresh));
}

#[test]
fn the_network_may_change() {
    let mut solo = Solo::registered(account("alice", Link::Tcp));
    let before = solo.flow;
    solo.ua.network_changed(solo.now);
    solo.drain();
    assert_eq!(solo.closed, [before]);
    assert_ne!(solo.flow, before);
    solo.open();
    solo.accept_register(60);
    assert!(solo.ua.is_registered());
}

#[test]
fn garbage_is_ignored_or_ends_the_stream() {
    let mut solo = Solo::registered(account("alice", Link::Udp));
    solo.feed("hello");
    solo.feed("\r\n\r\n");
    solo.feed("SIP/2.0 999 x\r\n\r\n");
    assert!(solo.sent.is_empty() && solo.events.is_empty());
    let mut solo = Solo::registered(account("alice", Link::Tcp));
    solo.feed("\r\n\r\n");
    assert_eq!(solo.take_all(), ["\r\n"], "a ping is answered");
    solo.feed("OPTIONS sip:a SIP/2.0\r\nContent-Length: x\r\n\r\n");
    assert_eq!(solo.closed.len(), 1);
    assert!(matches!(failures(&mut solo)[..], [(Fault::Nonsense(_), _)]));
}

#[test]
fn an_idle_stream_is_pinged_rarely_and_its_death_noticed() {
    let mut solo = Solo::registered(account("alice", Link::Tcp));
    solo.advance(secs(100));
    assert_eq!(solo.take_all(), ["\r\n\r\n"]);
    solo.advance(secs(30));
    assert!(solo.closed.is_empty(), "this server never promised to answer");
    solo.feed("\r\n");
    solo.advance(secs(65));
    assert_eq!(solo.take_all(), ["\r\n\r\n"]);
    solo.advance(secs(6));
    assert_eq!(solo.closed.len(), 1);
}
