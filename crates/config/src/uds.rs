//! Answers of User Data Services (reference uds.md).

use crate::xml::{Element, XmlError, parse};

/// Where a user's home is, as `clusterUser` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomeCluster {
    /// Node of the home cluster.
    pub host: String,
    /// Address of the user's own resource there.
    pub user_uri: Option<String>,
    /// Address of the list of the cluster's nodes.
    pub servers_uri: Option<String>,
}

/// The parts of `user` that sign-in needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UdsUser {
    /// User id as the server spells it.
    pub user_name: Option<String>,
    /// Name to show, put together from first and last name when there is no other.
    pub display_name: Option<String>,
    /// Directory number of the primary extension.
    pub number: Option<String>,
    /// Number of the voicemail system.
    pub voicemail_pilot: Option<String>,
    /// Addresses of the service profile, in the order to try.
    pub service_profiles: Vec<String>,
    /// `homeCluster/@enableImAndPresence`, where the server says it.
    pub im_enabled: Option<bool>,
    /// IM and Presence nodes.
    pub im_servers: Vec<String>,
}

/// One entry of `devices`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceSummary {
    /// Device name such as `CSFALICE`.
    pub name: String,
    /// Model in words; only the model decides what a device is for.
    pub model: String,
    /// Address of the device's resource.
    pub uri: Option<String>,
    /// Key of the device.
    pub id: Option<String>,
}

/// `device`: where its configuration file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Device name.
    pub name: Option<String>,
    /// Addresses of its configuration file, in the order to try.
    pub files: Vec<String>,
}

/// Reads `clusterUser`. `None` means that no cluster knows the user.
///
/// # Errors
/// Broken XML, or an answer without a result.
pub fn read_cluster_user(data: &[u8]) -> Result<Option<HomeCluster>, XmlError> {
    let root = parse(data)?.root;
    let result = root.find("result").ok_or(XmlError::Missing("it has no result"))?;
    if !result.attribute("found").is_some_and(is_true) {
        return Ok(None);
    }
    let user_uri = result.attribute("uri").map(str::to_owned);
    let home = root.find("homeCluster");
    let host = home
        .and_then(Element::value)
        .map(str::to_owned)
        .or_else(|| Some(crate::HttpUrl::parse(user_uri.as_deref()?)?.host))
        .ok_or(XmlError::Missing("it does not name the home cluster"))?;
    let servers_uri = home.and_then(|home| home.attribute("serversUri")).map(str::to_owned);
    Ok(Some(HomeCluster { host, user_uri, servers_uri }))
}

/// Reads `servers`: host names or addresses, without repetition, at most 64.
///
/// # Errors
/// Broken XML, or another document.
pub fn read_servers(data: &[u8]) -> Result<Vec<String>, XmlError> {
    let root = parse(data)?.root;
    let list = root.find("servers").ok_or(XmlError::Missing("it is no list of servers"))?;
    let mut hosts: Vec<String> = vec![];
    for host in list.children_named("server").filter_map(Element::value).take(64) {
        if !hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) {
            hosts.push(host.to_owned());
        }
    }
    Ok(hosts)
}

/// Reads `user`.
///
/// # Errors
/// Broken XML, or another document.
pub fn read_user(data: &[u8]) -> Result<UdsUser, XmlError> {
    let root = parse(data)?.root;
    let user = root.find("user").ok_or(XmlError::Missing("it is no user"))?;
    let text = |path: &[&str]| user.text_at(path).map(str::to_owned);
    let home = user.child("homeCluster");
    Ok(UdsUser {
        user_name: text(&["userName"]),
        display_name: text(&["displayName"]).or_else(|| full_name(user)),
        number: text(&["primaryExtension", "directoryNumber"]),
        voicemail_pilot: text(&["primaryExtension", "voiceMailPilotNumber"]),
        service_profiles: user.child("serviceProfile").map(uris).unwrap_or_default(),
        im_enabled: home.and_then(|home| home.attribute("enableImAndPresence")).map(is_true),
        im_servers: user
            .child("imAndPresence")
            .map(|part| part.children_named("server").filter_map(Element::value).collect())
            .unwrap_or_else(Vec::new)
            .into_iter()
            .map(str::to_owned)
            .collect(),
    })
}

fn full_name(user: &Element) -> Option<String> {
    let names = ["firstName", "lastName"].map(|name| user.text_at(&[name]).unwrap_or_default());
    Some(names.join(" ").trim().to_owned()).filter(|name| !name.is_empty())
}

/// Reads `devices`; entries without a name are left out.
///
/// # Errors
/// Broken XML, or another document.
pub fn read_devices(data: &[u8]) -> Result<Vec<DeviceSummary>, XmlError> {
    let root = parse(data)?.root;
    let list = root.find("devices").ok_or(XmlError::Missing("it is no list of devices"))?;
    let summary = |device: &Element| {
        Some(DeviceSummary {
            name: device.text_at(&["name"])?.to_owned(),
            model: device.text_at(&["model"]).unwrap_or_default().to_owned(),
            uri: device.attribute("uri").map(str::to_owned),
            id: device.text_at(&["id"]).map(str::to_owned),
        })
    };
    Ok(list.children_named("device").filter_map(summary).collect())
}

/// Reads `device`.
///
/// # Errors
/// Broken XML, or another document.
pub fn read_device(data: &[u8]) -> Result<Device, XmlError> {
    let root = parse(data)?.root;
    let device = root.find("device").ok_or(XmlError::Missing("it is no device"))?;
    Ok(Device {
        name: device.text_at(&["name"]).map(str::to_owned),
        files: device.child("provision").map(uris).unwrap_or_default(),
    })
}

/// `uri` children, or the `uri` attribute of older servers.
fn uris(element: &Element) -> Vec<String> {
    let children = element.children_named("uri").filter_map(Element::value);
    children.chain(element.attribute("uri")).map(str::to_owned).collect()
}

fn is_true(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("true")
}
