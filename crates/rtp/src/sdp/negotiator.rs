//! Offer and answer (RFC 3264) for one call.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use offhook_model::{AudioCodec, Secret, SrtpSuite};
use offhook_ports::{CodecPlan, ExtendedReports, MediaPlan, Redundancy, SrtpPlan};

use super::audio::{self, RemoteAudio};
use super::crypto::{self, Encryption, OwnKeys};
use super::description::{Description, Flow, Media};
use super::ice::{LocalIce, OwnIce, Theirs};
use super::numbers::{Format, Numbers};
use super::{LocalMedia, SdpError};

/// A place in the list of streams. The list never gets shorter (RFC 3264 section 8).
#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    /// Our audio stream.
    Audio { protocol: String },
    /// Any other stream, rejected.
    Rejected { kind: String, protocol: String, formats: Vec<String> },
}

impl Line {
    /// What was missing in a broken line is filled in: an answer must be well formed.
    fn rejected(media: &Media) -> Self {
        let or = |text: &str, other: &str| if text.is_empty() { other } else { text }.to_owned();
        Self::Rejected {
            kind: or(&media.kind, "audio"),
            protocol: or(&media.protocol, "RTP/AVP"),
            formats: if media.formats.is_empty() {
                vec!["0".to_owned()]
            } else {
                media.formats.clone()
            },
        }
    }
}

/// What we said in our last offer and what an answer refers to.
#[derive(Clone, Debug)]
struct Offered {
    flow: Flow,
    formats: Vec<(Format, u8)>,
    /// Keys stood in it.
    keys: bool,
}

/// Negotiates the audio stream of one call: keeps session id and version, payload types, the
/// order of streams and who holds whom.
#[derive(Clone, Debug)]
pub struct Negotiator {
    session_id: u64,
    version: u64,
    local: LocalMedia,
    numbers: Numbers,
    lines: Vec<Line>,
    /// The last description we sent, without its origin line; keys may stand in it.
    last_sent: Secret<String>,
    offered: Option<Offered>,
    remote: Option<RemoteAudio>,
    keys: OwnKeys,
    /// The stream is encrypted by what was agreed last.
    encrypted: bool,
    /// What our last description says of Annex B of G.729.
    annex_b: bool,
    ice: Option<OwnIce>,
}

/// The extended reports that we offer.
const ALL_REPORTS: ExtendedReports = ExtendedReports { round_trip: true, voip: true };

/// What a description of ours says of ICE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ways {
    /// Nothing.
    Unsaid,
    /// Our candidates for so many components.
    Named(u8),
    /// Theirs do not fit their addresses.
    Mismatch,
}

impl Negotiator {
    /// A call that has not negotiated yet. `session_id` should be unforeseeable.
    pub fn new(session_id: u64, local: LocalMedia) -> Self {
        Self {
            session_id,
            version: 0,
            keys: OwnKeys(local.secret.clone()),
            ice: local.ice.clone().map(OwnIce::new),
            lines: vec![Line::Audio { protocol: local.encryption.protocol().to_owned() }],
            local,
            numbers: Numbers::default(),
            last_sent: Secret::new(String::new()),
            offered: None,
            remote: None,
            encrypted: false,
            annex_b: false,
        }
    }

    /// From the next description on we receive here: the machine is on another network.
    ///
    /// With `ice` the search for a way begins anew by it; without it none is looked for any more.
    pub fn move_to(&mut self, rtp: SocketAddr, rtcp_port: u16, ice: Option<LocalIce>) {
        (self.local.address, self.local.rtp_port) = (rtp.ip(), rtp.port());
        self.local.rtcp_port = rtcp_port;
        self.ice = match (self.ice.take(), ice) {
            (Some(own), Some(local)) => Some(own.replaced(local)),
            (_, local) => local.map(OwnIce::new),
        };
    }

    /// From the next description on we hold them, or no longer do.
    pub fn set_hold(&mut self, hold: bool) {
        self.local.hold = hold;
    }

