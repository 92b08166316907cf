//! What is settled before discovery begins: the settings of bootstrap file, configuration URL and
//! cached configuration that act on discovery and sign-in, in typed form.

use serde::{Deserialize, Serialize};

use crate::ManualAccount;

/// Services left out of discovery (`ServiceDiscoveryExcludedServices`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Excluded {
    /// No CAS query.
    pub webex: bool,
    /// No `_cisco-uds` question.
    pub cucm: bool,
    /// No `_cuplogin` question.
    pub cup: bool,
}

impl Excluded {
    /// No discovery at all: the user is asked for manual settings, or the fallback is used.
    pub fn everything(self) -> bool {
        self.webex && self.cucm && self.cup
    }
}

/// Which address families are used (`IP_Mode`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum IpMode {
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
    /// Both.
    #[default]
    Both,
}

/// What happens when a certificate is not trusted (`InvalidCertificateBehavior`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CertificatePolicy {
    /// Ask, and remember an acceptance.
    #[default]
    Ask,
    /// Ask, and forget an acceptance at the end of the session (`PromptPerSession`).
    AskEachSession,
    /// Do not ask: refuse and say so (`RejectAndNotify`).
    Reject,
}

/// The XMPP resource to ask for (`LOGIN_RESOURCE`; reference im-presence.md section 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoginResource {
    /// A random suffix: several clients side by side.
    #[default]
    Multiple,
    /// `wbxconnect`: one client at a time.
    Wbx,
    /// A unique suffix, and a new sign-in signs older ones out.
    Mutual,
}

/// What is settled before discovery. It goes into problem reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Preset {
    /// Domain to look for services in; the address's own when nothing.
    pub services_domain: Option<String>,
    /// Domain for the SRV questions only.
    pub voice_services_domain: Option<String>,
    /// Services left out.
    pub excluded: Excluded,
    /// `AUTHENTICATOR` with its addresses: used when nothing is found. `Automatic` means none.
    pub fallback: ManualAccount,
    /// The edge may be used (`RemoteAccess`).
    pub remote_access: bool,
    /// The pinpoint zone `cisco-internal.<domain>` is asked.
    pub pinpoint: bool,
    /// Phone only is wanted (`PRODUCT_MODE=Phone_Mode`, `TelephonyOnlyDiscovery`).
    pub phone_mode: bool,
    /// The user has a phone (`Telephony_Enabled`).
    pub telephony: bool,
    /// The user has chat (`IM_Enabled`).
    pub im: bool,
    /// Group configuration file given at installation (`TFTP_FILE_NAME`).
    pub config_file: Option<String>,
    /// TFTP servers of the configuration, in order.
    pub tftp: Vec<String>,
    /// WebEx SSO organisation (`SSO_ORG_DOMAIN`).
    pub sso_org_domain: Option<String>,
    /// The user is asked for the e-mail address to find the home cluster
    /// (`ServicesDomainSsoEmailPrompt`).
    pub sso_email_prompt: bool,
    /// User id and domain are taken from the system's user principal name.
    pub upn_discovery: bool,
    /// SSO goes to the system's browser in any case (`ForceLaunchBrowser`).
    pub force_browser: bool,
    /// Address families.
    pub ip_mode: IpMode,
    /// Certificates that are not trusted.
    pub certificates: CertificatePolicy,
    /// XMPP resource.
    pub login_resource: LoginResource,
}

impl Default for Preset {
    /// Nothing is settled.
    fn default() -> Self {
        Self {
            services_domain: None,
            voice_services_domain: None,
            excluded: Excluded::default(),
            fallback: ManualAccount::default(),
            remote_access: true,
            pinpoint: true,
            phone_mode: false,
            telephony: true,
            im: true,
            config_file: None,
            tftp: vec![],
            sso_org_domain: None,
            sso_email_prompt: false,
            upn_discovery: true,
            force_browser: false,
            ip_mode: IpMode::default(),
            certificates: CertificatePolicy::default(),
            login_resource: LoginResource::default(),
        }
    }
}
