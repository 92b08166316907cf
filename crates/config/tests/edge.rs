//! The edge's answer, and inner addresses as the edge wants them.

use offhook_config::{
    EdgeConfig, HttpUrl, XmlError, edge_config_url, edge_rewrite, read_edge_config,
};
use offhook_ports::Target;

fn edge() -> Target {
    Target { host: "edge1.example.com".into(), port: 8443 }
}

fn answer() -> EdgeConfig {
    read_edge_config(include_bytes!("../corpus/edge/answer.xml")).expect("readable")
}

#[track_caller]
fn check(inner: &str, outer: &str) {
    let url = HttpUrl::parse(inner).expect("an address");
    assert_eq!(edge_rewrite(&url, "example.com", &edge()).to_string(), outer);
}

/// The prefixes were encoded by hand with another program's base64.
#[test]
fn an_inner_address_becomes_a_prefix() {
    check(
        "https://cucm1.internal.example:8443/cucm-uds/clusterUser?username=a%20b",
        "https://edge1.example.com:8443/ZXhhbXBsZS5jb20vaHR0cHMvY3VjbTEuaW50ZXJuYWwuZXhhbXBsZS84NDQz/cucm-uds/clusterUser?username=a%20b",
    );
    check(
        "http://cucm1:6970/SPDefault.cnf.xml",
        "https://edge1.example.com:8443/ZXhhbXBsZS5jb20vaHR0cC9jdWNtMS82OTcw/SPDefault.cnf.xml",
    );
    check("https://vm", "https://edge1.example.com:8443/ZXhhbXBsZS5jb20vaHR0cHMvdm0vNDQz/");
}

/// Both examples stand in reference edge.md section 2.
#[test]
fn the_domain_is_encoded_without_padding() {
    for (domain, encoded) in [("example.com", "ZXhhbXBsZS5jb20"), ("tbtp.com", "dGJ0cC5jb20")] {
        let url = edge_config_url(domain, &edge()).to_string();
        let begin =
            format!("https://edge1.example.com:8443/{encoded}/get_edge_config?service_name=");
        assert!(url.starts_with(&begin), "{url}");
    }
}

/// Whatever the inner address is: the outer one is at the edge, secure, ends with the same path
/// and query, and its prefix is one segment of characters that need no escape.
#[test]
fn every_address_keeps_its_path_and_goes_to_the_edge() {
    let mut state = 0x0ff_ed9e_u64;
    let mut draw = |bound: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let letters = b"abcxyz019-._";
    let marks = b"abc/?&=%2F.-_~";
    let mut seen = std::collections::HashMap::new();
    for _ in 0..5000 {
        let mut text = |set: &[u8], length: u64| -> String {
            (0..length).map(|_| char::from(set[draw(set.len() as u64) as usize])).collect()
        };
        let host = format!("h{}", text(letters, 12));
        let path = format!("/{}", text(marks, 20));
        let secure = draw(2) == 0;
        let port = u16::try_from(draw(65_535) + 1).expect("in range");
        let url = HttpUrl { secure, host, port, path };
        let outer = edge_rewrite(&url, "example.com", &edge());
        assert!(outer.secure && outer.host == "edge1.example.com" && outer.port == 8443);
        let prefix = outer.path.strip_suffix(url.path.as_str()).expect("the same path");
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        assert!(prefix.len() > 1 && prefix.bytes().skip(1).all(plain), "{prefix}");
        let place = (url.secure, url.host.clone(), url.port);
        let other = seen.insert(prefix.to_owned(), place.clone());
        assert!(other.is_none_or(|other| other == place), "{prefix} stands for two places");
    }
}

#[test]
fn the_answer_names_inner_services_and_the_way_to_them() {
    let config = answer();
    let uds: Vec<_> =
        config.service("_CISCO-UDS").iter().map(|it| (it.priority, it.target.as_str())).collect();
    assert_eq!(uds, [(10, "cucm1.inside.example"), (20, "cucm2.inside.example")]);
    assert!(config.service("_cuplogin").is_empty());
    assert_eq!(config.tftp, ["cucm1.inside.example"]);
    assert_eq!(config.routes, ["<sip:198.51.100.7:5061;transport=tls;zone-id=2;directed;lr>"]);
    let hosts = |list: &[Target]| list.iter().map(|it| it.to_owned().host).collect::<Vec<_>>();
    assert_eq!(hosts(&config.sip), ["edge1.example.com", "edge2.example.com"]);
    assert_eq!((config.xmpp.len(), config.http.len(), config.turn.len()), (1, 1, 0));
    assert_eq!(hosts(&config.user_uds), ["cucm1.inside.example"]);
    assert!(config.names("CUCM2.inside.example") && !config.names("photos.inside.example"));
    assert!(config.oddities.is_empty(), "{:?}", config.oddities);
}

#[test]
fn an_empty_home_is_no_server() {
    let config = read_edge_config(include_bytes!("../corpus/edge/no_home.xml")).expect("readable");
    assert!(config.user_uds.is_empty() && config.no_home);
    let without = read_edge_config(b"<getEdgeConfigResponse><edgeConfig/></getEdgeConfigResponse>");
    assert!(!without.expect("readable").no_home);
}

#[test]
fn what_cannot_be_used_is_left_out_and_told() {
    let config = read_edge_config(include_bytes!("../corpus/edge/nonsense.xml")).expect("readable");
    assert_eq!(config, EdgeConfig { oddities: config.oddities.clone(), ..EdgeConfig::default() });
    assert_eq!(config.oddities.len(), 3, "{:?}", config.oddities);
}

#[test]
fn other_documents_are_refused() {
    let read = |text: &str| read_edge_config(text.as_bytes()).map(|_| ());
    assert!(matches!(read("<user/>"), Err(XmlError::Missing(_))));
    assert!(matches!(read("<getEdgeConfigResponse/>"), Err(XmlError::Missing(_))));
    assert_eq!(read("<!DOCTYPE html><p>hello"), Err(XmlError::Html));
}
