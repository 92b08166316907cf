//! A layer under SQLite that encrypts what goes to files: a VFS over the system's own
//! (sqlite.org/vfs.html). It moves bytes and decides nothing else; locks, sizes, flushing and names
//! are the system's layer's.
//!
//! SQLite reads and writes at any place: frames of the log begin at multiples of 8, the header is
//! read in pieces. Blocks have 16 bytes, so what touches part of a block reads, decrypts and writes
//! the whole of it. A block lies within one sector, so a torn write harms no more than without
//! encryption. Files are whole blocks long, which can be up to 15 bytes more than SQLite wrote;
//! databases are whole pages in any case, and log and journal count in records, so that SQLite
//! passes over the rest.
//!
//! The methods have version 1: SQLite then never maps a file or shares memory, past this layer.
//! A log (WAL) without shared memory needs `locking_mode=EXCLUSIVE` (sqlite.org/wal.html, section
//! 8), which `schema.rs` sets before anything else.
#![expect(unsafe_code, reason = "SQLite is told of a file system by C pointers only")]

use std::ffi::{CString, c_char, c_int, c_void};
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_io_methods, sqlite3_vfs};

use super::Key;
use super::xts::{BLOCK, Cipher};

/// Bytes that are worked on at once: a page with a block at each end.
const CHUNK: usize = 8192;

/// Counts layers, so that each has a name of its own.
static LAYERS: AtomicU64 = AtomicU64::new(0);

/// A layer that is registered under its name as long as it lives. Connections that use it must be
/// closed before it is dropped. It is neither `Send` nor `Sync`, so it stays on its thread.
pub struct Sealed {
    layer: *mut Layer,
}

/// What SQLite points to.
struct Layer {
    vfs: sqlite3_vfs,
    name: CString,
    below: *mut sqlite3_vfs,
    cipher: Cipher,
}

/// An open file as SQLite has it; the file of the layer below lies right behind.
#[repr(C)]
struct File {
    base: sqlite3_file,
    layer: *const Layer,
    kind: u64,
}

impl Sealed {
    /// Registers a layer with this key.
    ///
    /// # Errors
    /// SQLite has no layer to put it on, or no memory.
    pub fn new(key: &Key) -> Result<Self, String> {
        let failed = || "the encryption under the database cannot be set up".to_owned();
        let number = LAYERS.fetch_add(1, Ordering::Relaxed);
        let name = CString::new(format!("offhook-sealed-{number}")).map_err(|_| failed())?;
        // SAFETY: a null name asks for the default; what comes back lives as long as the program.
        let (below, version) = unsafe {
            if ffi::sqlite3_initialize() != ffi::SQLITE_OK {
                return Err(failed());
            }
            let below = ffi::sqlite3_vfs_find(std::ptr::null());
            if below.is_null() {
                return Err(failed());
            }
            (below, (*below).iVersion)
        };
        // SAFETY: `below` was found above and is never changed.
        let (size, longest) = unsafe { ((*below).szOsFile, (*below).mxPathname) };
        let vfs = sqlite3_vfs {
            iVersion: version.min(2),
            szOsFile: size + size_of::<File>() as c_int,
            mxPathname: longest,
            pNext: std::ptr::null_mut(),
            zName: name.as_ptr(),
            pAppData: std::ptr::null_mut(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_pathname),
            // Extensions are never loaded.
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(randomness),
            xSleep: Some(sleep),
            xCurrentTime: Some(current_time),
            xGetLastError: Some(get_last_error),
            xCurrentTimeInt64: Some(current_time_int64),
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        };
        let layer = Box::into_raw(Box::new(Layer { vfs, name, below, cipher: Cipher::new(key) }));
        // SAFETY: the box stays where it is until `drop` has unregistered it.
        let done = unsafe {
            (*layer).vfs.pAppData = layer.cast();
            ffi::sqlite3_vfs_register(&raw mut (*layer).vfs, 0)
        };
        let sealed = Self { layer };
        if done == ffi::SQLITE_OK { Ok(sealed) } else { Err(failed()) }
    }

    /// The name to open a connection with.
    pub fn name(&self) -> &std::ffi::CStr {
        // SAFETY: the layer lives as long as `self`.
        unsafe { &(*self.layer).name }
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        // SAFETY: it was made by `Box::into_raw` and is dropped once; connections are closed, so
        // nobody points to it after it is unregistered.
        unsafe {
            ffi::sqlite3_vfs_unregister(&raw mut (*self.layer).vfs);
            drop(Box::from_raw(self.layer));
        }
    }
}

