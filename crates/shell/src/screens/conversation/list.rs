//! The messages of a conversation as a list of which only the visible part is ever laid out.
//!
//! The place in the list is an anchor, not a distance: either the end, or a row with the place of
//! its top in the window. So nothing moves under the reader when older messages arrive above,
//! when one changes its height, or when a guess about a height is replaced by the truth.

use std::collections::VecDeque;
use std::sync::Arc;

use offhook_model::{Message, MessageId};

use super::heights::Heights;

/// Space above the first and below the last row.
pub const PAD: f32 = 16.0;
/// A row of which nothing is known takes this much beside its text.
const GUESS: u32 = 26;

/// Where the reader is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Anchor {
    /// At the newest message, and stays there when others come.
    End,
    /// A row and where its top is below the top of the window, in points.
    Row { at: usize, top: f32 },
}

/// A row in the window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    /// Which message.
    pub at: usize,
    /// Where its top is below the top of the window.
    pub top: f32,
    /// How high it is.
    pub height: f32,
}

/// The list of one conversation.
pub struct List {
    messages: Arc<Vec<Arc<Message>>>,
    heights: Heights,
    width: f32,
    anchor: Anchor,
    /// What was in the window last.
    shown: VecDeque<Shown>,
    /// Up to which length older messages were asked for.
    pub asked_older: Option<usize>,
}

impl Default for List {
    fn default() -> Self {
        Self {
            messages: Arc::default(),
            heights: Heights::default(),
            width: 0.0,
            anchor: Anchor::End,
            shown: VecDeque::new(),
            asked_older: None,
        }
    }
}

impl List {
    /// The messages, oldest first.
    pub fn messages(&self) -> &Arc<Vec<Arc<Message>>> {
        &self.messages
    }

    /// The reader is at the newest message.
    pub fn at_end(&self) -> bool {
        self.anchor == Anchor::End
    }

    /// What was in the window when it was last settled.
    pub fn shown(&self) -> &VecDeque<Shown> {
        &self.shown
    }

    /// Takes over the messages of a new picture, and the width they are laid out at. Costs
    /// nothing when neither changed, else one step a message.
    pub fn update(&mut self, messages: &Arc<Vec<Arc<Message>>>, width: f32) {
        if (self.width - width).abs() > 0.5 {
            self.width = width;
            self.heights.set_all(self.messages.iter().map(|one| guess(one, width)).collect());
        }
        if Arc::ptr_eq(&self.messages, messages) {
            return;
        }
        let (heights, added) = self.carried(messages);
        self.anchor = match (self.anchor, added) {
            (Anchor::Row { at, top }, Some(added)) => Anchor::Row { at: at + added, top },
            (Anchor::Row { .. }, None) => self.found_again(messages),
            (Anchor::End, _) => Anchor::End,
        };
        self.shown.clear();
        self.heights.set_all(heights);
        self.messages = Arc::clone(messages);
    }

    /// Known heights of the messages that stay, guesses of the others; and how many came above,
    /// if what was there is still there in its order.
    fn carried(&self, messages: &[Arc<Message>]) -> (Vec<u32>, Option<usize>) {
        let guesses = || messages.iter().map(|one| guess(one, self.width)).collect();
        let Some(first) = self.messages.first() else { return (guesses(), Some(0)) };
        let added = messages.iter().position(|one| Arc::ptr_eq(one, first) || one.id == first.id);
        let Some(added) = added else { return (guesses(), None) };
        let same = self.messages.iter().zip(messages.iter().skip(added));
        let mut pairs = same.clone();
        if !pairs.all(|(old, new)| Arc::ptr_eq(old, new) || old.id == new.id) {
            return (guesses(), None);
        }
        let mut heights: Vec<u32> =
            messages.iter().take(added).map(|one| guess(one, self.width)).collect();
        heights.extend(same.zip(self.heights.all()).map(|(_, height)| *height));
        let rest = messages.iter().skip(heights.len());
        heights.extend(rest.map(|one| guess(one, self.width)));
        (heights, Some(added))
    }

    /// The anchor in a list whose order changed.
    fn found_again(&self, messages: &[Arc<Message>]) -> Anchor {
        let Anchor::Row { at, top } = self.anchor else { return Anchor::End };
        // What stood there may be gone itself; then what stood below it.
        let mut held = self.messages.iter().skip(at).take(50);
        let place = held.find_map(|held| messages.iter().position(|one| one.id == held.id));
        place.map_or(Anchor::End, |at| Anchor::Row { at, top })
    }

    /// Goes to the newest message.
    pub fn go_to_end(&mut self) {
        self.anchor = Anchor::End;
    }

