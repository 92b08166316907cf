//! baresip: a phone that is not ours, with sound from and to files.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::knot::fill;
use crate::pki::Identity;
use crate::running::Running;
use crate::{Transport, attempt, free_port, program, sound, until};

/// One account of a phone.
#[derive(Clone, Debug, Default)]
pub struct PhoneAccount<'a> {
    /// User part of the address, and user name of the digest.
    pub user: &'a str,
    /// The only codec it speaks, as `PCMU/8000/1`; all when empty.
    pub codec: &'a str,
    /// Further parameters of the account, such as `mediaenc=srtp-mand` or `answermode=early`; it
    /// answers by itself otherwise.
    pub more: &'a str,
}

/// A running phone.
pub struct Baresip {
    folder: PathBuf,
    control: TcpStream,
    events: Arc<Mutex<Vec<Value>>>,
    running: Running,
}

/// Frequency of what it says, in hertz.
pub const SPEECH_HZ: f64 = 1_000.0;
/// Its level in dB below full scale.
pub const SPEECH_DB: f64 = -8.0;

/// Where a phone with `medianat=` has its sound: an address that the test gives to the loopback of a
/// network namespace of its own.
pub const WAY_ADDRESS: &str = "10.77.0.1";

impl Baresip {
    /// Starts a phone with these accounts at the server on `server_port`, answering by itself when
    /// `answers`, and waits until all are registered. It says a tone of 1000 Hz at −8 dB.
    ///
    /// # Panics
    /// It does not start or register.
    pub fn start(
        folder: &Path,
        domain: &str,
        password: &str,
        accounts: &[PhoneAccount<'_>],
        (transport, server_port): (Transport, u16),
        (identity, authority): (&Identity, &Path),
    ) -> Self {
        let folder = folder.join(format!("baresip-{}", transport.word()));
        std::fs::create_dir_all(folder.join("recordings")).expect("a folder for the phone");
        std::fs::write(folder.join("speech.wav"), sound::tone(48_000, SPEECH_HZ, 60.0, 0.4))
            .expect("a file to say");
        // baresip takes the port after its SIP port for TLS.
        let mut port = free_port();
        loop {
            let next = free_port();
            if next == port + 1 {
                break;
            }
            port = next;
        }
        let control_port = free_port();
        let config = fill(
            include_str!("../fixtures/baresip.config"),
            &[
                ("FOLDER", &folder.to_string_lossy()),
                ("PORT", &port.to_string()),
                ("CONTROL_PORT", &control_port.to_string()),
                ("BOTH", &identity.both.to_string_lossy()),
                ("AUTHORITY", &authority.to_string_lossy()),
            ],
        );
        let config = config + &ways(accounts);
        let word = transport.word();
        let lines = accounts.iter().map(|account| {
            let user = account.user;
            let codec = match account.codec {
                "" => String::new(),
                codec => format!(";audio_codecs={codec}"),
            };
            let answer = if account.more.contains("answermode") { "" } else { ";answermode=auto" };
            let more = match account.more {
                "" => String::new(),
                more => format!(";{more}"),
            };
            format!(
                "<sip:{user}@{domain};transport={word}>;auth_user={user};auth_pass={password};\
                 outbound=\"sip:127.0.0.1:{server_port};transport={word}\";regint=600;ptime=20\
                 {answer}{codec}{more}\n"
            )
        });
        std::fs::write(folder.join("config"), config).expect("a configuration file");
        std::fs::write(folder.join("accounts"), lines.collect::<String>()).expect("accounts");
        std::fs::write(folder.join("contacts"), "").expect("contacts");
        let mut command = Command::new(program("baresip").expect("baresip"));
        let mut running =
            Running::start("baresip", command.arg("-v").arg("-f").arg(&folder), &folder);
        // It serves one connection only, so the first one that succeeds is kept.
        let mut control = None;
        running.ready(30, || {
            control = TcpStream::connect(("127.0.0.1", control_port)).ok();
            control.is_some()
        });
        let control = control.expect("its control port");
        let events = Arc::new(Mutex::new(Vec::new()));
        let (reader, kept) = (control.try_clone().expect("a second handle"), Arc::clone(&events));
        std::thread::spawn(move || read_events(reader, &kept));
        let mut phone = Self { folder, control, events, running };
        phone.until_registered(accounts.len());
        phone
    }

    fn until_registered(&mut self, accounts: usize) {
        let folder = self.folder.clone();
        // The first registrations may be over before the control connection is.
        self.running.ready(60, || {
            let said = std::fs::read_to_string(folder.join("baresip.out")).unwrap_or_default()
                + &std::fs::read_to_string(folder.join("baresip.err")).unwrap_or_default();
            said.matches("200 OK").count() >= accounts
        });
    }

    /// Gives a command and returns its answer.
    ///
    /// # Panics
    /// No answer comes.
    #[track_caller]
    pub fn command(&mut self, command: &str, params: &str) -> Value {
        let token = format!("t{}", self.count());
        let message = json!({ "command": command, "params": params, "token": token }).to_string();
        let framed = format!("{}:{message},", message.len());
        self.control.write_all(framed.as_bytes()).expect("the phone reads commands");
        until(&format!("baresip's answer to {command} {params}"), 20, || {
            self.events().into_iter().find(|event| event["token"] == token.as_str())
        })
    }

    /// Speaks as this account from now on.
    pub fn become_account(&mut self, user: &str, domain: &str) {
        self.command("uafind", &format!("sip:{user}@{domain}"));
    }

    /// Everything it has reported so far.
    pub fn events(&self) -> Vec<Value> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many reports there are, to look only at later ones.
    pub fn count(&self) -> usize {
        self.events().len()
    }

    /// Waits for an event of a type that came after `since`.
    ///
    /// # Panics
    /// It does not come.
    #[track_caller]
    pub fn until_event(&self, kind: &str, since: usize) -> Value {
        until(&format!("baresip reports {kind}"), 30, || {
            self.events().into_iter().skip(since).find(|event| event["type"] == kind)
        })
    }

    /// Digits that it heard after `since`.
    pub fn digits(&self, since: usize) -> String {
        let events = self.events();
        let started = events.iter().skip(since).filter(|it| it["type"] == "CALL_DTMF_START");
        started.filter_map(|event| event["param"].as_str()).collect()
    }

    /// What it has written to its log.
    pub fn log(&self) -> String {
        self.running.words()
    }

    /// The newest recording of what it received, once the call is over and the file complete.
    ///
    /// # Panics
    /// There is none.
    #[track_caller]
    pub fn recording(&self) -> sound::Recording {
        let folder = self.folder.join("recordings");
        let newest = until("baresip's recording of what it heard", 20, || {
            let files = std::fs::read_dir(&folder).ok()?.flatten().map(|entry| entry.path());
            let heard = files.filter(|path| path.to_string_lossy().ends_with("dec.wav"));
            heard.max_by_key(|path| path.metadata().and_then(|it| it.modified()).ok())
        });
        let size = || newest.metadata().map(|it| it.len()).unwrap_or(0);
        let mut known = 0;
        attempt(10, || {
            let same = size() == known && known > 44;
            known = size();
            std::thread::sleep(Duration::from_millis(200));
            same.then_some(())
        });
        sound::read(&newest)
    }
}

/// Reads netstrings (`LENGTH:JSON,`) until the connection ends.
/// What its settings say more for a phone that looks for ways (ICE). Its candidates are never on
/// 127.0.0.1, so the address that it names must not be there either, or its own description would
/// not fit them.
fn ways(accounts: &[PhoneAccount<'_>]) -> String {
    if accounts.iter().any(|account| account.more.contains("medianat=")) {
        format!("net_interface {WAY_ADDRESS}\nmodule ice.so\nmodule stun.so\nmodule turn.so\n")
    } else {
        String::new()
    }
}

fn read_events(mut from: TcpStream, into: &Mutex<Vec<Value>>) {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match from.read(&mut chunk) {
            Ok(0) | Err(_) => return,
            Ok(n) => bytes.extend_from_slice(&chunk[..n]),
        }
        while let Some((message, used)) = netstring(&bytes) {
            if let Ok(value) = serde_json::from_slice(message) {
                into.lock().unwrap_or_else(PoisonError::into_inner).push(value);
            }
            bytes.drain(..used);
        }
    }
}

fn netstring(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    let length: usize = std::str::from_utf8(&bytes[..colon]).ok()?.parse().ok()?;
    let end = colon + 1 + length;
    (bytes.len() > end).then(|| (&bytes[colon + 1..end], end + 1))
}
