//! What a search is made of.

use std::net::Ipv6Addr;
use std::time::Duration;

use offhook_config::{HttpUrl, Layers};
use offhook_model::Secret;
use offhook_ports::Target;

use crate::numbers::Matching;

/// Whom to ask for people, and how. Clusters, credentials and domain are those of the sign-in; the
/// rest is what administrators have set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UdsPlan {
    /// Nodes of each cluster, in the order to ask; the user's own cluster first, or the server that
    /// is set (`UdsServer`).
    pub clusters: Vec<Vec<Target>>,
    /// What is shown to servers that want to know who searches.
    pub credentials: Option<(String, Secret<String>)>,
    /// Port and path of searches with a password, where they are another's than those without.
    pub secure: Option<(u16, String)>,
    /// Domain of chat addresses (`PresenceDomain`, else that of the sign-in).
    pub domain: Option<String>,
    /// Chat addresses are directory URIs (`UseSIPURIToResolveContacts`).
    pub by_uri: bool,
    /// Address of pictures (`UdsPhotoUriWithToken`).
    pub photo: Option<String>,
    /// Characters that must have been typed before anybody is asked (`MinimumCharacterQuery`).
    pub least: usize,
    /// People at most, 1 to 500.
    pub limit: usize,
    /// Bound on one question (`SearchTimeout`).
    pub timeout: Duration,
    /// When two numbers are the same.
    pub matching: Matching,
}

/// Most people of one search: the largest page that a server may be set to (reference uds.md).
const MOST_PEOPLE: usize = 500;
/// Port of user data services.
const PORT: u16 = 8443;

impl UdsPlan {
    /// A plan by the settings for the clusters that the sign-in knows, the user's own first.
    ///
    /// `UdsServer`, where it is set, is asked before all of them. Nobody's password is in the plan,
    /// and no domain but `PresenceDomain`: both are the caller's to fill in.
    pub fn new(layers: &Layers, known: Vec<Vec<Target>>) -> Self {
        let text = |name| layers.text(name).map(str::to_owned);
        let set = layers.text("UdsServer").and_then(place);
        let known = known.into_iter().filter(|nodes| !nodes.is_empty());
        let number = |name, otherwise| {
            layers.number(name).and_then(|it| it.try_into().ok()).unwrap_or(otherwise)
        };
        let mut plan = Self {
            clusters: known.collect(),
            credentials: None,
            secure: None,
            domain: text("PresenceDomain"),
            by_uri: layers.flag("UseSIPURIToResolveContacts"),
            photo: text("UdsPhotoUriWithToken"),
            least: usize::from(number("MinimumCharacterQuery", 3_u8)),
            limit: 100,
            timeout: Duration::from_secs(u64::from(number("SearchTimeout", 5_u8).max(1))),
            matching: Matching::default(),
        };
        if let Some(server) = set {
            plan.ask_first(server);
        }
        plan
    }

    /// A node of a known cluster moves to the front with its cluster; another one becomes a cluster
    /// of its own.
    fn ask_first(&mut self, server: Target) {
        let same = |node: &Target| node.host.eq_ignore_ascii_case(&server.host);
        let home = self.clusters.iter().position(|nodes| nodes.iter().any(same));
        let mut nodes = home.map(|at| self.clusters.remove(at)).unwrap_or_default();
        nodes.retain(|node| !same(node));
        nodes.insert(0, server);
        self.clusters.insert(0, nodes);
    }

    /// At most so many people.
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit.clamp(1, MOST_PEOPLE);
        self
    }

    /// Where the device file says that searches with a password go (`secureUDSUsersAccessURL`).
    ///
    /// Its port and path are taken and its host is not: device files come over plain HTTP, and
    /// whoever forges one must not be told the password. Anything but `https` is passed over.
    pub fn with_secure_url(mut self, url: &str) -> Self {
        let url = HttpUrl::parse(url).filter(|url| url.secure);
        self.secure = url.and_then(|url| {
            let path = url.path.split('?').next()?.trim_end_matches('/');
            path.starts_with("/cucm-uds/").then(|| (url.port, path.to_owned()))
        });
        self
    }
}

/// Reads `host`, `host:port`, `[address]:port` and bare addresses as administrators write them.
fn place(text: &str) -> Option<Target> {
    let text = text.trim();
    if text.parse::<Ipv6Addr>().is_ok() {
        return Some(Target { host: text.to_owned(), port: PORT });
    }
    let url = HttpUrl::parse(&format!("https://{text}/")).filter(|url| url.path == "/")?;
    let named = text.rsplit(']').next().is_some_and(|rest| rest.contains(':'));
    Some(Target { host: url.host, port: if named { url.port } else { PORT } })
}

#[cfg(test)]
mod tests {
    use offhook_config::Layers;
    use offhook_model::{Layer, Setting, Source};
    use offhook_ports::Target;

    use super::{UdsPlan, place};

    fn layers(settings: &[(&str, &str)]) -> Layers {
        let setting = |(key, value): &(&str, &str)| Setting {
            key: (*key).to_owned(),
            section: None,
            value: (*value).to_owned(),
            line: None,
        };
        Layers::new([Layer {
            source: Source::GlobalFile,
            origin: "f".into(),
            settings: settings.iter().map(setting).collect(),
            oddities: vec![],
        }])
    }

    fn target(host: &str, port: u16) -> Target {
        Target { host: host.into(), port }
    }

    #[test]
    fn the_server_that_is_set_comes_first() {
        let home = vec![target("cucm1", 8443), target("cucm2", 8443)];
        let set = layers(&[("UdsServer", "11.22.33.44"), ("MinimumCharacterQuery", "2")]);
        let plan = UdsPlan::new(&set, vec![home.clone(), vec![]]);
        assert_eq!(plan.clusters, [vec![target("11.22.33.44", 8443)], home.clone()]);
        assert_eq!((plan.least, plan.limit, plan.timeout.as_secs()), (2, 100, 5));
        let set = layers(&[("UdsServer", "CUCM2:9443")]);
        let plan = UdsPlan::new(&set, vec![home]);
        assert_eq!(plan.clusters, [vec![target("CUCM2", 9443), target("cucm1", 8443)]]);
        assert!(UdsPlan::new(&layers(&[]), vec![]).clusters.is_empty());
    }

    #[test]
    fn servers_are_written_in_several_ways() {
        assert_eq!(place("[2001:db8::1]:9443"), Some(target("2001:db8::1", 9443)));
        assert_eq!(place("2001:db8::1"), Some(target("2001:db8::1", 8443)));
        for bad in ["", "a b", "https://cucm1/", "cucm1/x"] {
            assert_eq!(place(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_forged_device_file_does_not_learn_the_password() {
        let plan = || UdsPlan::new(&layers(&[]), vec![vec![target("cucm1", 8443)]]);
        let secure = |url: &str| plan().with_secure_url(url).secure;
        let path = "/cucm-uds/users".to_owned();
        assert_eq!(secure("https://evil.example:9443/cucm-uds/users/"), Some((9443, path)));
        for bad in ["http://cucm1:8080/cucm-uds/users", "https://cucm1/steal", "", "cucm1"] {
            assert_eq!(secure(bad), None, "{bad}");
        }
    }
}
