//! Files in the place of a microphone or a loudspeaker.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::wav::{WavReader, WavWriter};
use crate::dsp::{RATE, Stretch, to_pcm16};

/// A WAV file as a microphone: from its beginning when the first call begins; silence after its
/// end, or the beginning again.
pub(crate) struct FileCapture {
    reader: WavReader<BufReader<File>>,
    repeat: bool,
    ended: bool,
    stretch: Stretch,
    raw: Vec<f32>,
    ready: Vec<f32>,
}

impl FileCapture {
    pub(crate) fn open(path: &Path, repeat: bool) -> Result<Self, String> {
        let refuse = |why: &dyn std::fmt::Display| {
            format!("the sound file {} cannot be played: {why}", path.display())
        };
        let file = File::open(path).map_err(|error| refuse(&error))?;
        let reader = WavReader::open(BufReader::with_capacity(16_384, file))
            .map_err(|error| refuse(&error))?;
        for oddity in reader.oddities() {
            tracing::debug!("input file: {oddity}");
        }
        let stretch = Stretch::new(reader.rate(), RATE);
        Ok(Self { reader, repeat, ended: false, stretch, raw: vec![], ready: vec![] })
    }

    pub(crate) fn pull(&mut self, out: &mut [f32]) {
        while self.ready.len() < out.len() {
            let missing = out.len() - self.ready.len();
            self.read(self.stretch.needed(missing));
            self.stretch.feed(&self.raw);
            self.stretch.drain(missing, &mut self.ready);
        }
        let count = out.len();
        for (sample, ready) in out.iter_mut().zip(self.ready.drain(..count)) {
            *sample = ready;
        }
    }

    /// Leaves `count` samples of the file (or zeros past its end) in `raw`.
    fn read(&mut self, count: usize) {
        self.raw.clear();
        while !self.ended && self.raw.len() < count {
            match self.reader.read(count - self.raw.len(), &mut self.raw) {
                Ok(1..) => {}
                Ok(0) if self.repeat => self.ended = self.reader.rewind().is_err(),
                Ok(0) | Err(_) => self.ended = true,
            }
        }
        self.raw.resize(count, 0.0);
    }
}

/// A WAV file as a loudspeaker: created when first used, grows from call to call, its header
/// valid after every half second of sound.
pub(crate) struct FilePlayout {
    writer: WavWriter<File>,
    path: PathBuf,
}

/// How much sound waits in memory at most, in samples: half a second.
const PENDING: usize = RATE as usize / 2;

impl FilePlayout {
    pub(crate) fn create(path: &Path) -> Result<Self, String> {
        let writer = File::create(path)
            .and_then(|file| WavWriter::new(file, RATE))
            .map_err(|error| refuse(path, &error))?;
        Ok(Self { writer, path: path.to_owned() })
    }

    pub(crate) fn push(&mut self, samples: &[f32]) -> Result<(), String> {
        self.writer.push(samples.iter().map(|&sample| to_pcm16(sample)));
        if self.writer.pending() >= PENDING {
            self.writer.flush().map_err(|error| refuse(&self.path, &error))?;
        }
        Ok(())
    }

    /// Everything so far reaches the file.
    pub(crate) fn rest(&mut self) {
        if let Err(error) = self.writer.flush() {
            tracing::warn!("output file: {error}");
        }
    }
}

impl Drop for FilePlayout {
    fn drop(&mut self) {
        self.rest();
    }
}

fn refuse(path: &Path, error: &std::io::Error) -> String {
    format!("the sound file {} cannot be written: {error}", path.display())
}
