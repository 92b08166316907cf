//! Somebody who was found: who they are, why they were found, and what can be done with them.

use std::sync::Arc;

use egui::{Id, Popup, PopupCloseBehavior, Rect, Ui, pos2, vec2};
use offhook_model::{
    Command, Contact, DialString, Matched, MatchedField, NumberKind, Person, PersonNumber,
};

use crate::cx::{Cx, is_favourite};
use crate::icons;
use crate::screens::contacts::lamp;
use crate::screens::conversation::menu::item;
use crate::screens::hub::Hub;
use crate::screens::person_card::Card;
use crate::screens::person_menu;
use crate::theme::Type;
use crate::widgets::{
    Kind, Piece, Push, icon, marked, paint_pieces, person_picture, presence_mark, region, row,
};

/// Height of a row in points.
pub const ROW: f32 = 58.0;
const BUTTON: f32 = 34.0;
const MENU: f32 = 280.0;

/// The row of a person, where the focus can be sent.
pub fn id(person: &Person) -> Id {
    Id::unique(("search-person", &person.id.0))
}

/// A way to call somebody.
pub struct Way {
    /// What the number is for; nothing for an address.
    pub kind: Option<NumberKind>,
    /// As its source writes it.
    pub shown: String,
    /// What is dialled.
    pub to: DialString,
}

/// How somebody can be called: numbers, then addresses; nothing without a phone.
pub fn ways(cx: &Cx<'_>, person: &Person) -> Vec<Way> {
    let entry = &person.entry;
    let listed = on_list(cx, person).and_then(|one| one.number.clone());
    let listed = listed.map(|number| PersonNumber { kind: NumberKind::Work, number });
    let numbers = entry.numbers.iter().chain(&listed);
    let numbers = numbers.map(|it| (Some(it.kind), &it.number));
    let mut ways: Vec<Way> = vec![];
    for (kind, shown) in numbers.chain(entry.uris.iter().map(|uri| (None, uri))) {
        if let Ok(to) = shown.parse::<DialString>()
            && cx.can_call()
            && !ways.iter().any(|way| way.to == to)
        {
            ways.push(Way { kind, shown: shown.clone(), to });
        }
    }
    ways
}

/// The same person on the contact list.
pub fn on_list<'a>(cx: &Cx<'a>, person: &Person) -> Option<&'a Arc<Contact>> {
    cx.people.by_jid(&person.entry.im.as_ref()?.bare())
}

/// What a number is for, in a word.
pub fn kind_word(cx: &Cx<'_>, kind: NumberKind) -> String {
    cx.t(match kind {
        NumberKind::Work => "number-work",
        NumberKind::Mobile => "number-mobile",
        NumberKind::Home => "number-home",
        NumberKind::Other => "number-other",
    })
}

/// The chat with somebody, else all that is known of them.
pub fn open(cx: &Cx<'_>, hub: &mut Hub, person: &Person, out: &mut Vec<Command>) {
    match &person.entry.im {
        Some(with) if cx.has_chat() => hub.open_chat(with.bare()),
        Some(_) | None => hub.card = Some(Card::found(cx, person, out)),
    }
}

