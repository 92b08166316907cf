//! Unified Presence 8.x and call managers of its time.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use offhook_model::{
    AccountType, Area, Authenticator, Fault, ManualAccount, Preset, ProductMode, Source, Via,
};
use offhook_ports::{Found, XmppAuth};
use offhook_signin::{Renewal, Request, Service, renew};
use offhook_testkit::{PASSWORD, Reply, TOKEN, cup8, cup8_url, phone_mode_8, reply, url};

use crate::{at, credentials, granted, refused, rules, signed_in, targets, times};

fn request() -> Request {
    at(Found::Cup(targets(&["cup1.example.com"])))
}

fn phone_mode() -> Request {
    let manual = ManualAccount {
        account_type: AccountType::Cucm,
        ccmcip: Some("old1.example.com".into()),
        tftp: Some("tftp1.example.com".into()),
        ..ManualAccount::default()
    };
    Request { manual, ..at(Found::Cucm(targets(&["old1.example.com"]))) }
}

#[test]
fn unified_presence_signs_in_and_its_configuration_names_the_rest() {
    let world = cup8();
    let report = signed_in(&world, &request());
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    let grant = report.outcome.expect("a grant");
    assert_eq!((grant.authenticator, grant.mode), (Authenticator::Cup, ProductMode::Full));
    assert_eq!((grant.via, grant.username.as_str()), (Via::Direct, "alice"));
    let chat = grant.im.ready().expect("chat");
    assert_eq!(chat.jid.bare_str(), "alice@example.com");
    // The SIP port of the presence engine is not one for chat.
    assert_eq!((chat.servers[0].host.as_str(), chat.servers[0].port), ("cup1.example.com", 5222));
    assert!(matches!(&chat.auth, XmppAuth::VtgToken { token, .. } if token.expose() == TOKEN));
    let phone = grant.phone.ready().expect("phone");
    assert_eq!(phone.user, "2001");
    let layer = &grant.layers[0];
    assert_eq!(layer.source, Source::ServiceProfile);
    let value = |key: &str| {
        let setting = layer.settings.iter().find(|setting| setting.key == key);
        setting.map(|setting| setting.value.as_str())
    };
    assert_eq!(value("VoicemailPrimaryServer"), Some("cuc1.example.com"));
    assert_eq!(value("CtiServer1"), Some("old1.example.com"));
}

#[test]
fn the_backup_node_of_the_answer_renews_when_the_first_is_down() {
    let world = cup8();
    let grant = granted(&world, &request());
    let Some(Renewal::Soap(renewal)) = &grant.renewal else { panic!("no session") };
    let hosts: Vec<_> = renewal.nodes.iter().map(|node| node.host.as_str()).collect();
    assert_eq!(hosts, ["cup1.example.com", "cup2.example.com"]);
    world.web(cup8_url::SOAP, Reply::fault(Fault::ConnectTimeout));
    let before = world.asked().len();
    let (ports, credentials) = (world.world(), credentials("alice"));
    let renewal = grant.renewal.expect("a renewal");
    world.run(renew(&ports, &renewal, &credentials, &|_| {})).expect("a plan");
    // The same session, twice at the first node and twice at the second: no new sign-in.
    assert_eq!(world.asked().len() - before, 4);
    world.web_containing(cup8_url::SOAP_2, "<login ", Reply::fault(Fault::PortRefused));
    world.run(renew(&ports, &renewal, &credentials, &|_| {})).expect("no login is needed");
}

#[test]
fn a_refused_password_is_refused_once() {
    let world = cup8();
    world.web_containing(cup8_url::SOAP, "<login ", Reply::ok(reply::SOAP_REFUSED));
    let problem = refused(&world, &request());
    assert_eq!(problem.area, Area::Authentication);
    assert_eq!(times(&world, "EPASSoap"), 1);
    assert_eq!(times(&world, "ccmcip"), 0);
}

#[test]
fn the_password_goes_out_twice_encoded_first() {
    let world = phone_mode_8();
    let twisted = format!("Basic alice:{};", STANDARD.encode(PASSWORD));
    let plain = format!("Basic alice:{PASSWORD};");
    world.web_containing(cup8_url::DEVICE_LIST, &plain, Reply::status(500, ""));
    assert!(granted(&world, &phone_mode()).phone.ready().is_some());
    assert_eq!(times(&world, "ccmcip"), 1);

    let world = phone_mode_8();
    world.web_containing(cup8_url::DEVICE_LIST, &twisted, Reply::status(401, reply::PAGE));
    assert!(granted(&world, &phone_mode()).phone.ready().is_some());
    assert_eq!(times(&world, "ccmcip"), 2);
}

