//! The directory by User Data Services: what is asked, whom, and what liars get us to do.

use std::time::Duration;

use offhook_config::Layers;
use offhook_contacts::ldap::Wish;
use offhook_contacts::numbers::Matching;
use offhook_contacts::uds::{UdsPlan, UdsReport, UdsStanding, search};
use offhook_model::{Area, Fault, Layer, NumberKind, PhotoSource, Setting, Source, SourceKind};
use offhook_ports::Target;
use offhook_testkit::{Reply, TestWorld};

const ONE: &str = "https://cucm1.example.com:8443";
const TWO: &str = "https://cucm2.example.com:8443";
const FAR: &str = "https://far1.example.com:8443";

fn target(host: &str) -> Target {
    Target { host: format!("{host}.example.com"), port: 8443 }
}

/// Two clusters, the home cluster with two nodes.
fn plan(settings: &[(&str, &str)]) -> UdsPlan {
    let setting = |(key, value): &(&str, &str)| Setting {
        key: (*key).to_owned(),
        section: None,
        value: (*value).to_owned(),
        line: None,
    };
    let layers = Layers::new([Layer {
        source: Source::GlobalFile,
        origin: "f".into(),
        settings: settings.iter().map(setting).collect(),
        oddities: vec![],
    }]);
    let mut plan =
        UdsPlan::new(&layers, vec![vec![target("cucm1"), target("cucm2")], vec![target("far1")]]);
    plan.credentials = Some(("asmith".into(), "hunter2".into()));
    plan
}

fn typed(text: &str) -> Wish {
    Wish::Typed(text.into())
}

fn run(world: &TestWorld, plan: &UdsPlan, wish: &Wish, standing: &UdsStanding) -> UdsReport {
    let ports = world.world();
    world.run(search(&ports, plan, standing, wish))
}

fn find(world: &TestWorld, plan: &UdsPlan, wish: &Wish) -> UdsReport {
    run(world, plan, wish, &UdsStanding::default())
}

fn names(report: &UdsReport) -> Vec<&str> {
    report.people.iter().map(|entry| entry.display_name.as_deref().unwrap_or("?")).collect()
}

fn user(at: usize) -> String {
    format!(
        "<user><id>{at}</id><userName>u{at}</userName><displayName>User {at}</displayName></user>"
    )
}

/// A page with these people, of so many.
fn page(people: std::ops::Range<usize>, total: &str) -> Reply {
    let users: String = people.map(user).collect();
    Reply::ok(format!("<users totalCount=\"{total}\">{users}</users>"))
}

fn nobody() -> Reply {
    page(0..0, "0")
}

fn at(base: &str, filter: &str) -> String {
    format!("GET {base}/cucm-uds/users?{filter}&start=0&max=64")
}

const USERS: &[u8] = include_bytes!("../../config/corpus/uds/users.xml");

#[test]
fn a_person_is_found_by_the_beginning_of_a_name() {
    let world = TestWorld::new();
    world.web(&at(ONE, "name=sm%C3%AFth%20a"), Reply::ok(USERS));
    let settings = [
        ("PresenceDomain", "chat.example.com"),
        ("UdsPhotoUriWithToken", "https://photos.example.com/%%uid%%.jpg?size=64"),
    ];
    let report = find(&world, &plan(&settings), &typed(" smïth a"));
    assert_eq!(names(&report), ["Alice Smith", "Jörg Smith"]);
    assert!(report.problems.is_empty() && !report.more);
    let alice = &report.people[0];
    assert_eq!((alice.source, alice.id.as_str()), (SourceKind::Uds, "6d9f"));
    assert_eq!(alice.im.as_ref().map(|jid| jid.bare_str()), Some("asmith@chat.example.com"));
    assert_eq!(alice.uris, ["asmith@example.com"]);
    assert_eq!(alice.mail, ["alice@example.com"]);
    assert_eq!(alice.nickname.as_deref(), Some("Al"));
    assert_eq!(alice.department.as_deref(), Some("Sales & Service"));
    let numbers: Vec<_> = alice.numbers.iter().map(|it| (it.kind, it.number.as_str())).collect();
    assert_eq!(numbers, [(NumberKind::Work, "2001"), (NumberKind::Mobile, "+49 170 5550142")]);
    let photo = "https://photos.example.com/asmith.jpg?size=64".to_owned();
    assert_eq!(alice.photo, Some(PhotoSource::Url(photo)));
    assert!(report.people[1].uris.is_empty(), "the server says that this address is none");
}

