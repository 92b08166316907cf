//! A world for tests: recorded answers, virtual time, a small executor, and the replay of fuzzing
//! corpora. Nothing here is part of the program, and nothing here uses a parser of the program.

mod clock;
pub mod corpus;
mod reply;
mod world;

pub use clock::{VirtualClock, block_on, epoch, moment};
pub use reply::Reply;
pub use world::TestWorld;
