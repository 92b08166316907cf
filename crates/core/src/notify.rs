//! What the system is to show as a notification: messages, invitations, a contact who is available.
//!
//! A message waits a moment before it is shown. Whoever has the conversation in front of them reads
//! it meanwhile, here or at another device, and is not disturbed; and a burst becomes one
//! notification.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use offhook_model::{Alerts, Availability, Chat, ChatKind, Jid, Message, Moment, NoticeBody};

use crate::{Core, Effect};

/// How long a message waits. A window that shows the conversation marks it read within a frame.
const MOMENT: Duration = Duration::from_millis(700);

/// Older messages are history that arrives late; nobody is called for them. In milliseconds.
const NEWS: i64 = 120_000;

/// Longest text that is shown, in characters.
const TEXT: usize = 200;

/// How many conversations may wait at once.
const WAITING: usize = 100;

/// Conversations with something to show, and when.
#[derive(Debug, Default)]
pub(crate) struct NotifySide {
    waiting: BTreeMap<Jid, (Instant, u32)>,
}

impl Core {
    /// Looks at everything that is told.
    pub(crate) fn consider_notice(&mut self, body: &NoticeBody, now: Moment) {
        match body {
            NoticeBody::Chat { id, with, state: None, .. } => {
                let fresh = self.message(with, |message| message.id == *id);
                let fresh = fresh.is_some_and(|message| {
                    !message.own && now.wall.0.saturating_sub(message.time.0) < NEWS
                });
                let waiting = &mut self.notify.waiting;
                if fresh && (waiting.len() < WAITING || waiting.contains_key(with)) {
                    waiting.entry(with.clone()).or_insert((now.at + MOMENT, 0)).1 += 1;
                }
            }
            NoticeBody::Available { contact } => {
                let title = format!("{} is available", self.name_of(contact));
                self.show_note(title, String::new(), contact);
            }
            NoticeBody::Room { room, change: "invited", who, .. } => {
                let who = who.clone().unwrap_or_else(|| room.to_string());
                self.show_note(format!("{who} invites you to a group chat"), String::new(), room);
            }
            _ => {}
        }
    }

    /// When a message has waited long enough.
    pub(crate) fn notify_timeout(&self) -> Option<Instant> {
        self.notify.waiting.values().map(|(due, _)| *due).min()
    }

    pub(crate) fn notify_due(&mut self, now: Moment) {
        let due = |(with, (due, count)): (&Jid, &(Instant, u32))| {
            (*due <= now.at).then(|| (with.clone(), *count))
        };
        let ready: Vec<(Jid, u32)> = self.notify.waiting.iter().filter_map(due).collect();
        for (with, count) in ready {
            self.notify.waiting.remove(&with);
            self.note_message(&with, count);
        }
    }

    fn note_message(&mut self, with: &Jid, count: u32) {
        let chats = self.chat.im().map(offhook_im::Im::chats).unwrap_or_default();
        let Some(chat) = chats.iter().find(|chat| chat.with == *with) else {
            return;
        };
        let Some(message) = self.message(with, |message| !message.own) else {
            return;
        };
        if chat.unread == 0 || !disturbs(chat, &message) {
            return;
        }
        let name = if count > 1 { format!("{} ({count})", chat.name) } else { chat.name.clone() };
        let body = match (self.settings.chat.notification_text, chat.kind) {
            (false, _) => "New message".to_owned(),
            (true, ChatKind::Person) => short(&message.body),
            (true, ChatKind::Room) => match message.from.resource() {
                Some(nick) => format!("{nick}: {}", short(&message.body)),
                None => short(&message.body),
            },
        };
        self.show_note(name, body, with);
    }

    /// Who does not want to be disturbed is not.
    fn show_note(&mut self, title: String, body: String, about: &Jid) {
        let dnd = self.chat.presence().availability == Availability::Dnd;
        if self.settings.chat.notifications && !dnd {
            self.out.push_back(Effect::Notify { title, body, about: about.clone() });
        }
    }

    /// The newest message of a conversation that is so.
    fn message(&self, with: &Jid, is: impl Fn(&Message) -> bool) -> Option<Message> {
        let messages = self.chat.im()?.messages();
        let found = messages.get(with)?.iter().rev().find(|message| is(message));
        found.map(|message| Message::clone(message))
    }

    fn name_of(&self, who: &Jid) -> String {
        let contacts = self.chat.im().map(offhook_im::Im::contacts).unwrap_or_default();
        let contact = contacts.iter().find(|contact| contact.contact == *who);
        contact.map_or_else(|| who.to_string(), |contact| contact.name.clone())
    }
}

fn disturbs(chat: &Chat, message: &Message) -> bool {
    !chat.blocked
        && match chat.alerts {
            Alerts::All => true,
            Alerts::Mentions => message.more.mentions_me || chat.mentions > 0,
            Alerts::None => false,
        }
}

fn short(text: &str) -> String {
    let mut short: String = text.chars().take(TEXT).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
