//! Chat for tests that have none.

use offhook_model::{Endpoint, Fault};
use offhook_ports::{BoxFuture, Reached, XmppLogin, XmppPlan};

/// A world where every chat server refuses the connection.
pub struct NoChat;

impl XmppLogin for NoChat {
    fn login<'a>(
        &'a self,
        plan: &'a XmppPlan,
    ) -> BoxFuture<'a, Result<Reached, (Endpoint, Fault)>> {
        let at = plan.servers.first().map(|server| server.endpoint());
        Box::pin(async move { Err((at.expect("a server"), Fault::PortRefused)) })
    }
}
