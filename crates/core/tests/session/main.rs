//! The core with its effects looked at, in virtual time.

mod bench;
mod calling;
mod chats;
mod contacts;
mod enrolling;
mod failover;
mod groups;
mod leaving;
mod letting_in;
mod links;
mod marking;
mod memory;
mod network;
mod people;
mod portraits;
mod provision;
mod random;
mod roaming;
mod telling;
mod trust;
mod world;
