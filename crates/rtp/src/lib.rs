//! What a call's sound needs between the socket and the coder: session description, RTP, RTCP,
//! the jitter buffer and telephone events.
//!
//! All of it is machines: bytes, times (`Instant`, NTP time) and seeds come in as arguments, values
//! come out. This crate opens no socket, reads no clock and draws no random number. What runs
//! once per packet does not allocate.

pub mod bursts;
pub mod dtmf;
#[doc(hidden)]
pub mod fuzzing;
pub mod jitter;
pub mod packet;
pub mod red;
pub mod report;
pub mod rtcp;
pub mod sdp;
pub mod session;
pub mod srtp;
pub mod xr;

pub use bursts::{BurstFigures, Bursts};
pub use dtmf::{DtmfPacket, DtmfReceiver, DtmfSender};
pub use jitter::{Inserted, JitterBuffer, JitterConfig, JitterStats, Pull, Stretch};
pub use packet::{HEADER_LEN, Header, Packet, PacketError};
pub use report::{Heard, Reporter};
pub use rtcp::NtpTime;
pub use sdp::{LocalMedia, Negotiator, SdpError};
pub use session::{Arrival, Collisions, ReceiveState, SendState};
