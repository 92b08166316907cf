//! The server's archive as the source of history, and the judge of what has arrived.

mod support;

use offhook_model::{Availability, Chat, ChatKind, Delivery, Timestamp};
use offhook_ports::{Loaded, StoreRequest};
use support::disk::{disk, kept, killed};
use support::{Bench, attribute, jid};

const BOB: &str = "bob@example.com";
const MAM: &[&str] = &["urn:xmpp:mam:2"];

/// Online; the account has an archive, and the store says how far we were.
fn online(position: Option<&str>) -> Bench {
    let mut bench = Bench::offline();
    bench.im.loaded(Loaded {
        archives: position.map(|it| (None, it.to_owned())).into_iter().collect(),
        ..Loaded::default()
    });
    bench.connect();
    bench.account_can(MAM);
    bench
}

/// The queries so far.
fn queries(bench: &Bench) -> Vec<String> {
    bench.sent.iter().filter(|it| it.contains("urn:xmpp:mam:2")).cloned().collect()
}

fn queryid(query: &str) -> String {
    attribute(&query[query.find("queryid").expect("a query").saturating_sub(8)..], "queryid")
}

/// A message of the archive.
fn archived(bench: &mut Bench, place: &str, from: &str, to: &str, id: &str, body: &str) {
    let query = queries(bench).last().cloned().expect("asked");
    archived_by(bench, "alice@example.com", &queryid(&query), place, from, to, id, body);
}

#[allow(clippy::too_many_arguments, reason = "a stanza in words")]
fn archived_by(
    bench: &mut Bench,
    archive: &str,
    queryid: &str,
    place: &str,
    from: &str,
    to: &str,
    id: &str,
    body: &str,
) {
    bench.receive(&format!(
        "<message xmlns='jabber:client' from='{archive}' to='alice@example.com/desk'>\
         <result xmlns='urn:xmpp:mam:2' queryid='{queryid}' id='{place}'>\
         <forwarded xmlns='urn:xmpp:forward:0'>\
         <delay xmlns='urn:xmpp:delay' stamp='2026-11-22T11:00:{:02}Z'/>\
         <message xmlns='jabber:client' type='chat' from='{from}' to='{to}' id='{id}'>\
         <body>{body}</body></message></forwarded></result></message>",
        place.bytes().map(u32::from).sum::<u32>() % 60
    ));
}

fn page_over(bench: &mut Bench, complete: bool, first: &str, last: &str) {
    let query = queries(bench).last().cloned().expect("asked");
    let id = attribute(&query, "id");
    let set = if last.is_empty() {
        String::new()
    } else {
        format!("<first>{first}</first><last>{last}</last>")
    };
    bench.receive(&format!(
        "<iq xmlns='jabber:client' type='result' id='{id}' from='alice@example.com'>\
         <fin xmlns='urn:xmpp:mam:2' complete='{complete}'>\
         <set xmlns='http://jabber.org/protocol/rsm'>{set}</set></fin></iq>"
    ));
}

fn positions(bench: &Bench) -> Vec<String> {
    let positions = bench.stored.iter().filter_map(|request| match request {
        StoreRequest::PutArchive(None, position) => Some(position.clone()),
        _ => None,
    });
    positions.collect()
}

fn sent_bodies(bench: &Bench) -> usize {
    bench.sent.iter().filter(|it| it.contains("<body")).count()
}

#[test]
fn what_came_meanwhile_is_fetched_page_by_page_and_kept_before_its_position() {
    let mut bench = online(Some("p1"));
    let query = queries(&bench).pop().expect("asked");
    assert!(query.contains("<after>p1</after>") || query.contains(">p1</"), "{query}");
    archived(&mut bench, "p2", "bob@example.com/x", "alice@example.com", "b1", "one");
    archived(&mut bench, "p3", "alice@example.com/phone", BOB, "a1", "two");
    page_over(&mut bench, false, "p2", "p3");
    archived(&mut bench, "p4", "bob@example.com/x", "alice@example.com", "b2", "three");
    page_over(&mut bench, true, "p4", "p4");
    assert_eq!(queries(&bench).len(), 2);
    let mut bodies = bench.bodies(BOB);
    bodies.sort();
    assert_eq!(bodies, ["one", "three", "two"]);
    assert_eq!(positions(&bench), ["p2", "p3", "p4"], "kept message by message");
    let place = |wanted: &dyn Fn(&StoreRequest) -> bool| bench.stored.iter().position(wanted);
    let message = place(&|it| matches!(it, StoreRequest::PutArchived(m) if m.body == "two"));
    let position = place(&|it| matches!(it, StoreRequest::PutArchive(None, p) if p == "p3"));
    assert!(message.is_some() && message < position, "{:?}", bench.stored);
    assert!(!bench.sent.iter().any(|it| it.contains("urn:xmpp:receipts")), "history needs none");
}

