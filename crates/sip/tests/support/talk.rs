//! Calls that are up, with a peer played by hand, and what is said in them.

use offhook_model::{DialString, Link};
use offhook_sip::{Event, SipCall};

use super::{SDP, Solo, account, between, header, response};

pub const ANSWER: &str =
    "v=0\r\no=- 2 1 IN IP4 10.0.0.2\r\ns=-\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n";
pub const CONTACT: &str = "Contact: <sip:bob@10.0.0.9:5060>\r\n";

/// A registered phone over TCP.
pub fn tcp() -> Solo {
    Solo::registered(account("alice", Link::Tcp))
}

/// A call as the peer sees it: what it needs to say something in it.
pub struct Talk {
    pub call: SipCall,
    pub id: String,
    /// The peer's tag.
    pub theirs: String,
    /// The phone's tag.
    pub ours: String,
    /// Number of the peer's last request.
    pub cseq: u32,
}

impl Talk {
    /// The peer says something in the call.
    pub fn say(&mut self, solo: &mut Solo, method: &str, more: &str, content: &str) -> String {
        self.cseq += 1;
        solo.request(method, self.cseq, &self.id, (&self.theirs, &self.ours), more, content)
    }
}

pub fn tag(message: &str, name: &str) -> String {
    between(header(message, name).unwrap_or(""), ";tag=", ';').to_owned()
}

/// Our call to this number, up to the INVITE.
pub fn calling(solo: &mut Solo, number: &str) -> (SipCall, String) {
    let call = solo.ua.invite(&DialString::Number(number.into()), SDP.into(), solo.now);
    solo.drain();
    (call, solo.take("INVITE "))
}

/// Our call, answered with this tag and these headers.
pub fn talking(solo: &mut Solo, number: &str, theirs: &str, more: &str) -> Talk {
    let (call, invite) = calling(solo, number);
    let more = if more.contains("Contact:") { more.into() } else { format!("{CONTACT}{more}") };
    solo.feed(&response(&invite, "200 OK", theirs, &more, ANSWER));
    solo.take("ACK ");
    solo.take_events();
    Talk {
        call,
        id: header(&invite, "Call-ID").expect("call-id").to_owned(),
        theirs: theirs.into(),
        ours: tag(&invite, "From"),
        cseq: 1,
    }
}

/// A call of theirs with these headers that rings; the INVITE comes back too.
pub fn ringing(solo: &mut Solo, id: &str, more: &str) -> (Talk, String) {
    let invite = solo.request("INVITE", 10, id, ("b", ""), more, SDP);
    solo.take("SIP/2.0 100");
    let call = match &solo.take_events()[..] {
        [Event::Incoming { call, .. }] => *call,
        other => panic!("{other:?}"),
    };
    let talk = Talk { call, id: id.into(), theirs: "b".into(), ours: String::new(), cseq: 10 };
    (talk, invite)
}

/// A call of theirs that is up; our 200 comes back too.
pub fn taken(solo: &mut Solo, id: &str, more: &str) -> (Talk, String) {
    let (mut talk, _) = ringing(solo, id, more);
    solo.ua.answer(talk.call, SDP.into(), solo.now);
    solo.drain();
    let answer = solo.take("SIP/2.0 200");
    solo.ack(&answer, "");
    solo.take_events();
    talk.ours = tag(&answer, "To");
    (talk, answer)
}

/// The head lines of a body that is no session description.
pub fn typed(kind: &str) -> String {
    format!("Content-Type: {kind}\r\n")
}

/// The peer's NOTIFY about a transfer.
pub fn told(solo: &mut Solo, talk: &mut Talk, state: &str, line: &str) {
    talk.cseq += 1;
    let body = format!("{line}\r\n");
    solo.feed(&format!(
        "NOTIFY sip:alice@10.0.0.1:40000 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.9:5060;branch=z9hG4bKn{}{}\r\n\
         From: <sip:bob@example.test>;tag={}\r\nTo: <sip:alice@example.test>;tag={}\r\nCall-ID: {}\r\n\
         CSeq: {} NOTIFY\r\nEvent: refer\r\nSubscription-State: {state}\r\nContact: <sip:bob@10.0.0.9:5060>\r\n\
         Content-Type: message/sipfrag;version=2.0\r\nContent-Length: {}\r\n\r\n{body}",
        talk.id, talk.cseq, talk.theirs, talk.ours, talk.id, talk.cseq, body.len()
    ));
}
