//! The system's web proxy, for the connections that may go through one.
//!
//! Those are the questions to the cloud and its chat (reference discovery.md section 2): services of the company
//! are always reached directly. What counts: the environment (`https_proxy` and its kin) if it names
//! a proxy, else the desktop's settings. A script (`.pac`) outranks servers, and its answers are
//! tried in their order. A script that cannot be had or fails is told (D33), and then the direct way
//! is tried, because a company's script is more often broken than the way out. Proxies get no
//! passwords, and a wildcard in the bypass list never matches.

mod connect;
mod pac;
mod settings;
mod system;
mod texts;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use offhook_model::{Area, Fault, Owner, Problem};
use offhook_ports::HttpRequest;
use tokio::net::TcpStream;

use crate::Net;
use crate::dns::Names;
use settings::{Server, Settings};

use connect::place;
pub(crate) use connect::{fuzz as fuzz_connect, tunnel, wants_password};
pub(crate) use pac::fuzz_result as fuzz_pac_result;
pub(crate) use texts::fuzz as fuzz_settings;

/// How long a script may take to be fetched, and how long to answer.
const PAC: Duration = Duration::from_secs(5);
/// How long a script is kept.
const KEPT: Duration = Duration::from_secs(300);

/// What the system's settings are found by; only `main` reads the environment. Without anything
/// there is no proxy.
#[derive(Clone, Debug, Default)]
pub struct ProxySources {
    /// `http_proxy`.
    pub http: Option<String>,
    /// `https_proxy`.
    pub https: Option<String>,
    /// `all_proxy`.
    pub all: Option<String>,
    /// `no_proxy`.
    pub none: Option<String>,
    /// Ask the desktop when the environment names no proxy.
    pub system: bool,
    /// `XDG_CURRENT_DESKTOP`: which desktop runs.
    pub desktop: Option<String>,
    /// `XDG_CONFIG_HOME`, or `.config` in the home folder.
    pub config_home: Option<PathBuf>,
}

/// One way to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Without a proxy.
    Direct,
    /// Through this one.
    Proxy(Server),
}

/// The settings, and what was wrong with them.
#[derive(Debug)]
pub(crate) struct Proxies {
    sources: ProxySources,
    script: Mutex<Option<(String, Instant, Arc<str>)>>,
    noticed: Mutex<Vec<Problem>>,
}

impl Proxies {
    pub(crate) fn new(sources: ProxySources) -> Self {
        Self { sources, script: Mutex::default(), noticed: Mutex::default() }
    }

    pub(crate) fn forget(&self) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    async fn settings(&self) -> Settings {
        let given = texts::environment(&self.sources);
        if !given.is_empty() || !self.sources.system {
            return given;
        }
        system::desktop(&self.sources).await
    }

    fn notice(&self, problem: Problem) {
        let mut noticed = self.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        if !noticed.contains(&problem) {
            tracing::warn!(cause = problem.cause, "proxy");
            noticed.push(problem);
        }
    }

    fn start_over(&self) {
        self.noticed.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn kept(&self, url: &str) -> Option<Arc<str>> {
        let kept = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, until, script) = kept.as_ref()?;
        (of == url && crate::now() < *until).then(|| script.clone())
    }

    fn keep(&self, url: &str, script: &Arc<str>) {
        let until = crate::now() + KEPT;
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((url.to_owned(), until, script.clone()));
    }
}

