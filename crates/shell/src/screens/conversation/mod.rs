//! One conversation: who, what was said, what is being written.

mod attach;
mod bar;
mod body;
mod bubble;
mod complete;
mod composer;
mod details;
mod drop;
mod file;
mod header;
mod heights;
mod links;
mod list;
pub(super) mod menu;
mod picker;
mod row;
mod search;
mod texts;
mod unkept;

use std::sync::Arc;

use egui::{Align, Key, Modifiers, Rect, Ui, pos2, vec2};
use offhook_model::{
    Chat, ChatKind, ChatWish, Command, FileWish, Jid, Message, MessageId, RoomWish, Timestamp,
};

use super::chats::nothing;
use super::hub::Hub;
use crate::cx::Cx;
use crate::icons;
use crate::theme::{R_CARD, Type};
use crate::widgets::{Kind, Push, icon, line, region, show_live};
use list::List;
use row::View;

pub use bubble::preview as preview_of;
pub use menu::Act;
pub use unkept::{Unkept, still_typing};

/// How close to the beginning older messages are asked for, in rows.
const NEAR: usize = 30;
/// How long a message that was jumped to is marked.
const MARKED_MS: i64 = 1_600;

/// What the window remembers of the open conversation.
#[derive(Default)]
pub struct Talk {
    with: Option<Jid>,
    list: List,
    texts: texts::Read,
    /// The first message that was new when the conversation was opened.
    unread: Option<MessageId>,
    /// The reader was taken to what is new, or to the end.
    begun: bool,
    composer: composer::Composer,
    search: Option<search::Search>,
    details: bool,
    /// A message that is shown as soon as it is loaded.
    wanted: Option<MessageId>,
    /// A message that was jumped to, and when.
    marked: Option<(MessageId, Timestamp)>,
    /// The message whose actions are shown.
    active: Option<(MessageId, Rect)>,
    /// Our own name and the language, by which texts were read.
    read_as: String,
}

/// Nothing is open yet.
pub fn empty(ui: &mut Ui, cx: &Cx<'_>) {
    let rect = ui.max_rect();
    ui.painter().rect_filled(rect, 0, cx.c.ground);
    let middle = rect.center() - vec2(0.0, 60.0);
    ui.painter().circle_filled(middle, 32.0, cx.c.accent_soft);
    icon(ui, middle, icons::MESSAGE_CIRCLE, 28.0, cx.c.accent);
    ui.add_space((middle.y - rect.top() + 52.0).max(0.0));
    let words = (cx.t("conversation-none"), cx.t("conversation-none-remedy"));
    nothing(ui, cx, &words.0, &words.1);
}

/// Draws the conversation.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, with: &Jid, out: &mut Vec<Command>) {
    let mut talk = std::mem::take(&mut hub.talk);
    if talk.with.as_ref() != Some(with) {
        composer::leave(hub, &mut talk);
        talk = Talk { with: Some(with.clone()), ..Talk::default() };
    }
    let chat = cx.snap.chats.iter().find(|chat| &chat.with == with).cloned();
    let mut acts = Vec::new();
    let rect = ui.max_rect();
    ui.painter().rect_filled(rect, 0, cx.c.ground);
    keys(ui, cx, hub, &mut talk, with, &mut acts);
    let mut body = rect;
    let head = rect.with_max_y(rect.top() + 68.0);
    header::show(ui, cx, hub, &mut talk, with, head, out);
    body.min.y = head.bottom();
    body.min.y += header::banner(ui, cx, chat.as_deref(), with, body, out);
    body.min.y += search::bar(ui, cx, &mut talk, with, body, &mut acts, out);
    let width = rect.width() - composer::INSET * 2.0;
    let foot_height = talk.composer.height(ui, cx, hub, with, chat.as_deref(), width) + 20.0;
    let foot = rect.with_min_y(rect.bottom() - foot_height);
    body.max.y = foot.top();
    region(ui, "messages", body, |ui| {
        messages(ui, cx, &mut talk, chat.as_deref(), with, &mut acts, out);
    });
    let place = Rect::from_min_max(
        foot.min + vec2(composer::INSET, 0.0),
        foot.max - vec2(composer::INSET, 20.0),
    );
    composer::show(ui, cx, hub, &mut talk, chat.as_deref(), with, place, out);
    drop::target(ui, cx, with, body.union(foot), out);
    details::show(ui, cx, &mut talk.details, chat.as_deref(), with, out);
    for act in acts {
        perform(ui, cx, hub, &mut talk, with, act, out);
    }
    hub.talk = talk;
}

