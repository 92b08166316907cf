//! Draws the rows that are in the window.

use std::collections::{HashMap, VecDeque};

use egui::text_selection::LabelSelectionState;
use egui::{
    Align, Color32, CornerRadius, Id, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui,
    UiBuilder, WidgetInfo, pos2, vec2,
};
use offhook_model::{Delivery, Message, MessageId, Protection};
use offhook_text::safe_line;

use super::list::Shown;
use super::menu::{Act, can_react, menu_id};
use super::row::{self, Place, Row, View};
use super::{MARKED_MS, Talk, body, file, links};
use crate::cx::Cx;
use crate::icons;
use crate::theme::{R_CARD, Type, name_color};
use crate::widgets::{avatar, focus_ring, galley, icon, line, paint_line, region, show_live};

/// The bubble that the pointer or the keyboard is at.
pub struct Active {
    /// Its message.
    pub at: usize,
    /// Its place in the window.
    pub bubble: Rect,
    /// What it answers to.
    pub response: Response,
}

/// Draws all rows; gives the one whose actions are to be shown.
pub fn all(
    ui: &mut Ui,
    cx: &Cx<'_>,
    view: &View<'_>,
    talk: &mut Talk,
    shown: &VecDeque<Shown>,
    rows: &HashMap<usize, Option<Row>>,
    acts: &mut Vec<Act>,
) -> Option<Active> {
    let window = ui.max_rect();
    let mut active = None;
    let held = talk.active.clone();
    for one in shown {
        let Some(message) = view.messages.get(one.at) else { continue };
        let Some(Some(row)) = rows.get(&one.at) else { continue };
        let corner = pos2(window.left(), window.top() + one.top);
        let whole = Rect::from_min_size(corner, vec2(window.width(), one.height));
        let builder = UiBuilder::new().id_salt(&message.id.0).max_rect(whole);
        let mut child = ui.new_child(builder);
        let response = bubble(&mut child, cx, view, talk, one.at, row, corner, acts);
        let bubble = row.bubble.translate(corner.to_vec2());
        let near = bubble.union(bubble.translate(vec2(0.0, 26.0)));
        let open = egui::Popup::is_id_open(ui.ctx(), menu_id(message));
        let kept = open
            || held
                .as_ref()
                .is_some_and(|(id, bar)| *id == message.id && ui.rect_contains_pointer(*bar));
        let hovered = ui.rect_contains_pointer(near.intersect(whole));
        if response.has_focus() || hovered || kept {
            let first = active.is_none() || kept || hovered;
            if first && !active.as_ref().is_some_and(|_| !kept && !hovered) {
                active = Some(Active { at: one.at, bubble, response });
            }
        }
    }
    active
}

#[expect(clippy::too_many_arguments, reason = "one call site shape, all of them plain values")]
fn bubble(
    ui: &mut Ui,
    cx: &Cx<'_>,
    view: &View<'_>,
    talk: &Talk,
    at: usize,
    row: &Row,
    corner: egui::Pos2,
    acts: &mut Vec<Act>,
) -> Response {
    let Some(message) = view.messages.get(at) else {
        return ui.response();
    };
    let shift = corner.to_vec2();
    headings(ui, cx, view, message, row, corner);
    let rect = row.bubble.translate(shift);
    let id = bubble_id(&message.id);
    let response = ui.interact(rect, id, Sense::click());
    let spoken = spoken(cx, view, message, row);
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &spoken));
    if at + 1 == view.messages.len() && !message.own {
        show_live(&response, false);
    }
    ground(ui, cx, message, row, rect, talk);
    focus_ring(ui, cx.c, rect, R_CARD, &response);
    let ink = row::ink(cx, view, message);
    if let Some(place) = row.label {
        label(ui, message, place.translate(shift), &ink);
    }
    if let Some(place) = row.quote {
        quote(ui, cx, view, message, place.translate(shift), &ink, acts);
    }
    if let Some(place) = row.file {
        file::card(ui, cx, message, place.translate(shift), &ink, acts);
    }
    text(ui, cx, row, corner, &ink, acts);
    if let Some(place) = row.edited {
        let align = if message.own { Align::Max } else { Align::Min };
        paint_line(
            ui,
            place.translate(shift),
            &cx.t("message-edited"),
            Type::Small,
            ink.faint,
            align,
        );
    }
    protection_mark(ui, cx, message, rect);
    if let Some(y) = row.reactions {
        reactions(ui, cx, view, message, rect, corner.y + y, acts);
    }
    let last_own = view.last_own == Some(at);
    match row.below {
        Some(y) => below(ui, cx, message, last_own, rect, corner.y + y, view.width, acts),
        None if message.own => beside(ui, cx, message, rect),
        None => {}
    }
    response
}

