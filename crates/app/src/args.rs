//! The command line. Every global option is an environment variable as well; the option wins.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use offhook_model::AudioSpec;
use offhook_net::HostEntry;

/// Softphone and messenger.
#[derive(Debug, Parser)]
#[command(name = "offhook", version, about, subcommand_precedence_over_arg = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,

    /// Run without a window until session.quit, SIGINT or SIGTERM.
    #[arg(long)]
    pub headless: bool,

    /// tel:, sip:, im:, xmpp:, ciscotel:, ciscotelconf:, ciscojabber: or offhook: address to act on.
    pub uri: Option<String>,

    #[command(subcommand)]
    pub command: Option<Sub>,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// Keep all state of this user under DIR.
    #[arg(long, global = true, env = "OFFHOOK_PROFILE", value_name = "DIR")]
    pub profile: Option<PathBuf>,

    /// Ask this name server instead of the system's.
    #[arg(long, global = true, env = "OFFHOOK_NAME_SERVER", value_name = "ADDR:PORT", value_delimiter = ',', value_parser = name_server)]
    pub name_server: Vec<SocketAddr>,

    /// Trust these authorities in addition to the system's.
    #[arg(long, global = true, env = "OFFHOOK_CA_FILE", value_name = "PEM", value_delimiter = ',')]
    pub ca_file: Vec<PathBuf>,

    /// Resolve NAME to ADDR; with ports, connections to that port of NAME go to the other one (IPv6 in brackets: NAME:443=[::1]:8443).
    #[arg(long, global = true, env = "OFFHOOK_HOSTS", value_name = "NAME[:PORT]=ADDR[:PORT]", value_delimiter = ',', value_parser = host)]
    pub hosts: Vec<HostEntry>,

    /// Microphone: default, device:NAME, file:PATH.wav, file+loop:PATH.wav, tone:HZ, silence, null.
    #[arg(long, global = true, env = "OFFHOOK_AUDIO_INPUT", value_name = "SPEC", value_parser = input)]
    pub audio_input: Option<AudioSpec>,

    /// Speaker: default, device:NAME, file:PATH.wav, null.
    #[arg(long, global = true, env = "OFFHOOK_AUDIO_OUTPUT", value_name = "SPEC", value_parser = output)]
    pub audio_output: Option<AudioSpec>,

    /// What rings: default, device:NAME, file:PATH.wav, null.
    #[arg(long, global = true, env = "OFFHOOK_RINGER_OUTPUT", value_name = "SPEC", value_parser = output)]
    pub ringer_output: Option<AudioSpec>,

    /// Camera. Video is not built yet: only default and none.
    #[arg(long, global = true, env = "OFFHOOK_VIDEO_INPUT", value_name = "SPEC", value_parser = video)]
    pub video_input: Option<String>,

    /// error, warn, info, debug, trace, or a tracing filter.
    #[arg(long, global = true, env = "OFFHOOK_LOG", value_name = "LEVEL")]
    pub log: Option<String>,

    /// Bootstrap file instead of the machine's; read on the first launch of a profile.
    #[arg(long, global = true, env = "OFFHOOK_BOOTSTRAP", value_name = "FILE", value_parser = bootstrap)]
    pub bootstrap: Option<PathBuf>,
}

/// What to do instead of opening the window.
#[derive(Debug, Subcommand)]
pub enum Sub {
    /// One control call to the running instance; prints the result on one line. `watch` prints events.
    Ctl {
        /// Method, such as call.dial, or watch.
        method: String,
        /// Parameters as a JSON object; with watch, types of events.
        params: Vec<String>,
    },
    /// Explain every step of finding and reaching the services.
    Doctor {
        /// name@company.com; the last address that signed in when left out.
        address: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
        /// Go through the recorded answers of a problem report instead of the network.
        #[arg(long, value_name = "REPORT.zip", conflicts_with_all = ["address", "register", "report"])]
        replay: Option<PathBuf>,
        /// Register the phone for a moment as well; not while a client runs on this profile.
        #[arg(long)]
        register: bool,
        /// Save a problem report of this examination into DIR.
        #[arg(long, value_name = "DIR")]
        report: Option<PathBuf>,
    },
    /// What administrators have set.
    Policy {
        #[command(subcommand)]
        action: Policy,
    },
    /// Problem reports.
    Report {
        #[command(subcommand)]
        action: Report,
    },
    /// This user's protocol handlers. Not built yet.
    Uri {
        /// register, unregister or status.
        action: String,
    },
}

