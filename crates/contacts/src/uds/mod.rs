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

use std::time::{Duration, Instant};

use offhook_config::{HttpUrl, UdsPage, UdsPerson, read_users};
use offhook_model::{Area, DirectoryEntry, Endpoint, Fault, Owner, Problem, Service};
use offhook_ports::{HttpRequest, HttpResponse, Target, World};

pub use plan::UdsPlan;
pub use query::Wish;

use query::Query;

/// People a page: what servers give unless they are set otherwise.
const PAGE: usize = 64;
/// Pages of one question at most, whatever a server says that there is.
const MOST_PAGES: usize = 16;
/// At most so many nodes of a cluster are asked one after the other.
const MOST_NODES: usize = 4;
/// No new question is begun when a search has taken so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// What earlier searches of this session have taught about the clusters of the plan, in their
/// order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UdsKnown(Vec<Lesson>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Lesson {
    /// The node that answered last.
    good: usize,
    /// Wants to know who searches.
    named: bool,
    /// Does not take the password.
    refused: bool,
}

/// What a search brought.
#[derive(Clone, Debug, Default)]
pub struct UdsReport {
    /// People, each once, as the servers order them.
    pub entries: Vec<DirectoryEntry>,
    /// There are more than were asked for.
    pub more: bool,
    /// Why nobody could answer, one for each cluster that could not. Empty when one has answered.
    pub problems: Vec<Problem>,
    /// For the next search.
    pub known: UdsKnown,
}

/// Looks for people. A plan without servers, and a wish that is too short to ask for, give an empty
/// report.
pub async fn search(world: &World, plan: &UdsPlan, wish: &Wish, known: UdsKnown) -> UdsReport {
    let mut report = UdsReport { known, ..UdsReport::default() };
    let clusters = plan.clusters.len();
    report.known.0.resize(clusters, Lesson::default());
    let queries = plan.queries(wish);
    if queries.is_empty() {
        return report;
    }
    let mut problems = vec![];
    let mut answered = false;
    let asker = Asker { world, plan, wish, until: world.clock.now() + PATIENCE };
    let lessons = plan.clusters.iter().zip(&mut report.known.0);
    for (nodes, lesson) in lessons {
        match asker.cluster(nodes, lesson, &queries).await {
            Ok(found) => {
                answered = true;
                (report.entries, report.more) = found;
            }
            Err(problem) => problems.push(problem),
        }
        if !report.entries.is_empty() {
            break;
        }
    }
    if !answered {
        report.problems = problems;
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
    wish: &'a Wish,
    until: Instant,
}

impl Asker<'_> {
    /// Asks the nodes in turn, beginning with the one that was good last time.
    async fn cluster(
        &self,
        nodes: &[Target],
        lesson: &mut Lesson,
        queries: &[Query],
    ) -> Result<Found<DirectoryEntry>, Problem> {
        let mut problem = None;
        let order = (lesson.good..nodes.len()).chain(0..lesson.good.min(nodes.len()));
        for at in order.take(MOST_NODES) {
            let Some(node) = nodes.get(at) else { continue };
            match self.node(node, lesson, queries).await {
                Ok(found) => {
                    lesson.good = at;
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
        node: &Target,
        lesson: &mut Lesson,
        queries: &[Query],
    ) -> Result<Found<DirectoryEntry>, Trouble> {
        for query in queries {
            let (people, more) = self.pages(node, lesson, query).await?;
            let entries = people.iter().map(|person| self.plan.entry(person));
            let meant = |entry: &DirectoryEntry| self.plan.is_meant(self.wish, entry);
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
        node: &Target,
        lesson: &mut Lesson,
        query: &Query,
    ) -> Result<Found<UdsPerson>, Trouble> {
        let limit = self.plan.limit;
        let mut people: Vec<UdsPerson> = vec![];
        let mut seen = 0;
        for _ in 0..MOST_PAGES {
            let path = query.path(seen, (limit - people.len()).min(PAGE));
            let answer = match self.page(node, lesson, &path).await {
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

    async fn page(
        &self,
        node: &Target,
        lesson: &mut Lesson,
        query: &str,
    ) -> Result<UdsPage, Trouble> {
        if !lesson.named {
            match self.send(node, query, false).await {
                Ok(page) => return Ok(page),
                Err(Fault::BadCredentials) => lesson.named = true,
                Err(fault) => return Err(trouble(fault, node)),
            }
        }
        if self.plan.credentials.is_none() {
            return Err(Trouble::Everywhere(nameless(&node.host)));
        }
        let refused = || Trouble::Everywhere(Fault::BadCredentials.problem(&endpoint(node)));
        if lesson.refused {
            return Err(refused());
        }
        match self.send(node, query, true).await {
            Ok(page) => Ok(page),
            Err(Fault::BadCredentials) => {
                lesson.refused = true;
                Err(refused())
            }
            Err(fault) => Err(trouble(fault, node)),
        }
    }

    async fn send(&self, node: &Target, query: &str, named: bool) -> Result<UdsPage, Fault> {
        let left = self.until.saturating_duration_since(self.world.clock.now());
        if left.is_zero() {
            return Err(Fault::AnswerTimeout);
        }
        let (port, path) = match &self.plan.secure {
            Some((port, path)) if named => (*port, path.as_str()),
            Some(_) | None => (node.port, "/cucm-uds/users"),
        };
        let path = format!("{path}?{query}");
        let url = HttpUrl { secure: true, host: node.host.clone(), port, path };
        let mut request = HttpRequest::get(url.to_string());
        request.headers.push(("Accept".to_owned(), "application/xml".to_owned()));
        request.timeout = self.plan.timeout.min(left);
        if named && let Some((user, password)) = &self.plan.credentials {
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

/// The server wants a name and a password, and this session has none for it.
fn nameless(host: &str) -> Problem {
    Problem::new(
        Area::Authentication,
        Owner::Admin,
        format!(
            "{host} lets only people who show a password search its directory, and this sign-in has none for it."
        ),
        "Sign in with a Communications Manager account, or turn contact search authentication off there (utils contactsearchauthentication disable).",
    )
    .with_rule(31)
}

/// A cluster of the plan that has no node.
fn no_node() -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::Admin,
        "No server is known that could be asked for people.".to_owned(),
        "Set UdsServer, or have the servers of Communications Manager named by discovery.",
    )
    .with_rule(31)
}
