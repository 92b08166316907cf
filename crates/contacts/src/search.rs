//! A search for people while somebody types, and for groups of the directory.
//!
//! What is known here is shown with the key that was pressed. The directory is asked when the
//! typing has paused, and what it knows is added below: whoever is shown keeps their place until
//! the next key. Groups stand below the people and are asked for after them, so that no group moves
//! either. An answer to what was typed earlier is never shown.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use offhook_model::{
    DirectoryEntry, DirectoryGroup, Moment, PeopleSearch, Person, Problem, SearchStage, SourceKind,
};

use crate::merge::{members, person};
use crate::{Index, Query};

/// How long an answer of the directory is good.
const CACHE_AGE: Duration = Duration::from_secs(120);
/// How many answers are kept.
const CACHE_SIZE: usize = 32;
/// How many entries of one answer are looked at.
const MOST_ENTRIES: usize = 500;
/// How many groups are shown.
pub const MOST_GROUPS: usize = 20;
/// How many problems of one search are kept.
const MOST_PROBLEMS: usize = 8;
/// How long an answer is waited for; flows have bounds of their own, this is for those that are
/// lost.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a search goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchLimits {
    /// How long typing has to pause before the directory is asked.
    pub pause: Duration,
    /// Fewest characters that the directory is asked with (`MinimumCharacterQuery`).
    pub fewest: usize,
    /// Most persons that are shown.
    pub most: usize,
    /// The directory has groups.
    pub groups: bool,
}

impl Default for SearchLimits {
    fn default() -> Self {
        Self { pause: Duration::from_millis(250), fewest: 3, most: 200, groups: false }
    }
}

/// Names a question to the directory; never used twice by one search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AskId(u64);

/// What the search wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchOutput {
    /// The directory is to be asked for this text.
    Ask(AskId, String),
    /// The directory is to be asked for groups by this text.
    AskGroups(AskId, String),
    /// Nobody waits for the answer any more.
    Cancel(AskId),
    /// [`Search::shown`] is not what it was.
    Changed,
}

/// What the directory answers. There may be several answers to one question.
#[derive(Clone, Debug, Default)]
pub struct DirectoryAnswer {
    /// Who was found.
    pub entries: Vec<DirectoryEntry>,
    /// Groups that were found, where they were asked for.
    pub groups: Vec<DirectoryGroup>,
    /// There are more than were asked for.
    pub more: bool,
    /// Which sources could not be asked, and why.
    pub problems: Vec<Problem>,
    /// Nothing more will come.
    pub last: bool,
}

/// What a search looks at besides the directory.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// Everybody who is known here.
    pub index: &'a Index,
    /// How a number is compared, `None` where it leads to nobody in particular.
    pub number: &'a dyn Fn(&str) -> Option<String>,
}

/// A search.
pub struct Search {
    limits: SearchLimits,
    query: Query,
    /// All entries in question, those of `rows` and no others.
    entries: Vec<Arc<DirectoryEntry>>,
    /// Whose entries make up each person shown, in the order in which they are shown.
    rows: Vec<Vec<usize>>,
    shown: PeopleSearch,
    next: u64,
    wait: Wait,
    /// What the running question has brought so far.
    answer: Vec<Arc<DirectoryEntry>>,
    cache: VecDeque<Kept>,
    outputs: VecDeque<SearchOutput>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    Nothing,
    /// For the typing to pause.
    Pause(Instant),
    /// For an answer.
    Answer(AskId, Instant),
    /// For groups.
    Groups(AskId, Instant),
}

/// An answer of the directory.
struct Kept {
    text: String,
    at: Instant,
    entries: Vec<Arc<DirectoryEntry>>,
    more: bool,
    groups: Vec<DirectoryGroup>,
    more_groups: bool,
}

impl Search {
    /// A search for nothing yet.
    pub fn new(limits: SearchLimits) -> Self {
        Self {
            limits,
            query: Query::default(),
            entries: vec![],
            rows: vec![],
            shown: PeopleSearch::default(),
            next: 0,
            wait: Wait::Nothing,
            answer: vec![],
            cache: VecDeque::new(),
            outputs: VecDeque::new(),
        }
    }

    /// The search as it is to be shown.
    pub fn shown(&self) -> &PeopleSearch {
        &self.shown
    }

    /// What is to be done; to be asked until there is nothing.
    pub fn poll(&mut self) -> Option<SearchOutput> {
        self.outputs.pop_front()
    }

    /// When [`Search::handle_timeout`] is due.
    pub fn next_timeout(&self) -> Option<Instant> {
        match self.wait {
            Wait::Nothing => None,
            Wait::Pause(at) | Wait::Answer(_, at) | Wait::Groups(_, at) => Some(at),
        }
    }

    /// Other limits, from the next key on: configuration has come.
    pub fn set_limits(&mut self, limits: SearchLimits) {
        self.limits = limits;
    }