#[test]
fn chat_addresses_are_directory_uris_where_that_is_set() {
    let im = |settings: &[(&str, &str)]| {
        let world = TestWorld::new();
        world.web(&at(ONE, "name=smith"), Reply::ok(USERS));
        let report = find(&world, &plan(settings), &typed("smith"));
        let im = report.people.iter().map(|entry| entry.im.as_ref().map(ToString::to_string));
        im.collect::<Vec<_>>()
    };
    let chat = ("PresenceDomain", "chat.example.com");
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        im(&[chat, ("UseSIPURIToResolveContacts", "true")]),
        [some("asmith@example.com"), some("jsmith@chat.example.com")]
    );
    assert_eq!(im(&[]), [some("asmith@example.com"), None]);
}

#[test]
fn each_kind_of_wish_has_its_filters() {
    let asked = |wish: &Wish, settings: &[(&str, &str)]| {
        let world = TestWorld::new();
        let mut plan = plan(settings);
        plan.clusters = vec![vec![target("cucm1")]];
        // A server that knows nobody is asked everything.
        for filter in [
            "name=al",
            "username=al",
            "name=alice",
            "username=alice",
            "name=bob%40lab.example",
            "uri=bob%40lab.example",
            "email=bob%40lab.example",
            "number=0305",
            "number=49305550142",
            "numberlast=5550142",
            "number=2001",
            "numberlast=2001",
            "username=bob",
            "numberlast=50142",
        ] {
            world.web(&at(ONE, filter), nobody());
        }
        assert!(find(&world, &plan, wish).problems.is_empty(), "{:?}", world.asked());
        let cut = |url: String| {
            let query = url.split_once('?').map_or("", |it| it.1).to_owned();
            query.trim_end_matches("&start=0&max=64").to_owned()
        };
        world.asked().into_iter().map(cut).collect::<Vec<_>>()
    };
    let bob = "bob@lab.example";
    assert_eq!(asked(&typed("al"), &[]), [""; 0], "too little");
    assert_eq!(asked(&typed("al"), &[("MinimumCharacterQuery", "2")]), ["name=al", "username=al"]);
    assert_eq!(asked(&typed("alice"), &[]), ["name=alice", "username=alice"]);
    assert_eq!(asked(&typed(bob), &[]), ["name=bob%40lab.example", "uri=bob%40lab.example"]);
    assert_eq!(asked(&typed("030-5"), &[]), ["number=0305"]);
    assert_eq!(asked(&Wish::Mail(bob.into()), &[]), ["email=bob%40lab.example"]);
    assert_eq!(
        asked(&Wish::Uri(format!("sip:{bob}")), &[]),
        ["uri=bob%40lab.example", "email=bob%40lab.example"]
    );
    assert_eq!(asked(&Wish::Account("bob".into()), &[]), ["username=bob"]);
    let number = Wish::Number("+49 30 5550142".into());
    assert_eq!(asked(&number, &[]), ["number=49305550142", "numberlast=5550142"]);
    assert_eq!(asked(&Wish::Number("2001".into()), &[]), ["number=2001"]);
    assert_eq!(asked(&Wish::Number("anonymous".into()), &[]), [""; 0]);
    let im = Wish::Im(bob.parse().expect("an address"));
    assert_eq!(
        asked(&im, &[("PresenceDomain", "lab.example")]),
        ["username=bob", "uri=bob%40lab.example", "email=bob%40lab.example"]
    );
    let foreign = ["uri=bob%40lab.example", "email=bob%40lab.example"];
    assert_eq!(asked(&im, &[("PresenceDomain", "chat.example.com")]), foreign);
}

