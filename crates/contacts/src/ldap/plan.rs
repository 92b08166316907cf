//! From the settings of administrators to what is asked, of whom, and as whom (reference
//! client-config.md section 7, service-profile.md). The layers see to it that the service profile
//! outranks the file, and that a key goes by both its names.

use std::time::Duration;

use offhook_config::{Layers, mended_filter};
use offhook_model::{DirectoryFault, Problem, Secret, Source};
use offhook_ports::{LdapBind, LdapScope, LdapSecurity, LdapServer, Target};

use super::attributes::{Attributes, is_attribute};
use super::filters::Predictive;
use super::masks::{self, Mask};

/// What kind of server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    /// Active Directory and AD LDS.
    ActiveDirectory,
    /// OpenLDAP and whatever else goes by the standards.
    OpenLdap,
}

/// Whose sign-in a name and password are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInOf {
    /// Communications Manager.
    Cucm,
    /// IM and Presence.
    Cup,
    /// The cloud.
    Webex,
    /// Unity Connection.
    Cuc,
}

/// A name and password that somebody signed in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Where.
    pub of: SignInOf,
    /// As typed.
    pub name: String,
    /// Password.
    pub password: Secret<String>,
}

/// What the plan needs to know besides the settings, which hold no password.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The directory of Windows is meant where the settings do not say which kind.
    pub windows: bool,
    /// `USERDNSDOMAIN`, for finding servers that nobody named.
    pub dns_domain: Option<String>,
    /// The domain of the own chat address, where `PresenceDomain` is not set.
    pub im_domain: Option<String>,
    /// Password of the service profile's directory section.
    pub profile_password: Option<Secret<String>>,
    /// `ConnectionPassword` of the client configuration file.
    pub file_password: Option<Secret<String>>,
    /// The own sign-ins, the main one first.
    pub sign_ins: Vec<SignIn>,
}

/// Where a credential comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// What administrators have set.
    Reader,
    /// Who signed in.
    SignIn,
    /// Who is signed in at the system.
    System,
    /// Nobody.
    Nobody,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Credential {
    pub(super) who: Who,
    pub(super) bind: LdapBind,
}

/// Below what is searched, and how deep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) dn: String,
    pub(super) scope: LdapScope,
}

/// How pictures are found by a web address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PhotoUrl {
    /// The attribute, and the text that its value takes the place of.
    pub(super) token: String,
    pub(super) url: String,
}

/// How a directory is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdapPlan {
    pub(super) flavour: Flavour,
    /// In the order to try.
    pub(super) servers: Vec<LdapServer>,
    /// In the order to try; the last one is nobody.
    pub(super) credentials: Vec<Credential>,
    /// A password goes out under TLS only, though the rest may be in clear.
    shielded: bool,
    /// The whole forest is asked, not one domain.
    catalogue: bool,
    secure: bool,
    /// The domain that is this computer's.
    pub(super) domain: Option<String>,
    /// None: what the server says it holds.
    pub(super) bases: Vec<Base>,
    pub(super) group_bases: Vec<Base>,
    pub(super) base_filter: String,
    pub(super) group_filter: String,
    pub(super) predictive: Predictive,
    pub(super) least: usize,
    pub(super) timeout: Duration,
    pub(super) masks: Vec<Mask>,
    pub(super) one_number: bool,
    pub(super) attributes: Attributes,
    pub(super) presence_domain: Option<String>,
    pub(super) by_sip_uri: bool,
    pub(super) uri_prefix: String,
    pub(super) directory_uri_prefix: String,
    pub(super) photo_url: Option<PhotoUrl>,
    faults: Vec<DirectoryFault>,
}

