//! Fields to type into.

use egui::{
    Frame, Id, Margin, Rect, Response, RichText, Stroke, StrokeKind, TextEdit, Ui, pos2, vec2,
};

use super::{Kind, Push, icon};
use crate::icons;
use crate::theme::{R_CONTROL, Tokens, Type};

/// A field of one line.
pub struct Field<'a> {
    name: &'a str,
    hint: &'a str,
    glyph: Option<&'a str>,
    secret: bool,
    reveal: Option<(&'a mut bool, &'a str)>,
    id: Id,
}

impl<'a> Field<'a> {
    /// A field with a name for assistive technology.
    pub fn new(id: Id, name: &'a str) -> Self {
        Self { name, hint: "", glyph: None, secret: false, reveal: None, id }
    }

    /// Shows an example while the field is empty.
    pub fn hint(mut self, hint: &'a str) -> Self {
        self.hint = hint;
        self
    }

    /// Shows an icon before the text.
    pub fn glyph(mut self, glyph: &'a str) -> Self {
        self.glyph = Some(glyph);
        self
    }

    /// Hides what is typed unless `shown`; adds a button that changes it, with this name.
    pub fn secret(mut self, shown: &'a mut bool, name: &'a str) -> Self {
        self.secret = !*shown;
        self.reveal = Some((shown, name));
        self
    }

    /// Adds it to the layout over the whole width, 40 points high.
    pub fn show(self, ui: &mut Ui, c: &Tokens, text: &mut String) -> Response {
        let width = ui.available_width();
        let (rect, _) = ui.allocate_exact_size(vec2(width, 40.0), egui::Sense::hover());
        self.at(ui, c, rect, text)
    }

    /// Puts it at a place of its own.
    pub fn at(self, ui: &mut Ui, c: &Tokens, rect: Rect, text: &mut String) -> Response {
        let focused = ui.memory(|memory| memory.has_focus(self.id));
        let border = if focused { Stroke::new(2.0, c.accent) } else { c.hair() };
        let fill = if focused { c.raised } else { c.ground };
        ui.painter().rect(rect, R_CONTROL, fill, border, StrokeKind::Inside);
        let mut inner = rect.shrink2(vec2(12.0, 4.0));
        if let Some(glyph) = self.glyph {
            let center = pos2(inner.left() + 8.0, rect.center().y);
            icon(ui, center, glyph, 16.0, c.muted);
            inner.min.x += 24.0;
        }
        if let Some((shown, name)) = self.reveal {
            let at = Rect::from_center_size(
                pos2(rect.right() - 20.0, rect.center().y),
                vec2(32.0, 32.0),
            );
            let glyph = if *shown { icons::EYE_OFF } else { icons::EYE };
            let push = Push::new(name).glyph(glyph).icon_only().kind(Kind::Ghost);
            if push.height(32.0).on(*shown).at(ui, c, at).clicked() {
                *shown = !*shown;
            }
            inner.max.x -= 28.0;
        }
        let around = ui.interact(rect, self.id.with("around"), egui::Sense::CLICK);
        if around.on_hover_cursor(egui::CursorIcon::Text).clicked() {
            ui.memory_mut(|memory| memory.request_focus(self.id));
        }
        let height = ui.fonts_mut(|fonts| fonts.row_height(&Type::Body.font()));
        let inner = Rect::from_center_size(inner.center(), vec2(inner.width(), height));
        let edit = TextEdit::singleline(text)
            .id(self.id)
            .password(self.secret)
            .frame(Frame::NONE)
            .margin(Margin::ZERO)
            .font(Type::Body.font())
            .text_color(c.text)
            .hint_text(RichText::new(self.hint).font(Type::Body.font()).color(c.muted))
            .desired_width(inner.width());
        ui.put(inner, edit).accessible_name(self.name)
    }
}

/// Drops what an editor remembers for undo, so that a password does not stay in memory.
pub fn forget_text(ui: &Ui, id: Id) {
    egui::text_edit::TextEditState::default().store(ui.ctx(), id);
}
