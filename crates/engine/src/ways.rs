//! Names of the servers that help sound through translators, turned into addresses before a call's
//! ports are bound: the media thread asks no name server.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use offhook_core::Event;
use offhook_model::CallId;
use offhook_net::Net;
use offhook_ports::{
    Dns, Helper, HelperFault, HelperName, IceFact, IceGather, IceStart, MediaFact, PortRange,
};

use crate::effects::Hands;

/// A call waits so long for the addresses of all helpers, and goes on without those missing.
const PATIENCE: Duration = Duration::from_millis(500);

impl Hands {
    /// Binds a call's ports once the helpers' addresses are known.
    #[expect(clippy::disallowed_methods, reason = "the engine owns all tasks")]
    pub(crate) fn reserve_with_ways(
        &self,
        call: CallId,
        (ip, range): (IpAddr, PortRange),
        start: IceStart,
    ) {
        let (net, media, events) = (Arc::clone(&self.net), self.media.clone(), self.events.clone());
        tokio::spawn(async move {
            let IceStart { local, account } = start;
            let mut helpers = vec![];
            let deadline = tokio::time::Instant::now() + PATIENCE;
            for name in account.helpers {
                let asked = address(&net, &name, ip);
                let found = tokio::time::timeout_at(deadline, asked).await.ok().flatten();
                let relay = name.login.is_some();
                match found {
                    Some(address) => helpers.push(Helper { address, login: name.login }),
                    None => {
                        let fault = HelperFault::NoAddress;
                        let fact = MediaFact::Way(call, IceFact::Unhelped { relay, fault });
                        let _ = events.send(Event::Media(fact)).await;
                    }
                }
            }
            let ice = IceGather { local, helpers, relay_only: account.relay_only };
            let ports = media.reserve_with(call, ip, range, Some(ice));
            let _ = events.send(Event::Reserved(call, ports)).await;
        });
    }
}

/// The address of the family that the call's ports have.
async fn address(net: &Net, name: &HelperName, ours: IpAddr) -> Option<SocketAddr> {
    let answer = Dns::addresses(net, &name.host).await.ok()?;
    let fits = |it: &&IpAddr| it.is_ipv4() == ours.is_ipv4();
    Some(SocketAddr::new(*answer.records.iter().find(fits)?, name.port))
}