/// Draws the row. `near` is the row that had the focus before, itself or one of its buttons.
pub fn show(
    ui: &mut Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    person: &Person,
    near: Option<Id>,
    out: &mut Vec<Command>,
) {
    let id = id(person);
    let contact = on_list(cx, person);
    let (name, second) = (name(person), second(cx, person, contact));
    let said: String = second.iter().map(|piece| piece.text.as_str()).collect();
    let lamp = contact.and_then(|one| cx.line_state(one.number.as_deref()));
    let lamp = lamp.map(|state| self::lamp(cx, state));
    let spoken = match &lamp {
        Some((_, _, word)) if !word.is_empty() => format!("{}, {word} · {said}", person.name),
        Some(_) | None if said.is_empty() => person.name.clone(),
        Some(_) | None => format!("{}, {said}", person.name),
    };
    let focused = ui.memory(|memory| memory.has_focus(id));
    let call = focused && super::keys::calls(ui);
    let (rect, response) = row(ui, cx.c, ROW, id, &spoken, false);
    let center = pos2(rect.left() + 32.0, rect.center().y);
    let ground = if response.hovered() { cx.c.ground } else { cx.c.panel };
    person_picture(ui, cx, center, 20.0, person, contact.map(AsRef::as_ref));
    if let Some(one) = contact {
        let mark = center + vec2(14.0, 14.0);
        presence_mark(ui, cx.c, mark, 6.0, one.presence.availability, ground);
    }
    let menu = id.with("numbers");
    let pointed = ui.rect_contains_pointer(rect);
    let open = pointed || focused || near == Some(id) || Popup::is_id_open(ui.ctx(), menu);
    let mut left = rect.right() - 12.0;
    if open {
        let place = rect.with_max_x(rect.right() - 6.0);
        let (taken, inside) = buttons(ui, cx, hub, person, contact, menu, place, out);
        left = taken - 6.0;
        if inside || focused {
            hub.search.near = Some(id);
        }
    }
    // A name alone stands in the middle.
    let above = if second.is_empty() { (ROW - 20.0) / 2.0 } else { 10.0 };
    let top = Rect::from_min_max(
        pos2(rect.left() + 64.0, rect.top() + above),
        pos2(left, rect.top() + above + 20.0),
    );
    let (width, cut) = paint_pieces(ui, top, &name, Type::Name, cx.c.text, cx.c.accent);
    if contact.is_some_and(|one| is_favourite(one)) && width + 20.0 < top.width() {
        icon(ui, pos2(top.left() + width + 14.0, top.center().y), icons::STAR, 13.0, cx.c.away);
    }
    let mut bottom = top.translate(vec2(0.0, 19.0));
    if let Some((glyph, ink, _)) = lamp {
        icon(ui, pos2(bottom.left() + 6.0, bottom.center().y), glyph, 13.0, ink);
        bottom.min.x += 18.0;
    }
    let (_, cut_below) = paint_pieces(ui, bottom, &second, Type::Secondary, cx.c.muted, cx.c.text);
    let response = if cut || cut_below {
        response.on_hover_text(format!("{}\n{said}", person.name))
    } else {
        response
    };
    person_menu::open(&response, |ui| entries(ui, cx, hub, person, contact, out));
    if call && let Some(way) = ways(cx, person).into_iter().next() {
        hub.dial(way.to, out);
    } else if response.clicked() {
        self::open(cx, hub, person, out);
    }
}

/// The name, with what was typed of it.
fn name(person: &Person) -> Vec<Piece> {
    let found = person.matched.as_ref().filter(|it| it.field == MatchedField::Name);
    let shifted = found.and_then(|it| {
        let from = person.name.find(&it.text)?;
        Some(it.ranges.iter().map(|(a, b)| (a + from, b + from)).collect::<Vec<_>>())
    });
    marked(&person.name, &shifted.unwrap_or_default())
}

