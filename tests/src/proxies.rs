//! tinyproxy and Squid: real web proxies.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

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
