//! What a person must not forget, above every list: the connection is lost, calls go elsewhere or
//! do not ring, a call waits where it was parked, messages wait in the mailbox.

use egui::{Align, Color32, Rect, Ui, pos2, vec2};
use offhook_model::{CallWish, Command, DialString, Dnd, Forward, SessionState};

use super::hub::{Hub, Section};
use crate::cx::Cx;
use crate::icons;
use crate::theme::{R_ROW, Type};
use crate::widgets::{Push, galley, icon, line, show_live};

const HEIGHT: f32 = 40.0;

/// One line: what is, and how to end it.
struct Notice {
    glyph: &'static str,
    tint: Color32,
    words: String,
    /// What the button says and does.
    act: Option<(String, Command)>,
}

/// Draws them from the top; gives where they end.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) -> f32 {
    let rect = ui.max_rect();
    let mut top = rect.top();
    for notice in all(cx, hub) {
        let place = Rect::from_min_max(
            pos2(rect.left() + 16.0, top),
            pos2(rect.right() - 17.0, top + HEIGHT),
        );
        one(ui, cx, notice, place, out);
        top = place.bottom() + 8.0;
    }
    top
}

fn all(cx: &Cx<'_>, hub: &Hub) -> Vec<Notice> {
    let mut notices = Vec::new();
    if cx.snap.session.state == SessionState::Reconnecting {
        let (glyph, tint) = (icons::REFRESH, cx.c.away);
        notices.push(Notice { glyph, tint, words: cx.t("reconnecting"), act: None });
    }
    let phone = &cx.snap.phone;
    if phone.reduced {
        let words = cx.t("phone-reduced");
        notices.push(Notice { glyph: icons::PHONE, tint: cx.c.away, words, act: None });
    }
    notices.extend(elsewhere(cx));
    if let Some(parked) = phone.parked.last()
        && let Ok(to) = parked.at.parse::<DialString>()
    {
        let words = cx.texts.with("phone-parked", &[("name", &parked.who), ("number", &parked.at)]);
        let act = Some((cx.t("phone-take-back-do"), Command::Dial { to, video: false }));
        notices.push(Notice { glyph: icons::CLOCK, tint: cx.c.accent, words, act });
    }
    if phone.messages.waiting && hub.section == Section::Calls {
        notices.push(messages(cx));
    }
    notices
}

/// Calls do not ring here as they usually do. Forwarding goes before: then nothing rings at all.
fn elsewhere(cx: &Cx<'_>) -> Option<Notice> {
    let phone = &cx.snap.phone;
    let (words, end) = match (&phone.forward, phone.dnd) {
        (Some(Forward::To(to)), _) => {
            let words = cx.tw("phone-forwarded-all", "number", &to.to_string());
            (words, CallWish::Forward(None))
        }
        (Some(Forward::Voicemail), _) => {
            (cx.t("phone-forwarded-all-voicemail"), CallWish::Forward(None))
        }
        (None, Some(Dnd::Reject)) => (cx.t("phone-reject"), CallWish::DoNotDisturb(None)),
        (None, Some(Dnd::RingerOff)) => (cx.t("phone-silent"), CallWish::DoNotDisturb(None)),
        (None, None) => return None,
    };
    let forwarded = phone.forward.is_some();
    let (glyph, tint) =
        if forwarded { (icons::PHONE_OUTGOING, cx.c.away) } else { (icons::BELL_OFF, cx.c.busy) };
    let act = Some((cx.t("notice-end"), Command::Call(end)));
    Some(Notice { glyph, tint, words, act })
}

fn messages(cx: &Cx<'_>) -> Notice {
    let phone = &cx.snap.phone;
    let words = match phone.messages.new {
        Some(_) => cx.tc("phone-messages", super::phone_menu::waiting(cx)),
        None => cx.t("phone-messages-some"),
    };
    let number = phone.voicemail.as_ref().and_then(|number| number.parse::<DialString>().ok());
    let act = number
        .filter(|_| cx.can_call())
        .map(|to| (cx.t("phone-voicemail-listen"), Command::Dial { to, video: false }));
    Notice { glyph: icons::PLAY, tint: cx.c.accent, words, act }
}

fn one(ui: &mut Ui, cx: &Cx<'_>, notice: Notice, place: Rect, out: &mut Vec<Command>) {
    let soft = cx.c.panel.lerp_to_gamma(notice.tint, 0.16);
    ui.painter().rect_filled(place, R_ROW, soft);
    let center = pos2(place.left() + 20.0, place.center().y);
    icon(ui, center, notice.glyph, 16.0, cx.c.text);
    let mut text = place.with_min_x(place.left() + 36.0).with_max_x(place.right() - 10.0);
    if let Some((label, command)) = notice.act {
        let name = format!("{label}: {}", notice.words);
        let width = galley(ui, &label, Type::Strong, cx.c.text, f32::INFINITY, 1).size().x + 24.0;
        let at = pos2(place.right() - 5.0 - width / 2.0, place.center().y);
        let button = Rect::from_center_size(at, vec2(width, 30.0));
        text.max.x = button.left() - 8.0;
        let response = Push::new(&label).hint(&name).at(ui, cx.c, button);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
        if response.clicked() {
            out.push(command);
        }
    }
    let words = &notice.words;
    let response = line(ui, text, words, Type::Secondary, cx.c.text, Align::Min);
    show_live(&response, false);
    response.on_hover_text(words);
}