#[test]
fn whose_number_it_is_is_judged_by_the_whole_number() {
    let world = TestWorld::new();
    let users = "<users totalCount=\"2\">\
        <user><userName>a</userName><displayName>A</displayName><phoneNumber>040 5550142</phoneNumber></user>\
        <user><userName>b</userName><displayName>B</displayName><mobileNumber>(030) 5550142</mobileNumber></user>\
        </users>";
    world
        .web(&at(ONE, "number=49305550142"), nobody())
        .web(&at(ONE, "numberlast=5550142"), Reply::ok(users));
    let mut plan = plan(&[]);
    plan.matching = Matching { country: Some("DE".parse().expect("a country")), last: 0 };
    let report = find(&world, &plan, &Wish::Number("+49305550142".into()));
    assert_eq!(names(&report), ["B"]);
}

#[test]
fn pages_are_asked_for_until_all_are_there() {
    let world = TestWorld::new();
    world
        .web(&at(ONE, "name=user"), page(0..64, "150"))
        .web(&format!("GET {ONE}/cucm-uds/users?name=user&start=64&max=64"), page(64..128, "150"))
        .web(&format!("GET {ONE}/cucm-uds/users?name=user&start=128&max=64"), page(128..150, "150"))
        .web(&format!("GET {ONE}/cucm-uds/users?name=user&start=64&max=36"), page(64..100, "150"));
    let plan = plan(&[]);
    let report = find(&world, &plan.clone().with_limit(500), &typed("user"));
    assert_eq!((report.people.len(), report.more), (150, false));
    let report = find(&world, &plan, &typed("user"));
    assert_eq!((report.people.len(), report.more), (100, true));
}

#[test]
fn servers_that_clamp_the_page_are_asked_on_from_what_they_gave() {
    let world = TestWorld::new();
    world
        .web(&at(ONE, "name=user"), page(0..10, "15"))
        .web(&format!("GET {ONE}/cucm-uds/users?name=user&start=10&max=64"), page(10..15, "15"));
    let report = find(&world, &plan(&[]).with_limit(500), &typed("user"));
    assert_eq!((report.people.len(), report.more), (15, false));
}

#[test]
fn servers_that_lie_about_pages_end_a_search_soon() {
    // The same page for ever, of four thousand million people.
    let world = TestWorld::new();
    world.web(&at(ONE, "name=user"), page(0..64, "4294967295"));
    world.web(
        &format!("GET {ONE}/cucm-uds/users?name=user&start=64&max=64"),
        page(0..64, "4294967295"),
    );
    let plan = plan(&[]).with_limit(500);
    let report = find(&world, &plan, &typed("user"));
    assert_eq!((report.people.len(), report.more, world.asked().len()), (64, true, 2));

    // Pages of one person each, without end.
    let world = TestWorld::new();
    for start in 0..200 {
        let url = format!("GET {ONE}/cucm-uds/users?name=user&start={start}&max=64");
        world.web(&url, page(start..start + 1, "4294967295"));
    }
    let report = find(&world, &plan, &typed("user"));
    assert_eq!((report.people.len(), report.more, world.asked().len()), (16, true, 16));

    // More people than asked for, and none at all of many.
    let world = TestWorld::new();
    world.web(&format!("GET {ONE}/cucm-uds/users?name=user&start=0&max=5"), page(0..400, "9"));
    let report = find(&world, &plan.clone().with_limit(5), &typed("user"));
    assert_eq!((report.people.len(), report.more), (5, true));
    let world = TestWorld::new();
    for base in [ONE, FAR] {
        world.web(&at(base, "name=user"), page(0..0, "99"));
        world.web(&at(base, "username=user"), page(0..0, "99"));
    }
    assert!(find(&world, &plan, &typed("user")).people.is_empty());
    assert_eq!(world.asked().len(), 4);
}

#[test]
fn the_next_node_stands_in_and_is_asked_first_from_then_on() {
    for broken in [
        Reply::status(503, ""),
        Reply::fault(Fault::PortRefused),
        Reply::ok("<html><body>Log in</body></html>"),
        Reply::ok("<users><user>"),
        Reply::status(302, ""),
        Reply::silence(),
    ] {
        let world = TestWorld::new();
        world
            .web(&at(ONE, "name=user"), broken.clone())
            .web(&at(TWO, "name=user"), page(0..1, "1"));
        let plan = plan(&[]);
        let standing = UdsStanding::default();
        let report = run(&world, &plan, &typed("user"), &standing);
        assert_eq!(names(&report), ["User 0"], "{broken:?}");
        assert!(report.problems.is_empty());
        assert_eq!(world.asked().len(), 2);
        let report = run(&world, &plan, &typed("user"), &standing);
        assert_eq!((report.people.len(), world.asked().len()), (1, 3), "{broken:?}");
    }
}

