//! How the window and the control API hold the engine.

use std::sync::Arc;

use arc_swap::ArcSwap;
use offhook_media::MediaEngine;
use offhook_model::{Command, CommandError, ErrorCode, Notice, Owner, Reply, Snapshot};
use tokio::sync::{broadcast, mpsc, oneshot};

/// How many commands may wait. A person cannot fill it; a script that does is told.
pub(crate) const COMMANDS: usize = 256;

/// How many notices a slow watcher may fall behind.
pub(crate) const NOTICES: usize = 1_024;

/// A command with where its answer goes.
pub(crate) type Wanted = (Command, Option<oneshot::Sender<Result<Reply, CommandError>>>);

/// The engine does not take commands: it ended, or too many wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandRefused;

/// A cheap handle; the engine runs until `Quit` or until all handles are gone.
#[derive(Clone)]
pub struct Handle {
    pub(crate) commands: mpsc::Sender<Wanted>,
    pub(crate) published: Arc<ArcSwap<Snapshot>>,
    pub(crate) notices: broadcast::Sender<Notice>,
    pub(crate) media: MediaEngine,
}

impl Handle {
    /// The newest picture, without waiting.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.published.load_full()
    }

    /// Wishes something without waiting for the answer; for the window, which sees the outcome in
    /// the snapshot.
    ///
    /// # Errors
    /// The engine ended, or too many commands wait.
    pub fn send(&self, command: Command) -> Result<(), CommandRefused> {
        self.commands.try_send((command, None)).map_err(|_| CommandRefused)
    }

    /// Wishes something and waits for the answer.
    ///
    /// # Errors
    /// What the core says, or that the engine ended.
    pub async fn request(&self, command: Command) -> Result<Reply, CommandError> {
        let (answer, answered) = oneshot::channel();
        if self.commands.send((command, Some(answer))).await.is_err() {
            return Err(ended());
        }
        answered.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Everything that happens from now on.
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    /// Levels of microphone and speaker, 0 to 1.
    pub fn levels(&self) -> (f32, f32) {
        self.media.levels()
    }

    /// Plays a test sound on the output, or stops it.
    pub fn test_sound(&self, on: bool) {
        self.media.tone(on.then_some(offhook_media::Tone::Test));
    }
}

fn ended() -> CommandError {
    CommandError {
        code: ErrorCode::Internal,
        cause: "The program is ending.".into(),
        owner: Owner::User,
        remedy: "Start it again.".into(),
    }
}
