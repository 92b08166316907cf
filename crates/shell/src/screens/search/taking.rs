//! The dialog that takes a group of the directory over into the contact list.

use std::sync::Arc;

use egui::{Align, Id, Layout, Ui};
use offhook_model::{Command, ContactsWish, DirectoryGroup, GroupTaken, GroupTaking};

use crate::cx::Cx;
use crate::screens::entry::complaint;
use crate::screens::hub::Hub;
use crate::theme::Type;
use crate::widgets::{Kind, Push, dialog, paragraph, show_live};

/// The dialog while it is open.
pub struct Taking {
    group: DirectoryGroup,
    stage: Stage,
    /// The button that goes on has had the focus once in this stage.
    focused: bool,
}

/// How far it is.
enum Stage {
    /// It is asked whether it is meant.
    Asking,
    /// The directory is asked; the last taking before it.
    Working(u32),
    /// What came of it.
    Ended(Arc<GroupTaking>),
}

impl Taking {
    /// Asks whether this group is meant.
    pub fn new(group: &DirectoryGroup) -> Self {
        Self { group: group.clone(), stage: Stage::Asking, focused: false }
    }

    fn go(&mut self, stage: Stage) {
        (self.stage, self.focused) = (stage, false);
    }
}

/// Draws the dialog, if it is open.
pub fn show(ui: &Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let Some(taking) = &mut hub.search.taking else { return };
    if let (Stage::Working(before), Some(now)) = (&taking.stage, &cx.snap.group_taking)
        && now.number > *before
        && now.id == taking.group.id
        && now.outcome.is_some()
    {
        taking.go(Stage::Ended(Arc::clone(now)));
        // The dialog takes its place by how high it was in the frame before.
        ui.ctx().request_repaint();
    }
    let modal = dialog(cx.c, Id::unique("group-taking"));
    let shown = modal.show(ui.ctx(), |ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        ui.set_width(400.0_f32.min(ui.ctx().content_rect().width() - 80.0));
        let title = cx.tw("group-add-named", "name", &taking.group.name);
        paragraph(ui, &title, Type::Heading, cx.c.text);
        ui.add_space(8.0);
        body(ui, cx, taking, out)
    });
    if shown.inner || shown.should_close() {
        hub.search.taking = None;
    }
}

/// What is said and what can be pressed; true when the dialog is done with.
fn body(ui: &mut Ui, cx: &Cx<'_>, taking: &mut Taking, out: &mut Vec<Command>) -> bool {
    let last = cx.snap.group_taking.as_ref();
    let busy = last.is_some_and(|last| last.outcome.is_none());
    let asking = matches!(taking.stage, Stage::Asking);
    match &taking.stage {
        Stage::Asking => {
            paragraph(ui, &cx.t("group-take-below"), Type::Body, cx.c.text);
            if busy {
                ui.add_space(8.0);
                show_live(&paragraph(ui, &cx.t("group-busy"), Type::Secondary, cx.c.muted), false);
            }
        }
        Stage::Working(_) => {
            show_live(&paragraph(ui, &cx.t("group-working"), Type::Body, cx.c.text), false);
        }
        Stage::Ended(ended) => match &ended.outcome {
            Some(Ok(taken)) => told(ui, cx, taken),
            Some(Err(error)) => {
                complaint(ui, cx, &error.cause);
                ui.add_space(4.0);
                paragraph(ui, &error.remedy, Type::Secondary, cx.c.muted);
            }
            None => {}
        },
    }
    ui.add_space(20.0);
    let (go, other) = (cx.t("group-take"), cx.t(if asking { "cancel" } else { "close" }));
    let (mut pressed, mut done) = (false, false);
    ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        let mut main = None;
        if asking {
            let push = Push::new(&go).kind(Kind::Primary).enabled(!busy).show(ui, cx.c);
            pressed = push.clicked();
            main = Some(push);
        }
        let kind = if asking { Kind::Plain } else { Kind::Primary };
        let push = Push::new(&other).kind(kind).show(ui, cx.c);
        done = push.clicked();
        if !std::mem::replace(&mut taking.focused, true) {
            main.unwrap_or(push).request_focus();
        }
    });
    if pressed {
        let id = taking.group.id.clone();
        taking.go(Stage::Working(last.map_or(0, |last| last.number)));
        out.push(Command::Contacts(ContactsWish::TakeGroup { id }));
    }
    done
}

/// The outcome in words: what was done, then who was left out and why.
fn told(ui: &mut Ui, cx: &Cx<'_>, taken: &GroupTaken) {
    let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let left_out = if taken.more { "group-left-out-more" } else { "group-left-out" };
    let done = [("group-joined", taken.joined), ("group-present", taken.present)];
    let left_out = [
        ("group-no-address", taken.without_address),
        ("group-no-people", taken.no_people),
        (left_out, taken.left_out),
    ];
    let lines = done.map(|line| (line, cx.c.text)).into_iter();
    let lines = lines.chain(left_out.map(|line| (line, cx.c.muted)));
    let added = cx.tc("group-added", count(taken.added));
    show_live(&paragraph(ui, &added, Type::Body, cx.c.text), false);
    for ((key, people), ink) in lines.filter(|((_, people), _)| *people > 0) {
        ui.add_space(6.0);
        paragraph(ui, &cx.tc(key, count(people)), Type::Secondary, ink);
    }
}
