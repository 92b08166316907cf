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

    /// Makes the folders that are missing, for this user alone. Those that are there stay as they
    /// are.
    ///
    /// # Errors
    /// A sentence that names the folder and the remedy.
    pub fn make(&self) -> Result<(), String> {
        for folder in [&self.config, &self.data, &self.run] {
            private(folder).map_err(|error| {
                format!(
                    "The profile folder {} cannot be made or read ({error}). Check its rights or \
                     choose another with --profile DIR.",
                    folder.display()
                )
            })?;
        }
        Ok(())
    }

    /// The folder of log files.
    pub fn logs(&self) -> PathBuf {
        self.data.join("logs")
    }
}

/// Where an administrator's bootstrap file may lie, the place to look first at the beginning. A
/// file of an earlier product counts too: on Windows where its installer leaves it, elsewhere
/// copied beside our own (contract section 3; reference bootstrap.md section 2).
pub fn machine_bootstrap() -> Vec<PathBuf> {
    let own = ["bootstrap.properties", "jabber-bootstrap.properties"];
    if cfg!(windows) {
        let data = std::env::var_os("ProgramData").map_or("C:\\ProgramData".into(), PathBuf::from);
        let earlier = data.join("Cisco Systems").join("Cisco Jabber");
        let mut places = own.map(|name| data.join("Offhook").join(name)).to_vec();
        places.push(earlier.join("jabber-bootstrap.properties"));
        return places;
    }
    let folder = if cfg!(target_os = "macos") {
        Path::new("/Library/Application Support/Offhook")
    } else {
        Path::new("/etc/offhook")
    };
    own.map(|name| folder.join(name)).to_vec()
}

/// The folder for received files where the user chose none: the system's for downloads, or one in
/// the profile that was given.
pub fn downloads_folder(profile: Option<&Path>, folders: &Folders) -> PathBuf {
    let inside = || folders.data.join("downloads");
    if profile.is_some() {
        return inside();
    }
    let user = directories::UserDirs::new();
    let own = user.as_ref().and_then(|it| it.download_dir()).map(Path::to_owned);
    own.or_else(|| user.map(|it| it.home_dir().join("Downloads"))).unwrap_or_else(inside)
}

/// Makes a folder, with those above it, that only this user can look into: history and logs are
/// nobody else's.
pub(crate) fn private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Folders, machine_bootstrap};

    #[test]
    fn our_own_bootstrap_file_comes_first() {
        let places = machine_bootstrap();
        assert!(places.len() > 1 && places.iter().all(|place| place.has_root()), "{places:?}");
        assert!(places.first().is_some_and(|first| first.ends_with("bootstrap.properties")));
        assert!(places.last().is_some_and(|last| last.ends_with("jabber-bootstrap.properties")));
    }

    #[test]
    fn a_profile_holds_everything() {
        let folders = Folders::of(Some(Path::new("p"))).expect("folders");
        assert!(folders.config.ends_with("p/config") && folders.run.ends_with("p/run"));
        assert!(folders.logs().ends_with("p/data/logs"));
    }

    #[test]
    fn new_folders_are_for_this_user_alone() {
        let parent = tempfile::tempdir().expect("a folder");
        let folders = Folders::of(Some(&parent.path().join("p"))).expect("folders");
        folders.make().expect("made");
        folders.make().expect("there already");
        #[cfg(unix)]
        for folder in [&folders.config, &folders.data, &folders.run] {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(folder).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let parent = tempfile::tempdir().expect("a folder");
        std::fs::write(parent.path().join("p"), "a file").expect("written");
        let folders = Folders::of(Some(&parent.path().join("p"))).expect("folders");
        let sentence = folders.make().expect_err("a file is in the way");
        assert!(sentence.contains("p/config") && sentence.contains("--profile"), "{sentence}");
    }
}
