//! Requests by way of the system's proxy.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use offhook_model::{Fault, Rule};
use offhook_net::{HostEntry, Net, NetOptions, ProxySources};
use offhook_ports::{Http, HttpRequest};

use crate::doubles::authority::{Authority, Days, TempFile};
use crate::doubles::web::Web;
use crate::doubles::{closed_port, net};

const HOST: &str = "loginp.example.com";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A proxy that opens tunnels to 127.0.0.1, whatever name is asked for, and keeps the requests. It
/// reads heads only, by itself.
struct Tunnels {
    at: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Tunnels {
    fn new(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let at = listener.local_addr().expect("bound");
        let heard = Arc::new(Mutex::new(vec![]));
        let keep = heard.clone();
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let mut head = vec![];
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|n| n == 1) {
                    head.push(byte[0]);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let port = head.split([':', ' ']).nth(2).and_then(|port| port.parse::<u16>().ok());
                keep.lock().expect("heard").push(head);
                let _ = client.write_all(answer.as_bytes());
                if let (true, Some(port)) = (answer.contains(" 200 "), port) {
                    join(client, TcpStream::connect(("127.0.0.1", port)).expect("a server"));
                }
            }
        });
        Self { at, heard }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("heard").clone()
    }

    fn address(&self) -> String {
        format!("http://{}", self.at)
    }
}

fn join(client: TcpStream, server: TcpStream) {
    let halves = |from: &TcpStream, to: &TcpStream| {
        let (mut from, mut to) =
            (from.try_clone().expect("a copy"), to.try_clone().expect("a copy"));
        thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Write);
        });
    };
    halves(&client, &server);
    halves(&server, &client);
}

const OPEN: &str = "HTTP/1.1 200 Connection established\r\n\r\n";
const LOCKED: &str = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";

struct World {
    web: Web,
    _authority: Authority,
    ca_file: PathBuf,
}

impl World {
    fn new() -> Self {
        let authority = Authority::new("cloud authority");
        let web = Web::new(Some(authority.issue(&[HOST], Days::Now).config()), &[OK]);
        let ca_file = authority.file.0.clone();
        Self { web, _authority: authority, ca_file }
    }

    fn net(&self, proxies: ProxySources) -> Arc<Net> {
        net(NetOptions {
            name_servers: vec![closed_port()],
            hosts: vec![HostEntry::new(HOST, [127, 0, 0, 1].into())],
            ca_files: vec![self.ca_file.clone()],
            proxies,
        })
    }

    fn by_script(&self, script: &str) -> (Arc<Net>, Folder) {
        let folder = Folder::new();
        let file = folder.0.join("proxy.pac");
        std::fs::write(&file, script).expect("a file");
        let kioslaverc = format!(
            "[Proxy Settings]\nProxyType=2\nProxy Config Script=file://{}\n",
            file.display()
        );
        std::fs::write(folder.0.join("kioslaverc"), kioslaverc).expect("a file");
        let sources = ProxySources {
            system: true,
            desktop: Some("KDE".to_owned()),
            config_home: Some(folder.0.clone()),
            ..ProxySources::default()
        };
        (self.net(sources), folder)
    }

