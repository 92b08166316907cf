//! The directory search over real connections, against the laboratory: two clusters of two nodes.
#![allow(clippy::disallowed_methods, reason = "a test drives its own tasks")]

mod lab_support;

use lab_support::TwoClusters;
use offhook_config::Layers;
use offhook_contacts::ldap::Wish;
use offhook_contacts::uds::{UdsPlan, UdsReport, UdsStanding, search};
use offhook_lab::{LabConfig, UdsConfig};
use offhook_model::Area;
use offhook_ports::World;

struct Deployment {
    lab: TwoClusters,
    world: World,
    plan: UdsPlan,
    standing: UdsStanding,
}

impl Deployment {
    async fn new(uds: UdsConfig, faults: &[&str]) -> Self {
        let faults = faults.iter().map(|name| (*name).to_owned()).collect();
        let lab = TwoClusters::new(LabConfig { uds, faults, ..LabConfig::default() }).await;
        let mut plan = UdsPlan::new(&Layers::default(), lab.clusters.clone());
        plan.domain = Some("lab.example".into());
        Self { world: lab.world(), lab, plan, standing: UdsStanding::default() }
    }

    async fn find(&self, wish: Wish) -> UdsReport {
        search(&self.world, &self.plan, &self.standing, &wish).await
    }

    async fn names(&self, wish: Wish) -> Vec<String> {
        let report = self.find(wish).await;
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        report.people.into_iter().filter_map(|entry| entry.display_name).collect()
    }
}

fn typed(text: &str) -> Wish {
    Wish::Typed(text.into())
}

#[tokio::test]
async fn people_are_found_by_everything_that_there_is_a_filter_for() {
    let here = Deployment::new(UdsConfig::default(), &[]).await;
    for wish in [
        typed("ali"),
        typed("and alice"),
        typed("alice@lab.example"),
        typed("alice"),
        typed("2001"),
        Wish::Number("2001".into()),
        Wish::Number("+1 (555) 010-2001".into()),
        Wish::Mail("alice@lab.example".into()),
        Wish::Uri("sip:alice@lab.example".into()),
        Wish::Account("ALICE".into()),
        Wish::Im("alice@lab.example".parse().expect("an address")),
    ] {
        assert_eq!(here.names(wish.clone()).await, ["Alice Anderson"], "{wish:?}");
    }
    assert!(here.names(typed("nobody")).await.is_empty());
    let report = here.find(typed("carol")).await;
    assert_eq!(
        report.people[0].im.as_ref().map(|jid| jid.bare_str()),
        Some("carol@lab.example"),
        "who is at home in the other cluster is known here as well"
    );
    here.lab.stop().await;
}

#[tokio::test]
async fn small_pages_lead_to_everybody_and_liars_to_an_end() {
    let many = UdsConfig { people: 130, search_limit: 20, ..UdsConfig::default() };
    let mut here = Deployment::new(many, &[]).await;
    let report = here.find(typed("stranger")).await;
    assert_eq!((report.people.len(), report.more), (100, true));
    here.plan = here.plan.clone().with_limit(500);
    let report = here.find(typed("stranger")).await;
    assert_eq!((report.people.len(), report.more), (130, false));
    here.lab.stop().await;

    let here = Deployment::new(many, &["search-lies"]).await;
    let report = here.find(typed("stranger")).await;
    assert_eq!((report.people.len(), report.more), (20, true));
    here.lab.stop().await;
}

#[tokio::test]
async fn an_overloaded_node_is_passed_over() {
    let here = Deployment::new(UdsConfig::default(), &["search-busy"]).await;
    assert_eq!(here.names(typed("alice")).await, ["Alice Anderson"]);
    here.lab.stop().await;
}

#[tokio::test]
async fn who_searches_shows_a_password_where_that_is_wanted() {
    let guarded = UdsConfig { search_auth: true, ..UdsConfig::default() };
    let mut here = Deployment::new(guarded, &[]).await;
    let report = here.find(typed("alice")).await;
    assert_eq!(report.problems.len(), 2, "nobody's password is there to be shown");

    here.plan.credentials = Some(("alice".into(), "wrong".into()));
    here.standing = UdsStanding::default();
    let report = here.find(typed("alice")).await;
    assert_eq!(report.problems.first().map(|it| it.area), Some(Area::Authentication));

    here.plan.credentials = Some(("alice".into(), "secret".into()));
    here.standing = UdsStanding::default();
    let port = here.plan.clusters[0][0].port;
    let url = format!("https://cucm1.lab.example:{port}/cucm-uds/users");
    here.plan = here.plan.clone().with_secure_url(&url);
    assert_eq!(here.names(typed("alice")).await, ["Alice Anderson"]);
    here.lab.stop().await;
}

#[tokio::test]
async fn web_pages_floods_and_bombs_are_no_people() {
    for fault in ["html-instead-of-xml", "captive-portal", "ten-megabytes", "entity-bomb"] {
        let here = Deployment::new(UdsConfig::default(), &[fault]).await;
        let report = here.find(typed("alice")).await;
        assert_eq!((report.people.len(), report.problems.len()), (0, 2), "{fault}");
        here.lab.stop().await;
    }
}
