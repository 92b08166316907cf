//! OpenLDAP's server of one test, ended with it.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{Authority, exists, free_port, people};

/// A running server.
pub struct Slapd {
    child: Child,
    pub authority: Authority,
    /// In clear, and where StartTLS may be asked for.
    pub port: u16,
    /// TLS from the first byte.
    pub tls: u16,
}

/// What the server is like.
#[derive(Default)]
pub struct Like<'a> {
    pub people: usize,
    /// The URL of who knows more.
    pub elsewhere: Option<&'a str>,
    /// The port to use, where another server must know it before.
    pub port: Option<u16>,
    /// More lines of configuration, for all of it.
    pub lines: &'a str,
    /// It writes down what it is asked.
    pub loud: bool,
    /// More entries, as LDIF.
    pub entries: &'a str,
    /// More of its environment.
    pub environment: &'a [(&'a str, String)],
}

impl Slapd {
    /// Starts one, or says that there is none here.
    pub async fn start(like: Like<'_>) -> Option<Self> {
        if !exists("slapd") || !exists("slapadd") {
            // Not by a print macro: the harness keeps what those say of a test that succeeds.
            let _ = writeln!(std::io::stderr().lock(), "SKIPPED: slapd is not installed");
            return None;
        }
        let authority = Authority::new();
        let folder = authority.folder.path().to_owned();
        let (certificate, key) = authority.identity(&["localhost", "127.0.0.1"]);
        let config = folder.join("slapd.conf");
        let text = configuration(&folder, &certificate, &key, like.lines);
        std::fs::write(&config, text).expect("written");
        std::fs::create_dir(folder.join("db")).expect("a folder");
        let ldif = folder.join("people.ldif");
        let entries = people::ldif(like.people, like.elsewhere) + like.entries;
        std::fs::write(&ldif, entries).expect("written");
        let filled = Command::new(path("slapadd"))
            .args(["-q", "-f"])
            .arg(&config)
            .arg("-l")
            .arg(&ldif)
            .output()
            .expect("slapadd runs");
        assert!(filled.status.success(), "{}", String::from_utf8_lossy(&filled.stderr));
        let (port, tls) = (like.port.unwrap_or_else(free_port), free_port());
        let log = folder.join("slapd.log");
        let errors = match like.loud {
            true => Stdio::from(std::fs::File::create(&log).expect("a log")),
            false => Stdio::null(),
        };
        let child = Command::new(path("slapd"))
            // With a level of debugging, even none, it stays in the foreground. Statistics and the
            // arguments of requests.
            .args(["-d", if like.loud { "260" } else { "0" }, "-f"])
            .arg(&config)
            .args(["-h", &format!("ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls}")])
            .envs(like.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .expect("slapd starts");
        for port in [port, tls] {
            wait_for(port).await;
        }
        Some(Self { child, authority, port, tls })
    }

    /// What it was asked, in its words, where it is loud.
    pub fn words(&self) -> String {
        let log = self.authority.folder.path().join("slapd.log");
        std::fs::read(log).map(|it| String::from_utf8_lossy(&it).into_owned()).unwrap_or_default()
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.kill();
    }
}

fn path(program: &str) -> String {
    let debian = format!("/usr/sbin/{program}");
    if Path::new(&debian).exists() { debian } else { program.to_owned() }
}

async fn wait_for(port: u16) {
    for _ in 0..300 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("slapd does not listen on {port}");
}

fn configuration(folder: &Path, certificate: &Path, key: &Path, lines: &str) -> String {
    let folder = folder.display();
    format!(
        "include /etc/ldap/schema/core.schema\n\
         include /etc/ldap/schema/cosine.schema\n\
         include /etc/ldap/schema/inetorgperson.schema\n\
         modulepath /usr/lib/ldap\n\
         moduleload back_mdb\n\
         pidfile {folder}/slapd.pid\n\
         argsfile {folder}/slapd.args\n\
         TLSCACertificateFile {folder}/ca.pem\n\
         TLSCertificateFile {}\n\
         TLSCertificateKeyFile {}\n\
         {lines}\n\
         access to attrs=userPassword by anonymous auth by * none\n\
         access to * by * read\n\
         database mdb\n\
         suffix \"dc=example,dc=test\"\n\
         rootdn \"cn=admin,dc=example,dc=test\"\n\
         directory {folder}/db\n\
         maxsize 268435456\n\
         index objectClass,uid eq\n\
         index cn,sn,givenName,displayName,mail,telephoneNumber,mobile eq,sub\n",
        certificate.display(),
        key.display(),
    )
}
