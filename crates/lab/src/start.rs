//! Taking the ports of a laboratory: what listens, what clients are told of it, and the ports
//! that faults make refuse or swallow connections.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use tokio::net::{TcpListener, UdpSocket};

use crate::LabError;
use crate::certs::PhoneAuthority;
use crate::config::LabConfig;
use crate::deployment::{Place, SrvTarget, UdsNode};
use crate::edge;
use crate::fault::{Fault, Faults};
use crate::info::Services;
use crate::net::{self, DeadPort, RefusedPort};
use crate::scenario::Scenario;
use crate::sip::nodes::{SipPlace, SipSockets};

/// Everything that listens.
pub(crate) struct Sockets {
    pub(crate) dns_udp: UdpSocket,
    pub(crate) dns_tcp: TcpListener,
    /// One for each UDS node, in their order.
    pub(crate) uds: Vec<TcpListener>,
    /// The first UDS node once more, on IPv6.
    pub(crate) uds_ipv6: Option<TcpListener>,
    pub(crate) files: TcpListener,
    pub(crate) soap: TcpListener,
    pub(crate) xmpp: TcpListener,
    pub(crate) xmpps: TcpListener,
    pub(crate) xmpp443: TcpListener,
    pub(crate) sip_udp: UdpSocket,
    pub(crate) sip_tcp: TcpListener,
    pub(crate) sip_tls: TcpListener,
    pub(crate) capf: TcpListener,
    pub(crate) cas: TcpListener,
    pub(crate) cas_http: TcpListener,
    pub(crate) edges: Vec<TcpListener>,
    pub(crate) edge_sip: TcpListener,
    pub(crate) edge_xmpp: TcpListener,
    /// Sign-in and chat of the second IM and Presence node.
    pub(crate) second: Option<(TcpListener, TcpListener)>,
    /// Further nodes of the call manager.
    pub(crate) sip_nodes: SipSockets,
}

impl Sockets {
    /// Takes all ports.
    pub(crate) async fn take(
        scenario: Scenario,
        config: &LabConfig,
        faults: &Faults,
    ) -> Result<Self, LabError> {
        let (bind, ports) = (config.bind, config.ports);
        let (dns_udp, dns_tcp) = net::udp_and_tcp(bind, ports.dns, "the name server").await?;
        let (sip_udp, sip_tcp) = net::udp_and_tcp(bind, ports.sip, "SIP").await?;
        let uds = net::tcp_on_all(&node_addresses(scenario, bind)?, ports.uds, "UDS").await?;
        let (soap, second_soap) = pair(config, ports.soap, "the IM and Presence sign-in").await?;
        let (xmpp, second_xmpp) = pair(config, ports.xmpp, "XMPP").await?;
        let mut uds_ipv6 = None;
        if let (true, Some(first)) = (faults.has(Fault::OnlyIpv6), uds.first()) {
            // A machine without IPv6 refuses, which is the fault as well.
            let port = net::address(first)?.port();
            uds_ipv6 = net::tcp(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), port, "UDS").await.ok();
        }
        Ok(Self {
            dns_udp,
            dns_tcp,
            uds,
            uds_ipv6,
            files: net::tcp(bind, ports.files, "configuration files").await?,
            soap,
            xmpp,
            xmpps: net::tcp(bind, ports.xmpps, "XMPP over TLS").await?,
            xmpp443: net::tcp(bind, ports.xmpp443, "XMPP of the cloud").await?,
            sip_udp,
            sip_tcp,
            sip_tls: net::tcp(bind, ports.sip_tls, "SIP over TLS").await?,
            capf: net::tcp(bind, ports.capf, "CAPF").await?,
            cas: net::tcp(bind, ports.cas, "CAS over HTTPS").await?,
            cas_http: net::tcp(bind, ports.cas_http, "CAS over HTTP").await?,
            edges: vec![net::tcp(bind, 0, "the edge").await?, net::tcp(bind, 0, "the edge").await?],
            edge_sip: net::tcp(bind, 0, "SIP of the edge").await?,
            edge_xmpp: net::tcp(bind, 0, "XMPP of the edge").await?,
            second: second_soap.zip(second_xmpp),
            sip_nodes: sip_nodes(config).await?,
        })
    }

    /// Where the further nodes of the call manager are.
    pub(crate) fn sip_place(&self) -> Result<SipPlace, LabError> {
        let at = |listener: &Option<TcpListener>| listener.as_ref().map(net::address).transpose();
        let nodes = &self.sip_nodes;
        Ok(SipPlace {
            second: at(&nodes.second)?,
            gateway: at(&nodes.gateway)?,
            robots: at(&nodes.robots)?,
        })
    }

    /// Their addresses.
    pub(crate) fn services(&self) -> Result<Services, LabError> {
        let first = self.uds.first().ok_or_else(|| LabError::Config("no UDS node".into()))?;
        Ok(Services {
            dns: net::address(&self.dns_tcp)?,
            uds: net::address(first)?,
            files: net::address(&self.files)?,
            soap: net::address(&self.soap)?,
            xmpp: net::address(&self.xmpp)?,
            xmpps: net::address(&self.xmpps)?,
            sip_udp: net::address(&self.sip_tcp)?,
            sip_tcp: net::address(&self.sip_tcp)?,
            sip_tls: net::address(&self.sip_tls)?,
            capf: net::address(&self.capf)?,
            cas: net::address(&self.cas)?,
            cas_http: net::address(&self.cas_http)?,
            xmpp443: net::address(&self.xmpp443)?,
            edges: self.edges.iter().map(net::address).collect::<Result<_, _>>()?,
            edge_sip: net::address(&self.edge_sip)?,
            edge_xmpp: net::address(&self.edge_xmpp)?,
        })
    }
}

