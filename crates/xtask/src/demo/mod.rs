//! The demo: a whole deployment on this machine, a colleague who answers, and the client.

mod client;
mod headless;
mod picture;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::packages::{BUILD, DISPLAY, ensure, required};
use crate::process::{Running, Scratch, built, cargo, run as run_command};

use client::Client;

/// Shows the client at work; without a display, or when asked, through the control API.
///
/// # Errors
/// The first thing that did not work.
pub fn run(headless: bool, yes: bool, picture: &Path) -> Result<(), String> {
    let windowless = headless || !has_display();
    let wanted = if windowless { [BUILD, DISPLAY].concat() } else { BUILD.to_vec() };
    required(&ensure(&wanted, "The demo", !yes))?;
    run_command(cargo().args(["build", "--package", "offhook-app", "--package", "offhook-lab"]))?;
    let scratch = Scratch::new("demo")?;
    let mut lab = Lab::up(&scratch)?;
    lab.introduce();
    if windowless { headless::run(&mut lab, &scratch, picture) } else { window(&lab, &scratch) }
}

fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(not(target_os = "linux")) || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// A person opens the window, already signed in, and looks around.
fn window(lab: &Lab, scratch: &Scratch) -> Result<(), String> {
    let user = lab.user()?;
    let mut client = Client::window(lab, &scratch.0.join("window"), &[])?;
    client.wait_ready()?;
    client.sign_in(&user)?;
    println!(
        "The window is open, signed in as {}. Write to {} (\"call me\" makes the phone ring), or \
         call {}. Close the window to end the demo.",
        user.address,
        lab.robot("address"),
        lab.robot("number")
    );
    client.wait_end()
}

/// Somebody who can sign in.
pub struct User {
    /// Address to sign in with.
    pub address: String,
    /// Password.
    pub password: String,
}

/// The deployment.
pub struct Lab {
    running: Running,
    /// What it said of itself.
    pub info: Value,
}

impl Lab {
    fn up(scratch: &Scratch) -> Result<Self, String> {
        let mut command = Command::new(built("debug", "offhook-lab"));
        command.args(["up", "--json", "--state"]).arg(scratch.0.join("lab"));
        let mut running = Running::start("offhook-lab", &mut command)?;
        let info = running.json()?;
        Ok(Self { running, info })
    }

    fn introduce(&self) {
        println!("Lab for {} is up:", self.text("domain"));
        if let Some(services) = self.info["services"].as_object() {
            // Lists are of scenarios that the demo does not play.
            for (name, place) in services {
                if let Some(place) = place.as_str() {
                    println!("  {name:<8} {place}");
                }
            }
        }
    }

    /// A member of what it said of itself.
    pub fn text(&self, key: &str) -> &str {
        self.info[key].as_str().unwrap_or_default()
    }

    /// Something of the robot colleague.
    pub fn robot(&self, key: &str) -> &str {
        self.info["robots"][0][key].as_str().unwrap_or_default()
    }

    /// The first user.
    pub fn user(&self) -> Result<User, String> {
        let user = &self.info["users"][0];
        let text = |key: &str| user[key].as_str().map(str::to_owned);
        match (text("address"), text("password")) {
            (Some(address), Some(password)) => Ok(User { address, password }),
            _ => Err("the lab names no user".into()),
        }
    }

    /// The next event of this type; others are passed over.
    pub fn event(&mut self, kind: &str, of: impl Fn(&Value) -> bool) -> Result<Value, String> {
        loop {
            let event = self.running.json()?;
            if event["type"] == kind && of(&event) {
                return Ok(event);
            }
        }
    }
}
