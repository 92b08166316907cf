//! The callbacks of sound cards (cpal). They run on a thread of the sound system that must not wait: they
//! allocate nothing, free nothing and take no lock; `tests/device_callback.rs` watches them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cpal::{FromSample, Sample, SizedSample};
use rtrb::{Consumer, Producer};

/// The microphone's callback: the mean of the channels into the ring; what does not fit is lost.
pub fn listen<S>(
    channels: u16,
    mut ring: Producer<f32>,
) -> impl FnMut(&[S], &cpal::InputCallbackInfo) + Send + 'static
where
    S: SizedSample,
    f32: FromSample<S>,
{
    let channels = usize::from(channels).max(1);
    let scale = 1.0 / channels as f32;
    move |data, _| {
        let frames = (data.len() / channels).min(ring.slots());
        if let Ok(space) = ring.write_chunk_uninit(frames) {
            space.fill_from_iter(data.chunks_exact(channels).map(|frame| {
                frame.iter().map(|&sample| f32::from_sample(sample)).sum::<f32>() * scale
            }));
        }
    }
}

/// The loudspeaker's callback: the ring into every channel; silence, and a gap counted, where the
/// ring is empty.
pub fn speak<S>(
    channels: u16,
    mut ring: Consumer<f32>,
    gaps: Arc<AtomicU32>,
) -> impl FnMut(&mut [S], &cpal::OutputCallbackInfo) + Send + 'static
where
    S: SizedSample + FromSample<f32>,
{
    let channels = usize::from(channels).max(1);
    move |data, _| {
        let frames = data.len() / channels;
        let count = frames.min(ring.slots());
        let (sounding, silent) = data.split_at_mut(count * channels);
        if let Ok(samples) = ring.read_chunk(count) {
            for (frame, sample) in sounding.chunks_exact_mut(channels).zip(samples) {
                frame.fill(S::from_sample(sample.clamp(-1.0, 1.0)));
            }
        }
        silent.fill(S::EQUILIBRIUM);
        if count < frames {
            gaps.fetch_add(1, Ordering::Relaxed);
        }
    }
}
