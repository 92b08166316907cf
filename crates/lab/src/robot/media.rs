//! The media of one call of a robot: RTP out every 20 ms, RTP in recorded and, in the right mode,
//! sent back (RFC 3550, 3551, 4733), encrypted where the description says so.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::sync::watch;

use super::g711::Law;
use super::sdp::Remote;
use super::sound::{FRAME, Recorder, Tone, measure};
use crate::config::{RobotConfig, RobotMode};
use crate::random;
use crate::srtp::{Context, Key};

/// Packets held for echoing before the oldest is dropped: one second.
const MAX_ECHO: usize = 50;
/// Longest silence filled in for packets that are missing.
const MAX_GAP: u16 = 250;
/// Longest recording kept for measuring.
const MAX_SAMPLES: usize = 8000 * 120;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) packets_received: u64,
    pub(crate) packets_sent: u64,
    pub(crate) lost: u64,
    pub(crate) late: u64,
    pub(crate) tone_hz: Option<f64>,
    pub(crate) level_dbfs: Option<f64>,
    pub(crate) digits: String,
    pub(crate) recording: Option<PathBuf>,
}

/// An RTP packet as it stands in the bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Packet<'a> {
    pub(crate) payload_type: u8,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    pub(crate) payload: &'a [u8],
}

pub(crate) fn read_packet(bytes: &[u8]) -> Option<Packet<'_>> {
    let head = bytes.get(..12)?;
    if head[0] >> 6 != 2 {
        return None;
    }
    let mut start = 12 + 4 * usize::from(head[0] & 0x0f);
    if head[0] & 0x10 != 0 {
        let extension = bytes.get(start..start + 4)?;
        start += 4 + 4 * usize::from(u16::from_be_bytes([extension[2], extension[3]]));
    }
    let mut end = bytes.len();
    if head[0] & 0x20 != 0 {
        end = end.checked_sub(usize::from(*bytes.last()?))?;
    }
    Some(Packet {
        payload_type: head[1] & 0x7f,
        sequence: u16::from_be_bytes([head[2], head[3]]),
        timestamp: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
        ssrc: u32::from_be_bytes([head[8], head[9], head[10], head[11]]),
        payload: bytes.get(start..end)?,
    })
}

/// See [`crate::fuzzing`].
pub(super) fn fuzz_packet(data: &[u8]) {
    if let Some(packet) = read_packet(data) {
        assert!(packet.payload.len() + 12 <= data.len());
    }
}

/// The sending side.
pub(crate) struct Sender {
    sequence: u16,
    pub(crate) timestamp: u32,
    ssrc: u32,
    pub(crate) first: bool,
    sent: u64,
}

impl Sender {
    pub(crate) fn new() -> Self {
        Self {
            sequence: u16::from_be_bytes(random::bytes()),
            timestamp: u32::from_be_bytes(random::bytes()),
            ssrc: u32::from_be_bytes(random::bytes()),
            first: true,
            sent: 0,
        }
    }

    pub(crate) fn packet(
        &mut self,
        payload_type: u8,
        marker: bool,
        timestamp: u32,
        payload: &[u8],
    ) -> Vec<u8> {
        let mut out = vec![0x80, payload_type | if marker { 0x80 } else { 0 }];
        out.extend(self.sequence.to_be_bytes());
        out.extend(timestamp.to_be_bytes());
        out.extend(self.ssrc.to_be_bytes());
        out.extend(payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.sent += 1;
        out
    }
}

/// The receiving side.
struct Receiver {
    ssrc: Option<u32>,
    expected: u16,
    recorder: Option<Recorder>,
    samples: Vec<i16>,
    echo: VecDeque<[i16; FRAME]>,
    rest: Vec<i16>,
    last_event: Option<u32>,
    report: Report,
}

impl Receiver {
    /// Takes an audio packet; fills gaps, drops what comes late.
    fn audio(&mut self, packet: &Packet<'_>, law: Law) {
        self.report.packets_received += 1;
        if self.ssrc != Some(packet.ssrc) {
            self.ssrc = Some(packet.ssrc);
            self.expected = packet.sequence;
        }
        let ahead = packet.sequence.wrapping_sub(self.expected);
        if ahead >= 0x8000 {
            self.report.late += 1;
            return;
        }
        let samples: Vec<i16> = packet.payload.iter().map(|octet| law.decode(*octet)).collect();
        if ahead > 0 {
            self.report.lost += u64::from(ahead);
            let missing = usize::from(ahead.min(MAX_GAP)) * samples.len();
            self.record(&vec![0; missing]);
        }
        self.expected = packet.sequence.wrapping_add(1);
        self.record(&samples);
        self.rest.extend(samples);
        while self.rest.len() >= FRAME {
            let mut frame = [0; FRAME];
            frame.copy_from_slice(&self.rest[..FRAME]);
            self.rest.drain(..FRAME);
            if self.echo.len() >= MAX_ECHO {
                self.echo.pop_front();
            }
            self.echo.push_back(frame);
        }
    }

