//! Names of the servers that help sound through translators, turned into addresses before a call's
//! ports are bound: the media thread asks no name server. Streams to relays are carried here too.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use offhook_core::Event;
use offhook_media::{MediaEngine, Search, ToRelay};
use offhook_model::{CallId, Endpoint, Link, Service};
use offhook_net::Net;
use offhook_net::sip::{SipFlowEvent, SipFlowHandle};
use offhook_ports::{
    Dns, FlowId, Helper, HelperFault, HelperName, IceFact, IceGather, IceStart, MediaFact,
    PortRange,
};
use offhook_stun::{Cutter, fill};
use tokio::sync::mpsc;

use crate::effects::Hands;

/// A call waits so long for the addresses of all helpers, and goes on without those missing.
const PATIENCE: Duration = Duration::from_millis(500);
/// Packets that wait for the streams of one call: more than a second of sound.
const QUEUE: usize = 128;

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
            let beside = net.address_beside(ip);
            let ours: Vec<IpAddr> = [Some(ip), beside].into_iter().flatten().collect();
            let (mut helpers, mut endpoints) = (vec![], vec![]);
            let deadline = tokio::time::Instant::now() + PATIENCE;
            for name in account.helpers {
                let asked = addresses(&net, &name, &ours);
                let found = tokio::time::timeout_at(deadline, asked).await.unwrap_or_default();
                let relay = name.login.is_some();
                if found.is_empty() {
                    let fault = HelperFault::NoAddress;
                    let fact = MediaFact::Way(call, IceFact::Unhelped { relay, fault });
                    let _ = events.send(Event::Media(fact)).await;
                }
                for address in found {
                    helpers.push(Helper { address, link: name.link, login: name.login.clone() });
                    endpoints.push(endpoint(&name));
                }
            }
            let streams = helpers.iter().any(|helper| helper.link != Link::Udp);
            let ice = IceGather { local, helpers, relay_only: account.relay_only };
            let (to_relay, packets) = mpsc::channel(QUEUE);
            let to_relay: ToRelay = Box::new(move |helper, component, bytes| {
                let _ = to_relay.try_send(((helper, component), bytes));
            });
            let search = Search { ice, beside, to_relay: streams.then_some(to_relay) };
            let ports = media.reserve_with(call, ip, range, Some(search));
            let _ = events.send(Event::Reserved(call, ports)).await;
            if streams {
                Streams::new(net, media, call, endpoints).carry(packets).await;
            }
        });
    }
}

/// The addresses of a helper that can be asked from ours: one of each family of datagrams, and any
/// one of a stream, which has its own.
async fn addresses(net: &Net, name: &HelperName, ours: &[IpAddr]) -> Vec<SocketAddr> {
    let Ok(answer) = Dns::addresses(net, &name.host).await else { return vec![] };
    let at = |ip: &IpAddr| SocketAddr::new(*ip, name.port);
    if name.link != Link::Udp {
        return answer.records.first().map(at).into_iter().collect();
    }
    let alike = |own: &IpAddr| answer.records.iter().find(|it| it.is_ipv4() == own.is_ipv4());
    ours.iter().filter_map(alike).map(at).collect()
}

fn endpoint(name: &HelperName) -> Endpoint {
    Endpoint { service: Service::Relay, host: name.host.clone(), port: name.port, link: name.link }
}

/// To which helper, for which component.
type Way = (usize, u8);

/// The streams of one call to its relays. Each opens with the first packet for it; all close when the
/// call's ports do.
struct Streams {
    net: Arc<Net>,
    media: MediaEngine,
    call: CallId,
    endpoints: Vec<Endpoint>,
    open: BTreeMap<Way, (SipFlowHandle, Cutter)>,
    events: mpsc::Sender<SipFlowEvent>,
    inbox: mpsc::Receiver<SipFlowEvent>,
}

impl Streams {
    fn new(net: Arc<Net>, media: MediaEngine, call: CallId, endpoints: Vec<Endpoint>) -> Self {
        let (events, inbox) = mpsc::channel(QUEUE);
        Self { net, media, call, endpoints, open: BTreeMap::new(), events, inbox }
    }

    async fn carry(mut self, mut packets: mpsc::Receiver<(Way, Vec<u8>)>) {
        loop {
            tokio::select! {
                packet = packets.recv() => match packet {
                    Some((way, bytes)) => self.send(way, bytes),
                    None => return,
                },
                Some(event) = self.inbox.recv() => self.hear(event),
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the engine owns all tasks")]
    fn send(&mut self, way: Way, mut bytes: Vec<u8>) {
        let Some(at) = self.endpoints.get(way.0).cloned() else { return };
        let (stream, _) = self.open.entry(way).or_insert_with(|| {
            let (stream, run) = self.net.open_at(flow(way), at, 0, self.events.clone());
            tokio::spawn(run);
            (stream, Cutter::default())
        });
        fill(&mut bytes);
        if !stream.send(bytes) {
            tracing::trace!("a relay's stream cannot take more");
        }
    }

    fn hear(&mut self, event: SipFlowEvent) {
        match event {
            SipFlowEvent::Opened { .. } => {}
            SipFlowEvent::Data { flow, bytes } => self.read(way(flow), &bytes),
            SipFlowEvent::Failed { flow, fault } => {
                tracing::info!("call {}: a stream to the relay ended: {fault:?}", self.call);
                self.end(way(flow));
            }
        }
    }

    fn read(&mut self, way: Way, bytes: &[u8]) {
        let Some((_, cutter)) = self.open.get_mut(&way) else { return };
        cutter.push(bytes);
        loop {
            match cutter.cut() {
                Ok(Some(one)) => {
                    self.media.take_relayed(self.call, way.0, way.1, Some(one.to_vec()));
                }
                Ok(None) => return,
                Err(strange) => {
                    tracing::warn!("call {}: {strange}", self.call);
                    return self.end(way);
                }
            }
        }
    }

    fn end(&mut self, way: Way) {
        self.open.remove(&way);
        self.media.take_relayed(self.call, way.0, way.1, None);
    }
}

fn flow((helper, component): Way) -> FlowId {
    FlowId(helper as u32 * 2 + u32::from(component - 1))
}

fn way(FlowId(flow): FlowId) -> Way {
    (flow as usize / 2, (flow % 2) as u8 + 1)
}
