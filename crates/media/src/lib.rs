//! Sound.

mod device;
mod dsp;
pub use dsp::Tone;
