//! WAV files: a reader for whatever programs write, a writer whose file is valid at any second.
//!
//! Source of the layout: Microsoft's "Multimedia Programming Interface and Data Specifications
//! 1.0" (RIFF), and the WAVEFORMATEXTENSIBLE addition. Voicemail comes as PCM, G.711 or GSM 6.10.

use std::io::{self, Read, Seek, SeekFrom, Write};

use offhook_codec::{GSM_BLOCK, GSM_SAMPLES, GsmDecoder, a_law_sample, mu_law_sample};
use thiserror::Error;

/// Why a file is no WAV file that can be played.
#[derive(Debug, Error)]
pub enum WavError {
    /// It cannot be read at all.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It does not begin with RIFF and WAVE.
    #[error("it is not a WAV file")]
    NotWav,
    /// A `fmt ` chunk is missing, cut short, or says nonsense such as no channels.
    #[error("its format chunk is missing or broken")]
    NoFormat,
    /// A coding other than PCM of 8, 16, 24 or 32 bits, 32-bit float, G.711 and GSM 6.10.
    #[error(
        "its coding {tag:#06x}{} with {bits} bits is not supported; use 16-bit PCM, G.711 or GSM 6.10",
        coding_name(*tag)
    )]
    Coding {
        /// `wFormatTag`.
        tag: u16,
        /// `wBitsPerSample`.
        bits: u16,
    },
    /// No samples.
    #[error("it holds no sound")]
    NoData,
}

/// Codings that recordings have and that are not read, by name.
fn coding_name(tag: u16) -> &'static str {
    match tag {
        2 | 0x11 => " (ADPCM)",
        0x83 | 0x133 => " (G.729)",
        0x42 | 0x111 => " (G.723.1)",
        0x45 | 0x64 => " (G.726)",
        0x55 => " (MP3)",
        0xff | 0x1610 => " (AAC)",
        _ => "",
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Unsigned8,
    Signed16,
    Signed24,
    Signed32,
    Float32,
    ALaw,
    MuLaw,
    /// Two frames in 65 bytes.
    Gsm,
}

impl Coding {
    fn of(tag: u16, bits: u16) -> Result<Self, WavError> {
        match (tag, bits) {
            (6, 8) => Ok(Self::ALaw),
            (7, 8) => Ok(Self::MuLaw),
            (0x31, _) => Ok(Self::Gsm),
            (1, 8) => Ok(Self::Unsigned8),
            (1, 16) => Ok(Self::Signed16),
            (1, 24) => Ok(Self::Signed24),
            (1, 32) => Ok(Self::Signed32),
            (3, 32) => Ok(Self::Float32),
            (tag, bits) => Err(WavError::Coding { tag, bits }),
        }
    }

    /// Bytes of the smallest piece, and how many samples it holds.
    fn piece(self) -> (usize, usize) {
        match self {
            Self::Unsigned8 | Self::ALaw | Self::MuLaw => (1, 1),
            Self::Signed16 => (2, 1),
            Self::Signed24 => (3, 1),
            Self::Signed32 | Self::Float32 => (4, 1),
            Self::Gsm => (GSM_BLOCK, GSM_SAMPLES),
        }
    }

    /// One sample of those that are coded one by one.
    fn sample(self, bytes: &[u8]) -> f32 {
        match (self, bytes) {
            (Self::Unsigned8, [a]) => (f32::from(*a) - 128.0) / 128.0,
            (Self::Signed16, [a, b]) => f32::from(i16::from_le_bytes([*a, *b])) / 32_768.0,
            (Self::Signed24, [a, b, c]) => {
                i32::from_le_bytes([0, *a, *b, *c]) as f32 / 2_147_483_648.0
            }
            (Self::Signed32, [a, b, c, d]) => {
                i32::from_le_bytes([*a, *b, *c, *d]) as f32 / 2_147_483_648.0
            }
            (Self::Float32, [a, b, c, d]) => {
                let value = f32::from_le_bytes([*a, *b, *c, *d]);
                if value.is_finite() { value.clamp(-1.0, 1.0) } else { 0.0 }
            }
            (Self::ALaw, [code]) => f32::from(a_law_sample(*code)) / 32_768.0,
            (Self::MuLaw, [code]) => f32::from(mu_law_sample(*code)) / 32_768.0,
            _ => 0.0,
        }
    }
}

