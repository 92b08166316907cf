//! Address books on a server: the questions against written answers, and all of it against Radicale.

mod find;
mod liars;
mod radicale;
mod read;
mod real;
mod written;
