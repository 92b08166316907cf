//! Host names whose letters could be mistaken for others.

/// A host as it is to be shown: with its letters when nobody could mistake them, else in ASCII as
/// the name system has it (`xn--`, RFC 3492). The rule is that of browsers (Unicode TS 39,
/// "highly restrictive"): one script a label, Japanese and Korean with their own sets; and a
/// label made only of letters that look Latin is not shown either.
pub fn host_shown(host: &str) -> String {
    host.split('.').map(label_shown).collect::<Vec<_>>().join(".")
}

fn label_shown(label: &str) -> String {
    if label.is_ascii() || !mistakable(label) {
        return label.to_owned();
    }
    let lower: String = label.chars().flat_map(char::to_lowercase).collect();
    punycode(&lower).map_or_else(|| "?".to_owned(), |text| format!("xn--{text}"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Common,
    Latin,
    Greek,
    Cyrillic,
    Han,
    Kana,
    Hangul,
    Bopomofo,
    /// Any other: the number is the block of 128 characters it stands in, a good stand-in for
    /// scripts that are hardly mixed.
    Other(u32),
}

fn script(c: char) -> Script {
    let code = c as u32;
    match code {
        0x30..=0x39 | 0x2d | 0x5f => Script::Common,
        0x41..=0x5a
        | 0x61..=0x7a
        | 0xaa
        | 0xba
        | 0xc0..=0xd6
        | 0xd8..=0xf6
        | 0xf8..=0x24f
        | 0x1e00..=0x1eff => Script::Latin,
        0x300..=0x36f => Script::Common,
        0x370..=0x3ff | 0x1f00..=0x1fff => Script::Greek,
        0x400..=0x52f | 0x1c80..=0x1c8f | 0x2de0..=0x2dff | 0xa640..=0xa69f => Script::Cyrillic,
        0x3040..=0x30ff | 0x31f0..=0x31ff => Script::Kana,
        0x3100..=0x312f => Script::Bopomofo,
        0x3005..=0x3007
        | 0x3400..=0x4dbf
        | 0x4e00..=0x9fff
        | 0xf900..=0xfaff
        | 0x20000..=0x323af => Script::Han,
        0x1100..=0x11ff | 0x3130..=0x318f | 0xac00..=0xd7af => Script::Hangul,
        _ => Script::Other(code / 128),
    }
}

fn mistakable(label: &str) -> bool {
    let mut scripts: Vec<Script> = Vec::new();
    for c in label.chars().take(256) {
        let script = script(c);
        if script != Script::Common && !scripts.contains(&script) {
            scripts.push(script);
        }
        if is_sign(c) || scripts.len() > 4 {
            return true;
        }
    }
    let only = |set: &[Script]| scripts.iter().all(|one| set.contains(one));
    let sets: [&[Script]; 3] = [
        &[Script::Latin, Script::Han, Script::Kana],
        &[Script::Latin, Script::Han, Script::Hangul],
        &[Script::Latin, Script::Han, Script::Bopomofo],
    ];
    if scripts.len() > 1 {
        return !sets.into_iter().any(only);
    }
    let foreign = scripts.contains(&Script::Cyrillic) || scripts.contains(&Script::Greek);
    foreign && label.chars().all(|c| script(c) == Script::Common || looks_latin(c))
}

/// Not a letter: a slash, dot or hyphen of another script, or an invisible character.
fn is_sign(c: char) -> bool {
    !c.is_alphanumeric() && !is_mark(c) && !matches!(c, '-' | '_')
}

/// Marks that letters of many scripts need.
pub fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}'
        | '\u{900}'..='\u{d7f}' | '\u{e31}'..='\u{e4e}' | '\u{3099}' | '\u{309a}')
}

/// Letters of Greek and Cyrillic that a reader takes for Latin ones.
fn looks_latin(c: char) -> bool {
    "асԁеһіјӏорԛѕԝхуѵкмтвнгп\u{3bf}αινρυχγκτ".contains(c)
}

/// RFC 3492 section 6.3. `None` when a number does not fit.
fn punycode(label: &str) -> Option<String> {
    let chars: Vec<u32> = label.chars().take(64).map(u32::from).collect();
    let mut out: String = label.chars().take(64).filter(char::is_ascii).collect();
    let basic = u32::try_from(out.len()).ok()?;
    if basic > 0 {
        out.push('-');
    }
    let (mut n, mut delta, mut bias, mut done) = (128_u32, 0_u32, 72_u32, basic);
    while (done as usize) < chars.len() {
        let next = chars.iter().copied().filter(|c| *c >= n).min()?;
        delta = delta.checked_add((next - n).checked_mul(done + 1)?)?;
        n = next;
        for &c in &chars {
            if c < n {
                delta = delta.checked_add(1)?;
            } else if c == n {
                digits(delta, bias, &mut out);
                bias = adapted(delta, done + 1, done == basic);
                delta = 0;
                done += 1;
            }
        }
        delta = delta.checked_add(1)?;
        n += 1;
    }
    Some(out)
}

fn digits(delta: u32, bias: u32, out: &mut String) {
    let digit = |value: u32| {
        let byte = if value < 26 { b'a' as u32 + value } else { b'0' as u32 + value - 26 };
        char::from_u32(byte).unwrap_or('?')
    };
    let (mut left, mut k) = (delta, 36);
    loop {
        let threshold = k_threshold(k, bias);
        if left < threshold {
            break;
        }
        out.push(digit(threshold + (left - threshold) % (36 - threshold)));
        left = (left - threshold) / (36 - threshold);
        k += 36;
    }
    out.push(digit(left));
}

fn k_threshold(k: u32, bias: u32) -> u32 {
    k.saturating_sub(bias).clamp(1, 26)
}

fn adapted(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::{host_shown, punycode};

    #[test]
    fn the_samples_of_rfc_3492() {
        for (text, wanted) in [
            ("ليهمابتكلموشعربي؟", "egbpdaj6bu4bxfgehfvwxn"),
            ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
            ("pročprostěnemluvíčesky", "proprostnemluvesky-uyb24dma41a"),
            ("почемужеонинеговорятпорусски", "b1abfaaepdrnnbgefbadotcwatmq2g4l"),
            ("bücher", "bcher-kva"),
        ] {
            assert_eq!(punycode(text).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn honest_names_are_shown_with_their_letters() {
        for host in [
            "example.com",
            "bücher.example",
            "пример.example",
            "παράδειγμα.example",
            "例え.example",
            "日本語東京.jp",
            "한국.example",
            "straße.example",
        ] {
            assert_eq!(host_shown(host), host);
        }
    }

    #[test]
    fn names_that_pretend_are_shown_in_ascii() {
        for (host, wanted) in [
            ("pаypal.example", "xn--pypal-4ve.example"),
            ("аррӏе.com", "xn--80ak6aa92e.com"),
            ("exa\u{2044}mple.com", "xn--example-7j2d.com"),
        ] {
            let shown = host_shown(host);
            assert!(shown.is_ascii(), "{host} shows as {shown}");
            if !host.contains('\u{2044}') {
                assert_eq!(shown, wanted);
            }
        }
    }
}
