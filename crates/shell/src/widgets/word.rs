//! Text and icons.

use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat};
use egui::{
    Align, Align2, Color32, Galley, Pos2, Rect, Response, RichText, Role, Sense, Ui, WidgetInfo,
    pos2,
};

use crate::theme::{Type, icon_font, semibold};

/// Lays out text in a role; at most `rows` rows, the rest elided.
pub fn galley(
    ui: &Ui,
    text: &str,
    role: Type,
    color: Color32,
    width: f32,
    rows: usize,
) -> Arc<Galley> {
    let format = TextFormat {
        font_id: role.font(),
        line_height: Some(role.line()),
        color,
        ..Default::default()
    };
    let mut job = LayoutJob::single_section(text.to_owned(), format);
    job.wrap.max_width = width;
    job.wrap.max_rows = rows;
    job.wrap.break_anywhere = rows == 1;
    ui.painter().layout_job(job)
}

/// Paints one line, centred in height; gives its width. It has no name of its own: for the inside
/// of controls that say theirs.
pub fn paint_line(
    ui: &Ui,
    rect: Rect,
    text: &str,
    role: Type,
    color: Color32,
    align: Align,
) -> f32 {
    let one = galley(ui, text, role, color, rect.width(), 1);
    let size = one.size();
    let x = match align {
        Align::Min => rect.left(),
        Align::Center => rect.center().x - size.x / 2.0,
        Align::Max => rect.right() - size.x,
    };
    ui.painter().galley(pos2(x, rect.center().y - size.y / 2.0), one, color);
    size.x
}

/// A stretch of text that stands out, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it says.
    pub text: String,
    /// It stands out.
    pub strong: bool,
}

/// Cuts a text so that these ranges of bytes stand out. Ranges that are not in order, or not of this
/// text, are passed over. A text that is read from right to left stays in one piece, since pieces are
/// laid out from left to right and its letters join across them.
pub fn marked(text: &str, ranges: &[(usize, usize)]) -> Vec<Piece> {
    let ranges = if text.contains(right_to_left) { &[] } else { ranges };
    let mut pieces = vec![];
    let mut add = |text: &str, strong| {
        if !text.is_empty() {
            pieces.push(Piece { text: text.to_owned(), strong });
        }
    };
    let mut done = 0;
    for &(from, to) in ranges {
        let (Some(before), Some(found)) = (text.get(done..from), text.get(from..to)) else {
            continue;
        };
        add(before, false);
        add(found, true);
        done = to;
    }
    add(text.get(done..).unwrap_or_default(), false);
    pieces
}

/// Letters of Hebrew, Arabic and the scripts beside them, and the forms they are shown in.
fn right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}')
}

/// Paints one line of pieces, those that stand out in `strong`, semibold; gives its width, and whether
/// something of it is left out.
pub fn paint_pieces(
    ui: &Ui,
    rect: Rect,
    pieces: &[Piece],
    role: Type,
    plain: Color32,
    strong: Color32,
) -> (f32, bool) {
    let mut job = LayoutJob::default();
    for piece in pieces {
        let (font_id, color) =
            if piece.strong { (semibold(role.font().size), strong) } else { (role.font(), plain) };
        let line_height = Some(role.line());
        job.append(
            &piece.text,
            0.0,
            TextFormat { font_id, line_height, color, ..Default::default() },
        );
    }
    job.wrap.max_width = rect.width();
    job.wrap.max_rows = 1;
    job.wrap.break_anywhere = true;
    let galley = ui.painter().layout_job(job);
    let (size, elided) = (galley.size(), galley.elided);
    ui.painter().galley(pos2(rect.left(), rect.center().y - size.y / 2.0), galley, plain);
    (size.x, elided)
}

/// Paints one line and says it to assistive technology.
pub fn line(
    ui: &mut Ui,
    rect: Rect,
    text: &str,
    role: Type,
    color: Color32,
    align: Align,
) -> Response {
    paint_line(ui, rect, text, role, color, align);
    let id = ui.next_auto_id();
    ui.skip_ahead_auto_ids(1);
    let response = ui.interact(rect, id, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    response
}

/// Running text in the layout, wrapped.
pub fn paragraph(ui: &mut Ui, text: &str, role: Type, color: Color32) -> Response {
    let text = RichText::new(text).font(role.font()).line_height(Some(role.line())).color(color);
    ui.add(egui::Label::new(text).wrap())
}

/// Running text in the middle of the column.
pub fn paragraph_centered(ui: &mut Ui, text: &str, role: Type, color: Color32) -> Response {
    let text = RichText::new(text).font(role.font()).line_height(Some(role.line())).color(color);
    ui.add(egui::Label::new(text).wrap().halign(Align::Center))
}

/// Paints an icon around a point.
pub fn icon(ui: &Ui, center: Pos2, glyph: &str, size: f32, color: Color32) {
    ui.painter().text(center, Align2::CENTER_CENTER, glyph, icon_font(size), color);
}

/// Makes a widget's changes be spoken without being asked for.
pub fn show_live(response: &Response, urgent: bool) {
    let live =
        if urgent { egui::accesskit::Live::Assertive } else { egui::accesskit::Live::Polite };
    response.ctx.accesskit_node_builder(response.id, |node| node.set_live(live));
}
