//! Nicknames that look like those of others in the room: rooms keep nicknames apart by their
//! characters, people by their shapes. Who came with the shape of another one's name is shown with a
//! word about it.
//!
//! The table holds the letters of other alphabets that common typefaces draw like Latin ones (a
//! selection of the data of Unicode TS 39 section 4), and Latin ones that are drawn alike.

use std::collections::BTreeMap;

use super::occupants::{Crowd, Person};

/// Letters in the order of the Latin ones they look like.
const ALIKE: &[(&str, char)] = &[
    ("\u{430}\u{3b1}\u{251}", 'a'),
    ("\u{184}\u{42c}", 'b'),
    ("\u{441}\u{3f2}\u{2ca}", 'c'),
    ("\u{501}", 'd'),
    ("\u{435}\u{4bd}", 'e'),
    ("\u{261}", 'g'),
    ("\u{4bb}", 'h'),
    ("\u{456}\u{3b9}\u{131}\u{269}", 'i'),
    ("\u{458}\u{3f3}", 'j'),
    ("\u{43a}\u{3ba}", 'k'),
    ("\u{406}\u{399}\u{4c0}\u{4cf}", 'l'),
    ("\u{578}", 'n'),
    ("\u{43e}\u{3bf}\u{585}\u{3c3}", 'o'),
    ("\u{41e}\u{39f}", 'O'),
    ("\u{440}\u{3c1}", 'p'),
    ("\u{51b}", 'q'),
    ("\u{455}", 's'),
    ("\u{57d}\u{3c5}", 'u'),
    ("\u{3bd}\u{475}", 'v'),
    ("\u{461}\u{51d}", 'w'),
    ("\u{445}\u{3c7}", 'x'),
    ("\u{443}\u{3b3}", 'y'),
    ("\u{410}\u{391}", 'A'),
    ("\u{412}\u{392}", 'B'),
    ("\u{421}\u{3f9}", 'C'),
    ("\u{415}\u{395}", 'E'),
    ("\u{41d}\u{397}", 'H'),
    ("\u{408}", 'J'),
    ("\u{41a}\u{39a}", 'K'),
    ("\u{41c}\u{39c}", 'M'),
    ("\u{39d}", 'N'),
    ("\u{420}\u{3a1}", 'P'),
    ("\u{405}", 'S'),
    ("\u{422}\u{3a4}", 'T'),
    ("\u{425}\u{3a7}", 'X'),
    ("\u{423}\u{3a5}", 'Y'),
    ("\u{396}", 'Z'),
];

/// The shape of a name: what looks the same has the same. Invisible characters have none.
fn shape(name: &str) -> String {
    let visible = name.chars().filter(|c| !is_invisible(*c) && !c.is_whitespace());
    visible
        .map(|c| match c {
            'I' | '1' | '|' => 'l',
            '0' => 'O',
            c if c.is_ascii() => c,
            c => ALIKE.iter().find(|(of, _)| of.contains(c)).map_or(c, |(_, latin)| *latin),
        })
        .collect::<String>()
        .replace("rn", "m")
}

fn is_invisible(c: char) -> bool {
    let marks = matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{feff}');
    marks
        || c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
}

/// Of each nickname that looks like another one in the room, that other one: the name of whoever was
/// there first, or of two that came together the one that is written as it looks.
pub(super) fn lookalikes(crowd: &Crowd) -> BTreeMap<String, String> {
    let mut shapes: BTreeMap<String, Vec<(&String, &Person)>> = BTreeMap::new();
    for (nick, person) in crowd.iter() {
        shapes.entry(shape(nick)).or_default().push((nick, person));
    }
    let mut found = BTreeMap::new();
    for (shape, mut alike) in shapes.into_iter().filter(|(_, alike)| alike.len() > 1) {
        // Those who were there before us came one after the other, in no order.
        alike.sort_by_key(|(nick, person)| (person.since.0 / 1_000, **nick != shape));
        if let Some(((first, _), others)) = alike.split_first() {
            found.extend(others.iter().map(|(nick, _)| ((*nick).clone(), (*first).clone())));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::shape;

    #[test]
    fn what_looks_the_same_has_one_shape() {
        for (one, other) in [
            ("bob", "b\u{43e}b"),
            ("alice", "\u{430}lice"),
            ("alice", "aI\u{456}ce"),
            ("bob", "bo\u{200b}b"),
            ("bob", "\u{202e}bob"),
            ("marnie", "mamie"),
            ("O'Neil", "0'NeiI"),
        ] {
            assert_eq!(shape(one), shape(other), "{one} {other}");
        }
        for (one, other) in [("bob", "rob"), ("анна", "инна"), ("bob", "bobb"), ("李", "季")]
        {
            assert_ne!(shape(one), shape(other), "{one} {other}");
        }
    }
}
