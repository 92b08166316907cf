//! The phones that are measured, each with the sound card of a room and registered at the desk.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command};

use serde_json::json;

use super::desk::Desk;
use super::rooms::{Rooms, cards};
use crate::bench::baresip::free_port;
use crate::bench::stage::{Client, home, until};
use crate::packages::exists;
use crate::process::Running;

/// The domain of the phones.
const DOMAIN: &str = "phones.test";

/// Whose phones they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Make {
    /// Ours with files in place of sound cards, and the voice as it is: what network and codec do.
    Offhook,
    /// Ours with its default settings: sound cards, and the voice is worked on (echo, noise, level).
    Default,
    /// baresip.
    Baresip,
    /// linphonec.
    Linphone,
}

impl Make {
    /// As the table names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Offhook => "ours",
            Self::Default => "ours, sound card",
            Self::Baresip => "baresip",
            Self::Linphone => "linphone",
        }
    }

    /// Whether it is installed; ours is built.
    pub fn is_here(self) -> bool {
        match self {
            Self::Offhook | Self::Default => true,
            Self::Baresip => exists("baresip"),
            Self::Linphone => exists("linphonec"),
        }
    }
}

/// Where a phone is started: its desk, its sound, its folder, and the room that it speaks in or
/// listens in.
pub struct Place<'a> {
    /// Registrar and proxy.
    pub desk: &'a Desk,
    /// The sound server.
    pub rooms: &'a Rooms,
    /// An empty folder for both ends of the call.
    pub folder: &'a Path,
    /// The room.
    pub room: usize,
    /// What is said, for phones without a sound card.
    pub speech: &'a Path,
}

