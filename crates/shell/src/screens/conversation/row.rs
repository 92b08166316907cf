//! One row of the list: what belongs to a message, and where it stands among its neighbours.

use std::sync::Arc;

use egui::{Rect, Ui, pos2, vec2};
use offhook_model::{
    Chat, ChatKind, Delivery, Jid, Message, Protection, Room, Transfer, TransferState,
};
use offhook_text::{Text, safe_line};

use super::body::{self, Laid};
use super::texts::Read;
use crate::cx::Cx;

/// Messages of one person this close belong together.
const TOGETHER_MS: i64 = 5 * 60 * 1000;
/// Height of a day's heading.
pub const DAY: f32 = 36.0;
/// Height of the line above what is new.
pub const NEW: f32 = 32.0;
/// Height of a writer's name in a room.
pub const NAME: f32 = 20.0;
/// Height of the line with time and delivery.
pub const BELOW: f32 = 20.0;
/// Height of the reactions.
pub const REACTIONS: f32 = 30.0;
/// Height of the words that are answered.
pub const QUOTE: f32 = 48.0;
/// Height of a file's card without its buttons.
pub const FILE: f32 = 56.0;
/// Height of a file's buttons.
pub const FILE_BUTTONS: f32 = 40.0;
/// Around the text of a bubble.
pub const PAD: egui::Vec2 = egui::Vec2::new(13.0, 8.0);
/// A small line in a bubble: "edited", a label.
const MARK: f32 = 18.0;

/// What rows need to know of their conversation.
pub struct View<'a> {
    /// The conversation, where the core knows it.
    pub chat: Option<&'a Chat>,
    /// The room, if it is one.
    pub room: Option<&'a Arc<Room>>,
    /// All loaded messages.
    pub messages: &'a Arc<Vec<Arc<Message>>>,
    /// The first message that was new when the conversation was opened.
    pub unread: Option<usize>,
    /// The newest own message.
    pub last_own: Option<usize>,
    /// Words to mark, in lower case.
    pub hit: &'a str,
    /// Width of the list.
    pub width: f32,
}

impl View<'_> {
    /// The conversation is a room.
    pub fn is_room(&self) -> bool {
        self.room.is_some() || self.chat.is_some_and(|chat| chat.kind == ChatKind::Room)
    }

    /// Who wrote it, as people say.
    pub fn author(&self, cx: &Cx<'_>, message: &Message) -> String {
        if message.own {
            return cx.t("you");
        }
        self.person(cx, &message.from)
    }

    /// Somebody of this conversation: an occupant's or a bare address.
    pub fn person(&self, cx: &Cx<'_>, jid: &Jid) -> String {
        match jid.resource() {
            Some(nick) if self.is_room() => {
                let occupants = self.room.map(|room| room.occupants.as_slice());
                let known = occupants.unwrap_or_default().iter().find(|one| one.nick == nick);
                safe_line(known.map_or(nick, |one| one.name.as_str()))
            }
            Some(_) | None => safe_line(&cx.name_of(&jid.bare())),
        }
    }
}

/// Where a message stands among its neighbours.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// First of its day.
    pub new_day: bool,
    /// First of its group.
    pub first: bool,
    /// Last of its group.
    pub last: bool,
    /// The first that was new.
    pub new: bool,
}

fn place(cx: &Cx<'_>, view: &View<'_>, at: usize, one: &Message) -> Place {
    let joined = |a: &Message, b: &Message| {
        a.from == b.from && b.time.0 - a.time.0 < TOGETHER_MS && cx.day(a.time) == cx.day(b.time)
    };
    let before = at.checked_sub(1).and_then(|at| view.messages.get(at));
    let after = view.messages.get(at + 1);
    let new = view.unread == Some(at);
    Place {
        new_day: before.is_none_or(|before| cx.day(before.time) != cx.day(one.time)),
        first: new || before.is_none_or(|before| !joined(before, one)),
        last: view.unread == Some(at + 1) || after.is_none_or(|after| !joined(one, after)),
        new,
    }
}

/// A row that was laid out; all places count from its upper left corner.
pub struct Row {
    /// Among its neighbours.
    pub place: Place,
    /// Who wrote it, if a name stands above.
    pub name: Option<(f32, String)>,
    /// The bubble.
    pub bubble: Rect,
    /// The words that it answers.
    pub quote: Option<Rect>,
    /// The chip of a security label.
    pub label: Option<Rect>,
    /// Its text.
    pub text: Laid,
    /// Where the text begins.
    pub corner: egui::Pos2,
    /// A file's card.
    pub file: Option<Rect>,
    /// The word "edited".
    pub edited: Option<Rect>,
    /// Where reactions begin.
    pub reactions: Option<f32>,
    /// Where time and delivery stand.
    pub below: Option<f32>,
    /// All of it.
    pub height: f32,
    /// The text as it is said.
    pub said: Arc<Text>,
}

