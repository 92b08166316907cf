//! Answers of servers, for `crate::fuzzing`.

use super::answer::{MOST_HOMES, MOST_ITEMS, read};

/// An answer is a list within its bounds, or none.
///
/// # Panics
/// When a bound does not hold.
pub(crate) fn answer(data: &[u8]) {
    let Ok(answer) = read(data) else { return };
    assert!(answer.items.len() <= MOST_ITEMS);
    for item in &answer.items {
        assert!(!item.href.is_empty() && item.props.homes.len() <= MOST_HOMES);
        if let Some(card) = &item.props.card {
            // No entity of the server's own makes more of it than came.
            assert!(card.len() <= data.len() * 3);
        }
    }
}
