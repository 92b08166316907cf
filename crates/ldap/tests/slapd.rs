//! The adapter against OpenLDAP's server. Needs the programs `slapd` and `slapadd`; without them
//! each test says so and passes.

mod support;

use std::time::Duration;

use offhook_ldap::Directories;
use offhook_model::{Fault, TlsFault};
use offhook_ports::{
    Ldap, LdapAnswer, LdapBind, LdapEnd, LdapFailure, LdapRequest, LdapScope, LdapSecurity,
};
use support::people::{self, PICTURE, VALUES};
use support::slapd::{Like, Slapd};
use support::{Authority, READER, free_port, plain_net, question, server, simple, values};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn ask(asked: LdapRequest) -> Result<LdapAnswer, LdapFailure> {
    Directories::new(plain_net()).search(asked).await
}

fn names(answer: &LdapAnswer) -> Vec<&str> {
    let mut names: Vec<_> = answer.entries.iter().map(|entry| entry.dn.as_str()).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn names_of_all_scripts_are_found_and_told() {
    let Some(slapd) = Slapd::start(Like { people: 40, ..Like::default() }).await else { return };
    for number in [0, 3, 9, 12] {
        let (first, last) = people::name(number);
        let filter = format!("(&(uid=user{number:05})(givenName={first}*)(sn=*{last}))");
        let answer = ask(question(slapd.port, &filter)).await.expect("an answer");
        assert_eq!(answer.end, LdapEnd::Complete);
        let [entry] = &answer.entries[..] else { panic!("{} for {filter}", answer.entries.len()) };
        assert_eq!(values(entry, "displayname"), [format!("{last}, {first}").into_bytes()]);
        assert_eq!((answer.peer.port(), answer.tls), (slapd.port, None));
    }
}

#[tokio::test]
async fn pictures_and_long_lists_come_within_bounds() {
    let Some(slapd) = Slapd::start(Like { people: 3, ..Like::default() }).await else { return };
    let asked = LdapRequest { value_limit: 2_000, ..question(slapd.port, "(uid=user00001)") };
    let answer = ask(asked.clone()).await.expect("an answer");
    let entry = &answer.entries[0];
    assert_eq!(values(entry, "jpegPhoto"), [[&PICTURE[..], &[1]].concat()]);
    assert_eq!(values(entry, "description").len(), 1_000);
    assert_eq!(values(entry, "employeeType").len(), 0);
    assert_eq!(answer.left_out as usize, VALUES - 1_000 + 1);
    let some = LdapRequest { attributes: vec!["mail".into(), "SN".into()], ..asked };
    let answer = ask(some).await.expect("an answer");
    let mut attributes: Vec<_> = answer.entries[0].attributes.iter().map(|it| &*it.0).collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["mail", "sn"]);
}

#[tokio::test]
async fn who_is_let_in_and_who_is_not() {
    let Some(slapd) = Slapd::start(Like { people: 3, ..Like::default() }).await else { return };
    let (name, password) = READER;
    let asked = |bind| LdapRequest { bind, ..question(slapd.port, "(uid=user00000)") };
    assert!(ask(asked(LdapBind::Anonymous)).await.is_ok());
    assert!(ask(asked(simple(name, password))).await.is_ok());
    for (name, password) in [(name, "wrong"), (name, ""), ("", "x"), ("no such name", "x")] {
        let refused = ask(asked(simple(name, password))).await.err();
        assert_eq!(refused, Some(LdapFailure::BadCredentials), "{name}");
    }
    let refused = ask(asked(LdapBind::Gssapi)).await.err();
    assert!(matches!(refused, Some(LdapFailure::Ticket(_))));
}

#[tokio::test]
async fn servers_that_want_more_than_we_give_say_so() {
    let like = Like { people: 1, lines: "disallow bind_anon", ..Like::default() };
    let Some(slapd) = Slapd::start(like).await else { return };
    let refused = ask(question(slapd.port, "(uid=*)")).await.err();
    assert_eq!(refused, Some(LdapFailure::BindRefused(48)));
    let like = Like { people: 1, lines: "security simple_bind=128", ..Like::default() };
    let Some(slapd) = Slapd::start(like).await else { return };
    let asked = |security| LdapRequest {
        bind: simple(READER.0, READER.1),
        server: server(slapd.port, security),
        ..question(slapd.port, "(uid=*)")
    };
    let refused = ask(asked(LdapSecurity::None)).await.err();
    assert_eq!(refused, Some(LdapFailure::BindRefused(13)));
    let directories = Directories::new(slapd.authority.net());
    assert!(directories.search(asked(LdapSecurity::StartTls)).await.is_ok());
}

