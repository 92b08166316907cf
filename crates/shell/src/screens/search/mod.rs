//! One box for finding people and for dialling.

mod below;
mod group;
mod keys;
mod row;
mod taking;

use std::sync::Arc;

use egui::text::{CCursor, CCursorRange};
use egui::{
    Align, Id, Key, Modifiers, Rect, ScrollArea, Sense, Stroke, StrokeKind, TextEdit, Ui,
    UiBuilder, pos2, vec2,
};
use offhook_model::{
    Command, Contact, ContactsWish, DialString, DirectoryEntry, DirectoryGroup, Jid, PeopleSearch,
    Person, PersonId, SearchStage, SourceKind,
};

pub use row::{add_command, kind_word, on_list, show as row_of, ways};
pub use taking::show as taking;

use super::hub::{Hub, list_heading};
use crate::cx::Cx;
use crate::icons;
use crate::theme::Type;
use crate::widgets::{Field, Kind, Push, icon, line, paint_line};

/// As many people as the core shows.
const MOST: usize = 200;

/// The box and what it found.
#[derive(Default)]
pub struct Search {
    /// What is typed.
    pub text: String,
    /// What of it the core was told.
    told: String,
    /// What was found: the core's answer to the text, until it is here that to an earlier text, else
    /// people of the contact list.
    shown: Arc<PeopleSearch>,
    contacts: Option<Contacts>,
    /// The place of the result that takes the focus, as the arrow asked.
    go: Option<usize>,
    scroll: Scroll,
    /// The row that had the focus in the last frame, itself or one of its buttons.
    near: Option<Id>,
    below: below::Below,
    /// The dialog that takes a group over, if it is open.
    taking: Option<taking::Taking>,
}

/// How the results are scrolled.
#[derive(Default)]
struct Scroll {
    offset: f32,
    height: f32,
    /// Other results than before: from the top.
    anew: bool,
}

/// The people of `of` who match `text`, as the core would show them.
struct Contacts {
    text: String,
    of: Arc<Vec<Arc<Contact>>>,
    found: Arc<PeopleSearch>,
}

impl Search {
    /// Sends the focus to the box. What stands in it is chosen, so that typing begins anew.
    pub fn enter(&self, ui: &Ui) {
        let id = id();
        ui.memory_mut(|memory| memory.request_focus(id));
        let mut state = TextEdit::load_state(ui.ctx(), id).unwrap_or_default();
        let all = CCursorRange::two(CCursor::new(0), CCursor::new(self.text.chars().count()));
        state.cursor.set_char_range(Some(all));
        state.store(ui.ctx(), id);
    }

    /// Empties the box.
    pub fn clear(&mut self) {
        self.text.clear();
        self.shown = Arc::default();
        self.contacts = None;
    }

    /// The row of a person that had the focus in the last frame, itself or one of its buttons.
    pub fn near(&mut self) -> Option<Id> {
        self.near.take()
    }

    /// Tells the core what is typed, once.
    pub fn tell(&mut self, out: &mut Vec<Command>) {
        if self.told != self.text {
            self.told.clone_from(&self.text);
            self.scroll.anew = true;
            if self.text.is_empty() {
                self.clear();
            }
            out.push(Command::Contacts(ContactsWish::Type { query: self.text.clone() }));
        }
    }

    /// Takes over what is known of the text by now.
    fn refresh(&mut self, cx: &Cx<'_>) {
        let answer = &cx.snap.people;
        if !answer.query.is_empty() && answer.query == self.text {
            self.shown = Arc::clone(answer);
        } else if self.shown.query.is_empty() {
            self.shown = self.stand_in(cx);
        }
    }

