//! What the media engine is told, and what it tells.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use offhook_model::{AudioCodec, CallId, Mos, OpusWish, Secret, SrtpSuite};

use crate::{IceFact, IcePlan};

/// Inclusive range of UDP ports for media. `start <= end` and both at least 1,024.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// First port.
    pub start: u16,
    /// Last port.
    pub end: u16,
}

impl Default for PortRange {
    /// The default of the SIP profile (reference qos-ports.md section 2).
    fn default() -> Self {
        Self { start: 16_384, end: 32_766 }
    }
}

/// A codec with the payload type agreed for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodecPlan {
    /// Codec.
    pub codec: AudioCodec,
    /// Payload type, 0 to 127.
    pub payload_type: u8,
}

/// How a call's sound is encrypted. Each side encrypts with its own key (RFC 4568 section 6.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SrtpPlan {
    /// How.
    pub suite: SrtpSuite,
    /// Our master key followed by our master salt, as long as the suite wants them.
    pub send: Secret<Vec<u8>>,
    /// Theirs.
    pub receive: Secret<Vec<u8>>,
}

/// Extended reports (RFC 3611) that both sides want.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtendedReports {
    /// Reference times and what came of them (`rcvr-rtt`).
    pub round_trip: bool,
    /// How a stream sounds where it is heard (`voip-metrics`).
    pub voip: bool,
}

/// Payload types of packets that carry earlier sound once more (RFC 2198).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redundancy {
    /// What ours are to have, if they take such packets.
    pub send: Option<u8>,
    /// What theirs have.
    pub receive: Vec<u8>,
}

/// What a call's sound needs. The same call may get a new plan at any time (hold, re-INVITE).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaPlan {
    /// Where their RTP goes to.
    pub remote: SocketAddr,
    /// Where their RTCP goes to; nothing when multiplexed with RTP (RFC 5761).
    pub remote_rtcp: Option<SocketAddr>,
    /// What we send with.
    pub send: CodecPlan,
    /// What we can receive, by payload type.
    pub receive: Vec<CodecPlan>,
    /// Payload type of RFC 4733 telephone events for sending, if agreed, always at the clock
    /// rate of `send`.
    pub dtmf: Option<u8>,
    /// Payload types that their telephone events come with (RFC 4733), whatever the clock rate.
    pub dtmf_receive: Vec<u8>,
    /// Silence of ours is left out, and this payload type says how it sounds: comfort noise (RFC
    /// 3389) with G.711, frames of Annex B with G.729, of DTX with Opus. Without it everything is
    /// sent.
    pub noise: Option<u8>,
    /// Payload type that their comfort noise comes with (RFC 3389), if it was agreed.
    pub noise_receive: Option<u8>,
    /// What they ask of Opus, where that is what we send.
    pub opus: OpusWish,
    /// How much sound one packet holds, 10 to 60 ms.
    pub packet_time: Duration,
    /// We send (false when held or holding).
    pub sending: bool,
    /// We play what comes.
    pub receiving: bool,
    /// What is heard in other calls with this set is sent in this one as well: a conference that is
    /// mixed here.
    pub mix: bool,
    /// DSCP to mark packets with, 0 to 63.
    pub dscp: u8,
    /// RFC 3550 CNAME for RTCP.
    pub cname: String,
    /// Extended reports to send; theirs are read in any case.
    pub extended: ExtendedReports,
    /// Packets that carry earlier sound once more: sent while losses are reported.
    pub redundancy: Redundancy,
    /// Keys; nothing when the sound goes in clear.
    pub srtp: Option<SrtpPlan>,
    /// Ways to look for; without it the sound goes to `remote`.
    pub ice: Option<IcePlan>,
}

/// How sound is estimated to be, once a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// Over the last seconds.
    pub now: Mos,
    /// Over the call.
    pub mean: Mos,
    /// At its worst.
    pub least: Mos,
    /// At its best.
    pub most: Mos,
}

/// What one direction of a call's sound has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Since its first packet.
    pub time: Duration,
    /// RTP packets.
    pub packets: u64,
    /// Bytes of their payload.
    pub bytes: u64,
    /// Packets that came after their turn.
    pub late: u64,
    /// Packets that were sent and did not come.
    pub lost: u64,
    /// Interarrival jitter (RFC 3550 section 6.4.1).
    pub jitter: Duration,
    /// Packets that were to be played, and those of them that were missing.
    pub due: (u64, u64),
    /// How it sounds; nothing for what we send.
    pub opinion: Option<Opinion>,
}

/// What the microphone gives to a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Microphone {
    /// Sound, or what is no sound card's.
    #[default]
    Works,
    /// Nothing but zeros for so long.
    Still(Duration),
    /// None could be opened for so long.
    Missing(Duration),
    /// The one that was open is gone for so long, and nothing takes its place.
    Gone(Duration),
}

/// How the legs of a call's sound do, as far as they can be measured here. Zero is well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Legs {
    /// What we would send.
    pub microphone: Microphone,
    /// For how long the system has taken no packet of ours.
    pub unsent: Duration,
    /// Over how long a time the newest of their reports (RFC 3550 section 6.4) has seen nothing arrive
    /// of what we sent.
    pub unreached: Duration,
    /// For how long no packet has come while some are due; pauses that they told of do not count.
    pub unreceived: Duration,
    /// Whether they have sent in that time, by their own report; nothing before one has come.
    pub they_send: Option<bool>,
    /// The address of ours that packets to them leave from at present, asked only while something is
    /// amiss on the way.
    pub leaving: Option<IpAddr>,
}

impl Legs {
    /// Nothing is amiss.
    pub fn are_well(&self) -> bool {
        *self == Self::default()
    }
}

/// What the media engine tells the core. High-rate figures go by [`offhook_model::StreamStats`]
/// on request instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaFact {
    /// The first packet came and can be played.
    FirstPacket(CallId),
    /// No packet for so long while some are due.
    Silence(CallId, Duration),
    /// Packets come again.
    SoundAgain(CallId),
    /// A telephone event came in (digit).
    Digit(CallId, char),
    /// All digits asked for were sent.
    DigitsSent(CallId),
    /// What has come and what has gone so far, told each second.
    Figures {
        /// Of this call.
        call: CallId,
        /// What came.
        received: Figures,
        /// What went.
        sent: Figures,
    },
    /// What is silent in a call: each second while something is, and once when nothing is any more.
    Legs(CallId, Legs),
    /// What the search for a way came to.
    Way(CallId, IceFact),
    /// A device failed or is gone, in words; the call goes on without it.
    DeviceLost(String),
    /// The set of devices changed.
    DevicesChanged,
}
