//! What is odd about settings: unknown and misspelt names, values that cannot be read, and
//! settings that contradict each other.

use std::collections::{HashMap, HashSet};

use offhook_model::{Area, Layer, Owner, Problem, Setting, Source};

use crate::filter::mended_filter;
use crate::keys::{Key, Kind, Spelling, find, key, keys, resembling};
use crate::layers::Layers;

/// Unknown names of one place that are compared with the documented ones; the rest of a file that
/// is nothing but unknown is not worth the time.
const MAX_COMPARED: usize = 32;
/// Problems told of one place.
const MAX_PROBLEMS: usize = 20;

/// Something odd about one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// Name as written.
    pub key: String,
    /// Line of the file.
    pub line: Option<u32>,
    /// In words that follow after the name.
    pub words: String,
    /// What to write instead, where the name or its case is wrong (D35).
    pub meant: Option<&'static str>,
    /// What to do, where somebody should mend it; otherwise it is worth knowing.
    pub remedy: Option<String>,
}

/// Settings that contradict each other, or that do harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// Canonical names of the keys that take part, the one to change first.
    pub keys: Vec<&'static str>,
    /// What it means.
    pub problem: Problem,
}

/// Everything odd about the settings of one place, in their order.
pub fn oddities(layer: &Layer) -> Vec<Oddity> {
    let mut compared = 0;
    let mut found = vec![];
    let last_lines: HashMap<_, u32> = layer
        .settings
        .iter()
        .filter_map(|it| Some(((it.section.as_deref(), it.key.as_str()), it.line?)))
        .collect();
    for setting in &layer.settings {
        let of = |words: String, meant: Option<_>, remedy: Option<String>| {
            let instead = meant.map(|meant| format!("Write {meant} instead of {}.", setting.key));
            let (key, line) = (setting.key.clone(), setting.line);
            Oddity { key, line, words, meant, remedy: instead.or(remedy) }
        };
        let Some((key, spelling)) = find(&setting.key, layer.source) else {
            compared += 1;
            let (words, meant) = unknown(setting, layer.source, compared <= MAX_COMPARED);
            found.push(of(words, meant, None));
            continue;
        };
        if let Spelling::Meant(right) = spelling {
            found.push(of(format!("is accepted; it is written {right}"), Some(right), None));
        }
        let last = last_lines.get(&(setting.section.as_deref(), setting.key.as_str()));
        if let Some(last) = last.filter(|last| Some(**last) != setting.line) {
            let words = format!("stands here more than once; the last in line {last} counts");
            found.push(of(words, None, Some("Leave one of them.".into())));
        }
        let correct = || Some(format!("Correct the value of {}.", setting.key));
        found.extend(about_value(key, setting).map(|words| of(words, None, correct())));
        found.extend(about_place(key, setting).map(|words| of(words, None, None)));
    }
    found
}

/// What somebody should mend about the settings of one place: names and their case (D35), and
/// values that cannot be read. At most 20.
pub fn problems(layer: &Layer) -> Vec<Problem> {
    let found = oddities(layer);
    found.iter().filter_map(|oddity| oddity.problem(layer)).take(MAX_PROBLEMS).collect()
}

impl Oddity {
    /// As a problem of the place where it was found, when somebody should mend it.
    pub fn problem(&self, layer: &Layer) -> Option<Problem> {
        let line = self.line.map(|line| format!(", line {line}")).unwrap_or_default();
        let cause = format!("{}{line}: {} {}.", layer.origin, self.key, self.words);
        let remedy = self.remedy.as_deref()?;
        let problem = Problem::new(Area::Provisioning, Owner::Admin, cause, remedy)
            .with_evidence(format!("{}{line}: {}", layer.origin, self.key));
        Some(if self.meant.is_some() { problem.with_rule(35) } else { problem })
    }
}

/// The words, and the documented name that it resembles.
fn unknown(setting: &Setting, source: Source, compare: bool) -> (String, Option<&'static str>) {
    if let Some(key) = elsewhere(&setting.key) {
        let places = key.setters().join(" or ");
        return (format!("has no effect here; it belongs into {places}"), None);
    }
    let near = if compare { resembling(&setting.key) } else { None };
    // A word may be right and stand where it has no effect.
    match near.filter(|meant| find(meant, source).is_some()) {
        Some(meant) => (format!("is not known and has no effect; {meant} is"), Some(meant)),
        None => ("is not known and has no effect".into(), None),
    }
}

