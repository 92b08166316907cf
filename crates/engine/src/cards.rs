//! People in files: vCards and tables.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use offhook_contacts::table;
use offhook_contacts::vcard::{self, Card, MAX_CARDS, MAX_FILE};
use offhook_core::{CardsFor, Event};
use offhook_model::{DirectoryEntry, LeftOut, PhotoSource, SourceKind, Ticket};
use offhook_ports::StoreRequest;
use offhook_store::{Store, photo_id};

use crate::effects::Hands;

/// Files of a folder that are read, in the order of their names.
const MOST_FILES: usize = 5_000;
/// Bytes of them all.
const MOST_BYTES: usize = 256 * 1024 * 1024;

impl Hands {
    /// A folder may lie on a slow disk.
    pub(crate) fn read_cards(&self, what: CardsFor, path: PathBuf) {
        let (events, store) = (self.events.clone(), self.store.clone());
        let source = match what {
            CardsFor::Import(_) => SourceKind::Own,
            CardsFor::Folder => SourceKind::Vcards,
        };
        tokio::task::spawn_blocking(move || {
            let read = read(&path, source).map(|(cards, left_out)| {
                let entries = cards.into_iter().map(|card| with_picture(&store, card));
                (entries.collect(), left_out)
            });
            let _ = events.blocking_send(Event::Cards(what, path, read));
        });
    }

    pub(crate) fn write_cards(
        &self,
        ticket: Ticket,
        path: PathBuf,
        entries: Vec<Arc<DirectoryEntry>>,
    ) {
        let events = self.events.clone();
        tokio::task::spawn_blocking(move || {
            let people = u64::try_from(entries.len()).unwrap_or(u64::MAX);
            let written = write(&path, &entries).map(|()| people).map_err(|it| it.to_string());
            let _ = events.blocking_send(Event::CardsWritten(ticket, path, written));
        });
    }
}

/// A picture goes to the cache of pictures, and the entry says which it is.
pub(crate) fn with_picture(store: &Store, card: Card) -> DirectoryEntry {
    let Card { mut entry, picture } = card;
    if let Some(picture) = picture {
        let id = photo_id(&picture.data);
        entry.photo = Some(PhotoSource::Kept(id.clone()));
        store.submit(StoreRequest::PutPhoto(id, picture.data), drop);
    }
    entry
}

/// People of a file, or of the vCard files of a folder without those below it; ids of a folder begin
/// with the name of the file.
fn read(path: &Path, source: SourceKind) -> Result<(Vec<Card>, LeftOut), String> {
    let words = |error: std::io::Error| error.to_string();
    let kind = fs::metadata(path).map_err(words)?;
    if !kind.is_dir() {
        if !kind.is_file() {
            return Err("it is neither a file nor a folder".to_owned());
        }
        return of_file(path, &bytes(path).map_err(words)?, source);
    }
    // A pipe or device of such a name would never end.
    let is_card = |file: &PathBuf| {
        file.extension().is_some_and(|it| it.eq_ignore_ascii_case("vcf")) && file.is_file()
    };
    let files = fs::read_dir(path).map_err(words)?;
    let mut files: Vec<PathBuf> =
        files.filter_map(|file| Some(file.ok()?.path())).filter(is_card).collect();
    files.sort();
    let mut left_out = count(files.len().saturating_sub(MOST_FILES));
    files.truncate(MOST_FILES);
    let (mut cards, mut room) = (vec![], MOST_BYTES);
    for file in files {
        let Some(data) = bytes(&file).ok().filter(|data| data.len() <= room) else {
            left_out += 1;
            continue;
        };
        room -= data.len();
        let read = vcard::read(&data, source);
        left_out += count(read.left_out);
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        cards.extend(read.cards.into_iter().map(|mut card| {
            card.entry.id = format!("{name}/{}", card.entry.id);
            card
        }));
        if cards.len() >= MAX_CARDS {
            cards.truncate(MAX_CARDS);
            left_out += 1;
            break;
        }
    }
    Ok((cards, LeftOut { count: left_out, lines: vec![] }))
}

