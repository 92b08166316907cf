//! What is kept from one sign-in to the next: what was found, and what the servers settled.

use offhook_core::{Effect, Options};
use offhook_discovery as discovery;
use offhook_model::{
    AccountType, CertificatePolicy, Command, IpMode, Layer, ManualAccount, Outcome, Provisioned,
    SessionState, Setting, Source, Timestamp,
};
use offhook_ports::{Found, Remembered, StoreRequest, Target};
use offhook_signin::Service;

use crate::bench::{Bench, cucm, full, grant, plain, standard, unreachable, wrong_password};

fn remembered(found: Found) -> Remembered {
    Remembered {
        domain: "example.test".into(),
        voice_domain: "example.test".into(),
        found,
        at: Timestamp(1),
        network: None,
    }
}

fn old_place() -> Found {
    Found::Cucm(vec![Target { host: "old.example.test".into(), port: 8443 }])
}

fn layer(source: Source, settings: &[(&str, &str)]) -> Layer {
    let setting = |(key, value): &(&str, &str)| Setting {
        key: (*key).into(),
        section: None,
        value: (*value).into(),
        line: None,
    };
    Layer {
        source,
        origin: "somewhere".into(),
        settings: settings.iter().map(setting).collect(),
        oddities: vec![],
    }
}

fn with_memory(found: Found) -> Bench {
    Bench::with(Options { remembered: Some(remembered(found)), ..Bench::options() })
}

/// The newest request of discovery.
fn asked(bench: &Bench) -> discovery::Request {
    let of = |effect: &Effect| match effect {
        Effect::Discover { request, .. } => Some(discovery::Request::clone(request)),
        _ => None,
    };
    bench.effects.iter().rev().find_map(of).expect("a discovery")
}

fn forgotten(bench: &Bench) -> usize {
    bench.stored(|request| matches!(request, StoreRequest::PutRemembered(None)))
}

fn kept(bench: &Bench) -> usize {
    bench.stored(|request| matches!(request, StoreRequest::PutRemembered(Some(_))))
}

#[test]
fn what_was_found_is_kept_only_after_it_let_somebody_in() {
    let mut bench = Bench::new();
    bench.sign_in(Some("secret")).expect("begun");
    assert_eq!(asked(&bench).remembered, None);
    bench.found_to_remember(cucm(), Some(remembered(cucm())), false);
    assert_eq!(kept(&bench), 0);
    bench.granted(Err(unreachable()));
    assert_eq!(kept(&bench), 0);
    bench.command(Command::TryAgain).expect("begun");
    assert_eq!(asked(&bench).remembered, None, "everything is asked anew");
    bench.found_to_remember(cucm(), Some(remembered(cucm())), false);
    bench.granted(Ok(full()));
    assert_eq!(kept(&bench), 1);
    bench.command(Command::SignOut).expect("begun");
    bench.advance(crate::bench::secs(3));
    bench.sign_in(Some("secret")).expect("begun");
    assert_eq!(asked(&bench).remembered, Some(remembered(cucm())));
}

#[test]
fn what_was_remembered_and_leads_nowhere_is_looked_for_once_more() {
    let mut bench = with_memory(old_place());
    bench.sign_in(Some("secret")).expect("begun");
    assert!(asked(&bench).remembered.is_some());
    bench.found_to_remember(old_place(), None, true);
    bench.granted(Err(unreachable()));
    // In the same attempt, without a word to the user.
    assert_eq!((bench.state(), forgotten(&bench)), (SessionState::Discovering, 1));
    assert_eq!(asked(&bench).remembered, None);
    let session = bench.session();
    let step = session.trace.iter().find(|step| step.step == "remembered").expect("told");
    assert_eq!(step.outcome, Outcome::Failed);
    bench.found_to_remember(cucm(), Some(remembered(cucm())), false);
    let (run, username, password) = bench.authenticating().expect("asked with the same words");
    assert_eq!((username.as_str(), password.as_str()), ("alice", "secret"));
    // Only once.
    bench.answered(run, Err(unreachable()));
    assert_eq!(bench.state(), SessionState::Failed);
    assert!(bench.discovering().is_none());
}

#[test]
fn a_wrong_password_says_nothing_about_what_was_found() {
    let mut bench = with_memory(cucm());
    bench.sign_in(Some("typo")).expect("begun");
    bench.found_to_remember(cucm(), None, true);
    bench.granted(Err(wrong_password()));
    assert_eq!((bench.state(), forgotten(&bench)), (SessionState::Failed, 0));
    assert!(bench.discovering().is_none());
    // Trying again does not repeat the word that was refused.
    bench.command(Command::TryAgain).expect("begun");
    bench.found(Ok(cucm()));
    assert!(bench.authenticating().is_none());
    bench.kept_password(None);
    assert!(bench.session().prompt.is_some());
}

