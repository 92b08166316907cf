//! The question for the authentication string of the phone's certificate.

use egui::{Id, Ui};
use offhook_model::{Command, EnrolmentQuestion, Secret};

use super::entry::{entered, labelled, problem};
use crate::cx::Cx;
use crate::theme::Type;
use crate::widgets::{Field, Kind, Push, dialog, forget_text, paragraph};

/// What is typed while the question is open.
#[derive(Default)]
pub struct Typing {
    string: String,
    shown: bool,
    /// Which question has had the focus.
    asked: Option<EnrolmentQuestion>,
}

/// Draws the question that is open, if one is. Escape goes on without the phone, as the button does.
pub fn show(ui: &Ui, cx: &Cx<'_>, typing: &mut Typing, out: &mut Vec<Command>) {
    // One question at a time: whether the server is trusted comes first.
    let question = cx.snap.session.enrolment.as_ref();
    let Some(question) = question.filter(|_| cx.snap.session.question.is_none()) else {
        typing.asked = None;
        return;
    };
    let fresh = typing.asked.as_ref() != Some(question);
    if fresh {
        *typing = Typing { asked: Some(question.clone()), ..Typing::default() };
        // A new window's height is known after its first frame.
        ui.ctx().request_discard("size of the question");
    }
    let id = Id::unique("enrol-string");
    let shown = dialog(cx.c, Id::unique("enrol")).show(ui.ctx(), |ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        ui.set_width(400.0_f32.min(ui.ctx().content_rect().width() - 80.0));
        contents(ui, cx, (typing, question), id, fresh)
    });
    let escaped = ui.input(|input| input.key_pressed(egui::Key::Escape));
    let answer = shown.inner.or(escaped.then_some(Answer::Without));
    if let Some(answer) = answer {
        let string = Secret::new(std::mem::take(&mut typing.string).trim().to_owned());
        forget_text(ui, id);
        out.push(Command::GiveAuthString((answer == Answer::Given).then_some(string)));
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Given,
    Without,
}

fn contents(
    ui: &mut Ui,
    cx: &Cx<'_>,
    (typing, question): (&mut Typing, &EnrolmentQuestion),
    id: Id,
    fresh: bool,
) -> Option<Answer> {
    paragraph(ui, &cx.t("enrol-title"), Type::Heading, cx.c.text);
    ui.add_space(4.0);
    let below = cx.tw("enrol-below", "device", &question.device);
    paragraph(ui, &below, Type::Secondary, cx.c.muted);
    ui.add_space(16.0);
    let (name, reveal) = (cx.t("enrol-string"), cx.t("enrol-show"));
    labelled(ui, cx, &name);
    let field = Field::new(id, &name).secret(&mut typing.shown, &reveal);
    let field = field.show(ui, cx.c, &mut typing.string);
    if fresh {
        field.request_focus();
    }
    if let Some(error) = &question.error {
        problem(ui, cx, error);
    }
    ui.add_space(20.0);
    let (go, without) = (cx.t("enrol-do"), cx.t("enrol-without"));
    let given = !typing.string.trim().is_empty();
    let mut answer = (given && entered(ui, &field)).then_some(Answer::Given);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Min), |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        if Push::new(&go).kind(Kind::Primary).show(ui, cx.c).clicked() && given {
            answer = Some(Answer::Given);
        }
        if Push::new(&without).show(ui, cx.c).clicked() {
            answer = Some(Answer::Without);
        }
    });
    answer
}
