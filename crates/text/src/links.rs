//! Links in plain text.

use std::borrow::Cow;
use std::ops::Range;

use crate::host::host_shown;

/// At most this many links of one text are found.
const MOST: usize = 100;
/// What a link may begin with, in lower case.
const SCHEMES: [&str; 6] = ["https://", "http://", "mailto:", "xmpp:", "tel:", "www."];
/// Longest link, in bytes.
const LONGEST: usize = 2_048;

/// A link in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// Where it leads.
    pub target: String,
}

/// The links of a text, in order.
pub fn find_links(text: &str) -> Vec<Link> {
    let mut found = Vec::new();
    let mut from = 0;
    // Every link has a colon or begins with "www.": nothing else is looked at.
    while let Some(start) = next_scheme(text, from) {
        let before = text.get(..start).and_then(|before| before.chars().next_back());
        if before.is_some_and(char::is_alphanumeric) {
            from = start + 1;
            continue;
        }
        let word = word(text.get(start..).unwrap_or_default());
        from = start + word.len().max(1);
        if word.len() > LONGEST {
            continue;
        }
        if let Some(target) = checked(word) {
            found.push(Link { range: start..start + word.len(), target });
            if found.len() >= MOST {
                break;
            }
        }
    }
    found
}

/// The first place from `from` on where one of the schemes begins, in upper or lower case.
fn next_scheme(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    (from..bytes.len()).find(|&at| {
        let rest = bytes.get(at..).unwrap_or_default();
        matches!(
            rest.first(),
            Some(b'h' | b'H' | b'm' | b'M' | b'x' | b'X' | b't' | b'T' | b'w' | b'W')
        ) && SCHEMES.iter().any(|scheme| {
            rest.get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()))
        })
    })
}

/// The address at the beginning of `tail`, without what belongs to the sentence around it.
fn word(tail: &str) -> &str {
    let outside = |c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '`' | '\u{fffd}')
    };
    let tail = tail.get(..tail.floor_char_boundary(LONGEST + 1)).unwrap_or_default();
    let end = tail.find(outside).unwrap_or(tail.len());
    let mut word = tail.get(..end).unwrap_or_default();
    let mut open = [('(', 0_i32), ('[', 0), ('{', 0)];
    for c in word.chars() {
        for ((opening, count), closing) in open.iter_mut().zip([')', ']', '}']) {
            *count += i32::from(c == *opening) - i32::from(c == closing);
        }
    }
    while let Some(last) = word.chars().next_back() {
        let belongs = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '’' | '”' | '“' | '»' | '«' | '…' | '*'
            | '_' | '~' | '|' => false,
            // A closing bracket belongs to the address if its opening one does.
            ')' | ']' | '}' => {
                let place = [')', ']', '}'].iter().position(|one| *one == last).unwrap_or(0);
                match open.get_mut(place) {
                    Some((_, count)) if *count < 0 => {
                        *count += 1;
                        false
                    }
                    Some(_) | None => true,
                }
            }
            _ => true,
        };
        if belongs {
            break;
        }
        word = word.get(..word.len() - last.len_utf8()).unwrap_or_default();
    }
    word
}

/// The target of an address, if it may be followed at all: one of the five schemes with something
/// sensible behind it.
pub fn checked(address: &str) -> Option<String> {
    if address.len() > LONGEST || address.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return None;
    }
    let lower = address.get(..address.floor_char_boundary(8))?.to_ascii_lowercase();
    if lower.starts_with("www.") {
        let host = host(address);
        let dots = host.matches('.').count();
        return (dots >= 2 && well_formed(host)).then(|| format!("https://{address}"));
    }
    if let Some(scheme) = ["https://", "http://"].into_iter().find(|one| lower.starts_with(one)) {
        let rest = address.get(scheme.len()..)?;
        return well_formed(host(rest)).then(|| format!("{scheme}{rest}"));
    }
    let (scheme, rest) = address.split_once(':')?;
    let good = match scheme.to_ascii_lowercase().as_str() {
        "mailto" | "xmpp" => {
            let person = rest.split('?').next().unwrap_or_default();
            let host = person.rsplit('@').next().unwrap_or_default();
            let host = host.split('/').next().unwrap_or_default();
            person.contains('@') && !person.starts_with('@') && well_formed(host)
        }
        "tel" => {
            rest.chars().any(|c| c.is_ascii_digit())
                && rest.chars().all(|c| c.is_ascii_alphanumeric() || "+-.()*#;=".contains(c))
        }
        _ => false,
    };
    good.then(|| format!("{}:{rest}", scheme.to_ascii_lowercase()))
}

/// Host of what follows the scheme, without user and port.
fn host(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    if host.starts_with('[') {
        return host.split_inclusive(']').next().unwrap_or_default();
    }
    host.split(':').next().unwrap_or_default()
}