impl LdapPlan {
    /// Draws the plan; nothing where contacts are asked for by User Data Services.
    pub fn read(layers: &Layers, given: &Given) -> Option<Self> {
        let kind = layers.text("DirectoryServerType").unwrap_or_default();
        let is = |word: &str| kind.eq_ignore_ascii_case(word);
        if is("UDS") {
            return None;
        }
        let windows = is("EDI") || (given.windows && !is("BDI"));
        let open =
            layers.text("BDILDAPServerType").is_some_and(|it| it.eq_ignore_ascii_case("OpenLDAP"));
        let flavour = if open { Flavour::OpenLdap } else { Flavour::ActiveDirectory };
        let catalogue = catalogue(layers, open);
        let secure = layers.flag("UseSSL");
        let mut faults = vec![];
        let attributes = Attributes::read(layers, flavour, &mut faults);
        let text = |key: &str| layers.text(key).map(str::trim).unwrap_or_default().to_owned();
        let presence_domain = Some(text("PresenceDomain")).filter(|it| !it.is_empty());
        let shielded = match layers.setting("UseSecureConnection") {
            Some(_) => layers.flag("UseSecureConnection"),
            None => windows,
        };
        Some(Self {
            flavour,
            servers: servers(layers, catalogue, secure),
            credentials: credentials(layers, given, windows),
            shielded,
            catalogue,
            secure,
            domain: given.dns_domain.clone().filter(|domain| !domain.is_empty()),
            bases: bases(layers, "SearchBase"),
            group_bases: bases(layers, "GroupSearchBase"),
            base_filter: filter(
                layers,
                "BaseFilter",
                open.then_some("(objectClass=inetOrgPerson)"),
                &mut faults,
            ),
            group_filter: filter(
                layers,
                "GroupBaseFilter",
                open.then_some("(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))"),
                &mut faults,
            ),
            predictive: predictive(layers, flavour, &attributes, &mut faults),
            least: layers.number("MinimumCharacterQuery").map_or(3, |it| it as usize),
            timeout: Duration::from_secs(layers.number("SearchTimeout").unwrap_or(5)),
            masks: masks::read(&text("PhoneNumberMasks")),
            one_number: layers.flag("DisableSecondaryNumberLookups"),
            presence_domain: presence_domain.or_else(|| given.im_domain.clone()),
            by_sip_uri: layers.flag("UseSIPURIToResolveContacts"),
            uri_prefix: text("UriPrefix"),
            directory_uri_prefix: text("DirectoryUriPrefix"),
            photo_url: photo_url(layers, &mut faults),
            attributes,
            faults,
        })
    }

    /// The domain whose servers are to be looked for in the name system, where none is named.
    /// `discovery::directory_servers` does that; [`LdapPlan::with_found`] takes what it finds.
    pub fn looks_for(&self) -> Option<&str> {
        self.domain.as_deref().filter(|_| self.servers.is_empty())
    }

    /// There is a server to ask, or a domain in which to look for one.
    pub fn is_usable(&self) -> bool {
        !self.servers.is_empty() || self.looks_for().is_some()
    }

    /// The plan with servers that were found: those of the global catalogue and those of the
    /// domain, each in the order to try.
    pub fn with_found(mut self, catalogue: &[Target], domain: &[Target]) -> Self {
        if self.servers.is_empty() {
            // Where nobody publishes a catalogue, the domain's own people are better than none.
            let wanted = if self.catalogue && !catalogue.is_empty() { catalogue } else { domain };
            let found = wanted.iter().map(|target| {
                let port = match (self.secure, target.port) {
                    (true, 389) => 636,
                    (true, 3268) => 3269,
                    (_, port) => port,
                };
                server(&target.host, Some(port), port, self.secure)
            });
            self.servers = found.collect();
        }
        self
    }

    /// The server of this number as it is spoken to with this credential: a password that asks for
    /// protection goes out under TLS, or not at all.
    pub(super) fn server(&self, index: usize, credential: &Credential) -> Option<LdapServer> {
        let mut server = self.servers.get(index)?.clone();
        let password = matches!(credential.bind, LdapBind::Simple { .. });
        if password && self.shielded && server.security == LdapSecurity::None {
            server.security = LdapSecurity::StartTls;
        }
        Some(server)
    }

    /// What administrators should mend, whether or not it works: settings that cannot be used, and
    /// passwords that travel in clear (D36).
    pub fn findings(&self) -> Vec<Problem> {
        let Some(first) = self.servers.first() else { return vec![] };
        let at = first.endpoint();
        let mut found: Vec<_> = self.faults.iter().map(|fault| fault.problem(&at)).collect();
        let clear = self.credentials.iter().any(|credential| {
            matches!(credential.bind, LdapBind::Simple { .. })
                && (0..self.servers.len())
                    .filter_map(|index| self.server(index, credential))
                    .any(|server| server.security == LdapSecurity::None)
        });
        if clear {
            found.push(DirectoryFault::CredentialsInClear.problem(&at));
        }
        found
    }
}

/// The servers that the settings name, in the order to try; none where contacts are asked for by User
/// Data Services.
pub fn named_servers(layers: &Layers) -> Vec<LdapServer> {
    let text = |key| layers.text(key).unwrap_or_default();
    if text("DirectoryServerType").eq_ignore_ascii_case("UDS") {
        return vec![];
    }
    let open = text("BDILDAPServerType").eq_ignore_ascii_case("OpenLDAP");
    servers(layers, catalogue(layers, open), layers.flag("UseSSL"))
}

