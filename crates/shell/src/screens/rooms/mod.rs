//! Group chats: making one, looking for one, who is in, and being asked into one.

mod browse;
mod invitations;
mod making;
mod panel;

pub use browse::{Browsing, show as browse};
pub use invitations::cards;
pub use making::{Making, show as make};
pub use panel::{Panel, WIDTH as PANEL, show as panel};

use std::sync::Arc;

use egui::{Rect, Ui, pos2, vec2};
use offhook_model::{Jid, Room};

use super::hub::{Hub, Page};
use crate::cx::Cx;
use crate::icons;
use crate::widgets::{Kind, Push};

/// The room behind a conversation.
pub fn room<'a>(cx: &Cx<'a>, with: &Jid) -> Option<&'a Arc<Room>> {
    cx.snap.rooms.get(with)
}

/// Buttons at the right end of the heading of conversations: a new group chat, and rooms to enter.
pub fn heading_buttons(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, heading: Rect) {
    let place = |n: f32| {
        let center = pos2(heading.right() - 20.0 - 34.0 * n, heading.center().y);
        Rect::from_center_size(center, vec2(32.0, 32.0))
    };
    let ghost = |label: &str, glyph: &str, ui: &mut Ui, rect: Rect| {
        let push = Push::new(label).glyph(glyph).icon_only().kind(Kind::Ghost).height(32.0);
        push.at(ui, cx.c, rect).clicked()
    };
    if ghost(&cx.t("room-find"), icons::HASH, ui, place(1.0)) {
        hub.page = Some(Page::Rooms);
    }
    if ghost(&cx.t("room-new"), icons::PLUS, ui, place(0.0)) {
        hub.making = Some(Making::default());
    }
}

/// The button in the head of a room's conversation that opens who is in.
pub fn panel_button(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, with: &Jid, rect: Rect) {
    let Some(room) = room(cx, with) else { return };
    let label = cx.tc("room-people", room.occupants.len());
    let open = hub.panel.is_some();
    let push = Push::new(&label).glyph(icons::USERS).icon_only().kind(Kind::Ghost).on(open);
    if push.at(ui, cx.c, rect).clicked() {
        hub.panel = if open { None } else { Some(Panel::default()) };
    }
}