#[test]
fn a_plain_account_whose_remembered_servers_are_gone_is_looked_for_once_more() {
    let mut bench = with_memory(standard());
    bench.sign_in(Some("secret")).expect("begun");
    bench.found_to_remember(standard(), None, true);
    bench.granted(Ok(plain(true, false)));
    let link = bench.link().expect("a link");
    bench.failed(link, offhook_model::Fault::ConnectTimeout);
    assert_eq!((bench.state(), forgotten(&bench)), (SessionState::Discovering, 1));
}

#[test]
fn other_manual_settings_mean_other_services() {
    let mut bench = with_memory(cucm());
    let manual = ManualAccount {
        account_type: AccountType::Cup,
        server: Some("cup1.example.test".into()),
        ..ManualAccount::default()
    };
    bench.command(Command::SetManual(manual.clone())).expect("done");
    assert_eq!(forgotten(&bench), 1);
    assert_eq!(*bench.snapshot().manual, manual);
    let automatic = ManualAccount { account_type: AccountType::Automatic, ..manual };
    bench.command(Command::SetManual(automatic)).expect("done");
    assert_eq!(*bench.snapshot().manual, ManualAccount::default(), "Automatic clears them all");
}

#[test]
fn settings_of_the_servers_are_kept_and_count_the_next_time() {
    let mut bench = Bench::new();
    let file = layer(
        Source::GlobalFile,
        &[
            ("ServiceDiscoveryExcludedServices", "WEBEX"),
            ("InvalidCertificateBehavior", "RejectAndNotify"),
            ("IP_Mode", "IPV4_ONLY"),
        ],
    );
    let given = offhook_signin::Grant { layers: vec![file.clone()], ..full() };
    bench.sign_in(Some("secret")).expect("begun");
    assert!(!asked(&bench).preset.excluded.webex);
    bench.found(Ok(cucm()));
    bench.granted(Ok(given));
    let kept = |bench: &Bench| {
        bench.effects.iter().rev().find_map(|effect| match effect {
            Effect::Store(_, StoreRequest::PutProvisioned(kept)) => Some(Provisioned::clone(kept)),
            _ => None,
        })
    };
    let provisioned = kept(&bench).expect("kept");
    assert_eq!((provisioned.launched, &provisioned.layers), (true, &vec![file.clone()]));
    let snapshot = bench.snapshot();
    assert_eq!((&*snapshot.layers, snapshot.preset.excluded.webex), (&vec![file.clone()], true));
    let policy = |effect: &Effect| {
        matches!(effect, Effect::SetTrust { policy: CertificatePolicy::Reject, .. })
    };
    assert_eq!(bench.count(policy), 1);
    // Each sign-in says anew what servers say; what others settled stays.
    bench.command(Command::SignOut).expect("begun");
    bench.advance(crate::bench::secs(3));
    bench.sign_in(Some("secret")).expect("begun");
    assert!(asked(&bench).preset.excluded.webex);
    bench.found(Ok(cucm()));
    bench.granted(Ok(grant(Service::NotConfigured, Service::NotConfigured)));
    assert!(kept(&bench).expect("kept").layers.is_empty());
}

#[test]
fn the_first_launch_is_over_once_the_program_has_started() {
    let launched = |bench: &Bench| {
        bench.stored(
            |request| matches!(request, StoreRequest::PutProvisioned(kept) if kept.launched),
        )
    };
    let bench = Bench::with(Bench::options());
    assert_eq!(launched(&bench), 1);
    let url = layer(
        Source::Url,
        &[("IP_Mode", "IPV6_ONLY"), ("InvalidCertificateBehavior", "PromptPerSession")],
    );
    let provisioned = Provisioned {
        launched: true,
        bootstrap_digest: None,
        instance: None,
        layers: vec![url.clone()],
    };
    let mut bench = Bench::with(Options { provisioned, ..Bench::options() });
    assert_eq!(launched(&bench), 0);
    let snapshot = bench.snapshot();
    assert_eq!(*snapshot.layers, [url]);
    let mode = snapshot.preset.ip_mode;
    assert_eq!(
        bench.count(|effect| matches!(effect, Effect::SetIpMode(wanted) if *wanted == mode)),
        1
    );
    assert_eq!(mode, IpMode::V6);
    assert_eq!(
        bench.count(|effect| {
            matches!(effect, Effect::SetTrust { policy: CertificatePolicy::AskEachSession, .. })
        }),
        1
    );
}
