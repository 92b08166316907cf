//! Rows of lists, and regions of the window.

use egui::{
    Align, AsIdSalt, Color32, CursorIcon, Id, Layout, Rect, Response, Role, Sense, Ui, UiBuilder,
    Vec2, WidgetInfo, vec2,
};

use super::focus_ring;
use crate::theme::{R_ROW, Tokens};

/// A part of the window with its own layout, clipped to its place.
pub fn region<R>(
    ui: &mut Ui,
    salt: impl AsIdSalt,
    rect: Rect,
    add: impl FnOnce(&mut Ui) -> R,
) -> R {
    let builder =
        UiBuilder::new().id_salt(salt).max_rect(rect).layout(Layout::top_down(Align::Min));
    let mut child = ui.new_child(builder);
    child.shrink_clip_rect(rect);
    child.spacing_mut().item_spacing = Vec2::ZERO;
    add(&mut child)
}

/// A row over the whole width; `name` is all that assistive technology hears of it.
pub fn row(
    ui: &mut Ui,
    c: &Tokens,
    height: f32,
    id: Id,
    name: &str,
    selected: bool,
) -> (Rect, Response) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let response = ui.interact(rect, id, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, selected, name));
    let fill = match (selected, response.hovered()) {
        (true, _) => c.accent_soft,
        (false, true) => c.ground,
        (false, false) => Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, R_ROW, fill);
    focus_ring(ui, c, rect.shrink(2.0), R_ROW, &response);
    (rect, response.on_hover_cursor(CursorIcon::PointingHand))
}
