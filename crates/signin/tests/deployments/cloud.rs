//! WebEx Messenger: the token chain, the browser, and hybrid accounts.

use std::time::Duration;

use offhook_model::{Area, Authenticator, Fault, Link, Preset, ProductMode, Source, Via};
use offhook_ports::{Clock, Found, XmppAuth};
use offhook_signin::{
    CloudToken, Renewal, Request, browser_needed, renew, returned, webex_from_fragment,
};
use offhook_testkit::{
    CLOUD_TOKEN, Reply, TestWorld, cloud, cloud_url, deployment, hybrid, reply, url,
};

use crate::{at, credentials, granted, refused, rules, signed_in, targets, times};

fn request() -> Request {
    at(Found::Webex { cas: cloud_url::CAS.into(), sso: None, voice: vec![] })
}

fn by_browser() -> Request {
    let mut request = request();
    request.credentials.username = "alice@example.com".into();
    request.cloud_token = Some(CloudToken { token: CLOUD_TOKEN.into(), host: None });
    request
}

fn token(auth: &XmppAuth) -> &str {
    match auth {
        XmppAuth::WebexToken { token } => token.expose(),
        XmppAuth::Password { .. } | XmppAuth::VtgToken { .. } => panic!("no token"),
    }
}

#[test]
fn the_chain_gives_chat_and_configuration() {
    let world = cloud();
    let report = signed_in(&world, &request());
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    let grant = report.outcome.expect("a grant");
    assert_eq!((grant.authenticator, grant.mode), (Authenticator::Webex, ProductMode::ImOnly));
    let chat = grant.im.ready().expect("chat");
    assert_eq!(chat.jid.bare_str(), "alice@example.com");
    let servers: Vec<_> =
        chat.servers.iter().map(|it| (it.host.as_str(), it.port, it.link)).collect();
    let host = "gw.cloud.example";
    assert_eq!(servers, [(host, 443, Link::StartTls), (host, 5222, Link::StartTls)]);
    assert_eq!(chat.names, [host]);
    assert_eq!(token(&chat.auth), CLOUD_TOKEN);
    let layer = &grant.layers[0];
    assert_eq!((layer.source, layer.settings.len()), (Source::Cloud, 1));
    let steps: Vec<_> = report.steps.iter().map(|step| step.step.as_str()).collect();
    assert_eq!(steps, ["cloudLogin", "cloudSession", "cloudConfig"]);
}

#[test]
fn a_refused_password_is_refused_once_with_its_code() {
    let world = cloud();
    let failure = "<LoginResponse><response><result>FAILURE</result><errorcode>20</errorcode></response></LoginResponse>";
    world.web(cloud_url::LOGIN, Reply::ok(failure));
    let problem = refused(&world, &request());
    assert_eq!(problem.area, Area::Authentication);
    assert!(problem.evidence.ends_with("code 20"), "{}", problem.evidence);
    assert_eq!(world.asked().len(), 1);
}

#[test]
fn chat_does_without_the_organisations_service() {
    let failure = "<wbxapi><response><result>FAILURE</result><exceptionID>wapi.expired_credential</exceptionID></response></wbxapi>";
    for broken in [Reply::ok(failure), Reply::fault(Fault::PortRefused), Reply::ok(reply::PAGE)] {
        let world = cloud();
        world.web(cloud_url::SERVICE, broken);
        let report = signed_in(&world, &request());
        assert_eq!(report.warnings.len(), 1, "{:?}", report.warnings);
        assert!(report.outcome.is_ok());
    }
}

#[test]
fn a_sign_in_page_in_place_of_an_answer_leads_to_the_browser() {
    for page in [Reply::status(302, ""), Reply::ok(reply::PAGE)] {
        let world = cloud();
        world.web(cloud_url::LOGIN, page);
        let problem = refused(&world, &request());
        assert!(problem.cause.contains("sign in with the browser"), "{}", problem.cause);
    }
}