#[test]
fn an_old_invitation_is_neither_told_again_nor_a_message() {
    let mut bench = online(Some("p1"));
    let room = "lunch@rooms.example.com";
    let words = "bob invites</body><x xmlns='http://jabber.org/protocol/muc#user'>\
                 <invite from='bob@example.com'><reason>Come</reason></invite></x>\
                 <body xml:lang='de'>bob lädt ein";
    archived(&mut bench, "p2", room, "alice@example.com", "i1", words);
    page_over(&mut bench, true, "p2", "p2");
    assert!(bench.bodies(room).is_empty());
    assert!(bench.im.invitations().is_empty());
}

#[test]
fn what_the_archive_has_was_sent_and_the_rest_goes_out_after_it() {
    let mut bench = Bench::online();
    let (first, second) = (bench.say(BOB, "a"), bench.say(BOB, "b"));
    bench.im.loaded(Loaded { archives: vec![(None, "p0".into())], ..Loaded::default() });
    bench.disconnect();
    bench.forget();
    bench.connect();
    assert_eq!(sent_bodies(&bench), 0, "nobody knows what arrived");
    bench.account_can(MAM);
    let third = bench.say(BOB, "c");
    assert_eq!(sent_bodies(&bench), 0, "nothing overtakes");
    archived(&mut bench, "p1", "alice@example.com/desk", BOB, &first, "a");
    assert_eq!(bench.state(&first), Some(Delivery::Sent));
    assert_eq!(sent_bodies(&bench), 0, "the end is not reached");
    page_over(&mut bench, true, "p1", "p1");
    let sent: Vec<String> =
        bench.sent.iter().filter(|it| it.contains("<body")).map(|it| attribute(it, "id")).collect();
    assert_eq!(sent, [second, third]);
    assert_eq!(bench.bodies(BOB).len(), 3, "nothing twice");
}

#[test]
fn an_archive_that_refuses_or_says_nothing_holds_nothing_back() {
    for answer in ["refusal", "silence"] {
        let mut bench = Bench::online();
        let id = bench.say(BOB, "a");
        bench.im.loaded(Loaded { archives: vec![(None, "p0".into())], ..Loaded::default() });
        bench.disconnect();
        bench.forget();
        bench.connect();
        bench.account_can(MAM);
        let query = queries(&bench).pop().expect("asked");
        if answer == "refusal" {
            bench.receive(&format!(
                "<iq xmlns='jabber:client' type='error' id='{}' from='alice@example.com'>\
                 <error type='cancel'><service-unavailable \
                 xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
                attribute(&query, "id")
            ));
        } else {
            bench.wait(61);
        }
        assert_eq!(sent_bodies(&bench), 1, "{answer}");
        assert!(bench.sent.iter().any(|it| it.contains("<body") && attribute(it, "id") == id));
    }
}

#[test]
fn an_archive_that_says_nothing_is_asked_again_and_not_for_ever() {
    let mut bench = online(Some("p0"));
    live(&mut bench, 3);
    bench.wait(61);
    assert_eq!(queries(&bench).len(), 2);
    for n in 1..=3 {
        bob_at(&mut bench, n, 0);
    }
    page_over(&mut bench, true, "p1", "p3");
    assert_eq!(kept(&bench), ["1", "2", "3"], "what was missed stands where it belongs");
    let mut bench = online(Some("p0"));
    for _ in 0..20 {
        bench.wait(61);
    }
    assert_eq!(queries(&bench).len(), 6);
}

#[test]
fn a_first_reading_goes_on_over_streams() {
    let mut bench = online(None);
    bob_at(&mut bench, 5, 0);
    bob_at(&mut bench, 6, 0);
    page_over(&mut bench, false, "p5", "p6");
    bob_at(&mut bench, 3, 0);
    bench.disconnect();
    bench.connect();
    bench.account_can(MAM);
    let query = queries(&bench).pop().expect("asked");
    assert!(query.contains(">p5</"), "{query}");
    assert!(
        query.contains(">10</max>") || query.contains("<max>10</"),
        "a page that is short enough: {query}"
    );
    for n in 3..=4 {
        bob_at(&mut bench, n, 0);
    }
    assert!(kept(&bench).is_empty(), "not before all of it is here");
    page_over(&mut bench, true, "p3", "p4");
    let query = queries(&bench).pop().expect("asked");
    assert!(query.contains(">p6</"), "what came since is asked for: {query}");
    bob_at(&mut bench, 7, 0);
    page_over(&mut bench, true, "p7", "p7");
    assert_eq!(kept(&bench), ["3", "4", "5", "6", "7"]);
    assert_eq!(positions(&bench).last().map(String::as_str), Some("p7"));
}

