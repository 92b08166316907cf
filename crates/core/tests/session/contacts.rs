//! People: search, the directory, callers, contacts of our own.

use std::sync::Arc;

use offhook_config::DialRule;
use offhook_contacts::DirectoryAnswer;
use offhook_contacts::ldap::Wish;
use offhook_core::{BookRead, CardsFor, Effect, Event, FlowOutcome, RunId, StoreTag, XmppEvent};
use offhook_model::{
    AddressBook, Area, CallRecord, Command, ContactSettings, ContactsWish, DirectoryEntry,
    ErrorCode, Jid, Layer, LeftOut, NumberKind, Owner, PeopleSearch, PersonNumber, Problem, Reply,
    SearchStage, ServiceState, Setting, Settings, Source, SourceKind, Timestamp,
};
use offhook_ports::{Loaded, StoreAnswer, StoreRequest};
use offhook_signin::{Grant, People};

use crate::bench::{Bench, full, target};

pub fn file(settings: &[(&str, &str)]) -> Layer {
    let setting = |(key, value): &(&str, &str)| Setting {
        key: (*key).into(),
        section: Some("Directory".into()),
        value: (*value).into(),
        line: None,
    };
    Layer {
        source: Source::GlobalFile,
        origin: "jabber-config.xml".into(),
        settings: settings.iter().map(setting).collect(),
        oddities: vec![],
    }
}

/// Signed in, with a directory by LDAP.
pub fn with_ldap() -> Bench {
    let layer = file(&[
        ("DirectoryServerType", "BDI"),
        ("BDIPrimaryServerName", "ldap.example.test"),
        ("BDISearchBase1", "dc=example,dc=test"),
    ]);
    Bench::up(Grant { layers: vec![layer], ..full() })
}

pub fn entry(source: SourceKind, id: &str, name: &str, number: &str) -> DirectoryEntry {
    let mut entry = DirectoryEntry::new(source, id);
    entry.display_name = Some(name.into());
    entry.numbers.push(PersonNumber { kind: NumberKind::Work, number: number.into() });
    entry
}

pub fn typed(bench: &mut Bench, text: &str) -> Arc<PeopleSearch> {
    let wish = ContactsWish::Type { query: text.into() };
    bench.command(Command::Contacts(wish)).expect("typed");
    bench.core.snapshot().people
}

/// The newest question to the directory; it is taken out.
pub fn asked(bench: &mut Bench) -> Option<(RunId, Wish)> {
    let find = |effect: &Effect| matches!(effect, Effect::FindPeople { .. });
    let at = bench.effects.iter().rposition(find)?;
    let Effect::FindPeople { run, wish, .. } = bench.effects.remove(at) else { return None };
    Some((run, *wish))
}

pub fn answers(bench: &mut Bench, run: RunId, entries: Vec<DirectoryEntry>) {
    let answer = DirectoryAnswer { entries, last: true, ..DirectoryAnswer::default() };
    bench.send(Event::Flow(run, FlowOutcome::People(Box::new(answer))));
}

fn names(search: &PeopleSearch) -> Vec<&str> {
    search.people.iter().map(|person| person.name.as_str()).collect()
}

pub fn wait(bench: &mut Bench, millis: u64) {
    bench.advance(std::time::Duration::from_millis(millis));
}

