//! The web side of WebEx Messenger: the CAS query that every client begins with, and the token
//! chain of cloud accounts (reference pages discovery section 2 and im-presence section 8).
//!
//! It answers in every scenario; where the domain is no customer, with code 1.

use std::sync::Arc;
use std::time::Duration;

use crate::deployment::Deployment;
use crate::fault::Fault;
use crate::http::{Handler, Request, Response, pairs};
use crate::xml::escape;

/// Where clients ask whether a domain is a customer.
pub(crate) const CAS_HOST: &str = "loginp.webexconnect.com";
/// The host of `serviceurl`.
pub(crate) const API_HOST: &str = "swapi.webexconnect.com";
/// The XMPP cluster.
pub(crate) const CLUSTER_HOST: &str = "isj6cmx.webexconnect.com";

/// Longer than a client waits.
const SLOW: Duration = Duration::from_secs(20);
/// Lifetime of a token in seconds.
const TOKEN_LIFE: u32 = 28_800;

/// The handler of the HTTPS (`secure`) or the HTTP port.
pub(crate) fn handler(lab: Arc<Deployment>, secure: bool) -> Handler {
    Arc::new(move |request| answer(&lab, request, secure))
}

fn answer(lab: &Deployment, request: &Request, secure: bool) -> Response {
    if !secure && lab.faults.has(Fault::CaptivePortal) {
        return Response::portal();
    }
    match request.path.as_str() {
        "/cas/FederatedSSO" | "/cas/FederatedSSO.do" => customer(lab, request),
        "/cas/auth.do" if secure && request.method == "POST" => token(lab, request),
        "/wbxconnect/op.do" if secure && request.method == "POST" => operation(lab, request),
        "/cas/auth.do" | "/wbxconnect/op.do" if secure => Response::html(405),
        _ => Response::html(404),
    }
}

/// Whether a domain is a customer.
fn customer(lab: &Deployment, request: &Request) -> Response {
    let org = request.parameter("org").unwrap_or_default();
    let reply = if lab.faults.has(Fault::CasCaptivePortal) {
        Response::page(
            "<!DOCTYPE html><html><head><title>Welcome</title></head><body><form method=post \
             action='/accept'><p>Please accept the terms of use.<br><input type=submit></form>",
        )
    } else if lab.faults.has(Fault::CasSamlRedirect) {
        let target = format!("https://idp.{}/sso?SAMLRequest=fZFBb8IwDIX%2FSuR7", lab.domain());
        Response::new(302, "text/html", "").with("Location", target)
    } else if lab.faults.has(Fault::CasSamlForm) {
        Response::page(&format!(
            "<!DOCTYPE html><html><body onload=\"document.forms[0].submit()\">\
             <form method=\"post\" action=\"https://idp.{}/sso\">\
             <input type=\"hidden\" name=\"SAMLRequest\" value=\"fZFBb8IwDIX/SuR7\"/>\
             <input type=\"hidden\" name=\"RelayState\" value=\"im\"/></form></body></html>",
            lab.domain()
        ))
    } else if is_customer(lab, org) {
        verdict(7, "SSO is not enabled for this organization.")
    } else {
        verdict(1, "SSO protocol error.")
    };
    let delay = if lab.faults.has(Fault::CasSlow) { SLOW } else { Duration::ZERO };
    Response { delay, ..reply }
}

fn is_customer(lab: &Deployment, org: &str) -> bool {
    let customer = lab.scenario.is_cloud() || lab.faults.has(Fault::CasSaysWebex);
    customer && org.eq_ignore_ascii_case(lab.domain())
}

fn verdict(code: u8, reason: &str) -> Response {
    document(&format!(
        "<CASResponse><result>FAILURE</result><errorcode>{code}</errorcode>\
         <reason>{reason}</reason></CASResponse>"
    ))
}

fn document(body: &str) -> Response {
    Response::new(
        200,
        "text/xml;charset=UTF-8",
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{body}"),
    )
}

