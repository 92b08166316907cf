//! The servers of a plan, one after the other, and the life of the link.

use std::sync::Arc;

use offhook_model::Fault;
use offhook_net::Net;
use offhook_ports::{BoxFuture, Resumption, XmppAuth, XmppPlan, XmppServer};
use tokio::sync::mpsc;
use tokio::time::timeout_at;

use crate::faults::{Miss, host_and_port};
use crate::login::nowhere;
use crate::session::{self, End, Told};
use crate::sign_in::{Accepted, Bound, authenticate, bind, open};
use crate::{Ending, LinkEvent};

/// The whole life of a link.
pub(crate) async fn live(
    net: Arc<Net>,
    mut plan: XmppPlan,
    earlier: Option<Box<Resumption>>,
    mut told: Told,
    events: mpsc::Sender<LinkEvent>,
) {
    if let Some(earlier) = &earlier {
        come_back_to(earlier, &mut plan);
    }
    let signed_in = tokio::select! {
        result = try_servers(&net, &plan, earlier.as_deref(), to_session, Some(&events)) => {
            Ok(result)
        }
        how = session::told_to_end(&mut told.ending) => Err(how),
    };
    let resumption = earlier;
    let last = match signed_in {
        Err(Ending::None | Ending::Polite) => LinkEvent::Closed,
        Err(Ending::Abrupt) => {
            LinkEvent::Failed { at: nowhere(&plan), fault: Fault::Closed, resumption }
        }
        Ok(Err(Some((server, fault)))) => {
            // What the server made no sense of once, it makes none of the next time.
            let sound = !matches!(fault, Fault::Nonsense(_) | Fault::TooLarge(_));
            let resumption = resumption.filter(|_| sound);
            LinkEvent::Failed { at: server.endpoint(), fault, resumption }
        }
        Ok(Err(None)) => LinkEvent::Failed { at: nowhere(&plan), fault: no_server(), resumption },
        Ok(Ok((server, mut bound))) => {
            tracing::info!(
                host = server.host,
                port = server.port,
                tls = bound.tls,
                resumed = bound.resumed,
                "chat is online"
            );
            drop(resumption);
            for id in std::mem::take(&mut bound.acknowledged) {
                let _ = events.send(LinkEvent::Acked(id)).await;
            }
            let online = LinkEvent::Online {
                jid: bound.jid.clone(),
                resumed: bound.resumed,
                server: server.clone(),
                tls: Some(bound.tls.clone()),
            };
            let _ = events.send(online).await;
            match session::run(bound, &mut told, &events).await {
                End::Closed => LinkEvent::Closed,
                End::Fault(fault, resumption) => {
                    LinkEvent::Offline { at: server.endpoint(), fault, resumption }
                }
            }
        }
    };
    let _ = events.send(last).await;
}

/// The server said where the stream is to be taken up again (XEP-0198 section 5): there first.
fn come_back_to(earlier: &Resumption, plan: &mut XmppPlan) {
    let place = earlier.location.as_deref().and_then(host_and_port);
    if let (Some((host, port)), Some(first)) = (place, plan.servers.first().cloned()) {
        let there = XmppServer { host, port: port.unwrap_or(first.port), link: first.link };
        plan.servers.retain(|server| *server != there);
        plan.servers.insert(0, there);
    }
}

/// A plan without servers.
pub(crate) fn no_server() -> Fault {
    Fault::NotProvisioned("chat server".into())
}

/// What is done with a stream on which our proof was accepted.
pub(crate) type Next<T> =
    for<'a> fn(Accepted, &'a XmppPlan, Option<&'a Resumption>) -> BoxFuture<'a, Result<T, Miss>>;

fn to_session<'a>(
    accepted: Accepted,
    plan: &'a XmppPlan,
    earlier: Option<&'a Resumption>,
) -> BoxFuture<'a, Result<Bound, Miss>> {
    Box::pin(bind(accepted, plan, earlier))
}

/// Signs in to the first server that lets us. The error is the one that says most, with its
/// server; there is none when the plan names no server.
pub(crate) async fn try_servers<T>(
    net: &Net,
    plan: &XmppPlan,
    earlier: Option<&Resumption>,
    next: Next<T>,
    events: Option<&mpsc::Sender<LinkEvent>>,
) -> Result<(XmppServer, T), Option<(XmppServer, Fault)>> {
    let mut worst: Option<(XmppServer, Fault)> = None;
    for server in &plan.servers {
        let mut server = server.clone();
        let mut spent = false;
        tell_connecting(events, &server).await;
        let next = (earlier, next);
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
    (earlier, next): (Option<&Resumption>, Next<T>),
) -> Result<T, Miss> {
    let open = Box::pin(open(net, plan, server)).await?;
    let deadline = open.deadline;
    let negotiation = async {
        let accepted = authenticate(open, plan, spent).await?;
        next(accepted, plan, earlier).await
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
        | Fault::Enrolment(_)
        | Fault::NotProvisioned(_)
        | Fault::NotRecorded => 4,
        Fault::NoMechanism(_) | Fault::BadCredentials | Fault::Conflict => 5,
    }
}
