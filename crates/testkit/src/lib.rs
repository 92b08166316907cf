//! A world for tests: recorded answers, virtual time, and a small executor. Nothing here is part
//! of the program, and nothing here uses a parser of the program.

mod clock;

pub use clock::{VirtualClock, block_on, epoch, moment};
