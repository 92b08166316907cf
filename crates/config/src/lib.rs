//! What the servers say about a user, read into plain types: UDS answers, the service profile,
//! the phone's configuration file, and the SOAP answers of IM and Presence. And what
//! administrators have set: bootstrap file, configuration URL and client configuration files, each
//! a layer, and which of them wins.
//!
//! All readers go by the local names of elements, without regard to case, and ignore what they
//! do not know: real files use prefixes that they never declare (reference device-config.md
//! section 2). Odd input gives a value and a list of oddities, broken input an [`XmlError`]. This
//! crate asks nobody and keeps nothing; entities of a document's own are never expanded.

mod bootstrap;
mod cas;
mod ccmcip;
mod client_config;
mod device_file;
mod dial_rules;
mod directory_password;
mod edge;
mod explain;
mod filter;
#[doc(hidden)]
pub mod fuzzing;
mod judge;
mod keys;
mod layers;
mod profile_layer;
mod provision_url;
mod service_profile;
mod soap;
mod text;
mod uds;
mod url;
mod web_dialer;
mod webex;
pub mod xml;

pub use bootstrap::{MAX_BOOTSTRAP, bootstrap_digest, first_launch, read_bootstrap, says_clear};
pub use cas::{CasAnswer, read_cas};
pub use ccmcip::{CcmcipDevice, read_device_list};
pub use client_config::read_client_config;
pub use device_file::{
    CallManager, DeviceFile, Dscp, Line, SecurityMode, Transport, read_device_file,
};
pub use dial_rules::{DialRule, read_dial_rules};
pub use directory_password::read_directory_password;
pub use edge::{EdgeConfig, edge_config_url, edge_rewrite, read_edge_config};
pub use explain::{Explained, Overridden};
pub use filter::mended_filter;
pub use judge::{Contradiction, Oddity, contradictions, oddities, problems};
pub use keys::{Key, Kind, Spelling, keys};
pub use layers::Layers;
pub use profile_layer::{manual_layer, read_profile_layer};
pub use provision_url::{MAX_URL, ProvisionLimit, UrlError, read_provision_url};
pub use service_profile::{ImProduct, ImProfile, ServiceProfile, UcServer, read_service_profile};
pub use soap::{
    Answered, Login, SystemConfig, read_login, read_one_time_password, read_system_config,
};
pub use text::utf_16;
pub use uds::{
    Device, DeviceSummary, HomeCluster, UdsPage, UdsPerson, UdsUser, read_cluster_user,
    read_device, read_devices, read_servers, read_user, read_users,
};
pub use url::HttpUrl;
pub use web_dialer::{DialerAnswer, DialerPhone, read_dialer_answer, read_is_cluster_user};
pub use webex::{
    CloudChat, CloudLogin, CloudSession, read_cloud_config, read_cloud_login, read_cloud_session,
};
pub use xml::XmlError;
