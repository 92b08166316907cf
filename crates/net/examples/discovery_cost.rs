//! How long discovery takes through this adapter: `cargo xtask bench discovery` runs it beside `dig`.
//!
//! `discovery_cost NAME_SERVER CLOUD DOMAIN ROUNDS`: the cloud's look-up goes to `http://CLOUD`
//! instead. Prints one line of JSON: milliseconds of each round, and who was found.
#![allow(clippy::print_stdout, reason = "it prints its result")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

use std::sync::Arc;
use std::time::Instant;

use offhook_discovery::{Report, Request, discover};
use offhook_model::Fault;
use offhook_net::{Net, NetOptions};
use offhook_ports::{BoxFuture, Found, Http, HttpRequest, HttpResponse, World};
use offhook_testkit::NoChat;

const CLOUD: &str = "https://loginp.webexconnect.com/";

/// The web, with the cloud somewhere else.
struct Moved {
    net: Arc<Net>,
    cloud: String,
}

impl Http for Moved {
    fn send(&self, mut request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, Fault>> {
        request.url = request.url.replacen(CLOUD, &format!("http://{}/", self.cloud), 1);
        self.net.send(request)
    }

    fn forget(&self) {
        self.net.forget();
    }
}

fn name(report: &Report) -> &'static str {
    match &report.outcome {
        Ok(Found::Cucm(_)) => "cucm",
        Ok(Found::Cup(_)) => "cup",
        Ok(Found::Edge(_)) => "edge",
        Ok(Found::Webex { .. }) => "webex",
        Ok(Found::Standard { .. }) => "standard",
        Err(_) => "nothing",
    }
}

async fn measure(words: &[String]) -> String {
    let word = |at: usize| words.get(at).expect("NAME_SERVER CLOUD DOMAIN ROUNDS").as_str();
    let server = word(0).parse().expect("a name server");
    let rounds: u64 = word(3).parse().expect("a number");
    let options = NetOptions { name_servers: vec![server], ..NetOptions::default() };
    let net = Net::new(options).expect("a network");
    let world = World {
        dns: net.clone(),
        http: Arc::new(Moved { net: net.clone(), cloud: word(1).to_owned() }),
        probe: net.clone(),
        clock: net,
        xmpp: Arc::new(NoChat),
    };
    let mut times = vec![];
    let mut found = "nothing";
    // The first round is not counted: it reads the system's settings.
    for round in 0..=rounds {
        let address = format!("adam@{}", word(2)).parse().expect("a domain");
        let request = Request::new(address, round);
        let begin = Instant::now();
        let report = discover(&world, &request, &|_| {}).await;
        let passed = begin.elapsed().as_secs_f64() * 1000.0;
        found = name(&report);
        if round > 0 {
            times.push(format!("{passed:.3}"));
        }
    }
    format!("{{\"ms\":[{}],\"found\":\"{found}\"}}", times.join(","))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    println!("{}", measure(&words).await);
}