    /// What the directory said is forgotten: another user, another network.
    pub fn forget(&mut self) {
        self.cache.clear();
    }

    /// The text in the search box is this now.
    pub fn handle_typed(&mut self, text: &str, known: Known<'_>, now: Moment) {
        let key = cache_key(text);
        if text == self.shown.query {
            return;
        }
        let same = key == cache_key(&self.shown.query);
        self.shown.query = text.to_owned();
        self.outputs.push_back(SearchOutput::Changed);
        if same {
            return;
        }
        self.stop();
        self.query = Query::read(text);
        self.cache.retain(|kept| now.at.saturating_duration_since(kept.at) < CACHE_AGE);
        self.shown.problems.clear();
        self.shown.more = false;
        // Of an earlier text none is shown: people who come would move it.
        self.shown.groups.clear();
        self.shown.more_groups = false;
        self.shown.stage = SearchStage::Local;
        self.show_known(&key, known, now);
        if let Some(kept) = self.cache.iter().find(|kept| kept.text == key) {
            self.shown.stage = SearchStage::Done;
            self.shown.more |= kept.more;
            self.shown.groups.clone_from(&kept.groups);
            self.shown.more_groups = kept.more_groups;
        } else if !self.query.is_empty() && key.chars().count() >= self.limits.fewest {
            self.wait = Wait::Pause(now.at + self.limits.pause);
        }
    }

