//! A registrar (Kamailio) for phones of the measurements, and a caller (SIPp) that goes through it.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::baresip::free_port;
use super::stage::until;
use crate::packages::exists;
use crate::process::{Running, Scratch};

/// The domain of the phones.
pub const DOMAIN: &str = "phones.test";

/// A running registrar that takes everybody.
pub struct Registrar {
    /// Where it listens on 127.0.0.1, UDP.
    pub port: u16,
    folder: PathBuf,
    _running: Running,
}

/// What came of many calls.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Calls that ran their whole course.
    pub whole: usize,
    /// Calls that did not.
    pub failed: usize,
}

impl Registrar {
    /// Starts it; nothing, and a sentence, when it or SIPp is not installed.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(scratch: &Scratch) -> Result<Option<Self>, String> {
        if let Some(missing) = ["kamailio", "sipp"].into_iter().find(|name| !exists(name)) {
            println!("{missing} is not installed: left out.");
            return Ok(None);
        }
        let folder = scratch.0.join("registrar");
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let port = free_port()?;
        let config = include_str!("phones/kamailio.cfg")
            .replace("@PORT@", &port.to_string())
            .replace("@DOMAIN@", DOMAIN);
        let file = folder.join("kamailio.cfg");
        fs::write(&file, config).map_err(|error| error.to_string())?;
        let mut command = Command::new("kamailio");
        command.arg("-f").arg(&file).args(["-DD", "-E", "-m", "64", "-M", "8", "-Y"]).arg(&folder);
        let running = Running::start("kamailio", command.stderr(Stdio::null()))?;
        // It has the port from its start on; that another program cannot is how it is seen.
        let taken = || {
            let free = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
            Ok((!free).then_some(()))
        };
        until("Kamailio", taken)?;
        Ok(Some(Self { port, folder, _running: running }))
    }

    /// Its address as phones are told it.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Lets SIPp call somebody `count` times, `rate` times a second, as `phones/caller.xml` says, and
    /// stay for `stay`.
    ///
    /// # Errors
    /// SIPp does not run, or does not say what came of it.
    pub fn calls(
        &self,
        user: &str,
        count: usize,
        rate: usize,
        stay: Duration,
    ) -> Result<Outcome, String> {
        let folder = self.folder.join(format!("{user}-{count}-{rate}-{}", stay.as_millis()));
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let scenario = include_str!("phones/caller.xml")
            .replace("@USER@", user)
            .replace("@DOMAIN@", DOMAIN)
            .replace("@STAY@", &stay.as_millis().to_string());
        fs::write(folder.join("caller.xml"), scenario).map_err(|error| error.to_string())?;
        let mut command = Command::new("sipp");
        command.arg(self.address()).args(["-sf", "caller.xml", "-nostdin", "-i", "127.0.0.1"]);
        command.args(["-t", "u1", "-mi", "127.0.0.1", "-p", &free_port()?.to_string()]);
        command.args(["-mp", &free_port()?.to_string(), "-l", "2000", "-m", &count.to_string()]);
        command.args(["-r", &rate.to_string(), "-trace_stat", "-stf", "counts.csv", "-fd", "1"]);
        command.args(["-trace_err", "-error_file", "errors.log"]);
        // A call that hangs is given up, and counts as failed.
        command.args(["-recv_timeout", "10000"]);
        command.current_dir(&folder).stderr(Stdio::null());
        let mut sipp = Running::start("sipp", &mut command)?;
        if let Some(mut lines) = sipp.take_lines() {
            std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        }
        let patience = Duration::from_secs((count / rate.max(1) + 120) as u64);
        // Ends with 1 when a call failed, which is counted and no error here.
        let ended = sipp.wait(patience);
        outcome(&folder).map_err(|why| format!("{why}; {ended:?}"))
    }
}

/// The last line of SIPp's statistics.
fn outcome(folder: &Path) -> Result<Outcome, String> {
    let text = fs::read_to_string(folder.join("counts.csv")).map_err(|error| error.to_string())?;
    let names: Vec<&str> = text.lines().next().unwrap_or_default().split(';').collect();
    let last: Vec<&str> = text.lines().last().unwrap_or_default().split(';').collect();
    let of = |name: &str| {
        let column = names.iter().position(|it| *it == name)?;
        last.get(column)?.parse().ok()
    };
    match (of("SuccessfulCall(C)"), of("FailedCall(C)")) {
        (Some(whole), Some(failed)) => Ok(Outcome { whole, failed }),
        _ => Err("SIPp did not say what came of its calls".into()),
    }
}
