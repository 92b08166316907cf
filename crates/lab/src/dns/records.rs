//! Which records a deployment has.

use std::net::{IpAddr, Ipv6Addr};

use super::{TYPE_A, TYPE_AAAA, TYPE_CNAME, TYPE_NAPTR, TYPE_SRV, Zone, write_name};
use crate::deployment::{Deployment, SrvTarget};
use crate::fault::Fault;
use crate::scenario::Scenario;

/// Data of a record.
#[derive(Debug, Clone)]
pub(super) enum Data {
    Address(IpAddr),
    Alias(String),
    Srv { priority: u16, weight: u16, port: u16, target: String },
    Naptr { order: u16, service: &'static str, replacement: String },
}

impl Data {
    pub(super) fn kind(&self) -> u16 {
        match self {
            Self::Address(IpAddr::V4(_)) => TYPE_A,
            Self::Address(IpAddr::V6(_)) => TYPE_AAAA,
            Self::Alias(_) => TYPE_CNAME,
            Self::Srv { .. } => TYPE_SRV,
            Self::Naptr { .. } => TYPE_NAPTR,
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Address(IpAddr::V4(ip)) => out.extend(ip.octets()),
            Self::Address(IpAddr::V6(ip)) => out.extend(ip.octets()),
            Self::Alias(target) => write_name(out, target),
            Self::Srv { priority, weight, port, target } => {
                for value in [priority, weight, port] {
                    out.extend(value.to_be_bytes());
                }
                write_name(out, target);
            }
            Self::Naptr { order, service, replacement } => {
                out.extend(order.to_be_bytes());
                out.extend(10u16.to_be_bytes());
                for text in ["s", service, ""] {
                    out.push(u8::try_from(text.len()).unwrap_or(0));
                    out.extend(text.as_bytes());
                }
                write_name(out, replacement);
            }
        }
    }
}

impl Zone {
    /// The records of a deployment.
    pub(crate) fn of(lab: &Deployment) -> Self {
        let domain = lab.domain().to_ascii_lowercase();
        let open = lab.standard_domain().to_ascii_lowercase();
        let mut records = addresses(lab, &domain, &open);
        let mut shown = cisco_records(lab, &domain);
        if lab.scenario == Scenario::EdgeRoaming {
            shown.retain(|(name, _)| !name.starts_with("_collab-edge."));
        }
        records.extend(shown);
        if !lab.faults.has(Fault::NoRecords) {
            records.extend(standard_records(lab, &open));
        }
        let voice = lab.scenario.voice_domain(&domain);
        let origins = [Some(open), voice, Some(domain)].into_iter().flatten().collect();
        Self { origins, records, truncate_srv: lab.faults.has(Fault::TruncatedSrv) }
    }
}

impl Zone {
    /// What the world outside sees: the edges.
    pub(crate) fn outer(lab: &Deployment) -> Self {
        let domain = lab.domain().to_ascii_lowercase();
        let mut records = edge_addresses(lab, &domain);
        let mut shown = cisco_records(lab, &domain);
        shown.retain(|(name, _)| name.starts_with("_collab-edge."));
        records.extend(shown);
        Self { origins: vec![domain], records, truncate_srv: lab.faults.has(Fault::TruncatedSrv) }
    }
}

fn edge_addresses(lab: &Deployment, domain: &str) -> Vec<(String, Data)> {
    let address = |host| (format!("{host}.{domain}"), Data::Address(lab.config.bind));
    crate::edge::HOSTS.map(address).into()
}

fn addresses(lab: &Deployment, domain: &str, open: &str) -> Vec<(String, Data)> {
    let ip = lab.config.bind;
    let mut records = Vec::new();
    let mut hosts = vec!["cucm1", "cucm2", "cucm_1", "edge1"];
    hosts.extend(lab.refused_voicemail.map(|_| "cuc1"));
    hosts.extend(lab.refused_directory.map(|_| "dir1"));
    if lab.scenario.has_presence_server() {
        hosts.extend(["imp1", "imp2"]);
    }
    for host in hosts {
        let name = format!("{host}.{domain}");
        let ip = match host {
            "cucm1" if lab.faults.has(Fault::NoAddress) => continue,
            "imp2" => lab.config.second_address().unwrap_or(ip),
            _ => lab.nodes.iter().find(|node| node.host == host).map_or(ip, |node| node.at.ip()),
        };
        records.push((name, Data::Address(ip)));
    }
    for node in lab.nodes.iter().skip(2) {
        records.push((format!("{}.{domain}", node.host), Data::Address(node.at.ip())));
    }
    let v6 = IpAddr::V6(Ipv6Addr::LOCALHOST);
    records.push((format!("cucm-v6.{domain}"), Data::Address(v6)));
    records.push((format!("cucm-alias.{domain}"), Data::Alias(format!("cucm1.{domain}"))));
    // The domains themselves have no address: a client that tries one at a standard port must
    // not end up at whatever else listens on this machine.
    for host in [format!("xmpp.{open}"), format!("sip.{open}")] {
        records.push((host, Data::Address(ip)));
    }
    let second = lab.config.second_address();
    records.extend(second.map(|ip| (format!("xmpp2.{open}"), Data::Address(ip))));
    records
}

fn cisco_records(lab: &Deployment, domain: &str) -> Vec<(String, Data)> {
    let zone = match lab.scenario {
        Scenario::Pinpoint => format!("cisco-internal.{domain}"),
        _ => lab.scenario.voice_domain(domain).unwrap_or_else(|| domain.to_owned()),
    };
    let record = |record: &SrvTarget| {
        let target = record.target.to_ascii_lowercase();
        let (priority, port) = (record.priority, record.port);
        (format!("{}.{zone}", record.service), Data::Srv { priority, weight: 10, port, target })
    };
    lab.srv.iter().map(record).collect()
}

fn standard_records(lab: &Deployment, open: &str) -> Vec<(String, Data)> {
    let srv = |service: &str, port: u16, host: &str| {
        let target = format!("{host}.{open}");
        (format!("{service}.{open}"), Data::Srv { priority: 10, weight: 10, port, target })
    };
    let naptr = |order, service, record: &str| {
        (open.to_owned(), Data::Naptr { order, service, replacement: format!("{record}.{open}") })
    };
    let second = lab.config.second_address().map(|_| {
        let target = format!("xmpp2.{open}");
        let port = lab.shown.xmpp.port();
        (format!("_xmpp-client._tcp.{open}"), Data::Srv { priority: 20, weight: 10, port, target })
    });
    let mut records = vec![
        srv("_xmpp-client._tcp", lab.shown.xmpp.port(), "xmpp"),
        srv("_xmpps-client._tcp", lab.shown.xmpps.port(), "xmpp"),
        srv("_sips._tcp", lab.shown.sip_tls.port(), "sip"),
        srv("_sip._tcp", lab.shown.sip_tcp.port(), "sip"),
        srv("_sip._udp", lab.shown.sip_udp.port(), "sip"),
        naptr(10, "SIPS+D2T", "_sips._tcp"),
        naptr(20, "SIP+D2T", "_sip._tcp"),
        naptr(30, "SIP+D2U", "_sip._udp"),
    ];
    records.extend(second);
    records
}