/// The most chunks looked at before the sound; recorders write five or six.
const MAX_CHUNKS: usize = 64;

/// Reads samples from a WAV file, mixed to mono.
pub struct WavReader<R> {
    source: R,
    coding: Coding,
    channels: u16,
    rate: u32,
    start: u64,
    /// Bytes of sound; what the header says, or to the end when it says nothing useful.
    length: u64,
    read: u64,
    oddities: Vec<&'static str>,
    buffer: Vec<u8>,
    gsm: Box<GsmDecoder>,
    /// Decoded and not yet asked for.
    ready: std::collections::VecDeque<f32>,
}

impl<R: Read + Seek> WavReader<R> {
    /// Reads the header. Chunks it does not know are skipped; a length that cannot be true (as
    /// programs leave it that were killed while writing) means "to the end of the file".
    ///
    /// # Errors
    /// See [`WavError`].
    pub fn open(mut source: R) -> Result<Self, WavError> {
        let size = source.seek(SeekFrom::End(0))?;
        source.seek(SeekFrom::Start(0))?;
        let mut head = [0u8; 12];
        read_fully(&mut source, &mut head)?.then_some(()).ok_or(WavError::NotWav)?;
        let [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E'] = head else {
            return Err(WavError::NotWav);
        };
        let mut oddities = Vec::new();
        let mut format = None;
        let mut at = 12u64;
        for _ in 0..MAX_CHUNKS {
            let mut head = [0u8; 8];
            source.seek(SeekFrom::Start(at))?;
            if !read_fully(&mut source, &mut head)? {
                return Err(if format.is_some() { WavError::NoData } else { WavError::NoFormat });
            }
            let [a, b, c, d, l0, l1, l2, l3] = head;
            let length = u64::from(u32::from_le_bytes([l0, l1, l2, l3]));
            at += 8;
            match &[a, b, c, d] {
                b"fmt " => format = Some(read_format(&mut source, length)?),
                b"data" => {
                    let (coding, channels, rate) = format.ok_or(WavError::NoFormat)?;
                    let rest = size.saturating_sub(at);
                    if length == 0 || length > rest {
                        oddities.push("the length of the sound is not that of the file");
                    }
                    let length = if length == 0 { rest } else { length.min(rest) };
                    let frame = u64::from(channels) * coding.piece().0 as u64;
                    if length < frame {
                        return Err(WavError::NoData);
                    }
                    let length = length / frame * frame;
                    source.seek(SeekFrom::Start(at))?;
                    return Ok(Self {
                        source,
                        coding,
                        channels,
                        rate,
                        start: at,
                        length,
                        read: 0,
                        oddities,
                        buffer: vec![],
                        gsm: Box::default(),
                        ready: Default::default(),
                    });
                }
                _ => {}
            }
            // Chunks are padded to an even length.
            at += length + (length & 1);
        }
        Err(WavError::NoData)
    }

    /// Samples per second, 1 to 768,000.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// What is strange about the file, though it can be played.
    pub fn oddities(&self) -> &[&'static str] {
        &self.oddities
    }

    /// Samples (of one channel) in the file.
    pub fn frames(&self) -> u64 {
        self.length / self.frame_size() as u64 * self.coding.piece().1 as u64
    }

    fn frame_size(&self) -> usize {
        usize::from(self.channels) * self.coding.piece().0
    }