/// Keys that mean something anywhere in the conversation.
fn keys(ui: &Ui, cx: &Cx<'_>, hub: &mut Hub, talk: &mut Talk, with: &Jid, acts: &mut Vec<Act>) {
    let pressed =
        |modifiers: Modifiers, key: Key| ui.input_mut(|input| input.consume_key(modifiers, key));
    if pressed(Modifiers::COMMAND, Key::F) {
        let search = talk.search.get_or_insert_default();
        search.focus = true;
    }
    let page = ui.max_rect().height() * 0.7;
    if pressed(Modifiers::NONE, Key::PageUp) {
        talk.list.scroll(page);
    }
    if pressed(Modifiers::NONE, Key::PageDown) {
        talk.list.scroll(-page);
    }
    if egui::Popup::is_any_open(ui.ctx()) {
        return;
    }
    if talk.search.is_some() && !talk.composer.is_special() && pressed(Modifiers::NONE, Key::Escape)
    {
        talk.search = None;
        hub.focus_composer = true;
    }
    let empty = composer::draft(cx, hub, with).is_empty();
    let here = ui.memory(|memory| memory.has_focus(composer::id(with)));
    if here && empty && !talk.composer.is_special() && pressed(Modifiers::NONE, Key::ArrowUp) {
        let last = talk.list.messages().iter().rev().find(|one| menu::can_edit(one));
        acts.extend(last.map(|one| Act::Edit(one.id.clone())));
    }
}

fn view<'a>(
    cx: &'a Cx<'_>,
    chat: Option<&'a Chat>,
    with: &Jid,
    messages: &'a Arc<Vec<Arc<Message>>>,
    hit: &'a str,
    width: f32,
) -> View<'a> {
    View {
        chat,
        room: cx.snap.rooms.get(with),
        messages,
        unread: None,
        last_own: messages.iter().rposition(|one| one.own),
        hit,
        width,
    }
}

fn messages(
    ui: &mut Ui,
    cx: &Cx<'_>,
    talk: &mut Talk,
    chat: Option<&Chat>,
    with: &Jid,
    acts: &mut Vec<Act>,
    out: &mut Vec<Command>,
) {
    let rect = ui.max_rect();
    let none = Arc::new(Vec::new());
    let loaded = cx.snap.messages.get(with).unwrap_or(&none);
    talk.list.update(loaded, rect.width());
    let read_as = format!("{}{}", cx.t("you"), cx.snap.me.name);
    if talk.read_as != read_as {
        talk.texts.clear();
        talk.read_as = read_as;
    }
    let messages = Arc::clone(talk.list.messages());
    let unread = begin(talk, chat, &messages, rect.height());
    let hit = talk.search.as_ref().map(|search| search.wanted()).unwrap_or_default();
    let mut view = view(cx, chat, with, &messages, &hit, rect.width());
    view.unread = unread;
    jump_to_wanted(talk, cx, rect.height());
    wheel(ui, talk, rect);
    older(talk, chat, with, out);
    let notice = header::writers(cx, &view, with);
    let below = if notice.is_some() { 40.0 } else { 8.0 };
    let mut rows = std::collections::HashMap::new();
    let Talk { list, texts, .. } = &mut *talk;
    list.settle(rect.height(), below, &mut |at| {
        let laid = rows.entry(at).or_insert_with(|| row::lay(ui, cx, &view, texts, at));
        laid.as_ref().map_or(1.0, |row| row.height)
    });
    let shown = talk.list.shown().clone();
    let active = bubble::all(ui, cx, &view, talk, &shown, &rows, acts);
    if let (Some(notice), true) = (&notice, talk.list.at_end()) {
        typing_notice(ui, cx, notice, rect);
    }
    bar::show(ui, cx, &mut talk.list, rect);
    floating(ui, cx, talk, chat, unread, rect);
    menu::actions(ui, cx, &view, talk, active, acts);
}

/// Takes the reader to what is new once, or to the end. Gives the place of the first new message.
fn begin(
    talk: &mut Talk,
    chat: Option<&Chat>,
    messages: &[Arc<Message>],
    height: f32,
) -> Option<usize> {
    if !talk.begun && !messages.is_empty() {
        talk.begun = true;
        let unread = chat.map_or(0, |chat| chat.unread as usize);
        let known = chat.and_then(|chat| chat.first_unread.clone());
        let counted = || {
            let received = messages.iter().rev().filter(|one| !one.own);
            received.take(unread).last().map(|one| one.id.clone())
        };
        talk.unread = known.or_else(|| (unread > 0).then(counted).flatten());
        let at = talk.unread.as_ref().and_then(|id| talk.list.place_of(id));
        if let Some(at) = at {
            talk.list.go_to_row(at, height * 0.25);
        }
    }
    talk.unread.as_ref().and_then(|id| talk.list.place_of(id))
}

fn jump_to_wanted(talk: &mut Talk, cx: &Cx<'_>, height: f32) {
    let Some(at) = talk.wanted.as_ref().and_then(|id| talk.list.place_of(id)) else { return };
    talk.marked = talk.wanted.take().map(|id| (id, cx.now));
    talk.list.go_to_row(at, height * 0.35);
}

fn wheel(ui: &Ui, talk: &mut Talk, rect: Rect) {
    if ui.rect_contains_pointer(rect) {
        let delta = ui.input(|input| input.smooth_scroll_delta.y);
        talk.list.scroll(delta);
    }
}

/// Asks for older messages when the beginning is near, once for each length.
fn older(talk: &mut Talk, chat: Option<&Chat>, with: &Jid, out: &mut Vec<Command>) {
    let length = talk.list.messages().len();
    let near = talk.list.shown().front().is_some_and(|first| first.at < NEAR);
    let more = chat.is_some_and(|chat| chat.older);
    if near && more && length > 0 && talk.list.asked_older != Some(length) {
        talk.list.asked_older = Some(length);
        out.push(Command::Chat(ChatWish::Older { with: with.clone() }));
    }
}

