//! The nodes of the call manager: a second one and a gateway that stands in for both, where the
//! configuration says so, and which of them are up (reference page sip-dialect section 5). They
//! share registrations and calls as the nodes of one cluster do. A node that goes down refuses
//! connections and drops those it has without a word; UDP stays.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use super::told::Quiet;
use super::transport::{Arrival, Transports};
use crate::LabError;
use crate::nodes::listen_again;

/// Names of the nodes: without the domain.
pub(crate) const HOSTS: [&str; 3] = ["cucm1", "cucm2", "srst1"];
/// The node that robots are at, which is always up.
pub(crate) const INSIDE: usize = 3;

/// Where the nodes beside the first are.
#[derive(Debug, Clone, Default)]
pub(crate) struct SipPlace {
    pub(crate) second: Option<SocketAddr>,
    pub(crate) gateway: Option<SocketAddr>,
    /// Where robots connect.
    pub(crate) robots: Option<SocketAddr>,
}

/// What listens for them.
#[derive(Debug, Default)]
pub(crate) struct SipSockets {
    pub(crate) second: Option<TcpListener>,
    pub(crate) gateway: Option<TcpListener>,
    pub(crate) robots: Option<TcpListener>,
}

/// A word of whoever runs the laboratory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// A node goes down or comes back.
    Node(usize, bool),
    /// Whether messages wait for a user.
    Messages(String, bool),
    /// Where all calls to a user go.
    Forward(String, Option<String>),
    /// Service control of a user's phone: its action.
    Control(String, &'static str),
    /// Whether a user may be disturbed.
    Quiet(String, Option<Quiet>),
    /// A user's phone is to call a number.
    Dial(Phone, String),
    /// A user's phone is to answer.
    Answer(Phone),
    /// The calls of a user's desk phone end.
    HangUp(Phone),
}

/// A phone of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phone {
    pub(crate) user: String,
    /// The one on the desk.
    pub(crate) desk: bool,
}

impl Word {
    /// Reads `kill NODE`, `revive NODE`, `mwi USER on|off`, `forward USER NUMBER|off`, `restart
    /// USER`, `reset USER`, `check-version USER`, `dnd USER off|ringer|reject`, `dial USER NUMBER`,
    /// `answer USER`, `desk dial USER NUMBER`, `desk answer USER`, `desk hangup USER`; nothing when it
    /// is none of them.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let node = |name: &str| HOSTS.iter().position(|host| *host == name);
        let phone = |user: &str, desk| Phone { user: user.to_owned(), desk };
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["kill", name] => node(name).map(|node| Self::Node(node, false)),
            ["revive", name] => node(name).map(|node| Self::Node(node, true)),
            ["mwi", user, state @ ("on" | "off")] => {
                Some(Self::Messages((*user).to_owned(), *state == "on"))
            }
            ["forward", user, to] => {
                Some(Self::Forward((*user).to_owned(), (*to != "off").then(|| (*to).to_owned())))
            }
            ["dnd", user, state @ ("off" | "ringer" | "reject")] => {
                let quiet = match *state {
                    "ringer" => Some(Quiet::Ringer),
                    "reject" => Some(Quiet::Reject),
                    _ => None,
                };
                Some(Self::Quiet((*user).to_owned(), quiet))
            }
            ["dial", user, number] => Some(Self::Dial(phone(user, false), (*number).to_owned())),
            ["answer", user] => Some(Self::Answer(phone(user, false))),
            ["desk", "dial", user, number] => {
                Some(Self::Dial(phone(user, true), (*number).to_owned()))
            }
            ["desk", "answer", user] => Some(Self::Answer(phone(user, true))),
            ["desk", "hangup", user] => Some(Self::HangUp(phone(user, true))),
            ["restart", user] => Some(Self::Control((*user).to_owned(), "restart")),
            ["reset", user] => Some(Self::Control((*user).to_owned(), "reset")),
            ["check-version", user] => Some(Self::Control((*user).to_owned(), "check-version")),
            _ => None,
        }
    }
}

/// Which nodes are up.
#[derive(Debug)]
pub(crate) struct SipNodes {
    up: watch::Sender<[bool; 4]>,
    /// Words on their way to the server.
    words: watch::Sender<Option<mpsc::Sender<Arrival>>>,
}

impl SipNodes {
    pub(crate) fn new() -> Self {
        Self { up: watch::channel([true; 4]).0, words: watch::channel(None).0 }
    }

    pub(crate) fn listen(&self, inbox: mpsc::Sender<Arrival>) {
        let _ = self.words.send_replace(Some(inbox));
    }

    /// Follows a word.
    ///
    /// # Errors
    /// The server cannot take it now.
    pub(crate) fn tell(&self, word: Word) -> Result<(), LabError> {
        if let Word::Node(node, up) = word {
            self.up.send_modify(|nodes| {
                if let Some(it) = nodes.get_mut(node) {
                    *it = up;
                }
            });
        }
        let inbox = self.words.borrow().clone();
        let taken = inbox.is_some_and(|inbox| inbox.try_send(Arrival::Word(word)).is_ok());
        if taken { Ok(()) } else { Err(LabError::Config("the SIP server takes no words".into())) }
    }

    fn becomes(&self, node: usize, wanted: bool) -> impl Future<Output = ()> + use<> {
        let mut up = self.up.subscribe();
        async move {
            let _ = up.wait_for(|up| up.get(node).copied().unwrap_or(false) == wanted).await;
        }
    }

    /// Serves a port of a node while it is up.
    pub(crate) async fn serve(
        self: Arc<Self>,
        node: usize,
        listener: TcpListener,
        transports: Arc<Transports>,
        tls: Option<Arc<ServerConfig>>,
    ) {
        let Ok(at) = listener.local_addr() else { return };
        let mut next = Some(listener);
        while let Some(listener) = next {
            tokio::select! {
                () = Arc::clone(&transports).run_stream(listener, tls.clone(), node, false) => return,
                () = self.becomes(node, false) => {}
            }
            self.becomes(node, true).await;
            next = listen_again(at).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Phone, Word};

    #[test]
    fn words_are_read_as_they_are_documented() {
        assert_eq!(Word::read("kill cucm1"), Some(Word::Node(0, false)));
        assert_eq!(Word::read("revive srst1"), Some(Word::Node(2, true)));
        assert_eq!(Word::read("mwi alice on"), Some(Word::Messages("alice".into(), true)));
        assert_eq!(Word::read("forward alice off"), Some(Word::Forward("alice".into(), None)));
        assert_eq!(Word::read("restart alice"), Some(Word::Control("alice".into(), "restart")));
        let desk = Phone { user: "alice".into(), desk: true };
        assert_eq!(Word::read("desk dial alice 2002"), Some(Word::Dial(desk, "2002".into())));
        assert_eq!(Word::read("dnd alice off"), Some(Word::Quiet("alice".into(), None)));
        for bad in ["", "kill imp1", "mwi alice", "mwi alice perhaps", "restart", "dnd alice"] {
            assert_eq!(Word::read(bad), None, "{bad}");
        }
    }
}
