//! The words of the house: addresses, ids, secrets, problems, and the two types everybody above
//! shares, [`Snapshot`] and [`Command`].
//!
//! This crate never opens a socket, reads a clock, draws a random number or spawns a task. It
//! holds plain data and the rules that make the data valid.

mod address;
mod audio;
mod call;
mod chat;
mod coded;
mod command;
mod contacts;
mod device;
mod directory;
mod directory_fault;
mod edge;
mod enrol;
mod fault;
mod file;
mod filename;
mod group;
mod ids;
mod layer;
mod notice;
mod person;
mod phone;
mod policy;
mod preset;
mod problem;
mod room;
mod secret;
mod session;
mod settings;
mod silence;
mod snapshot;
mod spec;
mod ticket_fault;
mod time;
mod trace;
mod trust;
mod voice;
mod wish;

pub use address::{AddressError, DialString, Jid, UserAddress};
pub use audio::{AudioCodec, CandidateKind, Direction, MediaWay, OpusWish, SrtpSuite, StreamStats};
pub use call::{Call, CallDirection, CallEnd, CallRecord, CallState, Security};
pub use chat::{
    Alerts, Chat, ChatKind, ChatProtection, Delivery, DeviceKey, KeyTrust, Message, More,
    Protection, Reaction, ReplyTo, Retraction,
};
pub use coded::Coded;
pub use command::{Command, CommandError, ErrorCode, Reply};
pub use contacts::{CardsDone, ContactsWish, LeftOut};
pub use device::{Bluetooth, Device, DeviceSet, Devices, Role, SoundTest, TestPhase};
pub use directory::{
    DirectoryEntry, Matched, MatchedField, NumberKind, PeopleSearch, Person, PersonId,
    PersonNumber, PhotoSource, SearchStage, SourceKind,
};
pub use directory_fault::DirectoryFault;
pub use edge::EdgeFault;
pub use enrol::{EnrolFault, EnrolmentQuestion};
pub use fault::{DnsFault, Endpoint, Fault, Link, Service, TlsFault};
pub use file::{
    Attachment, CaptureArea, Transfer, TransferDirection, TransferId, TransferState, TransferWay,
};
pub use filename::{file_ending, file_name_of_link, media_type_of, safe_file_name};
pub use group::{DirectoryGroup, GroupTaken, GroupTaking};
pub use ids::{CallId, MessageId, ProblemId, Ticket};
pub use layer::{Layer, Provisioned, Setting, Source};
pub use notice::{Notice, NoticeBody};
pub use person::{Activity, Availability, Contact, PersonDetails, PhotoId, Presence, Subscription};
pub use phone::{
    AskedToCall, CallAbilities, CallWish, Conference, DeskPhone, Dnd, Forward, LineState,
    MessagesWaiting, ParkedCall, Participant, PhoneAbilities, PhoneState, Pickup, WatchedLine,
};
pub use policy::{ChatPolicy, EncryptionPolicy};
pub use preset::{CertificatePolicy, Excluded, IpMode, LoginResource, Preset};
pub use problem::{Area, Owner, Problem, Rule, Severity};
pub use room::{
    Affiliation, Invitation, ListedRoom, Occupant, Room, RoomListing, RoomRole, RoomState,
    RoomTraits,
};
pub use secret::Secret;
pub use session::{
    Authenticator, BrowserSignIn, ProductMode, Prompt, Restriction, ServiceState, ServiceStatus,
    Services, Session, SessionState, Via,
};
pub use settings::{
    AccountType, AddressBook, CallSettings, ChatSettings, ContactSettings, Keeping, ManualAccount,
    Settings, SoundSettings, Theme, ToneCountry, WaySettings,
};
pub use silence::{Repair, Silence, SilentLeg};
pub use snapshot::{ChatFound, Me, Portraits, Snapshot, Toast};
pub use spec::{AudioSpec, SpecError};
pub use ticket_fault::TicketFault;
pub use time::{Moment, Timestamp};
pub use trace::{Outcome, TraceStep};
pub use trust::{AcceptedKey, TrustQuestion};
pub use voice::{Mos, VoiceMetrics};
pub use wish::{ChatWish, FileWish, PeopleWish, RoomWish};
