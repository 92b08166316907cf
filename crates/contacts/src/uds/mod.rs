//! The directory of Communications Manager by User Data Services (reference uds.md, "users").
//!
//! Every cluster knows everybody (the seed, contact resolution with multiple clusters), so one that
//! answers is enough: others are asked when it cannot answer or knows nobody of the kind. Within a
//! cluster the next node is asked when one is overloaded, cannot be reached or talks nonsense.
//!
//! Where the administrator wants to know who searches (`usersResourceAuthEnabled`), a server says
//! so with 401. The password is shown then and never before, and a refused one is not shown again:
//! a search at every letter would lock the account.

mod entry;
mod plan;
mod query;
mod standing;

use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _};
use offhook_config::{HttpUrl, UdsPage, UdsPerson, read_users};
use offhook_model::{DirectoryEntry, DirectoryFault, Endpoint, Fault, Problem, Secret, Service};
use offhook_ports::{HttpRequest, HttpResponse, Target, World};

pub use plan::UdsPlan;
pub use standing::UdsStanding;

use query::Query;

use crate::ldap::Wish;

/// People a page: what servers give unless they are set otherwise.
const PAGE: usize = 64;
/// Pages of one question at most, whatever a server says that there is.
const MOST_PAGES: usize = 16;
/// At most so many nodes of a cluster are asked one after the other.
const MOST_NODES: usize = 4;
/// No new question is begun when a search has taken so long.
const PATIENCE: Duration = Duration::from_secs(20);
/// So many chat addresses of one wish are looked for, and so many of them at once.
const MOST_ADDRESSES: usize = 50;
const AT_ONCE: usize = 4;

/// What a search brought.
#[derive(Clone, Debug, Default)]
pub struct UdsReport {
    /// Who was found, each once, as the servers order them.
    pub people: Vec<DirectoryEntry>,
    /// The directory knows more than was asked for.
    pub more: bool,
    /// Somebody was asked; not so when too little was typed.
    pub asked: bool,
    /// Why nobody could answer, one for each cluster that could not. Empty when one has answered.
    pub problems: Vec<Problem>,
}

/// Looks for people. A wish that is too short, or that these services have no filter for, and a
/// plan without servers ask nobody. Of many chat addresses the first fifty are looked for, each by
/// itself: there is no filter for several.
pub async fn search(
    world: &World,
    plan: &UdsPlan,
    standing: &UdsStanding,
    wish: &Wish,
) -> UdsReport {
    let until = world.clock.now() + PATIENCE;
    let one = |wish: Wish| async move { Asker { world, plan, standing, wish, until }.ask().await };
    let Wish::ImAll(addresses) = wish else { return one(wish.clone()).await };
    let each = addresses.iter().take(MOST_ADDRESSES).cloned().map(Wish::Im);
    let mut answers = stream::iter(each.map(one)).buffered(AT_ONCE);
    let mut report = UdsReport::default();
    while let Some(answer) = answers.next().await {
        report.asked |= answer.asked;
        for person in answer.people {
            if !report.people.contains(&person) {
                report.people.push(person);
            }
        }
        for problem in answer.problems {
            if !report.problems.contains(&problem) {
                report.problems.push(problem);
            }
        }
    }
    report
}

/// People, and whether there are more.
type Found<T> = (Vec<T>, bool);

/// Why a node gave nothing.
enum Trouble {
    /// Another node may do better.
    Here(Fault),
    /// All nodes of the cluster would say the same.
    Everywhere(Problem),
}

struct Asker<'a> {
    world: &'a World,
    plan: &'a UdsPlan,
    standing: &'a UdsStanding,
    wish: Wish,
    until: Instant,
}

