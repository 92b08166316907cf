//! What stands below the results: how far the search is, and who could not be asked.

use egui::{Align, Id, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use offhook_model::{PeopleSearch, Problem, SearchStage};

use crate::cx::Cx;
use crate::icons;
use crate::screens::failure::owner;
use crate::theme::{R_ROW, Type};
use crate::widgets::{focus_ring, galley, icon, line, paragraph, show_live};

const LINE: f32 = 32.0;
/// Where the text of a line begins, and how far from the right it ends.
const LEFT: f32 = 36.0;
const RIGHT: f32 = 34.0;

/// What is open there, and how high it is.
#[derive(Default)]
pub struct Below {
    open: Option<usize>,
    height: f32,
}

impl Below {
    /// Room to keep for it, in points.
    pub fn height(&self) -> f32 {
        self.height.max(LINE)
    }
}

/// Draws it. The line that says how far the search is keeps its place while it is empty, so that
/// nothing moves when the search ends.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, below: &mut Below, shown: &PeopleSearch) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), LINE), Sense::hover());
    let stage = match shown.stage {
        SearchStage::Asking => Some("search-asking"),
        SearchStage::Local | SearchStage::Done if shown.more => Some("search-more"),
        SearchStage::Local | SearchStage::Done => shown.more_groups.then_some("search-more-groups"),
    };
    if let Some(key) = stage {
        let text = rect.shrink2(vec2(12.0, 0.0));
        let said = line(ui, text, &cx.t(key), Type::Secondary, cx.c.muted, Align::Min);
        show_live(&said, false);
    }
    if shown.problems.get(below.open.unwrap_or_default()).is_none() {
        below.open = None;
    }
    let most = (ui.max_rect().height() * 0.5).max(2.0 * LINE);
    let area = egui::ScrollArea::vertical()
        .id_salt("search-problems")
        .max_height(most)
        .auto_shrink([false, true])
        .show(ui, |ui| {
            for (at, problem) in shown.problems.iter().enumerate() {
                let open = below.open == Some(at);
                if one(ui, cx, at, problem, open) {
                    below.open = if open { None } else { Some(at) };
                }
            }
        });
    // As much as is to be read, not as much as there was room for: the rows above make room.
    let height = LINE + area.content_size.y.min(most);
    if (height - below.height).abs() > 0.5 {
        below.height = height;
        ui.ctx().request_repaint();
    }
}

/// One line, or all of it; true when it was pressed.
fn one(ui: &mut Ui, cx: &Cx<'_>, at: usize, problem: &Problem, open: bool) -> bool {
    let (cause, remedy) = (cx.texts.cause(problem), cx.texts.remedy(problem));
    let whole = format!("{cause} {remedy}");
    let width = ui.available_width();
    let (text, rows) = if open { (&cause, usize::MAX) } else { (&whole, 1) };
    let text = galley(ui, text, Type::Secondary, cx.c.text, width - LEFT - RIGHT, rows);
    let (rect, _) =
        ui.allocate_exact_size(vec2(width, LINE.max(text.size().y + 14.0)), Sense::hover());
    let id = Id::unique(("search-problem", at));
    let response = ui.interact(rect, id, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &whole));
    ui.ctx().accesskit_node_builder(id, |node| node.set_expanded(open));
    if response.hovered() {
        ui.painter().rect_filled(rect, R_ROW, cx.c.ground);
    }
    focus_ring(ui, cx.c, rect.shrink(2.0), R_ROW, &response);
    let first = rect.top() + LINE / 2.0;
    icon(ui, pos2(rect.left() + 20.0, first), icons::TRIANGLE_ALERT, 15.0, cx.c.away);
    let glyph = if open { icons::CHEVRON_UP } else { icons::CHEVRON_DOWN };
    icon(ui, pos2(rect.right() - 18.0, first), glyph, 15.0, cx.c.muted);
    ui.painter().galley(rect.min + vec2(LEFT, 7.0), text, cx.c.text);
    if open {
        ui.horizontal_top(|ui| {
            ui.add_space(LEFT);
            ui.vertical(|ui| {
                ui.set_width((ui.available_width() - 12.0).max(80.0));
                paragraph(ui, &owner(cx, problem), Type::Label, cx.c.muted);
                paragraph(ui, &remedy, Type::Secondary, cx.c.text);
                ui.add_space(8.0);
            });
        });
    }
    response.on_hover_cursor(egui::CursorIcon::PointingHand).clicked()
}
