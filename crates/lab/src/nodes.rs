//! The nodes of IM and Presence (reference page im-presence section 3): which of them are up, and
//! where each user is at home. A second one is there where the configuration says so; the two back
//! each other up, and share accounts, sign-in sessions and rooms as nodes with one database do.
//!
//! A node that goes down refuses connections and drops those it has without a word. The other takes
//! its users over at once and keeps them when it comes back, until somebody moves them: then the
//! streams at the wrong node are closed.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::LabError;

/// Names of the nodes, without the domain.
pub(crate) const HOSTS: [&str; 2] = ["imp1", "imp2"];

/// How often and how long apart a port is asked for that somebody else may hold for a moment.
const AGAIN: (u32, Duration) = (50, Duration::from_millis(100));

/// See the module text.
#[derive(Debug)]
pub(crate) struct ImNodes {
    count: usize,
    state: watch::Sender<State>,
}

#[derive(Debug, Clone)]
struct State {
    up: [bool; 2],
    /// Where those are at home who were not moved by name.
    everybody: usize,
    /// By user id in lower case.
    moved: BTreeMap<String, usize>,
}

impl State {
    fn home(&self, user: &str) -> usize {
        self.moved.get(&user.to_ascii_lowercase()).copied().unwrap_or(self.everybody)
    }

    fn take_over(&mut self, from: usize, to: usize) {
        for home in self.moved.values_mut().chain([&mut self.everybody]) {
            if *home == from {
                *home = to;
            }
        }
    }
}

/// A word of whoever runs the laboratory.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// A node goes down.
    Kill(usize),
    /// It comes back.
    Revive(usize),
    /// A user is at home there from now on.
    Move(String, usize),
    /// Everybody goes back to the first node.
    Fallback,
    /// All sign-in sessions are over.
    ForgetSessions,
}

impl Word {
    /// Reads `kill NODE`, `revive NODE`, `move USER NODE`, `fallback` or `forget sessions`.
    ///
    /// # Errors
    /// [`LabError::Config`] when it is none of them.
    pub(crate) fn read(line: &str) -> Result<Self, LabError> {
        let node = |name: &str| HOSTS.iter().position(|host| *host == name);
        let words: Vec<&str> = line.split_whitespace().collect();
        let read = match words.as_slice() {
            ["kill", name] => node(name).map(Self::Kill),
            ["revive", name] => node(name).map(Self::Revive),
            ["move", user, name] => node(name).map(|to| Self::Move((*user).to_owned(), to)),
            ["fallback"] => Some(Self::Fallback),
            ["forget", "sessions"] => Some(Self::ForgetSessions),
            _ => None,
        };
        read.ok_or_else(|| {
            LabError::Config(format!(
                "\"{line}\" is none of: inside, outside, kill NODE, revive NODE, move USER NODE, \
                 fallback, forget sessions, nodes being imp1 and imp2; kill and revive with cucm1, \
                 cucm2 and srst1, mwi USER on, forward USER NUMBER, restart USER, reset USER"
            ))
        })
    }
}

impl ImNodes {
    /// One node, or two; all are up.
    pub(crate) fn new(second: bool) -> Self {
        let state = State { up: [true, second], everybody: 0, moved: BTreeMap::new() };
        Self { count: 1 + usize::from(second), state: watch::channel(state).0 }
    }

    /// Whether there are two.
    pub(crate) fn are_two(&self) -> bool {
        self.count == 2
    }

    /// Where a user is at home.
    pub(crate) fn home(&self, user: &str) -> usize {
        self.state.borrow().home(user)
    }

    /// Whether a node is there and up.
    pub(crate) fn is_up(&self, node: usize) -> bool {
        self.state.borrow().up.get(node).copied().unwrap_or(false)
    }

    /// The first that is up.
    pub(crate) fn first_up(&self) -> Option<usize> {
        (0..self.count).find(|node| self.is_up(*node))
    }

