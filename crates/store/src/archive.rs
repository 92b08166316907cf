//! Conversations as text files that other programs can search, where the user or the administrator
//! wants them (`Save chat archives to`, `AutosaveChatsLocation`): one for each conversation and
//! month. A message is added when it is kept; what becomes of it later is not written again. They
//! are not encrypted.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use offhook_model::Message;

use crate::opening::file_name;
use crate::text::{line, local};

/// Names that some systems keep for devices, whatever follows the dot.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// The folder of archives.
pub struct Archive {
    folder: PathBuf,
    told: bool,
}

impl Archive {
    /// Archives in this folder, which is made when it is needed.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, told: false }
    }

    /// Adds messages. What went wrong is told once.
    pub fn add(&mut self, messages: &[Message]) -> Option<String> {
        let mut wrong = None;
        // Those of one file at once, each file's by one write, so that no line is cut in two.
        for group in messages.chunk_by(|a, b| self.path(a) == self.path(b)) {
            let Some(first) = group.first() else { continue };
            let text: String = group.iter().map(line).collect();
            let added = fs::create_dir_all(&self.folder).and_then(|()| {
                let path = self.path(first);
                OpenOptions::new().append(true).create(true).open(path)?.write_all(text.as_bytes())
            });
            wrong = wrong.or(added.err());
        }
        let error = wrong?;
        if std::mem::replace(&mut self.told, true) {
            return None;
        }
        Some(format!("Chat archives cannot be written to the folder of your choice ({error})."))
    }

    fn path(&self, message: &Message) -> PathBuf {
        let mut name = file_name(message.with.bare_str());
        let lower = name.to_ascii_lowercase();
        if lower.starts_with('.') || DEVICES.iter().any(|device| lower.starts_with(device)) {
            name.insert(0, '_');
        }
        // Most systems take names of 255 bytes.
        name.truncate(200);
        self.folder.join(format!("{name} {}.txt", local(message.time).format("%Y-%m")))
    }
}

#[cfg(test)]
mod tests {
    use offhook_model::{Delivery, Jid, Message, MessageId, More, Timestamp};

    use super::Archive;

    fn message(with: &str, time: i64, body: &str) -> Message {
        let jid: Jid = with.parse().expect("a JID");
        Message {
            id: MessageId("a".into()),
            with: jid.clone(),
            from: jid.clone(),
            to: jid,
            body: body.into(),
            time: Timestamp(time),
            own: false,
            state: Delivery::Delivered,
            error: None,
            more: More::default(),
        }
    }

    #[test]
    fn there_is_a_file_for_each_conversation_and_month_with_a_harmless_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut archive = Archive::new(folder.path().join("chats"));
        let day = 24 * 60 * 60 * 1_000;
        let hostile = "..\\..\\con%2f@example.com";
        let messages = [
            message("bob@example.com", 14 * day, "one"),
            message("bob@example.com", 15 * day, "two"),
            message("bob@example.com", 45 * day, "three"),
            message(hostile, 45 * day, "four"),
        ];
        assert_eq!(archive.add(&messages), None);
        assert_eq!(archive.add(&messages[..1]), None);
        let entries = std::fs::read_dir(folder.path().join("chats")).expect("a folder");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        let expected = [
            "_..%5c..%5ccon%252f@example.com 1970-02.txt",
            "bob@example.com 1970-01.txt",
            "bob@example.com 1970-02.txt",
        ];
        assert_eq!(names, expected);
        let text = std::fs::read_to_string(folder.path().join("chats").join(expected[1]));
        assert_eq!(text.expect("read").lines().count(), 3);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_told_once() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("chats"), "a file").expect("written");
        let mut archive = Archive::new(folder.path().join("chats"));
        let messages = [message("bob@example.com", 0, "one")];
        assert!(archive.add(&messages).is_some_and(|why| why.contains("archives")));
        assert_eq!(archive.add(&messages), None);
    }
}