/// A domain controller or an AD LDS is asked on its own ports, everybody else's catalogue on its own.
fn catalogue(layers: &Layers, open: bool) -> bool {
    !open && layers.number("ConnectionType") != Some(1)
}

fn servers(layers: &Layers, catalogue: bool, secure: bool) -> Vec<LdapServer> {
    let usual = match (catalogue, secure) {
        (true, false) => 3268,
        (true, true) => 3269,
        (false, false) => 389,
        (false, true) => 636,
    };
    let named = [
        ("PrimaryServerName", Some("ServerPort1")),
        ("SecondaryServerName", Some("ServerPort2")),
        ("TertiaryServerName", None),
    ];
    let named = named.into_iter().filter_map(|(host, port)| {
        let host = layers.text(host).map(str::trim).filter(|host| !host.is_empty())?;
        let port = port.and_then(|port| u16::try_from(layers.number(port)?).ok());
        Some(server(host, port, usual, secure))
    });
    let mut servers: Vec<LdapServer> = vec![];
    for one in named {
        if !servers.contains(&one) {
            servers.push(one);
        }
    }
    servers
}

fn server(host: &str, port: Option<u16>, usual: u16, secure: bool) -> LdapServer {
    let security = match (secure, port) {
        (false, _) => LdapSecurity::None,
        // On the ports of clear text TLS begins later.
        (true, Some(389 | 3268)) => LdapSecurity::StartTls,
        (true, _) => LdapSecurity::Tls,
    };
    LdapServer { host: host.to_owned(), port: port.unwrap_or(usual), security }
}

/// The order of the seed ("Authentication with Contact Sources"): the service profile, the
/// configuration file, the own sign-in where told, nobody. The ticket of who is signed in at
/// Windows, where it is asked for, comes before the file.
fn credentials(layers: &Layers, given: &Given, windows: bool) -> Vec<Credential> {
    let nobody = Credential { who: Who::Nobody, bind: LdapBind::Anonymous };
    if layers.flag("LdapAnonymousBinding") {
        return vec![nobody];
    }
    let from = match layers.text("LDAP_UseCredentialsFrom").map(str::to_ascii_uppercase).as_deref()
    {
        Some("CUCM") => Some(SignInOf::Cucm),
        Some("CUP") => Some(SignInOf::Cup),
        Some("WEBEX") => Some(SignInOf::Webex),
        Some("CUC") => Some(SignInOf::Cuc),
        Some(_) | None => None,
    };
    let own = match from {
        Some(of) => given.sign_ins.iter().find(|one| one.of == of),
        None => given.sign_ins.first(),
    };
    let own = own.map(|one| Credential {
        who: Who::SignIn,
        bind: LdapBind::Simple {
            name: name_of(&one.name, layers, given),
            password: one.password.clone(),
        },
    });
    if layers.flag("UseUserCredential") {
        return own.into_iter().chain([nobody]).collect();
    }
    let (reader, by_profile) = reader(layers, given);
    let system = match layers.setting("UseWindowsCredentials") {
        Some(_) => layers.flag("UseWindowsCredentials"),
        None => windows,
    };
    let system = system.then_some(Credential { who: Who::System, bind: LdapBind::Gssapi });
    let told = layers.flag("BDIUseJabberCredentials") || from.is_some();
    let mut order: Vec<Credential> = match by_profile {
        true => reader.into_iter().chain(system).collect(),
        false => system.into_iter().chain(reader).collect(),
    };
    order.extend(own.filter(|_| told));
    order.push(nobody);
    order
}

/// The account that administrators have set, and whether the service profile has set it.
fn reader(layers: &Layers, given: &Given) -> (Option<Credential>, bool) {
    let Some((name, source)) = layers.setting("ConnectionUsername") else { return (None, false) };
    let by_profile = source == Source::ServiceProfile;
    let password = match layers.setting("ConnectionPassword") {
        Some((_, Source::ServiceProfile)) => given.profile_password.clone(),
        Some(_) => given.file_password.clone(),
        None => None,
    };
    let name = name.value.trim().to_owned();
    let credential = password
        .map(|password| Credential { who: Who::Reader, bind: LdapBind::Simple { name, password } });
    (credential, by_profile)
}

/// Active Directory takes a user's name with the domain; what has a form already keeps it.
fn name_of(name: &str, layers: &Layers, given: &Given) -> String {
    let formed = name.contains(['@', '\\', '=']);
    let open =
        layers.text("BDILDAPServerType").is_some_and(|it| it.eq_ignore_ascii_case("OpenLDAP"));
    match &given.dns_domain {
        Some(domain) if !formed && !open => format!("{name}@{domain}"),
        Some(_) | None => name.to_owned(),
    }
}

