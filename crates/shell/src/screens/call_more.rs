//! What more can be done with a call: give it away, merge it, park it; and who is in a conference.

use egui::{Align, Id, Popup, PopupCloseBehavior, Rect, RectAlign, Response, Ui, pos2, vec2};
use offhook_model::{Call, CallId, CallState, CallWish, Command, DialString, Participant, Repair};

use super::conversation::menu;
use super::entry::{complaint, entered, labelled};
use super::hub::{Hub, live};
use crate::cx::Cx;
use crate::icons;
use crate::theme::Type;
use crate::widgets::{
    Field, Kind, Push, dialog, line, paragraph, paragraph_centered, region, show_live,
};

const MENU: f32 = 260.0;

/// The question to whom a call is given.
pub struct Giving {
    call: CallId,
    to: String,
    wrong: bool,
    asked: bool,
}

/// Somebody is asked before a call is given to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asking {
    call: CallId,
    /// Calls with a higher id came after the question.
    after: CallId,
}

/// Calls that can be joined with this one.
fn partners<'a>(cx: &Cx<'a>, call: &Call) -> Vec<&'a Call> {
    let id = call.id;
    let up = [CallState::Connected, CallState::Held, CallState::RemoteHeld];
    live(cx).filter(|other| other.id != id && up.contains(&other.state)).collect()
}

/// There is an entry at all.
pub fn any(cx: &Cx<'_>, call: &Call) -> bool {
    call.can.park || (call.can.merge && !partners(cx, call).is_empty())
}

/// Asks to whom the call is to be given.
pub fn give(hub: &mut Hub, call: CallId) {
    hub.giving = Some(Giving { call, to: String::new(), wrong: false, asked: false });
}

/// What the server and the call's state allow, and no more. Transfer has a button of its own.
pub fn open(cx: &Cx<'_>, call: &Call, anchor: &Response, out: &mut Vec<Command>) {
    let popup = Popup::from_toggle_button_response(anchor)
        .id(Id::unique("call-menu"))
        .close_behavior(PopupCloseBehavior::CloseOnClick)
        .accessible_name(cx.t("call-more"))
        .width(MENU);
    popup.show(|ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        ui.set_width(MENU);
        for other in partners(cx, call) {
            let name = cx.name_of_call(other);
            if call.can.merge
                && menu::item(ui, cx, icons::USER_PLUS, &cx.tw("merge-with", "name", &name))
            {
                out.push(Command::Call(CallWish::Merge { id: call.id, other: other.id }));
            }
        }
        if call.can.park && menu::item(ui, cx, icons::CLOCK, &cx.t("park")) {
            out.push(Command::Call(CallWish::Park(call.id)));
        }
    });
}

/// The question to whom a call is given, while it is open.
pub fn ask(ui: &Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let Some(giving) = &mut hub.giving else { return };
    let call = live(cx).find(|call| call.id == giving.call && call.can.transfer);
    let Some(call) = call else {
        hub.giving = None;
        return;
    };
    let newest = cx.snap.calls.iter().map(|call| call.id).max().unwrap_or(call.id);
    let mut asks = None;
    let shown = dialog(cx.c, Id::unique("transfer")).show(ui.ctx(), |ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        ui.set_width(380.0_f32.min(ui.ctx().content_rect().width() - 80.0));
        question(ui, cx, giving, call, &mut asks, out)
    });
    if shown.inner || shown.should_close() {
        hub.giving = None;
    }
    if asks.is_some() {
        hub.asking = Some(Asking { call: call.id, after: newest });
    }
}

/// True when the dialog is done with.
fn question(
    ui: &mut Ui,
    cx: &Cx<'_>,
    giving: &mut Giving,
    call: &Call,
    asks: &mut Option<()>,
    out: &mut Vec<Command>,
) -> bool {
    let title = cx.tw("transfer-title", "name", &cx.name_of_call(call));
    paragraph(ui, &title, Type::Heading, cx.c.text);
    ui.add_space(4.0);
    paragraph(ui, &cx.t("transfer-below"), Type::Secondary, cx.c.muted);
    ui.add_space(16.0);
    let name = cx.t("dial-number");
    labelled(ui, cx, &name);
    let field = Field::new(Id::unique("transfer-to"), &name).show(ui, cx.c, &mut giving.to);
    if !std::mem::replace(&mut giving.asked, true) {
        field.request_focus();
    }
    if giving.wrong {
        complaint(ui, cx, &cx.t("transfer-wrong"));
    }
    for other in partners(cx, call) {
        ui.add_space(12.0);
        let label = cx.tw("transfer-to", "name", &cx.name_of_call(other));
        let push = Push::new(&label).glyph(icons::REDO).kind(Kind::Soft);
        if push.width(ui.available_width()).show(ui, cx.c).clicked() {
            out.push(Command::Call(CallWish::Connect { id: call.id, other: other.id }));
            return true;
        }
    }
    ui.add_space(20.0);
    let (now, first, cancel) = (cx.t("transfer-now"), cx.t("transfer-ask"), cx.t("cancel"));
    let (mut go, mut consult, mut done) = (entered(ui, &field), false, false);
    ui.with_layout(egui::Layout::right_to_left(Align::Min), |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        go |= Push::new(&now).kind(Kind::Primary).show(ui, cx.c).clicked();
        consult = Push::new(&first).show(ui, cx.c).clicked();
        done = Push::new(&cancel).show(ui, cx.c).clicked();
    });
    if done || !(go || consult) {
        return done;
    }
    let Ok(to) = giving.to.trim().parse::<DialString>() else {
        giving.wrong = true;
        return false;
    };
    if consult {
        *asks = Some(());
        out.push(Command::Dial { to, video: false });
    } else {
        out.push(Command::Call(CallWish::Transfer { id: call.id, to }));
    }
    true
}

