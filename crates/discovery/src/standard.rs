//! XMPP and SIP records of the open standards (RFC 6120, XEP-0368, RFC 3263).

use futures_util::join;
use offhook_model::{DnsFault, Link, Outcome, Problem, TraceStep};
use offhook_ports::{Found, Naptr, SipServer, Srv, XmppServer};

use crate::Verdict;
use crate::asked::{Asked, Asker, show_srv};
use crate::rank::{rank, rank_by};

/// Asks everything at once. A domain that publishes only one of the two gives an account with
/// only that service.
pub(crate) async fn decide(asker: &mut Asker<'_>) -> Verdict {
    let (direct, starttls, naptr, sips, tcp, udp) = join!(
        asker.srv("_xmpps-client._tcp"),
        asker.srv("_xmpp-client._tcp"),
        asker.naptr(),
        asker.srv("_sips._tcp"),
        asker.srv("_sip._tcp"),
        asker.srv("_sip._udp"),
    );
    let xmpp = xmpp_servers(asker, &direct, &starttls);
    asker.judge("xmppSrv", &direct, !xmpp.is_empty(), show_srv);
    asker.judge("xmppSrv", &starttls, !xmpp.is_empty(), show_srv);

    let known = [sips, tcp, udp];
    let named = by_naptr(asker, &naptr, &known).await;
    let by_name = !named.is_empty();
    let sip = if by_name { named } else { by_srv(asker, &known) };
    asker.judge("naptr", &naptr, by_name, show_naptr);
    for asked in &known {
        asker.judge("sipSrv", asked, !sip.is_empty(), show_srv);
    }

    let mut failures: Vec<Problem> = [&direct, &starttls]
        .into_iter()
        .chain(&known)
        .filter_map(|asked| Some(asker.dns_problem(asked, asked.failure()?)))
        .collect();
    if !xmpp.is_empty() || !sip.is_empty() {
        asker.warnings.extend(failures);
        return Verdict::Decided(Found::Standard { xmpp, sip });
    }
    if !failures.is_empty() {
        return Verdict::Refused(failures.remove(0));
    }
    // A failed question of the rung before, or a record that cannot be used: the domain may well
    // have services, so it would be wrong to say that it has none.
    if !asker.warnings.is_empty() {
        return Verdict::Refused(asker.warnings.remove(0));
    }
    bare_domain(asker).await
}

/// Both names count as one set of records (XEP-0368 section 3).
fn xmpp_servers(
    asker: &mut Asker<'_>,
    direct: &Asked<Srv>,
    starttls: &Asked<Srv>,
) -> Vec<XmppServer> {
    let mut items = vec![];
    for (asked, link) in [(direct, Link::Tls), (starttls, Link::StartTls)] {
        items.extend(asker.usable(asked).into_iter().map(|record| (record, link)));
    }
    rank_by(items, asker.seed, |(record, _)| (record.priority, record.weight))
        .into_iter()
        .map(|(record, link)| XmppServer { host: record.target, port: record.port, link })
        .collect()
}

/// The domain says itself which transports it prefers (RFC 3263 section 4.1).
async fn by_naptr(
    asker: &mut Asker<'_>,
    naptr: &Asked<Naptr>,
    known: &[Asked<Srv>],
) -> Vec<SipServer> {
    let Ok(records) = &naptr.result else { return vec![] };
    let mut records = records.clone();
    records.sort_by_key(|record| (record.order, record.preference));
    let mut servers = vec![];
    for record in records.into_iter().filter(|record| record.flags == "s").take(8) {
        let link = match record.service.as_str() {
            "SIPS+D2T" => Link::Tls,
            "SIP+D2T" => Link::Tcp,
            "SIP+D2U" => Link::Udp,
            _ => continue,
        };
        let same = |asked: &&Asked<Srv>| asked.name.eq_ignore_ascii_case(&record.replacement);
        let usable = match known.iter().find(same) {
            Some(asked) => asker.usable(asked),
            None => {
                let asked = asker.srv_at(record.replacement.clone()).await;
                let usable = asker.usable(&asked);
                asker.judge("sipSrv", &asked, !usable.is_empty(), show_srv);
                usable
            }
        };
        servers.extend(sip_servers(usable, link, asker.seed));
    }
    servers
}

/// TLS before TCP before UDP.
fn by_srv(asker: &mut Asker<'_>, known: &[Asked<Srv>; 3]) -> Vec<SipServer> {
    let mut servers = vec![];
    for (asked, link) in known.iter().zip([Link::Tls, Link::Tcp, Link::Udp]) {
        let usable = asker.usable(asked);
        servers.extend(sip_servers(usable, link, asker.seed));
    }
    servers
}

fn sip_servers(records: Vec<Srv>, link: Link, seed: u64) -> impl Iterator<Item = SipServer> {
    rank(records, seed).into_iter().map(move |record| SipServer {
        host: record.target,
        port: record.port,
        link,
    })
}

/// RFC 6120 section 3.2.2 lets a client try the domain itself. Most domains answer only as web
/// sites, so the port is tried before it is believed.
async fn bare_domain(asker: &mut Asker<'_>) -> Verdict {
    let refused = Verdict::Refused(Problem::no_services(&asker.domain));
    let addresses = asker.addresses().await;
    asker.judge("address", &addresses, false, ToString::to_string);
    match &addresses.result {
        Ok(_) => {}
        Err(DnsFault::NoName | DnsFault::NoRecord) => return refused,
        Err(fault) => return Verdict::Refused(asker.dns_problem(&addresses, fault)),
    }
    let server = XmppServer { host: asker.domain.clone(), port: 5222, link: Link::StartTls };
    let at = server.endpoint();
    let begin = asker.world.clock.now();
    let reached = asker.world.probe.reach(&at, &[]).await;
    let ms = asker.ms_since(begin);
    let (answer, outcome) = match &reached {
        Ok(_) => ("connected".to_owned(), Outcome::Won),
        Err(fault) => (fault.problem(&at).cause, Outcome::Failed),
    };
    asker.note(TraceStep {
        step: "bareDomain".into(),
        asked: format!("connect to {at}"),
        of: at.to_string(),
        answer,
        ms,
        outcome,
        why: "no records, so the domain itself is tried".into(),
    });
    match reached {
        Ok(_) => Verdict::Decided(Found::Standard { xmpp: vec![server], sip: vec![] }),
        Err(_) => refused,
    }
}

fn show_naptr(record: &Naptr) -> String {
    format!("{} → {}", record.service, record.replacement)
}
