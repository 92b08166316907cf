//! The servers of a plan, one after the other, and the life of the link.

use std::sync::Arc;

use offhook_im::Stanza;
use offhook_model::Fault;
use offhook_net::Net;
use offhook_ports::{BoxFuture, XmppAuth, XmppPlan, XmppServer};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout_at;

use crate::LinkEvent;
use crate::faults::Miss;
use crate::login::nowhere;
use crate::session::{self, End};
use crate::sign_in::{Accepted, Bound, authenticate, bind, open};

/// The whole life of a link.
pub(crate) async fn live(
    net: Arc<Net>,
    plan: XmppPlan,
    mut queue: mpsc::Receiver<Stanza>,
    mut closing: watch::Receiver<bool>,
    events: mpsc::Sender<LinkEvent>,
) {
    let signed_in = tokio::select! {
        result = try_servers(&net, &plan, to_session, Some(&events)) => Some(result),
        () = session::told_to_close(&mut closing) => None,
    };
    let last = match signed_in {
        None => LinkEvent::Closed,
        Some(Err(Some((server, fault)))) => LinkEvent::Failed { at: server.endpoint(), fault },
        Some(Err(None)) => LinkEvent::Failed { at: nowhere(&plan), fault: no_server() },
        Some(Ok((server, bound))) => {
            tracing::info!(
                host = server.host,
                port = server.port,
                tls = bound.tls,
                "chat is online"
            );
            let online = LinkEvent::Online {
                jid: bound.jid.clone(),
                resumed: false,
                server: server.clone(),
                tls: Some(bound.tls.clone()),
            };
            let _ = events.send(online).await;
            match session::run(bound, &mut queue, &mut closing, &events).await {
                End::Closed => LinkEvent::Closed,
                End::Fault(fault) => LinkEvent::Offline { at: server.endpoint(), fault },
            }
        }
    };
    let _ = events.send(last).await;
}

/// A plan without servers.
pub(crate) fn no_server() -> Fault {
    Fault::NotProvisioned("chat server".into())
}

/// What is done with a stream on which our proof was accepted.
pub(crate) type Next<T> = for<'a> fn(Accepted, &'a XmppPlan) -> BoxFuture<'a, Result<T, Miss>>;

fn to_session(accepted: Accepted, plan: &XmppPlan) -> BoxFuture<'_, Result<Bound, Miss>> {
    Box::pin(bind(accepted, plan))
}

/// Signs in to the first server that lets us. The error is the one that says most, with its
/// server; there is none when the plan names no server.
pub(crate) async fn try_servers<T>(
    net: &Net,
    plan: &XmppPlan,
    next: Next<T>,
    events: Option<&mpsc::Sender<LinkEvent>>,
) -> Result<(XmppServer, T), Option<(XmppServer, Fault)>> {
    let mut worst: Option<(XmppServer, Fault)> = None;
    for server in &plan.servers {
        let mut server = server.clone();
        let mut spent = false;
        tell_connecting(events, &server).await;
        let mut result = attempt(net, plan, &server, &mut spent, next).await;
        if let Err(Miss { elsewhere: Some((host, port)), .. }) = &result
            && (!spent || reusable(&plan.auth))
        {
            server.host.clone_from(host);
            server.port = port.unwrap_or(server.port);
            tell_connecting(events, &server).await;
            result = attempt(net, plan, &server, &mut spent, next).await;
        }
        let fault = match result {
            Ok(value) => return Ok((server, value)),
            Err(miss) => miss.fault,
        };
        tracing::debug!(host = server.host, port = server.port, ?fault, "chat server failed");
        if is_final(&fault) || (spent && !reusable(&plan.auth)) {
            return Err(Some((server, fault)));
        }
        if worst.as_ref().is_none_or(|(_, before)| reach(before) < reach(&fault)) {
            worst = Some((server, fault));
        }
    }
    Err(worst)
}

async fn tell_connecting(events: Option<&mpsc::Sender<LinkEvent>>, server: &XmppServer) {
    if let Some(events) = events {
        let server = server.clone();
        // A listener that is gone is noticed when the link is online.
        let _ = events.send(LinkEvent::Connecting { server }).await;
    }
}

async fn attempt<T>(
    net: &Net,
    plan: &XmppPlan,
    server: &XmppServer,
    spent: &mut bool,
    next: Next<T>,
) -> Result<T, Miss> {
    let open = Box::pin(open(net, plan, server)).await?;
    let deadline = open.deadline;
    let negotiation = async {
        let accepted = authenticate(open, plan, spent).await?;
        next(accepted, plan).await
    };
    match timeout_at(deadline, Box::pin(negotiation)).await {
        Ok(result) => result,
        Err(_) => Err(Fault::AnswerTimeout.into()),
    }
}

fn reusable(auth: &XmppAuth) -> bool {
    match auth {
        XmppAuth::Password { .. } | XmppAuth::WebexToken { .. } => true,
        XmppAuth::VtgToken { .. } => false,
    }
}

/// Whether another server of the same account would say the same, or the attempt there would
/// count against the account.
fn is_final(fault: &Fault) -> bool {
    matches!(fault, Fault::BadCredentials | Fault::Conflict)
}

/// How far an attempt came, to choose what to report: who never answered says less than who did.
fn reach(fault: &Fault) -> u8 {
    match fault {
        Fault::Dns(_) => 0,
        Fault::Unreachable(_) | Fault::ConnectTimeout | Fault::Proxy(_) => 1,
        Fault::PortRefused => 2,
        Fault::Closed | Fault::AnswerTimeout => 3,
        Fault::Tls(_)
        | Fault::TooLarge(_)
        | Fault::Html
        | Fault::Nonsense(_)
        | Fault::Status(_)
        | Fault::NoEncryption
        | Fault::Sip(..)
        | Fault::Stream(_)
        | Fault::Edge(..)
        | Fault::NotProvisioned(_)
        | Fault::NotRecorded => 4,
        Fault::NoMechanism(_) | Fault::BadCredentials | Fault::Conflict => 5,
    }
}
