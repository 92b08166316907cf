//! Against Radicale.

use offhook_contacts::carddav::{AddressBookCards, BookFault, BookPlan, Kept, fetch};
use offhook_contacts::vcard::Card;
use offhook_model::{Area, Fault, NumberKind, Owner, PhotoSource, SourceKind};
use offhook_ports::World;

use super::radicale::{Radicale, world};

fn plan(address: &str) -> BookPlan {
    BookPlan { address: address.into(), user_name: "ann".into(), password: "s3cret".into() }
}

fn card(name: &str, more: &str) -> String {
    let (first, last) = name.split_once(' ').unwrap_or((name, ""));
    format!(
        "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{name}\r\nFN:{name}\r\nN:{last};{first};;;\r\n{more}END:VCARD\r\n"
    )
}

fn names(found: &AddressBookCards) -> Vec<&str> {
    let mut names: Vec<&str> =
        found.cards.iter().filter_map(|card| card.entry.display_name.as_deref()).collect();
    names.sort_unstable();
    names
}

async fn read(world: &World, plan: &BookPlan, since: Option<&Kept>) -> AddressBookCards {
    let found = fetch(world, plan, since).await.expect("cards");
    assert!(found.problems.is_empty() && !found.more, "{:?}", found.problems);
    // What is kept outlives the program.
    let written = serde_json::to_string(&found.kept).expect("writable");
    assert_eq!(serde_json::from_str::<Kept>(&written).expect("readable"), found.kept);
    found
}

#[tokio::test]
async fn an_empty_address_book_and_one_with_three_people() {
    let Some(server) = Radicale::start(false, &["empty", "friends"]).await else { return };
    let world = server.world();
    let found = read(&world, &plan(&server.url("/ann/empty/")), None).await;
    assert!(found.whole && found.cards.is_empty() && found.left_out == 0);

    let photo = "PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgo=\r\n";
    server.lay("friends", "1.vcf", &card("Jürgen Müßig", "TEL;TYPE=CELL:+49 170 5550142\r\n"));
    server.lay("friends", "2.vcf", &card("Zoë Łuk", photo));
    server.lay(
        "friends",
        "ü 3.vcf",
        &card("Bob; Byte", "EMAIL:bob@example.com\r\n").replace("; ", "\\; "),
    );
    server.lay("friends", "4.vcf", &card("The group", "X-ADDRESSBOOKSERVER-KIND:group\r\n"));
    // The server alone is enough: it says where the address books of ann are.
    let found = read(&world, &plan(&server.url("")), None).await;
    assert_eq!(names(&found), ["Bob; Byte", "Jürgen Müßig", "Zoë Łuk"]);
    assert_eq!(found.left_out, 1, "the group");
    let of = |name: &str| {
        let said =
            |it: &&Card| it.entry.display_name.as_deref().is_some_and(|it| it.contains(name));
        found.cards.iter().find(said).expect("there")
    };
    let entry = &of("Jürgen").entry;
    assert_eq!((entry.source, entry.id.as_str()), (SourceKind::CardDav, "/ann/friends/1.vcf"));
    assert_eq!(
        (entry.first_name.as_deref(), entry.numbers[0].kind),
        (Some("Jürgen"), NumberKind::Mobile)
    );
    let zoe = of("Zoë");
    assert_eq!(zoe.picture.as_ref().map(|it| it.data.as_slice()), Some(&b"\x89PNG\r\n\x1a\n"[..]));
    assert!(!matches!(zoe.entry.photo, Some(PhotoSource::Url(_))));
    assert_eq!(of("Bob").entry.id, "/ann/friends/ü 3.vcf");
}

