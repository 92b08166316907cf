//! What is wrong at present, until it is dismissed.

use egui::{Align2, Area, Frame, Id, Margin, Order, Ui, vec2};
use offhook_model::{Command, Toast};

use super::failure::owner;
use crate::cx::Cx;
use crate::icons;
use crate::theme::{R_ROW, Type};
use crate::widgets::{Kind, Push, icon, paragraph, show_live};

/// At most this many at once; the newest matter.
const MOST: usize = 3;

/// Draws them at the upper right.
pub fn show(ui: &Ui, cx: &Cx<'_>, out: &mut Vec<Command>) {
    let toasts = &cx.snap.toasts;
    if toasts.is_empty() {
        return;
    }
    let width = 380.0_f32.min(ui.max_rect().width() - 24.0);
    let skip = toasts.len().saturating_sub(MOST);
    Area::new(Id::unique("toasts"))
        .order(Order::Foreground)
        .anchor(Align2::RIGHT_TOP, vec2(-16.0, 80.0))
        .accessible_name(cx.t("toasts"))
        .show(ui.ctx(), |ui| {
            ui.spacing_mut().item_spacing = vec2(0.0, 8.0);
            ui.set_width(width);
            for toast in toasts.iter().skip(skip) {
                one(ui, cx, toast, out);
            }
        });
}

fn one(ui: &mut Ui, cx: &Cx<'_>, toast: &Toast, out: &mut Vec<Command>) {
    let problem = &toast.problem;
    let frame = Frame::new()
        .fill(cx.c.raised)
        .stroke(cx.c.hair())
        .corner_radius(R_ROW)
        .shadow(cx.c.float())
        .inner_margin(Margin { left: 16, right: 8, top: 12, bottom: 14 });
    frame.show(ui, |ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        ui.set_width(ui.available_width());
        ui.horizontal_top(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(20.0, 24.0), egui::Sense::hover());
            icon(ui, rect.center(), icons::TRIANGLE_ALERT, 18.0, cx.c.busy);
            ui.add_space(12.0);
            let text = ui.available_width() - 32.0;
            ui.vertical(|ui| {
                ui.set_width(text);
                ui.add_space(2.0);
                let response = paragraph(ui, &cx.texts.cause(problem), Type::Name, cx.c.text);
                show_live(&response, true);
                ui.add_space(4.0);
                paragraph(ui, &owner(cx, problem), Type::Label, cx.c.muted);
                paragraph(ui, &cx.texts.remedy(problem), Type::Secondary, cx.c.text);
            });
            let name = cx.t("dismiss");
            let push = Push::new(&name).glyph(icons::X).icon_only();
            if push.kind(Kind::Ghost).height(28.0).show(ui, cx.c).clicked() {
                out.push(Command::Dismiss(toast.id));
            }
        });
    });
}
