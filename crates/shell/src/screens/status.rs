//! Connection status: what of the services works, and how it was found.

use egui::{Align, Color32, Rect, Sense, Ui, pos2, vec2};
use offhook_model::{ServiceState, ServiceStatus};

use super::hub::Hub;
use super::{failure, page, policy, trace};
use crate::cx::Cx;
use crate::icons;
use crate::theme::Type;
use crate::widgets::{Push, icon, line, paragraph};

/// Draws the page.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub) {
    page::show(ui, cx, hub, &cx.t("status-title"), |ui, _| {
        page::section(ui, cx, &cx.t("status-services"), |ui| services(ui, cx));
        if !cx.snap.session.restrictions.is_empty() {
            page::section(ui, cx, &cx.t("status-restrictions"), |ui| policy::restrictions(ui, cx));
        }
        let heading = cx.t("status-trace");
        paragraph(ui, &heading, Type::Name, cx.c.text);
        ui.add_space(8.0);
        trace::table(ui, cx, &cx.snap.session.trace, 420.0);
        ui.add_space(24.0);
        if cx.snap.layers.iter().any(|layer| !layer.settings.is_empty()) {
            page::section(ui, cx, &cx.t("status-settings"), |ui| policy::settings(ui, cx));
        }
        let copy = cx.t("copy-support");
        if Push::new(&copy).glyph(icons::COPY).show(ui, cx.c).clicked() {
            let session = &cx.snap.session;
            let address = session.address.as_ref().map(ToString::to_string);
            let text = failure::support_text(
                &address.unwrap_or_default(),
                session.error.as_ref(),
                &session.trace,
            );
            ui.ctx().copy_text(format!("{}{text}", rows_text(cx)));
        }
    });
}

fn rows<'a>(cx: &Cx<'a>) -> [(String, &'a ServiceStatus); 6] {
    let services = &cx.snap.session.services;
    [
        (cx.t("service-im"), &services.im),
        (cx.t("service-phone"), &services.phone),
        (cx.t("service-voicemail"), &services.voicemail),
        (cx.t("service-directory"), &services.directory),
        (cx.t("service-edge"), &services.edge),
        (cx.t("service-calendar"), &services.calendar),
    ]
}

/// The rows for a support desk.
fn rows_text(cx: &Cx<'_>) -> String {
    rows(cx)
        .iter()
        .map(|(name, status)| {
            let error = status.error.as_ref().map(|error| error.cause.as_str());
            format!(
                "{name}: {:?} {} {} {} {}\n",
                status.state,
                status.address.as_deref().unwrap_or_default(),
                status.protocol.as_deref().unwrap_or_default(),
                status.tls.as_deref().unwrap_or_default(),
                error.unwrap_or_default()
            )
        })
        .collect()
}

fn mark(cx: &Cx<'_>, state: ServiceState) -> (&'static str, Color32, String) {
    match state {
        ServiceState::Off => (icons::MINUS, cx.c.muted, cx.t("service-off")),
        ServiceState::NotConfigured => (icons::MINUS, cx.c.muted, cx.t("service-not-configured")),
        ServiceState::Connecting => (icons::REFRESH, cx.c.away, cx.t("service-connecting")),
        ServiceState::Ready => (icons::CIRCLE_CHECK, cx.c.ok, cx.t("service-ready")),
        ServiceState::Failed => (icons::CIRCLE_X, cx.c.busy, cx.t("service-failed")),
    }
}

fn services(ui: &mut Ui, cx: &Cx<'_>) {
    for (at, (name, status)) in rows(cx).iter().enumerate() {
        if at > 0 {
            let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 9.0), Sense::hover());
            ui.painter().hline(rect.left() + 32.0..=rect.right(), rect.center().y, cx.c.hair());
        }
        service(ui, cx, name, status);
    }
}

fn service(ui: &mut Ui, cx: &Cx<'_>, name: &str, status: &ServiceStatus) {
    let tight = ui.available_width() < 460.0;
    let lines = if tight && status.address.is_some() { 78.0 } else { 40.0 };
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), lines), Sense::hover());
    let (glyph, color, word) = mark(cx, status.state);
    icon(ui, pos2(rect.left() + 10.0, rect.top() + 20.0), glyph, 18.0, color);
    let split = rect.left() + if tight { rect.width() } else { rect.width() * 0.36 };
    let top = Rect::from_min_max(rect.min + vec2(32.0, 2.0), pos2(split, rect.top() + 22.0));
    line(ui, top, name, Type::Name, cx.c.text, Align::Min);
    let bottom = top.translate(vec2(0.0, 18.0));
    let ink = if status.state == ServiceState::Failed { cx.c.busy } else { cx.c.muted };
    line(ui, bottom, &word, Type::Secondary, ink, Align::Min);
    if tight {
        endpoint(ui, cx, status, top.translate(vec2(0.0, 38.0)));
    } else {
        endpoint(ui, cx, status, top.with_min_x(split + 8.0).with_max_x(rect.right()));
    }
    error(ui, cx, status);
}

/// Where the service is, and how the way to it is protected.
fn endpoint(ui: &mut Ui, cx: &Cx<'_>, status: &ServiceStatus, place: Rect) {
    let parts: Vec<&str> = [&status.address, &status.protocol]
        .into_iter()
        .filter_map(|part| part.as_deref())
        .collect();
    if parts.is_empty() {
        return;
    }
    let first = parts.join(" · ");
    line(ui, place, &first, Type::Body, cx.c.text, Align::Min);
    let (glyph, words) = match &status.tls {
        Some(tls) => (icons::LOCK, tls.clone()),
        None => (icons::LOCK_OPEN, cx.t("security-none")),
    };
    let below = place.translate(vec2(0.0, 18.0));
    let at = pos2(below.left() + 6.0, below.center().y);
    icon(ui, at, glyph, 12.0, cx.c.muted);
    let below = below.with_min_x(below.left() + 18.0);
    line(ui, below, &words, Type::Secondary, cx.c.muted, Align::Min);
}

/// What is wrong, whose it is, what to do.
fn error(ui: &mut Ui, cx: &Cx<'_>, status: &ServiceStatus) {
    if let Some(problem) = &status.error {
        ui.add_space(6.0);
        ui.horizontal_top(|ui| {
            ui.add_space(32.0);
            ui.vertical(|ui| {
                paragraph(ui, &cx.texts.cause(problem), Type::Body, cx.c.text);
                ui.add_space(2.0);
                let owner = failure::owner(cx, problem);
                paragraph(ui, &owner, Type::Label, cx.c.muted);
                paragraph(ui, &cx.texts.remedy(problem), Type::Secondary, cx.c.text);
            });
        });
        ui.add_space(4.0);
    }
}
