//! Phone control in the rail: do not disturb, where all calls go, parked calls; and the question
//! whether to take the phone over from another client.

use egui::{Align, Color32, Id, Popup, PopupCloseBehavior, Response, Ui};
use offhook_model::{CallWish, Command, DialString, Dnd, Forward, Pickup};

use super::conversation::menu;
use super::entry::complaint;
use super::hub::Hub;
use crate::cx::Cx;
use crate::icons;
use crate::theme::Type;
use crate::widgets::{Field, Kind, Push, dialog, option, paragraph};

const WIDTH: f32 = 300.0;

/// What is typed and answered.
#[derive(Default)]
pub struct Typed {
    /// Where calls shall go.
    to: String,
    wrong: bool,
    /// The words of the question that was put off.
    later: Option<String>,
    /// The question of somebody else whose careful answer has had the focus.
    asked: Option<u32>,
}

/// How the phone is set: icon, colour and words.
pub fn look(cx: &Cx<'_>) -> (&'static str, Option<Color32>, String) {
    let phone = &cx.snap.phone;
    let (glyph, ink, word) = match (&phone.forward, phone.dnd) {
        (Some(Forward::To(to)), _) => {
            let word = cx.tw("phone-forwarded", "number", &to.to_string());
            (icons::PHONE_OUTGOING, Some(cx.c.away), word)
        }
        (Some(Forward::Voicemail), _) => {
            (icons::VOICEMAIL, Some(cx.c.away), cx.t("phone-forwarded-voicemail"))
        }
        (None, Some(Dnd::Reject)) => (icons::BELL_OFF, Some(cx.c.busy), cx.t("phone-reject")),
        (None, Some(Dnd::RingerOff)) => (icons::BELL_OFF, Some(cx.c.busy), cx.t("phone-silent")),
        (None, None) => (icons::MONITOR, None, cx.t("phone-computer")),
    };
    let mut words = format!("{}: {word}", cx.t("phone-control"));
    if phone.messages.waiting {
        words = format!("{words}, {}", cx.tc("phone-messages", waiting(cx)));
    }
    (glyph, ink, words)
}

/// How many voice messages wait; one where only the lamp is lit.
pub fn waiting(cx: &Cx<'_>) -> usize {
    let messages = cx.snap.phone.messages;
    if messages.waiting { messages.new.map_or(1, |new| new.max(1) as usize) } else { 0 }
}

/// Opens beside its item in the rail.
pub fn open(cx: &Cx<'_>, hub: &mut Hub, anchor: &Response, out: &mut Vec<Command>) {
    let id = Id::unique("phone-menu");
    let popup = Popup::from_toggle_button_response(anchor)
        .id(id)
        .align(egui::RectAlign::RIGHT_END)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .accessible_name(cx.t("phone-control"))
        .width(WIDTH);
    let shown = popup.show(|ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        ui.set_width(WIDTH);
        content(ui, cx, &mut hub.phone, out)
    });
    if shown.is_some_and(|shown| shown.inner) {
        Popup::close_id(&anchor.ctx, id);
    }
}

/// True when something was chosen and the menu can close.
fn content(ui: &mut Ui, cx: &Cx<'_>, typed: &mut Typed, out: &mut Vec<Command>) -> bool {
    let phone = &cx.snap.phone;
    let mut done = false;
    for (dnd, key) in [
        (None, "phone-ring"),
        (Some(Dnd::RingerOff), "phone-silent"),
        (Some(Dnd::Reject), "phone-reject"),
    ] {
        ui.horizontal(|ui| {
            ui.add_space(10.0);
            if option(ui, cx.c, phone.dnd == dnd, &cx.t(key)).clicked() {
                out.push(Command::Call(CallWish::DoNotDisturb(dnd)));
                done = true;
            }
        });
    }
    ui.add_space(8.0);
    done |= call_with(ui, cx, out);
    if let Some(trouble) = &phone.trouble {
        paragraph(ui, &cx.texts.cause(trouble), Type::Secondary, cx.c.busy);
        ui.add_space(8.0);
    }
    if phone.can.forward || phone.forward.is_some() {
        done |= forwarding(ui, cx, typed, out);
    }
    for parked in &phone.parked {
        let words = cx.tw("phone-take-back", "name", &parked.who);
        if menu::item(ui, cx, icons::CLOCK, &format!("{words} · {}", parked.at))
            && let Ok(to) = parked.at.parse::<DialString>()
        {
            out.push(Command::Dial { to, video: false });
            done = true;
        }
    }
    if phone.can.pickup && menu::item(ui, cx, icons::PHONE_INCOMING, &cx.t("phone-pickup")) {
        out.push(Command::Call(CallWish::Pickup(Pickup::Group)));
        done = true;
    }
    if cx.can_call() && menu::item(ui, cx, icons::REDO, &cx.t("phone-redial")) {
        out.push(Command::Call(CallWish::Redial));
        done = true;
    }
    done
}

