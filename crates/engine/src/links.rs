//! The connections that are open: chat links and SIP flows.

use std::collections::HashMap;
use std::sync::Arc;

use offhook_core::{Event, LinkId, XmppEvent};
use offhook_im::Stanza;
use offhook_net::Net;
use offhook_net::sip::{SipFlowEvent, SipFlowHandle};
use offhook_ports::{ClientIdentity, FlowId, Resumption, SipServer, XmppPlan};
use offhook_xmpp::{LinkEvent, LinkHandle};
use tokio::sync::mpsc;

/// How many events of one connection may wait for the core before the connection is slowed down.
const QUEUE: usize = 256;

/// Open connections by name.
pub(crate) struct Links {
    net: Arc<Net>,
    events: mpsc::Sender<Event>,
    chats: HashMap<LinkId, Chat>,
    flows: HashMap<FlowId, SipFlowHandle>,
}

/// A chat link.
struct Chat {
    handle: LinkHandle,
    /// What it did not take any more. It goes out behind everything else when its stream goes on
    /// over another link.
    late: Vec<Stanza>,
}

/// How much may come too late.
const LATE: usize = 1_000;

impl Links {
    pub(crate) fn new(net: Arc<Net>, events: mpsc::Sender<Event>) -> Self {
        Self { net, events, chats: HashMap::new(), flows: HashMap::new() }
    }

