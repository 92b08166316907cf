//! User Data Services: the part of `/cucm-uds/` a sign-in needs (reference page uds).

use std::fmt::Write as _;
use std::sync::Arc;

use crate::deployment::{Deployment, Person};
use crate::http::{Handler, Request, Response};
use crate::scenario::Fault;
use crate::xml::escape;

/// Schema version in the `version` attributes.
const SCHEMA: &str = "11.5.1";

/// The handler of the UDS port.
pub(crate) fn handler(lab: Arc<Deployment>) -> Handler {
    Arc::new(move |request| answer(&lab, request))
}

fn answer(lab: &Deployment, request: &Request) -> Response {
    if lab.faults.has(Fault::HtmlInsteadOfXml) {
        return Response::new(
            200,
            "text/html;charset=utf-8",
            "<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>Please accept the \
             terms of use to continue.<br></body></html>",
        );
    }
    if lab.faults.has(Fault::TenMegabytes) {
        return Response::xml(ten_megabytes());
    }
    let Some(path) = request.path.strip_prefix("/cucm-uds/") else { return Response::html(404) };
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Response::html(405);
    }
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    match parts.as_slice() {
        ["clusterUser"] => cluster_user(lab, request),
        ["servers"] => servers(lab),
        ["version"] => version(lab),
        ["user", name, rest @ ..] => user_resource(lab, request, name, rest),
        _ => Response::html(404),
    }
}

/// XML that is well-formed and far larger than any sensible answer.
fn ten_megabytes() -> Vec<u8> {
    let row = "<filler>00000000000000000000000000000000000000000000000000</filler>\n";
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<clusterUser>\n");
    while out.len() < 10 * 1024 * 1024 {
        out.push_str(row);
    }
    out.push_str("</clusterUser>\n");
    out.into_bytes()
}

fn base(lab: &Deployment) -> String {
    format!("https://{}:{}/cucm-uds", lab.host("cucm1"), lab.services.uds.port())
}

fn document(body: &str) -> Response {
    Response::xml(format!("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>{body}"))
}

fn cluster_user(lab: &Deployment, request: &Request) -> Response {
    let by_name = request.parameter("username").or_else(|| request.parameter("useridentifier"));
    let by_mail = request.parameter("email").and_then(|mail| mail.split_once('@'));
    let wanted = match (by_name, by_mail) {
        (Some(name), _) => name,
        (None, Some((name, domain))) if domain.eq_ignore_ascii_case(lab.domain()) => name,
        (None, Some(_)) => "",
        (None, None) => return Response::html(400),
    };
    let name = wanted.split('@').next().unwrap_or_default();
    let base = base(lab);
    let query = format!("username={}", escape(wanted));
    let inner = match lab.person(name) {
        Some(person) => format!(
            "<result version=\"{SCHEMA}\" uri=\"{base}/user/{name}\" found=\"true\"/>\
             <homeCluster serversUri=\"{base}/servers\" etlsEnabled=\"false\">{home}</homeCluster>\
             <homeClusterDetails><selfProvisioningSecureMode>false</selfProvisioningSecureMode>\
             <adminProvisionMode>false</adminProvisionMode></homeClusterDetails>",
            name = escape(&person.name),
            home = lab.host("cucm1"),
        ),
        None => "<result found=\"false\"/>".to_owned(),
    };
    document(&format!(
        "<clusterUser version=\"{SCHEMA}\" uri=\"{base}/clusterUser?{query}\">{inner}</clusterUser>"
    ))
}

fn servers(lab: &Deployment) -> Response {
    let base = base(lab);
    let home = lab.host("cucm1");
    document(&format!(
        "<servers version=\"{SCHEMA}\" uri=\"{base}/servers\"><server>{home}</server></servers>"
    ))
}

fn version(lab: &Deployment) -> Response {
    let base = base(lab);
    document(&format!(
        "<versionInformation version=\"{SCHEMA}\" uri=\"{base}/version\"><version>11.5.1</version>\
         <capabilities><usersResourceAuthEnabled>false</usersResourceAuthEnabled>\
         <upgradeInProgress>false</upgradeInProgress></capabilities></versionInformation>"
    ))
}

/// Who is asking, by cookie or Basic credentials; the flag says whether a cookie is due.
fn asker<'a>(lab: &'a Deployment, request: &Request) -> Option<(&'a Person, bool)> {
    if let Some((user, password)) = request.basic() {
        return lab.check_password(&user, &password).map(|person| (person, true));
    }
    let user = lab.cookie_user(request.cookie("JSESSIONIDSSO")?)?;
    lab.person(&user).map(|person| (person, false))
}

