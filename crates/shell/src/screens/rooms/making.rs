//! The dialog that makes a group chat.

use egui::{Id, Ui};
use offhook_model::{Command, Contact, Jid, RoomWish};

use super::super::entry::{complaint, entered, labelled};
use super::super::hub::Hub;
use crate::cx::Cx;
use crate::icons;
use crate::theme::Type;
use crate::widgets::{Field, Kind, Push, check, dialog, paragraph};

/// How many people are offered while one is typed.
const OFFERED: usize = 4;

/// The dialog while it is open.
#[derive(Default)]
pub struct Making {
    name: String,
    topic: String,
    persistent: bool,
    members_only: bool,
    typed: String,
    people: Vec<Jid>,
    wrong: Option<String>,
    asked: bool,
}

/// Draws the dialog, if it is open.
pub fn show(ui: &Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let Some(making) = &mut hub.making else { return };
    let modal = dialog(cx.c, Id::unique("new-room"));
    let shown = modal.show(ui.ctx(), |ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        ui.set_width(400.0_f32.min(ui.ctx().content_rect().width() - 80.0));
        content(ui, cx, making, out)
    });
    if shown.inner || shown.should_close() {
        hub.making = None;
    }
}

/// True when the dialog is done with.
fn content(ui: &mut Ui, cx: &Cx<'_>, making: &mut Making, out: &mut Vec<Command>) -> bool {
    paragraph(ui, &cx.t("room-new"), Type::Heading, cx.c.text);
    ui.add_space(4.0);
    paragraph(ui, &cx.t("room-new-below"), Type::Secondary, cx.c.muted);
    ui.add_space(16.0);
    let name = field(ui, cx, "room-name", &mut making.name);
    if !std::mem::replace(&mut making.asked, true) {
        name.request_focus();
    }
    if let Some(wrong) = &making.wrong {
        complaint(ui, cx, wrong);
    }
    ui.add_space(12.0);
    field(ui, cx, "room-topic", &mut making.topic);
    ui.add_space(12.0);
    people(ui, cx, making);
    ui.add_space(12.0);
    switches(ui, cx, making);
    ui.add_space(20.0);
    let enter = making.typed.is_empty() && entered(ui, &name);
    let (go, done) = buttons(ui, cx);
    if !(go || enter) || done {
        return done;
    }
    let name = making.name.trim();
    if name.is_empty() {
        making.wrong = Some(cx.t("room-name-missing"));
        return false;
    }
    let topic = making.topic.trim();
    out.push(Command::Room(RoomWish::Create {
        name: name.to_owned(),
        topic: (!topic.is_empty()).then(|| topic.to_owned()),
        persistent: making.persistent,
        members_only: making.members_only,
        invite: std::mem::take(&mut making.people),
    }));
    true
}

fn field(ui: &mut Ui, cx: &Cx<'_>, key: &str, text: &mut String) -> egui::Response {
    let label = cx.t(key);
    labelled(ui, cx, &label);
    Field::new(Id::unique(key), &label).show(ui, cx.c, text)
}

/// Who is to be invited: chips, a field, and what the field matches.
fn people(ui: &mut Ui, cx: &Cx<'_>, making: &mut Making) {
    if !making.people.is_empty() {
        let mut gone = None;
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = egui::vec2(6.0, 6.0);
            for (at, who) in making.people.iter().enumerate() {
                let name = cx.name_of(who);
                let push = Push::new(&name).glyph(icons::X).kind(Kind::Soft).height(28.0);
                let response = push.show(ui, cx.c).on_hover_text(cx.t("room-invite-not"));
                if response.clicked() {
                    gone = Some(at);
                }
            }
        });
        if let Some(at) = gone {
            making.people.remove(at);
        }
        ui.add_space(8.0);
    }
    let typed = field(ui, cx, "room-invite", &mut making.typed);
    let wanted = making.typed.trim().to_lowercase();
    if wanted.is_empty() {
        return;
    }
    let fits = |one: &&std::sync::Arc<Contact>| {
        !making.people.contains(&one.contact)
            && (one.name.to_lowercase().contains(&wanted)
                || one.contact.bare_str().contains(&wanted))
    };
    let found: Vec<Jid> =
        cx.snap.contacts.iter().filter(fits).take(OFFERED).map(|it| it.contact.clone()).collect();
    let mut chosen = None;
    for who in &found {
        let name = cx.name_of(who);
        let push = Push::new(&name).glyph(icons::USER_PLUS).kind(Kind::Ghost).height(32.0);
        if push.width(ui.available_width()).show(ui, cx.c).clicked() {
            chosen = Some(who.clone());
        }
    }
    if entered(ui, &typed) {
        let address = wanted.parse::<Jid>().ok().filter(|it| it.local().is_some());
        chosen = chosen.or(found.first().cloned()).or(address);
        typed.request_focus();
    }
    if let Some(who) = chosen {
        making.people.push(who.bare());
        making.typed.clear();
    }
}

fn switches(ui: &mut Ui, cx: &Cx<'_>, making: &mut Making) {
    if cx.snap.policy.persistent_rooms {
        check(ui, cx.c, &mut making.persistent, &cx.t("room-persistent"))
            .on_hover_text(cx.t("room-persistent-below"));
    }
    check(ui, cx.c, &mut making.members_only, &cx.t("room-members-only"));
}

/// Make it, leave it.
fn buttons(ui: &mut Ui, cx: &Cx<'_>) -> (bool, bool) {
    let (make, cancel) = (cx.t("room-new-do"), cx.t("cancel"));
    let (mut go, mut done) = (false, false);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Min), |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        go = Push::new(&make).kind(Kind::Primary).show(ui, cx.c).clicked();
        done = Push::new(&cancel).show(ui, cx.c).clicked();
    });
    (go, done)
}
