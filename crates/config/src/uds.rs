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

/// One entry of `users`: a person as the directory of the cluster has them. Texts are as they came,
/// without those that are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UdsPerson {
    /// Key of the user.
    pub id: Option<String>,
    /// User id.
    pub user_name: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// What friends say.
    pub nickname: Option<String>,
    /// Name to show; servers before 11.0 have none.
    pub display_name: Option<String>,
    /// Number at the desk.
    pub phone: Option<String>,
    /// Number at home.
    pub home: Option<String>,
    /// Number of the mobile phone.
    pub mobile: Option<String>,
    /// Mail address.
    pub email: Option<String>,
    /// Address for calls, unless the server says that there is none (`@exist`).
    pub directory_uri: Option<String>,
    /// Address in a directory of another vendor.
    pub ms_uri: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// Title.
    pub title: Option<String>,
}

/// One page of `users`. What the server says of the page is not to be believed; it is bounded by
/// whoever asks for the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UdsPage {
    /// The people, at most 500: no server gives more at once (reference uds.md).
    pub people: Vec<UdsPerson>,
    /// How many entries the page has, with those that say nothing: the next page begins behind them.
    pub rows: usize,
    /// How many there are on all pages, where it says so.
    pub total: Option<u32>,
}

/// Most people of one page.
const MAX_PEOPLE: usize = 500;

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

/// Reads `users`. Entries without any name, number or address are left out.
///
/// # Errors
/// Broken XML, or another document.
pub fn read_users(data: &[u8]) -> Result<UdsPage, XmlError> {
    let root = parse(data)?.root;
    let list = root.find("users").ok_or(XmlError::Missing("it is no list of users"))?;
    let people = list.children_named("user").map(person);
    let rows = list.children_named("user").count();
    let nobody =
        |person: &UdsPerson| *person == UdsPerson { id: person.id.clone(), ..UdsPerson::default() };
    Ok(UdsPage {
        people: people.filter(|person| !nobody(person)).take(MAX_PEOPLE).collect(),
        rows,
        total: list.attribute("totalCount").and_then(|total| total.parse().ok()),
    })
}

fn person(user: &Element) -> UdsPerson {
    let text = |name: &str| user.text_at(&[name]).map(str::to_owned);
    let exists = |uri: &&Element| uri.attribute("exist").is_none_or(is_true);
    UdsPerson {
        id: text("id"),
        user_name: text("userName"),
        first_name: text("firstName"),
        last_name: text("lastName"),
        nickname: text("nickName"),
        display_name: text("displayName"),
        phone: text("phoneNumber"),
        home: text("homeNumber"),
        mobile: text("mobileNumber"),
        email: text("email"),
        directory_uri: user
            .child("directoryUri")
            .filter(exists)
            .and_then(Element::value)
            .map(str::to_owned),
        ms_uri: text("msUri"),
        department: text("department"),
        title: text("title"),
    }
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
