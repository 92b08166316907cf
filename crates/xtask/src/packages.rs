//! System packages, through apt where there is one.

use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};

/// What building needs, the window's run-time libraries included.
pub const BUILD: &[&str] = &[
    "pkg-config",
    "cmake",
    "make",
    "g++",
    "libasound2-dev",
    "libgl1",
    "libegl1",
    "libgl1-mesa-dri",
    "libxkbcommon0",
    "libxkbcommon-x11-0",
    "libx11-6",
    "libxcursor1",
    "libxi6",
    "libxrandr2",
    "ca-certificates",
];

/// What a picture of the window without a display needs.
pub const DISPLAY: &[&str] = &["xvfb", "imagemagick", "xdotool"];

/// Real servers and peers for the interop tests (docs/interop.md).
pub const PEERS: &[&str] = &[
    "prosody",
    "prosody-modules",
    "lua-dbi-sqlite3",
    "kamailio",
    "kamailio-tls-modules",
    "kamailio-outbound-modules",
    "kamailio-presence-modules",
    "sip-tester",
    "baresip-core",
    "linphone-cli",
    "coturn",
    "knot",
    "knot-dnsutils",
    "bind9",
    "slapd",
    "krb5-kdc",
    "krb5-admin-server",
    "krb5-user",
    "libsasl2-modules-gssapi-mit",
    "radicale",
    "python3-slixmpp",
    "python3-omemo",
    "python3-twomemo",
    "python3-oldmemo",
    "pulseaudio",
    "pulseaudio-utils",
    "sox",
    "openssl",
    "nginx-light",
    "tinyproxy",
    "squid",
    "iproute2",
    "dbus",
    "gnome-keyring",
    "at-spi2-core",
    "python3-pyatspi",
];

/// What the benchmarks need besides: a counter of instructions, a display, and peers to be measured
/// beside.
pub const BENCH: &[&str] = &[
    "valgrind",
    "xvfb",
    "baresip-core",
    "dino-im",
    "dbus",
    "knot",
    "bind9-dnsutils",
    "prosody",
    "openssl",
    "profanity",
    "gajim",
    "python3-slixmpp",
    "kamailio",
    "sip-tester",
    "linphone-cli",
    "pulseaudio",
    "pulseaudio-utils",
    "libasound2-plugins",
    "espeak-ng",
    "python3-venv",
    "python3-dev",
];

/// What came of asking for packages.
#[derive(Debug, PartialEq, Eq)]
pub enum Packages {
    /// All are there.
    Ready,
    /// There is no apt; nothing is known.
    NoManager,
    /// These are missing and were not installed.
    Missing(Vec<String>),
}

/// Sees to it that the packages are there. `ask` asks on a terminal first.
pub fn ensure(wanted: &[&str], why: &str, ask: bool) -> Packages {
    if !exists("apt-get") || !exists("dpkg-query") {
        return Packages::NoManager;
    }
    let missing: Vec<&str> = wanted.iter().copied().filter(|name| !installed(name)).collect();
    if missing.is_empty() {
        return Packages::Ready;
    }
    println!("{why} needs these system packages: {}", missing.join(" "));
    let owned = || missing.iter().map(|name| (*name).to_owned()).collect();
    if ask && !agreed() {
        return Packages::Missing(owned());
    }
    install(&missing);
    let left: Vec<String> =
        missing.iter().filter(|name| !installed(name)).map(|name| (*name).to_owned()).collect();
    if left.is_empty() { Packages::Ready } else { Packages::Missing(left) }
}

fn agreed() -> bool {
    if !std::io::stdin().is_terminal() {
        println!("Not asked, because this is no terminal; use --yes to install them.");
        return false;
    }
    print!("Install them now? [Y/n] ");
    let _ = std::io::stdout().flush();
    let mut line = String::new();
    let _ = std::io::stdin().read_line(&mut line);
    !line.trim().to_lowercase().starts_with('n')
}

fn install(names: &[&str]) {
    apt(&["update"]);
    let mut words = vec!["install", "--yes", "--no-install-recommends"];
    words.extend(names);
    apt(&words);
}

fn apt(words: &[&str]) {
    let root = Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout == b"0\n");
    let mut command = if root {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.arg("apt-get");
        sudo
    };
    // Services that a package would start are of no use here, and CI has no init system.
    let _ = command
        .args(["-o", "DPkg::Lock::Timeout=300", "-q"])
        .args(words)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("POLICY_RC_D", "101")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
}

fn installed(name: &str) -> bool {
    Command::new("dpkg-query")
        .args(["-W", "-f=${db:Status-Status}", name])
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|out| out.stdout == b"installed")
}

/// The program is on the path.
pub fn exists(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    })
}

/// Says what is missing, or nothing.
///
/// # Errors
/// A sentence when something that cannot be done without is missing.
pub fn required(found: &Packages) -> Result<(), String> {
    match found {
        Packages::Ready => Ok(()),
        Packages::NoManager => {
            println!("No apt here: if the build fails, install what docs/contributing.md lists.");
            Ok(())
        }
        Packages::Missing(names) => {
            Err(format!("these packages are missing and needed: {}", names.join(" ")))
        }
    }
}