    /// Drops the handle of a connection that says it is over; nobody closes it any more. What came
    /// too late for it is put with what it gives back.
    pub(crate) fn forget(&mut self, event: &mut Event) {
        match event {
            Event::Xmpp(link, XmppEvent::Failed { .. } | XmppEvent::Closed) => {
                drop(self.chats.remove(link));
            }
            Event::Xmpp(link, XmppEvent::Offline { resumption, .. }) => {
                let late = self.chats.remove(link).map(|chat| chat.late).unwrap_or_default();
                if let Some(resumption) = resumption {
                    late.iter().for_each(|stanza| offhook_xmpp::postpone(resumption, stanza));
                }
            }
            Event::SipFailed(flow, _) => drop(self.flows.remove(flow)),
            Event::Command(..)
            | Event::Progress(..)
            | Event::Flow(..)
            | Event::Xmpp(
                _,
                XmppEvent::Online { .. }
                | XmppEvent::Stanza(_)
                | XmppEvent::Refused { .. }
                | XmppEvent::Acked(_),
            )
            | Event::SipOpened { .. }
            | Event::SipData(..)
            | Event::Reserved(..)
            | Event::Media(_)
            | Event::Devices(_)
            | Event::Network(_)
            | Event::Told(_)
            | Event::Desk { .. }
            | Event::Cards(..)
            | Event::CardsWritten(..)
            | Event::PhotoFile(..)
            | Event::Trust(_)
            | Event::Transfer(..)
            | Event::Store(..)
            | Event::Timeout => {}
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the engine owns all tasks")]
    pub(crate) fn open_chat(
        &mut self,
        link: LinkId,
        plan: XmppPlan,
        earlier: Option<Box<Resumption>>,
    ) {
        let (sender, mut told) = mpsc::channel(QUEUE);
        let (handle, driver) = offhook_xmpp::connect(Arc::clone(&self.net), plan, earlier, sender);
        tokio::spawn(driver);
        let events = self.events.clone();
        tokio::spawn(async move {
            while let Some(event) = told.recv().await {
                if let Some(event) = chat_event(event)
                    && events.send(Event::Xmpp(link, event)).await.is_err()
                {
                    return;
                }
            }
        });
        self.chats.insert(link, Chat { handle, late: Vec::new() });
    }

    pub(crate) fn send_chat(&mut self, link: LinkId, stanza: Stanza) {
        let Some(chat) = self.chats.get_mut(&link) else { return };
        // Once one came too late, none may overtake it.
        let refused = if chat.late.is_empty() {
            chat.handle.send(stanza).err().map(|stanza| *stanza)
        } else {
            Some(stanza)
        };
        if chat.late.len() < LATE {
            chat.late.extend(refused);
        }
    }

    pub(crate) fn close_chat(&mut self, link: LinkId) {
        if let Some(chat) = self.chats.remove(&link) {
            chat.handle.close();
        }
    }

    pub(crate) fn abandon_chat(&self, link: LinkId) {
        if let Some(chat) = self.chats.get(&link) {
            chat.handle.abandon();
        }
    }

    pub(crate) fn attend_chat(&self, link: LinkId, attended: bool) {
        if let Some(chat) = self.chats.get(&link) {
            chat.handle.attention(attended);
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the engine owns all tasks")]
    pub(crate) fn open_sip(
        &mut self,
        flow: FlowId,
        server: SipServer,
        identity: Option<Arc<ClientIdentity>>,
        dscp: u8,
    ) {
        let (sender, mut told) = mpsc::channel(QUEUE);
        let (handle, driver) = self.net.open(flow, server, identity, dscp, sender);
        tokio::spawn(driver);
        let events = self.events.clone();
        tokio::spawn(async move {
            while let Some(event) = told.recv().await {
                if events.send(sip_event(event)).await.is_err() {
                    return;
                }
            }
        });
        self.flows.insert(flow, handle);
    }

    pub(crate) fn send_sip(&self, flow: FlowId, bytes: Vec<u8>) {
        if let Some(handle) = self.flows.get(&flow) {
            let _ = handle.send(bytes);
        }
    }

    pub(crate) fn close_sip(&mut self, flow: FlowId) {
        if let Some(handle) = self.flows.remove(&flow) {
            handle.close();
        }
    }
}

fn chat_event(event: LinkEvent) -> Option<XmppEvent> {
    Some(match event {
        // The row says "connecting" from the moment the link is asked for.
        LinkEvent::Connecting { .. } => return None,
        LinkEvent::Online { jid, resumed, server, tls } => {
            XmppEvent::Online { jid, resumed, server, tls }
        }
        LinkEvent::Stanza(stanza) => XmppEvent::Stanza(Box::new(stanza)),
        LinkEvent::Refused { what, fault } => XmppEvent::Refused { what, fault },
        LinkEvent::Acked(id) => XmppEvent::Acked(id),
        LinkEvent::Failed { at, fault, resumption } => XmppEvent::Failed { at, fault, resumption },
        LinkEvent::Offline { at, fault, resumption } => {
            XmppEvent::Offline { at, fault, resumption }
        }
        LinkEvent::Closed => XmppEvent::Closed,
    })
}

fn sip_event(event: SipFlowEvent) -> Event {
    match event {
        SipFlowEvent::Opened { flow, local, remote, tls } => {
            Event::SipOpened { flow, local, remote, tls }
        }
        SipFlowEvent::Data { flow, bytes } => Event::SipData(flow, bytes),
        SipFlowEvent::Failed { flow, fault } => Event::SipFailed(flow, fault),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use offhook_core::{Event, LinkId, XmppEvent};
    use offhook_model::{Endpoint, Fault, Link, Service};
    use offhook_net::{Net, NetOptions};
    use offhook_ports::{FlowId, SipServer};
    use tokio::sync::mpsc;

    use super::Links;

    #[tokio::test]
    async fn a_connection_that_failed_leaves_nothing_behind() {
        offhook_net::install_crypto();
        let net: Arc<Net> = Net::new(NetOptions::default()).expect("a network");
        let (events, mut happened) = mpsc::channel(8);
        let mut links = Links::new(net, events);
        // Nobody listens on port 1 of loopback.
        let server = SipServer { host: "127.0.0.1".into(), port: 1, link: Link::Tcp };
        links.open_sip(FlowId(1), server, None, 0);
        assert_eq!(links.flows.len(), 1);
        let mut event = happened.recv().await.expect("an event");
        assert!(matches!(event, Event::SipFailed(FlowId(1), _)), "{event:?}");
        links.forget(&mut event);
        assert!(links.flows.is_empty());
        let at =
            Endpoint { service: Service::Xmpp, host: "127.0.0.1".into(), port: 1, link: Link::Tls };
        let failed = XmppEvent::Failed { at, fault: Fault::Closed, resumption: None };
        links.forget(&mut Event::Xmpp(LinkId(9), failed));
    }
}
