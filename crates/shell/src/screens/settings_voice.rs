//! Settings of what is done to one's own voice, and of the tones that tell how a call goes.

use egui::Ui;
use offhook_model::{Command, Settings, SoundSettings, ToneCountry};

use super::settings::setting;
use crate::cx::Cx;
use crate::theme::Type;
use crate::widgets::{check, paragraph};

/// One switch among the settings.
type Switch = fn(&mut SoundSettings) -> &mut bool;

/// Draws the section.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, out: &mut Vec<Command>) {
    paragraph(ui, &cx.t("voice-below"), Type::Secondary, cx.c.muted);
    ui.add_space(8.0);
    let switches: [(&str, Switch); 3] = [
        ("voice-echo", |it| &mut it.echo_cancellation),
        ("voice-noise", |it| &mut it.noise_suppression),
        ("voice-gain", |it| &mut it.automatic_gain),
    ];
    for (key, switch) in switches {
        let mut sound = cx.snap.settings.sound;
        if check(ui, cx.c, switch(&mut sound), &cx.t(key)).clicked() {
            change(cx, out, sound);
        }
    }
    ui.add_space(8.0);
    let label = cx.t("tones");
    setting(ui, cx, &label, |ui| tones(ui, cx, &label, out));
}

fn change(cx: &Cx<'_>, out: &mut Vec<Command>, sound: SoundSettings) {
    let settings = Settings { sound, ..Settings::clone(&cx.snap.settings) };
    out.push(Command::SetSettings(Box::new(settings)));
}

fn tones(ui: &mut Ui, cx: &Cx<'_>, label: &str, out: &mut Vec<Command>) {
    let chosen = cx.snap.settings.sound.tones;
    let current = country(cx, chosen);
    let mut all: Vec<_> =
        ToneCountry::ALL.map(|one| (country(cx, Some(one)), Some(one))).into_iter().collect();
    all.sort_by_key(|(name, _)| name.to_lowercase());
    all.insert(0, (country(cx, None), None));
    let width = ui.available_width().min(360.0);
    let mut wanted = None;
    let combo = super::entry::combo(label, width, &current, cx.c.muted).show_ui(ui, |ui| {
        for (name, one) in all {
            if ui.selectable_label(one == chosen, name).clicked() && one != chosen {
                wanted = Some(one);
            }
        }
    });
    combo.response.accessible_name(format!("{label}: {current}"));
    if let Some(tones) = wanted {
        change(cx, out, SoundSettings { tones, ..cx.snap.settings.sound });
    }
}

fn country(cx: &Cx<'_>, one: Option<ToneCountry>) -> String {
    match one {
        None => cx.t("country-none"),
        Some(one) => cx.t(&format!("country-{}", one.code())),
    }
}