/// What a file is shows in what it holds; its name says only what it was meant to be.
fn of_file(path: &Path, data: &[u8], source: SourceKind) -> Result<(Vec<Card>, LeftOut), String> {
    if let Some(table) = table::read(data, source) {
        let left_out = LeftOut { count: count(table.left_out), lines: table.lines };
        let card = |entry| Card { entry, picture: None };
        return Ok((table.people.into_iter().map(card).collect(), left_out));
    }
    let read = vcard::read(data, source);
    if read.cards.is_empty() && read.left_out == 0 && is_table(path) {
        return Err("its first line names no column that is known here, such as “Name”, “E-mail \
                    Address” or “Business Phone”"
            .to_owned());
    }
    Ok((read.cards, LeftOut { count: count(read.left_out), lines: vec![] }))
}

/// Whether its name says that it is a table.
fn is_table(path: &Path) -> bool {
    path.extension().is_some_and(|it| it.eq_ignore_ascii_case("csv"))
}

fn count(left_out: usize) -> u64 {
    u64::try_from(left_out).unwrap_or(u64::MAX)
}

/// At most one byte more than is read of it, so that it is noticed.
fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut data = vec![];
    let most = u64::try_from(MAX_FILE).unwrap_or(u64::MAX).saturating_add(1);
    fs::File::open(path)?.take(most).read_to_end(&mut data)?;
    Ok(data)
}

/// A file that is there is not replaced.
fn write(path: &Path, entries: &[Arc<DirectoryEntry>]) -> std::io::Result<()> {
    let mut file = std::io::BufWriter::new(fs::File::create_new(path)?);
    if is_table(path) {
        file.write_all(&table::write(entries.iter().map(Arc::as_ref)))?;
        return file.flush();
    }
    for entry in entries {
        file.write_all(vcard::write(entry, None).as_bytes())?;
    }
    file.flush()
}

#[cfg(test)]
mod tests {
    use super::{read, write};
    use offhook_model::{DirectoryEntry, LeftOut, SourceKind};
    use std::sync::Arc;

    #[test]
    fn what_is_written_is_read_again_as_file_and_as_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("people.vcf");
        let named = |id: &str, name: &str| {
            let mut entry = DirectoryEntry::new(SourceKind::Own, id);
            entry.display_name = Some(name.to_owned());
            Arc::new(entry)
        };
        let people = [named("1", "Zoë Ünal"), named("2", "Bob; Byte, \\Jr")];
        write(&path, &people).expect("written");
        write(&path, &people).expect_err("there already");
        for place in [path.as_path(), folder.path()] {
            let (cards, left_out) = read(place, SourceKind::Vcards).expect("read");
            let names: Vec<_> =
                cards.iter().filter_map(|it| it.entry.display_name.clone()).collect();
            assert_eq!(names, ["Zoë Ünal", "Bob; Byte, \\Jr"]);
            assert_eq!(left_out, LeftOut::default());
        }
        read(&folder.path().join("none"), SourceKind::Vcards).expect_err("not there");
    }

    #[test]
    fn a_table_is_written_by_its_name_and_read_by_what_it_holds() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut zoe = DirectoryEntry::new(SourceKind::Own, "1");
        zoe.display_name = Some("Zoë Ünal".to_owned());
        let place = |name: &str| folder.path().join(name);
        write(&place("people.CSV"), &[Arc::new(zoe)]).expect("written");
        std::fs::rename(place("people.CSV"), place("people.txt")).expect("renamed");
        let text = "Name\n\n,\nZoë Ünal,1,2\nBob\n";
        std::fs::write(place("bad.vcf"), text).expect("written");
        for (file, left_out) in
            [("people.txt", LeftOut::default()), ("bad.vcf", LeftOut { count: 1, lines: vec![4] })]
        {
            let (people, left) = read(&place(file), SourceKind::Own).expect("read");
            assert_eq!((people.len(), left), (1, left_out), "{file}");
        }
        std::fs::write(place("other.csv"), "colour,size\nred,4\n").expect("written");
        let why = read(&place("other.csv"), SourceKind::Own).expect_err("no contacts");
        assert!(why.contains("first line"), "{why}");
        std::fs::write(place("empty.vcf"), "").expect("written");
        let empty = read(&place("empty.vcf"), SourceKind::Own).expect("read");
        assert_eq!(empty, (vec![], LeftOut::default()));
    }
}
