//! Settings of chats, status, notifications and privacy. What an administrator decided is said and
//! cannot be changed here.

use egui::{Align, Id, Sense, Ui, vec2};
use offhook_model::{ChatSettings, Command, EncryptionPolicy, PeopleWish, Settings};

use super::page;
use crate::cx::Cx;
use crate::theme::Type;
use crate::widgets::{Field, Kind, Push, check, line, option_of, paragraph};

/// What is being typed on the page.
#[derive(Default)]
pub struct Typed {
    downloads: Option<String>,
    archive: Option<String>,
}

/// Draws the sections.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, typed: &mut Typed, out: &mut Vec<Command>) {
    page::section(ui, cx, &cx.t("settings-status"), |ui| status(ui, cx, out));
    page::section(ui, cx, &cx.t("settings-chats"), |ui| chats(ui, cx, typed, out));
    page::section(ui, cx, &cx.t("settings-history"), |ui| history(ui, cx, typed, out));
    page::section(ui, cx, &cx.t("settings-privacy"), |ui| privacy(ui, cx, out));
}

fn change(cx: &Cx<'_>, out: &mut Vec<Command>, edit: impl FnOnce(&mut ChatSettings)) {
    let mut settings = Settings::clone(&cx.snap.settings);
    edit(&mut settings.chat);
    out.push(Command::SetSettings(Box::new(settings)));
}

/// One switch of the settings.
fn switch(
    ui: &mut Ui,
    cx: &Cx<'_>,
    key: &str,
    of: impl Fn(&mut ChatSettings) -> &mut bool,
    out: &mut Vec<Command>,
) {
    let mut on = *of(&mut cx.snap.settings.chat.clone());
    if check(ui, cx.c, &mut on, &cx.t(key)).clicked() {
        change(cx, out, |settings| *of(settings) = on);
    }
}

fn status(ui: &mut Ui, cx: &Cx<'_>, out: &mut Vec<Command>) {
    let chat = &cx.snap.settings.chat;
    let by_policy = cx.snap.policy.away_after_minutes;
    let current = chat.away_after_minutes.or(by_policy).unwrap_or(0);
    paragraph(ui, &cx.t("status-away-after"), Type::Label, cx.c.muted);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 18.0;
        let mut offered = vec![0, 5, 10, 15, 30];
        if !offered.contains(&current) {
            offered.push(current);
        }
        for minutes in offered {
            let label = match minutes {
                0 => cx.t("status-away-never"),
                minutes => cx.tc("status-minutes", minutes as usize),
            };
            let (on, name) = (current == minutes, cx.choice_of("status-away-after", &label));
            if option_of(ui, cx.c, on, &label, &name).clicked() && !on {
                change(cx, out, |settings| settings.away_after_minutes = Some(minutes));
            }
        }
    });
    ui.add_space(4.0);
    switch(ui, cx, "status-away-locked", |it| &mut it.away_when_locked, out);
    if cx.snap.policy.server_sets_meetings {
        paragraph(ui, &cx.t("status-meetings-server"), Type::Secondary, cx.c.muted);
    } else {
        switch(ui, cx, "status-meetings", |it| &mut it.meetings_from_calendar, out);
    }
}

fn chats(ui: &mut Ui, cx: &Cx<'_>, typed: &mut Typed, out: &mut Vec<Command>) {
    switch(ui, cx, "chats-enter-sends", |it| &mut it.enter_sends, out);
    switch(ui, cx, "chats-notifications", |it| &mut it.notifications, out);
    if cx.snap.settings.chat.notifications {
        switch(ui, cx, "chats-notification-text", |it| &mut it.notification_text, out);
    }
    ui.add_space(6.0);
    let kept = cx.snap.settings.chat.downloads.as_ref();
    let kept = kept.map(|path| path.display().to_string()).unwrap_or_default();
    let label = cx.t("chats-downloads");
    if let Some(text) = folder(ui, cx, &label, &kept, &mut typed.downloads) {
        let path = (!text.is_empty()).then(|| text.into());
        change(cx, out, |settings| settings.downloads = path);
    }
}