fn bases(layers: &Layers, key: &str) -> Vec<Base> {
    let mut bases: Vec<Base> = vec![];
    for number in 1..=5 {
        let Some(dn) = layers.text(&format!("{key}{number}")).map(str::trim) else { continue };
        let deep =
            key != "SearchBase" || number > 3 || layers.flag(&format!("RecursiveSearch{number}"));
        let scope = if deep { LdapScope::Subtree } else { LdapScope::OneLevel };
        if !dn.is_empty() && !bases.iter().any(|base| base.dn.eq_ignore_ascii_case(dn)) {
            bases.push(Base { dn: dn.to_owned(), scope });
        }
    }
    bases
}

/// The filter of a key, mended; one that no mending helps is told, and the default stands in.
fn filter(
    layers: &Layers,
    key: &'static str,
    open: Option<&str>,
    faults: &mut Vec<DirectoryFault>,
) -> String {
    let usual = || {
        let default = offhook_config::keys().iter().find(|it| it.name == key);
        open.or(default.and_then(|it| it.default)).unwrap_or("(objectClass=*)").to_owned()
    };
    let Some((setting, _)) = layers.setting(key) else { return usual() };
    let written = setting.value.trim();
    let mended = mended_filter(written).unwrap_or_else(|| written.to_owned());
    if looks_whole(&mended) {
        return mended;
    }
    faults.push(DirectoryFault::BadSetting(key));
    usual()
}

/// Brackets in pairs around everything, and a relation in every innermost pair. What else may be
/// wrong the adapter finds, before anybody is asked.
fn looks_whole(filter: &str) -> bool {
    let mut depth = 0usize;
    for (at, c) in filter.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return false,
            ')' => depth -= 1,
            _ if depth == 0 => return false,
            _ => {}
        }
        if depth == 0 && at + 1 != filter.len() {
            return false;
        }
    }
    depth == 0 && filter.contains('=')
}

fn predictive(
    layers: &Layers,
    flavour: Flavour,
    attributes: &Attributes,
    faults: &mut Vec<DirectoryFault>,
) -> Predictive {
    let wildcards = layers.flag("UseWildcards");
    let by_server = match layers.setting("UseANR") {
        Some(_) => layers.flag("UseANR"),
        None => flavour == Flavour::ActiveDirectory,
    };
    let mut named: Vec<String> = vec![];
    let written =
        layers.setting("PredictiveSearchFilter").map(|(setting, _)| setting.value.clone());
    for word in written.iter().flat_map(|text| text.split([',', ';', ' '])) {
        // Some write a condition where the name of an attribute is meant.
        let name = word.trim_matches(['(', ')', '&', '|']);
        let name = name.split('=').next().unwrap_or_default().trim();
        match name {
            "" => {}
            good if is_attribute(good) => named.push(good.to_owned()),
            _ => faults.push(DirectoryFault::BadSetting("PredictiveSearchFilter")),
        }
    }
    let is_anr = |name: &String| name.eq_ignore_ascii_case("anr");
    let asks_anr =
        named.is_empty() || named.iter().any(is_anr) || layers.setting("UseANR").is_some();
    named.retain(|name| !is_anr(name));
    let anr = by_server && asks_anr;
    if named.is_empty() && !anr {
        let usual = [
            &attributes.common_name,
            &attributes.display_name,
            &attributes.first_name,
            &attributes.last_name,
            &attributes.account,
            &attributes.mail,
        ];
        for name in usual {
            if !named.iter().any(|other| other.eq_ignore_ascii_case(name)) {
                named.push(name.clone());
            }
        }
    }
    Predictive { anr, attributes: named, wildcards }
}

fn photo_url(layers: &Layers, faults: &mut Vec<DirectoryFault>) -> Option<PhotoUrl> {
    if !layers.flag("PhotoUriSubstitutionEnabled") {
        return None;
    }
    let url = layers.text("PhotoUriWithToken")?.trim().to_owned();
    let token = layers.text("PhotoUriSubstitutionToken")?.trim().to_owned();
    let lower = url.to_ascii_lowercase();
    let web = lower.starts_with("http://") || lower.starts_with("https://");
    if !web || !is_attribute(&token) || !url.contains(&token) {
        faults.push(DirectoryFault::BadSetting("PhotoUriWithToken"));
        return None;
    }
    Some(PhotoUrl { token, url })
}
