//! Two user agents and a registrar with a stateless proxy between them, with delay and loss.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use md5::{Digest, Md5};
use offhook_model::Link;
use offhook_ports::FlowId;
use offhook_sip::{Event, Output, UserAgent};

use super::{account, between, first_line, header, headers, secs, start_of_time};

const DELAY: Duration = Duration::from_millis(5);

pub struct Phone {
    pub ua: UserAgent,
    pub events: Vec<Event>,
    pub flow: Option<FlowId>,
    pub stopped: bool,
    at: SocketAddr,
}

/// Says whether a packet is lost, from its number and text.
pub type Loss = Box<dyn FnMut(u32, &str) -> bool>;

pub struct World {
    pub now: Instant,
    pub phones: Vec<Phone>,
    /// Challenge requests.
    pub challenge: bool,
    /// The server is up.
    pub up: bool,
    pub expires: u32,
    /// Which packets to drop, by their number from the start.
    pub drop: Loss,
    pub trace: Vec<String>,
    pub registers: u32,
    packets: u32,
    bindings: BTreeMap<String, usize>,
    /// When, to which phone (or the server), from which phone, what.
    wire: VecDeque<(Instant, Option<usize>, usize, String)>,
    link: Link,
    hop: u32,
}

fn md5(text: &str) -> String {
    Md5::digest(text).iter().map(|b| format!("{b:02x}")).collect()
}

impl World {
    pub fn new(link: Link) -> Self {
        let phone = |user: &str, n: u8| Phone {
            ua: UserAgent::new(account(user, link), "Offhook-Test".into(), u64::from(n)),
            events: vec![],
            flow: None,
            stopped: false,
            at: SocketAddr::from(([10, 0, 0, n], 40_000)),
        };
        Self {
            now: start_of_time(),
            phones: vec![phone("alice", 1), phone("bob", 2)],
            challenge: false,
            up: true,
            expires: 3600,
            drop: Box::new(|_, _| false),
            trace: vec![],
            registers: 0,
            packets: 0,
            bindings: BTreeMap::new(),
            wire: VecDeque::new(),
            link,
            hop: 0,
        }
    }

    /// One more phone, before the start.
    pub fn add(&mut self, user: &str) {
        let n = u8::try_from(self.phones.len()).expect("few") + 1;
        self.phones.push(Phone {
            ua: UserAgent::new(account(user, self.link), "Offhook-Test".into(), u64::from(n)),
            events: vec![],
            flow: None,
            stopped: false,
            at: SocketAddr::from(([10, 0, 0, n], 40_000)),
        });
    }

    /// Both registered.
    pub fn ready(link: Link) -> Self {
        let mut world = Self::new(link);
        world.start();
        world
    }

    pub fn start(&mut self) {
        let now = self.now;
        for phone in &mut self.phones {
            phone.ua.start(now);
        }
        self.run(secs(1));
        assert!(self.phones.iter().all(|phone| phone.ua.is_registered()), "{:#?}", self.trace);
        for phone in &mut self.phones {
            phone.events.clear();
        }
    }

    pub fn events(&mut self, phone: usize) -> Vec<Event> {
        std::mem::take(&mut self.phones[phone].events)
    }

    /// The server goes away with all connections.
    pub fn crash(&mut self) {
        self.up = false;
        self.bindings.clear();
        self.wire.clear();
        let now = self.now;
        for phone in &mut self.phones {
            if let Some(flow) = phone.flow.take() {
                phone.ua.flow_failed(flow, offhook_model::Fault::Closed, now);
            }
        }
    }

    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..100_000 {
            self.collect();
            let packet = self.wire.front().map(|(at, ..)| *at);
            let timer = self.phones.iter().filter_map(|phone| phone.ua.next_timeout()).min();
            let Some(next) = packet.into_iter().chain(timer).min().filter(|at| *at <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(next);
            if packet.is_some_and(|at| at <= self.now) {
                let Some((_, to, from, text)) = self.wire.pop_front() else { continue };
                self.deliver(to, from, &text);
            } else {
                let now = self.now;
                for phone in &mut self.phones {
                    if phone.ua.next_timeout().is_some_and(|at| at <= now) {
                        phone.ua.handle_timeout(now);
                    }
                }
            }
        }
        panic!("the world never rests");
    }

    fn collect(&mut self) {
        let (now, up) = (self.now, self.up);
        for index in 0..self.phones.len() {
            while let Some(output) = self.phones[index].ua.poll() {
                let phone = &mut self.phones[index];
                match output {
                    Output::Open { flow, .. } if up || self.link == Link::Udp => {
                        phone.flow = Some(flow);
                        phone.ua.flow_opened(
                            flow,
                            phone.at,
                            SocketAddr::from(([10, 0, 0, 9], 5060)),
                            now,
                        );
                    }
                    Output::Open { flow, .. } => {
                        phone.ua.flow_failed(flow, offhook_model::Fault::PortRefused, now)
                    }
                    Output::Send { flow, bytes } => {
                        assert_eq!(Some(flow), phone.flow);
                        self.post(None, index, String::from_utf8(bytes).expect("text"));
                    }
                    Output::Close { .. } => phone.flow = None,
                    Output::Event(event) => phone.events.push(event),
                    Output::Stopped => phone.stopped = true,
                }
            }
        }
    }

