//! The deployments the laboratory can play.
//!
//! A scenario decides which services exist and which records lead to them; a [`crate::Fault`]
//! spoils one of them. Both are found by name.

use crate::LabError;

/// A kind of deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// CUCM with UDS, IM and Presence, standard records beside them, all inside.
    OnPrem,
    /// On-prem without a phone for anybody.
    ImOnly,
    /// On-prem without a service profile and without IM and Presence.
    PhoneOnly,
    /// Unified Presence 8.x: no UDS, the SOAP service tells the settings.
    Cup8,
    /// WebEx Messenger, nothing of its own.
    Cloud,
    /// Chat in the cloud, phone of its own.
    Hybrid,
    /// Two clusters of two nodes each; users live on either.
    MultiCluster,
    /// Records only in the pinpoint zone.
    Pinpoint,
    /// Records only in another domain.
    VoiceDomain,
    /// No records at all.
    Manual,
    /// Outside: two edges, and nothing of the inside can be seen.
    Edge,
    /// Inside to begin with; goes outside and comes back when told.
    EdgeRoaming,
}

impl Scenario {
    /// All that can be started.
    pub const ALL: [Self; 12] = [
        Self::OnPrem,
        Self::ImOnly,
        Self::PhoneOnly,
        Self::Cup8,
        Self::Cloud,
        Self::Hybrid,
        Self::MultiCluster,
        Self::Pinpoint,
        Self::VoiceDomain,
        Self::Manual,
        Self::Edge,
        Self::EdgeRoaming,
    ];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OnPrem => "on-prem",
            Self::ImOnly => "im-only",
            Self::PhoneOnly => "phone-only",
            Self::Cup8 => "cup8",
            Self::Cloud => "cloud",
            Self::Hybrid => "hybrid",
            Self::MultiCluster => "multi-cluster",
            Self::Pinpoint => "pinpoint",
            Self::VoiceDomain => "voice-domain",
            Self::Manual => "manual",
            Self::Edge => "edge",
            Self::EdgeRoaming => "edge-roaming",
        }
    }

    /// One sentence for `offhook-lab list`.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::OnPrem => {
                "CUCM and IM and Presence inside the network, with a second domain of standard records"
            }
            Self::ImOnly => "as on-prem, and nobody has a phone",
            Self::PhoneOnly => "as on-prem, without service profile and IM and Presence",
            Self::Cup8 => {
                "Unified Presence 8.x: _cuplogin only, SOAP settings, CCMCIP device list, no UDS"
            }
            Self::Cloud => "WebEx Messenger: CAS says 7, no records",
            Self::Hybrid => {
                "WebEx Messenger for chat, CUCM for the phone, found in the voice services domain"
            }
            Self::MultiCluster => "two UDS clusters of two nodes each, with users on either",
            Self::Pinpoint => "as on-prem, with records only under cisco-internal.DOMAIN",
            Self::VoiceDomain => "as on-prem, with records only in voice.DOMAIN",
            Self::Manual => "as on-prem, without any record: for manual settings",
            Self::Edge => "as on-prem, seen from outside: two edges and nothing else",
            Self::EdgeRoaming => {
                "as on-prem; the lines \"outside\" and \"inside\" on standard input change the view"
            }
        }
    }

    /// Finds a scenario by name.
    ///
    /// # Errors
    /// [`LabError::Config`] when there is none.
    pub fn by_name(name: &str) -> Result<Self, LabError> {
        if let Some(found) = Self::ALL.into_iter().find(|scenario| scenario.name() == name) {
            return Ok(found);
        }
        Err(LabError::Config(format!(
            "There is no scenario \"{name}\"; `offhook-lab list` shows those that exist."
        )))
    }

    /// Whether UDS answers.
    pub(crate) fn has_uds(self) -> bool {
        !matches!(self, Self::Cup8 | Self::Cloud)
    }

    /// Whether there is IM and Presence with its SOAP service.
    pub(crate) fn has_presence_server(self) -> bool {
        !matches!(self, Self::PhoneOnly | Self::Cloud | Self::Hybrid)
    }

    /// Whether people have phones, device lists and device files.
    pub(crate) fn has_phones(self) -> bool {
        !matches!(self, Self::ImOnly | Self::Cloud)
    }

    /// Whether the domain belongs to a WebEx Messenger customer.
    pub(crate) fn is_cloud(self) -> bool {
        matches!(self, Self::Cloud | Self::Hybrid)
    }

    /// Whether there are edges.
    pub(crate) fn has_edges(self) -> bool {
        matches!(self, Self::Edge | Self::EdgeRoaming)
    }

    /// Number of UDS clusters.
    pub(crate) fn clusters(self) -> usize {
        if self == Self::MultiCluster { 2 } else { 1 }
    }

    /// The domain that holds the Cisco records, when it is not the services domain.
    pub(crate) fn voice_domain(self, domain: &str) -> Option<String> {
        matches!(self, Self::VoiceDomain | Self::Hybrid).then(|| format!("voice.{domain}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_scenario() {
        for scenario in Scenario::ALL {
            assert_eq!(Scenario::by_name(scenario.name()).unwrap(), scenario);
        }
    }

    #[test]
    fn an_unknown_scenario_is_refused() {
        assert!(Scenario::by_name("moon").unwrap_err().to_string().contains("no scenario"));
    }
}
