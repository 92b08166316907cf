//! What a call costs at each end: ours and a peer's in the same call, at the same time.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::baresip::{Baresip, Codec};
use super::python;
use super::speech;
use super::stage::{Client, Lab, until};
use super::table::{Peer, Row};
use super::usage::{Usage, Watch};
use crate::process::{Running, Scratch};

/// How long a call is left alone before it is watched.
const SETTLE: Duration = Duration::from_secs(5);
/// How long it is watched.
const WATCHED: Duration = Duration::from_secs(30);

/// What kind of call it is.
#[derive(Clone, Copy)]
struct Kind {
    codec: Codec,
    /// With SRTP.
    secure: bool,
    /// Our voice is worked on: echo, noise, level.
    worked: bool,
}

/// A peer that answers.
enum Other {
    Baresip(Baresip),
    Pjsua(Running),
}

/// Calls baresip with each codec, with SRTP, and with our voice worked on; then PJSIP.
///
/// # Errors
/// A call does not come about, or with another codec than asked for.
pub fn measure() -> Result<Vec<Row>, String> {
    let scratch = Scratch::new("call")?;
    let lab = Lab::up(&scratch)?;
    let python = python::with("pjsua2", &["pjsua2-python"], "PJSIP");
    let mut rows = Vec::new();
    let plain = |codec| Kind { codec, secure: false, worked: false };
    for (codec, goal) in [(Codec::Pcmu, 0.45), (Codec::G722, 0.6), (Codec::Opus, 2.0)] {
        let name = codec.name();
        let (ours, theirs) = with_baresip(&lab, &scratch, plain(codec))?;
        rows.push(
            Row::new(format!("{name} call, CPU s a minute"), ours.cpu_per_minute)
                .beside(Peer::Measured("baresip", theirs.cpu_per_minute))
                .at_most(goal),
        );
        rows.push(
            Row::new(format!("{name} call, wake-ups a second"), ours.wakeups)
                .beside(Peer::Measured("baresip", theirs.wakeups))
                .at_most(110.0)
                .digits(0),
        );
        rows.push(
            Row::new(format!("{name} call, preempted a second"), ours.preempted)
                .beside(Peer::Measured("baresip", theirs.preempted))
                .digits(0),
        );
        if matches!(codec, Codec::Pcmu) {
            // One that does not come about does not cost the figures of the others.
            match secured(&lab, &scratch, (&ours, &theirs)) {
                Ok(row) => rows.push(row),
                Err(why) => println!("  SRTP is left out: {why}"),
            }
            let (worked, _) = with_baresip(&lab, &scratch, Kind { worked: true, ..plain(codec) })?;
            rows.push(Row::new(
                format!("{name} call, our voice worked on: CPU s a minute"),
                worked.cpu_per_minute,
            ));
        }
        if matches!(codec, Codec::Opus) {
            // The wheel of PJSIP has no Opus.
            continue;
        }
        if let Some(python) = &python {
            let (ours, theirs) = match with_pjsua(&lab, &scratch, plain(codec), python) {
                Ok(found) => found,
                Err(why) => {
                    println!("  PJSIP is left out: {why}");
                    continue;
                }
            };
            rows.push(
                Row::new(format!("{name} call, CPU s a minute"), ours.cpu_per_minute)
                    .beside(Peer::Measured("pjsua", theirs.cpu_per_minute))
                    .at_most(goal),
            );
            rows.push(
                Row::new(format!("{name} call, wake-ups a second"), ours.wakeups)
                    .beside(Peer::Measured("pjsua", theirs.wakeups))
                    .at_most(110.0)
                    .digits(0),
            );
        }
    }
    Ok(rows)
}

/// What SRTP costs on top of the same call without.
fn secured(lab: &Lab, scratch: &Scratch, plain: (&Usage, &Usage)) -> Result<Row, String> {
    let kind = Kind { codec: Codec::Pcmu, secure: true, worked: false };
    let (ours, theirs) = with_baresip(lab, scratch, kind)?;
    let more = ours.cpu_per_minute - plain.0.cpu_per_minute;
    let more_there = theirs.cpu_per_minute - plain.1.cpu_per_minute;
    Ok(Row::new("SRTP on top, CPU s a minute", more)
        .beside(Peer::Measured("baresip", more_there))
        .at_most(0.08))
}

fn with_baresip(lab: &Lab, scratch: &Scratch, kind: Kind) -> Result<(Usage, Usage), String> {
    let baresip = Baresip::start(lab, scratch, 1, kind.codec, kind.secure)?;
    call(lab, scratch, kind, &Other::Baresip(baresip.ok_or("baresip is missing")?))
}