#[test]
fn another_cluster_is_asked_when_the_own_one_cannot_or_does_not_know() {
    let world = TestWorld::new();
    world.web(&at(FAR, "name=user"), page(0..1, "1"));
    let report = find(&world, &plan(&[]), &typed("user"));
    assert_eq!((names(&report), report.problems.len()), (vec!["User 0"], 0));

    world.web(&at(ONE, "name=user"), nobody()).web(&at(ONE, "username=user"), nobody());
    assert_eq!(names(&find(&world, &plan(&[]), &typed("user"))), ["User 0"]);

    // One that answers is enough for the search to have no problem; none is one for each.
    let world = TestWorld::new();
    world.web(&at(FAR, "name=user"), nobody()).web(&at(FAR, "username=user"), nobody());
    let report = find(&world, &plan(&[]), &typed("user"));
    assert!(report.people.is_empty() && report.problems.is_empty());
    let report = find(&TestWorld::new(), &plan(&[]), &typed("user"));
    assert_eq!(report.problems.len(), 2);
    assert!(report.problems[0].cause.contains("cucm1.example.com"), "{:?}", report.problems[0]);
    assert!(!format!("{:?}", report.problems).contains("user\""), "what was typed is private");
}

#[test]
fn silent_servers_do_not_hold_a_search_up_for_long() {
    let world = TestWorld::new();
    for base in [ONE, TWO, FAR] {
        world.web(&at(base, "name=user"), Reply::silence());
    }
    let mut plan = plan(&[("SearchTimeout", "15")]);
    let begun = world.world().clock.now();
    assert_eq!(find(&world, &plan, &typed("user")).problems.len(), 2);
    assert_eq!(world.world().clock.now() - begun, Duration::from_secs(20));
    plan.clusters.clear();
    assert!(find(&world, &plan, &typed("user")).problems.is_empty());
}

#[test]
fn the_password_is_shown_when_it_is_wanted_and_not_before() {
    let world = TestWorld::new();
    let secure = "https://cucm1.example.com:9443/cucm-uds/users?name=user&start=0&max=64";
    world.web(&at(ONE, "name=user"), Reply::status(401, "<html>401</html>")).web_containing(
        &format!("GET {secure}"),
        "asmith:hunter2",
        page(0..1, "1"),
    );
    let plan = plan(&[]).with_secure_url("https://other.example.com:9443/cucm-uds/users");
    let standing = UdsStanding::default();
    let report = run(&world, &plan, &typed("user"), &standing);
    assert_eq!(names(&report), ["User 0"]);
    let open = at(ONE, "name=user");
    assert_eq!(world.asked(), [open.clone(), format!("GET {secure} as asmith")]);
    // It is remembered that the server wants it.
    let report = run(&world, &plan, &typed("user"), &standing);
    assert_eq!(names(&report), ["User 0"]);
    assert_eq!(world.asked().len(), 3);
}

#[test]
fn a_refused_password_is_not_shown_again() {
    let world = TestWorld::new();
    for base in [ONE, TWO, FAR] {
        world.web(&at(base, "name=user"), Reply::status(401, ""));
    }
    let plan = plan(&[]);
    let standing = UdsStanding::default();
    let report = run(&world, &plan, &typed("user"), &standing);
    assert_eq!(report.problems[0].area, Area::Authentication);
    let shown = |world: &TestWorld| {
        world.asked().iter().filter(|asked| asked.ends_with(" as asmith")).count()
    };
    assert_eq!(shown(&world), 2, "once to each cluster, and to no second node");
    let report = run(&world, &plan, &typed("user"), &standing);
    assert_eq!((shown(&world), report.problems.len()), (2, 2));
    let nobody = UdsPlan { credentials: None, ..plan };
    let report = find(&world, &nobody, &typed("user"));
    assert!(report.problems[0].cause.contains("none for it"), "{:?}", report.problems[0]);
}

