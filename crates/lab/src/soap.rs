//! The SOAP sign-in service of IM and Presence (reference page im-presence section 1).

use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::TcpListener;

use crate::deployment::Deployment;
use crate::http::{self, Handler, Request, Response};
use crate::nodes::HOSTS;
use crate::scenario::Scenario;
use crate::xml::{Element, escape, parse};

const ENVELOPE: &str = "http://www.w3.org/2003/05/soap-envelope";
const EPAS: &str = "urn:cisco:epas:soap";

/// Serves the SOAP port of a node until dropped, while the node is up.
pub(crate) async fn run(
    lab: Arc<Deployment>,
    node: usize,
    listener: TcpListener,
    tls: Arc<ServerConfig>,
) {
    let handler = handler(Arc::clone(&lab));
    let serve = |listener| http::run(listener, Some(Arc::clone(&tls)), Arc::clone(&handler));
    lab.im_nodes.serve(node, listener, serve).await;
}

/// The handler of the SOAP port.
pub(crate) fn handler(lab: Arc<Deployment>) -> Handler {
    Arc::new(move |request| answer(&lab, request))
}

fn answer(lab: &Deployment, request: &Request) -> Response {
    let known = ["", "/v70", "/v80", "/v105", "/latest"];
    let path = request.path.strip_prefix("/EPASSoap/service");
    if !path.is_some_and(|rest| known.contains(&rest)) {
        return Response::html(404);
    }
    if request.method != "POST" {
        return Response::html(405);
    }
    let text = String::from_utf8_lossy(&request.body);
    let Ok(envelope) = parse(&text, "") else { return fault() };
    if !envelope.is("Envelope", ENVELOPE) {
        return fault();
    }
    let call = envelope.find("Body", ENVELOPE).and_then(|body| body.elements().next());
    let Some(call) = call.filter(|call| call.namespace() == EPAS) else { return fault() };
    if call.local() == "login" {
        return login(lab, call);
    }
    let key = envelope
        .find("Header", ENVELOPE)
        .and_then(|header| header.child_text("session-key"))
        .unwrap_or_default();
    let Some(user) = lab.session_user(key.trim()) else {
        return failure(call.local(), "101", "Invalid session key");
    };
    match call.local() {
        "get-onetime-password" => success(
            "get-onetime-password",
            &format!("<epas:password>{}</epas:password>", lab.one_time_password(&user)),
        ),
        "get-all-config" => success("get-all-config", &all_config(lab, &user, call)),
        "logout" => {
            lab.close_session(key.trim());
            success("logout", "")
        }
        _ => fault(),
    }
}

fn envelope(status: u16, body: &str) -> Response {
    Response::new(
        status,
        "application/soap+xml;charset=UTF-8",
        format!(
            "<?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope xmlns:soapenv=\"{ENVELOPE}\">\
             <soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
        ),
    )
}

fn success(call: &str, inner: &str) -> Response {
    envelope(
        200,
        &format!(
            "<epas:{call}-resp xmlns:epas=\"{EPAS}\"><epas:success>{inner}</epas:success></epas:{call}-resp>"
        ),
    )
}

fn failure(call: &str, code: &str, reason: &str) -> Response {
    let call = escape(call);
    envelope(
        200,
        &format!(
            "<epas:{call}-resp xmlns:epas=\"{EPAS}\"><epas:failure><epas:code>{code}</epas:code>\
             <epas:reason>{reason}</epas:reason></epas:failure></epas:{call}-resp>"
        ),
    )
}

fn fault() -> Response {
    envelope(
        400,
        "<soapenv:Fault><soapenv:Code><soapenv:Value>soapenv:Sender</soapenv:Value></soapenv:Code>\
         <soapenv:Reason><soapenv:Text xml:lang=\"en\">Invalid request</soapenv:Text>\
         </soapenv:Reason></soapenv:Fault>",
    )
}

fn login(lab: &Deployment, call: &Element) -> Response {
    let user = call.child_text("username").unwrap_or_default();
    let password = call.child_text("password").unwrap_or_default();
    let name = user.split('@').next().unwrap_or_default();
    match lab.check_password(name, &password) {
        Some(person) => {
            let key = lab.open_session(&person.name);
            // That the answer tells a backup is documented, its element's name is not (reference
            // page im-presence section 1).
            let backup = lab.im_nodes.are_two().then(|| {
                let host = lab.host(HOSTS[1 - lab.im_nodes.home(&person.name)]);
                format!("<epas:backup-server>{host}</epas:backup-server>")
            });
            let backup = backup.unwrap_or_default();
            success("login", &format!("<epas:session-key>{key}</epas:session-key>{backup}"))
        }
        None => failure("login", "114", "Login failed"),
    }
}

