//! Names after `@` and emoji after `:`, offered while they are written.

use std::ops::Range;

use egui::{Align, Id, Key, Modifiers, Rect, Role, Sense, StrokeKind, Ui, WidgetInfo, pos2, vec2};
use offhook_model::Jid;
use offhook_text::{mention_at, safe_line, search, shortcode_at};

use crate::cx::Cx;
use crate::theme::{R_CONTROL, R_ROW, Type};
use crate::widgets::paint_line;

/// At most this many are offered.
const MOST: usize = 6;
const ROW: f32 = 32.0;

/// What could be meant.
pub struct Offer {
    /// Bytes of the draft that are replaced.
    pub range: Range<usize>,
    /// What is shown and what is put in, the likeliest first.
    pub items: Vec<(String, String)>,
}

/// What fits what stands before the cursor (in bytes).
pub fn offer(cx: &Cx<'_>, with: &Jid, text: &str, cursor: usize) -> Option<Offer> {
    names(cx, with, text, cursor).or_else(|| {
        let (range, code) = shortcode_at(text, cursor)?;
        let found = search(code).into_iter().take(MOST);
        let items: Vec<_> = found
            .map(|one| (format!("{}  :{}:", one.text, one.code), one.text.to_owned()))
            .collect();
        (!items.is_empty()).then_some(Offer { range, items })
    })
}

fn names(cx: &Cx<'_>, with: &Jid, text: &str, cursor: usize) -> Option<Offer> {
    let room = cx.snap.rooms.get(with)?;
    let mention = mention_at(text, cursor)?;
    let typed = mention.typed.to_lowercase();
    let fits = |name: &str| {
        let name = name.to_lowercase();
        name.starts_with(&typed) || name.split(' ').any(|word| word.starts_with(&typed))
    };
    let others = room.occupants.iter().filter(|one| !one.me);
    let items: Vec<_> = others
        .filter(|one| fits(&one.nick) || fits(&one.name))
        .take(MOST)
        .map(|one| {
            // A nickname that is an address is nothing to read; the name stands for it.
            let said = if one.nick.contains('@') { &one.name } else { &one.nick };
            (safe_line(&one.name), format!("@{} ", safe_line(said)))
        })
        .collect();
    (!items.is_empty()).then_some(Offer { range: mention.range, items })
}

/// Draws the offer above the composer; gives what was chosen by pointer or key. `chosen` is the
/// line that keys are at.
pub fn show(
    ui: &mut Ui,
    cx: &Cx<'_>,
    offer: &Offer,
    chosen: &mut usize,
    composer: Rect,
) -> Option<String> {
    let count = offer.items.len();
    let height = ROW * count as f32 + 12.0;
    let rect = Rect::from_min_size(
        pos2(composer.left(), composer.top() - height - 8.0),
        vec2(composer.width().min(320.0), height),
    );
    let mut taken = None;
    let area = egui::Area::new(Id::unique("complete")).fixed_pos(rect.min);
    area.order(egui::Order::Foreground).show(ui.ctx(), |ui| {
        ui.painter().add(cx.c.lift().as_shape(rect, R_ROW));
        ui.painter().rect(rect, R_ROW, cx.c.raised, cx.c.hair(), StrokeKind::Inside);
        for (at, (label, insert)) in offer.items.iter().enumerate() {
            let place = Rect::from_min_size(
                rect.min + vec2(6.0, 6.0 + ROW * at as f32),
                vec2(rect.width() - 12.0, ROW),
            );
            let mut sense = Sense::click();
            sense -= Sense::FOCUSABLE;
            let response = ui.interact(place, Id::unique(("complete", at)), sense);
            let on = at == *chosen;
            response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, on, label));
            if on || response.hovered() {
                ui.painter().rect_filled(place, R_CONTROL, cx.c.accent_soft);
            }
            let inner = place.shrink2(vec2(10.0, 0.0));
            paint_line(ui, inner, label, Type::Body, cx.c.text, Align::Min);
            if response.clicked() {
                taken = Some(insert.clone());
            }
        }
        ui.allocate_rect(rect, Sense::hover());
    });
    taken
}

/// Takes the keys that move in the offer and choose of it, before the editor sees them. `None`
/// when nothing was chosen.
pub fn keys(ui: &Ui, offer: &Offer, chosen: &mut usize) -> Option<String> {
    let pressed = |key: Key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    let count = offer.items.len();
    if pressed(Key::ArrowDown) {
        *chosen = (*chosen + 1) % count;
    }
    if pressed(Key::ArrowUp) {
        *chosen = (*chosen + count - 1) % count;
    }
    let take = pressed(Key::Tab) || pressed(Key::Enter);
    let item = offer.items.get(*chosen).map(|(_, insert)| insert.clone());
    item.filter(|_| take)
}
