//! Dialogs (RFC 3261 section 12): who talks to whom, by which way, and in what order.

use crate::message::text::Params;
use crate::message::{Address, Message, Method, Name, Request, Uri};

/// One dialog, early or confirmed.
#[derive(Clone, Debug)]
pub struct Dialog {
    /// Call-ID.
    pub call_id: String,
    /// Our party: the value of our `From`, tag included.
    pub local: String,
    /// Our tag.
    pub local_tag: String,
    /// Their party: the value of our `To`, tag included.
    pub remote: String,
    /// Their tag; empty with RFC 2543 peers.
    pub remote_tag: String,
    /// Number of our last request.
    pub local_cseq: u32,
    /// Number of their last request, once there was one.
    pub remote_cseq: Option<u32>,
    /// Where their requests want to be sent: their last Contact.
    pub target: String,
    /// Route set, in the order of our Route headers, each with its angle brackets.
    pub routes: Vec<String>,
}

impl Dialog {
    /// The dialog that this response to our request makes.
    pub fn of_response(request: &Request, response: &Message) -> Option<Self> {
        let to = response.party(Name::To)?;
        let mut routes: Vec<String> =
            response.tokens(Name::RecordRoute).map(str::to_owned).collect();
        routes.reverse();
        Some(Self {
            call_id: response.header(Name::CallId)?.to_owned(),
            local: response.header(Name::From)?.to_owned(),
            local_tag: response.tag(Name::From)?.to_owned(),
            remote: response.header(Name::To)?.to_owned(),
            remote_tag: to.tag().unwrap_or("").to_owned(),
            local_cseq: request.cseq,
            remote_cseq: None,
            target: contact(response).unwrap_or_else(|| request.uri.clone()),
            routes,
        })
    }

    /// The dialog that this request of theirs makes once we answer it with our tag.
    pub fn of_request(request: &Message, local_tag: &str) -> Option<Self> {
        let from = request.party(Name::From)?;
        Some(Self {
            call_id: request.header(Name::CallId)?.to_owned(),
            local: format!("{};tag={local_tag}", request.header(Name::To)?),
            local_tag: local_tag.to_owned(),
            remote: request.header(Name::From)?.to_owned(),
            remote_tag: from.tag().unwrap_or("").to_owned(),
            local_cseq: 100,
            remote_cseq: Some(request.cseq().ok()?.number),
            target: contact(request).unwrap_or_else(|| from.uri_text.to_owned()),
            routes: request.tokens(Name::RecordRoute).map(str::to_owned).collect(),
        })
    }

    /// Whether a request of theirs belongs here.
    pub fn owns(&self, request: &Message) -> bool {
        request.header(Name::CallId) == Some(&self.call_id)
            && request.tag(Name::To) == Some(&self.local_tag)
            && request.tag(Name::From).unwrap_or("") == self.remote_tag
    }

    /// The next request in this dialog.
    pub fn request(&mut self, method: Method) -> Request {
        self.local_cseq += 1;
        self.numbered(method, self.local_cseq)
    }

    /// The ACK of a 2xx to the INVITE with this number.
    pub fn ack(&self, cseq: u32) -> Request {
        self.numbered(Method::Ack, cseq)
    }

    /// RFC 3261 section 12.2.1.1, strict routers included.
    fn numbered(&self, method: Method, cseq: u32) -> Request {
        let bare = |route: &str| {
            Address::parse(route).map_or_else(|_| route.to_owned(), |a| a.uri_text.to_owned())
        };
        let first = self.routes.first().map(|route| bare(route));
        let loose = first.as_deref().is_none_or(|uri| {
            Uri::parse(uri).map_or_else(|_| uri.contains(";lr"), |uri| uri.params.has("lr"))
        });
        let mut request = match (&first, loose) {
            (Some(first), false) => {
                let mut request = Request::new(method, first.clone(), cseq);
                for route in self.routes.iter().skip(1) {
                    request.push(Name::Route, route);
                }
                request.push(Name::Route, format_args!("<{}>", self.target));
                request
            }
            _ => {
                let mut request = Request::new(method, self.target.clone(), cseq);
                for route in &self.routes {
                    request.push(Name::Route, route);
                }
                request
            }
        };
        request.push(Name::MaxForwards, 70);
        request.push(Name::From, &self.local);
        request.push(Name::To, &self.remote);
        request.push(Name::CallId, &self.call_id);
        request
    }

