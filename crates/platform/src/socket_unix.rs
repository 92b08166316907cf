//! The control socket as a Unix domain socket, mode 0600.

use std::io;
use std::os::unix::fs::PermissionsExt;
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
    std::fs::create_dir_all(run).map_err(|error| unusable(run, &error))?;
    if connect(run).await.is_ok() {
        return Err(format!(
            "Offhook already runs on this profile ({}). End it first (offhook ctl session.quit), \
             or choose another profile with --profile DIR.",
            run.display()
        ));
    }
    // What is left is a file of an instance that crashed.
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(unusable(&path, &error));
        }
        Ok(()) | Err(_) => {}
    }
    let inner = UnixListener::bind(&path).map_err(|error| unusable(&path, &error))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
        .map_err(|error| unusable(&path, &error))?;
    Ok(Listener { inner, path })
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
