//! Connections that are opened only to learn whether they can be.

use std::time::Duration;

use offhook_model::{Endpoint, Fault, Link};
use offhook_ports::{BoxFuture, Probe, Reached};
use tokio::time::Instant;

use crate::{Net, Wanted, errors, sip};

/// Bound on name and connection, and once more on the handshake; time in which a person is asked
/// about a certificate does not count.
const PATIENCE: Duration = Duration::from_secs(5);

impl Net {
    async fn try_stream(&self, at: &Endpoint, names: &[String]) -> Result<Reached, Fault> {
        let (stream, tls) = match at.link {
            Link::Tls => {
                let wanted = Wanted { names, ..Wanted::host(at) };
                let secured = self.connect_tls(&wanted, PATIENCE, PATIENCE).await?;
                (secured.stream.into_inner().0, Some(secured.words))
            }
            // The change to TLS belongs to XMPP, and the sign-in probe does it.
            Link::Tcp | Link::StartTls | Link::Udp => {
                (self.connect_tcp(&at.host, at.port, PATIENCE).await?, None)
            }
        };
        let peer = stream.peer_addr().map_err(|error| errors::open(&error))?;
        let local = stream.local_addr().map_err(|error| errors::open(&error))?;
        Ok(Reached { peer, local, tls })
    }

    /// Nothing is sent: a datagram service cannot be asked without speaking its protocol, so this
    /// tells only which way there is.
    async fn try_datagram(&self, at: &Endpoint) -> Result<Reached, Fault> {
        let targets = self.targets(&at.host, at.port, Instant::now() + PATIENCE).await?;
        let mut fault = Fault::Unreachable("no address".to_owned());
        for peer in targets {
            match sip::datagram_socket(peer, 0) {
                Ok((_, local)) => return Ok(Reached { peer, local, tls: None }),
                Err(error) => fault = errors::connecting(&error),
            }
        }
        Err(fault)
    }
}

impl Probe for Net {
    fn reach<'a>(
        &'a self,
        at: &'a Endpoint,
        names: &'a [String],
    ) -> BoxFuture<'a, Result<Reached, Fault>> {
        Box::pin(async move {
            match at.link {
                Link::Udp => self.try_datagram(at).await,
                Link::Tcp | Link::Tls | Link::StartTls => self.try_stream(at, names).await,
            }
        })
    }
}