    /// Goes to a row, its top this far below the top of the window.
    pub fn go_to_row(&mut self, at: usize, top: f32) {
        self.anchor = Anchor::Row { at, top };
    }

    /// The place of a message.
    pub fn place_of(&self, id: &MessageId) -> Option<usize> {
        self.messages.iter().rposition(|one| &one.id == id)
    }

    /// Moves what is shown down by so many points; up, if they are negative.
    pub fn scroll(&mut self, points: f32) {
        if points == 0.0 {
            return;
        }
        if points < 0.0 && self.at_end() {
            return;
        }
        let first = self.shown.front().copied();
        let (at, top) = match (self.anchor, first) {
            (Anchor::End, Some(first)) => (first.at, first.top),
            (Anchor::Row { at, top }, _) => (at, top),
            (Anchor::End, None) => return,
        };
        self.anchor = Anchor::Row { at, top: top + points };
    }

    /// How far down the window is, how high it is and how high everything would be: for the
    /// scroll bar.
    pub fn extent(&self) -> (f64, f64) {
        let total = self.heights.total() as f64;
        let above = self
            .shown
            .front()
            .map_or(total, |first| self.heights.before(first.at) as f64 - f64::from(first.top));
        (above.max(0.0), total)
    }

    /// Goes to this distance from the top, for the scroll bar.
    pub fn go_to_distance(&mut self, distance: f64) {
        let distance = distance.max(0.0);
        let at = self.heights.row_at(distance as u64);
        let top = self.heights.before(at) as f64 - distance;
        self.anchor = Anchor::Row { at, top: top as f32 };
    }

    /// Finds what is in a window of this height; `below` is kept free below the newest message.
    /// `lay` lays a row out and gives its height: it is called for visible rows only, and for
    /// those that a scroll passes by.
    pub fn settle(
        &mut self,
        height: f32,
        below: f32,
        lay: &mut dyn FnMut(usize) -> f32,
    ) -> &VecDeque<Shown> {
        self.shown.clear();
        let count = self.messages.len();
        if count == 0 {
            return &self.shown;
        }
        if let Anchor::Row { at, top } = self.anchor {
            let (at, top) = self.towards_window(at.min(count - 1), top, height, lay);
            self.fill_down(at, top, height, lay);
            let end = self.shown.back().map_or(0.0, |last| last.top + last.height);
            let last = self.shown.back().is_some_and(|last| last.at + 1 == count);
            if last && end + below <= height + 0.5 {
                self.anchor = Anchor::End;
                self.shown.clear();
            } else if let Some(first) = self.shown.front() {
                self.anchor = Anchor::Row { at: first.at, top: first.top };
            }
        }
        if self.anchor == Anchor::End {
            self.fill_up(height - below, lay);
        }
        &self.shown
    }

    fn measured(&mut self, at: usize, lay: &mut dyn FnMut(usize) -> f32) -> f32 {
        let height = lay(at).ceil().max(1.0);
        self.heights.set(at, height as u32);
        height
    }

    /// Steps from row to row until the anchor is the first in the window.
    fn towards_window(
        &mut self,
        mut at: usize,
        mut top: f32,
        height: f32,
        lay: &mut dyn FnMut(usize) -> f32,
    ) -> (usize, f32) {
        // A jump of many windows goes by what is known, as nobody sees what lies between.
        if top.abs() > 4.0 * height {
            let distance = self.heights.before(at) as f64 - f64::from(top);
            at = self.heights.row_at(distance.max(0.0) as u64);
            top = (self.heights.before(at) as f64 - distance) as f32;
        }
        while top > 0.0 && at > 0 {
            at -= 1;
            top -= self.measured(at, lay);
        }
        if at == 0 && top > PAD {
            top = PAD;
        }
        while at + 1 < self.messages.len() {
            let own = self.measured(at, lay);
            if top + own > 0.0 {
                break;
            }
            top += own;
            at += 1;
        }
        (at, top)
    }

    fn fill_down(
        &mut self,
        from: usize,
        mut top: f32,
        height: f32,
        lay: &mut dyn FnMut(usize) -> f32,
    ) {
        let mut at = from;
        while at < self.messages.len() && top < height {
            let own = self.measured(at, lay);
            self.shown.push_back(Shown { at, top, height: own });
            top += own;
            at += 1;
        }
    }

    fn fill_up(&mut self, bottom: f32, lay: &mut dyn FnMut(usize) -> f32) {
        let (mut at, mut top) = (self.messages.len(), bottom);
        while at > 0 && top > 0.0 {
            at -= 1;
            let own = self.measured(at, lay);
            top -= own;
            self.shown.push_front(Shown { at, top, height: own });
        }
        // A short conversation begins at the top.
        if at == 0 && top > PAD {
            for row in &mut self.shown {
                row.top += PAD - top;
            }
        }
    }
}

