//! Files that come from file managers: pasted, or dropped on a conversation.

use std::path::PathBuf;

use egui::{Align, Rect, Stroke, StrokeKind, Ui, vec2};
use offhook_model::{Command, Jid};

use super::send_file;
use crate::cx::Cx;
use crate::icons;
use crate::theme::{R_CARD, Type};
use crate::widgets::{icon, paint_line};

/// Files that are pasted as their addresses, as file managers copy them.
pub fn paste(ui: &Ui, cx: &Cx<'_>, with: &Jid, focused: bool, out: &mut Vec<Command>) {
    if !focused || !cx.snap.policy.files {
        return;
    }
    let pasted = ui.input(|input| {
        input.events.iter().find_map(|event| match event {
            egui::Event::Paste(text) if text.starts_with("file:///") => Some(text.clone()),
            _ => None,
        })
    });
    let Some(pasted) = pasted else { return };
    let files = pasted.lines().take(20).filter_map(|line| line.trim().strip_prefix("file://"));
    out.extend(files.map(|path| send_file(with, PathBuf::from(unescaped(path)))));
}

/// `%20` and the like as the characters they stand for.
fn unescaped(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'%'));
                rest = ahead;
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Shows where files can be dropped, and takes them.
pub fn target(ui: &Ui, cx: &Cx<'_>, with: &Jid, rect: Rect, out: &mut Vec<Command>) {
    let (hovers, dropped) = ui.input(|input| {
        let dropped = input.raw.dropped_files.iter().take(20);
        let dropped: Vec<PathBuf> = dropped.map(|file| file.path().to_path_buf()).collect();
        (!input.raw.hovered_files.is_empty(), dropped)
    });
    if !cx.snap.policy.files {
        return;
    }
    out.extend(dropped.into_iter().map(|path| send_file(with, path)));
    if hovers {
        let target = rect.shrink(12.0);
        ui.painter().rect_filled(target, R_CARD, cx.c.accent_soft.gamma_multiply(0.94));
        let stroke = Stroke::new(2.0, cx.c.accent);
        ui.painter().rect_stroke(target, R_CARD, stroke, StrokeKind::Inside);
        icon(ui, target.center() - vec2(0.0, 20.0), icons::PAPERCLIP, 28.0, cx.c.accent);
        let words =
            Rect::from_center_size(target.center() + vec2(0.0, 16.0), vec2(target.width(), 24.0));
        let text = cx.tw("file-drop", "name", &cx.name_of(with));
        paint_line(ui, words, &text, Type::Heading, cx.c.text, Align::Center);
    }
}

#[cfg(test)]
mod tests {
    use super::unescaped;

    #[test]
    fn addresses_of_files_are_read_with_their_escapes() {
        assert_eq!(unescaped("/a%20b/%C3%A4.txt"), "/a b/\u{e4}.txt");
        assert_eq!(unescaped("/100%/x%2"), "/100%/x%2");
    }
}
