//! All keys.

use egui::{Align, Sense, StrokeKind, Ui, pos2, vec2};

use super::hub::Hub;
use super::page;
use crate::cx::Cx;
use crate::theme::Type;
use crate::widgets::{galley, line};

/// Keys by group, as `docs` and the window name them.
const GROUPS: [(&str, &[(&str, &str)]); 3] = [
    (
        "keys-window",
        &[
            ("key-search", "Ctrl+K"),
            ("key-call-found", "Ctrl+Enter"),
            ("key-status", "Ctrl+Shift+D"),
            ("key-settings", "Ctrl+,"),
            ("key-keys", "F1"),
            ("key-full-screen", "F11"),
            ("key-scale", "Ctrl + - 0"),
            ("key-close", "Ctrl+W"),
            ("key-menu", "Shift+F10"),
        ],
    ),
    (
        "keys-chats",
        &[
            ("key-next-chat", "Ctrl+Tab"),
            ("key-previous-chat", "Ctrl+Shift+Tab"),
            ("key-send", "Enter"),
            ("key-newline", "Shift+Enter"),
            ("key-find", "Ctrl+F"),
            ("key-edit-last", "↑"),
            ("key-call", "Ctrl+Shift+C"),
        ],
    ),
    (
        "keys-calls",
        &[
            ("key-answer", "Ctrl+L"),
            ("key-decline", "Ctrl+D"),
            ("key-mute", "Ctrl+M"),
            ("key-hold", "Ctrl+Shift+H"),
            ("key-transfer", "Ctrl+Shift+T"),
            ("key-end", "Ctrl+Shift+E"),
        ],
    ),
];

/// Draws the page.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub) {
    page::show(ui, cx, hub, &cx.t("keys-title"), |ui, _| {
        for (title, keys) in
            GROUPS.iter().filter(|(title, _)| cx.has_chat() || *title != "keys-chats")
        {
            page::section(ui, cx, &cx.t(title), |ui| {
                for (name, key) in *keys {
                    row(ui, cx, &cx.t(name), &cx.keys(key));
                }
            });
        }
    });
}

fn row(ui: &mut Ui, cx: &Cx<'_>, name: &str, key: &str) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 36.0), Sense::hover());
    line(ui, rect, name, Type::Body, cx.c.text, Align::Min);
    let width = galley(ui, key, Type::Label, cx.c.text, f32::INFINITY, 1).size().x;
    let cap = egui::Rect::from_min_max(
        pos2(rect.right() - width - 20.0, rect.top() + 5.0),
        pos2(rect.right(), rect.bottom() - 5.0),
    );
    ui.painter().rect(cap, 7, cx.c.ground, cx.c.hair(), StrokeKind::Inside);
    line(ui, cap, key, Type::Label, cx.c.muted, Align::Center);
}
