//! The headers that our requests and responses have in common, in both dialects.

use offhook_model::DialString;
use offhook_ports::PhoneDialect;

use super::UserAgent;
use super::call::{Call, session_half};
use super::info::PACKAGES;
use crate::cucm;
use crate::message::text::quote;
use crate::message::uri::escape_user;
use crate::message::{Message, Method, Name, Request, Response};

/// Methods a standard account takes.
pub(super) const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE, NOTIFY, REFER, SUBSCRIBE";
/// Extensions of a standard account.
const SUPPORTED: &str = "100rel, answermode, gruu, join, norefersub, replaces, timer";

impl UserAgent {
    pub(super) fn allow(&self) -> &'static str {
        if self.is_cucm() { cucm::ALLOW } else { ALLOW }
    }

    pub(super) fn supported(&self) -> &'static str {
        if self.is_cucm() { cucm::SUPPORTED_CALL } else { SUPPORTED }
    }

    /// Events that others may subscribe to here.
    pub(super) fn allow_events(&self) -> &'static str {
        if self.is_cucm() { "kpml,dialog" } else { "kpml, refer" }
    }

    /// User part of our Contact.
    pub(super) fn contact_user(&self) -> &str {
        match &self.account.dialect {
            PhoneDialect::Standard => &self.account.user,
            PhoneDialect::Cucm { line_contact, .. } => line_contact,
        }
    }

    /// Our Contact in calls.
    pub(super) fn contact(&self) -> String {
        let uri =
            self.flow.as_ref().map(|flow| flow.contact(self.contact_user())).unwrap_or_default();
        match &self.account.dialect {
            PhoneDialect::Standard => format!("<{}>", self.outbound_contact(uri)),
            PhoneDialect::Cucm { device, .. } => format!("<{uri}>{}", cucm::call_params(device)),
        }
    }

    /// Our address of record.
    pub(super) fn own_uri(&self) -> String {
        format!("sip:{}@{}", escape_user(&self.account.user), self.domain())
    }

    /// Our `From`, without tag.
    pub(super) fn own_address(&self) -> String {
        let uri = format!("<{}>", self.own_uri());
        if self.account.display_name.trim().is_empty() {
            uri
        } else {
            format!("{} {uri}", quote(self.account.display_name.trim()))
        }
    }

    /// The URI that a dialled text means.
    pub(super) fn uri_of(&self, to: &DialString) -> String {
        match to {
            DialString::Address(address) => format!("sip:{address}"),
            DialString::Number(number) => {
                let digits = number.strip_prefix('+').unwrap_or(number);
                let telephone = self.is_cucm() || digits.bytes().all(|b| b.is_ascii_digit());
                let user = if telephone { ";user=phone" } else { "" };
                format!("sip:{}@{}{user}", escape_user(number), self.domain())
            }
        }
    }

    /// Adds what INVITE and UPDATE have.
    pub(super) fn dress_offer(&self, request: &mut Request, call: &Call) {
        request.push(Name::Contact, self.contact());
        request.push(Name::UserAgent, &self.product);
        request.push(Name::Allow, self.allow());
        request.push(Name::Supported, self.supported());
        self.dress_timer(request, call);
        request.push(Name::SessionId, session(call));
        if self.is_cucm() {
            let party = cucm::remote_party(
                &self.account.display_name,
                &self.account.user,
                &self.domain(),
                if call.outgoing { "calling" } else { "called" },
            );
            request.push(Name::RemotePartyId, party);
            if request.method == Method::Invite {
                request.push(Name::AllowEvents, self.allow_events());
                for package in PACKAGES {
                    request.push(Name::RecvInfo, package);
                }
                request.push(Name::Expires, 180);
                request.push(Name::Accept, "application/sdp");
                request.push(Name::ContentDisposition, "session;handling=optional");
            }
        }
    }

    /// Adds what all other requests in a call have.
    pub(super) fn dress_plain(&self, request: &mut Request, call: Option<&Call>) {
        request.push(Name::UserAgent, &self.product);
        if let Some(call) = call {
            request.push(Name::SessionId, session(call));
        }
    }

    /// A response with our tag and name. Responses that belong to a call are made by
    /// [`UserAgent::call_response`].
    pub(super) fn plain_response(&mut self, request: &Message, status: u16) -> Response {
        let tag = self.tokens.tag();
        self.tagged_response(request, status, &tag)
    }

    /// As [`UserAgent::plain_response`], with a tag that names a dialog.
    pub(super) fn tagged_response(
        &mut self,
        request: &Message,
        status: u16,
        tag: &str,
    ) -> Response {
        let mut response = self.response_with_tag(request, status, tag);
        response.push(Name::Server, &self.product);
        // Who has a Session-ID gets one back (RFC 7989 section 6), where no call has one already.
        if let Some(theirs) = request.header(Name::SessionId).and_then(session_half) {
            let own = self.tokens.uuid();
            response.push(Name::SessionId, format_args!("{own};remote={theirs}"));
        }
        response
    }

    fn response_with_tag(&self, request: &Message, status: u16, tag: &str) -> Response {
        let from = self.flow.as_ref().map(|flow| flow.remote);
        let nowhere = std::net::SocketAddr::from(([0, 0, 0, 0], 0));
        Response::to(request, status, tag, from.unwrap_or(nowhere))
    }

    /// A response within a call.
    pub(super) fn call_response(&self, call: &Call, request: &Message, status: u16) -> Response {
        let tag = call.dialog.as_ref().map_or("", |dialog| dialog.local_tag.as_str());
        let mut response = self.response_with_tag(request, status, tag);
        response.push(Name::SessionId, session(call));
        if status == 100 {
            return response;
        }
        response.push(Name::Server, &self.product);
        let makes = matches!(request.method(), Some(Method::Invite | Method::Update));
        if makes && status < 300 {
            response.push(Name::Contact, self.contact());
            response.push(Name::Allow, self.allow());
            response.push(Name::Supported, self.supported());
            if self.is_cucm() {
                for package in PACKAGES {
                    response.push(Name::RecvInfo, package);
                }
                let party = if call.outgoing { "calling" } else { "called" };
                response.push(
                    Name::RemotePartyId,
                    cucm::remote_party(
                        &self.account.display_name,
                        &self.account.user,
                        &self.domain(),
                        party,
                    ),
                );
            }
        }
        response
    }
}

/// Session-ID (RFC 7989): our half, and theirs or zeros.
fn session(call: &Call) -> String {
    format!("{};remote={}", call.session.0, call.session.1)
}