/// Which phone calls are made with: this computer, or one on the desk.
fn call_with(ui: &mut Ui, cx: &Cx<'_>, out: &mut Vec<Command>) -> bool {
    let phone = &cx.snap.phone;
    if phone.desk_phones.is_empty() {
        return false;
    }
    let mut chosen = None;
    let mut offer = |ui: &mut Ui, on: bool, words: &str, device: Option<&String>| {
        ui.horizontal(|ui| {
            ui.add_space(10.0);
            if option(ui, cx.c, on, words).clicked() {
                chosen = Some(device.cloned());
            }
        });
    };
    offer(ui, phone.desk.is_none(), &cx.t("phone-with-computer"), None);
    for desk in &phone.desk_phones {
        let words = cx.tw("phone-with-desk", "name", &format!("{} · {}", desk.model, desk.device));
        offer(ui, phone.desk.as_ref() == Some(&desk.device), &words, Some(&desk.device));
    }
    ui.add_space(8.0);
    let Some(device) = chosen else { return false };
    out.push(Command::Call(CallWish::CallWith(device)));
    true
}

fn forwarding(ui: &mut Ui, cx: &Cx<'_>, typed: &mut Typed, out: &mut Vec<Command>) -> bool {
    if cx.snap.phone.forward.is_some() {
        let back = menu::item(ui, cx, icons::PHONE, &cx.t("phone-forward-not"));
        if back {
            out.push(Command::Call(CallWish::Forward(None)));
        }
        return back;
    }
    let (name, label) = (cx.t("phone-forward-to"), cx.t("phone-forward"));
    let mut go = false;
    ui.horizontal(|ui| {
        ui.add_space(10.0);
        ui.vertical(|ui| {
            paragraph(ui, &name, Type::Label, cx.c.muted);
            ui.add_space(4.0);
            ui.set_width(WIDTH - 20.0);
            let field = Field::new(Id::unique("forward-to"), &name).show(ui, cx.c, &mut typed.to);
            go = super::entry::entered(ui, &field);
            if typed.wrong {
                complaint(ui, cx, &cx.t("transfer-wrong"));
            }
            ui.add_space(8.0);
            go |= Push::new(&label).glyph(icons::PHONE_OUTGOING).show(ui, cx.c).clicked();
            ui.add_space(8.0);
        });
    });
    let voicemail = cx.snap.phone.can.divert
        && menu::item(ui, cx, icons::VOICEMAIL, &cx.t("phone-forward-voicemail"));
    if voicemail {
        out.push(Command::Call(CallWish::Forward(Some(Forward::Voicemail))));
        return true;
    }
    match typed.to.trim().parse::<DialString>() {
        Ok(to) if go => {
            out.push(Command::Call(CallWish::Forward(Some(Forward::To(to)))));
            typed.to.clear();
            typed.wrong = false;
            true
        }
        _ => {
            typed.wrong |= go;
            false
        }
    }
}

/// Asks whether to take the phone over, once for each refusal of the server.
pub fn take_over(ui: &Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let Some(words) = &cx.snap.phone.elsewhere else {
        hub.phone.later = None;
        return;
    };
    if hub.phone.later.as_ref() == Some(words) {
        return;
    }
    let mut answered = false;
    let shown = dialog(cx.c, Id::unique("take-over")).show(ui.ctx(), |ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        ui.set_width(380.0_f32.min(ui.ctx().content_rect().width() - 80.0));
        paragraph(ui, &cx.t("take-over-title"), Type::Heading, cx.c.text);
        ui.add_space(8.0);
        paragraph(ui, &cx.t("take-over-below"), Type::Body, cx.c.muted);
        ui.add_space(20.0);
        let (yes, no) = (cx.t("take-over"), cx.t("take-over-not"));
        ui.with_layout(egui::Layout::right_to_left(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            if Push::new(&yes).kind(Kind::Primary).show(ui, cx.c).clicked() {
                out.push(Command::Call(CallWish::TakeOver));
                answered = true;
            }
            answered |= Push::new(&no).show(ui, cx.c).clicked();
        });
    });
    if answered || shown.should_close() {
        hub.phone.later = Some(words.clone());
    }
}

/// Somebody we do not talk to wants us to call somebody: nothing is dialled before this is answered.
/// Closing it says no, which has the focus.
pub fn asked_to_call(ui: &Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let Some(asked) = cx.snap.phone.asked.first() else {
        hub.phone.asked = None;
        return;
    };
    let fresh = hub.phone.asked.replace(asked.id) != Some(asked.id);
    let mut answer = None;
    let shown = dialog(cx.c, Id::unique("asked-to-call")).show(ui.ctx(), |ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        ui.set_width(380.0_f32.min(ui.ctx().content_rect().width() - 80.0));
        paragraph(ui, &cx.tw("asked-to-call-title", "to", &asked.to), Type::Heading, cx.c.text);
        ui.add_space(8.0);
        paragraph(ui, &cx.tw("asked-to-call-below", "by", &asked.by), Type::Body, cx.c.muted);
        ui.add_space(20.0);
        let (yes, no) = (cx.t("asked-to-call"), cx.t("asked-to-call-not"));
        ui.with_layout(egui::Layout::right_to_left(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            let careful = Push::new(&no).kind(Kind::Primary).show(ui, cx.c);
            if fresh {
                careful.request_focus();
            }
            if careful.clicked() {
                answer = Some(false);
            }
            if Push::new(&yes).show(ui, cx.c).clicked() {
                answer = Some(true);
            }
        });
    });
    if shown.should_close() {
        answer = answer.or(Some(false));
    }
    if let Some(accept) = answer {
        out.push(Command::Call(CallWish::AnswerReferral { id: asked.id, accept }));
    }
}
