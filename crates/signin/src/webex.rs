//! Sign-in with the cloud (WebEx Messenger, reference im-presence.md section 8): a token for name and
//! password, with it a session, the organisation's configuration, and chat.

use std::time::Duration;

use offhook_config::{
    Answered, CloudChat, CloudLogin, CloudSession, HttpUrl, Layers, XmlError, read_cloud_config,
    read_cloud_login, read_cloud_session,
};
use offhook_model::{
    Area, Authenticator, Fault, Layer, Link, Owner, Problem, Secret, Service as Kind, Via,
};
use offhook_ports::{HttpRequest, Target, XmppAuth, XmppPlan, XmppServer};

use crate::edge::ranked;
use crate::flow::{Failure, Flow, Purpose, encode, place};
use crate::grant::CloudRenewal;
use crate::phone::Phone;
use crate::uds::{self, Cluster, Half};
use crate::{
    CloudToken, Credentials, Grant, People, Renewal, Renewed, Request, Service, browser, im, mode,
};

/// The sign-in address of a service profile that names none (documented default).
pub(crate) const USUAL_CAS: &str = "https://loginp.webexconnect.com/cas/auth.do";
/// Chat goes by the web's port first, which firewalls let through (the seed, port table).
const CHAT_PORTS: [u16; 2] = [443, 5222];
/// A token from the browser does not tell how long it lives; this is what the cloud gives.
const USUAL_LIFE: Duration = Duration::from_secs(28_800);

/// Let in by the cloud.
pub(crate) struct Entered {
    pub(crate) plan: XmppPlan,
    pub(crate) renewal: CloudRenewal,
    /// The organisation's configuration.
    layer: Option<Layer>,
}

/// Signs in to the cloud, and beside it to the call manager of a hybrid account.
pub(crate) async fn sign_in(
    flow: &Flow<'_>,
    request: &Request,
    cas: &str,
    voice: &[Target],
) -> Result<Grant, Problem> {
    flow.doing("Signing in to the cloud");
    // A password that the cloud refuses is not shown to the call manager as well.
    let entered = enter(flow, request, &request.credentials, cas).await?;
    let found = match voice {
        [] => voice_of(flow, request, entered.layer.as_ref()).await,
        voice => voice.to_vec(),
    };
    let half = match found.as_slice() {
        [] => Half::none(),
        voice => phone_half(flow, request, voice).await,
    };
    grant(flow, request, entered, half)
}

/// The call manager of a hybrid account whose voice services domain only the organisation's
/// configuration names. A domain that was known before has been asked for already.
async fn voice_of(flow: &Flow<'_>, request: &Request, layer: Option<&Layer>) -> Vec<Target> {
    let files = Layers::new(layer.cloned());
    let named = files.setting("VoiceServicesDomain").map(|(setting, _)| setting.value.as_str());
    let known = request.preset.voice_services_domain.as_deref();
    let fresh = |domain: &&str| known.is_none_or(|known| !known.eq_ignore_ascii_case(domain));
    let Some(domain) = named.filter(fresh) else { return vec![] };
    let name = format!("_cisco-uds._tcp.{domain}");
    let records = flow.srv(&name, "the phone's servers in the voice services domain").await;
    ranked(&records, request.seed)
}

/// The token chain, and what chat starts from.
pub(crate) async fn enter(
    flow: &Flow<'_>,
    request: &Request,
    credentials: &Credentials,
    cas: &str,
) -> Result<Entered, Problem> {
    let username = address_of(request, credentials);
    let resource = im::resource(request);
    if let Some(token) = &request.cloud_token {
        return by_token(flow, cas, token, &username, &resource).await;
    }
    let login = log_in(flow, cas, &username, &credentials.password).await?;
    let now = flow.world.clock.now();
    let session = session(flow, &login, &username).await;
    let (chat, layer) = match session {
        Some((session, layer)) => (login.chat.clone().or(session.chat), layer),
        None => (login.chat.clone(), None),
    };
    let plan = plan(chat, &login.token, &username, &resource)?;
    let renewal = CloudRenewal {
        cas: Some(cas.to_owned()),
        username,
        plan: plan.clone(),
        until: now + login.lives,
    };
    Ok(Entered { plan, renewal, layer })
}

/// A plan for a reconnect: with the same token while it lives, else by a new chain.
pub(crate) async fn renew(
    flow: &Flow<'_>,
    renewal: &CloudRenewal,
    password: &Secret<String>,
) -> Result<Renewed, Problem> {
    let now = flow.world.clock.now();
    if now < renewal.until {
        return Ok(renewal.plan.clone().into());
    }
    let Some(cas) = &renewal.cas else { return Err(browser::again()) };
    let login = log_in(flow, cas, &renewal.username, password).await?;
    let known = &renewal.plan;
    let mut fresh = plan(login.chat, &login.token, &renewal.username, &known.resource)?;
    if fresh.servers.is_empty() {
        fresh.servers.clone_from(&known.servers);
    }
    let (plan, until) = (fresh.clone(), now + login.lives);
    let next = CloudRenewal { plan, until, ..renewal.clone() };
    Ok(Renewed { plan: fresh, renewal: Some(Renewal::Cloud(next)) })
}

