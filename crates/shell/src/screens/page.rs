//! What full pages have in common.

use egui::{Align, Rect, ScrollArea, Ui, pos2, vec2};

use super::hub::{Hub, rule};
use crate::cx::Cx;
use crate::icons;
use crate::theme::Type;
use crate::widgets::{Kind, Push, line, region};

/// A header with a title and a way to close, and a scrolled column below.
pub fn show(
    ui: &mut Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    title: &str,
    add: impl FnOnce(&mut Ui, &mut Hub),
) {
    let rect = ui.max_rect();
    ui.painter().rect_filled(rect, 0, cx.c.ground);
    let head = rect.with_max_y(rect.top() + 68.0);
    ui.painter().rect_filled(head, 0, cx.c.panel);
    rule(ui, cx, head);
    let inset = if cx.narrow { 16.0 } else { 32.0 };
    let text = head.shrink2(vec2(inset, 0.0));
    line(ui, text, title, Type::Title, cx.c.text, Align::Min);
    let at = Rect::from_center_size(
        pos2(head.right() - inset - 10.0, head.center().y),
        vec2(36.0, 36.0),
    );
    let close = cx.t("close");
    let push = Push::new(&close).glyph(icons::X).icon_only();
    if push.kind(Kind::Ghost).at(ui, cx.c, at).clicked() {
        hub.page = None;
    }
    let body = rect.with_min_y(head.bottom());
    region(ui, "page", body, |ui| {
        ScrollArea::vertical().id_salt(title).auto_shrink(false).show(ui, |ui| {
            let width = (body.width() - 2.0 * inset).min(760.0);
            let corner = pos2(body.left() + inset, ui.cursor().top() + 20.0);
            let place = Rect::from_min_size(corner, vec2(width, f32::INFINITY));
            let builder = egui::UiBuilder::new().max_rect(place);
            ui.scope_builder(builder, |ui| {
                ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
                ui.set_width(width);
                add(ui, hub);
                ui.add_space(32.0);
            });
        });
    });
}

/// A heading and a card.
pub fn section(ui: &mut Ui, cx: &Cx<'_>, title: &str, add: impl FnOnce(&mut Ui)) {
    crate::widgets::paragraph(ui, title, Type::Name, cx.c.text);
    ui.add_space(8.0);
    let frame = egui::Frame::new()
        .fill(cx.c.panel)
        .stroke(cx.c.hair())
        .corner_radius(crate::theme::R_ROW)
        .inner_margin(egui::Margin::symmetric(16, 12));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        add(ui);
    });
    ui.add_space(24.0);
}

/// The way back in a narrow window.
pub fn back(ui: &mut Ui, cx: &Cx<'_>, rect: Rect, go: impl FnOnce()) {
    let at = Rect::from_min_size(rect.min + vec2(12.0, 16.0), vec2(36.0, 36.0));
    let name = cx.t("back");
    let push = Push::new(&name).glyph(icons::ARROW_LEFT).icon_only();
    if push.kind(Kind::Ghost).at(ui, cx.c, at).clicked() {
        go();
    }
}
