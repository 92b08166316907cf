//! Calls that ring here: a card at the corner, in the window and, while the window is not in
//! front, in a small window of its own that stays on top and does not take the keyboard.

use egui::{
    Align, Align2, Area, Frame, Id, Order, Rect, Ui, ViewportBuilder, ViewportId, pos2, vec2,
};
use offhook_model::{Call, CallState, Command};

use super::hub::{Hub, current};
use crate::cx::Cx;
use crate::icons;
use crate::theme::{R_CARD, Type};
use crate::widgets::{Kind, Push, avatar, icon, line, presence_mark, region, show_live};

const SIZE: egui::Vec2 = vec2(424.0, 128.0);
/// Room for the menu of a card: two lines, its frame, and the gap.
const MENU: f32 = 92.0;

/// Calls that ring here.
pub fn ringing<'a>(cx: &Cx<'a>) -> impl Iterator<Item = &'a Call> + use<'a> {
    let calls = cx.snap.calls.iter();
    calls.filter(|call| call.state == CallState::Incoming)
}

/// Answers; a call that goes on is put on hold first.
pub fn answer(cx: &Cx<'_>, call: &Call, out: &mut Vec<Command>) {
    if let Some(going) = current(cx)
        && going.state != CallState::Held
    {
        out.push(Command::Hold(going.id));
    }
    out.push(Command::Answer(call.id));
}

/// Draws a card for each.
pub fn show(ui: &Ui, cx: &Cx<'_>, hub: &mut Hub, own_window: bool, out: &mut Vec<Command>) {
    let ctx = ui.ctx();
    let away = ctx.input(|input| {
        let viewport = input.viewport();
        viewport.focused == Some(false) || viewport.minimized == Some(true)
    });
    if own_window && away && !ctx.embed_viewports() && ringing(cx).next().is_some() {
        outside(ctx, cx, hub, out);
    }
    let window = ui.max_rect();
    let size = vec2(SIZE.x.min(window.width() - 24.0), SIZE.y);
    let inset = if cx.narrow { 12.0 } else { 20.0 };
    for (at, call) in ringing(cx).take(3).enumerate() {
        let lift = at as f32 * (SIZE.y + 12.0);
        let shown = Area::new(Id::unique(("incoming", call.id)))
            .order(Order::Foreground)
            .anchor(Align2::RIGHT_BOTTOM, vec2(-inset, -inset - lift))
            .accessible_name(cx.t("call-incoming"))
            .role(egui::Role::AlertDialog)
            .show(ctx, |ui| {
                let (rect, _) = ui.allocate_exact_size(size, egui::Sense::click());
                let frame = Frame::new()
                    .fill(cx.c.raised)
                    .stroke(cx.c.hair())
                    .corner_radius(R_CARD)
                    .shadow(cx.c.float());
                ui.painter().add(frame.paint(rect));
                card(ui, cx, hub, call, rect, out);
            });
        let _ = shown;
    }
}

/// The small window at the corner of the screen.
fn outside(ctx: &egui::Context, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let monitor = ctx.input(|input| input.viewport().monitor_size);
    let count = ringing(cx).take(3).count() as f32;
    // The menu of a card opens above it, and nothing is seen outside of a window.
    let room = if hub.call_menu { MENU } else { 0.0 };
    let size = vec2(SIZE.x, SIZE.y * count + room);
    let mut builder = ViewportBuilder::default()
        .with_title(cx.t("call-incoming"))
        .with_inner_size(size)
        .with_resizable(false)
        .with_decorations(false)
        .with_always_on_top()
        .with_taskbar(false)
        .with_active(false)
        .with_window_type(egui::X11WindowType::Notification);
    if let Some(monitor) = monitor {
        let corner = monitor - size - vec2(24.0, 64.0);
        builder = builder.with_position(corner.to_pos2());
    }
    let id = ViewportId::from_hash_of("incoming-window");
    let open = ctx.show_viewport_immediate(id, builder, |ui, _| {
        let rect = ui.max_rect();
        ui.painter().rect_filled(rect, 0, cx.c.raised);
        let mut open = false;
        for (at, call) in ringing(cx).take(3).enumerate() {
            let top = pos2(rect.left(), rect.bottom() - (count - at as f32) * SIZE.y);
            open |= card(ui, cx, hub, call, Rect::from_min_size(top, SIZE), out);
        }
        open
    });
    if std::mem::replace(&mut hub.call_menu, open) != open {
        ctx.request_repaint();
    }
}

