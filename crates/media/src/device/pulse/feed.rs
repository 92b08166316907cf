//! The path of samples between a stream of the sound server and the engine: nothing here waits,
//! allocates or logs; `tests/device_callback.rs` watches it.

use std::io::{ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

use pulseaudio::protocol::{
    self, Command, CommandTag, DESCRIPTOR_SIZE, Descriptor, DescriptorFlags,
};
use rtrb::Producer;
use socket2::SockRef;

use crate::dsp::RATE;

/// Bytes of a sample: 32-bit floating point, little endian, one channel.
pub const SAMPLE: usize = 4;

/// The longest message that is read, in bytes: sound comes in pieces of a few hundredths of a second,
/// and what else a stream is told is short.
const LONGEST: usize = 64 * 1024;

/// Samples that are written at once at most, and those at the server above which nothing more is
/// written: a fifth of a second.
const MOST: usize = RATE as usize / 5;

/// The channel of what is no sound.
const CONTROL: u32 = u32::MAX;

/// `MSG_DONTWAIT | MSG_NOSIGNAL` of Linux: a server that does not read holds up nobody.
const AT_ONCE: i32 = 0x40 | 0x4000;

/// How a device goes along, as the thread that listens to the server notes it for the engine. A device
/// takes and gives bursts; between them it is taken to work evenly, so that the store in between
/// does not depend on where in its period a tick falls.
pub struct Pace {
    origin: Instant,
    /// Microseconds after `origin` of the last burst.
    last: AtomicU64,
    /// Samples of a burst: what the device is set to at the server.
    period: AtomicU32,
    /// Samples that the server wants to have.
    wanted: AtomicU32,
    /// Samples asked for in all.
    asked: AtomicU64,
    /// Times that the server had nothing to play.
    gaps: AtomicU32,
}

impl Pace {
    /// For a device with this period whose server wants so many samples ahead, both in samples; `origin`
    /// is now.
    pub fn new(origin: Instant, period: u32, wanted: u32) -> Self {
        Self {
            origin,
            last: AtomicU64::new(0),
            period: AtomicU32::new(period),
            wanted: AtomicU32::new(wanted),
            asked: AtomicU64::new(0),
            gaps: AtomicU32::new(0),
        }
    }

    /// It was set anew, by a move to another device for example.
    pub fn set(&self, period: u32, wanted: Option<u32>) {
        self.period.store(period, Ordering::Relaxed);
        if let Some(wanted) = wanted {
            self.wanted.store(wanted, Ordering::Relaxed);
        }
    }

    /// The server asks for so many samples more.
    pub fn ask(&self, samples: u64, now: Instant) {
        self.asked.fetch_add(samples, Ordering::Relaxed);
        self.burst(now);
    }

    /// The server had nothing to play.
    pub fn gap(&self) {
        self.gaps.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it had nothing to play.
    pub fn gaps(&self) -> u32 {
        self.gaps.load(Ordering::Relaxed)
    }

    fn burst(&self, now: Instant) {
        let at = now.saturating_duration_since(self.origin).as_micros() as u64;
        self.last.store(at, Ordering::Release);
    }

    /// Samples of a burst.
    pub fn period(&self) -> usize {
        self.period.load(Ordering::Relaxed) as usize
    }

    /// Samples that the device went on since the last burst: a burst at most.
    pub fn since(&self, now: Instant) -> usize {
        let last = self.last.load(Ordering::Acquire);
        let now = now.saturating_duration_since(self.origin).as_micros() as u64;
        let samples = now.saturating_sub(last).saturating_mul(u64::from(RATE)) / 1_000_000;
        (samples as usize).min(self.period())
    }
}

/// What a message of the server is.
#[derive(Clone, Copy)]
pub enum Message<'a> {
    /// A piece of sound.
    Sound(&'a [u8]),
    /// What the server tells of a stream.
    Command(&'a Command),
}

/// Takes apart what comes from the server.
pub struct Inbox {
    bytes: Box<[u8]>,
    filled: usize,
    version: u16,
}

impl Inbox {
    /// For a connection that speaks this version of the protocol.
    pub fn new(version: u16) -> Self {
        Self { bytes: vec![0; LONGEST].into_boxed_slice(), filled: 0, version }
    }

    /// Reads once, and gives each message that is whole now to `take`. What is not understood is passed
    /// over.
    ///
    /// # Errors
    /// The connection is over, or a message is longer than 64 KiB.
    pub fn read(
        &mut self,
        from: &mut impl Read,
        mut take: impl FnMut(Message<'_>),
    ) -> Result<(), ErrorKind> {
        let room = self.bytes.get_mut(self.filled..).unwrap_or(&mut []);
        match from.read(room) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof),
            Ok(count) => self.filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error.kind()),
        }
        let mut at = 0;
        while let Some((head, mut rest)) =
            self.bytes.get(at..self.filled).and_then(|all| all.split_at_checked(DESCRIPTOR_SIZE))
        {
            let mut bytes = head;
            let head = protocol::read_descriptor(&mut bytes).map_err(|_| ErrorKind::InvalidData)?;
            let length = head.length as usize;
            if length > LONGEST - DESCRIPTOR_SIZE {
                return Err(ErrorKind::InvalidData);
            }
            let Some(body) = rest.split_off(..length) else { break };
            at += DESCRIPTOR_SIZE + length;
            if head.channel != CONTROL {
                take(Message::Sound(body));
            } else if is_of_streams(body)
                && let Ok((_, command)) = Command::read_tag_prefixed(&mut { body }, self.version)
            {
                take(Message::Command(&command));
            }
        }
        self.bytes.copy_within(at..self.filled, 0);
        self.filled -= at;
        Ok(())
    }
}

/// Whether a message is one of those that tell of a stream. No other is read further: some may ask for any
/// amount of memory.
fn is_of_streams(body: &[u8]) -> bool {
    const OURS: [CommandTag; 9] = [
        CommandTag::Request,
        CommandTag::Underflow,
        CommandTag::PlaybackStreamKilled,
        CommandTag::RecordStreamKilled,
        CommandTag::PlaybackStreamSuspended,
        CommandTag::RecordStreamSuspended,
        CommandTag::PlaybackStreamMoved,
        CommandTag::RecordStreamMoved,
        CommandTag::PlaybackBufferAttrChanged,
    ];
    // A number begins with its kind.
    let number = |kind: &CommandTag| (*kind as u32).to_be_bytes();
    matches!(body, [b'L', rest @ ..] if OURS.iter().any(|kind| rest.starts_with(&number(kind))))
}

/// Puts a piece of sound into the ring; what does not fit is lost.
pub fn listen(sound: &[u8], ring: &mut Producer<f32>, pace: &Pace, now: Instant) {
    let samples = sound.chunks_exact(SAMPLE);
    let count = samples.len().min(ring.slots());
    if let Ok(space) = ring.write_chunk_uninit(count) {
        space.fill_from_iter(
            samples.map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap_or_default())),
        );
    }
    pace.burst(now);
}

