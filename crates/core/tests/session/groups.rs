//! Groups of the directory: found while somebody types, and taken over into the contact list.

use offhook_contacts::DirectoryAnswer;
use offhook_contacts::ldap::{MembersReport, Wish};
use offhook_core::{Effect, Event, FlowOutcome, LinkId, RunId, XmppEvent};
use offhook_model::{
    Area, Command, CommandError, ContactsWish, DirectoryEntry, DirectoryGroup, ErrorCode,
    GroupTaken, Owner, Problem, Reply, SearchStage, ServiceState, SourceKind, Ticket,
};
use offhook_signin::{Grant, People};

use crate::bench::{Bench, full, plain, target};
use crate::contacts::{answers, asked, entry, file, typed, wait, with_ldap};

fn sales() -> DirectoryGroup {
    DirectoryGroup {
        id: "cn=Sales,ou=groups".into(),
        name: "Sales".into(),
        description: Some("Who sells it".into()),
    }
}

/// Somebody in the directory, with or without a chat address.
fn member(name: &str, im: bool) -> DirectoryEntry {
    let mut entry = entry(SourceKind::Ldap, &format!("uid={name}"), name, "2002");
    entry.im = im.then(|| format!("{name}@example.test").parse().expect("an address"));
    entry
}

/// Signed in with a directory by LDAP, and the chat connection.
fn ready() -> (Bench, LinkId) {
    let layer = file(&[
        ("DirectoryServerType", "BDI"),
        ("BDIPrimaryServerName", "ldap.example.test"),
        ("BDISearchBase1", "dc=example,dc=test"),
    ]);
    let mut bench = Bench::new();
    bench.let_in(Grant { layers: vec![layer], ..full() });
    let link = bench.link().expect("a link");
    bench.online(link);
    (bench, link)
}

fn roster((bench, link): &mut (Bench, LinkId), items: &str) {
    let push = format!(
        "<iq xmlns='jabber:client' type='set' id='r1'>\
         <query xmlns='jabber:iq:roster'>{items}</query></iq>"
    );
    let stanza = offhook_im::fuzzing::stanza(&push).expect("a stanza");
    bench.send(Event::Xmpp(*link, XmppEvent::Stanza(Box::new(stanza))));
}

fn take(bench: &mut Bench) -> Option<Result<Reply, CommandError>> {
    bench.effects.clear();
    bench.begin(Command::Contacts(ContactsWish::TakeGroup { id: sales().id }))
}

/// The question who is in a group.
fn asked_who(bench: &Bench) -> Option<(RunId, String)> {
    bench.effects.iter().rev().find_map(|effect| match effect {
        Effect::ReadGroup { run, id, .. } => Some((*run, id.clone())),
        _ => None,
    })
}

fn said(bench: &mut Bench, report: MembersReport) -> Result<Reply, CommandError> {
    let (run, id) = asked_who(bench).expect("a question");
    assert_eq!(id, sales().id);
    bench.effects.clear();
    bench.send(Event::Flow(run, FlowOutcome::Group(Box::new(report))));
    bench.replied().expect("an answer").1
}

fn taken(reply: Result<Reply, CommandError>) -> GroupTaken {
    let Ok(Reply::Group(taken)) = reply else { panic!("{reply:?}") };
    taken
}

/// Roster items that were sent, and to whom a request to see their presence went.
fn sent(bench: &Bench) -> (Vec<String>, Vec<String>) {
    let (mut items, mut requests) = (vec![], vec![]);
    for effect in &bench.effects {
        let Effect::XmppSend(_, stanza) = effect else { continue };
        let words = format!("{stanza:?}");
        let after = |mark: &str| -> Vec<String> {
            let rest = words.split(mark).skip(1);
            rest.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
        };
        if words.contains("jabber:iq:roster") {
            let jid = after("NcName(\"jid\")): \"").concat();
            items.push(format!("{jid}: {}", after("Text(\"").join(", ")));
        } else if words.contains("type_: Subscribe,") {
            requests.extend(after("Some(Jid(\""));
        }
    }
    (items, requests)
}

