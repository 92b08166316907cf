//! Questions to the name system, and every way in which they are answered badly.

use std::net::IpAddr;

use offhook_model::{DnsFault, IpMode};
use offhook_net::{HostEntry, NetOptions};
use offhook_ports::{Dns, Naptr, Srv};

use crate::doubles::name_server::{
    A, AAAA, CNAME, NAPTR, NameServer, Question, Reply, SRV, own, record, srv, wire,
};
use crate::doubles::{asking, closed_port, net};

/// Asks for SRV records and expects `expected`.
async fn check(
    reply: impl Fn(&Question) -> Reply + Send + 'static,
    expected: Result<usize, DnsFault>,
) -> usize {
    let server = NameServer::datagrams(reply);
    let answer = asking(server.at).srv("_cisco-uds._tcp.example.com").await;
    assert_eq!(answer.map(|answer| answer.records.len()), expected);
    server.asked()
}

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().expect("an address")).collect()
}

#[tokio::test]
async fn srv_records_come_as_they_are_with_compressed_names_followed() {
    let server = NameServer::datagrams(|question| {
        assert_eq!((question.kind, question.edns), (SRV, true));
        // "example.com" of the question starts after the labels _cisco-uds and _tcp.
        let compressed = [&[5][..], b"cucm1", &[0xC0, 12 + 11 + 5]].concat();
        let records = [
            own(SRV, 60, &srv(10, 0, 8443, &compressed)),
            own(SRV, 60, &srv(20, 5, 443, &wire("cucm2.example.net"))),
            own(SRV, 60, &srv(0, 0, 0, &[0])),
            // A record of another name does not belong to the answer.
            record(&wire("other.example.com"), SRV, 60, &srv(1, 1, 1, &wire("x"))),
        ];
        Some(question.answer(0, &records))
    });
    let answer = asking(server.at).srv("_cisco-uds._tcp.example.com").await.expect("records");
    let one = |priority, weight, port, target: &str| Srv {
        priority,
        weight,
        port,
        target: target.to_owned(),
    };
    assert_eq!(
        answer.records,
        [
            one(10, 0, 8443, "cucm1.example.com"),
            one(20, 5, 443, "cucm2.example.net"),
            one(0, 0, 0, ""),
        ]
    );
    assert_eq!(answer.server, server.at.to_string());
}

#[tokio::test]
async fn naptr_records_are_brought_to_one_case() {
    let server = NameServer::datagrams(|question| {
        let mut data = vec![0, 50, 0, 40];
        for text in ["S", "sip+d2u", ""] {
            data.push(text.len() as u8);
            data.extend(text.as_bytes());
        }
        data.extend(wire("_sip._udp.example.com"));
        Some(question.answer(0, &[own(NAPTR, 60, &data)]))
    });
    let answer = asking(server.at).naptr("example.com").await.expect("records");
    let expected = Naptr {
        order: 50,
        preference: 40,
        flags: "s".to_owned(),
        service: "SIP+D2U".to_owned(),
        replacement: "_sip._udp.example.com".to_owned(),
    };
    assert_eq!(answer.records, [expected]);
}

#[tokio::test]
async fn absence_failure_and_refusal_are_told_apart() {
    check(|question| Some(question.answer(3, &[])), Err(DnsFault::NoName)).await;
    check(|question| Some(question.answer(0, &[])), Err(DnsFault::NoRecord)).await;
    check(|question| Some(question.answer(2, &[])), Err(DnsFault::ServerFailure)).await;
    check(|question| Some(question.answer(5, &[])), Err(DnsFault::Refused)).await;
}

// Time stands still but for timers, so silence is over at once.
#[tokio::test(start_paused = true)]
async fn a_silent_server_is_asked_twice() {
    let server = NameServer::datagrams(|_| None);
    let started = tokio::time::Instant::now();
    let answer = asking(server.at).srv("_sip._udp.example.com").await;
    assert_eq!(answer, Err(DnsFault::Silence));
    assert_eq!(started.elapsed().as_secs(), 4);
}

#[tokio::test(start_paused = true)]
async fn many_silent_servers_cost_six_seconds() {
    let silent = || NameServer::datagrams(|_| None).at;
    let name_servers = vec![silent(), silent(), silent(), silent()];
    let net = net(NetOptions { name_servers, ..NetOptions::default() });
    let started = tokio::time::Instant::now();
    assert_eq!(net.naptr("example.com").await, Err(DnsFault::Silence));
    assert_eq!(started.elapsed().as_secs(), 6);
}