/// The id of a message's bubble.
pub fn bubble_id(message: &MessageId) -> Id {
    Id::unique(("bubble", &message.0))
}

fn headings(
    ui: &mut Ui,
    cx: &Cx<'_>,
    view: &View<'_>,
    message: &Message,
    row: &Row,
    corner: egui::Pos2,
) {
    let mut top = corner.y;
    let band =
        |top: f32, height: f32| Rect::from_min_size(pos2(corner.x, top), vec2(view.width, height));
    if row.place.new {
        let rect = band(top, row::NEW).shrink2(vec2(24.0, 0.0));
        let words = cx.t("new-messages");
        let width = galley(ui, &words, Type::Label, cx.c.accent, rect.width(), 1).size().x;
        let stroke = Stroke::new(1.0, cx.c.accent);
        let (left, right) =
            (rect.center().x - width / 2.0 - 12.0, rect.center().x + width / 2.0 + 12.0);
        ui.painter().hline(rect.left()..=left, rect.center().y, stroke);
        ui.painter().hline(right..=rect.right(), rect.center().y, stroke);
        line(ui, rect, &words, Type::Label, cx.c.accent, Align::Center);
        top += row::NEW;
    }
    if row.place.new_day {
        let text = cx.day_words(message.time);
        line(ui, band(top, row::DAY), &text, Type::Small, cx.c.muted, Align::Center);
    }
    if let Some((y, name)) = &row.name {
        let key = author_key(message);
        let left = row.bubble.left() + corner.x;
        let rect =
            Rect::from_min_size(pos2(left + 4.0, corner.y + y), vec2(view.width - 80.0, 18.0));
        paint_line(ui, rect, name, Type::Label, name_color(cx.c, &key), Align::Min);
        let center = pos2(left - 22.0, corner.y + row.bubble.top() + 15.0);
        avatar(ui, center, 15.0, name, &key);
    }
}

/// By what a writer keeps the colour: the real address where a room tells it, else the nickname.
fn author_key(message: &Message) -> String {
    match (&message.more.author, message.from.resource()) {
        (Some(author), _) => author.bare_str().to_owned(),
        (None, Some(nick)) => nick.to_owned(),
        (None, None) => message.from.bare_str().to_owned(),
    }
}

/// All that assistive technology hears of a message.
fn spoken(cx: &Cx<'_>, view: &View<'_>, message: &Message, row: &Row) -> String {
    let mut text = row.said.plain();
    if let Some(file) =
        message.more.attachment.as_ref().filter(|_| message.more.retracted.is_none())
    {
        text = cx.tw("file-spoken", "name", &safe_line(&file.name));
    }
    let who = view.author(cx, message);
    let time = cx.clock(message.time);
    let values = [("who", who.as_str()), ("time", &time), ("text", &text)];
    let mut all = cx.texts.with("message-spoken", &values);
    let mut add = |words: String| {
        all.push_str(", ");
        all.push_str(&words);
    };
    if message.more.edited && message.more.retracted.is_none() {
        add(cx.t("message-edited"));
    }
    if let Some(label) = &message.more.label {
        add(safe_line(label));
    }
    if message.own && row.below.is_none() {
        add(delivery(cx, message.state).1);
    }
    all
}

