//! Communications Manager before 9.0 in phone mode: the device list names the phone, the TFTP server
//! has its file (reference device-config.md sections 1 and 4).

use offhook_config::Layers;
use offhook_model::{Area, Authenticator, ManualAccount, Problem, ProductMode, Via};
use offhook_ports::Target;

use crate::ccmcip;
use crate::device::{file_name, is_desktop_phone, no_phone};
use crate::files::{FileServer, in_order};
use crate::flow::{Flow, place};
use crate::phone::{self, Holder, Phone};
use crate::{Credentials, Grant, People, Request, Service, mode, uds};

/// Signs in with the servers that settings name, after user data services did not answer.
pub(crate) async fn sign_in(
    flow: &Flow<'_>,
    request: &Request,
    servers: &ManualAccount,
    silence: Problem,
) -> Result<Grant, Problem> {
    flow.doing("Looking for your phone");
    let lists =
        list_servers([&servers.ccmcip, &servers.server].into_iter().flatten(), &servers.tftp);
    let tftp = servers.tftp.iter().chain(&request.preset.tftp);
    let found = find(flow, &lists, &request.credentials).await.map_err(|failed| {
        let told =
            failed.problem.area == Area::Authentication || failed.problem.area <= silence.area;
        if told {
            flow.warn(silence);
            failed.problem
        } else {
            flow.warn(failed.problem);
            silence
        }
    })?;
    let files = file_servers(tftp, found.told_by.as_ref());
    let holder = Holder {
        user_id: &request.credentials.username,
        display_name: None,
        voicemail_pilot: None,
        via: Via::Direct,
    };
    let phone = of_found(flow, found, &files, holder);
    let (phone, layers) = uds::desk(flow, request, &files, phone).await;
    if !mode::wanted(&request.preset, &Layers::new(layers.iter().cloned()), true).phone {
        return Err(mode::nothing_wanted());
    }
    let plan = match phone.service {
        Service::Ready(plan) => plan,
        Service::Failed(problem) => return Err(problem),
        Service::NotConfigured => {
            let none = || Problem::no_device(&request.credentials.username);
            return Err(phone.missing.unwrap_or_else(none));
        }
    };
    Ok(Grant {
        authenticator: Authenticator::Cucm,
        mode: ProductMode::PhoneOnly,
        via: Via::Direct,
        username: request.credentials.username.clone(),
        display_name: plan.display_name.clone(),
        number: Some(plan.user.clone()),
        im: Service::NotConfigured,
        phone: Service::Ready(plan),
        layers,
        edge: None,
        restrictions: vec![],
        renewal: None,
        people: People::default(),
    })
}

/// A phone by its name, or why there is none.
pub(crate) struct Found {
    device: Result<String, Problem>,
    told_by: Option<Target>,
}

/// Looks for the phone in the device list.
pub(crate) async fn find(
    flow: &Flow<'_>,
    servers: &[Target],
    credentials: &Credentials,
) -> Result<Found, ccmcip::NoList> {
    let (devices, told_by) = ccmcip::devices(flow, servers, credentials).await?;
    let username = &credentials.username;
    let models: Vec<String> = devices.iter().map(|device| device.model.clone()).collect();
    let ours = devices.into_iter().find(|device| is_desktop_phone(&device.model));
    let device = ours.map(|device| device.name);
    Ok(Found {
        device: device.ok_or_else(|| no_phone(username, username, &models)),
        told_by: Some(told_by.clone()),
    })
}

/// The phone that was found, with its file.
pub(crate) async fn of_found(
    flow: &Flow<'_>,
    found: Found,
    servers: &[FileServer],
    holder: Holder<'_>,
) -> Phone {
    match found.device {
        Ok(device) => {
            let files = servers.iter().map(|server| server.url(&file_name(&device))).collect();
            phone::of_files(flow, &device, files, holder).await
        }
        Err(problem) => Phone::missing(Some(problem)),
    }
}

/// Servers of the device list, each host once: those named for it, then the TFTP servers, which
/// mostly are the same hosts. A port that a TFTP server is named with is that of its files.
pub(crate) fn list_servers<'a>(
    named: impl IntoIterator<Item = &'a String>,
    tftp: impl IntoIterator<Item = &'a String>,
) -> Vec<Target> {
    let named = named.into_iter().filter_map(|text| place(text, ccmcip::PORT));
    let tftp = tftp.into_iter().filter_map(|text| place(text, ccmcip::PORT));
    let tftp = tftp.map(|place| Target { port: ccmcip::PORT, ..place });
    let mut servers: Vec<Target> = vec![];
    for place in named.chain(tftp) {
        if !servers.iter().any(|known| known.host.eq_ignore_ascii_case(&place.host)) {
            servers.push(place);
        }
    }
    servers
}

/// TFTP servers in the order to try; who knew the devices mostly is one too.
pub(crate) fn file_servers<'a>(
    named: impl Iterator<Item = &'a String>,
    told_by: Option<&Target>,
) -> Vec<FileServer> {
    let named = named.filter_map(|text| FileServer::named(text));
    let told = told_by.and_then(|target| FileServer::named(&target.host));
    in_order(named.chain(told))
}
