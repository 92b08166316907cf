//! How a phone gets its own certificate: the protocol of the Certificate Authority Proxy Function
//! (CAPF) of Communications Manager (reference device-config.md section 5).
//!
//! [`Record`] is what goes over the connection, [`Enrolment`] one conversation as a machine: bytes
//! in, [`Output`]s out. Keys are made, kept and used elsewhere.
//!
//! No public paper of the vendor describes the protocol. What is here was seen in two public
//! programs that speak it; where they are silent this reads on rather than breaks off.

mod enrolment;
#[doc(hidden)]
pub mod fuzzing;
mod record;

pub use enrolment::{Authentication, Enrolment, KeyKind, Output};
pub use record::{Command, Element, Reader, Record, RecordError, tag};
