//! One box for finding people and for dialling.

use std::sync::Arc;

use egui::{Align, Id, Key, Modifiers, Rect, Sense, Stroke, StrokeKind, Ui, pos2, vec2};
use offhook_model::{Command, Contact, DialString, Jid};

use super::hub::{Hub, list_heading};
use crate::cx::Cx;
use crate::icons;
use crate::theme::Type;
use crate::widgets::{Field, Kind, Push, icon, line, paint_line, row};

/// The box and what it found.
#[derive(Default)]
pub struct Search {
    /// What is typed.
    pub text: String,
    /// The first result takes the focus, as the arrow asked.
    pub go_down: bool,
    cached: Option<Found>,
}

/// The places in `of` whose people match `text`.
struct Found {
    text: String,
    of: Arc<Vec<Arc<Contact>>>,
    places: Vec<usize>,
}

impl Search {
    /// Empties the box.
    pub fn clear(&mut self) {
        self.text.clear();
        self.cached = None;
    }

    /// Contacts whose name, address or number has the text; looked for once per text and list.
    fn found(&mut self, cx: &Cx<'_>) -> &[usize] {
        let wanted = self.text.trim().to_lowercase();
        let list = &cx.snap.contacts;
        let fresh = self
            .cached
            .as_ref()
            .is_some_and(|found| found.text == wanted && Arc::ptr_eq(&found.of, list));
        if !fresh {
            let places = list
                .iter()
                .enumerate()
                .filter(|(_, one)| matches(one, &wanted))
                .map(|(at, _)| at)
                .collect();
            self.cached = Some(Found { text: wanted, of: Arc::clone(list), places });
        }
        self.cached.as_ref().map_or(&[], |found| &found.places)
    }
}

fn matches(one: &Contact, wanted: &str) -> bool {
    one.name.to_lowercase().contains(wanted)
        || one.contact.bare_str().contains(wanted)
        || one.number.as_ref().is_some_and(|number| number.contains(wanted))
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
pub fn id() -> Id {
    Id::unique("search-or-call")
}

/// The box itself.
pub fn field(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, rect: Rect, out: &mut Vec<Command>) {
    let id = id();
    let name = cx.t("search-hint");
    let focused = ui.memory(|memory| memory.has_focus(id));
    if focused && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
        hub.search.clear();
        ui.memory_mut(|memory| memory.surrender_focus(id));
    }
    let searching = focused && !hub.search.text.is_empty();
    if searching && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::ArrowDown)) {
        hub.search.go_down = true;
    }
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
    if enter {
        first(cx, hub, out);
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

/// Enter takes the first result: a number is called, a person or address opened.
fn first(cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let read = reading(&hub.search.text);
    let hit = hub.search.found(cx).first().copied();
    let person = hit.and_then(|at| cx.snap.contacts.get(at));
    match (read.chat, read.call, person) {
        (Some(jid), _, _) => hub.open_chat(jid),
        (None, Some(to), _) if cx.can_call() => hub.dial(to, out),
        (None, _, Some(person)) => hub.open_chat(person.contact.clone()),
        (None, _, None) => {}
    }
}

/// The results in place of the list.
pub fn results(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let read = reading(&hub.search.text);
    if let Some(to) = read.call.filter(|_| cx.can_call()) {
        let label = cx.tw("search-call", "to", &to.to_string());
        if action(ui, cx, hub, icons::PHONE, &label) {
            hub.dial(to, out);
            return;
        }
    }
    if let Some(jid) = read.chat {
        let label = cx.tw("search-chat", "with", jid.bare_str());
        if action(ui, cx, hub, icons::MESSAGE_CIRCLE, &label) {
            hub.open_chat(jid);
            return;
        }
    }
    let hits: Vec<usize> = hub.search.found(cx).to_vec();
    if hits.is_empty() {
        ui.add_space(16.0);
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), Sense::hover());
        let text = cx.t("search-nobody");
        line(ui, rect, &text, Type::Secondary, cx.c.muted, Align::Center);
        hub.search.go_down = false;
        return;
    }
    list_heading(ui, cx, &cx.tc("search-people", hits.len()));
    super::contacts::people(ui, cx, hub, &hits, out);
}

fn action(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, glyph: &str, label: &str) -> bool {
    let id = ui.scope_id().with(glyph);
    let (rect, response) = row(ui, cx.c, 52.0, id, label, false);
    if std::mem::take(&mut hub.search.go_down) {
        response.request_focus();
    }
    let disc = pos2(rect.left() + 32.0, rect.center().y);
    ui.painter().circle_filled(disc, 18.0, cx.c.accent_soft);
    icon(ui, disc, glyph, 18.0, cx.c.accent);
    let text = rect.with_min_x(rect.left() + 64.0).shrink2(vec2(4.0, 0.0));
    paint_line(ui, text, label, Type::Name, cx.c.text, Align::Min);
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
