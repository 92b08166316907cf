//! The device list of Communications Manager 8.x (reference device-config.md section 4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use offhook_config::{Answered, CcmcipDevice, HttpUrl, read_device_list};
use offhook_model::{Area, Fault, Outcome, Owner, Problem, Secret, Service as Kind};
use offhook_ports::{HttpRequest, HttpResponse, Target};
use quick_xml::escape::escape;

use crate::Credentials;
use crate::flow::{Failure, Flow, Purpose, https, judge, most_important};

const PATH: &str = "/ccmcip/Personalization";
pub(crate) const PORT: u16 = 8443;
/// At most so many redirects are followed, on one host.
const REDIRECTS: usize = 3;

/// No list.
pub(crate) struct NoList {
    pub(crate) problem: Problem,
    /// The server that refused name and password.
    pub(crate) refused_by: Option<String>,
}

/// The user's devices, and the server that knew them. Servers are asked in order; one that refuses
/// the password ends it, for the others would count the attempt as well.
pub(crate) async fn devices<'a>(
    flow: &Flow<'_>,
    servers: &'a [Target],
    credentials: &Credentials,
) -> Result<(Vec<CcmcipDevice>, &'a Target), NoList> {
    let mut failures = vec![];
    for server in servers {
        match of_server(flow, server, credentials).await {
            Ok(devices) => return Ok((devices, server)),
            Err(failure) if failure.fault == Fault::BadCredentials => {
                let refused_by = Some(server.host.clone());
                return Err(NoList { problem: failure.problem(), refused_by });
            }
            Err(failure) => failures.push(failure),
        }
    }
    let problem = most_important(failures).map_or_else(no_server, |(problem, _)| problem);
    Err(NoList { problem, refused_by: None })
}

/// The password goes out encoded in base64 once more than usual; only a server that refuses that
/// is shown it the usual way (inferred for servers that were put right).
async fn of_server(
    flow: &Flow<'_>,
    server: &Target,
    credentials: &Credentials,
) -> Result<Vec<CcmcipDevice>, Failure> {
    let username = &credentials.username;
    let twisted = Secret::new(STANDARD.encode(credentials.password.expose()));
    match ask(flow, server, username, &twisted).await {
        Err(Failure { fault: Fault::BadCredentials, .. }) => {
            ask(flow, server, username, &credentials.password).await
        }
        other => other,
    }
}

enum Answer {
    Devices(Vec<CcmcipDevice>),
    Elsewhere(HttpUrl),
}

async fn ask(
    flow: &Flow<'_>,
    server: &Target,
    username: &str,
    password: &Secret<String>,
) -> Result<Vec<CcmcipDevice>, Failure> {
    let purpose = Purpose {
        step: "deviceList",
        service: Kind::Uds,
        why: "the user's phones, from a server without user data services",
    };
    let body = format!("<getDevices><user>{}</user></getDevices>", escape(username));
    let mut url = https(server, PATH.to_owned());
    for _ in 0..=REDIRECTS {
        let request = HttpRequest::post(url.to_string(), "text/xml", body.clone().into_bytes())
            .with_basic(username, password);
        let read = |response: &HttpResponse| read(response, server);
        match flow.exchange(purpose, &url, request, read, show).await? {
            Answer::Devices(devices) => return Ok(devices),
            Answer::Elsewhere(there) => url = there,
        }
    }
    let fault = Fault::Nonsense("it sends us in a circle".to_owned());
    Err(Failure { at: server.endpoint(Kind::Uds), fault })
}

/// A redirect is followed on the same host and under TLS only: the password goes nowhere else.
fn read(response: &HttpResponse, server: &Target) -> Result<Answer, Fault> {
    if (300..=399).contains(&response.status) {
        let there = response.header("location").and_then(HttpUrl::parse);
        let safe = |url: &HttpUrl| url.secure && url.host.eq_ignore_ascii_case(&server.host);
        return there.filter(safe).map(Answer::Elsewhere).ok_or(Fault::Html);
    }
    judge(response)?;
    match read_device_list(&response.body) {
        Ok(Answered::Success(devices)) => Ok(Answer::Devices(devices)),
        Ok(Answered::Refused(_)) => Err(Fault::BadCredentials),
        Err(error) => Err(error.fault()),
    }
}

fn show(answer: &Answer) -> (String, Outcome) {
    match answer {
        Answer::Devices(devices) => (format!("devices in all: {}", devices.len()), Outcome::Won),
        Answer::Elsewhere(_) => ("sent elsewhere on the same host".to_owned(), Outcome::Lost),
    }
}

fn no_server() -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::Admin,
        "No server is named that could tell the user's phone.",
        "Name the CCMCIP or TFTP server in manual setup, or in the configuration of IM and Presence.",
    )
}