    /// After an offer of keys beside the plain transport was refused: the next offer has the
    /// encrypted transport, for some take keys with that only. Nothing, and false, for any other
    /// kind of offer or once something was agreed.
    pub fn insist_on_encryption(&mut self) -> bool {
        if self.local.encryption != Encryption::Offered || self.remote.is_some() {
            return false;
        }
        self.local.encryption = Encryption::Fallback;
        self.lines = vec![Line::Audio { protocol: Encryption::Fallback.protocol().to_owned() }];
        true
    }

    /// From the next description on these codecs, in order of preference.
    pub fn set_codecs(&mut self, codecs: Vec<AudioCodec>) {
        self.local.codecs = codecs;
    }

    /// They hold us: by their last description they do not want our sound.
    pub fn remote_holds(&self) -> bool {
        self.remote.as_ref().is_some_and(RemoteAudio::holds)
    }

    /// Our offer: the first one, or one within the call. Its version counts up when it differs from
    /// what we said last.
    pub fn offer(&mut self) -> String {
        let formats = self.own_formats();
        self.annex_b = self.local.quiet;
        // Holding is sendonly (RFC 3264 section 8.4), although nothing is sent, so that the other
        // side can tell it from our having no sound at all.
        let flow = Flow::new(true, !self.local.hold);
        let offers = self.local.encryption.offers() || self.encrypted;
        let suites = if offers { &SrtpSuite::ALL[..] } else { &[] };
        let crypto =
            suites.iter().map(|suite| (crypto::tag_of(*suite), *suite)).collect::<Vec<_>>();
        let ways = match &mut self.ice {
            Some(ice) => {
                ice.offering();
                Ways::Named(2)
            }
            None => Ways::Unsaid,
        };
        let body = self.write_body(&formats, flow, true, ALL_REPORTS, (&crypto, ways));
        self.offered = Some(Offered { flow, formats, keys: offers });
        self.finish(body)
    }

    /// Their answer to our last offer. The same answer may come again (183, then 200).
    ///
    /// # Errors
    /// [`SdpError`]; what was agreed before stays in force.
    pub fn accept_answer(&mut self, sdp: &str) -> Result<MediaPlan, SdpError> {
        let offered = self.offered.clone().ok_or(SdpError::NothingOffered)?;
        let description = Description::parse(sdp)?;
        let ours = self.lines.iter().position(|line| matches!(line, Line::Audio { .. }));
        let media = ours
            .and_then(|index| description.media.get(index))
            .filter(|media| media.kind == "audio")
            .or_else(|| description.media.iter().find(|media| media.kind == "audio"))
            .ok_or(SdpError::NoAudio)?;
        let remote = RemoteAudio::read(&description, media, &self.local)?;
        // The first format is the one they prefer (RFC 3264 section 7).
        let was_offered =
            |format: &Format| offered.formats.iter().any(|(known, _)| known == format);
        let send = remote
            .formats
            .iter()
            .find_map(|(format, number)| match format {
                Format::Codec(codec) if was_offered(format) => {
                    Some(CodecPlan { codec: *codec, payload_type: *number })
                }
                Format::Codec(_) | Format::Event(_) | Format::Noise | Format::Redundant(_) => None,
            })
            .ok_or(SdpError::NothingInCommon)?;
        let theirs = crypto::answering(&remote.keys).filter(|_| offered.keys);
        let srtp = theirs.map(|theirs| self.keys.plan(theirs));
        self.allow(srtp.as_ref(), &media.protocol)?;
        self.encrypted = srtp.is_some();
        let plan = self.plan(&remote, send, &offered.formats, offered.flow, srtp);
        let plan = self.with_ways(plan, &remote);
        self.remote = Some(remote);
        Ok(plan)
    }