#[test]
fn who_is_known_is_shown_with_the_key_and_the_directory_is_asked_when_typing_pauses() {
    let mut bench = with_ldap();
    assert_eq!(bench.core.snapshot().session.services.directory.state, ServiceState::Off);
    let own = entry(SourceKind::Own, "", "Zoe Miller", "+14085550100");
    let save = ContactsWish::Save { entry: Box::new(own) };
    bench.command(Command::Contacts(save)).expect("kept");

    assert_eq!(names(&typed(&mut bench, "mil")), ["Zoe Miller"]);
    wait(&mut bench, 100);
    assert_eq!(names(&typed(&mut bench, "mill")), ["Zoe Miller"]);
    assert!(asked(&mut bench).is_none(), "the typing goes on");
    wait(&mut bench, 250);
    let (run, wish) = asked(&mut bench).expect("a question");
    assert_eq!(wish, Wish::Typed("mill".into()));
    assert_eq!(bench.core.snapshot().people.stage, SearchStage::Asking);

    let milla = entry(SourceKind::Ldap, "cn=milla", "Milla Adams", "2002");
    answers(&mut bench, run, vec![milla]);
    let shown = bench.core.snapshot().people;
    assert_eq!(names(&shown), ["Zoe Miller", "Milla Adams"], "who was shown keeps the place");
    assert_eq!(shown.stage, SearchStage::Asking, "groups are asked for as well");
    let (run, wish) = asked(&mut bench).expect("groups");
    assert_eq!(wish, Wish::Groups("mill".into()));
    answers(&mut bench, run, vec![]);
    assert_eq!(bench.core.snapshot().people.stage, SearchStage::Done);
    assert_eq!(bench.core.snapshot().session.services.directory.state, ServiceState::Ready);
    let kept = |effect: &Effect| {
        matches!(effect, Effect::Store(_, StoreRequest::PutPeople(people))
            if people.iter().any(|it| it.source == SourceKind::Ldap))
    };
    assert!(bench.effects.iter().any(kept), "kept for later");

    typed(&mut bench, "");
    let again = typed(&mut bench, "adams");
    assert_eq!(names(&again), ["Milla Adams"], "known from now on");
}

#[test]
fn typing_on_drops_the_question() {
    let mut bench = with_ldap();
    typed(&mut bench, "mil");
    wait(&mut bench, 300);
    let (run, _) = asked(&mut bench).expect("a question");
    typed(&mut bench, "mila");
    let cancelled = |effect: &Effect| matches!(effect, Effect::Cancel(other) if *other == run);
    assert!(bench.effects.iter().any(cancelled));
    answers(&mut bench, run, vec![entry(SourceKind::Ldap, "cn=x", "Mildred", "1")]);
    assert!(bench.core.snapshot().people.people.is_empty(), "too late");
}

#[test]
fn without_a_directory_nobody_is_asked() {
    let mut bench = Bench::up(full());
    let state = bench.core.snapshot().session.services.directory.state;
    assert_eq!(state, ServiceState::NotConfigured);
    typed(&mut bench, "miller");
    wait(&mut bench, 1_000);
    assert!(asked(&mut bench).is_none());
    assert_eq!(bench.core.snapshot().people.stage, SearchStage::Local);
    let search = ContactsWish::Search { query: "miller".into(), limit: 5 };
    let reply = bench.command(Command::Contacts(search)).expect("answered at once");
    assert!(matches!(reply, Reply::People(found) if found.people.is_empty()));
}

#[test]
fn a_search_of_the_control_api_is_answered_when_everybody_has_answered() {
    let clusters = vec![vec![target()]];
    let people = People { clusters, ..People::default() };
    let layer = file(&[("DirectoryServerType", "UDS")]);
    let mut bench = Bench::up(Grant { layers: vec![layer], people, ..full() });
    let search = ContactsWish::Search { query: "mil".into(), limit: 5 };
    assert!(bench.begin(Command::Contacts(search)).is_none(), "the directory is asked first");
    let (run, _) = asked(&mut bench).expect("a question at once");
    answers(&mut bench, run, vec![entry(SourceKind::Uds, "milla", "Milla Adams", "2002")]);
    let (_, reply) = bench.replied().expect("a reply");
    let Ok(Reply::People(found)) = reply else { panic!("{reply:?}") };
    assert_eq!(names(&found), ["Milla Adams"]);

    let nothing = ContactsWish::Search { query: "x".into(), limit: 0 };
    bench.command(Command::Contacts(nothing)).expect_err("out of range");
}

