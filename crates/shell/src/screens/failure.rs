//! Sign-in did not work: cause, owner and remedy in two lines, and the whole trace on demand.

use std::fmt::Write as _;

use egui::{Ui, vec2};
use offhook_model::{Area, Command, Owner, Problem, TraceStep};

use super::entry::Entry;
use super::trace;
use crate::cx::Cx;
use crate::icons;
use crate::theme::{R_CARD, R_ROW, Type};
use crate::widgets::{Kind, Push, icon, paragraph, show_live};

/// Draws the page.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, entry: &mut Entry, out: &mut Vec<Command>) {
    let session = &cx.snap.session;
    let address = session.address.as_ref().map(ToString::to_string);
    let address = address.unwrap_or_else(|| entry.address.clone());
    head(ui, cx, &address);
    if let Some(problem) = &session.error {
        ui.add_space(20.0);
        facts(ui, cx, problem);
    }
    ui.add_space(20.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(8.0, 8.0);
        let again = cx.t("try-again");
        let push = Push::new(&again).glyph(icons::REFRESH).kind(Kind::Primary);
        if push.show(ui, cx.c).clicked() {
            entry.address.clone_from(&address);
            out.push(Command::TryAgain);
        }
        let copy = cx.t("copy-support");
        if Push::new(&copy).glyph(icons::COPY).show(ui, cx.c).clicked() {
            let text = support_text(&address, session.error.as_ref(), &session.trace);
            ui.ctx().copy_text(text);
        }
        let (label, glyph) = if entry.details {
            (cx.t("details-hide"), icons::CHEVRON_UP)
        } else {
            (cx.t("details"), icons::CHEVRON_DOWN)
        };
        let push = Push::new(&label).glyph(glyph).kind(Kind::Ghost);
        if push.on(entry.details).show(ui, cx.c).clicked() {
            entry.details = !entry.details;
        }
    });
    if entry.details {
        ui.add_space(16.0);
        if let Some(problem) = &session.error
            && !problem.evidence.is_empty()
        {
            paragraph(ui, &problem.evidence, Type::Secondary, cx.c.muted);
            ui.add_space(8.0);
        }
        trace::table(ui, cx, &session.trace, 320.0);
    }
    ui.add_space(16.0);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 12.0;
        let mut link = |label: &str| {
            let push = Push::new(label).kind(Kind::Link).height(28.0);
            push.show(ui, cx.c).clicked()
        };
        if link(&cx.t("other-address")) {
            out.push(Command::SignOut);
        }
        if link(&cx.t("manual-open")) {
            entry.manual_open = true;
            entry.wrong = None;
        }
    });
}

fn head(ui: &mut Ui, cx: &Cx<'_>, address: &str) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 16.0;
        let (rect, _) = ui.allocate_exact_size(vec2(48.0, 48.0), egui::Sense::hover());
        let soft = cx.c.panel.lerp_to_gamma(cx.c.busy, 0.14);
        ui.painter().rect_filled(rect, R_CARD, soft);
        icon(ui, rect.center(), icons::TRIANGLE_ALERT, 24.0, cx.c.busy);
        ui.vertical(|ui| {
            paragraph(ui, &cx.t("failure-title"), Type::Title, cx.c.text);
            paragraph(ui, address, Type::Body, cx.c.muted);
        });
    });
}

/// What happened, then who must do what.
fn facts(ui: &mut Ui, cx: &Cx<'_>, problem: &Problem) {
    let frame = egui::Frame::new()
        .fill(cx.c.ground)
        .stroke(cx.c.hair())
        .corner_radius(R_ROW)
        .inner_margin(16);
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        let response = paragraph(ui, &cx.texts.cause(problem), Type::Name, cx.c.text);
        show_live(&response, true);
        ui.add_space(8.0);
        paragraph(ui, &owner(cx, problem), Type::Label, cx.c.muted);
        ui.add_space(2.0);
        paragraph(ui, &cx.texts.remedy(problem), Type::Body, cx.c.text);
    });
}

/// "For the DNS administrator", or "What you can do".
pub fn owner(cx: &Cx<'_>, problem: &Problem) -> String {
    match problem.owner {
        offhook_model::Owner::User => cx.t("owner-you"),
        offhook_model::Owner::Admin
        | offhook_model::Owner::Network
        | offhook_model::Owner::Server => cx.tw("owner-other", "who", &who(cx, problem)),
    }
}

/// The owner's name; somebody more precise than usual is named as the model does.
fn who(cx: &Cx<'_>, problem: &Problem) -> String {
    if problem.who != Problem::usual_who(problem.owner, problem.area) {
        return problem.who.clone();
    }
    cx.t(match (problem.owner, problem.area) {
        (Owner::User, _) => "owner-you",
        (Owner::Admin, Area::Dns) => "who-dns",
        (Owner::Admin, _) => "who-uc",
        (Owner::Network, _) => "who-network",
        (Owner::Server, _) => "who-server",
    })
}

/// What a support desk wants to read. In English, as the sentences of the model are.
pub fn support_text(address: &str, problem: Option<&Problem>, trace: &[TraceStep]) -> String {
    let mut text = format!("Offhook\naddress: {address}\n");
    if let Some(problem) = problem {
        let rule = problem.rule.map_or_else(String::new, |rule| format!("D{:02}", rule.0));
        let _ = writeln!(
            text,
            "rule: {rule}\ncause: {}\nowner: {}\nremedy: {}\nevidence: {}",
            problem.cause, problem.who, problem.remedy, problem.evidence
        );
    }
    for step in trace {
        let _ = writeln!(
            text,
            "{:>6} ms  {:?}  {}  {}  @ {}  -> {}  ({})",
            step.ms, step.outcome, step.step, step.asked, step.of, step.answer, step.why
        );
    }
    text
}
