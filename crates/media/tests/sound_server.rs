//! A round trip through a real sound server: call → loudspeaker → microphone → call. The server is
//! PulseAudio with a null sink, started on a socket of its own; without the program the test says
//! so and passes.

mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{Phone, Scratch, connect, loudness, recording, sleep};
use offhook_model::{AudioCodec, AudioSpec};
use offhook_ports::MediaFact;

const SERVER_PID: &str = "OFFHOOK_TEST_SOUND_SERVER_PID";
const CONFIG: &str = "\
load-module module-native-protocol-unix socket=SOCKET auth-anonymous=1
load-module module-null-sink sink_name=out rate=44100 channels=2 sink_properties=device.description=Test_Speaker
load-module module-remap-source master=out.monitor source_name=in source_properties=device.description=Test_Microphone
set-default-sink out
set-default-source in
";

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(folder: &Path) -> Option<Server> {
    let socket = folder.join("native");
    let config = folder.join("default.pa");
    std::fs::write(&config, CONFIG.replace("SOCKET", &socket.display().to_string())).ok()?;
    let child = Command::new("pulseaudio")
        .args(["--daemonize=no", "--system=no", "--exit-idle-time=-1", "--disable-shm=yes", "-n"])
        .arg("-F")
        .arg(&config)
        .env("HOME", folder)
        .env_remove("XDG_CONFIG_HOME")
        .env("XDG_RUNTIME_DIR", folder)
        .env("PULSE_RUNTIME_PATH", folder.join("pulse"))
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let server = Server(child);
    for _ in 0..100 {
        if socket.exists() {
            return Some(server);
        }
        sleep(50);
    }
    None
}

/// Runs the inner test in a process of its own, since the way to the server is in the environment.
#[test]
#[cfg(unix)]
fn sound_goes_through_a_sound_server_and_survives_its_end() {
    let scratch = Scratch::new();
    let folder = scratch.path("");
    let _ = Command::new("chmod").arg("700").arg(&folder).status();
    let Some(server) = start(&folder) else {
        println!("SKIPPED: there is no program pulseaudio, or it does not start");
        return;
    };
    let status = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "inside_the_sound_server", "--ignored", "--nocapture"])
        .env("PULSE_SERVER", format!("unix:{}", folder.join("native").display()))
        // The cookie that lets us in lies in the home folder of the server's user.
        .env("HOME", &folder)
        .env_remove("XDG_CONFIG_HOME")
        .env("XDG_RUNTIME_DIR", &folder)
        .env(SERVER_PID, server.0.id().to_string())
        .status()
        .expect("the inner test runs");
    assert!(status.success());
}

#[test]
#[ignore = "run by the test above, which starts the server"]
#[expect(clippy::disallowed_methods, reason = "the outer test hands the server over")]
fn inside_the_sound_server() {
    let Ok(pid) = std::env::var(SERVER_PID) else { return };
    let scratch = Scratch::new();
    let speaker = AudioSpec::Device("Test_Speaker".into());
    let microphone = AudioSpec::Device("Test_Microphone".into());
    let a = Phone::new(AudioSpec::Tone(440.0), AudioSpec::Null);
    let b = Phone::new(AudioSpec::Silence, speaker);
    let c = Phone::new(microphone, AudioSpec::Null);
    let d = Phone::new(AudioSpec::Silence, scratch.output("d.wav"));
    // The server's socket is there before its devices are.
    let listed = (0..50).any(|_| {
        sleep(100);
        let items = b.engine.devices().items;
        let named = |name: &str| items.iter().find(|device| device.name == name).cloned();
        named("Test_Speaker").is_some_and(|d| d.output && d.is_default)
            && named("Test_Microphone").is_some_and(|d| d.input && d.is_default)
    });
    assert!(listed, "{:?}", b.engine.devices());
    assert!(b.wait_for(|fact| *fact == MediaFact::DevicesChanged));
    assert_eq!(b.engine.devices().problem, None);

    connect(&a, &b, AudioCodec::G722);
    connect(&c, &d, AudioCodec::Opus);
    sleep(4_000);
    let sound = recording(&scratch.path("d.wav"));
    let (_, level) = loudness(&sound[sound.len() / 2..], 440.0);
    let trouble = [b.facts(), c.facts()];
    // A clock that is being followed moves the frequency by up to 0.4 %.
    assert!((0.15..0.3).contains(&level), "{level} {trouble:?}");

    let killed = Command::new("kill").arg(&pid).status().expect("kill");
    assert!(killed.success());
    let lost = |fact: &MediaFact| matches!(fact, MediaFact::DeviceLost(_));
    assert!(b.wait_for(lost) && c.wait_for(lost));
    let before = d.stats()[1].packets;
    sleep(500);
    assert!(d.stats()[1].packets > before + 10, "the call goes on");
}
