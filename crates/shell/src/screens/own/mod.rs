//! Contacts of our own: as rows and persons, the dialog that changes one, and files of them.

mod cards;
mod edit;

use std::sync::Arc;

use egui::{Id, Popup, PopupCloseBehavior, Rect, Ui, Vec2, pos2, vec2};
use offhook_model::{Command, Contact, DirectoryEntry, Person, PersonId, SourceKind};

pub use cards::Cards;
pub use edit::Editing;

use super::conversation::menu::item;
use super::hub::Hub;
use crate::cx::Cx;
use crate::icons;
use crate::widgets::{Kind, Push};

const MENU: f32 = 240.0;

/// What is open of them, and what is remembered.
#[derive(Default)]
pub struct Own {
    /// The dialog that makes or changes one.
    pub editing: Option<Editing>,
    /// The dialog that reads or writes a file of them.
    pub cards: Option<Cards>,
    listed: Listed,
}

/// Those who stand below the contact list.
#[derive(Default)]
struct Listed {
    own: Arc<Vec<Arc<DirectoryEntry>>>,
    contacts: Arc<Vec<Arc<Contact>>>,
    shown: Arc<Vec<Arc<DirectoryEntry>>>,
}

impl Own {
    /// Own contacts who are not on the contact list; looked for once per list.
    pub fn listed(&mut self, cx: &Cx<'_>) -> Arc<Vec<Arc<DirectoryEntry>>> {
        let kept = &mut self.listed;
        let (own, contacts) = (&cx.snap.own_contacts, &cx.snap.contacts);
        if !Arc::ptr_eq(&kept.own, own) || !Arc::ptr_eq(&kept.contacts, contacts) {
            let there = |one: &&Arc<DirectoryEntry>| {
                one.im.as_ref().is_some_and(|im| cx.people.by_jid(&im.bare()).is_some())
            };
            let shown = own.iter().filter(|one| !there(one)).cloned().collect();
            *kept = Listed {
                own: Arc::clone(own),
                contacts: Arc::clone(contacts),
                shown: Arc::new(shown),
            };
        }
        Arc::clone(&kept.shown)
    }
}

/// Draws the dialog that is open, if one is.
pub fn show(ui: &Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    edit::show(ui, cx, &mut hub.own, out);
    cards::show(ui, cx, &mut hub.own, out);
}

/// An own contact as somebody who can be called and written to.
pub fn person(entry: &DirectoryEntry) -> Person {
    Person {
        id: PersonId(format!("{:?}:{}", entry.source, entry.id)),
        name: entry.shown_name().unwrap_or_default(),
        entry: entry.clone(),
        sources: vec![entry.source],
        matched: None,
    }
}

/// What we noted of a person ourselves. The best source gives a person its id, and none is better
/// than we.
pub fn of<'a>(cx: &Cx<'a>, person: &Person) -> Option<&'a Arc<DirectoryEntry>> {
    let entry = &person.entry;
    let mut all = cx.snap.own_contacts.iter();
    if entry.source == SourceKind::Own {
        return all.find(|own| own.id == entry.id);
    }
    let im = entry.im.as_ref()?.bare();
    all.find(|own| own.im.as_ref().is_some_and(|other| other.bare() == im))
}

/// The button with what can be done with all of them, left of the one that adds a contact.
pub fn menu(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, heading: Rect) {
    let at =
        Rect::from_center_size(pos2(heading.right() - 54.0, heading.center().y), vec2(32.0, 32.0));
    let name = cx.t("source-own");
    let push = Push::new(&name).glyph(icons::ELLIPSIS).icon_only().kind(Kind::Ghost);
    let response = push.height(32.0).at(ui, cx.c, at);
    let popup = Popup::from_toggle_button_response(&response)
        .id(Id::unique("own-menu"))
        .close_behavior(PopupCloseBehavior::CloseOnClick)
        .accessible_name(&name)
        .width(MENU);
    popup.show(|ui| {
        ui.spacing_mut().item_spacing = Vec2::ZERO;
        ui.set_width(MENU);
        if item(ui, cx, icons::USER_PLUS, &cx.t("own-new")) {
            hub.own.editing = Some(Editing::default());
        }
        if item(ui, cx, icons::DOWNLOAD, &cx.t("cards-import")) {
            hub.own.cards = Some(Cards::import());
        }
        if item(ui, cx, icons::FILE, &cx.t("cards-export")) {
            hub.own.cards = Some(Cards::export(cx));
        }
    });
}