fn with_pjsua(
    lab: &Lab,
    scratch: &Scratch,
    kind: Kind,
    python: &Path,
) -> Result<(Usage, Usage), String> {
    let folder = scratch.0.join(format!("pjsua-{}", kind.codec.name()));
    let text = |error: std::io::Error| error.to_string();
    std::fs::create_dir_all(&folder).map_err(text)?;
    let (script, play) = (folder.join("pjsua.py"), folder.join("speech.wav"));
    std::fs::write(&script, include_str!("call/pjsua.py")).map_err(text)?;
    std::fs::write(&play, speech::wav(kind.codec.rate(), 60)).map_err(text)?;
    let address = lab.user(1, "address");
    let mut command = Command::new(python);
    command.arg(&script).arg(address.split('@').next().unwrap_or_default());
    command.args([lab.text("standardDomain"), lab.user(1, "password"), lab.service("sipUdp")]);
    command.arg(kind.codec.account()).arg(&play).arg(folder.join("heard.wav"));
    let mut running = Running::start("pjsua", command.stderr(Stdio::null()))?;
    let told = running.json()?;
    if told["registered"] != 200 {
        return Err(format!("PJSIP does not register: {told}"));
    }
    running.drain();
    call(lab, scratch, kind, &Other::Pjsua(running))
}

fn call(lab: &Lab, scratch: &Scratch, kind: Kind, other: &Other) -> Result<(Usage, Usage), String> {
    let codec = kind.codec;
    let (peer, pid) = match other {
        Other::Baresip(baresip) => ("baresip", baresip.running.id()),
        Other::Pjsua(running) => ("pjsua", running.id()),
    };
    let name = format!("{}-{}-{}-{peer}", codec.name(), kind.secure, kind.worked);
    let folder = scratch.0.join(&name);
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let (speech, heard) = (folder.join("speech.wav"), folder.join("heard.wav"));
    std::fs::write(&speech, speech::wav(codec.rate(), 60)).map_err(|error| error.to_string())?;
    let input = format!("file+loop:{}", speech.display());
    let output = format!("file:{}", heard.display());
    let sound = [
        "--headless",
        "--audio-input",
        &input,
        "--audio-output",
        &output,
        "--ringer-output",
        "null",
    ];
    let client = Client::start(lab, &folder.join("p"), &sound, None)?;
    let to = if kind.secure {
        // The lab's call manager has ordinary phones, which encrypt nothing; its open domain leaves
        // that to both ends.
        let open = lab.text("standardDomain");
        let at_open = |user| {
            let address = lab.user(user, "address");
            format!("{}@{open}", address.split('@').next().unwrap_or_default())
        };
        client.sign_in_as(&at_open(0), lab.user(0, "password"))?;
        format!("sip:{}", at_open(1))
    } else {
        client.sign_in(lab, 0)?;
        lab.user(1, "number").to_owned()
    };
    client.work_on_voice(kind.worked)?;
    let id = client.call("call.dial", &json!({ "to": to }))?["id"].clone();
    until("the call's answer", || {
        let calls = client.call("call.list", &json!({}))?;
        let ours = calls["items"].as_array().and_then(|it| it.iter().find(|it| it["id"] == id));
        Ok(ours.filter(|call| call["state"] == "connected").map(|_| ()))
    })?;
    std::thread::sleep(SETTLE);
    let before = client.call("call.stats", &json!({ "id": id }))?;
    let ours = Watch::start(client.running.id());
    let theirs = Watch::start(pid);
    std::thread::sleep(WATCHED);
    let found = (ours.stop(), theirs.stop());
    for (who, watch, usage) in [("ours", &ours, &found.0), (peer, &theirs, &found.1)] {
        println!(
            "  {name}, {who}: {:.3} CPU s a minute; wake-ups a second by thread: {}",
            usage.cpu_per_minute,
            watch.by_thread()
        );
    }
    let after = client.call("call.stats", &json!({ "id": id }))?;
    check(kind, &before, &after, found.0.seconds)?;
    client.call("call.hangUp", &json!({ "id": id }))?;
    Ok(found)
}

/// A call that is silent or speaks another codec costs less and proves nothing.
fn check(kind: Kind, before: &Value, after: &Value, seconds: f64) -> Result<(), String> {
    let codec = kind.codec;
    for direction in ["send", "receive"] {
        let stream = |stats: &Value| {
            let mut streams = stats["streams"].as_array().into_iter().flatten();
            streams.find(|it| it["direction"] == direction).cloned().unwrap_or_default()
        };
        let (before, after) = (stream(before), stream(after));
        if after["codec"] != codec.name() {
            return Err(format!("the call speaks {} instead of {}", after["codec"], codec.name()));
        }
        if after["srtp"].is_string() != kind.secure {
            return Err(format!("SRTP is {} instead of {}", after["srtp"], kind.secure));
        }
        let packets = |stream: &Value| stream["packets"].as_f64().unwrap_or_default();
        let a_second = (packets(&after) - packets(&before)) / seconds;
        println!("  {} {direction}: {a_second:.1} packets a second", codec.name());
        if !(45.0..55.0).contains(&a_second) {
            return Err(format!("{direction}: {a_second:.1} packets a second instead of 50"));
        }
    }
    Ok(())
}