#[test]
fn a_number_is_resolved_here_first_and_then_by_the_directory() {
    let mut bench = with_ldap();
    let own = entry(SourceKind::Own, "", "Zoe Miller", "+1 (408) 555-0100");
    bench.command(Command::Contacts(ContactsWish::Save { entry: Box::new(own) })).expect("kept");
    let resolve = |who: &str| Command::Contacts(ContactsWish::Resolve { who: who.into() });
    let reply = bench.command(resolve("+14085550100")).expect("known");
    assert!(matches!(reply, Reply::People(found) if names(&found) == ["Zoe Miller"]));
    assert!(bench.begin(resolve("2002")).is_none());
    let (run, wish) = asked(&mut bench).expect("a question");
    assert_eq!(wish, Wish::Number("2002".into()));
    answers(&mut bench, run, vec![entry(SourceKind::Ldap, "cn=milla", "Milla Adams", "2002")]);
    let (_, reply) = bench.replied().expect("a reply");
    assert!(matches!(reply, Ok(Reply::People(found)) if names(&found) == ["Milla Adams"]));
    let reply = bench.command(resolve("2002")).expect("known by now");
    assert!(matches!(reply, Reply::People(found) if names(&found) == ["Milla Adams"]));
    bench.command(resolve(" ")).expect_err("nobody");
}

#[test]
fn own_contacts_are_kept_changed_and_forgotten() {
    let mut bench = Bench::up(full());
    let save = |entry| Command::Contacts(ContactsWish::Save { entry: Box::new(entry) });
    let nobody = DirectoryEntry::new(SourceKind::Own, "");
    bench.command(save(nobody)).expect_err("neither name nor number");
    let zoe = entry(SourceKind::Ldap, "", "Zoe\u{202e} Miller\n", "2001");
    let Reply::Contact(id) = bench.command(save(zoe)).expect("kept") else { panic!("no id") };
    let own = bench.core.snapshot().own_contacts;
    assert_eq!(own.len(), 1);
    assert_eq!((own[0].source, own[0].id.as_str()), (SourceKind::Own, id.as_str()));
    assert!(!own[0].display_name.as_deref().unwrap_or_default().contains(['\u{202e}', '\n']));
    let renamed = entry(SourceKind::Own, &id, "Zoe Adams", "2001");
    bench.command(save(renamed)).expect("changed");
    let strange = entry(SourceKind::Own, "own-other", "Nobody", "1");
    bench.command(save(strange)).expect_err("no such contact");
    assert_eq!(names(&typed(&mut bench, "adams")), ["Zoe Adams"]);
    let forget = || Command::Contacts(ContactsWish::Forget { id: id.clone() });
    bench.command(forget()).expect("forgotten");
    bench.command(forget()).expect_err("twice");
    assert!(bench.core.snapshot().own_contacts.is_empty());
    let forgotten = |effect: &Effect| {
        matches!(effect, Effect::Store(_, StoreRequest::ForgetPeople(SourceKind::Own, Some(ids)))
            if ids[..] == [id.clone()])
    };
    assert!(bench.effects.iter().any(forgotten));
}

#[test]
fn what_was_kept_is_known_at_the_next_sign_in_and_nobody_elses() {
    let mut bench = Bench::up(full());
    let kept = vec![
        entry(SourceKind::Own, "own-1", "Zoe Miller", "2001"),
        entry(SourceKind::Ldap, "cn=milla", "Milla Adams", "2002"),
    ];
    bench.command(Command::SignOut).expect("out");
    wait(&mut bench, 3_000);
    bench.let_in(full());
    let tag = bench.effects.iter().rev().find_map(|effect| match effect {
        Effect::Store(tag @ StoreTag::People(_), StoreRequest::LoadPeople(_)) => Some(tag.clone()),
        _ => None,
    });
    let tag = tag.expect("people are read");
    let stranger = vec![entry(SourceKind::Own, "own-9", "Nobody", "9")];
    bench.send(Event::Store(StoreTag::People(1), StoreAnswer::People(stranger)));
    bench.send(Event::Store(tag, StoreAnswer::People(kept)));
    assert_eq!(bench.core.snapshot().own_contacts.len(), 1);
    assert_eq!(names(&typed(&mut bench, "mil")), ["Milla Adams", "Zoe Miller"]);
    bench.command(Command::SignOut).expect("out");
    wait(&mut bench, 3_000);
    let snapshot = bench.core.snapshot();
    assert!(snapshot.own_contacts.is_empty() && snapshot.people.people.is_empty());
}

