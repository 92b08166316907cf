//! One client connection: STARTTLS, SASL, resource binding, stream management, and then stanzas
//! in both directions (RFC 6120, XEP-0198 without resumption, XEP-0368).

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::roster::Outgoing;
use super::router::{Connected, error};
use super::sasl::{Exchange, Step};
use super::splitter::{Piece, Splitter};
use super::{Door, Shared};
use crate::events::LabEvent;
use crate::fault::Fault;
use crate::nodes::HOSTS;
use crate::xml::{Element, XmlError, escape, parse, parse_start_tag};

const STREAMS: &str = "http://etherx.jabber.org/streams";
const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
const SM: &str = "urn:xmpp:sm:3";
/// Time a client has from connecting to being bound.
const SIGN_IN: Duration = Duration::from_secs(60);
/// Wrong passwords before the stream ends.
const MAX_ATTEMPTS: usize = 5;

/// Why a connection ends.
#[derive(Debug)]
enum End {
    /// The other side is gone or closed the stream.
    Gone,
    /// A stream error, by its RFC 6120 condition.
    Error(&'static str),
}

impl From<std::io::Error> for End {
    fn from(_: std::io::Error) -> Self {
        Self::Gone
    }
}

impl From<XmlError> for End {
    fn from(error: XmlError) -> Self {
        Self::Error(match error {
            XmlError::NotWellFormed(_) => "not-well-formed",
            XmlError::Restricted(_) => "restricted-xml",
            XmlError::TooLarge(_) => "policy-violation",
        })
    }
}

struct Stream<S> {
    io: S,
    splitter: Splitter,
    /// Whether our own header is out, without which no stream error can be sent.
    opened: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream<S> {
    fn new(io: S) -> Self {
        Self { io, splitter: Splitter::new(), opened: false }
    }

    /// The next piece; safe to drop half-way.
    async fn piece(&mut self) -> Result<Piece, End> {
        let mut chunk = [0; 8192];
        loop {
            if let Some(piece) = self.splitter.next()? {
                return Ok(piece);
            }
            match self.io.read(&mut chunk).await? {
                0 => return Err(End::Gone),
                length => self.splitter.push(&chunk[..length]),
            }
        }
    }

    async fn stanza(&mut self) -> Result<Element, End> {
        match self.piece().await? {
            Piece::Stanza(text) => Ok(parse(&text, "jabber:client")?),
            Piece::Close => Err(End::Gone),
            Piece::Open(_) => Err(End::Error("not-well-formed")),
        }
    }

    async fn send(&mut self, text: &str) -> Result<(), End> {
        self.io.write_all(text.as_bytes()).await?;
        self.io.flush().await?;
        Ok(())
    }

    /// Reads the client's header and sends ours; returns the domain the client wants.
    async fn open(&mut self, shared: &Shared) -> Result<String, End> {
        let piece = self.piece().await;
        let wanted = match &piece {
            Ok(Piece::Open(text)) => parse_start_tag(text).ok(),
            Ok(Piece::Stanza(_) | Piece::Close) | Err(_) => None,
        };
        let to = wanted.as_ref().and_then(|header| header.attribute("to")).unwrap_or_default();
        let domain = to.to_ascii_lowercase();
        let known = shared.domains().contains(&domain);
        let from = if known { domain.clone() } else { shared.lab.domain().to_owned() };
        self.send(&format!(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='{STREAMS}' \
             id='{}' from='{}' version='1.0' xml:lang='en'>",
            crate::random::hex::<8>(),
            escape(&from),
        ))
        .await?;
        self.opened = true;
        piece?;
        let header = wanted.ok_or(End::Error("not-well-formed"))?;
        if !header.is("stream", STREAMS) {
            return Err(End::Error("invalid-namespace"));
        }
        if header.attribute("xmlns") != Some("jabber:client") {
            return Err(End::Error("invalid-namespace"));
        }
        if known { Ok(domain) } else { Err(End::Error("host-unknown")) }
    }

    /// Ends the stream properly.
    async fn close(mut self, end: End) {
        if let End::Error(condition) = end {
            let text = format!(
                "<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
            );
            let _ = self.send(&text).await;
        }
        if self.opened {
            let _ = self.send("</stream:stream>").await;
        }
        let _ = self.io.shutdown().await;
    }
}

/// Serves a connection that starts in clear.
pub(super) async fn run_starttls(
    shared: Arc<Shared>,
    tcp: TcpStream,
    door: Door,
    stop: watch::Receiver<bool>,
) {
    let mut stream = Stream::new(tcp);
    let upgraded = tokio::time::timeout(SIGN_IN, starttls(&shared, &mut stream)).await;
    match upgraded {
        Ok(Ok(())) => run_tls(shared, stream.io, door, stop).await,
        Ok(Err(end)) => stream.close(end).await,
        Err(_) => stream.close(End::Error("connection-timeout")).await,
    }
}

/// Serves a connection that starts with TLS.
pub(super) async fn run_tls(
    shared: Arc<Shared>,
    tcp: TcpStream,
    door: Door,
    stop: watch::Receiver<bool>,
) {
    match tokio::time::timeout(SIGN_IN, shared.tls.accept(tcp)).await {
        Ok(Ok(tls)) => converse(shared, tls, door, stop).await,
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake"),
        Err(_) => tracing::debug!("TLS handshake took too long"),
    }
}

async fn starttls(shared: &Shared, stream: &mut Stream<TcpStream>) -> Result<(), End> {
    stream.open(shared).await?;
    stream
        .send(&format!(
            "<stream:features><starttls xmlns='{TLS}'><required/></starttls></stream:features>"
        ))
        .await?;
    let request = stream.stanza().await?;
    if !request.is("starttls", TLS) {
        return Err(End::Error("policy-violation"));
    }
    // What came in clear behind the request would be taken for protected: it is dropped with
    // the splitter.
    stream.send(&format!("<proceed xmlns='{TLS}'/>")).await
}

async fn converse<S>(shared: Arc<Shared>, io: S, door: Door, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut stream = Stream::new(io);
    let signed_in = tokio::time::timeout(SIGN_IN, sign_in(&shared, &mut stream)).await;
    let connected = match signed_in {
        Ok(Ok(connected)) => connected,
        Ok(Err(end)) => return stream.close(end).await,
        Err(_) => return stream.close(End::Error("connection-timeout")).await,
    };
    let user = connected.jid.bare.split('@').next().unwrap_or_default().to_owned();
    let (nodes, by_edge) = (&shared.lab.im_nodes, door.by_edge);
    let node = HOSTS.get(door.node).copied().unwrap_or_default();
    shared.lab.events.tell(LabEvent::ChatBegan { user: user.clone(), node, by_edge });
    let lives_on_a_node = nodes.are_two() && connected.jid.domain() == shared.lab.domain();
    let mut present = Present { shared: &shared, connected };
    let end = tokio::select! {
        end = exchange(&shared, &mut stream, &mut present.connected, &mut stop) => end,
        () = nodes.elsewhere(&user, door.node), if lives_on_a_node => End::Gone,
    };
    drop(present);
    stream.close(end).await;
}

/// Takes the connection out of the router however it ends: a node that goes down ends it anywhere.
struct Present<'a> {
    shared: &'a Shared,
    connected: Connected,
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        self.shared.router.disconnect(&self.connected.jid, self.connected.id);
    }
}

