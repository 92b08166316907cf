//! The dialogs that read and write own contacts as a file of vCards or a table.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::{Id, Ui};
use offhook_model::{CardsDone, Command, ContactsWish};

use super::Own;
use crate::cx::Cx;
use crate::icons;
use crate::screens::entry::{complaint, entered, labelled};
use crate::theme::Type;
use crate::widgets::{Field, Kind, Push, check, dialog, paragraph, show_live};

/// The dialog while it is open.
pub struct Cards {
    import: bool,
    path: String,
    roster: bool,
    stage: Stage,
    asked: bool,
}

/// How far it is.
enum Stage {
    /// A file is asked for; what is wrong with it.
    Typing(Option<String>),
    /// The file is being read or written; the outcome of the file before it.
    Working(Option<u32>),
    /// What came of it.
    Ended(Arc<CardsDone>),
}

impl Cards {
    /// Reads a file.
    pub fn import() -> Self {
        Self {
            import: true,
            path: String::new(),
            roster: false,
            stage: Stage::Typing(None),
            asked: false,
        }
    }

    /// Writes a file; it is proposed where received files go, if that was chosen.
    pub fn export(cx: &Cx<'_>) -> Self {
        let folder = cx.snap.settings.chat.downloads.as_ref();
        let path = folder.map(|folder| folder.join("contacts.vcf").display().to_string());
        Self { import: false, path: path.unwrap_or_default(), ..Self::import() }
    }

    /// What it is called, what it does, and the button that does it.
    fn words(&self) -> [&'static str; 3] {
        if self.import {
            ["cards-import", "cards-import-below", "cards-import-do"]
        } else {
            ["cards-export", "cards-export-below", "cards-export-do"]
        }
    }

    /// Begins, or says what is wrong with the path.
    fn begin(&mut self, cx: &Cx<'_>, out: &mut Vec<Command>) {
        let path = PathBuf::from(self.path.trim());
        if let Some(key) = wrong(&path) {
            self.stage = Stage::Typing(Some(cx.t(key)));
            return;
        }
        self.stage = Stage::Working(cx.snap.cards.as_ref().map(|last| last.number));
        let roster = self.roster;
        out.push(Command::Contacts(if self.import {
            ContactsWish::Import { path }
        } else {
            ContactsWish::Export { path, roster }
        }));
    }
}

/// What is wrong with a path that was typed.
fn wrong(path: &Path) -> Option<&'static str> {
    if path.as_os_str().is_empty() {
        Some("cards-path-missing")
    } else if !path.is_absolute() {
        Some("cards-path-whole")
    } else {
        None
    }
}

/// Draws the dialog, if it is open.
pub fn show(ui: &Ui, cx: &Cx<'_>, own: &mut Own, out: &mut Vec<Command>) {
    let Some(cards) = &mut own.cards else { return };
    if let (Stage::Working(before), Some(outcome)) = (&cards.stage, &cx.snap.cards)
        && *before != Some(outcome.number)
    {
        cards.stage = Stage::Ended(Arc::clone(outcome));
        // The dialog takes its place by how high it was in the frame before.
        ui.ctx().request_repaint();
    }
    let modal = dialog(cx.c, Id::unique("cards"));
    let shown = modal.show(ui.ctx(), |ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        ui.set_width(400.0_f32.min(ui.ctx().content_rect().width() - 80.0));
        let [title, below, _] = cards.words();
        paragraph(ui, &cx.t(title), Type::Heading, cx.c.text);
        ui.add_space(4.0);
        paragraph(ui, &cx.t(below), Type::Secondary, cx.c.muted);
        ui.add_space(16.0);
        match &cards.stage {
            Stage::Typing(_) => typing(ui, cx, cards, out),
            Stage::Working(_) | Stage::Ended(_) => outcome(ui, cx, cards),
        }
    });
    if shown.inner || shown.should_close() {
        own.cards = None;
    }
}

