//! What the adapter for files is told to do, and what it saw. One job a transfer; the orders of a
//! job are carried out in their order, its facts come in theirs.

use std::net::SocketAddr;
use std::path::PathBuf;

use offhook_model::{CaptureArea, Secret};

/// A place where a SOCKS5 bytestream can be had (XEP-0065 `streamhost`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamHost {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// Where a received file is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The folder; the system's download folder without it.
    pub folder: Option<PathBuf>,
    /// A safe name; a number is added when it is taken.
    pub name: String,
}

/// Which connection of a job carries the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The one that came in at our listener.
    Accepted,
    /// The one we opened last.
    Dialled,
}

/// One order to a job.
#[derive(Clone, Debug)]
pub enum TransferOrder {
    /// Look at the file to be sent. [`TransferFact::Looked`].
    Look(PathBuf),
    /// Take a picture of the screen into a file that is removed with the job.
    /// [`TransferFact::Looked`].
    Capture {
        /// What of it.
        area: CaptureArea,
        /// Name of the file.
        name: String,
    },
    /// Upload the file (XEP-0363). [`TransferFact::Progress`], then [`TransferFact::Sent`].
    Put {
        /// Where to, `https`.
        url: String,
        /// Headers that the server wants; the three allowed ones.
        headers: Vec<(String, Secret<String>)>,
        /// Media type.
        media_type: String,
    },
    /// Ask how large the file at a link is. [`TransferFact::Size`].
    Head(String),
    /// Fetch the file at a link, from where an earlier attempt of this job stopped if the server
    /// can. [`TransferFact::Progress`], then [`TransferFact::Received`].
    Get {
        /// Where from, `https`.
        url: String,
        /// Where to.
        place: Place,
        /// More bytes are an error.
        limit: u64,
    },
    /// Listen for the receiver of a bytestream, on the address from which `toward` is reached.
    /// [`TransferFact::Listening`], and [`TransferFact::Accepted`] when somebody knew `key`.
    Listen {
        /// A host on the way to the other side: our chat server.
        toward: StreamHost,
        /// SHA-1 in hex that the other side has to name (XEP-0065 section 5.3.2).
        key: String,
    },
    /// Open one of these, tried in order. [`TransferFact::Dialled`] or
    /// [`TransferFact::NotDialled`].
    Dial {
        /// Places.
        hosts: Vec<StreamHost>,
        /// SHA-1 in hex to name there.
        key: String,
    },
    /// Send the file. [`TransferFact::Progress`], then [`TransferFact::Sent`].
    Send(Carrier),
    /// Receive exactly `size` bytes. [`TransferFact::Progress`], then [`TransferFact::Received`].
    Receive {
        /// Over what.
        carrier: Carrier,
        /// Where to.
        place: Place,
        /// How many bytes.
        size: u64,
    },
    /// Read the next bytes of the file, at most so many. [`TransferFact::Block`].
    ReadBlock(usize),
    /// Write the next bytes. [`TransferFact::Written`], and [`TransferFact::Received`] once `size`
    /// bytes are there.
    WriteBlock {
        /// Bytes.
        bytes: Vec<u8>,
        /// Where to.
        place: Place,
        /// How many bytes there will be in all.
        size: u64,
    },
    /// What was received is good: give it its name. [`TransferFact::Kept`].
    Keep,
    /// Stop, and remove what is not whole unless it can be gone on with.
    Stop {
        /// A later attempt may go on with what is there.
        resumable: bool,
    },
    /// The job is over.
    End,
}

/// What a job saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferFact {
    /// The file to be sent exists.
    Looked {
        /// Its own name.
        name: String,
        /// Bytes.
        size: u64,
    },
    /// So many bytes are there in all; at most five times a second.
    Progress(u64),
    /// All bytes of the file were sent.
    Sent {
        /// Their SHA-256; nothing where it is of no use.
        sha256: Option<[u8; 32]>,
    },
    /// Size of the file at a link, where the server tells.
    Size(Option<u64>),
    /// All bytes are there, not yet under their name.
    Received {
        /// How many.
        size: u64,
        /// Their SHA-256.
        sha256: [u8; 32],
    },
    /// We listen there; nowhere when no port was free.
    Listening(Option<SocketAddr>),
    /// The other side came to our listener.
    Accepted,
    /// The place with this number was opened.
    Dialled(usize),
    /// None of the places could be opened.
    NotDialled,
    /// The next bytes; none at the end.
    Block {
        /// Bytes.
        bytes: Vec<u8>,
        /// SHA-256 of all, at the end.
        sha256: Option<[u8; 32]>,
    },
    /// The bytes of the last order are written; so many in all.
    Written(u64),
    /// The file is whole and under its name.
    Kept(PathBuf),
    /// It did not work, in words with a remedy.
    Failed {
        /// What happened and what to do.
        why: String,
        /// Trying again may help.
        again: bool,
    },
}
