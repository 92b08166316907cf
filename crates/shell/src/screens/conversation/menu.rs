//! What can be done with a message: buttons over its bubble, a menu, and keys.

use egui::{
    Align, CursorIcon, Id, Key, Modifiers, Popup, PopupCloseBehavior, Rect, Role, Sense,
    StrokeKind, Ui, WidgetInfo, pos2, vec2,
};
use offhook_model::{Delivery, FileWish, Message, MessageId, Protection, RoomRole};

use super::Talk;
use super::bubble::Active;
use super::picker;
use super::row::View;
use crate::cx::Cx;
use crate::icons;
use crate::theme::{R_CONTROL, Type};
use crate::widgets::{Kind, Push, focus_ring, icon, paint_line, region};

/// Offered at once.
const QUICK: [&str; 6] = ["👍", "❤", "😂", "😮", "😢", "🎉"];
/// The most emoji of ours under one message (XEP-0444 sets no number; the command's bound).
const MOST: usize = 20;

/// Something that is asked of a message.
#[derive(Clone, Debug)]
pub enum Act {
    /// Answer it.
    Reply(MessageId),
    /// Change it.
    Edit(MessageId),
    /// Take it back.
    Delete(MessageId),
    /// Take somebody else's back, as a moderator.
    Moderate(MessageId),
    /// Send it again.
    Again(MessageId),
    /// Our reactions from now on.
    React(MessageId, Vec<String>),
    /// Its text to the clipboard.
    Copy(String),
    /// Go to it.
    Jump(MessageId),
    /// Something with a file.
    File(FileWish),
    /// Show where a file lies.
    OpenFolder(std::path::PathBuf),
    /// A person's or room's address was pressed.
    Address(String),
}

/// It is ours and can be changed.
pub fn can_edit(message: &Message) -> bool {
    message.own
        && message.more.retracted.is_none()
        && message.more.attachment.is_none()
        && message.more.protection != Protection::Unreadable
        && message.state != Delivery::Failed
}

/// It can be answered and reacted to.
pub fn can_react(message: &Message) -> bool {
    message.more.retracted.is_none()
        && !matches!(message.state, Delivery::Failed | Delivery::Queued)
}

fn can_moderate(view: &View<'_>, message: &Message) -> bool {
    let room = view.room;
    !message.own
        && message.more.retracted.is_none()
        && room.is_some_and(|room| room.role == RoomRole::Moderator && room.traits.moderation)
}

/// Our reactions with this one added or taken away.
pub fn toggled(message: &Message, emoji: &str) -> Act {
    let own = message.more.reactions.iter().filter(|one| one.own);
    let mut own: Vec<String> = own.map(|one| one.emoji.clone()).collect();
    match own.iter().position(|one| one == emoji) {
        Some(at) => drop(own.remove(at)),
        None => own.push(emoji.to_owned()),
    }
    own.truncate(MOST);
    Act::React(message.id.clone(), own)
}

/// The id of a message's menu.
pub fn menu_id(message: &Message) -> Id {
    Id::unique(("message-menu", &message.id.0))
}

/// Shows the actions of the message that pointer or focus is at, and its menu.
pub fn actions(
    ui: &mut Ui,
    cx: &Cx<'_>,
    view: &View<'_>,
    talk: &mut Talk,
    active: Option<Active>,
    acts: &mut Vec<Act>,
) {
    let Some(active) = active else {
        talk.active = None;
        return;
    };
    let Some(message) = view.messages.get(active.at) else { return };
    let menu = menu_id(message);
    if active.response.has_focus() {
        keys(ui, message, acts);
    }
    let by_key = active.response.clicked() && !ui.input(|input| input.pointer.any_click());
    let aside = ui.rect_contains_pointer(active.bubble)
        && ui.input(|input| input.pointer.secondary_clicked());
    if by_key || aside {
        Popup::open_id(ui.ctx(), menu);
    }
    let bar = buttons(ui, cx, message, active.bubble, menu, acts);
    // The pointer may cross the gap between the bubble and its buttons.
    talk.active = Some((message.id.clone(), bar.union(active.bubble).expand(2.0)));
    let popup = Popup::from_response(&active.response)
        .id(menu)
        .open_memory(None)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .accessible_name(cx.t("message-menu"))
        .width(248.0);
    let done = popup.show(|ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        ui.set_width(248.0);
        content(ui, cx, view, message, acts)
    });
    if done.is_some_and(|done| done.inner) {
        Popup::close_id(ui.ctx(), menu);
    }
}

/// While a bubble has the focus: R answers, E changes, Delete takes back, C copies.
fn keys(ui: &Ui, message: &Message, acts: &mut Vec<Act>) {
    let pressed = |key: Key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    if can_react(message) && pressed(Key::R) {
        acts.push(Act::Reply(message.id.clone()));
    }
    if can_edit(message) && pressed(Key::E) {
        acts.push(Act::Edit(message.id.clone()));
    }
    if can_edit(message) && pressed(Key::Delete) {
        acts.push(Act::Delete(message.id.clone()));
    }
    if pressed(Key::C) {
        acts.push(Act::Copy(message.body.clone()));
    }
}

