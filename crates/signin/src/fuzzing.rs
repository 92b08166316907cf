//! One entry per kind of outside bytes, named like its folder under `corpus/`.

/// The address that the browser comes back with.
///
/// # Panics
/// When what was read breaks what its readers rely on.
pub fn returned(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match crate::returned(&text) {
        Some(Ok((name, token))) => {
            assert!(!name.is_empty() && !name.contains(char::is_whitespace));
            assert!(!token.token.expose().is_empty());
            let shown = format!("{token:?}");
            assert!(shown.contains("Secret(…)"));
        }
        Some(Err(problem)) => assert!(problem.rule.is_some()),
        None => assert!(crate::webex_from_fragment(&text).is_none()),
    }
}