/// The path; true when the dialog is done with.
fn typing(ui: &mut Ui, cx: &Cx<'_>, cards: &mut Cards, out: &mut Vec<Command>) -> bool {
    let label = cx.t("cards-path");
    labelled(ui, cx, &label);
    let field = Field::new(Id::unique("cards-path"), &label).glyph(icons::FILE);
    let response = field.hint(&cx.t("cards-path-hint")).show(ui, cx.c, &mut cards.path);
    if !std::mem::replace(&mut cards.asked, true) {
        response.request_focus();
    }
    if let Stage::Typing(Some(wrong)) = &cards.stage {
        complaint(ui, cx, wrong);
    }
    if !cards.import && cx.has_chat() {
        ui.add_space(8.0);
        check(ui, cx.c, &mut cards.roster, &cx.t("cards-roster"));
    }
    ui.add_space(20.0);
    let [_, _, go] = cards.words();
    let (go, cancel) = (cx.t(go), cx.t("cancel"));
    let (mut pressed, mut done) = (entered(ui, &response), false);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Min), |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        pressed |= Push::new(&go).kind(Kind::Primary).show(ui, cx.c).clicked();
        done = Push::new(&cancel).show(ui, cx.c).clicked();
    });
    if pressed && !done {
        cards.begin(cx, out);
        if matches!(cards.stage, Stage::Typing(_)) {
            response.request_focus();
        }
    }
    done
}

/// What came of it; true when the dialog is done with.
fn outcome(ui: &mut Ui, cx: &Cx<'_>, cards: &mut Cards) -> bool {
    let mut again = false;
    match &cards.stage {
        Stage::Ended(outcome) => again = told(ui, cx, outcome),
        Stage::Typing(_) | Stage::Working(_) => {
            let key = if cards.import { "cards-reading" } else { "cards-writing" };
            show_live(&paragraph(ui, &cx.t(key), Type::Body, cx.c.text), false);
        }
    }
    ui.add_space(20.0);
    let (close, other) = (cx.t("close"), cx.t("cards-other"));
    let mut done = false;
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Min), |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        let kind = if again { Kind::Plain } else { Kind::Primary };
        done = Push::new(&close).kind(kind).show(ui, cx.c).clicked();
        if again && Push::new(&other).kind(Kind::Primary).show(ui, cx.c).clicked() {
            (cards.stage, cards.asked) = (Stage::Typing(None), false);
        }
    });
    done
}

/// The outcome in words; true when another file may do better.
fn told(ui: &mut Ui, cx: &Cx<'_>, outcome: &CardsDone) -> bool {
    let (people, left_out) = match &outcome.outcome {
        Ok((people, left_out)) => (*people, left_out),
        Err(error) => {
            complaint(ui, cx, &error.cause);
            ui.add_space(4.0);
            paragraph(ui, &error.remedy, Type::Secondary, cx.c.muted);
            return true;
        }
    };
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let key = if outcome.written { "cards-written" } else { "cards-taken" };
    show_live(&paragraph(ui, &cx.tc(key, count(people)), Type::Body, cx.c.text), false);
    if outcome.written {
        paragraph(ui, &outcome.path.display().to_string(), Type::Secondary, cx.c.muted);
    }
    if left_out.count > 0 {
        ui.add_space(6.0);
        let text = cx.tc("cards-left-out", count(left_out.count));
        paragraph(ui, &text, Type::Secondary, cx.c.muted);
        if !left_out.lines.is_empty() {
            let lines: Vec<String> = left_out.lines.iter().map(u64::to_string).collect();
            let more = left_out.lines.len() < count(left_out.count);
            let lines = lines.join(", ") + if more { " …" } else { "" };
            let text = cx.tw("cards-lines", "lines", &lines);
            paragraph(ui, &text, Type::Secondary, cx.c.muted);
        }
    }
    people == 0
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::wrong;

    #[test]
    fn a_path_is_whole() {
        let root = if cfg!(windows) { "C:\\" } else { "/" };
        let check = |path: &str, wanted| assert_eq!(wrong(Path::new(path)), wanted, "{path}");
        check("", Some("cards-path-missing"));
        check("people.vcf", Some("cards-path-whole"));
        check("~/people.vcf", Some("cards-path-whole"));
        check(&format!("{root}people.CSV"), None);
        check(&format!("{root}people"), None);
    }
}
