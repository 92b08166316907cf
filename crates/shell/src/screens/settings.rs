//! Settings: look, language, account, about; sound, ways, chat and people have files of their own.

use egui::{Align, Rect, Sense, Ui, pos2, vec2};
use offhook_model::{Command, Layer, Settings, Theme};

use super::hub::Hub;
use super::page;
use crate::cx::Cx;
use crate::icons;
use crate::texts::LANGUAGES;
use crate::theme::Type;
use crate::widgets::{Kind, Push, check, choice, line, paragraph};

/// Draws the page.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    page::show(ui, cx, hub, &cx.t("settings-title"), |ui, hub| {
        page::section(ui, cx, &cx.t("settings-look"), |ui| look(ui, cx, out));
        page::section(ui, cx, &cx.t("settings-sound"), |ui| {
            super::settings_sound::show(ui, cx, out)
        });
        page::section(ui, cx, &cx.t("settings-voice"), |ui| {
            super::settings_voice::show(ui, cx, out)
        });
        page::section(ui, cx, &cx.t("settings-calls"), |ui| calls(ui, cx, out));
        super::settings_ways::show(ui, cx, &mut hub.ways, out);
        if cx.has_chat() {
            super::settings_chat::show(ui, cx, &mut hub.settings, out);
        }
        super::settings_contacts::show(ui, cx, hub, out);
        page::section(ui, cx, &cx.t("settings-account"), |ui| account(ui, cx, out));
        if !cx.snap.accepted.is_empty() {
            let title = cx.t("settings-certificates");
            page::section(ui, cx, &title, |ui| certificates(ui, cx, out));
        }
        page::section(ui, cx, &cx.t("settings-about"), |ui| about(ui, cx));
    });
}

/// Three choices side by side in one tray.
fn segments(ui: &mut Ui, cx: &Cx<'_>, add: impl FnOnce(&mut Ui, f32)) {
    let width = ((ui.available_width() - 12.0) / 3.0).min(116.0);
    let frame = egui::Frame::new()
        .fill(cx.c.ground)
        .stroke(cx.c.hair())
        .corner_radius(crate::theme::R_ROW)
        .inner_margin(3);
    frame.show(ui, |ui| {
        ui.spacing_mut().interact_size.y = 32.0;
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            add(ui, width);
        });
    });
}

/// A label on the left, a place for a control on the right.
pub(super) fn setting(ui: &mut Ui, cx: &Cx<'_>, label: &str, add: impl FnOnce(&mut Ui)) {
    let width = ui.available_width();
    if width < 460.0 {
        ui.add_space(4.0);
        paragraph(ui, label, Type::Body, cx.c.text);
        ui.add_space(4.0);
        add(ui);
        ui.add_space(4.0);
        return;
    }
    let (rect, _) = ui.allocate_exact_size(vec2(width, 52.0), Sense::hover());
    let left = rect.with_max_x(rect.left() + 170.0);
    line(ui, left, label, Type::Body, cx.c.text, Align::Min);
    let right = rect.with_min_x(left.right()).shrink2(vec2(0.0, 6.0));
    crate::widgets::region(ui, ui.scope_id().with(label), right, add);
}

fn change(cx: &Cx<'_>, out: &mut Vec<Command>, edit: impl FnOnce(&mut Settings)) {
    let mut settings = Settings::clone(&cx.snap.settings);
    edit(&mut settings);
    out.push(Command::SetSettings(Box::new(settings)));
}

fn look(ui: &mut Ui, cx: &Cx<'_>, out: &mut Vec<Command>) {
    setting(ui, cx, &cx.t("theme"), |ui| {
        let themes = [
            (Theme::System, "theme-system"),
            (Theme::Light, "theme-light"),
            (Theme::Dark, "theme-dark"),
        ];
        segments(ui, cx, |ui, width| {
            for (theme, key) in themes {
                let selected = cx.snap.settings.theme == theme;
                let (label, name) = (cx.t(key), cx.choice_of("theme", &cx.t(key)));
                let response = choice(ui, cx.c, width, [&label, &name], selected);
                if response.clicked() && !selected {
                    change(cx, out, |settings| settings.theme = theme);
                }
            }
        });
    });
    setting(ui, cx, &cx.t("language"), |ui| {
        let system = (None, cx.t("theme-system"));
        let named = LANGUAGES.map(|(tag, name)| (Some(tag), name.to_owned()));
        segments(ui, cx, |ui, width| {
            for (tag, name) in std::iter::once(system).chain(named) {
                let selected = cx.snap.settings.language.as_deref() == tag;
                let spoken = cx.choice_of("language", &name);
                let response = choice(ui, cx.c, width, [&name, &spoken], selected);
                if response.clicked() && !selected {
                    let tag = tag.map(str::to_owned);
                    change(cx, out, |settings| settings.language = tag);
                }
            }
        });
    });
}