fn ground(ui: &Ui, cx: &Cx<'_>, message: &Message, row: &Row, rect: Rect, talk: &Talk) {
    let gone = message.more.retracted.is_some();
    let fill = match (gone, message.own) {
        (true, _) => Color32::TRANSPARENT,
        (false, true) => cx.c.own_bubble,
        (false, false) => cx.c.their_bubble,
    };
    let border = if gone { cx.c.hair() } else { Stroke::NONE };
    let corners = corners(message.own, &row.place);
    ui.painter().rect(rect, corners, fill, border, StrokeKind::Inside);
    if let Some((id, since)) = &talk.marked
        && *id == message.id
    {
        let left = MARKED_MS - (cx.now.0 - since.0);
        if left > 0 {
            let stroke = Stroke::new(2.0, cx.c.away);
            ui.painter().rect_stroke(rect.expand(2.0), corners, stroke, StrokeKind::Outside);
            let wait = u64::try_from(left).unwrap_or(0);
            ui.ctx().request_repaint_after(std::time::Duration::from_millis(wait));
        }
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

fn label(ui: &Ui, message: &Message, rect: Rect, ink: &body::Ink) {
    let text = message.more.label.as_deref().map(safe_line).unwrap_or_default();
    let chip = galley(ui, &text, Type::Badge, ink.text, rect.width() - 16.0, 1);
    let size = chip.size() + vec2(14.0, 4.0);
    let place = Rect::from_min_size(rect.min, size);
    let stroke = Stroke::new(1.0, ink.faint);
    ui.painter().rect(place, 6, ink.code, stroke, StrokeKind::Inside);
    ui.painter().galley(place.min + vec2(7.0, 2.0), chip, ink.text);
}

/// The words that a message answers; pressed, they are gone to.
fn quote(
    ui: &mut Ui,
    cx: &Cx<'_>,
    view: &View<'_>,
    message: &Message,
    rect: Rect,
    ink: &body::Ink,
    acts: &mut Vec<Act>,
) {
    let Some(reply) = &message.more.reply_to else { return };
    let found = view.messages.iter().rfind(|one| one.id == reply.id);
    let (who, said) = match (found, &reply.to) {
        (Some(found), _) => (view.author(cx, found), preview(cx, found)),
        (None, Some(to)) => (view.person(cx, to), cx.t("reply-earlier")),
        (None, None) => (cx.t("reply-somebody"), cx.t("reply-earlier")),
    };
    let place = rect.with_max_y(rect.bottom() - 6.0);
    let id = bubble_id(&message.id).with("quote");
    let response = ui.interact(place, id, Sense::click());
    let name = cx.texts.with("reply-spoken", &[("who", &who), ("text", &said)]);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    ui.painter().rect_filled(place, 8, ink.code);
    let bar = Rect::from_min_size(place.min, vec2(3.0, place.height()));
    ui.painter().rect_filled(bar, 2, ink.link);
    focus_ring(ui, cx.c, place, 8, &response);
    let inner = place.shrink2(vec2(11.0, 3.0));
    let (upper, lower) = inner.split_top_bottom_at_fraction(0.5);
    paint_line(ui, upper, &who, Type::Label, ink.link, Align::Min);
    paint_line(ui, lower, &said, Type::Secondary, ink.faint, Align::Min);
    if response.on_hover_cursor(egui::CursorIcon::PointingHand).clicked() {
        acts.push(Act::Jump(reply.id.clone()));
    }
}

/// One line of a message, for quotes, lists and the composer.
pub fn preview(cx: &Cx<'_>, message: &Message) -> String {
    if message.more.retracted.is_some() {
        return cx.t("message-gone");
    }
    if message.more.protection == Protection::Unreadable {
        return cx.t("message-unreadable");
    }
    match &message.more.attachment {
        Some(file) => cx.tw("file-spoken", "name", &safe_line(&file.name)),
        None => {
            let end = message.body.floor_char_boundary(400);
            let text = safe_line(message.body.get(..end).unwrap_or_default());
            text.chars().take(120).collect()
        }
    }
}

fn text(
    ui: &mut Ui,
    cx: &Cx<'_>,
    row: &Row,
    corner: egui::Pos2,
    ink: &body::Ink,
    acts: &mut Vec<Act>,
) {
    let start = row.corner + corner.to_vec2();
    for (at, piece) in row.text.pieces.iter().enumerate() {
        body::ground(ui, piece, start, ink);
        let place = piece.place.translate(start.to_vec2());
        let mut sense = Sense::click_and_drag();
        sense -= Sense::FOCUSABLE;
        let response = ui.interact(place, ui.scope_id().with(("words", at)), sense);
        let words = std::sync::Arc::clone(&piece.galley);
        LabelSelectionState::label_text_selection(
            ui,
            &response,
            place.min,
            words,
            ink.text,
            Stroke::NONE,
        );
        if let Some(address) = links::show(ui, cx, piece, place.min) {
            acts.push(Act::Address(address));
        }
    }
}

/// A message that was not what the conversation promises is marked.
fn protection_mark(ui: &mut Ui, cx: &Cx<'_>, message: &Message, rect: Rect) {
    let (glyph, words, color) = match message.more.protection {
        Protection::None => return,
        Protection::Encrypted => (icons::LOCK_KEYHOLE, "protected-client", cx.c.muted),
        Protection::Verified => (icons::LOCK_KEYHOLE, "protected-client-verified", cx.c.ok),
        Protection::Unreadable => (icons::SHIELD_ALERT, "message-unreadable", cx.c.away),
    };
    let x = if message.own { rect.left() - 14.0 } else { rect.right() + 14.0 };
    let spot = Rect::from_center_size(pos2(x, rect.top() + 14.0), vec2(18.0, 18.0));
    icon(ui, spot.center(), glyph, 13.0, color);
    let id = bubble_id(&message.id).with("protection");
    ui.interact(spot, id, Sense::hover()).on_hover_text(cx.t(words));
}

fn reactions(
    ui: &mut Ui,
    cx: &Cx<'_>,
    view: &View<'_>,
    message: &Message,
    bubble: Rect,
    top: f32,
    acts: &mut Vec<Act>,
) {
    let chips = message.more.reactions.iter().take(12);
    let mut left = bubble.left() + 4.0;
    for reaction in chips {
        let count = reaction.from.len();
        let emoji = safe_line(&reaction.emoji);
        let text = if count > 1 { format!("{emoji} {count}") } else { emoji.clone() };
        let ink = if reaction.own { cx.c.accent } else { cx.c.text };
        let words = galley(ui, &text, Type::Secondary, ink, 120.0, 1);
        let rect = Rect::from_min_size(pos2(left, top + 2.0), vec2(words.size().x + 18.0, 26.0));
        left = rect.right() + 4.0;
        let id = bubble_id(&message.id).with(("reaction", &reaction.emoji));
        let response = ui.interact(rect, id, Sense::click());
        let who: Vec<String> = reaction
            .from
            .iter()
            .take(12)
            .map(|one| if is_us(cx, view, one) { cx.t("you") } else { view.person(cx, one) })
            .collect();
        let names = who.join(", ");
        let name = cx.texts.with("reaction-spoken", &[("emoji", &emoji), ("who", &names)]);
        response.widget_info(|| WidgetInfo::selected(Role::Switch, true, reaction.own, &name));
        let fill = if reaction.own { cx.c.accent_soft } else { cx.c.raised };
        let stroke = if reaction.own { Stroke::new(1.0, cx.c.accent) } else { cx.c.hair() };
        ui.painter().rect(rect, 13, fill, stroke, StrokeKind::Inside);
        ui.painter().galley(rect.center() - words.size() / 2.0, words, ink);
        focus_ring(ui, cx.c, rect, 13, &response);
        let response = response.on_hover_cursor(egui::CursorIcon::PointingHand);
        if response.on_hover_text(name).clicked() && can_react(message) {
            acts.push(super::menu::toggled(message, &reaction.emoji));
        }
    }
}

fn is_us(cx: &Cx<'_>, view: &View<'_>, who: &offhook_model::Jid) -> bool {
    match view.room {
        Some(room) => who.resource() == Some(room.nick.as_str()),
        None => cx.snap.me.address.as_deref() == Some(who.bare_str()),
    }
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

fn state_color(cx: &Cx<'_>, state: Delivery) -> Color32 {
    match state {
        Delivery::Failed => cx.c.busy,
        Delivery::Read => cx.c.accent,
        Delivery::Queued | Delivery::Sent | Delivery::Delivered => cx.c.muted,
    }
}

/// How far an own message inside of a group has come: a mark, with words under the pointer.
fn beside(ui: &mut Ui, cx: &Cx<'_>, message: &Message, rect: Rect) {
    let (glyph, word) = delivery(cx, message.state);
    let center = pos2(rect.left() - 14.0, rect.bottom() - 12.0);
    icon(ui, center, glyph, 13.0, state_color(cx, message.state));
    let spot = Rect::from_center_size(center, vec2(18.0, 18.0));
    let words = format!("{word} · {}", cx.clock(message.time));
    ui.interact(spot, bubble_id(&message.id).with("state"), Sense::hover()).on_hover_text(words);
}

/// Time, and how far an own message has come.
#[expect(clippy::too_many_arguments, reason = "one call site shape, all of them plain values")]
fn below(
    ui: &mut Ui,
    cx: &Cx<'_>,
    message: &Message,
    last_own: bool,
    bubble: Rect,
    top: f32,
    width: f32,
    acts: &mut Vec<Act>,
) {
    let window = ui.max_rect();
    let time = cx.clock(message.time);
    if !message.own {
        let rect = Rect::from_min_size(pos2(bubble.left() + 4.0, top), vec2(200.0, row::BELOW));
        paint_line(ui, rect, &time, Type::Small, cx.c.muted, Align::Min);
        return;
    }
    let failed = message.state == Delivery::Failed;
    let mut right = bubble.right() - 4.0;
    let band =
        |left: f32, right: f32| Rect::from_min_max(pos2(left, top), pos2(right, top + row::BELOW));
    if failed {
        let again = cx.t("message-again");
        let size = 18.0 + galley(ui, &again, Type::Strong, cx.c.accent, width, 1).size().x;
        let place = band(right - size, right);
        region(ui, ("again", &message.id.0), place.expand(4.0), |ui| {
            let push = crate::widgets::Push::new(&again).kind(crate::widgets::Kind::Link);
            if push.at(ui, cx.c, place).clicked() {
                acts.push(Act::Again(message.id.clone()));
            }
        });
        right = place.left() - 4.0;
    }
    let (glyph, word) = delivery(cx, message.state);
    let left = window.left() + 40.0;
    let color = if failed { cx.c.busy } else { cx.c.muted };
    if failed || last_own {
        let text = match (&message.error, failed) {
            (Some(error), true) => format!("{word}: {}", safe_line(error)),
            (None, _) | (Some(_), false) => word.clone(),
        };
        let taken =
            galley(ui, &text, Type::Small, color, (right - left - 60.0).max(40.0), 1).size().x;
        let place = band(right - taken, right);
        let response = line(ui, place, &text, Type::Small, color, Align::Max);
        show_live(&response, failed);
        response.on_hover_text(&text);
        right = place.left() - 4.0;
    }
    let center = pos2(right - 7.0, top + row::BELOW / 2.0);
    icon(ui, center, glyph, 14.0, state_color(cx, message.state));
    let spot = Rect::from_center_size(center, vec2(20.0, 20.0));
    ui.interact(spot, bubble_id(&message.id).with("state"), Sense::hover()).on_hover_text(word);
    paint_line(ui, band(left, right - 18.0), &time, Type::Small, cx.c.muted, Align::Max);
}
