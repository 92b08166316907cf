//! What searches learn for those that follow.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::lock::{Mutex as Turns, MutexGuard as Turn};
use offhook_model::{Problem, TicketFault};

use super::plan::Base;

/// What is known of the servers of one plan; with a new plan it begins anew. Clones share it, and
/// it is written down while a search runs: one that is dropped half-way must not forget that a
/// password was refused, for servers lock accounts after a few wrong ones, and people type fast.
#[derive(Clone, Debug, Default)]
pub struct Standing(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    known: Mutex<Known>,
    turns: Turns<()>,
}

#[derive(Debug, Default)]
pub(super) struct Known {
    /// The server that answered last: it is asked first until it fails.
    pub(super) server: usize,
    /// Credentials that were let in.
    let_in: Vec<usize>,
    /// Credentials that were refused. They are not tried again, but for a ticket that may yet come.
    pub(super) refused: Vec<Refusal>,
    /// What the servers say they hold, where no base is set.
    roots: Vec<(usize, Vec<Base>)>,
}

/// A credential that is of no use.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) credential: usize,
    /// What is wrong with the system's ticket, where that was shown.
    pub(super) ticket: Option<TicketFault>,
    pub(super) problem: Problem,
}

impl Standing {
    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no other search tries a credential of which nobody knows whether it is let in.
    /// Nothing to wait for, and no turn, with one that is known.
    pub(super) async fn turn(&self, credential: usize) -> Option<Turn<'_, ()>> {
        let known = |known: &Known| {
            let refused = known.refused.iter().any(|one| one.credential == credential);
            refused || known.let_in.contains(&credential)
        };
        if known(&self.known()) {
            return None;
        }
        let turn = self.0.turns.lock().await;
        // Who went before may have found out; then all can go on side by side.
        (!known(&self.known())).then_some(turn)
    }

    pub(super) fn is_refused(&self, credential: usize) -> bool {
        self.known().refused.iter().any(|one| one.credential == credential)
    }

    pub(super) fn refuse(&self, refusal: Refusal) {
        let mut known = self.known();
        known.let_in.retain(|one| *one != refusal.credential);
        known.refused.push(refusal);
    }

    pub(super) fn let_in(&self, credential: usize) {
        let mut known = self.known();
        if !known.let_in.contains(&credential) {
            known.let_in.push(credential);
        }
    }

    pub(super) fn roots(&self, server: usize) -> Option<Vec<Base>> {
        let known = self.known();
        known.roots.iter().find(|(of, _)| *of == server).map(|(_, roots)| roots.clone())
    }

    /// An answer without any is no knowledge.
    pub(super) fn keep_roots(&self, server: usize, roots: &[Base]) {
        let mut known = self.known();
        if !roots.is_empty() && !known.roots.iter().any(|(of, _)| *of == server) {
            known.roots.push((server, roots.to_vec()));
        }
    }
}
