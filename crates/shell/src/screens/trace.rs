//! The decision trace as a table.

use egui::{Align, Color32, Rect, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};
use offhook_model::{Outcome, TraceStep};

use crate::cx::Cx;
use crate::icons;
use crate::theme::{R_ROW, Type};
use crate::widgets::{icon, paint_line};

const ROW: f32 = 48.0;

fn mark(cx: &Cx<'_>, outcome: Outcome) -> (&'static str, Color32, String) {
    match outcome {
        Outcome::Won => (icons::CIRCLE_CHECK, cx.c.ok, cx.t("outcome-won")),
        Outcome::Lost => (icons::MINUS, cx.c.muted, cx.t("outcome-lost")),
        Outcome::Skipped => (icons::ELLIPSIS, cx.c.muted, cx.t("outcome-skipped")),
        Outcome::Failed => (icons::CIRCLE_X, cx.c.busy, cx.t("outcome-failed")),
    }
}

/// One step in one line, while sign-in goes on.
pub fn short(ui: &mut Ui, cx: &Cx<'_>, step: &TraceStep) {
    let (glyph, color, word) = mark(cx, step.outcome);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 24.0), Sense::hover());
    response
        .widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{word}: {}", step.asked)));
    icon(ui, pos2(rect.left() + 8.0, rect.center().y), glyph, 14.0, color);
    let text = rect.with_min_x(rect.left() + 24.0);
    paint_line(ui, text, &step.asked, Type::Secondary, cx.c.muted, Align::Min);
}

/// All steps; scrolls within `height` points and lays out only what is seen.
pub fn table(ui: &mut Ui, cx: &Cx<'_>, steps: &[TraceStep], height: f32) {
    let frame = egui::Frame::new().fill(cx.c.raised).stroke(cx.c.hair()).corner_radius(R_ROW);
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        if steps.is_empty() {
            let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
            let text = cx.t("trace-empty");
            crate::widgets::line(ui, rect, &text, Type::Secondary, cx.c.muted, Align::Center);
            return;
        }
        ScrollArea::vertical()
            .id_salt("trace")
            .max_height(height)
            .auto_shrink([false, true])
            .show_rows(ui, ROW, steps.len(), |ui, range| {
                for at in range {
                    if let Some(step) = steps.get(at) {
                        row(ui, cx, step, at + 1 < steps.len());
                    }
                }
            });
    });
}

fn row(ui: &mut Ui, cx: &Cx<'_>, step: &TraceStep, ruled: bool) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let (glyph, color, word) = mark(cx, step.outcome);
    let time = cx.tw("milliseconds", "ms", &step.ms.to_string());
    let below = below(step);
    response.widget_info(|| {
        let name = format!("{word}: {}, {}. {below} {time}", step.step, step.asked);
        WidgetInfo::labeled(Role::Label, true, name)
    });
    let inner = rect.shrink2(vec2(16.0, 5.0));
    icon(ui, pos2(inner.left() + 8.0, rect.center().y), glyph, 16.0, color);
    let top = Rect::from_min_max(
        inner.min + vec2(28.0, 0.0),
        pos2(inner.right() - 64.0, inner.center().y + 1.0),
    );
    let name_width = paint_line(ui, top, &step.step, Type::Label, cx.c.text, Align::Min);
    let asked = top.with_min_x(top.left() + name_width + 8.0);
    paint_line(ui, asked, &step.asked, Type::Secondary, cx.c.text, Align::Min);
    let bottom = Rect::from_min_max(pos2(top.left(), inner.center().y + 1.0), inner.max);
    paint_line(ui, bottom, &below, Type::Small, cx.c.muted, Align::Min);
    let right = top.with_min_x(top.right()).with_max_x(inner.right());
    paint_line(ui, right, &time, Type::Small, cx.c.muted, Align::Max);
    if ruled {
        ui.painter().hline(inner.left() + 28.0..=inner.right(), rect.bottom(), cx.c.hair());
    }
    let full = format!("{}\n{}\n{}\n{}", step.asked, step.of, step.answer, step.why);
    response.on_hover_text(full);
}

fn below(step: &TraceStep) -> String {
    let parts = [&step.of, &step.answer, &step.why];
    let filled: Vec<&str> =
        parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    filled.join(" · ")
}
