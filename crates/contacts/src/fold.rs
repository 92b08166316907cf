//! Letters as a search compares them: small, without marks, in ASCII.
//!
//! Cyrillic, Greek and other scripts are written in Latin letters on both sides, so that either
//! spelling finds the other. Umlauts count as their bare letter and as it is written without
//! them: *Müller* is found by `muller` and by `mueller`.

use unicode_normalization::char::compose;

/// Longest text that is read of one field, in bytes.
pub(crate) const MAX_FIELD: usize = 512;

/// One word of a text: a run of letters and digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Its letters, folded: `a` to `z` and `0` to `9` alone.
    pub(crate) plain: String,
    /// The same with umlauts written out, where that differs.
    pub(crate) spelt: Option<String>,
    /// For each letter of `plain`, where its character begins in the text.
    starts: Vec<u32>,
    /// Where the word ends in the text.
    end: usize,
    /// No white space is between it and the word before it: `Brien` of `O'Brien`.
    pub(crate) glued: bool,
}

impl Word {
    /// Where the first `length` folded letters are in the text, as a byte range.
    ///
    /// A character that folds to several letters is in it as a whole.
    pub(crate) fn range(&self, length: usize) -> (usize, usize) {
        let begin = self.starts.first().map_or(self.end, |&at| at as usize);
        // A letter whose character has begun already ends where the next character begins.
        let last = length.checked_sub(1).and_then(|last| self.starts.get(last)).copied();
        let end = self.starts.iter().skip(length).find(|&&at| Some(at) != last);
        (begin, end.map_or(self.end, |&at| at as usize))
    }

    /// How many letters of `plain` the written-out prefix `typed` covers; `None` when the word
    /// does not begin with it in either spelling.
    pub(crate) fn begins_with(&self, typed: &str) -> Option<usize> {
        if self.plain.starts_with(typed) {
            return Some(typed.len());
        }
        let spelt = self.spelt.as_ref().filter(|spelt| spelt.starts_with(typed))?;
        // Each `e` that was written out is one letter more than the plain word has.
        let mut plain = self.plain.bytes().peekable();
        let mut covered = 0;
        for letter in spelt.bytes().take(typed.len()) {
            if plain.next_if_eq(&letter).is_some() {
                covered += 1;
            }
        }
        Some(covered)
    }

    /// Whether the word is `typed` and no more.
    pub(crate) fn is(&self, typed: &str) -> bool {
        self.plain == typed || self.spelt.as_deref() == Some(typed)
    }
}

/// The words of a text, at most `most` of them.
pub(crate) fn words(text: &str, most: usize) -> Vec<Word> {
    let text = &text[..text.floor_char_boundary(MAX_FIELD)];
    let mut found: Vec<Word> = vec![];
    let mut builder = Builder::default();
    let mut gap = true;
    let mut chars = text.char_indices().peekable();
    while let Some((at, mut c)) = chars.next() {
        // Most text: nothing to compose and to fold.
        let next_is_plain = chars.peek().is_none_or(|(_, next)| next.is_ascii());
        if c.is_ascii_alphanumeric() && next_is_plain {
            if builder.plain.is_empty() {
                builder.glued = !gap && !found.is_empty();
                gap = false;
            }
            builder.push(at, c.to_ascii_lowercase());
            continue;
        }
        // What was written as a letter and a mark counts like the letter that has it.
        while let Some(&(_, mark)) = chars.peek()
            && !mark.is_ascii()
            && let Some(whole) = compose(c, mark)
        {
            c = whole;
            chars.next();
        }
        let folded = if c.is_alphanumeric() { any_ascii::any_ascii_char(c) } else { "" };
        if folded.is_empty() && is_mark(c) && !builder.starts.is_empty() {
            continue;
        }
        let before = builder.plain.len();
        builder.take(at, c, folded);
        if builder.plain.len() == before {
            builder.finish(at, &mut found);
            gap |= c.is_whitespace();
        } else if before == 0 {
            builder.glued = !gap && !found.is_empty();
            gap = false;
        }
        if found.len() >= most {
            return found;
        }
    }
    builder.finish(text.len(), &mut found);
    found
}

