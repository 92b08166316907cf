//! The planning guide's example records, served by BIND and by Knot, and what the program makes of
//! them. "External Records" and "Internal Records" print them; order, priorities, weights and names
//! are theirs. That the order holds for every draw, and truncation, are tested closer to the sockets
//! (crates/net/tests/seed_zone.rs).

use offhook_interop::{Bind, Knot, PASSWORD, Scratch, Setup, doctor, have};
use serde_json::Value;

const DOMAIN: &str = "example.com";

const UDS: &str = "\
_cisco-uds._tcp.example.com. IN SRV 6 30 8443 cucm3.example.com.
_cisco-uds._tcp.example.com. IN SRV 2 20 8443 cucm2.example.com.
_cisco-uds._tcp.example.com. IN SRV 1 5 8443 cucm1.example.com.
";
const CUPLOGIN: &str = "\
_cuplogin._tcp.example.com. IN SRV 8 50 8443 cup3.example.com.
_cuplogin._tcp.example.com. IN SRV 5 100 8443 cup1.example.com.
_cuplogin._tcp.example.com. IN SRV 7 4 8443 cup2.example.com.
";
const EDGE: &str = "\
_collab-edge._tls.example.com. IN SRV 3 7 8443 xpre1.example.com.
_collab-edge._tls.example.com. IN SRV 4 8 8443 xpre2.example.com.
_collab-edge._tls.example.com. IN SRV 5 0 8443 xpre3.example.com.
";

/// Addresses on which nothing listens, so every server is refused and the next one tried.
fn hosts() -> String {
    let names = ["cucm", "cup", "xpre"].into_iter().enumerate();
    names
        .flat_map(|(kind, name)| {
            (1..=3).map(move |node| format!("{name}{node} IN A 127.77.{kind}.{node}\n"))
        })
        .collect()
}

/// What the doctor says with this name server.
fn diagnosis(scratch: &Scratch, name_server: &str) -> Value {
    let setup = Setup { name_server: Some(name_server.to_owned()), ..Setup::default() };
    let profile = scratch.folder("profile");
    let (status, diagnosis, _) = doctor(&profile, &setup, "adam@example.com", PASSWORD);
    // Found, and not reachable.
    assert_eq!(status, 20, "{diagnosis:#}");
    diagnosis
}

#[track_caller]
fn check(diagnosis: &Value, name: &str, first: &str, network: &str) {
    assert_eq!(diagnosis["network"], network, "{diagnosis:#}");
    let steps = diagnosis["steps"].as_array().expect("steps");
    let question = format!("SRV {name}.{DOMAIN}");
    let question = steps.iter().find(|step| step["asked"] == question.as_str());
    assert_eq!(question.map(|step| &step["outcome"]), Some(&"won".into()), "{diagnosis:#}");
    // The first server that anything is asked of.
    let asked = steps.iter().filter_map(|step| step["of"].as_str());
    let server = asked.filter(|of| of.contains(".example.com:")).map(str::to_owned).next();
    assert_eq!(server, Some(format!("{first}.example.com:8443")), "{diagnosis:#}");
}

#[track_caller]
fn from_both(records: &[&str], name: &str, first: &str, network: &str) {
    if !have("the planning guide's records", &["named", "knotd"]) {
        return;
    }
    let scratch = Scratch::new();
    let zone = records.concat() + &hosts();
    let bind = Bind::start(scratch.path(), DOMAIN, &zone);
    check(&diagnosis(&scratch, &bind.address), name, first, network);
    check(&diagnosis(&scratch, &bind.address_v6), name, first, network);
    let knot = Knot::start(scratch.path(), DOMAIN, &zone);
    check(&diagnosis(&scratch, &knot.address), name, first, network);
}

#[test]
fn the_guides_uds_records_lead_to_cucm1() {
    from_both(&[UDS], "_cisco-uds._tcp", "cucm1", "inside");
}

#[test]
fn the_guides_cuplogin_records_lead_to_cup1() {
    from_both(&[CUPLOGIN], "_cuplogin._tcp", "cup1", "inside");
}

#[test]
fn the_guides_collab_edge_records_lead_to_xpre1() {
    from_both(&[EDGE], "_collab-edge._tls", "xpre1", "outside");
}

#[test]
fn all_inner_records_of_the_guide_lead_to_cucm1() {
    from_both(&[UDS, CUPLOGIN], "_cisco-uds._tcp", "cucm1", "inside");
}
