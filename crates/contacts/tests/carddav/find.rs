//! Where the address books are, and who is shown the password on the way.

use offhook_contacts::carddav::BookFault;
use offhook_testkit::{Reply, TestWorld};

use super::written::{BOOK, FOLDER, HOST, card, list, names, propfind, report, run};

const PRINCIPAL: &str =
    "<D:current-user-principal><D:href>/p/ann/</D:href></D:current-user-principal>";
const HOME: &str = "<C:addressbook-home-set><D:href>/books/ann/</D:href></C:addressbook-home-set>";

/// A server whose principal, home and one address book are at places of their own.
fn server(host: &str) -> TestWorld {
    let world = TestWorld::new();
    let ask = |path: &str| format!("PROPFIND {host}{path}");
    let moved = Reply::status(301, "").with_header("location", "/dav/");
    world.web(&ask("/.well-known/carddav"), moved);
    world.web(&ask("/dav/"), list(&[("/dav/", &format!("{FOLDER}{PRINCIPAL}"))]));
    world.web(&ask("/p/ann/"), list(&[("/p/ann/", HOME)]));
    let books = list(&[
        ("/books/ann/", FOLDER),
        ("/books/ann/friends/", BOOK),
        ("/books/ann/calendar/", "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype>"),
    ]);
    world.web(&ask("/books/ann/"), books);
    let friends = list(&[
        ("/books/ann/friends/", FOLDER),
        ("/books/ann/friends/1.vcf", "<D:getetag>1</D:getetag>"),
    ]);
    world.web(&ask("/books/ann/friends/"), friends);
    world.web(
        &format!("REPORT {host}/books/ann/friends/"),
        list(&[("/books/ann/friends/1.vcf", &card("Bob"))]),
    );
    world
}

#[test]
fn from_the_server_by_principal_and_home() {
    let world = server(HOST);
    let found = run(&world, "https://dav.example.com", None).expect("cards");
    assert_eq!(names(&found), ["Bob"]);
    let asked: Vec<String> = [
        &propfind("/.well-known/carddav"),
        &propfind("/dav/"),
        &propfind("/p/ann/"),
        &propfind("/books/ann/"),
        &propfind("/books/ann/friends/"),
        &report("/books/ann/friends/"),
    ]
    .into_iter()
    .map(|asked| format!("{asked} as ann"))
    .collect();
    assert_eq!(world.asked(), asked);
}

#[test]
fn without_a_well_known_address_the_server_itself_is_asked() {
    let world = server(HOST);
    world.web(&propfind("/.well-known/carddav"), Reply::status(404, ""));
    world.web(&propfind("/"), list(&[("/", PRINCIPAL)]));
    assert_eq!(names(&run(&world, "dav.example.com:443", None).expect("cards")), ["Bob"]);
}

#[test]
fn a_folder_of_address_books_and_one_address_book() {
    for typed in ["/books/ann", "/books/ann/friends/"] {
        let world = server(HOST);
        let ours = list(&[
            ("/books/ann/friends", BOOK),
            ("/books/ann/friends/1.vcf", "<D:getetag>1</D:getetag>"),
        ]);
        world.web(&propfind("/books/ann/friends/"), ours.clone());
        world.web(&propfind("/books/ann/friends"), ours);
        let moved =
            Reply::status(308, "").with_header("location", "http://dav.example.com/books/ann/");
        world.web(&propfind("/books/ann"), moved);
        let found = run(&world, &format!("{HOST}{typed}"), None).expect("cards");
        assert_eq!(names(&found), ["Bob"], "{typed}");
        assert!(!world.asked().iter().any(|asked| asked.contains("well-known")));
    }
}

