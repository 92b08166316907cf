//! What can go wrong while coding.

use std::time::Duration;

/// Why a coder could not do its work. None of these ends a call: the caller conceals or skips.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Packets of that length cannot be made.
    #[error("packets of {0:?} are not possible (10 to 60 ms in steps of 10)")]
    PacketTime(Duration),
    /// The encoder was given another number of samples than a packet holds.
    #[error("{given} samples given where a packet holds {wanted}")]
    FrameSize {
        /// Samples a packet holds.
        wanted: usize,
        /// Samples given.
        given: usize,
    },
    /// The output buffer is too small.
    #[error("the output needs room for {0}")]
    NoRoom(usize),
    /// The payload makes no sense for this codec.
    #[error("the payload makes no sense for this codec")]
    Payload,
    /// The codec library refused to start or to be set.
    #[error("the codec could not be set up: {0}")]
    Setup(&'static str),
}
