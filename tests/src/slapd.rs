//! OpenLDAP's server: a real directory.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::pki::{Authority, Flaw};
use crate::running::Running;
use crate::{free_port, program};

/// A running directory of `dc=lab,dc=example`, where `cn=reader` has the password `reads` and
/// nobody sees anything without one.
pub struct Slapd {
    /// In clear.
    pub port: u16,
    /// TLS from the first byte, for 127.0.0.1.
    pub tls: u16,
    /// Who signed its certificate, PEM.
    pub authority: PathBuf,
    running: Running,
}

/// What a directory is like beside its people.
#[derive(Clone, Copy, Debug, Default)]
pub struct Like<'a> {
    /// Lines of configuration for all of it.
    pub lines: &'a str,
    /// Lines for its people, modules among them.
    pub database: &'a str,
    /// The port in clear, where somebody must know it before.
    pub port: Option<u16>,
}

impl Slapd {
    /// Starts with these people below `ou=people`: LDIF without the tree above them.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(folder: &Path, people: &str) -> Self {
        Self::like(folder, people, Like::default())
    }

    /// Starts one that is like this.
    ///
    /// # Panics
    /// It does not start.
    pub fn like(folder: &Path, people: &str, like: Like<'_>) -> Self {
        let folder = folder.join("slapd");
        std::fs::create_dir_all(folder.join("db")).expect("a folder for the directory");
        let authority = Authority::new(&folder);
        let identity = authority.server("lab.example", Flaw::None);
        let (shown, conf) = (folder.display(), folder.join("slapd.conf"));
        let text = format!(
            "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n\
             include /etc/ldap/schema/inetorgperson.schema\n\
             modulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile {shown}/pid\n\
             argsfile {shown}/args\nTLSCACertificateFile {}\nTLSCertificateFile {}\n\
             TLSCertificateKeyFile {}\nloglevel stats\n{}\n\
             access to attrs=userPassword by anonymous auth by * none\n\
             access to * by users read by * none\n\
             database mdb\nsuffix \"dc=lab,dc=example\"\ndirectory {shown}/db\n\
             index objectClass,uid eq\nindex cn,sn,givenName,mail eq,sub\n{}\n",
            authority.file.display(),
            identity.certificate.display(),
            identity.key.display(),
            like.lines,
            like.database,
        );
        std::fs::write(&conf, text).expect("a configuration file");
        let ldif = folder.join("people.ldif");
        let tree = "dn: dc=lab,dc=example\nobjectClass: dcObject\nobjectClass: organization\n\
                    o: Lab\ndc: lab\n\ndn: cn=reader,dc=lab,dc=example\n\
                    objectClass: organizationalRole\nobjectClass: simpleSecurityObject\n\
                    cn: reader\nuserPassword: reads\n\n\
                    dn: ou=people,dc=lab,dc=example\nobjectClass: organizationalUnit\n\
                    ou: people\n\n";
        std::fs::write(&ldif, format!("{tree}{people}")).expect("a file of people");
        let mut add = Command::new(program("slapadd").expect("slapadd"));
        let added = add.args(["-q", "-f"]).arg(&conf).arg("-l").arg(&ldif).output();
        let added = added.expect("slapadd runs");
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        let (port, tls) = (like.port.unwrap_or_else(free_port), free_port());
        let mut command = Command::new(program("slapd").expect("slapd"));
        // With a level of debugging it stays in the foreground; this one says what is asked.
        command.args(["-d", "stats", "-f"]).arg(&conf);
        command.args(["-h", &format!("ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls}")]);
        let mut running = Running::start("slapd", &mut command, &folder);
        for port in [port, tls] {
            running.ready(30, || TcpStream::connect(("127.0.0.1", port)).is_ok());
        }
        Self { port, tls, authority: authority.file, running }
    }

    /// What it was asked, in its own words.
    pub fn words(&self) -> String {
        self.running.words()
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        self.running.kill();
    }
}
