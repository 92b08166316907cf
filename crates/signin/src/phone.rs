//! From the user to the phone: devices, device, configuration file (reference device-config.md).

use offhook_config::{
    Device, DeviceFile, DeviceSummary, HttpUrl, Line, SecurityMode, Transport, read_device,
    read_device_file, read_devices,
};
use offhook_model::{Area, Fault, Link, Owner, Problem, Service as Kind, Via};
use offhook_ports::{HttpRequest, PhoneAccount, PhoneDialect, SipServer};

use crate::Service;
use crate::flow::{Failure, Flow, Purpose, encode, https, most_important};
use crate::uds::Account;

/// The model of a desktop client (reference device-config.md section 1); names are free text.
const CSF_MODEL: &str = "Cisco Unified Client Services Framework";
/// Its model number in Contact headers.
const CSF_MODEL_NUMBER: u16 = 503;
/// Where the TFTP service answers HTTP.
const FILE_PORT: u16 = 6970;

/// All that is needed to register, or why there is nothing to register.
pub(crate) async fn prepare(flow: &Flow<'_>, account: &Account<'_>) -> Service<PhoneAccount> {
    let summary = match find_device(flow, account).await {
        Ok(Some(summary)) => summary,
        Ok(None) => {
            flow.warn(Problem::no_device(account.user_id));
            return Service::NotConfigured;
        }
        Err(failure) => return Service::Failed(failure.problem()),
    };
    let files = match device_files(flow, account, &summary).await {
        Ok(files) => files,
        Err(failure) => return Service::Failed(failure.problem()),
    };
    match fetch_file(flow, files).await {
        Ok((file, at)) => match phone_account(&summary.name, file, account, &at) {
            Ok(plan) => Service::Ready(plan),
            Err(problem) => Service::Failed(problem),
        },
        Err(problem) => Service::Failed(problem),
    }
}

async fn find_device(
    flow: &Flow<'_>,
    account: &Account<'_>,
) -> Result<Option<DeviceSummary>, Failure> {
    let purpose = Purpose { step: "devices", service: Kind::Uds, why: "the user's phones" };
    let url = https(account.node, format!("/cucm-uds/user/{}/devices", encode(account.user_id)));
    let request = HttpRequest::get(url.to_string())
        .with_basic(account.user_id, &account.credentials.password);
    let is_ours = |device: &DeviceSummary| device.model.trim().eq_ignore_ascii_case(CSF_MODEL);
    let show = |devices: &Vec<DeviceSummary>| match devices.iter().find(|device| is_ours(device)) {
        Some(device) => format!("desktop phone {}, devices in all: {}", device.name, devices.len()),
        None => format!("no desktop phone, devices in all: {}", devices.len()),
    };
    let devices = flow.ask(purpose, &url, request, read_devices, show).await?;
    Ok(devices.into_iter().find(is_ours))
}

/// Addresses of the configuration file. The resource is asked on the node that signed us in,
/// whatever host its address names: the password goes nowhere else.
async fn device_files(
    flow: &Flow<'_>,
    account: &Account<'_>,
    summary: &DeviceSummary,
) -> Result<Vec<HttpUrl>, Failure> {
    let usual = HttpUrl {
        secure: false,
        host: account.node.host.clone(),
        port: FILE_PORT,
        path: format!("/{}.cnf.xml", encode(&summary.name)),
    };
    let of_uri = || {
        let url = HttpUrl::parse(summary.uri.as_deref()?)?;
        url.path.starts_with("/cucm-uds/").then_some(url.path)
    };
    let of_id = || {
        let id = summary.id.as_deref()?;
        Some(format!("/cucm-uds/user/{}/device/{}", encode(account.user_id), encode(id)))
    };
    let Some(path) = of_uri().or_else(of_id) else { return Ok(vec![usual]) };
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
    Ok(if files.is_empty() { vec![usual] } else { files })
}

