//! The network adapter against servers written by hand, on loopback.

mod asking;
mod connections;
mod doubles;
mod edge;
mod enrolment;
mod http;
#[cfg(target_os = "linux")]
mod idle;
mod knot;
mod names;
mod openssl;
mod proxies;
mod replay;
mod sip;
mod trust;
#[cfg(target_os = "linux")]
mod watch;