/// The call that this one was made for: who is to be given away, when this is the one who is asked.
fn asked_for<'a>(cx: &Cx<'a>, hub: &Hub, call: &Call) -> Option<&'a Call> {
    let asking = hub.asking.filter(|asking| call.id > asking.after)?;
    live(cx).find(|first| first.id == asking.call && first.can.transfer)
}

/// Words and buttons below what is known of the call; gives where they end.
pub fn below(
    ui: &mut Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    call: &Call,
    rect: Rect,
    out: &mut Vec<Command>,
) {
    let all = |ui: &mut Ui| {
        if call.preserved {
            said(ui, &cx.t("call-preserved"), cx.c.away);
        }
        if let Some(silence) = &call.silence {
            said(ui, &cx.texts.cause(&silence.problem), cx.c.busy);
            match silence.repair {
                Some(repair) => said(ui, &cx.t(mending(repair)), cx.c.muted),
                None => said(ui, &cx.texts.remedy(&silence.problem), cx.c.muted),
            }
        }
        if let Some(trouble) = &call.trouble {
            said(ui, &cx.texts.cause(trouble), cx.c.busy);
            said(ui, &cx.texts.remedy(trouble), cx.c.muted);
        }
        if let Some(by) = &call.diverted_by {
            said(ui, &cx.tw("diverted-by", "name", by), cx.c.muted);
        }
        if let Some(first) = asked_for(cx, hub, call) {
            ui.add_space(8.0);
            let name = cx.name_of_call(first);
            let label = cx.tw("transfer-connect", "name", &name);
            ui.vertical_centered(|ui| {
                let push = Push::new(&label).glyph(icons::REDO).kind(Kind::Primary);
                if push.show(ui, cx.c).clicked() {
                    out.push(Command::Call(CallWish::Connect { id: first.id, other: call.id }));
                    hub.asking = None;
                }
            });
        }
        if let Some(conference) = &call.conference {
            ui.add_space(8.0);
            people(ui, cx, call, &conference.people, out);
        }
    };
    region(ui, "call-below", rect, |ui| {
        egui::ScrollArea::vertical().auto_shrink(false).show(ui, all);
    });
}

/// What is tried against a silence.
fn mending(repair: Repair) -> &'static str {
    match repair {
        Repair::Reopening => "silence-reopening",
        Repair::Moving => "silence-moving",
        Repair::Renewing => "silence-renewing",
    }
}

fn said(ui: &mut Ui, words: &str, ink: egui::Color32) {
    ui.vertical_centered(|ui| {
        let response = paragraph_centered(ui, words, Type::Secondary, ink);
        show_live(&response, false);
    });
    ui.add_space(2.0);
}

/// Who is in a conference.
fn people(ui: &mut Ui, cx: &Cx<'_>, call: &Call, people: &[Participant], out: &mut Vec<Command>) {
    let title = cx.tc("conference-people", people.len());
    ui.vertical_centered(|ui| paragraph_centered(ui, &title, Type::Label, cx.c.muted));
    ui.add_space(4.0);
    let width = ui.available_width().min(320.0);
    for one in people {
        let size = vec2(ui.available_width(), 32.0);
        let (row, _) = ui.allocate_exact_size(size, egui::Sense::hover());
        let row = Rect::from_center_size(row.center(), vec2(width, 32.0));
        let name =
            if one.me { cx.tw("conference-me", "name", &one.name) } else { one.name.clone() };
        let text = row.with_max_x(row.right() - 40.0);
        line(ui, text, &name, Type::Body, cx.c.text, Align::Min);
        if one.me {
            continue;
        }
        let label = cx.tw("conference-expel", "name", &one.name);
        let place =
            Rect::from_center_size(pos2(row.right() - 16.0, row.center().y), vec2(28.0, 28.0));
        let push = Push::new(&label).glyph(icons::X).icon_only().kind(Kind::Ghost).height(28.0);
        if push.at(ui, cx.c, place).clicked() {
            let participant = one.id.clone();
            out.push(Command::Call(CallWish::Expel { id: call.id, participant }));
        }
    }
}

/// Beside answer and decline: what else can be done with a call that rings here. True while it is
/// open.
pub fn open_incoming(
    cx: &Cx<'_>,
    call: &Call,
    ends: Option<CallId>,
    anchor: &Response,
    card: Rect,
    out: &mut Vec<Command>,
) -> bool {
    // Above the card: who calls is what the choice depends on.
    let popup = Popup::from_toggle_button_response(anchor)
        .id(Id::unique(("incoming-menu", call.id)))
        .anchor(card)
        .align(RectAlign::TOP_END)
        .gap(6.0)
        .close_behavior(PopupCloseBehavior::CloseOnClick)
        .accessible_name(cx.t("call-more"))
        .width(MENU);
    let shown = popup.show(|ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        ui.set_width(MENU);
        if let Some(going) = ends
            && menu::item(ui, cx, icons::PHONE, &cx.t("answer-end"))
        {
            out.push(Command::HangUp(going));
            out.push(Command::Answer(call.id));
        }
        if call.can.divert && menu::item(ui, cx, icons::VOICEMAIL, &cx.t("divert")) {
            out.push(Command::Call(CallWish::Divert(call.id)));
        }
    });
    shown.is_some()
}