/// A guess that costs nothing, until a row is seen.
fn guess(message: &Message, width: f32) -> u32 {
    let letters = (width * 0.72).clamp(120.0, 560.0) / 7.0;
    let rows = (message.body.len() as f32 / letters).ceil().clamp(1.0, 400.0);
    rows as u32 * 20 + GUESS
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use offhook_model::{Delivery, Message, MessageId, More, Timestamp};

    use super::List;

    fn messages(range: std::ops::Range<i64>) -> Arc<Vec<Arc<Message>>> {
        let with: offhook_model::Jid = "a@b.example".parse().expect("address");
        let one = |at: i64| {
            Arc::new(Message {
                id: MessageId(at.to_string()),
                with: with.clone(),
                from: with.clone(),
                to: with.clone(),
                body: "text".into(),
                time: Timestamp(at),
                own: false,
                state: Delivery::Delivered,
                error: None,
                more: More::default(),
            })
        };
        Arc::new(range.map(one).collect())
    }

    /// True heights differ from row to row and from every guess.
    fn lay(at: usize) -> f32 {
        30.0 + (at % 7) as f32 * 11.0
    }

    fn id(list: &List, at: usize) -> String {
        list.messages()[at].id.0.clone()
    }

    #[test]
    fn what_is_read_stays_when_older_ones_arrive_above() {
        let mut list = List::default();
        list.update(&messages(1_000..2_000), 800.0);
        let by_id = |list: &List, at: usize| lay(list.messages()[at].time.0 as usize);
        let settle = |list: &mut List| {
            let all = Arc::clone(list.messages());
            list.settle(600.0, 8.0, &mut |at| lay(all[at].time.0 as usize));
        };
        settle(&mut list);
        list.scroll(5_000.0);
        settle(&mut list);
        let before = *list.shown().front().expect("row");
        let name = id(&list, before.at);
        assert!(by_id(&list, before.at) > 0.0);
        list.update(&messages(0..2_000), 800.0);
        settle(&mut list);
        let after = *list.shown().front().expect("row");
        assert_eq!((id(&list, after.at), after.top), (name, before.top));
    }

    #[test]
    fn the_end_stays_the_end_when_others_come() {
        let mut list = List::default();
        list.update(&messages(0..500), 800.0);
        list.settle(600.0, 8.0, &mut lay);
        assert_eq!(list.shown().back().expect("row").at, 499);
        list.update(&messages(0..501), 800.0);
        list.settle(600.0, 8.0, &mut lay);
        let last = list.shown().back().expect("row");
        assert_eq!(last.at, 500);
        assert!((last.top + last.height - 592.0).abs() < 0.5);
    }

    #[test]
    fn a_walk_from_the_end_to_the_beginning_meets_every_row_and_lays_out_few() {
        let mut list = List::default();
        list.update(&messages(0..100_000), 800.0);
        let mut seen = vec![false; 100_000];
        let mut most = 0;
        for _ in 0..40_000 {
            let mut laid = 0;
            list.settle(600.0, 8.0, &mut |at| {
                laid += 1;
                lay(at)
            });
            most = most.max(laid);
            for row in list.shown() {
                seen[row.at] = true;
            }
            if list.shown().front().is_some_and(|row| row.at == 0 && row.top >= 0.0) {
                break;
            }
            list.scroll(550.0);
        }
        assert!(seen.iter().all(|one| *one), "{}", seen.iter().filter(|one| !**one).count());
        assert!(most <= 60, "{most}");
    }

    #[test]
    fn a_short_conversation_begins_at_the_top() {
        let mut list = List::default();
        list.update(&messages(0..3), 800.0);
        list.settle(600.0, 8.0, &mut lay);
        assert!((list.shown().front().expect("row").top - super::PAD).abs() < 0.5);
    }

    #[test]
    fn the_bar_goes_where_it_is_pulled() {
        let mut list = List::default();
        list.update(&messages(0..10_000), 800.0);
        list.settle(600.0, 8.0, &mut lay);
        let (_, total) = list.extent();
        list.go_to_distance(total / 2.0);
        list.settle(600.0, 8.0, &mut lay);
        let first = list.shown().front().expect("row").at;
        assert!((4_900..5_100).contains(&first), "{first}");
        list.go_to_distance(0.0);
        list.settle(600.0, 8.0, &mut lay);
        assert_eq!(list.shown().front().expect("row").at, 0);
    }
}
