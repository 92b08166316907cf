//! Settings of the ways that calls take through routers and firewalls: servers that help, and the
//! relay's password, which is never shown again.

use egui::{Id, Ui};
use offhook_model::{Command, Secret, Settings, WaySettings};

use super::page;
use crate::cx::Cx;
use crate::theme::Type;
use crate::widgets::{Field, Push, check, forget_text, option_of, paragraph};

/// What is being typed on the page.
#[derive(Default)]
pub struct Typed {
    stun: Option<String>,
    turn: Option<String>,
    user: Option<String>,
    password: String,
    shown: bool,
}

/// Draws the section.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, typed: &mut Typed, out: &mut Vec<Command>) {
    page::section(ui, cx, &cx.t("settings-ways"), |ui| {
        paragraph(ui, &cx.t("ways-below"), Type::Secondary, cx.c.muted);
        ui.add_space(10.0);
        policy(ui, cx, out);
        servers(ui, cx, typed, out);
        password(ui, cx, typed, out);
        let mut only = cx.snap.settings.calls.ways.relay_only;
        ui.add_space(8.0);
        if check(ui, cx.c, &mut only, &cx.t("ways-relay-only")).clicked() {
            change(cx, out, |ways| ways.relay_only = only);
        }
        paragraph(ui, &cx.t("ways-relay-only-below"), Type::Secondary, cx.c.muted);
    });
}

fn change(cx: &Cx<'_>, out: &mut Vec<Command>, edit: impl FnOnce(&mut WaySettings)) {
    let mut settings = Settings::clone(&cx.snap.settings);
    edit(&mut settings.calls.ways);
    out.push(Command::SetSettings(Box::new(settings)));
}

/// Whether ways are looked for.
fn policy(ui: &mut Ui, cx: &Cx<'_>, out: &mut Vec<Command>) {
    paragraph(ui, &cx.t("ways-ice"), Type::Label, cx.c.muted);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 18.0;
        let current = cx.snap.settings.calls.ways.ice;
        for (wanted, key) in
            [(None, "ways-ice-auto"), (Some(true), "ways-ice-on"), (Some(false), "ways-ice-off")]
        {
            let on = current == wanted;
            let (label, name) = (cx.t(key), cx.choice_of("ways-ice", &cx.t(key)));
            if option_of(ui, cx.c, on, &label, &name).clicked() && !on {
                change(cx, out, |ways| ways.ice = wanted);
            }
        }
    });
    ui.add_space(8.0);
}

fn servers(ui: &mut Ui, cx: &Cx<'_>, typed: &mut Typed, out: &mut Vec<Command>) {
    let kept = cx.snap.settings.calls.ways.clone();
    let mut field = |key: &str,
                     hint: &str,
                     typed: &mut Option<String>,
                     kept: Option<&str>,
                     set: fn(&mut WaySettings) -> &mut Option<String>| {
        let label = cx.t(key);
        super::entry::labelled(ui, cx, &label);
        let kept = kept.unwrap_or_default();
        let text = typed.get_or_insert_with(|| kept.to_owned());
        let response =
            Field::new(Id::unique(("ways", key)), &label).hint(hint).show(ui, cx.c, text);
        if response.lost_focus() && text.trim() != kept {
            let text = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
            change(cx, out, |ways| *set(ways) = text);
        }
        ui.add_space(8.0);
    };
    field("ways-stun", "stun.example.com", &mut typed.stun, kept.stun.as_deref(), |it| {
        &mut it.stun
    });
    field("ways-turn", "turn.example.com", &mut typed.turn, kept.turn.as_deref(), |it| {
        &mut it.turn
    });
    let user = kept.turn_user.as_deref();
    field("ways-turn-user", "", &mut typed.user, user, |it| &mut it.turn_user);
}

fn password(ui: &mut Ui, cx: &Cx<'_>, typed: &mut Typed, out: &mut Vec<Command>) {
    let label = cx.t("ways-password");
    super::entry::labelled(ui, cx, &label);
    let id = Id::unique("ways-password");
    let reveal = cx.t("password-show");
    let field = Field::new(id, &label).secret(&mut typed.shown, &reveal);
    field.show(ui, cx.c, &mut typed.password);
    paragraph(ui, &cx.t("ways-password-below"), Type::Secondary, cx.c.muted);
    ui.add_space(6.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        if Push::new(&cx.t("ways-password-keep")).show(ui, cx.c).clicked()
            && !typed.password.is_empty()
        {
            let password = Secret::new(std::mem::take(&mut typed.password));
            out.push(Command::SetRelayPassword(password));
            forget_text(ui, id);
        }
        if Push::new(&cx.t("ways-password-forget")).show(ui, cx.c).clicked() {
            out.push(Command::SetRelayPassword(Secret::from("")));
        }
    });
}