#[test]
fn a_domain_by_its_records() {
    let records = "_carddavs._tcp.example.com";
    let world = server("https://dav.example.com:8443");
    let down = (1, 1, 443, "down.example.com");
    world.srv(records, &[(5, 1, 8443, "dav.example.com"), down]);
    assert_eq!(names(&run(&world, "ann@example.com", None).expect("cards")), ["Bob"]);
    // Without records it is the domain itself.
    let world = server("https://example.com:443");
    assert_eq!(names(&run(&world, "example.com", None).expect("cards")), ["Bob"]);
    // The name system alone does not say who is shown a password.
    let world = server("https://dav.evil.test:443");
    world.srv(records, &[(1, 1, 443, "dav.evil.test")]);
    let fault = run(&world, "example.com", None).expect_err("not asked");
    let other = "dav.evil.test".into();
    assert_eq!(fault, BookFault::Elsewhere { host: "example.com".into(), other });
    assert_eq!(world.asked(), [format!("SRV {records}")]);
    world.srv(records, &[(0, 0, 0, "")]);
    let none = run(&world, "example.com", None).expect_err("no such service");
    assert_eq!(none, BookFault::NoCardDav("example.com".into()));
}

#[test]
fn the_password_is_shown_to_nobody_else() {
    let elsewhere = "https://other.example.com:8443/dav/";
    for typed in ["https://dav.example.com", "https://dav.example.com/x/"] {
        let world = TestWorld::new();
        let away = Reply::status(302, "").with_header("location", elsewhere);
        world.web(&propfind("/.well-known/carddav"), away.clone());
        world.web(&propfind("/x/"), away);
        world.web(&format!("PROPFIND {elsewhere}"), Reply::status(401, ""));
        let fault = run(&world, typed, None).expect_err("another server");
        let other = "other.example.com:8443".into();
        assert_eq!(fault, BookFault::Elsewhere { host: "dav.example.com".into(), other });
        assert!(fault.problem().remedy.contains("https://other.example.com:8443/"));
        // It was asked, as nobody.
        assert_eq!(world.asked().last(), Some(&format!("PROPFIND {elsewhere}")));
    }
    let clear = Reply::status(302, "").with_header("location", "http://other.example.com/");
    let world = TestWorld::new();
    world.web(&propfind("/x/"), clear);
    let fault = run(&world, &format!("{HOST}/x/"), None).expect_err("in clear");
    assert_eq!(fault, BookFault::InClear("other.example.com".into()));
    assert_eq!(world.asked().len(), 1);
    // Nor by what lists refer to.
    let world = server(HOST);
    world.web(
        &propfind("/p/ann/"),
        list(&[("/p/ann/", &HOME.replace("/books", "https://evil.test/books"))]),
    );
    let fault = run(&world, HOST, None).expect_err("another server");
    let other = "evil.test".into();
    assert_eq!(fault, BookFault::Elsewhere { host: "dav.example.com".into(), other });
    assert!(world.asked().iter().all(|asked| !asked.contains("evil")));
    let fault = run(&world, "http://dav.example.com/", None).expect_err("in clear");
    assert_eq!(fault, BookFault::InClear("dav.example.com".into()));
}

#[test]
fn what_is_no_address_book_is_said() {
    let said = |reply: Reply| {
        let world = TestWorld::new();
        world.web(&propfind("/x/"), reply);
        run(&world, &format!("{HOST}/x/"), None).expect_err("nothing there")
    };
    let host = || "dav.example.com".to_owned();
    assert_eq!(said(Reply::ok("<html>hello")), BookFault::NoCardDav(host()));
    assert_eq!(said(Reply::status(405, "")), BookFault::NoCardDav(host()));
    assert_eq!(said(Reply::status(404, "")), BookFault::NotThere(host()));
    assert_eq!(said(Reply::status(403, "")), BookFault::Forbidden(host()));
    assert_eq!(said(list(&[("/x/", "")])), BookFault::NoBook(host()));
    assert_eq!(said(list(&[])), BookFault::NoBook(host()));
    let round = Reply::status(301, "").with_header("location", "/x/");
    assert_eq!(said(round), BookFault::Lost(host()));
    let digest = Reply::status(401, "").with_header("www-authenticate", "Digest realm=\"x\"");
    let fault = said(digest);
    assert!(fault.problem().cause.contains("by user name and password alone"), "{fault:?}");
    for (status, words) in [(207, "it is empty"), (500, "HTTP status 500")] {
        let problem = said(Reply::status(status, "")).problem();
        assert!(problem.cause.contains(words), "{}", problem.cause);
    }
    let fault = run(&TestWorld::new(), "not an address", None).expect_err("no address");
    assert_eq!(fault, BookFault::BadAddress);
}
