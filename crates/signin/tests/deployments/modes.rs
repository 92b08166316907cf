//! Product modes: what the account has, and what settings leave of it.

use offhook_model::{AccountType, Authenticator, ManualAccount, Preset, ProductMode};
use offhook_signin::{Grant, Request, Service};
use offhook_testkit::{Reply, TestWorld, deployment, im_only, phone_only, reply, url};

use crate::{granted, refused, request, rules, signed_in, times};

fn settled(preset: Preset) -> Request {
    Request { preset, ..request() }
}

fn with_policy(world: TestWorld, policies: &str) -> TestWorld {
    let file = format!("<config version=\"1.0\">{policies}</config>");
    world.web(url::GLOBAL_FILE, Reply::ok(file));
    world
}

#[track_caller]
fn check(grant: &Grant, mode: ProductMode) {
    assert_eq!(grant.mode, mode);
    let (chat, phone) = (grant.im.ready().is_some(), grant.phone.ready().is_some());
    let expected = match mode {
        ProductMode::Full => (true, true),
        ProductMode::ImOnly => (true, false),
        ProductMode::PhoneOnly => (false, true),
    };
    assert_eq!((chat, phone), expected);
    assert_eq!(grant.renewal.is_some(), chat);
}

#[test]
fn the_account_decides_where_nothing_is_settled() {
    check(&granted(&deployment(), &request()), ProductMode::Full);

    let report = signed_in(&im_only(), &request());
    assert_eq!(rules(&report.warnings), [18]);
    assert!(report.warnings[0].evidence.contains("Cisco 7965"), "{:?}", report.warnings);
    check(&report.outcome.expect("a grant"), ProductMode::ImOnly);

    let report = signed_in(&phone_only(), &request());
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    let grant = report.outcome.expect("a grant");
    assert_eq!(grant.authenticator, Authenticator::Cucm);
    check(&grant, ProductMode::PhoneOnly);
}

#[test]
fn phone_mode_asks_for_no_chat_and_misses_none() {
    let world = deployment();
    let report = signed_in(&world, &settled(Preset { phone_mode: true, ..Preset::default() }));
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    let grant = report.outcome.expect("a grant");
    assert_eq!(grant.authenticator, Authenticator::Cucm);
    check(&grant, ProductMode::PhoneOnly);
    assert_eq!(times(&world, "EPASSoap"), 0);

    // A profile without chat is what phone mode expects (D25 is for others).
    world.web(url::PROFILE, Reply::ok(reply::PROFILE_WITHOUT_CHAT));
    let report = signed_in(&world, &settled(Preset { phone_mode: true, ..Preset::default() }));
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
}

#[test]
fn communications_manager_by_manual_settings_is_phone_mode() {
    let world = deployment();
    let manual = ManualAccount {
        account_type: AccountType::Cucm,
        tftp: Some("cucm1.example.com".into()),
        ..ManualAccount::default()
    };
    check(&granted(&world, &Request { manual, ..request() }), ProductMode::PhoneOnly);
    assert_eq!(times(&world, "EPASSoap"), 0);
}

#[test]
fn settings_take_one_half_away() {
    let no_phone = Preset { telephony: false, ..Preset::default() };
    let report = signed_in(&im_only(), &settled(no_phone.clone()));
    // Nobody misses a phone that is switched off.
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    check(&report.outcome.expect("a grant"), ProductMode::ImOnly);
    check(&granted(&deployment(), &settled(no_phone)), ProductMode::ImOnly);

    let world = deployment();
    let no_chat = Preset { im: false, ..Preset::default() };
    check(&granted(&world, &settled(no_chat)), ProductMode::PhoneOnly);
    assert_eq!(times(&world, "EPASSoap"), 0);

    let neither = Preset { im: false, telephony: false, ..Preset::default() };
    let problem = refused(&deployment(), &settled(neither));
    assert!(problem.cause.contains("switches off chat as well"), "{}", problem.cause);
}

#[test]
fn files_of_this_sign_in_count_at_once() {
    let policies = "<Policies><Telephony_Enabled>false</Telephony_Enabled></Policies>";
    let world = with_policy(deployment(), policies);
    check(&granted(&world, &request()), ProductMode::ImOnly);

    let world = with_policy(deployment(), "<Policies><IM_Enabled>false</IM_Enabled></Policies>");
    let grant = granted(&world, &request());
    assert!(matches!(grant.im, Service::NotConfigured));
    check(&grant, ProductMode::PhoneOnly);

    // What was switched off before is allowed again.
    let world = with_policy(deployment(), "<Policies><IM_Enabled>true</IM_Enabled></Policies>");
    let preset = Preset { im: false, ..Preset::default() };
    check(&granted(&world, &settled(preset)), ProductMode::Full);
}

#[test]
fn phone_mode_that_comes_with_the_files_waits_for_the_next_start() {
    let client = "<Client><TelephonyOnlyDiscovery>true</TelephonyOnlyDiscovery></Client>";
    let world = with_policy(deployment(), client);
    let report = signed_in(&world, &request());
    assert_eq!(rules(&report.warnings), [24]);
    check(&report.outcome.expect("a grant"), ProductMode::Full);
}

#[test]
fn a_user_who_may_not_chat_is_not_signed_in_to_chat() {
    let world = deployment();
    let user = reply::USER.replace("enableImAndPresence=\"true\"", "enableImAndPresence=\"false\"");
    world.web(url::USER, Reply::ok(user));
    check(&granted(&world, &request()), ProductMode::PhoneOnly);
    assert_eq!(times(&world, "EPASSoap"), 0);
}
