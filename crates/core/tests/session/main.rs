//! The core with its effects looked at, in virtual time.

mod bench;
mod leaving;
mod letting_in;
mod links;
mod random;
mod roaming;
mod telling;
mod world;
