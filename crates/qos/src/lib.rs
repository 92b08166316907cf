//! Which UDP ports media uses and how its packets are marked (reference qos-ports.md sections 2
//! and 3). Pure arithmetic: nothing here opens a port.

mod mark;
mod split;

pub use mark::{Dscp, dscp_of_tos, tos_of_dscp};
pub use split::{PortError, PortSplit, audio_ports, video_ports};
