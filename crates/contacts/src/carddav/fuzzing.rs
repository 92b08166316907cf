//! Answers of servers, for `crate::fuzzing`.

use offhook_config::HttpUrl;

use super::address::path_at;
use super::answer::{MOST_HOMES, MOST_ITEMS, read};
use super::question;

/// An answer is a list within its bounds, or none, and what it refers to can be asked for.
///
/// # Panics
/// When a bound does not hold.
pub(crate) fn answer(data: &[u8]) {
    let Ok(answer) = read(data) else { return };
    assert!(answer.items.len() <= MOST_ITEMS);
    let base = HttpUrl { secure: true, host: "h".into(), port: 443, path: "/a/b/".into() };
    for item in &answer.items {
        assert!(!item.href.is_empty() && item.props.homes.len() <= MOST_HOMES);
        if let Some(card) = &item.props.card {
            // No entity of the server's own makes more of it than came; a bad byte is three.
            assert!(card.len() <= data.len() * 3);
        }
        for href in std::iter::once(&item.href).chain(&item.props.homes) {
            let Ok(path) = path_at(&base, href) else { continue };
            assert!(path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic()));
            assert!(path.split('/').all(|segment| segment != ".."));
            let whole = HttpUrl { path, ..base.clone() };
            assert_eq!(HttpUrl::parse(&whole.to_string()), Some(whole.clone()));
            let asked = question::cards(std::iter::once(whole.path.as_str()));
            assert!(read(asked.body.as_bytes()).is_err(), "a question is no answer");
        }
    }
    let _ = question::changes(answer.token.as_deref().unwrap_or_default());
}