#[tokio::test]
async fn both_ways_to_tls_with_our_authority_and_with_a_strange_one() {
    let Some(slapd) = Slapd::start(Like { people: 3, ..Like::default() }).await else { return };
    let ways = [(slapd.port, LdapSecurity::StartTls), (slapd.tls, LdapSecurity::Tls)];
    for (port, security) in ways {
        let asked = LdapRequest {
            server: server(port, security),
            bind: simple(READER.0, READER.1),
            ..question(port, "(uid=user00001)")
        };
        let ours = Directories::new(slapd.authority.net());
        let answer = ours.search(asked.clone()).await.expect("an answer");
        assert_eq!(answer.entries.len(), 1);
        assert!(answer.tls.is_some_and(|words| words.starts_with("TLSv1.")), "{security:?}");
        let strange = Directories::new(Authority::new().net());
        let refused = strange.search(asked).await.err();
        let unknown = LdapFailure::Fault(Fault::Tls(TlsFault::UnknownIssuer));
        assert_eq!(refused, Some(unknown), "{security:?}");
    }
    // A port in clear does not answer a handshake.
    let asked = LdapRequest {
        server: server(slapd.port, LdapSecurity::Tls),
        timeout: Duration::from_secs(5),
        ..question(slapd.port, "(uid=*)")
    };
    let refused = ask(asked).await.err();
    let told = matches!(
        refused,
        Some(LdapFailure::Fault(Fault::Tls(TlsFault::Handshake(_)) | Fault::AnswerTimeout))
    );
    assert!(told, "{refused:?}");
}

#[tokio::test]
async fn twelve_hundred_come_page_by_page() {
    let like = Like {
        people: 1_200,
        lines: "sizelimit size.soft=500 size.hard=500 size.pr=300 size.prtotal=unlimited",
        ..Like::default()
    };
    let Some(slapd) = Slapd::start(like).await else { return };
    let asked = |limit, page| LdapRequest {
        limit,
        page,
        attributes: vec!["uid".into()],
        ..question(slapd.port, "(objectClass=inetOrgPerson)")
    };
    let all = ask(asked(2_000, 250)).await.expect("an answer");
    assert_eq!((all.entries.len(), all.end), (1_200, LdapEnd::Complete));
    let mut each = names(&all);
    each.dedup();
    assert_eq!(each.len(), 1_200);
    let exactly = ask(asked(1_200, 250)).await.expect("an answer");
    assert_eq!((exactly.entries.len(), exactly.end), (1_200, LdapEnd::Complete));
    let some = ask(asked(700, 250)).await.expect("an answer");
    assert_eq!((some.entries.len(), some.end), (700, LdapEnd::SizeLimit));
    let without = ask(asked(2_000, 0)).await.expect("an answer");
    assert_eq!((without.entries.len(), without.end), (500, LdapEnd::SizeLimit));
    let few = ask(asked(10, 0)).await.expect("an answer");
    assert_eq!((few.entries.len(), few.end), (10, LdapEnd::SizeLimit));
}

#[tokio::test]
async fn who_knows_more_is_told_and_missing_places_are() {
    let url = "ldap://127.0.0.1:1/ou=people,dc=other,dc=test??sub";
    let like = Like { people: 3, elsewhere: Some(url), ..Like::default() };
    let Some(slapd) = Slapd::start(like).await else { return };
    let answer = ask(question(slapd.port, "(objectClass=inetOrgPerson)")).await.expect("an answer");
    assert_eq!((answer.entries.len(), answer.referrals), (3, vec![url.to_owned()]));
    let below = LdapRequest {
        base: format!("ou=x,ou=elsewhere,{}", support::BASE),
        ..question(slapd.port, "(cn=*)")
    };
    let answer = ask(below).await.expect("an answer");
    assert_eq!(answer.entries.len(), 0);
    assert_eq!(answer.referrals.len(), 1, "a referral in place of a result");
    let nowhere =
        LdapRequest { base: "ou=none,dc=example,dc=test".into(), ..question(slapd.port, "(cn=*)") };
    assert_eq!(ask(nowhere).await.err(), Some(LdapFailure::NoSuchBase));
    let bad = ask(question(slapd.port, "(cn=*")).await.err();
    assert_eq!(bad, Some(LdapFailure::BadFilter(5)));
    for (scope, count) in [(LdapScope::Base, 1), (LdapScope::OneLevel, 3), (LdapScope::Subtree, 4)]
    {
        let asked = LdapRequest { scope, ..question(slapd.port, "(!(objectClass=referral))") };
        assert_eq!(ask(asked).await.expect("an answer").entries.len(), count, "{scope:?}");
    }
}

