//! The demo.

/// Runs it.
///
/// # Errors
/// It did not show what it must.
pub fn run(_headless: bool, _yes: bool, _picture: &std::path::Path) -> Result<(), String> {
    Err("not built yet".into())
}
