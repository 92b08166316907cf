//! A search while somebody types, in virtual time.

use std::time::Duration;

use offhook_contacts::{AskId, DirectoryAnswer, Index, Known, Search, SearchLimits, SearchOutput};
use offhook_model::{
    Area, DirectoryEntry, DirectoryGroup, Moment, Owner, Problem, SearchStage, SourceKind,
};
use offhook_testkit::moment;

fn entry(source: SourceKind, id: &str, name: &str) -> DirectoryEntry {
    let mut entry = DirectoryEntry::new(source, id);
    entry.display_name = Some(name.to_owned());
    entry.mail = vec![format!("{id}@lab.example")];
    entry
}

fn number(_: &str) -> Option<String> {
    None
}

struct Bench {
    index: Index,
    search: Search,
    now: Moment,
}

impl Bench {
    fn new() -> Self {
        let mut index = Index::new();
        index.extend([
            entry(SourceKind::Roster, "anna", "Anna Adams"),
            entry(SourceKind::Roster, "annabel", "Annabel Baker"),
        ]);
        Self { index, search: Search::new(SearchLimits::default()), now: moment() }
    }

    fn type_in(&mut self, text: &str) {
        let known = Known { index: &self.index, number: &number };
        self.search.handle_typed(text, known, self.now);
    }

    fn wait(&mut self, millis: u64) {
        self.now = self.now.plus(Duration::from_millis(millis));
        if self.search.next_timeout().is_some_and(|at| at <= self.now.at) {
            self.search.handle_timeout(self.now);
        }
    }

    fn answer(&mut self, ask: AskId, entries: Vec<DirectoryEntry>, last: bool) {
        let known = Known { index: &self.index, number: &number };
        let answer = DirectoryAnswer { entries, last, ..DirectoryAnswer::default() };
        self.search.handle_answer(ask, answer, known, self.now);
    }

    /// What was asked and cancelled.
    fn asked(&mut self) -> (Vec<(AskId, String)>, usize) {
        let (mut asked, mut cancelled) = (vec![], 0);
        while let Some(output) = self.search.poll() {
            match output {
                SearchOutput::Ask(ask, text) | SearchOutput::AskGroups(ask, text) => {
                    asked.push((ask, text))
                }
                SearchOutput::Cancel(_) => cancelled += 1,
                SearchOutput::Changed => {}
            }
        }
        (asked, cancelled)
    }

    fn ask(&mut self) -> AskId {
        self.wait(250);
        let (asked, _) = self.asked();
        assert_eq!(asked.len(), 1);
        asked[0].0
    }

    fn names(&self) -> Vec<&str> {
        self.search.shown().people.iter().map(|person| person.name.as_str()).collect()
    }
}

#[test]
fn three_letters_show_who_is_known_at_once_and_ask_after_a_pause() {
    let mut bench = Bench::new();
    for text in ["a", "an", "ann"] {
        bench.type_in(text);
        assert_eq!(bench.names(), ["Anna Adams", "Annabel Baker"], "{text}");
        assert_eq!(bench.search.shown().stage, SearchStage::Local);
        bench.wait(100);
    }
    assert_eq!(bench.asked(), (vec![], 0));
    bench.wait(149);
    assert_eq!(bench.asked(), (vec![], 0));
    bench.wait(1);
    let (asked, _) = bench.asked();
    assert_eq!(asked[0].1, "ann");
    assert_eq!(bench.search.shown().stage, SearchStage::Asking);
    bench.answer(asked[0].0, vec![], true);
    assert_eq!(bench.search.shown().stage, SearchStage::Done);
    assert_eq!(bench.search.next_timeout(), None);
    let matched = bench.search.shown().people[0].matched.clone().unwrap();
    assert_eq!((matched.text.as_str(), matched.ranges.as_slice()), ("Anna Adams", &[(0, 3)][..]));
}

#[test]
fn two_letters_do_not_ask_and_a_space_is_no_letter() {
    let mut bench = Bench::new();
    bench.type_in("an ");
    bench.wait(10_000);
    assert_eq!(bench.asked(), (vec![], 0));
    bench.search.set_limits(SearchLimits { fewest: 1, ..SearchLimits::default() });
    bench.type_in("a");
    bench.wait(250);
    assert_eq!(bench.asked().0.len(), 1);
    bench.type_in("");
    assert!(bench.names().is_empty());
    assert_eq!(bench.asked(), (vec![], 1));
    assert_eq!(bench.search.next_timeout(), None);
}

