//! What the sources and the person say, a line each, with what can be done with it.

use egui::{Frame, Ui, vec2};
use offhook_model::{DialString, Jid, Person, PersonDetails};

use crate::cx::Cx;
use crate::icons;
use crate::screens::entry::complaint;
use crate::screens::search::{kind_word, source_word, ways};
use crate::theme::{R_ROW, Type};
use crate::widgets::{Kind, Push, paragraph};

const BUTTON: f32 = 32.0;

/// What was pressed.
pub enum Act {
    /// Call.
    Call(DialString),
    /// Open the chat.
    Chat(Jid),
}

/// One line.
struct Fact {
    label: String,
    value: String,
    chat: Option<Jid>,
    call: Option<DialString>,
    /// It is worth having elsewhere.
    copy: bool,
}

impl Fact {
    fn new(label: String, value: impl Into<String>) -> Self {
        Self { label, value: value.into(), chat: None, call: None, copy: false }
    }

    fn copied(label: String, value: impl Into<String>) -> Self {
        Self { copy: true, ..Self::new(label, value) }
    }
}

/// Draws them; gives what was pressed.
pub fn show(
    ui: &mut Ui,
    cx: &Cx<'_>,
    person: &Person,
    details: Option<&PersonDetails>,
) -> Option<Act> {
    let mut act = None;
    let frame =
        Frame::new().fill(cx.c.ground).stroke(cx.c.hair()).corner_radius(R_ROW).inner_margin(14);
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        for (at, fact) in all(cx, person, details).into_iter().enumerate() {
            if at > 0 {
                ui.add_space(8.0);
            }
            act = one(ui, cx, fact).or(act.take());
        }
    });
    match details {
        Some(details) if details.busy => {
            paragraph(ui, &cx.t("person-asking"), Type::Secondary, cx.c.muted);
        }
        Some(PersonDetails { error: Some(error), .. }) => complaint(ui, cx, error),
        Some(_) | None => {}
    }
    act
}

fn one(ui: &mut Ui, cx: &Cx<'_>, fact: Fact) -> Option<Act> {
    let buttons = [fact.chat.is_some(), fact.call.is_some(), fact.copy];
    let room = BUTTON * buttons.iter().filter(|&&there| there).count() as f32;
    let mut act = None;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        let width = ui.available_width() - room;
        ui.allocate_ui(vec2(width, 0.0), |ui| {
            ui.vertical(|ui| {
                ui.set_width(width);
                paragraph(ui, &fact.label, Type::Label, cx.c.muted);
                paragraph(ui, &fact.value, Type::Body, cx.c.text);
            });
        });
        let push = |ui: &mut Ui, name: &str, glyph: &str| {
            let push = Push::new(name).glyph(glyph).icon_only().height(BUTTON).kind(Kind::Ghost);
            push.show(ui, cx.c).clicked()
        };
        if let Some(with) = fact.chat
            && push(ui, &cx.tw("search-chat", "with", &fact.value), icons::MESSAGE_CIRCLE)
        {
            act = Some(Act::Chat(with));
        }
        if let Some(to) = fact.call
            && push(ui, &cx.tw("search-call", "to", &fact.value), icons::PHONE)
        {
            act = Some(Act::Call(to));
        }
        if fact.copy && push(ui, &cx.tw("copy-value", "value", &fact.value), icons::COPY) {
            ui.ctx().copy_text(fact.value);
        }
    });
    act
}

fn all(cx: &Cx<'_>, person: &Person, details: Option<&PersonDetails>) -> Vec<Fact> {
    let entry = &person.entry;
    let mut facts: Vec<Fact> = vec![];
    if let Some(im) = &entry.im {
        let chat = cx.has_chat().then(|| im.bare());
        let fact = Fact::copied(cx.t("person-address"), im.bare_str());
        facts.push(Fact { chat, ..fact });
    }
    let label = |kind| match kind {
        Some(kind) => format!("{} ({})", cx.t("person-number"), kind_word(cx, kind)),
        None => cx.t("person-sip"),
    };
    let callable = ways(cx, person);
    let numbers = entry.numbers.iter().map(|it| (Some(it.kind), it.number.as_str()));
    let uris = entry.uris.iter().map(|uri| (None, uri.as_str()));
    let mut said: Vec<String> = vec![];
    for (kind, shown) in numbers.chain(uris) {
        let call = callable.iter().find(|way| way.shown == shown).map(|way| way.to.clone());
        said.push(digits(shown));
        facts.push(Fact { call, ..Fact::copied(label(kind), shown) });
    }
    let told = details.into_iter().flat_map(|details| &details.numbers);
    for (kind, number) in told.filter(|(_, number)| !said.contains(&digits(number))) {
        let call = number.parse().ok().filter(|_| cx.can_call());
        let label = format!("{} ({kind})", cx.t("person-number"));
        facts.push(Fact { call, ..Fact::copied(label, number) });
    }
    let told = details.into_iter().flat_map(|details| &details.mail);
    let mail = entry.mail.iter().chain(told.filter(|it| !entry.mail.contains(it)));
    facts.extend(mail.map(|it| Fact::copied(cx.t("person-mail"), it)));
    plain(cx, person, details, &mut facts);
    facts
}

/// What is only read.
fn plain(cx: &Cx<'_>, person: &Person, details: Option<&PersonDetails>, facts: &mut Vec<Fact>) {
    let entry = &person.entry;
    let told = |of: fn(&PersonDetails) -> &Option<String>| details.and_then(|it| of(it).clone());
    let texts = [
        ("person-name", told(|it| &it.name).filter(|name| *name != person.name)),
        ("person-title", entry.title.clone().or_else(|| told(|it| &it.title))),
        ("person-department", entry.department.clone()),
        ("person-organisation", entry.company.clone().or_else(|| told(|it| &it.organisation))),
        ("person-location", entry.location.clone()),
        ("person-groups", some_list(&entry.groups)),
        ("person-last-seen", details.and_then(|it| it.last_seen).map(|it| cx.when(it))),
        ("person-client", details.and_then(|it| some_list(&it.clients))),
    ];
    for (key, text) in texts {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            facts.push(Fact::new(cx.t(key), text));
        }
    }
    let mut sources: Vec<String> = vec![];
    for source in &person.sources {
        let word = source_word(cx, *source);
        if !sources.contains(&word) {
            sources.push(word);
        }
    }
    facts.push(Fact::new(cx.t("person-sources"), sources.join(", ")));
}

fn some_list(items: &[String]) -> Option<String> {
    (!items.is_empty()).then(|| items.join(", "))
}

/// A number as it is compared here: its digits, or the text itself.
fn digits(text: &str) -> String {
    text.parse::<DialString>().map_or_else(|_| text.to_owned(), |dial| dial.to_string())
}
