//! baresip as a peer: registered at the lab, sound from a file, what it hears into a file.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;

use super::speech;
use super::stage::{Lab, home, until};
use crate::packages::exists;
use crate::process::{Running, Scratch};

/// A codec to compare with.
#[derive(Clone, Copy)]
pub enum Codec {
    /// G.711 µ-law.
    Pcmu,
    /// G.722, 64 kbit/s.
    G722,
    /// Opus, 32 kbit/s, one channel.
    Opus,
}

impl Codec {
    /// As `call.stats` names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::G722 => "G722",
            Self::Opus => "opus",
        }
    }

    /// Samples a second; sound files have the same, so that nobody resamples.
    pub fn rate(self) -> u32 {
        match self {
            Self::Pcmu => 8_000,
            Self::G722 => 16_000,
            Self::Opus => 48_000,
        }
    }

    /// As baresip wants it in an account, and PJSIP. A wrong one would silently become another codec.
    pub fn account(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU/8000/1",
            Self::G722 => "G722/16000/1",
            Self::Opus => "opus/48000/1",
        }
    }
}

/// A running phone that answers every call.
pub struct Baresip {
    /// The program.
    pub running: Running,
}

impl Baresip {
    /// Starts it as one of the lab's users in the domain of open standards and waits until it is
    /// registered; nothing when it is not installed. `secure`: it takes encrypted sound only.
    ///
    /// # Errors
    /// It does not register.
    pub fn start(
        lab: &Lab,
        scratch: &Scratch,
        user: usize,
        codec: Codec,
        secure: bool,
    ) -> Result<Option<Self>, String> {
        let address = lab.user(user, "address");
        let name = address.split('@').next().unwrap_or_default();
        let place = (lab.text("standardDomain"), lab.service("sipUdp"));
        let mut account = account(name, lab.user(user, "password"), place, codec);
        if secure {
            account.insert_str(account.trim_end().len(), ";mediaenc=srtp-mand");
        }
        let folder = scratch.0.join(format!("baresip-{}-{secure}", codec.name()));
        Self::launch(&folder, &account, codec, false)
    }

    /// Starts one for many calls at a time, without files of sound, as a user of a registrar that
    /// asks for no password, and waits until it is registered; nothing when it is not installed.
    ///
    /// # Errors
    /// It does not register.
    pub fn start_for_many(
        folder: &Path,
        user: &str,
        place: (&str, &str),
    ) -> Result<Option<Self>, String> {
        Self::launch(folder, &account(user, "none", place, Codec::Pcmu), Codec::Pcmu, true)
    }

    fn launch(
        folder: &Path,
        account: &str,
        codec: Codec,
        many: bool,
    ) -> Result<Option<Self>, String> {
        if !exists("baresip") {
            return Ok(None);
        }
        let write = |name: &str, bytes: &[u8]| {
            std::fs::write(folder.join(name), bytes).map_err(|error| error.to_string())
        };
        std::fs::create_dir_all(folder.join("heard")).map_err(|error| error.to_string())?;
        // It reads the whole file for every call.
        write("speech.wav", &speech::wav(codec.rate(), if many { 2 } else { 60 }))?;
        let control = free_port()?;
        write("config", config(&folder.display().to_string(), control, codec, many)?.as_bytes())?;
        write("accounts", account.as_bytes())?;
        write("contacts", b"")?;
        let mut command = Command::new("baresip");
        home(&mut command, folder, None)?;
        let mut running = Running::start("baresip", command.arg("-f").arg(folder))?;
        let lines = running.take_lines().ok_or("its output is not kept")?;
        registered(lines)?;
        // It speaks to one connection only; while nobody listens it does less.
        let mut listener =
            until("baresip", || Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, control)).ok()))?;
        std::thread::spawn(move || {
            let mut bytes = [0; 4_096];
            while listener.read(&mut bytes).is_ok_and(|count| count > 0) {}
        });
        Ok(Some(Self { running }))
    }
}

/// Waits until it says that it is registered, and reads on for ever.
fn registered(mut lines: impl BufRead + Send + 'static) -> Result<(), String> {
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).map_err(|error| error.to_string())? == 0 {
            return Err("baresip ended".into());
        }
        if line.contains("200 OK") {
            std::thread::spawn(move || {
                std::io::copy(&mut BufReader::new(lines), &mut std::io::sink())
            });
            return Ok(());
        }
    }
}

fn account(name: &str, password: &str, (domain, registrar): (&str, &str), codec: Codec) -> String {
    format!(
        "<sip:{name}@{domain};transport=udp>;auth_user={name};auth_pass={password};\
         outbound=\"sip:{registrar};transport=udp\";regint=600;ptime=20;answermode=auto;\
         audio_codecs={codec}\n",
        codec = codec.account(),
    )
}

/// Sound is read from a file at the codec's own rate and what it hears is written to one, as ours
/// does. Debian's version has no player into files: a filter writes instead, in the thread that
/// receives, which is cheaper for it than a player would be. Of `many` calls at a time
/// nothing is written: a file for each would be dear, and is not what counts.
fn config(folder: &str, control: u16, codec: Codec, many: bool) -> Result<String, String> {
    let (port, rate) = (free_port()?, codec.rate());
    let (most, recorder) = if many { (0, "") } else { (4, "module sndfile.so\n") };
    Ok(format!(
        "poll_method epoll\n\
         sip_listen 127.0.0.1:{port}\n\
         call_local_timeout 120\n\
         call_max_calls {most}\n\
         audio_source aufile,{folder}/speech.wav\n\
         audio_alert aufile,{folder}/none.wav\n\
         ausrc_srate {rate}\n\
         auplay_srate {rate}\n\
         ausrc_channels 1\n\
         auplay_channels 1\n\
         audio_level no\n\
         ausrc_format s16\n\
         auplay_format s16\n\
         auenc_format s16\n\
         audec_format s16\n\
         audio_buffer 20-160\n\
         net_interface 127.0.0.1\n\
         rtp_ports 17000-17990\n\
         rtcp_mux no\n\
         jitter_buffer_delay 5-10\n\
         opus_bitrate 32000\n\
         opus_stereo no\n\
         opus_sprop_stereo no\n\
         opus_complexity 9\n\
         opus_inbandfec yes\n\
         opus_application voip\n\
         snd_path {folder}/heard\n\
         ctrl_tcp_listen 127.0.0.1:{control}\n\
         module_path /usr/lib/baresip/modules\n\
         module g711.so\n\
         module g722.so\n\
         module srtp.so\n\
         module opus.so\n\
         module aufile.so\n\
         {recorder}\
         module_tmp uuid.so\n\
         module_tmp account.so\n\
         module_app menu.so\n\
         module_app ctrl_tcp.so\n"
    ))
}

/// A loopback port that is free for UDP and TCP now; another program could take it before it is
/// used, which ends the measurement with an error and not with a wrong figure.
pub fn free_port() -> Result<u16, String> {
    for _ in 0..50 {
        let found = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|it| it.local_addr());
        let port = found.map_err(|error| error.to_string())?.port();
        // The port after it is taken for TLS.
        let free = |port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if free(port) && free(port.wrapping_add(1)) {
            return Ok(port);
        }
    }
    Err("no port is free on 127.0.0.1".into())
}
