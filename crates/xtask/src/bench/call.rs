//! What a call costs at each end: ours and baresip's in the same call, at the same time.

use std::time::Duration;

use serde_json::{Value, json};

use super::baresip::{Baresip, Codec};
use super::speech;
use super::stage::{Client, Lab, until};
use super::table::{Peer, Row};
use super::usage::{Usage, Watch};
use crate::process::Scratch;

/// How long a call is left alone before it is watched.
const SETTLE: Duration = Duration::from_secs(5);
/// How long it is watched.
const WATCHED: Duration = Duration::from_secs(30);

/// Calls baresip with each codec.
///
/// # Errors
/// A call does not come about, or with another codec than asked for.
pub fn measure() -> Result<Vec<Row>, String> {
    let scratch = Scratch::new("call")?;
    let lab = Lab::up(&scratch)?;
    let mut rows = Vec::new();
    for (codec, goal) in [(Codec::Pcmu, 0.45), (Codec::Opus, 2.0)] {
        let (ours, theirs) = call(&lab, &scratch, codec)?;
        let name = codec.name();
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
    }
    Ok(rows)
}

fn call(lab: &Lab, scratch: &Scratch, codec: Codec) -> Result<(Usage, Usage), String> {
    let folder = scratch.0.join(codec.name());
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let (speech, heard) = (folder.join("speech.wav"), folder.join("heard.wav"));
    std::fs::write(&speech, speech::wav(codec.rate(), 60)).map_err(|error| error.to_string())?;
    let baresip = Baresip::start(lab, scratch, 1, codec)?.ok_or("baresip is missing")?;
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
    client.sign_in(lab, 0)?;
    let id = client.call("call.dial", &json!({ "to": lab.user(1, "number") }))?["id"].clone();
    until("the call's answer", || {
        let calls = client.call("call.list", &json!({}))?;
        let ours = calls["items"].as_array().and_then(|it| it.iter().find(|it| it["id"] == id));
        Ok(ours.filter(|call| call["state"] == "connected").map(|_| ()))
    })?;
    std::thread::sleep(SETTLE);
    let before = client.call("call.stats", &json!({ "id": id }))?;
    let ours = Watch::start(client.running.id());
    let theirs = Watch::start(baresip.running.id());
    std::thread::sleep(WATCHED);
    let found = (ours.stop(), theirs.stop());
    for (who, watch) in [("ours", &ours), ("baresip", &theirs)] {
        println!("  {} wake-ups a second by thread, {who}: {}", codec.name(), watch.by_thread());
    }
    let after = client.call("call.stats", &json!({ "id": id }))?;
    check(codec, &before, &after, found.0.seconds)?;
    client.call("call.hangUp", &json!({ "id": id }))?;
    Ok(found)
}

/// A call that is silent or speaks another codec costs less and proves nothing.
fn check(codec: Codec, before: &Value, after: &Value, seconds: f64) -> Result<(), String> {
    for direction in ["send", "receive"] {
        let stream = |stats: &Value| {
            let mut streams = stats["streams"].as_array().into_iter().flatten();
            streams.find(|it| it["direction"] == direction).cloned().unwrap_or_default()
        };
        let (before, after) = (stream(before), stream(after));
        if after["codec"] != codec.name() {
            return Err(format!("the call speaks {} instead of {}", after["codec"], codec.name()));
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
