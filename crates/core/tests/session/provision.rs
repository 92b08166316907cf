//! Configuration URLs, reset, the browser, and a password that cannot be kept.

use offhook_core::{Effect, Event, Options, StoreTag};
use offhook_model::{Command, ErrorCode, ManualAccount, Provisioned, SessionState, Source};
use offhook_ports::{Found, StoreAnswer, StoreRequest};

use crate::bench::{ADDRESS, Bench, cucm, full, secs, unreachable};

const URL: &str = "ciscojabber://provision?ServicesDomain=corp.test&VoiceServicesDomain=voice.test";

fn provision(bench: &mut Bench, url: &str) -> Result<(), ErrorCode> {
    bench.command(Command::Provision(url.into())).map(drop).map_err(|error| error.code)
}

#[test]
fn a_configuration_address_counts_at_the_next_sign_in() {
    let mut bench = Bench::new();
    provision(&mut bench, URL).expect("taken");
    let preset = bench.snapshot().preset;
    assert_eq!(preset.services_domain.as_deref(), Some("corp.test"));
    assert_eq!(preset.voice_services_domain.as_deref(), Some("voice.test"));
    assert_eq!(
        bench.stored(|request| {
            matches!(request, StoreRequest::PutProvisioned(kept)
                if kept.layers.iter().any(|layer| layer.source == Source::Url))
        }),
        1
    );
    bench.sign_in(Some("secret")).expect("begun");
    let asked = bench.effects.iter().find_map(|effect| match effect {
        Effect::Discover { request, .. } => request.preset.services_domain.clone(),
        _ => None,
    });
    assert_eq!(asked.as_deref(), Some("corp.test"));
}

#[test]
fn what_is_wrong_with_an_address_is_said_and_nothing_of_it_counts() {
    let mut bench = Bench::new();
    for bad in ["https://example.test", "ciscojabber://provision?VoiceServicesDomain=v.test"] {
        let error = bench.command(Command::Provision(bad.into())).expect_err("refused");
        assert_eq!(error.code, ErrorCode::InvalidParams, "{bad}");
    }
    assert!(bench.snapshot().layers.is_empty());
}

#[test]
fn not_more_than_three_in_fifteen_seconds_and_none_while_signed_in() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        provision(&mut bench, URL).expect("taken");
    }
    assert_eq!(provision(&mut bench, URL), Err(ErrorCode::Refused));
    bench.advance(secs(15));
    provision(&mut bench, URL).expect("taken");
    let mut bench = Bench::up(full());
    for command in [Command::Provision(URL.into()), Command::Reset] {
        let error = bench.command(command).expect_err("refused");
        assert_eq!(error.code, ErrorCode::NotPossible);
    }
}

#[test]
fn reset_forgets_the_account_and_nothing_else() {
    let layer = offhook_model::Layer {
        source: Source::Bootstrap,
        origin: "/etc/offhook/bootstrap.properties".into(),
        settings: vec![],
        oddities: vec![],
    };
    let provisioned = Provisioned {
        launched: true,
        bootstrap_digest: Some("00".into()),
        instance: None,
        layers: vec![layer.clone()],
    };
    let mut bench = Bench::with(Options { provisioned, ..Bench::options() });
    provision(&mut bench, URL).expect("taken");
    bench.let_in(full());
    bench.command(Command::SignOut).expect("begun");
    bench.advance(secs(3));
    bench.effects.clear();
    bench.command(Command::Reset).expect("done");
    let snapshot = bench.snapshot();
    assert_eq!(
        (snapshot.session.state, &*snapshot.layers),
        (SessionState::SignedOut, &vec![layer])
    );
    assert_eq!(*snapshot.manual, ManualAccount::default());
    assert_eq!(
        bench.stored(|it| matches!(it, StoreRequest::ForgetPassword(who) if who == ADDRESS)),
        1
    );
    assert_eq!(bench.stored(|it| matches!(it, StoreRequest::PutManual(_))), 1);
    // The bootstrap file is read again at the next start.
    let kept = bench.effects.iter().rev().find_map(|effect| match effect {
        Effect::Store(_, StoreRequest::PutProvisioned(kept)) => Some(kept.clone()),
        _ => None,
    });
    let kept = kept.expect("kept");
    assert_eq!((kept.launched, &kept.bootstrap_digest), (false, &None));
    assert_eq!(bench.stored(|it| matches!(it, StoreRequest::PutSettings(_))), 0);
}

#[test]
fn a_failed_sign_in_can_be_reset_too() {
    let mut bench = Bench::new();
    bench.sign_in(Some("secret")).expect("begun");
    bench.found(Err(unreachable()));
    bench.command(Command::Reset).expect("done");
    let session = bench.session();
    assert_eq!((session.state, session.address), (SessionState::SignedOut, None));
    assert_eq!(
        bench.stored(|it| matches!(it, StoreRequest::ForgetPassword(who) if who == ADDRESS)),
        1
    );
    let error = bench.command(Command::TryAgain).expect_err("nothing to try");
    assert_eq!(error.code, ErrorCode::NotPossible);
}

#[test]
fn single_sign_on_goes_on_in_the_browser() {
    let url = "https://login.example.test/sso";
    let found =
        Found::Webex { cas: "cas.example.test".into(), sso: Some(url.into()), voice: vec![] };
    let mut bench = Bench::new();
    bench.sign_in(Some("secret")).expect("begun");
    bench.found(Ok(found));
    let session = bench.session();
    assert_eq!(session.browser.expect("a browser").url, url);
    assert_eq!(bench.count(|effect| matches!(effect, Effect::OpenBrowser(to) if to == url)), 1);
    assert_eq!(session.state, SessionState::SigningIn);
    assert!(bench.authenticating().is_none());
    let error = bench.command(Command::Provision("https://cas.example.test/#type=sso".into()));
    assert!(error.expect_err("no token").cause.contains("no user"));
    let other = "offhook://sso#username=eve%40elsewhere.test&jabberToken=t0";
    let error = bench.command(Command::Provision(other.into())).expect_err("somebody else");
    assert!(error.cause.contains("another organisation"), "{}", error.cause);
    assert!(bench.session().browser.is_some() && bench.authenticating().is_none());
    let back = "https://cas.example.test/#type=sso&username=alice&jabberToken=t1";
    bench.command(Command::Provision(back.into())).expect("taken");
    let token = bench.effects.iter().find_map(|effect| match effect {
        Effect::SignIn { request, .. } => request.cloud_token.clone(),
        _ => None,
    });
    assert_eq!(token.expect("a token").token.expose(), "t1");
    let (run, username, _) = bench.authenticating().expect("asked");
    assert_eq!((username.as_str(), bench.session().browser), ("alice", None));
    bench.answered(run, Ok(full()));
    assert_eq!(bench.state(), SessionState::SignedIn);
    assert_eq!(bench.stored(|it| matches!(it, StoreRequest::PutPassword(..))), 0);
}

#[test]
fn a_password_that_cannot_be_kept_is_told_once_a_session() {
    let mut bench = Bench::new();
    bench.sign_in(Some("secret")).expect("begun");
    bench.found(Ok(cucm()));
    bench.granted(Ok(full()));
    let told = || StoreAnswer::MemoryOnly("There is no keyring. Install one.".into());
    bench.send(Event::Store(StoreTag::Nothing, told()));
    let toasts = bench.snapshot().toasts;
    assert_eq!(toasts.len(), 1);
    bench.command(Command::Dismiss(toasts[0].id)).expect("done");
    bench.send(Event::Store(StoreTag::Nothing, told()));
    assert!(bench.snapshot().toasts.is_empty());
}
