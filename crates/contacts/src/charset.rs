//! Files of other programs as text.

use std::borrow::Cow;

/// What bytes 0x80 to 0x9f are in Windows-1252; all others are as in Latin-1. Five mean nothing.
const HIGH: [char; 32] = [
    '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž',
    '\u{fffd}', '\u{fffd}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}',
    'ž', 'Ÿ',
];

/// UTF-8 with or without a mark, UTF-16 with one, else Windows-1252: a file that does not say it
/// may hold bytes of any character set, and that is the one they mostly are in.
pub(crate) fn text(data: &[u8]) -> Cow<'_, str> {
    if let Some(text) = offhook_config::utf_16(data) {
        return Cow::Owned(text);
    }
    let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    match std::str::from_utf8(data) {
        Ok(text) => Cow::Borrowed(text),
        // The end was cut off within a character, and there were such characters before it.
        Err(error) if error.error_len().is_none() && !data[..error.valid_up_to()].is_ascii() => {
            String::from_utf8_lossy(&data[..error.valid_up_to()])
        }
        Err(_) => Cow::Owned(data.iter().map(|byte| of_windows(*byte)).collect()),
    }
}

fn of_windows(byte: u8) -> char {
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn each_character_set_is_told() {
        assert_eq!(text(b"\xef\xbb\xbfZo\xc3\xab"), "Zoë");
        assert_eq!(text(b"Zo\xc3\xab"), "Zoë");
        assert_eq!(text(b"Zo\xc3\xab\xc3"), "Zoë", "cut off");
        assert_eq!(text(b"\xff\xfeZ\0\xeb\0"), "Zë");
        assert_eq!(text(b"\xfe\xff\0Z\0\xeb"), "Zë");
        assert_eq!(text(b"\x80 Zo\xeb \x96 \x93x\x94\x81"), "€ Zoë – “x”\u{fffd}");
        assert_eq!(text(b"Zo\xeb"), "Zoë", "this could be the beginning of a character as well");
        assert_eq!(text(b""), "");
    }
}