fn user_resource(lab: &Deployment, request: &Request, name: &str, rest: &[&str]) -> Response {
    // Only the user itself may look; everybody else hears nothing about whether it exists.
    let allowed = asker(lab, request).filter(|(person, _)| person.name.eq_ignore_ascii_case(name));
    let Some((person, fresh)) = allowed else {
        return Response::html(401)
            .with("WWW-Authenticate", "Basic realm=\"Cisco Web Services Realm\"");
    };
    let reply = match rest {
        [] => user(lab, person),
        ["devices"] => devices(lab, person, request.parameter("model")),
        ["device", id] if *id == person.device_id() => device(lab, person),
        _ => Response::html(404),
    };
    if !fresh {
        return reply;
    }
    let value = lab.cookie(&person.name);
    reply
        .with("Set-Cookie", format!("JSESSIONID={value}; Path=/cucm-uds/; Secure; HttpOnly"))
        .with("Set-Cookie", format!("JSESSIONIDSSO={value}; Path=/; Secure; HttpOnly"))
}

fn user(lab: &Deployment, person: &Person) -> Response {
    let uri = format!("{}/user/{}", base(lab), escape(&person.name));
    let (domain, files) = (lab.domain(), files_base(lab));
    let mut body = format!("<user version=\"{SCHEMA}\" uri=\"{uri}\">");
    let fields = [
        ("id", random_id(person)),
        ("userName", person.name.clone()),
        ("firstName", person.first_name.clone()),
        ("lastName", person.last_name.clone()),
        ("displayName", person.display_name.clone()),
        ("phoneNumber", person.number.clone()),
        ("homeNumber", String::new()),
        ("mobileNumber", String::new()),
        ("email", format!("{}@{domain}", person.name)),
        ("directoryUri", format!("{}@{domain}", person.name)),
    ];
    for (name, value) in fields {
        let _ = write!(body, "<{name}>{}</{name}>", escape(&value));
    }
    let _ = write!(
        body,
        "<accountType useLdapAuth=\"false\">local</accountType>\
         <homeCluster enableImAndPresence=\"true\" enableCalendarPresence=\"false\">true</homeCluster>\
         <imAndPresence><server>{imp}</server></imAndPresence>\
         <primaryExtension><directoryNumber>{number}</directoryNumber>\
         <messageWaitingVisualAlert>false</messageWaitingVisualAlert></primaryExtension>\
         <devices uri=\"{uri}/devices\"/><extensions uri=\"{uri}/extensions\"/>\
         <credentials uri=\"{uri}/credentials\"/><speedDials uri=\"{uri}/speedDials\"/>\
         <serviceProfile><uri>{files}/SPDefault.cnf.xml</uri></serviceProfile></user>",
        imp = lab.host("imp1"),
        number = escape(&person.number),
    );
    document(&body)
}

fn random_id(person: &Person) -> String {
    crate::random::stable_uuid(&format!("user {}", person.name))
}

fn files_base(lab: &Deployment) -> String {
    format!("http://{}:{}", lab.host("cucm1"), lab.services.files.port())
}

const MODEL: &str = "Cisco Unified Client Services Framework";

fn device_fields(lab: &Deployment, person: &Person) -> String {
    let _ = lab;
    format!(
        "<id>{}</id><name>{}</name><type>Phone</type><model>{MODEL}</model>\
         <description editable=\"true\" source=\"admin\">{}</description><protocol>SIP</protocol>",
        person.device_id(),
        escape(&person.device),
        escape(&person.display_name),
    )
}

fn devices(lab: &Deployment, person: &Person, model: Option<&str>) -> Response {
    let uri = format!("{}/user/{}", base(lab), escape(&person.name));
    let mut body = format!("<devices version=\"{SCHEMA}\" uri=\"{uri}/devices\">");
    if model.is_none_or(|model| model.trim_matches('"') == MODEL) {
        let _ = write!(
            body,
            "<device uri=\"{uri}/device/{}\">{}</device>",
            person.device_id(),
            device_fields(lab, person)
        );
    }
    body.push_str("</devices>");
    document(&body)
}

