//! What one audio section of theirs means to us.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use offhook_model::{AudioCodec, OpusWish};
use offhook_ports::ExtendedReports;

use super::crypto::{self, Offered};
use super::description::{Connection, Description, Flow, Media};
use super::ice::{self, Theirs};
use super::numbers::{self, Format};
use super::{LocalMedia, SdpError};

/// Their audio stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RemoteAudio {
    /// Where their RTP goes to; the address is unspecified with the old form of hold.
    pub rtp: SocketAddr,
    /// Where their RTCP goes to if it does not share the RTP port.
    pub rtcp: Option<SocketAddr>,
    /// They agree to share the RTP port with RTCP.
    pub mux: bool,
    /// What they named of what we know, in their order, with their payload types.
    pub formats: Vec<(Format, u8)>,
    /// They take G.729 with silence left out (Annex B): so unless they say no (RFC 4856 section
    /// 2.1.9).
    pub annex_b: bool,
    /// What they ask of Opus.
    pub opus: OpusWish,
    /// Which way they want it.
    pub flow: Flow,
    /// The packet time they ask for.
    pub packet_time: Option<Duration>,
    /// The longest they take.
    pub max_packet_time: Option<Duration>,
    /// Keys of theirs that we can use.
    pub keys: Vec<Offered>,
    /// Their ways.
    pub ice: Theirs,
    /// Extended reports that they want.
    pub extended: ExtendedReports,
}

/// Whether the transport carries RTP in clear.
fn is_clear(protocol: &str) -> bool {
    protocol.eq_ignore_ascii_case("RTP/AVP") || protocol.eq_ignore_ascii_case("RTP/AVPF")
}

pub(super) fn is_secure(protocol: &str) -> bool {
    let upper = protocol.to_ascii_uppercase();
    upper.ends_with("RTP/SAVP") || upper.ends_with("RTP/SAVPF")
}

impl RemoteAudio {
    /// Reads stream `media` of `description`.
    pub(super) fn read(
        description: &Description,
        media: &Media,
        local: &LocalMedia,
    ) -> Result<Self, SdpError> {
        if media.port == 0 {
            return Err(SdpError::Rejected);
        }
        let keys = crypto::read(media);
        match (is_secure(&media.protocol), is_clear(&media.protocol)) {
            (true, _) if keys.is_empty() => return Err(SdpError::SecureOnly),
            (false, false) => return Err(SdpError::NothingInCommon),
            _ => {}
        }
        let connection = media.connection.as_ref().or(description.connection.as_ref());
        let Some(Connection::Address(ip)) = connection else { return Err(SdpError::Address) };
        if ip.is_ipv4() != local.address.is_ipv4() {
            return Err(SdpError::Address);
        }
        let formats = read_formats(media);
        let known = |format: &Format| match format {
            Format::Codec(codec) => local.codecs.contains(codec),
            Format::Event(_) | Format::Noise | Format::Redundant(_) => false,
        };
        if !formats.iter().any(|(format, _)| known(format)) {
            return Err(SdpError::NothingInCommon);
        }
        let milliseconds = |name: &str| {
            let own = media.values(name).next();
            let session = || {
                description.attributes.iter().find(|(key, _)| key == name).map(|(_, v)| v.as_str())
            };
            own.or_else(session)?.parse().ok().map(Duration::from_millis)
        };
        Ok(Self {
            rtp: SocketAddr::new(*ip, media.port),
            rtcp: rtcp_address(media, *ip),
            mux: media.values("rtcp-mux").next().is_some(),
            annex_b: annex_b(media, &formats),
            opus: opus(media, &formats),
            formats,
            flow: flow(description, media, *ip),
            packet_time: milliseconds("ptime"),
            max_packet_time: milliseconds("maxptime"),
            keys,
            extended: extended(description, media),
            ice: ice::read(description, media, SocketAddr::new(*ip, media.port)),
        })
    }

    /// Their payload type for a format.
    pub(super) fn number(&self, wanted: Format) -> Option<u8> {
        self.formats.iter().find(|(format, _)| *format == wanted).map(|(_, number)| *number)
    }

    /// They do not want our sound.
    pub(super) fn holds(&self) -> bool {
        !self.flow.receives()
    }

    /// How long our packets to them are: what they ask for, within what they take and what the
    /// codec and we can do.
    pub(super) fn send_packet_time(&self, codec: AudioCodec, own: Duration) -> Duration {
        let asked = self.packet_time.unwrap_or(own);
        let limit = self.max_packet_time.unwrap_or(Duration::MAX);
        let frame = codec.frame().as_millis().max(1) as u64;
        let ms = (asked.min(limit).as_millis().clamp(10, 60) as u64 / frame * frame).max(frame);
        Duration::from_millis(match (codec, ms) {
            // Opus has no packets of 30 or 50 ms (RFC 6716 section 2.1.4).
            (AudioCodec::Opus, 30) => 20,
            (AudioCodec::Opus, 50) => 40,
            (_, ms) => ms,
        })
    }
}

