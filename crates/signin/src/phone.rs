//! From the phone's configuration file to its account (reference device-config.md sections 2 and 3).

use offhook_config::{
    CallManager, DeviceFile, HttpUrl, Line, SecurityMode, Transport, read_device_file,
};
use offhook_model::{Area, DeskPhone, Endpoint, Fault, Link, Owner, Problem, Service as Kind, Via};
use offhook_ports::{
    DeskControl, HttpRequest, MediaEncryption, PhoneAccount, PhoneDialect, PhoneUpkeep,
    SecureProfile, SipServer,
};

use crate::files::{FileServer, Group};
use crate::flow::{Failure, Flow, Purpose, most_important};
use crate::uds::Account;
use crate::{Service, device};

/// Model number of a desktop client in Contact headers.
const CSF_MODEL_NUMBER: u16 = 503;
/// Longest name that a device may have.
const LONGEST_NAME: usize = 15;
/// At most so many addresses of a file are tried.
const MOST: usize = 8;

/// What calls start from.
#[derive(Debug)]
pub(crate) struct Phone {
    pub(crate) service: Service<PhoneAccount>,
    /// Why the user has none, to be told where a phone is wanted.
    pub(crate) missing: Option<Problem>,
    /// The client configuration file that the phone names.
    pub(crate) group: Option<Group>,
    /// Where the phone's file came from.
    pub(crate) at: Option<FileServer>,
}

impl Phone {
    pub(crate) fn failed(problem: Problem) -> Self {
        Self { service: Service::Failed(problem), missing: None, group: None, at: None }
    }

    pub(crate) fn missing(problem: Option<Problem>) -> Self {
        Self { service: Service::NotConfigured, missing: problem, group: None, at: None }
    }
}

/// What the phone's account takes from its user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holder<'a> {
    pub(crate) user_id: &'a str,
    pub(crate) display_name: Option<&'a str>,
    pub(crate) voicemail_pilot: Option<&'a str>,
    pub(crate) via: Via,
}

/// The phone that user data services know.
pub(crate) async fn of_user(flow: &Flow<'_>, account: &Account<'_>) -> Phone {
    let (summary, desk) = match device::find(flow, account).await {
        Ok(Ok(found)) => found,
        Ok(Err(problem)) => return Phone::missing(Some(problem)),
        Err(failure) => return Phone::failed(failure.problem()),
    };
    match device::files(flow, account, &summary).await {
        Ok(files) => {
            let mut phone = of_files(flow, &summary.name, files, account.holder()).await;
            if let Service::Ready(ready) = &mut phone.service {
                ready.features.desk = desk_control(account, desk);
            }
            phone
        }
        Err(failure) => Phone::failed(failure.problem()),
    }
}

/// How the phones on the desk are told to call: by the node that knows the user. Edges do not let
/// through to it.
fn desk_control(account: &Account<'_>, phones: Vec<DeskPhone>) -> Option<DeskControl> {
    (account.via == Via::Direct && !phones.is_empty()).then(|| DeskControl {
        server: account.node.clone(),
        user: account.user_id.to_owned(),
        password: account.credentials.password.clone(),
        phones,
    })
}

/// The phone of this name, whose file lies at one of these addresses.
pub(crate) async fn of_files(
    flow: &Flow<'_>,
    device: &str,
    files: Vec<HttpUrl>,
    holder: Holder<'_>,
) -> Phone {
    let (file, url) = match fetch_file(flow, device, files).await {
        Ok(fetched) => fetched,
        Err(problem) => return Phone::failed(problem),
    };
    flow.learn(|people| {
        people.secure_search.clone_from(&file.secure_users_url);
        people.dial_domain.clone_from(&file.dial_domain);
    });
    let group = file.group_file.as_deref().map(|name| Group::of_device(device, name));
    let service = match phone_account(device, file, holder, &url) {
        Ok(plan) => Service::Ready(plan),
        Err(problem) => Service::Failed(problem),
    };
    Phone { service, missing: None, group, at: Some(FileServer::of(&url)) }
}