/// The cloud knows people by their mail address.
fn address_of(request: &Request, credentials: &Credentials) -> String {
    let typed = credentials.username.trim();
    if typed.contains('@') {
        typed.to_owned()
    } else {
        format!("{typed}@{}", request.address.domain())
    }
}

/// The browser has been there already: only the chat server is missing, unless it came along.
async fn by_token(
    flow: &Flow<'_>,
    cas: &str,
    token: &CloudToken,
    username: &str,
    resource: &str,
) -> Result<Entered, Problem> {
    let domain = username.rsplit('@').next().unwrap_or_default();
    let host = match &token.host {
        Some(host) => host.clone(),
        None => chat_host(flow, domain).await,
    };
    let chat = CloudChat { jid: None, token: Some(token.token.clone()), host: Some(host) };
    let mut plan = plan(chat, &token.token, username, resource)?;
    // Neither a link nor a record is believed so far as to say whose certificate is right: it is that
    // of the cloud that was signed in to, or of the domain.
    plan.names.retain(|host| is_of(host, cas));
    plan.names.extend([usual_host(domain), domain.to_owned()]);
    let renewal = CloudRenewal {
        cas: None,
        username: username.to_owned(),
        plan: plan.clone(),
        until: flow.world.clock.now() + USUAL_LIFE,
    };
    Ok(Entered { plan, renewal, layer: None })
}

/// Without the cloud's word, the domain's own chat record names its server.
async fn chat_host(flow: &Flow<'_>, domain: &str) -> String {
    let name = format!("_xmpp-client._tcp.{domain}");
    let records = flow.srv(&name, "the browser brought no chat server along").await;
    let first = records.into_iter().min_by_key(|record| record.priority);
    first.map_or_else(|| usual_host(domain), |record| record.target)
}

/// By custom the chat server is called after the domain (inferred).
fn usual_host(domain: &str) -> String {
    format!("c2s.{domain}.webexconnect.com")
}

/// The host is under the same registered name as the cloud's sign-in, so far as two labels tell.
fn is_of(host: &str, cas: &str) -> bool {
    let family = |host: &str| {
        let mut labels: Vec<_> = host.rsplit('.').take(2).map(str::to_ascii_lowercase).collect();
        labels.retain(|label| !label.is_empty());
        labels
    };
    let cas = login_url(cas).map(|url| url.host).unwrap_or_default();
    family(host).len() == 2 && family(host) == family(&cas)
}

async fn log_in(
    flow: &Flow<'_>,
    cas: &str,
    username: &str,
    password: &Secret<String>,
) -> Result<CloudLogin, Problem> {
    let url = login_url(cas).ok_or_else(|| bad_cas(cas))?;
    let body = Secret::new(format!(
        "cmd=getwebextoken&username={}&password={}&isp=wbx",
        encode(username),
        encode(password.expose()),
    ));
    let purpose = Purpose {
        step: "cloudLogin",
        service: Kind::Cloud,
        why: "proves the password and gives the cloud's token",
    };
    let show = |answer: &Answered<CloudLogin>| verdict(answer, "token given");
    match form(flow, purpose, &url, &body, read_cloud_login, show).await {
        Ok(Answered::Success(login)) => Ok(login),
        Ok(Answered::Refused(code)) => Err(refused(&url, code)),
        Err(Failure { fault: Fault::Html, .. }) => Err(browser::wanted(&url.host)),
        Err(failure) => Err(failure.problem()),
    }
}

/// A session of the organisation's service, and its configuration. Chat does without, so a failure
/// is only told.
async fn session(
    flow: &Flow<'_>,
    login: &CloudLogin,
    username: &str,
) -> Option<(CloudSession, Option<Layer>)> {
    let url = service_url(login.service_url.as_deref()?)?;
    let body = Secret::new(format!(
        "cmd=login&username={}&isp=wbx&autocommit=true&token={}",
        encode(username),
        encode(login.token.expose()),
    ));
    let purpose = Purpose {
        step: "cloudSession",
        service: Kind::Cloud,
        why: "opens the organisation's service with the token",
    };
    let show = |answer: &Answered<CloudSession>| verdict(answer, "session opened");
    let session = match form(flow, purpose, &url, &body, read_cloud_session, show).await {
        Ok(Answered::Success(session)) => session,
        Ok(Answered::Refused(code)) => {
            flow.warn(without_config(&url, code));
            return None;
        }
        Err(failure) => {
            flow.warn(failure.problem());
            return None;
        }
    };
    let layer = config(flow, &url, &session.credential).await;
    Some((session, layer))
}

