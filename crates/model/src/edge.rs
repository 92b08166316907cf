//! What an edge (Expressway) does to a request, and the sentence about it (rules D13 to D17 of
//! `docs/doctor.md`).

use serde::{Deserialize, Serialize};

use crate::{Area, Endpoint, Fault, Link, Owner, Problem, Service};

/// Why the way through an edge is closed, apart from what the inner service says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EdgeFault {
    /// The connection to the edge itself failed, on this port.
    Unreached(u16, Box<Fault>),
    /// 401 to the sign-in.
    Refused,
    /// 403 to the sign-in.
    NotForUser,
    /// 404 to the sign-in: no such domain there.
    NoDomain,
    /// The edge answers sign-in with a redirect: it wants single sign-on.
    SingleSignOn,
    /// 403 for one inner host while others are let pass.
    HostNotAllowed,
    /// 403 even for the hosts that the edge itself named.
    AllRefused,
    /// 502 to 504 instead of the inner host's answer.
    TunnelDown(u16),
    /// The same for an inner host whose name has an underscore.
    Underscore,
    /// The edge's answer names no inner call manager for the user.
    NoHome,
    /// Our own limit: another attempt before so many seconds have passed could be taken for an
    /// attack.
    HeldBack(u64),
    /// The inner host was to be reached in another way than by HTTP.
    OnlyHttp,
    /// No connection any more after several refused attempts: the edge shuts this address out.
    ShutOut,
}

impl EdgeFault {
    /// The one sentence for this fault of `edge`, met on the way to `at`.
    pub(crate) fn problem(&self, edge: &str, at: &Endpoint) -> Problem {
        let inner = &at.host;
        match self {
            Self::Unreached(port, fault) => {
                let host = edge.to_owned();
                fault.problem(&Endpoint {
                    service: Service::Edge,
                    host,
                    port: *port,
                    link: Link::Tls,
                })
            }
            Self::Refused => by(
                13,
                Area::Authentication,
                Owner::User,
                format!(
                    "The edge {edge} did not accept the user name and password: one of them is wrong, or the user's cluster is not linked to the one that the edge asks."
                ),
                "Type the password again; if it works inside, have the clusters' intercluster lookup checked.",
            ),
            Self::NotForUser => by(
                15,
                Area::Authentication,
                Owner::Admin,
                format!(
                    "The edge {edge} refuses everything to this user: sign-in from outside is not allowed to the user, or the clocks of the edge's nodes differ."
                ),
                "Check the clocks (NTP) of the edge's nodes, then whether the user may sign in from outside.",
            ),
            Self::NoDomain => Problem::new(
                Area::Provisioning,
                Owner::Admin,
                format!("The edge {edge} does not serve this domain."),
                "Add the services domain to the edge's domains, with Communications Manager registrations switched on.",
            ),
            Self::SingleSignOn => Problem::new(
                Area::Authentication,
                Owner::Admin,
                format!(
                    "The edge {edge} wants single sign-on, and single sign-on through an edge is not built yet."
                ),
                "Sign in from inside or by VPN, or have the edge accept user name and password as well.",
            ),
            Self::HostNotAllowed => by(
                14,
                Area::Provisioning,
                Owner::Admin,
                format!(
                    "The edge {edge} lets nobody reach {inner}, while it relays to other hosts."
                ),
                format!("Add {inner} to the edge's HTTP server allow list."),
            ),
            Self::AllRefused => by(
                15,
                Area::Provisioning,
                Owner::Admin,
                format!(
                    "The edge {edge} accepted the sign-in and refuses everything after it: the clocks of its nodes differ."
                ),
                "Set all nodes of the edge to the same time servers (NTP).",
            ),
            Self::TunnelDown(_) => by(
                16,
                Area::Network,
                Owner::Admin,
                format!(
                    "The edge {edge} answers and cannot reach the inner network: the tunnel between its nodes is down."
                ),
                "Check the traversal zone between Expressway-C and Expressway-E.",
            ),
            Self::Underscore => by(
                16,
                Area::Network,
                Owner::Admin,
                format!("The edge {edge} cannot relay to {inner}, whose name has an underscore."),
                format!("Rename {inner}: host names consist of letters, digits and hyphens."),
            ),
            Self::NoHome => Problem::new(
                Area::Provisioning,
                Owner::Admin,
                format!("The edge {edge} knows no call manager for this user."),
                "Assign a service profile to the user, and enable the user on a cluster that the edge knows.",
            ),
            Self::HeldBack(seconds) => by(
                17,
                Area::Network,
                Owner::User,
                format!(
                    "The edge {edge} has refused several requests, and one more now could make it shut this address out."
                ),
                format!("Wait {}, then try again with the right password.", span(*seconds)),
            ),
            Self::OnlyHttp => Problem::new(
                Area::Network,
                Owner::User,
                format!(
                    "From outside nobody can see whether {inner} can be reached: the edge {edge} relays to it only what is asked over HTTP."
                ),
                "Look from inside or by VPN.",
            ),
            Self::ShutOut => by(
                17,
                Area::Network,
                Owner::User,
                format!(
                    "The edge {edge} drops connections from this address after several refused requests: its intrusion protection is at work."
                ),
                "Wait ten minutes without trying, then sign in again.",
            ),
        }
    }
}