#[test]
fn a_page_with_status_401_is_a_refused_password_and_asks_no_other_server() {
    let world = cup8();
    let page = "<html><body><h1>HTTP Status 401 - </h1><br></body></html>";
    world.web(cup8_url::DEVICE_LIST, Reply::ok(page));
    let grant = granted(&world, &request());
    // Unified Presence has accepted it, so it is not the user's (D13).
    assert_eq!(grant.phone.problem().and_then(|problem| problem.rule).map(|rule| rule.0), Some(13));
    assert_eq!(times(&world, "old2.example.com"), 0);
}

#[test]
fn the_second_device_list_stands_in_for_the_first() {
    for broken in [Reply::fault(Fault::PortRefused), Reply::status(503, ""), Reply::ok(" ")] {
        let world = cup8();
        world.web(cup8_url::DEVICE_LIST, broken);
        assert_eq!(granted(&world, &request()).mode, ProductMode::Full);
    }
}

#[test]
fn newer_call_managers_are_asked_by_user_data_services() {
    let world = cup8();
    for list in [cup8_url::DEVICE_LIST, cup8_url::DEVICE_LIST_2] {
        world.web(list, Reply::status(404, ""));
    }
    for (address, body) in [
        (url::CLUSTER_USER, reply::HOME),
        (url::USER, reply::USER),
        (url::DEVICES, reply::DEVICES),
        (url::DEVICE, reply::DEVICE),
    ] {
        let (address, body) = (address.replace("cucm1", "old1"), body.replace("cucm1", "old1"));
        world.web(&address, Reply::ok(body));
    }
    world.web("GET http://old1.example.com:6970/CSFALICE.cnf.xml", Reply::ok(reply::DEVICE_FILE));
    assert_eq!(granted(&world, &request()).mode, ProductMode::Full);
}

#[test]
fn no_desktop_phone_in_the_list_is_a_chat_account_and_told() {
    let world = cup8();
    world.web(cup8_url::DEVICE_LIST, Reply::ok("<devices/>"));
    let report = signed_in(&world, &request());
    assert_eq!(rules(&report.warnings), [18]);
    assert_eq!(report.outcome.expect("a grant").mode, ProductMode::ImOnly);
}

#[test]
fn phone_mode_needs_nothing_but_list_and_file() {
    let world = phone_mode_8();
    let grant = granted(&world, &phone_mode());
    assert_eq!((grant.authenticator, grant.mode), (Authenticator::Cucm, ProductMode::PhoneOnly));
    assert!(matches!(grant.im, Service::NotConfigured));
    assert_eq!(grant.number.as_deref(), Some("2001"));
    // User data services were asked first.
    assert_eq!(times(&world, "old1.example.com:8443/cucm-uds/clusterUser"), 1);
}

#[test]
fn what_the_installation_settled_is_fallen_back_on_in_the_same_way() {
    let mut request = phone_mode();
    let fallback = std::mem::take(&mut request.manual);
    request.preset = Preset { fallback, phone_mode: true, ..Preset::default() };
    assert_eq!(granted(&phone_mode_8(), &request).mode, ProductMode::PhoneOnly);

    // Records that name other servers are not fallen back from.
    request.found = Found::Cucm(targets(&["cucm7.example.com"]));
    let world = phone_mode_8();
    assert_eq!(refused(&world, &request).area, Area::Network);
    assert_eq!(times(&world, "ccmcip"), 0);
}

#[test]
fn a_phone_that_is_not_there_is_no_account_in_phone_mode() {
    let world = phone_mode_8();
    world.web(cup8_url::DEVICE_LIST, Reply::ok("<devices/>"));
    assert_eq!(rules(&[refused(&world, &phone_mode())]), [18]);
    let world = phone_mode_8();
    world.web(cup8_url::DEVICE_FILE, Reply::status(404, ""));
    assert_eq!(rules(&[refused(&world, &phone_mode())]), [27]);
}

#[test]
fn a_server_that_is_silent_in_both_ways_is_a_network_problem() {
    let world = phone_mode_8();
    for list in [cup8_url::DEVICE_LIST, cup8_url::DEVICE_LIST_2] {
        world.web(list, Reply::fault(Fault::ConnectTimeout));
    }
    let report = signed_in(&world, &phone_mode());
    assert_eq!(rules(&[report.outcome.expect_err("no grant")]), [7]);
    assert_eq!(report.warnings.len(), 1);
}
