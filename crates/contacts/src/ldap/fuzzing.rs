//! Entry for fuzzers: anything typed, as part of a filter, read again by code that knows nothing of
//! how it was made.

use std::sync::LazyLock;

use offhook_config::Layers;

use super::masks;
use super::{Given, LdapPlan, Wish, escaped, referral};

/// Makes every wish of `data`, and checks that what was typed is in no filter as anything but a
/// value; reads it as a referral and as masks besides.
pub fn filter(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    assert_eq!(unescaped(&escaped(data)), data, "a value comes back as it was");
    let _ = referral::read(&text);
    for form in masks::forms("+14085550100", &masks::read(&text)) {
        assert!(form.len() <= 64 + text.len());
    }
    static PLAN: LazyLock<Option<LdapPlan>> =
        LazyLock::new(|| LdapPlan::read(&Layers::default(), &Given::default()));
    let Some(plan) = &*PLAN else { return };
    let wishes: [fn(String) -> Wish; 6] =
        [Wish::Typed, Wish::Number, Wish::Mail, Wish::Uri, Wish::Account, Wish::Groups];
    for wish in wishes {
        if let Some(filter) = plan.filter(&wish(text.clone())) {
            let mut rest = filter.as_bytes();
            check(&mut rest, 8);
            assert!(rest.is_empty(), "{filter:?}");
        }
    }
}

/// Steps over one filter. Inside a value there is nothing of the grammar.
fn check(rest: &mut &[u8], depth: usize) {
    assert!(depth > 0, "deeper than any filter of ours");
    assert_eq!(take(rest), Some(b'('));
    match rest.first() {
        Some(b'&' | b'|') => {
            take(rest);
            while rest.first() == Some(&b'(') {
                check(rest, depth - 1);
            }
        }
        _ => {
            let item: Vec<u8> =
                rest.iter().copied().take_while(|byte| !b"()".contains(byte)).collect();
            *rest = &rest[item.len()..];
            let at = item.iter().position(|byte| *byte == b'=').unwrap_or_else(|| panic!("no ="));
            let (name, value) = item.split_at(at);
            let good = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.;".contains(byte);
            assert!(!name.is_empty() && name.iter().all(good));
            let stars = value.iter().filter(|byte| **byte == b'*').count();
            assert!(stars == 0 || (stars == 1 && value.last() == Some(&b'*')));
            assert!(!value.contains(&0));
            unescaped(&String::from_utf8_lossy(value));
        }
    }
    assert_eq!(take(rest), Some(b')'));
}

fn take(rest: &mut &[u8]) -> Option<u8> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    Some(*first)
}

/// Takes the escapes away again; a backslash without two digits is no escape.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = vec![];
    let mut rest = text.as_bytes();
    while let Some(byte) = take(&mut rest) {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || {
            let digit = take(&mut rest).and_then(|digit| char::from(digit).to_digit(16));
            digit.unwrap_or_else(|| panic!("a backslash that escapes nothing"))
        };
        bytes.push((digit() << 4 | digit()) as u8);
    }
    bytes
}
