//! G.722.1 at 24 and 32 kbit/s (ITU-T G.722.1, RFC 5577): sound up to 7 kHz at 16 kHz, 20 ms in
//! frames of 60 or 80 bytes, each of which stands by itself but for the overlap of the transform.
//!
//! Arithmetic is ITU-T's in 16 bits, so that frames and samples are those of its own program bit
//! for bit. There is no crate for it.

mod bias;
mod categories;
mod codes;
mod envelope;
mod huffman;
mod transform;
mod vectors;

use self::categories::{CHOICE_BITS, CHOICES, Variants};
use self::huffman::{Reader, Writer};
use self::transform::{Analysis, FRAME, Frame, Synthesis};
use self::vectors::Noise;
use crate::{CodecError, MAX_SAMPLES};

/// Bit rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rate {
    /// 24 kbit/s.
    Low,
    /// 32 kbit/s.
    High,
}

impl Rate {
    /// Bytes of a frame.
    fn bytes(self) -> usize {
        match self {
            Self::Low => 60,
            Self::High => 80,
        }
    }
}

/// G.722.1 encoder. Sound comes out of the decoder one frame later.
pub(crate) struct Encoder {
    rate: Rate,
    frames: usize,
    analysis: Analysis,
}

impl Encoder {
    /// For packets of `ms` milliseconds, or the next shorter multiple of 20, but 20 at least.
    pub(crate) fn new(rate: Rate, ms: u32) -> Self {
        Self { rate, frames: (ms as usize / 20).max(1), analysis: Analysis::new() }
    }
}

impl crate::Encoder for Encoder {
    fn samples_per_frame(&self) -> usize {
        self.frames * FRAME
    }

    fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> Result<usize, CodecError> {
        let wanted = self.samples_per_frame();
        if pcm.len() != wanted {
            return Err(CodecError::FrameSize { wanted, given: pcm.len() });
        }
        let bytes = self.frames * self.rate.bytes();
        let out = out.get_mut(..bytes).ok_or(CodecError::NoRoom(bytes))?;
        let (frames, _) = pcm.as_chunks();
        for (frame, out) in frames.iter().zip(out.chunks_exact_mut(self.rate.bytes())) {
            let (coefficients, shift) = self.analysis.run(frame);
            write_frame(coefficients, shift, out);
        }
        Ok(bytes)
    }
}

fn write_frame(mut coefficients: Frame, shift: i32, out: &mut [u8]) {
    let bits = out.len() * 8;
    let powers = envelope::measure(&coefficients, shift);
    let mut writer = Writer::new(out);
    envelope::write(&powers, &mut writer);
    let left = bits - writer.position() - CHOICE_BITS;
    let variants = Variants::new(&powers, left);
    let indices = envelope::settle(&powers, shift, &mut coefficients);
    let (choice, categories) = vectors::choose(&variants, &indices, &coefficients, left);
    writer.number(choice as u32, CHOICE_BITS);
    vectors::write(&categories, &indices, &coefficients, &mut writer);
}

/// G.722.1 decoder.
pub(crate) struct Decoder {
    rate: Rate,
    state: State,
    /// Concealed samples of the last frame that nobody asked for yet: the end of this.
    ahead: Frame,
    ahead_left: usize,
}

/// What a frame changes, so that a bad packet changes nothing.
#[derive(Clone, Copy)]
struct State {
    synthesis: Synthesis,
    noise: Noise,
    /// Coefficients of the last frame, for concealment, and by how many bits they are shifted up.
    last: Frame,
    shift: i32,
}

impl Decoder {
    pub(crate) fn new(rate: Rate) -> Self {
        let state =
            State { synthesis: Synthesis::new(), noise: Noise::new(), last: [0; FRAME], shift: 0 };
        Self { rate, state, ahead: [0; FRAME], ahead_left: 0 }
    }
}

impl State {
    fn decode(&mut self, frame: &[u8], out: &mut Frame) -> Result<(), CodecError> {
        self.shift =
            read_frame(frame, &mut self.noise, &mut self.last).ok_or(CodecError::Payload)?;
        self.synthesis.run(&self.last, self.shift, out);
        Ok(())
    }

    /// The last spectrum once more, and weaker the next time.
    fn conceal(&mut self, out: &mut Frame) {
        if self.last == [0; FRAME] {
            self.synthesis.fade(out);
            return;
        }
        self.synthesis.run(&self.last, self.shift, out);
        envelope::weaken(&mut self.last, 1);
    }
}

/// Reads one frame; gives by how many bits the coefficients are shifted up. Nothing when the bits
/// end where they must not, or what is left over is not all ones.
fn read_frame(frame: &[u8], noise: &mut Noise, coefficients: &mut Frame) -> Option<i32> {
    let mut reader = Reader::new(frame);
    let powers = envelope::read(&mut reader)?;
    let choice = usize::from(reader.number(CHOICE_BITS)?);
    let categories = Variants::new(&powers, reader.left()).choose(choice);
    let (deviations, shift) = envelope::deviations(&powers);
    let whole = vectors::read(&mut reader, &categories, &deviations, noise, coefficients);
    if !whole {
        // Only the coarsest variant may need more than there is.
        return (choice == CHOICES - 1).then_some(shift);
    }
    while let Some(bit) = reader.bit() {
        bit.then_some(())?;
    }
    Some(shift)
}

impl crate::Decoder for Decoder {
    fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> Result<usize, CodecError> {
        let samples = self.duration(payload).ok_or(CodecError::Payload)? as usize;
        let out = out.get_mut(..samples).ok_or(CodecError::NoRoom(samples))?;
        let mut state = self.state;
        let (frames, _) = out.as_chunks_mut();
        for (frame, out) in payload.chunks_exact(self.rate.bytes()).zip(frames) {
            state.decode(frame, out)?;
        }
        self.state = state;
        self.ahead_left = 0;
        Ok(samples)
    }

    fn conceal(&mut self, samples: usize, out: &mut [i16]) -> usize {
        let count = samples.min(out.len());
        for sample in &mut out[..count] {
            if self.ahead_left == 0 {
                self.state.conceal(&mut self.ahead);
                self.ahead_left = FRAME;
            }
            *sample = self.ahead[FRAME - self.ahead_left];
            self.ahead_left -= 1;
        }
        count
    }

    fn decode_fec(&mut self, _next: &[u8], _samples: usize, _out: &mut [i16]) -> Option<usize> {
        None
    }

    fn duration(&self, payload: &[u8]) -> Option<u32> {
        let frames = payload.len() / self.rate.bytes();
        let whole = frames > 0 && payload.len().is_multiple_of(self.rate.bytes());
        (whole && frames * FRAME <= MAX_SAMPLES).then_some((frames * FRAME) as u32)
    }
}
