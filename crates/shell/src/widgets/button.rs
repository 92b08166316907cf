//! Things to press.

use egui::{
    Align, Color32, CursorIcon, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo,
    pos2, vec2,
};

use super::{focus_ring, galley, icon, paint_line};
use crate::theme::{R_CONTROL, Tokens, Type};

/// How much a button wants to be pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The one next step.
    Primary,
    /// A step among others.
    Plain,
    /// A quiet step on a raised ground.
    Soft,
    /// Take the call.
    Ok,
    /// End, decline, delete.
    Danger,
    /// Text only.
    Link,
    /// Icon or text that shows its ground only under the pointer.
    Ghost,
    /// A switch that is on, in attention colour.
    On,
}

impl Kind {
    fn text(self) -> Type {
        match self {
            Self::Primary | Self::Ok | Self::Danger | Self::On => Type::Filled,
            Self::Plain | Self::Soft | Self::Link | Self::Ghost => Type::Strong,
        }
    }
}

struct Paint {
    fill: Color32,
    ink: Color32,
    border: Stroke,
}

fn paint(c: &Tokens, kind: Kind) -> Paint {
    let none = Stroke::NONE;
    let (fill, ink, border) = match kind {
        Kind::Primary => (c.accent, c.on_accent, none),
        Kind::Plain => (c.raised, c.text, c.hair()),
        Kind::Soft => (c.their_bubble, c.text, none),
        Kind::Ok => (c.ok, c.on_ok, none),
        Kind::Danger => (c.busy, c.on_busy, none),
        Kind::Link => (Color32::TRANSPARENT, c.accent, none),
        Kind::Ghost => (Color32::TRANSPARENT, c.muted, none),
        Kind::On => (c.text, c.panel, none),
    };
    Paint { fill, ink, border }
}

/// A button with a label, an icon or both.
pub struct Push<'a> {
    label: &'a str,
    glyph: Option<&'a str>,
    kind: Kind,
    height: f32,
    width: Option<f32>,
    enabled: bool,
    icon_only: bool,
    on: Option<bool>,
    radius: u8,
    hint: Option<&'a str>,
}

impl<'a> Push<'a> {
    /// A plain button.
    pub fn new(label: &'a str) -> Self {
        Self {
            label,
            glyph: None,
            kind: Kind::Plain,
            height: 36.0,
            width: None,
            enabled: true,
            icon_only: false,
            on: None,
            radius: R_CONTROL,
            hint: None,
        }
    }

    /// Puts an icon before the label.
    pub fn glyph(mut self, glyph: &'a str) -> Self {
        self.glyph = Some(glyph);
        self
    }

    /// Chooses how it looks.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// Sets the height, 36 points otherwise.
    pub fn height(mut self, height: f32) -> Self {
        self.height = height;
        self
    }

    /// Sets the width; otherwise the label decides.
    pub fn width(mut self, width: f32) -> Self {
        self.width = Some(width);
        self
    }

    /// Can be pressed.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Shows the icon alone; the label stays the name and the tooltip.
    pub fn icon_only(mut self) -> Self {
        self.icon_only = true;
        self
    }

    /// Rounds the corners by this much.
    pub fn radius(mut self, radius: u8) -> Self {
        self.radius = radius;
        self
    }

    /// Says to assistive technology that it is a switch, and how it stands.
    pub fn on(mut self, on: bool) -> Self {
        self.on = Some(on);
        self
    }

