//! Sentences of the window, from `assets/locale/*.ftl`. No other file holds any.

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};
use offhook_model::Problem;

const ENGLISH: &str = include_str!("../../../assets/locale/en.ftl");
const GERMAN: &str = include_str!("../../../assets/locale/de.ftl");

/// Problems, by their codes; in English they are said as the model says them.
const GERMAN_PROBLEMS: &str = include_str!("../../../assets/locale/problems.de.ftl");

/// Languages that are complete: tag and own name.
pub const LANGUAGES: [(&str, &str); 2] = [("en", "English"), ("de", "Deutsch")];

/// One language.
pub struct Texts {
    bundle: FluentBundle<FluentResource>,
}

impl Texts {
    /// The best language for a tag such as `de-AT`; English when there is none.
    pub fn new(locale: Option<&str>) -> Self {
        let german = locale.is_some_and(|tag| {
            tag.split(['-', '_', '.'])
                .next()
                .is_some_and(|language| language.eq_ignore_ascii_case("de"))
        });
        let (tag, sources): (_, &[&str]) =
            if german { ("de", &[GERMAN, GERMAN_PROBLEMS]) } else { ("en", &[ENGLISH]) };
        let language = tag.parse().unwrap_or_default();
        let mut bundle = FluentBundle::new(vec![language]);
        // Isolation marks have no picture, and no text here mixes directions.
        bundle.set_use_isolating(false);
        // A file with an error still gives its good messages; a test reads the errors.
        for source in sources {
            let resource = match FluentResource::try_new((*source).to_owned()) {
                Ok(resource) | Err((resource, _)) => resource,
            };
            bundle.add_resource_overriding(resource);
        }
        Self { bundle }
    }

    /// A sentence without variables. An unknown key shows as itself.
    pub fn get(&self, key: &str) -> String {
        self.format(key, None)
    }

    /// A sentence with text in it.
    pub fn with(&self, key: &str, values: &[(&'static str, &str)]) -> String {
        let mut args = FluentArgs::new();
        for (name, value) in values {
            args.set(*name, *value);
        }
        self.format(key, Some(&args))
    }

    /// A sentence with a number in it.
    pub fn count(&self, key: &str, count: usize) -> String {
        let mut args = FluentArgs::new();
        args.set("count", count);
        self.format(key, Some(&args))
    }

    /// Cause of a problem, in this language where its code is translated.
    pub fn cause(&self, problem: &Problem) -> String {
        self.said(problem, "").unwrap_or_else(|| problem.cause.clone())
    }

    /// What to do about it, likewise.
    pub fn remedy(&self, problem: &Problem) -> String {
        self.said(problem, "-remedy").unwrap_or_else(|| problem.remedy.clone())
    }

    fn said(&self, problem: &Problem, part: &str) -> Option<String> {
        let coded = problem.coded.as_ref()?;
        let key = format!("problem-{}{part}", coded.code);
        let values: Vec<_> =
            coded.values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.bundle.has_message(&key).then(|| self.with(&key, &values))
    }

    fn format(&self, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        let pattern = self.bundle.get_message(key).and_then(|found| found.value());
        let Some(pattern) = pattern else {
            return key.to_owned();
        };
        let mut errors = Vec::new();
        self.bundle.format_pattern(pattern, args, &mut errors).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use offhook_model::{Endpoint, Fault, Link, Problem, Service};

    use super::{ENGLISH, GERMAN, GERMAN_PROBLEMS, Texts};

    /// Keys of a file with the variables of each.
    fn keys(source: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut current = String::new();
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            if let Some((key, _)) = line.split_once(" = ")
                && !line.starts_with([' ', '[', '*'])
            {
                current = key.to_owned();
                let fresh = keys.insert(current.clone(), BTreeSet::new()).is_none();
                assert!(fresh, "{current} stands twice");
            }
            for part in line.split('$').skip(1) {
                let end = part.find(|c: char| !c.is_alphanumeric()).unwrap_or(part.len());
                if let Some(set) = keys.get_mut(&current) {
                    set.insert(part[..end].to_owned());
                }
            }
        }
        keys
    }

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(keys(ENGLISH), keys(GERMAN));
    }

    #[test]
    fn both_files_are_valid() {
        for source in [ENGLISH, GERMAN, GERMAN_PROBLEMS] {
            let read = fluent_bundle::FluentResource::try_new(source.to_owned());
            assert!(read.is_ok(), "{:?}", read.err().map(|(_, errors)| errors));
        }
    }

    fn sources(folder: &Path, all: &mut String) {
        for entry in std::fs::read_dir(folder).expect("folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                sources(&path, all);
            } else {
                all.push_str(&std::fs::read_to_string(&path).expect("source"));
            }
        }
    }

    #[test]
    fn every_key_is_used_and_every_used_key_exists() {
        let mut code = String::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut code);
        let known = keys(ENGLISH);
        for key in known.keys() {
            let built = ["weekday-", "month-", "country-"].iter().any(|p| key.starts_with(p));
            assert!(built || code.contains(&format!("\"{key}\"")), "{key} is not used");
        }
        for call in ["cx.t(\"", "cx.tc(\"", "cx.tw(\""] {
            for part in code.split(call).skip(1) {
                let key = part.split('"').next().expect("key");
                assert!(key.is_empty() || known.contains_key(key), "{key} does not exist");
            }
        }
    }

    /// Every code that a room gives has both of its sentences.
    #[test]
    fn every_code_of_a_problem_is_translated() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut code = String::new();
        for room in ["model", "call", "contacts", "core"] {
            sources(&crates.join(room).join("src"), &mut code);
        }
        let known = keys(GERMAN_PROBLEMS);
        for key in known.keys().filter(|key| !key.ends_with("-remedy")) {
            assert!(known.contains_key(&format!("{key}-remedy")), "{key} has no remedy");
            let code_of = key.trim_start_matches("problem-");
            assert!(code.contains(&format!("\"{code_of}\"")), "{code_of} is no code");
        }
        for part in code.split(".coded(\"").skip(1) {
            let one = part.split('"').next().expect("code");
            assert!(known.contains_key(&key(one)), "{one} is not translated");
        }
    }

    #[test]
    fn who_is_not_heard_is_told_in_german_too() {
        let german = Texts::new(Some("de"));
        for leg in offhook_model::SilentLeg::ALL {
            let problem = leg.problem();
            assert_ne!(german.cause(&problem), problem.cause, "{leg:?}");
            assert_ne!(german.remedy(&problem), problem.remedy, "{leg:?}");
        }
    }

    fn key(code: &str) -> String {
        format!("problem-{code}")
    }

    #[test]
    fn problems_are_said_in_the_language_of_the_window() {
        let at = Endpoint {
            service: Service::Sip,
            host: "voice.example.com".into(),
            port: 5061,
            link: Link::Tls,
        };
        let problem = Fault::PortRefused.problem(&at);
        assert_eq!(Texts::new(None).cause(&problem), problem.cause);
        let german = Texts::new(Some("de"));
        assert!(german.cause(&problem).starts_with("voice.example.com läuft"));
        assert!(german.remedy(&problem).contains("5061"));
        let unknown = Problem { coded: None, ..problem.clone() };
        assert_eq!(german.cause(&unknown), problem.cause);
    }

    #[test]
    fn a_language_tag_finds_its_language() {
        assert_eq!(Texts::new(Some("de_AT.UTF-8")).get("end"), "Auflegen");
        assert_eq!(Texts::new(Some("fr")).get("end"), "End");
        assert_eq!(Texts::new(None).count("badge-unread", 1), "1 unread message");
    }
}