/// The key of this name, whoever may set it.
fn elsewhere(name: &str) -> Option<&'static Key> {
    key(name).or_else(|| keys().iter().find(|key| key.aliases.contains(&name)))
}

fn about_value(key: &Key, setting: &Setting) -> Option<String> {
    if setting.value.is_empty() {
        return None;
    }
    if let Some(wanted) = key.objection(&setting.value) {
        return Some(format!("{wanted}; its value does not count"));
    }
    match key.name {
        "ServiceDiscoveryExcludedServices" => {
            let known = |word: &&str| {
                ["", "WEBEX", "CUCM", "CUP"].iter().any(|it| it.eq_ignore_ascii_case(word))
            };
            let strange = setting.value.split([',', ';', ' ']).find(|word| !known(word))?;
            Some(format!("knows WEBEX, CUCM and CUP; {strange} has no effect"))
        }
        "BaseFilter" | "GroupBaseFilter" => {
            let mended = mended_filter(&setting.value)?;
            Some(format!("is no LDAP filter as it is written; {mended} is used"))
        }
        "UdsPhotoUriWithToken" if !setting.value.contains("%%uid%%") => {
            Some("lacks the token %%uid%%, in whose place the user's id is put".into())
        }
        _ => None,
    }
}

fn about_place(key: &Key, setting: &Setting) -> Option<String> {
    if key.kind == Kind::Secret {
        return Some("is a password in clear; it is not kept".into());
    }
    let section = setting.section.as_deref()?;
    let home = key.file_section().is_none_or(|home| section.eq_ignore_ascii_case(home));
    (!home).then(|| format!("is accepted; it belongs into the section {}", key.section))
}

/// What does not go together.
pub fn contradictions(layers: &Layers) -> Vec<Contradiction> {
    [excluded_all, authenticator, unused_address, phone_mode, nothing_left, email_prompt]
        .into_iter()
        .chain([share_ports, flavours, clear_password])
        .filter_map(|rule| rule(layers))
        .collect()
}

fn says(
    keys: Vec<&'static str>,
    cause: impl Into<String>,
    remedy: impl Into<String>,
) -> Option<Contradiction> {
    let evidence = format!("settings: {}", keys.join(", "));
    let problem =
        Problem::new(Area::Provisioning, Owner::Admin, cause, remedy).with_evidence(evidence);
    Some(Contradiction { keys, problem })
}

fn excluded_all(layers: &Layers) -> Option<Contradiction> {
    let nobody = layers.setting("Authenticator").is_none();
    (layers.excluded().everything() && nobody).then_some(())?;
    says(
        vec!["ServiceDiscoveryExcludedServices", "Authenticator"],
        "All three services are excluded from discovery, and no AUTHENTICATOR says where to sign in: every user is asked for manual settings.",
        "Leave out the service that the users have, or set AUTHENTICATOR and its addresses.",
    )
}

fn authenticator(layers: &Layers) -> Option<Contradiction> {
    let missing = |name| layers.setting(name).is_none();
    if layers.is("Authenticator", "CUP") && missing("PresenceServerAddress") {
        return says(
            vec!["Authenticator", "PresenceServerAddress"],
            "AUTHENTICATOR=CUP names no server: CUP_ADDRESS is missing, so it has no effect.",
            "Set CUP_ADDRESS to the name of the IM and Presence server.",
        );
    }
    if layers.is("Authenticator", "CUCM") && missing("TftpServer1") && missing("CcmcipServer1") {
        return says(
            vec!["Authenticator", "TftpServer1"],
            "AUTHENTICATOR=CUCM names no server: TFTP is missing, so it has no effect.",
            "Set TFTP to the name of the TFTP server of the cluster.",
        );
    }
    None
}

fn unused_address(layers: &Layers) -> Option<Contradiction> {
    let (_, source) = layers.setting("PresenceServerAddress")?;
    let unused = source == Source::Bootstrap && layers.setting("Authenticator").is_none();
    unused.then_some(())?;
    says(
        vec!["PresenceServerAddress", "Authenticator"],
        "CUP_ADDRESS has no effect, because AUTHENTICATOR=CUP is missing.",
        "Set AUTHENTICATOR=CUP, or leave CUP_ADDRESS out.",
    )
}

