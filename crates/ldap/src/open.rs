//! From a server's name to a bound connection: TCP, TLS by the house's one door, bind.

use offhook_model::{Fault, Secret};
use offhook_net::{Net, Refused, Wanted};
use offhook_ports::{LdapBind, LdapFailure, LdapRequest, LdapSecurity};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::connection::{Connection, Wire};
use crate::gssapi;
use crate::message::{self, Response};

/// Connects and binds. The deadline is the one of the whole exchange, which begins anew after a
/// person was asked about a certificate.
pub(crate) async fn open(
    net: &Net,
    request: &LdapRequest,
) -> Result<(Connection, Instant), LdapFailure> {
    let at = request.server.endpoint();
    let wanted = Wanted::host(&at);
    let mut deadline = Instant::now() + request.timeout;
    let mut connection = match connect(net, request, &wanted, deadline).await? {
        Ok(connection) => connection,
        Err(refused) => {
            net.overrule(&wanted, refused).await.map_err(LdapFailure::Fault)?;
            deadline = Instant::now() + request.timeout;
            let again = connect(net, request, &wanted, deadline).await?;
            again.map_err(|refused| LdapFailure::Fault(refused.fault))?
        }
    };
    bounded(deadline, bind(&mut connection, request, deadline)).await?;
    Ok((connection, deadline))
}

async fn bounded<T>(
    deadline: Instant,
    work: impl Future<Output = Result<T, LdapFailure>>,
) -> Result<T, LdapFailure> {
    timeout_at(deadline, work).await.unwrap_or(Err(LdapFailure::Fault(Fault::AnswerTimeout)))
}

/// The outer failure is one before the handshake.
async fn connect(
    net: &Net,
    request: &LdapRequest,
    wanted: &Wanted<'_>,
    deadline: Instant,
) -> Result<Result<Connection, Refused>, LdapFailure> {
    let server = &request.server;
    let stream = net.connect_tcp(&server.host, server.port, request.timeout).await;
    let stream = stream.map_err(LdapFailure::Fault)?;
    let peer = stream.peer_addr().map_err(|_| LdapFailure::Fault(Fault::Closed))?;
    let stream: TcpStream = match server.security {
        LdapSecurity::None => {
            return Ok(Ok(Connection::new(Wire::Plain(stream), peer, None)));
        }
        LdapSecurity::Tls => stream,
        LdapSecurity::StartTls => {
            let connection = Connection::new(Wire::Plain(stream), peer, None);
            bounded(deadline, start_tls(connection)).await?
        }
    };
    let left = deadline.saturating_duration_since(Instant::now());
    let shaken = net.tls(stream, wanted, left).await;
    Ok(shaken
        .map(|(stream, words)| Connection::new(Wire::Tls(Box::new(stream)), peer, Some(words))))
}

async fn start_tls(mut connection: Connection) -> Result<TcpStream, LdapFailure> {
    let id = connection.next_id();
    connection.send(&message::start_tls(id)).await.map_err(LdapFailure::Fault)?;
    match connection.receive(id, 0).await.map_err(LdapFailure::Fault)? {
        Response::Extended(outcome) if outcome.code == 0 => {
            connection.into_plain().map_err(LdapFailure::Fault)
        }
        Response::Extended(_) => Err(LdapFailure::Fault(Fault::NoEncryption)),
        other => Err(out_of_turn(&other)),
    }
}

async fn bind(
    connection: &mut Connection,
    request: &LdapRequest,
    deadline: Instant,
) -> Result<(), LdapFailure> {
    let none = Secret::new(String::new());
    let (name, password) = match &request.bind {
        LdapBind::Anonymous => ("", &none),
        LdapBind::Simple { name, password } => (name.as_str(), password),
        LdapBind::Gssapi => return gssapi::bind(connection, &request.server.host, deadline).await,
    };
    let id = connection.next_id();
    let bytes = message::bind(id, name, password.expose());
    connection.send(bytes.expose()).await.map_err(LdapFailure::Fault)?;
    match connection.receive(id, 0).await.map_err(LdapFailure::Fault)? {
        Response::Bound(outcome, _) => match outcome.code {
            0 => Ok(()),
            // What is no name at all, or nobody's, is told apart by some servers.
            32 | 34 | 49 => Err(LdapFailure::BadCredentials),
            code @ (7 | 8 | 13 | 48 | 53) => Err(LdapFailure::BindRefused(code)),
            code => Err(LdapFailure::Result(code)),
        },
        other => Err(out_of_turn(&other)),
    }
}

/// The answer to another question than ours.
pub(crate) fn out_of_turn(response: &Response) -> LdapFailure {
    let what = match response {
        Response::Bound(..) => "a bind's answer",
        Response::Entry(..) | Response::Reference(_) | Response::Done(..) => "a search's answer",
        Response::Extended(_) | Response::Other => "another answer",
    };
    LdapFailure::Fault(Fault::Nonsense(format!("{what} came out of turn (LDAP)")))
}