async fn fetch_file(
    flow: &Flow<'_>,
    device: &str,
    files: Vec<HttpUrl>,
) -> Result<(DeviceFile, HttpUrl), Problem> {
    let purpose = Purpose {
        step: "deviceFile",
        service: Kind::DeviceFile,
        why: "names the call servers, line, ports and code points",
    };
    let mut failures: Vec<Failure> = vec![];
    for url in files.into_iter().take(MOST) {
        let request = HttpRequest::get(url.to_string());
        match flow.ask(purpose, &url, request, read_device_file, show_file).await {
            Ok(file) => return Ok((file, url)),
            Err(failure) => failures.push(failure),
        }
    }
    // That one server has no such file says more than that another one is down.
    let absent = failures.iter().find(|failure| failure.fault == Fault::Status(404));
    if let Some(Failure { at, fault }) = absent {
        return Err(no_file(device, fault.problem(at)));
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

/// What can be seen of a device's name says why it has no file (D27).
fn no_file(device: &str, problem: Problem) -> Problem {
    let odd = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    let why = if device.len() > LONGEST_NAME {
        format!("its name is longer than {LONGEST_NAME} characters")
    } else if device.contains(odd) {
        "its name holds characters that no device name may hold".to_owned()
    } else if !device.to_ascii_uppercase().starts_with("CSF") {
        "its name does not begin with CSF, as that of a desktop phone should".to_owned()
    } else {
        let cause = format!("{} It is called {device}.", problem.cause);
        return Problem { cause, coded: None, ..problem };
    };
    Problem {
        cause: format!("{} It is called {device}, and {why}.", problem.cause),
        remedy: format!(
            "Create the device anew with a name such as CSF and the user id in letters and digits, at most {LONGEST_NAME}."
        ),
        coded: None,
        ..problem
    }
}

fn show_file(file: &DeviceFile) -> String {
    let hosts: Vec<_> = file.members.iter().map(|member| member.host.as_str()).collect();
    format!("lines: {}, call servers {}", file.lines.len(), hosts.join(", "))
}

fn phone_account(
    device: &str,
    file: DeviceFile,
    holder: Holder<'_>,
    at: &HttpUrl,
) -> Result<PhoneAccount, Problem> {
    let secure = match (file.security, holder.via) {
        // The edge's own certificate stands in for the phone's (reference device-config.md section 5).
        (SecurityMode::NonSecure, _) | (_, Via::Edge) => None,
        (SecurityMode::Authenticated | SecurityMode::Encrypted, Via::Direct) => {
            Some(secure(device, &file))
        }
    };
    let servers = servers(&file, &file.members);
    let stand_ins = servers_of_gateways(&file);
    if servers.is_empty() {
        let what = Fault::Nonsense("it names no call server".to_owned());
        let service = Kind::DeviceFile;
        let at = Endpoint { service, host: at.host.clone(), port: at.port, link: Link::Tcp };
        return Err(what.problem(&at));
    }
    let line = file.lines.into_iter().next().ok_or_else(|| no_line(device))?;
    Ok(PhoneAccount {
        dialect: PhoneDialect::Cucm {
            device: device.to_owned(),
            model: CSF_MODEL_NUMBER,
            line_contact: line.contact.clone().unwrap_or_else(|| line.name.clone()),
        },
        display_name: display_name(&line, holder),
        servers,
        routes: vec![],
        registrar: None,
        encryption: encryption(file.security, holder.via),
        secure,
        digest: line.auth_name.zip(line.auth_password),
        user: line.name,
        domain: String::new(),
        expires: file.register_expires,
        refresh_before: file.register_delta,
        media_ports: file.media_ports,
        audio_dscp: file.dscp.audio,
        signalling_dscp: file.dscp.signalling,
        features: file.features,
        ice: None,
        upkeep: PhoneUpkeep {
            keep_alive: file.keep_alive,
            return_after: file.return_after,
            patient: file.patient,
            stand_ins,
            mailbox: false,
            instance: None,
            version_stamp: file.version_stamp,
        },
        voicemail_pilot: line.voicemail_pilot.or(holder.voicemail_pilot.map(str::to_owned)),
    })
}

fn servers(file: &DeviceFile, members: &[CallManager]) -> Vec<SipServer> {
    let server = |member: &CallManager| {
        let (link, port) = match file.transport {
            Transport::Tcp => (Link::Tcp, member.sip_port),
            Transport::Udp => (Link::Udp, member.sip_port),
            Transport::Tls => (Link::Tls, member.secure_sip_port),
        };
        SipServer { host: member.host.clone(), port, link }
    };
    members.iter().map(server).collect()
}

/// A gateway that does not know TLS stands in for call managers that do only where signalling is in
/// clear anyway.
fn servers_of_gateways(file: &DeviceFile) -> Vec<SipServer> {
    if file.transport == Transport::Tls && !file.stand_ins_secure {
        return vec![];
    }
    servers(file, &file.stand_ins)
}

fn display_name(line: &Line, holder: Holder<'_>) -> String {
    let name = line.display_name.as_deref().or(holder.display_name);
    name.unwrap_or(holder.user_id).to_owned()
}

fn secure(device: &str, file: &DeviceFile) -> SecureProfile {
    let authority = file.capf.clone().map(|(host, port)| Endpoint {
        service: Kind::Capf,
        host,
        port,
        link: Link::Tls,
    });
    SecureProfile { device: device.to_owned(), authority, mode: file.capf_mode }
}

/// A phone of mode 3 offers the encrypted transport and takes a plain answer all the same; one of
/// mode 2 has its signalling protected and no more. Behind an edge others decide.
fn encryption(security: SecurityMode, via: Via) -> MediaEncryption {
    match (security, via) {
        (SecurityMode::Encrypted, Via::Direct) => MediaEncryption::Fallback,
        (_, _) => MediaEncryption::default(),
    }
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

#[cfg(test)]
mod tests {
    use offhook_model::{Endpoint, Fault, Link, Rule, Service};

    use super::no_file;

    #[track_caller]
    fn check(device: &str, words: &str) {
        let at = Endpoint {
            service: Service::DeviceFile,
            host: "tftp1".into(),
            port: 6970,
            link: Link::Tcp,
        };
        let problem = no_file(device, Fault::Status(404).problem(&at));
        assert_eq!(problem.rule, Some(Rule(27)));
        assert!(problem.cause.contains(words), "{}", problem.cause);
    }

    #[test]
    fn the_name_says_why_a_phone_has_no_file() {
        check("CSFALICE", "It is called CSFALICE.");
        check("CSFALICEANDERSON", "longer than 15");
        check("CSF ALICE", "characters");
        check("ALICE", "begin with CSF");
    }
}
