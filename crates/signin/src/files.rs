//! The client's configuration files: the global one of the cluster, and the one of a group of users,
//! which outranks it (reference client-config.md section 1).

use std::time::Duration;

use futures_util::join;
use offhook_config::{
    DialRule, HttpUrl, read_client_config, read_dial_rules, read_directory_password,
};
use offhook_model::{Area, Fault, Layer, Owner, Preset, Problem, Service as Kind, Source};
use offhook_ports::{HttpRequest, Target};

use crate::flow::{Failure, Flow, Purpose, encode, most_important, place};

/// Where the TFTP service answers HTTP.
pub(crate) const FILE_PORT: u16 = 6970;
const GLOBAL: &str = "jabber-config.xml";
/// Rules for numbers (reference device-config.md 3.4).
const DIAL: &str = "CUPC/AppDialRules.xml";
const LOOKUP: &str = "CUPC/DirLookupDialRules.xml";
/// A server that says nothing is not waited for as long as one that signs us in: there are defaults
/// for everything in the files.
const PATIENCE: Duration = Duration::from_secs(5);
/// At most so many servers are asked for one file.
const MOST: usize = 3;

/// A TFTP server as it answers HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileServer {
    secure: bool,
    host: String,
    port: u16,
}

impl FileServer {
    /// The server that a file's address names.
    pub(crate) fn of(url: &HttpUrl) -> Self {
        Self { secure: url.secure, host: url.host.clone(), port: url.port }
    }

    /// A server as settings name it: `host` or `host:port`, without encryption.
    pub(crate) fn named(text: &str) -> Option<Self> {
        let Target { host, port } = place(text, FILE_PORT)?;
        Some(Self { secure: false, host, port })
    }

    /// The address of a file there. Segments of the path are encoded.
    pub(crate) fn url(&self, path: &str) -> HttpUrl {
        let segments: Vec<String> = path.split('/').map(encode).collect();
        HttpUrl {
            secure: self.secure,
            host: self.host.clone(),
            port: self.port,
            path: format!("/{}", segments.join("/")),
        }
    }
}

/// The servers in the order to try, each once.
pub(crate) fn in_order(servers: impl IntoIterator<Item = FileServer>) -> Vec<FileServer> {
    let mut order: Vec<FileServer> = vec![];
    for server in servers {
        if !order.contains(&server) {
            order.push(server);
        }
    }
    order
}

/// The file that everybody of the cluster has. Most clusters have none.
pub(crate) async fn global(flow: &Flow<'_>, servers: &[FileServer]) -> Option<Layer> {
    match fetch(flow, servers, GLOBAL, Source::GlobalFile).await {
        Some(Ok(layer)) => layer,
        Some(Err(problem)) => {
            flow.warn(problem);
            None
        }
        None => None,
    }
}

/// The file that installation settled, else the one that the phone names. One that is not there
/// leaves the global file.
pub(crate) async fn group(flow: &Flow<'_>, servers: &[FileServer], file: &Group) -> Option<Layer> {
    let layer = fetch(flow, servers, &file.name, Source::GroupFile).await?;
    match layer {
        Ok(Some(layer)) => Some(layer),
        Ok(None) => {
            flow.warn(missing(file, servers));
            None
        }
        Err(problem) => {
            flow.warn(problem);
            None
        }
    }
}

/// A group's file and who names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    name: String,
    named_by: String,
}

impl Group {
    /// The file that is settled before (`TFTP_FILE_NAME`); it may stand in a folder.
    pub(crate) fn settled(preset: &Preset) -> Option<Self> {
        let name = preset.config_file.as_deref()?.trim().replace('\\', "/");
        let name = name.trim_start_matches('/').to_owned();
        let good = |segment: &str| !matches!(segment, "" | "." | "..");
        let fits = name.len() <= 255 && name.split('/').all(good);
        fits.then(|| Self { name, named_by: "the installation (TFTP_FILE_NAME)".into() })
    }

    /// The file that the phone's support field names.
    pub(crate) fn of_device(device: &str, name: &str) -> Self {
        Self { name: name.to_owned(), named_by: format!("the phone {device}") }
    }
}