#[tokio::test]
async fn a_port_without_name_server_is_silence() {
    let answer = asking(closed_port()).srv("_sip._udp.example.com").await;
    assert_eq!(answer, Err(DnsFault::Silence));
}

#[tokio::test]
async fn the_next_server_is_asked_when_one_fails() {
    let failing = NameServer::datagrams(|question| Some(question.answer(2, &[])));
    let good = NameServer::datagrams(|question| {
        Some(question.answer(0, &[own(SRV, 60, &srv(1, 1, 5060, &wire("sip.example.com")))]))
    });
    let name_servers = vec![closed_port(), failing.at, good.at];
    let net = net(NetOptions { name_servers, ..NetOptions::default() });
    let answer = net.srv("_sip._udp.example.com").await.expect("records");
    assert_eq!(answer.server, good.at.to_string());
}

#[tokio::test]
async fn garbage_in_the_answer_is_malformed() {
    let garbage = |question: &Question| {
        let mut message = question.answer(0, &[own(SRV, 60, &[1, 2, 3])]);
        message.extend([0xFF; 20]);
        Some(message)
    };
    let server = NameServer::datagrams(garbage);
    let answer = asking(server.at).srv("_sip._udp.example.com").await;
    assert!(matches!(answer, Err(DnsFault::Malformed(_))), "{answer:?}");
}

#[tokio::test]
async fn nothing_but_wrong_ids_is_no_answer() {
    let wrong = |question: &Question| {
        let mut message = question.answer(0, &[]);
        message[0] ^= 0xFF;
        Some(message)
    };
    let server = NameServer::datagrams(wrong);
    let answer = asking(server.at).srv("_sip._udp.example.com").await;
    assert!(matches!(answer, Err(DnsFault::Malformed(_))), "{answer:?}");
}

#[tokio::test]
async fn a_cut_answer_is_asked_for_over_tcp() {
    let server = NameServer::both(
        |question| Some(question.cut()),
        |question| {
            let target = wire("a-host-with-a-long-name.of-some-department.example.com");
            let records: Vec<_> =
                (0..40).map(|index| own(SRV, 60, &srv(index, 0, 5060, &target))).collect();
            question.answer(0, &records)
        },
    );
    let answer = asking(server.at).srv("_sip._tcp.example.com").await.expect("records");
    assert_eq!(answer.records.len(), 40);
}

#[tokio::test]
async fn a_cut_answer_without_tcp_is_malformed_and_says_so() {
    let refused = NameServer::datagrams(|question| Some(question.cut()));
    let closing = NameServer::both(|question| Some(question.cut()), |_| vec![]);
    let cut_again = NameServer::both(|question| Some(question.cut()), Question::cut);
    for (server, tcp) in [
        (refused, "a refused connection"),
        (closing, "a closed connection"),
        (cut_again, "an answer that is cut short too"),
    ] {
        let answer = asking(server.at).srv("_sip._tcp.example.com").await;
        let text = format!("the answer is cut short, and asking again over TCP gave {tcp}");
        assert_eq!(answer, Err(DnsFault::Malformed(text)));
    }
}

#[tokio::test]
async fn a_server_without_edns_is_asked_without() {
    let asked = check(
        |question| {
            let record = own(SRV, 60, &srv(1, 1, 1, &wire("a")));
            Some(if question.edns {
                question.answer(1, &[])
            } else {
                question.answer(0, &[record])
            })
        },
        Ok(1),
    )
    .await;
    assert_eq!(asked, 2);
}

