//! One conversation: who, what was said, what is being written.

use std::sync::Arc;
use std::time::Duration;

use egui::{
    Align, CornerRadius, Frame, Id, Key, KeyboardShortcut, Label, Margin, Modifiers, Rect,
    RichText, ScrollArea, Sense, StrokeKind, TextEdit, Ui, UiBuilder, pos2, vec2,
};
use offhook_model::{Command, Delivery, Jid, Message, Timestamp};

use super::chats::nothing;
use super::hub::{Hub, rule};
use super::{links, page, rooms};
use crate::cx::Cx;
use crate::icons;
use crate::theme::{R_CARD, R_ROW, Type};
use crate::widgets::{
    Kind, Push, avatar, galley, icon, line, paint_line, presence_mark, region, show_live,
};

/// Messages laid out before "Show earlier messages".
const WINDOW: usize = 200;
/// Messages of one person this close belong together.
const TOGETHER_MS: i64 = 5 * 60 * 1000;
/// After this long without a key we no longer write.
const TYPING_MS: i64 = 5_000;

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
    let rect = ui.max_rect();
    ui.painter().rect_filled(rect, 0, cx.c.ground);
    let head = rect.with_max_y(rect.top() + 68.0);
    header(ui, cx, hub, with, head, out);
    let width = rect.width() - 40.0;
    let composer_height = composer_height(ui, hub, with, width);
    let foot = rect.with_min_y(rect.bottom() - composer_height - 20.0);
    let body = Rect::from_min_max(pos2(rect.left(), head.bottom()), pos2(rect.right(), foot.top()));
    region(ui, "messages", body, |ui| messages(ui, cx, hub, with));
    let place = Rect::from_min_max(foot.min + vec2(20.0, 0.0), foot.max - vec2(20.0, 20.0));
    composer(ui, cx, hub, with, place, out);
}

fn header(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, with: &Jid, rect: Rect, out: &mut Vec<Command>) {
    ui.painter().rect_filled(rect, 0, cx.c.panel);
    rule(ui, cx, rect);
    let mut left = rect.left() + 20.0;
    if cx.narrow {
        page::back(ui, cx, rect, || hub.selected = None);
        left += 36.0;
    }
    let name = cx.name_of(with);
    let person = cx.people.by_jid(with);
    let center = pos2(left + 20.0, rect.center().y);
    avatar(ui, center, 20.0, &name, with.bare_str());
    let mut parts = Vec::new();
    if let Some(person) = person {
        let presence = &person.presence;
        let mark = center + vec2(14.0, 14.0);
        presence_mark(ui, cx.c, mark, 6.0, presence.availability, cx.c.panel);
        parts.push(cx.presence(presence.availability));
        parts.extend(presence.note.clone().filter(|note| !note.is_empty()));
        parts.extend(person.number.clone());
    } else {
        parts.push(with.to_string());
    }
    let right = rect.right() - 20.0;
    let top = Rect::from_min_max(
        pos2(left + 52.0, rect.top() + 14.0),
        pos2(right - 52.0, rect.top() + 34.0),
    );
    line(ui, top, &name, Type::Name, cx.c.text, Align::Min);
    let mut below = top.translate(vec2(0.0, 19.0));
    if cx.snap.session.services.im.tls.is_some() {
        let at = pos2(below.left() + 6.0, below.center().y);
        icon(ui, at, icons::LOCK, 12.0, cx.c.muted);
        let spot = Rect::from_center_size(at, vec2(16.0, 16.0));
        let id = ui.scope_id().with("lock");
        ui.interact(spot, id, Sense::hover()).on_hover_text(cx.t("protected-server"));
        below.min.x += 18.0;
    }
    let words = parts.join(" · ");
    line(ui, below, &words, Type::Secondary, cx.c.muted, Align::Min);
    let place = Rect::from_center_size(pos2(right - 19.0, rect.center().y), vec2(38.0, 38.0));
    if rooms::room(cx, with).is_some() {
        rooms::panel_button(ui, cx, hub, with, place);
        return;
    }
    let can = cx.can_call();
    let label = cx.tw("call-name", "name", &name);
    let reason = cx.t("call-impossible");
    let mut push = Push::new(&label).glyph(icons::PHONE).icon_only().kind(Kind::Ok).enabled(can);
    if !can {
        push = push.hint(&reason);
    }
    if push.at(ui, cx.c, place).clicked()
        && let Some(to) = cx.dial_for(with)
    {
        hub.dial(to, out);
    }
}

