//! The dialog that takes a file of vCards over as own contacts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use egui::{Id, Ui};
use offhook_model::{Command, ContactsWish, DirectoryEntry, Timestamp};

use super::Own;
use crate::cx::Cx;
use crate::icons;
use crate::screens::entry::{complaint, entered, labelled};
use crate::theme::Type;
use crate::widgets::{Field, Kind, Push, dialog, paragraph, show_live};

/// Milliseconds after which it is said that nothing has come of a file.
const PATIENCE: i64 = 3_000;

type People = Arc<Vec<Arc<DirectoryEntry>>>;

/// The dialog while it is open.
pub struct Cards {
    path: String,
    stage: Stage,
    asked: bool,
}

/// How far it is.
enum Stage {
    /// A file is asked for; what is wrong with it.
    Typing(Option<String>),
    /// The file is being read, since when; who was there before.
    Reading(Timestamp, People),
    /// So many contacts are new or others than before.
    Taken(usize),
}

impl Cards {
    /// Asks for a file.
    pub fn import() -> Self {
        Self { path: String::new(), stage: Stage::Typing(None), asked: false }
    }

    /// Begins, or says what is wrong with the path.
    fn begin(&mut self, cx: &Cx<'_>, out: &mut Vec<Command>) {
        let path = PathBuf::from(self.path.trim());
        if let Some(key) = wrong(&path) {
            self.stage = Stage::Typing(Some(cx.t(key)));
        } else {
            self.stage = Stage::Reading(cx.now, Arc::clone(&cx.snap.own_contacts));
            out.push(Command::Contacts(ContactsWish::Import { path }));
        }
    }
}

/// What is wrong with a path that was typed.
fn wrong(path: &Path) -> Option<&'static str> {
    let ends = |end: &str| path.extension().is_some_and(|it| it.eq_ignore_ascii_case(end));
    if path.as_os_str().is_empty() {
        Some("cards-path-missing")
    } else if !path.is_absolute() {
        Some("cards-path-whole")
    } else if ends("csv") {
        Some("cards-csv")
    } else {
        None
    }
}

/// How many are new or others than before.
fn taken(before: &People, now: &People) -> usize {
    let old: std::collections::HashMap<&str, &Arc<DirectoryEntry>> =
        before.iter().map(|one| (one.id.as_str(), one)).collect();
    let same = |one: &&Arc<DirectoryEntry>| old.get(one.id.as_str()).is_some_and(|old| old == one);
    now.iter().filter(|one| !same(one)).count()
}

/// Draws the dialog, if it is open.
pub fn show(ui: &Ui, cx: &Cx<'_>, own: &mut Own, out: &mut Vec<Command>) {
    let Some(cards) = &mut own.cards else { return };
    if let Stage::Reading(_, before) = &cards.stage
        && !Arc::ptr_eq(before, &cx.snap.own_contacts)
    {
        cards.stage = Stage::Taken(taken(before, &cx.snap.own_contacts));
    }
    let modal = dialog(cx.c, Id::unique("cards"));
    let shown = modal.show(ui.ctx(), |ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        ui.set_width(400.0_f32.min(ui.ctx().content_rect().width() - 80.0));
        paragraph(ui, &cx.t("cards-import"), Type::Heading, cx.c.text);
        ui.add_space(4.0);
        paragraph(ui, &cx.t("cards-import-below"), Type::Secondary, cx.c.muted);
        ui.add_space(16.0);
        match &cards.stage {
            Stage::Typing(_) => typing(ui, cx, cards, out),
            Stage::Reading(..) | Stage::Taken(_) => outcome(ui, cx, cards),
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
    ui.add_space(20.0);
    let (go, cancel) = (cx.t("cards-import-do"), cx.t("cancel"));
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
    let text = match &cards.stage {
        Stage::Typing(_) => String::new(),
        Stage::Reading(since, _) if cx.now.0 < since.0 + PATIENCE => {
            let left = u64::try_from(since.0 + PATIENCE - cx.now.0).unwrap_or_default();
            ui.ctx().request_repaint_after(Duration::from_millis(left));
            cx.t("cards-reading")
        }
        Stage::Reading(..) => {
            again = true;
            cx.t("cards-nothing")
        }
        Stage::Taken(count) => cx.tc("cards-taken", *count),
    };
    let said = paragraph(ui, &text, Type::Body, cx.c.text);
    show_live(&said, false);
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::wrong;

    #[test]
    fn a_path_is_whole_and_of_a_kind_that_is_read() {
        let root = if cfg!(windows) { "C:\\" } else { "/" };
        let check = |path: &str, wanted| assert_eq!(wrong(Path::new(path)), wanted, "{path}");
        check("", Some("cards-path-missing"));
        check("people.vcf", Some("cards-path-whole"));
        check("~/people.vcf", Some("cards-path-whole"));
        check(&format!("{root}people.CSV"), Some("cards-csv"));
        check(&format!("{root}people.vcf"), None);
        check(&format!("{root}people"), None);
    }
}
