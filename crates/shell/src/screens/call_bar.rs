//! Calls that go on while something else is in front: one line each.

use std::time::Duration;

use egui::{Align, Rect, Ui, pos2, vec2};
use offhook_model::{Call, CallState, Command, Security};

use super::hub::{Hub, live, rule};
use crate::cx::{Cx, span};
use crate::icons;
use crate::theme::{R_CONTROL, Type};
use crate::widgets::{Kind, Push, focus_ring, galley, icon, keypad, line, paint_line, show_live};

const HEIGHT: f32 = 49.0;
/// Below this width buttons lose their labels and the state goes below the name.
const TIGHT: f32 = 640.0;

/// Draws one bar for each call; gives their height.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) -> f32 {
    let rect = ui.max_rect();
    let mut top = rect.top();
    let ended =
        cx.snap.calls.iter().filter(|call| call.state == CallState::Ended && call.end.is_some());
    for call in live(cx).chain(ended) {
        let place = rect.with_min_y(top).with_max_y(top + HEIGHT);
        bar(ui, cx, hub, call, place, out);
        top += HEIGHT;
    }
    top - rect.top()
}

/// Hold, or take back.
pub fn hold_or_resume(call: &Call) -> Command {
    if call.state == CallState::Held { Command::Resume(call.id) } else { Command::Hold(call.id) }
}

/// State and time in words; asks to be drawn again when the second is full.
pub fn state_words(ui: &Ui, cx: &Cx<'_>, call: &Call) -> String {
    let timer = || {
        let since = call.connected.unwrap_or(cx.now);
        let elapsed = cx.now.0 - since.0;
        let rest = 1000 - elapsed.rem_euclid(1000);
        let wait = u64::try_from(rest).unwrap_or(1000).max(20);
        ui.ctx().request_repaint_after(Duration::from_millis(wait));
        span(elapsed / 1000)
    };
    match call.state {
        CallState::Dialing => cx.t("state-dialing"),
        CallState::Ringing if call.desk.is_some() => cx.t("call-at-desk"),
        CallState::Ringing => cx.t("state-ringing"),
        CallState::Early => cx.t("state-early"),
        CallState::Incoming => cx.t("call-incoming"),
        CallState::Connected => timer(),
        CallState::Held => cx.tw("state-held", "time", &timer()),
        CallState::RemoteHeld => cx.tw("state-remote-held", "time", &timer()),
        CallState::Transferring => cx.t("state-transferring"),
        CallState::Ended => end_words(cx, call),
    }
}

/// Says a new state aloud once; the visible words change every second and would be read as often.
pub fn announce(ui: &Ui, cx: &Cx<'_>, call: &Call, place: Rect) {
    let word = match call.state {
        CallState::Dialing => cx.t("state-dialing"),
        CallState::Ringing if call.desk.is_some() => cx.t("call-at-desk"),
        CallState::Ringing => cx.t("state-ringing"),
        CallState::Early => cx.t("state-early"),
        CallState::Incoming => cx.t("call-incoming"),
        CallState::Connected => cx.t("said-connected"),
        CallState::Held => cx.t("said-held"),
        CallState::RemoteHeld => cx.t("said-remote-held"),
        CallState::Transferring => cx.t("state-transferring"),
        CallState::Ended => end_words(cx, call),
    };
    let id = ui.scope_id().with(("state", call.id));
    let spot = Rect::from_min_size(place.min, vec2(1.0, 1.0));
    let response = ui.interact(spot, id, egui::Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Status, true, &word));
    show_live(&response, true);
}

fn end_words(cx: &Cx<'_>, call: &Call) -> String {
    let problem = call.end.as_ref().and_then(|end| end.problem.as_ref());
    if let Some(problem) = problem {
        return cx.texts.cause(problem);
    }
    let cause = call.end.as_ref().map_or("", |end| end.cause);
    cx.t(match cause {
        "remoteHungUp" => "end-remote",
        "busy" => "end-busy",
        "declined" => "end-declined",
        "noAnswer" => "end-no-answer",
        "notFound" => "end-not-found",
        "cancelled" => "end-cancelled",
        "missed" => "call-missed",
        "transferred" => "end-transferred",
        "parked" => "end-parked",
        "merged" => "end-merged",
        "diverted" => "end-diverted",
        "forwarded" => "end-forwarded",
        "answeredElsewhere" => "end-elsewhere",
        "failed" => "end-failed",
        // "hungUp", and causes that a later core may add.
        _ => "end-own",
    })
}

/// How the sound of a call is doing.
pub struct Sound {
    /// Bars.
    pub glyph: &'static str,
    /// In a word or two.
    pub word: String,
    /// Nothing is wrong.
    pub good: bool,
}

