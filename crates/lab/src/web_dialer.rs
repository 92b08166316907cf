//! WebDialer of the call manager: SOAP requests that let a phone on the desk call (vendor's developer
//! guide of WebDialer). Answers put values into elements of their own, as Axis does.

use crate::deployment::{Deployment, Person};
use crate::http::{Request, Response};
use crate::sip::nodes::{Phone, Word};
use crate::xml::{Element, escape, parse};

const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// Where the service is.
pub(crate) const PATH: &str = "/webdialer/services/WebdialerSoapService70";

pub(crate) fn answer(lab: &Deployment, request: &Request) -> Response {
    if !lab.config.sip.web_dialer {
        return Response::html(404);
    }
    if request.method != "POST" {
        return Response::html(405);
    }
    let text = String::from_utf8_lossy(&request.body);
    let Ok(envelope) = parse(&text, "") else { return Response::html(500) };
    let body = envelope.find("Body", ENVELOPE);
    let Some(call) = body.and_then(|body| body.elements().next()) else {
        return Response::html(500);
    };
    if call.local() == "isClusterUserSoap" {
        let user = call.child_text("in0").unwrap_or_default();
        let known = lab.person(user.trim()).is_some_and(|person| person.robot.is_none());
        return wrapped(
            call,
            &format!("<isClusterUserSoapReturn>{known}</isClusterUserSoapReturn>"),
        );
    }
    match outcome(lab, call) {
        Ok(inner) => told(call, 0, "Success", &inner),
        Err((code, words)) => told(call, code, words, ""),
    }
}

type Refusal = (u32, &'static str);

fn outcome(lab: &Deployment, call: &Element) -> Result<String, Refusal> {
    let person = asker(lab, call)?;
    match call.local() {
        "getProfileSoap" => Ok(format!(
            "<deviceName>{}</deviceName><lines><item>{} ; no partition</item></lines>",
            person.desk_phone(),
            escape(&person.number)
        )),
        "makeCallSoap" => {
            let to = call.child_text("in1").unwrap_or_default().trim().to_owned();
            if to.is_empty() || !to.chars().all(|c| c.is_ascii_digit() || "*#+".contains(c)) {
                return Err((7, "Destination cannot be reached"));
            }
            let phone = at_desk(call, "in2", person)?;
            tell(lab, Word::Dial(phone, to))
        }
        "endCallSoap" => {
            let phone = at_desk(call, "in1", person)?;
            tell(lab, Word::HangUp(phone))
        }
        _ => Err((8, "Service error")),
    }
}

fn asker<'a>(lab: &'a Deployment, call: &Element) -> Result<&'a Person, Refusal> {
    let credential = call.elements().find(|it| it.local() == "in0");
    let part = |name| credential.and_then(|it| it.child_text(name)).unwrap_or_default();
    let person = lab.check_password(part("userID").trim(), &part("password"));
    person.ok_or((2, "User authentication error"))
}

/// The phone that is named, with its line.
fn at_desk(call: &Element, name: &str, person: &Person) -> Result<Phone, Refusal> {
    let profile = call.elements().find(|it| it.local() == name);
    let part = |name| profile.and_then(|it| it.child_text(name)).unwrap_or_default();
    let right = part("deviceName") == person.desk_phone() && part("lineNumber") == person.number;
    let missing = "No device is configured for the user or missing parameters exist in the request";
    right.then(|| Phone { user: person.name.clone(), desk: true }).ok_or((5, missing))
}

fn tell(lab: &Deployment, word: Word) -> Result<String, Refusal> {
    if !lab.config.sip.desk_phones {
        return Err((1, "Call failure error"));
    }
    lab.sip_nodes.tell(word).map(|()| String::new()).map_err(|_| (8, "Service error"))
}

fn told(call: &Element, code: u32, words: &str, inner: &str) -> Response {
    let name = escape(call.local());
    let list = match inner {
        "" => String::new(),
        _ => "<deviceInfoList><item href=\"#id1\"/></deviceInfoList>".to_owned(),
    };
    let phone = match inner {
        "" => String::new(),
        inner => format!("<multiRef id=\"id1\">{inner}</multiRef>"),
    };
    envelope(&format!(
        "<ns1:{name}Response xmlns:ns1=\"urn:WD70\"><{name}Return href=\"#id0\"/></ns1:{name}Response>\
         <multiRef id=\"id0\"><responseDescription>{words}</responseDescription>{list}\
         <responseCode href=\"#id2\"/></multiRef><multiRef id=\"id2\">{code}</multiRef>{phone}"
    ))
}

fn wrapped(call: &Element, inner: &str) -> Response {
    let name = escape(call.local());
    envelope(&format!("<ns1:{name}Response xmlns:ns1=\"urn:WD70\">{inner}</ns1:{name}Response>"))
}

fn envelope(body: &str) -> Response {
    Response::xml(format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><soapenv:Envelope \
         xmlns:soapenv=\"{ENVELOPE}\"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    ))
}