#[tokio::test]
async fn the_second_reading_brings_what_has_changed() {
    let Some(server) = Radicale::start(false, &["friends", "work"]).await else { return };
    for name in ["Ann A", "Bob B", "Cleo C"] {
        server.lay("friends", &format!("{name}.vcf"), &card(name, ""));
    }
    server.lay("work", "d.vcf", &card("Dan D", ""));
    let (world, plan) = (server.world(), plan(&server.url("/ann/")));
    let first = read(&world, &plan, None).await;
    assert_eq!(names(&first), ["Ann A", "Bob B", "Cleo C", "Dan D"]);
    let same = read(&world, &plan, Some(&first.kept)).await;
    assert_eq!((same.whole, same.cards.len(), same.gone.len()), (false, 0, 0));
    assert_eq!(same.kept, first.kept);

    server.put("/ann/friends/Bob%20B.vcf", &card("Bob B", "TITLE:Chief\r\n")).await;
    server.put("/ann/friends/e.vcf", &card("Eve E", "")).await;
    server.delete("/ann/friends/Cleo%20C.vcf").await;
    let second = read(&world, &plan, Some(&same.kept)).await;
    assert_eq!(names(&second), ["Bob B", "Eve E"]);
    assert_eq!(second.gone, ["/ann/friends/Cleo C.vcf"]);
    let bob = second.cards.iter().find(|it| it.entry.title.is_some()).expect("changed");
    assert_eq!(bob.entry.id, "/ann/friends/Bob B.vcf");

    server.delete("/ann/work/").await;
    let third = read(&world, &plan, Some(&second.kept)).await;
    assert_eq!((third.cards.len(), third.gone), (0, vec!["/ann/work/d.vcf".to_owned()]));

    // What is kept of another account is of no use.
    let book = BookPlan { address: server.url("/ann/friends"), ..plan };
    let other = read(&world, &book, Some(&third.kept)).await;
    assert!(other.whole && names(&other) == ["Ann A", "Bob B", "Eve E"], "{other:?}");
}

#[tokio::test]
async fn a_thousand_people() {
    let Some(server) = Radicale::start(false, &["many"]).await else { return };
    for at in 0..1000 {
        server.lay("many", &format!("{at}.vcf"), &card(&format!("Person{at} Lab"), "TEL:2001\r\n"));
    }
    let (world, plan) = (server.world(), plan(&server.url("/ann/many/")));
    let found = read(&world, &plan, None).await;
    assert_eq!((found.cards.len(), found.left_out), (1000, 0));
    let again = read(&world, &plan, Some(&found.kept)).await;
    assert_eq!((again.cards.len(), again.gone.len()), (0, 0));
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let Some(mut server) = Radicale::start(false, &["friends"]).await else { return };
    let world = server.world();
    let failed = async |plan: &BookPlan| fetch(&world, plan, None).await.expect_err("a fault");
    let wrong = BookPlan { password: "wrong".into(), ..plan(&server.url("")) };
    let fault = failed(&wrong).await;
    assert!(
        matches!(&fault, BookFault::Refused { offered, .. } if offered == &["Basic"]),
        "{fault:?}"
    );
    let problem = fault.problem();
    assert_eq!((problem.area, problem.owner), (Area::Authentication, Owner::User));
    assert!(!format!("{problem:?}").contains("wrong"), "{problem:?}");
    let nowhere = failed(&plan(&server.url("/ann/nothing/"))).await;
    assert_eq!(nowhere, BookFault::NotThere("127.0.0.1".into()));
    let foreign = failed(&plan(&server.url("/bob/friends/"))).await;
    assert_eq!(foreign, BookFault::Forbidden("127.0.0.1".into()));
    server.delete("/ann/friends/").await;
    assert_eq!(failed(&plan(&server.url(""))).await, BookFault::NoBook("127.0.0.1".into()));
    server.kill();
    let gone = failed(&plan(&server.url(""))).await;
    assert!(matches!(gone, BookFault::Way(_, Fault::PortRefused)), "{gone:?}");
}

#[tokio::test]
async fn under_tls_with_our_authority_and_with_a_strange_one() {
    let Some(server) = Radicale::start(true, &["friends"]).await else { return };
    server.lay("friends", "1.vcf", &card("Ann A", ""));
    // Without a scheme it is https.
    let plan = plan(&format!("127.0.0.1:{}", server.port));
    assert_eq!(names(&read(&server.world(), &plan, None).await), ["Ann A"]);
    let fault = fetch(&world(vec![]), &plan, None).await.expect_err("a strange authority");
    assert!(matches!(fault, BookFault::Way(_, Fault::Tls(_))), "{fault:?}");
    assert_eq!(fault.problem().area, Area::Tls);
}
