//! Directory servers by SRV records (reference discovery.md section 4).

use futures_util::future::join_all;
use offhook_model::TraceStep;
use offhook_ports::{Srv, Target, World};

use crate::asked::{Fate, Notes, Questions, show_srv};
use crate::rank;

/// Names of the global catalogue: those of Active Directory, then the one the seed prints, which no
/// server publishes by itself but administrators may have typed off.
const CATALOGUE: [&str; 3] = ["_gc._tcp", "_ldap._tcp.gc._msdcs", "_gc._msdcs._tcp"];
/// Names of the domain's directory, likewise.
const LDAP: [&str; 2] = ["_ldap._tcp.dc._msdcs", "_ldap._msdcs._tcp"];

/// Where a directory may be asked, in the order to try.
#[derive(Clone, Debug, Default)]
pub struct DirectoryServers {
    /// Global catalogue: the whole forest.
    pub catalogue: Vec<Target>,
    /// LDAP of the domain.
    pub ldap: Vec<Target>,
    /// One step for each question.
    pub steps: Vec<TraceStep>,
}

/// Asks all names at once. The standard names come before the printed ones; within a name it is
/// priority and weight (RFC 2782). The same seed gives the same order.
pub async fn directory_servers(world: &World, domain: &str, seed: u64) -> DirectoryServers {
    let questions = Questions { world };
    let names = CATALOGUE.iter().chain(&LDAP);
    let asked = names.map(|service| questions.srv(format!("{service}.{domain}")));
    let answers = join_all(asked).await;
    let mut servers = DirectoryServers::default();
    let mut notes = Notes::new(&|_| {});
    for (index, answer) in answers.iter().enumerate() {
        let list = match index < CATALOGUE.len() {
            true => &mut servers.catalogue,
            false => &mut servers.ldap,
        };
        let fate = match list.is_empty() {
            true => Fate::Won("these servers are tried first"),
            false => Fate::Lost("servers of a name before it are tried first"),
        };
        notes.judge("directorySrv", answer, fate, show_srv);
        for Srv { target: host, port, .. } in rank(answer.usable(), seed) {
            let target = Target { host, port };
            if !list.contains(&target) {
                list.push(target);
            }
        }
    }
    servers.steps = notes.steps;
    servers
}
