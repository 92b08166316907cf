//! The menu of one's own availability and note.

use egui::{Align, CursorIcon, Id, Popup, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use offhook_model::{Activity, Availability, Command, PeopleWish};

use super::hub::Hub;
use crate::cx::Cx;
use crate::icons;
use crate::theme::{R_CONTROL, Type};
use crate::widgets::{
    Field, Kind, Push, check, focus_ring, icon, paint_line, paragraph, presence_mark,
};

const STATES: [Availability; 4] =
    [Availability::Available, Availability::Away, Availability::Dnd, Availability::Offline];

/// Opens below the own name.
pub fn menu(ui: &Ui, cx: &Cx<'_>, hub: &mut Hub, anchor: &Response, out: &mut Vec<Command>) {
    let _ = ui;
    let popup = Popup::from_toggle_button_response(anchor)
        .id(Id::unique("presence-menu"))
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
        .accessible_name(cx.t("presence-menu"))
        .width(300.0);
    let shown = popup.show(|ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        ui.set_width(300.0);
        content(ui, cx, hub, out)
    });
    match shown {
        Some(inner) if inner.inner => Popup::close_id(ui.ctx(), Id::unique("presence-menu")),
        Some(_) => {}
        None => hub.note = None,
    }
}

/// True when something was chosen and the menu can close.
fn content(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) -> bool {
    let me = &cx.snap.me.presence;
    let mut done = false;
    for state in STATES {
        if item(ui, cx, state, me.availability == state) {
            out.push(Command::SetPresence { availability: state, note: me.note.clone() });
            done = true;
        }
    }
    for activity in [Activity::InMeeting, Activity::Presenting] {
        let mut on = me.activity == Some(activity);
        ui.horizontal(|ui| {
            ui.add_space(10.0);
            if check(ui, cx.c, &mut on, &cx.activity(activity)).clicked() {
                let activity = on.then_some(activity);
                out.push(Command::People(PeopleWish::Activity { activity }));
                done = true;
            }
        });
    }
    ui.add_space(8.0);
    let width = ui.available_width();
    let rule = |ui: &mut Ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(width, 1.0), Sense::hover());
        ui.painter().hline(rect.x_range(), rect.top(), cx.c.hair());
    };
    rule(ui);
    ui.add_space(8.0);
    let label = cx.t("note-label");
    ui.horizontal(|ui| {
        ui.add_space(8.0);
        paragraph(ui, &label, Type::Label, cx.c.muted);
    });
    ui.add_space(4.0);
    let note = hub.note.get_or_insert_with(|| me.note.clone().unwrap_or_default());
    let hint = cx.t("note-hint");
    let field = Field::new(Id::unique("own-note"), &label).hint(&hint).show(ui, cx.c, note);
    let enter = super::entry::entered(ui, &field);
    ui.add_space(8.0);
    let save = cx.t("note-save");
    let push = Push::new(&save).kind(Kind::Soft).width(width);
    if push.show(ui, cx.c).clicked() || enter {
        let text = note.trim();
        out.push(Command::SetPresence {
            availability: me.availability,
            note: (!text.is_empty()).then(|| text.to_owned()),
        });
        done = true;
    }
    ui.add_space(8.0);
    rule(ui);
    ui.add_space(8.0);
    if sign_out(ui, cx) {
        out.push(Command::SignOut);
        done = true;
    }
    done
}

fn item(ui: &mut Ui, cx: &Cx<'_>, state: Availability, selected: bool) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 36.0), Sense::click());
    let word = cx.presence(state);
    response.widget_info(|| WidgetInfo::selected(Role::MenuItemRadio, true, selected, &word));
    let fill = if response.hovered() { cx.c.their_bubble } else { cx.c.raised };
    ui.painter().rect_filled(rect, R_CONTROL, fill);
    focus_ring(ui, cx.c, rect.shrink(1.0), R_CONTROL, &response);
    let mark = pos2(rect.left() + 20.0, rect.center().y);
    presence_mark(ui, cx.c, mark, 7.0, state, fill);
    let text = rect.with_min_x(rect.left() + 40.0);
    let role = if selected { Type::Name } else { Type::Body };
    paint_line(ui, text, &word, role, cx.c.text, Align::Min);
    if selected {
        let at = pos2(rect.right() - 18.0, rect.center().y);
        icon(ui, at, icons::CHECK, 16.0, cx.c.accent);
    }
    response.on_hover_cursor(CursorIcon::PointingHand).clicked()
}

fn sign_out(ui: &mut Ui, cx: &Cx<'_>) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 36.0), Sense::click());
    let word = cx.t("sign-out");
    response.widget_info(|| WidgetInfo::labeled(Role::MenuItem, true, &word));
    if response.hovered() {
        ui.painter().rect_filled(rect, R_CONTROL, cx.c.their_bubble);
    }
    focus_ring(ui, cx.c, rect.shrink(1.0), R_CONTROL, &response);
    let at = pos2(rect.left() + 20.0, rect.center().y);
    icon(ui, at, icons::LOG_OUT, 16.0, cx.c.muted);
    let text = rect.with_min_x(rect.left() + 40.0);
    paint_line(ui, text, &word, Type::Body, cx.c.text, Align::Min);
    response.on_hover_cursor(CursorIcon::PointingHand).clicked()
}
