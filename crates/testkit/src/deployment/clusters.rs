//! Two clusters that know of each other: the records name nodes of the first, alice lives in the
//! second. And accounts of one kind. After reference pages uds and service-profile.

use super::{deployment, reply, url};
use crate::{Reply, TestWorld};

/// Addresses of the second cluster's resources.
pub mod clusters_url {
    /// Alice, at her home node.
    pub const USER: &str = "GET https://home1.branch.example.net:8443/cucm-uds/user/alice";
    /// Alice, at the second node of her cluster.
    pub const USER_2: &str = "GET https://home2.branch.example.net:8443/cucm-uds/user/alice";
    /// The nodes of her cluster.
    pub const SERVERS: &str = "GET https://home1.branch.example.net:8443/cucm-uds/servers";
    /// Her devices, at the second node.
    pub const DEVICES_2: &str =
        "GET https://home2.branch.example.net:8443/cucm-uds/user/alice/devices";
}

/// Alice's home is the second cluster; the nodes of the first only know where it is.
pub fn multi_cluster() -> TestWorld {
    let world = deployment();
    let there = |text: &str| {
        text.replace("cucm1.example.com", "home1.branch.example.net")
            .replace("cucm2.example.com", "home2.branch.example.net")
    };
    for address in [url::CLUSTER_USER, url::CLUSTER_USER_2] {
        world.web(address, Reply::ok(there(reply::HOME)));
    }
    let servers = "<servers><server>home1.branch.example.net</server><server>home2.branch.example.net</server></servers>";
    world.web(clusters_url::SERVERS, Reply::ok(servers));
    for (address, body) in [
        (url::USER, reply::USER),
        (url::DEVICES, reply::DEVICES),
        (url::DEVICE, reply::DEVICE),
        (url::DEVICE_FILE, reply::DEVICE_FILE),
        (url::PROFILE, reply::PROFILE),
    ] {
        let first = there(address);
        world.web(&first.replace("home1.", "home2."), Reply::ok(there(body)));
        world.web(&first, Reply::ok(there(body)));
        // Nobody there knows her.
        world.web(address, Reply::status(404, ""));
    }
    for file in [url::GLOBAL_FILE].into_iter().chain(url::RULES) {
        world.web(&there(file), Reply::status(404, ""));
    }
    world
}

/// Alice has chat and no phone, and the cluster says so.
pub fn im_only() -> TestWorld {
    let world = deployment();
    let device = r#"<devices version="10.0.0"><device><name>SEP001122334455</name><model>Cisco 7965</model></device></devices>"#;
    world.web(url::DEVICES, Reply::ok(device));
    world
}

/// Alice has a phone and no chat, and the cluster says so.
pub fn phone_only() -> TestWorld {
    let world = deployment();
    let user = reply::USER.replace("enableImAndPresence=\"true\"", "enableImAndPresence=\"false\"");
    world.web(url::USER, Reply::ok(user)).web(url::PROFILE, Reply::ok(reply::PROFILE_WITHOUT_CHAT));
    world
}
