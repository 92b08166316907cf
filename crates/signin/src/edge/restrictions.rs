//! What does not work from outside: the unsupported rows of the seed's Table 1 ("Summary of
//! supported services for Expressway for Mobile and Remote Access") and the limitations below it.

use offhook_model::{Restriction, Via};

/// Stable name, and one sentence that says what cannot be done and what can.
const OUTSIDE: &[(&str, &str)] = &[
    (
        "ldapDirectory",
        "Contacts are searched with user data services (UDS) from outside, because the LDAP directory cannot be reached.",
    ),
    (
        "peerFileTransfer",
        "Files and screen captures cannot be sent from person to person from outside; managed file transfer works where the server has it.",
    ),
    (
        "deskPhoneControl",
        "The desk phone cannot be controlled from outside; calls are made with this computer.",
    ),
    (
        "extendAndConnect",
        "Other phones cannot be used for calls from outside (extend and connect); calls are made with this computer.",
    ),
    ("dialViaOffice", "Dial via Office does not work from outside; call with this computer."),
    (
        "sessionPersistency",
        "A call does not survive a change of network from outside; call again afterwards.",
    ),
    (
        "earlyMedia",
        "There may be silence for about a minute, in place of a busy tone or an announcement, when a call from outside is not answered.",
    ),
    ("selfCarePortal", "The Self Care Portal opens only from inside or by VPN."),
    (
        "onPremisesMeetings",
        "Meetings on a WebEx Meetings Server cannot be joined from outside; meetings in the cloud can.",
    ),
    (
        "endToEndEncryption",
        "A call is encrypted between this computer and the edge; behind it only where both phones are set up for it.",
    ),
    (
        "capfEnrolment",
        "The phone's certificate can be enrolled only from inside or by VPN: sign in there once.",
    ),
    (
        "problemReportUpload",
        "Problem reports cannot be uploaded from outside: save the report and send it another way.",
    ),
    (
        "callFailover",
        "The phone does not change to another call manager while connected from outside.",
    ),
    (
        "voicemailFailover",
        "Voicemail does not change to another server while connected from outside.",
    ),
];

/// What the way we came does not allow; nothing when it is the direct one.
pub fn restrictions(via: Via) -> Vec<Restriction> {
    match via {
        Via::Direct => vec![],
        Via::Edge => OUTSIDE
            .iter()
            .map(|(feature, words)| Restriction { feature, words: (*words).to_owned() })
            .collect(),
    }
}

/// The restriction of this name, for a feature that asks before it begins.
pub fn restricted(via: Via, feature: &str) -> Option<Restriction> {
    restrictions(via).into_iter().find(|restriction| restriction.feature == feature)
}

#[cfg(test)]
mod tests {
    use offhook_model::Via;

    use super::{restricted, restrictions};

    /// Every row of the seed's Table 1 whose mark stands in the column "Unsupported".
    #[test]
    fn every_unsupported_row_of_the_table_is_said() {
        let rows = [
            ("LDAP directory search", "ldapDirectory"),
            ("File transfer: On-premises deployments", "peerFileTransfer"),
            ("Deskphone control mode (CTI)", "deskPhoneControl"),
            ("Extend and connect", "extendAndConnect"),
            ("Dial via Office - Reverse", "dialViaOffice"),
            ("Session persistency", "sessionPersistency"),
            ("Early media", "earlyMedia"),
            ("Self Care Portal access", "selfCarePortal"),
            ("Cisco WebEx Meetings: On-premises", "onPremisesMeetings"),
            ("End-to-end encryption", "endToEndEncryption"),
            ("CAPF enrollment", "capfEnrolment"),
            ("Problem report upload", "problemReportUpload"),
            ("High Availability: Audio and Video services", "callFailover"),
            ("High Availability: Voicemail services", "voicemailFailover"),
        ];
        for (row, feature) in rows {
            assert!(restricted(Via::Edge, feature).is_some(), "{row}");
            assert!(restricted(Via::Direct, feature).is_none(), "{row}");
        }
        assert_eq!(restrictions(Via::Edge).len(), rows.len());
    }
}