#[test]
fn groups_are_asked_for_after_the_people_and_stand_in_the_answer() {
    let mut bench = with_ldap();
    typed(&mut bench, "sal");
    assert!(asked(&mut bench).is_none(), "never before the typing pauses");
    wait(&mut bench, 250);
    let (run, wish) = asked(&mut bench).expect("people first");
    assert_eq!(wish, Wish::Typed("sal".into()));
    assert!(asked(&mut bench).is_none());
    answers(&mut bench, run, vec![member("Sally", true)]);
    assert_eq!(bench.core.snapshot().people.stage, SearchStage::Asking);
    let (run, wish) = asked(&mut bench).expect("then groups");
    assert_eq!(wish, Wish::Groups("sal".into()));
    let groups = |groups, problems| {
        let answer = DirectoryAnswer { groups, problems, last: true, ..Default::default() };
        FlowOutcome::People(Box::new(answer))
    };
    bench.send(Event::Flow(run, groups(vec![sales()], vec![])));
    let shown = bench.core.snapshot().people;
    assert_eq!((shown.people.len(), &shown.groups[..]), (1, &[sales()][..]));
    assert_eq!(shown.stage, SearchStage::Done);

    // Typing goes on: nobody waits for groups any more.
    typed(&mut bench, "sale");
    assert!(bench.core.snapshot().people.groups.is_empty());
    wait(&mut bench, 250);
    let (run, _) = asked(&mut bench).expect("people");
    answers(&mut bench, run, vec![]);
    let (run, _) = asked(&mut bench).expect("groups");
    typed(&mut bench, "sales");
    let cancelled = |effect: &Effect| matches!(effect, Effect::Cancel(other) if *other == run);
    assert!(bench.effects.iter().any(cancelled));
    bench.send(Event::Flow(run, groups(vec![sales()], vec![])));
    assert!(bench.core.snapshot().people.groups.is_empty(), "too late");

    // A directory that knows people and no groups works.
    wait(&mut bench, 250);
    let (run, _) = asked(&mut bench).expect("people");
    answers(&mut bench, run, vec![]);
    let (run, _) = asked(&mut bench).expect("groups");
    let problem = Problem::new(Area::Provisioning, Owner::Admin, "No such base.", "Mend it.");
    bench.send(Event::Flow(run, groups(vec![], vec![problem])));
    let snapshot = bench.core.snapshot();
    assert_eq!(snapshot.people.problems.len(), 1);
    assert_eq!(snapshot.session.services.directory.state, ServiceState::Ready);
}

#[test]
fn user_data_services_have_no_groups() {
    let people = People { clusters: vec![vec![target()]], ..People::default() };
    let layer = file(&[("DirectoryServerType", "UDS")]);
    let mut bench = Bench::up(Grant { layers: vec![layer], people, ..full() });
    typed(&mut bench, "sales");
    wait(&mut bench, 250);
    let (run, _) = asked(&mut bench).expect("people");
    answers(&mut bench, run, vec![]);
    assert!(asked(&mut bench).is_none());
    assert_eq!(bench.core.snapshot().people.stage, SearchStage::Done);
    let error = take(&mut bench).expect("at once").expect_err("no groups");
    assert_eq!((error.code, error.owner), (ErrorCode::NotPossible, Owner::Admin));
    let told = bench.core.snapshot().group_taking.expect("the window is told");
    assert_eq!((told.number, &told.outcome), (1, &Some(Err(error))));
    let mut bench = Bench::up(plain(false, true));
    let error = take(&mut bench).expect("at once").expect_err("no chat");
    assert_eq!(error.code, ErrorCode::NotSignedIn);
}

#[test]
fn a_search_of_the_control_api_waits_for_groups_as_well() {
    let mut bench = with_ldap();
    let search = ContactsWish::Search { query: "sales".into(), limit: 5 };
    assert!(bench.begin(Command::Contacts(search)).is_none());
    let (run, _) = asked(&mut bench).expect("people");
    answers(&mut bench, run, vec![]);
    assert!(bench.replied().is_none());
    let (run, wish) = asked(&mut bench).expect("groups");
    assert_eq!(wish, Wish::Groups("sales".into()));
    let answer = DirectoryAnswer { groups: vec![sales()], more: true, ..Default::default() };
    bench.send(Event::Flow(run, FlowOutcome::People(Box::new(answer))));
    let (_, reply) = bench.replied().expect("an answer");
    let Ok(Reply::People(found)) = reply else { panic!("{reply:?}") };
    assert_eq!((&found.groups[..], found.more_groups, found.more), (&[sales()][..], true, false));
}