    fn request(&self) -> HttpRequest {
        let port = self.web.at.port();
        HttpRequest::get(format!("https://{HOST}:{port}/cas/FederatedSSO?org=x")).through_proxy()
    }
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = TempFile::new("").0.with_extension("folder");
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn https(proxy: &str) -> ProxySources {
    ProxySources {
        https: Some(proxy.to_owned()),
        http: Some(proxy.to_owned()),
        ..Default::default()
    }
}

async fn ask(net: &Net, request: HttpRequest) -> Result<u16, Fault> {
    net.send(request).await.map(|answer| answer.status)
}

fn rules(net: &Net) -> Vec<Option<Rule>> {
    net.proxy_problems().iter().map(|problem| problem.rule).collect()
}

#[tokio::test]
async fn a_question_to_the_cloud_goes_through_a_tunnel_and_others_do_not() {
    let (world, proxy) = (World::new(), Tunnels::new(OPEN));
    let net = world.net(https(&proxy.address()));
    assert_eq!(ask(&net, world.request()).await, Ok(200));
    let heard = proxy.heard();
    let port = world.web.at.port();
    assert!(heard[0].starts_with(&format!("CONNECT {HOST}:{port} HTTP/1.1\r\n")), "{heard:?}");
    assert!(!heard[0].contains("org="), "{heard:?}");
    let direct = HttpRequest { proxied: false, ..world.request() };
    assert_eq!(ask(&net, direct).await, Ok(200));
    assert_eq!(proxy.heard().len(), 1);
    assert!(net.proxy_problems().is_empty());
}

#[tokio::test]
async fn in_clear_the_proxy_is_told_the_whole_address() {
    let world = World::new();
    let proxy = Web::new(None, &[OK, LOCKED]);
    let net = world.net(https(&format!("http://{}", proxy.at)));
    let request = || HttpRequest::get(format!("http://{HOST}/cas?org=x")).through_proxy();
    assert_eq!(ask(&net, request()).await, Ok(200));
    let heard = proxy.heard().remove(0);
    assert!(heard.starts_with(&format!("GET http://{HOST}/cas?org=x HTTP/1.1\r\n")), "{heard}");
    assert!(heard.contains(&format!("host: {HOST}\r\n")), "{heard}");
    let fault = ask(&net, request()).await.expect_err("a password is wanted");
    assert!(matches!(&fault, Fault::Proxy(words) if words.contains("password")), "{fault:?}");
}

#[tokio::test]
async fn a_proxy_that_cannot_be_used_is_named() {
    let world = World::new();
    let check = async |proxy: &str, words: &str| {
        let fault = ask(&world.net(https(proxy)), world.request()).await.expect_err("no way");
        assert!(matches!(&fault, Fault::Proxy(said) if said.contains(words)), "{fault:?}");
    };
    check(&Tunnels::new(LOCKED).address(), "password").await;
    check(&Tunnels::new("HTTP/1.1 403 Filtered\r\n\r\n").address(), "403").await;
    check(&Tunnels::new("HTTP/1.1 502 x\r\n\r\n").address(), "cannot reach").await;
    check(&Tunnels::new("SSH-2.0-OpenSSH_9.2\r\n\r\n").address(), "no proxy").await;
    check(&Tunnels::new("").address(), "closed").await;
    check(&format!("http://{}", closed_port()), "cannot be reached").await;
}

#[tokio::test]
async fn the_bypass_list_is_followed_and_its_wildcards_are_told() {
    let (world, proxy) = (World::new(), Tunnels::new(OPEN));
    let with = |none: &str| ProxySources { none: Some(none.to_owned()), ..https(&proxy.address()) };
    let net = world.net(with("localhost,example.com"));
    assert_eq!(ask(&net, world.request()).await, Ok(200));
    assert!(proxy.heard().is_empty());
    let net = world.net(with("*.example.com"));
    assert_eq!(ask(&net, world.request()).await, Ok(200));
    assert_eq!(proxy.heard().len(), 1);
    assert_eq!(rules(&net), [Some(Rule(33))]);
    assert!(net.proxy_problems()[0].cause.contains("*.example.com"));
}

#[tokio::test]
async fn a_script_decides_and_its_ways_are_tried_in_order() {
    let (world, locked, open) = (World::new(), Tunnels::new(LOCKED), Tunnels::new(OPEN));
    let (net, _file) = world.by_script(&format!(
        "function FindProxyForURL(url, host) {{
           if (url != 'https://' + host + ':{}/') return 'PROXY seen:1';
           return 'PROXY {}; PROXY {}; PROXY {}; DIRECT';
         }}",
        world.web.at.port(),
        closed_port(),
        locked.at,
        open.at
    ));
    assert_eq!(ask(&net, world.request()).await, Ok(200));
    assert_eq!((locked.heard().len(), open.heard().len()), (1, 1));
    assert!(net.proxy_problems().is_empty());
}

#[tokio::test]
async fn a_broken_script_is_told_and_the_direct_way_is_tried() {
    let world = World::new();
    let (net, _file) = world.by_script("function FindProxyForURL(url, host) { return ");
    assert_eq!(ask(&net, world.request()).await, Ok(200));
    assert_eq!(rules(&net), [Some(Rule(33))]);
    let away =
        HttpRequest::get(format!("https://{HOST}:{}/", closed_port().port())).through_proxy();
    let fault = ask(&net, away).await.expect_err("no way");
    assert!(matches!(&fault, Fault::Proxy(words) if words.contains("script")), "{fault:?}");
}
