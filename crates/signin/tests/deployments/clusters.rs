//! Several clusters: the home cluster is found, and its nodes stand in for each other.

use std::time::Duration;

use offhook_model::{Area, Fault, Owner, ProductMode};
use offhook_testkit::{Reply, clusters_url, deployment, multi_cluster, reply, url};

use crate::{credentials, granted, refused, request, rules, signed_in, times};

#[test]
fn a_home_in_another_cluster_is_followed_and_only_it_sees_the_password() {
    let world = multi_cluster();
    let grant = granted(&world, &request());
    assert_eq!(grant.mode, ProductMode::Full);
    let phone = grant.phone.ready().expect("phone");
    assert_eq!(phone.servers[0].host, "home1.branch.example.net");
    for asked in world.asked().iter().filter(|asked| asked.ends_with(" as alice")) {
        assert!(asked.starts_with("GET https://home1.branch.example.net:8443/"), "{asked}");
    }
}

#[test]
fn a_fan_out_over_slow_clusters_is_waited_for() {
    let world = multi_cluster();
    let home = reply::HOME.replace("cucm1.example.com", "home1.branch.example.net");
    world.web(url::CLUSTER_USER, Reply::ok(home).after(Duration::from_millis(10_500)));
    let report = signed_in(&world, &request());
    assert!(report.outcome.is_ok());
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    assert_eq!(times(&world, "cucm2.example.com:8443/cucm-uds/clusterUser"), 0);
}

#[test]
fn nodes_of_the_home_cluster_stand_in_for_each_other() {
    for broken in [
        Reply::status(503, "busy"),
        Reply::fault(Fault::PortRefused),
        Reply::silence(),
        Reply::ok(reply::PAGE),
    ] {
        let world = multi_cluster();
        world.web(clusters_url::USER, broken);
        let grant = granted(&world, &request());
        assert!(grant.phone.ready().is_some(), "{:?}", grant.phone);
        assert_eq!(times(&world, clusters_url::DEVICES_2), 1);
    }
}

#[test]
fn a_node_that_knew_the_home_lists_the_others_when_the_home_node_is_down() {
    let world = deployment();
    let home = reply::HOME.replace("cucm1.example.com", "cucm0.example.com");
    let list =
        "<servers><server>cucm0.example.com</server><server>cucm2.example.com</server></servers>";
    world.web(url::CLUSTER_USER, Reply::ok(home)).web(url::SERVERS, Reply::ok(list));
    for (first, body) in [(url::DEVICES, reply::DEVICES), (url::DEVICE, reply::DEVICE)] {
        world.web(&first.replace("cucm1", "cucm2"), Reply::ok(body));
    }
    let report = signed_in(&world, &request());
    assert_eq!(rules(&report.warnings), [6]);
    assert_eq!(report.outcome.expect("a grant").mode, ProductMode::Full);

    // A list that does not hold the home node is of another cluster.
    let list =
        "<servers><server>cucm1.example.com</server><server>cucm2.example.com</server></servers>";
    world.web(url::SERVERS, Reply::ok(list));
    let problem = refused(&world, &request());
    assert!(problem.cause.starts_with("cucm0.example.com"), "{}", problem.cause);
}

#[test]
fn a_refusal_at_home_is_final() {
    for (status, area, words) in [
        (401, Area::Authentication, "did not accept"),
        (403, Area::Provisioning, "does not let alice read"),
        (404, Area::Provisioning, "does not know the user alice"),
    ] {
        let world = multi_cluster();
        world.web(clusters_url::USER, Reply::status(status, reply::PAGE));
        let problem = refused(&world, &request());
        assert_eq!(problem.area, area);
        assert!(problem.cause.contains(words), "{}", problem.cause);
        assert_eq!(times(&world, clusters_url::USER_2), 0);
    }
}

#[test]
fn a_user_id_in_another_case_is_told_when_the_phone_is_missing() {
    let world = multi_cluster();
    let question = url::CLUSTER_USER.replace("=alice", "=ALICE");
    world.web(&question, Reply::ok(reply::HOME)).web(url::USER, Reply::ok(reply::USER));
    world.web(url::DEVICES, Reply::ok(reply::NO_DEVICES));
    world.web(url::PROFILE, Reply::ok(reply::PROFILE));
    let mut request = request();
    request.credentials = credentials("ALICE");
    let report = signed_in(&world, &request);
    let problem = report.warnings.iter().find(|problem| problem.rule.is_some_and(|it| it.0 == 18));
    let problem = problem.expect("told");
    assert_eq!(problem.owner, Owner::Admin);
    assert!(problem.cause.contains("spells the user id alice"), "{}", problem.cause);
}