    /// Our answer to their offer, and what is agreed by it.
    ///
    /// # Errors
    /// [`SdpError`] when no audio stream of theirs can be taken: the whole offer is to be refused
    /// (488), and what was agreed before stays in force.
    pub fn answer(&mut self, offer: &str) -> Result<(String, MediaPlan), SdpError> {
        let description = Description::parse(offer)?;
        let (index, remote) = self.choose(&description)?;
        let formats = self.common_formats(&remote);
        self.annex_b = self.local.quiet && remote.annex_b;
        let send = formats
            .iter()
            .find_map(|(format, _)| match format {
                Format::Codec(codec) => {
                    let payload_type = remote.number(*format)?;
                    Some(CodecPlan { codec: *codec, payload_type })
                }
                Format::Event(_) | Format::Noise | Format::Redundant(_) => None,
            })
            .ok_or(SdpError::NothingInCommon)?;
        let chosen = crypto::best(&remote.keys);
        let srtp = chosen.map(|theirs| self.keys.plan(theirs));
        let crypto: Vec<_> = chosen.map(|theirs| (theirs.tag, theirs.suite)).into_iter().collect();
        let protocol = description.media.get(index).map_or("", |media| &media.protocol);
        self.allow(srtp.as_ref(), protocol)?;
        self.lines = description.media.iter().map(Line::rejected).collect();
        if let (Some(line), Some(media)) = (self.lines.get_mut(index), description.media.get(index))
        {
            *line = Line::Audio { protocol: media.protocol.clone() };
        }
        // We send what they take and take what they send, unless we hold.
        let flow = Flow::new(remote.flow.receives(), remote.flow.sends() && !self.local.hold);
        let ways = match (&mut self.ice, &remote.ice) {
            (Some(ice), Theirs::Ice(theirs)) => {
                ice.offered(theirs);
                Ways::Named(if remote.mux { 1 } else { 2 })
            }
            (Some(_), Theirs::Mismatch) => Ways::Mismatch,
            (None, _) | (_, Theirs::None) => Ways::Unsaid,
        };
        let body = self.write_body(&formats, flow, remote.mux, remote.extended, (&crypto, ways));
        self.encrypted = srtp.is_some();
        let plan = self.plan(&remote, send, &formats, flow, srtp);
        let plan = self.with_ways(plan, &remote);
        self.offered = None;
        self.remote = Some(remote);
        Ok((self.finish(body), plan))
    }

    /// Nothing goes in clear where it must not, and nothing under a transport that promises more.
    fn allow(&self, srtp: Option<&SrtpPlan>, protocol: &str) -> Result<(), SdpError> {
        match srtp {
            Some(_) => Ok(()),
            None if audio::is_secure(protocol) => Err(SdpError::SecureOnly),
            None if self.local.encryption == Encryption::Required => Err(SdpError::InClear),
            None => Ok(()),
        }
    }

    /// The first audio stream that can be taken, one that is encrypted before others; else the
    /// error of the first one. Some offer the same stream twice, encrypted and in clear.
    fn choose(&self, description: &Description) -> Result<(usize, RemoteAudio), SdpError> {
        let mut first_error = None;
        let mut clear = None;
        let audio = description.media.iter().enumerate().filter(|(_, media)| media.kind == "audio");
        for (index, media) in audio {
            match RemoteAudio::read(description, media, &self.local) {
                Ok(remote) if !remote.keys.is_empty() => return Ok((index, remote)),
                Ok(remote) => _ = clear.get_or_insert((index, remote)),
                Err(error) => _ = first_error.get_or_insert(error),
            }
        }
        clear.ok_or(first_error.unwrap_or(SdpError::NoAudio))
    }

    /// All we can do: codecs by preference, then events for every clock in use and, as the one that
    /// everybody knows, for 8,000.
    fn own_formats(&mut self) -> Vec<(Format, u8)> {
        let mut formats: Vec<Format> =
            self.local.codecs.iter().map(|codec| Format::Codec(*codec)).collect();
        formats.push(Format::Event(8_000));
        if self.local.codecs.contains(&AudioCodec::Opus) {
            formats.push(Format::Event(48_000));
        }
        if self.local.quiet {
            formats.push(Format::Noise);
        }
        if self.local.redundancy {
            let opus = self.local.codecs.contains(&AudioCodec::Opus);
            formats.extend(opus.then_some(Format::Redundant(48_000)));
            formats.push(Format::Redundant(8_000));
        }
        formats.into_iter().map(|format| (format, self.numbers.of(format))).collect()
    }

