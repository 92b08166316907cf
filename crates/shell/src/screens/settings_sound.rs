//! Settings of sound: which devices, how loud they are, and trying them out.

use std::time::Duration;

use egui::{Rect, Sense, Ui, pos2, vec2};
use offhook_model::{AudioSpec, Command, Device, Role, SoundTest, TestPhase};

use super::settings::setting;
use crate::cx::Cx;
use crate::icons;
use crate::theme::Type;
use crate::widgets::{Push, paragraph, show_live};

/// How often the devices are asked for while they are looked at: the media engine has the system
/// tell of changes for a minute after each time.
const INTEREST: f64 = 30.0;

/// Draws the section.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, out: &mut Vec<Command>) {
    let devices = &cx.snap.devices;
    let all = [
        (Role::Input, "device-input", &devices.input),
        (Role::Output, "device-output", &devices.output),
        (Role::Ringer, "device-ringer", &devices.ringer),
    ];
    for (role, key, chosen) in all {
        let label = cx.t(key);
        setting(ui, cx, &label, |ui| {
            ui.add_space(2.0);
            device(ui, cx, role, &label, chosen, out);
        });
        match role {
            Role::Input => meter(ui, cx, &cx.t("level-input"), cx.levels.0),
            Role::Output => meter(ui, cx, &cx.t("level-output"), cx.levels.1),
            Role::Ringer => {}
        }
    }
    if let Some(problem) = &devices.problem {
        super::entry::complaint(ui, cx, problem);
    }
    if let Some(advice) = &devices.advice {
        paragraph(ui, &cx.texts.cause(advice), Type::Secondary, cx.c.away);
        paragraph(ui, &cx.texts.remedy(advice), Type::Secondary, cx.c.muted);
    }
    ui.add_space(8.0);
    tests(ui, cx, out);
    stay_informed(ui, out);
    // The levels come without a change of the snapshot; ten times a second while looked at.
    if cx.levels != (0.0, 0.0) || ui.input(|input| input.viewport().focused == Some(true)) {
        ui.ctx().request_repaint_after(Duration::from_millis(100));
    }
}

/// While the page is open it shows what comes and goes.
fn stay_informed(ui: &Ui, out: &mut Vec<Command>) {
    let (id, now) = (egui::Id::unique("devices-asked"), ui.input(|input| input.time));
    let asked: Option<f64> = ui.data(|data| data.get_temp(id));
    if asked.is_none_or(|at| now - at >= INTEREST) {
        ui.data_mut(|data| data.insert_temp(id, now));
        out.push(Command::RefreshDevices);
    }
}

/// Buttons that try the devices out, and how that went.
fn tests(ui: &mut Ui, cx: &Cx<'_>, out: &mut Vec<Command>) {
    let test = cx.snap.devices.test.as_ref();
    let runs = test.is_some_and(|test| test.phase != TestPhase::Done);
    let talks = cx.snap.calls.iter().any(|call| call.end.is_none());
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(8.0, 8.0);
        for (role, key, glyph) in [
            (Role::Input, "test-input", icons::MIC),
            (Role::Output, "test-output", icons::SIGNAL),
            (Role::Ringer, "test-ringer", icons::PHONE_CALL),
        ] {
            let label = cx.t(key);
            let push = Push::new(&label).glyph(glyph).enabled(!runs && !talks);
            if push.show(ui, cx.c).clicked() {
                out.push(Command::TestDevice(role));
            }
        }
        let refresh = cx.t("devices-refresh");
        if Push::new(&refresh).glyph(icons::REFRESH).show(ui, cx.c).clicked() {
            out.push(Command::RefreshDevices);
        }
    });
    let words = match test {
        _ if talks => Some((cx.t("test-not-now"), cx.c.muted)),
        Some(test) => said(cx, test),
        None => None,
    };
    if let Some((words, ink)) = words {
        ui.add_space(6.0);
        let response = paragraph(ui, &words, Type::Secondary, ink);
        show_live(&response, false);
    }
}