/// An unspecified address is the hold of RFC 2543 (RFC 3264 section 8.4): nothing may be sent.
fn flow(description: &Description, media: &Media, ip: IpAddr) -> Flow {
    let flow = media.flow.or(description.flow).unwrap_or(Flow::SendRecv);
    if ip.is_unspecified() { Flow::new(flow.sends(), false) } else { flow }
}

/// `a=rtcp-xr:<report> <report>…` (RFC 3611 section 5.1), of the stream or of the session.
fn extended(description: &Description, media: &Media) -> ExtendedReports {
    let session = description.attributes.iter().filter(|(key, _)| key == "rtcp-xr");
    let values = media.values("rtcp-xr").chain(session.map(|(_, value)| value.as_str()));
    let mut found = ExtendedReports::default();
    for word in values.flat_map(str::split_ascii_whitespace).take(32) {
        let name = word.split_once('=').map_or(word, |(name, _)| name);
        found.round_trip |= name.eq_ignore_ascii_case("rcvr-rtt");
        found.voip |= name.eq_ignore_ascii_case("voip-metrics");
    }
    found
}

/// `a=rtcp:<port> [IN IP4 <address>]` (RFC 3605), else the port above.
fn rtcp_address(media: &Media, ip: IpAddr) -> Option<SocketAddr> {
    let named = media.values("rtcp").next().and_then(|value| {
        let mut words = value.split_whitespace();
        let port: u16 = words.next()?.parse().ok().filter(|port| *port != 0)?;
        let address = words.nth(2).and_then(|word| word.parse().ok());
        let address = address.filter(|other: &IpAddr| other.is_ipv4() == ip.is_ipv4());
        Some(SocketAddr::new(address.unwrap_or(ip), port))
    });
    named.or_else(|| Some(SocketAddr::new(ip, media.port.checked_add(1)?)))
}

/// What stands beside the name of format `number`: its `a=fmtp`, or nothing.
fn parameters(media: &Media, number: u8) -> &str {
    let of = |value: &'_ str| {
        value.split_whitespace().next().is_some_and(|key| key.parse() == Ok(number))
    };
    let value = media.values("fmtp").find(|value| of(value)).unwrap_or("");
    value.trim_start().split_once(char::is_whitespace).map_or("", |(_, rest)| rest)
}

/// What stands beside the name of a codec; nothing when they do not name the codec.
fn parameters_of<'a>(
    codec: AudioCodec,
    media: &'a Media,
    formats: &[(Format, u8)],
) -> Option<&'a str> {
    let found = formats.iter().find(|(format, _)| *format == Format::Codec(codec));
    found.map(|(_, number)| parameters(media, *number))
}

fn annex_b(media: &Media, formats: &[(Format, u8)]) -> bool {
    parameters_of(AudioCodec::G729, media, formats).is_some_and(|parameters| {
        let said = numbers::parameter(parameters, "annexb");
        said.is_none_or(|said| !said.eq_ignore_ascii_case("no"))
    })
}

/// RFC 7587 section 6.1. What is out of its range counts as the nearest that is in it.
fn opus(media: &Media, formats: &[(Format, u8)]) -> OpusWish {
    let Some(parameters) = parameters_of(AudioCodec::Opus, media, formats) else {
        return OpusWish::default();
    };
    let number = |name| numbers::parameter(parameters, name)?.parse::<u32>().ok();
    let yes = |name| numbers::parameter(parameters, name) == Some("1");
    OpusWish {
        max_playback_rate: number("maxplaybackrate")
            .map_or(48_000, |rate| rate.clamp(8_000, 48_000)),
        max_average_bit_rate: number("maxaveragebitrate").map(|rate| rate.clamp(6_000, 510_000)),
        constant: yes("cbr"),
        in_band_fec: yes("useinbandfec"),
        dtx: yes("usedtx"),
    }
}

/// The formats that we know, by `a=rtpmap` or, without one, by the static numbers.
fn read_formats(media: &Media) -> Vec<(Format, u8)> {
    let mut found = Vec::new();
    for word in media.formats.iter().take(128) {
        let Some(number) = word.parse::<u8>().ok().filter(|number| *number < 128) else {
            continue;
        };
        let mapping = media.values("rtpmap").find_map(|value| {
            let (key, name) = value.split_once(char::is_whitespace)?;
            (key.parse() == Ok(number)).then_some(name.trim())
        });
        let format = match mapping {
            Some(name) => Format::from_rtpmap(name, parameters(media, number)),
            None => Format::from_static(number),
        };
        if let Some(format) = format {
            found.push((format, number));
        }
    }
    found
}
