//! Pictures of people: a cache of files named by the SHA-1 of their bytes (XEP-0084 section 3,
//! XEP-0153), so what is wrong is noticed when it is read, and what is gone can be had again.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use offhook_model::PhotoId;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

/// How many bytes all pictures have together.
const MOST: u64 = 64 * 1024 * 1024;

/// The largest picture that is taken, in bytes.
const LARGEST: usize = 1024 * 1024;

/// The folder of pictures.
pub struct Photos {
    folder: PathBuf,
    most: u64,
    /// When a picture was used in this run, as a count; the others go first.
    used: HashMap<String, u64>,
    uses: u64,
    /// Bytes of all files, where they were counted.
    total: Option<u64>,
}

impl Photos {
    /// Pictures in this folder, which is made when it is needed.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, most: MOST, used: HashMap::new(), uses: 0, total: None }
    }

    /// Keeps a picture, and lets others go that were not used for long.
    ///
    /// # Errors
    /// In words, when it is none of this name, or cannot be written.
    pub fn put(&mut self, id: &PhotoId, bytes: &[u8]) -> Result<(), String> {
        if bytes.len() > LARGEST || !is_of(id, bytes) {
            return Err("the picture is not the one that was announced".into());
        }
        let words = |error: std::io::Error| format!("a picture cannot be kept ({error})");
        fs::create_dir_all(&self.folder).map_err(words)?;
        let path = self.folder.join(&id.0);
        if !path.exists() {
            let new = path.with_extension("new");
            fs::write(&new, bytes).and_then(|()| fs::rename(&new, &path)).map_err(words)?;
            self.total = self.total.map(|total| total + bytes.len() as u64);
        }
        self.note_use(id);
        self.trim();
        Ok(())
    }

    /// Reads a picture; nothing when it is not there or not what its name says.
    pub fn get(&mut self, id: &PhotoId) -> Option<Vec<u8>> {
        if !is_name(&id.0) {
            return None;
        }
        let path = self.folder.join(&id.0);
        let small = fs::metadata(&path).is_ok_and(|it| it.len() <= LARGEST as u64);
        let bytes = if small { fs::read(&path).ok()? } else { return None };
        if !is_of(id, &bytes) {
            // A damaged cache entry is had again.
            let _ = fs::remove_file(&path);
            self.total = None;
            return None;
        }
        self.note_use(id);
        Some(bytes)
    }

    /// Takes a picture out, if it is there.
    pub fn forget(&mut self, id: &PhotoId) {
        if is_name(&id.0) && fs::remove_file(self.folder.join(&id.0)).is_ok() {
            self.used.remove(&id.0);
            self.total = None;
        }
    }

    fn note_use(&mut self, id: &PhotoId) {
        self.uses += 1;
        self.used.insert(id.0.clone(), self.uses);
    }

    fn trim(&mut self) {
        if self.total.is_some_and(|total| total <= self.most) {
            return;
        }
        let mut files = listed(&self.folder);
        let mut total: u64 = files.iter().map(|file| file.length).sum();
        files.sort_by_key(|file| (self.used.get(&file.name).copied(), file.modified));
        for file in files {
            if total <= self.most {
                break;
            }
            if fs::remove_file(self.folder.join(&file.name)).is_ok() {
                total -= file.length;
                self.used.remove(&file.name);
            }
        }
        self.total = Some(total);
    }
}

struct Listed {
    name: String,
    length: u64,
    modified: Option<std::time::SystemTime>,
}

fn listed(folder: &Path) -> Vec<Listed> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let about = entry.metadata().ok()?;
            let name = entry.file_name().into_string().ok().filter(|name| is_name(name))?;
            Some(Listed { name, length: about.len(), modified: about.modified().ok() })
        })
        .collect()
}

fn is_name(name: &str) -> bool {
    name.len() == 40 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_of(id: &PhotoId, bytes: &[u8]) -> bool {
    photo_id(bytes) == *id
}

/// The name of a picture: the SHA-1 of its bytes, as 40 hexadecimal digits in lower case.
pub fn photo_id(bytes: &[u8]) -> PhotoId {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes);
    PhotoId(hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use offhook_model::PhotoId;

    use super::{Photos, photo_id as id};

    #[test]
    fn a_picture_is_named_by_its_bytes() {
        // The first example of FIPS 180.
        assert_eq!(id(b"abc").0, "a9993e364706816aba3e25717850c26c9cd0d89d");
    }

    #[test]
    fn a_picture_is_what_its_name_says_or_it_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut photos = Photos::new(folder.path().join("photos"));
        let bytes = b"a picture".to_vec();
        photos.put(&id(&bytes), &bytes).expect("kept");
        assert_eq!(photos.get(&id(&bytes)), Some(bytes.clone()));
        assert!(photos.put(&id(b"other"), &bytes).is_err());
        assert_eq!(photos.get(&PhotoId("../../etc/passwd".into())), None);
        photos.forget(&PhotoId("../photos".into()));
        photos.forget(&id(&bytes));
        assert_eq!(photos.get(&id(&bytes)), None);
        photos.put(&id(&bytes), &bytes).expect("kept again");
        std::fs::write(folder.path().join("photos").join(id(&bytes).0), b"changed").expect("done");
        assert_eq!(photos.get(&id(&bytes)), None);
    }

    #[test]
    fn the_least_used_go_when_there_is_no_room() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut photos = Photos::new(folder.path().to_owned());
        photos.most = 250;
        let [a, b, c] = [[1_u8; 100], [2; 100], [3; 100]];
        photos.put(&id(&a), &a).expect("kept");
        photos.put(&id(&b), &b).expect("kept");
        assert!(photos.get(&id(&a)).is_some());
        photos.put(&id(&c), &c).expect("kept");
        let there = [a, b, c].map(|it| photos.get(&id(&it)).is_some());
        assert_eq!(there, [true, false, true]);
    }
}
