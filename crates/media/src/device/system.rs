//! The sound system that is asked: the sound server of Linux over connections of our own, and cpal
//! everywhere else and where no server answers.

use cpal::traits::{DeviceTrait, HostTrait};
use offhook_model::AudioSpec;

use super::OnTrouble;
use super::card::{self, OpenStream};
use super::desk::{Card, Listing};
use super::list::{Row, gather, precise};
#[cfg(target_os = "linux")]
use super::pulse;

/// A sound system that answers.
pub(super) enum System {
    #[cfg(target_os = "linux")]
    Pulse(pulse::Server),
    Cpal(cpal::Host),
}

impl System {
    /// The sound server where there is one.
    pub(super) fn find() -> Self {
        #[cfg(target_os = "linux")]
        match pulse::Server::find() {
            Ok(server) => return Self::Pulse(server),
            Err(why) => tracing::debug!("no sound server: {why}"),
        }
        Self::Cpal(cpal::default_host())
    }

    /// Whether it is a server that tells of changes.
    #[cfg(target_os = "linux")]
    pub(super) fn tells(&self) -> bool {
        matches!(self, Self::Pulse(_))
    }

    /// Opens a microphone or a loudspeaker.
    ///
    /// # Errors
    /// In words.
    pub(super) fn open(
        &mut self,
        spec: &AudioSpec,
        input: bool,
        on_trouble: impl OnTrouble,
    ) -> Result<(OpenStream, Card), String> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Pulse(server) => {
                let device = wanted(server, spec, input)?;
                if input {
                    card::record(&device, on_trouble).map(|(it, card)| (it, Card::Capture(card)))
                } else {
                    card::play(&device, on_trouble).map(|(it, card)| (it, Card::Playout(card)))
                }
            }
            Self::Cpal(host) => {
                let device = find(host, spec, input)?;
                if input {
                    card::open_input(&device, on_trouble)
                        .map(|(it, card)| (it, Card::Capture(card)))
                } else {
                    card::open_output(&device, on_trouble)
                        .map(|(it, card)| (it, Card::Playout(card)))
                }
            }
        }
    }

    /// Whether the device is there.
    #[cfg(target_os = "linux")]
    pub(super) fn has(&mut self, spec: &AudioSpec, input: bool) -> bool {
        match self {
            Self::Pulse(server) => wanted(server, spec, input).is_ok(),
            Self::Cpal(host) => find(host, spec, input).is_ok(),
        }
    }

    /// All devices.
    ///
    /// # Errors
    /// It does not answer; in words.
    pub(super) fn list(&mut self) -> Result<Listing, String> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Pulse(server) => {
                let (devices, defaults) = server.devices()?;
                // What a loudspeaker plays is no microphone, though it may be what the system prefers.
                let names = preferred(devices.iter().map(|device| &device.row), &defaults);
                let kept = devices.into_iter().filter(|device| !device.monitor);
                Ok(listing(kept.map(|device| device.row).collect(), &defaults, names))
            }
            Self::Cpal(host) => {
                let devices = if is_hopeless(host) { vec![] } else { all(host)? };
                let default = |input| {
                    Some(find(host, &AudioSpec::Default, input).ok()?.id().ok()?.id().to_owned())
                };
                let rows: Vec<Row> = devices.iter().filter_map(row).collect();
                let defaults = [default(true), default(false)];
                let names = preferred(rows.iter(), &defaults);
                Ok(listing(rows, &defaults, names))
            }
        }
    }
}

/// The names of the system's microphone and loudspeaker, whose ids these are.
fn preferred<'a>(
    rows: impl Iterator<Item = &'a Row> + Clone,
    [input, output]: &[Option<String>; 2],
) -> [Option<String>; 2] {
    let name = |id: &Option<String>, fits: fn(&Row) -> bool| {
        let mut rows = rows.clone();
        rows.find(|row| fits(row) && Some(&row.id) == id.as_ref()).map(|row| row.name.clone())
    };
    [name(input, |row| row.input), name(output, |row| row.output)]
}

/// The list as it is shown, with the ids and the names of what the system prefers.
fn listing(rows: Vec<Row>, defaults: &[Option<String>; 2], names: [Option<String>; 2]) -> Listing {
    let items = gather(rows, defaults);
    let problem = items.is_empty().then(|| {
        "no sound device was found; connect a headset or start the sound server".to_owned()
    });
    let [default_input, default_output] = names;
    Listing { items, problem, default_input, default_output }
}

const NONE: &str = "there is none";
const GONE: &str = "it is not there; choose another device or connect it";

/// Whether a device is meant by this choice: by its name, by its own id, or by both.
fn is_meant(name: &str, id: &str, choice: &str) -> bool {
    name == choice || id == choice || precise(name, id) == choice
}

/// The device of the sound server that is chosen.
#[cfg(target_os = "linux")]
fn wanted(
    server: &mut pulse::Server,
    spec: &AudioSpec,
    input: bool,
) -> Result<pulse::Device, String> {
    let (devices, [source, sink]) = server.devices()?;
    let mut devices = devices.into_iter().filter(|device| device.row.input == input);
    let AudioSpec::Device(choice) = spec else {
        let default = if input { source } else { sink };
        return devices.find(|device| Some(&device.row.id) == default.as_ref()).ok_or(NONE.into());
    };
    devices.find(|device| is_meant(&device.row.name, &device.row.id, choice)).ok_or(GONE.into())
}

/// Whether the system can have any device. ALSA on a machine without one complains on standard
/// error at length, so it is not asked there.
#[cfg(target_os = "linux")]
fn is_hopeless(host: &cpal::Host) -> bool {
    let cards = std::fs::read_dir("/dev/snd").is_ok_and(|mut entries| entries.next().is_some());
    let own = std::env::home_dir().is_some_and(|home| home.join(".asoundrc").exists());
    let machine = std::path::Path::new("/etc/asound.conf").exists();
    host.id().name() == "ALSA" && !cards && !own && !machine
}

#[cfg(not(target_os = "linux"))]
fn is_hopeless(_: &cpal::Host) -> bool {
    false
}

/// The name to show; devices are chosen by it or by the system's own id.
fn name(device: &cpal::Device) -> Option<String> {
    device.description().ok().map(|description| description.name().to_owned())
}

fn find(host: &cpal::Host, spec: &AudioSpec, input: bool) -> Result<cpal::Device, String> {
    if is_hopeless(host) {
        return Err("this machine has no sound device and no sound server".to_owned());
    }
    let AudioSpec::Device(choice) = spec else {
        let device = if input { host.default_input_device() } else { host.default_output_device() };
        return device.ok_or(NONE.into());
    };
    let usable = |device: &cpal::Device| {
        if input { device.supports_input() } else { device.supports_output() }
    };
    let matches = |device: &cpal::Device| {
        let name = name(device).unwrap_or_default();
        name == *choice || device.id().is_ok_and(|id| is_meant(&name, id.id(), choice))
    };
    let devices = all(host)?;
    devices.into_iter().find(|device| matches(device) && usable(device)).ok_or(GONE.into())
}

fn all(host: &cpal::Host) -> Result<Vec<cpal::Device>, String> {
    host.devices().map(Iterator::collect).map_err(|error| error.to_string())
}

/// Nothing for what is of no use.
fn row(device: &cpal::Device) -> Option<Row> {
    let (name, id) = (name(device)?, device.id().ok()?.id().to_owned());
    let (input, output) = (device.supports_input(), device.supports_output());
    (input || output).then_some(Row { name, id, input, output })
}
