//! The contact list and the people who ask to be on it.

use std::sync::Arc;

use egui::{Align, Color32, Id, Rect, ScrollArea, Sense, Ui, pos2, vec2};
use offhook_model::{Command, Contact, DirectoryEntry, LineState, Subscription};

use super::chats::nothing;
use super::dialogs::Adding;
use super::hub::{Hub, list_heading};
use super::search::row_of;
use super::{own, person_menu};
use crate::cx::{Cx, is_favourite};
use crate::icons;
use crate::theme::{R_ROW, Type};
use crate::widgets::{
    Kind, Push, avatar, icon, line, paint_line, photo_or_initials, presence_mark, row,
};

const ROW: f32 = 58.0;

/// Draws requests, then people.
pub fn list(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let heading = list_heading(ui, cx, &cx.t("section-contacts"));
    let add = cx.t("contact-add");
    let place =
        Rect::from_center_size(pos2(heading.right() - 20.0, heading.center().y), vec2(32.0, 32.0));
    let push = Push::new(&add).glyph(icons::USER_PLUS).icon_only();
    if push.kind(Kind::Ghost).height(32.0).at(ui, cx.c, place).clicked() {
        hub.adding = Some(Adding::default());
    }
    own::menu(ui, cx, hub, heading);
    let own = hub.own.listed(cx);
    let contacts = &cx.snap.contacts;
    for person in contacts.iter().filter(|one| one.wants_us).take(3) {
        request(ui, cx, person, out);
    }
    if contacts.is_empty() && own.is_empty() {
        ui.add_space(48.0);
        nothing(ui, cx, &cx.t("contacts-empty"), &cx.t("contacts-empty-remedy"));
        return;
    }
    let first = cx.people.favourites();
    if !first.is_empty() || contacts.iter().any(|one| hidden(one)) {
        let others = (0..contacts.len()).filter(|at| !first.contains(at));
        let shown = first.iter().copied().chain(others);
        let seen = |at: &usize| contacts.get(*at).is_some_and(|one| !hidden(one));
        let shown: Vec<usize> = shown.filter(seen).collect();
        people(ui, cx, hub, &shown, &own, out);
    } else {
        rows(ui, cx, hub, contacts.len(), &own, out, |at| at);
    }
}

/// Somebody who only asked to see our presence stands in the card above the list.
fn hidden(one: &Contact) -> bool {
    one.wants_us && one.subscription == Subscription::None
}

/// The people at these places of the list, then own contacts.
fn people(
    ui: &mut Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    at: &[usize],
    own: &[Arc<DirectoryEntry>],
    out: &mut Vec<Command>,
) {
    let place = |row: usize| at.get(row).copied().unwrap_or(usize::MAX);
    rows(ui, cx, hub, at.len(), own, out, place);
}

/// Lays out only the rows that are seen: ten thousand people cost what twenty do.
fn rows(
    ui: &mut Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    count: usize,
    own: &[Arc<DirectoryEntry>],
    out: &mut Vec<Command>,
    place: impl Fn(usize) -> usize,
) {
    // The heading of own contacts takes a row.
    let all = count + if own.is_empty() { 0 } else { own.len() + 1 };
    let near = hub.search.near();
    ScrollArea::vertical().id_salt("people").auto_shrink(false).show_rows(
        ui,
        ROW,
        all,
        |ui, range| {
            for at in range {
                if let Some(below) = at.checked_sub(count) {
                    below_list(ui, cx, hub, below, own, near, out);
                } else if let Some(person) = cx.snap.contacts.get(place(at)) {
                    one(ui, cx, hub, person, out);
                }
            }
        },
    );
}

/// The heading of own contacts, and their rows.
fn below_list(
    ui: &mut Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    at: usize,
    own: &[Arc<DirectoryEntry>],
    near: Option<Id>,
    out: &mut Vec<Command>,
) {
    let Some(entry) = at.checked_sub(1).and_then(|at| own.get(at)) else {
        ui.add_space(ROW - 32.0);
        list_heading(ui, cx, &cx.t("source-own"));
        return;
    };
    row_of(ui, cx, hub, &own::person(entry), near, out);
}