/// The way to a loudspeaker: sound goes to the server as soon as there is some.
pub struct Mouth {
    socket: UnixStream,
    channel: u32,
    pace: Arc<Pace>,
    /// Samples written in all.
    written: u64,
    /// A message, and how much of it went out.
    message: Vec<u8>,
    sent: usize,
}

impl Mouth {
    /// For a stream that has this channel of the connection.
    pub fn new(socket: UnixStream, channel: u32, pace: Arc<Pace>) -> Self {
        let message = Vec::with_capacity(DESCRIPTOR_SIZE + MOST * SAMPLE);
        Self { socket, channel, pace, written: 0, message, sent: 0 }
    }

    /// How the device goes along.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Samples that lay at the server after the last burst, and what was written since.
    pub fn level(&self) -> usize {
        let wanted = u64::from(self.pace.wanted.load(Ordering::Relaxed));
        let asked = self.pace.asked.load(Ordering::Relaxed);
        (wanted + self.written).saturating_sub(asked) as usize
    }

    /// Writes these samples; those beyond a fifth of a second at the server are lost.
    pub fn put(&mut self, samples: &[f32]) {
        let room = MOST.saturating_sub(self.level());
        let samples = samples.get(..room).unwrap_or(samples);
        if !self.flush() || samples.is_empty() {
            return;
        }
        let head = Descriptor {
            length: (samples.len() * SAMPLE) as u32,
            channel: self.channel,
            offset: 0,
            flags: DescriptorFlags::empty(),
        };
        let mut bytes = [0; DESCRIPTOR_SIZE];
        protocol::encode_descriptor(&mut bytes, &head);
        self.message.extend_from_slice(&bytes);
        for sample in samples {
            self.message.extend_from_slice(&sample.clamp(-1.0, 1.0).to_le_bytes());
        }
        self.flush();
        if self.sent == 0 && !self.message.is_empty() {
            // Not a byte went out: the sound is lost, and the next is not late.
            self.message.clear();
        } else {
            self.written += samples.len() as u64;
        }
    }

