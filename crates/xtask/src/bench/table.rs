//! The table that a run prints.

/// Whose figure ours is compared with.
pub enum Peer {
    /// Nobody's.
    None,
    /// Measured in this run.
    Measured(&'static str, f64),
    /// Known from an earlier, careful run on another machine.
    Recorded(&'static str, f64),
}

/// One figure.
pub struct Row {
    /// What was measured, with its unit.
    pub what: String,
    /// Our figure.
    pub ours: f64,
    /// The other one.
    pub peer: Peer,
    /// Where ours should be.
    pub goal: Goal,
    /// Digits after the point.
    pub digits: usize,
}

/// Where a figure should be.
#[derive(Clone, Copy)]
pub enum Goal {
    /// No goal was set.
    None,
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
}

impl Row {
    /// A figure with two digits, neither peer nor goal.
    pub fn new(what: impl Into<String>, ours: f64) -> Self {
        Self { what: what.into(), ours, peer: Peer::None, goal: Goal::None, digits: 2 }
    }

    /// Compares it with a peer.
    pub fn beside(mut self, peer: Peer) -> Self {
        self.peer = peer;
        self
    }

    /// Gives it a goal.
    pub fn at_most(mut self, goal: f64) -> Self {
        self.goal = Goal::AtMost(goal);
        self
    }

    /// Gives it a goal that more is better for.
    pub fn at_least(mut self, goal: f64) -> Self {
        self.goal = Goal::AtLeast(goal);
        self
    }

    /// Prints it with this many digits.
    pub fn digits(mut self, digits: usize) -> Self {
        self.digits = digits;
        self
    }

    fn cells(&self) -> [String; 6] {
        let number = |value: f64| format!("{value:.*}", self.digits);
        let (peer, ratio) = match self.peer {
            Peer::None => (String::new(), String::new()),
            Peer::Measured(name, value) => {
                (format!("{name} {}", number(value)), ratio(self.ours, value))
            }
            Peer::Recorded(name, value) => {
                (format!("({name} {})", number(value)), ratio(self.ours, value))
            }
        };
        let (goal, met) = match self.goal {
            Goal::None => (String::new(), ""),
            Goal::AtMost(goal) => (format!("≤ {}", number(goal)), word(self.ours <= goal)),
            Goal::AtLeast(goal) => (format!("≥ {}", number(goal)), word(self.ours >= goal)),
        };
        [self.what.clone(), number(self.ours), peer, ratio, goal, met.to_owned()]
    }
}

fn ratio(ours: f64, theirs: f64) -> String {
    if theirs > 0.0 { format!("{:.2}", ours / theirs) } else { String::new() }
}

fn word(met: bool) -> &'static str {
    if met { "yes" } else { "no" }
}

/// The rows as a Markdown table, so that it can go into a document as it is.
pub fn text(rows: &[Row]) -> String {
    let head = ["what", "ours", "peer", "ratio", "goal", "met?"].map(str::to_owned);
    let lines: Vec<[String; 6]> =
        std::iter::once(head).chain(rows.iter().map(Row::cells)).collect();
    let wide = |column: usize| {
        lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..6).map(wide).collect();
    let mut out = String::new();
    for (index, cells) in lines.iter().enumerate() {
        for (cell, width) in cells.iter().zip(&widths) {
            out += &format!("| {cell:width$} ");
        }
        out += "|\n";
        if index == 0 {
            out += &widths
                .iter()
                .map(|width| format!("|{}", "-".repeat(width + 2)))
                .collect::<String>();
            out += "|\n";
        }
    }
    out
}

/// The middle of several figures; of an even number the lower middle.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

/// The middle of one figure of several runs; no number without any run.
pub fn middle<T>(runs: &[T], figure: impl Fn(&T) -> f64) -> f64 {
    median(runs.iter().map(figure).collect()).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::{Peer, Row, median, text};

    #[test]
    fn a_row_says_its_ratio_and_whether_the_goal_is_met() {
        let good = Row::new("a, s", 0.5).beside(Peer::Measured("dino", 1.0)).at_most(0.5);
        let bad = Row::new("b", 3.0).beside(Peer::Recorded("x", 2.0)).at_least(4.0).digits(0);
        let shown = text(&[good, bad]);
        for part in
            ["| 0.50 | dino 1.00 | 0.50  | ≤ 0.50 | yes", "| (x 2)     | 1.50  | ≥ 4    | no"]
        {
            assert!(shown.contains(part), "{shown}");
        }
    }

    #[test]
    fn the_median_is_not_moved_by_one_bad_run() {
        assert_eq!(median(vec![9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(Vec::new()), None);
    }
}
