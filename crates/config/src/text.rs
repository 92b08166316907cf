//! What the readers of settings have in common: bounds, lines, and what is never kept.

use std::borrow::Cow;

use offhook_model::Setting;

/// Settings of one source beyond this number are not read.
pub(crate) const MAX_SETTINGS: usize = 1_000;
/// Longest name, in bytes.
pub(crate) const MAX_NAME: usize = 128;
/// Longest value, in bytes.
pub(crate) const MAX_VALUE: usize = 8_192;

/// The setting as it may be kept: without a password in it, and with nothing that would spoil a
/// line of a report.
pub(crate) fn setting(key: &str, section: Option<&str>, value: &str, line: u32) -> Setting {
    let value = if is_password(key) { Cow::Borrowed("") } else { without_user(value.trim()) };
    Setting {
        key: key.to_owned(),
        section: section.map(str::to_owned),
        value: value.chars().filter(|c| !c.is_control()).collect(),
        line: Some(line),
    }
}

/// By its name, so that a misspelt one is not kept either.
pub(crate) fn is_password(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let asks = key.starts_with("forgot") || key.starts_with("cachepassword");
    !asks && ["password", "passwd", "passphrase"].iter().any(|word| key.contains(word))
}

/// A web address without `user:password@`, which nobody but its owner should read.
fn without_user(value: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = value.split_once("://") else { return Cow::Borrowed(value) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((_, host)) => Cow::Owned(format!("{scheme}://{host}{path}")),
        None => Cow::Borrowed(value),
    }
}

/// UTF-16 text by the mark at its beginning; nothing without one. Halves of characters become U+FFFD.
pub fn utf_16(data: &[u8]) -> Option<String> {
    let (mark, rest) = data.split_first_chunk::<2>()?;
    let unit: fn(&[u8; 2]) -> u16 = match mark {
        [0xff, 0xfe] => |pair| u16::from_le_bytes(*pair),
        [0xfe, 0xff] => |pair| u16::from_be_bytes(*pair),
        _ => return None,
    };
    let units: Vec<u16> = rest.as_chunks::<2>().0.iter().map(unit).collect();
    Some(String::from_utf16_lossy(&units))
}

/// Text of a file that an administrator may have written with any editor: UTF-8 with or without a
/// mark, or UTF-16 with one. The oddity tells of bytes that are neither.
pub(crate) fn decoded(data: &[u8]) -> (Cow<'_, str>, Option<&'static str>) {
    if let Some(text) = utf_16(data) {
        return (Cow::Owned(text), None);
    }
    let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    let text = String::from_utf8_lossy(data);
    let odd = matches!(text, Cow::Owned(_)).then_some("bytes that are not UTF-8");
    (text, odd)
}

#[cfg(test)]
mod tests {
    use super::{decoded, is_password, setting};

    #[test]
    fn passwords_are_known_by_their_names() {
        for name in ["ConnectionPassword", "BDIConectionPassword", "password", "PASSWD"] {
            assert!(is_password(name), "{name}");
        }
        for name in ["Forgot_Password_URL", "CachePasswordMobile", "ServicesDomain"] {
            assert!(!is_password(name), "{name}");
        }
        assert_eq!(setting("Password", None, "hunter2", 1).value, "");
        let url = setting("UpdateURL", None, "https://u:hunter2@h/x", 1).value;
        assert_eq!(url, "https://h/x");
    }

    #[test]
    fn files_of_all_editors_are_read() {
        assert_eq!(decoded(b"\xef\xbb\xbfA: b").0, "A: b");
        assert_eq!(decoded(b"\xff\xfeA\0:\0 \0b\0").0, "A: b");
        assert!(decoded(b"A: \xff").1.is_some());
    }
}
