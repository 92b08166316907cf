//! The list of conversations.

use egui::{Align, Rect, ScrollArea, Ui, pos2, vec2};
use offhook_model::{Alerts, Chat, ChatKind, Command};
use offhook_text::safe_line;

use super::conversation::preview_of;
use super::hub::{Hub, list_heading};
use crate::cx::Cx;
use crate::icons;
use crate::theme::Type;
use crate::widgets::{
    avatar, badge_count, icon, paint_line, paragraph_centered, photo_or_initials, presence_mark,
    row,
};

const ROW: f32 = 62.0;

/// Draws the list.
pub fn list(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let heading = list_heading(ui, cx, &cx.t("section-chats"));
    super::rooms::heading_buttons(ui, cx, hub, heading);
    super::rooms::cards(ui, cx, out);
    let chats = &cx.snap.chats;
    if chats.is_empty() {
        ui.add_space(48.0);
        nothing(ui, cx, &cx.t("chats-empty"), &cx.t("chats-empty-remedy"));
        return;
    }
    ScrollArea::vertical().id_salt("chats").auto_shrink(false).show_rows(
        ui,
        ROW,
        chats.len(),
        |ui, range| {
            for at in range {
                if let Some(chat) = chats.get(at) {
                    one(ui, cx, hub, chat);
                }
            }
        },
    );
}

/// Says that a list is empty and what would fill it.
pub fn nothing(ui: &mut Ui, cx: &Cx<'_>, what: &str, remedy: &str) {
    ui.vertical_centered(|ui| {
        ui.set_max_width(240.0);
        paragraph_centered(ui, what, Type::Name, cx.c.text);
        ui.add_space(4.0);
        paragraph_centered(ui, remedy, Type::Secondary, cx.c.muted);
    });
}

/// What stands below the name, and whether it is a draft.
fn preview(cx: &Cx<'_>, hub: &Hub, chat: &Chat) -> String {
    let typed = hub.drafts.get(&chat.with).map(String::as_str);
    let draft = Some(typed.unwrap_or(&chat.draft).trim());
    let open = hub.selected.as_ref() == Some(&chat.with);
    if chat.typing {
        return cx.t("chat-typing");
    }
    if let Some(draft) = draft.filter(|draft| !draft.is_empty() && !open) {
        return cx.tw("chat-draft", "text", &one_line(draft));
    }
    let Some(last) = &chat.last else { return String::new() };
    let said = preview_of(cx, last);
    match last.from.resource() {
        Some(nick) if chat.kind == ChatKind::Room && !last.own => {
            let values = [("who", &*safe_line(nick)), ("text", said.as_str())];
            cx.texts.with("chat-writer", &values)
        }
        Some(_) | None if last.own => cx.tw("chat-own", "text", &said),
        Some(_) | None => said,
    }
}

/// The first words of a text that may have several lines.
fn one_line(text: &str) -> String {
    let end = text.floor_char_boundary(400);
    safe_line(text.get(..end).unwrap_or_default()).chars().take(120).collect()
}

fn one(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, chat: &Chat) {
    let person = cx.people.by_jid(&chat.with);
    let name = person.map_or(chat.name.as_str(), |person| person.name.as_str());
    let below = preview(cx, hub, chat);
    let when = chat.last.as_ref().map(|last| cx.when(last.time));
    let when = when.unwrap_or_default();
    let mut spoken = vec![name.to_owned()];
    spoken.extend(person.map(|person| cx.presence(person.presence.availability)));
    if chat.unread > 0 {
        spoken.push(cx.tc("badge-unread", chat.unread as usize));
    }
    if chat.mentions > 0 {
        spoken.push(cx.tc("badge-mentions", chat.mentions as usize));
    }
    spoken.extend([below.clone(), when.clone()].into_iter().filter(|part| !part.is_empty()));
    let selected = hub.selected.as_ref() == Some(&chat.with);
    let id = ui.scope_id().with(&chat.with);
    let (rect, response) = row(ui, cx.c, ROW, id, &spoken.join(", "), selected);
    let ground = if selected { cx.c.accent_soft } else { cx.c.panel };
    let muted = if selected { cx.c.soft_muted } else { cx.c.muted };
    let center = pos2(rect.left() + 32.0, rect.center().y);
    match person {
        Some(person) => photo_or_initials(ui, cx, center, 20.0, person),
        None => avatar(ui, center, 20.0, name, chat.with.bare_str()),
    }
    if let Some(person) = person {
        let mark = center + vec2(14.0, 14.0);
        presence_mark(ui, cx.c, mark, 6.0, person.presence.availability, ground);
    }
    let top = Rect::from_min_max(
        pos2(rect.left() + 64.0, rect.top() + 12.0),
        pos2(rect.right() - 12.0, rect.top() + 32.0),
    );
    let taken = paint_line(ui, top, &when, Type::Small, muted, Align::Max);
    let place = top.with_max_x(top.right() - taken - 8.0);
    paint_line(ui, place, name, Type::Name, cx.c.text, Align::Min);
    let mut bottom = top.translate(vec2(0.0, 19.0));
    if chat.mentions > 0 {
        bottom.max.x -= 22.0;
    }
    if chat.alerts == Alerts::None {
        let at = pos2(bottom.right() - if chat.unread > 0 { 42.0 } else { 7.0 }, bottom.center().y);
        icon(ui, at, icons::BELL_OFF, 14.0, muted);
        bottom.max.x -= 22.0;
    }
    if chat.unread > 0 {
        let right = pos2(top.right(), bottom.center().y + 1.0);
        let muted_chat = chat.alerts == Alerts::None;
        let fill = if muted_chat { cx.c.muted } else { cx.c.accent };
        let ink = if muted_chat { cx.c.panel } else { cx.c.on_accent };
        badge_count(ui, right, chat.unread as usize, fill, ink);
        if chat.mentions > 0 {
            let at = pos2(right.x - 34.0, right.y);
            icon(ui, at, icons::AT_SIGN, 14.0, cx.c.accent);
        }
        bottom.max.x -= 34.0;
    }
    let color = if chat.typing && !selected { cx.c.accent } else { muted };
    paint_line(ui, bottom, &below, Type::Secondary, color, Align::Min);
    if response.clicked() {
        hub.open_chat(chat.with.clone());
    }
}
