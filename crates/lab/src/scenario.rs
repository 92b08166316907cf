//! The deployments the laboratory can play, and the faults it can put into them.
//!
//! A scenario decides which services exist; a fault spoils one of them. Both are found by name,
//! and a new one is one more variant here plus the place where it acts.

use std::collections::BTreeSet;

use crate::LabError;

/// A kind of deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// CUCM with UDS, IM and Presence, standard records beside them, all inside.
    OnPrem,
}

/// Scenarios that have a name and are not built.
const NOT_BUILT: [&str; 5] = ["im-only", "phone-only", "cup8", "cloud", "edge"];

impl Scenario {
    /// All that can be started.
    pub const ALL: [Self; 1] = [Self::OnPrem];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OnPrem => "on-prem",
        }
    }

    /// One sentence for `offhook-lab list`.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::OnPrem => {
                "CUCM and IM and Presence inside the network, with a second domain of standard records"
            }
        }
    }

    /// Finds a scenario by name.
    ///
    /// # Errors
    /// [`LabError::Config`] when there is none, or none yet.
    pub fn by_name(name: &str) -> Result<Self, LabError> {
        if let Some(found) = Self::ALL.into_iter().find(|scenario| scenario.name() == name) {
            return Ok(found);
        }
        if NOT_BUILT.contains(&name) {
            return Err(LabError::Config(format!("Scenario \"{name}\" is not built yet.")));
        }
        Err(LabError::Config(format!(
            "There is no scenario \"{name}\"; `offhook-lab list` shows those that exist."
        )))
    }
}

/// Something that goes wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// UDS shows a certificate for another name.
    WrongNameCert,
    /// UDS shows a certificate that ended years ago.
    ExpiredCert,
    /// UDS shows a certificate that no authority signed.
    SelfSignedCert,
    /// UDS answers every request with a web page.
    HtmlInsteadOfXml,
    /// UDS answers every request with ten megabytes of XML.
    TenMegabytes,
    /// SRV answers are cut short over UDP and the name server refuses TCP.
    TruncatedSrv,
    /// The first UDS server never answers, the second works.
    DeadServer,
    /// The only UDS server never answers.
    DeadOnlyServer,
    /// The UDS port refuses connections.
    RefusedPort,
    /// The domains have no service records.
    NoRecords,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::WrongNameCert,
        Self::ExpiredCert,
        Self::SelfSignedCert,
        Self::HtmlInsteadOfXml,
        Self::TenMegabytes,
        Self::TruncatedSrv,
        Self::DeadServer,
        Self::DeadOnlyServer,
        Self::RefusedPort,
        Self::NoRecords,
    ];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WrongNameCert => "wrong-name-cert",
            Self::ExpiredCert => "expired-cert",
            Self::SelfSignedCert => "self-signed-cert",
            Self::HtmlInsteadOfXml => "html-instead-of-xml",
            Self::TenMegabytes => "ten-megabytes",
            Self::TruncatedSrv => "truncated-srv",
            Self::DeadServer => "dead-server",
            Self::DeadOnlyServer => "dead-only-server",
            Self::RefusedPort => "refused-port",
            Self::NoRecords => "no-records",
        }
    }

    /// One sentence for `offhook-lab list`.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::WrongNameCert => "UDS shows a certificate for another host name",
            Self::ExpiredCert => "UDS shows a certificate that ended in 2021",
            Self::SelfSignedCert => "UDS shows a certificate signed by no authority",
            Self::HtmlInsteadOfXml => "UDS answers every request with a web page",
            Self::TenMegabytes => "UDS answers every request with ten megabytes of XML",
            Self::TruncatedSrv => "SRV answers are cut short over UDP, and TCP is refused",
            Self::DeadServer => "the first UDS server swallows connections, the second works",
            Self::DeadOnlyServer => "the only UDS server swallows connections",
            Self::RefusedPort => "nothing listens on the UDS port",
            Self::NoRecords => "neither domain has a service record",
        }
    }

    /// Finds a fault by name.
    ///
    /// # Errors
    /// [`LabError::Config`] when there is none.
    pub fn by_name(name: &str) -> Result<Self, LabError> {
        Self::ALL.into_iter().find(|fault| fault.name() == name).ok_or_else(|| {
            LabError::Config(format!(
                "There is no fault \"{name}\"; `offhook-lab list` shows those that exist."
            ))
        })
    }
}

/// The faults put into one laboratory.
#[derive(Debug, Clone, Default)]
pub struct Faults(BTreeSet<Fault>);

impl Faults {
    /// Looks all names up.
    ///
    /// # Errors
    /// The first unknown name.
    pub fn by_names(names: &[String]) -> Result<Self, LabError> {
        names.iter().map(|name| Fault::by_name(name)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether `fault` is in.
    #[must_use]
    pub fn has(&self, fault: Fault) -> bool {
        self.0.contains(&fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_fault() {
        for fault in Fault::ALL {
            assert_eq!(Fault::by_name(fault.name()).unwrap(), fault);
        }
        assert!(Fault::by_name("gremlins").is_err());
    }

    #[test]
    fn a_planned_scenario_is_told_apart_from_an_unknown_one() {
        assert_eq!(Scenario::by_name("on-prem").unwrap(), Scenario::OnPrem);
        assert!(Scenario::by_name("edge").unwrap_err().to_string().contains("not built yet"));
        assert!(Scenario::by_name("moon").unwrap_err().to_string().contains("no scenario"));
    }
}