#[test]
fn an_unknown_filter_and_a_missing_list_are_answers() {
    for status in [400, 404, 415] {
        let world = TestWorld::new();
        world
            .web(&at(ONE, "uri=bob%40lab.example"), Reply::status(status, "<html/>"))
            .web(&at(ONE, "email=bob%40lab.example"), page(0..1, "1"));
        let report = find(&world, &plan(&[]), &Wish::Uri("bob@lab.example".into()));
        assert_eq!(names(&report), ["User 0"], "{status}");
    }
}

#[test]
fn texts_are_safe_to_show_and_bounded() {
    let world = TestWorld::new();
    let long = "x".repeat(5000);
    let users = format!(
        "<users><user><id>1</id><displayName>&#x202e;ecilA</displayName><title>{long}</title>\
         <directoryUri>not an address</directoryUri><userName>a/b c</userName></user></users>"
    );
    world.web(&at(ONE, "name=ali"), Reply::ok(users));
    let plan = plan(&[("UdsPhotoUriWithToken", "http://photos.example.com/%%uid%.jpg")]);
    let report = find(&world, &plan, &typed("ali"));
    let entry = &report.people[0];
    assert_eq!(entry.display_name.as_deref(), Some("\u{fffd}ecilA"));
    assert_eq!(entry.title.as_ref().map(String::len), Some(256));
    assert_eq!((entry.uris.len(), entry.im.as_ref()), (0, None));
    let photo = "http://photos.example.com/a%2Fb%20c.jpg".to_owned();
    assert_eq!(
        entry.photo,
        Some(PhotoSource::Url(photo)),
        "as the planning guide prints the token"
    );
}

#[test]
fn of_several_searches_at_once_one_shows_a_password_that_nobody_knows_of() {
    let world = TestWorld::new();
    world.web(&at(ONE, "name=user"), Reply::status(401, "").after(Duration::from_millis(100)));
    let mut plan = plan(&[]);
    plan.clusters.truncate(1);
    let (ports, standing, wish) = (world.world(), UdsStanding::default(), typed("user"));
    let one = || search(&ports, &plan, &standing, &wish);
    let (first, second) = world.run(async { futures_util::future::join(one(), one()).await });
    let shown = world.asked().iter().filter(|asked| asked.ends_with(" as asmith")).count();
    assert_eq!((shown, first.problems.len(), second.problems.len()), (1, 1, 1));
}

#[test]
fn groups_are_not_to_be_had() {
    let report = find(&TestWorld::new(), &plan(&[]), &Wish::Groups("sales".into()));
    assert!(!report.asked && report.problems.is_empty());
}

#[test]
fn the_addresses_of_a_contact_list_are_looked_for_one_by_one() {
    let world = TestWorld::new();
    for name in ["u1", "u2"] {
        let person = if name == "u1" { page(1..2, "1") } else { page(2..3, "1") };
        world.web(&at(ONE, &format!("username={name}")), person);
    }
    for filter in ["username=u3", "uri=u3%40lab.example", "email=u3%40lab.example"] {
        world.web(&at(ONE, filter), nobody()).web(&at(FAR, filter), nobody());
    }
    let list = ["u1", "u2", "u1", "u3"].map(|it| format!("{it}@lab.example").parse());
    let wish = Wish::ImAll(list.into_iter().flatten().collect());
    let report = find(&world, &plan(&[("PresenceDomain", "lab.example")]), &wish);
    assert_eq!((names(&report), report.problems.len()), (vec!["User 1", "User 2"], 0));
    let many = (0..200).map(|at| format!("v{at}@lab.example").parse());
    let mut plan = plan(&[]);
    plan.by_uri = true;
    plan.clusters = vec![vec![target("cucm1")]];
    let world = TestWorld::new();
    let report = find(&world, &plan, &Wish::ImAll(many.flatten().collect()));
    assert_eq!((world.asked().len(), report.problems.len()), (50, 1), "each once at one dead node");
}