/// The verdict on the sound. Known verdicts are translated.
pub fn sound(cx: &Cx<'_>, call: &Call) -> Option<Sound> {
    if call.silence.as_ref().is_some_and(|silence| silence.leg.is_ours()) {
        return Some(Sound { glyph: icons::MIC_OFF, word: cx.t("sound-unheard"), good: false });
    }
    let word = call.sound.as_deref()?;
    let (glyph, word, good) = match word {
        "good" => (icons::SIGNAL, cx.t("sound-good"), true),
        "fair" => (icons::SIGNAL_HIGH, cx.t("sound-fair"), true),
        "poor" => (icons::SIGNAL_MEDIUM, cx.t("sound-poor"), false),
        "silent" | "none" => (icons::SIGNAL_LOW, cx.t("sound-none"), false),
        _ => (icons::SIGNAL, word.to_owned(), true),
    };
    Some(Sound { glyph, word, good })
}

/// How the call is protected: icon and word.
pub fn protection(cx: &Cx<'_>, security: Security) -> (&'static str, String) {
    match security {
        Security::None => (icons::LOCK_OPEN, cx.t("security-none")),
        Security::Signalling => (icons::LOCK_OPEN, cx.t("security-signalling")),
        Security::Full => (icons::LOCK, cx.t("security-full")),
    }
}

fn bar(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, call: &Call, rect: Rect, out: &mut Vec<Command>) {
    ui.painter().rect_filled(rect, 0, cx.c.accent_soft);
    rule(ui, cx, rect);
    let over = call.state == CallState::Ended;
    let mut right = rect.right() - 20.0;
    if !over {
        right = buttons(ui, cx, hub, call, rect, right, out);
    }
    let name = cx.name_of_call(call);
    let lead = pos2(rect.left() + 28.0, rect.center().y);
    let (glyph, ink) =
        if over { (icons::PHONE_OFF, cx.c.soft_muted) } else { (icons::PHONE_CALL, cx.c.soft_ok) };
    icon(ui, lead, glyph, 18.0, ink);
    let text =
        Rect::from_min_max(pos2(rect.left() + 48.0, rect.top()), pos2(right - 12.0, rect.bottom()));
    let (first, second) = if rect.width() < TIGHT {
        let first = text.with_min_y(text.top() + 5.0).with_max_y(text.top() + 25.0);
        (first, Some(first.translate(vec2(0.0, 19.0))))
    } else {
        (text, None)
    };
    let width = galley(ui, &name, Type::Name, cx.c.text, first.width(), 1).size().x;
    if over {
        paint_line(ui, first, &name, Type::Name, cx.c.text, Align::Min);
    } else {
        open_stage(ui, cx, hub, call, first.with_max_x(first.left() + width + 1.0), &name);
    }
    let beside = first.with_min_x((first.left() + width + 12.0).min(first.right()));
    let mut rest = second.unwrap_or(beside);
    let state = state_words(ui, cx, call);
    let width = galley(ui, &state, Type::Secondary, cx.c.soft_muted, rest.width(), 1).size().x;
    let place = rest.with_max_x(rest.left() + width + 1.0);
    let color = cx.c.soft_muted;
    line(ui, place, &state, Type::Secondary, color, Align::Min);
    announce(ui, cx, call, place);
    rest.min.x = (rest.left() + width + 16.0).min(rest.right());
    if over || second.is_some() {
        return;
    }
    if let Some(sound) = sound(cx, call) {
        let ink = if sound.good { cx.c.soft_ok } else { cx.c.soft_busy };
        rest = piece(ui, rest, sound.glyph, &sound.word, ink);
    }
    if call.security != Security::None {
        let (glyph, word) = protection(cx, call.security);
        piece(ui, rest, glyph, &word, cx.c.soft_ok);
    }
}

/// An icon and a word; gives the room that is left.
fn piece(ui: &mut Ui, rect: Rect, glyph: &str, word: &str, color: egui::Color32) -> Rect {
    let width = galley(ui, word, Type::Secondary, color, f32::INFINITY, 1).size().x;
    if rect.width() < width + 24.0 {
        return rect.with_min_x(rect.right());
    }
    icon(ui, pos2(rect.left() + 7.0, rect.center().y), glyph, 14.0, color);
    let text = rect.with_min_x(rect.left() + 20.0);
    let text = text.with_max_x(text.left() + width + 1.0);
    line(ui, text, word, Type::Secondary, color, Align::Min);
    rect.with_min_x((text.right() + 14.0).min(rect.right()))
}

/// The name is the way to the large view of the call.
fn open_stage(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, call: &Call, rect: Rect, name: &str) {
    let spoken = cx.tw("call-open", "name", name);
    let id = ui.scope_id().with(("open", call.id));
    let place = Rect::from_center_size(rect.center(), vec2(rect.width() + 12.0, 28.0));
    let response = ui.interact(place, id, egui::Sense::click());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &spoken));
    if response.hovered() {
        let fill = cx.c.hover(cx.c.accent_soft);
        ui.painter().rect_filled(place, R_CONTROL, fill);
    }
    focus_ring(ui, cx.c, place, R_CONTROL, &response);
    paint_line(ui, rect, name, Type::Name, cx.c.text, Align::Min);
    if response.on_hover_cursor(egui::CursorIcon::PointingHand).clicked() {
        hub.stage = Some(call.id);
        hub.page = None;
    }
}

