//! A Kerberos realm of one test (MIT's server), ended with it.

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::{exists, free_port};

/// The realm.
pub const REALM: &str = "OFFHOOK.TEST";
/// Somebody who can sign in to it, and the password.
pub const WHO: (&str, &str) = ("user00001", "t1cket");

/// A running server of the realm.
pub struct Realm {
    child: Child,
    /// The server of `silent.conf`, which answers nobody.
    _silent: TcpListener,
    folder: TempDir,
}

impl Realm {
    /// Starts one that knows [`WHO`] and the directory of `localhost`, or says that there is none
    /// here.
    pub async fn start() -> Option<Self> {
        if !["krb5kdc", "kdb5_util", "kadmin.local", "kinit"].into_iter().all(exists) {
            let _ = writeln!(std::io::stderr().lock(), "SKIPPED: no Kerberos server is installed");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("offhook-realm-").tempdir().expect("a folder");
        let port = free_port();
        let at = folder.path();
        std::fs::write(at.join("krb5.conf"), configuration(port)).expect("written");
        std::fs::write(at.join("nobody.conf"), configuration(free_port())).expect("written");
        let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
        let deaf = silent.local_addr().expect("an address").port();
        std::fs::write(at.join("silent.conf"), configuration(deaf)).expect("written");
        let path = at.display();
        let kdc = format!(
            "[kdcdefaults]\n kdc_listen = 127.0.0.1:{port}\n kdc_tcp_listen = 127.0.0.1:{port}\n\
             [realms]\n {REALM} = {{\n  database_name = {path}/principal\n  \
             key_stash_file = {path}/stash\n }}\n"
        );
        std::fs::write(at.join("kdc.conf"), kdc).expect("written");
        run(at, "kdb5_util", &["create", "-s", "-r", REALM, "-P", "n0body"], "");
        let (name, password) = WHO;
        admin(at, &format!("addprinc -pw {password} {name}"));
        admin(at, "addprinc -randkey ldap/localhost");
        admin(at, &format!("ktadd -k {path}/keytab ldap/localhost"));
        let child = command(at, "krb5kdc")
            .args(["-n", "-r", REALM, "-P"])
            .arg(at.join("kdc.pid"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(at.join("kdc.log")).expect("a log"))
            .spawn()
            .expect("krb5kdc starts");
        let realm = Self { child, _silent: silent, folder };
        for _ in 0..300 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Some(realm);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("krb5kdc does not listen on {port}");
    }

    /// Where a file of it is.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Signs [`WHO`] in: the ticket is then in the file `tickets`.
    pub fn sign_in(&self) {
        let tickets = format!("FILE:{}", self.file("tickets").display());
        run(self.folder.path(), "kinit", &["-c", &tickets, WHO.0], &format!("{}\n", WHO.1));
    }

    /// The directory's key is another one from now on, which its key file does not hold.
    pub fn change_the_directorys_key(&self) {
        admin(self.folder.path(), "change_password -randkey ldap/localhost");
    }
}

impl Drop for Realm {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(port: u16) -> String {
    format!(
        "[libdefaults]\n default_realm = {REALM}\n dns_lookup_kdc = false\n\
         \x20dns_lookup_realm = false\n dns_canonicalize_hostname = false\n rdns = false\n\
         [realms]\n {REALM} = {{\n  kdc = 127.0.0.1:{port}\n }}\n\
         [domain_realm]\n localhost = {REALM}\n 127.0.0.1 = {REALM}\n"
    )
}

fn command(folder: &Path, program: &str) -> Command {
    let administrators = Path::new("/usr/sbin").join(program);
    let found = administrators.exists().then_some(administrators);
    let mut command = Command::new(found.unwrap_or_else(|| program.into()));
    command.env("KRB5_CONFIG", folder.join("krb5.conf"));
    command.env("KRB5_KDC_PROFILE", folder.join("kdc.conf"));
    command
}

fn admin(folder: &Path, question: &str) -> Output {
    run(folder, "kadmin.local", &["-r", REALM, "-q", question], "")
}

fn run(folder: &Path, program: &str, arguments: &[&str], typed: &str) -> Output {
    let mut child = command(folder, program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("an input");
    stdin.write_all(typed.as_bytes()).expect("typed");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    output
}