/// Asks one server after the other until one answers; that there is no such file is an answer.
/// `None` when there is no server to ask.
async fn fetch(
    flow: &Flow<'_>,
    servers: &[FileServer],
    name: &str,
    source: Source,
) -> Option<Result<Option<Layer>, Problem>> {
    let purpose = Purpose {
        step: if source == Source::GroupFile { "groupConfig" } else { "globalConfig" },
        service: Kind::ClientConfig,
        why: "settings that the administrator made for the client",
    };
    let mut failures: Vec<Failure> = vec![];
    for server in servers.iter().take(MOST) {
        let url = server.url(name);
        let request = HttpRequest { timeout: PATIENCE, ..HttpRequest::get(url.to_string()) };
        let origin = url.to_string();
        let read = |data: &[u8]| {
            let password = read_directory_password(data, source);
            // The group's file outranks the global one, whichever comes first.
            flow.learn(|people| match source {
                Source::GroupFile if password.is_some() => people.file_password = password,
                _ => people.file_password = people.file_password.take().or(password),
            });
            read_client_config(data, source, &origin)
        };
        let show = |layer: &Layer| format!("{} settings", layer.settings.len());
        match flow.ask_if_any(purpose, &url, request, read, show).await {
            Ok(layer) => return Some(Ok(layer)),
            Err(Failure { at, fault: Fault::Nonsense(what) }) => {
                return Some(Err(broken(name, &at.host, &what)));
            }
            Err(failure) => failures.push(failure),
        }
    }
    most_important(failures).map(|(problem, _)| Err(problem))
}

/// Application dial rules and directory lookup rules of the cluster, for who finds people. Most
/// clusters have none, and nobody is told when a server does not say.
pub(crate) async fn rules(flow: &Flow<'_>, servers: &[FileServer]) {
    let (dial, lookup) = join!(rules_of(flow, servers, DIAL), rules_of(flow, servers, LOOKUP));
    flow.learn(|people| (people.dial_rules, people.lookup_rules) = (dial, lookup));
}

async fn rules_of(flow: &Flow<'_>, servers: &[FileServer], name: &str) -> Vec<DialRule> {
    let purpose = Purpose {
        step: "dialRules",
        service: Kind::ClientConfig,
        why: "how numbers are made of what is typed, and names found for what calls show",
    };
    for server in servers.iter().take(MOST) {
        let url = server.url(name);
        let request = HttpRequest { timeout: PATIENCE, ..HttpRequest::get(url.to_string()) };
        let show = |rules: &Vec<DialRule>| format!("{} rules", rules.len());
        match flow.ask_if_any(purpose, &url, request, read_dial_rules, show).await {
            Ok(rules) => return rules.unwrap_or_default(),
            Err(Failure { at, fault: Fault::Nonsense(what) }) => {
                flow.warn(broken(name, &at.host, &what));
                return vec![];
            }
            Err(_) => {}
        }
    }
    vec![]
}

fn broken(name: &str, host: &str, what: &str) -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::Admin,
        format!("The client configuration file {name} on {host} is ignored as a whole: {what}."),
        format!("Correct {name}; a bare & must be written &amp;amp; and every element closed."),
    )
    .with_evidence(format!("{name} from {host}"))
}

fn missing(file: &Group, servers: &[FileServer]) -> Problem {
    let Group { name, named_by } = file;
    let host = servers.first().map(|server| server.host.as_str()).unwrap_or_default();
    Problem::new(
        Area::Provisioning,
        Owner::Admin,
        format!(
            "{named_by} names the client configuration file {name}, and {host} has no such file."
        )
        .replacen("the ", "The ", 1),
        format!(
            "Upload {name} to the TFTP servers, or correct its name; upper and lower case count."
        ),
    )
}

#[cfg(test)]
mod tests {
    use offhook_model::Preset;

    use super::{FileServer, Group, in_order};

    #[test]
    fn each_server_is_asked_once() {
        let names = ["a", "b:6970", "a:6970", "a:80"];
        let order = in_order(names.iter().filter_map(|name| FileServer::named(name)));
        let urls: Vec<_> = order.iter().map(|server| server.url("x y.xml").to_string()).collect();
        assert_eq!(
            urls,
            ["http://a:6970/x%20y.xml", "http://b:6970/x%20y.xml", "http://a:80/x%20y.xml"],
        );
    }

    #[test]
    fn a_settled_file_may_stand_in_a_folder_and_nowhere_above() {
        let read = |name: &str| {
            let preset = Preset { config_file: Some(name.into()), ..Preset::default() };
            Group::settled(&preset).map(|group| group.name)
        };
        assert_eq!(read(" sales\\group.xml "), Some("sales/group.xml".into()));
        assert_eq!(read("/group.xml"), Some("group.xml".into()));
        assert_eq!(read("../group.xml"), None);
        assert_eq!(read(""), None);
    }
}