async fn sign_in<S: AsyncRead + AsyncWrite + Unpin>(
    shared: &Shared,
    stream: &mut Stream<S>,
) -> Result<Connected, End> {
    let domain = stream.open(shared).await?;
    let offered = &shared.mechanisms();
    let mechanisms: String =
        offered.iter().map(|name| format!("<mechanism>{}</mechanism>", escape(name))).collect();
    let home = if shared.tells_its_node() && domain == shared.lab.domain() {
        let nodes = &HOSTS[..if shared.lab.im_nodes.are_two() { 2 } else { 1 }];
        let name = |host: &&str| {
            let host = shared.lab.host(host);
            format!("<hostname xmlns='urn:xmpp:domain-based-name:0'>{}</hostname>", escape(&host))
        };
        nodes.iter().map(name).collect()
    } else {
        String::new()
    };
    stream
        .send(&format!(
            "<stream:features><mechanisms xmlns='{SASL}'>{mechanisms}{home}</mechanisms></stream:features>"
        ))
        .await?;
    let user = authenticate(shared, stream, offered).await?;
    stream.splitter = Splitter::new();
    let domain_again = stream.open(shared).await?;
    if domain_again != domain {
        return Err(End::Error("not-authorized"));
    }
    stream
        .send(&format!(
            "<stream:features><bind xmlns='{BIND}'/>\
             <session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session>\
             <sm xmlns='{SM}'/></stream:features>"
        ))
        .await?;
    let bare = format!("{user}@{domain}").to_ascii_lowercase();
    loop {
        let request = stream.stanza().await?;
        let bind = request.find("bind", BIND);
        let Some(bind) = bind.filter(|_| request.attribute("type") == Some("set")) else {
            if request.local() != "iq" {
                return Err(End::Error("not-authorized"));
            }
            let reply = error(&request, "auth", "not-authorized").to_xml();
            stream.send(&reply).await?;
            continue;
        };
        if shared.lab.faults.has(Fault::BindConflict) {
            stream.send(&error(&request, "cancel", "conflict").to_xml()).await?;
            continue;
        }
        let resource = bind.child_text("resource");
        let connected = shared
            .router
            .connect(&bare, resource.as_deref())
            .ok_or(End::Error("internal-server-error"))?;
        let reply = Element::stanza("iq")
            .with("type", "result")
            .with("id", request.attribute("id").unwrap_or_default())
            .child(
                Element::new("bind", BIND)
                    .child(Element::new("jid", "").text(&connected.jid.full())),
            );
        stream.send(&reply.to_xml()).await?;
        return Ok(connected);
    }
}