// ---- the file system ---------------------------------------------------------------------------

/// The layer below.
///
/// # Safety
/// `vfs` is one of ours, which is what SQLite passes to our functions.
unsafe fn below(vfs: *mut sqlite3_vfs) -> *mut sqlite3_vfs {
    // SAFETY: `pAppData` points to the layer since it was registered.
    unsafe { (*(*vfs).pAppData.cast::<Layer>()).below }
}

/// Passes a call of the file system on.
macro_rules! pass_on {
    ($name:ident => $method:ident ($($argument:ident: $type:ty),*)) => {
        unsafe extern "C" fn $name(vfs: *mut sqlite3_vfs $(, $argument: $type)*) -> c_int {
            // SAFETY: SQLite passes our own pointer, and arguments that fit the same method.
            unsafe {
                let below = below(vfs);
                match (*below).$method {
                    Some(call) => call(below $(, $argument)*),
                    None => ffi::SQLITE_ERROR,
                }
            }
        }
    };
}

pass_on!(delete => xDelete(name: *const c_char, sync: c_int));
pass_on!(access => xAccess(name: *const c_char, flags: c_int, out: *mut c_int));
pass_on!(full_pathname => xFullPathname(name: *const c_char, size: c_int, out: *mut c_char));
pass_on!(randomness => xRandomness(size: c_int, out: *mut c_char));
pass_on!(sleep => xSleep(microseconds: c_int));
pass_on!(current_time => xCurrentTime(out: *mut f64));
pass_on!(get_last_error => xGetLastError(size: c_int, out: *mut c_char));
pass_on!(current_time_int64 => xCurrentTimeInt64(out: *mut i64));

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives `szOsFile` bytes: ours and behind them those of the layer below.
    unsafe {
        (*file).pMethods = std::ptr::null();
        let below = below(vfs);
        let Some(call) = (*below).xOpen else { return ffi::SQLITE_CANTOPEN };
        let inner = inner(file);
        (*inner).pMethods = std::ptr::null();
        let done = call(below, name, inner, flags, out_flags);
        if done == ffi::SQLITE_OK {
            let ours = file.cast::<File>();
            (*ours).layer = (*vfs).pAppData.cast();
            (*ours).kind = kind(flags);
            (*file).pMethods = &METHODS;
        } else if let Some(close) = (*inner).pMethods.as_ref().and_then(|it| it.xClose) {
            close(inner);
        }
        done
    }
}

/// Which kind of file it is, so that equal text at equal places of two files is not equal.
fn kind(flags: c_int) -> u64 {
    match flags {
        it if it & ffi::SQLITE_OPEN_MAIN_DB != 0 => 0,
        it if it & ffi::SQLITE_OPEN_WAL != 0 => 1,
        it if it & ffi::SQLITE_OPEN_MAIN_JOURNAL != 0 => 2,
        it if it & ffi::SQLITE_OPEN_SUBJOURNAL != 0 => 3,
        _ => 4,
    }
}

// ---- a file ------------------------------------------------------------------------------------

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

/// The file of the layer below.
///
/// # Safety
/// `file` has room for both.
unsafe fn inner(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: it lies right behind ours, whose size is a multiple of its alignment.
    unsafe { file.cast::<u8>().add(size_of::<File>()).cast() }
}

/// Passes a call of a file on.
macro_rules! pass_file_on {
    ($name:ident => $method:ident ($($argument:ident: $type:ty),*)) => {
        unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $argument: $type)*) -> c_int {
            // SAFETY: `file` is one that `open` opened, so the one below is open as well.
            unsafe {
                let inner = inner(file);
                match (*(*inner).pMethods).$method {
                    Some(call) => call(inner $(, $argument)*),
                    None => ffi::SQLITE_IOERR,
                }
            }
        }
    };
}