#[test]
fn an_answer_to_what_was_typed_before_is_never_shown() {
    let mut bench = Bench::new();
    bench.type_in("ann");
    let old = bench.ask();
    bench.type_in("anna");
    assert_eq!(bench.asked(), (vec![], 1));
    bench.answer(old, vec![entry(SourceKind::Ldap, "late", "Anna Late")], true);
    assert_eq!(bench.names(), ["Anna Adams", "Annabel Baker"]);
    let new = bench.ask();
    assert_ne!(old, new);
    bench.answer(old, vec![entry(SourceKind::Ldap, "late", "Anna Late")], true);
    assert!(!bench.names().contains(&"Anna Late"));
    bench.answer(new, vec![entry(SourceKind::Ldap, "new", "Anna New")], true);
    assert_eq!(bench.names(), ["Anna Adams", "Annabel Baker", "Anna New"]);
}

#[test]
fn nobody_moves_while_the_directory_answers() {
    let mut bench = Bench::new();
    bench.type_in("ann");
    let ask = bench.ask();
    let mut same = entry(SourceKind::Ldap, "anna", "Anna Adams");
    same.title = Some("Director".to_owned());
    // A whole word would come first if it had been known from the beginning.
    let whole = entry(SourceKind::Ldap, "whole", "Ann Young");
    bench.answer(ask, vec![whole, same], false);
    assert_eq!(bench.names(), ["Anna Adams", "Annabel Baker", "Ann Young"]);
    let first = &bench.search.shown().people[0];
    assert_eq!(first.entry.title.as_deref(), Some("Director"));
    assert_eq!(first.sources, [SourceKind::Roster, SourceKind::Ldap]);
    // One who is both of two who are shown: they stay two for now.
    let mut both = entry(SourceKind::Uds, "anna", "Anna Adams");
    both.mail.push("annabel@lab.example".to_owned());
    bench.answer(ask, vec![both, entry(SourceKind::Uds, "z", "Annika Zoe")], true);
    assert_eq!(bench.names(), ["Anna Adams", "Annabel Baker", "Ann Young", "Annika Zoe"]);
    // The next key ranks anew, with what the directory said a moment ago.
    bench.type_in("ann y");
    assert_eq!(bench.names(), ["Ann Young"]);
}

#[test]
fn the_same_text_again_is_not_asked_again_for_two_minutes() {
    let mut bench = Bench::new();
    bench.type_in("ann");
    let ask = bench.ask();
    bench.answer(ask, vec![entry(SourceKind::Ldap, "whole", "Ann Young")], true);
    bench.type_in("");
    bench.type_in("Ann ");
    assert_eq!(bench.names(), ["Ann Young", "Anna Adams", "Annabel Baker"]);
    assert_eq!(bench.search.shown().stage, SearchStage::Done);
    bench.wait(10_000);
    assert_eq!(bench.asked().0, []);
    bench.wait(120_000);
    bench.type_in("");
    bench.type_in("ann");
    assert_eq!(bench.names(), ["Anna Adams", "Annabel Baker"]);
    bench.ask();
}

#[test]
fn answers_that_are_kept_are_bounded() {
    let mut bench = Bench::new();
    for at in 0..40 {
        bench.type_in(&format!("name{at}"));
        let ask = bench.ask();
        bench.answer(ask, vec![], true);
    }
    bench.type_in("name39");
    bench.type_in("name38");
    bench.wait(250);
    assert_eq!(bench.asked().0, []);
    bench.type_in("name0");
    bench.ask();
    let many = (0..900).map(|at| entry(SourceKind::Ldap, &at.to_string(), "Name0")).collect();
    bench.type_in("name0x");
    let ask = bench.ask();
    bench.answer(ask, many, true);
    assert_eq!(bench.search.shown().people.len(), 200);
    assert!(bench.search.shown().more);
}

#[test]
fn what_could_not_be_asked_is_told_and_asked_again() {
    let mut bench = Bench::new();
    bench.type_in("ann");
    let ask = bench.ask();
    let problem = Problem::new(Area::Network, Owner::Network, "Nobody answers.", "Wait.");
    let answer = DirectoryAnswer {
        problems: vec![problem.clone(), problem],
        last: true,
        ..DirectoryAnswer::default()
    };
    let known = Known { index: &bench.index, number: &number };
    bench.search.handle_answer(ask, answer, known, bench.now);
    assert_eq!(bench.search.shown().problems.len(), 1);
    assert_eq!(bench.names().len(), 2);
    bench.type_in("anna");
    assert!(bench.search.shown().problems.is_empty());
    bench.type_in("ann");
    bench.ask();
    // Who never answers is not waited for without end.
    bench.wait(60_000);
    assert_eq!(bench.search.shown().stage, SearchStage::Done);
    assert_eq!(bench.asked(), (vec![], 1));
}