fn well_formed(host: &str) -> bool {
    let letters = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let v6 = host.starts_with('[') && host.ends_with(']') && host.len() > 4;
    v6 || (host.chars().any(char::is_alphanumeric)
        && host.len() <= 253
        && !host.starts_with(['.', '-'])
        && !host.contains("..")
        && host.chars().all(|c| letters(c) || crate::host::is_mark(c)))
}

/// A target as it is to be shown before it is followed: its host in ASCII where its letters could
/// be mistaken for others, and what looks like a host and is none (a user name before `@`) left
/// out.
pub fn link_shown(target: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = target.split_once("://") else {
        return Cow::Borrowed(target);
    };
    let host = host(rest);
    let authority_end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let authority = rest.get(..authority_end).unwrap_or_default();
    let shown = host_shown(host);
    if shown == host && !authority.contains('@') {
        return Cow::Borrowed(target);
    }
    let from = authority.rfind('@').map_or(0, |at| at + 1);
    let port = authority.get(from + host.len()..).unwrap_or_default();
    let tail = rest.get(authority_end..).unwrap_or_default();
    Cow::Owned(format!("{scheme}://{shown}{port}{tail}"))
}

/// A text that claims to be an address of another host than the one it leads to.
pub fn misleads(text: &str, target: &str) -> bool {
    let said = match checked(text.trim()) {
        Some(said) => said,
        // "bank.example" is as good as an address to a reader.
        None => match checked(&format!("https://{}", text.trim())) {
            Some(said) if text.contains('.') => said,
            Some(_) | None => return false,
        },
    };
    let behind = |address: &str| {
        let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
        host(rest).trim_start_matches("www.").to_lowercase()
    };
    behind(&said) != behind(target)
}

#[cfg(test)]
mod tests {
    use super::{checked, find_links, link_shown, misleads};

    #[track_caller]
    fn check(text: &str, wanted: &[&str]) {
        let found = find_links(text);
        let found: Vec<&str> = found.into_iter().map(|link| &text[link.range]).collect();
        assert_eq!(found, wanted, "{text}");
    }

    #[test]
    fn addresses_end_where_the_sentence_goes_on() {
        check("see https://example.com/a?b=c.", &["https://example.com/a?b=c"]);
        check("(http://x.example), https://y.example!", &["http://x.example", "https://y.example"]);
        check(
            "https://en.example/wiki/Ring_(mathematics)",
            &["https://en.example/wiki/Ring_(mathematics)"],
        );
        check(
            "(see https://en.example/Ring_(mathematics))",
            &["https://en.example/Ring_(mathematics)"],
        );
        check("ä https://ö.example/ü €", &["https://ö.example/ü"]);
        check("HTTPS://UPPER.example/X", &["HTTPS://UPPER.example/X"]);
        check("<https://a.example>", &["https://a.example"]);
    }

    #[test]
    fn every_scheme_that_can_be_followed_is_known() {
        check("www.example.org, please", &["www.example.org"]);
        check("mailto:mary@example.org?subject=x", &["mailto:mary@example.org?subject=x"]);
        check("xmpp:room@muc.example.org?join", &["xmpp:room@muc.example.org?join"]);
        check("call tel:+49-30-5550142;ext=3.", &["tel:+49-30-5550142;ext=3"]);
        assert_eq!(find_links("www.example.org")[0].target, "https://www.example.org");
    }

    #[test]
    fn nothing_else_is_a_link() {
        check("https:// http://. file:///etc/passwd javascript:alert(1) data:text/html,x", &[]);
        check("www. www.x xmpp: mailto:@ tel: hotel:5 mailto:nobody", &[]);
        check("shttp://x.example", &[]);
        assert_eq!(checked("javascript:alert(1)"), None);
        assert_eq!(checked("https://a b.example"), None);
    }

    #[test]
    fn a_target_is_shown_as_it_is() {
        assert_eq!(link_shown("https://example.com/a"), "https://example.com/a");
        assert_eq!(link_shown("https://bank.example@evil.example/x"), "https://evil.example/x");
        assert_eq!(link_shown("https://аррӏе.com/x"), "https://xn--80ak6aa92e.com/x");
        assert!(misleads("https://bank.example", "https://evil.example/"));
        assert!(misleads("bank.example", "https://evil.example/"));
        assert!(!misleads("bank.example", "https://www.bank.example/login"));
        assert!(!misleads("our page", "https://evil.example/"));
    }

    #[test]
    fn a_text_of_links_only_stays_bounded() {
        let many = "https://a.example ".repeat(10_000);
        assert_eq!(find_links(&many).len(), super::MOST);
        assert!(find_links(&"http://".repeat(9_000)).len() <= super::MOST);
    }
}