/// By which administrators decide whether packets are marked.
const MARKING_KEY: &str = "EnableDSCPPacketMarking";

fn calls(ui: &mut Ui, cx: &Cx<'_>, out: &mut Vec<Command>) {
    let mut on = cx.snap.settings.calls.answer_if_asked;
    if check(ui, cx.c, &mut on, &cx.t("calls-answer")).clicked() {
        change(cx, out, |settings| settings.calls.answer_if_asked = on);
    }
    paragraph(ui, &cx.t("calls-answer-below"), Type::Secondary, cx.c.muted);
    ui.add_space(8.0);
    let mut low = cx.snap.settings.calls.low_bandwidth;
    if check(ui, cx.c, &mut low, &cx.t("calls-low-bandwidth")).clicked() {
        change(cx, out, |settings| settings.calls.low_bandwidth = low);
    }
    paragraph(ui, &cx.t("calls-low-bandwidth-below"), Type::Secondary, cx.c.muted);
    ui.add_space(8.0);
    let decided = |layer: &Layer| layer.settings.iter().any(|it| it.key == MARKING_KEY);
    if cx.snap.layers.iter().any(decided) {
        paragraph(ui, &cx.t("calls-marking-decided"), Type::Secondary, cx.c.muted);
        return;
    }
    let mut on = cx.snap.settings.calls.differentiated_service.unwrap_or(true);
    if check(ui, cx.c, &mut on, &cx.t("calls-marking")).clicked() {
        change(cx, out, |settings| settings.calls.differentiated_service = Some(on));
    }
    paragraph(ui, &cx.t("calls-marking-below"), Type::Secondary, cx.c.muted);
}

fn account(ui: &mut Ui, cx: &Cx<'_>, out: &mut Vec<Command>) {
    let me = &cx.snap.me;
    let address = cx.snap.session.address.as_ref().map(ToString::to_string);
    let address = address.or_else(|| me.address.clone()).unwrap_or_default();
    setting(ui, cx, &cx.t("account-address"), |ui| {
        let rect = ui.max_rect();
        line(ui, rect, &address, Type::Body, cx.c.text, Align::Min);
    });
    if let Some(number) = &me.number {
        setting(ui, cx, &cx.t("account-number"), |ui| {
            let rect = ui.max_rect();
            line(ui, rect, number, Type::Body, cx.c.text, Align::Min);
        });
    }
    ui.add_space(4.0);
    let label = cx.t("sign-out");
    let push = Push::new(&label).glyph(icons::LOG_OUT).kind(Kind::Plain);
    if push.show(ui, cx.c).clicked() {
        out.push(Command::SignOut);
    }
}

/// Keys that the user accepted; each can be taken back.
fn certificates(ui: &mut Ui, cx: &Cx<'_>, out: &mut Vec<Command>) {
    paragraph(ui, &cx.t("certificates-below"), Type::Secondary, cx.c.muted);
    for accepted in cx.snap.accepted.iter() {
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 56.0), Sense::hover());
        let text = rect.with_max_x(rect.right() - 130.0);
        let top = text.with_min_y(rect.top() + 8.0).with_max_y(rect.top() + 30.0);
        line(ui, top, &accepted.host, Type::Name, cx.c.text, Align::Min);
        let since = cx.when(accepted.since);
        let below = format!("{} · {since}", accepted.subject);
        let at = top.translate(vec2(0.0, 20.0));
        line(ui, at, &below, Type::Secondary, cx.c.muted, Align::Min);
        let place =
            Rect::from_center_size(pos2(rect.right() - 58.0, rect.center().y), vec2(116.0, 36.0));
        let label = cx.t("certificates-revoke");
        let name = cx.tw("certificates-revoke-named", "host", &accepted.host);
        let response = Push::new(&label).width(116.0).at(ui, cx.c, place);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name.clone()));
        if response.clicked() {
            out.push(Command::RevokeTrust { key: accepted.key.clone() });
        }
    }
}

fn about(ui: &mut Ui, cx: &Cx<'_>) {
    let version = cx.tw("about-version", "version", env!("CARGO_PKG_VERSION"));
    paragraph(ui, &version, Type::Body, cx.c.text);
    ui.add_space(4.0);
    paragraph(ui, &cx.t("about-licences"), Type::Secondary, cx.c.muted);
}
