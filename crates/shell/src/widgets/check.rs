//! Switches with two states: a box to tick, and one of several choices.

use egui::{
    Align, CursorIcon, Pos2, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use super::{focus_ring, galley, paint_line};
use crate::theme::{R_CONTROL, Tokens, Type};

const HEIGHT: f32 = 32.0;

/// A box to tick. Flips `on` when it is pressed; true when it was.
pub fn check(ui: &mut Ui, c: &Tokens, on: &mut bool, label: &str) -> Response {
    let (response, center) = body(ui, c, [label, label], Role::CheckBox, *on);
    let rect = egui::Rect::from_center_size(center, vec2(18.0, 18.0));
    let (fill, edge) = if *on { (c.accent, c.accent) } else { (c.raised, c.muted) };
    ui.painter().rect(rect, 5, fill, Stroke::new(1.25, edge), StrokeKind::Inside);
    if *on {
        let at = |x: f32, y: f32| center + vec2(x, y);
        let tick = vec![at(-4.0, 0.2), at(-1.2, 3.0), at(4.2, -3.2)];
        ui.painter().line(tick, Stroke::new(1.8, c.on_accent));
    }
    if response.clicked() {
        *on = !*on;
    }
    response
}

/// One of several choices.
pub fn option(ui: &mut Ui, c: &Tokens, on: bool, label: &str) -> Response {
    option_of(ui, c, on, label, label)
}

/// One of several choices where another group beside it has the same: it is called `name` by who
/// does not see which group it is in.
pub fn option_of(ui: &mut Ui, c: &Tokens, on: bool, label: &str, name: &str) -> Response {
    let (response, center) = body(ui, c, [label, name], Role::RadioButton, on);
    let edge = if on { c.accent } else { c.muted };
    ui.painter().circle(center, 9.0, c.raised, Stroke::new(1.25, edge));
    if on {
        ui.painter().circle_filled(center, 4.5, c.accent);
    }
    response
}

/// The row with its label, which is also called something; the mark goes where the point is.
fn body(
    ui: &mut Ui,
    c: &Tokens,
    [label, name]: [&str; 2],
    role: Role,
    on: bool,
) -> (Response, Pos2) {
    let width = galley(ui, label, Type::Body, c.text, f32::INFINITY, 1).size().x + 34.0;
    let size = vec2(width.min(ui.available_width()), HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::selected(role, ui.is_enabled(), on, name));
    focus_ring(ui, c, rect.shrink2(vec2(0.0, 3.0)), R_CONTROL, &response);
    paint_line(ui, rect.with_min_x(rect.left() + 28.0), label, Type::Body, c.text, Align::Min);
    let center = pos2(rect.left() + 10.0, rect.center().y);
    (response.on_hover_cursor(CursorIcon::PointingHand), center)
}
