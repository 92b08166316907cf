//! What searches learn for those that follow.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::lock::{Mutex as Turns, MutexGuard as Turn};

/// What is known of the clusters of one plan; with a new plan it begins anew. Clones share it, and
/// it is written down while a search runs: one that is dropped half-way must not forget that a
/// password was refused, for servers lock accounts after a few wrong ones, and people type fast.
#[derive(Clone, Debug, Default)]
pub struct UdsStanding(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// By the place of the cluster in the plan.
    known: Mutex<Vec<Lesson>>,
    turns: Turns<()>,
}

/// What is known of a cluster.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lesson {
    /// The node that answered last: it is asked first until it fails.
    pub(super) good: usize,
    /// It wants to know who searches.
    pub(super) named: bool,
    /// The password was let in.
    pub(super) let_in: bool,
    /// The password was refused. It is not shown again.
    pub(super) refused: bool,
}

impl UdsStanding {
    fn known(&self) -> MutexGuard<'_, Vec<Lesson>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn of(&self, cluster: usize) -> Lesson {
        self.known().get(cluster).copied().unwrap_or_default()
    }

    pub(super) fn learn(&self, cluster: usize, lesson: impl FnMut(&mut Lesson)) {
        let mut known = self.known();
        if known.len() <= cluster {
            known.resize(cluster + 1, Lesson::default());
        }
        known.get_mut(cluster).into_iter().for_each(lesson);
    }

    /// Waits until no other search shows a password of which nobody knows whether it is let in.
    /// Nothing to wait for, and no turn, with one that is known.
    pub(super) async fn turn(&self, cluster: usize) -> Option<Turn<'_, ()>> {
        let known = |lesson: Lesson| lesson.let_in || lesson.refused;
        if known(self.of(cluster)) {
            return None;
        }
        let turn = self.0.turns.lock().await;
        // Who went before may have found out; then all can go on side by side.
        (!known(self.of(cluster))).then_some(turn)
    }
}