impl Net {
    /// What was found wrong with the proxy settings (D33) when they were last looked at. Requests
    /// go on in spite of it as far as they can.
    pub fn proxy_problems(&self) -> Vec<Problem> {
        self.proxies.noticed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The ways to a server in the order to try, at least one. With it the fault to tell when none
    /// leads there, if the settings are at fault.
    pub(crate) async fn ways(
        &self,
        secure: bool,
        host: &str,
        port: u16,
        url: &str,
    ) -> (Vec<Way>, Option<Fault>) {
        let settings = self.proxies.settings().await;
        self.proxies.start_over();
        for entry in settings.wildcards() {
            self.proxies.notice(wildcard(entry));
        }
        for words in &settings.trouble {
            self.proxies.notice(broken(words));
        }
        let ways = match &settings.pac {
            Some(pac) => self.by_script(pac, host, url).await,
            None => settings.way(secure, host, port).map(|way| vec![way]),
        };
        match ways {
            Ok(ways) => (ways, None),
            Err(words) => {
                let words = match &settings.pac {
                    Some(_) => format!("its automatic configuration cannot be used, {words}"),
                    None => words,
                };
                self.proxies.notice(broken(&words));
                (vec![Way::Direct], Some(Fault::Proxy(words)))
            }
        }
    }

    /// Connects to a server of the cloud: by the system's proxy, through a tunnel, where there is one.
    /// Each way gets `timeout`.
    ///
    /// # Errors
    /// [`Fault::Proxy`] where the proxy is the cause, else as [`Net::connect_tcp`].
    pub async fn connect_outside(
        &self,
        host: &str,
        port: u16,
        timeout: Duration,
    ) -> Result<TcpStream, Fault> {
        // A script is shown an address, and there is none for chat.
        let url = format!("https://{}/", place(host, port));
        let (ways, mut failed) = self.ways(true, host, port, &url).await;
        for way in &ways {
            let opened =
                tokio::time::timeout(timeout, self.open_way(way, host, port, timeout)).await;
            match opened.unwrap_or_else(|_| Err(late(way))) {
                Ok(stream) => return Ok(stream),
                // The proxy is the cause of what follows from it.
                Err(fault) => failed = failed.filter(is_at_fault).or(Some(fault)),
            }
        }
        Err(failed.unwrap_or(Fault::ConnectTimeout))
    }

    async fn open_way(
        &self,
        way: &Way,
        host: &str,
        port: u16,
        timeout: Duration,
    ) -> Result<TcpStream, Fault> {
        match way {
            Way::Direct => self.connect_tcp(host, port, timeout).await,
            Way::Proxy(server) => {
                let connected = self.connect_tcp(&server.host, server.port, timeout).await;
                let mut stream =
                    connected.map_err(|_| unreachable_proxy(&server.host, server.port))?;
                tunnel(&mut stream, host, port).await?;
                Ok(stream)
            }
        }
    }

    async fn by_script(&self, pac: &str, host: &str, url: &str) -> Result<Vec<Way>, String> {
        let script = self.script(pac).await?;
        let names =
            Outside { names: self.names.clone(), runtime: tokio::runtime::Handle::current() };
        let (url, host) = (url.to_owned(), host.to_owned());
        let deadline = crate::now() + PAC;
        // The engine keeps a thread busy; a script that hangs is ended by the deadline.
        let run =
            tokio::task::spawn_blocking(move || pac::ways(&script, &url, &host, names, deadline));
        run.await.unwrap_or_else(|_| Err("its engine fails".to_owned()))
    }

    /// The script, from the web (never through a proxy) or from a file.
    async fn script(&self, pac: &str) -> Result<Arc<str>, String> {
        if let Some(kept) = self.proxies.kept(pac) {
            return Ok(kept);
        }
        let bytes = match pac.strip_prefix("file://") {
            Some(path) => {
                let read = tokio::fs::read(path).await;
                let bytes = read.map_err(|error| format!("its file cannot be read ({error})"))?;
                if bytes.len() > pac::LARGEST {
                    return Err("its script is too large".to_owned());
                }
                bytes
            }
            None => {
                let request =
                    HttpRequest { timeout: PAC, limit: pac::LARGEST, ..HttpRequest::get(pac) };
                // Boxed, because a request may end up here and this is one.
                let answer = Box::pin(self.exchange(request)).await;
                let answer =
                    answer.map_err(|fault| format!("its script cannot be had ({fault:?})"))?;
                if answer.status != 200 {
                    return Err(format!("its script cannot be had (status {})", answer.status));
                }
                answer.body
            }
        };
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        let script = Arc::from(String::from_utf8_lossy(text));
        self.proxies.keep(pac, &script);
        Ok(script)
    }
}

/// Names for a script, whose thread may wait.
struct Outside {
    names: Arc<Names>,
    runtime: tokio::runtime::Handle,
}

impl pac::Names for Outside {
    fn resolve(&self, name: &str) -> Option<IpAddr> {
        let asked = self.runtime.block_on(tokio::time::timeout(PAC, self.names.resolve(name)));
        let all = asked.ok()?.ok()?.records;
        all.iter().find(|address| address.is_ipv4()).or(all.first()).copied()
    }
}

/// The proxy is to blame.
pub(crate) fn is_at_fault(fault: &Fault) -> bool {
    matches!(fault, Fault::Proxy(_))
}

/// A proxy that does not answer.
fn late(way: &Way) -> Fault {
    match way {
        Way::Direct => Fault::ConnectTimeout,
        Way::Proxy(_) => silent_proxy(),
    }
}

/// No answer to what was asked of it.
pub(crate) fn silent_proxy() -> Fault {
    Fault::Proxy("it does not answer".to_owned())
}

/// No connection to it.
pub(crate) fn unreachable_proxy(host: &str, port: u16) -> Fault {
    Fault::Proxy(format!("{host} cannot be reached on port {port}"))
}

fn wildcard(entry: &str) -> Problem {
    let entry: String = entry.chars().filter(|one| !one.is_control()).take(100).collect();
    Problem::new(
        Area::Network,
        Owner::Network,
        format!("The proxy's bypass list has an entry with a wildcard, {entry}, which never matches."),
        "Write the domain alone, example.com in place of *.example.com: it stands for all its hosts.",
    )
    .with_rule(33)
}

fn broken(words: &str) -> Problem {
    Problem::new(
        Area::Network,
        Owner::Network,
        format!("The web proxy's settings of this computer cannot be followed: {words}."),
        "Have the proxy settings or the automatic configuration (.pac) mended; until then the \
         direct way is tried.",
    )
    .with_rule(33)
}
