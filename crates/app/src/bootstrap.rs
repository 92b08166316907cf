//! The bootstrap file: where it is, and what it makes of a profile's layers of settings.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use offhook_config::{MAX_BOOTSTRAP, first_launch};
use offhook_model::{Problem, Provisioned};

use crate::args::Global;

/// A bootstrap file that was read.
pub struct Bootstrap {
    /// Its path.
    pub path: String,
    /// What is in it, cut behind the largest size that counts.
    pub data: Vec<u8>,
}

/// The file of `--bootstrap`, else the machine's, if it has one.
///
/// # Errors
/// A sentence that names the file and the remedy.
pub fn read(global: &Global) -> Result<Option<Bootstrap>, String> {
    if let Some(path) = &global.bootstrap {
        return read_file(path).map(Some);
    }
    let places = offhook_platform::machine_bootstrap();
    places.iter().find(|path| path.is_file()).map(|path| read_file(path)).transpose()
}

fn read_file(path: &Path) -> Result<Bootstrap, String> {
    let data = read_bounded(path, MAX_BOOTSTRAP + 1).map_err(|error| {
        format!(
            "The bootstrap file {} cannot be read ({error}). Correct the path or the file's \
             rights, or leave out --bootstrap.",
            path.display()
        )
    })?;
    Ok(Bootstrap { path: path.display().to_string(), data })
}

/// The first bytes of a file.
///
/// # Errors
/// The system's.
pub fn read_bounded(path: &Path, most: usize) -> std::io::Result<Vec<u8>> {
    let mut data = vec![];
    File::open(path)?.take(u64::try_from(most).unwrap_or(u64::MAX)).read_to_end(&mut data)?;
    Ok(data)
}

/// What is known once the bootstrap file had its say, and what is to be told about it. Nothing is
/// stored: for the doctor and `policy explain` this is not the first launch.
pub fn apply(kept: Provisioned, file: Option<&Bootstrap>) -> (Provisioned, Vec<Problem>) {
    first_launch(kept, file.map(|file| (file.path.as_str(), file.data.as_slice())))
}
