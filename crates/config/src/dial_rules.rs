//! Application dial rules and directory lookup rules: the files `AppDialRules.xml` and
//! `DirLookupDialRules.xml` of the file server's folder `CUPC` (reference device-config.md 3.4).
//!
//! Both have the same form, `<DialRules><DialRule BeginsWith NumDigits DigitsToRemove PrefixWith/>…`,
//! as the vendor's guides for phones print it. Lengths count every character, a leading `+` too: the
//! guides' `+1` with 12 and one to remove turns `+14085550142` into a national number. Which of two
//! rules counts is the order of the file, in which the administrator's priorities are written.

use crate::xml::{Element, XmlError, parse};

/// One rule. `begins` and `prefix` hold digits, `*`, `#` and `+` alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialRule {
    /// It is for numbers that begin so; empty: for all.
    pub begins: String,
    /// It is for numbers of this length, 1 to 64; `None`: of any.
    pub digits: Option<u8>,
    /// So many characters are taken from the front.
    pub strip: u8,
    /// Then this is put before it.
    pub prefix: String,
}

/// Rules of one file beyond this number are not read.
const MAX_RULES: usize = 1000;
/// Longest number that a rule may speak of.
const MAX_DIGITS: usize = 64;

/// Reads a file of rules, in their order. A rule that speaks of nothing, or takes away more than
/// there is, is left out.
///
/// # Errors
/// Broken XML, or another document.
pub fn read_dial_rules(data: &[u8]) -> Result<Vec<DialRule>, XmlError> {
    let root = parse(data)?.root;
    let list = root.find("DialRules").ok_or(XmlError::Missing("it is no list of dial rules"))?;
    Ok(list.children_named("DialRule").filter_map(rule).take(MAX_RULES).collect())
}

fn rule(element: &Element) -> Option<DialRule> {
    let digits = number(element, "NumDigits")?;
    let rule = DialRule {
        begins: pattern(element, "BeginsWith")?,
        digits: (digits > 0).then_some(digits),
        strip: number(element, "DigitsToRemove")?,
        prefix: pattern(element, "PrefixWith")?,
    };
    let takes_too_much = rule.digits.is_some_and(|digits| rule.strip > digits);
    let of_nothing = rule.begins.is_empty() && rule.digits.is_none();
    (!takes_too_much && !of_nothing).then_some(rule)
}

/// An attribute, or a child of the same name: both forms are cheap to take.
fn field<'a>(element: &'a Element, name: &str) -> &'a str {
    let attribute = element.attribute(name);
    attribute.or_else(|| element.text_at(&[name])).unwrap_or_default()
}

/// A count, nothing being none; `None` when it is something else.
fn number(element: &Element, name: &str) -> Option<u8> {
    match field(element, name) {
        "" => Some(0),
        text => text.parse().ok().filter(|number| usize::from(*number) <= MAX_DIGITS),
    }
}

/// Digits without what people put between them; `None` when there is something else.
fn pattern(element: &Element, name: &str) -> Option<String> {
    let text = field(element, name).chars().filter(|c| !" ()-./".contains(*c));
    let text: String = text.take(MAX_DIGITS + 1).collect();
    let good = text.len() <= MAX_DIGITS && text.chars().all(|c| "0123456789+*#".contains(c));
    good.then_some(text)
}