#[test]
fn cards_are_imported_and_exported() {
    let mut bench = Bench::up(full());
    let import = ContactsWish::Import { path: "people.vcf".into() };
    assert!(bench.begin(Command::Contacts(import)).is_none());
    let (what, path) = bench
        .effects
        .iter()
        .find_map(|effect| match effect {
            Effect::ReadCards(what @ CardsFor::Import(_), path) => Some((*what, path.clone())),
            _ => None,
        })
        .expect("a file to read");
    let cards = vec![entry(SourceKind::Own, "card-1", "Zoe Miller", "2001")];
    bench.send(Event::Cards(what, path, Ok((cards, LeftOut { count: 2, lines: vec![3, 7] }))));
    let (_, reply) = bench.replied().expect("a reply");
    let told =
        matches!(&reply, Ok(Reply::Cards { people: 1, left_out, .. }) if left_out.lines == [3, 7]);
    assert!(told, "{reply:?}");
    let export = ContactsWish::Export { path: "out.vcf".into(), roster: true };
    assert!(bench.begin(Command::Contacts(export)).is_none());
    let written = bench.effects.iter().find_map(|effect| match effect {
        Effect::WriteCards(ticket, _, entries) => Some((*ticket, entries.len())),
        _ => None,
    });
    let (ticket, people) = written.expect("a file to write");
    assert_eq!(people, 1);
    let why = Err("there is one already".to_owned());
    bench.send(Event::CardsWritten(ticket, "out.vcf".into(), why));
    assert!(matches!(bench.replied(), Some((_, Err(error))) if error.cause.contains("already")));
    let done = bench.core.snapshot().cards.expect("for the window");
    assert!(done.number == 2 && done.written && done.outcome.is_err(), "{done:?}");
}

#[test]
fn calls_that_were_are_found_by_number_and_name() {
    let mut bench = Bench::new();
    bench.let_in(full());
    let record = |remote: &str, name: Option<&str>| CallRecord {
        remote: remote.into(),
        name: name.map(str::to_owned),
        direction: offhook_model::CallDirection::Incoming,
        started: Timestamp(1),
        seconds: 5,
        missed: false,
        mos: None,
    };
    let calls = vec![record("+14085550100", Some("Zoe Miller")), record("2002", None)];
    let loaded = Loaded { calls, ..Loaded::default() };
    bench.send(Event::Store(StoreTag::Loaded, StoreAnswer::Loaded(Box::new(loaded))));
    assert_eq!(names(&typed(&mut bench, "zoe")), ["Zoe Miller"]);
    assert_eq!(names(&typed(&mut bench, "0100")), ["Zoe Miller"]);
    assert_eq!(names(&typed(&mut bench, "2002")), ["2002"]);
}

#[test]
fn who_wants_nothing_kept_has_it_forgotten_and_a_folder_is_read_when_it_is_set() {
    let mut bench = with_ldap();
    let set = |bench: &mut Bench, change: &dyn Fn(&mut ContactSettings)| {
        let mut settings = Settings::clone(&bench.core.snapshot().settings);
        change(&mut settings.contacts);
        bench.command(Command::SetSettings(Box::new(settings)))
    };
    set(&mut bench, &|it| it.keep_days = 0).expect_err("no day at all");
    set(&mut bench, &|it| it.keep = false).expect("set");
    for source in [SourceKind::Ldap, SourceKind::Uds] {
        let forgotten = |effect: &Effect| matches!(effect, Effect::Store(_, StoreRequest::ForgetPeople(of, None)) if *of == source);
        assert!(bench.effects.iter().any(forgotten), "{source:?}");
    }
    set(&mut bench, &|it| it.cards = Some("people".into())).expect("set");
    let read = |effect: &Effect| matches!(effect, Effect::ReadCards(CardsFor::Folder, _));
    assert!(bench.effects.iter().any(read));
    let cards = vec![entry(SourceKind::Vcards, "a.vcf/1", "Milla Adams", "2002")];
    bench.send(Event::Cards(CardsFor::Folder, "people".into(), Ok((cards, LeftOut::default()))));
    assert_eq!(names(&typed(&mut bench, "adams")), ["Milla Adams"]);
    bench.command(Command::SignOut).expect("out");
    wait(&mut bench, 3_000);
    bench.effects.clear();
    bench.let_in(full());
    assert!(bench.effects.iter().any(read), "at the next sign-in");
    let cards = vec![entry(SourceKind::Vcards, "a.vcf/1", "Milla Adams", "2002")];
    bench.send(Event::Cards(CardsFor::Folder, "people".into(), Ok((cards, LeftOut::default()))));
    assert_eq!(names(&typed(&mut bench, "adams")), ["Milla Adams"]);
    set(&mut bench, &|it| it.cards = None).expect("set");
    typed(&mut bench, "");
    assert!(names(&typed(&mut bench, "adams")).is_empty(), "the folder is none of ours any more");
}

