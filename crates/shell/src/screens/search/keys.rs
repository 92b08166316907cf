//! Walking the results by keys.

use egui::{FocusDirection, Id, Key, Modifiers, Ui};
use offhook_model::{DirectoryGroup, Person};

use super::{group, row};
use crate::screens::hub::Hub;

/// The row that offers to do something with the text itself.
pub fn offer_id(at: usize) -> Id {
    Id::unique(("search-offer", at))
}

/// Ctrl and Enter were pressed: whoever has the focus is to be called.
pub fn calls(ui: &Ui) -> bool {
    ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::Enter))
}

/// Up and down go from row to row, also to those that are not laid out yet, and from the first back to
/// the box. There are `offers` rows before those of people.
pub fn walk(ui: &Ui, hub: &mut Hub, offers: usize, people: &[Person], groups: &[DirectoryGroup]) {
    let Some(focus) = ui.memory(|memory| memory.focused()) else { return };
    if !ui.input(|input| input.key_pressed(Key::ArrowDown) || input.key_pressed(Key::ArrowUp)) {
        return;
    }
    let offer = (0..offers).find(|&at| offer_id(at) == focus);
    let ids = people.iter().map(row::id).chain(groups.iter().map(group::id));
    let row = || ids.enumerate().find(|(_, id)| *id == focus).map(|(at, _)| offers + at);
    let Some(at) = offer.or_else(row) else { return };
    let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    let last = (offers + people.len() + groups.len()).saturating_sub(1);
    if pressed(Key::ArrowDown) {
        hub.search.go = Some((at + 1).min(last));
    } else if pressed(Key::ArrowUp) {
        match at.checked_sub(1) {
            Some(above) => hub.search.go = Some(above),
            None => ui.memory_mut(|memory| memory.request_focus(super::id())),
        }
    } else {
        return;
    }
    // Else the focus would be moved once more, to what is nearest on the screen.
    ui.memory_mut(|memory| memory.move_focus(FocusDirection::None));
}
