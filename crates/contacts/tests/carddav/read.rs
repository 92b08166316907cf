//! What has changed, by each way that servers have to tell it.

use std::collections::BTreeSet;

use offhook_contacts::carddav::{BookFault, Kept};
use offhook_testkit::{Reply, TestWorld};

use super::written::{
    BOOK, HOST, SYNCS, card, etag, list, multistatus, names, propfind, report, run, status,
    with_book,
};

/// The answer to a question for a list of these.
fn listed(world: &TestWorld, rows: &[(&str, &str)]) {
    let rows: String = rows.iter().map(|(href, tag)| etag(href, tag)).collect();
    world.web_containing(&propfind("/b/"), "<D:getetag/>", multistatus(&rows));
}

fn with_token(rows: &str, token: &str) -> Reply {
    multistatus(&format!("{rows}<D:sync-token>{token}</D:sync-token>"))
}

fn changes(world: &TestWorld, since: &str, reply: Reply) {
    let needle = format!("<D:sync-token>{since}</D:sync-token>");
    world.web_containing(&report("/b/"), &needle, reply);
}

fn cards(world: &TestWorld, people: &[(&str, &str)]) {
    let people: Vec<_> = people.iter().map(|(href, name)| (*href, card(name))).collect();
    let people: Vec<_> = people.iter().map(|(href, card)| (*href, card.as_str())).collect();
    world.web_containing(&report("/b/"), "addressbook-multiget", list(&people));
}

fn since(kept: &Kept) -> serde_json::Value {
    serde_json::to_value(kept).expect("writable")["books"]["/b/"].clone()
}

#[test]
fn by_tokens() {
    let world = TestWorld::new();
    let typed = with_book(&world, SYNCS);
    changes(
        &world,
        "",
        with_token(&(etag("/b/", "x") + &etag("/b/1", "1") + &etag("2", "1")), "t1"),
    );
    cards(&world, &[("/b/1", "Bob"), ("/b/2", "Eve")]);
    let first = run(&world, &typed, None).expect("cards");
    assert_eq!((names(&first), first.whole), (vec!["Bob", "Eve"], true));
    assert_eq!(since(&first.kept)["token"], "t1");

    changes(&world, "t1", with_token(&(status("/b/2", 404) + &etag("/b/1", "2")), "t2"));
    cards(&world, &[("/b/1", "Bobby")]);
    let second = run(&world, &typed, Some(&first.kept)).expect("cards");
    assert_eq!((names(&second), second.gone.as_slice()), (vec!["Bobby"], &["/b/2".to_owned()][..]));

    changes(&world, "t2", with_token("", "t2"));
    let before = world.asked().len();
    let third = run(&world, &typed, Some(&second.kept)).expect("cards");
    assert_eq!((third.cards.len(), third.gone.len()), (0, 0));
    assert_eq!(world.asked().len() - before, 2, "the book, and what has changed");

    // The server has forgotten the token: what is known need not be read again.
    changes(&world, "t2", Reply::status(403, "<error><valid-sync-token/></error>"));
    changes(&world, "", with_token(&(etag("/b/1", "1") + &etag("/b/3", "1")), "t9"));
    cards(&world, &[("/b/3", "Zoe")]);
    let fourth = run(&world, &typed, Some(&third.kept)).expect("cards");
    assert_eq!((names(&fourth), fourth.gone.len()), (vec!["Zoe"], 0));
    assert_eq!(since(&fourth.kept)["token"], "t9");
    changes(&world, "t9", Reply::status(409, ""));
    changes(&world, "", with_token(&etag("/b/3", "1"), "t10"));
    let fifth = run(&world, &typed, Some(&fourth.kept)).expect("cards");
    assert_eq!((fifth.cards.len(), fifth.gone), (0, vec!["/b/1".to_owned()]));
}

#[test]
fn what_was_not_read_is_asked_for_again() {
    let world = TestWorld::new();
    let typed = with_book(&world, SYNCS);
    changes(&world, "", with_token(&(etag("/b/1", "1") + &etag("/b/2", "1")), "t1"));
    cards(&world, &[("/b/1", "Bob")]);
    let first = run(&world, &typed, None).expect("cards");
    assert_eq!((names(&first), first.left_out), (vec!["Bob"], 1));
    // With the token it would not be told of the second again.
    changes(&world, "", with_token(&etag("/b/2", "1"), "t2"));
    cards(&world, &[("/b/2", "Eve")]);
    let second = run(&world, &typed, Some(&first.kept)).expect("cards");
    assert_eq!((names(&second), second.gone.as_slice()), (vec!["Eve"], &["/b/1".to_owned()][..]));
    assert_eq!(since(&second.kept)["token"], "t2");
}

#[test]
fn by_tokens_bit_by_bit() {
    let world = TestWorld::new();
    let typed = with_book(&world, SYNCS);
    changes(&world, "", with_token(&(etag("/b/1", "1") + &status("/b/", 507)), "p1"));
    changes(&world, "p1", with_token(&(etag("/b/2", "1") + &status("/b/", 507)), "p2"));
    changes(&world, "p2", with_token(&status("/b/1", 404), "t1"));
    cards(&world, &[("/b/2", "Eve")]);
    let found = run(&world, &typed, None).expect("cards");
    assert_eq!((names(&found), since(&found.kept)["token"].as_str()), (vec!["Eve"], Some("t1")));
}

