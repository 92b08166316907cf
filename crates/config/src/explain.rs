//! Effective settings with the source that won and those that lost, as `offhook policy explain`
//! tells them.

use std::collections::{HashMap, HashSet};

use offhook_model::{Layer, Problem, Setting, Source};
use serde::Serialize;

use crate::judge::{Oddity, contradictions, oddities};
use crate::keys::{Key, Kind, keys};
use crate::layers::{Candidate, Layers};

/// At most so many oddities are told of one setting.
const MOST_ODDITIES: usize = 8;

/// One effective setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explained {
    /// Documented name, or the name as written of an unknown one. The origin for what is odd
    /// about a place as a whole.
    pub key: String,
    /// Section of the configuration file it belongs into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// Value that counts; empty for a password and for a place as a whole.
    pub value: String,
    /// Kind of place it comes from.
    pub source: Source,
    /// Which one exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Line there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What was said elsewhere and does not count, the strongest first.
    pub overridden: Vec<Overridden>,
    /// What is odd about it, in words.
    pub oddities: Vec<String>,
    /// One of the oddities is an error, or it takes part in a contradiction.
    pub error: bool,
    /// The key is documented.
    pub known: bool,
    /// The product acts on it today.
    pub acted_on: bool,
}

/// A value that does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Overridden {
    /// Name as written there.
    pub key: String,
    /// Value as written there.
    pub value: String,
    /// Kind of place.
    pub source: Source,
    /// Which one exactly.
    pub origin: String,
    /// Line there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

impl Layers {
    /// All settings that anybody made, in the order of the catalogue, then unknown ones, then what
    /// is odd about whole places.
    pub fn explain(&self) -> Vec<Explained> {
        let mut odd = Odd::new();
        for layer in self.layers() {
            for oddity in oddities(layer) {
                let place = (layer.source, oddity.key.clone(), oddity.line);
                let told = odd.entry(place).or_default();
                // One line can say the same key a thousand times.
                if told.len() < MOST_ODDITIES && !told.iter().any(|it| it.words == oddity.words) {
                    told.push(oddity);
                }
            }
        }
        let mut rows: Vec<_> = self.known().filter_map(|key| self.row(key, &odd)).collect();
        rows.extend(self.unknown(&odd));
        for contradiction in contradictions(self) {
            let keys = contradiction.keys;
            let words = contradiction.problem.cause;
            let row = keys.iter().find_map(|key| rows.iter().position(|row| row.key == *key));
            if let Some(row) = row.and_then(|row| rows.get_mut(row)) {
                row.oddities.push(words);
                row.error = true;
            }
        }
        rows.extend(self.layers().iter().filter_map(whole));
        rows
    }

    /// What somebody should mend: contradictions, then misspelt names and values that cannot be
    /// read.
    pub fn problems(&self) -> Vec<Problem> {
        let contradictions = contradictions(self).into_iter().map(|it| it.problem);
        contradictions.chain(self.layers().iter().flat_map(crate::problems)).collect()
    }

    /// Documented keys that somebody sets, in the order of the catalogue.
    fn known(&self) -> impl Iterator<Item = &'static Key> {
        let names: HashSet<&str> =
            self.meant().filter_map(|(_, _, meaning)| Some(meaning?.0.name)).collect();
        keys().iter().filter(move |key| names.contains(key.name))
    }

    /// A row for each setting of a name that means nothing where it stands.
    fn unknown<'a>(&'a self, odd: &'a Odd) -> impl Iterator<Item = Explained> + 'a {
        let unknown = self.meant().filter(|(_, _, meaning)| meaning.is_none());
        unknown.map(|(layer, setting, _)| {
            let found = about(layer, setting, odd);
            Explained {
                key: setting.key.clone(),
                section: setting.section.clone(),
                value: setting.value.clone(),
                source: layer.source,
                origin: Some(layer.origin.clone()),
                line: setting.line,
                overridden: vec![],
                error: found.iter().any(|oddity| oddity.remedy.is_some()),
                oddities: found.iter().map(|oddity| oddity.words.clone()).collect(),
                known: false,
                acted_on: false,
            }
        })
    }

    fn row(&self, key: &'static Key, odd: &Odd) -> Option<Explained> {
        let candidates = self.candidates(key);
        let winner = candidates.iter().position(|candidate| candidate.counts);
        let losers = candidates
            .iter()
            .enumerate()
            // A blank is not a value that lost.
            .filter(|(at, it)| Some(*at) != winner && !it.setting.value.is_empty())
            .map(|(_, candidate)| overridden(candidate))
            .collect();
        let winner = winner.and_then(|at| candidates.get(at));
        if winner.is_none() && candidates.iter().all(|it| it.setting.value.is_empty()) {
            return None;
        }
        let found: Vec<_> =
            candidates.iter().flat_map(|it| about(it.layer, it.setting, odd)).collect();
        let in_force = winner.map(|it| it.setting.value.clone());
        Some(Explained {
            key: key.name.to_owned(),
            section: key.file_section().map(str::to_owned),
            value: in_force.or(key.default.map(str::to_owned)).unwrap_or_default(),
            source: winner.map_or(Source::Default, |it| it.layer.source),
            origin: winner.map(|it| it.layer.origin.clone()),
            line: winner.and_then(|it| it.setting.line),
            overridden: losers,
            oddities: found.iter().map(|oddity| words(oddity, key)).collect(),
            error: found.iter().any(|oddity| oddity.remedy.is_some()),
            known: true,
            acted_on: key.acted_on && key.kind != Kind::Secret,
        })
    }
}

/// What is odd, by source, name and line.
type Odd = HashMap<(Source, String, Option<u32>), Vec<Oddity>>;

/// What is odd about this one setting.
fn about<'a>(layer: &Layer, setting: &Setting, odd: &'a Odd) -> &'a [Oddity] {
    let place = (layer.source, setting.key.clone(), setting.line);
    odd.get(&place).map_or(&[], Vec::as_slice)
}

fn words(oddity: &Oddity, key: &Key) -> String {
    let line = oddity.line.map(|line| format!(" (line {line})")).unwrap_or_default();
    if oddity.key == key.name {
        format!("{}{line}", oddity.words)
    } else {
        format!("{} {}{line}", oddity.key, oddity.words)
    }
}

fn overridden(candidate: &Candidate<'_>) -> Overridden {
    Overridden {
        key: candidate.setting.key.clone(),
        value: candidate.setting.value.clone(),
        source: candidate.layer.source,
        origin: candidate.layer.origin.clone(),
        line: candidate.setting.line,
    }
}

/// What is odd about a place as a whole.
fn whole(layer: &Layer) -> Option<Explained> {
    (!layer.oddities.is_empty()).then(|| Explained {
        key: layer.origin.clone(),
        section: None,
        value: String::new(),
        source: layer.source,
        origin: Some(layer.origin.clone()),
        line: None,
        overridden: vec![],
        oddities: layer.oddities.clone(),
        error: false,
        known: true,
        acted_on: true,
    })
}