fn form(request: &Request) -> impl Fn(&str) -> String + use<> {
    let fields = pairs(&String::from_utf8_lossy(&request.body));
    move |name| {
        let found = fields.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

/// The first step: password against tokens.
fn token(lab: &Deployment, request: &Request) -> Response {
    let field = form(request);
    if field("cmd") != "getwebextoken" {
        return login_failure("wapi.invalid_command", "The command is not known.");
    }
    let name = field("username");
    let (user, domain) = name.split_once('@').unwrap_or((&name, ""));
    let person = lab
        .check_password(user, &field("password"))
        .filter(|_| lab.scenario.is_cloud() && domain.eq_ignore_ascii_case(lab.domain()));
    let Some(person) = person else {
        return login_failure("wapi.login_failed", "Invalid user name or password.");
    };
    let address = format!("{}@{}", escape(&person.name), lab.domain());
    let token = lab.cloud_secret("webex", &person.name);
    let chat = lab.cloud_secret("jabber", &person.name);
    let id = crate::random::stable_uuid(&format!("webex {}", person.name));
    document(&format!(
        "<LoginResponse><response><result>SUCCESS</result></response><returnmsg>\
         <token>{token}</token><serviceurl>{API_HOST}/wbxconnect</serviceurl>\
         <createtime>1480000000000</createtime><timetolive>{TOKEN_LIFE}</timetolive>\
         <userId>{id}</userId><email>{address}</email><jabberID>{address}</jabberID>\
         <jabberToken>{chat}</jabberToken><jabberCluster>{CLUSTER_HOST}</jabberCluster>\
         <jabberName>isj6</jabberName><boshURL>https://{CLUSTER_HOST}/http-bind</boshURL>\
         </returnmsg></LoginResponse>"
    ))
}

fn login_failure(code: &str, reason: &str) -> Response {
    document(&format!(
        "<LoginResponse><response><result>FAILURE</result><exceptionID>{code}</exceptionID>\
         <reason>{reason}</reason></response></LoginResponse>"
    ))
}

/// The steps after the first: a credential for the token, then what it opens.
fn operation(lab: &Deployment, request: &Request) -> Response {
    let field = form(request);
    if field("cmd") == "login" {
        let name = field("username");
        let asked = name.split('@').next().unwrap_or_default();
        let owner = lab.cloud_user("webex", &field("token"));
        return match owner.filter(|owner| owner.eq_ignore_ascii_case(asked)) {
            Some(owner) => {
                let credential = lab.cloud_secret("cred", &owner);
                success(&format!("<securityContext><cred>{credential}</cred></securityContext>"))
            }
            None => failure("wapi.invalid_token", "The token is not valid."),
        };
    }
    let Some(user) = lab.cloud_user("cred", &field("cred")) else {
        return failure("wapi.expired_credential", "The credential has expired.");
    };
    match (field("task").as_str(), field("cmd").as_str(), field("type").as_str()) {
        ("InitialConfig", _, _) => success(&organisation(lab)),
        (_, "get", "org") => success(&format!("<org><name>{}</name></org>", lab.domain())),
        (_, "get", "user") => {
            success(&format!("<user><userName>{}</userName></user>", escape(&user)))
        }
        _ => failure("wapi.invalid_command", "The command is not known."),
    }
}

/// The organisation's settings. Their schema is not public: sections, keys and values are those
/// of the client configuration file, and the tags around them are ours.
fn organisation(lab: &Deployment) -> String {
    let voice = lab.scenario.voice_domain(lab.domain());
    let voice = voice.map(|domain| key("VoiceServicesDomain", &domain)).unwrap_or_default();
    format!(
        "<config><section><name>Policies</name>{}{voice}</section></config>",
        key("File_Transfer_Enabled", "true")
    )
}

fn key(name: &str, value: &str) -> String {
    format!("<key><name>{name}</name><value>{value}</value></key>")
}

fn success(inner: &str) -> Response {
    document(&format!("<wbxapi><response><result>SUCCESS</result></response>{inner}</wbxapi>"))
}

fn failure(code: &str, reason: &str) -> Response {
    document(&format!(
        "<wbxapi><response><result>FAILURE</result><exceptionID>{code}</exceptionID>\
         <reason>{reason}</reason></response></wbxapi>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::tests::scenario;
    use crate::http::tests::get;
    use crate::scenario::Scenario;
    use crate::xml::{Element, parse};

    fn read(reply: Response) -> Element {
        assert_eq!(reply.status, 200);
        parse(std::str::from_utf8(&reply.body).unwrap(), "").unwrap()
    }

    fn post(lab: &Deployment, path: &str, body: &str) -> Element {
        let mut request = crate::http::parse_head(&format!("POST {path} HTTP/1.1")).unwrap();
        request.body = body.as_bytes().to_vec();
        read(answer(lab, &request, true))
    }

    fn field(element: &Element, name: &str) -> String {
        element.anywhere(name).map(Element::own_text).unwrap_or_default()
    }

    #[test]
    fn customers_get_7_and_others_1() {
        let ask = |lab: &Deployment, org: &str| {
            let request = get(&format!("/cas/FederatedSSO?org={org}"), "");
            field(&read(answer(lab, &request, false)), "errorcode")
        };
        let cloud = scenario(Scenario::Cloud, &[]);
        assert_eq!(ask(&cloud, "lab.example"), "7");
        assert_eq!(ask(&cloud, "elsewhere.example"), "1");
        assert_eq!(ask(&scenario(Scenario::OnPrem, &[]), "lab.example"), "1");
        assert_eq!(ask(&scenario(Scenario::OnPrem, &["cas-says-webex"]), "lab.example"), "7");
    }

    #[test]
    fn single_sign_on_and_portals_are_no_xml() {
        let ask = |fault: &str| {
            let lab = scenario(Scenario::OnPrem, &[fault]);
            answer(&lab, &get("/cas/FederatedSSO?org=lab.example", ""), true)
        };
        let redirect = ask("cas-saml-redirect");
        assert_eq!(redirect.status, 302);
        assert!(redirect.headers.iter().any(|(_, value)| value.contains("SAMLRequest=")));
        for fault in ["cas-saml-form", "cas-captive-portal"] {
            let reply = ask(fault);
            let text = String::from_utf8(reply.body).unwrap();
            assert_eq!(text.contains("SAMLRequest"), fault == "cas-saml-form");
        }
        assert!(ask("cas-slow").delay > Duration::from_secs(10));
    }

    #[test]
    fn the_token_chain_ends_in_the_organisation() {
        let lab = scenario(Scenario::Hybrid, &[]);
        let form = "cmd=getwebextoken&username=alice%40lab.example&password=secret&isp=wbx";
        let reply = post(&lab, "/cas/auth.do", form);
        assert_eq!(field(&reply, "result"), "SUCCESS");
        let chat = field(&reply, "jabberToken");
        assert_eq!(lab.cloud_user("jabber", &chat).as_deref(), Some("alice"));
        assert_eq!(lab.cloud_user("webex", &chat), None, "a chat token opens nothing else");
        let token = field(&reply, "token");
        let form = format!("cmd=login&username=alice%40lab.example&token={token}");
        let reply = post(&lab, "/wbxconnect/op.do", &form);
        let cred = field(&reply, "cred");
        let reply = post(&lab, "/wbxconnect/op.do", &format!("task=InitialConfig&cred={cred}"));
        assert!(reply.to_xml().contains("voice.lab.example"));
        let reply = post(&lab, "/wbxconnect/op.do", "task=InitialConfig&cred=cred_made-up");
        assert_eq!(field(&reply, "exceptionID"), "wapi.expired_credential");
    }

    #[test]
    fn a_wrong_password_and_a_domain_that_is_no_customer_are_refused() {
        for (kind, password) in [(Scenario::Cloud, "wrong"), (Scenario::OnPrem, "secret")] {
            let form = format!("cmd=getwebextoken&username=alice@lab.example&password={password}");
            let reply = post(&scenario(kind, &[]), "/cas/auth.do", &form);
            assert_eq!(field(&reply, "result"), "FAILURE");
        }
    }
}