pass_file_on!(close => xClose());
pass_file_on!(sync => xSync(flags: c_int));
pass_file_on!(file_size => xFileSize(out: *mut i64));
pass_file_on!(lock => xLock(level: c_int));
pass_file_on!(unlock => xUnlock(level: c_int));
pass_file_on!(check_reserved_lock => xCheckReservedLock(out: *mut c_int));
pass_file_on!(file_control => xFileControl(what: c_int, value: *mut c_void));
pass_file_on!(sector_size => xSectorSize());
pass_file_on!(read_inner => xRead(to: *mut c_void, size: c_int, offset: i64));
pass_file_on!(write_inner => xWrite(from: *const c_void, size: c_int, offset: i64));
pass_file_on!(truncate_inner => xTruncate(size: i64));
pass_file_on!(characteristics_inner => xDeviceCharacteristics());

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: i64) -> c_int {
    let block = BLOCK as i64;
    let whole = size.saturating_add(block - 1) / block * block;
    // SAFETY: as SQLite calls it.
    unsafe { truncate_inner(file, whole) }
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    let kept = ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE | ffi::SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN;
    // SAFETY: as SQLite calls it. What speaks of single writes is not true of this layer.
    unsafe { characteristics_inner(file) & kept }
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    to: *mut c_void,
    size: c_int,
    offset: i64,
) -> c_int {
    let (Ok(size), Ok(offset)) = (usize::try_from(size), u64::try_from(offset)) else {
        return ffi::SQLITE_IOERR_READ;
    };
    // SAFETY: SQLite gives `size` bytes of room.
    let to = unsafe { std::slice::from_raw_parts_mut(to.cast::<u8>(), size) };
    let mut buffer = [0; CHUNK];
    let mut result = ffi::SQLITE_OK;
    for part in parts(offset, size) {
        let span = &mut buffer[..part.blocks];
        // SAFETY: `file` is open.
        match unsafe { read_blocks(file, span, part.first) } {
            ffi::SQLITE_OK => {}
            ffi::SQLITE_IOERR_SHORT_READ => result = ffi::SQLITE_IOERR_SHORT_READ,
            error => return error,
        }
        to[part.done..part.done + part.size]
            .copy_from_slice(&span[part.skip..part.skip + part.size]);
    }
    result
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    from: *const c_void,
    size: c_int,
    offset: i64,
) -> c_int {
    let (Ok(size), Ok(offset)) = (usize::try_from(size), u64::try_from(offset)) else {
        return ffi::SQLITE_IOERR_WRITE;
    };
    // SAFETY: SQLite gives `size` bytes.
    let from = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), size) };
    let mut buffer = [0; CHUNK];
    for part in parts(offset, size) {
        let span = &mut buffer[..part.blocks];
        let end = part.skip + part.size;
        let last = part.blocks - BLOCK;
        // What stands beside in the first and the last block stays.
        let mut edges = [(part.skip > 0, 0), (end < part.blocks, last)];
        if last == 0 {
            edges[1].0 &= !edges[0].0;
        }
        for (_, at) in edges.into_iter().filter(|(partial, _)| *partial) {
            let block = &mut span[at..at + BLOCK];
            // SAFETY: `file` is open.
            match unsafe { read_blocks(file, block, part.first + at as u64) } {
                ffi::SQLITE_OK | ffi::SQLITE_IOERR_SHORT_READ => {}
                error => return error,
            }
        }
        span[part.skip..end].copy_from_slice(&from[part.done..part.done + part.size]);
        // SAFETY: `open` set both, and the layer lives longer than its files.
        unsafe {
            let ours = &*file.cast::<File>();
            (*ours.layer).cipher.seal(ours.kind, part.first, span);
            let done =
                write_inner(file, span.as_ptr().cast(), part.blocks as c_int, part.first as i64);
            if done != ffi::SQLITE_OK {
                return done;
            }
        }
    }
    ffi::SQLITE_OK
}

/// Reads and decrypts whole blocks; those behind the end are zeros.
///
/// # Safety
/// `file` was opened by [`open`].
unsafe fn read_blocks(file: *mut sqlite3_file, to: &mut [u8], offset: u64) -> c_int {
    // SAFETY: there is room for as many bytes as are asked for; the layer below fills with zeros
    // what it does not have.
    unsafe {
        let done = read_inner(file, to.as_mut_ptr().cast(), to.len() as c_int, offset as i64);
        if done == ffi::SQLITE_OK || done == ffi::SQLITE_IOERR_SHORT_READ {
            let ours = &*file.cast::<File>();
            (*ours.layer).cipher.open(ours.kind, offset, to);
        }
        done
    }
}