async fn sip_nodes(config: &LabConfig) -> Result<SipSockets, LabError> {
    let sip = &config.sip;
    let (mut second, mut gateway, mut robots) = (None, None, None);
    if sip.second_node {
        second = Some(net::tcp(config.bind, 0, "the second call manager").await?);
    }
    if sip.gateway {
        gateway = Some(net::tcp(config.bind, 0, "the gateway").await?);
    }
    if sip.has_nodes() {
        robots = Some(net::tcp(config.bind, 0, "SIP of the robots").await?);
    }
    Ok(SipSockets { second, gateway, robots })
}

/// A port of the first IM and Presence node, and the same of the second where there is one.
async fn pair(
    config: &LabConfig,
    port: u16,
    what: &'static str,
) -> Result<(TcpListener, Option<TcpListener>), LabError> {
    let mut addresses = vec![config.bind];
    addresses.extend(config.second_address());
    let mut listeners = net::tcp_on_all(&addresses, port, what).await?.into_iter();
    let first = listeners.next().ok_or_else(|| LabError::Config(format!("no port for {what}")))?;
    Ok((first, listeners.next()))
}

/// A node has the port number of its cluster's other nodes, as in the field, where `servers`
/// names hosts without ports; so each has a loopback address of its own.
fn node_addresses(scenario: Scenario, bind: IpAddr) -> Result<Vec<IpAddr>, LabError> {
    if scenario != Scenario::MultiCluster {
        return Ok(vec![bind]);
    }
    let IpAddr::V4(first) = bind else {
        return Err(LabError::Config("several clusters need an IPv4 loopback address".into()));
    };
    let number = u32::from(first);
    Ok((0..4).map(|step| IpAddr::from(Ipv4Addr::from(number.wrapping_add(step)))).collect())
}

/// Ports held on purpose, for the life of the laboratory.
#[derive(Default)]
pub(crate) struct Held {
    refused: Vec<RefusedPort>,
    dead: Vec<DeadPort>,
}

impl Held {
    /// A port that refuses, one that swallows, or `real`.
    async fn instead_of(
        &mut self,
        real: SocketAddr,
        (refuse, swallow): (bool, bool),
    ) -> Result<SocketAddr, LabError> {
        let port = match (refuse, swallow) {
            (false, false) => return Ok(real),
            (true, _) => self.refused(real.ip())?,
            (false, true) => self.dead(real.ip()).await?,
        };
        Ok(SocketAddr::new(real.ip(), port))
    }

    fn refused(&mut self, bind: IpAddr) -> Result<u16, LabError> {
        let held = RefusedPort::reserve(bind)?;
        let port = held.port;
        self.refused.push(held);
        Ok(port)
    }

