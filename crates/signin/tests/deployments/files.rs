//! Client configuration files: where they are looked for, and which are believed.

use std::time::Duration;

use offhook_config::DialRule;
use offhook_model::{Fault, Layer, ManualAccount, Preset, Source};
use offhook_signin::Request;
use offhook_testkit::{Reply, TestWorld, deployment, reply, url};

use crate::{granted, request, signed_in, times};

const FILE: &str = "<config version=\"1.0\"><Client><UpdateURL>https://u.example.com/</UpdateURL></Client></config>";
const GROUP: &str = "GET http://cucm1.example.com:6970/group-a.xml";

/// The phone names a group's file.
fn with_group() -> TestWorld {
    let world = deployment();
    let field = "<vendorConfig><ciscoSupportField>configurationfile=group-a.xml</ciscoSupportField></vendorConfig></device>";
    world.web(url::DEVICE_FILE, Reply::ok(reply::DEVICE_FILE.replace("</device>", field)));
    world
}

fn sources(layers: &[Layer]) -> Vec<Source> {
    layers.iter().map(|layer| layer.source).collect()
}

#[test]
fn global_and_group_file_and_profile_become_layers() {
    let world = with_group();
    world.web(url::GLOBAL_FILE, Reply::ok(FILE)).web(GROUP, Reply::ok(FILE));
    let report = signed_in(&world, &request());
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    let layers = report.outcome.expect("a grant").layers;
    assert_eq!(sources(&layers), [Source::ServiceProfile, Source::GlobalFile, Source::GroupFile]);
    assert_eq!(layers[1].origin, "http://cucm1.example.com:6970/jabber-config.xml");
    assert_eq!(layers[2].origin, "http://cucm1.example.com:6970/group-a.xml");
    let update = layers[2].settings.iter().find(|setting| setting.key == "UpdateURL");
    assert_eq!(update.map(|setting| setting.value.as_str()), Some("https://u.example.com/"));
    let steps: Vec<_> = report.steps.iter().map(|step| step.step.as_str()).collect();
    assert!(steps.contains(&"globalConfig") && steps.contains(&"groupConfig"), "{steps:?}");
}

#[test]
fn a_cluster_without_files_is_no_fault() {
    let report = signed_in(&deployment(), &request());
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    assert_eq!(sources(&report.outcome.expect("a grant").layers), [Source::ServiceProfile]);
}

#[test]
fn the_file_settled_at_installation_wins_over_the_phones() {
    let world = with_group();
    world.web("GET http://cucm1.example.com:6970/sales/own.xml", Reply::ok(FILE));
    let preset = Preset { config_file: Some("sales/own.xml".into()), ..Preset::default() };
    let layers = granted(&world, &Request { preset, ..request() }).layers;
    assert_eq!(
        layers.last().expect("a layer").origin,
        "http://cucm1.example.com:6970/sales/own.xml"
    );
    assert_eq!(times(&world, "group-a.xml"), 0);
}

#[test]
fn a_group_file_that_is_missing_leaves_the_global_one_and_is_told() {
    let world = with_group();
    world.web(url::GLOBAL_FILE, Reply::ok(FILE)).web(GROUP, Reply::status(404, ""));
    let report = signed_in(&world, &request());
    let words: Vec<_> = report.warnings.iter().map(|it| it.cause.as_str()).collect();
    assert_eq!(
        words,
        [
            "The phone CSFALICE names the client configuration file group-a.xml, and cucm1.example.com has no such file."
        ]
    );
    let layers = report.outcome.expect("a grant").layers;
    assert_eq!(sources(&layers), [Source::ServiceProfile, Source::GlobalFile]);
}

#[test]
fn a_broken_file_is_ignored_as_a_whole_and_told() {
    for broken in ["<config><Client><A>1</A>", "<config><A>x & y</B></config>", "<other/>"] {
        let world = deployment();
        world.web(url::GLOBAL_FILE, Reply::ok(broken));
        let report = signed_in(&world, &request());
        assert_eq!(report.warnings.len(), 1, "{broken}");
        let cause = &report.warnings[0].cause;
        assert!(cause.contains("jabber-config.xml on cucm1.example.com is ignored"), "{cause}");
        assert_eq!(sources(&report.outcome.expect("a grant").layers), [Source::ServiceProfile]);
    }
}