/// Where a message stands among its neighbours.
struct Place {
    /// First of its day.
    new_day: bool,
    /// First of its group.
    first: bool,
    /// Last of its group.
    last: bool,
}

fn place(cx: &Cx<'_>, before: Option<&Message>, one: &Message, after: Option<&Message>) -> Place {
    let joined = |a: &Message, b: &Message| {
        a.from == b.from && b.time.0 - a.time.0 < TOGETHER_MS && cx.day(a.time) == cx.day(b.time)
    };
    Place {
        new_day: before.is_none_or(|before| cx.day(before.time) != cx.day(one.time)),
        first: before.is_none_or(|before| !joined(before, one)),
        last: after.is_none_or(|after| !joined(one, after)),
    }
}

fn messages(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, with: &Jid) {
    let all = cx.snap.messages.get(with);
    let all: &[Arc<Message>] = all.map_or(&[], |messages| messages.as_slice());
    let window = hub.shown.get(with).copied().unwrap_or(WINDOW);
    let skip = all.len().saturating_sub(window);
    let shown = all.get(skip..).unwrap_or_default();
    let typing = cx.snap.chats.iter().any(|chat| &chat.with == with && chat.typing);
    ScrollArea::vertical()
        .id_salt(("messages", with))
        .auto_shrink(false)
        .stick_to_bottom(true)
        .show(ui, |ui| {
            ui.add_space(16.0);
            if skip > 0 && super::entry::link(ui, cx, &cx.t("earlier")) {
                hub.shown.insert(with.clone(), window + WINDOW);
            }
            let last_own = shown.iter().rposition(|message| message.own);
            for (at, message) in shown.iter().enumerate() {
                let before = at.checked_sub(1).and_then(|at| shown.get(at)).map(Arc::as_ref);
                let after = shown.get(at + 1).map(Arc::as_ref);
                let place = place(cx, before, message, after);
                if place.new_day {
                    day(ui, cx, message.time);
                }
                if place.first && !place.new_day {
                    ui.add_space(8.0);
                }
                let newest = at + 1 == shown.len();
                bubble(ui, cx, message, &place, newest);
                if place.last || message.state == Delivery::Failed {
                    below(ui, cx, message, last_own == Some(at));
                }
            }
            if typing {
                typing_notice(ui, cx, with);
            }
            ui.add_space(8.0);
        });
}

fn day(ui: &mut Ui, cx: &Cx<'_>, at: Timestamp) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 36.0), Sense::hover());
    let text = cx.day_words(at);
    line(ui, rect, &text, Type::Small, cx.c.muted, Align::Center);
}

fn bubble(ui: &mut Ui, cx: &Cx<'_>, message: &Message, place: &Place, newest: bool) {
    let (fill, ink) =
        if message.own { (cx.c.own_bubble, cx.c.on_own) } else { (cx.c.their_bubble, cx.c.text) };
    let room = ui.available_width();
    let most = (room * 0.72).min(560.0) - 26.0;
    let text = galley(ui, &message.body, Type::Body, ink, most, usize::MAX);
    let size = text.size() + vec2(26.0, 16.0);
    let (row, _) = ui.allocate_exact_size(vec2(room, size.y + 3.0), Sense::hover());
    let left = if message.own { row.right() - 24.0 - size.x } else { row.left() + 24.0 };
    let rect = Rect::from_min_size(pos2(left, row.top()), size);
    ui.painter().rect_filled(rect, corners(message.own, place), fill);
    let inner = rect.shrink2(vec2(13.0, 8.0));
    let mut child = ui
        .new_child(UiBuilder::new().id_salt(&message.id.0).max_rect(inner.expand2(vec2(2.0, 0.0))));
    let label = child.put(inner, Label::new(Arc::clone(&text)).selectable(true));
    links::show(&mut child, cx, &text, inner.min, ink);
    let who = if message.own { cx.t("you") } else { cx.name_of(&message.from) };
    let time = cx.clock(message.time);
    let spoken = [("who", who.as_str()), ("time", &time), ("text", &message.body)];
    let label = label.accessible_name(cx.texts.with("message-spoken", &spoken));
    if newest && !message.own {
        show_live(&label, false);
    }
}