#[tokio::test]
async fn aliases_are_followed_within_and_across_answers() {
    let server = NameServer::datagrams(|question| {
        let alias = |to: &str| own(CNAME, 60, &wire(to));
        let address = |name: &str| record(&wire(name), A, 60, &[127, 0, 0, 9]);
        Some(match (question.name.as_str(), question.kind) {
            ("www.example.com", A) => {
                question.answer(0, &[address("web.example.com"), alias("web.example.com")])
            }
            ("far.example.com", A) => question.answer(0, &[alias("www.example.com")]),
            ("loop.example.com", _) => question.answer(0, &[alias("pool.example.com")]),
            ("pool.example.com", _) => question.answer(0, &[alias("loop.example.com")]),
            _ => question.answer(0, &[]),
        })
    });
    let net = asking(server.at);
    for name in ["www.example.com", "far.example.com"] {
        let answer = net.addresses(name).await.expect("an address");
        assert_eq!(answer.records, addresses(&["127.0.0.9"]), "{name}");
    }
    let answer = net.addresses("loop.example.com").await;
    assert!(matches!(answer, Err(DnsFault::Malformed(_))), "{answer:?}");
}

fn two_families(question: &Question) -> Reply {
    let ttl = if question.name.starts_with("zero") { 0 } else { 60 };
    let four = || question.answer(0, &[own(A, ttl, &[192, 0, 2, 1]), own(A, ttl, &[192, 0, 2, 2])]);
    let mut six = [0; 16];
    six[15] = 1;
    let six = || question.answer(0, &[own(AAAA, ttl, &six)]);
    match (question.name.split('.').next()?, question.kind) {
        ("six", A) => Some(question.answer(0, &[])),
        ("four", AAAA) => Some(question.answer(2, &[])),
        ("deaf", AAAA) => None,
        ("none", _) => Some(question.answer(0, &[])),
        ("gone", _) => Some(question.answer(3, &[])),
        ("sick", A) => Some(question.answer(0, &[])),
        ("sick", AAAA) => Some(question.answer(2, &[])),
        (_, A) => Some(four()),
        (_, AAAA) => Some(six()),
        (_, _) => None,
    }
}

#[tokio::test]
async fn both_families_are_asked_and_one_is_enough() {
    let server = NameServer::datagrams(two_families);
    let net = asking(server.at);
    let four = ["192.0.2.1", "192.0.2.2"];
    for (host, expected) in [
        ("both.example.com", Ok(vec![four[0], four[1], "::1"])),
        ("six.example.com", Ok(vec!["::1"])),
        ("four.example.com", Ok(four.to_vec())),
        ("deaf.example.com", Ok(four.to_vec())),
        ("none.example.com", Err(DnsFault::NoRecord)),
        ("gone.example.com", Err(DnsFault::NoName)),
        ("sick.example.com", Err(DnsFault::ServerFailure)),
    ] {
        let answer = net.addresses(host).await.map(|answer| answer.records);
        assert_eq!(answer, expected.map(|texts| addresses(&texts)), "{host}");
    }
}

#[tokio::test]
async fn answers_are_kept_for_their_time_and_by_one_net_only() {
    let server = NameServer::datagrams(two_families);
    let net = asking(server.at);
    for _ in 0..3 {
        net.addresses("Both.example.com.").await.expect("addresses");
    }
    assert_eq!(server.asked(), 2);
    asking(server.at).addresses("both.example.com").await.expect("addresses");
    assert_eq!(server.asked(), 4);
    net.forget_names();
    net.addresses("both.example.com").await.expect("addresses");
    assert_eq!(server.asked(), 6);
    for _ in 0..2 {
        net.addresses("zero.example.com").await.expect("addresses");
    }
    assert_eq!(server.asked(), 10);
}

#[tokio::test]
async fn names_are_complete_as_they_are() {
    let server = NameServer::datagrams(|question| Some(question.answer(3, &[])));
    let net = asking(server.at);
    for name in ["intranet", "a.b", "a.b.example.com"] {
        assert_eq!(net.srv(name).await, Err(DnsFault::NoName));
    }
    assert_eq!(server.names(), ["intranet", "a.b", "a.b.example.com"]);
}

#[tokio::test]
async fn names_that_cannot_be_written_are_not_asked() {
    let server = NameServer::datagrams(|question| Some(question.answer(0, &[])));
    let net = asking(server.at);
    let long = "a".repeat(64);
    for name in ["", ".", "a..b", long.as_str()] {
        assert_eq!(net.srv(name).await, Err(DnsFault::NoName), "{name:?}");
        assert_eq!(net.addresses(name).await, Err(DnsFault::NoName), "{name:?}");
    }
    assert_eq!(server.asked(), 0);
}

