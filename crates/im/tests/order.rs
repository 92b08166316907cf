//! Order under chaos, in virtual time: a server with an archive, streams that break at any moment, a
//! program that is killed at any moment. At the end the store has every message once, in the order
//! in which it was written, at both ends. `OFFHOOK_ORDER_SEEDS` says how many courses are played.

mod support;

use std::collections::VecDeque;
use std::time::Duration;

use offhook_ports::StoreRequest;
use support::disk::disk;
use support::{Bench, attribute};

const BOB: &str = "bob@example.com";
const ME: &str = "alice@example.com";

/// Numbers that look random (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound.max(1)
    }
}

struct Entry {
    from: &'static str,
    id: String,
    body: String,
    /// Whole seconds, by the server's clock.
    stamp: String,
}

impl Entry {
    fn place(index: usize) -> String {
        format!("p{index:05}")
    }

    fn message(&self, inner: &str) -> String {
        let to = if self.from == ME { BOB } else { ME };
        format!(
            "<message xmlns='jabber:client' type='chat' from='{}/x' to='{to}' id='{}'>\
             <body>{}</body>{inner}</message>",
            self.from, self.id, self.body
        )
    }

    fn stanza_id(index: usize) -> String {
        format!("<stanza-id xmlns='urn:xmpp:sid:0' by='{ME}' id='{}'/>", Self::place(index))
    }
}

/// On its way to the program.
enum Down {
    Stanza(String),
    /// A message that is lost with the stream, or kept by the server for the next.
    Live(usize),
    Ack(String),
}

