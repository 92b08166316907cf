//! User Data Services: the part of `/cucm-uds/` a sign-in needs (reference page uds). The directory is
//! in `uds_search`.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::ccmcip;
use crate::deployment::{Deployment, Person, UdsNode};
use crate::fault::Fault;
use crate::http::{Handler, Request, Response};
use crate::scenario::Scenario;
use crate::uds_search;
use crate::web_dialer;
use crate::xml::escape;

/// Schema version in the `version` attributes.
pub(crate) const SCHEMA: &str = "11.5.1";

/// The handler of the web port of a UDS node, by its place in the list of nodes.
pub(crate) fn handler(lab: Arc<Deployment>, node: usize) -> Handler {
    let name = lab.nodes.get(node).map_or("", |node| node.host);
    Arc::new(move |request| {
        lab.heard.note(name, request);
        answer(&lab, node, request)
    })
}

fn answer(lab: &Deployment, node: usize, request: &Request) -> Response {
    if lab.faults.has(Fault::CaptivePortal) {
        return Response::portal();
    }
    if lab.faults.has(Fault::HtmlInsteadOfXml) {
        return Response::page(
            "<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>Please accept the \
             terms of use to continue.<br></body></html>",
        );
    }
    if lab.faults.has(Fault::TenMegabytes) {
        return Response::xml(ten_megabytes());
    }
    if lab.faults.has(Fault::EntityBomb) {
        return Response::xml(entity_bomb());
    }
    if request.path == "/ccmcip/Personalization" && lab.scenario.has_phones() {
        return ccmcip::answer(lab, request);
    }
    if request.path == web_dialer::PATH && lab.scenario.has_phones() {
        return web_dialer::answer(lab, request);
    }
    let path = request.path.strip_prefix("/cucm-uds/").filter(|_| lab.scenario.has_uds());
    let (Some(path), Some(node)) = (path, lab.nodes.get(node)) else {
        return Response::html(404);
    };
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Response::html(405);
    }
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    match parts.as_slice() {
        ["clusterUser"] => cluster_user(lab, node, request),
        ["servers"] => servers(lab, node),
        ["version"] => version(lab, node),
        ["users"] => uds_search::answer(lab, node, request),
        ["user", name, rest @ ..] => user_resource(lab, node, request, name, rest),
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

/// XML that is short and long at once: ten entities of ten times the one before.
fn entity_bomb() -> String {
    let mut out =
        String::from("<?xml version=\"1.0\"?>\n<!DOCTYPE clusterUser [\n<!ENTITY a0 \"ha\">\n");
    for level in 1..10 {
        let inner = format!("&a{};", level - 1).repeat(10);
        let _ = writeln!(out, "<!ENTITY a{level} \"{inner}\">");
    }
    out.push_str("]>\n<clusterUser>&a9;</clusterUser>\n");
    out
}

pub(crate) fn base(lab: &Deployment, node: &UdsNode) -> String {
    format!("https://{}:{}/cucm-uds", lab.host(node.host), node.at.port())
}

pub(crate) fn document(body: &str) -> Response {
    Response::xml(format!("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>{body}"))
}

fn cluster_user(lab: &Deployment, node: &UdsNode, request: &Request) -> Response {
    let by_name = request.parameter("username").or_else(|| request.parameter("useridentifier"));
    let by_mail = request.parameter("email").and_then(|mail| mail.split_once('@'));
    let wanted = match (by_name, by_mail) {
        (Some(name), _) => name,
        (None, Some((name, domain))) if domain.eq_ignore_ascii_case(lab.domain()) => name,
        (None, Some(_)) => "",
        (None, None) => return Response::html(400),
    };
    let name = wanted.split('@').next().unwrap_or_default();
    let asked = base(lab, node);
    let query = format!("username={}", escape(wanted));
    let person = lab.person(name);
    let home = person.and_then(|person| Some((person, lab.home_node(person.cluster)?)));
    let inner = match home.map(|(person, home)| (person, home, base(lab, home))) {
        Some((person, home, base)) => format!(
            "<result version=\"{SCHEMA}\" uri=\"{base}/user/{name}\" found=\"true\"/>\
             <homeCluster serversUri=\"{base}/servers\" etlsEnabled=\"false\">{home}</homeCluster>\
             <homeClusterDetails><selfProvisioningSecureMode>false</selfProvisioningSecureMode>\
             <adminProvisionMode>false</adminProvisionMode></homeClusterDetails>",
            name = escape(&person.name),
            home = lab.host(home.host),
        ),
        None => "<result found=\"false\"/>".to_owned(),
    };
    document(&format!(
        "<clusterUser version=\"{SCHEMA}\" uri=\"{asked}/clusterUser?{query}\">{inner}</clusterUser>"
    ))
}

fn servers(lab: &Deployment, node: &UdsNode) -> Response {
    let base = base(lab, node);
    let own = lab.nodes.iter().filter(|other| other.cluster == node.cluster);
    let rows: String =
        own.map(|node| format!("<server>{}</server>", lab.host(node.host))).collect();
    document(&format!("<servers version=\"{SCHEMA}\" uri=\"{base}/servers\">{rows}</servers>"))
}

fn version(lab: &Deployment, node: &UdsNode) -> Response {
    let base = base(lab, node);
    document(&format!(
        "<versionInformation version=\"{SCHEMA}\" uri=\"{base}/version\"><version>11.5.1</version>\
         <capabilities><usersResourceAuthEnabled>{}</usersResourceAuthEnabled>\
         <upgradeInProgress>false</upgradeInProgress></capabilities></versionInformation>",
        lab.config.uds.search_auth
    ))
}

/// Who is asking, by cookie or Basic credentials; the flag says whether a cookie is due.
pub(crate) fn asker<'a>(lab: &'a Deployment, request: &Request) -> Option<(&'a Person, bool)> {
    if let Some((user, password)) = request.basic() {
        return lab.check_password(&user, &password).map(|person| (person, true));
    }
    // Either cookie will do; the one without SSO is of this servlet alone.
    let cookie = request.cookie("JSESSIONIDSSO").or_else(|| request.cookie("JSESSIONID"))?;
    let user = lab.cookie_user(cookie)?;
    lab.person(&user).map(|person| (person, false))
}

