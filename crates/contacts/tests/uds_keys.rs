//! What each key of the directory changes on the wire of User Data Services: the laboratory writes
//! down what its nodes and its file server are asked.
#![allow(clippy::disallowed_methods, reason = "a test drives its own tasks")]

mod lab_support;

use std::collections::BTreeSet;
use std::time::Duration;

use lab_support::TwoClusters;
use offhook_config::{Key, Kind, Layers, keys, read_profile_layer};
use offhook_contacts::ldap::Wish;
use offhook_contacts::{Directory, Means, Servers, SignedIn};
use offhook_lab::{LabConfig, UdsConfig};
use offhook_model::{Fault, Layer, Setting, Source};
use offhook_ports::{BoxFuture, Ldap, LdapAnswer, LdapFailure, LdapRequest};
use offhook_testkit::DIRECTORY_KEYS_ELSEWHERE;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::Instant;

/// Keys that change what is asked, each with its value and what is asked then that was not asked
/// before. No other key of the directory changes anything, among them `UseUDSForContactResolution`:
/// its name is seen nowhere in what the vendor has published, so that nobody knows what it would
/// do, and it is ignored.
const SEEN: [(&str, &str, &str); 6] = [
    ("DirectoryServerType", "UDS", "cucm1 /cucm-uds/users?name=alice&start=0&max=64 by alice"),
    ("PresenceDomain", "other.example", "users?uri=carol%40lab.example&"),
    ("MinimumCharacterQuery", "2", "users?name=al&"),
    ("UseSIPURIToResolveContacts", "true", "users?uri=carol%40lab.example&"),
    ("UdsServer", "cucm4.lab.example", "cucm4 /cucm-uds/users?name=alice&"),
    ("UdsPhotoUriWithToken", "http://photos.lab.example/of/%%uid%%.png", "files /of/alice.png"),
];

/// What steers LDAP where that is what is searched.
const BY_LDAP: [(&str, &str); 2] =
    [("DirectoryServerType", "BDI"), ("PrimaryServerName", "127.0.0.1")];

/// A directory by LDAP that is down.
struct NoLdap;

impl Ldap for NoLdap {
    fn search(&self, _: LdapRequest) -> BoxFuture<'_, Result<LdapAnswer, LdapFailure>> {
        Box::pin(std::future::ready(Err(LdapFailure::Fault(Fault::PortRefused))))
    }

    fn forget(&self) {}
}

fn layer(source: Source, settings: &[(&str, &str)]) -> Layer {
    let setting = |(key, value): &(&str, &str)| Setting {
        key: (*key).to_owned(),
        section: None,
        value: (*value).to_owned(),
        line: None,
    };
    Layer {
        source,
        origin: "settings".into(),
        settings: settings.iter().map(setting).collect(),
        oddities: vec![],
    }
}

/// Each key counts from those who may set it only.
fn set(settings: &[(&str, &str)]) -> Layers {
    Layers::new([layer(Source::GroupFile, settings), layer(Source::ServiceProfile, settings)])
}

/// A laboratory that wants to know who searches.
async fn laboratory() -> TwoClusters {
    let uds = UdsConfig { search_auth: true, ..UdsConfig::default() };
    TwoClusters::new(LabConfig { uds, ..LabConfig::default() }).await
}

