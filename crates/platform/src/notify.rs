//! Notifications of the desktop (org.freedesktop.Notifications, version 1.2).

use std::collections::HashMap;

use zbus::Connection;
use zbus::zvariant::Value;

/// Of how many subjects the last notification is remembered, to be replaced by the next.
const SUBJECTS: usize = 100;

const SERVICE: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// One notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// First line.
    pub title: String,
    /// The rest, as plain text.
    pub body: String,
    /// What it is about: a later one about the same takes its place.
    pub subject: String,
}

/// Shows notifications.
#[derive(Debug, Default)]
pub struct Notifier {
    bus: Option<Connection>,
    /// The service reads markup in texts.
    markup: bool,
    shown: HashMap<String, u32>,
}

impl Notifier {
    /// One that has spoken to nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One on this bus, for tests.
    pub fn on(bus: Connection) -> Self {
        Self { bus: Some(bus), ..Self::default() }
    }

    /// Shows it.
    ///
    /// # Errors
    /// Why the desktop shows none, in words and without its text.
    pub async fn show(&mut self, note: &Note) -> Result<(), String> {
        let result = self.try_show(note).await;
        // The next one asks the bus anew: the service may have been restarted.
        result.map_err(|error| {
            self.bus = None;
            format!("the desktop shows no notifications: {error}")
        })
    }

    async fn try_show(&mut self, note: &Note) -> zbus::Result<()> {
        let bus = match &self.bus {
            Some(bus) => bus.clone(),
            None => {
                let bus = Connection::session().await?;
                self.bus.insert(bus).clone()
            }
        };
        if self.shown.is_empty() {
            let answer =
                bus.call_method(Some(SERVICE), PATH, Some(SERVICE), "GetCapabilities", &()).await?;
            let can: Vec<String> = answer.body().deserialize()?;
            self.markup = can.iter().any(|it| it == "body-markup");
        }
        let replaces = self.shown.get(&note.subject).copied().unwrap_or(0);
        let body = if self.markup { escaped(&note.body) } else { note.body.clone() };
        let hints: HashMap<&str, Value<'_>> = HashMap::from([
            ("category", Value::from("im.received")),
            ("desktop-entry", Value::from("offhook")),
        ]);
        let actions: [&str; 0] = [];
        // −1: for as long as the desktop likes.
        let words = ("Offhook", replaces, "", &note.title, &body, &actions[..], hints, -1_i32);
        let answer = bus.call_method(Some(SERVICE), PATH, Some(SERVICE), "Notify", &words).await?;
        let id: u32 = answer.body().deserialize()?;
        if self.shown.len() >= SUBJECTS {
            self.shown.clear();
        }
        self.shown.insert(note.subject.clone(), id);
        Ok(())
    }
}

/// What others write must not become markup of the desktop.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