/// Marks over and under letters that have no composed form.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

#[derive(Default)]
struct Builder {
    plain: String,
    /// From the first umlaut on.
    spelt: Option<String>,
    starts: Vec<u32>,
    glued: bool,
}

/// Letters that most words do not have more of.
const LETTERS: usize = 16;

impl Builder {
    fn push(&mut self, at: usize, letter: char) {
        if self.plain.is_empty() {
            self.plain.reserve(LETTERS);
            self.starts.reserve(LETTERS);
        }
        self.plain.push(letter);
        if let Some(spelt) = &mut self.spelt {
            spelt.push(letter);
        }
        self.starts.push(u32::try_from(at).unwrap_or(u32::MAX));
    }

    fn take(&mut self, at: usize, c: char, folded: &str) {
        for letter in folded.chars().filter(char::is_ascii_alphanumeric) {
            self.push(at, letter.to_ascii_lowercase());
        }
        let written_out = match c {
            'ä' | 'ö' | 'ü' | 'Ä' | 'Ö' | 'Ü' | 'ø' | 'Ø' => 'e',
            'å' | 'Å' => 'a',
            _ => return,
        };
        self.spelt.get_or_insert_with(|| self.plain.clone()).push(written_out);
    }

    fn finish(&mut self, end: usize, found: &mut Vec<Word>) {
        let Self { plain, spelt, starts, glued } = std::mem::take(self);
        if !plain.is_empty() {
            found.push(Word { plain, spelt, starts, end, glued });
        }
    }
}

/// All letters and digits of a text, folded, without what is between them.
pub(crate) fn squeezed(text: &str) -> String {
    words(text, usize::MAX).into_iter().map(|word| word.plain).collect()
}

#[cfg(test)]
mod tests {
    use super::{squeezed, words};

    fn plain(text: &str) -> Vec<String> {
        words(text, 99).into_iter().map(|word| word.plain).collect()
    }

    #[test]
    fn letters_are_small_and_without_marks() {
        for (text, folded) in [
            ("Zoë Ångström", "zoeangstrom"),
            ("STRAẞE", "strasse"),
            ("Straße", "strasse"),
            ("Ελένη", "eleni"),
            ("Дмитрий", "dmitriy"),
            ("Łukasz", "lukasz"),
            ("ﬁnn", "finn"),
            ("１２３", "123"),
        ] {
            assert_eq!(squeezed(text), folded, "{text}");
        }
    }

    #[test]
    fn composed_and_decomposed_are_the_same() {
        for (composed, decomposed) in [("Müller", "Mu\u{308}ller"), ("Андрей", "Андреи\u{306}")]
        {
            let (a, b) = (words(composed, 9), words(decomposed, 9));
            assert_eq!(a[0].plain, b[0].plain);
            assert_eq!(a[0].spelt, b[0].spelt);
        }
    }

    #[test]
    fn words_are_divided_where_letters_end() {
        assert_eq!(plain("O'Brien, Mary-Ann (ext)"), ["o", "brien", "mary", "ann", "ext"]);
        let glued: Vec<bool> = words("O'Brien Mary-Ann", 9).iter().map(|word| word.glued).collect();
        assert_eq!(glued, [false, true, false, true]);
        assert!(plain("☎ — …").is_empty());
    }

    #[test]
    fn ranges_are_of_the_text_as_written() {
        let text = "Jörg Weiß";
        let found = words(text, 9);
        let cut = |at: usize, length| {
            let (from, to) = found[at].range(length);
            &text[from..to]
        };
        assert_eq!(cut(0, 2), "Jö");
        assert_eq!(cut(1, 3), "Wei");
        assert_eq!(cut(1, 4), "Weiß");
        assert_eq!(found[0].begins_with("joer"), Some(3));
        assert_eq!(found[0].begins_with("jor"), Some(3));
        assert_eq!(found[0].begins_with("joe"), Some(2));
        assert_eq!(found[0].begins_with("jer"), None);
    }
}
