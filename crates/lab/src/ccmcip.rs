//! The device list of CUCM 8 (reference page device-config section 4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::deployment::{Deployment, Person};
use crate::fault::Fault;
use crate::http::{Request, Response};
use crate::scenario::Scenario;
use crate::uds::{DESK_MODEL, MODEL};
use crate::xml::{escape, parse};

/// Answers `POST /ccmcip/Personalization`.
pub(crate) fn answer(lab: &Deployment, request: &Request) -> Response {
    if request.method != "POST" {
        return Response::html(405);
    }
    let Some(person) = asker(lab, request) else { return refusal(lab) };
    let text = String::from_utf8_lossy(&request.body);
    let wanted = parse(&text, "").ok().filter(|root| root.local() == "getDevices");
    let Some(user) = wanted.and_then(|root| root.child_text("user")) else {
        return Response::html(400);
    };
    if !user.trim().eq_ignore_ascii_case(&person.name) {
        return refusal(lab);
    }
    let rows: String = devices(lab, person)
        .into_iter()
        .map(|(name, model)| {
            format!(
                "<device><name>{}</name><description>{}</description><model>{model}</model></device>",
                escape(&name),
                escape(&person.display_name),
            )
        })
        .collect();
    Response::xml(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><devices>{rows}</devices>"))
}

/// The devices associated with a person: name and model.
pub(crate) fn devices(lab: &Deployment, person: &Person) -> Vec<(String, &'static str)> {
    if !lab.scenario.has_phones() || lab.faults.has(Fault::NoDevice) {
        return vec![];
    }
    let mut out = vec![(person.desk_phone(), DESK_MODEL)];
    if !lab.faults.has(Fault::NotAssociated) {
        out.push((person.device.clone(), MODEL));
    }
    out
}

/// The password comes in base64 inside the credentials, which are in base64 themselves; newer
/// servers take it plain as well.
fn asker<'a>(lab: &'a Deployment, request: &Request) -> Option<&'a Person> {
    let (user, password) = request.basic()?;
    let inner = STANDARD.decode(&password).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    inner.and_then(|inner| lab.check_password(&user, &inner)).or_else(|| {
        let takes_plain = lab.scenario != Scenario::Cup8;
        lab.check_password(&user, &password).filter(|_| takes_plain)
    })
}

/// Releases of that time refuse with 200 and a page that says 401.
fn refusal(lab: &Deployment) -> Response {
    let page = Response::html(401);
    if lab.scenario == Scenario::Cup8 {
        return Response { status: 200, ..page };
    }
    page.with("WWW-Authenticate", "Basic realm=\"Cisco Web Services Realm\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::tests::scenario;

    fn post(kind: Scenario, credentials: &str, user: &str) -> (u16, String) {
        let encoded = STANDARD.encode(credentials);
        let head =
            format!("POST /ccmcip/Personalization HTTP/1.1\r\nAuthorization: Basic {encoded}");
        let mut request = crate::http::parse_head(&head).unwrap();
        request.body = format!("<getDevices><user>{user}</user></getDevices>").into_bytes();
        let reply = answer(&scenario(kind, &[]), &request);
        (reply.status, String::from_utf8(reply.body).unwrap())
    }

    #[test]
    fn the_list_needs_the_password_in_base64() {
        let (status, list) = post(Scenario::Cup8, "alice:c2VjcmV0", "alice");
        assert_eq!(status, 200);
        assert!(list.contains("<name>CSFALICE</name>") && list.contains(MODEL), "{list}");
        assert!(list.contains(DESK_MODEL), "{list}");
        let (_, refused) = post(Scenario::Cup8, "alice:secret", "alice");
        assert!(refused.contains("HTTP Status 401"), "{refused}");
        let (status, _) = post(Scenario::OnPrem, "alice:secret", "alice");
        assert_eq!(status, 200);
    }

    #[test]
    fn a_refusal_of_an_old_server_is_a_page_with_200() {
        let (status, page) = post(Scenario::Cup8, "alice:d3Jvbmc=", "alice");
        assert!(status == 200 && page.contains("HTTP Status 401"));
        let (status, _) = post(Scenario::OnPrem, "alice:d3Jvbmc=", "alice");
        assert_eq!(status, 401);
        let (_, page) = post(Scenario::Cup8, "alice:c2VjcmV0", "carol");
        assert!(page.contains("HTTP Status 401"));
    }
}
