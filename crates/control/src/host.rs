//! What the control API stands on.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use offhook_model::{Command, CommandError, Notice, Reply, Snapshot};
use tokio::sync::broadcast;

/// The running client, as the control API sees it.
pub trait Host: Clone + Send + Sync + 'static {
    /// The newest picture.
    fn snapshot(&self) -> Arc<Snapshot>;

    /// Wishes something.
    fn request(&self, command: Command)
    -> impl Future<Output = Result<Reply, CommandError>> + Send;

    /// Everything that happens from now on.
    fn notices(&self) -> broadcast::Receiver<Notice>;

    /// Writes a problem report into `folder` (or the profile's own) and says where.
    fn save_report(
        &self,
        folder: Option<PathBuf>,
        note: String,
    ) -> impl Future<Output = Result<PathBuf, CommandError>> + Send;
}