    /// Appends up to `count` samples to `out`, the mean of the channels; fewer at the end of the
    /// sound. Answers how many.
    ///
    /// # Errors
    /// When the file cannot be read any more.
    pub fn read(&mut self, count: usize, out: &mut Vec<f32>) -> io::Result<usize> {
        // A bound on one reading keeps the buffer small whatever is asked for.
        let count = count.min(16_384);
        if self.coding == Coding::Gsm {
            return self.read_gsm(count, out);
        }
        let got = self.fill(count)?;
        let scale = 1.0 / f32::from(self.channels);
        let (frame, sample) = (self.frame_size(), self.coding.piece().0);
        for frame in self.buffer.chunks_exact(frame).take(got) {
            let sum: f32 = frame.chunks_exact(sample).map(|bytes| self.coding.sample(bytes)).sum();
            out.push(sum * scale);
        }
        Ok(got)
    }

    fn read_gsm(&mut self, count: usize, out: &mut Vec<f32>) -> io::Result<usize> {
        let blocks = count.saturating_sub(self.ready.len()).div_ceil(GSM_SAMPLES);
        let got = self.fill(blocks)?;
        let mut sound = [0; GSM_SAMPLES];
        for block in self.buffer.as_chunks::<GSM_BLOCK>().0.iter().take(got) {
            self.gsm.decode(block, &mut sound);
            self.ready.extend(sound.iter().map(|sample| f32::from(*sample) / 32_768.0));
        }
        let count = count.min(self.ready.len());
        out.extend(self.ready.drain(..count));
        Ok(count)
    }

    /// Reads up to `count` pieces of all channels into the buffer; answers how many.
    fn fill(&mut self, count: usize) -> io::Result<usize> {
        let frame = self.frame_size();
        let left = (self.length - self.read) / frame as u64;
        let count = count.min(usize::try_from(left).unwrap_or(usize::MAX));
        self.buffer.resize(count * frame, 0);
        let got = read_some(&mut self.source, &mut self.buffer)? / frame;
        if got < count {
            self.length = self.read + (got * frame) as u64;
        }
        self.read += (got * frame) as u64;
        Ok(got)
    }

    /// Back to the first sample.
    ///
    /// # Errors
    /// When the file cannot be positioned.
    pub fn rewind(&mut self) -> io::Result<()> {
        self.read = 0;
        *self.gsm = GsmDecoder::default();
        self.ready.clear();
        self.source.seek(SeekFrom::Start(self.start)).map(drop)
    }
}

fn read_format(source: &mut impl Read, length: u64) -> Result<(Coding, u16, u32), WavError> {
    let mut body = [0u8; 26];
    let wanted = if length >= 26 { 26 } else { 16 };
    let body = body.get_mut(..wanted).ok_or(WavError::NoFormat)?;
    if length < 16 || !read_fully(source, body)? {
        return Err(WavError::NoFormat);
    }
    let word = |at: usize| match body.get(at..at + 2) {
        Some(&[a, b]) => u16::from_le_bytes([a, b]),
        _ => 0,
    };
    let (mut tag, channels, bits) = (word(0), word(2), word(14));
    let rate = u32::from(word(4)) | u32::from(word(6)) << 16;
    if tag == 0xfffe {
        // WAVEFORMATEXTENSIBLE: the coding is the first word of the sub-format.
        tag = word(24);
    }
    if !(1..=64).contains(&channels) || !(1..=768_000).contains(&rate) {
        return Err(WavError::NoFormat);
    }
    let coding = Coding::of(tag, bits)?;
    // Frames of GSM 6.10 hold one channel.
    if coding == Coding::Gsm && channels != 1 {
        return Err(WavError::NoFormat);
    }
    Ok((coding, channels, rate))
}

