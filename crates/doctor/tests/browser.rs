//! Single sign-on that ends without a user (D21): only the client sees the browser come back, and the
//! doctor tells what the client saw.

use offhook_discovery::Request;
use offhook_doctor::{Case, examine};
use offhook_model::{Owner, Rule};
use offhook_signin::returned;
use offhook_testkit::deployment;

#[test]
fn a_browser_that_comes_back_without_a_user_is_told() {
    let address = "https://idp.example.com/sso#type=sso&jabberToken=abc";
    let problem = returned(address).expect("a sign-in").expect_err("without a user");
    let world = deployment();
    let request = Request::new("alice@example.com".parse().expect("an address"), 3);
    let case = Case {
        request: &request,
        credentials: None,
        layers: &[],
        told: &[],
        seen: &[problem],
        certified: false,
        registrar: None,
        directory: None,
    };
    let diagnosis = world.run(examine(&world.world(), &case, &|_| {}));
    let first = diagnosis.findings.first().expect("a finding");
    assert_eq!((first.rule, first.owner, diagnosis.exit), (Some(Rule(21)), Owner::Admin, 40));
    assert_eq!(first.who, "identity provider administrator");
}