fn history(ui: &mut Ui, cx: &Cx<'_>, typed: &mut Typed, out: &mut Vec<Command>) {
    let keeping = &cx.snap.keeping;
    let key = match (cx.snap.policy.history, keeping.kept, keeping.encrypted) {
        (false, _, _) => "history-off-policy",
        (true, false, _) => "history-off",
        (true, true, true) => "history-encrypted",
        (true, true, false) => "history-plain",
    };
    paragraph(ui, &cx.t(key), Type::Body, cx.c.text);
    if let Some(why) = &keeping.why {
        ui.add_space(2.0);
        paragraph(ui, why, Type::Secondary, cx.c.muted);
    }
    if !cx.snap.policy.history {
        return;
    }
    ui.add_space(8.0);
    paragraph(ui, &cx.t("history-retention"), Type::Label, cx.c.muted);
    let current = cx.snap.settings.chat.retention_days;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 18.0;
        for days in [0, 30, 90, 365] {
            let label = match days {
                0 => cx.t("history-forever"),
                days => cx.tc("history-days", days as usize),
            };
            let (on, name) = (current == days, cx.choice_of("history-retention", &label));
            if option_of(ui, cx.c, on, &label, &name).clicked() && !on {
                change(cx, out, |settings| settings.retention_days = days);
            }
        }
    });
    ui.add_space(8.0);
    let label = cx.t("history-archive");
    if let Some(by_policy) = &cx.snap.policy.archive_folder {
        paragraph(ui, &label, Type::Label, cx.c.muted);
        paragraph(ui, by_policy, Type::Body, cx.c.text);
        paragraph(ui, &cx.t("settled-by-admin"), Type::Secondary, cx.c.muted);
        return;
    }
    let kept = cx.snap.settings.chat.archive_folder.as_ref();
    let kept = kept.map(|path| path.display().to_string()).unwrap_or_default();
    if let Some(text) = folder(ui, cx, &label, &kept, &mut typed.archive) {
        let path = (!text.is_empty()).then(|| text.into());
        change(cx, out, |settings| settings.archive_folder = path);
    }
}

/// A folder that is typed; the text when it was changed.
fn folder(
    ui: &mut Ui,
    cx: &Cx<'_>,
    label: &str,
    kept: &str,
    typed: &mut Option<String>,
) -> Option<String> {
    super::entry::labelled(ui, cx, label);
    let text = typed.get_or_insert_with(|| kept.to_owned());
    let field = Field::new(Id::unique(("folder", label)), label).show(ui, cx.c, text);
    let left = field.lost_focus() && text.trim() != kept;
    left.then(|| text.trim().to_owned())
}

fn privacy(ui: &mut Ui, cx: &Cx<'_>, out: &mut Vec<Command>) {
    switch(ui, cx, "privacy-read", |it| &mut it.tell_read, out);
    switch(ui, cx, "privacy-typing", |it| &mut it.tell_typing, out);
    let key = match cx.snap.policy.encryption {
        EncryptionPolicy::Off => Some("privacy-encryption-off"),
        EncryptionPolicy::Optional => Some("privacy-encryption-optional"),
        EncryptionPolicy::Required => Some("privacy-encryption-required"),
        EncryptionPolicy::ByUser => None,
    };
    match key {
        Some(key) => {
            paragraph(ui, &cx.t(key), Type::Secondary, cx.c.muted);
        }
        None => switch(ui, cx, "privacy-encrypt", |it| &mut it.encrypt, out),
    }
    ui.add_space(8.0);
    paragraph(ui, &cx.t("privacy-blocked"), Type::Label, cx.c.muted);
    if cx.snap.blocked.is_empty() {
        paragraph(ui, &cx.t("privacy-blocked-none"), Type::Body, cx.c.text);
    }
    for who in cx.snap.blocked.iter() {
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 40.0), Sense::hover());
        let text = rect.with_max_x(rect.right() - 130.0);
        line(ui, text, &cx.name_of(who), Type::Body, cx.c.text, Align::Min);
        let place = egui::Rect::from_center_size(
            egui::pos2(rect.right() - 60.0, rect.center().y),
            vec2(116.0, 34.0),
        );
        let label = cx.t("person-unblock");
        let response = Push::new(&label).kind(Kind::Soft).width(116.0).at(ui, cx.c, place);
        let name = format!("{label}: {who}");
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name.clone()));
        if response.clicked() {
            out.push(Command::People(PeopleWish::Block { who: who.clone(), on: false }));
        }
    }
}