/// True while its menu is open.
fn card(
    ui: &mut Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    call: &Call,
    rect: Rect,
    out: &mut Vec<Command>,
) -> bool {
    region(ui, call.id, rect, |ui| {
        caller(ui, cx, call, rect.shrink(16.0));
        actions(ui, cx, hub, call, rect, out)
    })
}

fn caller(ui: &mut Ui, cx: &Cx<'_>, call: &Call, inner: Rect) {
    let name = cx.name_of_call(call);
    let person = cx.people.by_remote(&call.remote);
    let key = person.map_or(call.remote.as_str(), |one| one.contact.bare_str());
    let center = inner.min + vec2(20.0, 20.0);
    avatar(ui, center, 20.0, &name, key);
    if let Some(person) = person {
        let mark = center + vec2(14.0, 14.0);
        presence_mark(ui, cx.c, mark, 6.0, person.presence.availability, cx.c.raised);
    }
    let top = Rect::from_min_max(
        inner.min + vec2(52.0, 1.0),
        pos2(inner.right() - 32.0, inner.top() + 21.0),
    );
    let response = line(ui, top, &name, Type::Name, cx.c.text, Align::Min);
    show_live(&response, true);
    let below = if name == call.remote {
        cx.t("call-incoming")
    } else {
        format!("{} · {}", cx.t("call-incoming"), call.remote)
    };
    let below = match &call.diverted_by {
        Some(by) => cx.tw("diverted-by", "name", by),
        None => below,
    };
    let bottom = top.translate(vec2(0.0, 19.0));
    line(ui, bottom, &below, Type::Secondary, cx.c.muted, Align::Min);
    let at = pos2(inner.right() - 10.0, inner.top() + 20.0);
    icon(ui, at, icons::PHONE_INCOMING, 18.0, cx.c.ok);
}

fn actions(
    ui: &mut Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    call: &Call,
    card: Rect,
    out: &mut Vec<Command>,
) -> bool {
    let inner = card.shrink(16.0);
    let person = cx.people.by_remote(&call.remote).cloned();
    let going = current(cx).map(|going| going.id);
    let more = call.can.divert || going.is_some();
    let chat_width = if person.is_some() { 52.0 } else { 0.0 } + if more { 52.0 } else { 0.0 };
    let busy = current(cx).is_some_and(|going| going.state != CallState::Held);
    // "Hold and answer" is the longest label in every language.
    let share = if busy { 0.6 } else { 0.5 };
    let width = ((inner.width() - chat_width - 8.0) * share).round();
    let first = Rect::from_min_size(pos2(inner.left(), inner.bottom() - 40.0), vec2(width, 40.0));
    let label = cx.t(if busy { "answer-hold" } else { "answer" });
    let hint = cx.tw("hint-key", "key", &cx.keys("Ctrl+L"));
    let push = Push::new(&label).glyph(icons::PHONE).kind(Kind::Ok);
    if push.hint(&hint).at(ui, cx.c, first).clicked() {
        answer(cx, call, out);
    }
    let second = Rect::from_min_max(
        first.right_top() + vec2(8.0, 0.0),
        pos2(inner.right() - chat_width, first.bottom()),
    );
    let label = cx.t("decline");
    let hint = cx.tw("hint-key", "key", &cx.keys("Ctrl+D"));
    let push = Push::new(&label).glyph(icons::PHONE_OFF).kind(Kind::Danger);
    if push.hint(&hint).at(ui, cx.c, second).clicked() {
        out.push(Command::Decline(call.id));
    }
    let third = Rect::from_min_size(pos2(inner.right() - 44.0, first.top()), vec2(44.0, 40.0));
    let mut open = false;
    if more {
        let place = if person.is_some() { third.translate(vec2(-52.0, 0.0)) } else { third };
        let label = cx.t("call-more");
        let push = Push::new(&label).glyph(icons::ELLIPSIS).icon_only().height(40.0);
        let response = push.at(ui, cx.c, place);
        open = super::call_more::open_incoming(cx, call, going, &response, card, out);
    }
    let Some(person) = person else { return open };
    let label = cx.t("answer-chat");
    let push = Push::new(&label).glyph(icons::MESSAGE_SQUARE).icon_only();
    if push.kind(Kind::Soft).height(40.0).at(ui, cx.c, third).clicked() {
        out.push(Command::Decline(call.id));
        hub.section = super::hub::Section::Chats;
        hub.open_chat(person.contact.clone());
    }
    open
}
