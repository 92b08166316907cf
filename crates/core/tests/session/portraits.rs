//! Pictures of directories.

use offhook_core::{Effect, Event, FlowOutcome, RunId, StoreTag};
use offhook_model::{Command, ContactsWish, PhotoId, PhotoSource, Settings, SourceKind};
use offhook_ports::{StoreAnswer, StoreRequest};
use offhook_signin::Grant;

use crate::bench::{Bench, full};
use crate::contacts::{answers, asked, entry, file, typed, wait, with_ldap};

#[test]
fn pictures_are_fetched_once_and_from_where_they_are() {
    let mut bench = with_ldap();
    typed(&mut bench, "milla");
    wait(&mut bench, 300);
    let (run, _) = asked(&mut bench).expect("a question");
    let mut milla = entry(SourceKind::Ldap, "cn=milla", "Milla Adams", "2002");
    milla.photo = Some(PhotoSource::Attribute("thumbnailPhoto".into()));
    answers(&mut bench, run, vec![milla]);
    let want = |id: &str| {
        Command::Contacts(ContactsWish::Portrait { source: SourceKind::Ldap, id: id.into() })
    };
    bench.command(want("cn=nobody")).expect_err("nobody");
    bench.command(want("cn=milla")).expect("asked for");
    bench.command(want("cn=milla")).expect("on its way");
    let fetches = |effect: &Effect| match effect {
        Effect::FetchPortrait { run, .. } => Some(*run),
        _ => None,
    };
    let runs: Vec<RunId> = bench.effects.iter().filter_map(fetches).collect();
    assert_eq!(runs.len(), 1);
    bench.send(Event::Flow(
        runs[0],
        FlowOutcome::Portrait(Some((PhotoId("a".repeat(40)), vec![1, 2, 3]))),
    ));
    let portraits = bench.core.snapshot().portraits;
    let key = (SourceKind::Ldap, "cn=milla".to_owned());
    assert_eq!(portraits[&key].as_deref(), Some(&[1, 2, 3][..]));
}

#[test]
fn a_picture_that_was_seen_is_shown_until_the_directory_has_another() {
    let layer = file(&[
        ("DirectoryServerType", "BDI"),
        ("BDIPrimaryServerName", "ldap.example.test"),
        ("BDISearchBase1", "dc=example,dc=test"),
    ]);
    let mut bench = Bench::new();
    bench.let_in(Grant { layers: vec![layer], ..full() });
    let (old, new) = (PhotoId("a".repeat(40)), PhotoId("b".repeat(40)));
    let key = (SourceKind::Ldap, "cn=milla".to_owned());
    let mut milla = entry(key.0, &key.1, "Milla Adams", "2002");
    milla.photo = Some(PhotoSource::Attribute("thumbnailPhoto".into()));
    milla.kept_photo = Some(old.clone());
    let people = |effect: &Effect| match effect {
        Effect::Store(tag @ StoreTag::People(_), StoreRequest::LoadPeople(_)) => Some(tag.clone()),
        _ => None,
    };
    let tag = bench.effects.iter().find_map(people).expect("people are read");
    bench.send(Event::Store(tag, StoreAnswer::People(vec![milla])));
    let want = ContactsWish::Portrait { source: key.0, id: key.1.clone() };
    bench.command(Command::Contacts(want)).expect("asked for");
    let portrait = StoreTag::Portrait(key.0, key.1.clone());
    let read = |effect: &Effect| matches!(effect, Effect::Store(tag, StoreRequest::GetPhoto(id)) if *tag == portrait && *id == old);
    assert!(bench.effects.iter().any(read));
    bench.send(Event::Store(portrait.clone(), StoreAnswer::Photo(old.clone(), Some(vec![1]))));
    assert_eq!(bench.core.snapshot().portraits[&key].as_deref(), Some(&[1][..]));
    let run = bench.effects.iter().find_map(|effect| match effect {
        Effect::FetchPortrait { run, .. } => Some(*run),
        _ => None,
    });
    let picture = Some((new.clone(), vec![2]));
    bench.send(Event::Flow(run.expect("asked as well"), FlowOutcome::Portrait(picture)));
    assert_eq!(bench.core.snapshot().portraits[&key].as_deref(), Some(&[2][..]));
    let kept = |effect: &Effect| matches!(effect, Effect::Store(_, StoreRequest::PutPeople(people)) if people[0].kept_photo.as_ref() == Some(&new));
    assert!(bench.effects.iter().any(kept));

    // What the directory says of them later does not forget it; who wants nothing kept does.
    typed(&mut bench, "milla");
    wait(&mut bench, 300);
    let (run, _) = asked(&mut bench).expect("a question");
    let mut again = entry(key.0, &key.1, "Milla Adams", "2003");
    again.photo = Some(PhotoSource::Attribute("thumbnailPhoto".into()));
    answers(&mut bench, run, vec![again]);
    let mut settings = Settings::clone(&bench.core.snapshot().settings);
    settings.contacts.keep = false;
    bench.command(Command::SetSettings(Box::new(settings))).expect("set");
    let forgotten = |effect: &Effect| matches!(effect, Effect::Store(_, StoreRequest::ForgetPhoto(id)) if *id == new);
    assert!(bench.effects.iter().any(forgotten));
}