fn all_config(lab: &Deployment, user: &str, call: &Element) -> String {
    let asked_for_system =
        call.elements().next().is_none() || call.find("system-config", EPAS).is_some();
    if !asked_for_system {
        return String::new();
    }
    let properties = properties(lab, user);
    let rows: String = properties
        .iter()
        .map(|(name, value)| {
            format!("<epas:property name=\"{name}\">{}</epas:property>", escape(value))
        })
        .collect();
    format!("<epas:get-system-config-resp>{rows}</epas:get-system-config-resp>")
}

/// The system settings (reference page im-presence section 1). Servers of release 8 have no
/// service profile beside them, so there everything else stands here as well.
fn properties(lab: &Deployment, user: &str) -> Vec<(&'static str, String)> {
    let cucm = lab.host("cucm1");
    let second = lab.backup_xmpp.map(|port| (lab.host(HOSTS[1]), port.to_string()));
    let first = (lab.host(HOSTS[0]), lab.shown.xmpp.port().to_string());
    // After a failover the other one is the primary.
    let ((primary, primary_port), (backup, backup_port)) = match second {
        Some(second) if lab.im_nodes.home(user) == 1 => (second, first),
        second => (first, second.unwrap_or_default()),
    };
    let mut out = vec![
        ("Presence.Domain", lab.domain().to_owned()),
        ("Presence.Primary.Address", primary),
        ("Presence.Primary.Port", primary_port),
        ("Presence.Primary.Protocol", "TCP".into()),
        ("Presence.Backup.Address", backup),
        ("Presence.Backup.Port", backup_port),
        ("Presence.enableGlobal", "true".into()),
        ("IM.enable", "true".into()),
        ("OfflineIM.suppress", "false".into()),
        ("AdhocSubscriptions.Enabled", "true".into()),
        ("AdhocSubscriptions.MaxNum", "100".into()),
        ("AdhocSubscriptions.TTL", "3600".into()),
        ("TFTP.Primary", cucm.clone()),
        ("CCMCIP.Host", cucm.clone()),
        ("CUP.SRM.LowerFailoverLoginRetryLimit", lab.config.im.relogin_lower.to_string()),
        ("CUP.SRM.UpperFailoverLoginRetryLimit", lab.config.im.relogin_upper.to_string()),
    ];
    if lab.scenario == Scenario::Cup8 {
        // Voicemail, mail store and directory are asked for by name and not played here.
        out.extend([
            ("TFTP.Backup1", String::new()),
            ("TFTP.Backup2", String::new()),
            ("CCMCIP.Host.Backup", String::new()),
            ("CallControl.Primary.Address", cucm),
            ("CallControl.Primary.Port", "2748".into()),
            ("CallControl.Primary.Protocol", "TCP".into()),
            ("VoiceMail.Primary.Address", String::new()),
            ("VoiceMail.Primary.SecureMessaging.Port", String::new()),
            ("VoiceMail.Primary.SecureMessaging.Protocol", String::new()),
            ("VoiceMail.Backup1.Address", String::new()),
            ("MailStore.Primary.Address", String::new()),
            ("MailStore.Primary.Port", "143".into()),
            ("MailStore.Primary.Protocol", "TCP".into()),
            ("MeetingPlace.Primary.Address", String::new()),
            ("Directory.Primary.Address", String::new()),
            ("Directory.Primary.Port", "389".into()),
            ("Directory.Primary.Protocol", "TCP".into()),
            ("Directory.AnonymousBind", "true".into()),
            ("Directory.SearchContext1", "ou=people,dc=lab,dc=example".into()),
            ("Directory.SearchRecursive1", "true".into()),
            ("IM.AllowCutAndPaste", "true".into()),
            ("IM.AllowLocalTranscript", "true".into()),
            ("PhoneDND.enable", "true".into()),
            ("MeetingDND.enable", "false".into()),
            ("Calendar.Primary", String::new()),
            ("Security.VoicemailServiceCredentialsSource", "CUP".into()),
        ]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::tests::deployment;

    fn post(lab: &Deployment, key: &str, call: &str) -> (u16, Element) {
        let mut request = crate::http::parse_head("POST /EPASSoap/service/v80 HTTP/1.1").unwrap();
        request.body = format!(
            "<s:Envelope xmlns:s='{ENVELOPE}'><s:Header><session-key xmlns='{EPAS}'>{key}\
             </session-key></s:Header><s:Body>{call}</s:Body></s:Envelope>"
        )
        .into_bytes();
        let reply = answer(lab, &request);
        let text = String::from_utf8(reply.body).unwrap();
        (reply.status, parse(&text, "").unwrap())
    }

    fn login_call(password: &str) -> String {
        format!(
            "<login xmlns='{EPAS}' client-type='CUPC' force='true'><username>alice</username>\
             <password>{password}</password></login>"
        )
    }

    #[test]
    fn sign_in_gives_a_key_a_one_time_password_and_the_settings() {
        let lab = deployment(&[]);
        let (_, reply) = post(&lab, "", &login_call("secret"));
        let key = reply.anywhere("session-key").unwrap().own_text();
        let call = format!("<get-onetime-password xmlns='{EPAS}'/>");
        let (_, reply) = post(&lab, &key, &call);
        let password = reply.anywhere("password").unwrap().own_text();
        assert!(lab.redeem("alice", &password));
        let call = format!("<get-all-config xmlns='{EPAS}'><system-config/></get-all-config>");
        let (_, reply) = post(&lab, &key, &call);
        let rows = reply.anywhere("get-system-config-resp").unwrap();
        let port = rows
            .elements()
            .find(|row| row.attribute("name") == Some("Presence.Primary.Port"))
            .unwrap();
        assert_eq!(port.own_text(), "15222");
        post(&lab, &key, &format!("<logout xmlns='{EPAS}'/>"));
        let (_, reply) = post(&lab, &key, &call);
        assert!(reply.anywhere("success").is_none());
    }

    #[test]
    fn after_a_failover_the_other_node_is_the_primary() {
        let mut config = crate::config::LabConfig::default();
        config.im.second_node = true;
        let lab = crate::deployment::tests::configured(Scenario::OnPrem, &[], config);
        let (_, reply) = post(&lab, "", &login_call("secret"));
        let key = reply.anywhere("session-key").unwrap().own_text();
        assert_eq!(reply.anywhere("backup-server").unwrap().own_text(), "imp2.lab.example");
        let nodes = || {
            let (_, reply) = post(&lab, &key, &format!("<get-all-config xmlns='{EPAS}'/>"));
            let rows = reply.anywhere("get-system-config-resp").unwrap();
            ["Presence.Primary.Address", "Presence.Backup.Address"].map(|name| {
                let mut rows = rows.elements();
                rows.find(|row| row.attribute("name") == Some(name)).unwrap().own_text()
            })
        };
        assert_eq!(nodes(), ["imp1.lab.example", "imp2.lab.example"]);
        lab.im_nodes.set(0, false);
        assert_eq!(nodes(), ["imp2.lab.example", "imp1.lab.example"]);
    }

    #[test]
    fn release_8_tells_everything_in_its_settings() {
        let lab = crate::deployment::tests::scenario(Scenario::Cup8, &[]);
        let (_, reply) = post(&lab, "", &login_call("secret"));
        let key = reply.anywhere("session-key").unwrap().own_text();
        let (_, reply) = post(&lab, &key, &format!("<get-all-config xmlns='{EPAS}'/>"));
        let rows = reply.anywhere("get-system-config-resp").unwrap();
        let value = |name: &str| {
            let mut rows = rows.elements();
            rows.find(|row| row.attribute("name") == Some(name)).unwrap().own_text()
        };
        assert_eq!(value("TFTP.Primary"), "cucm1.lab.example");
        assert_eq!(value("CCMCIP.Host"), "cucm1.lab.example");
        assert_eq!(value("MailStore.Primary.Port"), "143");
        assert_eq!(value("TFTP.Backup1"), "");
    }

    #[test]
    fn a_wrong_password_has_no_success_and_nonsense_is_a_fault() {
        let lab = deployment(&[]);
        let (status, reply) = post(&lab, "", &login_call("wrong"));
        assert_eq!(status, 200);
        assert!(reply.anywhere("success").is_none());
        let (status, reply) = post(&lab, "", "<nonsense xmlns='urn:x'/>");
        assert_eq!(status, 400);
        assert!(reply.anywhere("Fault").is_some());
    }
}
