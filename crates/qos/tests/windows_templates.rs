//! The template for Group Policy holds together, and says the same as the rest of the project.

use std::collections::{BTreeMap, BTreeSet};

use offhook_ports::PortRange;
use offhook_qos::{Dscp, PortSplit};
use quick_xml::Reader;
use quick_xml::events::Event;

const RULES: &str = include_str!("../../../config/policy-definitions/offhook-qos.admx");
const WORDS: &str = include_str!("../../../config/policy-definitions/en-US/offhook-qos.adml");
const SCRIPT: &str = include_str!("../../../config/windows-qos.ps1");

/// An element: its name, its attributes, and the text right behind its beginning.
type Element = (String, BTreeMap<String, String>, String);

/// Every element of a document that is well-formed to its end.
fn elements(document: &str) -> Vec<Element> {
    let mut reader = Reader::from_str(document);
    let (mut found, mut open) = (Vec::<Element>::new(), 0);
    loop {
        let event = reader.read_event().expect("well-formed");
        open +=
            i32::from(matches!(event, Event::Start(_))) - i32::from(matches!(event, Event::End(_)));
        match event {
            Event::Start(tag) | Event::Empty(tag) => {
                let attributes = tag.attributes().map(|attribute| {
                    let attribute = attribute.expect("an attribute, each once");
                    (attribute.key.as_ref().to_owned(), attribute.value.clone().into_owned())
                });
                let name = tag.name().as_ref().to_owned();
                found.push((name, attributes.collect(), String::new()));
            }
            Event::Text(text) => {
                if let Some((.., last)) = found.last_mut() {
                    last.push_str(text.trim());
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(open, 0, "every element ends");
    found
}

fn ids(all: &[Element], name: &str, attribute: &str) -> BTreeSet<String> {
    let of = all.iter().filter(|(it, ..)| it == name);
    of.filter_map(|(_, attributes, _)| attributes.get(attribute).cloned()).collect()
}

#[test]
fn every_word_that_the_rules_name_is_there() {
    let (rules, words) = (elements(RULES), elements(WORDS));
    for (kind, defined) in [
        ("string", ids(&words, "string", "id")),
        ("presentation", ids(&words, "presentation", "id")),
    ] {
        let begin = format!("$({kind}.");
        let named: BTreeSet<String> = rules
            .iter()
            .flat_map(|(_, attributes, _)| attributes.values())
            .filter_map(|value| Some(value.strip_prefix(&begin)?.strip_suffix(')')?.to_owned()))
            .collect();
        assert_eq!(named, defined, "{kind}");
    }
    assert_eq!(ids(&rules, "text", "id"), ids(&words, "textBox", "refId"));
    assert_eq!(ids(&rules, "policy", "name"), ids(&words, "presentation", "id"));
    let categories = ids(&rules, "category", "name");
    assert!(ids(&rules, "parentCategory", "ref").is_subset(&categories));
    let keys = ids(&rules, "policy", "key");
    assert_eq!(keys.len(), ids(&rules, "policy", "name").len(), "a key each");
    assert!(ids(&rules, "item", "key").is_subset(&keys));
}

#[test]
fn ports_and_code_points_are_those_of_the_script_and_of_the_program() {
    let split = PortSplit::new(PortRange { start: 16_384, end: 32_766 }).expect("the usual range");
    let range = |range: PortRange| format!("{}:{}", range.start, range.end);
    let expected = [
        ("Audio", range(split.audio), Dscp::AUDIO),
        ("Video", range(split.video), Dscp::VIDEO),
        ("Signalling", "5060:5061".to_owned(), Dscp::SIGNALLING),
        ("SignallingUdp", "5060".to_owned(), Dscp::SIGNALLING),
    ];
    let words = elements(WORDS);
    let mut policy = String::new();
    let mut defaults = BTreeMap::<String, Vec<String>>::new();
    for (name, attributes, text) in words {
        match name.as_str() {
            "presentation" => policy = attributes["id"].clone(),
            "defaultValue" => defaults.entry(policy.clone()).or_default().push(text),
            _ => {}
        }
    }
    for (policy, ports, Dscp(mark)) in expected {
        assert_eq!(
            defaults[policy],
            ["offhook.exe".to_owned(), ports, mark.to_string()],
            "{policy}"
        );
        assert!(SCRIPT.contains(&format!("DSCPAction = {mark}")), "{policy}");
    }
    assert!(SCRIPT.contains("$Start = 16384") && SCRIPT.contains("$Stop = 32766"));
}