/// Round, with the inner corners of a group a little less so.
fn corners(own: bool, place: &Place) -> CornerRadius {
    let mut corners = CornerRadius::same(R_CARD);
    let (top, bottom) = (if place.first { R_CARD } else { 6 }, if place.last { R_CARD } else { 6 });
    if own {
        (corners.ne, corners.se) = (top, bottom);
    } else {
        (corners.nw, corners.sw) = (top, bottom);
    }
    corners
}

fn delivery(cx: &Cx<'_>, state: Delivery) -> (&'static str, String) {
    match state {
        Delivery::Queued => (icons::CLOCK, cx.t("delivery-queued")),
        Delivery::Sent => (icons::CHECK, cx.t("delivery-sent")),
        Delivery::Delivered => (icons::CHECK_CHECK, cx.t("delivery-delivered")),
        Delivery::Read => (icons::CHECK_CHECK, cx.t("delivery-read")),
        Delivery::Failed => (icons::CIRCLE_ALERT, cx.t("delivery-failed")),
    }
}

/// Time, and how far an own message has come.
fn below(ui: &mut Ui, cx: &Cx<'_>, message: &Message, last_own: bool) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), Sense::hover());
    let inner = rect.shrink2(vec2(28.0, 0.0));
    let time = cx.clock(message.time);
    if !message.own {
        paint_line(ui, inner, &time, Type::Small, cx.c.muted, Align::Min);
        return;
    }
    let failed = message.state == Delivery::Failed;
    if !failed && !last_own {
        paint_line(ui, inner, &time, Type::Small, cx.c.muted, Align::Max);
        return;
    }
    let (glyph, word) = delivery(cx, message.state);
    let ink = if failed {
        cx.c.busy
    } else if message.state == Delivery::Read {
        cx.c.accent
    } else {
        cx.c.muted
    };
    let text = match (&message.error, failed) {
        (Some(error), true) => format!("{word}: {error}"),
        (None, _) | (Some(_), false) => word,
    };
    let color = if failed { cx.c.busy } else { cx.c.muted };
    let words = inner.with_min_x(inner.left() + 64.0);
    let width = galley(ui, &text, Type::Small, color, words.width(), 1).size().x;
    let place = words.with_min_x(words.right() - width);
    let response = line(ui, place, &text, Type::Small, color, Align::Max);
    show_live(&response, failed);
    let at = pos2(place.left() - 11.0, inner.center().y);
    icon(ui, at, glyph, 14.0, ink);
    let before = inner.with_max_x(place.left() - 22.0);
    paint_line(ui, before, &time, Type::Small, cx.c.muted, Align::Max);
}

fn typing_notice(ui: &mut Ui, cx: &Cx<'_>, with: &Jid) {
    ui.add_space(8.0);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 24.0), Sense::hover());
    let center = pos2(rect.left() + 36.0, rect.center().y);
    icon(ui, center, icons::ELLIPSIS, 18.0, cx.c.muted);
    let name = cx.name_of(with);
    let first = name.split(' ').next().unwrap_or(&name);
    let text = cx.tw("typing", "name", first);
    let place = rect.with_min_x(rect.left() + 50.0);
    let response = line(ui, place, &text, Type::Small, cx.c.muted, Align::Min);
    show_live(&response, false);
}

fn draft_galley_height(ui: &Ui, text: &str, width: f32) -> f32 {
    let text = if text.is_empty() { " " } else { text };
    galley(ui, text, Type::Body, egui::Color32::WHITE, width, usize::MAX).size().y
}

