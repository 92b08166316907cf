//! Connections between two searches.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use offhook_ports::{LdapBind, LdapRequest, LdapServer};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::connection::Connection;

/// How long nobody may use a connection before it is closed.
const IDLE: Duration = Duration::from_secs(5 * 60);
/// Connections that are kept, to all servers together; the one that was used least recently goes.
const MOST: usize = 8;

#[derive(Default)]
pub(crate) struct Kept {
    state: Mutex<State>,
    /// Something is kept where nothing was.
    arrived: Notify,
}

#[derive(Default)]
struct State {
    /// The one used last stands last.
    idle: Vec<Idle>,
    /// How often everything was forgotten: what was lent before does not come back.
    age: u64,
}

struct Idle {
    server: LdapServer,
    bind: LdapBind,
    connection: Connection,
    since: Instant,
}

impl Kept {
    /// A connection to this server as this person, the one used last.
    pub(crate) fn take(&self, server: &LdapServer, bind: &LdapBind) -> Option<Connection> {
        let now = Instant::now();
        let mut state = self.lock();
        state.idle.retain(|one| now < one.since + IDLE);
        loop {
            let fits = |one: &Idle| one.server == *server && one.bind == *bind;
            let at = state.idle.iter().rposition(fits)?;
            let mut connection = state.idle.remove(at).connection;
            if connection.is_silent() {
                return Some(connection);
            }
        }
    }

    fn put(&self, age: u64, server: &LdapServer, bind: &LdapBind, connection: Connection) {
        let mut state = self.lock();
        if state.age != age {
            return connection.close();
        }
        if state.idle.len() >= MOST {
            state.idle.remove(0).connection.close();
        }
        let since = Instant::now();
        state.idle.push(Idle { server: server.clone(), bind: bind.clone(), connection, since });
        drop(state);
        self.arrived.notify_one();
    }

    /// How often everything was forgotten so far.
    pub(crate) fn age(&self) -> u64 {
        self.lock().age
    }

    /// Closes everything, and what is lent as soon as it comes back.
    pub(crate) fn forget(&self) {
        let mut state = self.lock();
        state.age += 1;
        state.idle.drain(..).for_each(|one| one.connection.close());
    }

    pub(crate) async fn close_idle(&self) {
        loop {
            let next = self.lock().idle.iter().map(|one| one.since + IDLE).min();
            let Some(next) = next else {
                self.arrived.notified().await;
                continue;
            };
            sleep_until(next).await;
            let now = Instant::now();
            let due = |one: &mut Idle| now >= one.since + IDLE;
            let due: Vec<_> = self.lock().idle.extract_if(.., due).collect();
            due.into_iter().for_each(|one| one.connection.close());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection for one search. Dropping it abandons the search, if it is not over, and gives the
/// connection back if it is good for another.
pub(crate) struct Lease<'a> {
    kept: &'a Kept,
    request: &'a LdapRequest,
    age: u64,
    connection: Option<Connection>,
}

impl<'a> Lease<'a> {
    /// `age` is from before the connection was opened, see [`Kept::age`].
    pub(crate) fn new(
        kept: &'a Kept,
        age: u64,
        request: &'a LdapRequest,
        connection: Connection,
    ) -> Self {
        Self { kept, request, age, connection: Some(connection) }
    }
}

#[expect(clippy::expect_used, reason = "it is there until it is dropped")]
impl Deref for Lease<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("a connection is lent until it is given back")
    }
}

#[expect(clippy::expect_used, reason = "it is there until it is dropped")]
impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("a connection is lent until it is given back")
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if connection.settle() {
            self.kept.put(self.age, &self.request.server, &self.request.bind, connection);
        }
    }
}