#[test]
fn numbers_are_dialled_as_the_rules_make_them_and_addresses_where_nobody_forbids_it() {
    let rule = DialRule { begins: "+".into(), digits: None, strip: 1, prefix: "900".into() };
    let people = People { dial_rules: vec![rule], ..People::default() };
    let dial =
        |to: &str| Command::Dial { to: to.parse().expect("it can be dialled"), video: false };
    let remote = |bench: &mut Bench| bench.core.snapshot().calls[0].remote.clone();
    let mut bench = Bench::up(Grant { people: people.clone(), ..full() });
    bench.command(dial("+49 30 5550")).expect("a call");
    assert_eq!(remote(&mut bench), "90049305550");
    let mut bench = Bench::up(full());
    bench.command(dial("bob@example.test")).expect("a call");
    let layer = file(&[("EnableSIPURIDialling", "false")]);
    let mut bench = Bench::up(Grant { layers: vec![layer], ..full() });
    let refused = bench.command(dial("bob@example.test")).expect_err("numbers only");
    assert_eq!((refused.code, refused.owner), (ErrorCode::Refused, Owner::Admin));
    bench.command(dial("2002")).expect("a call");
}

#[test]
fn contacts_of_another_program_are_found_by_what_stands_in_their_addresses() {
    let people = People { clusters: vec![vec![target()]], ..People::default() };
    let layer = file(&[("DirectoryServerType", "UDS")]);
    let mut bench = Bench::new();
    bench.let_in(Grant { layers: vec![layer], people, ..full() });
    let link = bench.link().expect("a link");
    bench.online(link);
    let who: Jid = "milla.adams@example.test".parse().expect("an address");
    let roster = format!(
        "<iq xmlns='jabber:client' type='set' id='r1'><query xmlns='jabber:iq:roster'>\
         <item jid='{who}' subscription='both'/></query></iq>"
    );
    let stanza = offhook_im::fuzzing::stanza(&roster).expect("a stanza");
    bench.send(Event::Xmpp(link, XmppEvent::Stanza(Box::new(stanza))));
    let (run, wish) = asked(&mut bench).expect("a question about the contact list");
    assert_eq!(wish, Wish::ImAll(vec![who.clone()]));
    answers(&mut bench, run, vec![]);
    let (run, wish) = asked(&mut bench).expect("another form");
    assert_eq!(wish, Wish::Account(who.to_string()), "the principal name");
    answers(&mut bench, run, vec![]);
    let (run, wish) = asked(&mut bench).expect("another form");
    assert_eq!(wish, Wish::Mail(who.to_string()));
    let mut milla = entry(SourceKind::Uds, "mad", "Milla Adams", "2002");
    milla.im = Some("mad@example.test".parse().expect("an address"));
    let stranger = milla.clone();
    milla.mail = vec!["Milla.Adams@example.test".into()];
    answers(&mut bench, run, vec![DirectoryEntry { id: "x".into(), ..stranger.clone() }, milla]);
    assert!(asked(&mut bench).is_none(), "found");
    let found = typed(&mut bench, "milla adams");
    assert_eq!(found.people[0].entry.im, Some(who.clone()), "one person with the contact");
    wait(&mut bench, 300);
    let (run, _) = asked(&mut bench).expect("a search");
    answers(&mut bench, run, vec![stranger]);
    let found = bench.core.snapshot().people;
    let milla = found.people.iter().find(|person| person.entry.im.as_ref() == Some(&who));
    assert!(milla.is_some_and(|it| it.sources.contains(&SourceKind::Roster)), "{found:?}");
}

