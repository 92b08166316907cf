//! Groups of the directory, below the people who were found.

use egui::{Align, Id, Rect, Ui, pos2, vec2};
use offhook_model::DirectoryGroup;

use super::row::ROW;
use super::taking::Taking;
use crate::cx::Cx;
use crate::icons;
use crate::screens::hub::{Hub, list_heading};
use crate::theme::Type;
use crate::widgets::{Kind, Push, icon, paint_line, region, row};

/// Height of the heading in points.
const HEADING: f32 = 32.0;
const BUTTON: f32 = 34.0;

/// The row of a group, where the focus can be sent.
pub fn id(group: &DirectoryGroup) -> Id {
    Id::unique(("search-group", &group.id))
}

/// Height of all of them with their heading, in points.
pub fn height(groups: &[DirectoryGroup]) -> f32 {
    if groups.is_empty() { 0.0 } else { top(groups.len()) }
}

/// Where the row of this number begins below the people, in points.
pub fn top(at: usize) -> f32 {
    HEADING + at as f32 * ROW
}

/// Draws them.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, groups: &[DirectoryGroup]) {
    list_heading(ui, cx, &cx.tc("search-groups", groups.len()));
    for group in groups {
        one(ui, cx, hub, group);
    }
}

fn one(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, group: &DirectoryGroup) {
    let second = group.description.as_deref().unwrap_or_default();
    let spoken = match second {
        "" => group.name.clone(),
        second => format!("{}, {second}", group.name),
    };
    let (rect, response) = row(ui, cx.c, ROW, id(group), &spoken, false);
    let disc = pos2(rect.left() + 32.0, rect.center().y);
    ui.painter().circle_filled(disc, 20.0, cx.c.accent_soft);
    icon(ui, disc, icons::USERS, 18.0, cx.c.accent);
    let at = Rect::from_center_size(
        pos2(rect.right() - 6.0 - BUTTON / 2.0, rect.center().y),
        vec2(BUTTON, BUTTON),
    );
    let name = cx.tw("group-add-named", "name", &group.name);
    let pressed = region(ui, ("found-group", &group.id), at, |ui| {
        let push = Push::new(&name).glyph(icons::USER_PLUS).icon_only().height(BUTTON);
        push.kind(Kind::Ghost).at(ui, cx.c, at).clicked()
    });
    // A name alone stands in the middle.
    let above = if second.is_empty() { (ROW - 20.0) / 2.0 } else { 10.0 };
    let first = Rect::from_min_max(
        pos2(rect.left() + 64.0, rect.top() + above),
        pos2(at.left() - 6.0, rect.top() + above + 20.0),
    );
    paint_line(ui, first, &group.name, Type::Name, cx.c.text, Align::Min);
    let below = first.translate(vec2(0.0, 19.0));
    paint_line(ui, below, second, Type::Secondary, cx.c.muted, Align::Min);
    if pressed || response.on_hover_text(&spoken).clicked() {
        hub.search.taking = Some(Taking::new(group));
    }
}
