//! The scroll bar of the messages.

use egui::{Id, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::list::List;
use crate::cx::Cx;

/// Smallest handle.
const LEAST: f64 = 28.0;

/// Draws it when not everything fits, and follows the pointer.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, list: &mut List, window: Rect) {
    let (above, total) = list.extent();
    let height = f64::from(window.height());
    if total <= height {
        return;
    }
    let track = Rect::from_min_max(pos2(window.right() - 12.0, window.top()), window.max);
    let length = (height * height / total).max(LEAST);
    let room = (height - length).max(1.0);
    let hidden = (total - height).max(1.0);
    let top = (above / hidden).clamp(0.0, 1.0) * room;
    let handle = Rect::from_min_size(
        pos2(track.left() + 4.0, track.top() + top as f32),
        vec2(5.0, length as f32),
    );
    let mut sense = Sense::drag();
    sense -= Sense::FOCUSABLE;
    let response = ui.interact(track, Id::unique("messages-bar"), sense);
    let name = cx.t("messages-bar");
    response.widget_info(|| WidgetInfo::labeled(Role::ScrollBar, true, &name));
    let near = ui.rect_contains_pointer(window);
    let color = match (response.dragged() || response.hovered(), near) {
        (true, _) => cx.c.muted,
        (false, true) => cx.c.line.lerp_to_gamma(cx.c.muted, 0.5),
        (false, false) => cx.c.line,
    };
    ui.painter().rect_filled(handle, 3, color);
    if let Some(pointer) = response.interact_pointer_pos().filter(|_| response.dragged()) {
        let middle = f64::from(pointer.y - track.top()) - length / 2.0;
        let share = (middle / room).clamp(0.0, 1.0);
        list.go_to_distance(share * hidden);
        ui.ctx().request_repaint();
    }
}
