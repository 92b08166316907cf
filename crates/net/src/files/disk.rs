//! Files being read and being written. What is not whole has a name of its own, `NAME.part`; its
//! real name it gets at the end, and never that of a file that is there.

use std::io;
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::CHUNK;

/// How many numbers are tried after a name that is taken.
const NUMBERS: u32 = 9_999;

/// A file to be sent, read from its beginning to its end, with its sum.
pub(super) struct Reading {
    file: File,
    sum: Context,
    left: u64,
}

impl Reading {
    pub(super) async fn open(path: &Path, size: u64) -> io::Result<Self> {
        Ok(Self { file: File::open(path).await?, sum: Context::new(&SHA256), left: size })
    }

    /// The next bytes; none at the end. A file that became shorter is an error, one that became
    /// longer is sent as it was.
    pub(super) async fn next(&mut self, most: usize) -> io::Result<Vec<u8>> {
        let want = usize::try_from(self.left).unwrap_or(usize::MAX).min(most);
        let mut bytes = vec![0; want];
        if want > 0 {
            self.file.read_exact(&mut bytes).await?;
        }
        self.left -= want as u64;
        self.sum.update(&bytes);
        Ok(bytes)
    }

    pub(super) fn sum(&self) -> [u8; 32] {
        sum(&self.sum)
    }
}

/// A file being received.
pub(super) struct Writing {
    file: File,
    sum: Context,
    path: PathBuf,
    pub(super) size: u64,
}

impl Writing {
    /// Begins a new file in the folder, which is made if it is missing.
    pub(super) async fn begin(folder: &Path, name: &str) -> io::Result<Self> {
        tokio::fs::create_dir_all(folder).await?;
        for number in 1..=NUMBERS {
            let path = folder.join(format!("{}.part", numbered(name, number)));
            match OpenOptions::new().write(true).create_new(true).open(&path).await {
                Ok(file) => return Ok(Self { file, sum: Context::new(&SHA256), path, size: 0 }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Goes on with what an earlier attempt left.
    pub(super) async fn resume(path: PathBuf) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).open(&path).await?;
        let (mut context, mut size) = (Context::new(&SHA256), 0);
        let mut bytes = vec![0; CHUNK];
        loop {
            let read = file.read(&mut bytes).await?;
            let Some(bytes) = bytes.get(..read).filter(|it| !it.is_empty()) else { break };
            context.update(bytes);
            size += bytes.len() as u64;
        }
        Ok(Self { file, sum: context, path, size })
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).await?;
        self.sum.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Begins anew in the same file.
    pub(super) async fn rewind(&mut self) -> io::Result<()> {
        use tokio::io::AsyncSeekExt;
        self.file.set_len(0).await?;
        self.file.rewind().await?;
        (self.sum, self.size) = (Context::new(&SHA256), 0);
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn sum(&self) -> [u8; 32] {
        sum(&self.sum)
    }

    pub(super) async fn finish(&mut self) -> io::Result<()> {
        self.file.flush().await?;
        self.file.sync_all().await
    }
}

/// Gives a whole file its name. The name is taken first, by an empty file that only we can have
/// made, and then replaced: nothing that exists is overwritten.
pub(super) async fn keep(part: &Path, folder: &Path, name: &str) -> io::Result<PathBuf> {
    for number in 1..=NUMBERS {
        let path = folder.join(numbered(name, number));
        match OpenOptions::new().write(true).create_new(true).open(&path).await {
            Ok(file) => {
                drop(file);
                if let Err(error) = tokio::fs::rename(part, &path).await {
                    let _ = tokio::fs::remove_file(&path).await;
                    return Err(error);
                }
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// `name.ext`, then `name (2).ext` and so on.
fn numbered(name: &str, number: u32) -> String {
    if number == 1 {
        return name.to_owned();
    }
    match name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) {
        Some((stem, ending)) => format!("{stem} ({number}).{ending}"),
        None => format!("{name} ({number})"),
    }
}

fn sum(context: &Context) -> [u8; 32] {
    let digest = context.clone().finish();
    digest.as_ref().try_into().unwrap_or_default()
}

/// What the disk said, in words with a remedy.
pub(super) fn words(error: &io::Error, reading: bool) -> String {
    let kind = error.kind();
    match (kind, reading) {
        (io::ErrorKind::NotFound, true) => {
            "The file is not there any more. Choose it again.".to_owned()
        }
        (io::ErrorKind::PermissionDenied, true) => {
            "The file may not be read. Check its rights.".to_owned()
        }
        (io::ErrorKind::UnexpectedEof, true) => {
            "The file became shorter while it was sent. Send it again when it is complete."
                .to_owned()
        }
        (_, true) => format!("The file cannot be read ({kind}). Check it and send it again."),
        (io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded, false) => {
            "The disk is full. Make room and take the file again.".to_owned()
        }
        (_, false) => format!(
            "The file cannot be written into the download folder ({kind}). Check the folder and its rights, or choose another in the settings."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{Writing, keep, numbered};

    #[test]
    fn a_number_stands_before_the_ending() {
        assert_eq!(numbered("a.tar.gz", 1), "a.tar.gz");
        assert_eq!(numbered("a.tar.gz", 2), "a.tar (2).gz");
        assert_eq!(numbered("a", 3), "a (3)");
    }

    #[tokio::test]
    async fn nothing_is_overwritten_and_half_files_have_a_name_of_their_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path();
        std::fs::write(at.join("a.txt"), "mine").expect("written");
        let mut first = Writing::begin(at, "a.txt").await.expect("begun");
        let second = Writing::begin(at, "a.txt").await.expect("begun beside it");
        assert_ne!(first.path(), second.path());
        first.write(b"theirs").await.expect("written");
        first.finish().await.expect("flushed");
        let path = keep(first.path(), at, "a.txt").await.expect("kept");
        assert_eq!(path, at.join("a (2).txt"));
        assert_eq!(std::fs::read(path).expect("there"), b"theirs");
        assert_eq!(std::fs::read(at.join("a.txt")).expect("there"), b"mine");
        assert!(!at.join("a.txt.part").exists());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn what_was_received_cannot_be_executed() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let part = Writing::begin(folder.path(), "run.sh").await.expect("begun");
        let path = keep(part.path(), folder.path(), "run.sh").await.expect("kept");
        let mode = std::fs::metadata(path).expect("there").permissions().mode();
        assert_eq!(mode & 0o111, 0, "{mode:o}");
    }
}
