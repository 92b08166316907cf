//! How long a search takes among 10,000 people of OpenLDAP's server on loopback, on a connection that
//! is bound already: `cargo run --release -p offhook-ldap --example directory_cost [ROUNDS]`. It starts
//! the server of the tests and prints one line of JSON: milliseconds at the 50th and 95th hundredth,
//! of the adapter with one prefix, and of the whole flow with all that a search asks for.
#![allow(clippy::print_stdout, reason = "it prints its result")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Instant;

use offhook_config::Layers;
use offhook_contacts::ldap::{Given, LdapPlan, Standing, Wish, search};
use offhook_ldap::Directories;
use offhook_model::{Layer, Setting, Source};
use offhook_ports::{Ldap, LdapRequest};
use support::slapd::{Like, Slapd};
use support::{plain_net, question};

fn main() {
    let rounds = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(1_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(measure(rounds));
}

async fn measure(rounds: usize) {
    let Some(slapd) = Slapd::start(Like { people: 10_000, ..Like::default() }).await else {
        return;
    };
    let directories = Directories::new(plain_net());
    let (mut adapter, mut flow, mut found) = (vec![], vec![], 0);
    let plan = plan(slapd.port);
    let standing = Standing::default();
    for round in 0..rounds + 20 {
        // A hundred people begin with each of these.
        let prefix = format!("user{:03}", round * 37 % 100);
        let asked = LdapRequest {
            attributes: ["cn", "sn", "givenName", "mail", "telephoneNumber"]
                .map(str::to_owned)
                .into(),
            ..question(slapd.port, &format!("(&(objectClass=inetOrgPerson)(mail={prefix}*))"))
        };
        let begun = Instant::now();
        let answer = directories.search(asked).await.expect("an answer");
        adapter.push(begun.elapsed().as_secs_f64() * 1e3);
        found += answer.entries.len();
        let begun = Instant::now();
        let wish = Wish::Typed(prefix);
        let report = search(&directories, &plan, &standing, &wish, 50).await;
        flow.push(begun.elapsed().as_secs_f64() * 1e3);
        found += report.people.len();
    }
    let told = |name: &str, times: &mut Vec<f64>| {
        times.drain(..20);
        times.sort_by(f64::total_cmp);
        let at = |share: usize| times[times.len() * share / 100];
        format!("\"{name}\":{{\"p50\":{:.2},\"p95\":{:.2}}}", at(50), at(95))
    };
    let (adapter, flow) = (told("adapter", &mut adapter), told("flow", &mut flow));
    println!("{{\"rounds\":{rounds},\"found\":{found},{adapter},{flow}}}");
}

fn plan(port: u16) -> LdapPlan {
    let port = port.to_string();
    let settings = [
        ("BDILDAPServerType", "OpenLDAP"),
        ("PrimaryServerName", "127.0.0.1"),
        ("ServerPort1", port.as_str()),
        ("SearchBase1", support::BASE),
        ("PredictiveSearchFilter", "mail,cn,sn,givenName"),
    ];
    let setting = |(key, value): (&str, &str)| Setting {
        key: key.to_owned(),
        section: None,
        value: value.to_owned(),
        line: None,
    };
    let (source, origin) = (Source::GlobalFile, "bench".to_owned());
    let settings = settings.map(setting).into();
    let layer = Layer { source, origin, settings, oddities: vec![] };
    LdapPlan::read(&Layers::new([layer]), &Given::default()).expect("a plan")
}
