//! The watch over addresses and routes, in a network of its own where they can be changed.

use std::io::Write;
use std::process::Command;
use std::time::Duration;

use offhook_net::Watch;
use offhook_ports::NetworkState;
use tokio::time::timeout;

use crate::doubles::PATIENCE;

const INSIDE: &str = "OFFHOOK_TEST_INSIDE_NAMESPACE";
const NAME: &str = "watch::a_change_of_addresses_or_routes_is_told_once";
/// Longer than a change takes to settle.
const QUIET: Duration = Duration::from_millis(700);

/// Runs itself again in a network namespace of its own, and there does what it says.
#[test]
fn a_change_of_addresses_or_routes_is_told_once() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let Some(words) = namespace() else {
        // Not by a print macro: the harness keeps what those say from anybody who succeeds.
        let _ = writeln!(std::io::stderr().lock(), "SKIPPED for want of a namespace: {NAME}");
        return;
    };
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg(std::env::current_exe().expect("a test has a path"));
    let output = command.args([NAME, "--exact", "--nocapture"]).env(INSIDE, "1").output();
    let output = output.expect("the test runs again");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{errors}");
}

/// The words in front of a command that runs it in a namespace with two ends of a cable; nothing
/// where this machine does not permit it.
fn namespace() -> Option<Vec<&'static str>> {
    let ways: [&[&str]; 2] = [&["unshare", "--net"], &["unshare", "--map-root-user", "--net"]];
    let make = "ip link set lo up && ip link add cable type veth peer name end && exec \"$@\"";
    ways.into_iter().map(|way| [way, &["sh", "-c", make, "sh"]].concat()).find(|words| {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg("true");
        command.output().is_ok_and(|output| output.status.success())
    })
}

fn ip(words: &str) {
    let status = Command::new("ip").args(words.split(' ')).status().expect("ip runs");
    assert!(status.success(), "ip {words}");
}

#[tokio::main(flavor = "current_thread")]
async fn inside() {
    let mut watch = Watch::start().expect("a watch");
    let alone = watch.state();
    assert!(alone.online, "of a machine with nothing but a loopback nobody knows");

    // Links alone are no change: there is no address yet.
    ip("link set end up");
    ip("link set cable up");
    quiet(&mut watch).await;

    ip("addr add 192.0.2.7/24 dev cable");
    let home = once(&mut watch).await;
    assert!(home.online && home.fingerprint != alone.fingerprint, "{home:?}");
    ip("route add default via 192.0.2.1");
    let routed = once(&mut watch).await;
    assert!(routed.online && routed.fingerprint != home.fingerprint, "{routed:?}");
    // A route to somewhere is not the way to the world.
    ip("route add 198.51.100.0/24 via 192.0.2.2");
    quiet(&mut watch).await;

    // Several at once are one; a watch that was given up in between loses nothing.
    ip("addr add 2001:db8::7/64 dev cable nodad");
    assert!(timeout(Duration::from_millis(50), watch.changed()).await.is_err());
    ip("addr add 192.0.2.8/32 dev cable");
    let both = once(&mut watch).await;
    assert_ne!(both.fingerprint, routed.fingerprint);
    ip("addr del 192.0.2.8/32 dev cable");
    ip("addr del 2001:db8::7/64 dev cable");
    assert_eq!(once(&mut watch).await, routed, "the same on return");

    ip("link set end down");
    let unplugged = once(&mut watch).await;
    assert!(!unplugged.online, "an address on a cable that leads nowhere: {unplugged:?}");
    assert_eq!(unplugged.fingerprint, alone.fingerprint);
    ip("link set end up");
    assert_eq!(once(&mut watch).await, routed, "the same on return");
    ip("addr del 192.0.2.7/24 dev cable");
    assert!(!once(&mut watch).await.online);
}

async fn once(watch: &mut Watch) -> NetworkState {
    let state = timeout(PATIENCE, watch.changed()).await.expect("a change is told");
    assert_eq!(state, watch.state());
    quiet(watch).await;
    state
}

async fn quiet(watch: &mut Watch) {
    let more = timeout(QUIET, watch.changed()).await;
    assert!(more.is_err(), "nothing has changed: {more:?}");
}
