//! Web addresses in messages. Only `http` and `https` are ever opened.

use std::ops::Range;

use egui::text::CCursor;
use egui::{CursorIcon, Galley, OpenUrl, Pos2, Rect, Role, Sense, Stroke, Ui, WidgetInfo};

use crate::cx::Cx;
use crate::widgets::focus_ring;

/// At most this many in one message can be followed.
const MOST: usize = 20;

/// Byte ranges of the web addresses in a text, in order.
pub fn find(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while found.len() < MOST {
        let Some(rest) = text.get(from..) else { break };
        let starts = ["https://", "http://"].map(|scheme| rest.find(scheme));
        let Some(start) = starts.into_iter().flatten().min() else {
            break;
        };
        let start = from + start;
        let tail = text.get(start..).unwrap_or_default();
        let outside = |c: char| c.is_whitespace() || c.is_control() || "<>\"".contains(c);
        let word = tail.split(outside).next().unwrap_or_default();
        // A full stop or bracket behind an address belongs to the sentence.
        let word = word.trim_end_matches(|c| ".,;:!?)]}'’”".contains(c));
        from = start + word.len().max("http://".len());
        if word.split("://").nth(1).is_some_and(|host| !host.is_empty()) {
            found.push(start..start + word.len());
        }
    }
    found
}

/// Underlines the addresses of a text that was laid out at `corner`, and lets them be followed.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, galley: &Galley, corner: Pos2, color: egui::Color32) {
    let text = galley.text();
    for range in find(text) {
        let Some(url) = text.get(range.clone()) else { continue };
        let place = |byte: usize| {
            let chars = text.get(..byte).map_or(0, |before| before.chars().count());
            let cursor = CCursor { prefer_next_row: true, ..CCursor::new(chars) };
            galley.pos_from_cursor(cursor).translate(corner.to_vec2())
        };
        let (begin, end) = (place(range.start), place(range.end));
        // An address over several rows is followed on its first one.
        let same_row = (begin.top() - end.top()).abs() < 1.0;
        let right = if same_row { end.left() } else { corner.x + galley.size().x };
        let rect = Rect::from_min_max(begin.min, egui::pos2(right, begin.bottom()));
        let stroke = Stroke::new(1.0, color);
        ui.painter().hline(rect.x_range(), rect.bottom() - 2.5, stroke);
        let id = ui.scope_id().with(("link", range.start));
        let response = ui.interact(rect, id, Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Link, true, url));
        focus_ring(ui, cx.c, rect, 4, &response);
        let response = response.on_hover_cursor(CursorIcon::PointingHand);
        if response.on_hover_text(url).clicked() {
            ui.ctx().open_url(OpenUrl::new_tab(url));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::find;

    fn check(text: &str, wanted: &[&str]) {
        let found = find(text);
        let found: Vec<&str> = found.into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, wanted, "{text}");
    }

    #[test]
    fn addresses_end_where_the_sentence_goes_on() {
        check("see https://example.com/a?b=c.", &["https://example.com/a?b=c"]);
        check("(http://x.example), https://y.example!", &["http://x.example", "https://y.example"]);
        check("ä https://ö.example/ü €", &["https://ö.example/ü"]);
        check("https:// http:// file:///etc/passwd javascript:alert(1)", &[]);
        check("", &[]);
        check("no link", &[]);
    }

    #[test]
    fn a_text_of_links_only_stays_bounded() {
        let many = "https://a.example ".repeat(10_000);
        assert_eq!(find(&many).len(), super::MOST);
    }
}
