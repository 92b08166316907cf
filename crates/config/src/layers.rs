//! Which source wins, key by key (reference index.md, cross-cutting conventions): service profile,
//! group file, global file, configuration URL, bootstrap file, built-in default; manual settings
//! beat them all. Settings that act before discovery are drawn into a [`Preset`]; of those the
//! bootstrap file and the configuration URL outrank the files of the last sign-in, which are not
//! there yet when discovery begins.

use offhook_model::{
    AccountType, CertificatePolicy, Excluded, IpMode, Layer, LoginResource, ManualAccount, Preset,
    Setting, Source,
};

use crate::keys::{Key, Kind, Spelling, find, flag, folded, key, keys};

/// All that is known, by source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    /// The weakest first.
    layers: Vec<Layer>,
    /// What each of their settings means: looked up once, asked for often.
    meanings: Vec<Vec<Meaning>>,
}

type Meaning = Option<(&'static Key, Spelling)>;

/// A setting that could count, the strongest first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    pub setting: &'a Setting,
    pub layer: &'a Layer,
    pub counts: bool,
}

impl Layers {
    /// The layers, in any order; of two of the same source the later one counts.
    pub fn new(layers: impl IntoIterator<Item = Layer>) -> Self {
        let mut all = Self::default();
        layers.into_iter().for_each(|layer| all.put(layer));
        all
    }

    /// Replaces the layer of this source.
    pub fn put(&mut self, layer: Layer) {
        self.remove(layer.source);
        let at = self.layers.partition_point(|other| other.source < layer.source);
        let meanings = layer.settings.iter().map(|it| find(&it.key, layer.source)).collect();
        self.meanings.insert(at, meanings);
        self.layers.insert(at, layer);
    }

    /// Drops the layer of this source.
    pub fn remove(&mut self, source: Source) {
        if let Some(at) = self.layers.iter().position(|layer| layer.source == source) {
            self.layers.remove(at);
            self.meanings.remove(at);
        }
    }

    /// All layers, the weakest first.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Each layer's settings with what they mean.
    pub(crate) fn meant(&self) -> impl Iterator<Item = (&Layer, &Setting, Meaning)> {
        self.layers.iter().zip(&self.meanings).flat_map(|(layer, meanings)| {
            layer.settings.iter().zip(meanings).map(move |(setting, it)| (layer, setting, *it))
        })
    }

    /// The setting that counts, and where it comes from. A key goes by any of its names.
    pub fn setting(&self, name: &str) -> Option<(&Setting, Source)> {
        let strongest = |key| {
            let counting = self.candidates(key).into_iter().find(|candidate| candidate.counts);
            counting.map(|candidate| (candidate.setting, candidate.layer.source))
        };
        let known = key(name).or_else(|| keys().iter().find(|key| key.aliases.contains(&name)));
        if let Some(key) = known {
            return strongest(key);
        }
        self.layers.iter().rev().find_map(|layer| {
            let same = layer.settings.iter().rev().find(|setting| setting.key == name);
            same.map(|setting| (setting, layer.source))
        })
    }

