//! Links in messages: each can be followed by pointer and keyboard, and says first where it leads.

use egui::text::CCursor;
use egui::{CursorIcon, OpenUrl, Pos2, Rect, Role, Sense, Ui, WidgetInfo};
use offhook_text::link_shown;

use super::body::Piece;
use crate::cx::Cx;
use crate::widgets::focus_ring;

/// Lets the links of a piece be followed; `corner` is where the piece's text begins. Gives the
/// address of one that names a person or room (`xmpp:`), when it was pressed.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, piece: &Piece, corner: Pos2) -> Option<String> {
    let text = piece.galley.text();
    let mut inside = None;
    for (range, target) in &piece.links {
        let Some(said) = text.get(range.clone()) else { continue };
        let place = |byte: usize| {
            let chars = text.get(..byte).map_or(0, |before| before.chars().count());
            let cursor = CCursor { prefer_next_row: true, ..CCursor::new(chars) };
            piece.galley.pos_from_cursor(cursor).translate(corner.to_vec2())
        };
        let (begin, end) = (place(range.start), place(range.end));
        // An address over several rows is followed on its first one.
        let same_row = (begin.top() - end.top()).abs() < 1.0;
        let right = if same_row { end.left() } else { corner.x + piece.galley.size().x };
        let rect = Rect::from_min_max(begin.min, egui::pos2(right, begin.bottom()));
        let id = ui.scope_id().with(("link", range.start, piece.place.top() as i32));
        let response = ui.interact(rect, id, Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Link, true, said));
        focus_ring(ui, cx.c, rect, 4, &response);
        let response = response.on_hover_cursor(CursorIcon::PointingHand);
        if response.on_hover_text(link_shown(target)).clicked() {
            match target.strip_prefix("xmpp:") {
                Some(address) => inside = Some(address.to_owned()),
                None => ui.ctx().open_url(OpenUrl::new_tab(target)),
            }
        }
    }
    inside
}