fn user_resource(
    lab: &Deployment,
    node: &UdsNode,
    request: &Request,
    name: &str,
    rest: &[&str],
) -> Response {
    let first = lab.home_node(node.cluster).is_some_and(|first| first.host == node.host);
    if first && lab.faults.has(Fault::HomeNodeBusy) {
        return Response::html(503);
    }
    // Only the user itself may look, and only at home; everybody else hears nothing about whether
    // it exists.
    let allowed = asker(lab, request).filter(|(person, _)| {
        person.name.eq_ignore_ascii_case(name) && person.cluster == node.cluster
    });
    let Some((person, fresh)) = allowed else {
        return Response::html(401)
            .with("WWW-Authenticate", "Basic realm=\"Cisco Web Services Realm\"");
    };
    let reply = match rest {
        [] => user(lab, node, person),
        ["devices"] => devices(lab, node, person, name, request.parameter("model")),
        ["device", id] => device(lab, node, person, id),
        _ => Response::html(404),
    };
    if fresh { cookies(lab, person, reply) } else { reply }
}

/// The answer with cookies that stand in for the password from now on.
pub(crate) fn cookies(lab: &Deployment, person: &Person, reply: Response) -> Response {
    let value = lab.cookie(&person.name);
    reply
        .with("Set-Cookie", format!("JSESSIONID={value}; Path=/cucm-uds/; Secure; HttpOnly"))
        .with("Set-Cookie", format!("JSESSIONIDSSO={value}; Path=/; Secure; HttpOnly"))
}

fn user(lab: &Deployment, node: &UdsNode, person: &Person) -> Response {
    let uri = format!("{}/user/{}", base(lab, node), escape(&person.name));
    let domain = lab.domain();
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
    let mut imp = String::new();
    if lab.scenario.has_presence_server() {
        imp = format!("<imAndPresence><server>{}</server></imAndPresence>", lab.host("imp1"));
    }
    // Without a profile the account is a phone account, which is a fact and no fault.
    let mut profile = String::new();
    if lab.scenario != Scenario::PhoneOnly {
        let files = files_base(lab);
        profile = format!("<serviceProfile><uri>{files}/SPDefault.cnf.xml</uri></serviceProfile>");
    }
    let _ = write!(
        body,
        "<accountType useLdapAuth=\"false\">local</accountType>\
         <homeCluster enableImAndPresence=\"{chat}\" enableCalendarPresence=\"false\">true</homeCluster>\
         {imp}<primaryExtension><directoryNumber>{number}</directoryNumber>\
         <messageWaitingVisualAlert>false</messageWaitingVisualAlert></primaryExtension>\
         <devices uri=\"{uri}/devices\"/><extensions uri=\"{uri}/extensions\"/>\
         <credentials uri=\"{uri}/credentials\"/><speedDials uri=\"{uri}/speedDials\"/>\
         {profile}</user>",
        chat = lab.scenario.has_presence_server(),
        number = escape(&person.number),
    );
    document(&body)
}

