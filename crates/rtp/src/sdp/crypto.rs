//! Keys for SRTP in session descriptions: `a=crypto` (RFC 4568).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use offhook_model::{Secret, SrtpSuite};
use offhook_ports::SrtpPlan;
use ring::hkdf;
use zeroize::Zeroizing;

use super::description::Media;

/// Some leave out the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Lines of one stream that are looked at.
const MAX_LINES: usize = 16;

/// Whether the stream is to be encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// Keys are not offered; theirs are taken.
    #[default]
    Accepted,
    /// Keys are offered beside the transport in clear: who understands them encrypts, who does not
    /// passes them over. That is beyond RFC 4568, and what phones do that encrypt where they can.
    Offered,
    /// Keys are offered with the encrypted transport, and a plain answer is taken all the same
    /// (`X-cisco-srtp-fallback`, reference sip-dialect.md section 3).
    Fallback,
    /// Nothing goes in clear.
    Required,
}

impl Encryption {
    /// Keys stand in our offers.
    pub(super) fn offers(self) -> bool {
        self != Self::Accepted
    }

    /// The transport of our first offer.
    pub(super) fn protocol(self) -> &'static str {
        match self {
            Self::Accepted | Self::Offered => "RTP/AVP",
            Self::Fallback | Self::Required => "RTP/SAVP",
        }
    }
}

/// A key of theirs that we can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offered {
    /// Names the line in the answer.
    pub tag: u32,
    pub suite: SrtpSuite,
    key: Secret<Vec<u8>>,
}

/// Their keys that we can use, in their order. Lines with several keys, key identifiers, unknown
/// suites or session parameters other than a window size are passed over (RFC 4568 section 6.3
/// wants a line refused whose parameters are not understood).
pub(super) fn read(media: &Media) -> Vec<Offered> {
    media.values("crypto").take(MAX_LINES).filter_map(read_line).collect()
}

fn read_line(line: &str) -> Option<Offered> {
    let mut words = line.split_ascii_whitespace();
    let tag = words.next()?.parse().ok().filter(|tag| *tag < 1_000_000_000)?;
    let name = words.next()?;
    let suite = SrtpSuite::ALL.into_iter().find(|it| it.name().eq_ignore_ascii_case(name))?;
    let (method, key) = words.next()?.split_once(':')?;
    if !method.eq_ignore_ascii_case("inline") || key.contains(';') {
        return None;
    }
    if words.any(|word| !word.to_ascii_uppercase().starts_with("WSH=")) {
        return None;
    }
    let mut parts = key.split('|');
    let key = BASE64.decode(parts.next()?).ok()?;
    let (length, salt) = suite.key_and_salt();
    // What follows is a lifetime, which we do not reach in a call, or a key identifier.
    let whole = key.len() == length + salt && !parts.any(|part| part.contains(':'));
    whole.then(|| Offered { tag, suite, key: Secret::new(key) })
}

/// Our keys of one call, all from one secret: one for each suite, the same in every description, so
/// that a new description does not begin encryption anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OwnKeys(pub Secret<[u8; 32]>);

impl OwnKeys {
    fn key(&self, suite: SrtpSuite) -> Zeroizing<Vec<u8>> {
        let (length, salt) = suite.key_and_salt();
        let mut key = Zeroizing::new(vec![0; length + salt]);
        let from = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, self.0.expose());
        let info = [suite.name().as_bytes()];
        let filled = from.expand(&info, Length(key.len())).and_then(|it| it.fill(&mut key));
        debug_assert!(filled.is_ok(), "shorter than 255 hashes");
        key
    }

    /// Writes one line of a description.
    pub(super) fn write(&self, out: &mut String, tag: u32, suite: SrtpSuite) {
        let key = Zeroizing::new(BASE64.encode(self.key(suite).as_slice()));
        let _ = write!(out, "a=crypto:{tag} {} inline:{}\r\n", suite.name(), key.as_str());
    }

    /// What both sides encrypt with when this key of theirs was chosen.
    pub(super) fn plan(&self, theirs: &Offered) -> SrtpPlan {
        SrtpPlan {
            suite: theirs.suite,
            send: Secret::new(self.key(theirs.suite).to_vec()),
            receive: theirs.key.clone(),
        }
    }
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// The place of a suite in our offers.
pub(super) fn tag_of(suite: SrtpSuite) -> u32 {
    SrtpSuite::ALL.iter().position(|it| *it == suite).map_or(0, |place| place as u32 + 1)
}

/// Of an offer of theirs: the strongest.
pub(super) fn best(theirs: &[Offered]) -> Option<&Offered> {
    theirs.iter().min_by_key(|it| tag_of(it.suite))
}

/// Of an answer of theirs: the one that refers to a line of ours.
pub(super) fn answering(theirs: &[Offered]) -> Option<&Offered> {
    theirs.iter().find(|it| it.tag == tag_of(it.suite))
}
