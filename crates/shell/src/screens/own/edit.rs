//! The dialog that makes or changes a contact of our own.

use egui::{Id, Rect, Response, ScrollArea, Sense, Ui, pos2, vec2};
use offhook_model::{
    Command, ContactsWish, DialString, DirectoryEntry, Jid, NumberKind, Person, PersonNumber,
    PhotoSource, SourceKind, UserAddress,
};

use super::Own;
use crate::cx::Cx;
use crate::icons;
use crate::screens::entry::{combo, complaint, entered, labelled};
use crate::screens::search::kind_word;
use crate::theme::Type;
use crate::widgets::{Field, Kind, Push, dialog, paragraph, region};

/// Numbers, or mail addresses, that can be typed for one person.
const MOST: usize = 20;
const KINDS: [NumberKind; 4] =
    [NumberKind::Work, NumberKind::Mobile, NumberKind::Home, NumberKind::Other];

/// The dialog while it is open.
pub struct Editing {
    /// What was known before; its id is empty for a new contact. What has no field stays as it is.
    base: DirectoryEntry,
    name: String,
    company: String,
    title: String,
    department: String,
    numbers: Vec<(NumberKind, String)>,
    mail: Vec<String>,
    im: String,
    uri: String,
    wrong: Option<Wrong>,
    asked: bool,
}

/// A field, and what is wrong with what was typed there.
struct Wrong {
    field: Id,
    why: String,
}

impl Default for Editing {
    fn default() -> Self {
        Self::of(&DirectoryEntry::new(SourceKind::Own, ""))
    }
}

impl Editing {
    /// Changes a contact of our own.
    pub fn of(entry: &DirectoryEntry) -> Self {
        let text = |of: &Option<String>| of.clone().unwrap_or_default();
        let mut numbers: Vec<_> =
            entry.numbers.iter().map(|it| (it.kind, it.number.clone())).collect();
        if numbers.is_empty() {
            numbers.push((NumberKind::Work, String::new()));
        }
        let mut mail = entry.mail.clone();
        if mail.is_empty() {
            mail.push(String::new());
        }
        Self {
            name: whole_name(entry),
            company: text(&entry.company),
            title: text(&entry.title),
            department: text(&entry.department),
            numbers,
            mail,
            im: entry.im.as_ref().map(|im| im.bare_str().to_owned()).unwrap_or_default(),
            uri: entry.uris.first().cloned().unwrap_or_default(),
            base: entry.clone(),
            wrong: None,
            asked: false,
        }
    }

    /// Makes a contact of what others say of somebody.
    pub fn keep(person: &Person) -> Self {
        let mut entry = person.entry.clone();
        entry.source = SourceKind::Own;
        entry.id.clear();
        entry.display_name = Some(person.name.clone());
        // These are how others order their people.
        entry.groups.clear();
        entry.user_name = None;
        entry.photo = entry.photo.filter(|photo| matches!(photo, PhotoSource::Kept(_)));
        Self::of(&entry)
    }

    /// What is to be kept, or what is wrong first.
    fn entry(&self, cx: &Cx<'_>) -> Result<DirectoryEntry, Wrong> {
        let mut entry = self.base.clone();
        let name = some(&self.name);
        if name.as_deref().unwrap_or_default() != whole_name(&self.base) {
            // The new name says it all.
            (entry.first_name, entry.last_name) = (None, None);
            entry.display_name = name;
        }
        entry.company = some(&self.company);
        entry.title = some(&self.title);
        entry.department = some(&self.department);
        entry.numbers.clear();
        for (at, (kind, text)) in self.numbers.iter().enumerate() {
            let Some(number) = some(text) else { continue };
            if !is_number(&number) {
                return Err(wrong(cx, number_id(at), "own-wrong-number", &number));
            }
            entry.numbers.push(PersonNumber { kind: *kind, number });
        }
        entry.mail.clear();
        for (at, text) in self.mail.iter().enumerate() {
            let Some(mail) = some(text) else { continue };
            if mail.contains(char::is_whitespace) || mail.parse::<UserAddress>().is_err() {
                return Err(wrong(cx, mail_id(at), "own-wrong-mail", &mail));
            }
            entry.mail.push(mail);
        }
        entry.im = match some(&self.im) {
            None => None,
            Some(im) => match im.parse::<Jid>() {
                Ok(jid) if jid.local().is_some() => Some(jid.bare()),
                Ok(_) | Err(_) => return Err(wrong(cx, id("own-im"), "own-wrong-im", &im)),
            },
        };
        let uri = match some(&self.uri) {
            None => None,
            Some(uri) => match uri.parse() {
                Ok(DialString::Address(uri)) => Some(uri),
                Ok(DialString::Number(_)) | Err(_) => {
                    return Err(wrong(cx, id("person-sip"), "own-wrong-uri", &uri));
                }
            },
        };
        // There is a field for the first only.
        entry.uris = uri.into_iter().chain(entry.uris.into_iter().skip(1)).collect();
        if entry.shown_name().is_none() {
            return Err(Wrong { field: id("own-name"), why: cx.t("own-wrong-nothing") });
        }
        Ok(entry)
    }
}

