//! Programs that are started, watched and always ended, each by its own process id.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::wait::attempt;

/// How long a program may take to end when asked to, before it is killed.
const PATIENCE: u64 = 15;

/// A running program. Dropping it asks it to end (SIGTERM), waits, and kills what does not end.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    output: PathBuf,
    errors: PathBuf,
}

impl Running {
    /// Starts a program with its output in `folder/NAME.out` and `folder/NAME.err`.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn start(name: &str, command: &mut Command, folder: &Path) -> Self {
        let output = folder.join(format!("{name}.out"));
        let file = File::create(&output).expect("a file for output");
        Self::spawn(name, command.stdin(Stdio::null()).stdout(file), folder, output)
    }

    /// Starts a program that is spoken to by its standard input and output.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn start_piped(name: &str, command: &mut Command, folder: &Path) -> Self {
        let output = folder.join(format!("{name}.out"));
        Self::spawn(name, command.stdin(Stdio::piped()).stdout(Stdio::piped()), folder, output)
    }

    fn spawn(name: &str, command: &mut Command, folder: &Path, output: PathBuf) -> Self {
        let errors = folder.join(format!("{name}.err"));
        let file = File::create(&errors).expect("a file for errors");
        let child = command.stderr(file).spawn();
        let child = child.unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
        Self { name: name.to_owned(), child, output, errors }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory it has had, in bytes; 0 where the system does not tell.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|it| it.trim().strip_suffix(" kB")?.trim().parse().ok());
        kilobytes.unwrap_or(0) * 1_024
    }

    /// Its end of a pipe, once.
    pub fn take_output(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Its end of a pipe, once.
    pub fn take_input(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// What it has written to standard output and standard error so far.
    pub fn words(&self) -> String {
        let read =
            |path| String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
        read(&self.output) + &read(&self.errors)
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until a condition holds, and fails at once when the program ends before.
    ///
    /// # Panics
    /// The program ended, or `seconds` have passed.
    #[track_caller]
    pub fn ready(&mut self, seconds: u64, mut condition: impl FnMut() -> bool) {
        let came = attempt(seconds, || match (condition(), self.is_running()) {
            (true, _) => Some(true),
            (false, true) => None,
            (false, false) => Some(false),
        });
        if came != Some(true) {
            let why = if came.is_none() { "does not get ready" } else { "ended" };
            panic!("{} {why}; it said:\n{}", self.name, last(&self.words(), 3_000));
        }
    }

    /// Asks it to end, without waiting.
    pub fn ask_to_end(&self) {
        signal("-TERM", self.id());
    }

    /// Waits for its end.
    pub fn wait(&mut self, seconds: u64) -> Option<ExitStatus> {
        attempt(seconds, || self.child.try_wait().ok().flatten())
    }

    /// Asks it to end and waits; what does not end is killed and gives no status.
    pub fn end(&mut self) -> Option<ExitStatus> {
        if let Ok(Some(status)) = self.child.try_wait() {
            return Some(status);
        }
        self.ask_to_end();
        let status = self.wait(PATIENCE);
        if status.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        status
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

fn signal(which: &str, id: u32) {
    let _ = Command::new("kill").args([which, &id.to_string()]).stderr(Stdio::null()).status();
}

/// Whether a process exists and has not ended.
pub fn alive(id: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or("").trim_start().starts_with('Z'))
}

/// A pause where there is nothing to wait for, such as talking time.
pub fn pause(seconds: f64) {
    std::thread::sleep(Duration::from_secs_f64(seconds));
}

/// The end of a long text.
pub(crate) fn last(text: &str, bytes: usize) -> String {
    let from = text.len().saturating_sub(bytes);
    let from = (from..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[from..].to_owned()
}