#[test]
fn servers_are_tried_in_order_until_one_answers() {
    let world = deployment();
    let manual =
        ManualAccount { tftp: Some("tftp9.example.com:16970".into()), ..ManualAccount::default() };
    world.web(
        "GET http://tftp9.example.com:16970/jabber-config.xml",
        Reply::fault(Fault::PortRefused),
    );
    world.web(url::GLOBAL_FILE, Reply::ok(FILE));
    let layers = granted(&world, &Request { manual: manual.clone(), ..request() }).layers;
    assert_eq!(layers[1].origin, "http://cucm1.example.com:6970/jabber-config.xml");

    // That there is none is an answer.
    world.web("GET http://tftp9.example.com:16970/jabber-config.xml", Reply::status(404, ""));
    let layers = granted(&world, &Request { manual, ..request() }).layers;
    assert_eq!(sources(&layers), [Source::ServiceProfile]);
}

#[test]
fn files_over_https_stay_there() {
    let world = deployment();
    let user =
        reply::USER.replace("http://cucm1.example.com:6970", "https://cucm1.example.com:6972");
    world.web(url::USER, Reply::ok(user));
    world.web("GET https://cucm1.example.com:6972/SPDefault.cnf.xml", Reply::ok(reply::PROFILE));
    world.web("GET https://cucm1.example.com:6972/jabber-config.xml", Reply::ok(FILE));
    let layers = granted(&world, &request()).layers;
    assert_eq!(layers[1].origin, "https://cucm1.example.com:6972/jabber-config.xml");
}

#[test]
fn files_are_fetched_beside_everything_else() {
    let world = with_group();
    let second = Duration::from_secs(1);
    for (address, body) in [
        (url::GLOBAL_FILE, FILE),
        (GROUP, FILE),
        (url::DEVICES, reply::DEVICES),
        (url::DEVICE, reply::DEVICE),
    ] {
        world.web(address, Reply::ok(body).after(second));
    }
    granted(&world, &request());
    // Devices, device and the group's file follow each other; the global file runs beside them.
    assert_eq!(world.clock().passed(), second * 3);
}

#[test]
fn a_server_that_says_nothing_holds_up_nobody_for_long() {
    let world = deployment();
    world.web(url::GLOBAL_FILE, Reply::silence());
    let report = signed_in(&world, &request());
    assert!(report.outcome.is_ok());
    assert_eq!(report.warnings.len(), 1);
    assert!(world.clock().passed() <= Duration::from_secs(15));
}

#[test]
fn rules_for_numbers_come_with_the_sign_in() {
    let world = deployment();
    let rule = |prefix: &str| {
        let rule = format!(
            "<DialRules><DialRule BeginsWith=\"+\" NumDigits=\"0\" DigitsToRemove=\"1\" PrefixWith=\"{prefix}\"/></DialRules>"
        );
        Reply::ok(rule)
    };
    world.web(url::RULES[0], rule("9")).web(url::RULES[1], rule("00"));
    let people = granted(&world, &request()).people;
    let prefixes = |rules: &[DialRule]| -> Vec<String> {
        rules.iter().map(|rule| rule.prefix.clone()).collect()
    };
    assert_eq!(
        (prefixes(&people.dial_rules), prefixes(&people.lookup_rules)),
        (vec!["9".into()], vec!["00".into()])
    );

    // A broken file is the administrator's business, and no obstacle.
    let world = deployment();
    world.web(url::RULES[0], Reply::ok("<DialRules><DialRule></DialRules>"));
    let report = signed_in(&world, &request());
    assert!(report.warnings.iter().any(|it| it.cause.contains("AppDialRules.xml")), "{report:?}");
    assert!(report.outcome.is_ok_and(|grant| grant.people.dial_rules.is_empty()));
}
