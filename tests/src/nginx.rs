//! nginx: a real web server, in front of services and with pages of its own.

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use crate::program;
use crate::running::Running;

/// A running web server.
pub struct Nginx {
    _running: Running,
}

impl Nginx {
    /// Starts with these `server { … }` blocks, which listen on `ports`.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(folder: &Path, ports: &[u16], servers: &str) -> Self {
        let folder = folder.join("nginx");
        std::fs::create_dir_all(&folder).expect("a folder for the web server");
        let shown = folder.display();
        let mut config = format!(
            "daemon off; master_process off; pid {shown}/pid; error_log stderr info;\n\
             events {{ worker_connections 256; }}\nhttp {{ access_log {shown}/access;\n"
        );
        for temporary in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
            config += &format!("{temporary}_temp_path {shown}/tmp;\n");
        }
        let file = folder.join("nginx.conf");
        std::fs::write(&file, format!("{config}{servers}\n}}\n")).expect("a configuration file");
        let mut command = Command::new(program("nginx").expect("nginx"));
        command.arg("-e").arg("stderr").arg("-p").arg(&folder).arg("-c").arg(&file);
        let mut running = Running::start("nginx", &mut command, &folder);
        for port in ports {
            running.ready(30, || TcpStream::connect(("127.0.0.1", *port)).is_ok());
        }
        Self { _running: running }
    }
}
