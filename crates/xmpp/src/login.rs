//! A sign-in that stops before presence.

use std::sync::Arc;

use offhook_model::{Endpoint, Fault, Link, Service};
use offhook_net::Net;
use offhook_ports::{BoxFuture, Reached, Resumption, XmppLogin, XmppPlan};

use crate::faults::Miss;
use crate::link::{no_server, try_servers};
use crate::sign_in::Accepted;

/// Tries chat sign-ins: connects, encrypts, proves who we are, and closes the stream.
#[derive(Clone, Debug)]
pub struct LoginProbe {
    net: Arc<Net>,
}

impl LoginProbe {
    /// A probe on this network.
    pub fn new(net: Arc<Net>) -> Self {
        Self { net }
    }
}

impl XmppLogin for LoginProbe {
    fn login<'a>(
        &'a self,
        plan: &'a XmppPlan,
    ) -> BoxFuture<'a, Result<Reached, (Endpoint, Fault)>> {
        Box::pin(async move {
            match try_servers(&self.net, plan, None, part, None).await {
                Ok((_, reached)) => Ok(reached),
                Err(Some((server, fault))) => Err((server.endpoint(), fault)),
                Err(None) => Err((nowhere(plan), no_server())),
            }
        })
    }
}

/// Closes the stream: the next header would begin a session.
fn part<'a>(
    mut accepted: Accepted,
    _: &'a XmppPlan,
    _: Option<&'a Resumption>,
) -> BoxFuture<'a, Result<Reached, Miss>> {
    Box::pin(async move {
        // That the server may be gone already is no matter.
        let _ = accepted.stream.write(b"</stream:stream>").await;
        Ok(Reached { peer: accepted.peer, local: accepted.local, tls: Some(accepted.tls) })
    })
}

/// Where a plan without servers leads.
pub(crate) fn nowhere(plan: &XmppPlan) -> Endpoint {
    Endpoint {
        service: Service::Xmpp,
        host: plan.jid.domain().to_owned(),
        port: 5222,
        link: Link::StartTls,
    }
}
