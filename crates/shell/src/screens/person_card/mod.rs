//! Everything known of one person; name and group to change, or the contact list to put them on.

mod facts;

use std::collections::BTreeSet;

use egui::{Id, Sense, Ui, vec2};
use offhook_model::{
    Command, Contact, ContactsWish, Jid, PeopleWish, Person, PersonDetails, PersonNumber,
    SourceKind,
};

use super::entry::{entered, labelled};
use super::hub::Hub;
use super::own::{self, Editing, Own};
use super::search::{add_command, known, on_list};
use crate::cx::{Cx, names_favourites};
use crate::icons;
use crate::theme::Type;
use crate::widgets::{Field, Kind, Push, dialog, paragraph, person_picture, presence_mark};
use facts::Act;

/// How many groups are offered to choose from.
const GROUPS: usize = 8;

/// The card while it is open.
pub struct Card {
    person: Person,
    name: String,
    group: String,
    /// The question before an own contact is removed.
    sure: bool,
}

impl Card {
    /// The card of a contact; asks for what the person tells.
    pub fn of(cx: &Cx<'_>, person: &Contact, out: &mut Vec<Command>) -> Self {
        let mut known = known(person);
        if let Some(own) = own::of(cx, &known) {
            let (noted, listed) = (own::person(own), known.entry);
            known = Person { name: known.name, ..noted };
            known.sources.push(SourceKind::Roster);
            known.entry.im = listed.im;
            let numbers = &mut known.entry.numbers;
            let other = |it: &PersonNumber| numbers.iter().all(|own| own.number != it.number);
            let more: Vec<_> = listed.numbers.into_iter().filter(other).collect();
            numbers.extend(more);
            known.entry.groups.extend(listed.groups);
        }
        Self::found(cx, &known, out)
    }

    /// The card of somebody who was found, likewise.
    pub fn found(cx: &Cx<'_>, person: &Person, out: &mut Vec<Command>) -> Self {
        if let Some(who) = person.entry.im.as_ref().filter(|_| cx.has_chat()).map(Jid::bare) {
            out.push(Command::People(PeopleWish::Details { who: who.clone() }));
            out.push(Command::People(PeopleWish::Photo { who }));
        }
        let contact = on_list(cx, person);
        let group = contact.and_then(|one| named(one).next()).cloned().unwrap_or_default();
        let name = contact.map_or(&person.name, |one| &one.name).clone();
        Self { person: person.clone(), name, group, sure: false }
    }
}

/// The groups of a person that have a name of the user's choice.
fn named(person: &Contact) -> impl Iterator<Item = &String> {
    person.groups.iter().filter(|group| !names_favourites(group))
}

/// Draws the card, if one is open.
pub fn show(ui: &Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let Some(card) = &mut hub.card else { return };
    let contact = on_list(cx, &card.person).map(AsRef::as_ref);
    let modal = dialog(cx.c, Id::unique("person-card"));
    let mut act = None;
    let shown = modal.show(ui.ctx(), |ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        let screen = ui.ctx().content_rect().size();
        ui.set_width(400.0_f32.min(screen.x - 80.0));
        head(ui, cx, &card.person, contact);
        ui.add_space(12.0);
        // Below stand name and group, for those who can be on the contact list.
        let asked = cx.has_chat() && card.person.entry.im.is_some();
        let below = if asked { 470.0 } else { 310.0 };
        let most = (screen.y - below).max(120.0);
        // At once as high as it may be, not a little higher with every frame.
        let scroll = egui::ScrollArea::vertical().max_height(most).min_scrolled_height(most);
        scroll.auto_shrink([false, true]).show(ui, |ui| {
            act = facts::show(ui, cx, &card.person, details(cx, &card.person));
        });
        ui.add_space(12.0);
        if ours(ui, cx, card, &mut hub.own, out) {
            return true;
        }
        ui.add_space(16.0);
        match (contact, card.person.entry.im.clone()) {
            (Some(contact), _) => change(ui, cx, card, contact, out),
            (None, Some(who)) if cx.has_chat() => add(ui, cx, card, &who, out),
            (None, _) => buttons(ui, cx, None) == Pressed::Close,
        }
    });
    let done = shown.inner || shown.should_close();
    if done || act.is_some() {
        hub.card = None;
    }
    match act {
        Some(Act::Call(to)) => hub.dial(to, out),
        Some(Act::Chat(with)) => hub.open_chat(with),
        None => {}
    }
}

fn details<'a>(cx: &Cx<'a>, person: &Person) -> Option<&'a PersonDetails> {
    let who = person.entry.im.as_ref()?.bare();
    cx.snap.details.get(&who).map(AsRef::as_ref)
}

fn head(ui: &mut Ui, cx: &Cx<'_>, person: &Person, contact: Option<&Contact>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 16.0;
        let (rect, _) = ui.allocate_exact_size(vec2(64.0, 64.0), Sense::hover());
        person_picture(ui, cx, rect.center(), 32.0, person, contact);
        if let Some(contact) = contact {
            let mark = rect.center() + vec2(22.0, 22.0);
            presence_mark(ui, cx.c, mark, 8.0, contact.presence.availability, cx.c.raised);
        }
        ui.vertical(|ui| {
            let name = contact.map_or(&person.name, |one| &one.name);
            paragraph(ui, name, Type::Heading, cx.c.text);
            let words = match contact {
                Some(contact) => {
                    let words = cx.presence_words(&contact.presence);
                    let note = contact.presence.note.as_deref().filter(|note| !note.is_empty());
                    note.map_or(words.clone(), |note| format!("{words} · {note}"))
                }
                None => {
                    person.entry.title.clone().or(person.entry.company.clone()).unwrap_or_default()
                }
            };
            if !words.is_empty() {
                paragraph(ui, &words, Type::Secondary, cx.c.muted);
            }
        });
    });
}

