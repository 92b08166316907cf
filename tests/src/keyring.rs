//! A message bus of our own with GNOME Keyring on it, as on a desktop.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::running::Running;

/// A desktop's credential store.
pub struct Keyring {
    bus: String,
    folder: PathBuf,
    daemon: Running,
    _bus: Running,
}

impl Keyring {
    /// Starts bus and store; `password` opens the login keyring, which is made where there is none.
    ///
    /// # Panics
    /// They do not start.
    pub fn start(folder: &Path, password: &str) -> Self {
        let folder = folder.join("desktop");
        std::fs::create_dir_all(folder.join("run")).expect("a folder for the desktop");
        let address = format!("unix:path={}", folder.join("run/bus").display());
        let mut command = Command::new("dbus-daemon");
        command.args(["--session", "--nofork", "--nopidfile", "--address", &address]);
        // The bus starts services by itself: they must find the same folders.
        home(&mut command, &folder);
        let mut bus = Running::start("dbus-daemon", &mut command, &folder);
        bus.ready(20, || folder.join("run/bus").exists());
        let daemon = daemon(&folder, &address, password);
        Self { bus: address, folder, daemon, _bus: bus }
    }

    /// What a program on this desktop finds in its environment.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![("DBUS_SESSION_BUS_ADDRESS", self.bus.clone())]
    }

    /// The store ends and comes back with another login password: the old keyring stays locked.
    pub fn restart(&mut self, password: &str) {
        self.daemon.end();
        self.daemon = daemon(&self.folder, &self.bus, password);
    }

    /// Every byte that the store wrote.
    pub fn files(&self) -> Vec<u8> {
        let folder = self.folder.join("share/keyrings");
        let entries = std::fs::read_dir(folder).expect("keyrings were written");
        entries.flatten().flat_map(|it| std::fs::read(it.path()).unwrap_or_default()).collect()
    }
}

fn home(command: &mut Command, folder: &Path) {
    command.env("HOME", folder).env("XDG_DATA_HOME", folder.join("share"));
    command
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .env("XDG_RUNTIME_DIR", folder.join("run"));
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
}

fn daemon(folder: &Path, bus: &str, password: &str) -> Running {
    let mut command = Command::new("gnome-keyring-daemon");
    command.args(["--foreground", "--unlock", "--components=secrets", "--control-directory"]);
    command.arg(folder.join("run/keyring")).env("DBUS_SESSION_BUS_ADDRESS", bus);
    home(&mut command, folder);
    let mut daemon = Running::start_piped("gnome-keyring", &mut command, folder);
    let mut input = daemon.take_input().expect("its input");
    input.write_all(password.as_bytes()).expect("the password is taken");
    drop(input);
    daemon.ready(20, || owned(bus));
    daemon
}

/// Whether somebody answers as the Secret Service.
fn owned(bus: &str) -> bool {
    let mut command = Command::new("dbus-send");
    command.args([
        &format!("--bus={bus}"),
        "--print-reply",
        "--dest=org.freedesktop.DBus",
        "/",
        "org.freedesktop.DBus.NameHasOwner",
        "string:org.freedesktop.secrets",
    ]);
    let output = command.output().expect("dbus-send runs");
    String::from_utf8_lossy(&output.stdout).contains("boolean true")
}