    fn record(&mut self, samples: &[i16]) {
        if self.samples.len() < MAX_SAMPLES {
            self.samples.extend(samples);
        }
        if let Some(recorder) = &mut self.recorder
            && let Err(error) = recorder.write(samples)
        {
            tracing::warn!(%error, "a recording failed");
            self.recorder = None;
        }
    }

    /// Takes a telephone event; returns whether it is a new one.
    fn event(&mut self, packet: &Packet<'_>) -> bool {
        self.report.packets_received += 1;
        if self.ssrc == Some(packet.ssrc) && packet.sequence.wrapping_sub(self.expected) < 0x8000 {
            self.expected = packet.sequence.wrapping_add(1);
        }
        if self.last_event == Some(packet.timestamp) {
            return false;
        }
        self.last_event = Some(packet.timestamp);
        const KEYS: &[u8] = b"0123456789*#ABCD";
        let key = packet.payload.first().and_then(|code| KEYS.get(usize::from(*code)));
        self.report.digits.extend(key.map(|key| char::from(*key)));
        true
    }

    fn finish(mut self, recording: Option<PathBuf>, sent: u64) -> Report {
        self.report.packets_sent = sent;
        self.report.recording = recording.filter(|_| self.recorder.is_some());
        drop(self.recorder.take());
        if let Some((tone, level)) = measure(&self.samples) {
            self.report.tone_hz = Some((tone * 10.0).round() / 10.0);
            self.report.level_dbfs = Some((level * 10.0).round() / 10.0);
        }
        self.report
    }
}

/// What the robot says next.
struct Voice {
    mode: RobotMode,
    tone: Tone,
    tone_frames: u64,
    speech: Vec<i16>,
    at: usize,
}

impl Voice {
    fn new(robot: &RobotConfig) -> Self {
        let mut mode = robot.mode;
        let mut speech = Vec::new();
        if mode == RobotMode::Speech {
            match robot.speech.as_deref().map(super::sound::read_wav) {
                Some(Ok(samples)) if !samples.is_empty() => speech = samples,
                Some(Ok(_)) | None => mode = RobotMode::Tone,
                Some(Err(error)) => {
                    tracing::warn!(error, "the robot's speech file cannot be used");
                    mode = RobotMode::Tone;
                }
            }
        }
        let tone_frames = if mode == RobotMode::Echo { 0 } else { robot.tone_ms / 20 };
        Self { mode, tone: Tone::new(robot.tone_hz), tone_frames, speech, at: 0 }
    }

