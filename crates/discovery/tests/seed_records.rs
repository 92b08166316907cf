//! The example records of the planning guide ("External Records", "Internal Records", and the same
//! in "Cisco UDS SRV Record" and "CUP Login SRV Record"), in its order and with its figures.

use offhook_discovery::{Request, discover};
use offhook_ports::{Found, Target};
use offhook_testkit::TestWorld;

type Records = [(u16, u16, u16, &'static str); 3];

const UDS: Records = [
    (6, 30, 8443, "cucm3.example.com"),
    (2, 20, 8443, "cucm2.example.com"),
    (1, 5, 8443, "cucm1.example.com"),
];
const CUPLOGIN: Records = [
    (8, 50, 8443, "cup3.example.com"),
    (5, 100, 8443, "cup1.example.com"),
    (7, 4, 8443, "cup2.example.com"),
];
const EDGE: Records = [
    (3, 7, 8443, "xpre1.example.com"),
    (4, 8, 8443, "xpre2.example.com"),
    (5, 0, 8443, "xpre3.example.com"),
];

#[track_caller]
fn check(name: &str, records: &Records, kind: fn(Vec<Target>) -> Found, order: [&str; 3]) {
    let expected: Vec<Target> = order
        .iter()
        .map(|host| Target { host: format!("{host}.example.com"), port: 8443 })
        .collect();
    for seed in 0..200 {
        for dot in ["", "."] {
            let world = TestWorld::new();
            let with_dot: Vec<_> = records
                .iter()
                .map(|(a, b, c, host)| (*a, *b, *c, format!("{host}{dot}")))
                .collect();
            let plain: Vec<_> =
                with_dot.iter().map(|(a, b, c, host)| (*a, *b, *c, host.as_str())).collect();
            world.srv(&format!("{name}.example.com"), &plain);
            let request = Request::new("adam@example.com".parse().expect("an address"), seed);
            let report = world.run(discover(&world.world(), &request, &|_| {}));
            assert_eq!(report.outcome, Ok(kind(expected.clone())), "seed {seed}");
        }
    }
}

#[test]
fn uds_records_give_cucm1_first() {
    check("_cisco-uds._tcp", &UDS, Found::Cucm, ["cucm1", "cucm2", "cucm3"]);
}

#[test]
fn cuplogin_records_give_cup1_first() {
    check("_cuplogin._tcp", &CUPLOGIN, Found::Cup, ["cup1", "cup2", "cup3"]);
}

#[test]
fn collab_edge_records_give_xpre1_first() {
    check("_collab-edge._tls", &EDGE, Found::Edge, ["xpre1", "xpre2", "xpre3"]);
}

/// "How the Client Locates Services" prints a record whose target is an address. It is used, and
/// told as what it is (D04).
#[test]
fn the_record_with_an_address_is_used_and_told() {
    let world = TestWorld::new();
    world.srv("_cuplogin._tcp.example.com", &[(0, 0, 8443, "192.168.0.26")]);
    let request = Request::new("adam@example.com".parse().expect("an address"), 1);
    let report = world.run(discover(&world.world(), &request, &|_| {}));
    let expected = Found::Cup(vec![Target { host: "192.168.0.26".into(), port: 8443 }]);
    assert_eq!(report.outcome, Ok(expected));
    assert_eq!(report.warnings.iter().filter_map(|it| it.rule).next().map(|it| it.0), Some(4));
}