/// The directory that these settings lead to for alice, asked by `ask`.
async fn with_directory<T>(
    here: &TwoClusters,
    layers: &Layers,
    ask: impl AsyncFnOnce(&Directory, Means<'_>) -> T,
) -> Option<T> {
    let of = SignedIn {
        name: "alice".into(),
        password: Some("secret".into()),
        im_domain: Some("lab.example".into()),
        clusters: here.clusters.clone(),
        ..SignedIn::default()
    };
    let directory = Directory::drawn(layers, &of)?;
    let look =
        |_: String| -> BoxFuture<'_, Servers> { Box::pin(std::future::ready(<_>::default())) };
    let world = here.world();
    Some(ask(&directory, Means { world: &world, ldap: &NoLdap, look: &look }).await)
}

/// What the laboratory hears while one of each wish is asked and a picture is read.
async fn asked(here: &TwoClusters, layers: &Layers) -> BTreeSet<String> {
    drop(here.lab.heard());
    let wishes = [
        Wish::Typed("al".into()),
        Wish::Typed("alice".into()),
        Wish::Number("+1 (555) 010-2001".into()),
        Wish::Mail("alice@lab.example".into()),
        Wish::Im("carol@lab.example".parse().expect("an address")),
        Wish::Uri("sip:alice@lab.example".into()),
        Wish::Account("alice".into()),
        Wish::Groups("eng".into()),
    ];
    with_directory(here, layers, async |directory, means| {
        let mut person = None;
        for wish in wishes {
            let answer = directory.ask(means, &wish, 100).await;
            person = person.or_else(|| answer.entries.into_iter().find(|it| it.photo.is_some()));
        }
        if let Some(person) = &person
            && let Some(photo) = &person.photo
        {
            directory.picture(means, &person.id, photo).await;
        }
    })
    .await;
    let by = |user: Option<String>| user.map(|user| format!(" by {user}")).unwrap_or_default();
    here.lab
        .heard()
        .into_iter()
        .map(|it| format!("{} {}{}", it.at, it.target, by(it.user)))
        .collect()
}

/// A value of a key that no default is.
fn another(key: &Key) -> &'static str {
    match &key.kind {
        Kind::Flag if key.default == Some("true") => "false",
        Kind::Flag => "true",
        Kind::Number(..) => "1",
        Kind::OneOf(words) => words.last().copied().expect("a word"),
        Kind::Text | Kind::List | Kind::Secret => "otherAttribute",
        Kind::Host | Kind::Domain => "other.example",
        Kind::Url => "http://other.example/",
    }
}

#[tokio::test]
async fn every_key_of_user_data_services_changes_what_is_asked_and_no_other_does() {
    let here = laboratory().await;
    let by_uds = [("DirectoryServerType", "UDS")];
    let usual = asked(&here, &set(&by_uds)).await;
    assert!(usual.iter().any(|it| it.contains("users?username=carol&")), "{usual:#?}");
    let (mut seen, mut counted) = (vec![], 0);
    for key in keys()
        .iter()
        .filter(|it| it.section == "Directory" || DIRECTORY_KEYS_ELSEWHERE.contains(&it.name))
    {
        counted += 1;
        let row = SEEN.iter().find(|(name, ..)| *name == key.name);
        let value = row.map_or_else(|| another(key), |row| row.1);
        let (beside, before) = match key.name {
            "DirectoryServerType" => (&BY_LDAP[..], asked(&here, &set(&BY_LDAP)).await),
            // How long is waited is seen in the test below.
            "SearchTimeout" => continue,
            _ => (&by_uds[..], usual.clone()),
        };
        let beside = beside.iter().filter(|(name, _)| *name != key.name).copied();
        let settings: Vec<_> = beside.chain([(key.name, value)]).collect();
        let after = asked(&here, &set(&settings)).await;
        if before == after {
            continue;
        }
        seen.push(key.name);
        let wanted = row.unwrap_or_else(|| panic!("{} changes what is asked", key.name)).2;
        let mut new = after.difference(&before);
        assert!(new.any(|line| line.contains(wanted)), "{}: {wanted} in {after:#?}", key.name);
    }
    let mut wanted = SEEN.map(|(name, ..)| name).to_vec();
    wanted.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, wanted);
    assert!(counted > 65, "{counted} keys");
    here.stop().await;
}