    /// Contacts whose name, address or number has the text; looked for once per text and list.
    fn stand_in(&mut self, cx: &Cx<'_>) -> Arc<PeopleSearch> {
        let wanted = self.text.trim().to_lowercase();
        let list = &cx.snap.contacts;
        if let Some(kept) = &self.contacts
            && kept.text == wanted
            && Arc::ptr_eq(&kept.of, list)
        {
            return Arc::clone(&kept.found);
        }
        let mut matching = list.iter().filter(|one| matches(one, &wanted));
        let people = matching.by_ref().take(MOST).map(|one| known(one)).collect();
        let more = matching.next().is_some();
        let found = Arc::new(PeopleSearch { people, more, ..PeopleSearch::default() });
        let kept = Contacts { text: wanted, of: Arc::clone(list), found: Arc::clone(&found) };
        self.contacts = Some(kept);
        found
    }
}

fn matches(one: &Contact, wanted: &str) -> bool {
    one.name.to_lowercase().contains(wanted)
        || one.contact.bare_str().contains(wanted)
        || one.number.as_ref().is_some_and(|number| number.contains(wanted))
}

/// Who says something, in a word.
pub fn source_word(cx: &Cx<'_>, source: SourceKind) -> String {
    cx.t(match source {
        SourceKind::Own => "source-own",
        SourceKind::Roster => "source-roster",
        SourceKind::Ldap | SourceKind::Uds => "source-directory",
        SourceKind::AddressBook => "source-address-book",
        SourceKind::CardDav => "source-server-book",
        SourceKind::Vcards => "source-vcards",
        SourceKind::History => "source-history",
    })
}

/// What the contact list knows of somebody.
pub fn known(one: &Contact) -> Person {
    Person {
        id: PersonId(one.contact.bare_str().to_owned()),
        name: one.name.clone(),
        entry: DirectoryEntry::of_contact(one),
        sources: vec![SourceKind::Roster],
        matched: None,
    }
}

/// What the text can be besides a name.
struct Reading {
    call: Option<DialString>,
    chat: Option<Jid>,
}

fn reading(text: &str) -> Reading {
    let text = text.trim();
    let jid = text.parse::<Jid>().ok().filter(|jid| jid.local().is_some());
    let number = text.chars().any(|c| c.is_ascii_digit());
    // A plain word is a name to look for; only numbers and addresses are offered as calls.
    let call = text.parse::<DialString>().ok();
    Reading { call: call.filter(|_| number || text.contains('@') || text.contains(':')), chat: jid }
}

/// The box, where the focus can be sent. It is sent there before the box is drawn, so that what is
/// typed at once goes into it.
fn id() -> Id {
    Id::unique("search-or-call")
}

/// The box itself.
pub fn field(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, rect: Rect, out: &mut Vec<Command>) {
    let id = id();
    let name = cx.t("search-hint");
    let focused = ui.memory(|memory| memory.has_focus(id));
    // Escape takes the focus away before anything is drawn.
    let there = focused || ui.memory(|memory| memory.had_focus_last_frame(id));
    if there && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
        hub.search.clear();
        ui.memory_mut(|memory| memory.surrender_focus(id));
    }
    let searching = focused && !hub.search.text.is_empty();
    if searching && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::ArrowDown)) {
        hub.search.go = Some(0);
    }
    let call = searching && keys::calls(ui);
    let enter = focused && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter));
    Field::new(id, &name).hint(&name).glyph(icons::SEARCH).at(ui, cx.c, rect, &mut hub.search.text);
    if hub.search.text.is_empty() {
        key_cap(ui, cx, rect);
    } else {
        let at =
            Rect::from_center_size(pos2(rect.right() - 20.0, rect.center().y), vec2(28.0, 28.0));
        let clear = cx.t("search-clear");
        let push = Push::new(&clear).glyph(icons::X).icon_only();
        if push.kind(Kind::Ghost).height(28.0).at(ui, cx.c, at).clicked() {
            hub.search.clear();
        }
    }
    if enter || call {
        first(cx, hub, call, out);
    }
}

