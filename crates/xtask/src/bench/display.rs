//! A display that nobody sees, and when something is painted on it.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process::Running;

/// A screen with fewer colours shows nothing but its background, or a window not yet painted.
const COLOURS: usize = 8;

/// An X server that keeps its picture in a file, which is read without asking the server: what
/// watches does not take part.
pub struct Display {
    /// The server.
    pub running: Running,
    /// What DISPLAY has to be.
    pub name: String,
    picture: PathBuf,
}

impl Display {
    /// Starts one; the server chooses a free number itself and says which.
    ///
    /// # Errors
    /// There is no Xvfb.
    pub fn start(folder: &Path) -> Result<Self, String> {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]);
        command.arg("-fbdir").arg(folder).stderr(Stdio::null());
        let mut running = Running::start("Xvfb", &mut command)?;
        let number = running.json()?;
        Ok(Self { running, name: format!(":{number}"), picture: folder.join("Xvfb_screen0") })
    }

    /// Whether a program has painted something.
    ///
    /// # Errors
    /// The picture cannot be read.
    pub fn painted(&self) -> Result<bool, String> {
        let mut colours = HashSet::new();
        for row in self.rows(16)? {
            let pixels = row.chunks_exact(4).step_by(5);
            colours.extend(pixels.map(|pixel| [pixel[0], pixel[1], pixel[2]]));
            if colours.len() >= COLOURS {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The whole picture, to compare with a later one.
    ///
    /// # Errors
    /// The picture cannot be read.
    pub fn pixels(&self) -> Result<Vec<u8>, String> {
        Ok(self.rows(1)?.concat())
    }

    /// Every `step`th row. The file is an X window dump: big-endian words, then colours of 12
    /// bytes, then rows of pixels.
    fn rows(&self, step: usize) -> Result<Vec<Vec<u8>>, String> {
        let explain = |error: std::io::Error| format!("the display's picture: {error}");
        let mut file = File::open(&self.picture).map_err(explain)?;
        let mut head = [0u8; 80];
        file.read_exact(&mut head).map_err(explain)?;
        let word = |index: usize| {
            let bytes = head.get(4 * index..4 * index + 4).and_then(|four| four.try_into().ok());
            bytes.map_or(0, u32::from_be_bytes) as usize
        };
        let (height, line, begin) = (word(5), word(12), word(0) + word(19) * 12);
        let mut rows = Vec::new();
        for y in (0..height).step_by(step) {
            let mut row = vec![0; line];
            file.seek(SeekFrom::Start((begin + y * line) as u64)).map_err(explain)?;
            file.read_exact(&mut row).map_err(explain)?;
            rows.push(row);
        }
        Ok(rows)
    }
}
