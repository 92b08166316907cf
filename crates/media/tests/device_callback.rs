//! The callbacks of sound cards, called as the sound system calls them, and the path of samples from and to
//! a sound server: they allocate nothing, free nothing, and wait for nobody.
#![allow(unsafe_code, reason = "an allocator that counts cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use cpal::{FromSample, I24, SizedSample};
use offhook_media::callback::{listen, speak};
use rtrb::RingBuffer;

/// The system's allocator; counts what a thread asks of it while that thread is watched.
struct Watched;

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static ASKED: Cell<u32> = const { Cell::new(0) };
}

fn note() {
    // A thread that ends has no such cell any more.
    if WATCHED.try_with(Cell::get).unwrap_or(false) {
        let _ = ASKED.try_with(|asked| asked.set(asked.get() + 1));
    }
}

// SAFETY: everything is done by the system's allocator, with the very arguments that were given.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        note();
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note();
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note();
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;

/// How often `work` asked the allocator for something.
fn asked(work: impl FnOnce()) -> u32 {
    ASKED.set(0);
    WATCHED.set(true);
    work();
    WATCHED.set(false);
    ASKED.get()
}

fn stamps() -> (cpal::InputCallbackInfo, cpal::OutputCallbackInfo) {
    let zero = cpal::StreamInstant::new(0, 0);
    let capture = cpal::InputStreamTimestamp { callback: zero, capture: zero };
    let playback = cpal::OutputStreamTimestamp { callback: zero, playback: zero };
    (cpal::InputCallbackInfo::new(capture), cpal::OutputCallbackInfo::new(playback))
}

/// Frames of a callback: usual ones, none, one, and more than the ring holds.
const FRAMES: [usize; 6] = [480, 441, 0, 1, 1_024, 20_000];

fn both_callbacks<S>(channels: u16) -> u32
where
    S: SizedSample + FromSample<f32> + Send + 'static,
    f32: FromSample<S>,
{
    let (taken, mut from_card) = RingBuffer::<f32>::new(9_600);
    let (mut to_card, given) = RingBuffer::<f32>::new(9_600);
    let mut microphone = listen::<S>(channels, taken);
    let mut loudspeaker = speak::<S>(channels, given, Arc::new(AtomicU32::new(0)));
    let (heard, played) = stamps();
    // A trailing part of a frame must not matter either.
    let mut buffer = vec![S::EQUILIBRIUM; 20_000 * usize::from(channels) + 1];
    let mut count = 0;
    for round in 0..50 {
        for frames in FRAMES {
            let data = &mut buffer[..frames * usize::from(channels) + round % 2];
            count += asked(|| {
                microphone(data, &heard);
                loudspeaker(data, &played);
            });
        }
        // The other side takes and gives now and then: rings are full, empty and in between.
        if round % 3 == 0 {
            while from_card.pop().is_ok() {}
            while to_card.push(0.25).is_ok() {}
        }
    }
    count
}

#[test]
fn the_detector_sees_what_is_allocated_and_what_is_freed() {
    assert_eq!(asked(|| drop(black_box(Box::new(7)))), 2);
    assert!(asked(|| drop(black_box(String::from("x") + "y"))) >= 2);
    assert_eq!(asked(|| ()), 0);
}

#[test]
fn callbacks_allocate_and_free_nothing_in_any_format() {
    for channels in [1, 2, 6] {
        assert_eq!(both_callbacks::<f32>(channels), 0);
        assert_eq!(both_callbacks::<f64>(channels), 0);
        assert_eq!(both_callbacks::<i8>(channels), 0);
        assert_eq!(both_callbacks::<i16>(channels), 0);
        assert_eq!(both_callbacks::<I24>(channels), 0);
        assert_eq!(both_callbacks::<i32>(channels), 0);
        assert_eq!(both_callbacks::<u8>(channels), 0);
        assert_eq!(both_callbacks::<u16>(channels), 0);
        assert_eq!(both_callbacks::<u32>(channels), 0);
    }
}

/// How often this thread has given up the processor to wait for something.
#[cfg(target_os = "linux")]
fn waits() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").expect("status");
    let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches"));
    let count = line.and_then(|line| line.split_whitespace().last()).expect("switches");
    count.parse().expect("a number")
}

#[cfg(target_os = "linux")]
#[test]
fn the_detector_sees_a_lock_that_somebody_holds() {
    let lock = Mutex::new(());
    let held = Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let guard = lock.lock().expect("the lock");
            held.wait();
            std::thread::sleep(Duration::from_millis(50));
            drop(guard);
        });
        held.wait();
        let before = waits();
        drop(lock.lock().expect("the lock"));
        assert!(waits() > before);
    });
}

/// A thread that meets a lock somebody holds gives the processor up; one that meets none does not.
#[cfg(target_os = "linux")]
#[test]
fn callbacks_wait_for_nobody_while_the_other_side_works_without_pause() {
    // The kernel itself may make a thread wait once in a while; a lock does in every round.
    let fewest = (0..5).map(|_| waits_of_ten_thousand_callbacks()).min();
    assert_eq!(fewest, Some(0));
}

