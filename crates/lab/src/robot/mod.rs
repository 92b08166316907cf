//! Colleagues the laboratory plays: they are online, answer chats, call and answer calls.

mod chat;
pub(crate) mod g711;
pub(crate) mod media;
mod phone;
mod rooms;
pub(crate) mod sdp;
pub(crate) mod sound;

/// See [`crate::fuzzing`].
pub(crate) fn fuzz_media(data: &[u8]) {
    use g711::Law;
    media::fuzz_packet(data);
    let text = String::from_utf8_lossy(data);
    if let Some(remote) = sdp::read(&text, &[Law::A, Law::Mu]) {
        let mut local = sdp::Local::new(([127, 0, 0, 1], 4000).into(), &[Law::A, Law::Mu]);
        let _ = local.answer(&remote);
    }
}

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::config::{RobotConfig, RobotMode};
use crate::deployment::Deployment;
use crate::xmpp::Shared;

/// What a robot's chat asks of its phone.
#[derive(Debug)]
pub(crate) enum PhoneCommand {
    /// Call a number, showing another one than its own if given.
    Call {
        /// Whom to call.
        number: String,
        /// What to show.
        shown: Option<String>,
    },
}

/// The phones on people's desks, where the configuration has them: they ring, and do what the call
/// manager tells them.
fn start_desk_phones(tasks: &mut JoinSet<()>, lab: &Arc<Deployment>, stop: &watch::Sender<bool>) {
    if !lab.config.sip.desk_phones {
        return;
    }
    for person in lab.people.iter().filter(|person| person.robot.is_none()) {
        let desk = RobotConfig {
            name: person.desk_phone(),
            number: person.number.clone(),
            display_name: person.display_name.clone(),
            mode: RobotMode::NoAnswer,
            tone_hz: DESK_HZ,
            tone_ms: 600_000,
            ..RobotConfig::default()
        };
        let mut person = person.clone();
        person.device = person.desk_phone();
        let (commands, inbox) = mpsc::channel(1);
        let (lab, stop) = (Arc::clone(lab), stop.subscribe());
        tasks.spawn(async move {
            phone::run(lab, person, desk, inbox, stop).await;
            drop(commands);
        });
    }
}

/// What is heard from a phone on a desk, in hertz.
const DESK_HZ: f64 = 700.0;

/// Starts every robot of the deployment.
pub(crate) fn start(tasks: &mut JoinSet<()>, im: &Arc<Shared>, stop: &watch::Sender<bool>) {
    start_desk_phones(tasks, &im.lab, stop);
    for person in &im.lab.people {
        let Some(robot) = person.robot.clone() else { continue };
        let (commands, inbox) = mpsc::channel(16);
        let lab = Arc::clone(&im.lab);
        tasks.spawn(phone::run(lab, person.clone(), robot.clone(), inbox, stop.subscribe()));
        // One of them sits in the room that is always there: two would talk for ever.
        let sits = im.lab.people.iter().find(|it| it.robot.is_some());
        let sits = sits.is_some_and(|it| it.name == person.name);
        for domain in im.domains() {
            let sits = sits && im.has_rooms(&domain);
            let (im, commands) = (Arc::clone(im), commands.clone());
            tasks.spawn(chat::run(im, (robot.clone(), sits), domain, commands, stop.subscribe()));
        }
    }
}