/// Passes everything on, and tells when so many bytes have come from the server. It counts
/// connections by what it returns.
async fn relay(to: u16, listener: TcpListener, after: usize, cut: impl FnOnce()) -> usize {
    let (mut here, _) = listener.accept().await.expect("a client");
    let mut there = TcpStream::connect(("127.0.0.1", to)).await.expect("a server");
    let (mut from_us, mut from_server) = (vec![0; 4096], vec![0; 4096]);
    let mut passed = 0;
    while passed < after {
        tokio::select! {
            read = here.read(&mut from_us) => match read {
                Ok(count @ 1..) => there.write_all(&from_us[..count]).await.expect("passed on"),
                _ => return passed,
            },
            read = there.read(&mut from_server) => match read {
                Ok(count @ 1..) => {
                    passed += count;
                    here.write_all(&from_server[..count]).await.expect("passed on");
                }
                _ => return passed,
            },
        }
    }
    cut();
    passed
}

#[tokio::test]
async fn a_server_killed_in_mid_search_is_a_closed_connection() {
    let Some(mut slapd) = Slapd::start(Like { people: 600, ..Like::default() }).await else {
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let asked = LdapRequest { limit: 1_000, page: 100, ..question(port, "(uid=*)") };
    let to = slapd.port;
    let (answer, passed) = tokio::join!(ask(asked), relay(to, listener, 30_000, || slapd.kill()));
    assert!(passed >= 30_000);
    assert_eq!(answer.err(), Some(LdapFailure::Fault(Fault::Closed)));
    let gone = ask(question(to, "(uid=*)")).await.err();
    assert_eq!(gone, Some(LdapFailure::Fault(Fault::PortRefused)));
}

#[tokio::test]
async fn a_bound_connection_serves_again_and_survives_an_abandoned_search() {
    let Some(slapd) = Slapd::start(Like { people: 1_200, ..Like::default() }).await else { return };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    // The relay takes one connection and no other.
    #[expect(clippy::disallowed_methods, reason = "a peer of the test")]
    let relay = tokio::spawn(relay(slapd.port, listener, usize::MAX, || {}));
    let directories = Directories::new(plain_net());
    let one = question(port, "(uid=user00007)");
    for _ in 0..3 {
        let answer = directories.search(one.clone()).await.expect("an answer");
        assert_eq!(names(&answer), ["uid=user00007,ou=people,dc=example,dc=test"]);
    }
    let all = LdapRequest { limit: 2_000, page: 50, ..question(port, "(uid=*)") };
    for turns in 1..20 {
        let mut search = directories.search(all.clone());
        for _ in 0..turns {
            tokio::select! {
                biased;
                _ = &mut search => break,
                () = tokio::task::yield_now() => {}
            }
        }
        drop(search);
        let answer = directories.search(one.clone()).await.expect("an answer");
        assert_eq!(names(&answer), ["uid=user00007,ou=people,dc=example,dc=test"], "{turns}");
    }
    directories.forget();
    assert!(relay.await.expect("it ends") > 0);
}

#[tokio::test]
async fn a_connection_that_ended_while_nobody_looked_is_made_anew() {
    let port = free_port();
    let like = || Like { people: 3, port: Some(port), ..Like::default() };
    let Some(mut slapd) = Slapd::start(like()).await else { return };
    let directories = Directories::new(plain_net());
    let one = question(port, "(uid=user00001)");
    assert!(directories.search(one.clone()).await.is_ok());
    slapd.kill();
    let Some(_again) = Slapd::start(like()).await else { return };
    assert_eq!(directories.search(one).await.expect("an answer").entries.len(), 1);
}