fn typing_notice(ui: &mut Ui, cx: &Cx<'_>, text: &str, rect: Rect) {
    let rect =
        Rect::from_min_size(pos2(rect.left(), rect.bottom() - 34.0), vec2(rect.width(), 24.0));
    let center = pos2(rect.left() + 36.0, rect.center().y);
    icon(ui, center, icons::ELLIPSIS, 18.0, cx.c.muted);
    let place = rect.with_min_x(rect.left() + 50.0);
    let response = line(ui, place, text, Type::Small, cx.c.muted, Align::Min);
    show_live(&response, false);
}

/// The buttons that lead to what is new, and to the newest message.
fn floating(
    ui: &mut Ui,
    cx: &Cx<'_>,
    talk: &mut Talk,
    chat: Option<&Chat>,
    unread: Option<usize>,
    rect: Rect,
) {
    let first = talk.list.shown().front().map_or(0, |first| first.at);
    if let Some(at) = unread.filter(|at| *at < first) {
        let words = cx.t("jump-unread");
        let width = 40.0 + 8.0 * words.chars().count() as f32;
        let place =
            Rect::from_center_size(pos2(rect.center().x, rect.top() + 26.0), vec2(width, 32.0));
        if pill(ui, cx, place, icons::ARROW_UP, &words) {
            talk.list.go_to_row(at, 80.0);
        }
    }
    if talk.list.at_end() || talk.list.messages().is_empty() {
        return;
    }
    let count = chat.map_or(0, |chat| chat.unread as usize);
    let words = if count > 0 { cx.tc("jump-newest-unread", count) } else { cx.t("jump-newest") };
    let place = Rect::from_min_size(rect.max - vec2(60.0, 48.0), vec2(36.0, 36.0));
    ui.painter().add(cx.c.lift().as_shape(place, R_CARD + 2));
    let push = Push::new(&words).glyph(icons::ARROW_DOWN).icon_only().radius(R_CARD + 2);
    if push.at(ui, cx.c, place).clicked() {
        talk.list.go_to_end();
    }
    if count > 0 {
        let right = pos2(place.right() + 6.0, place.top() + 2.0);
        crate::widgets::badge_count(ui, right, count, cx.c.accent, cx.c.on_accent);
    }
}

fn pill(ui: &mut Ui, cx: &Cx<'_>, place: Rect, glyph: &str, words: &str) -> bool {
    ui.painter().add(cx.c.lift().as_shape(place, R_CARD));
    Push::new(words).glyph(glyph).kind(Kind::Plain).radius(R_CARD).at(ui, cx.c, place).clicked()
}

/// Does what was asked of a message.
fn perform(
    ui: &Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    talk: &mut Talk,
    with: &Jid,
    act: Act,
    out: &mut Vec<Command>,
) {
    let with = with.clone();
    match act {
        Act::Reply(id) => {
            talk.composer.reply = Some(id);
            hub.focus_composer = true;
        }
        Act::Edit(id) => {
            let body = talk.list.place_of(&id).and_then(|at| talk.list.messages().get(at).cloned());
            if let Some(message) = body {
                composer::begin_edit(ui, cx, hub, talk, &with, &message);
            }
        }
        Act::Delete(id) => out.push(Command::Chat(ChatWish::Retract { with, id })),
        Act::Again(id) => out.push(Command::Chat(ChatWish::Again { with, id })),
        Act::React(id, emoji) => out.push(Command::Chat(ChatWish::React { with, id, emoji })),
        Act::Copy(text) => ui.ctx().copy_text(text),
        Act::Moderate(id) => {
            out.push(Command::Room(RoomWish::Moderate { room: with, id, reason: None }));
        }
        Act::Jump(id) => {
            if talk.list.place_of(&id).is_none() {
                out.push(Command::Chat(ChatWish::Show { with, id: id.clone() }));
            }
            talk.wanted = Some(id);
        }
        Act::File(wish) => out.push(Command::File(wish)),
        Act::OpenFolder(path) => {
            let folder = path.parent().unwrap_or(&path).to_string_lossy().into_owned();
            ui.ctx().open_url(egui::OpenUrl::new_tab(format!("file://{folder}")));
        }
        Act::Address(address) => {
            let bare = address.split('?').next().unwrap_or_default();
            if let Ok(jid) = bare.parse::<Jid>() {
                hub.open_chat(jid.bare());
            }
        }
    }
}

/// The wish to send a file here.
fn send_file(with: &Jid, path: std::path::PathBuf) -> Command {
    Command::File(FileWish::Send { to: with.clone(), path })
}

/// The person is on our contact list, or it is a room.
fn is_known(cx: &Cx<'_>, chat: Option<&Chat>, with: &Jid) -> bool {
    cx.people.by_jid(with).is_some()
        || cx.snap.rooms.contains_key(with)
        || chat.is_some_and(|chat| chat.kind == ChatKind::Room)
}