    /// Everything that sets this key, the strongest first.
    pub(crate) fn candidates(&self, key: &'static Key) -> Vec<Candidate<'_>> {
        let mut found: Vec<(_, Candidate<'_>)> = vec![];
        for (position, (layer, setting, meaning)) in self.meant().enumerate() {
            let Some((meant, spelling)) = meaning else { continue };
            if !std::ptr::eq(meant, key) {
                continue;
            }
            let counts = counts(key, setting);
            let rank = (strength(key, layer.source), nearness(key, setting, spelling), position);
            found.push((rank, Candidate { setting, layer, counts }));
        }
        found.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
        found.into_iter().map(|(_, candidate)| candidate).collect()
    }

    /// The text of a key, or its built-in value.
    pub fn text(&self, name: &str) -> Option<&str> {
        let found = self.setting(name).map(|(setting, _)| setting.value.as_str());
        found.or_else(|| key(name)?.default)
    }

    /// A truth value, or the built-in one; false when there is none.
    pub fn flag(&self, name: &str) -> bool {
        self.text(name).and_then(flag).unwrap_or_default()
    }

    /// A number, or the built-in one.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// The words of a list, without repetition.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let mut words: Vec<&str> = vec![];
        for word in self.text(name).unwrap_or_default().split([',', ';', ' ', '\t']) {
            if !word.is_empty() && !words.contains(&word) {
                words.push(word);
            }
        }
        words
    }

    /// The key holds this word, in any of its spellings.
    pub(crate) fn is(&self, name: &str, word: &str) -> bool {
        self.text(name).is_some_and(|value| folded(value) == folded(word))
    }

    /// What is settled before discovery.
    pub fn preset(&self) -> Preset {
        let owned = |name| self.text(name).map(str::to_owned);
        Preset {
            services_domain: owned("ServicesDomain"),
            voice_services_domain: owned("VoiceServicesDomain"),
            excluded: self.excluded(),
            fallback: self.fallback(),
            remote_access: self.flag("RemoteAccess"),
            phone_mode: self.phone_mode(),
            telephony: self.flag("Telephony_Enabled"),
            im: self.flag("IM_Enabled"),
            config_file: owned("TFTP_FILE_NAME"),
            tftp: ["TftpServer1", "TftpServer2"].into_iter().filter_map(owned).collect(),
            sso_org_domain: owned("SSO_ORG_DOMAIN"),
            sso_email_prompt: self.flag("ServicesDomainSsoEmailPrompt"),
            upn_discovery: self.flag("UpnDiscoveryEnabled"),
            force_browser: self.flag("ForceLaunchBrowser"),
            ip_mode: self.ip_mode(),
            certificates: self.certificates(),
            login_resource: self.login_resource(),
            ..Preset::default()
        }
    }

    pub(crate) fn excluded(&self) -> Excluded {
        let words = self.list("ServiceDiscoveryExcludedServices");
        let has = |word: &str| words.iter().any(|it| it.eq_ignore_ascii_case(word));
        Excluded { webex: has("WEBEX"), cucm: has("CUCM"), cup: has("CUP") }
    }

    pub(crate) fn phone_mode(&self) -> bool {
        self.is("ProductMode", "Phone_Mode") || self.flag("TelephonyOnlyDiscovery")
    }

    /// `AUTHENTICATOR` with its addresses. Without the address that it needs it is of no use.
    pub(crate) fn fallback(&self) -> ManualAccount {
        let owned = |name| self.text(name).map(str::to_owned);
        let account = ManualAccount {
            server: owned("PresenceServerAddress"),
            tftp: owned("TftpServer1"),
            ccmcip: owned("CcmcipServer1"),
            cti: owned("CtiServer1"),
            cas_url: owned("PresenceServerURL"),
            ..ManualAccount::default()
        };
        let none = ManualAccount::default();
        let account_type = match self.text("Authenticator").map(folded).as_deref() {
            Some("cup") if account.server.is_some() => AccountType::Cup,
            Some("cucm") if account.tftp.is_some() || account.ccmcip.is_some() => AccountType::Cucm,
            Some("webex") => AccountType::Webex,
            _ => return none,
        };
        match account_type {
            AccountType::Cup => ManualAccount { account_type, server: account.server, ..none },
            AccountType::Webex => ManualAccount { account_type, cas_url: account.cas_url, ..none },
            _ => ManualAccount { account_type, server: None, cas_url: None, ..account },
        }
    }

    fn ip_mode(&self) -> IpMode {
        match self.text("IP_Mode").map(folded).as_deref() {
            Some("ipv4only") => IpMode::V4,
            Some("ipv6only") => IpMode::V6,
            _ => IpMode::Both,
        }
    }

    fn certificates(&self) -> CertificatePolicy {
        match self.text("InvalidCertificateBehavior").map(folded).as_deref() {
            Some("rejectandnotify") => CertificatePolicy::Reject,
            Some("promptpersession") => CertificatePolicy::AskEachSession,
            _ => CertificatePolicy::Ask,
        }
    }

    fn login_resource(&self) -> LoginResource {
        match self.text("LoginResource").map(folded).as_deref() {
            Some("wbx" | "wbxconnect") => LoginResource::Wbx,
            Some("mut" | "mutuallyexclusive") => LoginResource::Mutual,
            _ => LoginResource::Multiple,
        }
    }
}

/// A blank lets the next source through (reference service-profile.md), and so does a value that
/// cannot be read.
fn counts(key: &Key, setting: &Setting) -> bool {
    // Of a password only the fact that it was there is kept.
    let secret = key.kind == Kind::Secret;
    secret || (!setting.value.is_empty() && key.objection(&setting.value).is_none())
}

/// The order of sources for this key.
fn strength(key: &Key, source: Source) -> (bool, Source) {
    let lifted = matches!(source, Source::Bootstrap | Source::Url) && key.early;
    (lifted || matches!(source, Source::Manual | Source::User), source)
}

/// Of several in one place: its documented section first, then its own name (where keys of both
/// directory flavours stand, those of EDI count; client-config.md section 7.1), then the last.
fn nearness(key: &Key, setting: &Setting, spelling: Spelling) -> (bool, bool, bool) {
    let section = setting.section.as_deref();
    let at_home = section.is_none_or(|section| section.eq_ignore_ascii_case(key.section));
    (
        at_home,
        spelling == Spelling::Right,
        setting.key == key.name || !setting.key.starts_with("BDI"),
    )
}
