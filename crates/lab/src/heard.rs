//! What web services were asked, for tests that look at the requests themselves.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::http::Request;

/// So many requests are kept; the oldest go first.
const MOST: usize = 1_000;

/// One request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Who heard it: a node of UDS by its name without the domain, or `files`.
    pub at: &'static str,
    /// Path and query as they stand in the request line.
    pub target: String,
    /// The user who showed a password (Basic).
    pub user: Option<String>,
}

/// The requests of a laboratory.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<VecDeque<Heard>>);

impl Journal {
    pub(crate) fn note(&self, at: &'static str, request: &Request) {
        let user = request.basic().map(|(user, _)| user);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == MOST {
            kept.pop_front();
        }
        kept.push_back(Heard { at, target: request.target.clone(), user });
    }

    /// What has come since this was asked last, oldest first.
    pub(crate) fn take(&self) -> Vec<Heard> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::{Journal, MOST};
    use crate::http::tests::get;

    #[test]
    fn requests_are_kept_as_they_came_and_the_oldest_go_first() {
        let journal = Journal::default();
        let request = get("/users?name=sm%C3%AF", "Authorization: Basic YWxpY2U6c2VjcmV0");
        journal.note("cucm1", &request);
        let heard = journal.take();
        assert_eq!((heard[0].at, heard[0].target.as_str()), ("cucm1", "/users?name=sm%C3%AF"));
        assert_eq!(heard[0].user.as_deref(), Some("alice"));
        assert!(!format!("{heard:?}").contains("secret") && journal.take().is_empty());
        (0..=MOST).for_each(|at| journal.note("files", &get(&format!("/{at}"), "")));
        let heard = journal.take();
        assert_eq!((heard.len(), heard[0].target.as_str()), (MOST, "/1"));
    }
}
