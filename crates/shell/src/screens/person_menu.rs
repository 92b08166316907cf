//! What can be done with somebody: the menu of a row, and the buttons of a card.

use egui::Ui;
use offhook_model::{Availability, Command, Contact, PeopleWish};

use super::hub::Hub;
use super::person_card::Card;
use crate::cx::Cx;

/// Draws the entries.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, person: &Contact, out: &mut Vec<Command>) {
    let who = || person.contact.clone();
    if ui.button(cx.t("person-details")).clicked() {
        hub.card = Some(Card::of(person, out));
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