/// A running phone.
pub enum Phone {
    /// Ours.
    Offhook(Client),
    /// baresip.
    Baresip(#[allow(dead_code, reason = "held for its Drop")] Running),
    /// linphonec, and its standard input.
    Linphone(#[allow(dead_code, reason = "held for its Drop")] Running, ChildStdin),
}

impl Phone {
    /// One that takes every call and lets the room hear it.
    ///
    /// # Errors
    /// It does not register.
    pub fn listening(make: Make, place: &Place<'_>, user: &str) -> Result<Self, String> {
        Self::start(make, place, user, None)
    }

    /// One that calls `whom` and speaks into the room's microphone.
    ///
    /// # Errors
    /// It does not register, or call.
    pub fn speaking(make: Make, place: &Place<'_>, user: &str, whom: &str) -> Result<Self, String> {
        let mut phone = Self::start(make, place, user, Some(whom))?;
        match &mut phone {
            Self::Offhook(client) => {
                client.call("call.dial", &json!({ "to": format!("{whom}@{DOMAIN}") }))?;
            }
            // It was told at its start.
            Self::Baresip(_) => {}
            Self::Linphone(_, input) => {
                let line = format!("call sip:{whom}@{DOMAIN}");
                writeln!(input, "{line}").map_err(|error| error.to_string())?;
            }
        }
        Ok(phone)
    }

    fn start(
        make: Make,
        place: &Place<'_>,
        user: &str,
        whom: Option<&str>,
    ) -> Result<Self, String> {
        let folder = place.folder.join(user);
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let phone = match make {
            Make::Offhook | Make::Default => {
                let worked = make == Make::Default;
                ours(place, &folder, (user, worked), whom.is_some())?
            }
            Make::Baresip => baresip(place, &folder, user, whom)?,
            Make::Linphone => linphone(place, folder, user, whom.is_some())?,
        };
        until("the phone's registration", || Ok(place.desk.knows(user).then_some(())))?;
        if let (Self::Offhook(client), None) = (&phone, whom) {
            client.take_calls()?;
        }
        Ok(phone)
    }
}

/// Where ours writes what it hears when it has no sound card.
pub fn heard_file(folder: &Path) -> PathBuf {
    folder.with_extension("heard.wav")
}

fn ours(
    place: &Place<'_>,
    folder: &Path,
    (user, worked): (&str, bool),
    speaks: bool,
) -> Result<Phone, String> {
    let (microphone, loudspeaker) = cards(place.room, speaks);
    let (mut input, mut output) = (format!("device:{microphone}"), format!("device:{loudspeaker}"));
    if !worked {
        let speech = place.speech.display();
        input = if speaks { format!("file:{speech}") } else { "silence".to_owned() };
        output = if speaks {
            "null".to_owned()
        } else {
            format!("file:{}", heard_file(place.folder).display())
        };
    }
    let options = [
        "--headless",
        "--name-server",
        "127.0.0.1:9",
        "--audio-input",
        &input,
        "--audio-output",
        &output,
        "--ringer-output",
        "null",
    ];
    let client = Client::launch_with(folder, &options, None, &place.rooms.environment())?;
    client.phone_by_hand(&format!("{user}@{DOMAIN}"), &place.desk.address())?;
    client.work_on_voice(worked)?;
    Ok(Phone::Offhook(client))
}

/// It dials by itself, once it runs.
fn baresip(
    place: &Place<'_>,
    folder: &Path,
    user: &str,
    whom: Option<&str>,
) -> Result<Phone, String> {
    let write = |name: &str, text: &str| {
        fs::write(folder.join(name), text).map_err(|error| error.to_string())
    };
    write("asound.conf", &asound(place.room, whom.is_some()))?;
    let desk = place.desk.address();
    write(
        "accounts",
        &format!(
            "<sip:{user}@{DOMAIN};transport=udp>;auth_pass=none;outbound=\"sip:{desk};transport=udp\";\
             regint=600;ptime=20;answermode=auto;audio_codecs=PCMU/8000/1,opus/48000/1\n"
        ),
    )?;
    write("contacts", "")?;
    write("config", &baresip_config()?)?;
    let mut command = Command::new("baresip");
    home(&mut command, folder, None)?;
    command.envs(place.rooms.environment());
    command.env(
        "ALSA_CONFIG_PATH",
        format!("/usr/share/alsa/alsa.conf:{}", folder.join("asound.conf").display()),
    );
    command.arg("-f").arg(folder);
    if let Some(whom) = whom {
        command.args(["-e", &format!("/dial sip:{whom}@{DOMAIN}")]);
    }
    let mut running = Running::start("baresip", &mut command)?;
    running.drain();
    Ok(Phone::Baresip(running))
}

/// Debian's baresip reaches the sound server through ALSA. Its own defaults otherwise.
fn baresip_config() -> Result<String, String> {
    let port = free_port()?;
    Ok(format!(
        "poll_method epoll\n\
         sip_listen 127.0.0.1:{port}\n\
         call_local_timeout 120\n\
         audio_player alsa,ear\n\
         audio_source alsa,mouth\n\
         audio_alert alsa,ear\n\
         ausrc_srate 48000\n\
         auplay_srate 48000\n\
         ausrc_channels 1\n\
         auplay_channels 1\n\
         audio_level no\n\
         audio_buffer 20-160\n\
         net_interface 127.0.0.1\n\
         rtp_ports 17000-27990\n\
         rtcp_mux no\n\
         jitter_buffer_delay 5-10\n\
         opus_bitrate 32000\n\
         opus_stereo no\n\
         opus_sprop_stereo no\n\
         opus_inbandfec yes\n\
         opus_application voip\n\
         module_path /usr/lib/baresip/modules\n\
         module g711.so\n\
         module opus.so\n\
         module alsa.so\n\
         module plc.so\n\
         module_tmp uuid.so\n\
         module_tmp account.so\n\
         module_app menu.so\n"
    ))
}

fn asound(room: usize, speaks: bool) -> String {
    let (microphone, loudspeaker) = cards(room, speaks);
    format!(
        "pcm.mouth {{ type pulse device {microphone} }}\n\
         pcm.ear {{ type pulse device {loudspeaker} }}\n"
    )
}

fn linphone(place: &Place<'_>, folder: PathBuf, user: &str, speaks: bool) -> Result<Phone, String> {
    for sub in ["home/.local/share/linphone", "home/.config/linphone"] {
        fs::create_dir_all(folder.join(sub)).map_err(|error| error.to_string())?;
    }
    let (port, sound, desk) = (free_port()?, free_port()? & !1, place.desk.address());
    let (microphone, loudspeaker) = cards(place.room, speaks);
    let codecs: String = [("opus", 48_000, 2), ("PCMU", 8_000, 1)]
        .iter()
        .enumerate()
        .map(|(n, (name, rate, channels))| {
            format!("[audio_codec_{n}]\nmime={name}\nrate={rate}\nchannels={channels}\nenabled=1\n")
        })
        .collect();
    let settings = format!(
        "[sip]\nsip_port={port}\nsip_tcp_port=0\nsip_tls_port=0\nmedia_encryption=none\n\
         default_proxy=0\nguess_hostname=0\ncontact=\"{user}\" <sip:{user}@127.0.0.1>\n\
         register_only_when_network_is_up=0\nauto_net_state_mon=0\nuse_ipv6=0\n\
         [rtp]\naudio_rtp_port={sound}\n[video]\ncapture=0\ndisplay=0\n\
         [sound]\nechocancellation=0\ncapture_dev_id=PulseAudio Unknown: {microphone}\n\
         playback_dev_id=PulseAudio Unknown: {loudspeaker}\nringer_dev_id=PulseAudio Unknown: nowhere\n\
         [proxy_0]\nreg_proxy=<sip:{desk};transport=udp>\nreg_route=<sip:{desk};transport=udp;lr>\n\
         reg_identity=sip:{user}@{DOMAIN}\nreg_expires=600\nreg_sendregister=1\npublish=0\n{codecs}"
    );
    fs::write(folder.join("rc"), settings).map_err(|error| error.to_string())?;
    let mut command = Command::new("linphonec");
    home(&mut command, &folder, None)?;
    command.envs(place.rooms.environment());
    command.arg("-a").arg("-c").arg(folder.join("rc")).args(["-d", "1", "-l"]);
    command.arg(folder.join("log"));
    let (mut running, input) = Running::start_with_input("linphonec", &mut command)?;
    running.drain();
    Ok(Phone::Linphone(running, input))
}