fn device(lab: &Deployment, person: &Person) -> Response {
    let uri = format!("{}/user/{}/device/{}", base(lab), escape(&person.name), person.device_id());
    document(&format!(
        "<device version=\"{SCHEMA}\" uri=\"{uri}\" hasPrimaryNumber=\"true\">{fields}\
         <doNotDisturbSettings><enable>false</enable></doNotDisturbSettings>\
         <provision><uri>{files}/{name}.cnf.xml</uri></provision>\
         <extensions uri=\"{uri}/extensions\"/></device>",
        fields = device_fields(lab, person),
        files = files_base(lab),
        name = escape(&person.device),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::tests::deployment;
    use crate::http::tests::get;
    use crate::xml::parse;

    const ALICE: &str = "Authorization: Basic YWxpY2U6c2VjcmV0";

    fn read(lab: &Deployment, target: &str, headers: &str) -> crate::xml::Element {
        let reply = answer(lab, &get(target, headers));
        assert_eq!(reply.status, 200, "{target}");
        parse(std::str::from_utf8(&reply.body).unwrap(), "").unwrap()
    }

    #[test]
    fn cluster_user_is_found_by_name_and_by_mail() {
        let lab = deployment(&[]);
        for query in ["username=alice", "username=ALICE", "email=alice@lab.example"] {
            let root = read(&lab, &format!("/cucm-uds/clusterUser?{query}"), "");
            let result = root.find("result", "").unwrap();
            assert_eq!(result.attribute("found"), Some("true"), "{query}");
            assert!(root.child_text("homeCluster").unwrap().starts_with("cucm1"));
        }
        for query in ["username=mallory", "email=alice@elsewhere.example"] {
            let root = read(&lab, &format!("/cucm-uds/clusterUser?{query}"), "");
            assert_eq!(root.find("result", "").unwrap().attribute("found"), Some("false"));
        }
        assert_eq!(answer(&lab, &get("/cucm-uds/clusterUser", "")).status, 400);
    }

    #[test]
    fn the_user_leads_to_the_device_and_its_file() {
        let lab = deployment(&[]);
        let user = read(&lab, "/cucm-uds/user/alice", ALICE);
        let profile = user.find("serviceProfile", "").unwrap().child_text("uri").unwrap();
        assert_eq!(profile, "http://cucm1.lab.example:16970/SPDefault.cnf.xml");
        let devices = read(&lab, "/cucm-uds/user/alice/devices", ALICE);
        let device = devices.find("device", "").unwrap();
        assert_eq!(device.child_text("name").unwrap(), "CSFALICE");
        let id = device.child_text("id").unwrap();
        let device = read(&lab, &format!("/cucm-uds/user/alice/device/{id}"), ALICE);
        let file = device.find("provision", "").unwrap().child_text("uri").unwrap();
        assert_eq!(file, "http://cucm1.lab.example:16970/CSFALICE.cnf.xml");
    }

    #[test]
    fn a_user_reads_only_itself_and_the_refusal_is_a_web_page() {
        let lab = deployment(&[]);
        let wrong = "Authorization: Basic YWxpY2U6d3Jvbmc=";
        for (target, headers) in [
            ("/cucm-uds/user/alice", ""),
            ("/cucm-uds/user/alice", wrong),
            ("/cucm-uds/user/carol", ALICE),
            ("/cucm-uds/user/mallory/devices", ALICE),
        ] {
            let reply = answer(&lab, &get(target, headers));
            assert_eq!(reply.status, 401, "{target}");
            assert!(reply.body.starts_with(b"<html>"));
            assert!(reply.headers.iter().any(|(name, _)| *name == "WWW-Authenticate"));
        }
    }

    #[test]
    fn the_cookie_replaces_the_password() {
        let lab = deployment(&[]);
        let reply = answer(&lab, &get("/cucm-uds/user/alice", ALICE));
        let cookie = reply
            .headers
            .iter()
            .find_map(|(_, value)| value.strip_prefix("JSESSIONIDSSO="))
            .and_then(|value| value.split(';').next())
            .unwrap();
        let header = format!("Cookie: JSESSIONIDSSO={cookie}");
        assert_eq!(answer(&lab, &get("/cucm-uds/user/alice/devices", &header)).status, 200);
        assert_eq!(answer(&lab, &get("/cucm-uds/user/carol/devices", &header)).status, 401);
        assert_eq!(
            answer(&lab, &get("/cucm-uds/user/alice", "Cookie: JSESSIONIDSSO=made-up")).status,
            401
        );
    }

    #[test]
    fn faults_replace_every_answer() {
        let reply = answer(&deployment(&["html-instead-of-xml"]), &get("/cucm-uds/version", ""));
        assert_eq!(reply.status, 200);
        assert!(parse(std::str::from_utf8(&reply.body).unwrap(), "").is_err());
        let reply = answer(&deployment(&["ten-megabytes"]), &get("/cucm-uds/version", ""));
        assert!(reply.body.len() > 10 * 1024 * 1024);
    }
}
