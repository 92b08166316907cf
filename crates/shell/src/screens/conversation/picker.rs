//! Emoji to choose from: a box to search in and a grid of buttons.

use egui::{Align2, CursorIcon, Id, Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};
use offhook_text::{Language, emoji, search};

use crate::cx::Cx;
use crate::icons;
use crate::theme::{R_CONTROL, Type, regular};
use crate::widgets::{Field, focus_ring, paragraph};

/// Side of one cell.
const CELL: f32 = 34.0;

/// What an emoji is called in the window's language.
pub fn name(cx: &Cx<'_>, text: &str) -> String {
    let language = if cx.t("emoji-words") == "de" { Language::German } else { Language::English };
    let found = emoji().iter().find(|one| one.text == text);
    found.map_or_else(|| text.to_owned(), |one| one.words(language).to_owned())
}

/// A button with an emoji on it.
pub fn cell(ui: &mut Ui, cx: &Cx<'_>, text: &str, name: &str, side: f32) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, R_CONTROL, cx.c.their_bubble);
    }
    focus_ring(ui, cx.c, rect.shrink(1.0), R_CONTROL, &response);
    let font = regular((side * 0.56).round());
    ui.painter().text(rect.center(), Align2::CENTER_CENTER, text, font, cx.c.text);
    response.on_hover_cursor(CursorIcon::PointingHand).on_hover_text(name).clicked()
}

/// The search box and a grid of this many rows; gives what was chosen.
pub fn grid(ui: &mut Ui, cx: &Cx<'_>, id: Id, rows: usize) -> Option<String> {
    let mut query: String = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    let hint = cx.t("emoji-search");
    let field = Field::new(id.with("query"), &hint).hint(&hint).glyph(icons::SEARCH);
    let response = field.show(ui, cx.c, &mut query);
    let enter = super::super::entry::entered(ui, &response);
    ui.add_space(6.0);
    let found = search(&query);
    let mut chosen = None;
    if enter && !query.is_empty() {
        chosen = found.first().map(|one| one.text.to_owned());
    }
    let columns = ((ui.available_width() / CELL).floor() as usize).max(1);
    let lines = found.len().div_ceil(columns);
    if found.is_empty() {
        paragraph(ui, &cx.t("emoji-none"), Type::Secondary, cx.c.muted);
    }
    let area = ScrollArea::vertical()
        .id_salt(id)
        .auto_shrink([false, true])
        .max_height(rows as f32 * CELL);
    area.show_rows(ui, CELL, lines, |ui, range| {
        for row in range {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 0.0;
                for one in found.iter().skip(row * columns).take(columns) {
                    if cell(ui, cx, one.text, &name(cx, one.text), CELL) {
                        chosen = Some(one.text.to_owned());
                    }
                }
            });
        }
    });
    let kept = if chosen.is_some() { String::new() } else { query };
    ui.data_mut(|data| data.insert_temp(id, kept));
    chosen
}
