//! What happened in the laboratory, for scripts: JSON lines without the content of any chat.

use std::path::PathBuf;

use serde::Serialize;
use tokio::sync::broadcast;

/// One thing that happened.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LabEvent {
    /// A robot and somebody are connected.
    RobotCallStarted {
        /// The robot's user id.
        robot: String,
        /// Number or name of the other side.
        remote: String,
        /// `incoming` or `outgoing`, from the robot's side.
        direction: &'static str,
        /// Codec both agreed on.
        codec: &'static str,
    },
    /// The call of a robot is over.
    RobotCallEnded {
        /// The robot's user id.
        robot: String,
        /// Number or name of the other side.
        remote: String,
        /// Who ended it and why: `remoteHungUp`, `robotHungUp`, `timeLimit`, `stopped`.
        cause: &'static str,
        /// Seconds from the answer to the end.
        seconds: f64,
        /// WAV file with what the robot heard.
        recording: Option<PathBuf>,
        /// RTP packets received.
        packets_received: u64,
        /// RTP packets sent.
        packets_sent: u64,
        /// Packets that never came, by sequence number.
        lost: u64,
        /// Packets that came too late or twice.
        late: u64,
        /// Strongest tone of the loudest second, in hertz.
        tone_hz: Option<f64>,
        /// Level of the loudest second, in dB below full scale.
        level_dbfs: Option<f64>,
        /// Keys pressed by the other side.
        digits: String,
    },
    /// A call the robot placed was not answered.
    RobotCallFailed {
        /// The robot's user id.
        robot: String,
        /// Number called.
        remote: String,
        /// Final SIP status.
        status: u16,
    },
    /// A robot was written to and has answered.
    RobotChat {
        /// The robot's user id.
        robot: String,
        /// Bare address of the other side.
        with: String,
        /// Messages with a body it got from there so far.
        received: u64,
        /// Messages with a body it sent there so far.
        sent: u64,
        /// Receipts it got from there so far.
        receipts: u64,
    },
    /// Somebody chats from now on.
    ChatBegan {
        /// The user id.
        user: String,
        /// Which node of IM and Presence, without the domain.
        node: &'static str,
        /// It came in at the edge.
        by_edge: bool,
    },
    /// A node of IM and Presence or of the call manager went down or came back.
    Node {
        /// Its name without the domain.
        node: &'static str,
        /// It is up.
        up: bool,
    },
    /// A phone registered.
    Registered {
        /// Number of the line.
        number: String,
        /// Device name, if it gave one.
        device: Option<String>,
        /// `udp`, `tcp` or `tls`.
        transport: &'static str,
        /// It came by the routes that an edge told.
        by_edge: bool,
        /// Name of the node without the domain.
        node: &'static str,
    },
    /// A phone got a certificate.
    CertificateIssued {
        /// Device name.
        device: String,
        /// How it showed who it is: `string`, `null`, `certificate`.
        by: &'static str,
    },
    /// A phone got no certificate.
    CertificateRefused {
        /// Device name that it gave.
        device: String,
        /// Reason that it was told.
        reason: u8,
    },
    /// A phone asked a node whether it is there.
    KeptAlive {
        /// Number of the line.
        number: String,
        /// Name of the node without the domain.
        node: &'static str,
    },
    /// A call with a phone outside is over.
    PassedEdge {
        /// Encrypted packets of the phone that were believed and passed on in clear.
        inwards: u64,
        /// Packets to the phone that were encrypted.
        outwards: u64,
    },
    /// A phone told at the end of a call what came of its sound.
    CallStatistics {
        /// Number of the line.
        number: String,
        /// It stood in the 200 to our BYE, else in the phone's own.
        in_answer: bool,
        /// What the phone received.
        received: Statistics,
        /// What the phone sent.
        sent: Statistics,
    },
    /// A phone went away.
    Unregistered {
        /// Number of the line.
        number: String,
        /// Device name, if it gave one.
        device: Option<String>,
    },
}

/// One direction of a call's sound, as a phone told it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Statistics {
    /// `Dur`.
    pub seconds: u64,
    /// `Pkt`.
    pub packets: u64,
    /// `Oct`.
    pub octets: u64,
    /// `LostPkt`, of what was received.
    pub lost: Option<u64>,
    /// `AvgJit`, of what was received.
    pub jitter: Option<f64>,
}

/// Where services report to; listeners that lag lose the oldest events.
#[derive(Debug, Clone)]
pub(crate) struct Events(broadcast::Sender<LabEvent>);

impl Events {
    pub(crate) fn new() -> Self {
        Self(broadcast::channel(256).0)
    }

    pub(crate) fn tell(&self, event: LabEvent) {
        // Without a listener there is nobody to tell, which is well.
        let _ = self.0.send(event);
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<LabEvent> {
        self.0.subscribe()
    }
}
