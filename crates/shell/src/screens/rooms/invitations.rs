//! Somebody asks us into a room.

use egui::{Align, Rect, Sense, StrokeKind, Ui, pos2, vec2};
use offhook_model::{Command, Invitation, RoomWish};

use crate::cx::Cx;
use crate::icons;
use crate::theme::{R_ROW, Type};
use crate::widgets::{Kind, Push, icon, line, show_live};

/// How many cards stand above the list at once.
const CARDS: usize = 3;

/// One card for each, above the list of conversations.
pub fn cards(ui: &mut Ui, cx: &Cx<'_>, out: &mut Vec<Command>) {
    for invitation in cx.snap.invitations.iter().take(CARDS) {
        card(ui, cx, invitation, out);
    }
}

fn card(ui: &mut Ui, cx: &Cx<'_>, invitation: &Invitation, out: &mut Vec<Command>) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 108.0), Sense::hover());
    let card = rect.shrink2(vec2(4.0, 4.0));
    ui.painter().rect(card, R_ROW, cx.c.raised, cx.c.hair(), StrokeKind::Inside);
    icon(ui, card.min + vec2(30.0, 30.0), icons::USERS, 22.0, cx.c.accent);
    let top = Rect::from_min_max(
        pos2(card.left() + 60.0, card.top() + 10.0),
        pos2(card.right() - 12.0, card.top() + 30.0),
    );
    let name = invitation.reason.clone().filter(|reason| !reason.trim().is_empty());
    let local = || invitation.room.local().unwrap_or(invitation.room.bare_str()).to_owned();
    line(ui, top, &name.unwrap_or_else(local), Type::Name, cx.c.text, Align::Min);
    let text = match &invitation.from {
        Some(from) => cx.tw("room-invited-by", "who", &cx.name_of(from)),
        None => cx.t("room-invited"),
    };
    let below = top.translate(vec2(0.0, 19.0));
    let said = line(ui, below, &text, Type::Secondary, cx.c.muted, Align::Min);
    show_live(&said, false);
    let width = (card.width() - 24.0 - 8.0) / 2.0;
    let left =
        Rect::from_min_size(pos2(card.left() + 12.0, card.bottom() - 44.0), vec2(width, 32.0));
    let right = left.translate(vec2(width + 8.0, 0.0));
    let mut answer = |accept| {
        let room = invitation.room.clone();
        out.push(Command::Room(RoomWish::Answer { room, accept }));
    };
    let join = cx.t("room-join");
    if Push::new(&join).kind(Kind::Primary).height(32.0).at(ui, cx.c, left).clicked() {
        answer(true);
    }
    let refuse = cx.t("request-refuse");
    if Push::new(&refuse).height(32.0).at(ui, cx.c, right).clicked() {
        answer(false);
    }
}
