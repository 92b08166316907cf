//! What passes the edge on its way between a phone outside and the call manager: the routes that
//! everything of a dialog has to name, and the descriptions of its sound (reference page edge section
//! 4).

use super::message::{Message, Start};
use super::server::Server;
use super::transport::Route;
use crate::events::LabEvent;

const SDP: &str = "application/sdp";

impl Server {
    /// Takes a message of a phone outside; those of others are left as they are.
    ///
    /// # Errors
    /// Status and reason to refuse it with: it does not name the way inside, or its sound is in clear.
    pub(super) fn came_from_outside(
        &mut self,
        route: &Route,
        message: &mut Message,
    ) -> Result<(), (u16, &'static str)> {
        if !route.edge {
            return Ok(());
        }
        let asks = matches!(message.start, Start::Request { .. });
        let inner = crate::edge::inner_route(&self.lab);
        if asks
            && message.method() != "CANCEL"
            && !message.all("Route").any(|value| value.contains(&inner))
        {
            return Err((403, "No Route To The Inside"));
        }
        if is_sdp(message) {
            let sdp = String::from_utf8_lossy(&message.body).into_owned();
            match self.passages.inwards(message.call_id(), &sdp) {
                Some(inner) => message.body = inner.into_bytes(),
                None => {
                    message.body.clear();
                    return Err((488, "Not Acceptable Here"));
                }
            }
        }
        if asks && message.method() == "BYE" {
            self.passed(message);
        }
        Ok(())
    }

    /// Makes a message fit for a phone outside; those to others are left as they are.
    pub(super) fn goes_outside(&mut self, route: &Route, mut message: Message) -> Message {
        if !route.edge {
            return message;
        }
        let (_, method) = message.cseq();
        let request = matches!(message.start, Start::Request { .. });
        if method == "INVITE" && (request || message.status() < 300) && message.method() != "ACK" {
            let inner = crate::edge::inner_route(&self.lab);
            let outer = self.lab.services.edge_sip;
            let outer = format!("<sip:{}:{};transport=tls;lr>", outer.ip(), outer.port());
            // Who asked turns the order round (RFC 3261 section 12.1.2): the edge is always first.
            let routes =
                if request { [outer, format!("<{inner}>")] } else { [format!("<{inner}>"), outer] };
            message =
                routes.into_iter().fold(message, |message, it| message.with("Record-Route", it));
        }
        if is_sdp(&message) {
            let sdp = String::from_utf8_lossy(&message.body).into_owned();
            let outer = self.passages.outwards(message.call_id(), &sdp);
            message.body = outer.unwrap_or_default().into_bytes();
        }
        if request && message.method() == "BYE" {
            self.passed(&message);
        }
        message
    }

    /// A call through the edge is over.
    fn passed(&mut self, message: &Message) {
        if let Some([inwards, outwards]) = self.passages.close(message.call_id()) {
            self.lab.events.tell(LabEvent::PassedEdge { inwards, outwards });
        }
    }
}

fn is_sdp(message: &Message) -> bool {
    let kind = message.header("Content-Type").unwrap_or_default();
    !message.body.is_empty() && kind.trim().to_ascii_lowercase().starts_with(SDP)
}