    fn frame(&mut self, echo: &mut VecDeque<[i16; FRAME]>) -> [i16; FRAME] {
        if self.mode == RobotMode::Speech {
            let mut out = [0; FRAME];
            for sample in &mut out {
                *sample = self.speech.get(self.at).copied().unwrap_or(0);
                self.at = (self.at + 1) % self.speech.len().max(1);
            }
            return out;
        }
        if self.tone_frames > 0 {
            self.tone_frames -= 1;
            // What was heard meanwhile is not echoed: the echo is to be recent.
            echo.clear();
            return self.tone.frame();
        }
        echo.pop_front().unwrap_or([0; FRAME])
    }
}

/// Runs the media of a call until `remote` closes; the value says where to send and in what.
pub(crate) async fn run(
    socket: UdpSocket,
    robot: RobotConfig,
    recording: Option<PathBuf>,
    mut remote: watch::Receiver<Option<Remote>>,
    ours: Option<Key>,
) -> Report {
    let recorder = recording.as_deref().and_then(|path| {
        Recorder::create(path).inspect_err(|error| tracing::warn!(%error, "no recording")).ok()
    });
    let mut receiver = Receiver {
        ssrc: None,
        expected: 0,
        recorder,
        samples: Vec::new(),
        echo: VecDeque::new(),
        rest: Vec::new(),
        last_event: None,
        report: Report::default(),
    };
    let mut sender = Sender::new();
    let mut voice = Voice::new(&robot);
    let mute = robot.mode == RobotMode::Mute;
    let mut events = Events::default();
    let mut seals = Seals::new(ours);
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let mut buffer = [0; 2048];
    loop {
        tokio::select! {
            changed = remote.changed() => if changed.is_err() { break },
            received = socket.recv_from(&mut buffer) => {
                let Ok((length, _)) = received else { continue };
                let known = remote.borrow().clone();
                let Some(known) = known else { continue };
                let bytes = buffer.get(..length).unwrap_or_default().to_vec();
                let Some(bytes) = seals.open(&known, bytes) else { continue };
                let Some(packet) = read_packet(&bytes) else { continue };
                if packet.payload_type == known.payload {
                    receiver.audio(&packet, known.law);
                } else if known.events == Some(packet.payload_type) {
                    let fresh = receiver.event(&packet);
                    if let (true, Some(to)) = (known.listens && !mute, known.address) {
                        let out = events.repeat(&mut sender, &packet, fresh);
                        let Some(out) = seals.close(&known, out) else { continue };
                        let _ = socket.send_to(&out, to).await;
                    }
                }
            }
            _ = ticks.tick() => {
                sender.timestamp = sender.timestamp.wrapping_add(160);
                let known = remote.borrow().clone();
                let Some(known) = known else { continue };
                let frame = voice.frame(&mut receiver.echo);
                let (true, Some(to)) = (known.listens && !mute, known.address) else { continue };
                if events.under_way() {
                    continue;
                }
                let payload: Vec<u8> =
                    frame.iter().map(|sample| known.law.encode(*sample)).collect();
                let first = std::mem::take(&mut sender.first);
                let timestamp = sender.timestamp;
                let packet = sender.packet(known.payload, first, timestamp, &payload);
                let Some(packet) = seals.close(&known, packet) else { continue };
                let _ = socket.send_to(&packet, to).await;
            }
        }
    }
    receiver.finish(recording, sender.sent)
}

/// Both directions under the keys of the description; in clear while it names none.
struct Seals {
    ours: Option<Key>,
    receiving: Option<(Key, Context)>,
    sending: Option<(Key, Context)>,
}

/// What goes on under this key, a new one where there was another.
fn under<'a>(present: &'a mut Option<(Key, Context)>, key: &Key) -> &'a mut Context {
    let kept = present.take().filter(|(known, _)| known == key);
    &mut present.insert(kept.unwrap_or_else(|| (key.clone(), Context::new(key)))).1
}

impl Seals {
    fn new(ours: Option<Key>) -> Self {
        Self { ours, receiving: None, sending: None }
    }

    fn open(&mut self, known: &Remote, packet: Vec<u8>) -> Option<Vec<u8>> {
        match (&known.key, &self.ours) {
            (Some(key), Some(_)) => under(&mut self.receiving, key).open(&packet),
            (_, _) => Some(packet),
        }
    }

    fn close(&mut self, known: &Remote, packet: Vec<u8>) -> Option<Vec<u8>> {
        match (&known.key, &self.ours) {
            (Some(key), Some(ours)) => under(&mut self.sending, &ours.answering(key)).seal(&packet),
            (_, _) => Some(packet),
        }
    }
}