#[test]
fn single_sign_on_asks_for_the_browser_and_for_nothing_else() {
    let sso = "https://loginp.cloud.example/cas/FederatedSSO.do?type=webim&org=example.com";
    let found = Found::Webex { cas: cloud_url::CAS.into(), sso: Some(sso.into()), voice: vec![] };
    let browser = browser_needed(&found).expect("needed");
    assert_eq!((browser.url.as_str(), browser.of.as_str()), (sso, "loginp.cloud.example"));
    assert_eq!(browser_needed(&request().found), None);

    let world = cloud();
    let mut request = at(found);
    let problem = refused(&world, &request);
    assert_eq!(problem.area, Area::Authentication);
    assert!(world.asked().is_empty());

    let back = "https://loginp.cloud.example/cas/sso/example.com/x.app#type=sso&username=alice%40example.com&jabberToken=jabber+token%2F0815%3D%3D&jabberCluster=gw.cloud.example";
    let (username, token) = webex_from_fragment(back).expect("a token");
    assert_eq!(username, "alice@example.com");
    request.credentials.username = username;
    request.cloud_token = Some(token);
    let grant = granted(&world, &request);
    assert!(world.asked().is_empty());
    let chat = grant.im.ready().expect("chat");
    assert_eq!(chat.servers[0].host, "gw.cloud.example");
    assert_eq!(self::token(&chat.auth), CLOUD_TOKEN);
}

#[test]
fn a_browser_that_brings_no_user_is_a_loop_and_the_identity_providers() {
    for (url, rule) in [
        ("offhook://sso?type=sso&jabberToken=x", Some(21)),
        ("ciscojabber://sso#type=sso&username=alice@example.com", Some(21)),
        ("https://example.com/?a=b#top", None),
        ("", None),
    ] {
        let problem = returned(url).map(|result| result.expect_err("incomplete"));
        assert_eq!(problem.as_ref().and_then(|it| it.rule).map(|it| it.0), rule, "{url}");
        if let Some(problem) = problem {
            assert_eq!(problem.who, "identity provider administrator");
        }
        assert_eq!(webex_from_fragment(url), None);
    }
}

#[test]
fn a_token_without_a_chat_server_finds_it_by_the_domain() {
    let world = cloud();
    let grant = granted(&world, &by_browser());
    let host = &grant.im.ready().expect("chat").servers[0].host;
    assert_eq!(host, "c2s.example.com.webexconnect.com");
    world.srv("_xmpp-client._tcp.example.com", &[(5, 0, 5222, "gw2.elsewhere.example")]);
    let grant = granted(&world, &by_browser());
    let chat = grant.im.ready().expect("chat");
    assert_eq!(chat.servers[0].host, "gw2.elsewhere.example");
    // Whoever can change the record could show a certificate for what it names.
    assert_eq!(chat.names, ["c2s.example.com.webexconnect.com", "example.com"]);
}

#[test]
fn a_token_that_lives_is_used_again_and_a_dead_one_renewed() {
    let world = cloud();
    let renewal = granted(&world, &request()).renewal.expect("a renewal");
    let (ports, credentials) = (world.world(), credentials("alice"));
    let before = world.asked().len();
    let made = world.run(renew(&ports, &renewal, &credentials, &|_| {})).expect("a plan");
    assert_eq!((world.asked().len(), token(&made.plan.auth)), (before, CLOUD_TOKEN));
    assert!(made.renewal.is_none(), "nothing new");
    world.run(world.clock().sleep(Duration::from_secs(28_801)));
    let made = world.run(renew(&ports, &renewal, &credentials, &|_| {})).expect("a plan");
    assert_eq!(world.asked().len(), before + 1);
    let Renewal::Cloud(known) = &renewal else { panic!("no cloud") };
    assert_eq!(made.plan.resource, known.plan.resource);
    // The new token is kept for the next reconnect.
    let next = made.renewal.expect("a new token");
    world.run(renew(&ports, &next, &credentials, &|_| {})).expect("a plan");
    assert_eq!(world.asked().len(), before + 1);

    let renewal = granted(&world, &by_browser()).renewal.expect("a renewal");
    world.run(world.clock().sleep(Duration::from_secs(28_801)));
    let problem = world.run(renew(&ports, &renewal, &credentials, &|_| {})).expect_err("over");
    assert!(problem.remedy.contains("browser"), "{}", problem.remedy);
}

fn hybrid_request() -> Request {
    let voice = targets(&["cucm1.example.com", "cucm2.example.com"]);
    at(Found::Webex { cas: cloud_url::CAS.into(), sso: None, voice })
}