fn random_id(person: &Person) -> String {
    crate::random::stable_uuid(&format!("user {}", person.name))
}

fn files_base(lab: &Deployment) -> String {
    format!("http://{}:{}", lab.host("cucm1"), lab.shown.files.port())
}

/// Model of desktop clients.
pub(crate) const MODEL: &str = "Cisco Unified Client Services Framework";
/// Model of the phones on desks.
pub(crate) const DESK_MODEL: &str = "Cisco 8845";

/// The devices of a person: id, name and model.
fn devices_of(lab: &Deployment, person: &Person) -> Vec<(String, String, &'static str)> {
    let row =
        |(name, model): (String, &'static str)| (crate::random::stable_uuid(&name), name, model);
    ccmcip::devices(lab, person).into_iter().map(row).collect()
}

fn device_fields(person: &Person, (id, name, model): &(String, String, &'static str)) -> String {
    format!(
        "<id>{id}</id><name>{}</name><type>Phone</type><model>{model}</model>\
         <description editable=\"true\" source=\"admin\">{}</description><protocol>SIP</protocol>",
        escape(name),
        escape(&person.display_name),
    )
}

fn devices(
    lab: &Deployment,
    node: &UdsNode,
    person: &Person,
    asked: &str,
    model: Option<&str>,
) -> Response {
    let uri = format!("{}/user/{}", base(lab, node), escape(&person.name));
    let mut body = format!("<devices version=\"{SCHEMA}\" uri=\"{uri}/devices\">");
    // Associations are kept under the letters of the user id they were made with.
    let elsewhere = lab.faults.has(Fault::UserIdCase) && asked != person.name.to_ascii_uppercase();
    for device in devices_of(lab, person) {
        if !elsewhere && model.is_none_or(|model| model.trim_matches('"') == device.2) {
            let fields = device_fields(person, &device);
            let _ = write!(body, "<device uri=\"{uri}/device/{}\">{fields}</device>", device.0);
        }
    }
    body.push_str("</devices>");
    document(&body)
}

fn device(lab: &Deployment, node: &UdsNode, person: &Person, id: &str) -> Response {
    let Some(device) = devices_of(lab, person).into_iter().find(|device| device.0 == id) else {
        return Response::html(404);
    };
    let uri = format!("{}/user/{}/device/{id}", base(lab, node), escape(&person.name));
    document(&format!(
        "<device version=\"{SCHEMA}\" uri=\"{uri}\" hasPrimaryNumber=\"true\">{fields}\
         <doNotDisturbSettings><enable>false</enable></doNotDisturbSettings>\
         <provision><uri>{files}/{name}.cnf.xml</uri></provision>\
         <extensions uri=\"{uri}/extensions\"/></device>",
        fields = device_fields(person, &device),
        files = files_base(lab),
        name = escape(&device.1),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::tests::{deployment, scenario};
    use crate::http::tests::get;
    use crate::xml::parse;

    const ALICE: &str = "Authorization: Basic YWxpY2U6c2VjcmV0";

    fn read(lab: &Deployment, target: &str, headers: &str) -> crate::xml::Element {
        let reply = answer(lab, 0, &get(target, headers));
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
        assert_eq!(answer(&lab, 0, &get("/cucm-uds/clusterUser", "")).status, 400);
    }

    #[test]
    fn the_user_leads_to_the_device_and_its_file() {
        let lab = deployment(&[]);
        let user = read(&lab, "/cucm-uds/user/alice", ALICE);
        let profile = user.find("serviceProfile", "").unwrap().child_text("uri").unwrap();
        assert_eq!(profile, "http://cucm1.lab.example:16970/SPDefault.cnf.xml");
        let devices = read(&lab, "/cucm-uds/user/alice/devices", ALICE);
        let device =
            devices.elements().find(|device| device.child_text("model").as_deref() == Some(MODEL));
        let device = device.unwrap();
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
            let reply = answer(&lab, 0, &get(target, headers));
            assert_eq!(reply.status, 401, "{target}");
            assert!(reply.body.starts_with(b"<html>"));
            assert!(reply.headers.iter().any(|(name, _)| *name == "WWW-Authenticate"));
        }
    }

    #[test]
    fn the_cookie_replaces_the_password() {
        let lab = deployment(&[]);
        let reply = answer(&lab, 0, &get("/cucm-uds/user/alice", ALICE));
        let cookie = reply
            .headers
            .iter()
            .find_map(|(_, value)| value.strip_prefix("JSESSIONIDSSO="))
            .and_then(|value| value.split(';').next())
            .unwrap();
        let header = format!("Cookie: JSESSIONIDSSO={cookie}");
        assert_eq!(answer(&lab, 0, &get("/cucm-uds/user/alice/devices", &header)).status, 200);
        assert_eq!(answer(&lab, 0, &get("/cucm-uds/user/carol/devices", &header)).status, 401);
        assert_eq!(
            answer(&lab, 0, &get("/cucm-uds/user/alice", "Cookie: JSESSIONIDSSO=made-up")).status,
            401
        );
    }

    #[test]
    fn each_cluster_names_the_right_home_and_lets_in_its_own() {
        let lab = scenario(Scenario::MultiCluster, &[]);
        for asked in 0..4 {
            for (user, home) in [("alice", "cucm1"), ("carol", "cucm3")] {
                let target = format!("/cucm-uds/clusterUser?username={user}");
                let reply = answer(&lab, asked, &get(&target, ""));
                let root = parse(std::str::from_utf8(&reply.body).unwrap(), "").unwrap();
                let cluster = root.find("homeCluster", "").unwrap();
                assert!(cluster.own_text().starts_with(home), "{user} at {asked}");
                let uri = cluster.attribute("serversUri").unwrap();
                assert!(uri.starts_with(&format!("https://{home}.lab.example:18443/")), "{uri}");
            }
            let status = answer(&lab, asked, &get("/cucm-uds/user/alice", ALICE)).status;
            assert_eq!(status, if asked < 2 { 200 } else { 401 }, "node {asked}");
        }
        let reply = answer(&lab, 2, &get("/cucm-uds/servers", ""));
        let text = String::from_utf8(reply.body).unwrap();
        assert!(text.contains("<server>cucm3.lab.example</server><server>cucm4."), "{text}");
        let busy = scenario(Scenario::MultiCluster, &["home-node-busy"]);
        for (node, status) in [(0, 503), (1, 200)] {
            assert_eq!(answer(&busy, node, &get("/cucm-uds/user/alice", ALICE)).status, status);
        }
    }

    #[test]
    fn faults_of_devices_show_in_the_list() {
        let list = |fault: &str, user: &str| {
            let lab = deployment(&[fault]);
            let root = read(&lab, &format!("/cucm-uds/user/{user}/devices"), ALICE);
            let models = root.elements().filter_map(|device| device.child_text("model"));
            models.collect::<Vec<_>>()
        };
        assert_eq!(list("both-views", "alice"), [DESK_MODEL, MODEL]);
        assert!(list("no-device", "alice").is_empty());
        assert_eq!(list("not-associated", "alice"), [DESK_MODEL]);
        assert!(list("user-id-case", "alice").is_empty());
        assert_eq!(list("user-id-case", "ALICE").len(), 2);
    }

    #[test]
    fn scenarios_differ_in_what_uds_has() {
        let cup8 = scenario(Scenario::Cup8, &[]);
        assert_eq!(answer(&cup8, 0, &get("/cucm-uds/version", "")).status, 404);
        let phone = read(&scenario(Scenario::PhoneOnly, &[]), "/cucm-uds/user/alice", ALICE);
        assert!(phone.find("serviceProfile", "").is_none());
        let im = scenario(Scenario::ImOnly, &[]);
        assert!(read(&im, "/cucm-uds/user/alice/devices", ALICE).elements().next().is_none());
    }

    #[test]
    fn faults_replace_every_answer() {
        let reply = answer(&deployment(&["entity-bomb"]), 0, &get("/cucm-uds/version", ""));
        assert!(reply.body.len() < 4096 && reply.body.windows(8).any(|part| part == b"<!ENTITY"));
        let reply = answer(&deployment(&["captive-portal"]), 0, &get("/cucm-uds/version", ""));
        assert_eq!(reply.status, 302);
        let reply = answer(&deployment(&["html-instead-of-xml"]), 0, &get("/cucm-uds/version", ""));
        assert_eq!(reply.status, 200);
        assert!(parse(std::str::from_utf8(&reply.body).unwrap(), "").is_err());
        let reply = answer(&deployment(&["ten-megabytes"]), 0, &get("/cucm-uds/version", ""));
        assert!(reply.body.len() > 10 * 1024 * 1024);
    }
}