/// Right to left, so that End never moves; gives where they begin.
fn buttons(
    ui: &mut Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    call: &Call,
    rect: Rect,
    right: f32,
    out: &mut Vec<Command>,
) -> f32 {
    let tight = rect.width() < TIGHT;
    let mut right = right;
    let mut put = |ui: &mut Ui, label: &str, glyph: &str, kind: Kind, on: Option<bool>, bare| {
        let text = galley(ui, label, Type::Filled, cx.c.text, f32::INFINITY, 1);
        let width = if bare { 32.0 } else { text.size().x + 48.0 };
        let place =
            Rect::from_min_size(pos2(right - width, rect.center().y - 16.5), vec2(width, 32.0));
        right = place.left() - 8.0;
        let mut push = Push::new(label).glyph(glyph).kind(kind).height(32.0);
        if bare {
            push = push.icon_only();
        }
        if let Some(on) = on {
            push = push.on(on);
        }
        push.at(ui, cx.c, place)
    };
    if put(ui, &cx.t("end"), icons::PHONE_OFF, Kind::Danger, None, tight).clicked() {
        out.push(Command::HangUp(call.id));
    }
    let held = call.state == CallState::Held;
    if held || matches!(call.state, CallState::Connected | CallState::RemoteHeld) {
        let (label, glyph) =
            if held { (cx.t("resume"), icons::PLAY) } else { (cx.t("hold"), icons::PAUSE) };
        if put(ui, &label, glyph, Kind::Plain, None, tight).clicked() {
            out.push(hold_or_resume(call));
        }
    }
    if call.can.transfer
        && put(ui, &cx.t("transfer-short"), icons::PHONE_OUTGOING, Kind::Plain, None, true)
            .clicked()
    {
        super::call_more::give(hub, call.id);
    }
    let name = cx.t("keypad");
    let open = hub.keypad == Some(call.id);
    let pad = put(ui, &name, icons::GRIP, Kind::Plain, Some(open), true);
    if pad.clicked() {
        hub.keypad = if open { None } else { Some(call.id) };
    }
    let (label, glyph, kind) = if call.muted {
        (cx.t("muted"), icons::MIC_OFF, Kind::On)
    } else {
        (cx.t("mute"), icons::MIC, Kind::Plain)
    };
    if put(ui, &label, glyph, kind, Some(call.muted), tight).clicked() {
        out.push(Command::Mute { id: call.id, muted: !call.muted });
    }
    if open {
        float_keypad(cx, hub, call, &pad, out);
    }
    right
}

fn float_keypad(
    cx: &Cx<'_>,
    hub: &mut Hub,
    call: &Call,
    anchor: &egui::Response,
    out: &mut Vec<Command>,
) {
    let mut open = true;
    egui::Popup::from_response(anchor)
        .id(egui::Id::unique("keypad-popup"))
        .open_bool(&mut open)
        .align(egui::RectAlign::BOTTOM_END)
        .gap(8.0)
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
        .accessible_name(cx.t("keypad"))
        .frame(
            egui::Frame::new()
                .fill(cx.c.panel)
                .stroke(cx.c.hair())
                .corner_radius(crate::theme::R_CARD)
                .shadow(cx.c.float())
                .inner_margin(16),
        )
        .show(|ui| digits(ui, cx, call, out));
    if !open {
        hub.keypad = None;
    }
}

/// What was sent so far, and the keys. Typed digits count as pressed keys.
pub fn digits(ui: &mut Ui, cx: &Cx<'_>, call: &Call, out: &mut Vec<Command>) {
    ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
    let (rect, _) = ui.allocate_exact_size(vec2(232.0, 28.0), egui::Sense::hover());
    let sent = if call.digits.is_empty() { cx.t("keypad-hint") } else { call.digits.clone() };
    let (role, color) = if call.digits.is_empty() {
        (Type::Secondary, cx.c.muted)
    } else {
        (Type::Heading, cx.c.text)
    };
    line(ui, rect, &sent, role, color, Align::Center);
    ui.add_space(8.0);
    let mut keys = String::new();
    keys.extend(keypad(ui, cx.c, |key| cx.tw("key-name", "key", &key.to_string())));
    if !ui.ctx().egui_wants_keyboard_input() {
        ui.input(|input| {
            for event in &input.events {
                if let egui::Event::Text(text) = event {
                    let dialable = |c: &char| c.is_ascii_digit() || "*#ABCD".contains(*c);
                    keys.extend(text.chars().filter(dialable));
                }
            }
        });
    }
    if !keys.is_empty() {
        out.push(Command::Dtmf { id: call.id, digits: keys });
    }
}
