//! Questions to directories (RFC 4511) over the network, bounded against servers that lie.
//!
//! The protocol is our own: what is needed of it is small, and docs/dependencies.md says what the
//! libraries lack. A connection carries one search at a time. It is kept when its search is over
//! and serves the next one as the same person to the same server; a search that nobody waits for
//! any more is abandoned on it. The first question after somebody's typing finds it bound already.

mod ber;
mod connection;
mod filter;
#[doc(hidden)]
pub mod fuzzing;
mod gssapi;
mod kept;
mod message;
mod open;
mod search;

use std::sync::Arc;

use offhook_model::Fault;
use offhook_net::Net;
use offhook_ports::{BoxFuture, Ldap, LdapAnswer, LdapBind, LdapFailure, LdapRequest};
use tokio::time::{Instant, timeout_at};

use crate::connection::Connection;
use crate::kept::{Kept, Lease};

/// The directories of the network.
pub struct Directories {
    net: Arc<Net>,
    kept: Kept,
}

impl Directories {
    /// No connection is made before there is a question.
    pub fn new(net: Arc<Net>) -> Self {
        Self { net, kept: Kept::default() }
    }

    /// Closes connections that nobody has used for five minutes. It never ends, and has no timer
    /// while no connection is kept; whoever owns the tasks runs it beside the rest. Without it such
    /// a connection is closed at the next question.
    pub async fn close_idle(&self) {
        self.kept.close_idle().await;
    }

    async fn answer(&self, request: LdapRequest) -> Result<LdapAnswer, LdapFailure> {
        check(&request)?;
        let age = self.kept.age();
        if let Some(kept) = self.kept.take(&request.server, &request.bind) {
            let mut heard = false;
            let deadline = Instant::now() + request.timeout;
            let answer = self.on((kept, age), &request, deadline, &mut heard).await;
            // The server closed it while nobody looked.
            let stale = matches!(answer, Err(LdapFailure::Fault(Fault::Closed))) && !heard;
            if !stale {
                return answer;
            }
        }
        let (connection, deadline) = open::open(&self.net, &request).await?;
        self.on((connection, age), &request, deadline, &mut false).await
    }

    /// Searches on this connection, and keeps it when it is good for more.
    async fn on(
        &self,
        (connection, age): (Connection, u64),
        request: &LdapRequest,
        deadline: Instant,
        heard: &mut bool,
    ) -> Result<LdapAnswer, LdapFailure> {
        let mut lease = Lease::new(&self.kept, age, request, connection);
        let answer = timeout_at(deadline, search::run(&mut lease, request, heard)).await;
        answer.unwrap_or_else(|_| {
            lease.give_up();
            Err(LdapFailure::Fault(Fault::AnswerTimeout))
        })
    }
}

impl Ldap for Directories {
    fn search(&self, request: LdapRequest) -> BoxFuture<'_, Result<LdapAnswer, LdapFailure>> {
        Box::pin(self.answer(request))
    }

    fn forget(&self) {
        self.kept.forget();
    }
}

/// What needs no server to be refused.
fn check(request: &LdapRequest) -> Result<(), LdapFailure> {
    match &request.bind {
        LdapBind::Anonymous => {}
        // A server takes one of the two for a bind as nobody, and says that all is well (RFC 4513
        // sections 5.1.2 and 6.3.1).
        LdapBind::Simple { name, password } if name.is_empty() || password.expose().is_empty() => {
            return Err(LdapFailure::BadCredentials);
        }
        LdapBind::Simple { .. } | LdapBind::Gssapi => {}
    }
    filter::write(&request.filter, &mut ber::Writer::default()).map_err(LdapFailure::BadFilter)
}
