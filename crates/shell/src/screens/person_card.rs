//! Everything known of one person, and name and group to change.

use egui::{Frame, Id, Sense, Ui, vec2};
use offhook_model::{Command, Contact, Jid, PeopleWish, PersonDetails};

use super::entry::{complaint, entered, labelled};
use super::hub::Hub;
use crate::cx::{Cx, names_favourites};
use crate::icons;
use crate::theme::{R_ROW, Type};
use crate::widgets::{Field, Kind, Push, dialog, paragraph, photo_or_initials, presence_mark};

/// The card while it is open.
pub struct Card {
    who: Jid,
    name: String,
    group: String,
}

impl Card {
    /// The card of a contact; asks for what the person tells.
    pub fn of(person: &Contact, out: &mut Vec<Command>) -> Self {
        let who = person.contact.clone();
        out.push(Command::People(PeopleWish::Details { who: who.clone() }));
        out.push(Command::People(PeopleWish::Photo { who: who.clone() }));
        let group = named(person).next().cloned().unwrap_or_default();
        Self { who, name: person.name.clone(), group }
    }
}

/// The groups of a person that have a name of the user's choice.
fn named(person: &Contact) -> impl Iterator<Item = &String> {
    person.groups.iter().filter(|group| !names_favourites(group))
}

/// Draws the card, if one is open.
pub fn show(ui: &Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let Some(card) = &mut hub.card else { return };
    let Some(person) = cx.people.by_jid(&card.who) else {
        hub.card = None;
        return;
    };
    let modal = dialog(cx.c, Id::unique("person-card"));
    let shown = modal.show(ui.ctx(), |ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        let screen = ui.ctx().content_rect().size();
        ui.set_width(380.0_f32.min(screen.x - 80.0));
        head(ui, cx, person);
        ui.add_space(12.0);
        let scroll = egui::ScrollArea::vertical().max_height((screen.y - 420.0).max(120.0));
        scroll.auto_shrink([false, true]).show(ui, |ui| {
            facts(ui, cx, person, cx.snap.details.get(&person.contact).map(AsRef::as_ref));
        });
        ui.add_space(12.0);
        change(ui, cx, card, person, out)
    });
    if shown.inner || shown.should_close() {
        hub.card = None;
    }
}

fn head(ui: &mut Ui, cx: &Cx<'_>, person: &Contact) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 16.0;
        let (rect, _) = ui.allocate_exact_size(vec2(64.0, 64.0), Sense::hover());
        photo_or_initials(ui, cx, rect.center(), 32.0, person);
        let mark = rect.center() + vec2(22.0, 22.0);
        presence_mark(ui, cx.c, mark, 8.0, person.presence.availability, cx.c.raised);
        ui.vertical(|ui| {
            paragraph(ui, &person.name, Type::Heading, cx.c.text);
            let words = cx.presence_words(&person.presence);
            let note = person.presence.note.as_deref().filter(|note| !note.is_empty());
            let words = note.map_or(words.clone(), |note| format!("{words} · {note}"));
            paragraph(ui, &words, Type::Secondary, cx.c.muted);
        });
    });
}

fn facts(ui: &mut Ui, cx: &Cx<'_>, person: &Contact, details: Option<&PersonDetails>) {
    let mut rows: Vec<(&str, String)> = vec![("person-address", person.contact.to_string())];
    rows.extend(person.number.clone().map(|it| ("person-number", it)));
    if let Some(details) = details {
        let text = |value: &Option<String>| value.clone().filter(|it| !it.is_empty());
        rows.extend(text(&details.name).map(|it| ("person-name", it)));
        rows.extend(text(&details.title).map(|it| ("person-title", it)));
        rows.extend(text(&details.organisation).map(|it| ("person-organisation", it)));
        rows.extend(details.mail.iter().map(|it| ("person-mail", it.clone())));
        let number = |(kind, it): &(String, String)| format!("{it} ({kind})");
        rows.extend(details.numbers.iter().map(|it| ("person-number", number(it))));
        rows.extend(details.last_seen.map(|it| ("person-last-seen", cx.when(it))));
        rows.extend(details.clients.iter().map(|it| ("person-client", it.clone())));
    }
    let frame =
        Frame::new().fill(cx.c.ground).stroke(cx.c.hair()).corner_radius(R_ROW).inner_margin(14);
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        for (at, (key, value)) in rows.iter().enumerate() {
            if at > 0 {
                ui.add_space(8.0);
            }
            paragraph(ui, &cx.t(key), Type::Label, cx.c.muted);
            paragraph(ui, value, Type::Body, cx.c.text);
        }
    });
    match details {
        Some(details) if details.busy => {
            paragraph(ui, &cx.t("person-asking"), Type::Secondary, cx.c.muted);
        }
        Some(PersonDetails { error: Some(error), .. }) => complaint(ui, cx, error),
        Some(_) | None => {}
    }
}

/// True when the card is done with.
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
    let (save, close, chat) = (cx.t("person-save"), cx.t("close"), cx.t("person-photo-again"));
    let (mut go, mut done) = (enter, false);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Min), |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        go |= Push::new(&save).kind(Kind::Primary).show(ui, cx.c).clicked();
        done = Push::new(&close).show(ui, cx.c).clicked();
        let push = Push::new(&chat).glyph(icons::REFRESH).icon_only().kind(Kind::Ghost);
        if push.show(ui, cx.c).clicked() {
            out.push(Command::People(PeopleWish::Details { who: person.contact.clone() }));
        }
    });
    if go {
        let text = |it: &str| Some(it.trim().to_owned()).filter(|it| !it.is_empty());
        // The card shows one group; the person stays in the others.
        let shown = named(person).next();
        let others = person.groups.iter().filter(|&group| Some(group) != shown).cloned();
        out.push(Command::RosterAdd {
            contact: card.who.clone(),
            name: text(&card.name),
            groups: Some(text(&card.group).into_iter().chain(others).collect()),
        });
    }
    go || done
}