/// A part of what SQLite asked for, with the whole blocks around it.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    /// Where its blocks begin in the file.
    first: u64,
    /// Bytes of its blocks.
    blocks: usize,
    /// Bytes of the first block before it.
    skip: usize,
    /// Bytes of it.
    size: usize,
    /// Bytes of what was asked for before it.
    done: usize,
}

fn parts(offset: u64, size: usize) -> impl Iterator<Item = Part> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == size {
            return None;
        }
        let at = offset + done as u64;
        let skip = (at % BLOCK as u64) as usize;
        let this = (size - done).min(CHUNK - skip);
        let blocks = (skip + this).next_multiple_of(BLOCK);
        let part = Part { first: at - skip as u64, blocks, skip, size: this, done };
        done += this;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, OpenFlags};

    use super::{CHUNK, Sealed, parts};
    use crate::seal::Key;

    fn connect(path: &std::path::Path, sealed: &Sealed) -> Connection {
        let flags = OpenFlags::default();
        let connection =
            Connection::open_with_flags_and_vfs(path, flags, sealed.name()).expect("open");
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE").expect("set");
        connection
    }

    fn bytes(folder: &std::path::Path) -> Vec<u8> {
        let entries = std::fs::read_dir(folder).expect("a folder");
        entries.flat_map(|entry| std::fs::read(entry.expect("one").path()).expect("read")).collect()
    }

    /// In every journal mode: what is written is read back, by another connection as well, and is
    /// in no file in clear.
    #[test]
    fn what_is_written_is_read_back_and_in_no_file() {
        for mode in ["WAL", "DELETE", "PERSIST", "TRUNCATE"] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("a.db");
            let sealed = Sealed::new(&Key::random().expect("random")).expect("registered");
            let one = connect(&path, &sealed);
            one.pragma_update(None, "journal_mode", mode).expect("set");
            one.pragma_update(None, "synchronous", "OFF").expect("set");
            one.pragma_update(None, "cache_size", 5).expect("set");
            one.execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY, s TEXT)").expect("made");
            for n in 0..300_i64 {
                let text = "xyzzy".repeat(1 + (n as usize * 37) % 900);
                one.execute("INSERT INTO t VALUES (?1, ?2)", (n, text)).expect("kept");
            }
            one.execute_batch(
                "BEGIN; DELETE FROM t WHERE n % 3 = 0; ROLLBACK; DELETE FROM t WHERE n % 3 = 1",
            )
            .expect("changed");
            assert!(!bytes(folder.path()).windows(5).any(|part| part == b"xyzzy"), "{mode}");
            assert!(!bytes(folder.path()).starts_with(b"SQLite"), "{mode}");
            drop(one);
            let two = connect(&path, &sealed);
            let sum: i64 =
                two.query_row("SELECT SUM(LENGTH(s)) FROM t", [], |row| row.get(0)).expect("read");
            let expected: usize =
                (0..300).filter(|n| n % 3 != 1).map(|n| 5 * (1 + (n * 37) % 900)).sum();
            assert_eq!(sum, expected as i64, "{mode}");
            let check: String =
                two.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checked");
            assert_eq!(check, "ok", "{mode}");
        }
    }

    #[test]
    fn another_key_opens_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        let [right, wrong] = [Key::random(), Key::random()]
            .map(|key| Sealed::new(&key.expect("random")).expect("registered"));
        connect(&path, &right).execute_batch("CREATE TABLE t (n)").expect("made");
        let error = connect(&path, &wrong).execute_batch("SELECT * FROM t").expect_err("refused");
        assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::NotADatabase));
    }

    #[test]
    fn parts_cover_what_was_asked_for_in_whole_blocks() {
        for (offset, size) in [(0, 100), (24, 16), (56, 4096), (7, 3 * CHUNK + 5), (16, CHUNK)] {
            let parts: Vec<_> = parts(offset, size).collect();
            let mut expected = 0;
            for part in &parts {
                assert_eq!(part.done, expected);
                assert_eq!(part.first + part.skip as u64, offset + part.done as u64);
                assert!(part.first % 16 == 0 && part.blocks % 16 == 0 && part.blocks <= CHUNK);
                assert!(part.skip < 16 && part.skip + part.size <= part.blocks);
                expected += part.size;
            }
            assert_eq!(expected, size);
        }
    }
}
