//! Texts that were read, so that each is read once.

use std::collections::HashMap;
use std::sync::Arc;

use offhook_model::{Message, MessageId};
use offhook_text::{Block, Names, Span, Style, Text, safe_line};

use super::body;
use super::row::{View, instead};
use crate::cx::Cx;

/// More than these are forgotten at once.
const MOST: usize = 2_000;

/// What was read.
#[derive(Default)]
pub struct Read {
    texts: HashMap<MessageId, (Arc<Message>, Arc<Text>)>,
}

impl Read {
    /// The text of a message, or what stands in its place.
    pub fn of(&mut self, cx: &Cx<'_>, view: &View<'_>, message: &Arc<Message>) -> Arc<Text> {
        if let Some((of, text)) = self.texts.get(&message.id)
            && Arc::ptr_eq(of, message)
        {
            return Arc::clone(text);
        }
        let words = instead(cx, view, message).or_else(|| action(cx, message));
        let text = Arc::new(match words {
            Some(words) => plain(words),
            None => {
                let nobody = Vec::new();
                let occupants = view.room.map_or(&nobody, |room| &room.occupants);
                let named = occupants.iter().filter(|one| !one.me);
                let mut others: Vec<&str> =
                    named.flat_map(|one| [one.nick.as_str(), one.name.as_str()]).collect();
                others.extend(view.chat.map(|chat| chat.name.as_str()));
                let us = view.room.map_or(cx.snap.me.name.as_str(), |room| room.nick.as_str());
                body::read(message, Names { us, others: &others })
            }
        });
        if self.texts.len() >= MOST {
            self.texts.clear();
        }
        self.texts.insert(message.id.clone(), (Arc::clone(message), Arc::clone(&text)));
        text
    }

    /// Forgets everything, as names or the language changed.
    pub fn clear(&mut self) {
        self.texts.clear();
    }
}

/// A message about its writer (XEP-0245), as a sentence with the writer's name.
fn action(cx: &Cx<'_>, message: &Message) -> Option<String> {
    let rest = offhook_text::action(&message.body)?;
    let who = match message.from.resource() {
        _ if message.own => cx.snap.me.name.clone(),
        Some(nick) => safe_line(nick),
        None => safe_line(&cx.name_of(&message.from)),
    };
    Some(format!("{who} {}", offhook_text::safe(rest)))
}

fn plain(words: String) -> Text {
    let style = Style { italic: true, ..Style::default() };
    let span = Span { text: words, style, link: None, mention: None };
    Text { blocks: vec![Block::Paragraph(vec![span])] }
}
