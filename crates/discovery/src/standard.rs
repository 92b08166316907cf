//! XMPP and SIP records of the open standards (RFC 6120, XEP-0368, RFC 3263).

use futures_util::future::join_all;
use futures_util::join;
use offhook_model::{Fault, Link, Outcome, Problem, TraceStep};
use offhook_ports::{Found, Naptr, SipServer, Srv, XmppServer};

use crate::asked::{Asked, Fate, Notes, Questions, show_srv};
use crate::rank::{rank, rank_by};

/// At most so many NAPTR records are followed.
const NAPTR: usize = 8;

/// All answers about a domain.
pub(crate) struct Answers {
    domain: String,
    direct: Asked<Srv>,
    starttls: Asked<Srv>,
    naptr: Asked<Naptr>,
    /// `_sips._tcp`, `_sip._tcp`, `_sip._udp`.
    known: [Asked<Srv>; 3],
    /// Other names that NAPTR records lead to.
    further: Vec<Asked<Srv>>,
}

/// Asks everything at once.
pub(crate) async fn ask(questions: Questions<'_>, domain: &str) -> Answers {
    let srv = |service: &str| questions.srv(format!("{service}.{domain}"));
    let sip = async {
        let (naptr, sips, tcp, udp) = join!(
            questions.naptr(domain.to_owned()),
            srv("_sips._tcp"),
            srv("_sip._tcp"),
            srv("_sip._udp"),
        );
        let known = [sips, tcp, udp];
        let named = preferred(&naptr).into_iter().map(|(record, _)| record.replacement);
        let new = |name: &String| known.iter().all(|it| !it.name.eq_ignore_ascii_case(name));
        let further = join_all(named.filter(new).map(|name| questions.srv(name))).await;
        (naptr, known, further)
    };
    let (direct, starttls, (naptr, known, further)) =
        join!(srv("_xmpps-client._tcp"), srv("_xmpp-client._tcp"), sip);
    Answers { domain: domain.to_owned(), direct, starttls, naptr, known, further }
}

impl Answers {
    /// A domain that publishes only one of the two gives an account with only that service.
    pub(crate) fn found(&self, seed: u64) -> Option<Found> {
        let xmpp = self.xmpp(seed);
        let sip = self.sip(seed);
        (!xmpp.is_empty() || !sip.is_empty()).then_some(Found::Standard { xmpp, sip })
    }

    /// What failed.
    pub(crate) fn failures(&self) -> Vec<Problem> {
        self.srv().filter_map(|asked| asked.problem(&self.domain)).collect()
    }

    /// What is wrong with the records themselves (D04).
    pub(crate) fn bad_targets(&self) -> Vec<Problem> {
        self.srv().flat_map(Asked::bad_targets).collect()
    }

    fn srv(&self) -> impl Iterator<Item = &Asked<Srv>> {
        [&self.direct, &self.starttls].into_iter().chain(&self.known).chain(&self.further)
    }

    /// The steps, and what should be mended. `decider` says in words who decided, unless these do.
    pub(crate) fn judge(&self, notes: &mut Notes<'_>, decider: Option<&str>) {
        let (xmpp, sip) = (!self.xmpp(0).is_empty(), !self.sip(0).is_empty());
        let by_name = !self.by_naptr(0).is_empty();
        let fate = |used: bool| match decider {
            None if used => Fate::Won("this record decides"),
            None => Fate::Lost("other records of the domain are used"),
            Some(decider) => Fate::Lost(decider),
        };
        notes.judge("xmppSrv", &self.direct, fate(xmpp), show_srv);
        notes.judge("xmppSrv", &self.starttls, fate(xmpp), show_srv);
        notes.judge("naptr", &self.naptr, fate(by_name), show_naptr);
        for asked in self.known.iter().chain(&self.further) {
            notes.judge("sipSrv", asked, fate(sip), show_srv);
        }
        if decider.is_none() {
            self.bad_targets().into_iter().for_each(|problem| notes.warn(problem));
        }
    }

    /// Both names count as one set of records (XEP-0368 section 3).
    fn xmpp(&self, seed: u64) -> Vec<XmppServer> {
        let mut items = vec![];
        for (asked, link) in [(&self.direct, Link::Tls), (&self.starttls, Link::StartTls)] {
            items.extend(asked.usable().into_iter().map(|record| (record, link)));
        }
        rank_by(items, seed, |(record, _)| (record.priority, record.weight))
            .into_iter()
            .map(|(record, link)| XmppServer { host: record.target, port: record.port, link })
            .collect()
    }

