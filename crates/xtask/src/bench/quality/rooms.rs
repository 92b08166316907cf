//! A sound server of the measurement's own, and in it rooms: what is said into a phone and what comes
//! out of the other one are the two channels of one sound card without hardware, so that one recorder
//! hears both by the same clock. Every card has a period of 10 ms, because that is what the recorder
//! asks for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::bench::stage::until;
use crate::packages::exists;
use crate::process::{Running, Scratch};

/// The period of the sound cards.
const PERIOD: &str = "--latency-msec=10";

/// A running sound server.
pub struct Rooms {
    folder: PathBuf,
    _running: Running,
}

/// A recording that goes on until this is dropped.
pub struct Recording(#[allow(dead_code, reason = "held for its Drop")] Running);

impl Rooms {
    /// Starts it with so many rooms; nothing when PulseAudio is not installed.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(scratch: &Scratch, count: usize) -> Result<Option<Self>, String> {
        if ["pulseaudio", "parec", "pacat"].iter().any(|name| !exists(name)) {
            return Ok(None);
        }
        let text = |error: std::io::Error| error.to_string();
        let folder = scratch.0.join("sound");
        fs::create_dir_all(&folder).map_err(text)?;
        // It refuses a folder that others may look into.
        let _ = Command::new("chmod").arg("700").arg(&folder).status();
        let socket = folder.join("native");
        let mut script = format!(
            "load-module module-native-protocol-unix socket={} auth-anonymous=1\n",
            socket.display()
        );
        script += &aside();
        for room in 0..count {
            script += &room_modules(room);
        }
        fs::write(folder.join("rooms.pa"), script).map_err(text)?;
        let mut command = Command::new("pulseaudio");
        command.args(["--daemonize=no", "--system=no", "--exit-idle-time=-1", "--disable-shm=yes"]);
        command.args(["-n", "-F"]).arg(folder.join("rooms.pa"));
        surroundings(&mut command, &folder);
        let running = Running::start("pulseaudio", &mut command)?;
        let rooms = Self { folder, _running: running };
        let last = mouth(count.saturating_sub(1));
        until("the sound server", || {
            let mut list = rooms.command("pactl");
            let out = list.args(["list", "short", "sinks"]).output().map_err(text)?;
            Ok(String::from_utf8_lossy(&out.stdout).contains(&last).then_some(()))
        })?;
        Ok(Some(rooms))
    }

    /// What a phone needs in its environment to reach the server: where it is, and the secret that lets
    /// in, which lies in the home folder of who started it.
    pub fn environment(&self) -> [(&'static str, PathBuf); 2] {
        let cookie = self.folder.join(".config/pulse/cookie");
        [("PULSE_SERVER", self.server()), ("PULSE_COOKIE", cookie)]
    }

    fn server(&self) -> PathBuf {
        format!("unix:{}", self.folder.join("native").display()).into()
    }

    /// Records a room: on the left what is said into the microphone, on the right what comes out of
    /// the loudspeaker.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn record(&self, room: usize, file: &Path) -> Result<Recording, String> {
        let mut command = self.command("parec");
        command.args(["-d", &format!("room{room}.monitor"), "--rate=48000", "--channels=2"]);
        command.args(["--format=s16le", "--file-format=wav", PERIOD]).arg(file);
        Ok(Recording(Running::start("parec", &mut command)?))
    }

    /// Says a file into the room's microphone, to its end.
    ///
    /// # Errors
    /// It does not end.
    pub fn say(&self, room: usize, file: &Path, length: Duration) -> Result<(), String> {
        let mut command = self.command("paplay");
        command.args(["-d", &mouth(room), "--latency-msec=200"]).arg(file);
        let mut running = Running::start("paplay", &mut command)?;
        running.wait(length + Duration::from_secs(30))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        surroundings(&mut command, &self.folder);
        command.env("PULSE_SERVER", self.server());
        command
    }
}

/// Microphone and loudspeaker of a phone in a room: of the end that speaks, or of the end that listens.
/// The other half of each lies aside.
pub fn cards(room: usize, speaks: bool) -> (String, String) {
    if speaks {
        (microphone(room), "nowhere".to_owned())
    } else {
        ("quiet".to_owned(), loudspeaker(room))
    }
}

fn microphone(room: usize) -> String {
    format!("mic{room}")
}

fn loudspeaker(room: usize) -> String {
    format!("ear{room}")
}

fn mouth(room: usize) -> String {
    format!("mouth{room}")
}

/// A loudspeaker that nobody hears, and a microphone that hears nobody.
fn aside() -> String {
    "load-module module-null-sink sink_name=nowhere rate=48000 channels=1 channel_map=mono \
     sink_properties=device.description=nowhere\n\
     load-module module-null-sink sink_name=nobody rate=48000 channels=1 channel_map=mono\n\
     load-module module-remap-source source_name=quiet master=nobody.monitor \
     source_properties=device.description=quiet\n"
        .to_owned()
}

fn room_modules(room: usize) -> String {
    let (mouth, ear, microphone) = (mouth(room), loudspeaker(room), microphone(room));
    let part = "channels=1 channel_map=mono remix=no master_channel_map";
    format!(
        "load-module module-null-sink sink_name=room{room} rate=48000 channels=2 \
         channel_map=front-left,front-right\n\
         load-module module-remap-sink sink_name={mouth} master=room{room} {part}=front-left\n\
         load-module module-remap-sink sink_name={ear} master=room{room} {part}=front-right \
         sink_properties=device.description={ear}\n\
         load-module module-remap-source source_name={microphone} master=room{room}.monitor \
         {part}=front-left source_properties=device.description={microphone}\n"
    )
}

/// Nothing of whoever measures takes part.
fn surroundings(command: &mut Command, folder: &Path) {
    command.env("HOME", folder).env("XDG_RUNTIME_DIR", folder);
    command.env("PULSE_RUNTIME_PATH", folder.join("pulse")).env_remove("XDG_CONFIG_HOME");
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent").stderr(Stdio::null());
}
