//! What administrators and servers settled, on the status page: what is not possible the way we are
//! connected, and every setting with the place it comes from.

use egui::{Align, Sense, Ui, vec2};
use offhook_model::{Layer, Setting, Source};

use crate::cx::Cx;
use crate::icons;
use crate::theme::Type;
use crate::widgets::{icon, paint_line, paragraph};

const ROW: f32 = 40.0;

/// What the way in use does not allow.
pub fn restrictions(ui: &mut Ui, cx: &Cx<'_>) {
    for restriction in &cx.snap.session.restrictions {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = 12.0;
            let (rect, _) = ui.allocate_exact_size(vec2(20.0, 20.0), Sense::hover());
            icon(ui, rect.center(), icons::MINUS, 16.0, cx.c.muted);
            paragraph(ui, &restriction.words, Type::Body, cx.c.text);
        });
        ui.add_space(8.0);
    }
}

/// Every setting of every layer, the strongest layer first; those that another layer outranks are
/// marked.
pub fn settings(ui: &mut Ui, cx: &Cx<'_>) {
    let rows = rows(&cx.snap.layers);
    egui::ScrollArea::vertical()
        .id_salt("settings-of-others")
        .max_height(320.0)
        .auto_shrink([false, true])
        .show_rows(ui, ROW, rows.len(), |ui, range| {
            for row in rows.get(range).unwrap_or_default() {
                one(ui, cx, row);
            }
        });
}

struct Row<'a> {
    setting: &'a Setting,
    layer: &'a Layer,
    outranked: bool,
}

fn rows(layers: &[Layer]) -> Vec<Row<'_>> {
    let mut layers: Vec<&Layer> = layers.iter().collect();
    layers.sort_by_key(|layer| std::cmp::Reverse(layer.source));
    let mut rows: Vec<Row<'_>> = vec![];
    for layer in layers {
        for setting in &layer.settings {
            let same = |row: &Row<'_>| {
                row.setting.key.eq_ignore_ascii_case(&setting.key)
                    && row.layer.source != layer.source
            };
            let outranked = rows.iter().any(same);
            rows.push(Row { setting, layer, outranked });
        }
    }
    rows
}

fn one(ui: &mut Ui, cx: &Cx<'_>, row: &Row<'_>) {
    let Row { setting, layer, outranked } = row;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let source = cx.t(source_key(layer.source));
    let place = match setting.line {
        Some(line) => format!("{source} · {}:{line}", layer.origin),
        None => format!("{source} · {}", layer.origin),
    };
    let place = if *outranked { format!("{place} · {}", cx.t("layer-outranked")) } else { place };
    response.widget_info(|| {
        let name = format!("{}: {}. {place}", setting.key, setting.value);
        egui::WidgetInfo::labeled(egui::Role::Label, true, name)
    });
    let ink = if *outranked { cx.c.muted } else { cx.c.text };
    let top = rect.with_max_y(rect.top() + 20.0);
    let name = paint_line(ui, top, &setting.key, Type::Label, ink, Align::Min);
    let value = top.with_min_x(top.left() + name + 12.0);
    paint_line(ui, value, &setting.value, Type::Secondary, ink, Align::Min);
    let below = rect.with_min_y(rect.top() + 19.0).with_max_y(rect.bottom() - 3.0);
    paint_line(ui, below, &place, Type::Small, cx.c.muted, Align::Min);
}

fn source_key(source: Source) -> &'static str {
    match source {
        Source::Default => "layer-default",
        Source::Bootstrap => "layer-bootstrap",
        Source::Url => "layer-url",
        Source::Cloud => "layer-cloud",
        Source::GlobalFile => "layer-global",
        Source::GroupFile => "layer-group",
        Source::ServiceProfile => "layer-profile",
        Source::Manual => "layer-manual",
        Source::User => "layer-user",
    }
}
