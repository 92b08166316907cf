//! The demo without a window: the same sign-in, chat and calls, with measured figures.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::client::Client;
use super::{Lab, picture};
use crate::process::Scratch;
use crate::sound::{self, Recording};

/// Our tone; the robot's is in what the lab says of itself.
const OURS: f32 = 440.0;

/// When our tone sounds, in seconds of the call: a long stretch for the robot's recording, then
/// short bursts that the robot sends back as they come, to time them.
const SOUNDS: [(f32, f32); 4] = [(0.5, 2.5), (5.0, 5.2), (6.0, 6.2), (7.0, 7.2)];

/// How long we talk.
const TALK: Duration = Duration::from_millis(8_500);

/// Runs it and prints the transcript.
pub fn run(lab: &mut Lab, scratch: &Scratch, picture: &Path) -> Result<(), String> {
    let (input, output) = (scratch.0.join("microphone.wav"), scratch.0.join("speaker.wav"));
    std::fs::write(&input, sound::bursts(16_000, OURS, 12.0, &SOUNDS))
        .map_err(|error| error.to_string())?;
    let audio = [
        "--audio-input".to_owned(),
        format!("file:{}", input.display()),
        "--audio-output".to_owned(),
        format!("file:{}", output.display()),
        "--ringer-output".to_owned(),
        "null".to_owned(),
    ];
    let mut client = Client::headless(lab, &scratch.0.join("p"), &audio)?;
    client.wait_ready()?;
    client.listen()?;
    signing_in(&mut client, lab)?;
    chatting(&client, lab)?;
    let call = calling(&client, lab)?;
    being_called(&client, lab)?;
    client.quit()?;
    proof(lab, &call, &output)?;
    picture::take(lab, scratch, picture)?;
    println!("\nEverything was seen to work.");
    Ok(())
}

fn signing_in(client: &mut Client, lab: &Lab) -> Result<(), String> {
    let user = lab.user()?;
    println!("\nSigning in as {}", user.address);
    let started = std::time::Instant::now();
    let state = client.sign_in(&user)?;
    let whole = started.elapsed().as_millis();
    let diagnostics = client.call("diagnostics.get", &json!({}))?;
    for step in diagnostics["trace"].as_array().into_iter().flatten() {
        let text = |key: &str| step[key].as_str().unwrap_or_default().to_owned();
        println!(
            "  {:>5} ms  {:<16} {:<7} {}  →  {}",
            step["ms"].as_u64().unwrap_or_default(),
            text("step"),
            text("outcome"),
            text("asked"),
            text("answer")
        );
    }
    for service in ["im", "phone"] {
        let row = &state["services"][service];
        let text = |key: &str| row[key].as_str().unwrap_or("in clear").to_owned();
        println!("  {service:<6} {} at {}, {}", text("protocol"), text("address"), text("tls"));
    }
    println!("  signed in, chat and phone ready after {whole} ms");
    Ok(())
}

fn chatting(client: &Client, lab: &Lab) -> Result<(), String> {
    let robot = lab.robot("address").to_owned();
    let sent = std::time::Instant::now();
    client.call("chat.send", &json!({ "to": robot, "body": "Hello there" }))?;
    let (at, _) = client.event("the colleague's answer", |event| {
        event["type"] == "chat" && event["from"] == robot.as_str()
    })?;
    println!("\nChat with {robot}: answered after {} ms (round trip)", (at - sent).as_millis());
    Ok(())
}

/// What the call told.
struct Talk {
    /// Figures near its end.
    stats: Value,
    /// The robot's account of it.
    heard: Value,
}

fn calling(client: &Client, lab: &mut Lab) -> Result<Talk, String> {
    let number = lab.robot("number").to_owned();
    let dialled = std::time::Instant::now();
    let id = client.call("call.dial", &json!({ "to": number }))?["id"].clone();
    let (at, _) = client.event("the call's answer", |event| {
        event["type"] == "call" && event["id"] == id && event["state"] == "connected"
    })?;
    println!(
        "\nCall to {number}: set up in {} ms, its ringing time included",
        (at - dialled).as_millis()
    );
    std::thread::sleep(TALK);
    let stats = client.call("call.stats", &json!({ "id": id }))?;
    client.call("call.hangUp", &json!({ "id": id }))?;
    let heard = lab.event("robotCallEnded", |_| true)?;
    for stream in stats["streams"].as_array().into_iter().flatten() {
        println!(
            "  {:<8} {} packets {} lost {} jitter {:.1} ms DSCP {}",
            stream["direction"].as_str().unwrap_or_default(),
            stream["codec"].as_str().unwrap_or_default(),
            stream["packets"],
            stream["lost"],
            stream["jitterMs"].as_f64().unwrap_or_default(),
            stream["dscp"]
        );
    }
    Ok(Talk { stats, heard })
}