#[test]
fn the_first_time_a_week_is_read_and_is_no_news() {
    let mut bench = online(None);
    let query = queries(&bench).pop().expect("asked");
    assert!(query.contains("2026-11-15T12:00:00"), "a week: {query}");
    archived(&mut bench, "p9", "bob@example.com/x", "alice@example.com", "b9", "newest");
    page_over(&mut bench, false, "p9", "p9");
    assert!(queries(&bench).last().is_some_and(|it| it.contains(">p9</")));
    archived(&mut bench, "p8", "bob@example.com/x", "alice@example.com", "b8", "older");
    assert!(positions(&bench).is_empty(), "not before all of it is here");
    page_over(&mut bench, true, "p8", "p8");
    assert_eq!(positions(&bench), ["p9"]);
    let kept = bench.stored.iter().filter_map(|request| match request {
        StoreRequest::PutArchived(message) => Some(message.body.as_str()),
        _ => None,
    });
    assert_eq!(kept.collect::<Vec<_>>(), ["older", "newest"]);
    assert!(bench.im.chats().iter().all(|chat| chat.unread == 0));
}

#[test]
fn a_place_that_the_archive_forgot_is_no_end() {
    let mut bench = online(Some("gone"));
    let query = queries(&bench).pop().expect("asked");
    bench.receive(&format!(
        "<iq xmlns='jabber:client' type='error' id='{}' from='alice@example.com'>\
         <error type='cancel'><item-not-found \
         xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
        attribute(&query, "id")
    ));
    assert!(queries(&bench).last().is_some_and(|it| it.contains("2026-11-15T12:00:00")));
}

#[test]
fn nobody_but_the_archive_that_was_asked_is_believed() {
    let mut bench = online(Some("p1"));
    let query = queryid(&queries(&bench).pop().expect("asked"));
    for (archive, id) in [
        ("mallory@example.com", query.as_str()),
        ("mallory@example.com/alice@example.com", &query),
        ("example.com", &query),
        ("alice@example.com", "made-up"),
    ] {
        archived_by(
            &mut bench,
            archive,
            id,
            "p2",
            "bob@example.com",
            "alice@example.com",
            "x",
            "forged",
        );
    }
    assert!(bench.bodies(BOB).is_empty());
    page_over(&mut bench, true, "", "");
    archived_by(
        &mut bench,
        "alice@example.com",
        &query,
        "p2",
        BOB,
        "alice@example.com",
        "x",
        "late",
    );
    assert!(bench.bodies(BOB).is_empty(), "the query is over");
}

#[test]
fn messages_by_the_stream_move_the_position_once_the_sync_is_over() {
    let mut bench = online(Some("p1"));
    let place = |place: &str| {
        format!("<stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.com' id='{place}'/>")
    };
    bench.hear("b1", "during", &place("p5"));
    assert!(positions(&bench).is_empty());
    page_over(&mut bench, true, "", "");
    assert_eq!(positions(&bench), ["p5"]);
    bench.hear("b2", "after", &place("p6"));
    bench.hear(
        "b3",
        "forged place",
        "<stanza-id xmlns='urn:xmpp:sid:0' by='bob@example.com' id='p7'/>",
    );
    assert_eq!(positions(&bench), ["p5", "p6"]);
}