/// Reads until `buffer` is full or the file ends; answers how many bytes came.
fn read_some(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

fn read_fully(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    Ok(read_some(source, buffer)? == buffer.len())
}

/// Writes mono 16-bit PCM. The header is brought up to date with every [`WavWriter::flush`].
pub struct WavWriter<W: Write + Seek> {
    sink: W,
    rate: u32,
    bytes: u32,
    pending: Vec<u8>,
}

impl<W: Write + Seek> WavWriter<W> {
    /// Begins a file of `rate` samples per second.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(sink: W, rate: u32) -> io::Result<Self> {
        let mut this = Self { sink, rate, bytes: 0, pending: vec![] };
        this.write_header()?;
        Ok(this)
    }

    fn write_header(&mut self) -> io::Result<()> {
        let mut head = Vec::with_capacity(44);
        head.extend_from_slice(b"RIFF");
        head.extend_from_slice(&(36 + self.bytes).to_le_bytes());
        head.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
        head.extend_from_slice(&self.rate.to_le_bytes());
        head.extend_from_slice(&(self.rate * 2).to_le_bytes());
        head.extend_from_slice(b"\x02\0\x10\0data");
        head.extend_from_slice(&self.bytes.to_le_bytes());
        self.sink.seek(SeekFrom::Start(0))?;
        self.sink.write_all(&head)
    }

    /// Adds samples; they reach the file with the next [`Self::flush`]. A file of 2 GiB takes no
    /// more.
    pub fn push(&mut self, samples: impl Iterator<Item = i16>) {
        if self.bytes < 0x7fff_0000 {
            samples.for_each(|sample| self.pending.extend_from_slice(&sample.to_le_bytes()));
        }
    }

    /// Samples that wait for [`Self::flush`].
    pub fn pending(&self) -> usize {
        self.pending.len() / 2
    }

    /// Writes what waits, then the header that counts it.
    ///
    /// # Errors
    /// When it cannot be written; what waited is given up.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let at = SeekFrom::Start(44 + u64::from(self.bytes));
        let result = self.sink.seek(at).and_then(|_| self.sink.write_all(&self.pending));
        if result.is_ok() {
            self.bytes = self.bytes.saturating_add(self.pending.len() as u32);
        }
        self.pending.clear();
        result?;
        self.write_header()?;
        self.sink.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::{WavError, WavReader, WavWriter};

    fn wav(tag: u16, channels: u16, bits: u16, data: &[u8], stated: u32) -> Vec<u8> {
        let mut file = b"RIFF\0\0\0\0WAVE".to_vec();
        file.extend_from_slice(b"LIST\x03\0\0\0abc\0fmt \x10\0\0\0");
        file.extend_from_slice(&tag.to_le_bytes());
        file.extend_from_slice(&channels.to_le_bytes());
        file.extend_from_slice(&8_000u32.to_le_bytes());
        file.extend_from_slice(&[0; 6]);
        file.extend_from_slice(&bits.to_le_bytes());
        file.extend_from_slice(b"data");
        file.extend_from_slice(&stated.to_le_bytes());
        file.extend_from_slice(data);
        file
    }

    fn check(file: Vec<u8>, samples: &[f32], oddities: usize) {
        let mut reader = WavReader::open(Cursor::new(file)).expect("a WAV file");
        let mut out = vec![];
        while reader.read(3, &mut out).expect("readable") > 0 {}
        assert_eq!(out, samples);
        assert_eq!(reader.oddities().len(), oddities);
        reader.rewind().expect("rewinds");
        assert_eq!(reader.read(1, &mut out).expect("readable"), 1);
        assert_eq!(out.last(), samples.first());
    }

    #[test]
    fn every_coding_is_read_and_channels_are_mixed() {
        check(wav(1, 1, 16, &[0, 0x40, 0, 0xc0], 4), &[0.5, -0.5], 0);
        check(wav(1, 2, 16, &[0, 0x40, 0, 0xc0, 0, 0x40, 0, 0], 8), &[0.0, 0.25], 0);
        check(wav(1, 1, 8, &[0, 128, 192, 0], 3), &[-1.0, 0.0, 0.5], 0);
        check(wav(1, 1, 24, &[0, 0, 0x40], 3), &[0.5], 0);
        check(wav(1, 1, 32, &[0, 0, 0, 0xc0], 4), &[-0.5], 0);
        check(
            wav(3, 1, 32, &[0.25f32.to_le_bytes(), f32::NAN.to_le_bytes()].concat(), 8),
            &[0.25, 0.0],
            0,
        );
    }

    #[test]
    fn voicemail_in_g711_and_gsm_is_read() {
        // The loudest of each law, then a quiet one.
        check(
            wav(7, 1, 8, &[0x80, 0x00, 0xff], 3),
            &[32_124.0 / 32_768.0, -32_124.0 / 32_768.0, 0.0],
            0,
        );
        check(wav(6, 1, 8, &[0xaa, 0x2a, 0xd5], 3), &[0.984_375, -0.984_375, 8.0 / 32_768.0], 0);
        // 100 ms at 1000 Hz by SoX: as loud as it was, in whole blocks, from the start again.
        let file = include_bytes!("../../tests/fixtures/gsm-1000-hertz.wav");
        let mut reader = WavReader::open(Cursor::new(&file[..])).expect("a WAV file");
        assert_eq!((reader.rate(), reader.frames()), (8_000, 1_600));
        let mut out = vec![];
        while reader.read(37, &mut out).expect("readable") > 0 {}
        assert_eq!(out.len(), 1_600);
        let power = out[320..1_280].iter().map(|sample| sample * sample).sum::<f32>() / 960.0;
        assert!((0.1..0.15).contains(&power), "half scale has a power of an eighth, not {power}");
        reader.rewind().expect("rewinds");
        let mut again = vec![];
        assert_eq!(reader.read(1_000, &mut again).expect("readable"), 1_000);
        assert_eq!(again, out[..1_000]);
        let stereo = WavReader::open(Cursor::new(wav(0x31, 2, 0, &[0; 130], 130))).map(drop);
        assert!(matches!(stereo, Err(WavError::NoFormat)));
        let refused = WavReader::open(Cursor::new(wav(0x83, 1, 8, &[0; 10], 10))).map(drop);
        let said = refused.expect_err("G.729 is not read").to_string();
        assert!(said.contains("0x0083 (G.729)") && said.contains("GSM 6.10"), "{said}");
    }

    #[test]
    fn a_file_cut_short_or_never_finished_plays_to_its_end() {
        check(wav(1, 1, 16, &[0, 0x40, 0, 0xc0, 7], 0), &[0.5, -0.5], 1);
        check(wav(1, 1, 16, &[0, 0x40, 0, 0xc0], u32::MAX), &[0.5, -0.5], 1);
    }

    #[test]
    fn what_is_no_wav_file_is_refused_by_name() {
        let open = |bytes: Vec<u8>| WavReader::open(Cursor::new(bytes)).map(drop);
        assert!(matches!(open(vec![]), Err(WavError::NotWav)));
        assert!(matches!(open(b"RIFF\0\0\0\0WAVE".to_vec()), Err(WavError::NoFormat)));
        assert!(matches!(open(wav(1, 0, 16, &[0; 4], 4)), Err(WavError::NoFormat)));
        assert!(matches!(open(wav(85, 1, 16, &[0; 4], 4)), Err(WavError::Coding { tag: 85, .. })));
        assert!(matches!(open(wav(1, 1, 16, &[0], 1)), Err(WavError::NoData)));
    }

    #[test]
    fn what_is_written_can_be_read_after_every_flush() {
        let mut file = Cursor::new(Vec::new());
        let mut writer = WavWriter::new(&mut file, 48_000).expect("memory");
        writer.push([1, 2, 3].into_iter());
        writer.flush().expect("memory");
        writer.push([-4].into_iter());
        writer.flush().expect("memory");
        drop(writer);
        let mut reader = WavReader::open(file).expect("valid");
        assert_eq!((reader.rate(), reader.frames()), (48_000, 4));
        assert!(reader.oddities().is_empty());
        let mut out = vec![];
        reader.read(10, &mut out).expect("readable");
        assert_eq!(out.last(), Some(&(-4.0 / 32_768.0)));
    }
}
