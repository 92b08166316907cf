//! Notifications where none are built: Windows and macOS. The window still asks for attention.

/// One notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// First line.
    pub title: String,
    /// The rest, as plain text.
    pub body: String,
    /// What it is about: a later one about the same takes its place.
    pub subject: String,
}

/// Shows notifications.
#[derive(Debug, Default)]
pub struct Notifier {}

impl Notifier {
    /// One that shows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows it.
    ///
    /// # Errors
    /// Always: it is not built for this system.
    pub async fn show(&mut self, _note: &Note) -> Result<(), String> {
        Err("notifications of this system are not built yet".to_owned())
    }
}
