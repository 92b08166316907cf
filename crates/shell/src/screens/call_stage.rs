//! One call in front: who, how long, how it sounds, and everything that can be done with it.

use egui::{Align, Rect, Sense, Ui, Vec2, pos2, vec2};
use offhook_model::{Call, CallId, CallState, Command, Security};

use super::call_bar::{announce, digits, hold_or_resume, protection, sound, state_words};
use super::call_more;
use super::hub::{Hub, live};
use crate::cx::Cx;
use crate::icons;
use crate::theme::Type;
use crate::widgets::{Kind, Push, avatar, focus_ring, galley, icon, line, paint_line, region};

/// Below this width of a place labels would be cut; the tooltips say them.
const LABELLED: f32 = 80.0;

/// Draws the call.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, id: CallId, out: &mut Vec<Command>) {
    let rect = ui.max_rect();
    ui.painter().rect_filled(rect, 0, cx.c.ground);
    let Some(call) = live(cx).find(|call| call.id == id) else {
        return;
    };
    let small = Rect::from_min_size(rect.right_top() + vec2(-56.0, 16.0), vec2(36.0, 36.0));
    let name = cx.t("call-minimise");
    let push = Push::new(&name).glyph(icons::MINIMIZE).icon_only();
    if push.kind(Kind::Ghost).at(ui, cx.c, small).clicked() {
        hub.stage = None;
    }
    let pad = hub.keypad == Some(id);
    let controls = rect.bottom() - 128.0;
    let middle = if pad {
        rect.top() + 88.0
    } else {
        // Words and people below need the room that a plain call leaves empty.
        let words = call.trouble.is_some() || call.silence.is_some();
        let share = if call.conference.is_some() || words { 0.24 } else { 0.42 };
        rect.top() + ((controls - rect.top()) * share).max(96.0)
    };
    let end = who(ui, cx, call, rect, middle, pad);
    if !pad {
        let words = Rect::from_min_max(
            pos2(rect.left() + 24.0, end + 12.0),
            pos2(rect.right() - 24.0, (controls - 8.0).max(end + 12.0)),
        );
        call_more::below(ui, cx, hub, call, words, out);
    }
    if pad {
        let corner = pos2(rect.center().x - 116.0, middle + 100.0).round();
        let place = Rect::from_min_max(corner, pos2(corner.x + 232.0, controls));
        region(ui, "stage-keypad", place, |ui| digits(ui, cx, call, out));
    }
    actions(ui, cx, hub, call, rect, controls, out);
}

/// Gives where it ends.
fn who(ui: &mut Ui, cx: &Cx<'_>, call: &Call, rect: Rect, middle: f32, small: bool) -> f32 {
    let name = cx.name_of_call(call);
    let person = cx.people.by_remote(&call.remote);
    let key = person.map_or(call.remote.as_str(), |one| one.contact.bare_str());
    let radius = if small { 28.0 } else { 52.0 };
    avatar(ui, pos2(rect.center().x, middle), radius, &name, key);
    let row = |y: f32, height: f32| {
        Rect::from_min_max(pos2(rect.left() + 16.0, y), pos2(rect.right() - 16.0, y + height))
    };
    let mut y = middle + radius + if small { 8.0 } else { 20.0 };
    line(ui, row(y, 28.0), &name, Type::Title, cx.c.text, Align::Center);
    y += 28.0;
    let state = state_words(ui, cx, call);
    let words =
        if name == call.remote || small { state } else { format!("{} · {state}", call.remote) };
    line(ui, row(y, 22.0), &words, Type::Body, cx.c.muted, Align::Center);
    announce(ui, cx, call, row(y, 22.0));
    if small {
        return y + 22.0;
    }
    y += 34.0;
    facts(ui, cx, call, row(y, 28.0));
    y + 28.0
}

/// Sound and protection in sentences, as the pill says them when it is pointed at or focused.
fn means(cx: &Cx<'_>, call: &Call) -> String {
    let unheard = call.silence.as_ref().map(|silence| cx.texts.cause(&silence.problem));
    let sound = unheard.or_else(|| {
        call.sound.as_deref().and_then(|word| match word {
            "good" | "fair" => Some(cx.t("sound-good-means")),
            "poor" => Some(cx.t("sound-poor-means")),
            "silent" | "none" => Some(cx.t("sound-none-means")),
            _ => None,
        })
    });
    let protection = cx.t(match call.security {
        Security::None => "security-none-means",
        Security::Signalling => "security-signalling-means",
        Security::Full => "security-full-means",
    });
    sound.into_iter().chain([protection]).collect::<Vec<_>>().join(" ")
}

