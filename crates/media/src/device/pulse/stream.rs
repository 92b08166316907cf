//! Streams, and how their buffers are set.
//!
//! *A microphone:* the server hands over what it has every [`PERIOD`], and would keep a second of it for
//! a client that was held up. *A loudspeaker:* sound is written when there is some, and not when the
//! server asks; what the server asks for tells how far the device is. That is why the server is told
//! to want much (its words end where its wish is fulfilled), to begin with the first sample, and to
//! set the device by the shortest request (*early requests*) instead of by what it wants. How much really
//! lies there is decided by [`crate::device::steer`].

use std::io::ErrorKind;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pulseaudio::protocol::stream::{BufferAttr, StreamFlags};
use pulseaudio::protocol::{
    ChannelMap, ChannelPosition, Command, CreatePlaybackStreamReply, CreateRecordStreamReply,
    PlaybackStreamParams, Prop, Props, RecordStreamParams, SampleFormat, SampleSpec,
};
use rtrb::Producer;

use super::feed::{Inbox, Message, Mouth, Pace, SAMPLE, listen};
use super::{Device, Link};
use crate::device::{OnTrouble, Trouble};
use crate::dsp::RATE;

/// What devices are to be set to: shorter costs wake-ups on both sides, longer is delay.
const PERIOD: Duration = Duration::from_millis(5);
/// What the server may want to have of a loudspeaker's sound: more than there ever is.
const WANTED: Duration = Duration::from_millis(400);
/// The longest that the server keeps.
const KEPT: Duration = Duration::from_secs(1);