    /// Sends what is left of a message; false when something is left still.
    fn flush(&mut self) -> bool {
        while let Some(rest) = self.message.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match SockRef::from(&self.socket).send_with_flags(rest, AT_ONCE) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Also when the connection is over: the thread that listens tells of that.
                Err(_) => return false,
            }
        }
        self.message.clear();
        self.sent = 0;
        true
    }
}

/// For fuzzers: takes any bytes as what a sound server says on a stream, in pieces; what is given on is no more than what
/// came, and nothing that was read is said again.
///
/// # Panics
/// When one of these does not hold.
pub fn any_bytes(data: &[u8]) {
    let origin = super::clock();
    let pace = Pace::new(origin, 240, 19_200);
    let (mut ring, mut heard) = rtrb::RingBuffer::<f32>::new(960);
    let mut inbox = Inbox::new(pulseaudio::protocol::MAX_VERSION);
    let (mut told, mut samples) = (0, 0);
    let step = usize::from(data.first().copied().unwrap_or_default()) + 1;
    for mut piece in data.chunks(step) {
        let read = inbox.read(&mut piece, |message| match message {
            Message::Sound(sound) => {
                told += sound.len();
                listen(sound, &mut ring, &pace, origin);
            }
            Message::Command(_) => told += 1,
        });
        if read.is_err() {
            break;
        }
        while heard.pop().is_ok() {
            samples += 1;
        }
    }
    assert!(told <= data.len() && samples * SAMPLE <= told);
}

#[cfg(test)]
mod tests {
    use super::{Mouth, Pace};
    use crate::dsp::RATE;
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    #[expect(clippy::disallowed_methods, reason = "some point to count from")]
    fn origin() -> Instant {
        Instant::now()
    }

    #[test]
    fn between_bursts_a_device_goes_on_evenly_and_a_late_one_waits() {
        let start = origin();
        let at = |ms| start + Duration::from_millis(ms);
        let pace = Pace::new(start, 480, 0);
        pace.ask(480, at(100));
        let seen = [100, 104, 110, 150].map(|ms| pace.since(at(ms)));
        assert_eq!(seen, [0, 192, 480, 480]);
        pace.set(240, None);
        assert_eq!(pace.since(at(150)), 240);
    }

    #[test]
    fn the_level_is_what_was_written_and_not_asked_for_again() {
        let start = origin();
        let (_theirs, ours) = UnixStream::pair().expect("a pair");
        let pace = Arc::new(Pace::new(start, 240, 19_200));
        // The server asks for all that it wants before anything was written.
        pace.ask(19_200, start);
        let mut mouth = Mouth::new(ours, 0, pace.clone());
        assert_eq!(mouth.level(), 0);
        mouth.put(&[0.0; 960]);
        assert_eq!(mouth.level(), 960);
        pace.ask(240, start);
        assert_eq!(mouth.level(), 720);
        // A server that stands still is not filled without end.
        for _ in 0..100 {
            mouth.put(&[0.0; 960]);
        }
        assert_eq!(mouth.level(), RATE as usize / 5);
    }
}