/// One line to six.
fn composer_height(ui: &Ui, hub: &Hub, with: &Jid, width: f32) -> f32 {
    let draft = hub.drafts.get(with).map_or("", String::as_str);
    let text = draft_galley_height(ui, draft, width - 72.0);
    text.clamp(20.0, 120.0) + 32.0
}

fn composer(
    ui: &mut Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    with: &Jid,
    rect: Rect,
    out: &mut Vec<Command>,
) {
    let id = Id::unique(("composer", with));
    let focused = ui.memory(|memory| memory.has_focus(id));
    let border = if focused { egui::Stroke::new(1.5, cx.c.accent) } else { cx.c.hair() };
    ui.painter().rect(rect, R_ROW, cx.c.raised, border, StrokeKind::Inside);
    let enter = focused && ui.input_mut(plain_enter);
    let name = cx.name_of(with);
    let first = name.split(' ').next().unwrap_or(&name).to_owned();
    let hint = cx.tw("composer-hint", "name", &first);
    let draft = hub.drafts.entry(with.clone()).or_default();
    let inner = Rect::from_min_max(rect.min + vec2(16.0, 16.0), rect.max - vec2(56.0, 16.0));
    let newline = KeyboardShortcut::new(Modifiers::SHIFT, Key::Enter);
    let response = region(ui, "composer", inner.expand2(vec2(2.0, 4.0)), |ui| {
        ScrollArea::vertical()
            .id_salt("draft")
            .max_height(128.0)
            .show(ui, |ui| {
                ui.add_space(4.0);
                let edit = TextEdit::multiline(draft)
                    .id(id)
                    .frame(Frame::NONE)
                    .margin(Margin::symmetric(2, 0))
                    .font(Type::Body.font())
                    .text_color(cx.c.text)
                    .return_key(newline)
                    .desired_rows(1)
                    .desired_width(inner.width())
                    .hint_text(RichText::new(&hint).font(Type::Body.font()).color(cx.c.muted));
                ui.add(edit).accessible_name(&hint)
            })
            .inner
    });
    if std::mem::take(&mut hub.focus_composer) {
        response.request_focus();
    }
    let filled = !draft.trim().is_empty();
    let at =
        Rect::from_center_size(pos2(rect.right() - 26.0, rect.bottom() - 26.0), vec2(36.0, 36.0));
    let send = cx.t("composer-send");
    let kind = if filled { Kind::Primary } else { Kind::Ghost };
    let push = Push::new(&send).glyph(icons::SEND).icon_only();
    let pressed = push.kind(kind).enabled(filled).at(ui, cx.c, at).clicked();
    if response.changed() {
        note_typing(cx, &mut hub.typing, with, filled, out);
    }
    if (enter || pressed) && filled {
        let body = std::mem::take(hub.drafts.entry(with.clone()).or_default());
        out.push(Command::SendChat { to: with.clone(), body: body.trim().to_owned() });
        // The message itself says that we no longer write (XEP-0085 section 5.1).
        hub.typing = None;
        response.request_focus();
    }
}

/// Takes Enter without Shift; `consume_key` would take both.
fn plain_enter(input: &mut egui::InputState) -> bool {
    let before = input.events.len();
    input.events.retain(|event| {
        !matches!(event, egui::Event::Key { key: Key::Enter, pressed: true, modifiers, .. }
            if modifiers.is_none())
    });
    input.events.len() < before
}

/// Tells the other side once when we begin to write, and when we have emptied the box.
fn note_typing(
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

/// Ends the notice when nothing was typed for a while, or the conversation was left.
pub fn still_typing(ui: &Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let Some((with, since)) = &hub.typing else {
        return;
    };
    let left = TYPING_MS - (cx.now.0 - since.0);
    if left <= 0 || hub.selected.as_ref() != Some(with) {
        out.push(Command::Typing { to: with.clone(), typing: false });
        hub.typing = None;
    } else {
        let wait = u64::try_from(left).unwrap_or(0).max(100);
        ui.ctx().request_repaint_after(Duration::from_millis(wait));
    }
}