#[tokio::test]
async fn some_hosts_need_no_name_server() {
    let given = |name: &str, address: &str| HostEntry::new(name, addresses(&[address])[0]);
    let net = net(NetOptions {
        name_servers: vec![closed_port()],
        hosts: vec![
            given("pbx.example.com", "192.0.2.7"),
            given("pbx.example.com", "2001:db8::7"),
            given("localhost", "192.0.2.8"),
        ],
        ..NetOptions::default()
    });
    for (host, expected, server) in [
        ("PBX.example.com.", vec!["192.0.2.7", "2001:db8::7"], "--hosts"),
        ("localhost", vec!["192.0.2.8"], "--hosts"),
        ("a.localhost", vec!["127.0.0.1", "::1"], "localhost"),
        ("192.0.2.1", vec!["192.0.2.1"], "literal address"),
        ("2001:db8::1", vec!["2001:db8::1"], "literal address"),
        ("[2001:db8::1]", vec!["2001:db8::1"], "literal address"),
    ] {
        let answer = net.addresses(host).await.expect("an address");
        assert_eq!((answer.records, answer.server.as_str()), (addresses(&expected), server));
    }
}

#[test]
fn a_net_without_name_server_starts() {
    net(NetOptions::default());
}

#[tokio::test]
async fn a_family_that_is_switched_off_is_not_asked_for_and_does_not_count() {
    let server = NameServer::datagrams(|question| match question.kind {
        A => Some(question.answer(0, &[own(A, 60, &[192, 0, 2, 1])])),
        AAAA => Some(question.answer(0, &[own(AAAA, 60, &[0x20; 16])])),
        _ => None,
    });
    let net = asking(server.at);
    let ask = async |mode, host: &str| {
        net.set_ip_mode(mode);
        net.addresses(host).await.map(|answer| answer.records)
    };
    let six = addresses(&["2020:2020:2020:2020:2020:2020:2020:2020"]);
    assert_eq!(ask(IpMode::Both, "x.example.com").await.map(|all| all.len()), Ok(2));
    assert_eq!(server.asked(), 2);
    assert_eq!(ask(IpMode::V4, "x.example.com").await, Ok(addresses(&["192.0.2.1"])));
    assert_eq!(server.asked(), 3, "one question, and nothing remembered of before");
    assert_eq!(ask(IpMode::V6, "x.example.com").await, Ok(six));
    assert_eq!(server.asked(), 4);
    assert_eq!(ask(IpMode::V6, "localhost").await, Ok(addresses(&["::1"])));
    assert_eq!(ask(IpMode::V4, "localhost").await, Ok(addresses(&["127.0.0.1"])));
    assert_eq!(ask(IpMode::V4, "2001:db8::1").await, Err(DnsFault::NoRecord));
}

#[tokio::test]
async fn an_alias_is_told_with_the_records_behind_it() {
    let server = NameServer::datagrams(|question| {
        let alias = |to: &str| own(CNAME, 60, &wire(to));
        Some(match (question.name.as_str(), question.kind) {
            ("www.example.com", A) => {
                let at = record(&wire("web.example.com"), A, 60, &[192, 0, 2, 1]);
                question.answer(0, &[alias("web.example.com"), at])
            }
            ("far.example.com", _) => question.answer(0, &[alias("web.example.com")]),
            ("web.example.com", A) => question.answer(0, &[own(A, 60, &[192, 0, 2, 1])]),
            ("_sip._tcp.example.com", SRV) => {
                question.answer(0, &[alias("_sip._tcp.web.example.com")])
            }
            ("_sip._tcp.web.example.com", SRV) => {
                question.answer(0, &[own(SRV, 60, &srv(0, 0, 1, &wire("x.example.com")))])
            }
            _ => question.answer(0, &[]),
        })
    });
    let net = asking(server.at);
    let alias = async |host: &str| net.addresses(host).await.expect("an address").alias_of;
    assert_eq!(alias("www.example.com").await.as_deref(), Some("web.example.com"));
    assert_eq!(alias("far.example.com").await.as_deref(), Some("web.example.com"));
    assert_eq!(alias("far.example.com").await.as_deref(), Some("web.example.com"), "kept as well");
    assert_eq!(alias("web.example.com").await, None);
    let answer = net.srv("_sip._tcp.example.com").await.expect("a record");
    assert_eq!(answer.alias_of.as_deref(), Some("_sip._tcp.web.example.com"));
}
