//! Log files: a ring of five, 50 MB in all at most. Nothing private is logged, at no level.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// Size of one file and how many there are.
const FILE: u64 = 10 << 20;
const FILES: u32 = 5;

/// Starts logging into the folder, and onto standard error when a level was asked for.
///
/// # Errors
/// A sentence when the filter is wrong or the folder cannot be written.
pub fn start(folder: &Path, level: Option<&str>) -> Result<(), String> {
    let filter = |level: &str| {
        EnvFilter::builder().parse(level).map_err(|error| {
            format!(
                "--log {level} is no log level ({error}). Use error, warn, info, debug or trace."
            )
        })
    };
    // The libraries below say too much at info, some of it private at debug.
    let quiet = "hickory_resolver=warn,hickory_proto=warn,hickory_net=warn,rustls=warn,hyper=warn,\
                 hyper_util=warn,tokio_xmpp=warn,rxml=warn,egui=warn,eframe=warn,winit=warn,cpal=warn";
    let level = level.map(str::to_owned);
    let directives = format!("{},{quiet}", level.as_deref().unwrap_or("info"));
    let ring = Ring::open(folder)?;
    let to_file = fmt::layer()
        .with_ansi(false)
        .with_writer(move || ring.clone())
        .with_filter(filter(&directives)?);
    let to_screen = level
        .map(|_| filter(&directives))
        .transpose()?
        .map(|filter| fmt::layer().with_writer(io::stderr).with_filter(filter));
    tracing_subscriber::registry()
        .with(to_file)
        .with(to_screen)
        .try_init()
        .map_err(|error| format!("Logging cannot be started ({error})."))
}

/// The newest log file and its older ones `offhook.1.log`…
#[derive(Clone)]
struct Ring(Arc<Mutex<Open>>);

struct Open {
    folder: PathBuf,
    file: File,
    size: u64,
}

impl Ring {
    fn open(folder: &Path) -> Result<Self, String> {
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
        Ok(Self(Arc::new(Mutex::new(Open { folder: folder.to_owned(), file, size }))))
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
        if open.size + bytes.len() as u64 > FILE {
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