/// Keys sent back as they come, so that the other side hears that they arrived.
#[derive(Default)]
struct Events {
    timestamp: u32,
    until: Option<Instant>,
}

impl Events {
    fn under_way(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() < until)
    }

    fn repeat(&mut self, sender: &mut Sender, packet: &Packet<'_>, fresh: bool) -> Vec<u8> {
        if fresh {
            self.timestamp = sender.timestamp;
        }
        let ended = packet.payload.get(1).is_some_and(|flags| flags & 0x80 != 0);
        self.until = (!ended).then(|| Instant::now() + Duration::from_millis(100));
        sender.packet(packet.payload_type, fresh, self.timestamp, packet.payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_with_padding_extension_and_sources_are_read() {
        let mut bytes = vec![0xb1, 0x80, 0, 7, 0, 0, 0, 9, 0, 0, 0, 5];
        bytes.extend([1, 2, 3, 4]);
        bytes.extend([0xbe, 0xde, 0, 1, 9, 9, 9, 9]);
        bytes.extend([42, 43, 0, 2]);
        let packet = read_packet(&bytes).unwrap();
        assert_eq!((packet.sequence, packet.timestamp, packet.ssrc), (7, 9, 5));
        assert_eq!(packet.payload, &[42, 43]);
        for length in 0..bytes.len() {
            let _ = read_packet(&bytes[..length]);
        }
        assert!(read_packet(&[0; 12]).is_none());
        assert!(read_packet(&[0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200]).is_none());
    }

    #[tokio::test]
    async fn a_mute_robot_hears_and_sends_nothing() {
        for (mode, silent) in [(RobotMode::Mute, true), (RobotMode::Tone, false)] {
            let (ours, theirs) = (
                UdpSocket::bind("127.0.0.1:0").await.unwrap(),
                UdpSocket::bind("127.0.0.1:0").await.unwrap(),
            );
            let to = ours.local_addr().unwrap();
            let text = format!(
                "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                 m=audio {} RTP/AVP 0\r\n",
                theirs.local_addr().unwrap().port()
            );
            let remote = crate::robot::sdp::read(&text, &[Law::Mu]);
            let (hang_up, view) = watch::channel(remote);
            let robot = RobotConfig { mode, ..RobotConfig::default() };
            let call = tokio::spawn(run(ours, robot, None, view, None));
            let packet = Sender::new().packet(0, true, 0, &[0xff; FRAME]);
            theirs.send_to(&packet, to).await.unwrap();
            tokio::time::sleep(Duration::from_millis(150)).await;
            drop(hang_up);
            let report = call.await.unwrap();
            assert_eq!((report.packets_received, report.packets_sent == 0), (1, silent));
        }
    }

    fn receiver() -> Receiver {
        Receiver {
            ssrc: None,
            expected: 0,
            recorder: None,
            samples: Vec::new(),
            echo: VecDeque::new(),
            rest: Vec::new(),
            last_event: None,
            report: Report::default(),
        }
    }

    #[test]
    fn gaps_are_filled_and_late_packets_are_counted() {
        let mut receiver = receiver();
        let payload = [0xff; FRAME];
        let mut take = |sequence: u16| {
            let packet =
                Packet { payload_type: 0, sequence, timestamp: 0, ssrc: 1, payload: &payload };
            receiver.audio(&packet, Law::Mu);
        };
        for sequence in [65_534, 65_535, 2, 0, 3] {
            take(sequence);
        }
        assert_eq!((receiver.report.lost, receiver.report.late), (2, 1));
        assert_eq!(receiver.samples.len(), 6 * FRAME);
        assert_eq!(receiver.echo.len(), 4);
    }

    #[test]
    fn a_key_counts_once_however_often_it_is_sent() {
        let mut receiver = receiver();
        for (timestamp, code) in [(1, 5), (1, 5), (1, 5), (2, 11), (2, 11)] {
            let payload = [code, 10, 0, 160];
            let packet =
                Packet { payload_type: 101, sequence: 0, timestamp, ssrc: 1, payload: &payload };
            receiver.event(&packet);
        }
        assert_eq!(receiver.report.digits, "5#");
    }
}
