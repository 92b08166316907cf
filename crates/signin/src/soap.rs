//! The SOAP sign-in of IM and Presence (reference im-presence.md section 1) and the chat plan
//! that comes of it (section 2).

use std::time::Duration;

use futures_util::join;
use offhook_config::{
    Answered, HttpUrl, Login, SystemConfig, XmlError, read_login, read_one_time_password,
    read_system_config,
};
use offhook_model::{Area, Endpoint, Fault, Jid, Link, Owner, Problem, Secret, Service as Kind};
use offhook_ports::{HttpRequest, Target, XmppAuth, XmppPlan, XmppServer};
use quick_xml::escape::escape;

use crate::flow::{Failure, Flow, Purpose, https, most_important, place};
use crate::home::passed_over_problem;
use crate::{SoapRenewal, SoapStep};

const PATH: &str = "/EPASSoap/service/v80";
const XMPP_PORT: u16 = 5222;

/// Whom we sign in.
#[derive(Clone, Copy)]
pub(crate) struct Person<'a> {
    pub(crate) user_id: &'a str,
    /// The presence domain, until the service tells another one.
    pub(crate) domain: &'a str,
    pub(crate) password: &'a Secret<String>,
    /// Somebody else has accepted the same password before, so a refusal is not about it.
    pub(crate) proved: bool,
}

/// Let in by this node.
pub(crate) struct Entered {
    pub(crate) plan: XmppPlan,
    pub(crate) renewal: SoapRenewal,
    pub(crate) node: Target,
    pub(crate) config: SystemConfig,
}

/// What the service tells an open session.
struct Session {
    node: Target,
    key: Secret<String>,
    token: Secret<String>,
    config: SystemConfig,
    /// Another node to turn to, as the answer to the login or the settings name it.
    backup: Option<Target>,
}

