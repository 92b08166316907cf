//! From a server's name to a bound stream: TCP, TLS, authentication, resource, acknowledgements.

use std::net::SocketAddr;
use std::time::Duration;

use offhook_model::{Fault, Jid, Link, Secret, TlsFault};
use offhook_net::{Net, Refused, Wanted};
use offhook_ports::{Resumption, XmppPlan, XmppServer};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::client::TlsStream;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;

use crate::faults::{self, Miss};
use crate::management::{self, Management};
use crate::sasl::Proof;
use crate::stream::{XmlStream, escape, unexpected};

/// How long a server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// How long it may take from there to a bound stream.
pub(crate) const NEGOTIATE: Duration = Duration::from_secs(15);

/// A silent connection is tested by the system after so long (and so often again), which costs
/// this process nothing.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(120), Duration::from_secs(30));

/// An encrypted connection.
pub(crate) type Secured = TlsStream<TcpStream>;

/// A stream on which the server accepted our proof, before the new header.
pub(crate) struct Accepted {
    pub(crate) stream: XmlStream<Secured>,
    pub(crate) tls: String,
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
}

/// A stream ready for stanzas.
pub(crate) struct Bound {
    pub(crate) stream: XmlStream<Secured>,
    pub(crate) jid: Jid,
    pub(crate) tls: String,
    /// The server acknowledges stanzas (XEP-0198).
    pub(crate) management: Option<Management>,
    /// The earlier stream goes on.
    pub(crate) resumed: bool,
    /// What the server has of the earlier stream, by id.
    pub(crate) acknowledged: Vec<String>,
    /// The server wants to know whether anybody looks (XEP-0352).
    pub(crate) indication: bool,
    /// What the server sent before it answered our last question.
    pub(crate) early: Vec<Element>,
}

/// An encrypted connection on which nothing has been said.
pub(crate) struct Open {
    secured: Secured,
    tls: String,
    peer: SocketAddr,
    local: SocketAddr,
    /// When the negotiation must be over.
    pub(crate) deadline: Instant,
}

/// Connects to one server and encrypts. When its certificate is not trusted, a person is asked, with
/// no bound on the time that takes, and the connection is made once more.
pub(crate) async fn open(net: &Net, plan: &XmppPlan, server: &XmppServer) -> Result<Open, Miss> {
    let at = server.endpoint();
    // RFC 6120 section 13.7.2: the certificate speaks for the domain. What the plan adds are
    // names from a trusted source, never the name that an SRV record gave.
    let domain = [plan.jid.domain().to_owned()];
    let names = if plan.names.is_empty() { &domain[..] } else { &plan.names };
    // XEP-0368 section 3: ALPN, where TLS comes first.
    let alpn: &[&[u8]] = if server.link == Link::Tls { &[b"xmpp-client"] } else { &[] };
    let wanted = Wanted { names, alpn, ..Wanted::host(&at) };
    match encrypt(net, plan, server, &wanted).await? {
        Ok(open) => Ok(open),
        Err(refused) => {
            net.overrule(&wanted, refused).await?;
            let again = encrypt(net, plan, server, &wanted).await?;
            Ok(again.map_err(|refused| refused.fault)?)
        }
    }
}

/// The outer failure is one before the handshake.
async fn encrypt(
    net: &Net,
    plan: &XmppPlan,
    server: &XmppServer,
    wanted: &Wanted<'_>,
) -> Result<Result<Open, Refused>, Miss> {
    let tcp = dial(net, server, plan.leads_to_the_cloud()).await?;
    let address = |result: std::io::Result<SocketAddr>| result.map_err(|e| faults::io(&e));
    let (peer, local) = (address(tcp.peer_addr())?, address(tcp.local_addr())?);
    let deadline = Instant::now() + NEGOTIATE;
    let tcp = match server.link {
        Link::Tls => tcp,
        Link::StartTls => {
            let started = timeout_at(deadline, start_tls(tcp, plan.jid.domain())).await;
            started.unwrap_or_else(|_| Err(Fault::AnswerTimeout.into()))?
        }
        Link::Tcp | Link::Udp => return Err(Fault::NoEncryption.into()),
    };
    let left = deadline.saturating_duration_since(Instant::now());
    let shaken = net.tls(tcp, wanted, left).await;
    Ok(shaken.map(|(secured, tls)| Open { secured, tls, peer, local, deadline }))
}

