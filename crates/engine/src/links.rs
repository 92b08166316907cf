//! The connections that are open: chat links and SIP flows.

use std::collections::HashMap;
use std::sync::Arc;

use offhook_core::{Event, LinkId, XmppEvent};
use offhook_im::Stanza;
use offhook_net::Net;
use offhook_net::sip::{SipFlowEvent, SipFlowHandle};
use offhook_ports::{FlowId, SipServer, XmppPlan};
use offhook_xmpp::{LinkEvent, LinkHandle};
use tokio::sync::mpsc;

/// How many events of one connection may wait for the core before the connection is slowed down.
const QUEUE: usize = 256;

/// Open connections by name.
pub(crate) struct Links {
    net: Arc<Net>,
    events: mpsc::Sender<Event>,
    chats: HashMap<LinkId, LinkHandle>,
    flows: HashMap<FlowId, SipFlowHandle>,
}

impl Links {
    pub(crate) fn new(net: Arc<Net>, events: mpsc::Sender<Event>) -> Self {
        Self { net, events, chats: HashMap::new(), flows: HashMap::new() }
    }

    #[expect(clippy::disallowed_methods, reason = "the engine owns all tasks")]
    pub(crate) fn open_chat(&mut self, link: LinkId, plan: XmppPlan) {
        let (sender, mut told) = mpsc::channel(QUEUE);
        let (handle, driver) = offhook_xmpp::connect(Arc::clone(&self.net), plan, sender);
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
        self.chats.insert(link, handle);
    }

    pub(crate) fn send_chat(&self, link: LinkId, stanza: Stanza) {
        // A full queue means a dead link; the link itself finds that out and says so.
        if let Some(handle) = self.chats.get(&link) {
            let _ = handle.send(stanza);
        }
    }

    pub(crate) fn close_chat(&mut self, link: LinkId) {
        if let Some(handle) = self.chats.remove(&link) {
            handle.close();
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the engine owns all tasks")]
    pub(crate) fn open_sip(&mut self, flow: FlowId, server: SipServer, dscp: u8) {
        let (sender, mut told) = mpsc::channel(QUEUE);
        let (handle, driver) = self.net.open(flow, server, dscp, sender);
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
        LinkEvent::Acked(id) => XmppEvent::Acked(id),
        LinkEvent::Failed { at, fault } => XmppEvent::Failed { at, fault },
        LinkEvent::Offline { at, fault } => XmppEvent::Offline { at, fault },
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