/// First and last name where there is no name to show.
fn whole_name(entry: &DirectoryEntry) -> String {
    let shown = entry.display_name.clone().filter(|name| !name.trim().is_empty());
    let parts = || [&entry.first_name, &entry.last_name].into_iter().flatten().cloned();
    shown.unwrap_or_else(|| parts().collect::<Vec<_>>().join(" "))
}

fn some(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|it| !it.is_empty())
}

/// Something that a phone can dial: a plain name, as accounts of SIP have it, is no number here.
fn is_number(text: &str) -> bool {
    let plain = |number: &str| number.chars().all(|c| c.is_ascii_digit() || "+*#".contains(c));
    matches!(text.parse(), Ok(DialString::Number(number)) if plain(&number))
}

fn wrong(cx: &Cx<'_>, field: Id, key: &str, text: &str) -> Wrong {
    Wrong { field, why: cx.tw(key, "text", text) }
}

fn id(key: &str) -> Id {
    Id::unique(("own", key))
}

fn number_id(at: usize) -> Id {
    Id::unique(("own-number", at))
}

fn mail_id(at: usize) -> Id {
    Id::unique(("own-mail", at))
}

/// Draws the dialog, if it is open.
pub fn show(ui: &Ui, cx: &Cx<'_>, own: &mut Own, out: &mut Vec<Command>) {
    let Some(editing) = &mut own.editing else { return };
    let modal = dialog(cx.c, Id::unique("own-contact"));
    let shown = modal.show(ui.ctx(), |ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        let screen = ui.ctx().content_rect().size();
        ui.set_width(420.0_f32.min(screen.x - 80.0));
        let title = if editing.base.id.is_empty() { "own-new" } else { "own-edit" };
        paragraph(ui, &cx.t(title), Type::Heading, cx.c.text);
        ui.add_space(4.0);
        paragraph(ui, &cx.t("own-below"), Type::Secondary, cx.c.muted);
        ui.add_space(16.0);
        let most = (screen.y - 260.0).max(120.0);
        // At once as high as it may be, not a little higher with every frame.
        let scroll = ScrollArea::vertical().max_height(most).min_scrolled_height(most);
        let enter = scroll.auto_shrink([false, true]).show(ui, |ui| {
            // Room for the mark of the focus, and for the bar.
            egui::Frame::new()
                .inner_margin(egui::Margin { left: 0, right: 12, top: 2, bottom: 2 })
                .show(ui, |ui| fields(ui, cx, editing))
                .inner
        });
        ui.add_space(16.0);
        let (save, cancel) = (cx.t("person-save"), cx.t("cancel"));
        let (mut go, mut done) = (enter.inner, false);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Min), |ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            go |= Push::new(&save).kind(Kind::Primary).show(ui, cx.c).clicked();
            done = Push::new(&cancel).show(ui, cx.c).clicked();
        });
        if done || !go {
            return done;
        }
        match editing.entry(cx) {
            Ok(entry) => {
                out.push(Command::Contacts(ContactsWish::Save { entry: Box::new(entry) }));
                true
            }
            Err(wrong) => {
                ui.memory_mut(|memory| memory.request_focus(wrong.field));
                editing.wrong = Some(wrong);
                false
            }
        }
    });
    if shown.inner || shown.should_close() {
        own.editing = None;
    }
}

/// All fields; true when Enter was pressed in one of them.
fn fields(ui: &mut Ui, cx: &Cx<'_>, editing: &mut Editing) -> bool {
    let Editing { name, company, title, department, numbers, mail, im, uri, wrong, asked, .. } =
        editing;
    let wrong = wrong.as_ref();
    let first = plain(ui, cx, "own-name", "person-name", name, wrong);
    if !std::mem::replace(asked, true) {
        first.request_focus();
    }
    let mut enter = entered(ui, &first);
    enter |= all_numbers(ui, cx, numbers, wrong);
    enter |= all_mail(ui, cx, mail, wrong);
    for (key, label, text) in [
        ("own-im", "own-im", im),
        ("person-sip", "person-sip", uri),
        ("person-organisation", "person-organisation", company),
        ("person-title", "person-title", title),
        ("person-department", "person-department", department),
    ] {
        let field = plain(ui, cx, key, label, text, wrong);
        enter |= entered(ui, &field);
    }
    enter
}

fn plain(
    ui: &mut Ui,
    cx: &Cx<'_>,
    key: &str,
    label: &str,
    text: &mut String,
    wrong: Option<&Wrong>,
) -> Response {
    let label = cx.t(label);
    labelled(ui, cx, &label);
    let response = Field::new(id(key), &label).show(ui, cx.c, text);
    complain(ui, cx, id(key), wrong);
    ui.add_space(12.0);
    response
}