async fn dial(net: &Net, server: &XmppServer, proxied: bool) -> Result<TcpStream, Fault> {
    let tcp = if proxied {
        net.connect_outside(&server.host, server.port, CONNECT).await?
    } else {
        net.connect_tcp(&server.host, server.port, CONNECT).await?
    };
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE.0).with_interval(KEEPALIVE.1);
    // Without it a dead peer is noticed when something is sent.
    let _ = SockRef::from(&tcp).set_tcp_keepalive(&keepalive);
    Ok(tcp)
}

/// Proves who we are. `spent` tells whether the proof went out: a token is good for one.
pub(crate) async fn authenticate(
    open: Open,
    plan: &XmppPlan,
    spent: &mut bool,
) -> Result<Accepted, Miss> {
    let Open { secured, tls, peer, local, .. } = open;
    let mut stream = XmlStream::new(secured);
    let features = stream.open(plan.jid.domain()).await?;
    let offered = mechanisms(&features);
    let mut proof = Proof::choose(&plan.auth, &offered)?;
    *spent = true;
    prove(&mut stream, &mut proof, &offered).await?;
    Ok(Accepted { stream: stream.restarted(true)?, tls, peer, local })
}

/// Goes on with the earlier stream, or binds the resource and asks for acknowledgements.
pub(crate) async fn bind(
    accepted: Accepted,
    plan: &XmppPlan,
    earlier: Option<&Resumption>,
) -> Result<Bound, Miss> {
    let Accepted { mut stream, tls, .. } = accepted;
    let features = stream.open(plan.jid.domain()).await?;
    let manages = features.has_child("sm", ns::SM);
    let indication = features.has_child("csi", CSI);
    let mut acknowledged = Vec::new();
    if let Some(earlier) = earlier.filter(|_| manages) {
        let answer = resume(&mut stream, earlier).await?;
        if answer.is("resumed", ns::SM) {
            let h = management::counted(&answer)
                .ok_or_else(|| Fault::Nonsense("a resumption without a number".into()))?;
            let (management, acknowledged) = Management::resumed(earlier, h)?;
            let (jid, management) = (earlier.jid.clone(), Some(management));
            let early = Vec::new();
            let resumed = true;
            return Ok(Bound {
                stream,
                jid,
                tls,
                management,
                resumed,
                acknowledged,
                indication,
                early,
            });
        }
        acknowledged = management::covered(earlier, &answer);
    }
    if !features.has_child("bind", ns::BIND) {
        return Err(Fault::Nonsense("a server that binds no resource".into()).into());
    }
    let resource = format!(
        "<bind xmlns='{}'><resource>{}</resource></bind>",
        ns::BIND,
        escape(&plan.resource)
    );
    let mut early = Vec::new();
    let answer = ask(&mut stream, "bind", &resource, &mut early).await?;
    let jid = answer
        .get_child("bind", ns::BIND)
        .and_then(|bind| bind.get_child("jid", ns::BIND))
        .and_then(|jid| jid.text().trim().parse::<Jid>().ok())
        .filter(|jid| jid.resource().is_some())
        .ok_or_else(|| Fault::Nonsense("a bound address that is none".into()))?;
    // Older servers want a session (RFC 3921 section 3); newer ones mark it as optional.
    let session = features.get_child("session", SESSION);
    if session.is_some_and(|session| !session.has_child("optional", SESSION)) {
        let question = format!("<session xmlns='{SESSION}'/>");
        ask(&mut stream, "session", &question, &mut early).await?;
    }
    let management = if manages { manage(&mut stream, &mut early).await? } else { None };
    let resumed = false;
    Ok(Bound { stream, jid, tls, management, resumed, acknowledged, indication, early })
}

const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
const CSI: &str = "urn:xmpp:csi:0";

