//! Speech to be sent, and its score: PESQ (ITU-T P.862, wide band P.862.2) through a Python package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::bench::baresip::Codec;
use crate::bench::python;
use crate::packages::exists;
use crate::process::run;

/// Who speaks: voices of espeak-ng. The first is not scored: while they speak, a phone gets to know
/// the network.
const VOICES: [&str; 5] = ["en-us", "en-us+f2", "en-gb", "en-us+m3", "en-gb+f4"];

/// What each says (sentences of the Harvard list, IEEE 297-1969).
const WORDS: [&str; 5] = [
    "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background.",
    "These days a chicken leg is a rare dish. Rice is often served in round bowls.",
    "The juice of lemons makes fine punch. The box was thrown beside the parked truck.",
    "The hogs were fed chopped corn and garbage. Four hours of steady work faced us.",
    "A large size in stockings is hard to sell. The boy was there when the sun rose.",
];

/// What measures.
pub struct Scorer {
    python: PathBuf,
    script: PathBuf,
}

/// What is said in each call.
pub struct Speech {
    /// The file.
    pub file: PathBuf,
    /// How long it is.
    pub length: Duration,
    /// Where each scored speaker begins and ends, as the script wants it.
    places: String,
}

/// What a recording is worth.
#[derive(Clone, Copy, Debug)]
pub struct Score {
    /// Median over the speakers.
    pub pesq: f64,
    /// Mouth to ear in ms, median over the speakers; nothing without a clock for both.
    pub delay: Option<f64>,
}

impl Scorer {
    /// Sees to it that there is what is needed; nothing, and a sentence, when there is not.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn ready(scratch: &Path) -> Result<Option<Self>, String> {
        if !exists("espeak-ng") {
            println!("espeak-ng is not installed: quality is left out.");
            return Ok(None);
        }
        let wanted = ["numpy", "scipy", "pesq"];
        let Some(python) = python::with("numpy, scipy, pesq", &wanted, "quality") else {
            return Ok(None);
        };
        let script = scratch.join("score.py");
        fs::write(&script, include_str!("score.py")).map_err(|error| error.to_string())?;
        Ok(Some(Self { python, script }))
    }

    /// Makes what is said.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn speech(&self, scratch: &Path) -> Result<Speech, String> {
        let mut files = Vec::new();
        for (n, (voice, words)) in VOICES.iter().zip(WORDS).enumerate() {
            let file = scratch.join(format!("voice{n}.wav"));
            run(Command::new("espeak-ng")
                .args(["-v", voice, "-s", "150", "-w"])
                .arg(&file)
                .arg(words))?;
            files.push(file);
        }
        let file = scratch.join("speech.wav");
        let places = self.ask(
            Command::new(&self.python).arg(&self.script).arg("speech").arg(&file).args(files),
        )?;
        let list = places.as_array().ok_or("no places in the speech")?;
        let length = list.last().and_then(|last| last[1].as_f64()).unwrap_or_default();
        let scored = Value::from(list.get(1..).unwrap_or_default());
        Ok(Speech { file, length: Duration::from_secs_f64(length), places: scored.to_string() })
    }

    /// Scores recordings of rooms, or of what was heard alone, in their order; nothing for those in which nothing was heard.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn score<'a>(
        &self,
        speech: &Speech,
        rooms: impl Iterator<Item = (&'a Path, Codec)>,
    ) -> Result<Vec<Option<Score>>, String> {
        let mut command = Command::new(&self.python);
        command.arg(&self.script).arg("score").arg(&speech.file).arg(&speech.places);
        command.args(rooms.map(|(room, codec)| {
            let width = if matches!(codec, Codec::Pcmu) { "narrow" } else { "wide" };
            format!("{}:{width}", room.display())
        }));
        let found = self.ask(&mut command)?;
        let of = |one: &Value, key: &str| {
            let values = one[key].as_array().into_iter().flatten();
            super::median(values.filter_map(Value::as_f64).collect())
        };
        let scores = found
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| Some(Score { pesq: of(one, "pesq")?, delay: of(one, "delay") }));
        Ok(scores.collect())
    }

    fn ask(&self, command: &mut Command) -> Result<Value, String> {
        let out = command.env("OMP_NUM_THREADS", "1").env("OPENBLAS_NUM_THREADS", "1").output();
        let out = out.map_err(|error| error.to_string())?;
        if !out.status.success() {
            let words = String::from_utf8_lossy(&out.stderr);
            return Err(format!("scoring failed: {}", words.lines().last().unwrap_or_default()));
        }
        serde_json::from_slice(&out.stdout).map_err(|error| format!("scoring: {error}"))
    }
}
