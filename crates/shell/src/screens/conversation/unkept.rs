//! What the core does not know yet of writing: a draft that changed, and that we write at all.

use std::time::Duration;

use egui::Ui;
use offhook_model::{ChatWish, Command, Jid, Timestamp};

use crate::cx::Cx;
use crate::screens::hub::Hub;

/// After this long without a key we no longer write, and the draft is kept.
const TYPING_MS: i64 = 5_000;

/// A draft that the core does not know yet.
#[derive(Default)]
pub struct Unkept {
    /// Of which conversation, and when it last changed.
    pub draft: Option<(Jid, Timestamp)>,
    /// We said that we write to this person, last then.
    pub typing: Option<(Jid, Timestamp)>,
}

/// A draft changed.
pub fn note_draft(cx: &Cx<'_>, hub: &mut Hub, with: &Jid) {
    hub.unkept.draft = Some((with.clone(), cx.now));
}

/// Tells the other side once when we begin to write, and when we have emptied the box.
pub fn note_typing(
    cx: &Cx<'_>,
    typing: &mut Option<(Jid, Timestamp)>,
    with: &Jid,
    filled: bool,
    out: &mut Vec<Command>,
) {
    let known = typing.as_ref().is_some_and(|(to, _)| to == with);
    let tell = |to: &Jid, typing| Command::Typing { to: to.clone(), typing };
    if filled {
        if !known {
            if let Some((before, _)) = typing.as_ref() {
                out.push(tell(before, false));
            }
            out.push(tell(with, true));
        }
        *typing = Some((with.clone(), cx.now));
    } else if known {
        out.push(tell(with, false));
        *typing = None;
    }
}

/// Ends the notice and keeps the draft when nothing was typed for a while, or the conversation
/// was left.
pub fn still_typing(ui: &Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let selected = hub.selected.clone();
    let over = |with: &Jid, since: &Timestamp| {
        let left = TYPING_MS - (cx.now.0 - since.0);
        (left <= 0 || selected.as_ref() != Some(with), left)
    };
    let mut soonest: Option<i64> = None;
    if let Some((with, since)) = &hub.unkept.typing {
        let (over, left) = over(with, since);
        if over {
            out.push(Command::Typing { to: with.clone(), typing: false });
            hub.unkept.typing = None;
        } else {
            soonest = Some(left);
        }
    }
    if let Some((with, since)) = &hub.unkept.draft {
        let (over, left) = over(with, since);
        if over {
            // What is being changed is no draft.
            if !hub.talk.composer.is_editing(with, hub.talk.with.as_ref()) {
                let text = hub.drafts.get(with).cloned().unwrap_or_default();
                out.push(Command::Chat(ChatWish::Draft { with: with.clone(), text }));
            }
            hub.unkept.draft = None;
        } else {
            soonest = Some(soonest.map_or(left, |other| other.min(left)));
        }
    }
    if let Some(left) = soonest {
        let wait = u64::try_from(left).unwrap_or(0).max(100);
        ui.ctx().request_repaint_after(Duration::from_millis(wait));
    }
}