fn complain(ui: &mut Ui, cx: &Cx<'_>, field: Id, wrong: Option<&Wrong>) {
    if let Some(wrong) = wrong.filter(|wrong| wrong.field == field) {
        complaint(ui, cx, &wrong.why);
    }
}

fn all_numbers(
    ui: &mut Ui,
    cx: &Cx<'_>,
    numbers: &mut Vec<(NumberKind, String)>,
    wrong: Option<&Wrong>,
) -> bool {
    let (label, mut enter, mut gone) = (cx.t("person-number"), false, None);
    labelled(ui, cx, &label);
    for (at, (kind, text)) in numbers.iter_mut().enumerate() {
        let name = format!("{label} {}", at + 1);
        let (place, field, remove) = places(ui, 124.0);
        region(ui, ("own-kind", at), place.shrink2(vec2(0.0, 2.0)), |ui| {
            ui.spacing_mut().interact_size.y = 36.0;
            let chosen = kind_word(cx, *kind);
            let salt = format!("own-kind-{at}");
            let combo = combo(&salt, place.width(), &chosen, cx.c.muted).show_ui(ui, |ui| {
                for one in KINDS {
                    ui.selectable_value(kind, one, kind_word(cx, one));
                }
            });
            combo.response.accessible_name(format!("{name}: {chosen}"));
        });
        let response = Field::new(number_id(at), &name).at(ui, cx.c, field, text);
        enter |= entered(ui, &response);
        if less(ui, cx, &name, remove) {
            gone = Some(at);
        }
        complain(ui, cx, number_id(at), wrong);
        ui.add_space(6.0);
    }
    if let Some(at) = gone {
        numbers.remove(at);
    }
    if more(ui, cx, "own-number-more", numbers.len()) {
        ui.memory_mut(|memory| memory.request_focus(number_id(numbers.len())));
        numbers.push((NumberKind::Mobile, String::new()));
    }
    enter
}

fn all_mail(ui: &mut Ui, cx: &Cx<'_>, mail: &mut Vec<String>, wrong: Option<&Wrong>) -> bool {
    let (label, mut enter, mut gone) = (cx.t("person-mail"), false, None);
    labelled(ui, cx, &label);
    for (at, text) in mail.iter_mut().enumerate() {
        let name = format!("{label} {}", at + 1);
        let (_, field, remove) = places(ui, 0.0);
        let response = Field::new(mail_id(at), &name).at(ui, cx.c, field, text);
        enter |= entered(ui, &response);
        if less(ui, cx, &name, remove) {
            gone = Some(at);
        }
        complain(ui, cx, mail_id(at), wrong);
        ui.add_space(6.0);
    }
    if let Some(at) = gone {
        mail.remove(at);
    }
    if more(ui, cx, "own-mail-more", mail.len()) {
        ui.memory_mut(|memory| memory.request_focus(mail_id(mail.len())));
        mail.push(String::new());
    }
    enter
}

/// Where the choice, as wide as asked, the field and the button of a line are.
fn places(ui: &mut Ui, choice: f32) -> (Rect, Rect, Rect) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 40.0), Sense::hover());
    let gap = if choice > 0.0 { 8.0 } else { 0.0 };
    let field = Rect::from_min_max(
        pos2(rect.left() + choice + gap, rect.top()),
        pos2(rect.right() - 42.0, rect.bottom()),
    );
    let button =
        Rect::from_center_size(pos2(rect.right() - 18.0, rect.center().y), vec2(36.0, 36.0));
    (rect.with_max_x(rect.left() + choice), field, button)
}

fn less(ui: &mut Ui, cx: &Cx<'_>, name: &str, place: Rect) -> bool {
    let name = cx.tw("own-less", "what", name);
    Push::new(&name).glyph(icons::X).icon_only().kind(Kind::Ghost).at(ui, cx.c, place).clicked()
}

fn more(ui: &mut Ui, cx: &Cx<'_>, key: &str, count: usize) -> bool {
    let label = cx.t(key);
    let push = Push::new(&label).glyph(icons::PLUS).kind(Kind::Soft).height(32.0);
    let pressed = count < MOST && push.show(ui, cx.c).clicked();
    ui.add_space(12.0);
    pressed
}

#[cfg(test)]
mod tests {
    use super::is_number;

    #[test]
    fn a_number_is_what_a_phone_can_dial() {
        for good in ["2002", "+49 (30) 5550-142", "*98#", "0800.123"] {
            assert!(is_number(good), "{good}");
        }
        for bad in ["bob", "0800 CALL", "bob@example.com", "+", "12+34x", "(-)"] {
            assert!(!is_number(bad), "{bad}");
        }
    }
}
