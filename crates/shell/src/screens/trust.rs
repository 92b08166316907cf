//! The question about a certificate that the system does not trust: whose it is, why not, and which
//! names were wanted.

use egui::{Frame, Id, Ui};
use offhook_model::{Command, TrustQuestion};

use crate::cx::Cx;
use crate::icons;
use crate::theme::{R_ROW, Type};
use crate::widgets::{Kind, Push, dialog, icon, paragraph, show_live};

/// Draws the question that is open, if one is. The safe answer has the focus; Escape gives it too.
pub fn show(ui: &Ui, cx: &Cx<'_>, focused: &mut Option<u32>, out: &mut Vec<Command>) {
    let Some(question) = &cx.snap.session.question else {
        *focused = None;
        return;
    };
    let fresh = focused.replace(question.id) != Some(question.id);
    if fresh {
        // A new window's height is known after its first frame.
        ui.ctx().request_discard("size of the question");
    }
    let modal = dialog(cx.c, Id::unique("trust"));
    let shown = modal.show(ui.ctx(), |ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        let screen = ui.ctx().content_rect().size();
        ui.set_width(480.0_f32.min(screen.x - 80.0));
        let scroll = egui::ScrollArea::vertical().max_height((screen.y - 190.0).max(160.0));
        scroll.auto_shrink([false, true]).show(ui, |ui| {
            head(ui, cx, question);
            ui.add_space(16.0);
            facts(ui, cx, question);
        });
        ui.add_space(20.0);
        answer(ui, cx, question, fresh)
    });
    // A click beside the question is no answer; Escape is.
    let escaped = ui.input(|input| input.key_pressed(egui::Key::Escape));
    let accept = shown.inner.or(escaped.then_some(false));
    if let Some(accept) = accept {
        out.push(Command::AnswerTrust { id: question.id, accept });
    }
}

fn head(ui: &mut Ui, cx: &Cx<'_>, question: &TrustQuestion) {
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 12.0;
        let (rect, _) = ui.allocate_exact_size(egui::vec2(24.0, 28.0), egui::Sense::hover());
        icon(ui, rect.center(), icons::TRIANGLE_ALERT, 22.0, cx.c.away);
        let title = cx.tw("trust-title", "host", &question.at.host);
        let response = paragraph(ui, &title, Type::Heading, cx.c.text);
        show_live(&response, true);
    });
    ui.add_space(8.0);
    paragraph(ui, &question.words, Type::Body, cx.c.text);
    ui.add_space(4.0);
    paragraph(ui, &cx.t("trust-below"), Type::Secondary, cx.c.muted);
}

fn facts(ui: &mut Ui, cx: &Cx<'_>, question: &TrustQuestion) {
    let none = || cx.t("trust-no-names");
    let list = |names: &[String]| if names.is_empty() { none() } else { names.join(", ") };
    let rows = [
        ("trust-wanted", list(&question.wanted)),
        ("trust-present", list(&question.present)),
        ("trust-subject", question.subject.clone()),
        ("trust-issuer", question.issuer.clone()),
        ("trust-valid", format!("{} – {}", question.not_before, question.not_after)),
        ("trust-fingerprint", question.fingerprint.clone()),
    ];
    let frame =
        Frame::new().fill(cx.c.ground).stroke(cx.c.hair()).corner_radius(R_ROW).inner_margin(16);
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        for (at, (key, value)) in rows.iter().enumerate() {
            if at > 0 {
                ui.add_space(10.0);
            }
            paragraph(ui, &cx.t(key), Type::Label, cx.c.muted);
            ui.add_space(1.0);
            paragraph(ui, value, Type::Secondary, cx.c.text);
        }
    });
}

/// The answer, once it is given.
fn answer(ui: &mut Ui, cx: &Cx<'_>, question: &TrustQuestion, fresh: bool) -> Option<bool> {
    let accept = cx.t(if question.remembered { "trust-accept" } else { "trust-accept-session" });
    let refuse = cx.t("trust-refuse");
    let mut answer = None;
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Min), |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        let response = Push::new(&refuse).kind(Kind::Primary).show(ui, cx.c);
        if fresh {
            response.request_focus();
        }
        if response.clicked() {
            answer = Some(false);
        }
        if Push::new(&accept).show(ui, cx.c).clicked() {
            answer = Some(true);
        }
    });
    answer
}