    async fn dead(&mut self, bind: IpAddr) -> Result<u16, LabError> {
        let held = DeadPort::reserve(bind).await?;
        let port = held.port;
        self.dead.push(held);
        Ok(port)
    }
}

/// Decides what clients are told.
pub(crate) async fn place(
    scenario: Scenario,
    config: &LabConfig,
    faults: &Faults,
    (services, nodes_at): (Services, SipPlace),
    state: PathBuf,
    (ca_file, phones): (PathBuf, PhoneAuthority),
) -> Result<(Place, Held), LabError> {
    let mut held = Held::default();
    let either = |refused, dropped| (faults.has(refused), faults.has(dropped));
    let mut shown = services.clone();
    let uds = either(Fault::RefusedPort, Fault::DeadOnlyServer);
    shown.uds = held.instead_of(shown.uds, uds).await?;
    let files = either(Fault::RefusedFiles, Fault::DroppedFiles);
    shown.files = held.instead_of(shown.files, files).await?;
    let soap = either(Fault::RefusedSoap, Fault::DroppedSoap);
    shown.soap = held.instead_of(shown.soap, soap).await?;
    if config.im.external_port != 0 {
        shown.xmpp.set_port(config.im.external_port);
    }
    let (refused, dropped) = either(Fault::RefusedXmpp, Fault::DroppedXmpp);
    let chat = (refused || faults.has(Fault::BothXmppNodesDown), dropped);
    for at in [&mut shown.xmpp, &mut shown.xmpps, &mut shown.xmpp443] {
        *at = held.instead_of(*at, chat).await?;
    }
    let sip = either(Fault::RefusedSip, Fault::DroppedSip);
    for at in [&mut shown.sip_tcp, &mut shown.sip_tls] {
        *at = held.instead_of(*at, sip).await?;
    }
    let mut refused = |fault| faults.has(fault).then(|| held.refused(config.bind)).transpose();
    let refused_voicemail = refused(Fault::RefusedVoicemail)?;
    let refused_directory = refused(Fault::RefusedDirectory)?;
    let second = config.im.second_node.then(|| services.xmpp.port());
    let backup_xmpp = refused(Fault::BothXmppNodesDown)?.or(second);
    let nodes = nodes(scenario, &services);
    let mut srv = records(scenario, config, faults, &nodes, &shown);
    if faults.has(Fault::DeadServer) {
        let port = held.dead(config.bind).await?;
        let target = format!("cucm2.{}", config.domain);
        srv.insert(0, SrvTarget { service: UDS, target, priority: 5, port });
    }
    if scenario.has_edges() {
        for (at, host) in shown.edges.iter().zip(edge::HOSTS) {
            let dead = faults.has(Fault::FirstEdgeDead) && host == edge::HOSTS[0];
            let port = if dead { held.refused(config.bind)? } else { at.port() };
            let target = format!("{host}.{}", config.domain);
            let priority = if host == edge::HOSTS[0] { 10 } else { 20 };
            srv.push(SrvTarget { service: EDGE, target, priority, port });
        }
    }
    let place = Place {
        services,
        shown,
        nodes,
        srv,
        backup_xmpp,
        sip: nodes_at,
        refused_voicemail,
        refused_directory,
        state,
        ca_file,
        phones,
    };
    Ok((place, held))
}

const UDS: &str = "_cisco-uds._tcp";
const CUPLOGIN: &str = "_cuplogin._tcp";
const EDGE: &str = "_collab-edge._tls";

fn nodes(scenario: Scenario, services: &Services) -> Vec<UdsNode> {
    let first = UdsNode { host: "cucm1", at: services.uds, cluster: 0 };
    if scenario != Scenario::MultiCluster {
        return vec![first];
    }
    let IpAddr::V4(ip) = services.uds.ip() else { return vec![first] };
    let port = services.uds.port();
    let hosts = [("cucm1", 0), ("cucm2", 0), ("cucm3", 1), ("cucm4", 1)];
    (0u32..)
        .zip(hosts)
        .map(|(step, (host, cluster))| {
            let ip = Ipv4Addr::from(u32::from(ip).wrapping_add(step));
            UdsNode { host, at: (ip, port).into(), cluster }
        })
        .collect()
}