/// The row of buttons above the bubble; gives its place.
fn buttons(
    ui: &mut Ui,
    cx: &Cx<'_>,
    message: &Message,
    bubble: Rect,
    menu: Id,
    acts: &mut Vec<Act>,
) -> Rect {
    let mut kinds = Vec::new();
    if can_react(message) {
        kinds.push((icons::SMILE_PLUS, "message-react"));
        kinds.push((icons::REPLY, "message-reply"));
    }
    if can_edit(message) {
        kinds.push((icons::PENCIL, "message-edit"));
    }
    kinds.push((icons::ELLIPSIS, "message-more"));
    let window = ui.max_rect();
    let width = 30.0 * kinds.len() as f32 + 4.0;
    let left = if message.own { bubble.left() - width + 12.0 } else { bubble.right() - 12.0 };
    let left = left.clamp(window.left() + 4.0, (window.right() - width - 4.0).max(window.left()));
    let top = (bubble.top() - 18.0).max(window.top() + 2.0);
    let bar = Rect::from_min_size(pos2(left, top), vec2(width, 34.0));
    ui.painter().add(cx.c.lift().as_shape(bar, R_CONTROL));
    ui.painter().rect(bar, R_CONTROL, cx.c.raised, cx.c.hair(), StrokeKind::Inside);
    region(ui, ("actions", &message.id.0), bar, |ui| {
        for (at, (glyph, word)) in kinds.iter().enumerate() {
            let place =
                Rect::from_min_size(bar.min + vec2(2.0 + 30.0 * at as f32, 2.0), vec2(30.0, 30.0));
            let name = cx.t(word);
            let push = Push::new(&name).glyph(glyph).icon_only().height(30.0).kind(Kind::Ghost);
            if push.at(ui, cx.c, place).clicked() {
                match *word {
                    "message-reply" => acts.push(Act::Reply(message.id.clone())),
                    "message-edit" => acts.push(Act::Edit(message.id.clone())),
                    _ => Popup::toggle_id(ui.ctx(), menu),
                }
            }
        }
    });
    bar
}

/// True when something was chosen.
fn content(
    ui: &mut Ui,
    cx: &Cx<'_>,
    view: &View<'_>,
    message: &Message,
    acts: &mut Vec<Act>,
) -> bool {
    let before = acts.len();
    if can_react(message) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            for emoji in QUICK {
                if picker::cell(ui, cx, emoji, &picker::name(cx, emoji), 38.0) {
                    acts.push(toggled(message, emoji));
                }
            }
        });
        ui.add_space(6.0);
        if let Some(emoji) = picker::grid(ui, cx, Id::unique("react-picker"), 4) {
            acts.push(toggled(message, &emoji));
        }
        ui.add_space(6.0);
        if item(ui, cx, icons::REPLY, &cx.t("message-reply")) {
            acts.push(Act::Reply(message.id.clone()));
        }
    }
    if can_edit(message) && item(ui, cx, icons::PENCIL, &cx.t("message-edit")) {
        acts.push(Act::Edit(message.id.clone()));
    }
    if message.state == Delivery::Failed && item(ui, cx, icons::REDO, &cx.t("message-again")) {
        acts.push(Act::Again(message.id.clone()));
    }
    if message.more.retracted.is_none() && item(ui, cx, icons::COPY, &cx.t("message-copy")) {
        acts.push(Act::Copy(message.body.clone()));
    }
    let own = message.own && message.more.retracted.is_none();
    if own && item(ui, cx, icons::TRASH, &cx.t("message-delete")) {
        acts.push(Act::Delete(message.id.clone()));
    }
    if can_moderate(view, message) && item(ui, cx, icons::TRASH, &cx.t("message-moderate")) {
        acts.push(Act::Moderate(message.id.clone()));
    }
    acts.len() > before
}

/// A line of a menu.
pub fn item(ui: &mut Ui, cx: &Cx<'_>, glyph: &str, text: &str) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 34.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::MenuItem, true, text));
    let fill = if response.hovered() { cx.c.their_bubble } else { cx.c.raised };
    ui.painter().rect_filled(rect, R_CONTROL, fill);
    focus_ring(ui, cx.c, rect.shrink(1.0), R_CONTROL, &response);
    icon(ui, pos2(rect.left() + 20.0, rect.center().y), glyph, 16.0, cx.c.muted);
    let place = rect.with_min_x(rect.left() + 38.0);
    paint_line(ui, place, text, Type::Body, cx.c.text, Align::Min);
    let clicked = response.on_hover_cursor(CursorIcon::PointingHand).clicked();
    if clicked {
        // A menu sees clicks of the pointer only, not those of keys and assistive technology.
        ui.close();
    }
    clicked
}