fn one(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, person: &Contact, out: &mut Vec<Command>) {
    let word = cx.presence_words(&person.presence);
    let note = person.presence.note.as_deref().filter(|note| !note.is_empty());
    let lamp = cx.line_state(person.number.as_deref()).map(|state| lamp(cx, state));
    let word = match &lamp {
        // A free line says nothing that presence does not.
        Some((_, _, said)) if !said.is_empty() => format!("{said} · {word}"),
        _ => word,
    };
    let below = match note {
        Some(note) => format!("{word} · {note}"),
        None => word,
    };
    let selected = hub.selected.as_ref() == Some(&person.contact);
    let id = ui.scope_id().with(&person.contact);
    let spoken = format!("{}, {below}", person.name);
    let (rect, response) = row(ui, cx.c, ROW, id, &spoken, selected);
    let ground = if selected { cx.c.accent_soft } else { cx.c.panel };
    let muted = if selected { cx.c.soft_muted } else { cx.c.muted };
    let center = pos2(rect.left() + 32.0, rect.center().y);
    photo_or_initials(ui, cx, center, 20.0, person);
    let mark = center + vec2(14.0, 14.0);
    presence_mark(ui, cx.c, mark, 6.0, person.presence.availability, ground);
    let callable = person.number.is_some() && cx.can_call();
    let right = if callable { 52.0 } else { 12.0 };
    let top = Rect::from_min_max(
        pos2(rect.left() + 64.0, rect.top() + 10.0),
        pos2(rect.right() - right, rect.top() + 30.0),
    );
    let name = paint_line(ui, top, &person.name, Type::Name, cx.c.text, Align::Min);
    if is_favourite(person) && name + 20.0 < top.width() {
        icon(ui, pos2(top.left() + name + 14.0, top.center().y), icons::STAR, 13.0, cx.c.away);
    }
    let mut bottom = top.translate(vec2(0.0, 19.0));
    if let Some((glyph, ink, _)) = lamp {
        icon(ui, pos2(bottom.left() + 6.0, bottom.center().y), glyph, 13.0, ink);
        bottom.min.x += 18.0;
    }
    paint_line(ui, bottom, &below, Type::Secondary, muted, Align::Min);
    if callable {
        let place =
            Rect::from_center_size(pos2(rect.right() - 28.0, rect.center().y), vec2(36.0, 36.0));
        let name = cx.tw("call-name", "name", &person.name);
        let push = Push::new(&name).glyph(icons::PHONE).icon_only();
        if push.kind(Kind::Ghost).at(ui, cx.c, place).clicked()
            && let Some(to) = cx.dial_for(&person.contact)
        {
            hub.dial(to, out);
        }
    }
    person_menu::open(&response, |ui| person_menu::show(ui, cx, hub, person, out));
    if response.clicked() {
        hub.open_chat(person.contact.clone());
    }
}

/// The lamp of a line that is watched: icon, colour, and a word unless it is free.
pub fn lamp(cx: &Cx<'_>, state: LineState) -> (&'static str, Color32, String) {
    match state {
        LineState::Busy => (icons::PHONE_CALL, cx.c.busy, cx.t("line-busy")),
        LineState::Ringing => (icons::PHONE_INCOMING, cx.c.away, cx.t("line-ringing")),
        LineState::Idle | LineState::Unknown => (icons::PHONE, cx.c.ok, String::new()),
    }
}

fn request(ui: &mut Ui, cx: &Cx<'_>, person: &Contact, out: &mut Vec<Command>) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 108.0), Sense::hover());
    let card = rect.shrink2(vec2(4.0, 4.0));
    ui.painter().rect(card, R_ROW, cx.c.raised, cx.c.hair(), egui::StrokeKind::Inside);
    let center = card.min + vec2(30.0, 30.0);
    avatar(ui, center, 18.0, &person.name, person.contact.bare_str());
    let top = Rect::from_min_max(
        pos2(card.left() + 60.0, card.top() + 10.0),
        pos2(card.right() - 12.0, card.top() + 30.0),
    );
    line(ui, top, &person.name, Type::Name, cx.c.text, Align::Min);
    let text = cx.t("request-text");
    let bottom = top.translate(vec2(0.0, 19.0));
    line(ui, bottom, &text, Type::Secondary, cx.c.muted, Align::Min);
    let width = (card.width() - 24.0 - 8.0) / 2.0;
    let left =
        Rect::from_min_size(pos2(card.left() + 12.0, card.bottom() - 44.0), vec2(width, 32.0));
    let right = left.translate(vec2(width + 8.0, 0.0));
    let mut answer = |allow| {
        out.push(Command::RosterAnswer { contact: person.contact.clone(), allow });
    };
    let accept = cx.t("request-accept");
    let push = Push::new(&accept).kind(Kind::Primary);
    if push.height(32.0).at(ui, cx.c, left).clicked() {
        answer(true);
    }
    let refuse = cx.t("request-refuse");
    if Push::new(&refuse).height(32.0).at(ui, cx.c, right).clicked() {
        answer(false);
    }
}
