//! A world for tests: recorded answers, virtual time, a small executor, and the replay of fuzzing
//! corpora. Nothing here is part of the program, and nothing here uses a parser of the program.

mod answer;
mod clock;
pub mod corpus;
mod deployment;
mod edge;
mod world;

pub use answer::Reply;
pub use clock::{VirtualClock, block_on, epoch, moment};
pub use deployment::{PASSWORD, TOKEN, deployment, reply, url};
pub use edge::{Act, EDGE_CONFIG, EdgeDouble, Seen};
pub use world::TestWorld;