fn being_called(client: &Client, lab: &mut Lab) -> Result<(), String> {
    let asked = std::time::Instant::now();
    client.call("chat.send", &json!({ "to": lab.robot("address"), "body": "call me" }))?;
    let (at, event) = client.event("an incoming call", |event| {
        event["type"] == "call" && event["state"] == "incoming"
    })?;
    println!(
        "\nCalled back by {} {} ms after asking for it",
        event["remote"].as_str().unwrap_or_default(),
        (at - asked).as_millis()
    );
    let id = event["id"].clone();
    client.call("call.answer", &json!({ "id": id }))?;
    client.event("the answered call", |event| {
        event["type"] == "call" && event["id"] == id && event["state"] == "connected"
    })?;
    std::thread::sleep(Duration::from_millis(1_500));
    let stats = client.call("call.stats", &json!({ "id": id }))?;
    client.call("call.hangUp", &json!({ "id": id }))?;
    lab.event("robotCallEnded", |_| true)?;
    let packets = stream(&stats, "receive")["packets"].as_u64().unwrap_or_default();
    if packets == 0 {
        return Err("no sound came in the call that we answered".into());
    }
    println!("  answered; {packets} packets of sound came in 1.5 s");
    Ok(())
}

fn stream<'a>(stats: &'a Value, direction: &str) -> &'a Value {
    let streams = stats["streams"].as_array();
    streams
        .and_then(|streams| streams.iter().find(|stream| stream["direction"] == direction))
        .unwrap_or(&Value::Null)
}

/// Finds the robot's tone in what we played, ours in what the robot heard, and the time between
/// our microphone and our speaker through the robot, who sends packets back as they come: that is
/// one whole way from mouth to ear.
fn proof(lab: &Lab, talk: &Talk, played: &Path) -> Result<(), String> {
    let theirs = lab.info["robots"][0]["toneHz"].as_f64().unwrap_or(1_000.0) as f32;
    let ours = sound::read(played)?;
    let robots = talk.heard["recording"].as_str().ok_or("the robot kept no recording")?;
    let robots = sound::read(Path::new(robots))?;
    println!("\nProof of sound");
    heard("the robot's tone in our recording", &ours, theirs, 2.0)?;
    heard("our tone in the robot's recording", &robots, OURS, 1.5)?;
    match delay(talk, (&ours, theirs), &robots) {
        Some(ms) => println!("  one-way audio delay, microphone to speaker: {ms:.0} ms"),
        None => return Err("our bursts did not come back from the robot".into()),
    }
    Ok(())
}

fn heard(what: &str, recording: &Recording, hertz: f32, seconds: f32) -> Result<(), String> {
    let tone = sound::find(recording, hertz);
    println!(
        "  {what}: {hertz:.0} Hz at {:.1} dBFS for {:.1} s, {:.0} dB above its neighbours",
        tone.level, tone.seconds, tone.clear
    );
    if tone.level > -30.0 && tone.clear > 20.0 && tone.seconds >= seconds {
        return Ok(());
    }
    Err(format!("{what} was not heard for {seconds} s"))
}

/// The robot's recording says how long after our first sample each burst left us, ours how long
/// after the robot's first sample it came back. Both streams say how long ago they began, which ties
/// the two together.
fn delay(talk: &Talk, (ours, theirs): (&Recording, f32), robots: &Recording) -> Option<f32> {
    let age = |direction| stream(&talk.stats, direction)["ageMs"].as_f64();
    let apart = (age("send")? - age("receive")?) as f32;
    let ms =
        |recording: &Recording, samples: usize| samples as f32 * 1_000.0 / recording.rate as f32;
    let begin = sound::onset(ours, theirs, 0, -30.0)?;
    let bursts = SOUNDS[1..].len();
    let left = last_onsets(robots, 0, bursts);
    let back = last_onsets(ours, begin, bursts);
    let mut delays: Vec<f32> = left
        .iter()
        .zip(&back)
        .map(|(left, back)| apart + ms(ours, back - begin) - ms(robots, *left))
        .filter(|delay| (0.0..900.0).contains(delay))
        .collect();
    delays.sort_by(f32::total_cmp);
    delays.get(delays.len() / 2).copied()
}

/// Where our tone begins, the last `count` times: after at least half a second without it.
fn last_onsets(recording: &Recording, from: usize, count: usize) -> Vec<usize> {
    let pause = recording.rate as usize / 2;
    let (mut found, mut at) = (Vec::new(), from);
    while let Some(onset) = sound::onset(recording, OURS, at, -25.0) {
        found.push(onset);
        at = onset + pause;
        // Over the rest of a long stretch of it.
        while sound::level(recording, OURS, at, recording.rate as usize / 100) > -30.0 {
            at += recording.rate as usize / 100;
        }
    }
    found.split_off(found.len().saturating_sub(count))
}
