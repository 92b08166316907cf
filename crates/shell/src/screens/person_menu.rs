//! What can be done with somebody: the menu of a row, and the buttons of a card.

use egui::{Key, Modifiers, Popup, Response, Ui};
use offhook_model::{Availability, Command, Contact, PeopleWish, Person};

use super::hub::Hub;
use super::own::Editing;
use super::person_card::Card;
use super::search::known;
use crate::cx::{Cx, is_favourite};

/// Opens the menu of a row by the pointer's other button where it points, or by the menu key or Shift
/// and F10 beside the row that has the focus.
pub fn open(row: &Response, entries: impl FnOnce(&mut Ui)) {
    let (ctx, id) = (&row.ctx, Popup::default_response_id(row));
    let asked = |input: &mut egui::InputState| {
        input.consume_key(Modifiers::SHIFT, Key::F10)
            || input.consume_key(Modifiers::NONE, Key::Menu)
    };
    if row.has_focus() && ctx.input_mut(asked) {
        Popup::open_id(ctx, id);
    }
    let popup = Popup::context_menu(row);
    let by_key = Popup::position_of_id(ctx, id).is_none();
    let popup = if by_key { popup.anchor(row) } else { popup };
    popup.show(entries);
}

/// Draws the entries.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, person: &Contact, out: &mut Vec<Command>) {
    if ui.button(cx.t("person-details")).clicked() {
        hub.card = Some(Card::of(cx, person, out));
        ui.close();
    }
    own(ui, cx, hub, &known(person));
    listed(ui, cx, person, out);
}

/// What we note of somebody ourselves.
pub fn own(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, person: &Person) {
    let own = super::own::of(cx, person);
    if ui.button(cx.t(if own.is_some() { "own-edit" } else { "own-keep" })).clicked() {
        hub.own.editing = Some(own.map_or_else(|| Editing::keep(person), |one| Editing::of(one)));
        ui.close();
    }
}

/// What can be done with somebody who is on the contact list.
pub fn listed(ui: &mut Ui, cx: &Cx<'_>, person: &Contact, out: &mut Vec<Command>) {
    let who = || person.contact.clone();
    let key = if is_favourite(person) { "favourite-not" } else { "favourite" };
    if ui.button(cx.t(key)).clicked() {
        out.push(super::favourites::toggle(person));
        ui.close();
    }
    let away = person.presence.availability != Availability::Available;
    if away || person.alert {
        let key = if person.alert { "person-alert-not" } else { "person-alert" };
        if ui.button(cx.t(key)).clicked() {
            out.push(Command::People(PeopleWish::Alert { contact: who(), on: !person.alert }));
            ui.close();
        }
    }
    let key = if person.blocked { "person-unblock" } else { "person-block" };
    if ui.button(cx.t(key)).clicked() {
        out.push(Command::People(PeopleWish::Block { who: who(), on: !person.blocked }));
        ui.close();
    }
    if ui.button(cx.t("contact-remove")).clicked() {
        out.push(Command::RosterRemove { contact: who() });
        ui.close();
    }
}