/// What can be done with what we note of somebody ourselves. True when the card is done with.
fn ours(ui: &mut Ui, cx: &Cx<'_>, card: &mut Card, own: &mut Own, out: &mut Vec<Command>) -> bool {
    let noted = own::of(cx, &card.person);
    let push = |ui: &mut Ui, key: &str, glyph: &str, kind| {
        let label = cx.t(key);
        Push::new(&label).glyph(glyph).kind(kind).height(32.0).show(ui, cx.c).clicked()
    };
    let mut done = false;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(8.0, 8.0);
        let Some(noted) = noted else {
            done = push(ui, "own-keep", icons::PLUS, Kind::Soft);
            if done {
                own.editing = Some(Editing::keep(&card.person));
            }
            return;
        };
        if push(ui, "own-edit", icons::PENCIL, Kind::Soft) {
            own.editing = Some(Editing::of(noted));
            done = true;
        }
        let (key, kind) = if card.sure {
            ("own-remove-really", Kind::Danger)
        } else {
            ("own-remove", Kind::Soft)
        };
        if push(ui, key, icons::TRASH, kind) && std::mem::replace(&mut card.sure, true) {
            out.push(Command::Contacts(ContactsWish::Forget { id: noted.id.clone() }));
            done = true;
        }
    });
    done
}

/// Name and group of somebody on the contact list. True when the card is done with.
fn change(
    ui: &mut Ui,
    cx: &Cx<'_>,
    card: &mut Card,
    person: &Contact,
    out: &mut Vec<Command>,
) -> bool {
    let (name, group) = (cx.t("contact-name"), cx.t("person-group"));
    labelled(ui, cx, &name);
    let first = Field::new(Id::unique("card-name"), &name).show(ui, cx.c, &mut card.name);
    ui.add_space(10.0);
    labelled(ui, cx, &group);
    let second = Field::new(Id::unique("card-group"), &group).show(ui, cx.c, &mut card.group);
    ui.add_space(16.0);
    let enter = entered(ui, &first) || entered(ui, &second);
    let pressed = buttons(ui, cx, Some(&cx.t("person-save")));
    if pressed == Pressed::Again {
        out.push(Command::People(PeopleWish::Details { who: person.contact.clone() }));
    }
    let go = enter || pressed == Pressed::Go;
    if go {
        // The card shows one group; the person stays in the others.
        let shown = named(person).next();
        let others = person.groups.iter().filter(|&group| Some(group) != shown).cloned();
        out.push(Command::RosterAdd {
            contact: person.contact.clone(),
            name: some(&card.name),
            groups: Some(some(&card.group).into_iter().chain(others).collect()),
        });
    }
    go || pressed == Pressed::Close
}

/// The group in which somebody is put on the contact list. True when the card is done with.
fn add(ui: &mut Ui, cx: &Cx<'_>, card: &mut Card, who: &Jid, out: &mut Vec<Command>) -> bool {
    let group = cx.t("person-group-new");
    labelled(ui, cx, &group);
    let field = Field::new(Id::unique("card-group"), &group).show(ui, cx.c, &mut card.group);
    groups(ui, cx, &mut card.group);
    ui.add_space(4.0);
    paragraph(ui, &cx.t("contact-add-below"), Type::Secondary, cx.c.muted);
    ui.add_space(16.0);
    let enter = entered(ui, &field);
    let pressed = buttons(ui, cx, Some(&cx.t("contact-add-to")));
    if pressed == Pressed::Again {
        out.push(Command::People(PeopleWish::Details { who: who.bare() }));
    }
    let go = enter || pressed == Pressed::Go;
    if go {
        let groups = some(&card.group).map(|group| vec![group]);
        out.push(add_command(who, &card.name, groups));
    }
    go || pressed == Pressed::Close
}

/// The groups that there are, to choose one.
fn groups(ui: &mut Ui, cx: &Cx<'_>, chosen: &mut String) {
    let all: BTreeSet<&String> = cx.snap.contacts.iter().flat_map(|one| named(one)).collect();
    if all.is_empty() {
        return;
    }
    ui.add_space(8.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
        for group in all.into_iter().take(GROUPS) {
            let on = chosen == group;
            let kind = if on { Kind::On } else { Kind::Soft };
            if Push::new(group).kind(kind).height(28.0).on(on).show(ui, cx.c).clicked() {
                chosen.clone_from(group);
            }
        }
    });
}

fn some(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|it| !it.is_empty())
}

/// Which of the card's buttons.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pressed {
    Nothing,
    Go,
    Close,
    Again,
}

/// The buttons at the end of the card; `go` is what the next step is called, if there is one.
fn buttons(ui: &mut Ui, cx: &Cx<'_>, go: Option<&str>) -> Pressed {
    let (close, again) = (cx.t("close"), cx.t("person-photo-again"));
    let mut pressed = Pressed::Nothing;
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Min), |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        if go.is_some_and(|go| Push::new(go).kind(Kind::Primary).show(ui, cx.c).clicked()) {
            pressed = Pressed::Go;
        }
        if Push::new(&close).show(ui, cx.c).clicked() {
            pressed = Pressed::Close;
        }
        let push = Push::new(&again).glyph(icons::REFRESH).icon_only().kind(Kind::Ghost);
        if go.is_some() && push.show(ui, cx.c).clicked() {
            pressed = Pressed::Again;
        }
    });
    pressed
}