async fn config(flow: &Flow<'_>, url: &HttpUrl, credential: &Secret<String>) -> Option<Layer> {
    let body = Secret::new(format!("task=InitialConfig&cred={}", encode(credential.expose())));
    let purpose = Purpose {
        step: "cloudConfig",
        service: Kind::Cloud,
        why: "settings that the organisation made for the client",
    };
    let origin = url.to_string();
    let read = |data: &[u8]| read_cloud_config(data, &origin);
    let show = |answer: &Answered<Layer>| match answer {
        Answered::Success(layer) => format!("{} settings", layer.settings.len()),
        Answered::Refused(_) => "refused".to_owned(),
    };
    match form(flow, purpose, url, &body, read, show).await {
        Ok(Answered::Success(layer)) => Some(layer),
        Ok(Answered::Refused(code)) => {
            flow.warn(without_config(url, code));
            None
        }
        Err(failure) => {
            flow.warn(failure.problem());
            None
        }
    }
}

async fn form<T>(
    flow: &Flow<'_>,
    purpose: Purpose,
    url: &HttpUrl,
    body: &Secret<String>,
    read: impl Fn(&[u8]) -> Result<T, XmlError>,
    show: impl Fn(&T) -> String,
) -> Result<T, Failure> {
    let bytes = body.expose().clone().into_bytes();
    let kind = "application/x-www-form-urlencoded";
    let request = HttpRequest::post(url.to_string(), kind, bytes).through_proxy();
    flow.ask(purpose, url, request, read, show).await
}

fn verdict<T>(answer: &Answered<T>, success: &str) -> String {
    match answer {
        Answered::Success(_) => success.to_owned(),
        Answered::Refused(Some(code)) => format!("refused ({code})"),
        Answered::Refused(None) => "refused".to_owned(),
    }
}

/// `auth.do` stands beside the look-up that found the cloud. Whatever that was asked with, the
/// password goes to HTTPS only.
fn login_url(cas: &str) -> Option<HttpUrl> {
    let cas = if cas.contains("://") { cas.to_owned() } else { format!("https://{cas}") };
    let url = HttpUrl::parse(&cas)?;
    let port = if !url.secure && url.port == 80 { 443 } else { url.port };
    let path = match url.path.split('?').next().unwrap_or_default() {
        path if path.ends_with("/auth.do") => path.to_owned(),
        _ => "/cas/auth.do".to_owned(),
    };
    Some(HttpUrl { secure: true, port, path, ..url })
}

/// The service's address comes without a scheme; only HTTPS is spoken to it.
fn service_url(text: &str) -> Option<HttpUrl> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let mut url = HttpUrl::parse(&format!("https://{rest}"))?;
    let path = url.path.split('?').next().unwrap_or_default().trim_end_matches('/').to_owned();
    url.path = if path.ends_with("/op.do") { path } else { format!("{path}/op.do") };
    Some(url)
}

/// Servers as the cloud names them: one with a port is that one alone.
fn plan(
    chat: CloudChat,
    token: &Secret<String>,
    username: &str,
    resource: &str,
) -> Result<XmppPlan, Problem> {
    let host = chat.host.as_deref().and_then(|text| place(text, 0)).ok_or_else(no_chat)?;
    let jid = chat.jid.as_deref().unwrap_or(username).parse().map_err(|_| no_chat())?;
    let ports = if host.port == 0 { CHAT_PORTS.to_vec() } else { vec![host.port] };
    let server = |port| XmppServer { host: host.host.clone(), port, link: Link::StartTls };
    Ok(XmppPlan {
        jid,
        resource: resource.to_owned(),
        servers: ports.into_iter().map(server).collect(),
        // The cloud shows its own certificate, not the organisation's.
        names: vec![host.host.clone()],
        // Where the answer has no token for chat alone, the cloud's own serves (inferred).
        auth: XmppAuth::WebexToken { token: chat.token.unwrap_or_else(|| token.clone()) },
    })
}

/// The phone of a hybrid account, with its own name and password where they are known. A token opens
/// nothing at the call manager.
async fn phone_half(flow: &Flow<'_>, request: &Request, voice: &[Target]) -> Half {
    let own = Credentials {
        username: request.credentials.username.split('@').next().unwrap_or_default().to_owned(),
        password: request.credentials.password.clone(),
    };
    let credentials = match (&request.phone, &request.cloud_token) {
        (Some(credentials), _) => credentials,
        (None, None) => &own,
        (None, Some(_)) => return Half::failed(phone_password_wanted(voice)),
    };
    let cluster = Cluster { targets: voice, tftp: &[], via: Via::Direct, proved_by: None };
    uds::phone_half(flow, request, credentials, &cluster).await
}

