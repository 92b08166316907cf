//! Puts the client together: folders, network, store, engine.

use std::path::PathBuf;
use std::sync::Arc;

use offhook_control::Host;
use offhook_engine::{FileFolders, Handle, Setup};
use offhook_media::MediaOptions;
use offhook_model::{
    Command, CommandError, ErrorCode, Notice, Problem, Provisioned, Reply, Snapshot,
};
use offhook_net::{Net, NetOptions, ProxySources};
use offhook_platform::{Folders, downloads_folder};
use offhook_ports::StoreRequest;
use offhook_report::Recorder;
use offhook_store::{Keeper, Kept, Places, Store};
use tokio::sync::broadcast;

use crate::args::Global;
use crate::bootstrap::Bootstrap;
use crate::report::Heard;
use crate::{PRODUCT, bootstrap, logging, report};

/// What both the window and the headless client begin with.
pub struct Client {
    /// Where its state is.
    pub folders: Folders,
    /// The way out.
    pub net: Arc<Net>,
    /// What is kept.
    pub store: Store,
    /// What earlier runs kept.
    pub kept: Kept,
    /// What the user is to be told about it.
    pub told: Vec<Problem>,
    /// Keeps what the outside answers.
    pub recorder: Recorder,
}

/// The network as the options want it.
///
/// # Errors
/// A sentence that names a file that cannot be used.
pub fn net(global: &Global) -> Result<Arc<Net>, String> {
    offhook_net::install_crypto();
    Net::new(NetOptions {
        name_servers: global.name_server.clone(),
        hosts: global.hosts.clone(),
        ca_files: global.ca_file.clone(),
        proxies: proxies(),
    })
}

/// Where the system's proxy settings are. The names are common to many programs; those in lower
/// case come first.
#[expect(clippy::disallowed_methods, reason = "what the environment says of proxies is read here")]
fn proxies() -> ProxySources {
    let plain = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let either = |name: &str| plain(name).or_else(|| plain(&name.to_uppercase()));
    let home = plain("HOME").map(|home| PathBuf::from(home).join(".config"));
    ProxySources {
        http: either("http_proxy"),
        https: either("https_proxy"),
        all: either("all_proxy"),
        none: either("no_proxy"),
        system: true,
        desktop: plain("XDG_CURRENT_DESKTOP"),
        config_home: plain("XDG_CONFIG_HOME").map(PathBuf::from).or(home),
    }
}

/// The domain that Windows is signed in to, and whatever else sets the variable.
#[expect(
    clippy::disallowed_methods,
    reason = "what the environment says of the domain is read here"
)]
pub(crate) fn workstation_domain() -> Option<String> {
    std::env::var("USERDNSDOMAIN").ok().filter(|domain| !domain.trim().is_empty())
}

impl Client {
    /// Opens everything that does not need a runtime. Nothing is changed on error.
    ///
    /// # Errors
    /// One sentence with the remedy.
    pub fn open(global: &Global) -> Result<Self, String> {
        let folders = Folders::of(global.profile.as_deref())?;
        let net = net(global)?;
        let bootstrap = bootstrap::read(global)?;
        folders.make()?;
        let places = Places { config: folders.config.clone(), data: folders.data.clone() };
        let keeper = Keeper { service: service(global), open: offhook_platform::credential_store };
        let (store, mut kept) = Store::open(places, Some(keeper))?;
        logging::start(&folders.logs(), global.log.as_deref())?;
        let (known, told) = launched(&store, kept.provisioned, bootstrap.as_ref());
        kept.provisioned = known;
        Ok(Self { folders, net, store, kept, told, recorder: Recorder::default() })
    }

    /// Starts the engine; see [`offhook_engine::start`]. `attended`: there is a window.
    pub fn engine(
        self,
        global: &Global,
        attended: bool,
        on_change: Box<dyn Fn() + Send>,
    ) -> (Handle, impl Future<Output = ()> + Send + 'static) {
        let settings = self.kept.settings;
        let chosen =
            |option: &Option<_>, kept: &_| option.clone().unwrap_or_else(|| Clone::clone(kept));
        let seed = seed();
        let audio = MediaOptions {
            input: chosen(&global.audio_input, &settings.audio_input),
            output: chosen(&global.audio_output, &settings.audio_output),
            ringer: chosen(&global.ringer_output, &settings.ringer_output),
            sound: settings.sound,
            seed: seed.rotate_left(17),
        };
        offhook_engine::start(Setup {
            product: PRODUCT.to_owned(),
            seed,
            settings,
            manual: self.kept.manual,
            provisioned: self.kept.provisioned,
            told: self.told,
            remembered: self.kept.remembered,
            accepted: self.kept.accepted,
            attended,
            workstation_domain: workstation_domain(),
            audio,
            net: self.net,
            places: FileFolders {
                downloads: downloads_folder(global.profile.as_deref(), &self.folders),
                captures: self.folders.run.join("captures"),
            },
            store: self.store,
            recorder: self.recorder,
            on_change,
        })
    }
}

/// What is known from now on, kept when this launch changed it, and what is to be told about it.
fn launched(
    store: &Store,
    kept: Provisioned,
    file: Option<&Bootstrap>,
) -> (Provisioned, Vec<Problem>) {
    let (known, problems) = bootstrap::apply(kept.clone(), file);
    for problem in &problems {
        tracing::warn!(rule = problem.rule.map(|rule| rule.0), "{}", problem.cause);
    }
    if known != kept {
        store.submit(StoreRequest::PutProvisioned(Box::new(known.clone())), drop);
    }
    (known, problems)
}

/// How the system's password manager names our entries. Profiles do not see each other's passwords.
fn service(global: &Global) -> String {
    match &global.profile {
        None => "Offhook".to_owned(),
        Some(profile) => {
            let whole = std::path::absolute(profile).unwrap_or_else(|_| profile.clone());
            format!("Offhook ({})", whole.display())
        }
    }
}

/// Chance for this run. The standard library keys its hash maps from the system's random source;
/// an empty hash of such a key is random enough for ids, tags and back-off. No key or secret is
/// made from it.
fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// The engine as the control API sees it.
#[derive(Clone)]
pub struct Hosted {
    /// The engine.
    pub engine: Handle,
    /// Where reports and logs are.
    pub folders: Folders,
    /// What the outside answered.
    pub recorder: Recorder,
}

impl Host for Hosted {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.engine.snapshot()
    }

    async fn request(&self, command: Command) -> Result<Reply, CommandError> {
        self.engine.request(command).await
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        self.engine.notices()
    }

    async fn save_report(
        &self,
        folder: Option<PathBuf>,
        note: String,
    ) -> Result<PathBuf, CommandError> {
        let state = report::state(&self.engine.snapshot());
        let folders = self.folders.clone();
        let heard = Heard::of(&self.recorder, &report::seen(&state));
        let task = tokio::task::spawn_blocking(move || {
            report::save(&folders, folder, &note, Some(&state), heard)
        });
        let result = task.await.unwrap_or_else(|error| Err(error.to_string()));
        result
            .map_err(|cause| CommandError::user(ErrorCode::Failed, cause, "Choose another folder."))
    }
}