    fn sip(&self, seed: u64) -> Vec<SipServer> {
        let named = self.by_naptr(seed);
        if named.is_empty() { self.by_srv(seed) } else { named }
    }

    /// The domain says itself which transports it prefers (RFC 3263 section 4.1).
    fn by_naptr(&self, seed: u64) -> Vec<SipServer> {
        let all = || self.known.iter().chain(&self.further);
        let mut servers = vec![];
        for (record, link) in preferred(&self.naptr) {
            let same = |asked: &&Asked<Srv>| asked.name.eq_ignore_ascii_case(&record.replacement);
            let usable = all().find(same).map(Asked::usable).unwrap_or_default();
            servers.extend(sip_servers(usable, link, seed));
        }
        servers
    }

    /// TLS before TCP before UDP.
    fn by_srv(&self, seed: u64) -> Vec<SipServer> {
        let links = [Link::Tls, Link::Tcp, Link::Udp];
        let both = self.known.iter().zip(links);
        both.flat_map(|(asked, link)| sip_servers(asked.usable(), link, seed)).collect()
    }
}

/// The NAPTR records that we can follow, in the order of the domain.
fn preferred(naptr: &Asked<Naptr>) -> Vec<(Naptr, Link)> {
    let mut records = naptr.result.clone().unwrap_or_default();
    records.sort_by_key(|record| (record.order, record.preference));
    let link = |record: Naptr| {
        let link = match record.service.as_str() {
            "SIPS+D2T" => Link::Tls,
            "SIP+D2T" => Link::Tcp,
            "SIP+D2U" => Link::Udp,
            _ => return None,
        };
        Some((record, link))
    };
    records.into_iter().filter(|record| record.flags == "s").filter_map(link).take(NAPTR).collect()
}

fn sip_servers(records: Vec<Srv>, link: Link, seed: u64) -> impl Iterator<Item = SipServer> {
    rank(records, seed).into_iter().map(move |record| SipServer {
        host: record.target,
        port: record.port,
        link,
    })
}

/// What came of trying the domain itself.
pub(crate) struct Bare {
    addresses: Asked<std::net::IpAddr>,
    reached: Option<(XmppServer, Result<(), Fault>, u64)>,
}

/// RFC 6120 section 3.2.2 lets a client try the domain itself. Most domains answer only as web
/// sites, so the port is tried before it is believed.
pub(crate) async fn try_domain(questions: Questions<'_>, domain: &str) -> Bare {
    let addresses = questions.addresses(domain.to_owned()).await;
    if addresses.result.is_err() {
        return Bare { addresses, reached: None };
    }
    let server = XmppServer { host: domain.to_owned(), port: 5222, link: Link::StartTls };
    let begin = questions.world.clock.now();
    let result = questions.world.probe.reach(&server.endpoint(), &[]).await.map(drop);
    Bare { addresses, reached: Some((server, result, questions.ms_since(begin))) }
}

impl Bare {
    pub(crate) fn found(&self) -> Option<Found> {
        match &self.reached {
            Some((server, Ok(()), _)) => {
                Some(Found::Standard { xmpp: vec![server.clone()], sip: vec![] })
            }
            Some((_, Err(_), _)) | None => None,
        }
    }

    /// The address question failed for another reason than absence.
    pub(crate) fn failure(&self, domain: &str) -> Option<Problem> {
        self.addresses.problem(domain)
    }

    pub(crate) fn judge(&self, notes: &mut Notes<'_>, decider: Option<&str>) {
        let fate = Fate::Lost(decider.unwrap_or("an address alone says nothing of services"));
        notes.judge("address", &self.addresses, fate, ToString::to_string);
        let Some((server, result, ms)) = &self.reached else { return };
        let at = server.endpoint();
        let (answer, outcome) = match result {
            Ok(()) if decider.is_none() => ("connected".to_owned(), Outcome::Won),
            Ok(()) => ("connected".to_owned(), Outcome::Lost),
            Err(fault) => (fault.problem(&at).cause, Outcome::Failed),
        };
        notes.note(TraceStep {
            step: "bareDomain".into(),
            asked: format!("connect to {at}"),
            of: at.to_string(),
            answer,
            ms: *ms,
            outcome,
            why: "no records, so the domain itself is tried".into(),
        });
    }
}

fn show_naptr(record: &Naptr) -> String {
    format!("{} → {}", record.service, record.replacement)
}