    /// Says more under the pointer, such as the key or why it cannot be pressed.
    pub fn hint(mut self, hint: &'a str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// Adds it to the layout.
    pub fn show(self, ui: &mut Ui, c: &Tokens) -> Response {
        let label_width = if self.icon_only {
            0.0
        } else {
            galley(ui, self.label, self.kind.text(), c.text, f32::INFINITY, 1).size().x
        };
        let pad = if self.kind == Kind::Link { 4.0 } else { 14.0 };
        let icon_width = match (self.glyph, self.icon_only) {
            (None, _) => 0.0,
            (Some(_), true) => 16.0,
            (Some(_), false) => 24.0,
        };
        let natural =
            if self.icon_only { self.height } else { label_width + icon_width + 2.0 * pad };
        let size = vec2(self.width.unwrap_or(natural), self.height);
        let sense = if self.enabled { Sense::click() } else { Sense::hover() };
        let (rect, response) = ui.allocate_exact_size(size, sense);
        self.finish(ui, c, rect, response, label_width)
    }

    /// Puts it at a place of its own.
    pub fn at(self, ui: &mut Ui, c: &Tokens, rect: Rect) -> Response {
        let id = ui.next_auto_id();
        ui.skip_ahead_auto_ids(1);
        let sense = if self.enabled { Sense::click() } else { Sense::hover() };
        let response = ui.interact(rect, id, sense);
        let width = galley(ui, self.label, self.kind.text(), c.text, rect.width(), 1).size().x;
        self.finish(ui, c, rect, response, width)
    }

    fn finish(
        self,
        ui: &Ui,
        c: &Tokens,
        rect: Rect,
        response: Response,
        label_width: f32,
    ) -> Response {
        let role = if self.on.is_some() { Role::Switch } else { Role::Button };
        response.widget_info(|| match self.on {
            Some(on) => WidgetInfo::selected(role, self.enabled, on, self.label),
            None => WidgetInfo::labeled(role, self.enabled, self.label),
        });
        let mut look = paint(c, self.kind);
        if !self.enabled {
            look.fill = if look.fill == Color32::TRANSPARENT { look.fill } else { c.their_bubble };
            look.ink = c.muted;
        } else if response.is_pointer_button_down_on() || response.hovered() {
            look.fill = match self.kind {
                Kind::Link | Kind::Ghost => c.their_bubble,
                Kind::Primary | Kind::Plain | Kind::Soft | Kind::Ok | Kind::Danger | Kind::On => {
                    c.hover(look.fill)
                }
            };
        }
        let painter = ui.painter();
        painter.rect(rect, self.radius, look.fill, look.border, StrokeKind::Inside);
        focus_ring(ui, c, rect, self.radius, &response);
        self.content(ui, rect, label_width, look.ink);
        let tip = match (self.hint, self.icon_only) {
            (Some(hint), _) => Some(hint),
            (None, true) => Some(self.label),
            (None, false) => None,
        };
        let response = if self.enabled {
            response.on_hover_cursor(CursorIcon::PointingHand)
        } else {
            response
        };
        match tip {
            Some(tip) => response.on_hover_text(tip),
            None => response,
        }
    }

    fn content(&self, ui: &Ui, rect: Rect, label_width: f32, ink: Color32) {
        let size = if self.icon_only && self.height >= 44.0 {
            22.0
        } else if self.icon_only && self.height >= 36.0 {
            18.0
        } else {
            16.0
        };
        // A label that leaves no room for its icon is worth more than the icon.
        let fits = self.icon_only || label_width + 32.0 <= rect.width();
        match (self.glyph.filter(|_| fits), self.icon_only) {
            (Some(glyph), true) => icon(ui, rect.center(), glyph, size, ink),
            (Some(glyph), false) => {
                let left = rect.center().x - (label_width + 24.0) / 2.0;
                icon(ui, pos2(left + 8.0, rect.center().y), glyph, size, ink);
                let text = Rect::from_min_max(pos2(left + 24.0, rect.top()), rect.max);
                paint_line(ui, text, self.label, self.kind.text(), ink, Align::Min);
            }
            (None, _) => {
                paint_line(ui, rect, self.label, self.kind.text(), ink, Align::Center);
            }
        }
    }
}

/// One of a few choices side by side, which is called `name` by who does not see beside what.
pub fn choice(
    ui: &mut Ui,
    c: &Tokens,
    width: f32,
    [label, name]: [&str; 2],
    selected: bool,
) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(width, 32.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, selected, name));
    let fill = match (selected, response.hovered()) {
        (true, _) => c.accent_soft,
        (false, true) => c.their_bubble,
        (false, false) => Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, R_CONTROL, fill);
    focus_ring(ui, c, rect, R_CONTROL, &response);
    let role = if selected { Type::Name } else { Type::Body };
    paint_line(ui, rect, label, role, c.text, Align::Center);
    response.on_hover_cursor(CursorIcon::PointingHand)
}