impl Asker<'_> {
    /// One cluster after the other, until somebody is found.
    async fn ask(&self) -> UdsReport {
        let mut report = UdsReport::default();
        let queries = self.plan.queries(&self.wish);
        if queries.is_empty() {
            return report;
        }
        let mut problems = vec![];
        let mut answered = false;
        for (cluster, nodes) in self.plan.clusters.iter().enumerate() {
            report.asked = true;
            match self.cluster(cluster, nodes, &queries).await {
                Ok(found) => {
                    answered = true;
                    (report.people, report.more) = found;
                }
                Err(problem) => problems.push(problem),
            }
            if !report.people.is_empty() {
                break;
            }
        }
        if !answered {
            report.problems = problems;
        }
        report
    }

    /// Asks the nodes in turn, beginning with the one that was good last time.
    async fn cluster(
        &self,
        cluster: usize,
        nodes: &[Target],
        queries: &[Query],
    ) -> Result<Found<DirectoryEntry>, Problem> {
        let first = self.standing.of(cluster).good;
        let order = (0..nodes.len()).map(|step| (first + step) % nodes.len());
        let mut problem = None;
        for at in order.take(MOST_NODES) {
            let Some(node) = nodes.get(at) else { continue };
            match self.node(cluster, node, queries).await {
                Ok(found) => {
                    self.standing.learn(cluster, |it| it.good = at);
                    return Ok(found);
                }
                Err(Trouble::Everywhere(problem)) => return Err(problem),
                Err(Trouble::Here(fault)) => {
                    problem.get_or_insert_with(|| fault.problem(&endpoint(node)));
                }
            }
        }
        Err(problem.unwrap_or_else(no_node))
    }

    /// Asks one question after the other until somebody is found.
    async fn node(
        &self,
        cluster: usize,
        node: &Target,
        queries: &[Query],
    ) -> Result<Found<DirectoryEntry>, Trouble> {
        for query in queries {
            let (people, more) = self.pages(cluster, node, query).await?;
            let entries = people.iter().map(|person| self.plan.entry(person));
            let meant = |entry: &DirectoryEntry| self.plan.is_meant(&self.wish, entry);
            let entries: Vec<DirectoryEntry> = entries.filter(meant).collect();
            if !entries.is_empty() {
                return Ok((entries, more));
            }
        }
        Ok((vec![], false))
    }

    /// All pages of one question, as far as they are wanted. A server that counts wrongly or gives
    /// the same page again and again ends it early, and no later than [`MOST_PAGES`].
    async fn pages(
        &self,
        cluster: usize,
        node: &Target,
        query: &Query,
    ) -> Result<Found<UdsPerson>, Trouble> {
        let limit = self.plan.limit;
        let mut people: Vec<UdsPerson> = vec![];
        let mut seen = 0;
        for _ in 0..MOST_PAGES {
            let path = query.path(seen, (limit - people.len()).min(PAGE));
            let answer = match self.page(cluster, node, &path).await {
                Ok(answer) => answer,
                // Who was found stays found; another node would begin anew.
                Err(_) if seen > 0 => break,
                Err(trouble) => return Err(trouble),
            };
            let before = people.len();
            seen += answer.rows;
            for person in answer.people {
                if !people.contains(&person) {
                    people.push(person);
                }
            }
            let total = answer.total.and_then(|total| usize::try_from(total).ok());
            let complete = total.is_none_or(|total| seen >= total);
            if people.len() >= limit {
                let more = !complete || people.len() > limit;
                people.truncate(limit);
                return Ok((people, more));
            }
            if complete || people.len() == before {
                return Ok((people, !complete));
            }
            if self.world.clock.now() >= self.until {
                break;
            }
        }
        Ok((people, true))
    }

    async fn page(&self, cluster: usize, node: &Target, query: &str) -> Result<UdsPage, Trouble> {
        if !self.standing.of(cluster).named {
            match self.send(node, query, None).await {
                Ok(page) => return Ok(page),
                Err(Fault::BadCredentials) => self.standing.learn(cluster, |it| it.named = true),
                Err(fault) => return Err(trouble(fault, node)),
            }
        }
        let Some(credentials) = &self.plan.credentials else {
            return Err(Trouble::Everywhere(DirectoryFault::Nameless.problem(&endpoint(node))));
        };
        let refused = || Trouble::Everywhere(Fault::BadCredentials.problem(&endpoint(node)));
        let _turn = self.standing.turn(cluster).await;
        if self.standing.of(cluster).refused {
            return Err(refused());
        }
        match self.send(node, query, Some(credentials)).await {
            Ok(page) => {
                self.standing.learn(cluster, |it| it.let_in = true);
                Ok(page)
            }
            Err(Fault::BadCredentials) => {
                self.standing.learn(cluster, |it| it.refused = true);
                Err(refused())
            }
            Err(fault) => Err(trouble(fault, node)),
        }
    }

    async fn send(
        &self,
        node: &Target,
        query: &str,
        credentials: Option<&(String, Secret<String>)>,
    ) -> Result<UdsPage, Fault> {
        let left = self.until.saturating_duration_since(self.world.clock.now());
        if left.is_zero() {
            return Err(Fault::AnswerTimeout);
        }
        let (port, path) = match &self.plan.secure {
            Some((port, path)) if credentials.is_some() => (*port, path.as_str()),
            Some(_) | None => (node.port, "/cucm-uds/users"),
        };
        let path = format!("{path}?{query}");
        let url = HttpUrl { secure: true, host: node.host.clone(), port, path };
        let mut request = HttpRequest::get(url.to_string());
        request.headers.push(("Accept".to_owned(), "application/xml".to_owned()));
        request.timeout = self.plan.timeout.min(left);
        if let Some((user, password)) = credentials {
            request = request.with_basic(user, password);
        }
        read(&self.world.http.send(request).await?)
    }
}

/// 404 is how some servers say that they know nobody of the kind, 400 and 415 how older ones say
/// that they do not know the filter: neither is a failure.
fn read(response: &HttpResponse) -> Result<UdsPage, Fault> {
    match response.status {
        200..=299 => read_users(&response.body).map_err(|error| error.fault()),
        300..=399 => Err(Fault::Html),
        400 | 404 | 415 => Ok(UdsPage::default()),
        401 => Err(Fault::BadCredentials),
        status => Err(Fault::Status(status)),
    }
}

fn trouble(fault: Fault, node: &Target) -> Trouble {
    match fault {
        Fault::Status(403) => Trouble::Everywhere(fault.problem(&endpoint(node))),
        fault => Trouble::Here(fault),
    }
}

fn endpoint(node: &Target) -> Endpoint {
    node.endpoint(Service::Directory)
}

/// A cluster of the plan that has no node.
fn no_node() -> Problem {
    let nowhere = Target { host: String::new(), port: 0 };
    DirectoryFault::NoNode.problem(&endpoint(&nowhere))
}
