//! Looking for words inside of a conversation.

use std::sync::Arc;

use egui::{Align, Id, Key, Modifiers, Rect, Ui, pos2, vec2};
use offhook_model::{Command, Jid, Message, MessageId, Timestamp};

use super::Talk;
use super::menu::Act;
use crate::cx::Cx;
use crate::icons;
use crate::theme::Type;
use crate::widgets::{Field, Kind, Push, line, show_live};

/// At most this many places are stepped through.
const MOST: u32 = 500;
const HEIGHT: f32 = 56.0;

/// Messages as the snapshot holds them.
type Loaded = Arc<Vec<Arc<Message>>>;

/// The bar while it is open.
#[derive(Default)]
pub struct Search {
    /// What is typed.
    pub text: String,
    /// Take the focus in this frame.
    pub focus: bool,
    asked: String,
    /// For which words and lists the places below were found.
    of: Option<(String, Loaded, usize)>,
    /// Places by time, oldest first.
    hits: Vec<(Timestamp, MessageId)>,
    /// The one that is shown, counted from the newest.
    at: usize,
}

impl Search {
    /// The words, in lower case; nothing for fewer than two letters.
    pub fn wanted(&self) -> String {
        let text = self.text.trim().to_lowercase();
        if text.chars().count() < 2 { String::new() } else { text }
    }

    /// Finds the places anew when words, messages or the store's answer changed.
    fn refresh(&mut self, cx: &Cx<'_>, with: &Jid, loaded: &Arc<Vec<Arc<Message>>>) {
        let wanted = self.wanted();
        let found = &cx.snap.found;
        let older = (found.with.as_ref() == Some(with) && found.query == self.text.trim())
            .then_some(&found.items);
        let count = older.map_or(0, |items| items.len());
        let same = self.of.as_ref().is_some_and(|(words, list, known)| {
            *words == wanted && Arc::ptr_eq(list, loaded) && *known == count
        });
        if same {
            return;
        }
        if self.of.as_ref().is_none_or(|(words, ..)| *words != wanted) {
            self.at = 0;
        }
        self.hits.clear();
        if !wanted.is_empty() {
            let here = loaded.iter().rev().filter(|one| matches(one, &wanted));
            self.hits.extend(here.take(MOST as usize).map(|one| (one.time, one.id.clone())));
            let older = older.into_iter().flat_map(|items| items.iter());
            self.hits.extend(older.map(|one| (one.time, one.id.clone())));
            self.hits.sort();
            self.hits.dedup();
        }
        self.of = Some((wanted, Arc::clone(loaded), count));
    }

    fn current(&self) -> Option<&MessageId> {
        let place = self.hits.len().checked_sub(self.at + 1)?;
        self.hits.get(place).map(|(_, id)| id)
    }
}

fn matches(message: &Message, wanted: &str) -> bool {
    message.more.retracted.is_none() && message.body.to_lowercase().contains(wanted)
}

/// Draws the bar if it is open. Gives its height.
pub fn bar(
    ui: &mut Ui,
    cx: &Cx<'_>,
    talk: &mut Talk,
    with: &Jid,
    below: Rect,
    acts: &mut Vec<Act>,
    out: &mut Vec<Command>,
) -> f32 {
    let loaded = Arc::clone(talk.list.messages());
    let Some(search) = &mut talk.search else { return 0.0 };
    let rect = below.with_max_y(below.top() + HEIGHT);
    ui.painter().rect_filled(rect, 0, cx.c.panel);
    crate::screens::hub::rule(ui, cx, rect);
    let inset = if cx.narrow { 12.0 } else { 20.0 };
    let button = |at: f32| {
        let x = rect.right() - inset - 17.0 - 36.0 * at;
        Rect::from_center_size(pos2(x, rect.center().y), vec2(34.0, 34.0))
    };
    let counter = Rect::from_min_max(
        pos2(button(2.0).left() - 92.0, rect.top()),
        pos2(button(2.0).left() - 8.0, rect.bottom()),
    );
    let field = Rect::from_min_max(
        pos2(rect.left() + inset, rect.top() + 8.0),
        pos2(counter.left() - 4.0, rect.bottom() - 8.0),
    );
    let id = Id::unique("search-inside");
    if std::mem::take(&mut search.focus) {
        ui.memory_mut(|memory| memory.request_focus(id));
    }
    let here = ui.memory(|memory| memory.has_focus(id));
    let enter = here && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter));
    let back = here && ui.input_mut(|input| input.consume_key(Modifiers::SHIFT, Key::Enter));
    let name = cx.t("search-field");
    let response = Field::new(id, &name).hint(&name).glyph(icons::SEARCH).at(
        ui,
        cx.c,
        field,
        &mut search.text,
    );
    search.refresh(cx, with, &loaded);
    ask(search, with, out);
    let many = search.hits.len();
    let words = if search.wanted().is_empty() {
        String::new()
    } else if many == 0 {
        cx.t("search-inside-none")
    } else {
        let (at, of) = ((search.at + 1).to_string(), many.to_string());
        cx.texts.with("search-inside-count", &[("at", &at), ("of", &of)])
    };
    let said = line(ui, counter, &words, Type::Secondary, cx.c.muted, Align::Max);
    show_live(&said, false);
    let push = |ui: &mut Ui, key: &str, glyph: &str, at: f32, on: bool| {
        let label = cx.t(key);
        let push = Push::new(&label).glyph(glyph).icon_only().kind(Kind::Ghost).enabled(on);
        push.at(ui, cx.c, button(at)).clicked()
    };
    let up = push(ui, "search-inside-older", icons::CHEVRON_UP, 2.0, many > 0);
    let down = push(ui, "search-inside-newer", icons::CHEVRON_DOWN, 1.0, many > 0);
    let close = push(ui, "close", icons::X, 0.0, true);
    let fresh = response.changed();
    if many > 0 && (up || enter || down || back || fresh) {
        if !fresh {
            let shown = talk.marked.is_some() || search.at > 0;
            let step = if up || enter { usize::from(shown) } else { many - 1 };
            search.at = (search.at + step) % many;
        }
        acts.extend(search.current().map(|id| Act::Jump(id.clone())));
    }
    if close {
        talk.search = None;
    }
    HEIGHT
}

/// Asks the store once for each text; what it finds comes with the snapshot.
fn ask(search: &mut Search, with: &Jid, out: &mut Vec<Command>) {
    let query = search.text.trim();
    if search.wanted().is_empty() || search.asked == query {
        return;
    }
    query.clone_into(&mut search.asked);
    out.push(Command::ChatSearch {
        query: query.to_owned(),
        with: Some(with.clone()),
        limit: MOST,
    });
}