/// The Cisco records of the scenario, spoilt where a fault says so.
pub(crate) fn records(
    scenario: Scenario,
    config: &LabConfig,
    faults: &Faults,
    nodes: &[UdsNode],
    shown: &Services,
) -> Vec<SrvTarget> {
    let domain = &config.domain;
    let host = |name: &str| format!("{name}.{domain}");
    let mut out = match scenario {
        Scenario::Cloud | Scenario::Manual | Scenario::Edge => vec![],
        Scenario::Cup8 => {
            let port = shown.soap.port();
            vec![SrvTarget { service: CUPLOGIN, target: host("imp1"), priority: 10, port }]
        }
        Scenario::MultiCluster => {
            // One node of each cluster first, then their others.
            let order = [(0, 10), (2, 10), (1, 20), (3, 20)];
            let chosen =
                order.iter().filter_map(|(at, priority)| Some((nodes.get(*at)?, *priority)));
            chosen.map(|(node, priority)| uds(host(node.host), priority, node.at.port())).collect()
        }
        Scenario::OnPrem
        | Scenario::EdgeRoaming
        | Scenario::ImOnly
        | Scenario::PhoneOnly
        | Scenario::Hybrid
        | Scenario::Pinpoint
        | Scenario::VoiceDomain => {
            // The server that swallows is not the one that is well known to work.
            let name = if faults.has(Fault::DeadOnlyServer) { "cucm2" } else { "cucm1" };
            vec![uds(host(name), 10, shown.uds.port())]
        }
    };
    if faults.has(Fault::NoRecords) {
        out.clear();
    }
    for record in &mut out {
        if let Some(target) = spoilt_target(faults, domain, record.service) {
            record.target = target;
        }
    }
    if faults.has(Fault::BothViews) {
        let target = host("edge1");
        out.push(SrvTarget { service: EDGE, target, priority: 10, port: 8443 });
    }
    out
}

fn uds(target: String, priority: u16, port: u16) -> SrvTarget {
    SrvTarget { service: UDS, target, priority, port }
}

fn spoilt_target(faults: &Faults, domain: &str, service: &str) -> Option<String> {
    if faults.has(Fault::SrvToAddress) {
        Some("127.0.0.1".into())
    } else if faults.has(Fault::SrvToAlias) {
        Some(format!("cucm-alias.{domain}"))
    } else if faults.has(Fault::SrvUnderscore) {
        Some(format!("cucm_1.{domain}"))
    } else if faults.has(Fault::OnlyIpv6) {
        Some(format!("cucm-v6.{domain}"))
    } else if faults.has(Fault::SrvToItself) {
        Some(format!("{service}.{domain}"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::deployment::tests::scenario;
    use crate::scenario::Scenario;

    fn first(fault: &str) -> String {
        scenario(Scenario::OnPrem, &[fault]).srv[0].target.clone()
    }

    #[test]
    fn targets_are_spoilt_as_their_faults_say() {
        assert_eq!(first("both-views"), "cucm1.lab.example");
        assert_eq!(first("srv-to-address"), "127.0.0.1");
        assert_eq!(first("srv-to-alias"), "cucm-alias.lab.example");
        assert_eq!(first("srv-underscore"), "cucm_1.lab.example");
        assert_eq!(first("srv-to-itself"), "_cisco-uds._tcp.lab.example");
    }

    #[test]
    fn both_views_show_the_edge_beside_uds() {
        let lab = scenario(Scenario::OnPrem, &["both-views"]);
        let services: Vec<_> = lab.srv.iter().map(|record| record.service).collect();
        assert_eq!(services, ["_cisco-uds._tcp", "_collab-edge._tls"]);
    }

    #[test]
    fn clusters_are_named_in_turn() {
        let lab = scenario(Scenario::MultiCluster, &[]);
        let hosts: Vec<_> =
            lab.srv.iter().map(|record| (&record.target[..5], record.priority)).collect();
        assert_eq!(hosts, [("cucm1", 10), ("cucm3", 10), ("cucm2", 20), ("cucm4", 20)]);
        let records = scenario(Scenario::Cup8, &[]).srv;
        assert_eq!((records[0].service, records[0].port), ("_cuplogin._tcp", 28443));
        assert!(scenario(Scenario::Cloud, &[]).srv.is_empty());
    }
}
