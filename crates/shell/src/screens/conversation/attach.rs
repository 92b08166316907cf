//! Files and pictures of the screen for a conversation: the menu of the composer, and the path that is
//! typed.

use std::path::PathBuf;

use egui::{Id, Popup, PopupCloseBehavior, Rect, Ui, pos2, vec2};
use offhook_model::{CaptureArea, Command, FileWish, Jid};

use super::{Talk, menu, send_file};
use crate::cx::Cx;
use crate::icons;
use crate::theme::Type;
use crate::widgets::{Field, Kind, Push, galley};

/// The button with the menu of files and pictures of the screen.
pub fn attach(
    ui: &mut Ui,
    cx: &Cx<'_>,
    talk: &mut Talk,
    with: &Jid,
    rect: Rect,
    out: &mut Vec<Command>,
) {
    let at =
        Rect::from_center_size(pos2(rect.left() + 26.0, rect.bottom() - 26.0), vec2(36.0, 36.0));
    let policy = &cx.snap.policy;
    let label = cx.t("attach");
    let off = cx.t("files-off");
    let mut push = Push::new(&label).glyph(icons::PLUS).icon_only().kind(Kind::Ghost);
    if !policy.files {
        push = push.enabled(false).hint(&off);
    }
    let response = push.at(ui, cx.c, at);
    let popup = Popup::from_toggle_button_response(&response)
        .id(Id::unique("attach-menu"))
        .close_behavior(PopupCloseBehavior::CloseOnClick)
        .accessible_name(&label)
        .width(260.0);
    popup.show(|ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        ui.set_width(260.0);
        if menu::item(ui, cx, icons::PAPERCLIP, &cx.t("file-send")) {
            talk.composer.path = Some(String::new());
            ui.data_mut(|data| data.insert_temp(Id::unique("file-path"), false));
        }
        let areas = [
            (CaptureArea::Region, icons::CROP, "capture-region"),
            (CaptureArea::Window, icons::APP_WINDOW, "capture-window"),
            (CaptureArea::Screen, icons::MONITOR, "capture-screen"),
        ];
        for (area, glyph, key) in areas.into_iter().filter(|_| policy.captures) {
            if menu::item(ui, cx, glyph, &cx.t(key)) {
                out.push(Command::File(FileWish::Capture { to: with.clone(), area }));
            }
        }
    });
}

/// Where the path of a file is typed, beside `close`.
pub fn path_field(
    ui: &mut Ui,
    cx: &Cx<'_>,
    talk: &mut Talk,
    with: &Jid,
    rect: Rect,
    close: Rect,
    out: &mut Vec<Command>,
) {
    let Some(path) = &mut talk.composer.path else { return };
    let label = cx.t("file-path");
    let send = cx.t("file-send-do");
    let width = 28.0 + galley(ui, &send, Type::Strong, cx.c.text, 300.0, 1).size().x;
    let go = Rect::from_min_max(
        pos2(close.left() - 8.0 - width, rect.top() + 4.0),
        pos2(close.left() - 8.0, rect.bottom() - 4.0),
    );
    let field = Rect::from_min_max(
        pos2(rect.left() + 8.0, rect.top() + 2.0),
        pos2(go.left() - 8.0, rect.bottom() - 3.0),
    );
    let id = Id::unique("file-path");
    let asked = ui.data_mut(|data| std::mem::replace(data.get_temp_mut_or(id, false), true));
    let response =
        Field::new(id, &label).hint(&label).glyph(icons::PAPERCLIP).at(ui, cx.c, field, path);
    if !asked {
        response.request_focus();
    }
    let enter = crate::screens::entry::entered(ui, &response);
    let filled = !path.trim().is_empty();
    let push = Push::new(&send).kind(Kind::Primary).enabled(filled);
    if (push.at(ui, cx.c, go).clicked() || enter) && filled {
        out.push(send_file(with, PathBuf::from(path.trim())));
        talk.composer.path = None;
    }
}