#[test]
fn an_address_book_is_read_with_its_password_and_then_what_changes() {
    let mut bench = Bench::up(full());
    let set = |bench: &mut Bench, book: Option<AddressBook>| {
        let mut settings = Settings::clone(&bench.core.snapshot().settings);
        settings.contacts.address_book = book;
        bench.command(Command::SetSettings(Box::new(settings))).expect("set");
    };
    let reading = |bench: &mut Bench| {
        let read = |effect: &Effect| matches!(effect, Effect::ReadAddressBook { .. });
        let at = bench.effects.iter().position(read)?;
        let Effect::ReadAddressBook { run, plan, since } = bench.effects.remove(at) else {
            return None;
        };
        Some((run, plan, since))
    };
    let book = AddressBook { url: "dav.example.test".into(), user_name: "zoe".into() };
    set(&mut bench, Some(book.clone()));
    assert!(reading(&mut bench).is_none(), "nobody has typed its password");
    bench.command(Command::SetAddressBookPassword("s3cret".into())).expect("kept");
    let (run, plan, since) = reading(&mut bench).expect("a reading");
    assert_eq!((plan.user_name.as_str(), plan.password.expose().as_str()), ("zoe", "s3cret"));
    assert!(since.is_none());
    let cards = |ids: &[&str]| -> Vec<DirectoryEntry> {
        ids.iter().map(|id| entry(SourceKind::CardDav, id, &format!("Milla {id}"), "1")).collect()
    };
    let first = BookRead { whole: true, entries: cards(&["one", "two"]), ..BookRead::default() };
    bench.send(Event::Flow(run, FlowOutcome::AddressBook(Box::new(Ok(first)))));
    assert_eq!(names(&typed(&mut bench, "milla")), ["Milla one", "Milla two"]);

    // An hour later, the changes.
    bench.advance(std::time::Duration::from_secs(3_600));
    let (run, _, since) = reading(&mut bench).expect("another reading");
    assert!(since.is_some());
    let gone = vec!["one".to_owned()];
    let then = BookRead { entries: cards(&["three"]), gone, ..BookRead::default() };
    bench.send(Event::Flow(run, FlowOutcome::AddressBook(Box::new(Ok(then)))));
    typed(&mut bench, "");
    assert_eq!(names(&typed(&mut bench, "milla")), ["Milla three", "Milla two"]);

    // A reading that fails says so, and leaves what is known.
    bench.command(Command::Contacts(ContactsWish::Refresh)).expect("begun");
    let (run, ..) = reading(&mut bench).expect("a reading");
    let problem = Problem::new(Area::Network, Owner::Server, "It is gone.", "Wait.");
    bench.send(Event::Flow(run, FlowOutcome::AddressBook(Box::new(Err(problem)))));
    assert_eq!(bench.core.snapshot().toasts.len(), 1);
    assert_eq!(names(&typed(&mut bench, "milla t")), ["Milla three", "Milla two"]);

    // Another server is not shown this one's password.
    set(&mut bench, Some(AddressBook { url: "other.example.test".into(), ..book }));
    bench.command(Command::Contacts(ContactsWish::Refresh)).expect("begun");
    let asked = |effect: &Effect| matches!(effect, Effect::Store(StoreTag::BookPassword, _));
    assert!(bench.effects.iter().any(asked) && reading(&mut bench).is_none());

    // No address book, nobody of it.
    set(&mut bench, None);
    typed(&mut bench, "");
    assert!(names(&typed(&mut bench, "milla")).is_empty());
    bench.advance(std::time::Duration::from_secs(7_200));
    assert!(reading(&mut bench).is_none());
}
