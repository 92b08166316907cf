//! Log files: a ring of five, 50 MB in all at most. Nothing private is logged, at no level.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tracing::Level;
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// Size of one file and how many there are.
const FILE: u64 = 10 << 20;
const FILES: u32 = 5;

/// Crates that open windows.
const WINDOWS: [&str; 4] = ["eframe", "egui_winit", "glutin", "winit"];

/// Starts logging into the folder, and onto standard error when a level was asked for.
///
/// # Errors
/// A sentence when the filter is wrong or the folder cannot be written.
pub fn start(folder: &Path, level: Option<&str>) -> Result<(), String> {
    let ring = Ring::open(folder, FILE)?;
    let to_file = fmt::layer()
        .with_ansi(false)
        .with_writer(move || ring.clone())
        .with_filter(filter(level.unwrap_or("info"))?);
    let to_screen = level
        .map(filter)
        .transpose()?
        .map(|filter| fmt::layer().with_writer(io::stderr).with_filter(filter));
    tracing_subscriber::registry()
        .with(to_file)
        .with(to_screen)
        .try_init()
        .map_err(|error| format!("Logging cannot be started ({error})."))
}

/// The user's filter, for our own words only. What libraries say of requests, names, certificates
/// and stanzas can be private, at some level; their faults come back to us and are told from here.
fn filter<S: 'static>(level: &str) -> Result<impl Filter<S> + Send + Sync + 'static, String> {
    let wanted = EnvFilter::builder().parse(level).map_err(|error| {
        format!("--log {level} is no log level ({error}). Use error, warn, info, debug or trace.")
    })?;
    Ok(wanted.and(filter_fn(|metadata| {
        let root = metadata.target().split("::").next().unwrap_or_default();
        root == "offhook"
            || root.starts_with("offhook_")
            // Windows know nothing private, and only they can say why there is none.
            || (WINDOWS.contains(&root) && *metadata.level() <= Level::WARN)
    })))
}

/// The newest log file and its older ones `offhook.1.log`…
#[derive(Clone)]
struct Ring(Arc<Mutex<Open>>);

struct Open {
    folder: PathBuf,
    file: File,
    size: u64,
    limit: u64,
}

impl Ring {
    /// A ring of files of at most `limit` bytes each.
    fn open(folder: &Path, limit: u64) -> Result<Self, String> {
        let words = |error: io::Error| {
            format!(
                "The log folder {} cannot be used ({error}). Check its rights or choose another \
                 profile with --profile DIR.",
                folder.display()
            )
        };
        fs::create_dir_all(folder).map_err(words)?;
        let file = newest(folder).map_err(words)?;
        let size = file.metadata().map_err(words)?.len();
        Ok(Self(Arc::new(Mutex::new(Open { folder: folder.to_owned(), file, size, limit }))))
    }
}

fn newest(folder: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(folder.join("offhook.log"))
}

impl Open {
    fn turn(&mut self) -> io::Result<()> {
        let name = |n: u32| match n {
            0 => self.folder.join("offhook.log"),
            n => self.folder.join(format!("offhook.{n}.log")),
        };
        for n in (0..FILES - 1).rev() {
            if name(n).exists() {
                fs::rename(name(n), name(n + 1))?;
            }
        }
        self.file = newest(&self.folder)?;
        self.size = 0;
        Ok(())
    }
}

impl Write for Ring {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut open = self.0.lock().map_err(|_| io::Error::other("the log is broken"))?;
        if open.size > 0 && open.size + bytes.len() as u64 > open.limit {
            open.turn()?;
        }
        open.file.write_all(bytes)?;
        open.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The newest log lines, at most `limit` bytes, for a problem report.
pub fn tail(folder: &Path, limit: usize) -> String {
    let bytes = fs::read(folder.join("offhook.log")).unwrap_or_default();
    let from = bytes.len().saturating_sub(limit);
    String::from_utf8_lossy(&bytes[from..]).into_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tracing_subscriber::Layer;
    use tracing_subscriber::layer::SubscriberExt;

    use super::{FILES, Ring, filter, tail};

    /// All that is in the folder, as (name, size).
    fn files(folder: &std::path::Path) -> Vec<(String, u64)> {
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry"))
            .map(|entry| {
                let size = entry.metadata().expect("metadata").len();
                (entry.file_name().to_string_lossy().into_owned(), size)
            })
            .collect();
        files.sort();
        files
    }

    #[test]
    fn the_ring_never_grows_beyond_its_bound_and_keeps_the_newest() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut ring = Ring::open(folder.path(), 110).expect("opened");
        for n in 0..200 {
            writeln!(ring, "line {n:03} of the log").expect("written");
        }
        let files = files(folder.path());
        assert_eq!(files.len(), FILES as usize, "{files:?}");
        assert!(files.iter().all(|(_, size)| *size <= 110), "{files:?}");
        assert!(tail(folder.path(), 1_000).ends_with("line 199 of the log\n"));
        assert_eq!(tail(folder.path(), 4), "log\n");
        // A restart goes on where the last run stopped.
        drop(ring);
        let mut ring = Ring::open(folder.path(), 110).expect("opened");
        writeln!(ring, "after").expect("written");
        assert!(tail(folder.path(), 1_000).contains("line 199"));
    }

    #[test]
    fn a_folder_that_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("logs"), "a file").expect("written");
        let Err(sentence) = Ring::open(&folder.path().join("logs"), 1) else { panic!("opened") };
        assert!(sentence.contains("logs") && sentence.contains("--profile"), "{sentence}");
    }

    /// What is logged under this filter when everybody talks.
    fn said(level: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let ring = Ring::open(folder.path(), 1 << 20).expect("opened");
        let layer = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(move || ring.clone())
            .with_filter(filter(level).expect("a filter"));
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            tracing::trace!(target: "offhook_core::session", "ours");
            tracing::info!(target: "offhook", "the program");
            tracing::trace!(target: "offhookery", "private");
            tracing::trace!(target: "hyper::proto::h1", "private");
            tracing::debug!(target: "rxml::parser", "private");
            tracing::info!(target: "minidom", "private");
            tracing::warn!(target: "hickory_resolver::name_server", "private");
            tracing::error!(target: "rustls_platform_verifier::verification", "private");
            tracing::error!(target: "tokio_xmpp", "private");
            tracing::debug!(target: "winit::event", "private");
            tracing::warn!(target: "winit", "no display");
        });
        tail(folder.path(), 1 << 20)
    }

    #[test]
    fn libraries_are_silent_whatever_is_asked_for() {
        for level in ["trace", "hyper=trace", "trace,rxml::parser=trace", "info", "debug"] {
            let said = said(level);
            assert!(!said.contains("private"), "{level}: {said}");
        }
        let all = said("trace");
        assert!(all.contains("ours") && all.contains("the program") && all.contains("no display"));
        let usual = said("info");
        assert!(!usual.contains("ours") && usual.contains("the program"));
        assert!(said("offhook_core=trace").contains("ours"));
    }

    #[test]
    fn a_wrong_level_is_refused_with_the_right_ones() {
        for level in ["offhook=loud", "=="] {
            let Err(sentence) = filter::<tracing_subscriber::Registry>(level) else {
                panic!("{level} is taken")
            };
            assert!(sentence.contains("debug"), "{sentence}");
        }
    }
}