#[test]
fn by_a_list_of_tags() {
    let world = TestWorld::new();
    let typed = with_book(&world, &format!("{BOOK}<S:getctag>c1</S:getctag>"));
    listed(&world, &[("/b/", "x"), ("/b/1.vcf", "1"), ("/b/%C3%BC.vcf", "1")]);
    cards(&world, &[("https://dav.example.com/b/1.vcf", "Bob"), ("/b/ü.vcf", "Ü")]);
    let first = run(&world, &typed, None).expect("cards");
    assert_eq!((names(&first), first.left_out), (vec!["Bob", "Ü"], 0));
    let ids: BTreeSet<&str> = first.cards.iter().map(|card| card.entry.id.as_str()).collect();
    assert_eq!(ids, BTreeSet::from(["/b/1.vcf", "/b/ü.vcf"]));

    // The tag of the whole says that nothing is new.
    let before = world.asked().len();
    assert!(run(&world, &typed, Some(&first.kept)).expect("cards").cards.is_empty());
    assert_eq!(world.asked().len() - before, 1);

    with_book(&world, &format!("{BOOK}<S:getctag>c2</S:getctag>"));
    listed(&world, &[("/b/1.vcf", "2"), ("/b/3.vcf", "1")]);
    cards(&world, &[("/b/1.vcf", "Bobby"), ("/b/3.vcf", "Eve")]);
    let second = run(&world, &typed, Some(&first.kept)).expect("cards");
    assert_eq!(
        (names(&second), second.gone.clone()),
        (vec!["Bobby", "Eve"], vec!["/b/ü.vcf".to_owned()])
    );
}

#[test]
fn all_at_once_where_there_is_no_other_way() {
    let world = TestWorld::new();
    let typed = with_book(&world, SYNCS);
    // What it says of its reports is not true, and it has no lists.
    world.web_containing(&propfind("/b/"), "<D:getetag/>", Reply::status(501, ""));
    world.web_containing(&report("/b/"), "sync-collection", Reply::status(501, ""));
    let all = list(&[("/b/1", &card("Bob")), ("/b/2", &card("Eve"))]);
    world.web_containing(&report("/b/"), "addressbook-query", all.clone());
    let first = run(&world, &typed, None).expect("cards");
    assert_eq!(names(&first), ["Bob", "Eve"]);
    assert!(run(&world, &typed, Some(&first.kept)).expect("cards").cards.is_empty());

    // It has lists, and gives no single cards.
    let world = TestWorld::new();
    let typed = with_book(&world, BOOK);
    listed(&world, &[("/b/1", "1"), ("/b/2", "1"), ("/b/3", "1")]);
    world.web_containing(&report("/b/"), "addressbook-multiget", Reply::status(501, ""));
    world.web_containing(&report("/b/"), "addressbook-query", all);
    let found = run(&world, &typed, None).expect("cards");
    assert_eq!((names(&found), found.left_out), (vec!["Bob", "Eve"], 1));
    world.web_containing(&report("/b/"), "addressbook-query", Reply::status(400, ""));
    let fault = run(&world, &typed, None).expect_err("no way");
    assert!(matches!(fault, BookFault::Way(..)), "{fault:?}");
}

#[test]
fn what_names_nobody_is_counted_and_not_asked_for_again() {
    let world = TestWorld::new();
    let typed = with_book(&world, BOOK);
    listed(&world, &[("/b/1", "1"), ("/b/2", "1"), ("/b/3", "1"), ("/b/4", "1")]);
    let rows = [
        ("/b/1", card("Bob")),
        ("/b/2", "<address-data>hello</address-data>".to_owned()),
        ("/b/3", card("Team").replace("FN:", "KIND:group\nFN:")),
    ];
    let rows: Vec<_> = rows.iter().map(|(href, card)| (*href, card.as_str())).collect();
    world.web_containing(&report("/b/"), "addressbook-multiget", list(&rows));
    let first = run(&world, &typed, None).expect("cards");
    assert_eq!((names(&first), first.left_out, first.more), (vec!["Bob"], 3, false));

    // Of the fourth the server said nothing, so it is asked for once more; Bob has become a group.
    listed(&world, &[("/b/1", "2"), ("/b/2", "1"), ("/b/3", "1"), ("/b/4", "1")]);
    let rows = [("/b/1", card("Bob").replace("FN:", "KIND:group\nFN:")), ("/b/4", card("Eve"))];
    let rows: Vec<_> = rows.iter().map(|(href, card)| (*href, card.as_str())).collect();
    world.web_containing(&report("/b/"), "addressbook-multiget", list(&rows));
    let second = run(&world, &typed, Some(&first.kept)).expect("cards");
    assert_eq!((names(&second), second.gone.clone()), (vec!["Eve"], vec!["/b/1".to_owned()]));
}

#[test]
fn one_address_book_of_two_cannot_be_read() {
    let world = TestWorld::new();
    with_book(&world, BOOK);
    listed(&world, &[("/b/1", "1")]);
    cards(&world, &[("/b/1", "Bob")]);
    world.web(
        &propfind("/h/"),
        list(&[
            ("/h/", "<D:resourcetype><D:collection/></D:resourcetype>"),
            ("/b/", BOOK),
            ("/c/", BOOK),
        ]),
    );
    for question in [propfind("/c/"), report("/c/")] {
        world.web(&question, Reply::status(403, ""));
    }
    let found = run(&world, &format!("{HOST}/h/"), None).expect("cards");
    assert_eq!(names(&found), ["Bob"]);
    assert_eq!(found.problems, [BookFault::Forbidden("dav.example.com".into())]);
    world.web(
        &propfind("/h/"),
        list(&[("/h/", "<D:resourcetype><D:collection/></D:resourcetype>"), ("/c/", BOOK)]),
    );
    let fault = run(&world, &format!("{HOST}/h/"), None).expect_err("nothing");
    assert_eq!(fault, BookFault::Forbidden("dav.example.com".into()));
}
