//! A world for tests: recorded answers, virtual time, a small executor, and the replay of fuzzing
//! corpora. Nothing here is part of the program, and nothing here uses a parser of the program.

mod answer;
mod clock;
pub mod corpus;
mod deployment;
mod edge;
mod no_chat;
pub mod wire;
mod world;

pub use answer::Reply;
pub use clock::{VirtualClock, block_on, epoch, moment};
pub use deployment::{
    CLOUD_TOKEN, PASSWORD, TOKEN, cloud, cloud_url, clusters_url, cup8, cup8_url, deployment,
    hybrid, im_only, multi_cluster, phone_mode_8, phone_only, reply, url,
};
pub use edge::{Act, EDGE_CONFIG, EdgeDouble, Seen};
pub use no_chat::NoChat;
pub use world::TestWorld;

/// Keys of the directory (`jabber-config.xml`, service profile) that stand in other sections than
/// `Directory`: tables of tests that go through all of them name these too.
pub const DIRECTORY_KEYS_ELSEWHERE: [&str; 6] = [
    "LdapAnonymousBinding",
    "UseUserCredential",
    "RecursiveSearch1",
    "RecursiveSearch2",
    "RecursiveSearch3",
    "TertiaryServerName",
];