#[test]
fn a_hybrid_account_chats_in_the_cloud_and_calls_in_house() {
    let world = hybrid();
    let grant = granted(&world, &hybrid_request());
    assert_eq!((grant.authenticator, grant.mode), (Authenticator::Webex, ProductMode::Full));
    assert_eq!((grant.via, grant.display_name.as_str()), (Via::Direct, "Alice Smith"));
    assert_eq!(grant.number.as_deref(), Some("2001"));
    assert_eq!(grant.phone.ready().expect("phone").user, "2001");
    assert_eq!(times(&world, "EPASSoap"), 0);
    let sources: Vec<_> = grant.layers.iter().map(|layer| layer.source).collect();
    assert_eq!(sources, [Source::Cloud, Source::ServiceProfile]);
}

#[test]
fn the_phone_half_may_have_its_own_name_and_password() {
    let world = hybrid();
    let mut request = hybrid_request();
    request.credentials = credentials("alice@example.com");
    request.phone = Some(credentials("asmith"));
    let phone = granted(&world, &request).phone;
    assert!(phone.problem().is_some());
    assert_eq!(times(&world, "clusterUser?username=asmith"), 2);

    // A token opens nothing there.
    let world = hybrid();
    let mut request = hybrid_request();
    request.cloud_token = by_browser().cloud_token;
    let grant = granted(&world, &request);
    assert_eq!(grant.phone.problem().map(|problem| problem.area), Some(Area::Authentication));
    assert_eq!(times(&world, "cucm-uds"), 0);
    request.phone = Some(credentials("alice"));
    assert!(granted(&world, &request).phone.ready().is_some());
}

#[test]
fn a_password_that_the_call_manager_refuses_leaves_chat_alone() {
    let world = hybrid();
    world.web(url::USER, Reply::status(401, reply::PAGE));
    let grant = granted(&world, &hybrid_request());
    assert!(grant.im.ready().is_some());
    assert_eq!(grant.phone.problem().map(|problem| problem.area), Some(Area::Authentication));
    assert_eq!(times(&world, " as alice"), 1);
}

#[test]
fn a_hybrid_account_without_telephony_is_chat_alone() {
    let mut request = hybrid_request();
    request.preset = Preset { telephony: false, ..Preset::default() };
    assert_eq!(granted(&hybrid(), &request).mode, ProductMode::ImOnly);
}

#[test]
fn the_organisation_may_name_the_voice_services_domain() {
    let world = hybrid();
    let config = "<config><Policies><VoiceServicesDomain>voice.example.com</VoiceServicesDomain></Policies></config>";
    world.web_containing(cloud_url::SERVICE, "task=InitialConfig", Reply::ok(config));
    let name = "_cisco-uds._tcp.voice.example.com";
    world.srv(name, &[(20, 0, 8443, "cucm2.example.com"), (10, 0, 8443, "cucm1.example.com")]);
    assert_eq!(granted(&world, &request()).mode, ProductMode::Full);
    assert_eq!(times(&world, "cucm2.example.com"), 0);

    // Discovery has asked there already, and nothing came of it.
    let mut known = request();
    known.preset.voice_services_domain = Some("voice.example.com".into());
    assert_eq!(granted(&world, &known).mode, ProductMode::ImOnly);
    assert_eq!(times(&world, name), 1);
}

/// The service profile's product type leads to the cloud too.
#[test]
fn a_profile_that_names_the_cloud_leads_to_its_chain() {
    let profile = format!(
        "<UserServiceProfile><IMandPresence><ProductType>WebEx (IM and Presence)</ProductType><Primary><Address>{}</Address></Primary></IMandPresence></UserServiceProfile>",
        "https://loginp.cloud.example/cas/auth.do"
    );
    let world = hybrid();
    world.web(url::PROFILE, Reply::ok(profile.as_str()));
    let grant = granted(&world, &crate::request());
    assert_eq!((grant.authenticator, grant.mode), (Authenticator::Webex, ProductMode::Full));

    let world: TestWorld = deployment();
    world.web(url::PROFILE, Reply::ok(profile));
    let report = signed_in(&world, &crate::request());
    assert_eq!(rules(&report.warnings), [25]);
    let grant = report.outcome.expect("the phone");
    assert_eq!(grant.authenticator, Authenticator::Cucm);
    assert!(grant.im.problem().is_some());

    // The password was right in house, so the product type is in doubt.
    let failure = "<LoginResponse><response><result>FAILURE</result></response></LoginResponse>";
    world.web(cloud_url::LOGIN, Reply::ok(failure));
    let grant = granted(&world, &crate::request());
    assert_eq!(rules(&[grant.im.problem().expect("a problem").clone()]), [25]);
}