/// Asks to go on with an earlier stream; the server's yes or no.
async fn resume(stream: &mut XmlStream<Secured>, earlier: &Resumption) -> Result<Element, Miss> {
    let request = management::resume(earlier);
    stream.write(request.expose().as_bytes()).await?;
    let answer = stream.element().await?;
    let known = answer.is("resumed", ns::SM) || answer.is("failed", ns::SM);
    if known { Ok(answer) } else { Err(unexpected(&answer, "an answer to the resumption").into()) }
}

async fn start_tls(tcp: TcpStream, domain: &str) -> Result<TcpStream, Miss> {
    let mut stream = XmlStream::new(tcp);
    let features = stream.open(domain).await?;
    if !features.has_child("starttls", ns::TLS) {
        return Err(Fault::NoEncryption.into());
    }
    let request = format!("<starttls xmlns='{}'/>", ns::TLS);
    stream.write(request.as_bytes()).await?;
    let answer = stream.element().await?;
    if answer.is("proceed", ns::TLS) {
        return Ok(stream.restarted(false)?.io);
    }
    Err(if answer.is("failure", ns::TLS) {
        Fault::Tls(TlsFault::Handshake("the server offers STARTTLS, then refuses it".into()))
    } else {
        unexpected(&answer, "leave to start TLS")
    }
    .into())
}

/// The server's mechanisms. Read by hand: some servers put host names among them (XEP-0233,
/// reference im-presence.md section 2, point 2), which are passed over.
fn mechanisms(features: &Element) -> Vec<String> {
    let list = features.get_child("mechanisms", ns::SASL);
    list.into_iter()
        .flat_map(Element::children)
        .filter(|child| child.is("mechanism", ns::SASL))
        .map(|child| child.text().trim().to_owned())
        .collect()
}

async fn prove(
    stream: &mut XmlStream<Secured>,
    proof: &mut Proof,
    offered: &[String],
) -> Result<(), Miss> {
    let initial = proof.initial();
    let auth = Secret::new(format!(
        "<auth xmlns='{}' mechanism='{}'>{}</auth>",
        ns::SASL,
        proof.name(),
        initial.expose()
    ));
    stream.write(auth.expose().as_bytes()).await?;
    loop {
        let element = stream.element().await?;
        if element.is("challenge", ns::SASL) {
            let response = proof.response(&element.text())?;
            let response = format!("<response xmlns='{}'>{response}</response>", ns::SASL);
            stream.write(response.as_bytes()).await?;
        } else if element.is("success", ns::SASL) {
            return Ok(proof.success(&element.text())?);
        } else if element.is("failure", ns::SASL) {
            return Err(faults::sign_in(&element, offered).into());
        } else {
            return Err(unexpected(&element, "an answer to the sign-in").into());
        }
    }
}

/// Asks the server one question and waits for its answer.
async fn ask(
    stream: &mut XmlStream<Secured>,
    id: &str,
    question: &str,
    early: &mut Vec<Element>,
) -> Result<Element, Miss> {
    let iq = format!("<iq type='set' id='{id}'>{question}</iq>");
    stream.write(iq.as_bytes()).await?;
    loop {
        let element = stream.element().await?;
        let ours = element.name() == "iq" && element.attr("id") == Some(id);
        match element.attr("type") {
            Some("result") if ours => return Ok(element),
            Some("error") if ours => return Err(faults::refused(&element).into()),
            Some(_) | None => keep(early, element)?,
        }
    }
}

async fn manage(
    stream: &mut XmlStream<Secured>,
    early: &mut Vec<Element>,
) -> Result<Option<Management>, Miss> {
    let enable = format!("<enable xmlns='{}' resume='true'/>", ns::SM);
    stream.write(enable.as_bytes()).await?;
    loop {
        let element = stream.element().await?;
        if element.is("enabled", ns::SM) {
            return Ok(Some(Management::enabled(&element)));
        } else if element.is("failed", ns::SM) {
            return Ok(None);
        }
        keep(early, element)?;
    }
}

/// Nothing much can come before our presence is sent.
fn keep(early: &mut Vec<Element>, element: Element) -> Result<(), Fault> {
    if early.len() >= 100 {
        return Err(Fault::Nonsense("no answer among too many stanzas".into()));
    }
    early.push(element);
    Ok(())
}
