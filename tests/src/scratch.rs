//! The folder of one test.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A temporary folder, removed at the end of a test that succeeded. After a failure it stays, with
/// every program's configuration and output, and its path is printed; with `OFFHOOK_TEST_KEEP` set
/// it stays in any case.
pub struct Scratch(Option<TempDir>);

impl Scratch {
    /// A fresh folder with a short path: control sockets lie in it, and their paths are bounded.
    ///
    /// # Panics
    /// It cannot be made.
    #[expect(clippy::new_without_default, reason = "it touches the disk")]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("offhook-").tempdir();
        Self(Some(folder.expect("a temporary folder")))
    }

    /// Where it is.
    ///
    /// # Panics
    /// Never: the folder lives as long as this.
    pub fn path(&self) -> &Path {
        self.0.as_ref().expect("the folder is there until the end").path()
    }

    /// A folder in it, made if need be.
    ///
    /// # Panics
    /// It cannot be made.
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(&path).expect("a folder in the scratch folder");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let keep = std::thread::panicking() || std::env::var_os("OFFHOOK_TEST_KEEP").is_some();
        if keep && let Some(folder) = self.0.take() {
            println!("Configuration and output of all programs: {}", folder.keep().display());
        }
    }
}