fn key_cap(ui: &Ui, cx: &Cx<'_>, rect: Rect) {
    let cap = Rect::from_min_max(
        pos2(rect.right() - 54.0, rect.top() + 10.0),
        pos2(rect.right() - 12.0, rect.bottom() - 10.0),
    );
    let border = Stroke::new(1.0, cx.c.line);
    ui.painter().rect(cap, 6, cx.c.panel, border, StrokeKind::Inside);
    paint_line(ui, cap, &cx.keys("Ctrl K"), Type::Badge, cx.c.muted, Align::Center);
}

/// Enter takes the first result: a number is called, a person or address opened. `call` is to call
/// whoever comes first.
fn first(cx: &Cx<'_>, hub: &mut Hub, call: bool, out: &mut Vec<Command>) {
    let read = reading(&hub.search.text);
    hub.search.refresh(cx);
    // What is shown may still be the answer to what was typed before.
    let answered = cx.snap.people.query == hub.search.text;
    let found = if answered { Arc::clone(&hub.search.shown) } else { hub.search.stand_in(cx) };
    let person = found.people.first();
    if call {
        let number = || person.and_then(|person| row::ways(cx, person).into_iter().next());
        let to = read.call.filter(|_| cx.can_call()).or_else(|| number().map(|way| way.to));
        if let Some(to) = to {
            hub.dial(to, out);
        }
        return;
    }
    match (read.chat.filter(|_| cx.has_chat()), read.call, person) {
        (Some(jid), _, _) => hub.open_chat(jid),
        (None, Some(to), _) if cx.can_call() => hub.dial(to, out),
        (None, _, Some(person)) => row::open(cx, hub, person, out),
        (None, _, None) => {}
    }
}

/// What can be done with the text itself.
enum Offer {
    Call(DialString),
    Chat(Jid),
}

fn offers(cx: &Cx<'_>, text: &str) -> Vec<Offer> {
    let read = reading(text);
    let call = read.call.filter(|_| cx.can_call()).map(Offer::Call);
    let chat = read.chat.filter(|_| cx.has_chat()).map(Offer::Chat);
    call.into_iter().chain(chat).collect()
}

/// The results in place of the list.
pub fn results(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    hub.search.refresh(cx);
    let offers = offers(cx, &hub.search.text);
    let shown = Arc::clone(&hub.search.shown);
    let before = offers.len();
    // Without chat there is no contact list that could take one over.
    let groups = if cx.has_chat() { &shown.groups[..] } else { &[] };
    keys::walk(ui, hub, before, &shown.people, groups);
    let go = hub.search.go.take();
    for (at, one) in offers.into_iter().enumerate() {
        if offer(ui, cx, at, go == Some(at), &one) {
            match one {
                Offer::Call(to) => hub.dial(to, out),
                Offer::Chat(with) => hub.open_chat(with),
            }
            return;
        }
    }
    if shown.people.is_empty() {
        nobody(ui, cx, &shown);
    } else {
        list_heading(ui, cx, &cx.tc("search-people", shown.people.len()));
    }
    if !shown.people.is_empty() || !groups.is_empty() {
        let go = go.and_then(|go| go.checked_sub(before));
        found(ui, cx, hub, (&shown.people, groups), go, out);
    }
    below::show(ui, cx, &mut hub.search.below, &shown);
}

/// Nobody is found, or not yet.
fn nobody(ui: &mut Ui, cx: &Cx<'_>, shown: &PeopleSearch) {
    ui.add_space(16.0);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), Sense::hover());
    let key = match shown.stage {
        SearchStage::Done if shown.problems.is_empty() => "search-nobody-anywhere",
        SearchStage::Local | SearchStage::Asking | SearchStage::Done => "search-nobody",
    };
    line(ui, rect, &cx.t(key), Type::Secondary, cx.c.muted, Align::Center);
    ui.add_space(8.0);
}

