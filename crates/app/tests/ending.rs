//! The program without a window: how it ends, and whom it lets in beside it.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_offhook");

fn offhook(profile: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .args(["--profile".as_ref(), profile.as_os_str()])
        // Nobody answers there, and nothing outside this machine is asked.
        .args(["--name-server", "127.0.0.1:1", "--audio-input", "null"])
        .args(["--audio-output", "null", "--ringer-output", "null"])
        .args(arguments)
        .stdin(Stdio::null());
    command
}

/// A running client; killed when the test is over.
struct Running {
    child: Child,
    profile: TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn start() -> Self {
        let profile = tempfile::tempdir().expect("a folder");
        let child = offhook(profile.path(), &["--headless"]).spawn().expect("started");
        let running = Self { child, profile };
        running.wait_for("session.state", |state| state["state"].is_string());
        running
    }

    /// Standard output and exit status of a control call.
    fn ctl(&self, method: &str, params: &Value) -> (Value, Option<i32>) {
        let mut command = Command::new(PROGRAM);
        command.args(["--profile".as_ref(), self.profile.path().as_os_str()]);
        let output = command.args(["ctl", method, &params.to_string()]).output().expect("started");
        let text = String::from_utf8_lossy(&output.stdout);
        (serde_json::from_str(&text).unwrap_or(Value::Null), output.status.code())
    }

    /// Asks until the answer is as wanted.
    fn wait_for(&self, method: &str, wanted: impl Fn(&Value) -> bool) {
        for _ in 0..600 {
            if wanted(&self.ctl(method, &json!({})).0) {
                return;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("{method}: {:?}", self.ctl(method, &json!({})));
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status().expect("kill");
        assert!(status.success());
    }

    /// Waits for the end; a minute is an error even on a busy machine.
    fn ended(&mut self) -> ExitStatus {
        for _ in 0..1_200 {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("it does not end")
    }
}

#[test]
fn quit_and_signals_end_it_with_status_0() {
    for how in ["quit", "TERM", "INT"] {
        let mut running = Running::start();
        match how {
            "quit" => assert_eq!(running.ctl("session.quit", &json!({})).1, Some(0)),
            signal => running.signal(signal),
        }
        assert_eq!(running.ended().code(), Some(0), "{how}");
        assert!(!running.profile.path().join("run/control.sock").exists(), "{how}");
        assert_eq!(running.ctl("session.state", &json!({})).1, Some(3), "{how}");
    }
}

#[test]
fn a_second_one_on_the_same_profile_is_refused() {
    let running = Running::start();
    let output = offhook(running.profile.path(), &["--headless"]).output().expect("started");
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("already runs") && words.contains("--profile"), "{words}");
    assert_eq!(running.ctl("session.state", &json!({})).1, Some(0));
    // A killed one leaves its socket behind and is no obstacle.
    running.signal("KILL");
    drop(running);
    drop(Running::start());
}

/// One message of a stream; its body is passed over.
fn message(reader: &mut impl BufRead) -> Option<String> {
    let mut text = String::new();
    while !text.trim_start().contains("\r\n\r\n") {
        if reader.read_line(&mut text).ok()? == 0 {
            return None;
        }
    }
    let length = header(&text, "Content-Length:").split_once(':').map(|(_, it)| it.trim().parse());
    let mut body = vec![0; length?.ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(text.trim_start().to_owned())
}

fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let line = message.lines().find(|line| line.starts_with(name));
    line.unwrap_or_else(|| panic!("no {name} in {message}"))
}

/// A registrar for one phone: answers every REGISTER and returns their Expires.
fn registrar(stream: TcpStream) -> Vec<String> {
    let mut writer = stream.try_clone().expect("cloned");
    let mut reader = BufReader::new(stream);
    let mut seen = Vec::new();
    while let Some(request) = message(&mut reader) {
        let registers = request.starts_with("REGISTER ");
        // It knows nothing of presence (RFC 6665 section 8.3.2).
        let (status, contact) = if registers {
            ("200 OK", format!("{};expires=3600\r\n", header(&request, "Contact:")))
        } else {
            ("489 Bad Event", String::new())
        };
        let answer = format!(
            "SIP/2.0 {status}\r\n{}\r\n{}\r\n{};tag=r\r\n{}\r\n{}\r\n{contact}\
             Content-Length: 0\r\n\r\n",
            header(&request, "Via:"),
            header(&request, "From:"),
            header(&request, "To:"),
            header(&request, "Call-ID:"),
            header(&request, "CSeq:"),
        );
        writer.write_all(answer.as_bytes()).expect("written");
        if registers {
            seen.push(header(&request, "Expires:").to_owned());
        }
        if seen.last().is_some_and(|expires| expires == "Expires: 0") {
            // Until the phone has closed as well.
            let _ = reader.read_to_end(&mut Vec::new());
            break;
        }
    }
    seen
}

#[test]
fn a_signal_withdraws_the_registration() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let server =
        format!("127.0.0.1:{};transport=tcp", listener.local_addr().expect("bound").port());
    let mut running = Running::start();
    let manual = json!({ "accountType": "standard", "sipServer": server });
    assert_eq!(running.ctl("session.setManual", &manual).1, Some(0));
    let wish = json!({ "address": "alice@example.test", "password": "secret" });
    let begun = running.ctl("session.signIn", &wish);
    assert_eq!(begun.1, Some(0), "{begun:?}");
    #[allow(clippy::disallowed_methods, reason = "the registrar of this test")]
    let registrar = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a phone");
        registrar(stream)
    });
    running.wait_for("session.state", |session| session["state"] == "signedIn");
    running.signal("TERM");
    assert_eq!(running.ended().code(), Some(0));
    let seen = registrar.join().expect("ended");
    assert_eq!(seen.last().map(String::as_str), Some("Expires: 0"), "{seen:?}");
}