#[tokio::test]
async fn the_service_profile_says_whether_user_data_services_are_searched() {
    let here = laboratory().await;
    let profile = |fields: &str| {
        let text =
            format!("<UserServiceProfile><Directory>{fields}</Directory></UserServiceProfile>");
        let profile = read_profile_layer(text.as_bytes(), "profile").expect("a profile");
        Layers::new([layer(Source::GroupFile, &BY_LDAP), profile])
    };
    let by_file = asked(&here, &profile("<UseUDS>false</UseUDS>")).await;
    assert_eq!(by_file, BTreeSet::new(), "by LDAP, as the file says");
    let by_profile = asked(&here, &profile("<UseUDS>true</UseUDS>")).await;
    assert!(by_profile.iter().any(|it| it.contains("name=alice")), "{by_profile:#?}");
    // Who searches is who signed in, whatever the profile has for LDAP.
    let reader = "<UseUDS>true</UseUDS><UseUserCredential>true</UseUserCredential>\
                  <DN>cn=reader</DN><Password>x</Password>";
    assert_eq!(asked(&here, &profile(reader)).await, by_profile);
    let shown = by_profile.iter().filter(|it| it.ends_with(" by alice")).count();
    assert!(
        shown > 0 && by_profile.iter().all(|it| it.ends_with(" by alice") || !it.contains(" by "))
    );
    here.stop().await;
}

/// Asks a node that takes connections and says nothing: so many seconds it is waited for. Then the
/// laboratory is asked.
async fn waited(here: &TwoClusters, settings: &[(&str, &str)]) -> Duration {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = silent.local_addr().expect("an address").to_string();
    let layers = set(&[settings, &[("UdsServer", &at)]].concat());
    let node = async {
        let (mut client, _) = silent.accept().await.expect("a client");
        // From here on nothing happens but time.
        tokio::time::pause();
        let (begun, mut bytes) = (Instant::now(), vec![0; 4096]);
        while client.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
        let waited = begun.elapsed();
        tokio::time::resume();
        waited
    };
    drop(here.lab.heard());
    let search = with_directory(here, &layers, async |directory, means| {
        directory.ask(means, &Wish::Account("alice".into()), 1).await.entries.len()
    });
    let (found, waited) = tokio::join!(search, node);
    assert_eq!(found, Some(1), "by the next node");
    assert!(here.lab.heard().iter().all(|it| it.at == "cucm1"));
    waited
}

#[tokio::test]
async fn who_says_nothing_is_waited_for_as_long_as_is_set() {
    let here = laboratory().await;
    let (usual, set) = (waited(&here, &[]).await, waited(&here, &[("SearchTimeout", "15")]).await);
    // The handshake has begun when the clock stops, so that whole seconds may be one less; timers go
    // by milliseconds.
    assert!((1..=5).contains(&usual.as_secs()), "{usual:?}");
    assert!((6..=15).contains(&set.as_secs()), "{set:?}");
    here.stop().await;
}

#[tokio::test]
async fn a_picture_that_is_too_large_is_none() {
    let size = |count: usize| ("of/alice.png".to_owned(), "x".repeat(count));
    let read = async |count| {
        let config = LabConfig { files: [size(count)].into(), ..LabConfig::default() };
        let here = TwoClusters::new(config).await;
        let layers = set(&[("UdsPhotoUriWithToken", "http://photos.lab.example/of/%%uid%%.png")]);
        let bytes = with_directory(&here, &layers, async |directory, means| {
            let answer = directory.ask(means, &Wish::Account("alice".into()), 1).await;
            let photo = answer.entries[0].photo.clone().expect("a picture");
            directory.picture(means, &answer.entries[0].id, &photo).await.0
        });
        let bytes = bytes.await.expect("a directory");
        assert!(here.lab.heard().iter().any(|it| it.target == "/of/alice.png"), "it was asked for");
        here.stop().await;
        bytes.map(|bytes| bytes.len())
    };
    assert_eq!(read(1024 * 1024).await, Some(1024 * 1024));
    assert_eq!(read(20 * 1024 * 1024).await, None);
}
