//! The cloud's sign-in, and a hybrid account whose phone is at a cluster in house. After reference
//! page im-presence section 8.

use super::deployment;
use crate::{Reply, TestWorld};

/// The token that the cloud gives for chat.
pub const CLOUD_TOKEN: &str = "jabber+token/0815==";

/// Addresses of the cloud's resources.
pub mod cloud_url {
    /// The look-up that says who is a customer of the cloud.
    pub const CAS: &str = "https://loginp.cloud.example/cas/FederatedSSO";
    /// Sign-in.
    pub const LOGIN: &str = "POST https://loginp.cloud.example:443/cas/auth.do";
    /// The organisation's service.
    pub const SERVICE: &str = "POST https://swapi.cloud.example:443/wbxconnect/op.do";
}

const LOGIN: &str = r#"<LoginResponse><response><result>SUCCESS</result></response><returnmsg><token>cloud-token-4711</token><serviceurl>swapi.cloud.example/wbxconnect</serviceurl><createtime>1795348800000</createtime><timetolive>28800</timetolive><userId>4711</userId><email>alice@example.com</email><jabberID>alice@example.com</jabberID><jabberToken>jabber+token/0815==</jabberToken><jabberCluster>gw.cloud.example</jabberCluster></returnmsg></LoginResponse>"#;
const SESSION: &str = r#"<wbxapi><response><result>SUCCESS</result></response><securityContext><cred>cred-12</cred></securityContext></wbxapi>"#;
const CONFIG: &str = r#"<wbxapi><response><result>SUCCESS</result></response><return><config><Policies><File_Transfer_Enabled>false</File_Transfer_Enabled></Policies></config></return></wbxapi>"#;

/// The cloud in full health.
pub fn cloud() -> TestWorld {
    let world = TestWorld::new();
    with_cloud(&world);
    world
}

/// The cloud for chat, and the small deployment for the phone.
pub fn hybrid() -> TestWorld {
    let world = deployment();
    with_cloud(&world);
    world
}

fn with_cloud(world: &TestWorld) {
    world
        .web_containing(cloud_url::LOGIN, "username=alice%40example.com", Reply::ok(LOGIN))
        .web_containing(cloud_url::SERVICE, "token=cloud-token-4711", Reply::ok(SESSION))
        .web_containing(cloud_url::SERVICE, "task=InitialConfig&cred=cred-12", Reply::ok(CONFIG));
}