async fn fetch_file(
    flow: &Flow<'_>,
    files: Vec<HttpUrl>,
) -> Result<(DeviceFile, HttpUrl), Problem> {
    let purpose = Purpose {
        step: "deviceFile",
        service: Kind::DeviceFile,
        why: "names the call servers, line, ports and code points",
    };
    let mut failures = vec![];
    for url in files.into_iter().take(8) {
        let request = HttpRequest::get(url.to_string());
        match flow.ask(purpose, &url, request, read_device_file, show_file).await {
            Ok(file) => return Ok((file, url)),
            Err(failure) => failures.push(failure),
        }
    }
    let missing = || {
        Problem::new(
            Area::Provisioning,
            Owner::Admin,
            "The phone has no configuration file.",
            "Have the device checked.",
        )
    };
    Err(most_important(failures).map_or_else(missing, |(problem, _)| problem))
}

fn show_file(file: &DeviceFile) -> String {
    let hosts: Vec<_> = file.members.iter().map(|member| member.host.as_str()).collect();
    format!("lines: {}, call servers {}", file.lines.len(), hosts.join(", "))
}

fn phone_account(
    device: &str,
    file: DeviceFile,
    account: &Account<'_>,
    at: &HttpUrl,
) -> Result<PhoneAccount, Problem> {
    match (file.security, account.via) {
        // The edge's own certificate stands in for the phone's (reference device-config.md section 5).
        (SecurityMode::NonSecure, _) | (_, Via::Edge) => {}
        (SecurityMode::Authenticated | SecurityMode::Encrypted, Via::Direct) => {
            return Err(secure(device));
        }
    }
    let servers: Vec<SipServer> = file
        .members
        .iter()
        .map(|member| {
            let (link, port) = match file.transport {
                Transport::Tcp => (Link::Tcp, member.sip_port),
                Transport::Udp => (Link::Udp, member.sip_port),
                Transport::Tls => (Link::Tls, member.secure_sip_port),
            };
            SipServer { host: member.host.clone(), port, link }
        })
        .collect();
    if servers.is_empty() {
        let what = Fault::Nonsense("it names no call server".to_owned());
        let at = offhook_model::Endpoint {
            service: Kind::DeviceFile,
            host: at.host.clone(),
            port: at.port,
            link: Link::Tcp,
        };
        return Err(what.problem(&at));
    }
    let line = file.lines.into_iter().next().ok_or_else(|| no_line(device))?;
    Ok(PhoneAccount {
        dialect: PhoneDialect::Cucm {
            device: device.to_owned(),
            model: CSF_MODEL_NUMBER,
            line_contact: line.contact.clone().unwrap_or_else(|| line.name.clone()),
        },
        display_name: display_name(&line, account),
        servers,
        routes: vec![],
        registrar: None,
        encrypted_media: false,
        digest: line.auth_name.zip(line.auth_password),
        user: line.name,
        domain: String::new(),
        expires: file.register_expires,
        refresh_before: file.register_delta,
        media_ports: file.media_ports,
        audio_dscp: file.dscp.audio,
        signalling_dscp: file.dscp.signalling,
        voicemail_pilot: line.voicemail_pilot.or_else(|| account.user.voicemail_pilot.clone()),
    })
}

fn display_name(line: &Line, account: &Account<'_>) -> String {
    let names = [&line.display_name, &account.user.display_name];
    names.into_iter().flatten().next().cloned().unwrap_or_else(|| account.user_id.to_owned())
}

fn secure(device: &str) -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::Admin,
        format!("The phone {device} has a secure profile, and enrolment for the certificate that this needs is not built yet."),
        format!("Give {device} a non-secure profile until then."),
    )
    .with_rule(28)
    .with_evidence("deviceSecurityMode is not 1")
}

fn no_line(device: &str) -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::Admin,
        format!("The phone {device} has no directory number."),
        format!("Add a line to {device}."),
    )
    .with_rule(18)
}
