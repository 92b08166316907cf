//! tinyproxy and Squid: real web proxies; and one of our own that leads to chosen places.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::running::Running;
use crate::{free_port, program};

/// A proxy that lets nobody through to anywhere, and says in its log what was asked for: a test must
/// not talk to the world.
pub struct Tinyproxy {
    /// Port.
    pub port: u16,
    log: PathBuf,
    _running: Running,
}

impl Tinyproxy {
    /// Starts it.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(folder: &Path) -> Self {
        let folder = folder.join("tinyproxy");
        std::fs::create_dir_all(&folder).expect("a folder for the proxy");
        let (port, log, filter) = (free_port(), folder.join("log"), folder.join("filter"));
        // Whatever matches is let through: nothing does.
        std::fs::write(&filter, "^nobody$\n").expect("a filter");
        let config = format!(
            "Port {port}\nListen 127.0.0.1\nTimeout 30\nMaxClients 20\nAllow 127.0.0.1\n\
             LogLevel Info\nLogFile \"{}\"\nFilter \"{}\"\nFilterDefaultDeny Yes\n",
            log.display(),
            filter.display()
        );
        let file = folder.join("tinyproxy.conf");
        std::fs::write(&file, config).expect("a configuration file");
        let mut command = Command::new(program("tinyproxy").expect("tinyproxy"));
        let mut running =
            Running::start("tinyproxy", command.arg("-d").arg("-c").arg(&file), &folder);
        running.ready(30, || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { port, log, _running: running }
    }

    /// Whether somebody asked for a tunnel to this place.
    pub fn was_asked_for(&self, place: &str) -> bool {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        log.contains(&format!("CONNECT {place}"))
    }
}

/// A proxy that wants a user name and password of everybody.
pub struct Squid {
    /// Port.
    pub port: u16,
    _running: Running,
}

impl Squid {
    /// Starts it.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(folder: &Path) -> Self {
        let folder = folder.join("squid");
        std::fs::create_dir_all(&folder).expect("a folder for the proxy");
        let port = free_port();
        // It keeps no files: as root it changes to a user who may write none here. Nobody ever gets
        // as far as having a password looked at.
        let config = format!(
            "visible_hostname localhost\nhttp_port 127.0.0.1:{port}\npid_filename none\ncache deny all\naccess_log none\n\
             cache_log /dev/null\ncache_store_log none\ncoredump_dir none\nnetdb_filename none\n\
             icp_port 0\npinger_enable off\nshutdown_lifetime 1 seconds\n\
             auth_param basic program /bin/cat\nauth_param basic children 1\n\
             auth_param basic realm test\nacl authed proxy_auth REQUIRED\n\
             http_access allow authed\nhttp_access deny all\n"
        );
        let file = folder.join("squid.conf");
        std::fs::write(&file, config).expect("a configuration file");
        let mut command = Command::new(program("squid").expect("squid"));
        let mut running = Running::start("squid", command.arg("-N").arg("-f").arg(&file), &folder);
        running.ready(60, || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { port, _running: running }
    }
}

/// A proxy that opens tunnels (CONNECT, RFC 9110 section 9.3.6) to the places it was given and to no
/// other, whatever a name server would say of them.
pub struct Tunnels {
    /// Port.
    pub port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Tunnels {
    /// Starts it; each place as `NAME:PORT` with the `ADDR:PORT` that stands for it.
    ///
    /// # Panics
    /// There is no loopback.
    pub fn start(places: Vec<(String, String)>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback");
        let port = listener.local_addr().expect("bound").port();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (kept, places) = (Arc::clone(&asked), Arc::new(places));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (kept, places) = (Arc::clone(&kept), Arc::clone(&places));
                thread::spawn(move || lead(client, &kept, &places));
            }
        });
        Self { port, asked }
    }

    /// The places asked for, in their order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn lead(mut client: TcpStream, asked: &Mutex<Vec<String>>, places: &[(String, String)]) {
    let (mut head, mut byte) = (vec![], [0]);
    while !head.ends_with(b"\r\n\r\n") && head.len() < 16_384 {
        match client.read(&mut byte) {
            Ok(1) => head.extend(byte),
            Ok(_) | Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let place = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
    let place = place.unwrap_or_default().to_owned();
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(place.clone());
    let known = places.iter().find(|(name, _)| *name == place);
    let Some(mut server) = known.and_then(|(_, at)| TcpStream::connect(at).ok()) else {
        let _ = client.write_all(b"HTTP/1.1 403 Filtered\r\nContent-Length: 0\r\n\r\n");
        return;
    };
    let _ = client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
    let (Ok(mut back), Ok(mut to)) = (server.try_clone(), client.try_clone()) else { return };
    thread::spawn(move || {
        let _ = std::io::copy(&mut back, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Both);
    });
    let _ = std::io::copy(&mut client, &mut server);
    let _ = server.shutdown(std::net::Shutdown::Both);
}
