//! Questions in words: the same words mean the same question, when it is recorded and when it is
//! looked for. They hold no value of a person.

use offhook_model::{Endpoint, Link};
use offhook_ports::{HttpRequest, Method, XmppPlan};

use crate::Redactor;

pub(crate) fn srv(name: &str) -> String {
    format!("SRV {}", name.trim_end_matches('.').to_ascii_lowercase())
}

pub(crate) fn naptr(name: &str) -> String {
    format!("NAPTR {}", name.trim_end_matches('.').to_ascii_lowercase())
}

pub(crate) fn addresses(host: &str) -> String {
    format!("A {}", host.trim_end_matches('.').to_ascii_lowercase())
}

/// Method and address, the action of a SOAP call, and whether credentials go with it.
pub(crate) fn web(redactor: &mut Redactor, request: &HttpRequest) -> String {
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Propfind => "PROPFIND",
        Method::Report => "REPORT",
    };
    let mut words = format!("{method} {}", redactor.url(&request.url));
    if let Some(action) = action(request) {
        words.push_str(&format!(" {action}"));
    }
    if request.basic.is_some() {
        words.push_str(" with credentials");
    }
    words
}

/// The last part of `action="…/login"` in the Content-Type of SOAP 1.2.
fn action(request: &HttpRequest) -> Option<&str> {
    let header = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("content-type");
    let (_, value) = request.headers.iter().find(header)?;
    let (_, action) = value.split_once("action=\"")?;
    action.split('"').next()?.rsplit('/').next()
}

pub(crate) fn reach(at: &Endpoint) -> String {
    let link = match at.link {
        Link::Udp => "UDP",
        Link::Tcp => "TCP",
        Link::Tls => "TLS",
        Link::StartTls => "STARTTLS",
    };
    format!("REACH {at} {link}")
}

pub(crate) fn xmpp(redactor: &mut Redactor, plan: &XmppPlan) -> String {
    format!("XMPP {}", redactor.text(&plan.jid.to_string()))
}
