//! Programs that are started, watched and always ended.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A running program; it is ended when this is dropped, by its own process id.
pub struct Running {
    name: String,
    child: Child,
    lines: Option<BufReader<std::process::ChildStdout>>,
}

impl Running {
    /// Starts a program with its standard output kept.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(name: &str, command: &mut Command) -> Result<Self, String> {
        Self::spawn(name, command.stdin(Stdio::null()))
    }

    /// Starts one that takes commands on its standard input.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start_with_input(
        name: &str,
        command: &mut Command,
    ) -> Result<(Self, ChildStdin), String> {
        let mut running = Self::spawn(name, command.stdin(Stdio::piped()))?;
        let input = running.child.stdin.take().ok_or("its input is not kept")?;
        Ok((running, input))
    }

    fn spawn(name: &str, command: &mut Command) -> Result<Self, String> {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{name} cannot be started: {error}"))?;
        let lines = child.stdout.take().map(BufReader::new);
        Ok(Self { name: name.to_owned(), child, lines })
    }

    /// Reads what it prints and forgets it, so that it is never kept waiting by a full pipe.
    pub fn drain(&mut self) {
        if let Some(mut lines) = self.take_lines() {
            std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line of its output as JSON. Lines that are none are passed over.
    ///
    /// # Errors
    /// It ended.
    pub fn json(&mut self) -> Result<Value, String> {
        let lines = self.lines.as_mut().ok_or("its output is not kept")?;
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line).map_err(|error| error.to_string())? == 0 {
                return Err(format!("{} ended before it was ready", self.name));
            }
            if let Ok(value) = serde_json::from_str(&line) {
                return Ok(value);
            }
        }
    }

    /// Waits until it ends by itself, successfully.
    ///
    /// # Errors
    /// It failed, or did not end in time.
    pub fn wait(&mut self, patience: Duration) -> Result<(), String> {
        let until = Instant::now().checked_add(patience);
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("{} ended with {status}", self.name)),
                Ok(None) if until.is_some_and(|until| Instant::now() > until) => {
                    return Err(format!("{} does not end", self.name));
                }
                Ok(None) => std::thread::sleep(Duration::from_millis(20)),
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    /// Takes the output, to be read elsewhere.
    pub fn take_lines(&mut self) -> Option<BufReader<std::process::ChildStdout>> {
        self.lines.take()
    }

    /// Asks it to end (SIGTERM) and waits; after `patience` it is killed.
    pub fn end(&mut self, patience: Duration) {
        let _ =
            Command::new("kill").arg(self.child.id().to_string()).stderr(Stdio::null()).status();
        let until = Instant::now() + patience;
        while Instant::now() < until {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end(Duration::from_secs(3));
    }
}

/// Runs a command to its end, its output shown.
///
/// # Errors
/// It failed, or could not be started.
pub fn run(command: &mut Command) -> Result<(), String> {
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let shown = words.join(" ");
    println!("$ {shown}");
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("{shown} cannot be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{shown} failed")) }
}

/// `cargo` as it runs us, in the project's root.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// The project's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// A program that a build in the profile's folder (`debug`, `release`) left.
pub fn built(profile: &str, name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |folder| root().join(folder));
    target.join(profile).join(name)
}

/// A folder for scratch, removed when dropped.
pub struct Scratch(pub PathBuf);

impl Scratch {
    /// A fresh folder, short enough for a control socket's path.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(name: &str) -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("offhook-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).map_err(|error| error.to_string())?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
