//! Writes the zip.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::Redactor;

/// One file of a report, before redaction.
pub struct Part {
    /// Name in the zip, such as `session.json`.
    pub name: String,
    /// What is in it.
    pub content: Content,
}

/// What is in a part.
pub enum Content {
    /// Free text.
    Text(String),
    /// A value; its members' names stay as they are.
    Json(serde_json::Value),
    /// What was redacted when it was made, as JSON.
    Redacted(String),
}

/// Redacts the parts and writes them as `folder/offhook-report-STAMP.zip`. The `stamp` is the time
/// in a form that file names can have. An existing file is never overwritten.
///
/// # Errors
/// A sentence that names the folder or file and what to do.
pub fn save(
    folder: &Path,
    stamp: &str,
    parts: Vec<Part>,
    redactor: &mut Redactor,
) -> Result<PathBuf, String> {
    let path = folder.join(format!("offhook-report-{stamp}.zip"));
    let words = |error: &dyn std::fmt::Display| {
        format!(
            "The problem report {} cannot be written ({error}). Choose another folder with \
             --output DIR.",
            path.display()
        )
    };
    std::fs::create_dir_all(folder).map_err(|error| words(&error))?;
    let file = File::create_new(&path).map_err(|error| words(&error))?;
    let mut zip = ZipWriter::new(file);
    for part in parts {
        zip.start_file(part.name.as_str(), SimpleFileOptions::default())
            .map_err(|error| words(&error))?;
        let text = text_of(part.content, redactor);
        zip.write_all(text.as_bytes()).map_err(|error| words(&error))?;
    }
    zip.finish().map_err(|error| words(&error))?;
    Ok(path)
}

fn text_of(content: Content, redactor: &mut Redactor) -> String {
    match content {
        Content::Text(text) => redactor.text(&text),
        Content::Json(mut value) => {
            redactor.json(&mut value);
            serde_json::to_string_pretty(&value).unwrap_or_default()
        }
        Content::Redacted(text) => text,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::{Content, Part, save};
    use crate::Redactor;

    #[test]
    fn a_report_can_be_opened_and_holds_no_secret() {
        let folder = tempfile::tempdir().expect("a folder");
        let parts = || {
            let text = "token=abcdef for bob@example.com";
            vec![Part { name: "log.txt".into(), content: Content::Text(text.into()) }]
        };
        let mut redactor = Redactor::default();
        let path = save(folder.path(), "20261122-123912", parts(), &mut redactor).expect("saved");
        let file = std::fs::File::open(&path).expect("there");
        let mut zip = zip::ZipArchive::new(file).expect("a zip");
        let mut text = String::new();
        zip.by_name("log.txt").expect("the part").read_to_string(&mut text).expect("text");
        assert!(!text.contains("abcdef") && !text.contains("bob@"), "{text}");
        let again = save(folder.path(), "20261122-123912", parts(), &mut redactor);
        let again = again.expect_err("exists");
        assert!(again.contains("offhook-report-20261122-123912.zip"), "{again}");
    }
}
