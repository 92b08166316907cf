//! A picture of the real window, on a display that nobody sees.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use super::Lab;
use super::client::Client;
use crate::packages::exists;
use crate::process::{Running, Scratch, run};

/// Opens the window, signs in, chats a little and takes its picture.
pub fn take(lab: &Lab, scratch: &Scratch, picture: &Path) -> Result<(), String> {
    if !["Xvfb", "import", "xdotool"].iter().all(|program| exists(program)) {
        return Err("no picture of the window: Xvfb, ImageMagick or xdotool is missing".into());
    }
    let (mut display, name) = display()?;
    let software = [
        ("DISPLAY", name.clone()),
        ("WAYLAND_DISPLAY", String::new()),
        ("LIBGL_ALWAYS_SOFTWARE", "1".to_owned()),
        ("OFFHOOK_AUDIO_INPUT", "silence".to_owned()),
        ("OFFHOOK_AUDIO_OUTPUT", "null".to_owned()),
        ("OFFHOOK_RINGER_OUTPUT", "null".to_owned()),
    ];
    let mut client = Client::window(lab, &scratch.0.join("w"), &software)?;
    client.wait_ready()?;
    client.listen()?;
    client.sign_in(&lab.user()?)?;
    let robot = lab.robot("address").to_owned();
    for body in ["Good morning!", "Is the new release out already?"] {
        client.call("chat.send", &json!({ "to": robot, "body": body }))?;
        client.event("the colleague's answer", |event| {
            event["type"] == "chat" && event["from"] == robot.as_str()
        })?;
    }
    // Ctrl+Tab opens the newest conversation, as a person would.
    let mut keys = Command::new("xdotool");
    keys.args(["search", "--name", "^Offhook$", "windowfocus", "--sync", "key", "ctrl+Tab"]);
    // The pointer would show the buttons of whatever message it happens to be at.
    keys.args(["mousemove", "0", "0"]);
    run(keys.env("DISPLAY", &name))?;
    client.call("chat.send", &json!({ "to": robot, "body": "call me" }))?;
    let (_, call) = client.event("an incoming call", |event| {
        event["type"] == "call" && event["state"] == "incoming"
    })?;
    // A machine without a password store says so, over the conversation.
    let told = client.call("diagnostics.get", &json!({}))?;
    for problem in told["problems"].as_array().into_iter().flatten() {
        client.call("diagnostics.dismiss", &json!({ "id": problem["id"] }))?;
    }
    std::thread::sleep(Duration::from_millis(1_500));
    run(Command::new("import")
        .args(["-display", &name, "-window", "root"])
        .arg(picture)
        .stderr(Stdio::null()))?;
    client.call("call.decline", &json!({ "id": call["id"] }))?;
    client.quit()?;
    display.end(Duration::from_secs(3));
    println!("\nA picture of the window is in {}", picture.display());
    Ok(())
}

/// Xvfb chooses a free number itself and says which.
fn display() -> Result<(Running, String), String> {
    let mut command = Command::new("Xvfb");
    command.args(["-displayfd", "1", "-screen", "0", "1240x800x24", "-nolisten", "tcp"]);
    let mut display = Running::start("Xvfb", command.stderr(Stdio::null()))?;
    let number = display.json()?;
    Ok((display, format!(":{number}")))
}