    /// What both can do, in our order, with their numbers where they are free.
    fn common_formats(&mut self, remote: &RemoteAudio) -> Vec<(Format, u8)> {
        let codecs = self.local.codecs.iter().map(|codec| Format::Codec(*codec));
        let common: Vec<Format> = codecs
            .chain([Format::Event(8_000), Format::Event(48_000), Format::Noise])
            .chain([Format::Redundant(48_000), Format::Redundant(8_000)])
            .filter(|format| remote.number(*format).is_some())
            .collect();
        common
            .into_iter()
            .filter_map(|format| Some((format, self.numbers.adopt(format, remote.number(format)?))))
            .collect()
    }

    /// `ours` is what our description named, `flow` the direction in it.
    fn plan(
        &self,
        remote: &RemoteAudio,
        send: CodecPlan,
        ours: &[(Format, u8)],
        flow: Flow,
        srtp: Option<SrtpPlan>,
    ) -> MediaPlan {
        let mut receive = Vec::new();
        let mut dtmf_receive = Vec::new();
        let mut noise_receive = None;
        let mut redundant = Vec::new();
        for (format, number) in ours {
            match format {
                Format::Codec(codec) => {
                    receive.push(CodecPlan { codec: *codec, payload_type: *number });
                }
                Format::Event(_) => dtmf_receive.push(*number),
                Format::Noise => noise_receive = Some(*number),
                Format::Redundant(_) => redundant.push(*number),
            }
        }
        let both = |wanted| {
            remote.number(wanted).filter(|_| ours.iter().any(|(format, _)| *format == wanted))
        };
        let named = |clock| both(Format::Event(clock));
        let quiet = self.local.quiet.then(|| match send.codec {
            AudioCodec::Pcmu | AudioCodec::Pcma => both(Format::Noise),
            AudioCodec::G729 if self.annex_b && remote.annex_b => Some(send.payload_type),
            // We say `usedtx` in every description while this is wanted.
            AudioCodec::Opus if remote.opus.dtx => Some(send.payload_type),
            AudioCodec::G729
            | AudioCodec::G722
            | AudioCodec::G7221At24
            | AudioCodec::G7221At32
            | AudioCodec::Opus => None,
        });
        let silent = self.local.hold || remote.rtp.ip().is_unspecified();
        MediaPlan {
            remote: remote.rtp,
            remote_rtcp: if remote.mux { None } else { remote.rtcp },
            send,
            receive,
            dtmf: named(send.codec.clock_rate()).or_else(|| named(8_000)),
            dtmf_receive,
            noise: quiet.flatten(),
            noise_receive,
            opus: remote.opus,
            packet_time: remote.send_packet_time(send.codec, self.local.packet_time),
            sending: !silent && flow.sends() && remote.flow.receives(),
            receiving: !self.local.hold && flow.receives() && remote.flow.sends(),
            mix: false,
            dscp: self.local.dscp,
            cname: self.local.cname.clone(),
            extended: remote.extended,
            redundancy: Redundancy {
                send: both(Format::Redundant(send.codec.clock_rate())),
                receive: redundant,
            },
            srtp,
            ice: None,
        }
    }

    /// The plan with the ways to look for, where both sides know of them.
    fn with_ways(&mut self, plan: MediaPlan, remote: &RemoteAudio) -> MediaPlan {
        let ice = match (&mut self.ice, &remote.ice) {
            (Some(ice), Theirs::Ice(theirs)) => Some(ice.plan(theirs)),
            (None, _) | (_, Theirs::None | Theirs::Mismatch) => None,
        };
        MediaPlan { ice, ..plan }
    }

    /// Where we are reached by those who know nothing of ICE: RTP, then RTCP.
    fn usual(&self) -> (SocketAddr, SocketAddr) {
        let own = |port| SocketAddr::new(self.local.address, port);
        let ipv4 = self.local.address.is_ipv4();
        let ice = |component| self.ice.as_ref().and_then(|ice| ice.usual(component, ipv4));
        let rtp = ice(1).unwrap_or(own(self.local.rtp_port));
        // Where only relays are told, no other address slips in for want of a second one.
        let alone = || if ice(1).is_some() { rtp } else { own(self.local.rtcp_port) };
        (rtp, ice(2).unwrap_or_else(alone))
    }

