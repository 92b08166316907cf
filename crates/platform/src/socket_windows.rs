//! The control socket as a named pipe. Its default security descriptor lets the user, the system
//! and administrators open it, and remote clients are refused.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io;
use std::path::Path;

use tokio::io::{ReadHalf, WriteHalf, split};
use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeServer, ServerOptions};
use tokio::sync::Mutex;

/// What is read from.
pub type Reader = Box<dyn tokio::io::AsyncRead + Send + Unpin>;

/// What is written to.
pub type Writer = Box<dyn tokio::io::AsyncWrite + Send + Unpin>;

/// Why no running instance could be reached.
#[derive(Debug)]
pub enum ConnectError {
    /// Nothing runs on this profile.
    NobodyThere,
    /// Something else, in words.
    Other(String),
}

/// Waits for those who connect.
pub struct Listener {
    name: String,
    next: Mutex<NamedPipeServer>,
}

impl Listener {
    /// The next connection.
    ///
    /// # Errors
    /// The system's.
    pub async fn accept(&self) -> io::Result<(Reader, Writer)> {
        let mut next = self.next.lock().await;
        next.connect().await?;
        let fresh = ServerOptions::new().reject_remote_clients(true).create(&self.name)?;
        let (read, write): (ReadHalf<_>, WriteHalf<_>) =
            split(std::mem::replace(&mut *next, fresh));
        Ok((Box::new(read), Box::new(write)))
    }
}

/// One pipe a profile, named by a hash of its folder.
fn name(run: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    run.hash(&mut hasher);
    format!(r"\\.\pipe\offhook-{:016x}", hasher.finish())
}

/// Listens for this folder.
///
/// # Errors
/// A sentence: another instance runs on the profile, or the pipe cannot be made.
pub async fn listen(run: &Path) -> Result<Listener, String> {
    let name = name(run);
    let next = ServerOptions::new()
        .first_pipe_instance(true)
        .reject_remote_clients(true)
        .create(&name)
        .map_err(|error| {
            format!(
                "Offhook already runs on this profile, or its pipe cannot be made ({error}). End \
                 it first (offhook ctl session.quit), or choose another with --profile DIR."
            )
        })?;
    Ok(Listener { name, next: Mutex::new(next) })
}

/// Connects to the instance that runs on this profile.
///
/// # Errors
/// Nothing runs there, or the system's words.
pub async fn connect(run: &Path) -> Result<(Reader, Writer), ConnectError> {
    match ClientOptions::new().open(name(run)) {
        Ok(client) => {
            let (read, write) = split(client);
            Ok((Box::new(read), Box::new(write)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ConnectError::NobodyThere),
        Err(error) => Err(ConnectError::Other(error.to_string())),
    }
}
