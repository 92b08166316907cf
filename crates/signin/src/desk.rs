//! Telling a phone on the desk to call, by WebDialer (vendor's developer guide of WebDialer, SOAP
//! interface). The password goes only to a cluster that says that the user is its own.

use offhook_config::{DialerAnswer, HttpUrl, XmlError, read_dialer_answer, read_is_cluster_user};
use offhook_model::{Area, Fault, Owner, Problem, Service as Kind};
use offhook_ports::{DeskControl, DeskOrder, HttpRequest, HttpResponse};
use quick_xml::escape::escape;

use crate::flow::{Failure, Flow, Purpose, https, judge};

const PATH: &str = "/webdialer/services/WebdialerSoapService70";
const SOAP: &str = "text/xml; charset=utf-8";

/// Does what is asked; the number of the line that was used.
pub(crate) async fn carry_out(
    flow: &Flow<'_>,
    control: &DeskControl,
    order: &DeskOrder,
) -> Result<Option<String>, Problem> {
    match order {
        DeskOrder::Check { device } => line_of(flow, control, device).await,
        DeskOrder::Dial { device, line, to, .. } => {
            let line = match line {
                Some(line) => Some(line.clone()),
                None => line_of(flow, control, device).await?,
            };
            let body = format!(
                "<urn:makeCallSoap>{}<in1>{}</in1>{}</urn:makeCallSoap>",
                credential(control),
                escape(to),
                profile("in2", control, device, line.as_deref())
            );
            ask(flow, control, "makeCall", body).await?;
            Ok(line)
        }
        DeskOrder::End { device, line, .. } => {
            let body = format!(
                "<urn:endCallSoap>{}{}</urn:endCallSoap>",
                credential(control),
                profile("in1", control, device, line.as_deref())
            );
            ask(flow, control, "endCall", body).await?;
            Ok(line.clone())
        }
    }
}

/// The first line of the phone, if the service can make it call.
async fn line_of(
    flow: &Flow<'_>,
    control: &DeskControl,
    device: &str,
) -> Result<Option<String>, Problem> {
    if !is_home(flow, control).await? {
        return Err(Problem::new(
            Area::Provisioning,
            Owner::Admin,
            format!("WebDialer of {} does not know this user.", control.server.host),
            "Have WebDialer activated in the cluster where the user is at home.",
        ));
    }
    let body = format!(
        "<urn:getProfileSoap>{}<in1>{}</in1></urn:getProfileSoap>",
        credential(control),
        escape(control.user.as_str())
    );
    let answer = ask(flow, control, "dialerPhones", body).await?;
    let phone = answer.phones.into_iter().find(|phone| phone.device == device);
    let phone = phone.ok_or_else(|| {
        Problem::new(
            Area::Provisioning,
            Owner::Admin,
            format!(
                "{device} cannot be told to call: WebDialer does not list it among your phones."
            ),
            "Have CTI control allowed for the phone, and the phone associated with the user.",
        )
    })?;
    Ok(phone.lines.into_iter().next())
}

async fn is_home(flow: &Flow<'_>, control: &DeskControl) -> Result<bool, Problem> {
    let body = format!(
        "<urn:isClusterUserSoap><in0>{}</in0></urn:isClusterUserSoap>",
        escape(control.user.as_str())
    );
    let show = |home: &bool| format!("at home there: {home}");
    let asked = send(flow, control, "clusterUser", body, read_is_cluster_user, show).await;
    asked.map_err(|failure| unreachable(control, &failure))
}

async fn ask(
    flow: &Flow<'_>,
    control: &DeskControl,
    step: &'static str,
    body: String,
) -> Result<DialerAnswer, Problem> {
    let show = |answer: &DialerAnswer| format!("code {}", answer.code);
    let asked = send(flow, control, step, body, read_dialer_answer, show).await;
    let answer = asked.map_err(|failure| unreachable(control, &failure))?;
    match answer.code {
        0 => Ok(answer),
        code => Err(refused(control, code)),
    }
}

async fn send<T>(
    flow: &Flow<'_>,
    control: &DeskControl,
    step: &'static str,
    body: String,
    read: impl Fn(&[u8]) -> Result<T, XmlError>,
    show: impl Fn(&T) -> String,
) -> Result<T, Failure> {
    let url: HttpUrl = https(&control.server, PATH.to_owned());
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope \
         xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:urn=\"urn:WD70\">\
         <soapenv:Header/><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    );
    let request = HttpRequest::post(url.to_string(), SOAP, body.into_bytes());
    let purpose = Purpose { step, service: Kind::Uds, why: "the phone on the desk" };
    let read = |response: &HttpResponse| {
        judge(response).and_then(|()| read(&response.body).map_err(|error| error.fault()))
    };
    let verdict = |value: &T| (show(value), offhook_model::Outcome::Won);
    flow.exchange(purpose, &url, request, read, verdict).await
}

fn credential(control: &DeskControl) -> String {
    format!(
        "<in0><userID>{}</userID><password>{}</password></in0>",
        escape(control.user.as_str()),
        escape(control.password.expose().as_str())
    )
}

fn profile(name: &str, control: &DeskControl, device: &str, line: Option<&str>) -> String {
    format!(
        "<{name}><user>{}</user><deviceName>{}</deviceName><lineNumber>{}</lineNumber></{name}>",
        escape(control.user.as_str()),
        escape(device),
        escape(line.unwrap_or_default())
    )
}

/// A node on which the service is not activated answers as for any page that is not there.
fn unreachable(control: &DeskControl, failure: &Failure) -> Problem {
    let host = &control.server.host;
    match &failure.fault {
        Fault::Status(404 | 503) | Fault::Html => Problem::new(
            Area::Provisioning,
            Owner::Admin,
            format!(
                "Phones on the desk cannot be told to call: WebDialer is not running on {host}."
            ),
            "Have the WebDialer service activated there (Unified Serviceability, Service Activation).",
        ),
        _ => failure.problem(),
    }
}

/// The result codes of the service.
fn refused(control: &DeskControl, code: u32) -> Problem {
    let host = &control.server.host;
    let (area, owner, why, remedy) = match code {
        2 => (
            Area::Authentication,
            Owner::User,
            "it did not take your user name and password",
            "Sign out, and in again with the password of Communications Manager.",
        ),
        3 | 4 => (
            Area::Provisioning,
            Owner::Admin,
            "it may not act for this user, or did not find the user",
            "Have the rights of the user for WebDialer and CTI checked.",
        ),
        5 => (
            Area::Provisioning,
            Owner::Admin,
            "no such phone or line is set up for you",
            "Have the phone associated with the user, and CTI control allowed for it.",
        ),
        6 | 9 => (
            Area::Network,
            Owner::Server,
            "it is not available or has too much to do",
            "Try again in a minute.",
        ),
        7 => (Area::Registration, Owner::User, "the number cannot be reached", "Check the number."),
        _ => (
            Area::Registration,
            Owner::Server,
            "the phone did not do it; it may be off or in use",
            "Look at the phone, and try again.",
        ),
    };
    Problem::new(area, owner, format!("WebDialer of {host} refused: {why} ({code})."), remedy)
}