#[test]
fn an_archive_that_failed_leaves_the_position_where_it_was() {
    let mut bench = online(Some("p1"));
    let id = attribute(queries(&bench).last().expect("asked"), "id");
    bench.receive(
        "<message xmlns='jabber:client' type='chat' from='bob@example.com/x' \
         to='alice@example.com/desk' id='m9'><body>now</body>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.com' id='p9'/></message>",
    );
    bench.receive(&format!(
        "<iq xmlns='jabber:client' type='error' id='{id}' from='alice@example.com'>\
         <error type='wait'><internal-server-error \
         xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    ));
    // What lies between p1 and p9 is not here, and must be asked for some day.
    assert_eq!(positions(&bench), Vec::<String>::new());
}

#[test]
fn an_interruption_forgets_nothing_and_a_new_stream_everything() {
    let mut bench = Bench::with_contacts("<item jid='bob@example.com' subscription='both'/>");
    bench.receive("<presence xmlns='jabber:client' from='bob@example.com/x'/>");
    let here = |bench: &Bench| {
        bench.im.contacts().iter().any(|c| c.presence.availability == Availability::Available)
    };
    let id = bench.say(BOB, "under way");
    bench.forget();
    bench.im.interrupted(bench.now);
    bench.hear("b1", "came before the end", "<request xmlns='urn:xmpp:receipts'/>");
    assert!(here(&bench) && bench.sent.is_empty());
    let later = bench.say(BOB, "written meanwhile");
    assert_eq!(sent_bodies(&bench), 0);
    bench.im.online(jid("alice@example.com/desk"), true, bench.now);
    bench.drain();
    assert!(here(&bench));
    assert!(bench.sent.iter().any(|it| it.contains("urn:xmpp:receipts")), "{:?}", bench.sent);
    assert!(!bench.sent.iter().any(|it| it.contains("jabber:iq:roster")), "{:?}", bench.sent);
    let sent: Vec<String> =
        bench.sent.iter().filter(|it| it.contains("<body")).map(|it| attribute(it, "id")).collect();
    assert_eq!(sent, [later], "{id} is the link's to send again");
    bench.im.interrupted(bench.now);
    bench.connect();
    assert!(!here(&bench), "a new stream knows nobody");
}

/// A message of Bob's in the answer to the last query; `second` of 12:00 at the server's clock.
fn bob_at(bench: &mut Bench, n: u32, second: i64) {
    let query = queryid(&queries(bench).pop().expect("asked"));
    let (minute, second) = (second.div_euclid(60), second.rem_euclid(60));
    let stamp = match minute {
        -1 => format!("2026-11-22T11:59:{second:02}Z"),
        _ => format!("2026-11-22T12:{minute:02}:{second:02}Z"),
    };
    bench.receive(&format!(
        "<message xmlns='jabber:client' from='alice@example.com' to='alice@example.com/desk'>\
         <result xmlns='urn:xmpp:mam:2' queryid='{query}' id='p{n}'>\
         <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='{stamp}'/>\
         <message xmlns='jabber:client' type='chat' from='{BOB}/x' to='alice@example.com' \
         id='b{n}'><body>{n}</body></message></forwarded></result></message>"
    ));
}

fn live(bench: &mut Bench, n: u32) {
    let place = format!("<stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.com' id='p{n}'/>");
    bench.hear(&format!("b{n}"), &n.to_string(), &place);
}

#[test]
fn order_follows_the_archive_whatever_the_two_clocks_say() {
    let numbers = |n: u32| (1..=n).map(|n| n.to_string()).collect::<Vec<_>>();
    // How far the server's clock is ahead of ours, and whether the stream broke on the way.
    for (ahead, broken) in [(0, false), (3, false), (-3, false), (0, true), (3, true), (-3, true)] {
        let mut bench = online(Some("p0"));
        page_over(&mut bench, true, "", "");
        live(&mut bench, 1);
        // Away for less than a second, in which 2 to 5 are written.
        bench.disconnect();
        bench.connect();
        bench.account_can(MAM);
        live(&mut bench, 6);
        bob_at(&mut bench, 2, ahead);
        live(&mut bench, 7);
        bob_at(&mut bench, 3, ahead);
        page_over(&mut bench, false, "p2", "p3");
        if broken {
            bench.disconnect();
            bench.connect();
            bench.account_can(MAM);
        }
        live(&mut bench, 8);
        for n in 4..=7 {
            bob_at(&mut bench, n, ahead);
        }
        page_over(&mut bench, false, "p4", "p7");
        live(&mut bench, 9);
        bob_at(&mut bench, 8, ahead);
        page_over(&mut bench, true, "p8", "p8");
        live(&mut bench, 10);
        assert_eq!(bench.bodies(BOB), numbers(10), "{ahead} {broken}");
        assert_eq!(kept(&bench), numbers(10), "{ahead} {broken}");
        bench.wait(1);
        live(&mut bench, 11);
        assert_eq!(kept(&bench), numbers(11), "{ahead} {broken}");
    }
}

#[test]
fn a_killed_program_goes_on_reading_where_it_was_and_not_behind_what_came_by_the_stream() {
    for ahead in [0, 3, -3] {
        let mut bench = online(Some("p0"));
        page_over(&mut bench, true, "", "");
        live(&mut bench, 1);
        bench.disconnect();
        bench.connect();
        bench.account_can(MAM);
        live(&mut bench, 6);
        live(&mut bench, 7);
        bob_at(&mut bench, 2, ahead);
        let mut bench = killed(&bench, Some("p2"));
        for n in 3..=8 {
            bob_at(&mut bench, n, ahead);
        }
        page_over(&mut bench, true, "p3", "p8");
        assert_eq!(kept(&bench), ["1", "2", "3", "4", "5", "6", "7", "8"], "{ahead}");
        assert!(disk(&bench.stored).loaded().unplaced.is_empty(), "nothing is left of it");
    }
}

#[test]
fn what_waits_to_be_sent_does_not_hide_what_the_server_has() {
    let mut bench = Bench::online();
    let id = bench.say(BOB, "waits");
    let mut chat = Chat::new(jid(BOB), "bob".into(), ChatKind::Person);
    let waiting = bench.stored.iter().find_map(|it| match it {
        StoreRequest::PutMessage(m) if m.id.0 == id => Some(m.clone()),
        _ => None,
    });
    chat.last = waiting;
    let newest = Timestamp(chat.last.as_ref().expect("kept").time.0 - 200);
    let mut bench = Bench::offline();
    bench.im.loaded(Loaded {
        archives: vec![(None, "p0".into())],
        chats: vec![chat],
        settled: vec![(jid(BOB), newest)],
        ..Loaded::default()
    });
    bench.connect();
    // The server's whole second is before the newest that is here.
    let delay = "<delay xmlns='urn:xmpp:delay' stamp='2026-11-22T11:59:59Z'/>";
    bench.hear("b1", "1", delay);
    let time = bench.stored.iter().find_map(|it| match it {
        StoreRequest::PutMessage(m) if m.body == "1" => Some(m.time),
        _ => None,
    });
    assert!(time > Some(newest), "{time:?} {newest:?}");
}

#[test]
fn a_first_reading_that_was_killed_begins_anew_and_keeps_the_order() {
    let mut bench = online(None);
    live(&mut bench, 2);
    live(&mut bench, 3);
    let mut bench = killed(&bench, None);
    for n in 1..=5 {
        bob_at(&mut bench, n, i64::from(n > 3) * 5);
    }
    page_over(&mut bench, true, "p1", "p5");
    assert_eq!(kept(&bench), ["1", "2", "3", "4", "5"]);
}

#[test]
fn what_a_server_kept_and_gives_in_another_order_is_put_into_that_of_the_archive() {
    for ahead in [0, 3, -3] {
        let mut bench = online(Some("p0"));
        for n in [5, 6, 1, 2, 3] {
            live(&mut bench, n);
        }
        for n in 1..=7 {
            bob_at(&mut bench, n, ahead);
        }
        live(&mut bench, 8);
        page_over(&mut bench, true, "p1", "p7");
        let want: Vec<String> = (1..=8).map(|n| n.to_string()).collect();
        assert_eq!(kept(&bench), want, "{ahead}");
        assert_eq!(bench.bodies(BOB), want, "{ahead}");
    }
}

#[test]
fn a_long_time_ahead_of_the_archive_is_not_told_twice() {
    let mut bench = online(Some("p0"));
    for n in 1..=600 {
        live(&mut bench, n);
    }
    let unread = bench.im.chats()[0].unread;
    for n in 1..=600 {
        if n % 100 == 1 && n > 1 {
            page_over(&mut bench, false, "p", &format!("p{}", n - 1));
        }
        bob_at(&mut bench, n, 0);
    }
    page_over(&mut bench, true, "p501", "p600");
    let put = |it: &&StoreRequest| {
        matches!(it, StoreRequest::PutMessage(_) | StoreRequest::PutArchived(_))
    };
    assert_eq!(bench.stored.iter().filter(put).count(), 600);
    assert_eq!(bench.im.chats()[0].unread, unread);
}

#[test]
fn the_first_reading_stands_before_what_came_meanwhile() {
    for ahead in [0, 3, -3] {
        let mut bench = online(None);
        live(&mut bench, 3);
        bench.wait(1);
        bob_at(&mut bench, 1, ahead);
        bob_at(&mut bench, 2, ahead);
        page_over(&mut bench, true, "p1", "p2");
        assert_eq!(kept(&bench), ["1", "2", "3"], "{ahead}");
    }
}

#[test]
fn what_was_kept_by_a_server_with_a_late_clock_stands_behind_what_came_before() {
    let mut bench = Bench::offline();
    bench.connect_without_archive();
    live(&mut bench, 1);
    bench.disconnect();
    bench.connect_without_archive();
    let delay = "<delay xmlns='urn:xmpp:delay' stamp='2026-11-22T11:59:57Z'/>";
    bench.hear("b2", "2", delay);
    bench.hear("b3", "3", "");
    assert_eq!(kept(&bench), ["1", "2", "3"]);
}