#[cfg(target_os = "linux")]
fn waits_of_ten_thousand_callbacks() -> u64 {
    let (taken, mut from_card) = RingBuffer::<f32>::new(9_600);
    let (mut to_card, given) = RingBuffer::<f32>::new(9_600);
    let mut microphone = listen::<i16>(2, taken);
    let mut loudspeaker = speak::<i16>(2, given, Arc::new(AtomicU32::new(0)));
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let _ = (from_card.pop(), to_card.push(0.5));
            }
        });
        let (heard, played) = stamps();
        let mut data = [0i16; 960];
        let before = waits();
        for _ in 0..10_000 {
            microphone(&data, &heard);
            loudspeaker(&mut data, &played);
        }
        let after = waits();
        over.store(true, Ordering::Relaxed);
        after - before
    })
}

/// Both ways of a sound server's stream, with the server's end of the socket in hand.
#[cfg(target_os = "linux")]
mod server {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;
    use std::time::Instant;

    use offhook_media::pulse::{Inbox, Message, Mouth, Pace, listen};
    use pulseaudio::protocol::{self, Command, Descriptor, DescriptorFlags, Request, Underflow};
    use rtrb::RingBuffer;

    use super::{asked, waits};

    const VERSION: u16 = protocol::MAX_VERSION;

    #[expect(clippy::disallowed_methods, reason = "the path of samples looks at the clock itself")]
    fn now() -> Instant {
        Instant::now()
    }

    /// A burst as the server sends it: a request, word of a gap, and two pieces of sound.
    fn burst() -> Vec<u8> {
        let mut bytes = vec![];
        for command in [
            Command::Request(Request { channel: 0, length: 4 * 960 }),
            Command::Underflow(Underflow { channel: 0, offset: 7 }),
        ] {
            protocol::write_command_message(&mut bytes, 9, &command, VERSION).expect("written");
        }
        for samples in [240, 17] {
            let sound: Vec<u8> = (0..samples).flat_map(|_| 0.25f32.to_le_bytes()).collect();
            let length = sound.len() as u32;
            let flags = DescriptorFlags::empty();
            let head = Descriptor { length, channel: 0, offset: 0, flags };
            protocol::write_descriptor(&mut bytes, &head).expect("written");
            bytes.extend(sound);
        }
        bytes
    }

    #[test]
    fn the_path_of_samples_allocates_and_frees_nothing() {
        let (mut theirs, mut ours) = UnixStream::pair().expect("a pair");
        let pace = Arc::new(Pace::new(now(), 240, 0));
        let (mut ring, mut heard) = RingBuffer::<f32>::new(9_600);
        let mut inbox = Inbox::new(VERSION);
        let mut mouth = Mouth::new(ours.try_clone().expect("a copy"), 0, pace.clone());
        let frame = [0.5f32; 960];
        let mut count = 0;
        let mut sink = vec![0; 65_536];
        for _ in 0..200 {
            theirs.write_all(&burst()).expect("sent");
            count += asked(|| {
                let read = inbox.read(&mut ours, |message| match message {
                    Message::Sound(sound) => listen(sound, &mut ring, &pace, now()),
                    Message::Command(Command::Request(request)) => {
                        pace.ask(u64::from(request.length) / 4, now());
                    }
                    Message::Command(Command::Underflow(_)) => pace.gap(),
                    Message::Command(_) => panic!("nothing else was sent"),
                });
                assert!(read.is_ok());
                mouth.put(&frame);
                let _ = (mouth.level(), pace.since(now()));
            });
            while heard.pop().is_ok() {}
            assert!(theirs.read(&mut sink).expect("something") > 0);
        }
        assert_eq!((count, pace.gaps()), (0, 200));
    }

    /// A server that takes nothing any more costs sound, not time, and the messages stay whole.
    #[test]
    fn a_server_that_does_not_read_holds_up_nobody() {
        let (mut theirs, ours) = UnixStream::pair().expect("a pair");
        let pace = Arc::new(Pace::new(now(), 240, 0));
        let mut mouth = Mouth::new(ours, 3, pace.clone());
        let frame = [0.5f32; 960];
        let fewest = (0..5).map(|_| {
            let before = waits();
            for _ in 0..2_000 {
                // It asks on, so that nothing is held back for too much being there.
                pace.ask(960, now());
                assert_eq!(asked(|| mouth.put(&frame)), 0);
            }
            waits() - before
        });
        assert_eq!(fewest.min(), Some(0));
        // Whoever reads again finds whole messages, with what was held back at the end.
        theirs.set_nonblocking(true).expect("set");
        let mut bytes = vec![];
        let _ = theirs.read_to_end(&mut bytes);
        mouth.put(&frame);
        let _ = theirs.read_to_end(&mut bytes);
        let mut rest = bytes.as_slice();
        let mut messages = 0;
        while let Ok(head) = protocol::read_descriptor(&mut rest) {
            assert_eq!((head.channel, head.length % 4), (3, 0));
            assert!(head.length <= 4 * 9_600);
            rest = rest.split_at_checked(head.length as usize).expect("a whole message").1;
            messages += 1;
        }
        assert!(messages > 2 && rest.is_empty());
    }
}
