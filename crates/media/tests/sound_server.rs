//! A round trip through a real sound server: call → loudspeaker → microphone → call. The server is
//! PulseAudio with a null sink, started on a socket of its own; without the program the test says
//! so and passes.

mod common;

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{Phone, Scratch, connect, loudness, recording, sleep};
use offhook_model::{AudioCodec, AudioSpec, Role};
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
    within_a_server("inside_the_sound_server");
}

#[test]
#[cfg(unix)]
fn devices_come_and_go_in_a_call() {
    within_a_server("inside_devices_come_and_go");
}

/// Runs one of the inner tests with a server of its own.
fn within_a_server(inner: &str) {
    let scratch = Scratch::new();
    let folder = scratch.path("");
    let _ = Command::new("chmod").arg("700").arg(&folder).status();
    let Some(server) = start(&folder) else {
        let _ = writeln!(std::io::stderr().lock(), "SKIPPED for want of pulseaudio: {inner}");
        return;
    };
    let status = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", inner, "--ignored", "--nocapture"])
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

/// Asks the server; nothing when it refuses.
fn server(arguments: &[&str]) -> Option<String> {
    let out = Command::new("pactl").args(arguments).output().ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

/// A loudspeaker whose sound is not heard by any microphone, and one that is another microphone.
fn load(module: &str, settings: &str) -> String {
    let mut arguments = vec!["load-module", module];
    arguments.extend(settings.split(' '));
    server(&arguments).expect("a module")
}

/// Waits for as long as it takes on a busy machine.
fn until(what: &str, mut test: impl FnMut() -> bool) {
    for _ in 0..1_200 {
        if test() {
            return;
        }
        sleep(50);
    }
    panic!("{what}: never");
}

/// A tone goes from the first loudspeaker's monitor by the default microphone into a call. The tone of
/// another microphone is another one, so that a switch is heard; what is counted is what was sent
/// without either.
#[test]
#[ignore = "run by the test above, which starts the server"]
fn inside_devices_come_and_go() {
    let scratch = Scratch::new();
    until("the server's devices", || {
        server(&["list", "short", "sources"])
            .is_some_and(|all| all.contains("in\t") || all.contains("\tin\t"))
    });
    load("module-null-sink", "sink_name=out2 sink_properties=device.description=Second_Speaker");
    let second = load("module-remap-source", SECOND_MICROPHONE);
    let low = Phone::new(AudioSpec::Tone(440.0), AudioSpec::Null);
    let one = Phone::new(AudioSpec::Silence, AudioSpec::Device("Test_Speaker".into()));
    let high = Phone::new(AudioSpec::Tone(1_000.0), AudioSpec::Null);
    let two = Phone::new(AudioSpec::Silence, AudioSpec::Device("Second_Speaker".into()));
    connect(&low, &one, AudioCodec::G722);
    connect(&high, &two, AudioCodec::G722);
    let speaker = Phone::new(AudioSpec::Default, AudioSpec::Null);
    let hearer = Phone::new(AudioSpec::Silence, scratch.output("heard.wav"));
    connect(&speaker, &hearer, AudioCodec::G722);
    let heard =
        |hertz: f64| common::amplitude(&newest(&scratch.path("heard.wav"), 9_600), hertz) > 0.05;
    until("the first microphone", || heard(440.0));

    // The system's choice changes in the call, and the call follows.
    let from = newest(&scratch.path("heard.wav"), usize::MAX / 4).len();
    server(&["set-default-source", "in2"]).expect("chosen");
    until("the system's new choice", || heard(1_000.0) && !heard(440.0));
    println!("a default that moves: {} ms without sound", gap(&scratch.path("heard.wav"), from));

    // Another device is chosen in the call.
    let from = newest(&scratch.path("heard.wav"), usize::MAX / 4).len();
    speaker.engine.select(Role::Input, AudioSpec::Device("Test_Microphone".into()));
    until("the chosen microphone", || heard(440.0) && !heard(1_000.0));
    let pause = gap(&scratch.path("heard.wav"), from);
    println!("a device that is chosen: {pause} ms without sound");

    // By its own name as well, and it goes away: the system's choice takes its place.
    let ids = speaker.engine.devices().items;
    let second_id = ids.iter().find(|item| item.name == "Second_Microphone").cloned();
    let second_id = second_id.and_then(|item| item.input_id).expect("an id");
    server(&["set-default-source", "in"]).expect("chosen");
    speaker.engine.select(Role::Input, AudioSpec::Device(second_id.clone()));
    until("the microphone by its id", || heard(1_000.0));
    server(&["unload-module", &second]).expect("gone");
    until("the system's choice in its place", || heard(440.0));
    let lost =
        speaker.facts().iter().filter(|fact| matches!(fact, MediaFact::DeviceLost(_))).count();
    assert!(lost <= 2, "each loss is told once: {:?}", speaker.facts());

    // It is plugged in again: the call takes it up, under its name as before.
    load("module-remap-source", SECOND_MICROPHONE);
    until("the microphone that is back", || heard(1_000.0) && !heard(440.0));

    // A loudspeaker goes and comes back as well.
    let loudspeaker = Phone::new(AudioSpec::Tone(1_500.0), AudioSpec::Null);
    let far = Phone::new(AudioSpec::Silence, AudioSpec::Device("Third_Speaker".into()));
    let third = load("module-null-sink", THIRD_SPEAKER);
    connect(&loudspeaker, &far, AudioCodec::G722);
    speaker.engine.select(Role::Input, AudioSpec::Device("out3.monitor".into()));
    until("the third loudspeaker", || heard(1_500.0));
    speaker.engine.select(Role::Input, AudioSpec::Device("Test_Microphone".into()));
    server(&["unload-module", &third]).expect("gone");
    until("the first loudspeaker in its place", || heard(1_500.0));
    load("module-null-sink", THIRD_SPEAKER);
    until("the first loudspeaker without it", || !heard(1_500.0));
    speaker.engine.select(Role::Input, AudioSpec::Device("out3.monitor".into()));
    until("the third loudspeaker that is back", || heard(1_500.0));

    // The server moves what nobody took away, as people do in its own window: that is no loss.
    let facts = far.facts().len();
    let input = stream_of("sink-inputs", "out3");
    server(&["move-sink-input", &input, "out2"]).expect("moved");
    until("what was moved", || !heard(1_500.0));
    speaker.engine.select(Role::Input, AudioSpec::Device(second_id));
    until("where it was moved to", || heard(1_500.0));
    let losses = far.facts().split_off(facts);
    assert!(!losses.iter().any(|fact| matches!(fact, MediaFact::DeviceLost(_))), "{losses:?}");
}

const SECOND_MICROPHONE: &str =
    "master=out2.monitor source_name=in2 source_properties=device.description=Second_Microphone";
const THIRD_SPEAKER: &str = "sink_name=out3 sink_properties=device.description=Third_Speaker";

/// The first stream of this kind at this device, by number.
fn stream_of(kind: &str, device: &str) -> String {
    let devices = server(&["list", "short", "sinks"]).expect("devices");
    let at = |line: &&str| line.split('\t').nth(1) == Some(device);
    let number = devices.lines().find(at).and_then(|line| line.split('\t').next()).expect("it");
    let streams = server(&["list", "short", kind]).expect("streams");
    let there = |line: &&str| line.split('\t').nth(1) == Some(number);
    let stream = streams.lines().find(there).and_then(|line| line.split('\t').next());
    stream.expect("a stream").to_owned()
}

/// The newest samples of a recording that grows, whatever its header says at this moment.
fn newest(path: &Path, samples: usize) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let sound = bytes.get(44..).unwrap_or(&[]);
    let from = sound.len().saturating_sub(samples * 2) & !1;
    let value = |pair: &[u8]| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0;
    sound[from..].chunks_exact(2).map(value).collect()
}

/// The longest pause since this sample, in milliseconds.
fn gap(path: &Path, from: usize) -> usize {
    let sound = newest(path, usize::MAX / 4);
    let tail = sound.get(from..).unwrap_or(&[]);
    let quiet = |part: &[f32]| part.iter().all(|sample| sample.abs() < 0.01);
    let (mut longest, mut now) = (0, 0);
    for part in tail.chunks(480) {
        now = if quiet(part) { now + 10 } else { 0 };
        longest = longest.max(now);
    }
    longest
}
