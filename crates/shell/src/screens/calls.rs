//! Earlier calls, and the dial pad.

use egui::{Align, Id, Rect, ScrollArea, Ui, pos2, vec2};
use offhook_model::{CallDirection, CallRecord, Command, DialString};

use super::chats::nothing;
use super::hub::{Hub, list_heading};
use crate::cx::{Cx, span};
use crate::icons;
use crate::theme::Type;
use crate::widgets::{
    Field, Kind, Push, avatar, icon, keypad, paint_line, paragraph_centered, region, row,
};

const ROW: f32 = 58.0;
/// Width of the list beside the dial pad.
const SPEED: f32 = 264.0;

/// Draws the list.
pub fn list(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let heading = list_heading(ui, cx, &cx.t("section-calls"));
    if cx.narrow {
        let place = Rect::from_center_size(
            pos2(heading.right() - 20.0, heading.center().y),
            vec2(32.0, 32.0),
        );
        let name = cx.t("dial-pad");
        let push = Push::new(&name).glyph(icons::GRIP).icon_only();
        if push.kind(Kind::Ghost).height(32.0).at(ui, cx.c, place).clicked() {
            hub.dial_pad = true;
        }
    }
    let log = &cx.snap.call_log;
    if log.is_empty() {
        ui.add_space(48.0);
        nothing(ui, cx, &cx.t("calls-empty"), &cx.t("calls-empty-remedy"));
        return;
    }
    ScrollArea::vertical().id_salt("calls").auto_shrink(false).show_rows(
        ui,
        ROW,
        log.len(),
        |ui, range| {
            for at in range {
                if let Some(record) = log.get(at) {
                    one(ui, cx, hub, at, record, out);
                }
            }
        },
    );
}

fn one(
    ui: &mut Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    at: usize,
    record: &CallRecord,
    out: &mut Vec<Command>,
) {
    let name = cx.name_of_remote(record.name.as_deref(), &record.remote);
    let (glyph, word, color) = match (record.missed, record.direction) {
        (true, _) => (icons::PHONE_MISSED, cx.t("call-missed"), cx.c.busy),
        (false, CallDirection::Incoming) => {
            (icons::PHONE_INCOMING, cx.t("call-incoming"), cx.c.muted)
        }
        (false, CallDirection::Outgoing) => {
            (icons::PHONE_OUTGOING, cx.t("call-outgoing"), cx.c.muted)
        }
    };
    let mut below = word;
    if record.seconds > 0 {
        below = format!("{below} · {}", span(i64::from(record.seconds)));
    }
    if let Some(mos) = record.mos {
        below = format!("{below} · {}", cx.t(&format!("sound-{}", mos.word())));
    }
    if name != record.remote {
        below = format!("{below} · {}", record.remote);
    }
    let when = cx.when(record.started);
    let spoken = format!("{name}, {below}, {when}");
    let (rect, response) = row(ui, cx.c, ROW, ui.scope_id().with(at), &spoken, false);
    let person = cx.people.by_remote(&record.remote);
    let key = person.map_or(record.remote.as_str(), |one| one.contact.bare_str());
    let center = pos2(rect.left() + 32.0, rect.center().y);
    avatar(ui, center, 20.0, &name, key);
    let top = Rect::from_min_max(
        pos2(rect.left() + 64.0, rect.top() + 10.0),
        pos2(rect.right() - 52.0, rect.top() + 30.0),
    );
    let taken = paint_line(ui, top, &when, Type::Small, cx.c.muted, Align::Max);
    let ink = if record.missed { cx.c.busy } else { cx.c.text };
    let place = top.with_max_x(top.right() - taken - 8.0);
    paint_line(ui, place, &name, Type::Name, ink, Align::Min);
    let bottom = top.translate(vec2(0.0, 19.0));
    let sign = pos2(bottom.left() + 7.0, bottom.center().y);
    icon(ui, sign, glyph, 14.0, color);
    let text = bottom.with_min_x(bottom.left() + 20.0);
    paint_line(ui, text, &below, Type::Secondary, cx.c.muted, Align::Min);
    let place =
        Rect::from_center_size(pos2(rect.right() - 28.0, rect.center().y), vec2(36.0, 36.0));
    let label = cx.tw("call-name", "name", &name);
    let push =
        Push::new(&label).glyph(icons::PHONE).icon_only().kind(Kind::Ghost).enabled(cx.can_call());
    if push.at(ui, cx.c, place).clicked()
        && let Ok(to) = record.remote.parse::<DialString>()
    {
        hub.dial(to, out);
    }
    if response.clicked() {
        hub.dialled.clone_from(&record.remote);
        hub.dial_pad = true;
        hub.stage = None;
    }
}

/// Number, keys, call.
pub fn dial_pad(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let rect = ui.max_rect();
    ui.painter().rect_filled(rect, 0, cx.c.ground);
    if cx.narrow {
        super::page::back(ui, cx, rect, || hub.dial_pad = false);
    }
    let height = 400.0;
    let width = 232.0;
    let top = ((rect.height() - height) * 0.4).max(if cx.narrow { 64.0 } else { 16.0 });
    let speed = !cx.narrow && rect.width() >= 640.0 && super::favourites::any(cx);
    let aside = if speed { (SPEED + 40.0) / 2.0 } else { 0.0 };
    let corner = pos2(rect.center().x - aside - width / 2.0, rect.top() + top).round();
    let place = Rect::from_min_max(corner, pos2(corner.x + width, rect.bottom()));
    if speed {
        let corner = place.right_top() + vec2(40.0, 0.0);
        let list = Rect::from_min_max(corner, pos2(corner.x + SPEED, rect.bottom() - 16.0));
        let list = list.with_max_y(list.bottom().min(list.top() + height));
        region(ui, "speed-dial", list, |ui| super::favourites::speed_dial(ui, cx, hub, out));
    }
    region(ui, "dial-pad", place, |ui| {
        ui.vertical_centered(|ui| {
            let title = cx.t("dial-pad");
            paragraph_centered(ui, &title, Type::Title, cx.c.text);
        });
        ui.add_space(20.0);
        let (name, hint) = (cx.t("dial-number"), cx.t("dial-hint"));
        let field = Field::new(Id::unique("dial-number"), &name).hint(&hint);
        let response = field.show(ui, cx.c, &mut hub.dialled);
        let enter = super::entry::entered(ui, &response);
        ui.add_space(16.0);
        if let Some(key) = keypad(ui, cx.c, |key| cx.tw("key-name", "key", &key.to_string())) {
            hub.dialled.push(key);
        }
        ui.add_space(16.0);
        let to = hub.dialled.parse::<DialString>().ok();
        let label = cx.t("call");
        let can = cx.can_call();
        let reason = cx.t("call-impossible");
        let mut push = Push::new(&label)
            .glyph(icons::PHONE)
            .kind(Kind::Ok)
            .height(44.0)
            .width(width)
            .enabled(can && to.is_some());
        if !can {
            push = push.hint(&reason);
        }
        let pressed = push.show(ui, cx.c).clicked();
        if let Some(to) = to.filter(|_| can && (pressed || enter)) {
            hub.dialled.clear();
            hub.dial(to, out);
        }
    });
}