    fn post(&mut self, to: Option<usize>, from: usize, text: String) {
        self.packets += 1;
        let lost = (self.drop)(self.packets, &text);
        let mark = if lost { "lost " } else { "" };
        self.trace.push(format!(
            "{mark}{from}->{to:?} {} | {}",
            first_line(&text),
            header(&text, "CSeq").unwrap_or("")
        ));
        if !lost {
            self.wire.push_back((self.now + DELAY, to, from, text));
        }
    }

    fn deliver(&mut self, to: Option<usize>, from: usize, text: &str) {
        match to {
            Some(index) => {
                let now = self.now;
                let phone = &mut self.phones[index];
                if let Some(flow) = phone.flow {
                    phone.ua.receive(flow, text.as_bytes(), now);
                }
            }
            None if self.up => self.serve(from, text),
            None => {}
        }
    }

    fn serve(&mut self, from: usize, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        if text.starts_with("SIP/2.0") {
            self.relay_response(from, text);
        } else if text.starts_with("REGISTER") {
            self.register(from, text);
        } else {
            self.relay_request(from, text);
        }
    }

    fn reply(&mut self, to: usize, request: &str, status: &str, more: &str) {
        let text = super::response(request, status, "srv", more, "");
        self.post(Some(to), 9, text);
    }

    /// Whether the digest credentials in this header are right.
    fn let_in(&self, request: &str, name: &str) -> bool {
        let Some(value) = header(request, name) else { return false };
        let get = |key: &str| between(value, &format!("{key}=\""), '"').to_owned();
        let method = request.split(' ').next().unwrap_or("");
        let a1 = md5(&format!("{}:example.test:secret", get("username")));
        let a2 = md5(&format!("{method}:{}", get("uri")));
        let nc = between(value, "nc=", ',').to_owned();
        let expected = md5(&format!("{a1}:{}:{nc}:{}:auth:{a2}", get("nonce"), get("cnonce")));
        get("response") == expected && get("nonce") == "n1"
    }

    fn register(&mut self, from: usize, text: &str) {
        self.registers += 1;
        if self.challenge && !self.let_in(text, "Authorization") {
            let challenge = "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"n1\", qop=\"auth\", algorithm=MD5\r\n";
            return self.reply(from, text, "401 Unauthorized", challenge);
        }
        let user = between(header(text, "To").unwrap_or(""), "sip:", '@').to_owned();
        if header(text, "Expires") == Some("0") {
            self.bindings.remove(&user);
            return self.reply(from, text, "200 OK", "");
        }
        self.bindings.insert(user, from);
        let contact = header(text, "Contact").unwrap_or("").to_owned();
        let expires = self.expires;
        self.reply(from, text, "200 OK", &format!("Contact: {contact};expires={expires}\r\n"));
    }

    fn relay_request(&mut self, from: usize, text: &str) {
        let first = first_line(text).to_owned();
        let method = first.split(' ').next().unwrap_or("").to_owned();
        let in_dialog = header(text, "To").is_some_and(|to| to.contains(";tag="));
        if self.challenge
            && method == "INVITE"
            && !in_dialog
            && !self.let_in(text, "Proxy-Authorization")
        {
            let challenge = "Proxy-Authenticate: Digest realm=\"example.test\", nonce=\"n1\", qop=\"auth\", algorithm=MD5\r\n";
            return self.reply(from, text, "407 Proxy Authentication Required", challenge);
        }
        let uri = first.split(' ').nth(1).unwrap_or("");
        let user = between(uri, "sip:", '@');
        let Some(to) = self.bindings.get(user).copied() else {
            if method != "ACK" {
                self.reply(from, text, "404 Not Found", "");
            }
            return;
        };
        // A stateless proxy: the same request always gets the same branch.
        let branch = between(header(text, "Via").unwrap_or(""), "branch=", ';').to_owned();
        let via = format!("Via: SIP/2.0/UDP 10.0.0.9:5060;branch={branch}p;phone={from}");
        let (_, rest) = text.split_once("\r\n").expect("lines");
        let mut rest = rest.to_owned();
        if let Some(at) = rest
            .find("Route: <sip:10.0.0.9;lr>\r\n")
            .filter(|at| *at == 0 || rest[..*at].ends_with("\r\n"))
        {
            rest.replace_range(at..at + "Route: <sip:10.0.0.9;lr>\r\n".len(), "");
        }
        let record = if method == "INVITE" && !in_dialog {
            "Record-Route: <sip:10.0.0.9;lr>\r\n"
        } else {
            ""
        };
        self.hop += 1;
        self.post(Some(to), 9, format!("{first}\r\n{via}\r\n{record}{rest}"));
    }

    fn relay_response(&mut self, _from: usize, text: &str) {
        let via = headers(text, "Via").first().copied().unwrap_or("").to_owned();
        let Ok(to) = between(&via, "phone=", ';').parse::<usize>() else { return };
        let line = format!("Via: {via}\r\n");
        self.post(Some(to), 9, text.replacen(&line, "", 1));
    }
}
