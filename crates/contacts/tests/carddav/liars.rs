//! Servers that lie, go on and on, or send more than anybody wants.

use std::time::Duration;

use offhook_contacts::carddav::BookFault;
use offhook_contacts::vcard::MAX_CARDS;
use offhook_model::Fault;
use offhook_testkit::{Reply, TestWorld};

use super::written::{
    BOOK, HOST, SYNCS, card, etag, list, multistatus, names, propfind, report, run, status,
    with_book,
};

fn host() -> String {
    "dav.example.com".into()
}

#[test]
fn changes_that_never_end() {
    let world = TestWorld::new();
    let typed = with_book(&world, SYNCS);
    // Always the same token, and always more: the list is asked for instead.
    let rows = etag("/b/1", "1") + &status("/b/", 507) + "<D:sync-token>t</D:sync-token>";
    world.web_containing(&report("/b/"), "sync-collection", multistatus(&rows));
    world.web_containing(
        &propfind("/b/"),
        "<D:getetag/>",
        list(&[("/b/1", "<D:getetag>1</D:getetag>")]),
    );
    world.web_containing(&report("/b/"), "addressbook-multiget", list(&[("/b/1", &card("Bob"))]));
    assert_eq!(names(&run(&world, &typed, None).expect("cards")), ["Bob"]);
    assert!(world.asked().len() < 10, "{:?}", world.asked());
}

#[test]
fn more_cards_than_anybody_has() {
    let world = TestWorld::new();
    let typed = with_book(&world, BOOK);
    let most = MAX_CARDS + 10;
    let rows: String = (0..most).map(|at| etag(&format!("/b/{at:05}"), "1")).collect();
    world.web_containing(&propfind("/b/"), "<D:getetag/>", multistatus(&rows));
    // It answers with the same card whatever it is asked for.
    world.web_containing(
        &report("/b/"),
        "addressbook-multiget",
        list(&[("/b/00000", &card("Bob"))]),
    );
    let found = run(&world, &typed, None).expect("cards");
    assert_eq!((names(&found), found.left_out, found.more), (vec!["Bob"], MAX_CARDS - 1, true));
    assert_eq!(world.asked().len(), 2 + MAX_CARDS / 100);
}

#[test]
fn answers_that_are_too_large() {
    let world = TestWorld::new();
    let typed = with_book(&world, BOOK);
    let row = "<D:getetag>1</D:getetag>";
    world.web_containing(
        &propfind("/b/"),
        "<D:getetag/>",
        list(&[("/b/1", row), ("/b/2", row), ("/b/3", row)]),
    );
    let multiget = |needle: &str, reply: Reply| {
        world.web_containing(&report("/b/"), needle, reply);
    };
    let large = || Reply::fault(Fault::TooLarge(16 << 20));
    // Two of them together, and the third by itself, are too large.
    multiget("/b/1</D:href>", list(&[("/b/1", &card("Bob"))]));
    multiget("/b/2</D:href>", list(&[("/b/2", &card("Eve"))]));
    multiget("/b/3</D:href>", large());
    multiget("/b/1</D:href><D:href>/b/2</D:href>", large());
    let found = run(&world, &typed, None).expect("cards");
    assert_eq!((names(&found), found.left_out), (vec!["Bob", "Eve"], 1));
    assert!(found.kept == run(&world, &typed, Some(&found.kept)).expect("cards").kept);

    // Nothing but lists without end.
    world.web(&propfind("/h/"), large());
    let fault = run(&world, &format!("{HOST}/h/"), None).expect_err("too large");
    assert_eq!(fault, BookFault::TooLarge(host()));
    assert!(fault.problem().cause.contains(&host()));
}

#[test]
fn what_is_slow_goes_on_the_next_time() {
    let world = TestWorld::new();
    let typed = with_book(&world, SYNCS);
    let changes = |since: &str, rows: &str, token: &str| {
        let needle = format!("<D:sync-token>{since}</D:sync-token>");
        let reply = multistatus(&format!("{rows}<D:sync-token>{token}</D:sync-token>"));
        world.web_containing(&report("/b/"), &needle, reply);
    };
    changes("", "", "t1");
    let empty = run(&world, &typed, None).expect("nobody");
    let names: Vec<String> = (0..700).map(|at| format!("/b/{at:03}")).collect();
    let rows: String = names.iter().map(|href| etag(href, "1")).collect();
    changes("t1", &rows, "t2");
    for page in names.chunks(100) {
        let cards: Vec<_> = page.iter().map(|href| (href.as_str(), card(href))).collect();
        let cards: Vec<_> = cards.iter().map(|(href, card)| (*href, card.as_str())).collect();
        let first = format!("</D:prop><D:href>{}</D:href>", page[0]);
        let late = Duration::from_secs(59);
        world.web_containing(&report("/b/"), &first, list(&cards).after(late));
    }
    let first = run(&world, &typed, Some(&empty.kept)).expect("cards");
    assert_eq!((first.cards.len(), first.more), (500, true));
    // Since the old token, for the new one would not tell of the rest.
    let second = run(&world, &typed, Some(&first.kept)).expect("cards");
    assert_eq!((second.cards.len(), second.more, second.whole), (200, false, false));
    world.web_containing(&propfind("/b/"), "current-user-principal", Reply::silence());
    let fault = run(&world, &typed, Some(&second.kept)).expect_err("gone");
    assert!(matches!(fault, BookFault::Way(_, Fault::ConnectTimeout)), "{fault:?}");
}
