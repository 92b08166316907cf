//! The pieces that screens are made of. Each paints itself, says its name to assistive
//! technology and shows where the focus is.

mod avatar;
mod button;
mod check;
mod field;
mod keypad;
mod photo;
mod row;
mod word;

pub use avatar::{avatar, badge_count, person_picture, photo_or_initials, presence_mark};
pub use button::{Kind, Push, choice};
pub use check::{check, option, option_of};
pub use field::{Field, forget_text};
pub use keypad::keypad;
pub use photo::Photos;
pub use row::{region, row};
pub use word::{
    Piece, galley, icon, line, marked, paint_line, paint_pieces, paragraph, paragraph_centered,
    show_live,
};

use egui::{Frame, Id, Modal, Rect, Response, Stroke, StrokeKind, Ui};

use crate::theme::{R_CARD, Tokens};

/// Draws the focus around a control that has it.
pub fn focus_ring(ui: &Ui, c: &Tokens, rect: Rect, radius: u8, response: &Response) {
    if response.has_focus() {
        ui.painter().rect_stroke(
            rect.expand(1.0),
            radius.saturating_add(1),
            Stroke::new(2.0, c.accent),
            StrokeKind::Outside,
        );
    }
}

/// A question in front of the window: a raised card on the veiled rest.
pub fn dialog(c: &Tokens, id: Id) -> Modal {
    let frame = Frame::new()
        .fill(c.raised)
        .stroke(c.hair())
        .corner_radius(R_CARD)
        .shadow(c.float())
        .inner_margin(24);
    Modal::new(id).frame(frame).backdrop_color(c.veil)
}
