//! Somebody who signs in at the chat server of the measurements: we, with and without a window, or
//! another client.

use std::path::Path;
use std::time::Instant;

use super::display::Display;
use super::foreign::{Foreign, Kind};
use super::post::{DOMAIN, PASSWORD, Post};
use super::stage::Client;
use crate::packages::exists;
use crate::process::Scratch;

/// Who.
#[derive(Clone, Copy)]
pub enum Who {
    /// We, without a window.
    Headless,
    /// We, with a window.
    Window,
    /// Somebody else.
    Other(Kind),
}

/// A client that signs in, or has.
pub struct Guest {
    /// The process that counts.
    pub pid: u32,
    /// When it was told to sign in; of others when they were started.
    pub begin: Instant,
    /// Seconds until its contact list was there, where it tells.
    pub listed: Option<f64>,
    /// Ours, to be asked what it has.
    pub client: Option<Client>,
    foreign: Option<Foreign>,
    _display: Option<Display>,
}

impl Who {
    /// As the table names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Headless => "without a window",
            Self::Window => "window",
            Self::Other(kind) => kind.name(),
        }
    }
}

/// Lets one client sign in at each of these accounts, one after the other, each time in a home of its
/// own that `measure` is told, and gives what that found. Nothing when something it needs is not installed; a peer that
/// fails costs its own column only, and a sentence.
///
/// # Errors
/// Ours does not get in, or `measure` says so of it.
pub fn each_run<T>(
    who: Who,
    post: &Post,
    scratch: &Scratch,
    accounts: &[&str],
    mut measure: impl FnMut(&Guest, &Path) -> Result<T, String>,
) -> Result<Option<Vec<T>>, String> {
    let mut runs = || {
        let mut found = Vec::new();
        for (run, account) in accounts.iter().enumerate() {
            // Short: a control socket's path has a bound.
            let folder = scratch.0.join(format!("{}{run}", &who.name()[..1]));
            let Some(guest) = Guest::enter(who, post, &folder, account)? else { return Ok(None) };
            found.push(measure(&guest, &folder)?);
            drop(guest);
            let _ = std::fs::remove_dir_all(&folder);
        }
        Ok(Some(found))
    };
    match (who, runs()) {
        (Who::Other(kind), Err(why)) => {
            println!("{}: {why}; left out.", kind.name());
            Ok(None)
        }
        (_, found) => found,
    }
}

impl Guest {
    /// Starts a client on an account and waits until the server has sent it its contact list and who
    /// is there. Nothing, and a sentence, when something it needs is not installed.
    ///
    /// # Errors
    /// It does not start; ours does not get in.
    pub fn enter(
        who: Who,
        post: &Post,
        folder: &Path,
        account: &str,
    ) -> Result<Option<Self>, String> {
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        let before = post.arrivals();
        let guest = Self::start(who, post, folder, account)?;
        if guest.is_some() {
            post.arrived(before)?;
        }
        Ok(guest)
    }

    /// How many people are on its contact list, where it tells.
    ///
    /// # Errors
    /// Ours cannot be asked.
    pub fn contacts(&self) -> Result<Option<usize>, String> {
        match &self.client {
            Some(client) => client.contacts().map(Some),
            None => Ok(self.foreign.as_ref().and_then(|foreign| foreign.contacts)),
        }
    }

    fn start(who: Who, post: &Post, folder: &Path, account: &str) -> Result<Option<Self>, String> {
        match who {
            Who::Headless => ours(post, folder, account, None).map(Some),
            Who::Window if exists("Xvfb") => {
                ours(post, folder, account, Some(Display::start(folder)?)).map(Some)
            }
            Who::Window => {
                println!("Xvfb is not installed: figures with a window are left out.");
                Ok(None)
            }
            Who::Other(kind) => {
                let begin = Instant::now();
                let foreign = kind.start(post, folder, account)?;
                Ok(foreign.map(|foreign| Self {
                    pid: foreign.pid,
                    begin,
                    listed: None,
                    client: None,
                    foreign: Some(foreign),
                    _display: None,
                }))
            }
        }
    }
}

fn ours(
    post: &Post,
    folder: &Path,
    account: &str,
    display: Option<Display>,
) -> Result<Guest, String> {
    let authority = post.authority.to_string_lossy();
    // Nothing is looked up: the server is named by hand.
    let mut options = vec!["--name-server", "127.0.0.1:9", "--ca-file", &authority];
    if display.is_none() {
        options.push("--headless");
    }
    let screen = display.as_ref().map(|display| display.name.as_str());
    let client = Client::launch(&folder.join("p"), &options, screen)?;
    let server = format!("127.0.0.1:{}", post.port);
    let (begin, listed) =
        client.sign_in_by_hand(&format!("{account}@{DOMAIN}"), PASSWORD, &server)?;
    Ok(Guest {
        pid: client.running.id(),
        begin,
        listed: Some((listed - begin).as_secs_f64()),
        client: Some(client),
        foreign: None,
        _display: display,
    })
}