    /// Takes the number of a request of theirs. False when it is older than one before (RFC 3261
    /// section 12.2.2).
    pub fn in_order(&mut self, number: u32) -> bool {
        if self.remote_cseq.is_some_and(|last| number <= last) {
            return false;
        }
        self.remote_cseq = Some(number);
        true
    }

    /// The value of a Replaces header that names this dialog to their side (RFC 3891 section 6.1;
    /// a party without tag is written as tag 0).
    pub fn replaces(&self) -> String {
        let tag = |tag: &str| if tag.is_empty() { "0".to_owned() } else { tag.to_owned() };
        let (to, from) = (tag(&self.remote_tag), tag(&self.local_tag));
        format!("{};to-tag={to};from-tag={from}", self.call_id)
    }

    /// Whether this is the dialog that a Replaces or Join header of theirs names (RFC 3891
    /// section 3): their `to-tag` is ours. Tag 0 stands for none.
    pub fn is_named(&self, call_id: &str, to_tag: &str, from_tag: &str) -> bool {
        let remote = self.remote_tag == from_tag || (self.remote_tag.is_empty() && from_tag == "0");
        self.call_id == call_id && self.local_tag == to_tag && remote
    }

    /// The URI under which others reach the other side: its Contact where that is good anywhere
    /// (RFC 5627) or the other side is anonymous, else its address of record. No headers in it.
    pub fn public_target(&self) -> String {
        let bare = |uri: &str| uri.split('?').next().unwrap_or("").to_owned();
        let global = Uri::parse(&self.target).is_ok_and(|uri| uri.params.has("gr"));
        let party = Address::parse(&self.remote).ok().filter(|address| {
            address.uri().is_ok_and(|uri| {
                uri.user.is_some() && !uri.host.eq_ignore_ascii_case("anonymous.invalid")
            })
        });
        match party {
            Some(party) if !global => bare(party.uri_text),
            _ => bare(&self.target),
        }
    }

    /// Takes the Contact of a target refresh (INVITE, UPDATE and their 2xx).
    pub fn refresh(&mut self, message: &Message) {
        if let Some(target) = contact(message) {
            self.target = target;
        }
    }
}

fn contact(message: &Message) -> Option<String> {
    let contact = message.address(Name::Contact)?;
    contact.uri().ok()?;
    Some(contact.uri_text.to_owned())
}

/// The tag in the value of `From` or `To`.
pub fn tag_of(value: &str) -> Option<&str> {
    let after = value.rfind('>').map_or(value, |at| &value[at + 1..]);
    Params::new(after.get(after.find(';')?..)?).get("tag")
}

#[cfg(test)]
mod tests {
    use super::{Dialog, tag_of};
    use crate::message::{Method, Name, parse};

    fn dialog(record_routes: &str) -> Dialog {
        let text = format!(
            "INVITE sip:me@1.2.3.4 SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\n{record_routes}\
             From: \"A, B\" <sip:a@x>;tag=t1\r\nTo: <sip:me@x>\r\nCall-ID: c\r\nCSeq: 7 INVITE\r\n\
             Contact: <sip:a@5.6.7.8:99>\r\n\r\n"
        );
        Dialog::of_request(&parse(text.as_bytes()).expect("valid"), "mine").expect("dialog")
    }

    #[test]
    fn loose_routes_keep_the_target_in_the_request_line() {
        let mut dialog = dialog("Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n");
        let request = dialog.request(Method::Bye);
        assert_eq!(request.uri, "sip:a@5.6.7.8:99");
        assert_eq!(request.all(Name::Route).collect::<Vec<_>>(), ["<sip:p1;lr>", "<sip:p2;lr>"]);
        assert_eq!(request.get(Name::To), Some("\"A, B\" <sip:a@x>;tag=t1"));
    }

    #[test]
    fn a_strict_router_takes_the_request_line() {
        let mut dialog = dialog("Record-Route: <sip:p1>, <sip:p2;lr>\r\n");
        let request = dialog.request(Method::Bye);
        assert_eq!(request.uri, "sip:p1");
        assert_eq!(
            request.all(Name::Route).collect::<Vec<_>>(),
            ["<sip:p2;lr>", "<sip:a@5.6.7.8:99>"]
        );
    }

    #[test]
    fn old_requests_are_noticed() {
        let mut dialog = dialog("");
        assert!(!dialog.in_order(7));
        assert!(dialog.in_order(9));
        assert!(!dialog.in_order(8));
        assert_eq!(tag_of("\"x\" <sip:a;tag=no>;tag=yes"), Some("yes"));
    }
}
