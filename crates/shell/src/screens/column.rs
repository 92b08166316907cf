//! The list column: who I am, the box for search and dialling, and one list.

use egui::{Align, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use offhook_model::Command;

use super::hub::{Hub, Section};
use super::{calls, chats, contacts, notices, presence, search};
use crate::cx::Cx;
use crate::icons;
use crate::theme::{R_ROW, Type};
use crate::widgets::{avatar, focus_ring, icon, line, paint_line, presence_mark, region};

/// Draws the column.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let rect = ui.max_rect();
    ui.painter().rect_filled(rect, 0, cx.c.panel);
    ui.painter().vline(rect.right() - 0.5, rect.y_range(), cx.c.hair());
    let me_rect =
        Rect::from_min_max(rect.min + vec2(8.0, 8.0), pos2(rect.right() - 8.0, rect.top() + 64.0));
    me(ui, cx, hub, me_rect, out);
    let box_rect = Rect::from_min_max(
        pos2(rect.left() + 16.0, rect.top() + 68.0),
        pos2(rect.right() - 17.0, rect.top() + 108.0),
    );
    search::field(ui, cx, hub, box_rect, out);
    let room = rect.with_min_y(box_rect.bottom() + 12.0);
    let top = region(ui, "notices", room, |ui| notices::show(ui, cx, hub, out));
    let list =
        Rect::from_min_max(pos2(rect.left() + 8.0, top), pos2(rect.right() - 9.0, rect.bottom()));
    region(ui, "list", list, |ui| {
        if !hub.search.text.trim().is_empty() {
            search::results(ui, cx, hub, out);
            return;
        }
        match hub.section {
            Section::Chats => chats::list(ui, cx, hub, out),
            Section::Contacts => contacts::list(ui, cx, hub, out),
            Section::Calls => calls::list(ui, cx, hub, out),
        }
    });
}

/// Own avatar and name, with the number of the phone, where there is no chat.
fn me_alone(ui: &mut Ui, cx: &Cx<'_>, rect: Rect) {
    let me = &cx.snap.me;
    let center = pos2(rect.left() + 28.0, rect.center().y);
    avatar(ui, center, 20.0, &me.name, me.address.as_deref().unwrap_or(&me.name));
    let text = rect.with_min_x(rect.left() + 60.0);
    let (name, number) = text.split_top_bottom_at_fraction(0.5);
    line(ui, name, &me.name, Type::Name, cx.c.text, Align::Min);
    let own = me.number.as_deref().unwrap_or_default();
    line(ui, number, own, Type::Secondary, cx.c.muted, Align::Min);
}

/// Own avatar, name and availability; opens the availability menu.
fn me(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, rect: Rect, out: &mut Vec<Command>) {
    if !cx.has_chat() {
        return me_alone(ui, cx, rect);
    }
    let me = &cx.snap.me;
    let word = cx.presence_words(&me.presence);
    let below = match me.presence.note.as_deref().filter(|note| !note.is_empty()) {
        Some(note) => format!("{word} · {note}"),
        None => word,
    };
    let id = ui.scope_id().with("me");
    let response = ui.interact(rect, id, Sense::click());
    let name = cx.tw("me-name", "state", &below);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    if response.hovered() {
        ui.painter().rect_filled(rect, R_ROW, cx.c.ground);
    }
    focus_ring(ui, cx.c, rect.shrink(2.0), R_ROW, &response);
    let center = pos2(rect.left() + 28.0, rect.center().y);
    let key = me.address.as_deref().unwrap_or(&me.name);
    avatar(ui, center, 20.0, &me.name, key);
    let mark = center + vec2(14.0, 14.0);
    presence_mark(ui, cx.c, mark, 6.0, me.presence.availability, cx.c.panel);
    let text = Rect::from_min_max(
        pos2(rect.left() + 60.0, rect.top() + 9.0),
        pos2(rect.right() - 36.0, rect.top() + 29.0),
    );
    paint_line(ui, text, &me.name, Type::Name, cx.c.text, Align::Min);
    let text = text.translate(vec2(0.0, 18.0));
    paint_line(ui, text, &below, Type::Secondary, cx.c.muted, Align::Min);
    let at = pos2(rect.right() - 18.0, rect.center().y);
    icon(ui, at, icons::CHEVRON_DOWN, 18.0, cx.c.muted);
    let response = response.on_hover_cursor(egui::CursorIcon::PointingHand);
    presence::menu(ui, cx, hub, &response, out);
}
