//! What protects a conversation, and the keys of its devices.

use egui::{Frame, Id, ScrollArea, Ui, Vec2};
use offhook_model::{Chat, ChatWish, Command, DeviceKey, Jid, KeyTrust};

use super::header::{chip, client_words, server_words};
use crate::cx::Cx;
use crate::theme::{R_ROW, Type, mono_font};
use crate::widgets::{Kind, Push, dialog, paragraph};

/// What the dialog needs beside the part that is scrolled.
const AROUND: f32 = 180.0;

/// Draws the dialog while it is open.
pub fn show(
    ui: &Ui,
    cx: &Cx<'_>,
    open: &mut bool,
    chat: Option<&Chat>,
    with: &Jid,
    out: &mut Vec<Command>,
) {
    if !*open {
        return;
    }
    let modal = dialog(cx.c, Id::unique("protection"));
    let shown = modal.show(ui.ctx(), |ui| {
        ui.spacing_mut().item_spacing = Vec2::ZERO;
        let window = ui.ctx().content_rect().size();
        ui.set_width(440.0_f32.min(window.x - 80.0));
        let most = (window.y - AROUND).max(120.0);
        // What is free in a dialog is what it took in the last frame: without a least height the
        // scrolled part would grow a little in each frame, and its buttons move away from pointers.
        ScrollArea::vertical()
            .max_height(most)
            .min_scrolled_height(most)
            .show(ui, |ui| content(ui, cx, chat, with, out));
        ui.add_space(16.0);
        let close = cx.t("close");
        Push::new(&close).kind(Kind::Primary).show(ui, cx.c).clicked()
    });
    if shown.inner || shown.should_close() {
        *open = false;
    }
}

fn content(ui: &mut Ui, cx: &Cx<'_>, chat: Option<&Chat>, with: &Jid, out: &mut Vec<Command>) {
    paragraph(ui, &cx.t("protection-title"), Type::Heading, cx.c.text);
    ui.add_space(12.0);
    paragraph(ui, &cx.t("protection-server"), Type::Label, cx.c.muted);
    paragraph(ui, &server_words(cx), Type::Body, cx.c.text);
    ui.add_space(12.0);
    paragraph(ui, &cx.t("protection-client"), Type::Label, cx.c.muted);
    paragraph(ui, &client_words(cx, chat), Type::Body, cx.c.text);
    let Some(chat) = chat else { return };
    let protection = &chat.protection;
    if protection.changeable {
        ui.add_space(8.0);
        let key = if protection.on { "protection-off" } else { "protection-on" };
        let label = cx.t(key);
        if Push::new(&label).on(protection.on).show(ui, cx.c).clicked() {
            let on = !protection.on;
            out.push(Command::Chat(ChatWish::Encrypt { with: with.clone(), on }));
        }
    }
    if let Some(own) = &protection.own {
        ui.add_space(12.0);
        paragraph(ui, &cx.t("keys-this"), Type::Label, cx.c.muted);
        fingerprint(ui, cx, own);
    }
    if protection.keys.is_empty() {
        return;
    }
    ui.add_space(16.0);
    paragraph(ui, &cx.t("keys-compare"), Type::Secondary, cx.c.muted);
    for key in &protection.keys {
        ui.add_space(8.0);
        device(ui, cx, key, out);
    }
}

fn device(ui: &mut Ui, cx: &Cx<'_>, key: &DeviceKey, out: &mut Vec<Command>) {
    let frame = Frame::new().fill(cx.c.ground).stroke(cx.c.hair()).corner_radius(R_ROW);
    frame.inner_margin(12).show(ui, |ui| {
        ui.set_width(ui.available_width());
        let own = cx.snap.me.address.as_deref() == Some(key.owner.bare_str());
        let owner = if own { cx.t("keys-own") } else { cx.name_of(&key.owner) };
        let device = key.device.to_string();
        let values = [("who", owner.as_str()), ("device", &device)];
        paragraph(ui, &cx.texts.with("keys-device", &values), Type::Name, cx.c.text);
        ui.add_space(4.0);
        fingerprint(ui, cx, key);
        ui.add_space(8.0);
        ui.spacing_mut().interact_size.y = 28.0;
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = Vec2::new(8.0, 6.0);
            let (words, color) = match key.trust {
                KeyTrust::Undecided => (cx.t("trust-undecided"), cx.c.muted),
                KeyTrust::Verified => (cx.t("trust-verified"), cx.c.ok),
                KeyTrust::Distrusted => (cx.t("trust-distrusted"), cx.c.busy),
            };
            chip(ui, cx, &words, color);
            if !key.active {
                chip(ui, cx, &cx.t("keys-gone"), cx.c.muted);
            }
            for (trust, word) in
                [(KeyTrust::Verified, "keys-verify"), (KeyTrust::Distrusted, "keys-distrust")]
            {
                let label = cx.t(word);
                let push = Push::new(&label).height(28.0).enabled(key.trust != trust);
                if push.show(ui, cx.c).clicked() {
                    out.push(Command::Chat(ChatWish::Trust {
                        owner: key.owner.clone(),
                        fingerprint: key.fingerprint.clone(),
                        trust,
                    }));
                }
            }
        });
    });
}

fn fingerprint(ui: &mut Ui, cx: &Cx<'_>, key: &DeviceKey) {
    let text = egui::RichText::new(groups(&key.fingerprint)).font(mono_font(12.5));
    ui.add(egui::Label::new(text.color(cx.c.text)).selectable(true).wrap());
}

/// A key in eight groups of eight, four in a line.
fn groups(key: &str) -> String {
    let letters: Vec<char> = key.chars().take(64).collect();
    let groups: Vec<String> = letters.chunks(8).map(|group| group.iter().collect()).collect();
    let lines: Vec<String> = groups.chunks(4).map(|line| line.join(" ")).collect();
    lines.join("\n")
}
