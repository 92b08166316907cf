//! Where a profile lives.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

/// The folders of one profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// Settings; roams with the user.
    pub config: PathBuf,
    /// History, caches, logs; stays on this machine.
    pub data: PathBuf,
    /// The control socket; emptied at restart of the machine where the system can.
    pub run: PathBuf,
}

impl Folders {
    /// The folders under `profile`, or the system's own without one.
    ///
    /// # Errors
    /// A sentence with the remedy when the system tells no home folder.
    pub fn of(profile: Option<&Path>) -> Result<Self, String> {
        if let Some(profile) = profile {
            return Ok(Self {
                config: profile.join("config"),
                data: profile.join("data"),
                run: profile.join("run"),
            });
        }
        let own = ProjectDirs::from("", "", "Offhook")
            .ok_or("This system names no home folder. Choose a folder with --profile DIR.")?;
        Ok(Self {
            config: own.config_dir().to_owned(),
            data: own.data_local_dir().to_owned(),
            run: own.runtime_dir().unwrap_or_else(|| own.cache_dir()).to_owned(),
        })
    }

    /// The folder of log files.
    pub fn logs(&self) -> PathBuf {
        self.data.join("logs")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Folders;

    #[test]
    fn a_profile_holds_everything() {
        let folders = Folders::of(Some(Path::new("p"))).expect("folders");
        assert!(folders.config.ends_with("p/config") && folders.run.ends_with("p/run"));
        assert!(folders.logs().ends_with("p/data/logs"));
    }
}