struct World {
    seed: u64,
    dice: Dice,
    bench: Bench,
    lives: u64,
    online: bool,
    archive: Vec<Entry>,
    /// Kept by the server for when we are there.
    offline: Vec<usize>,
    down: VecDeque<Down>,
    /// Seconds that the server's clock is ahead.
    skew: i64,
    most: usize,
    bobs: u32,
    ours: u32,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let (skew, most) = (dice.below(9) as i64 - 4, 1 + dice.below(7) as usize);
        let mut bench = Bench::session(1);
        bench.im.loaded(disk(&[]).loaded());
        bench.drain();
        Self {
            seed,
            dice,
            bench,
            lives: 1,
            online: false,
            archive: Vec::new(),
            offline: Vec::new(),
            down: VecDeque::new(),
            skew,
            most,
            bobs: 0,
            ours: 0,
        }
    }

    fn step(&mut self) {
        match self.dice.below(40) {
            0..=9 => self.bob_writes(),
            10..=12 => {
                self.ours += 1;
                let body = format!("a {}", self.ours);
                self.bench.say(BOB, &body);
                self.up();
            }
            13..=32 => self.deliver(),
            33..=35 => {
                let pause = self.dice.below(1_500);
                self.bench.now = self.bench.now.plus(Duration::from_millis(pause));
            }
            // A server that says nothing for a minute is not asked whether messages arrived.
            36 if self.down.is_empty() => self.bench.wait(20),
            37 => self.cut(),
            38 if self.dice.below(3) == 0 => self.kill(),
            _ if !self.online => self.connect(),
            _ => {}
        }
    }

    fn bob_writes(&mut self) {
        self.bobs += 1;
        let (id, body) = (format!("b{}", self.bobs), format!("b {}", self.bobs));
        let index = self.archived(BOB, id, body);
        if self.online {
            self.down.push_back(Down::Live(index));
        } else {
            self.offline.push(index);
        }
    }

    fn archived(&mut self, from: &'static str, id: String, body: String) -> usize {
        let wall = self.bench.now.wall.0 + self.skew * 1_000;
        let stamp = offhook_model::Timestamp(wall - wall.rem_euclid(1_000)).to_string();
        self.archive.push(Entry { from, id, body, stamp });
        self.archive.len() - 1
    }

    /// What the program sent reaches the server, or goes under with the stream.
    fn up(&mut self) {
        let mut sent = std::mem::take(&mut self.bench.sent);
        sent.retain(|_| self.online);
        for stanza in sent {
            if stanza.contains("<body") {
                let (id, body) = (attribute(&stanza, "id"), between(&stanza, "<body>", "</body>"));
                self.archived(ME, id.clone(), body);
                self.down.push_back(Down::Ack(id));
            } else if stanza.contains("urn:xmpp:mam:2") && stanza.contains("<iq") {
                self.page(&stanza);
            } else if stanza.contains("disco#info") && stanza.contains(&format!("to='{ME}'")) {
                let id = attribute(&stanza, "id");
                self.down.push_back(Down::Stanza(format!(
                    "<iq xmlns='jabber:client' type='result' id='{id}' from='{ME}'>\
                     <query xmlns='http://jabber.org/protocol/disco#info'>\
                     <identity category='account' type='registered'/>\
                     <feature var='urn:xmpp:mam:2'/><feature var='urn:xmpp:sid:0'/></query></iq>"
                )));
            }
        }
    }

    /// Answers a question to the archive, with fewer messages a page than were asked for.
    fn page(&mut self, query: &str) {
        let (id, end) = (attribute(query, "id"), self.archive.len());
        let queryid = attribute(&query[query.find("queryid").expect("a query") - 8..], "queryid");
        let index = |place: &str| place.trim_start_matches('p').parse::<usize>().expect("a place");
        let (first, last, complete) = if query.contains("</after>") {
            let first = index(&between(query, "<after>", "</after>")) + 1;
            (first, end.min(first + self.most), first + self.most >= end)
        } else {
            let before = between(query, "<before>", "</before>");
            let last = if before.starts_with('p') { index(&before) } else { end };
            (last.saturating_sub(self.most), last, last <= self.most)
        };
        for index in first..last {
            let entry = &self.archive[index];
            self.down.push_back(Down::Stanza(format!(
                "<message xmlns='jabber:client' from='{ME}' to='{ME}/desk'>\
                 <result xmlns='urn:xmpp:mam:2' queryid='{queryid}' id='{}'>\
                 <forwarded xmlns='urn:xmpp:forward:0'>\
                 <delay xmlns='urn:xmpp:delay' stamp='{}'/>{}</forwarded></result></message>",
                Entry::place(index),
                entry.stamp,
                entry.message("")
            )));
        }
        let set = if first < last {
            let (first, last) = (Entry::place(first), Entry::place(last - 1));
            format!("<first>{first}</first><last>{last}</last>")
        } else {
            String::new()
        };
        self.down.push_back(Down::Stanza(format!(
            "<iq xmlns='jabber:client' type='result' id='{id}' from='{ME}'>\
             <fin xmlns='urn:xmpp:mam:2' complete='{complete}'>\
             <set xmlns='http://jabber.org/protocol/rsm'>{set}</set></fin></iq>"
        )));
    }

    fn deliver(&mut self) {
        for _ in 0..=self.dice.below(6) {
            match self.down.pop_front() {
                Some(Down::Stanza(xml)) => self.bench.receive(&xml),
                Some(Down::Live(index)) => {
                    let xml = self.archive[index].message(&Entry::stanza_id(index));
                    self.bench.receive(&xml);
                }
                Some(Down::Ack(id)) => self.bench.acknowledge(&id),
                None => return,
            }
            self.up();
        }
    }

    fn cut(&mut self) {
        // What the program did not acknowledge, some servers keep for its return.
        let keeps = self.dice.below(2) == 0;
        for it in std::mem::take(&mut self.down) {
            match it {
                Down::Live(index) if keeps => self.offline.push(index),
                Down::Live(_) | Down::Stanza(_) | Down::Ack(_) => {}
            }
        }
        if std::mem::take(&mut self.online) {
            self.bench.disconnect();
            self.bench.sent.clear();
        }
    }

    fn connect(&mut self) {
        self.online = true;
        self.bench.connect();
        let mut kept = std::mem::take(&mut self.offline);
        // In an order of its own.
        let middle = self.dice.below(kept.len() as u64 + 1) as usize;
        kept.rotate_left(if self.dice.below(3) == 0 { middle } else { 0 });
        for index in kept {
            let entry = &self.archive[index];
            let delay = format!("<delay xmlns='urn:xmpp:delay' stamp='{}'/>", entry.stamp);
            let xml = entry.message(&(Entry::stanza_id(index) + &delay));
            self.down.push_back(Down::Stanza(xml));
        }
        self.up();
    }

    /// The program is gone, and with it what its store had not written yet.
    fn kill(&mut self) {
        self.cut();
        self.lives += 1;
        let mut stored = std::mem::take(&mut self.bench.stored);
        // What was sent was kept before.
        let own = |it: &StoreRequest| matches!(it, StoreRequest::PutMessage(m) if m.own);
        let least = stored.iter().rposition(own).map_or(0, |it| it + 1);
        let lost = self.dice.below(6).min((stored.len() - least) as u64) as usize;
        stored.truncate(stored.len() - lost);
        let mut again = Bench::session(self.lives);
        again.now = self.bench.now.plus(Duration::from_millis(self.dice.below(2_000)));
        again.im.handle_timeout(again.now);
        again.im.loaded(disk(&stored).loaded());
        again.stored = stored;
        again.drain();
        self.bench = again;
    }

    /// Everything arrives.
    fn settle(&mut self) {
        self.bench.now = self.bench.now.plus(Duration::from_secs(1));
        self.cut();
        self.connect();
        while !self.down.is_empty() {
            self.deliver();
        }
    }

    fn judge(&self) {
        let seed = self.seed;
        let numbers = |bodies: Vec<&str>| -> Vec<u32> {
            bodies.iter().map(|it| it[2..].parse().expect("a number")).collect()
        };
        let disk = disk(&self.bench.stored);
        let side = |own: bool| {
            numbers(disk.messages().filter(|m| m.own == own).map(|m| m.body.as_str()).collect())
        };
        let heard = self.archive.iter().filter(|it| it.from == ME).map(|it| it.body.as_str());
        let heard = numbers(heard.collect());
        assert_eq!(side(false), (1..=self.bobs).collect::<Vec<_>>(), "theirs, seed {seed}");
        assert_eq!(side(true), heard, "ours here and there, seed {seed}");
        assert!(heard.is_sorted_by(|a, b| a < b), "ours, seed {seed}: {heard:?}");
        let memory = self.bench.messages(BOB);
        let theirs = memory.iter().filter(|m| !m.own).map(|m| m.body.as_str()).collect();
        let theirs = numbers(theirs);
        assert!(theirs.is_sorted_by(|a, b| a < b), "in memory, seed {seed}: {theirs:?}");
        assert!(disk.loaded().unplaced.is_empty(), "seed {seed}");
    }
}

fn between(text: &str, open: &str, close: &str) -> String {
    let start = text.find(open).map_or(0, |it| it + open.len());
    let end = text[start..].find(close).map_or(text.len(), |it| start + it);
    text[start..end].to_owned()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how many by hand")]
fn every_message_once_and_in_order_whatever_breaks() {
    let given = std::env::var("OFFHOOK_ORDER_SEEDS").ok().and_then(|it| it.parse().ok());
    for seed in 0..given.unwrap_or(150) {
        let mut world = World::new(seed);
        for _ in 0..400 {
            world.step();
        }
        world.settle();
        world.judge();
    }
}
