//! Filters (RFC 4515) from what was typed. Whatever came from outside goes through [`value`].

/// Words of a search that count.
const WORDS: usize = 8;
/// Characters of a search that count.
const TYPED: usize = 128;

/// A value as it may stand in a filter: `*`, brackets, the backslash and NUL as the standard has
/// it, controls and what is not UTF-8 likewise.
pub fn value(bytes: &[u8]) -> String {
    let mut escaped = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if matches!(c, '*' | '(' | ')' | '\\') || c.is_ascii_control() {
                hex(c as u8, &mut escaped);
            } else {
                escaped.push(c);
            }
        }
        chunk.invalid().iter().for_each(|byte| hex(*byte, &mut escaped));
    }
    escaped
}

fn hex(byte: u8, to: &mut String) {
    to.push('\\');
    to.extend([byte >> 4, byte & 0xf].into_iter().filter_map(|it| char::from_digit(it.into(), 16)));
}

/// All of these.
pub(super) fn all(parts: Vec<String>) -> String {
    joined('&', parts)
}

/// Any of these; of none nothing is true.
pub(super) fn any(parts: Vec<String>) -> String {
    joined('|', parts)
}

fn joined(operator: char, mut parts: Vec<String>) -> String {
    let mut seen = std::collections::HashSet::new();
    parts.retain(|part| !part.is_empty() && seen.insert(part.clone()));
    match parts.len() {
        1 => parts.swap_remove(0),
        _ => format!("({operator}{})", parts.concat()),
    }
}

/// The attribute has exactly this value.
pub(super) fn equal(attribute: &str, text: &str) -> String {
    format!("({attribute}={})", value(text.as_bytes()))
}

/// The attribute begins with this, or has it anywhere.
fn prefix(attribute: &str, text: &str, anywhere: bool) -> String {
    let star = if anywhere { "*" } else { "" };
    format!("({attribute}={star}{}*)", value(text.as_bytes()))
}

/// How it is searched while somebody types.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Predictive {
    /// The server decides what a name is (ambiguous name resolution of Active Directory).
    pub anr: bool,
    /// Attributes that begin with what was typed.
    pub attributes: Vec<String>,
    /// A star stands in front as well (`UseWildcards`).
    pub wildcards: bool,
}

impl Predictive {
    /// The filter of what was typed. Every word must be found in one of the attributes.
    pub(super) fn filter(&self, typed: &str) -> String {
        let typed: String = typed.trim().chars().take(TYPED).collect();
        let words: Vec<&str> = typed.split_whitespace().take(WORDS).collect();
        let whole = words.join(" ");
        let each = words.iter().map(|word| {
            any(self.attributes.iter().map(|it| prefix(it, word, self.wildcards)).collect())
        });
        let mut ways = vec![];
        if self.anr {
            // It takes first and last name apart itself.
            ways.push(equal("anr", &whole));
        }
        if !self.attributes.is_empty() {
            ways.push(all(each.collect()));
        }
        // "Smith, Alice" and "van der Berg" are one value.
        if words.len() > 1 {
            ways.extend(self.attributes.iter().map(|it| prefix(it, &whole, self.wildcards)));
        }
        any(ways)
    }
}

#[cfg(test)]
mod tests {
    use super::{Predictive, all, any, value};

    #[test]
    fn nothing_typed_is_part_of_the_grammar() {
        assert_eq!(value(b"a*b(c)d\\e\0f"), "a\\2ab\\28c\\29d\\5ce\\00f");
        assert_eq!(value("Zoë 美咲".as_bytes()), "Zoë 美咲");
        assert_eq!(value(b"\xff\xfex"), "\\ff\\fex");
        assert_eq!(value(b"a=b&c|d!<>~:"), "a=b&c|d!<>~:");
    }

    #[test]
    fn words_and_attributes() {
        let by = |attributes: &[&str], wildcards| Predictive {
            anr: false,
            attributes: attributes.iter().map(|it| (*it).to_owned()).collect(),
            wildcards,
        };
        assert_eq!(by(&["uid"], false).filter(" ali "), "(uid=ali*)");
        assert_eq!(by(&["uid"], true).filter("ali"), "(uid=*ali*)");
        assert_eq!(by(&["cn", "sn"], false).filter("a*"), "(|(cn=a\\2a*)(sn=a\\2a*))");
        assert_eq!(
            by(&["cn", "sn"], false).filter("jo smi"),
            "(|(&(|(cn=jo*)(sn=jo*))(|(cn=smi*)(sn=smi*)))(cn=jo smi*)(sn=jo smi*))"
        );
        let anr = Predictive { anr: true, ..Predictive::default() };
        assert_eq!(anr.filter("jo  smi"), "(anr=jo smi)");
        let both = Predictive { anr: true, ..by(&["uid"], false) };
        assert_eq!(both.filter("x"), "(|(anr=x)(uid=x*))");
    }

    #[test]
    fn joining() {
        assert_eq!(any(vec!["(a=1)".into(), "(a=1)".into()]), "(a=1)");
        assert_eq!(all(vec!["(a=1)".into(), String::new(), "(b=2)".into()]), "(&(a=1)(b=2))");
        assert_eq!(any(vec![]), "(|)");
    }
}
