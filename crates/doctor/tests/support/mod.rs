//! An examination with settings of a configuration file.

use offhook_discovery::Request;
use offhook_doctor::{Asking, Case, Diagnosis, examine};
use offhook_model::{Layer, Setting, Source};
use offhook_signin::Credentials;
use offhook_testkit::{PASSWORD, TestWorld};

pub fn examined(
    world: &TestWorld,
    settings: &[(&str, &str)],
    directory: Option<Asking<'_>>,
) -> Diagnosis {
    let setting = |(key, value): &(&str, &str)| Setting {
        key: (*key).to_owned(),
        section: None,
        value: (*value).to_owned(),
        line: None,
    };
    let layers = [Layer {
        source: Source::GlobalFile,
        origin: "jabber-config.xml".into(),
        settings: settings.iter().map(setting).collect(),
        oddities: vec![],
    }];
    let request = Request::new("alice@example.com".parse().expect("an address"), 3);
    let credentials = Credentials { username: "alice".into(), password: PASSWORD.into() };
    let case = Case {
        request: &request,
        credentials: Some(&credentials),
        layers: &layers,
        told: &[],
        seen: &[],
        certified: false,
        registrar: None,
        directory,
    };
    world.run(examine(&world.world(), &case, &|_| {}))
}