/// Lays out only the rows of people that are seen; groups are few. `go` is the row that takes the
/// focus.
fn found(
    ui: &mut Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    (people, groups): (&[Person], &[DirectoryGroup]),
    go: Option<usize>,
    out: &mut Vec<Command>,
) {
    let height = (ui.available_height() - hub.search.below.height()).max(row::ROW);
    let mut area = ScrollArea::vertical()
        .id_salt("found-people")
        .max_height(height)
        .auto_shrink([false, true]);
    let of_people = people.len() as f32 * row::ROW;
    let go = go.and_then(|go| match go.checked_sub(people.len()) {
        None => people.get(go).map(|person| (row::id(person), go as f32 * row::ROW)),
        Some(at) => groups.get(at).map(|one| (group::id(one), of_people + group::top(at))),
    });
    if let Some((id, _)) = go {
        ui.memory_mut(|memory| memory.request_focus(id));
    }
    let scroll = &mut hub.search.scroll;
    let top = go.map(|(_, top)| top);
    if std::mem::take(&mut scroll.anew) {
        area = area.vertical_scroll_offset(0.0);
    } else if let Some(top) = top.filter(|&top| top < scroll.offset) {
        area = area.vertical_scroll_offset(top);
    } else if let Some(top) = top.filter(|&top| top + row::ROW > scroll.offset + scroll.height) {
        area = area.vertical_scroll_offset(top + row::ROW - scroll.height);
    }
    let near = hub.search.near();
    let shown = area.show_viewport(ui, |ui, seen| {
        ui.set_height(of_people + group::height(groups));
        let place = ui.max_rect();
        let first = ((seen.top() / row::ROW).floor() as usize).min(people.len());
        let last = ((seen.bottom() / row::ROW).ceil() as usize + 1).min(people.len());
        let mut part = |top: f32, show: &mut dyn FnMut(&mut Ui)| {
            let rect = place.with_min_y(place.top() + top);
            ui.scope_builder(UiBuilder::new().max_rect(rect), show);
        };
        part(first as f32 * row::ROW, &mut |ui| {
            ui.skip_ahead_auto_ids(first);
            for person in &people[first..last] {
                row::show(ui, cx, hub, person, near, out);
            }
        });
        if !groups.is_empty() {
            part(of_people, &mut |ui| group::show(ui, cx, hub, groups));
        }
    });
    hub.search.scroll.offset = shown.state.clamped_offset().y;
    hub.search.scroll.height = shown.inner_rect.height();
}

fn offer(ui: &mut Ui, cx: &Cx<'_>, at: usize, focus: bool, offer: &Offer) -> bool {
    let (glyph, label) = match offer {
        Offer::Call(to) => (icons::PHONE, cx.tw("search-call", "to", &to.to_string())),
        Offer::Chat(with) => (icons::MESSAGE_CIRCLE, cx.tw("search-chat", "with", with.bare_str())),
    };
    let (rect, response) = crate::widgets::row(ui, cx.c, 52.0, keys::offer_id(at), &label, false);
    if focus {
        response.request_focus();
    }
    let disc = pos2(rect.left() + 32.0, rect.center().y);
    ui.painter().circle_filled(disc, 18.0, cx.c.accent_soft);
    icon(ui, disc, glyph, 18.0, cx.c.accent);
    let text = rect.with_min_x(rect.left() + 64.0).shrink2(vec2(4.0, 0.0));
    paint_line(ui, text, &label, Type::Name, cx.c.text, Align::Min);
    response.clicked()
}

#[cfg(test)]
mod tests {
    use super::reading;

    fn check(text: &str, call: Option<&str>, chat: Option<&str>) {
        let read = reading(text);
        assert_eq!(read.call.map(|to| to.to_string()).as_deref(), call, "{text}");
        assert_eq!(read.chat.map(|jid| jid.to_string()).as_deref(), chat, "{text}");
    }

    #[test]
    fn a_number_can_be_called_and_an_address_called_and_written_to() {
        check("2002", Some("2002"), None);
        check("+49 (30) 5550-142", Some("+49305550142"), None);
        check("tel:2002", Some("2002"), None);
        check("bob@example.com", Some("bob@example.com"), Some("bob@example.com"));
        check("amira", None, None);
        check("", None, None);
    }
}