/// Why a node did not let us in.
enum Refusal {
    /// Another node may.
    Failed(Failure),
    /// No other node will.
    Final(Problem),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Signs in at the first node that can be used.
pub(crate) async fn enter(
    flow: &Flow<'_>,
    nodes: &[Target],
    person: &Person<'_>,
    resource: &str,
) -> Result<Entered, Problem> {
    let mut failures = vec![];
    for node in nodes {
        match log_in(flow, node, person).await {
            Ok(session) => {
                for failure in &failures {
                    flow.warn(passed_over_problem(failure, &node.host));
                }
                return plan(session, nodes, person, resource, &[]);
            }
            Err(Refusal::Final(problem)) => return Err(problem),
            Err(Refusal::Failed(failure)) => failures.push(failure),
        }
    }
    let none = || {
        let place = Target { host: person.domain.to_owned(), port: 8443 };
        Fault::NotProvisioned("An IM and Presence server".into()).problem(&at(&place))
    };
    Err(most_important(failures).map_or_else(none, |(problem, _)| problem))
}

/// A fresh plan for a reconnect: by the open session at the first node, then at the second; by a new
/// one when neither can be reached or the session is over (reference im-presence.md section 3);
/// only one of the two where `step` says so.
pub(crate) async fn renew(
    flow: &Flow<'_>,
    renewal: &SoapRenewal,
    password: &Secret<String>,
) -> Result<Entered, Problem> {
    let SoapRenewal { nodes, session, username, domain, resource, servers, .. } = renewal;
    let person = Person { user_id: username, domain, password, proved: false };
    let mut failures = vec![];
    let nodes_of_session = if renewal.step == SoapStep::Login { 0 } else { 2 };
    for node in nodes.iter().take(nodes_of_session) {
        match question(flow, node, session.clone(), None).await {
            Ok(session) => {
                return plan(session, nodes, &person, resource, servers);
            }
            Err(failure) if is_unreachable(&failure) => failures.push(failure),
            // The session is over, and the other node would say the same.
            Err(failure) => {
                failures.push(failure);
                break;
            }
        }
    }
    if renewal.step == SoapStep::Session
        && let Some((problem, _)) = most_important(failures)
    {
        return Err(problem);
    }
    enter(flow, nodes, &person, resource).await
}

fn is_unreachable(failure: &Failure) -> bool {
    failure.problem().area <= Area::Tls
}

async fn log_in(flow: &Flow<'_>, node: &Target, person: &Person<'_>) -> Result<Session, Refusal> {
    let body = format!(
        "<login xmlns=\"urn:cisco:epas:soap\" client-type=\"CUPC\" client-version=\"11.5.0\" \
         force=\"true\"><username>{}</username><password>{}</password></login>",
        escape(person.user_id),
        escape(person.password.expose().as_str()),
    );
    let purpose = Purpose {
        step: "soapLogin",
        service: Kind::ImSoap,
        why: "opens a session with IM and Presence",
    };
    let show = |answer: &Answered<Login>| verdict(answer, "session opened");
    let call = Call { purpose, action: "login", session: None, body };
    let login = match send(flow, node, call, read_login, show).await {
        Ok(Answered::Success(login)) => login,
        Ok(Answered::Refused(_)) => {
            return Err(Refusal::Final(refused(node, person)));
        }
        Err(Failure { fault: Fault::BadCredentials, .. }) => {
            return Err(Refusal::Final(refused(node, person)));
        }
        Err(failure) => return Err(failure.into()),
    };
    let backup = login.backup.as_deref().and_then(|host| place(host, node.port));
    Ok(question(flow, node, login.session, backup).await?)
}

/// Asks an open session for everything a chat connection needs, side by side.
async fn question(
    flow: &Flow<'_>,
    node: &Target,
    key: Secret<String>,
    backup: Option<Target>,
) -> Result<Session, Failure> {
    let (token, config) = join!(one_time_password(flow, node, &key), config(flow, node, &key));
    let config = config.unwrap_or_default();
    // Where the login names none, the second chat node answers SOAP as well.
    let second = || {
        let host = config.get("Presence.Backup.Address")?;
        Some(Target { host: host.to_owned(), port: node.port })
    };
    let backup = backup.or_else(second);
    Ok(Session { node: node.clone(), token: token?, config, key, backup })
}

async fn one_time_password(
    flow: &Flow<'_>,
    node: &Target,
    key: &Secret<String>,
) -> Result<Secret<String>, Failure> {
    let call = Call {
        purpose: Purpose {
            step: "oneTimePassword",
            service: Kind::ImSoap,
            why: "the chat server takes this in place of the password",
        },
        action: "get-onetime-password",
        session: Some(key),
        body: "<get-onetime-password xmlns=\"urn:cisco:epas:soap\"/>".to_owned(),
    };
    let show = |answer: &Answered<Secret<String>>| verdict(answer, "given");
    match send(flow, node, call, read_one_time_password, show).await? {
        Answered::Success(token) => Ok(token),
        Answered::Refused(_) => Err(Failure {
            at: node.endpoint(Kind::ImSoap),
            fault: Fault::Nonsense("it gives no one-time password".to_owned()),
        }),
    }
}

/// Without it the address's domain and the SOAP node are good guesses, so a failure is only told.
async fn config(flow: &Flow<'_>, node: &Target, key: &Secret<String>) -> Option<SystemConfig> {
    let call = Call {
        purpose: Purpose {
            step: "imConfig",
            service: Kind::ImSoap,
            why: "names the presence domain and the chat nodes",
        },
        action: "get-all-config",
        session: Some(key),
        body: "<get-all-config xmlns=\"urn:cisco:epas:soap\"><system-config/></get-all-config>"
            .to_owned(),
    };
    let show = |answer: &Answered<SystemConfig>| match answer {
        Answered::Success(config) => format!("{} properties", config.len()),
        Answered::Refused(_) => "refused".to_owned(),
    };
    match send(flow, node, call, read_system_config, show).await {
        Ok(Answered::Success(config)) => Some(config),
        Ok(Answered::Refused(_)) => None,
        Err(failure) => {
            flow.warn(failure.problem());
            None
        }
    }
}

struct Call<'a> {
    purpose: Purpose,
    action: &'static str,
    session: Option<&'a Secret<String>>,
    body: String,
}

async fn send<T>(
    flow: &Flow<'_>,
    node: &Target,
    call: Call<'_>,
    read: impl Fn(&[u8]) -> Result<T, XmlError>,
    show: impl Fn(&T) -> String,
) -> Result<T, Failure> {
    let url: HttpUrl = https(node, PATH.to_owned());
    let header = call.session.map(|key| {
        format!(
            "<session-key xmlns=\"urn:cisco:epas:soap\">{}</session-key>",
            escape(key.expose().as_str()),
        )
    });
    let envelope = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope \
         xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header>{}</s:Header>\
         <s:Body>{}</s:Body></s:Envelope>",
        header.unwrap_or_default(),
        call.body,
    );
    let content_type = format!(
        "application/soap+xml; charset=utf-8; \
         action=\"urn:cisco:epas:soap/EpasSoapServiceInterface/{}\"",
        call.action,
    );
    let request = HttpRequest::post(url.to_string(), &content_type, envelope.into_bytes());
    flow.ask(call.purpose, &url, request, read, show).await
}