/// A hundred keys in five seconds lead to no more questions than there were pauses.
#[test]
fn a_hundred_keys_ask_once_for_each_pause() {
    let mut bench = Bench::new();
    let (mut asked, mut cancelled) = (0, 0);
    for key in 0..100_usize {
        let text: String = "annabel baker of the sales ".chars().cycle().take(3 + key).collect();
        bench.type_in(&text);
        // 50 ms a key, and after every twentieth a look at the list.
        bench.wait(if key % 20 == 19 { 300 } else { 50 });
        let (new, gone) = bench.asked();
        asked += new.len();
        cancelled += gone;
    }
    assert_eq!((asked, cancelled), (5, 4), "the last one is still wanted");
}

fn groups(names: &[&str]) -> DirectoryAnswer {
    let group = |name: &&str| DirectoryGroup {
        id: format!("cn={name}"),
        name: (*name).to_owned(),
        description: None,
    };
    DirectoryAnswer { groups: names.iter().map(group).collect(), ..DirectoryAnswer::default() }
}

fn with_groups() -> Bench {
    let mut bench = Bench::new();
    bench.search.set_limits(SearchLimits { groups: true, ..SearchLimits::default() });
    bench
}

fn group_names(bench: &Bench) -> Vec<&str> {
    bench.search.shown().groups.iter().map(|group| group.name.as_str()).collect()
}

#[test]
fn groups_are_asked_for_after_the_people_and_kept_with_them() {
    let mut bench = with_groups();
    bench.type_in("ann");
    let people = bench.ask();
    bench.answer(people, vec![entry(SourceKind::Ldap, "new", "Anna New")], true);
    let (asked, _) = bench.asked();
    assert_eq!((asked.len(), asked[0].1.as_str()), (1, "ann"));
    assert_eq!(bench.search.shown().stage, SearchStage::Asking, "not everybody has answered");
    bench.search.handle_groups(people, groups(&["Wrong"]), bench.now);
    assert!(group_names(&bench).is_empty(), "nobody asked for these");
    bench.search.handle_groups(asked[0].0, groups(&["Annual review"]), bench.now);
    assert_eq!(group_names(&bench), ["Annual review"]);
    assert_eq!(bench.search.shown().stage, SearchStage::Done);
    assert_eq!(bench.search.next_timeout(), None);
    // The same text once more asks nobody; another one shows none of them, since people who come
    // would move them.
    bench.type_in("annu");
    assert!(group_names(&bench).is_empty());
    bench.type_in("ann");
    assert_eq!(group_names(&bench), ["Annual review"]);
    bench.wait(10_000);
    let (asked, _) = bench.asked();
    assert!(asked.is_empty(), "{asked:?}");
}

#[test]
fn typing_on_drops_the_question_about_groups_and_too_many_are_cut() {
    let mut bench = with_groups();
    bench.type_in("ann");
    let people = bench.ask();
    bench.answer(people, vec![], true);
    let (asked, _) = bench.asked();
    bench.type_in("anna");
    assert_eq!(bench.asked(), (vec![], 1));
    bench.search.handle_groups(asked[0].0, groups(&["Late"]), bench.now);
    assert!(group_names(&bench).is_empty());
    let people = bench.ask();
    bench.answer(people, vec![], true);
    let (asked, _) = bench.asked();
    bench.search.handle_groups(asked[0].0, groups(&["G"; 30]), bench.now);
    assert_eq!(group_names(&bench).len(), offhook_contacts::MOST_GROUPS);
    assert!(bench.search.shown().more_groups && !bench.search.shown().more);
}

#[test]
fn nobody_is_asked_for_groups_by_a_number_or_where_the_directory_is_silent() {
    let mut bench = with_groups();
    bench.type_in("4302");
    let people = bench.ask();
    bench.answer(people, vec![], true);
    assert!(bench.asked().0.is_empty());
    assert_eq!(bench.search.shown().stage, SearchStage::Done);
    bench.type_in("ann");
    let ask = bench.ask();
    let problem = Problem::new(Area::Network, Owner::Admin, "It is down.", "Start it.");
    let answer = DirectoryAnswer { problems: vec![problem], last: true, ..Default::default() };
    let known = Known { index: &bench.index, number: &number };
    bench.search.handle_answer(ask, answer, known, bench.now);
    assert!(bench.asked().0.is_empty());
    assert_eq!(bench.search.shown().stage, SearchStage::Done);
    // Without an answer it ends as well.
    bench.type_in("anna");
    let people = bench.ask();
    bench.answer(people, vec![], true);
    bench.asked();
    bench.wait(120_000);
    assert_eq!(bench.search.shown().stage, SearchStage::Done);
}
