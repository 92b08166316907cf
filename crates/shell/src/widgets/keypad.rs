//! The twelve keys.

use egui::{Align, CursorIcon, Rect, Role, Sense, StrokeKind, Ui, WidgetInfo, vec2};

use super::{focus_ring, paint_line};
use crate::theme::{R_ROW, Tokens, Type};

/// Keys with the letters below them (ITU-T E.161).
pub const KEYS: [(char, &str); 12] = [
    ('1', ""),
    ('2', "ABC"),
    ('3', "DEF"),
    ('4', "GHI"),
    ('5', "JKL"),
    ('6', "MNO"),
    ('7', "PQRS"),
    ('8', "TUV"),
    ('9', "WXYZ"),
    ('*', ""),
    ('0', "+"),
    ('#', ""),
];

/// Three columns of keys; gives the one pressed. `name` makes a key's spoken name.
pub fn keypad(ui: &mut Ui, c: &Tokens, name: impl Fn(char) -> String) -> Option<char> {
    let (size, gap) = (vec2(72.0, 52.0), 8.0);
    let whole = vec2(size.x * 3.0 + gap * 2.0, size.y * 4.0 + gap * 3.0);
    let (area, _) = ui.allocate_exact_size(whole, Sense::hover());
    let mut pressed = None;
    for (at, (key, letters)) in KEYS.iter().enumerate() {
        let (column, row) = (at % 3, at / 3);
        let corner = area.min + vec2(column as f32 * (size.x + gap), row as f32 * (size.y + gap));
        let rect = Rect::from_min_size(corner, size);
        let response = ui.interact(rect, ui.scope_id().with(("key", *key)), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name(*key)));
        let fill = if response.hovered() { c.hover(c.raised) } else { c.raised };
        ui.painter().rect(rect, R_ROW, fill, c.hair(), StrokeKind::Inside);
        focus_ring(ui, c, rect, R_ROW, &response);
        let lift = if letters.is_empty() { 0.0 } else { 7.0 };
        let digit = rect.translate(vec2(0.0, -lift));
        let mut text = [0; 4];
        paint_line(ui, digit, key.encode_utf8(&mut text), Type::Heading, c.text, Align::Center);
        paint_line(
            ui,
            rect.translate(vec2(0.0, 13.0)),
            letters,
            Type::Badge,
            c.muted,
            Align::Center,
        );
        if response.on_hover_cursor(CursorIcon::PointingHand).clicked() {
            pressed = Some(*key);
        }
    }
    pressed
}
