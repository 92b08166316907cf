//! Rooms to enter: those we know, and those the servers list.

use egui::{Align, Id, Rect, ScrollArea, Sense, Ui, pos2, vec2};
use offhook_model::{Command, Jid, RoomState, RoomWish};

use super::super::hub::Hub;
use super::super::page;
use crate::cx::Cx;
use crate::icons;
use crate::theme::Type;
use crate::widgets::{Field, Kind, Push, line, paint_line, paragraph};

const ROW: f32 = 52.0;

/// The page while it is open.
#[derive(Default)]
pub struct Browsing {
    typed: String,
    asked: bool,
}

/// One row, wherever the room is known from.
struct Row<'a> {
    room: &'a Jid,
    name: &'a str,
    note: String,
    joined: bool,
}

/// Draws the page.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    if !std::mem::replace(&mut hub.browsing.asked, true) {
        out.push(Command::Room(RoomWish::Browse { service: None }));
    }
    page::show(ui, cx, hub, &cx.t("room-find"), |ui, hub| {
        let label = cx.t("room-find-hint");
        let field = Field::new(Id::unique("room-find"), &label).hint(&label).glyph(icons::SEARCH);
        field.show(ui, cx.c, &mut hub.browsing.typed);
        ui.add_space(8.0);
        by_address(ui, cx, hub, out);
        status(ui, cx, out);
        ui.add_space(8.0);
        list(ui, cx, hub, out);
    });
}

/// What is typed is an address: it can be entered although nobody lists it.
fn by_address(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let typed = hub.browsing.typed.trim().parse::<Jid>().ok();
    let Some(room) = typed.filter(|it| it.local().is_some()) else { return };
    let label = cx.tw("room-join-address", "room", &room.to_string());
    if Push::new(&label).glyph(icons::LOG_IN).show(ui, cx.c).clicked() {
        join(hub, &room, out);
    }
    ui.add_space(8.0);
}

fn status(ui: &mut Ui, cx: &Cx<'_>, out: &mut Vec<Command>) {
    let listing = &cx.snap.listing;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 12.0;
        let words = match (listing.busy, listing.rooms.len()) {
            (true, _) => cx.t("room-find-busy"),
            (false, count) => cx.tc("room-find-count", count),
        };
        paragraph(ui, &words, Type::Secondary, cx.c.muted);
        let again = cx.t("room-find-again");
        let push = Push::new(&again).glyph(icons::REFRESH).kind(Kind::Link).height(28.0);
        if !listing.busy && push.show(ui, cx.c).clicked() {
            out.push(Command::Room(RoomWish::Browse { service: None }));
        }
    });
    for error in &listing.errors {
        super::super::entry::complaint(ui, cx, error);
    }
}

fn rows<'a>(cx: &Cx<'a>, wanted: &str) -> Vec<Row<'a>> {
    let fits = |name: &str, room: &Jid| {
        wanted.is_empty()
            || name.to_lowercase().contains(wanted)
            || room.bare_str().contains(wanted)
    };
    let known = cx.snap.rooms.values().map(|room| {
        let joined = room.state == RoomState::Joined;
        let note = match (&room.error, joined) {
            (Some(error), false) => error.clone(),
            (_, true) => cx.tc("room-people", room.occupants.len()),
            (None, false) => room.room.to_string(),
        };
        Row { room: &room.room, name: &room.name, note, joined }
    });
    let listed = cx.snap.listing.rooms.iter().filter(|it| !cx.snap.rooms.contains_key(&it.room));
    let listed = listed.map(|it| Row {
        room: &it.room,
        name: &it.name,
        note: it.room.to_string(),
        joined: false,
    });
    known.chain(listed).filter(|row| fits(row.name, row.room)).collect()
}

fn list(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let rows = rows(cx, &hub.browsing.typed.trim().to_lowercase());
    if rows.is_empty() && !cx.snap.listing.busy {
        ui.add_space(32.0);
        super::super::chats::nothing(ui, cx, &cx.t("room-none"), &cx.t("room-none-remedy"));
        return;
    }
    let height = (ui.ctx().content_rect().height() - 300.0).max(200.0);
    ScrollArea::vertical().id_salt("rooms").max_height(height).show_rows(
        ui,
        ROW,
        rows.len(),
        |ui, range| {
            for row in rows.get(range).unwrap_or_default() {
                one(ui, cx, hub, row, out);
            }
        },
    );
}

fn one(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, row: &Row<'_>, out: &mut Vec<Command>) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let text = rect.with_max_x(rect.right() - 112.0);
    let top = text.with_min_y(rect.top() + 7.0).with_max_y(rect.top() + 27.0);
    line(ui, top, row.name, Type::Name, cx.c.text, Align::Min);
    let below = top.translate(vec2(0.0, 19.0));
    paint_line(ui, below, &row.note, Type::Secondary, cx.c.muted, Align::Min);
    let place =
        Rect::from_center_size(pos2(rect.right() - 52.0, rect.center().y), vec2(96.0, 34.0));
    let label = cx.t(if row.joined { "room-open" } else { "room-join" });
    let kind = if row.joined { Kind::Soft } else { Kind::Plain };
    let response = Push::new(&label).kind(kind).width(96.0).height(34.0).at(ui, cx.c, place);
    let name = format!("{label}: {}", row.name);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name.clone()));
    if response.clicked() && row.joined {
        hub.open_chat(row.room.clone());
    } else if response.clicked() {
        join(hub, row.room, out);
    }
}

fn join(hub: &mut Hub, room: &Jid, out: &mut Vec<Command>) {
    let wish = RoomWish::Join { room: room.bare(), nick: None, password: None };
    out.push(Command::Room(wish));
    hub.open_chat(room.bare());
}
