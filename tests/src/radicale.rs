//! Radicale: a real server for address books (CardDAV).

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::running::Running;
use crate::{free_port, program};

/// A running server where `ann` has the password `s3cret` and the address book `people`.
pub struct Radicale {
    /// In clear, on loopback.
    pub port: u16,
    book: PathBuf,
    _running: Running,
}

impl Radicale {
    /// Starts with an empty address book.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(folder: &Path) -> Self {
        let folder = folder.join("radicale");
        let book = folder.join("data/collection-root/ann/people");
        std::fs::create_dir_all(&book).expect("a folder for the address book");
        std::fs::write(book.join(".Radicale.props"), "{\"tag\": \"VADDRESSBOOK\"}").expect("props");
        std::fs::write(folder.join("users"), "ann:s3cret\n").expect("users");
        let (at, port, config) = (folder.display(), free_port(), folder.join("config"));
        let text = format!(
            "[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = htpasswd\n\
             htpasswd_filename = {at}/users\nhtpasswd_encryption = plain\ndelay = 0\n\
             [rights]\ntype = owner_only\n[storage]\nfilesystem_folder = {at}/data\n"
        );
        std::fs::write(&config, text).expect("a configuration file");
        let mut command = Command::new(program("radicale").expect("radicale"));
        command.arg("--config").arg(&config);
        let mut running = Running::start("radicale", &mut command, &folder);
        running.ready(30, || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { port, book, _running: running }
    }

    /// Puts a card into the address book.
    ///
    /// # Panics
    /// The file cannot be written.
    pub fn card(&self, id: &str, name: &str, number: &str) {
        let text = format!(
            "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{id}\r\nFN:{name}\r\nN:{name};;;;\r\n\
             TEL;TYPE=CELL:{number}\r\nEND:VCARD\r\n"
        );
        std::fs::write(self.book.join(format!("{id}.vcf")), text).expect("a card");
    }

    /// Takes a card out of it.
    ///
    /// # Panics
    /// There is none.
    pub fn remove(&self, id: &str) {
        std::fs::remove_file(self.book.join(format!("{id}.vcf"))).expect("a card");
    }
}
