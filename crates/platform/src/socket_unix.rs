//! The control socket as a Unix domain socket, mode 0600.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};

/// What is read from.
pub type Reader = OwnedReadHalf;

/// What is written to.
pub type Writer = OwnedWriteHalf;

/// `sun_path` has 108 octets on Linux and 104 on macOS, the last of them NUL.
const LONGEST: usize = 103;

/// Why no running instance could be reached.
#[derive(Debug)]
pub enum ConnectError {
    /// Nothing runs on this profile.
    NobodyThere,
    /// Something else, in words.
    Other(String),
}

/// Waits for those who connect; the socket file goes when it is dropped.
pub struct Listener {
    inner: UnixListener,
    path: PathBuf,
    /// Locked as long as the profile is ours; the system unlocks it when the process ends.
    _lock: Option<File>,
}

impl Listener {
    /// The next connection.
    ///
    /// # Errors
    /// The system's.
    pub async fn accept(&self) -> io::Result<(Reader, Writer)> {
        let (stream, _) = self.inner.accept().await?;
        Ok(stream.into_split())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn path(run: &Path) -> PathBuf {
    run.join("control.sock")
}

/// Listens in this folder.
///
/// # Errors
/// A sentence: another instance runs on the profile, or the folder cannot be used.
pub async fn listen(run: &Path) -> Result<Listener, String> {
    let path = path(run);
    if path.as_os_str().len() > LONGEST {
        return Err(format!(
            "The profile's path is too long for a control socket: {}. Choose a shorter folder \
             with --profile DIR.",
            path.display()
        ));
    }
    crate::folders::private(run).map_err(|error| unusable(run, &error))?;
    let lock = lock(run)?;
    if connect(run).await.is_ok() {
        return Err(taken(run));
    }
    // What is left is a file of an instance that crashed. The new socket takes its name only when
    // nobody else may open it.
    let fresh = run.join("control.new");
    remove(&fresh)?;
    let inner = UnixListener::bind(&fresh).map_err(|error| unusable(&fresh, &error))?;
    std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o600))
        .and_then(|()| std::fs::rename(&fresh, &path))
        .map_err(|error| unusable(&path, &error))?;
    Ok(Listener { inner, path, _lock: lock })
}

/// Two instances that start at the same moment both find no socket; only one gets the lock. Folders
/// on file systems without locks are left to the socket alone.
fn lock(run: &Path) -> Result<Option<File>, String> {
    let path = run.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(|error| unusable(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(taken(run)),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

fn remove(path: &Path) -> Result<(), String> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(path, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn taken(run: &Path) -> String {
    format!(
        "Offhook already runs on this profile ({}). End it first (offhook ctl session.quit), or \
         choose another profile with --profile DIR.",
        run.display()
    )
}

fn unusable(path: &Path, error: &io::Error) -> String {
    format!(
        "{} cannot be used ({error}). Check its rights or choose another profile with \
         --profile DIR.",
        path.display()
    )
}

/// Connects to the instance that runs on this profile.
///
/// # Errors
/// Nothing runs there, or the system's words.
pub async fn connect(run: &Path) -> Result<(Reader, Writer), ConnectError> {
    match UnixStream::connect(path(run)).await {
        Ok(stream) => Ok(stream.into_split()),
        Err(error) => Err(match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ConnectError::NobodyThere,
            _ => ConnectError::Other(error.to_string()),
        }),
    }
}