fn grant(
    flow: &Flow<'_>,
    request: &Request,
    entered: Entered,
    half: Half,
) -> Result<Grant, Problem> {
    let Half { phone, layers, display_name, number } = half;
    let layers: Vec<Layer> = entered.layer.into_iter().chain(layers).collect();
    let files = Layers::new(layers.iter().cloned());
    let wanted = mode::wanted(&request.preset, &files, false);
    let phone = if wanted.phone { phone } else { Phone::missing(None) };
    let Some(mode) = mode::decide(wanted, true, phone.service.is_configured()) else {
        return Err(phone.missing.unwrap_or_else(mode::nothing_wanted));
    };
    phone.missing.into_iter().for_each(|problem| flow.warn(problem));
    let username = entered.renewal.username.clone();
    Ok(Grant {
        authenticator: Authenticator::Webex,
        mode,
        via: Via::Direct,
        display_name: display_name.unwrap_or_else(|| username.clone()),
        username,
        number,
        im: if wanted.im { Service::Ready(entered.plan) } else { Service::NotConfigured },
        phone: phone.service,
        layers,
        edge: None,
        restrictions: vec![],
        renewal: wanted.im.then_some(Renewal::Cloud(entered.renewal)),
        people: People::default(),
    })
}

fn refused(url: &HttpUrl, code: Option<String>) -> Problem {
    let target = Target { host: url.host.clone(), port: url.port };
    let problem = Fault::BadCredentials.problem(&target.endpoint(Kind::Cloud));
    let code = code.map(|code| format!(", code {code}")).unwrap_or_default();
    let evidence = format!("{}{code}", problem.evidence);
    problem.with_evidence(evidence)
}

fn without_config(url: &HttpUrl, code: Option<String>) -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::Admin,
        format!("The cloud service {} does not tell the organisation's configuration.", url.host),
        "Have the user's account in the organisation's administration checked.",
    )
    .with_evidence(format!(
        "{}: refused, {}",
        url.host,
        code.unwrap_or_else(|| "no code".into())
    ))
}

fn bad_cas(cas: &str) -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::Admin,
        format!("The cloud's sign-in address \"{cas}\" is no web address."),
        "Correct it in manual setup or in the service profile; it begins with https://.",
    )
}

fn no_chat() -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::Server,
        "The cloud let the user in and names no chat server and address.",
        "Try again later; if it stays so, have the account checked in the organisation's administration.",
    )
}

fn phone_password_wanted(voice: &[Target]) -> Problem {
    let host = voice.first().map(|target| target.host.as_str()).unwrap_or_default();
    Problem::new(
        Area::Authentication,
        Owner::User,
        format!(
            "The phone's server {host} wants a user name and password of its own; the browser's sign-in is for chat alone."
        ),
        "Enter the phone's user name and password.",
    )
}

#[cfg(test)]
mod tests {
    use super::{is_of, login_url, service_url};

    #[track_caller]
    fn check(cas: &str, expected: &str) {
        assert_eq!(login_url(cas).map(|url| url.to_string()).as_deref(), Some(expected), "{cas}");
    }

    #[test]
    fn the_password_goes_beside_the_look_up_and_under_tls() {
        let usual = "https://loginp.webexconnect.com:443/cas/auth.do";
        check("https://loginp.webexconnect.com/cas/FederatedSSO", usual);
        check("http://loginp.webexconnect.com/cas/FederatedSSO?org=example.com", usual);
        check("loginp.webexconnect.com", usual);
        check("https://cas.example.com:8443/x/auth.do", "https://cas.example.com:8443/x/auth.do");
        check("http://127.0.0.1:4711/cas/", "https://127.0.0.1:4711/cas/auth.do");
        assert!(login_url("ftp://x/").is_none());
    }

    #[test]
    fn only_hosts_of_the_cloud_itself_are_believed_from_links_and_records() {
        let cas = "https://loginp.webexconnect.com/cas/FederatedSSO";
        assert!(is_of("isj6cmx.WebexConnect.com", cas));
        for other in ["webexconnect.com.example.net", "example.com", "com", ""] {
            assert!(!is_of(other, cas), "{other}");
        }
    }

    #[test]
    fn the_service_has_no_scheme_and_gets_one() {
        let read = |text| service_url(text).map(|url| url.to_string());
        let usual = Some("https://swapi.example.com:443/wbxconnect/op.do".to_owned());
        assert_eq!(read("swapi.example.com/wbxconnect"), usual);
        assert_eq!(read("http://swapi.example.com/wbxconnect/"), usual);
        assert_eq!(read("https://swapi.example.com/wbxconnect/op.do"), usual);
        assert_eq!(read("a b"), None);
    }
}