/// An open stream; it ends when this is dropped.
pub(in crate::device) struct Stream {
    socket: UnixStream,
    over: Arc<AtomicBool>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        // Ends the thread's read; the server ends the stream with its connection.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

#[expect(clippy::disallowed_methods, reason = "when a device gave or took sound is its own time")]
pub(crate) fn clock() -> Instant {
    Instant::now()
}

/// Opens a microphone, whose sound goes into the ring.
///
/// # Errors
/// In words.
pub(in crate::device) fn record(
    device: &Device,
    mut ring: Producer<f32>,
    on_trouble: impl OnTrouble,
) -> Result<(Stream, Arc<Pace>), String> {
    let mut link = Link::open()?;
    let params = RecordStreamParams {
        sample_spec: format(),
        channel_map: ChannelMap::new([ChannelPosition::Mono]),
        source_name: Some(device.name.clone()),
        buffer_attr: BufferAttr {
            max_length: bytes(KEPT),
            fragment_size: bytes(PERIOD),
            ..BufferAttr::default()
        },
        flags: StreamFlags { adjust_latency: true, ..StreamFlags::default() },
        props: props(c"Microphone"),
        ..RecordStreamParams::default()
    };
    let opened: CreateRecordStreamReply = link.ask(&Command::CreateRecordStream(params))?;
    if opened.suspended {
        return Err(SUSPENDED.to_owned());
    }
    let pace = Arc::new(Pace::new(clock(), samples(opened.stream_latency), 0));
    let own = pace.clone();
    let stream = listening(link, "offhook-mic", on_trouble, move |message| match message {
        Message::Sound(sound) => listen(sound, &mut ring, &own, clock()),
        Message::Command(Command::RecordStreamMoved(moved)) => {
            own.set(samples(moved.configured_source_latency), None);
        }
        Message::Command(_) => {}
    })?;
    Ok((stream.0, pace))
}

/// Opens a loudspeaker.
///
/// # Errors
/// In words.
pub(in crate::device) fn play(
    device: &Device,
    on_trouble: impl OnTrouble,
) -> Result<(Stream, Mouth), String> {
    let mut link = Link::open()?;
    let params = PlaybackStreamParams {
        sample_spec: format(),
        channel_map: ChannelMap::new([ChannelPosition::Mono]),
        sink_name: Some(device.name.clone()),
        buffer_attr: BufferAttr {
            max_length: bytes(KEPT),
            target_length: bytes(WANTED),
            pre_buffering: SAMPLE as u32,
            minimum_request_length: bytes(PERIOD),
            ..BufferAttr::default()
        },
        flags: StreamFlags { early_requests: true, ..StreamFlags::default() },
        props: props(c"Loudspeaker"),
        ..PlaybackStreamParams::default()
    };
    let opened: CreatePlaybackStreamReply = link.ask(&Command::CreatePlaybackStream(params))?;
    if opened.suspended {
        return Err(SUSPENDED.to_owned());
    }
    let wanted = |buffer: BufferAttr| buffer.target_length / SAMPLE as u32;
    let period = samples(opened.stream_latency);
    let pace = Arc::new(Pace::new(clock(), period, wanted(opened.buffer_attr)));
    pace.ask(u64::from(opened.requested_bytes) / SAMPLE as u64, clock());
    let own = pace.clone();
    let (stream, socket) =
        listening(link, "offhook-speaker", on_trouble, move |message| match message {
            Message::Command(Command::Request(request)) => {
                own.ask(u64::from(request.length) / SAMPLE as u64, clock());
            }
            Message::Command(Command::Underflow(_)) => own.gap(),
            Message::Command(Command::PlaybackBufferAttrChanged(set)) => {
                own.set(samples(set.sink_input_latency), Some(wanted(set.buffer_attr)));
            }
            Message::Command(Command::PlaybackStreamMoved(moved)) => {
                own.set(samples(moved.configured_sink_latency), Some(wanted(moved.buffer_attr)));
            }
            Message::Command(_) | Message::Sound(_) => {}
        })?;
    Ok((stream, Mouth::new(socket, opened.channel, pace)))
}

const SUSPENDED: &str = "the sound server has suspended it";

/// Has a thread listen to the server from now on; the socket given back is for writing.
fn listening(
    link: Link,
    name: &str,
    on_trouble: impl OnTrouble,
    mut take: impl FnMut(Message<'_>) + Send + 'static,
) -> Result<(Stream, UnixStream), String> {
    let text = |error: std::io::Error| error.to_string();
    let (mut reader, version) = link.into_parts()?;
    let socket = reader.get_ref().try_clone().map_err(text)?;
    let write = reader.get_ref().try_clone().map_err(text)?;
    let over = Arc::new(AtomicBool::new(false));
    let stream = Stream { socket, over: over.clone() };
    let listen = move || {
        let mut inbox = Inbox::new(version);
        let why = loop {
            let mut trouble = None;
            let read = inbox.read(&mut reader, |message| {
                if let Message::Command(command) = message {
                    trouble = trouble.take().or_else(|| trouble_in(command));
                }
                take(message);
            });
            if let Err(kind) = read {
                break kind;
            }
            if let Some(trouble) = trouble {
                on_trouble(trouble);
            }
        };
        if !over.load(Ordering::Acquire) {
            let why = match why {
                ErrorKind::InvalidData => "the sound server is not understood",
                _ => "the sound server ended it",
            };
            on_trouble(Trouble::Lost(why.to_owned()));
        }
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(listen).map_err(text)?;
    Ok((stream, write))
}

/// What the server tells of the stream's fate.
fn trouble_in(command: &Command) -> Option<Trouble> {
    match command {
        Command::PlaybackStreamKilled(_) | Command::RecordStreamKilled(_) => {
            Some(Trouble::Lost("it is not connected any more".to_owned()))
        }
        Command::PlaybackStreamSuspended(it) | Command::RecordStreamSuspended(it)
            if it.suspended =>
        {
            Some(Trouble::Lost(SUSPENDED.to_owned()))
        }
        Command::PlaybackStreamMoved(_) | Command::RecordStreamMoved(_) => Some(Trouble::Moved),
        _ => None,
    }
}

/// What every stream of ours is: one channel at the engine's rate, and the server converts.
fn format() -> SampleSpec {
    SampleSpec { format: SampleFormat::Float32Le, channels: 1, sample_rate: RATE }
}

/// What the server may want to know: music may be turned down beside a `phone`, and an echo canceller of
/// the server's own would only be in the way of ours.
fn props(name: &std::ffi::CStr) -> Props {
    let mut props = Props::new();
    props.set(Prop::MediaName, name);
    props.set(Prop::MediaRole, c"phone");
    props.set(Prop::FilterSuppress, c"echo-cancel");
    props
}

fn bytes(time: Duration) -> u32 {
    time.as_millis() as u32 * (RATE / 1_000) * SAMPLE as u32
}

/// Samples in so many microseconds.
fn samples(micros: u64) -> u32 {
    (micros.min(1_000_000) * u64::from(RATE) / 1_000_000) as u32
}