/// Sound and protection in one pill.
fn facts(ui: &mut Ui, cx: &Cx<'_>, call: &Call, row: Rect) {
    let mut parts = Vec::new();
    let calm = cx.c.muted;
    parts.extend(sound(cx, call).map(|sound| {
        let ink = if sound.good { calm } else { cx.c.busy };
        (sound.glyph, sound.word, ink)
    }));
    let talking =
        matches!(call.state, CallState::Connected | CallState::Held | CallState::RemoteHeld);
    if talking || call.security != Security::None {
        let (glyph, word) = protection(cx, call.security);
        parts.push((glyph, word, calm));
    }
    if parts.is_empty() {
        return;
    }
    let widths: Vec<f32> = parts
        .iter()
        .map(|(_, word, _)| {
            let text = galley(ui, word, Type::Secondary, cx.c.text, f32::INFINITY, 1);
            text.size().x + 20.0
        })
        .collect();
    let means = means(cx, call);
    let whole: f32 = widths.iter().sum::<f32>() + 16.0 * (parts.len() as f32 - 1.0);
    let pill = Rect::from_center_size(row.center(), vec2(whole + 28.0, 28.0));
    ui.painter().rect(pill, 14, cx.c.panel, cx.c.hair(), egui::StrokeKind::Inside);
    let id = ui.scope_id().with(("facts", call.id));
    let response = ui.interact(pill, id, Sense::focusable_noninteractive() | Sense::hover());
    let words: Vec<&str> = parts.iter().map(|(_, word, _)| word.as_str()).collect();
    let spoken = format!("{}. {means}", words.join(", "));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Note, true, &spoken));
    focus_ring(ui, cx.c, pill, 14, &response);
    if response.has_focus() {
        response.show_tooltip_text(&means);
    }
    response.on_hover_text(&means);
    let mut x = pill.left() + 14.0;
    for ((glyph, word, ink), width) in parts.iter().zip(widths) {
        icon(ui, pos2(x + 7.0, row.center().y), glyph, 14.0, *ink);
        let text =
            Rect::from_min_max(pos2(x + 20.0, row.top()), pos2(x + width + 1.0, row.bottom()));
        paint_line(ui, text, word, Type::Secondary, *ink, Align::Min);
        x += width + 16.0;
    }
}

/// Why hold and transfer cannot be pressed.
fn refusal(cx: &Cx<'_>, call: &Call) -> String {
    if call.preserved {
        cx.t("call-preserved")
    } else if cx.snap.phone.reduced {
        cx.t("phone-reduced")
    } else {
        cx.t("call-not-now")
    }
}

struct Action {
    label: String,
    glyph: &'static str,
    kind: Kind,
    on: Option<bool>,
    enabled: bool,
}

fn actions(
    ui: &mut Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    call: &Call,
    rect: Rect,
    top: f32,
    out: &mut Vec<Command>,
) {
    let quiet = |on: bool| if on { Kind::On } else { Kind::Plain };
    let held = call.state == CallState::Held;
    let talking = held || matches!(call.state, CallState::Connected | CallState::RemoteHeld);
    let pad = hub.keypad == Some(call.id);
    let person = cx.people.by_remote(&call.remote);
    let at_desk = call.desk.is_some();
    let all = [
        Action {
            label: cx.t(if call.muted { "muted" } else { "mute" }),
            glyph: if call.muted { icons::MIC_OFF } else { icons::MIC },
            kind: quiet(call.muted),
            on: Some(call.muted),
            enabled: !at_desk,
        },
        Action {
            label: cx.t("keypad"),
            glyph: icons::GRIP,
            kind: quiet(pad),
            on: Some(pad),
            enabled: !at_desk,
        },
        Action {
            label: cx.t(if held { "resume" } else { "hold" }),
            glyph: if held { icons::PLAY } else { icons::PAUSE },
            kind: quiet(held),
            on: Some(held),
            enabled: talking && call.can.hold,
        },
        Action {
            label: cx.t("transfer-short"),
            glyph: icons::PHONE_OUTGOING,
            kind: Kind::Plain,
            on: None,
            enabled: call.can.transfer,
        },
        Action {
            label: cx.t("chat"),
            glyph: icons::MESSAGE_SQUARE,
            kind: Kind::Plain,
            on: None,
            enabled: person.is_some(),
        },
        Action {
            label: cx.t("call-more"),
            glyph: icons::ELLIPSIS,
            kind: Kind::Plain,
            on: None,
            enabled: call_more::any(cx, call),
        },
        Action {
            label: cx.t("end"),
            glyph: icons::PHONE_OFF,
            kind: Kind::Danger,
            on: None,
            enabled: true,
        },
    ];
    // Without chat nobody can be written to; the others keep their numbers.
    let shown: Vec<(usize, &Action)> =
        all.iter().enumerate().filter(|(at, _)| cx.has_chat() || *at != 4).collect();
    let step = ((rect.width() - 24.0) / shown.len() as f32).min(84.0);
    let left = rect.center().x - step * shown.len() as f32 / 2.0;
    let (size, why) = ((step - 6.0).min(56.0), refusal(cx, call));
    for (place, (at, action)) in shown.into_iter().enumerate() {
        let center = pos2(left + step * (place as f32 + 0.5), top + 28.0);
        let place = Rect::from_center_size(center, Vec2::splat(size));
        let mut push = Push::new(&action.label)
            .glyph(action.glyph)
            .icon_only()
            .height(size)
            .radius(28)
            .kind(action.kind)
            .enabled(action.enabled);
        if let Some(on) = action.on {
            push = push.on(on);
        }
        if (at == 2 || at == 3) && !action.enabled {
            push = push.hint(&why);
        }
        let response = push.at(ui, cx.c, place);
        if at == 5 && action.enabled {
            call_more::open(cx, call, &response, out);
        }
        let clicked = response.clicked();
        let text = Rect::from_center_size(center + vec2(0.0, 42.0), vec2(step, 18.0));
        if step >= LABELLED {
            paint_line(ui, text, &action.label, Type::Secondary, cx.c.muted, Align::Center);
        }
        if !clicked {
            continue;
        }
        match at {
            0 => out.push(Command::Mute { id: call.id, muted: !call.muted }),
            1 => hub.keypad = if pad { None } else { Some(call.id) },
            2 => out.push(hold_or_resume(call)),
            3 => call_more::give(hub, call.id),
            4 => {
                if let Some(person) = person {
                    hub.section = super::hub::Section::Chats;
                    hub.open_chat(person.contact.clone());
                }
            }
            5 => {}
            _ => out.push(Command::HangUp(call.id)),
        }
    }
}