async fn authenticate<S: AsyncRead + AsyncWrite + Unpin>(
    shared: &Shared,
    stream: &mut Stream<S>,
    offered: &[String],
) -> Result<String, End> {
    for _ in 0..MAX_ATTEMPTS {
        let auth = stream.stanza().await?;
        if !auth.is("auth", SASL) {
            return Err(End::Error("not-authorized"));
        }
        let mechanism = auth.attribute("mechanism").unwrap_or_default();
        let exchange = offered
            .iter()
            .any(|name| name == mechanism)
            .then(|| Exchange::start(mechanism))
            .flatten();
        let condition = match exchange {
            None => "invalid-mechanism",
            Some(exchange) => match run_exchange(shared, stream, exchange, auth).await? {
                Ok(user) => return Ok(user),
                Err(condition) => condition,
            },
        };
        stream.send(&format!("<failure xmlns='{SASL}'><{condition}/></failure>")).await?;
    }
    Err(End::Error("policy-violation"))
}

/// Runs one exchange to its end; the inner error is a SASL condition.
async fn run_exchange<S: AsyncRead + AsyncWrite + Unpin>(
    shared: &Shared,
    stream: &mut Stream<S>,
    mut exchange: Exchange,
    mut message: Element,
) -> Result<Result<String, &'static str>, End> {
    let mut first = true;
    loop {
        let text = message.own_text();
        let text = text.trim();
        if first && text.is_empty() {
            // No initial response: an empty challenge asks for it.
            stream.send(&format!("<challenge xmlns='{SASL}'/>")).await?;
        } else {
            let Ok(bytes) = STANDARD.decode(if text == "=" { "" } else { text }) else {
                return Ok(Err("incorrect-encoding"));
            };
            let (step, next) = exchange.step(&shared.lab, &bytes);
            match (step, next) {
                (Step::Success { user, data }, _) => {
                    let data = STANDARD.encode(data);
                    stream.send(&format!("<success xmlns='{SASL}'>{data}</success>")).await?;
                    return Ok(Ok(user));
                }
                (Step::Challenge(data), Some(next)) => {
                    exchange = next;
                    let data = STANDARD.encode(data);
                    stream.send(&format!("<challenge xmlns='{SASL}'>{data}</challenge>")).await?;
                }
                (Step::Failure(condition), _) => return Ok(Err(condition)),
                (Step::Challenge(_), None) => return Ok(Err("temporary-auth-failure")),
            }
        }
        first = false;
        message = stream.stanza().await?;
        if message.is("abort", SASL) {
            return Ok(Err("aborted"));
        }
        if !message.is("response", SASL) {
            return Err(End::Error("not-authorized"));
        }
    }
}

/// Stream management of one connection, without resumption.
#[derive(Debug, Default)]
struct Management {
    enabled: bool,
    /// Stanzas received since it was enabled.
    handled: u32,
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    shared: &Shared,
    stream: &mut Stream<S>,
    connected: &mut Connected,
    stop: &mut watch::Receiver<bool>,
) -> End {
    let mut management = Management::default();
    loop {
        let result = tokio::select! {
            piece = stream.piece() => match piece {
                Ok(piece) => received(shared, stream, connected, &mut management, piece).await,
                Err(end) => Err(end),
            },
            out = connected.queue.recv() => match out {
                Some(Outgoing::Stanza(stanza)) => write(stream, &management, &stanza).await,
                Some(Outgoing::Conflict) => Err(End::Error("conflict")),
                None => Err(End::Error("policy-violation")),
            },
            () = crate::net::stopped(stop) => Err(End::Error("system-shutdown")),
        };
        if let Err(end) = result {
            return end;
        }
    }
}

async fn write<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut Stream<S>,
    management: &Management,
    stanza: &Element,
) -> Result<(), End> {
    let mut text = stanza.to_xml();
    if management.enabled && stanza.local() == "message" {
        text.push_str("<r xmlns='urn:xmpp:sm:3'/>");
    }
    stream.send(&text).await
}

async fn received<S: AsyncRead + AsyncWrite + Unpin>(
    shared: &Shared,
    stream: &mut Stream<S>,
    connected: &Connected,
    management: &mut Management,
    piece: Piece,
) -> Result<(), End> {
    let text = match piece {
        Piece::Stanza(text) => text,
        Piece::Close => return Err(End::Gone),
        Piece::Open(_) => return Err(End::Error("not-well-formed")),
    };
    let element = parse(&text, "jabber:client")?;
    match (element.local(), element.namespace()) {
        ("message" | "presence" | "iq", "jabber:client") => {
            management.handled = management.handled.wrapping_add(1);
            shared.router.route(&connected.jid, element);
            Ok(())
        }
        ("enable", SM) => {
            *management = Management { enabled: true, handled: 0 };
            stream.send(&format!("<enabled xmlns='{SM}'/>")).await
        }
        ("r", SM) => {
            let count = management.handled;
            stream.send(&format!("<a xmlns='{SM}' h='{count}'/>")).await
        }
        ("a", SM) => Ok(()),
        ("resume", SM) => {
            let text = format!(
                "<failed xmlns='{SM}'><item-not-found \
                 xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"
            );
            stream.send(&text).await
        }
        _ => Err(End::Error("unsupported-stanza-type")),
    }
}