#[test]
fn everybody_with_a_chat_address_becomes_a_contact_in_the_group() {
    let mut at = ready();
    roster(
        &mut at,
        "<item jid='bob@example.test' name='Bobby' subscription='both'><group>Friends</group></item>\
         <item jid='cem@example.test' subscription='none' ask='subscribe'><group>Sales</group></item>",
    );
    let (mut bench, _) = at;
    assert!(take(&mut bench).is_none(), "the directory is asked");
    let running = bench.core.snapshot().group_taking.expect("it is shown");
    assert_eq!((running.number, &running.outcome), (1, &None));
    let refused = bench.command(Command::Contacts(ContactsWish::TakeGroup { id: "cn=x".into() }));
    assert_eq!(refused.expect_err("one at a time").code, ErrorCode::NotPossible);
    let people = vec![
        member("ann", true),
        member("bob", true),
        member("cem", true),
        member("dee", false),
        member("alice", true),
        DirectoryEntry { id: "uid=ann2".into(), ..member("ann", true) },
        member("eve", true),
    ];
    let report = MembersReport {
        group: Some(sales()),
        people,
        no_people: 2,
        left_out: 30,
        more: true,
        problems: vec![],
    };
    let told = taken(said(&mut bench, report));
    let wanted = GroupTaken {
        group: "Sales".into(),
        added: 2,
        joined: 1,
        present: 1,
        without_address: 1,
        no_people: 2,
        left_out: 30,
        more: true,
    };
    assert_eq!(told, wanted);
    let shown = bench.core.snapshot().group_taking.expect("it is shown");
    assert_eq!((shown.number, &shown.outcome), (1, &Some(Ok(wanted))));
    let (items, requests) = sent(&bench);
    assert_eq!(
        items,
        ["ann@example.test: Sales", "bob@example.test: Friends, Sales", "eve@example.test: Sales",]
    );
    assert_eq!(requests, ["ann@example.test", "eve@example.test"], "nobody is asked twice");
    assert_eq!(bench.core.snapshot().people.people.len(), 0);
    let found = typed(&mut bench, "2002");
    assert!(found.people.iter().any(|person| person.name == "dee"), "known from now on");
}

#[test]
fn what_cannot_be_taken_over_is_said_and_another_try_is_another() {
    let (mut bench, link) = ready();
    assert!(take(&mut bench).is_none());
    let error = said(&mut bench, MembersReport::default()).expect_err("no such group");
    assert_eq!(error.code, ErrorCode::NoSuchObject);
    assert!(take(&mut bench).is_none());
    let problem = Problem::new(Area::Network, Owner::Admin, "It is down.", "Start it.");
    let report = MembersReport { problems: vec![problem], ..MembersReport::default() };
    let error = said(&mut bench, report).expect_err("down");
    assert_eq!((error.code, error.cause.as_str()), (ErrorCode::Failed, "It is down."));
    assert_eq!(bench.core.snapshot().group_taking.expect("shown").number, 2);

    // The chat connection goes while the directory is asked.
    assert!(take(&mut bench).is_none());
    bench.offline(link, offhook_model::Fault::Closed);
    let people = vec![member("ann", true)];
    let report = MembersReport { group: Some(sales()), people, ..MembersReport::default() };
    let error = said(&mut bench, report).expect_err("not connected");
    assert_eq!(error.code, ErrorCode::NotPossible);
    assert!(sent(&bench).0.is_empty());
}

#[test]
fn who_signs_out_is_answered() {
    let (mut bench, _) = ready();
    assert!(take(&mut bench).is_none());
    let resolve = ContactsWish::Resolve { who: "4711".into() };
    assert!(bench.begin(Command::Contacts(resolve)).is_none());
    bench.command(Command::SignOut).expect("begun");
    wait(&mut bench, 3_000);
    let mut answered: Vec<(Ticket, ErrorCode)> = vec![];
    while let Some((ticket, reply)) = bench.replied() {
        answered.push((ticket, reply.expect_err("dropped").code));
    }
    assert_eq!(answered.len(), 2, "{answered:?}");
    assert!(bench.core.snapshot().group_taking.is_none());
}