/// Why they were found where the name does not show it, how they are if they are on the contact list,
/// what they do otherwise, and who knows them; in a list of contacts how they are reached.
fn second(cx: &Cx<'_>, person: &Person, contact: Option<&Arc<Contact>>) -> Vec<Piece> {
    let entry = &person.entry;
    let mut parts: Vec<Vec<Piece>> = vec![];
    let elsewhere =
        |it: &&Matched| it.field != MatchedField::Name || !person.name.contains(it.text.as_str());
    let found = person.matched.as_ref().filter(elsewhere);
    if let Some(found) = found {
        parts.push(why(cx, person, found));
    }
    let shown = |text: &str| found.is_some_and(|found| found.text == text);
    let mut plain = |text: &str| {
        if !text.is_empty() && text != person.name && !shown(text) {
            parts.push(marked(text, &[]));
        }
    };
    if let Some(one) = contact {
        plain(&cx.presence_words(&one.presence));
        plain(one.presence.note.as_deref().unwrap_or_default());
    } else {
        plain(entry.title.as_deref().unwrap_or_default());
        let place = entry.department.as_deref().or(entry.company.as_deref());
        plain(place.unwrap_or_default());
        match person.sources.first() {
            Some(source) if person.matched.is_some() => plain(&super::source_word(cx, *source)),
            // In a list of one source it is no news who knows them; how they are reached is.
            Some(_) | None => {
                let number = entry.numbers.first().map(|it| it.number.as_str());
                plain(number.or(entry.mail.first().map(String::as_str)).unwrap_or_default());
            }
        }
    }
    let mut pieces = vec![];
    for part in parts {
        if !pieces.is_empty() {
            pieces.extend(marked(" · ", &[]));
        }
        pieces.extend(part);
    }
    pieces
}

/// The text that was found, with a word before it where it does not say itself what it is.
fn why(cx: &Cx<'_>, person: &Person, found: &Matched) -> Vec<Piece> {
    let before = match found.field {
        MatchedField::Number => {
            let same = |it: &&PersonNumber| it.number == found.text;
            person.entry.numbers.iter().find(same).map(|it| kind_word(cx, it.kind))
        }
        MatchedField::Group => Some(cx.t("search-in-group")),
        MatchedField::Name
        | MatchedField::Address
        | MatchedField::Mail
        | MatchedField::Title
        | MatchedField::Organisation => None,
    };
    let before = before.map(|word| marked(&format!("{word} "), &[]));
    before.into_iter().flatten().chain(marked(&found.text, &found.ranges)).collect()
}

/// Chat, call and add, as far as each is possible; gives where they begin and whether one of them has
/// the focus.
#[expect(clippy::too_many_arguments, reason = "one call site, all of them plain values")]
fn buttons(
    ui: &mut Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    person: &Person,
    contact: Option<&Arc<Contact>>,
    menu: egui::Id,
    place: Rect,
    out: &mut Vec<Command>,
) -> (f32, bool) {
    let chat = person.entry.im.as_ref().filter(|_| cx.has_chat());
    let ways = ways(cx, person);
    let add = chat.filter(|_| contact.is_none());
    let there = [chat.is_some(), !ways.is_empty(), add.is_some()];
    let count = there.iter().filter(|&&there| there).count();
    let left = place.right() - BUTTON * count as f32;
    let bar = Rect::from_center_size(
        pos2((left + place.right()) / 2.0, place.center().y),
        vec2(BUTTON * count as f32, BUTTON),
    );
    let mut inside = false;
    region(ui, ("found", &person.id.0), bar, |ui| {
        let mut at = bar.left();
        let mut push = |ui: &mut Ui, name: &str, glyph: &str| {
            let rect = Rect::from_min_size(pos2(at, bar.top()), vec2(BUTTON, BUTTON));
            at += BUTTON;
            let push = Push::new(name).glyph(glyph).icon_only().height(BUTTON).kind(Kind::Ghost);
            let response = push.at(ui, cx.c, rect);
            inside |= response.has_focus();
            response
        };
        if let Some(with) = chat {
            let name = cx.tw("search-chat", "with", &person.name);
            if push(ui, &name, icons::MESSAGE_CIRCLE).clicked() {
                hub.open_chat(with.bare());
            }
        }
        if let Some(first) = ways.first() {
            let response = push(ui, &cx.tw("call-name", "name", &person.name), icons::PHONE);
            if ways.len() > 1 {
                let popup = Popup::from_toggle_button_response(&response)
                    .id(menu)
                    .close_behavior(PopupCloseBehavior::CloseOnClick)
                    .accessible_name(cx.tw("call-name", "name", &person.name))
                    .width(MENU);
                popup.show(|ui| numbers(ui, cx, hub, &ways, out));
            } else if response.clicked() {
                hub.dial(first.to.clone(), out);
            }
        }
        if let Some(who) = add {
            let name = cx.tw("contact-add-named", "name", &person.name);
            if push(ui, &name, icons::USER_PLUS).clicked() {
                out.push(add_command(who, &person.name, None));
            }
        }
    });
    (left, inside)
}

