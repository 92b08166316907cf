//! Opens a problem report that somebody sent. Nothing of it is written anywhere, no path in it is
//! used, and every size is bounded before it is believed.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::answer::{Recorded, VERSION};

/// The part with the recorded answers.
pub const ANSWERS: &str = "answers.json";

/// A larger file is no report of ours.
pub const MOST_FILE: u64 = 64 << 20;
/// A report has about ten parts.
const MOST_PARTS: usize = 64;
/// The record is bounded when it is made ([`crate::Recorder`]).
const MOST_ANSWERS: u64 = 8 << 20;
/// Text does not shrink to less than a fiftieth, apart from bombs.
const MOST_SHRUNK: u64 = 50;
/// Small parts may, though.
const ALWAYS: u64 = 64 << 10;

/// Reads the record out of a report.
///
/// # Errors
/// A sentence that says what the file is not.
pub fn read(zip: &[u8]) -> Result<Recorded, String> {
    if zip.len() as u64 > MOST_FILE {
        return Err("is larger than any problem report".into());
    }
    let mut archive = ZipArchive::new(Cursor::new(zip)).map_err(|_| "is no zip file".to_owned())?;
    if archive.len() > MOST_PARTS {
        return Err("has more parts than any problem report".into());
    }
    let text = part(&mut archive)?;
    let recorded: Recorded = serde_json::from_slice(&text)
        .map_err(|error| format!("has a record that cannot be read ({error})"))?;
    if recorded.version != VERSION {
        return Err(format!(
            "was written in form {} and this program reads form {VERSION}",
            recorded.version
        ));
    }
    Ok(recorded)
}

fn part(archive: &mut ZipArchive<Cursor<&[u8]>>) -> Result<Vec<u8>, String> {
    let missing = "holds no recorded answers (answers.json): it is no problem report, or it was \
                   saved before anybody signed in";
    let file = archive.by_name(ANSWERS).map_err(|_| missing.to_owned())?;
    let most = MOST_ANSWERS.min(ALWAYS + MOST_SHRUNK * file.compressed_size());
    if file.size() > most {
        return Err("holds more than any problem report does".into());
    }
    let mut text = vec![];
    // The size that it claims may be a lie.
    file.take(most + 1)
        .read_to_end(&mut text)
        .map_err(|_| "is damaged: its record cannot be unpacked".to_owned())?;
    if text.len() as u64 > most {
        return Err("holds more than any problem report does".into());
    }
    Ok(text)
}
