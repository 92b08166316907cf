//! Whether the screen is locked, over D-Bus: the login manager's hint on our session
//! (org.freedesktop.login1), and the desktops' own screen savers. Nothing is asked; they tell.

use std::future::poll_fn;
use std::pin::Pin;

use zbus::export::futures_core::Stream;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};
use zbus::{Connection, MatchRule, Message, MessageStream};

/// Screen savers that tell in the same words.
const SAVERS: [&str; 4] = [
    "org.freedesktop.ScreenSaver",
    "org.gnome.ScreenSaver",
    "org.cinnamon.ScreenSaver",
    "org.mate.ScreenSaver",
];

const LOGIN: &str = "org.freedesktop.login1";

/// Tells until it is dropped, or nobody is left who could.
pub(super) async fn watch(tell: impl Fn(bool)) {
    let mut streams = savers().await;
    streams.extend(login().await);
    while !streams.is_empty() {
        match next(&mut streams).await {
            Some(message) => {
                if let Some(locked) = read(&message) {
                    tell(locked);
                }
            }
            // One is over; the others go on.
            None => streams.retain(|(_, over)| !over),
        }
    }
}

/// A stream, and whether it is over.
type Telling = (MessageStream, bool);

async fn next(streams: &mut [Telling]) -> Option<Message> {
    poll_fn(|context| {
        for (stream, over) in streams.iter_mut() {
            match Pin::new(stream).poll_next(context) {
                std::task::Poll::Ready(Some(message)) => {
                    return std::task::Poll::Ready(message.ok());
                }
                std::task::Poll::Ready(None) => {
                    *over = true;
                    return std::task::Poll::Ready(None);
                }
                std::task::Poll::Pending => {}
            }
        }
        std::task::Poll::Pending
    })
    .await
}

async fn savers() -> Vec<Telling> {
    match Connection::session().await {
        Ok(bus) => telling_savers(&bus).await,
        Err(_) => Vec::new(),
    }
}

async fn telling_savers(bus: &Connection) -> Vec<Telling> {
    let mut streams = Vec::new();
    for name in SAVERS {
        // Only who owns the name is listened to.
        let rule = MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .sender(name)
            .and_then(|rule| rule.interface(name))
            .and_then(|rule| rule.member("ActiveChanged"));
        if let Ok(rule) = rule
            && let Ok(stream) = MessageStream::for_match_rule(rule.build(), bus, None).await
        {
            streams.push((stream, false));
        }
    }
    streams
}

async fn login() -> Option<Telling> {
    let bus = Connection::system().await.ok()?;
    let us = std::process::id();
    let path = "/org/freedesktop/login1";
    let manager = "org.freedesktop.login1.Manager";
    let answer = bus.call_method(Some(LOGIN), path, Some(manager), "GetSessionByPID", &us).await;
    let session: OwnedObjectPath = answer.ok()?.body().deserialize().ok()?;
    let rule = MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .sender(LOGIN)
        .and_then(|rule| rule.path(session))
        .and_then(|rule| rule.interface("org.freedesktop.DBus.Properties"))
        .and_then(|rule| rule.member("PropertiesChanged"))
        .ok()?;
    let stream = MessageStream::for_match_rule(rule.build(), &bus, None).await.ok()?;
    Some((stream, false))
}

/// A screen saver's word, or the login manager's changed hint.
fn read(message: &Message) -> Option<bool> {
    let body = message.body();
    if let Ok(active) = body.deserialize::<bool>() {
        return Some(active);
    }
    type Changed = (String, std::collections::HashMap<String, OwnedValue>, Vec<String>);
    let (_, changed, _): Changed = body.deserialize().ok()?;
    bool::try_from(changed.get("LockedHint")?.try_clone().ok()?).ok()
}

#[cfg(test)]
#[path = "locked_tests.rs"]
mod tests;