fn said(cx: &Cx<'_>, test: &SoundTest) -> Option<(String, egui::Color32)> {
    Some(match (test.role, test.phase, test.peak_db) {
        (_, TestPhase::Recording, _) => (cx.t("test-speak"), cx.c.accent),
        (Role::Input, TestPhase::Playing, Some(_)) => (cx.t("test-listen"), cx.c.accent),
        (Role::Input, _, None) => (cx.t("test-nothing"), cx.c.busy),
        (Role::Input, TestPhase::Done, Some(peak)) if peak < -40 => {
            (cx.tw("test-quiet", "level", &peak.to_string()), cx.c.away)
        }
        (Role::Input, TestPhase::Done, Some(peak)) => {
            (cx.tw("test-heard", "level", &peak.to_string()), cx.c.muted)
        }
        (Role::Output | Role::Ringer, TestPhase::Playing, _) => (cx.t("test-tone"), cx.c.accent),
        (Role::Output | Role::Ringer, TestPhase::Done, _) => return None,
    })
}

fn fits(device: &Device, role: Role) -> bool {
    match role {
        Role::Input => device.input,
        Role::Output | Role::Ringer => device.output,
    }
}

fn spec_name(cx: &Cx<'_>, spec: &AudioSpec) -> String {
    match spec {
        AudioSpec::Default => cx.t("device-default"),
        AudioSpec::Device(name) => name.clone(),
        AudioSpec::File { .. } | AudioSpec::Tone(_) | AudioSpec::Silence | AudioSpec::Null => {
            spec.to_string()
        }
    }
}

fn device(
    ui: &mut Ui,
    cx: &Cx<'_>,
    role: Role,
    label: &str,
    chosen: &AudioSpec,
    out: &mut Vec<Command>,
) {
    let current = spec_name(cx, chosen);
    let width = ui.available_width().min(360.0);
    let mut wanted = None;
    let combo = super::entry::combo(label, width, &current, cx.c.muted).show_ui(ui, |ui| {
        let default = std::iter::once(AudioSpec::Default);
        let items = cx.snap.devices.items.iter();
        let named = items
            .filter(|device| fits(device, role))
            .map(|device| AudioSpec::Device(device.name.clone()));
        for spec in default.chain(named) {
            let selected = &spec == chosen;
            if ui.selectable_label(selected, spec_name(cx, &spec)).clicked() && !selected {
                wanted = Some(spec);
            }
        }
    });
    combo.response.accessible_name(format!("{label}: {current}"));
    if let Some(spec) = wanted {
        out.push(Command::SelectDevice { role, spec });
    }
}

/// Twenty small bars; the level in decibels from −60 to 0.
fn meter(ui: &mut Ui, cx: &Cx<'_>, name: &str, level: f32) {
    const BARS: usize = 24;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), Sense::hover());
    let decibel = 20.0 * level.max(0.000_1).log10();
    let part = ((decibel + 60.0) / 60.0).clamp(0.0, 1.0);
    response.widget_info(|| {
        let mut info = egui::WidgetInfo::labeled(egui::Role::Meter, true, name);
        info.value = Some(f64::from((part * 100.0).round()));
        info
    });
    let left = rect.left() + if rect.width() < 460.0 { 0.0 } else { 170.0 };
    let width = (rect.right() - left).min(360.0);
    let step = width / BARS as f32;
    let lit = (part * BARS as f32).round() as usize;
    for bar in 0..BARS {
        let corner = pos2(left + step * bar as f32, rect.top() + 4.0);
        let place = Rect::from_min_size(corner, vec2(step - 3.0, 8.0));
        let color = match (bar < lit, bar * 10 >= BARS * 9) {
            (false, _) => cx.c.line,
            (true, true) => cx.c.busy,
            (true, false) => cx.c.ok,
        };
        ui.painter().rect_filled(place, 2, color);
    }
}