fn verdict<T>(answer: &Answered<T>, success: &str) -> String {
    match answer {
        Answered::Success(_) => success.to_owned(),
        // The server's own words could repeat what we sent.
        Answered::Refused(_) => "refused".to_owned(),
    }
}

fn refused(node: &Target, person: &Person<'_>) -> Problem {
    let at = node.endpoint(Kind::ImSoap);
    if !person.proved {
        return Fault::BadCredentials.problem(&at);
    }
    Problem::new(
        Area::Authentication,
        Owner::Admin,
        format!(
            "The IM and Presence service on {} does not let {} in, although the password is right.",
            at.host, person.user_id
        ),
        "Enable the user for IM and Presence and check that the nodes are in sync with \
         Communications Manager.",
    )
    .with_evidence(format!("{at}: login refused"))
}

/// Makes the plan from what the service says; what it does not say comes from `known`, else from
/// the address and the node.
fn plan(
    session: Session,
    nodes: &[Target],
    person: &Person<'_>,
    resource: &str,
    known: &[XmppServer],
) -> Result<Entered, Problem> {
    let domain = session.config.get("Presence.Domain").unwrap_or(person.domain).to_owned();
    let userid = format!("{}@{domain}", person.user_id);
    let jid: Jid = userid.parse().map_err(|_| {
        Fault::Nonsense("the user id and presence domain make no chat address".to_owned())
            .problem(&at(&session.node))
    })?;
    let mut servers = chat_nodes(&session.config);
    if servers.is_empty() {
        servers = known.to_vec();
    }
    if servers.is_empty() {
        servers.push(chat_node(&session.node.host, XMPP_PORT));
    }
    let renewal = SoapRenewal {
        nodes: soap_nodes(&session, nodes),
        session: session.key,
        username: person.user_id.to_owned(),
        domain,
        resource: resource.to_owned(),
        servers: servers.clone(),
        relogin: relogin(&session.config),
        edge: None,
        step: SoapStep::default(),
    };
    let plan = XmppPlan {
        jid,
        resource: resource.to_owned(),
        names: vec![],
        servers,
        auth: XmppAuth::VtgToken { userid, token: session.token },
    };
    Ok(Entered { plan, renewal, node: session.node, config: session.config })
}

/// The node that let us in, the others that are known, and the one it names as its backup.
fn soap_nodes(session: &Session, known: &[Target]) -> Vec<Target> {
    let mut nodes = vec![session.node.clone()];
    for node in known.iter().chain(&session.backup) {
        if !nodes.iter().any(|it| it.host.eq_ignore_ascii_case(&node.host)) {
            nodes.push(node.clone());
        }
    }
    nodes
}

/// Client re-login limits in seconds; 120 and 537 where the server does not tell them (reference
/// im-presence.md section 3).
fn relogin(config: &SystemConfig) -> (Duration, Duration) {
    let limit = |end: &str, default: u64| {
        let text = config.get(&format!("CUP.SRM.{end}FailoverLoginRetryLimit"));
        let seconds = text.and_then(|text| text.parse().ok()).filter(|s| (1..=7200).contains(s));
        Duration::from_secs(seconds.unwrap_or(default))
    };
    let (lower, upper) = (limit("Lower", 120), limit("Upper", 537));
    (lower.min(upper), lower.max(upper))
}

/// `Presence.*.Port` is left empty or says 5222; the SIP ports of the presence engine that older
/// servers write there are not meant for chat.
fn chat_nodes(config: &SystemConfig) -> Vec<XmppServer> {
    let mut servers: Vec<XmppServer> = vec![];
    for rank in ["Primary", "Backup", "Backup2"] {
        let value = |part: &str| config.get(&format!("Presence.{rank}.{part}"));
        let Some(host) = value("Address") else { continue };
        let port = value("Port").and_then(|port| port.parse().ok());
        let port = port.filter(|port| !matches!(port, 0 | 5060..=5062));
        let server = chat_node(host, port.unwrap_or(XMPP_PORT));
        if !servers.contains(&server) {
            servers.push(server);
        }
    }
    servers
}

fn chat_node(host: &str, port: u16) -> XmppServer {
    XmppServer { host: host.to_owned(), port, link: Link::StartTls }
}

fn at(node: &Target) -> Endpoint {
    node.endpoint(Kind::ImSoap)
}
