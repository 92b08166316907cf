//! A file in a bubble: what it is, how far it has come, and what can be done with it.

use egui::{Align, Rect, Ui, pos2, vec2};
use offhook_model::{FileWish, Message, Transfer, TransferDirection, TransferState, TransferWay};
use offhook_text::safe_line;

use super::body::Ink;
use super::menu::Act;
use super::row::{FILE, needs_buttons, transfer};
use crate::cx::Cx;
use crate::icons;
use crate::theme::Type;
use crate::widgets::{Kind, Push, icon, line, paint_line, region};

/// Height of its buttons.
const BUTTON: f32 = 30.0;

/// Draws the card.
pub fn card(
    ui: &mut Ui,
    cx: &Cx<'_>,
    message: &Message,
    rect: Rect,
    ink: &Ink,
    acts: &mut Vec<Act>,
) {
    let Some(file) = &message.more.attachment else { return };
    let on_its_way = transfer(cx, message).cloned();
    let picture = file.media_type.as_deref().is_some_and(|kind| kind.starts_with("image/"));
    let glyph = if picture { icons::IMAGE } else { icons::FILE };
    let top = rect.with_max_y(rect.top() + FILE - 8.0);
    let tile = Rect::from_min_size(top.min, vec2(40.0, 40.0));
    ui.painter().rect_filled(tile, 10, ink.code);
    icon(ui, tile.center(), glyph, 20.0, ink.link);
    let words = Rect::from_min_max(pos2(tile.right() + 10.0, top.top()), top.max);
    let (upper, lower) = words.with_max_y(words.top() + 40.0).split_top_bottom_at_fraction(0.5);
    paint_line(ui, upper, &safe_line(&file.name), Type::Name, ink.text, Align::Min);
    let text = state(cx, message, on_its_way.as_deref());
    let response = line(ui, lower, &text, Type::Secondary, ink.faint, Align::Min);
    if let Some(error) = on_its_way.as_ref().and_then(|one| one.error.as_ref()) {
        response.on_hover_text(safe_line(error));
    }
    if let Some(one) = &on_its_way
        && one.state == TransferState::Active
    {
        progress(ui, one, top, ink);
    }
    if needs_buttons(on_its_way.as_deref(), message) {
        let row = Rect::from_min_max(pos2(rect.left(), rect.top() + FILE), rect.max);
        let place = Rect::from_min_size(row.min + vec2(0.0, 5.0), vec2(row.width(), BUTTON + 1.0));
        region(ui, ("file", &message.id.0), place, |ui| {
            // A row is as high as its buttons, or their lower edge is cut off.
            ui.spacing_mut().interact_size.y = BUTTON;
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 6.0;
                buttons(ui, cx, message, on_its_way.as_deref(), acts);
            });
        });
    }
}

fn progress(ui: &Ui, one: &Transfer, top: Rect, ink: &Ink) {
    let track = Rect::from_min_max(pos2(top.left(), top.bottom() - 2.0), top.max + vec2(0.0, 2.0));
    ui.painter().rect_filled(track, 2, ink.code);
    let share = one.size.filter(|size| *size > 0).map_or(0.0, |size| one.done as f32 / size as f32);
    let done = track.with_max_x(track.left() + track.width() * share.clamp(0.0, 1.0));
    ui.painter().rect_filled(done, 2, ink.link);
}

/// What is said below the name.
fn state(cx: &Cx<'_>, message: &Message, one: Option<&Transfer>) -> String {
    let known = message.more.attachment.as_ref().and_then(|file| file.size);
    let size = one.and_then(|one| one.size).or(known).map(|size| bytes(cx, size));
    let Some(one) = one else {
        return size.unwrap_or_else(|| cx.t("file-size-unknown"));
    };
    let words = match one.state {
        TransferState::Offered if one.direction == TransferDirection::Incoming => {
            cx.t("file-offered")
        }
        TransferState::Offered => cx.t("file-waiting"),
        TransferState::Active => {
            let percent = one.size.filter(|size| *size > 0);
            let percent = percent.map(|size| (one.done.min(size) * 100 / size).to_string());
            percent.map_or_else(|| bytes(cx, one.done), |percent| format!("{percent} %"))
        }
        TransferState::Done => cx.t("file-done"),
        TransferState::Declined => cx.t("file-declined"),
        TransferState::Failed => match &one.error {
            Some(error) => safe_line(error),
            None => cx.t("file-failed"),
        },
    };
    let way = one.way.filter(|_| one.state == TransferState::Active).map(|way| match way {
        TransferWay::Server => cx.t("file-way-server"),
        TransferWay::Socks5 => cx.t("file-way-direct"),
        TransferWay::InBand => cx.t("file-way-chat"),
    });
    let parts = [size, Some(words), way];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn buttons(
    ui: &mut Ui,
    cx: &Cx<'_>,
    message: &Message,
    one: Option<&Transfer>,
    acts: &mut Vec<Act>,
) {
    let press = |ui: &mut Ui, key: &str, glyph: &str, kind: Kind| {
        let label = cx.t(key);
        Push::new(&label).glyph(glyph).kind(kind).height(BUTTON).show(ui, cx.c).clicked()
    };
    let incoming = one.is_some_and(|one| one.direction == TransferDirection::Incoming);
    if let Some(one) = one {
        let id = one.id;
        match one.state {
            TransferState::Offered if incoming => {
                if press(ui, "file-accept", icons::DOWNLOAD, Kind::Primary) {
                    acts.push(Act::File(FileWish::Accept { id, path: None }));
                }
                if press(ui, "file-decline", icons::X, Kind::Plain) {
                    acts.push(Act::File(FileWish::Decline { id }));
                }
            }
            TransferState::Offered | TransferState::Active => {
                if press(ui, "file-cancel", icons::X, Kind::Plain) {
                    acts.push(Act::File(FileWish::Decline { id }));
                }
            }
            TransferState::Failed => {
                if press(ui, "file-again", icons::REFRESH, Kind::Plain) {
                    acts.push(Act::File(FileWish::Again { id }));
                }
            }
            TransferState::Done | TransferState::Declined => {}
        }
    }
    let done = one.is_none_or(|one| one.state == TransferState::Done);
    let kept = message.more.attachment.as_ref().and_then(|file| file.path.clone());
    let path = one.and_then(|one| one.path.clone()).or(kept);
    if let Some(path) = path.filter(|_| done)
        && press(ui, "file-folder", icons::FOLDER_OPEN, Kind::Plain)
    {
        acts.push(Act::OpenFolder(path));
    }
}

/// `38 KB`, in powers of 1,000 as file managers of desktops count.
fn bytes(cx: &Cx<'_>, size: u64) -> String {
    let mut value = size as f64;
    let mut unit = "B";
    for next in ["KB", "MB", "GB", "TB"] {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    let text =
        if unit == "B" || value >= 10.0 { format!("{value:.0}") } else { format!("{value:.1}") };
    let text = if cx.t("emoji-words") == "de" { text.replace('.', ",") } else { text };
    format!("{text} {unit}")
}