fn by(rule: u8, area: Area, owner: Owner, cause: String, remedy: impl Into<String>) -> Problem {
    let problem = Problem::new(area, owner, cause, remedy).with_rule(rule);
    match owner {
        Owner::Admin => Problem { who: "edge administrator".to_owned(), ..problem },
        Owner::User | Owner::Network | Owner::Server => problem,
    }
}

/// Seconds, or whole minutes rounded up.
fn span(seconds: u64) -> String {
    match seconds {
        0 | 1 => "a second".to_owned(),
        2..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use crate::{EdgeFault, Endpoint, Fault, Link, Owner, Rule, Service, TlsFault};

    #[track_caller]
    fn check(fault: EdgeFault, rule: Option<u8>, owner: Owner, words: &str) {
        let host = "photos.inside.example".to_owned();
        let at = Endpoint { service: Service::Uds, host, port: 8443, link: Link::Tls };
        let problem = Fault::Edge("edge1.example.com".into(), fault).problem(&at);
        assert_eq!((problem.rule, problem.owner), (rule.map(Rule), owner), "{problem:?}");
        let told = format!("{} {}", problem.cause, problem.remedy);
        assert!(told.contains(words) && told.contains("edge1.example.com"), "{told}");
    }

    #[test]
    fn each_refusal_of_an_edge_has_its_rule() {
        check(EdgeFault::Refused, Some(13), Owner::User, "password");
        check(EdgeFault::HostNotAllowed, Some(14), Owner::Admin, "Add photos.inside.example");
        check(EdgeFault::AllRefused, Some(15), Owner::Admin, "clocks");
        check(EdgeFault::TunnelDown(502), Some(16), Owner::Admin, "tunnel");
        check(EdgeFault::Underscore, Some(16), Owner::Admin, "underscore");
        check(EdgeFault::HeldBack(100), Some(17), Owner::User, "2 minutes");
        check(EdgeFault::OnlyHttp, None, Owner::User, "only what is asked over HTTP");
        check(EdgeFault::ShutOut, Some(17), Owner::User, "ten minutes");
    }

    #[test]
    fn a_connection_that_failed_is_told_of_the_edge() {
        let unreached = |fault| EdgeFault::Unreached(8443, Box::new(fault));
        check(unreached(Fault::ConnectTimeout), Some(7), Owner::Network, "port 8443");
        let name = TlsFault::WrongName { wanted: "example.com".into(), present: vec![] };
        check(unreached(Fault::Tls(name)), Some(10), Owner::Admin, "example.com");
    }
}