/// What to do with the settings of administrators.
#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Effective settings, where they come from, what they outrank, and what is wrong with them.
    Explain {
        /// Bootstrap file, client configuration files, service profile, each known by its content;
        /// what the profile knows when left out.
        files: Vec<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// What to do with problem reports.
#[derive(Debug, Subcommand)]
pub enum Report {
    /// Write a redacted problem report and print its path.
    Save {
        /// Folder to write to; the profile's data folder when left out.
        #[arg(long, value_name = "DIR")]
        output: Option<PathBuf>,
        /// What happened.
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
    },
}

fn name_server(text: &str) -> Result<SocketAddr, String> {
    text.parse().or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53))).map_err(
        |_| {
            "a name server is an address with a port, such as 192.0.2.1:53 or [2001:db8::1]:53"
                .into()
        },
    )
}

fn host(text: &str) -> Result<HostEntry, String> {
    text.parse().map_err(|error: offhook_net::NoHostEntry| error.to_string())
}

fn input(text: &str) -> Result<AudioSpec, String> {
    let spec: AudioSpec =
        text.parse().map_err(|error: offhook_model::SpecError| error.to_string())?;
    match &spec {
        AudioSpec::File { path, .. } if !path.is_file() => {
            Err(format!("there is no file {}; give a WAV file that exists", path.display()))
        }
        AudioSpec::File { .. }
        | AudioSpec::Default
        | AudioSpec::Device(_)
        | AudioSpec::Tone(_)
        | AudioSpec::Silence
        | AudioSpec::Null => Ok(spec),
    }
}

fn output(text: &str) -> Result<AudioSpec, String> {
    let spec: AudioSpec =
        text.parse().map_err(|error: offhook_model::SpecError| error.to_string())?;
    match spec {
        AudioSpec::Default | AudioSpec::Device(_) | AudioSpec::Null => Ok(spec),
        AudioSpec::File { repeat: false, .. } => Ok(spec),
        AudioSpec::File { repeat: true, .. } | AudioSpec::Tone(_) | AudioSpec::Silence => {
            Err("an output is default, device:NAME, file:PATH.wav or null".into())
        }
    }
}

fn video(text: &str) -> Result<String, String> {
    match text {
        "default" | "none" => Ok(text.to_owned()),
        _ => Err("video is not built yet; use none or leave it out".into()),
    }
}

fn bootstrap(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_file() {
        return Ok(path);
    }
    Err(format!("there is no file {text}; give a bootstrap file that exists"))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Cli, Sub};

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn commands_and_addresses_are_told_apart() {
        let cli = Cli::parse_from(["offhook", "tel:2002"]);
        assert_eq!(cli.uri.as_deref(), Some("tel:2002"));
        let cli = Cli::parse_from(["offhook", "ctl", "--profile", "p", "call.list"]);
        assert!(matches!(cli.command, Some(Sub::Ctl { .. })));
        assert!(cli.global.profile.is_some());
        let cli = Cli::parse_from(["offhook", "--profile", "p", "doctor", "a@b.c"]);
        assert!(matches!(cli.command, Some(Sub::Doctor { .. })));
        assert!(cli.global.profile.is_some());
    }

    #[test]
    fn bad_values_are_refused_with_a_remedy() {
        for bad in [
            ["--audio-input", "loud"],
            ["--audio-input", "file:/nowhere/x.wav"],
            ["--audio-output", "tone:440"],
            ["--name-server", "example"],
            ["--hosts", "x"],
            ["--bootstrap", "x"],
            ["--video-input", "pattern"],
        ] {
            assert!(Cli::try_parse_from(["offhook", bad[0], bad[1]]).is_err(), "{bad:?}");
        }
    }
}