/// Puts somebody on the contact list.
pub fn add_command(who: &offhook_model::Jid, name: &str, groups: Option<Vec<String>>) -> Command {
    Command::RosterAdd { contact: who.bare(), name: Some(name.to_owned()), groups }
}

/// A line of a menu for each way to call somebody.
fn numbers(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, ways: &[Way], out: &mut Vec<Command>) {
    ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
    ui.set_width(MENU);
    for way in ways {
        let text = match way.kind {
            Some(kind) => format!("{} · {}", kind_word(cx, kind), way.shown),
            None => way.shown.clone(),
        };
        if item(ui, cx, icons::PHONE, &text) {
            hub.dial(way.to.clone(), out);
        }
    }
}

/// The menu of the row.
fn entries(
    ui: &mut Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    person: &Person,
    contact: Option<&Arc<Contact>>,
    out: &mut Vec<Command>,
) {
    if ui.button(cx.t("person-details")).clicked() {
        hub.card = Some(Card::found(cx, person, out));
        ui.close();
    }
    if let Some(with) = person.entry.im.as_ref().filter(|_| cx.has_chat())
        && ui.button(cx.t("chat")).clicked()
    {
        hub.open_chat(with.bare());
        ui.close();
    }
    for way in ways(cx, person) {
        if ui.button(cx.tw("search-call", "to", &way.shown)).clicked() {
            hub.dial(way.to, out);
            ui.close();
        }
    }
    person_menu::own(ui, cx, hub, person);
    match (contact, &person.entry.im) {
        (Some(contact), _) => person_menu::listed(ui, cx, contact, out),
        (None, Some(who)) if cx.has_chat() => {
            if ui.button(cx.t("contact-add-to")).clicked() {
                out.push(add_command(who, &person.name, None));
                ui.close();
            }
        }
        (None, _) => {}
    }
}

#[cfg(test)]
mod tests {
    use offhook_model::{DirectoryEntry, Matched, MatchedField, Person, PersonId, SourceKind};

    fn check(name: &str, found: &str, ranges: &[(usize, usize)], wanted: &[(&str, bool)]) {
        let person = Person {
            id: PersonId("p".into()),
            name: name.into(),
            entry: DirectoryEntry::new(SourceKind::Ldap, "p"),
            sources: vec![],
            matched: Some(Matched {
                field: MatchedField::Name,
                text: found.into(),
                ranges: ranges.to_vec(),
            }),
        };
        let pieces = super::name(&person);
        let pieces: Vec<_> = pieces.iter().map(|it| (it.text.as_str(), it.strong)).collect();
        assert_eq!(pieces, wanted, "{name}");
    }

    #[test]
    fn what_was_typed_of_a_name_is_marked_wherever_it_stands() {
        check("Amira Khalil", "Amira Khalil", &[(0, 3)], &[("Ami", true), ("ra Khalil", false)]);
        check(
            "Amira Khalil",
            "Khalil",
            &[(0, 1)],
            &[("Amira ", false), ("K", true), ("halil", false)],
        );
        check("Amira Khalil", "Mimi", &[(0, 2)], &[("Amira Khalil", false)]);
        // Letters that join, and are read from right to left.
        check("أميرة خليل", "أميرة خليل", &[(0, 4)], &[("أميرة خليل", false)]);
        // Not on character borders, and beyond the end.
        check("Émile", "Émile", &[(1, 3)], &[("Émile", false)]);
        check("Bo", "Bo", &[(1, 9)], &[("Bo", false)]);
    }
}