    /// Takes a node down or up.
    pub(crate) fn set(&self, node: usize, up: bool) {
        let other = 1 - node.min(1);
        self.state.send_modify(|state| {
            if let Some(it) = state.up.get_mut(node) {
                *it = up;
            }
            let other_up = state.up.get(other).copied().unwrap_or(false);
            match (up, other_up) {
                (false, true) => state.take_over(node, other),
                // What was at home with a node that is down comes to the only one that is up.
                (true, false) => state.take_over(other, node),
                (false, false) | (true, true) => {}
            }
        });
    }

    /// Moves a user; everybody to the first node without a name.
    pub(crate) fn put(&self, user: Option<&str>, node: usize) {
        self.state.send_modify(|state| match user {
            Some(user) => drop(state.moved.insert(user.to_ascii_lowercase(), node)),
            None => (state.everybody, state.moved) = (node, BTreeMap::new()),
        });
    }

    /// Returns when the node goes down.
    pub(crate) fn down(&self, node: usize) -> impl Future<Output = ()> + use<> {
        let mut state = self.state.subscribe();
        async move {
            let _ = state.wait_for(|it| !it.up.get(node).copied().unwrap_or(false)).await;
        }
    }

    /// Returns when a user who is connected to `node` is at home elsewhere.
    pub(crate) fn elsewhere(&self, user: &str, node: usize) -> impl Future<Output = ()> + use<> {
        let (mut state, user) = (self.state.subscribe(), user.to_owned());
        async move {
            let _ = state.wait_for(|it| it.home(&user) != node).await;
        }
    }

    /// Serves a port of a node while the node is up: a port of a node that is down refuses, and its
    /// connections end with the future that `serve` gives.
    pub(crate) async fn serve<F, Fut>(&self, node: usize, listener: TcpListener, serve: F)
    where
        F: Fn(TcpListener) -> Fut,
        Fut: Future<Output = ()>,
    {
        let Ok(at) = listener.local_addr() else { return };
        let mut state = self.state.subscribe();
        let mut next = Some(listener);
        while let Some(listener) = next {
            tokio::select! {
                () = serve(listener) => return,
                () = self.down(node) => {}
            }
            let up = state.wait_for(|it| it.up.get(node).copied().unwrap_or(false)).await.is_ok();
            if !up {
                return;
            }
            next = listen_again(at).await;
        }
    }
}

/// The port of a node that comes back.
pub(crate) async fn listen_again(at: SocketAddr) -> Option<TcpListener> {
    for _ in 0..AGAIN.0 {
        match TcpListener::bind(at).await {
            Ok(listener) => return Some(listener),
            Err(error) => tracing::debug!(%error, port = at.port(), "a node comes back"),
        }
        tokio::time::sleep(AGAIN.1).await;
    }
    tracing::error!(port = at.port(), "somebody else has the port of a node that comes back");
    None
}

#[cfg(test)]
mod tests {
    use super::{ImNodes, Word};

    #[test]
    fn users_go_to_the_node_that_is_up_and_stay_until_they_are_moved() {
        let nodes = ImNodes::new(true);
        assert_eq!((nodes.home("alice"), nodes.first_up()), (0, Some(0)));
        nodes.put(Some("Carol"), 1);
        nodes.set(0, false);
        assert_eq!((nodes.home("alice"), nodes.first_up()), (1, Some(1)));
        nodes.set(0, true);
        assert_eq!(nodes.home("alice"), 1, "nobody moves by itself");
        nodes.put(None, 0);
        assert_eq!((nodes.home("alice"), nodes.home("carol")), (0, 0));
        nodes.set(0, false);
        nodes.set(1, false);
        assert_eq!((nodes.home("alice"), nodes.first_up()), (1, None));
        nodes.set(0, true);
        assert_eq!(nodes.home("alice"), 0, "the only one that is up");
    }

    #[test]
    fn words_are_read_as_they_are_documented() {
        let read = |line| Word::read(line).ok();
        assert_eq!(read("kill imp1"), Some(Word::Kill(0)));
        assert_eq!(read(" revive  imp2 "), Some(Word::Revive(1)));
        assert_eq!(read("move alice imp2"), Some(Word::Move("alice".into(), 1)));
        assert_eq!(read("fallback"), Some(Word::Fallback));
        assert_eq!(read("forget sessions"), Some(Word::ForgetSessions));
        for bad in ["", "kill", "kill imp3", "move alice", "forget"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