fn phone_mode(layers: &Layers) -> Option<Contradiction> {
    layers.phone_mode().then_some(())?;
    if !layers.flag("Telephony_Enabled") {
        return says(
            vec!["Telephony_Enabled", "ProductMode"],
            "Phone mode is wanted and telephony is switched off: nothing is left to the user.",
            "Leave out Telephony_Enabled, or the phone mode.",
        );
    }
    let other = layers.setting("Authenticator").is_some() && !layers.is("Authenticator", "CUCM");
    other.then_some(())?;
    says(
        vec!["Authenticator", "ProductMode"],
        "Phone mode signs in to Communications Manager, and AUTHENTICATOR names another.",
        "Set AUTHENTICATOR=CUCM, or leave out PRODUCT_MODE.",
    )
}

fn nothing_left(layers: &Layers) -> Option<Contradiction> {
    let off = !layers.flag("Telephony_Enabled") && !layers.flag("IM_Enabled");
    off.then_some(())?;
    says(
        vec!["Telephony_Enabled", "IM_Enabled"],
        "Chat and telephony are both switched off: nothing is left to the user.",
        "Leave out IM_Enabled or Telephony_Enabled.",
    )
}

fn email_prompt(layers: &Layers) -> Option<Contradiction> {
    let wanted = layers.flag("ServicesDomainSsoEmailPrompt");
    let (_, source) = layers.setting("ServicesDomainSsoEmailPrompt")?;
    let domains = ["ServicesDomain", "VoiceServicesDomain"];
    let lacks = domains.into_iter().find(|name| layers.setting(name).is_none());
    // The installer switch alone has these conditions (reference bootstrap.md section 1).
    (wanted && source == Source::Bootstrap).then_some(())?;
    let upn = layers.flag("UpnDiscoveryEnabled").then_some("UpnDiscoveryEnabled");
    let lack = lacks.or(upn)?;
    says(
        vec!["ServicesDomainSsoEmailPrompt", lack],
        "SSO_EMAIL_PROMPT=ON needs SERVICES_DOMAIN, VOICE_SERVICES_DOMAIN and UPN_DISCOVERY_ENABLED=false.",
        format!("Set {lack} as well."),
    )
}

fn share_ports(layers: &Layers) -> Option<Contradiction> {
    layers.setting("SharePortRangeStart").or(layers.setting("SharePortRangeSize"))?;
    let end = layers.number("SharePortRangeStart")? + layers.number("SharePortRangeSize")?;
    (end > 65_535).then_some(())?;
    says(
        vec!["SharePortRangeSize", "SharePortRangeStart"],
        format!("The ports of desktop sharing would end at {end}, beyond the last port 65535."),
        "Make SharePortRangeStart or SharePortRangeSize smaller.",
    )
}

/// Keys of both directory flavours: those of EDI count.
fn flavours(layers: &Layers) -> Option<Contradiction> {
    let (key, twin) = layers.layers().iter().find_map(|layer| {
        let names: HashSet<&str> = layer.settings.iter().map(|it| it.key.as_str()).collect();
        layer.settings.iter().find_map(|setting| {
            let (key, _) = find(&setting.key, layer.source)?;
            let twin = key.aliases.iter().find(|alias| alias.starts_with("BDI"))?;
            (names.contains(key.name) && names.contains(twin)).then_some((key.name, *twin))
        })
    })?;
    says(
        vec![key],
        format!("{key} and {twin} are both set; {key} counts."),
        format!("Leave out {twin}."),
    )
}

/// D36. The password itself is not kept; that it was there is.
fn clear_password(layers: &Layers) -> Option<Contradiction> {
    layers.setting("ConnectionPassword")?;
    (!layers.flag("UseSSL")).then_some(())?;
    let mut found = says(
        vec!["ConnectionPassword", "UseSSL"],
        "The directory password travels in clear: it is set, and TLS to the directory is not.",
        "Set UseSSL (BDIEnableTLS) to true, and use an account that may only read.",
    )?;
    found.problem = found.problem.with_rule(36);
    Some(found)
}
