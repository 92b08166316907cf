//! Whatever the edge answers and however often it is asked: it is never given a reason to shut our
//! address out. The figures stand here a second time on purpose, from reference edge.md section 2
//! and rule D17: several 401, more than five requests with a cookie that is over, 15 s apart.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use offhook_model::{Fault, UserAddress};
use offhook_ports::{Clock, Found, HttpRequest, Target};
use offhook_signin::{Credentials, EdgeBudget, EdgeRoute, Request, sign_in};
use offhook_testkit::{Act, EdgeDouble, PASSWORD, Seen};

const EDGES: [&str; 2] = ["edge1.example.com", "edge2.example.com"];
const WINDOW: Duration = Duration::from_secs(15 * 60);

struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }

    fn act(&mut self) -> Act {
        match self.below(10) {
            0 => Act::Status(401),
            1 => Act::Status(403),
            2 => Act::Status(404),
            3 => Act::Status(407),
            4 => Act::Status(502),
            5 => Act::Fail(Fault::ConnectTimeout),
            6 => Act::Fail(Fault::Closed),
            _ => Act::Serve,
        }
    }
}

/// One client's life: signing in anew, asking in bursts, waiting; and the edge's: forgetting,
/// refusing, failing.
fn live(edge: &EdgeDouble, budget: &EdgeBudget, chance: &mut Chance) {
    let outside = edge.world();
    let mut route: Option<EdgeRoute> = None;
    for _ in 0..24 {
        match chance.below(9) {
            0 | 1 => {
                let right = chance.below(4) > 0;
                let request = request(budget, if right { PASSWORD } else { "wrong" });
                let report = edge.inside().run(sign_in(&outside, &request, &|_| {}));
                route = report.outcome.ok().and_then(|grant| grant.edge).or(route);
            }
            2 | 3 => {
                edge.expire();
            }
            4 => {
                let host = EDGES[chance.below(2) as usize];
                edge.next_sign_ins(host, &[chance.act(), chance.act()]);
            }
            5 => {
                let host = EDGES[chance.below(2) as usize];
                edge.always(host, if chance.below(2) == 0 { chance.act() } else { Act::Serve });
            }
            6 => {
                let longest = [10, 120, 1200, 40_000][chance.below(4) as usize];
                let wait = Duration::from_secs(chance.below(longest));
                edge.inside().run(edge.inside().clock().clone().sleep(wait));
            }
            _ => {
                let Some(route) = &route else { continue };
                let inside = route.world(&outside);
                let count = 1 + chance.below(12);
                let ask = |_| {
                    let url = "https://cucm1.example.com:8443/cucm-uds/servers";
                    inside.http.send(HttpRequest::get(url))
                };
                edge.inside().run(join_all((0..count).map(ask)));
            }
        }
    }
}

fn request(budget: &EdgeBudget, password: &str) -> Request {
    let address: UserAddress = "alice@example.com".parse().expect("an address");
    let edges = EDGES.map(|host| Target { host: host.into(), port: 8443 });
    let credentials = Credentials { username: "alice".into(), password: password.into() };
    let mut request = Request::new(address, Found::Edge(edges.into()), credentials, 7);
    request.edge_budget = budget.clone();
    request
}

fn most_in_window(times: &[Instant]) -> usize {
    let within = |from: &Instant| {
        times.iter().filter(|at| **at >= *from && at.duration_since(*from) < WINDOW).count()
    };
    times.iter().map(within).max().unwrap_or(0)
}

fn check(seen: &Seen, seed: u64) {
    let times = |wanted: fn(u16) -> bool| -> Vec<Instant> {
        seen.sign_ins
            .iter()
            .filter(|(_, _, status)| wanted(*status))
            .map(|(_, at, _)| *at)
            .collect()
    };
    assert!(seen.most_at_once <= 1, "seed {seed}: two sign-ins at once");
    assert!(seen.leaked.is_empty(), "seed {seed}: {:?}", seen.leaked);
    let refused = times(|status| matches!(status, 401 | 403 | 407));
    assert!(most_in_window(&refused) <= 3, "seed {seed}: {} refused", most_in_window(&refused));
    assert!(most_in_window(&seen.stale) <= 5, "seed {seed}: {} stale", most_in_window(&seen.stale));
    let all = times(|_| true);
    assert!(most_in_window(&all) <= 12, "seed {seed}: {} sign-ins", most_in_window(&all));
    for at in &refused {
        let next = all.iter().find(|other| *other > at);
        // The answer takes 300 ms of the double's time.
        assert!(
            next.is_none_or(|next| next.duration_since(*at) >= Duration::from_secs(15)),
            "seed {seed}: too soon after a refusal"
        );
    }
}

#[test]
fn a_thousand_lives_and_no_edge_shuts_us_out() {
    let (mut sign_ins, mut stale, mut refused) = (0, 0, 0);
    for seed in 1..=1000_u64 {
        let edge = EdgeDouble::new();
        let budget = EdgeBudget::default();
        live(&edge, &budget, &mut Chance(0x9e37_79b9_7f4a_7c15 ^ (seed << 20)));
        let seen = edge.seen();
        check(&seen, seed);
        sign_ins += seen.sign_ins.len();
        stale += seen.stale.len();
        refused += seen.sign_ins.iter().filter(|(_, _, status)| *status == 401).count();
    }
    // The lives were worth living: nothing of this was avoided by doing nothing.
    assert!(sign_ins > 3000 && stale > 500 && refused > 500, "{sign_ins} {stale} {refused}");
}
