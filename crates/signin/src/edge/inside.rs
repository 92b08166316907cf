//! From the open way to the grant: the usual chain behind the edge, then chat and phone by the
//! edge's own doors (reference edge.md sections 4 and 5).

use offhook_model::{Area, EdgeFault, Fault, Link, Owner, Problem, Service as Kind, Via};
use offhook_ports::{
    PhoneAccount, PhoneUpkeep, SipServer, Srv, Target, XmppAuth, XmppPlan, XmppServer,
};

use super::{EdgeRoute, restrictions};
use crate::flow::Flow;
use crate::uds::{self, Cluster};
use crate::{Grant, Renewal, Request, Service};

/// Signs in at the edge, then behind it.
pub(crate) async fn sign_in(
    flow: &Flow<'_>,
    request: &Request,
    targets: &[Target],
) -> Result<Grant, Problem> {
    let domain = domain(request);
    let place = targets.first().map(|target| target.host.clone()).unwrap_or_default();
    flow.doing(format!("Signing in at the edge {place}"));
    let budget = &request.edge_budget;
    let opened = EdgeRoute::open(flow, targets, domain, &request.credentials, budget).await;
    let at = Target { host: place, port: 8443 }.endpoint(Kind::Edge);
    let route = opened.map_err(|fault| fault.problem(&at))?;
    let edge = route.edge();
    let config = route.config();
    let home = ranked(config.service("_cisco-uds"), request.seed);
    let nodes = if home.is_empty() { &config.user_uds } else { &home };
    let no_home = || Fault::Edge(edge.clone(), EdgeFault::NoHome).problem(&at);
    if nodes.is_empty() {
        return Err(no_home());
    }
    let inner = route.world(flow.world);
    let inside = flow.inside(&inner);
    let cluster =
        Cluster { targets: nodes, tftp: &config.tftp, via: Via::Edge, proved_by: Some(&edge) };
    let outcome = Box::pin(uds::sign_in(&inside, request, &cluster)).await;
    flow.join(inside);
    match outcome {
        Ok(grant) => Ok(route.outer(grant)),
        // The edge has said before that it knows no home for this user.
        Err(problem) if config.no_home => {
            flow.warn(problem);
            Err(no_home())
        }
        Err(problem) => Err(problem),
    }
}

/// The domain whose `_collab-edge` record was found.
fn domain(request: &Request) -> &str {
    let preset = &request.preset;
    let chosen = preset.voice_services_domain.as_deref().or(preset.services_domain.as_deref());
    chosen.unwrap_or(request.address.domain())
}

/// The order of RFC 2782: by priority, and among equals by a draw that follows the weights.
pub(crate) fn ranked(records: &[Srv], seed: u64) -> Vec<Target> {
    let mut left: Vec<&Srv> = records.iter().collect();
    left.sort_by_key(|record| (record.priority, record.weight != 0));
    let mut chance = seed | 1;
    let mut ordered = vec![];
    while let Some(first) = left.first().map(|record| record.priority) {
        let group = left.iter().take_while(|record| record.priority == first);
        let total: u64 = group.map(|record| u64::from(record.weight)).sum();
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut mark = (chance >> 33) % (total + 1);
        let reached = |record: &&Srv| {
            let weight = u64::from(record.weight);
            let here = mark <= weight;
            mark = mark.saturating_sub(weight);
            here
        };
        let index = left.iter().position(reached).unwrap_or(0);
        let record = left.remove(index);
        ordered.push(Target { host: record.target.clone(), port: record.port });
    }
    ordered
}

impl EdgeRoute {
    /// The grant as it works from outside.
    fn outer(&self, grant: Grant) -> Grant {
        let im = match grant.im {
            Service::Ready(plan) => self.chat(plan).map_or_else(Service::Failed, Service::Ready),
            other @ (Service::NotConfigured | Service::Failed(_)) => other,
        };
        let phone = match grant.phone {
            Service::Ready(plan) => self.phone(plan).map_or_else(Service::Failed, Service::Ready),
            other @ (Service::NotConfigured | Service::Failed(_)) => other,
        };
        let renewal = grant.renewal.map(|renewal| match renewal {
            Renewal::Soap(mut soap) => {
                soap.edge = Some(self.clone());
                Renewal::Soap(soap)
            }
            cloud @ Renewal::Cloud(_) => cloud,
        });
        Grant {
            via: Via::Edge,
            im,
            phone,
            renewal,
            edge: Some(self.clone()),
            restrictions: restrictions(Via::Edge),
            ..grant
        }
    }

    /// Chat goes to the edge, whose certificate names the edge. The cloud is reached as from
    /// everywhere.
    pub(crate) fn chat(&self, plan: XmppPlan) -> Result<XmppPlan, Problem> {
        if matches!(plan.auth, XmppAuth::WebexToken { .. }) {
            return Ok(plan);
        }
        let config = self.config();
        if config.xmpp.is_empty() {
            return Err(self.no_door("chat"));
        }
        let server = |target: &Target| XmppServer {
            host: target.host.clone(),
            port: target.port,
            link: Link::StartTls,
        };
        let names = config.xmpp.iter().map(|target| target.host.clone()).collect();
        Ok(XmppPlan { servers: config.xmpp.iter().map(server).collect(), names, ..plan })
    }

    /// The phone registers by the edge with the call manager that its file names first. Media
    /// between here and the edge is encrypted whatever the device's mode.
    fn phone(&self, plan: PhoneAccount) -> Result<PhoneAccount, Problem> {
        let config = self.config();
        if config.sip.is_empty() {
            return Err(self.no_door("calls"));
        }
        let server = |target: &Target| SipServer {
            host: target.host.clone(),
            port: target.port,
            link: Link::Tls,
        };
        Ok(PhoneAccount {
            registrar: plan.servers.first().map(|server| server.host.clone()),
            servers: config.sip.iter().map(server).collect(),
            routes: config.routes.clone(),
            encryption: offhook_ports::MediaEncryption::Required,
            // A gateway that stands in for call managers is inside.
            upkeep: PhoneUpkeep { stand_ins: vec![], ..plan.upkeep },
            ..plan
        })
    }

    fn no_door(&self, what: &str) -> Problem {
        Problem::new(
            Area::Provisioning,
            Owner::Admin,
            format!("The edge {} names no server for {what}.", self.edge()),
            format!("Switch on the edge's service for {what}, or sign in from inside."),
        )
    }
}

#[cfg(test)]
mod tests {
    use offhook_ports::Srv;

    use super::ranked;

    fn record(priority: u16, weight: u16, host: &str) -> Srv {
        Srv { priority, weight, port: 8443, target: host.to_owned() }
    }

    #[test]
    fn priority_decides_and_weight_draws() {
        let records = [record(20, 0, "last"), record(10, 90, "heavy"), record(10, 10, "light")];
        let mut heavy = 0;
        for seed in 0..1000 {
            let order = ranked(&records, seed * 7919);
            assert_eq!((order.len(), order[2].host.as_str()), (3, "last"));
            heavy += u32::from(order[0].host == "heavy");
        }
        assert!((850..=950).contains(&heavy), "{heavy}");
    }
}
