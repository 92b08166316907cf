//! The service profile: which services a user has, and where (reference service-profile.md).

use crate::xml::{Element, XmlError, parse};

/// One server of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UcServer {
    /// Host name, address, or for cloud services a URL.
    pub host: String,
    /// Port, where the profile names one.
    pub port: Option<u16>,
    /// `TCP`, `HTTPS`…, where the profile names one.
    pub protocol: Option<String>,
}

/// Which product gives chat and presence; it decides the authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImProduct {
    /// The profile has no such service: the user has a phone only.
    None,
    /// IM and Presence nodes in house.
    UnifiedCm,
    /// The cloud.
    Webex,
}

/// The chat part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImProfile {
    /// Product.
    pub product: ImProduct,
    /// Nodes in the order to try.
    pub servers: Vec<UcServer>,
}

/// Everything the profile names. Passwords in it are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceProfile {
    /// Chat and presence.
    pub im: ImProfile,
    /// Desk phone control.
    pub cti: Vec<UcServer>,
    /// Voice messages.
    pub voicemail: Vec<UcServer>,
    /// Voice messages by mail protocols.
    pub mail_store: Vec<UcServer>,
    /// Web meetings.
    pub conferencing: Vec<UcServer>,
    /// Contact search.
    pub directory: Vec<UcServer>,
    /// Contact search goes to user data services.
    pub use_uds: bool,
    /// What was not as it should be.
    pub oddities: Vec<&'static str>,
}

const SECTIONS: [&str; 7] = [
    "IMandPresence",
    "CTI",
    "Voicemail",
    "MailStore",
    "Conferencing",
    "Directory",
    "VideoConferenceSchedulingPortal",
];

/// Reads a service profile. The name of its root does not matter as long as there is a section.
///
/// # Errors
/// Broken XML, or a document that is no profile.
pub fn read_service_profile(data: &[u8]) -> Result<ServiceProfile, XmlError> {
    let document = parse(data)?;
    let root = &document.root;
    let named = root.name.to_ascii_lowercase().contains("profile");
    if !named && !SECTIONS.iter().any(|section| root.find(section).is_some()) {
        return Err(XmlError::Missing("it has no section of a service profile"));
    }
    let mut oddities = document.oddities;
    let mut servers = |section| servers(root, section, &mut oddities);
    Ok(ServiceProfile {
        im: im(root, servers("IMandPresence")),
        cti: servers("CTI"),
        voicemail: servers("Voicemail"),
        mail_store: servers("MailStore"),
        conferencing: servers("Conferencing"),
        directory: servers("Directory"),
        use_uds: root
            .find("UseUDS")
            .and_then(Element::value)
            .is_some_and(|value| value.eq_ignore_ascii_case("true")),
        oddities,
    })
}

/// The product's name is a label such as "WebEx (IM and Presence)"; its element is known by the
/// end of its name only (reference service-profile.md, marked as inferred).
fn im(root: &Element, servers: Vec<UcServer>) -> ImProfile {
    let label = root.find("IMandPresence").and_then(|section| {
        let typed = |child: &&Element| child.name.to_ascii_lowercase().ends_with("type");
        section.children.iter().find(typed)?.value()
    });
    let cloud = label.is_some_and(|label| label.to_ascii_lowercase().contains("webex"));
    let product = if cloud {
        ImProduct::Webex
    } else if servers.is_empty() {
        ImProduct::None
    } else {
        ImProduct::UnifiedCm
    };
    ImProfile { product, servers }
}

fn servers(root: &Element, section: &str, oddities: &mut Vec<&'static str>) -> Vec<UcServer> {
    let Some(section) = root.find(section) else { return vec![] };
    let mut found = vec![];
    for rank in ["Primary", "Backup1", "Backup2"] {
        let Some(entry) = section.child(rank) else { continue };
        let Some(host) = entry.text_at(&["Address"]) else { continue };
        let port = entry.text_at(&["Port"]).map(str::parse::<u16>);
        if matches!(port, Some(Err(_) | Ok(0))) {
            oddities.push("a port that is no port number");
        }
        found.push(UcServer {
            host: host.to_owned(),
            port: port.and_then(Result::ok).filter(|port| *port != 0),
            protocol: entry.text_at(&["Protocol"]).map(str::to_owned),
        });
    }
    found
}
