//! Favourites: people who stand first in the list, are called at a press beside the dial pad, and
//! whose lines are watched.

use std::sync::Arc;

use egui::{Align, Rect, Ui, pos2, vec2};
use offhook_model::{CallWish, Command, Contact, DialString, PeopleWish};

use super::contacts::lamp;
use super::hub::{Hub, list_heading};
use crate::cx::{Cx, is_favourite};
use crate::icons;
use crate::theme::Type;
use crate::widgets::{icon, paint_line, photo_or_initials, presence_mark, row};

/// The group that holds them in the contact list, as the server keeps it; programs without
/// favourites show it as any other group.
const GROUP: &str = "Favourites";
/// The most lines that are watched for them: a phone watches 100, and scripts may want some.
const LAMPS: usize = 50;
const PHONE_LINES: usize = 100;
const ROW: f32 = 52.0;

/// What was last looked at to know which lines to watch.
#[derive(Default)]
pub struct Lamps {
    of: Arc<Vec<Arc<Contact>>>,
    ready: bool,
    asked: Vec<DialString>,
}

/// Makes somebody a favourite, or no longer.
pub fn toggle(person: &Contact) -> Command {
    let mut groups = person.groups.clone();
    if is_favourite(person) {
        groups.retain(|group| !crate::cx::names_favourites(group));
    } else {
        groups.push(GROUP.to_owned());
    }
    Command::People(PeopleWish::Groups { contact: person.contact.clone(), groups })
}

/// Favourites who can be dialled.
fn dialable<'a>(cx: &Cx<'a>) -> impl Iterator<Item = (&'a Contact, DialString)> {
    let people = cx.people.favourites().iter().filter_map(|&at| cx.snap.contacts.get(at));
    people.filter_map(|one| Some((&**one, one.number.as_ref()?.parse().ok()?)))
}

/// Asks for the lamps of the favourites when people or phone have changed. Lines that a script
/// watches stay watched.
pub fn watch(cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let (lamps, ready) = (&mut hub.lamps, cx.can_call());
    if lamps.ready == ready && Arc::ptr_eq(&lamps.of, &cx.snap.contacts) {
        return;
    }
    lamps.ready = ready;
    lamps.of = Arc::clone(&cx.snap.contacts);
    if !ready {
        return;
    }
    let mine: Vec<DialString> = dialable(cx).map(|(_, number)| number).take(LAMPS).collect();
    let watched = cx.snap.phone.lines.iter().filter_map(|line| line.number.parse().ok());
    let watched: Vec<DialString> = watched.collect();
    let mut wanted: Vec<DialString> =
        watched.iter().filter(|line| !lamps.asked.contains(line)).cloned().collect();
    for number in &mine {
        if !wanted.contains(number) && wanted.len() < PHONE_LINES {
            wanted.push(number.clone());
        }
    }
    let same = wanted.len() == watched.len() && wanted.iter().all(|line| watched.contains(line));
    lamps.asked = mine;
    if !same {
        out.push(Command::Call(CallWish::Watch(wanted)));
    }
}

/// There is somebody to be called at a press.
pub fn any(cx: &Cx<'_>) -> bool {
    cx.can_call() && dialable(cx).next().is_some()
}

/// Favourites to call at a press, beside the dial pad.
pub fn speed_dial(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    list_heading(ui, cx, &cx.t("favourites"));
    let mut called = None;
    egui::ScrollArea::vertical().id_salt("speed-dial").auto_shrink(false).show(ui, |ui| {
        for (person, number) in dialable(cx) {
            if one(ui, cx, person) {
                called = Some(number);
            }
        }
    });
    if let Some(number) = called {
        hub.dial(number, out);
    }
}

fn one(ui: &mut Ui, cx: &Cx<'_>, person: &Contact) -> bool {
    let lamp = cx.line_state(person.number.as_deref()).map(|state| lamp(cx, state));
    let number = person.number.as_deref().unwrap_or_default();
    let below = match &lamp {
        Some((_, _, said)) if !said.is_empty() => format!("{number} · {said}"),
        Some(_) | None => number.to_owned(),
    };
    let id = ui.scope_id().with(&person.contact);
    let spoken = format!("{}, {below}", cx.tw("call-name", "name", &person.name));
    let (rect, response) = row(ui, cx.c, ROW, id, &spoken, false);
    let center = pos2(rect.left() + 30.0, rect.center().y);
    photo_or_initials(ui, cx, center, 18.0, person);
    let mark = center + vec2(13.0, 13.0);
    presence_mark(ui, cx.c, mark, 6.0, person.presence.availability, cx.c.ground);
    let top = Rect::from_min_max(
        pos2(rect.left() + 60.0, rect.top() + 7.0),
        pos2(rect.right() - 44.0, rect.top() + 27.0),
    );
    paint_line(ui, top, &person.name, Type::Name, cx.c.text, Align::Min);
    let mut bottom = top.translate(vec2(0.0, 18.0));
    if let Some((glyph, ink, _)) = lamp {
        icon(ui, pos2(bottom.left() + 6.0, bottom.center().y), glyph, 13.0, ink);
        bottom.min.x += 18.0;
    }
    paint_line(ui, bottom, &below, Type::Secondary, cx.c.muted, Align::Min);
    icon(ui, pos2(rect.right() - 24.0, rect.center().y), icons::PHONE, 16.0, cx.c.muted);
    response.clicked()
}
