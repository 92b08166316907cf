//! The service profile (reference page service-profile).

use crate::deployment::Deployment;
use crate::fault::Fault;
use crate::nodes::HOSTS;
use crate::xml::escape;

/// What clients of the cloud read there.
const WEBEX: &str = "WebEx (IM and Presence)";
const UNIFIED: &str = "Unified CM (IM and Presence)";

/// The text of `SPDefault.cnf.xml`.
pub(crate) fn text(lab: &Deployment) -> String {
    let cucm = lab.host("cucm1");
    // The laboratory plays no voicemail server: one is named by the fault that it is missing.
    let voicemail = lab.refused_voicemail.map(|port| (lab.host("cuc1"), port.to_string()));
    let (cuc, cuc_port) = voicemail.unwrap_or_default();
    let https = if cuc.is_empty() { "" } else { "HTTPS" };
    let parts = [
        chat(lab),
        section("CTI", [&cucm, "2748", "TCP"], ""),
        section(
            "Voicemail",
            [&cuc, &cuc_port, https],
            "<VoicemailServiceCredentialsSource>Unified CM - IM and Presence\
             </VoicemailServiceCredentialsSource>",
        ),
        section("MailStore", ["", "", ""], ""),
        section(
            "Conferencing",
            ["", "", ""],
            "<WebConfSSOIdentityProvider>false</WebConfSSOIdentityProvider>",
        ),
        directory(lab),
        section("VideoConferenceSchedulingPortal", ["", "", ""], ""),
    ];
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<UserServiceProfile>{}</UserServiceProfile>\n",
        parts.concat()
    )
}

fn chat(lab: &Deployment) -> String {
    let product = |name: &str| format!("<ProductType>{name}</ProductType>");
    if lab.faults.has(Fault::ProfileWithoutIm) {
        return section("IMandPresence", ["", "", ""], "");
    }
    if lab.faults.has(Fault::WrongProduct) || lab.scenario.is_cloud() {
        let address = crate::cas::CAS_HOST;
        return section("IMandPresence", [address, "443", "HTTPS"], &product(WEBEX));
    }
    let host = if lab.faults.has(Fault::DomainAsImHost) {
        lab.domain().to_owned()
    } else {
        lab.host("imp1")
    };
    let port = lab.shown.soap.port().to_string();
    let backup = lab.im_nodes.are_two().then(|| lab.host(HOSTS[1]));
    let backup = backup.as_deref().map(|host| [host, &port, ""]);
    backed_up("IMandPresence", [&host, &port, ""], backup, &product(UNIFIED))
}

fn directory(lab: &Deployment) -> String {
    if let Some(said) = &lab.config.profile_directory {
        let port = if said.port == 0 { String::new() } else { said.port.to_string() };
        let fields = [
            ("UseUDS", "false"),
            ("DN", &said.dn),
            ("Password", &said.password),
            ("SearchContext1", &said.search_context),
        ];
        let rows: String =
            fields.iter().map(|(key, value)| format!("<{key}>{}</{key}>", escape(value))).collect();
        return section("Directory", [&escape(&said.address), &port, &said.protocol], &rows);
    }
    let (host, port) = match lab.refused_directory {
        Some(port) => (lab.host("dir1"), port),
        None => (lab.host("cucm1"), lab.shown.uds.port()),
    };
    let by_uds = lab.refused_directory.is_none();
    let more = format!(
        "<UseUDS>{by_uds}</UseUDS><UseUserCredential>false</UseUserCredential>\
         <SearchContext1/><RecursiveSearch1>true</RecursiveSearch1>\
         <SearchTimeout>5</SearchTimeout>"
    );
    section("Directory", [&host, &port.to_string(), "TCP"], &more)
}

fn section(name: &str, primary: [&str; 3], more: &str) -> String {
    backed_up(name, primary, None, more)
}

fn backed_up(name: &str, primary: [&str; 3], backup: Option<[&str; 3]>, more: &str) -> String {
    let server = |rank: &str, [address, port, protocol]: [&str; 3]| {
        format!(
            "<{rank}><Address>{address}</Address><Port>{port}</Port>\
             <Protocol>{protocol}</Protocol></{rank}>"
        )
    };
    let servers = [
        server("Primary", primary),
        server("Backup1", backup.unwrap_or_default()),
        server("Backup2", Default::default()),
    ];
    format!("<{name}>{}{more}</{name}>", servers.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::tests::{deployment, scenario};
    use crate::scenario::Scenario;
    use crate::xml::parse;

    fn chat_of(lab: &Deployment) -> (String, String, String) {
        let root = parse(&text(lab), "").unwrap();
        let chat = root.find("IMandPresence", "").unwrap();
        let primary = chat.find("Primary", "").unwrap();
        (
            primary.child_text("Address").unwrap(),
            primary.child_text("Port").unwrap(),
            chat.child_text("ProductType").unwrap_or_default(),
        )
    }

    #[test]
    fn the_profile_names_im_and_presence() {
        let (host, port, product) = chat_of(&deployment(&[]));
        assert_eq!((host.as_str(), port.as_str()), ("imp1.lab.example", "28443"));
        assert_eq!(product, UNIFIED);
        assert_eq!(chat_of(&scenario(Scenario::Hybrid, &[])).2, WEBEX);
    }

    #[test]
    fn faults_spoil_the_chat_section() {
        assert_eq!(chat_of(&deployment(&["profile-without-im"])).0, "");
        assert_eq!(chat_of(&deployment(&["wrong-product"])).2, WEBEX);
        assert_eq!(chat_of(&deployment(&["domain-as-im-host"])).0, "lab.example");
    }
}