    /// Everything after the origin line.
    fn write_body(
        &self,
        formats: &[(Format, u8)],
        flow: Flow,
        mux: bool,
        extended: ExtendedReports,
        (crypto, ways): (&[(u32, SrtpSuite)], Ways),
    ) -> String {
        let mut out = String::with_capacity(512);
        let address = self.usual().0.ip();
        let family = family(address);
        let _ = write!(out, "s=-\r\nc=IN {family} {address}\r\nt=0 0\r\n");
        for line in &self.lines {
            match line {
                Line::Audio { protocol } => {
                    self.write_audio(&mut out, protocol, formats, flow, mux);
                    write_extended(&mut out, extended);
                    for (tag, suite) in crypto {
                        self.keys.write(&mut out, *tag, *suite);
                    }
                    match (ways, &self.ice) {
                        (Ways::Named(components), Some(ice)) => ice.write(&mut out, components),
                        (Ways::Mismatch, _) => out.push_str("a=ice-mismatch\r\n"),
                        (Ways::Named(_), None) | (Ways::Unsaid, _) => {}
                    }
                }
                Line::Rejected { kind, protocol, formats } => {
                    let _ = write!(out, "m={kind} 0 {protocol} {}\r\n", formats.join(" "));
                }
            }
        }
        out
    }

    fn write_audio(
        &self,
        out: &mut String,
        protocol: &str,
        formats: &[(Format, u8)],
        flow: Flow,
        mux: bool,
    ) {
        let local = &self.local;
        let (rtp, rtcp) = self.usual();
        let _ = write!(out, "m=audio {} {protocol}", rtp.port());
        for (_, number) in formats {
            let _ = write!(out, " {number}");
        }
        out.push_str("\r\n");
        for (format, number) in formats {
            let _ = write!(out, "a=rtpmap:{number} {}\r\n", format.rtpmap());
            if let Some(parameters) = format.fmtp(self.annex_b, self.local.quiet) {
                let _ = write!(out, "a=fmtp:{number} {parameters}\r\n");
            } else if let Format::Redundant(clock) = format
                && let Some(primary) = first_with_clock(formats, *clock)
            {
                let _ = write!(out, "a=fmtp:{number} {primary}/{primary}\r\n");
            }
        }
        let _ = write!(out, "a=ptime:{}\r\n", local.packet_time.as_millis());
        if rtcp.ip() != rtp.ip() {
            let _ =
                write!(out, "a=rtcp:{} IN {} {}\r\n", rtcp.port(), family(rtcp.ip()), rtcp.ip());
        } else if Some(rtcp.port()) != rtp.port().checked_add(1) {
            let _ = write!(out, "a=rtcp:{}\r\n", rtcp.port());
        }
        if mux {
            out.push_str("a=rtcp-mux\r\n");
        }
        let _ = write!(out, "a={}\r\n", flow.name());
    }

    /// Puts the origin before the body; the version counts up when the body is new (RFC 3264
    /// section 8).
    fn finish(&mut self, body: String) -> String {
        if body != *self.last_sent.expose() {
            self.version += 1;
            self.last_sent = Secret::new(body.clone());
        }
        let address = self.usual().0.ip();
        let family = family(address);
        format!("v=0\r\no=- {} {} IN {family} {address}\r\n{body}", self.session_id, self.version)
    }
}

/// The number of the codec that redundant packets of this clock hold first.
fn first_with_clock(formats: &[(Format, u8)], clock: u32) -> Option<u8> {
    formats.iter().find_map(|(format, number)| match format {
        Format::Codec(codec) if codec.clock_rate() == clock => Some(*number),
        _ => None,
    })
}

/// `a=rtcp-xr` (RFC 3611 section 5.1).
fn write_extended(out: &mut String, extended: ExtendedReports) {
    let ExtendedReports { round_trip, voip } = extended;
    let words = [(round_trip, "rcvr-rtt=all"), (voip, "voip-metrics")];
    let wanted: Vec<_> =
        words.iter().filter(|(wanted, _)| *wanted).map(|(_, word)| *word).collect();
    if !wanted.is_empty() {
        let _ = write!(out, "a=rtcp-xr:{}\r\n", wanted.join(" "));
    }
}

fn family(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "IP4" } else { "IP6" }
}