/// The file that a message carries, on its way.
pub fn transfer<'a>(cx: &'a Cx<'_>, message: &Message) -> Option<&'a Arc<Transfer>> {
    message.more.attachment.as_ref()?;
    let all = &cx.snap.transfers;
    all.iter().rfind(|one| one.message == message.id && one.with == message.with)
}

/// The message shows words of ours instead of its own: taken back, or not readable.
pub fn instead(cx: &Cx<'_>, view: &View<'_>, message: &Message) -> Option<String> {
    if let Some(gone) = &message.more.retracted {
        let by_writer =
            gone.by.bare() == message.from.bare() && gone.by.resource() == message.from.resource();
        let mut words = match (message.own && by_writer, by_writer) {
            (true, _) => cx.t("message-gone-own"),
            (false, true) => cx.t("message-gone"),
            (false, false) => cx.tw("message-gone-by", "who", &view.person(cx, &gone.by)),
        };
        if let Some(reason) = &gone.reason {
            words = format!("{words} ({})", safe_line(reason));
        }
        return Some(words);
    }
    (message.more.protection == Protection::Unreadable).then(|| cx.t("message-unreadable"))
}

/// Lays a row out.
pub fn lay(ui: &Ui, cx: &Cx<'_>, view: &View<'_>, texts: &mut Read, at: usize) -> Option<Row> {
    let message = view.messages.get(at)?;
    let place = place(cx, view, at, message);
    let mut top = 0.0;
    top += if place.new { NEW } else { 0.0 };
    top += if place.new_day { DAY } else { 0.0 };
    top += if place.first && !place.new_day && !place.new { 8.0 } else { 0.0 };
    let theirs_in_room = view.is_room() && !message.own;
    let name = (theirs_in_room && place.first).then(|| (top, view.author(cx, message)));
    top += if name.is_some() { NAME } else { 0.0 };
    let edge = if cx.narrow { 12.0 } else { 24.0 };
    let left = edge + if theirs_in_room { 40.0 } else { 0.0 };
    let room = view.width - left - edge;
    let most = (room * if cx.narrow { 0.86 } else { 0.72 }).min(560.0) - 2.0 * PAD.x;
    let said = texts.of(cx, view, message);
    let ink = ink(cx, view, message);
    let text = if message.more.attachment.is_some() && instead(cx, view, message).is_none() {
        // The body of a file is its address.
        Laid::default()
    } else {
        body::lay(ui, &said, most, &ink, view.hit)
    };
    let more = &message.more;
    let whole = more.retracted.is_none();
    let mut width = text.size.x;
    let mut y = top + PAD.y;
    let answers = whole && more.reply_to.is_some();
    let label = more.label.as_ref().filter(|_| whole);
    let file = more.attachment.is_some() && whole;
    if answers || label.is_some() {
        width = width.max(most.min(220.0));
    }
    if file {
        width = most.min(292.0);
    }
    if more.edited && whole {
        width = width.max(60.0);
    }
    let inner = if message.own { view.width - edge - PAD.x - width } else { left + PAD.x };
    let mut take = |height: f32| {
        let rect = Rect::from_min_size(pos2(inner, y), vec2(width, height));
        y += height;
        rect
    };
    let label = label.map(|_| take(MARK + 4.0));
    let quote = answers.then(|| take(QUOTE));
    let buttons = file && needs_buttons(transfer(cx, message).map(Arc::as_ref), message);
    let file = file.then(|| take(FILE + if buttons { FILE_BUTTONS } else { 0.0 }));
    let corner = take(text.size.y).min;
    let edited = (more.edited && whole).then(|| take(MARK));
    let bubble =
        Rect::from_min_max(pos2(inner - PAD.x, top), pos2(inner + width + PAD.x, y + PAD.y));
    let mut height = bubble.bottom();
    let reactions = (whole && !more.reactions.is_empty()).then_some(height + 2.0);
    height += if reactions.is_some() { REACTIONS } else { 0.0 };
    let below = (place.last || message.state == Delivery::Failed).then_some(height + 3.0);
    height += if below.is_some() { BELOW + 3.0 } else { 3.0 };
    Some(Row {
        place,
        name,
        bubble,
        quote,
        label,
        text,
        corner,
        file,
        edited,
        reactions,
        below,
        height,
        said,
    })
}

/// Something can be done with the file.
pub fn needs_buttons(transfer: Option<&Transfer>, message: &Message) -> bool {
    match transfer.map(|one| one.state) {
        Some(TransferState::Declined) => false,
        Some(TransferState::Failed) => transfer.is_some_and(|one| one.again),
        Some(TransferState::Offered | TransferState::Active | TransferState::Done) => true,
        None => {
            let file = message.more.attachment.as_ref();
            file.is_some_and(|file| file.path.is_some())
        }
    }
}

/// The colours of a message.
pub fn ink(cx: &Cx<'_>, view: &View<'_>, message: &Message) -> body::Ink {
    let mut ink = body::ink(cx, message.own);
    if instead(cx, view, message).is_some() {
        ink.text = ink.faint;
    }
    ink
}