    /// Whoever was asked will not answer.
    pub fn give_up(&mut self) {
        if self.wait != Wait::Nothing {
            self.stop();
            self.shown.stage = SearchStage::Done;
            self.outputs.push_back(SearchOutput::Changed);
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Moment) {
        match self.wait {
            Wait::Pause(at) if at <= now.at => {
                let ask = self.next_ask();
                self.wait = Wait::Answer(ask, now.at + PATIENCE);
                self.shown.stage = SearchStage::Asking;
                let text = self.shown.query.trim().to_owned();
                self.outputs.extend([SearchOutput::Ask(ask, text), SearchOutput::Changed]);
            }
            Wait::Answer(_, at) | Wait::Groups(_, at) if at <= now.at => {
                self.stop();
                self.shown.stage = SearchStage::Done;
                self.outputs.push_back(SearchOutput::Changed);
            }
            Wait::Nothing | Wait::Pause(_) | Wait::Answer(..) | Wait::Groups(..) => {}
        }
    }

    /// The directory has answered. An answer that nobody waits for is passed over.
    pub fn handle_answer(
        &mut self,
        ask: AskId,
        answer: DirectoryAnswer,
        known: Known<'_>,
        now: Moment,
    ) {
        if !matches!(self.wait, Wait::Answer(running, _) if running == ask) {
            return;
        }
        let DirectoryAnswer { entries, more, problems, last, .. } = answer;
        let room = MOST_ENTRIES.saturating_sub(self.answer.len());
        self.shown.more |= more || entries.len() > room;
        let entries: Vec<Arc<DirectoryEntry>> =
            entries.into_iter().take(room).map(Arc::new).collect();
        self.answer.extend(entries.iter().cloned());
        // Who did not answer is not asked again at once.
        let lost = self.answer.is_empty() && !problems.is_empty();
        self.tell(problems);
        self.add_below(entries, known, now);
        // A number that is dialled is no name of a group.
        let name = self.shown.query.chars().any(char::is_alphabetic);
        if last && self.limits.groups && name && !lost {
            let ask = self.next_ask();
            self.wait = Wait::Groups(ask, now.at + PATIENCE);
            let text = self.shown.query.trim().to_owned();
            self.outputs.push_back(SearchOutput::AskGroups(ask, text));
        } else if last {
            self.done(now);
        }
        self.outputs.push_back(SearchOutput::Changed);
    }

    /// The directory has said which groups it has. An answer that nobody waits for is passed over.
    pub fn handle_groups(&mut self, ask: AskId, answer: DirectoryAnswer, now: Moment) {
        if !matches!(self.wait, Wait::Groups(running, _) if running == ask) {
            return;
        }
        self.tell(answer.problems);
        self.shown.groups = answer.groups;
        self.shown.more_groups = answer.more || self.shown.groups.len() > MOST_GROUPS;
        self.shown.groups.truncate(MOST_GROUPS);
        self.done(now);
        self.outputs.push_back(SearchOutput::Changed);
    }

    fn next_ask(&mut self) -> AskId {
        let ask = AskId(self.next);
        self.next += 1;
        ask
    }

    fn tell(&mut self, problems: Vec<Problem>) {
        for problem in problems {
            let known = self.shown.problems.contains(&problem);
            if !known && self.shown.problems.len() < MOST_PROBLEMS {
                self.shown.problems.push(problem);
            }
        }
    }

    /// Everybody has answered.
    fn done(&mut self, now: Moment) {
        self.wait = Wait::Nothing;
        self.shown.stage = SearchStage::Done;
        let entries = std::mem::take(&mut self.answer);
        // Half an answer is asked for again.
        if self.shown.problems.is_empty() {
            self.keep(Kept {
                text: cache_key(&self.shown.query),
                at: now.at,
                entries,
                more: self.shown.more,
                groups: self.shown.groups.clone(),
                more_groups: self.shown.more_groups,
            });
        }
    }

    fn keep(&mut self, kept: Kept) {
        self.cache.retain(|other| other.text != kept.text);
        if self.cache.len() == CACHE_SIZE {
            self.cache.pop_front();
        }
        self.cache.push_back(kept);
    }

    /// Nothing is waited for any more.
    fn stop(&mut self) {
        if let Wait::Answer(ask, _) | Wait::Groups(ask, _) = self.wait {
            self.outputs.push_back(SearchOutput::Cancel(ask));
        }
        self.wait = Wait::Nothing;
        self.answer.clear();
    }

    /// Shows what is known without a question: the index, and answers to the same text or to its
    /// beginning.
    fn show_known(&mut self, key: &str, known: Known<'_>, now: Moment) {
        let (found, more) = known.index.search(&self.query, self.limits.most, now.wall);
        let (mut entries, scores): (Vec<Arc<DirectoryEntry>>, Vec<u32>) =
            found.into_iter().map(|it| (it.entry, it.score)).unzip();
        self.shown.more |= more;
        let mut there: HashSet<(SourceKind, String)> =
            entries.iter().map(|it| (it.source, it.id.clone())).collect();
        for kept in self.cache.iter().filter(|kept| key.starts_with(&kept.text)) {
            // The directory may find by what we do not know; to its own text only.
            let fits = |it: &&Arc<DirectoryEntry>| kept.text == key || self.query.finds(it);
            for entry in kept.entries.iter().filter(fits) {
                if there.insert((entry.source, entry.id.clone())) {
                    entries.push(Arc::clone(entry));
                }
            }
        }
        let mut rows = members(&entries, known.number);
        self.entries = entries;
        self.rank(&mut rows, &scores, known, now);
        self.rows = rows;
        self.show(known);
    }

    /// Best first; equals stay as they are. `scores` are those of the first entries, where the index
    /// has told them.
    fn rank(&self, rows: &mut [Vec<usize>], scores: &[u32], known: Known<'_>, now: Moment) {
        rows.sort_by_cached_key(|members| {
            let rate = |at: usize| known.index.rate(&self.entries[at], &self.query, now.wall);
            let score = |&at: &usize| scores.get(at).copied().unwrap_or_else(|| rate(at));
            std::cmp::Reverse(members.iter().map(score).max())
        });
    }

    /// Adds entries without moving anybody: to who is shown already, or below.
    fn add_below(&mut self, new: Vec<Arc<DirectoryEntry>>, known: Known<'_>, now: Moment) {
        for entry in new {
            let same =
                |it: &&mut Arc<DirectoryEntry>| it.source == entry.source && it.id == entry.id;
            match self.entries.iter_mut().find(same) {
                // What the directory says now is newer than what is known of it here.
                Some(known) => *known = entry,
                None => self.entries.push(entry),
            }
        }
        let mut row_of: HashMap<usize, usize> = HashMap::new();
        for (row, members) in self.rows.iter().enumerate() {
            row_of.extend(members.iter().map(|&at| (at, row)));
        }
        let mut below: Vec<Vec<usize>> = vec![];
        for members in members(&self.entries, known.number) {
            let rows = members.iter().filter_map(|at| row_of.get(at));
            // Two who turn out to be one stay two until the next key, else everybody below them
            // would move.
            let Some(&row) = rows.min() else {
                below.push(members);
                continue;
            };
            let newcomers = members.into_iter().filter(|at| !row_of.contains_key(at));
            self.rows[row].extend(newcomers);
        }
        self.rank(&mut below, &[], known, now);
        self.rows.extend(below);
        self.show(known);
    }

    fn show(&mut self, known: Known<'_>) {
        self.shown.more |= self.rows.len() > self.limits.most;
        self.rows.truncate(self.limits.most);
        let mut seen = HashSet::new();
        let rows = self.rows.iter_mut().map(|members| {
            members.sort_by_key(|&at| (self.entries[at].source, at));
            let entries: Vec<Arc<DirectoryEntry>> =
                members.iter().map(|&at| Arc::clone(&self.entries[at])).collect();
            let mut person: Person = person(&entries, known.number);
            if !seen.insert(person.id.clone()) {
                person.id = crate::merge::by_source(&person.entry);
            }
            let own = || entries.iter().find_map(|entry| self.query.why(entry));
            person.matched = self.query.why(&person.entry).or_else(own);
            person
        });
        self.shown.people = rows.collect();
    }
}

/// By what answers are kept: what was typed, without what a directory does not care for.
fn cache_key(text: &str) -> String {
    text.trim().to_lowercase()
}
