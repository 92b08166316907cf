//! The user's desktop phone among the devices that user data services list (reference
//! device-config.md section 1).

use offhook_config::{Device, DeviceSummary, HttpUrl, read_device, read_devices};
use offhook_model::{DeskPhone, Problem, Service as Kind};
use offhook_ports::HttpRequest;

use crate::files::FileServer;
use crate::flow::{Failure, Flow, Purpose, encode, https};
use crate::uds::Account;

/// The model of a desktop client; names are free text.
const CSF_MODEL: &str = "Cisco Unified Client Services Framework";

/// Only the model decides what a device is for.
pub(crate) fn is_desktop_phone(model: &str) -> bool {
    model.trim().eq_ignore_ascii_case(CSF_MODEL)
}

/// A phone made of hardware: no program, neither on a desktop nor on a mobile phone or tablet.
fn is_on_a_desk(model: &str) -> bool {
    let model = model.to_ascii_lowercase();
    let programs = ["client services", "dual mode", "jabber", "communicator", "carrier", "remote"];
    !programs.iter().any(|program| model.contains(program))
}

fn on_desk(device: &DeviceSummary) -> DeskPhone {
    DeskPhone { device: device.name.clone(), model: device.model.clone() }
}

/// The phone and those on the user's desk, or why the user has none.
pub(crate) async fn find(
    flow: &Flow<'_>,
    account: &Account<'_>,
) -> Result<Result<(DeviceSummary, Vec<DeskPhone>), Problem>, Failure> {
    let purpose = Purpose { step: "devices", service: Kind::Uds, why: "the user's phones" };
    let url = https(account.node, format!("/cucm-uds/user/{}/devices", encode(account.user_id)));
    let request = HttpRequest::get(url.to_string())
        .with_basic(account.user_id, &account.credentials.password);
    let is_ours = |device: &DeviceSummary| is_desktop_phone(&device.model);
    let show = |devices: &Vec<DeviceSummary>| match devices.iter().find(|device| is_ours(device)) {
        Some(device) => format!("desktop phone {}, devices in all: {}", device.name, devices.len()),
        None => format!("no desktop phone, devices in all: {}", devices.len()),
    };
    let devices = flow.ask(purpose, &url, request, read_devices, show).await?;
    let models = devices.iter().map(|device| device.model.clone()).collect::<Vec<_>>();
    let desk = devices.iter().filter(|device| is_on_a_desk(&device.model)).map(on_desk).collect();
    let ours = devices.into_iter().find(is_ours);
    let ours = ours.map(|ours| (ours, desk));
    Ok(ours.ok_or_else(|| no_phone(account.user_id, &account.credentials.username, &models)))
}

/// Why there is no phone (D18): the likeliest of its causes by what can be seen.
pub(crate) fn no_phone(user: &str, typed: &str, models: &[String]) -> Problem {
    let problem = Problem::no_device(user);
    let seen = match models {
        [] => "no device is associated with the user".to_owned(),
        models => format!("devices of the user: {}", models.join(", ")),
    };
    let problem = if typed != user && typed.eq_ignore_ascii_case(user) {
        Problem {
            cause: format!(
                "No desktop phone (CSF device) is found for {typed}: the server spells the user id {user}, and upper and lower case count."
            ),
            remedy: format!(
                "Sign in as {user}; if the phone is still missing, have its owner and association spelt the same way."
            ),
            coded: None,
            ..problem
        }
    } else if models.is_empty() {
        Problem {
            cause: format!(
                "No desktop phone (CSF device) is set up for {user}: no device at all is associated with the user."
            ),
            coded: None,
            ..problem
        }
    } else {
        problem
    };
    problem.with_evidence(seen)
}

/// Addresses of the configuration file. The resource is asked on the node that signed us in,
/// whatever host its address names: the password goes nowhere else.
pub(crate) async fn files(
    flow: &Flow<'_>,
    account: &Account<'_>,
    summary: &DeviceSummary,
) -> Result<Vec<HttpUrl>, Failure> {
    let usual = || {
        let server = FileServer::named(&account.node.host);
        server.map(|server| server.url(&file_name(&summary.name))).into_iter().collect::<Vec<_>>()
    };
    let of_uri = || {
        let url = HttpUrl::parse(summary.uri.as_deref()?)?;
        url.path.starts_with("/cucm-uds/").then_some(url.path)
    };
    let of_id = || {
        let id = summary.id.as_deref()?;
        Some(format!("/cucm-uds/user/{}/device/{}", encode(account.user_id), encode(id)))
    };
    let Some(path) = of_uri().or_else(of_id) else { return Ok(usual()) };
    let url = https(account.node, path);
    let request = HttpRequest::get(url.to_string())
        .with_basic(account.user_id, &account.credentials.password);
    let purpose = Purpose { step: "device", service: Kind::Uds, why: "where the phone's file is" };
    let show = |device: &Device| match device.files.as_slice() {
        [] => "no file is named; the usual place is tried".to_owned(),
        files => files.join(", "),
    };
    let device = flow.ask(purpose, &url, request, read_device, show).await?;
    let files: Vec<HttpUrl> = device.files.iter().filter_map(|uri| HttpUrl::parse(uri)).collect();
    Ok(if files.is_empty() { usual() } else { files })
}

/// A name with a slash would name another folder.
pub(crate) fn file_name(device: &str) -> String {
    format!("{}.cnf.xml", device.replace('/', "_"))
}

#[cfg(test)]
mod tests {
    use offhook_model::Rule;

    use super::no_phone;

    #[track_caller]
    fn check(typed: &str, models: &[&str], words: &str) {
        let models: Vec<String> = models.iter().map(|&model| model.to_owned()).collect();
        let problem = no_phone("alice", typed, &models);
        assert_eq!(problem.rule, Some(Rule(18)));
        assert!(problem.cause.contains(words), "{}", problem.cause);
    }

    #[test]
    fn the_causes_of_a_missing_phone_are_told_apart() {
        check("alice", &[], "no device at all");
        check("alice", &["Cisco 7965"], "No desktop phone (CSF device) is set up for alice.");
        check("ALICE", &[], "the server spells the user id alice");
        check("bob", &["Cisco 7965"], "is set up for alice.");
    }
}
