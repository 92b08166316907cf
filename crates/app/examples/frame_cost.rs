//! What a frame of the window costs where there is much to show. Prints one JSON object a line for
//! `cargo xtask bench chat`.
//!
//! The way is the program's own without its loop: an encrypted history on disk, the chat machine, a
//! snapshot, the window's screens, and triangles ready for the graphics card. Time is CPU time of
//! the one thread, so other programs of the machine do not take part.
#![expect(clippy::print_stdout, reason = "this is its output")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use egui::{Event, MouseWheelSource, MouseWheelUnit, Pos2, Rect, TouchPhase, Vec2, pos2, vec2};
use keyring_core::{CredentialStore, Error, mock};
use offhook_im::{Im, Output, Stanza};
use offhook_model::{
    ChatWish, Command, Delivery, Jid, Message, MessageId, Moment, More, Session, SessionState,
    Snapshot, Timestamp,
};
use offhook_ports::{KeepingPlan, StoreAnswer, StoreRequest};
use offhook_shell::{Place, Shell};
use offhook_store::{Keeper, Places, Store};
use xmpp_parsers::iq::Iq;
use xmpp_parsers::minidom::Element;

const ME: &str = "alice@example.com";
const BOB: &str = "bob@example.com";
/// Messages of the long conversation.
const MESSAGES: i64 = 100_000;
/// People on the list.
const PEOPLE: usize = 10_000;
/// 2026-11-22T12:00:00Z.
const NOW: i64 = 1_795_348_800_000;
const MINUTE: i64 = 60_000;

fn keyring() -> Result<Arc<CredentialStore>, Error> {
    let store: Arc<CredentialStore> = mock::Store::new()?;
    let key = format!("xts-aes-256:{}", "0123456789abcdef".repeat(8));
    store.build("bench", &format!("{ME} (history)"), None)?.set_password(&key)?;
    Ok(store)
}

fn jid(text: &str) -> Jid {
    text.parse().expect("an address")
}

/// Short and long ones, styled, quoting, with links, in turn.
fn body(n: i64) -> String {
    match n % 6 {
        0 => format!("Message {n}"),
        1 => format!(
            "Message {n} with more words, so that it takes two lines or three and is not like its \
             neighbours, who are shorter: the quick brown fox jumps over the lazy dog"
        ),
        2 => format!("Message {n}: *strong*, _emphasis_ and `code`"),
        3 => format!("> what was quoted\nMessage {n}"),
        4 => format!("Message {n} https://example.org/{n}"),
        _ => format!("Message {n} \u{1f44d}\nand\na few\nlines"),
    }
}

fn message(n: i64) -> Message {
    let own = n % 7 == 0;
    let (me, bob) = (jid(ME), jid(BOB));
    Message {
        id: MessageId(format!("m{n}")),
        with: bob.clone(),
        from: if own { me.clone() } else { bob.clone() },
        to: if own { bob } else { me },
        body: body(n),
        time: Timestamp(NOW - (MESSAGES - n) * 3 * MINUTE),
        own,
        state: if own { Delivery::Delivered } else { Delivery::Read },
        error: None,
        more: More::default(),
    }
}

fn open(folder: &Path) -> Store {
    let places = Places { config: folder.join("config"), data: folder.join("data") };
    let keeper = Keeper { service: "bench".into(), open: keyring };
    let (store, _) = Store::open(places, Some(keeper)).expect("a store");
    match ask(&store, StoreRequest::Open(ME.into(), KeepingPlan::default())) {
        StoreAnswer::Opened(keeping) if keeping.kept && keeping.encrypted => store,
        other => panic!("{other:?}"),
    }
}

fn ask(store: &Store, request: StoreRequest) -> StoreAnswer {
    let (send, receive) = sync_channel(1);
    store.submit(request, move |answer| drop(send.send(answer)));
    receive.recv().expect("an answer")
}

/// CPU time of this thread.
#[cfg(target_os = "linux")]
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or(0), nanos.unwrap_or(0))
}

/// Elsewhere it is not asked for: `cargo xtask bench` runs on Linux only.
#[cfg(not(target_os = "linux"))]
fn cpu() -> Duration {
    Duration::ZERO
}

/// Figures of one kind of work, in milliseconds.
#[derive(Default)]
struct Costs(Vec<f64>);

impl Costs {
    fn of<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let before = cpu();
        let done = work();
        self.0.push((cpu() - before).as_secs_f64() * 1_000.0);
        done
    }

    fn say(mut self, what: &str) {
        self.0.sort_by(f64::total_cmp);
        let at = |index: usize| self.0.get(index).copied().unwrap_or(0.0);
        let (worst, median) = (at(self.0.len().saturating_sub(1)), at(self.0.len() / 2));
        let count = self.0.len();
        println!(
            "{}",
            serde_json::json!({ "what": what, "worst": worst, "median": median, "count": count })
        );
    }
}

/// The program without its loop.
struct Program {
    store: Store,
    im: Im,
    now: Moment,
    shell: Shell,
    context: egui::Context,
    snapshot: Snapshot,
    /// What the machine's part of older messages cost.
    reading: Costs,
}

impl Program {
    fn new(store: Store) -> Self {
        let now = Moment { at: Instant::now(), wall: Timestamp(NOW) };
        let mut im = Im::new(jid(ME), 1, now);
        if let StoreAnswer::Loaded(loaded) = ask(&store, StoreRequest::Load) {
            im.loaded(*loaded);
        }
        im.online(jid("alice@example.com/desk"), false, now);
        let context = egui::Context::default();
        let mut shell = Shell::new(&context, Some("en"));
        shell.set_zone(|_| 0);
        let session = Session { state: SessionState::SignedIn, ..Session::default() };
        let snapshot = Snapshot { session, ..Snapshot::default() };
        let mut program =
            Self { store, im, now, shell, context, snapshot, reading: Costs::default() };
        program.contacts();
        program.publish();
        program
    }

    /// The server's answer to the question for the contact list.
    fn contacts(&mut self) {
        let mut question = None;
        while let Some(output) = self.im.poll() {
            if let Output::Send(stanza) = &output
                && format!("{stanza:?}").contains("jabber:iq:roster")
            {
                question = stanza.id().map(str::to_owned);
            }
        }
        let people: String = (0..PEOPLE)
            .map(|n| {
                let (group, surname) = (n % 40, n * 7_919 % 10_007);
                format!(
                    "<item jid='p{n:05}@example.com' name='Surname{surname:05} Person {n:05}' \
                     subscription='both'><group>Department {group:02}</group></item>"
                )
            })
            .collect();
        let id = question.expect("a question for the contact list");
        let answer = format!(
            "<iq xmlns='jabber:client' type='result' id='{id}'><query xmlns='jabber:iq:roster'>\
             <item jid='{BOB}' name='Bob' subscription='both'/>{people}</query></iq>"
        );
        let element: Element = answer.parse().expect("XML");
        let mut costs = Costs::default();
        costs.of(|| {
            let iq = Iq::try_from(element).expect("an answer");
            self.im.receive(Stanza::Iq(iq), self.now);
        });
        costs.say("10,000 contacts: the machine takes the list");
    }

    fn receive(&mut self, text: &str) {
        let element: Element = text.parse().expect("XML");
        let stanza = match element.name() {
            "presence" => Stanza::Presence(element.try_into().expect("a presence")),
            _ => Stanza::Message(element.try_into().expect("a message")),
        };
        self.im.receive(stanza, self.now);
        while self.im.poll().is_some() {}
        self.publish();
    }

    fn publish(&mut self) {
        self.snapshot.contacts = self.im.contacts();
        self.snapshot.chats = self.im.chats();
        self.snapshot.messages = self.im.messages();
    }

    /// Draws one frame with these events, and does what the window then wants.
    fn frame(&mut self, costs: &mut Costs, events: Vec<Event>) {
        self.now = self.now.plus(Duration::from_millis(16));
        let size = Rect::from_min_size(Pos2::ZERO, vec2(1_240.0, 800.0));
        let time = (self.now.wall.0 - NOW) as f64 / 1_000.0;
        let input = egui::RawInput {
            screen_rect: Some(size),
            time: Some(time),
            events,
            ..egui::RawInput::default()
        };
        let mut wishes = Vec::new();
        let Self { shell, context, snapshot, now, .. } = self;
        costs.of(|| {
            let output = context.run_ui(input, |ui| {
                shell.ui(ui, snapshot, now.wall, (0.0, 0.0), &mut |wish| wishes.push(wish));
            });
            context.tessellate(output.shapes, output.pixels_per_point)
        });
        for wish in wishes {
            self.carry_out(wish);
        }
    }

    /// What the window wants of the history; of other wishes nothing.
    fn carry_out(&mut self, wish: Command) {
        match wish {
            Command::OpenChat { with } => {
                let request =
                    StoreRequest::History { with: with.clone(), before: None, limit: 200 };
                if let StoreAnswer::Messages { items, more } = ask(&self.store, request) {
                    self.im.open_chat(with, items, more);
                }
            }
            Command::Chat(ChatWish::Older { with }) => {
                let Some(before) = self.im.older(&with) else { return };
                let request = StoreRequest::History {
                    with: with.clone(),
                    before: before.clone(),
                    limit: 500,
                };
                if let StoreAnswer::Messages { items, more } = ask(&self.store, request) {
                    let im = &mut self.im;
                    self.reading.of(|| im.older_read(&with, before.as_ref(), items, more));
                }
            }
            _ => return,
        }
        while self.im.poll().is_some() {}
        self.publish();
    }

    fn loaded(&self) -> usize {
        self.snapshot.messages.get(&jid(BOB)).map_or(0, |messages| messages.len())
    }
}

fn wheel(points: f32) -> Vec<Event> {
    vec![Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta: Vec2::new(0.0, points),
        phase: TouchPhase::Move,
        source: MouseWheelSource::Wheel,
        modifiers: egui::Modifiers::NONE,
    }]
}

fn key(key: egui::Key) -> Vec<Event> {
    let press = |pressed| Event::Key {
        key,
        physical_key: None,
        pressed,
        repeat: false,
        modifiers: egui::Modifiers::NONE,
    };
    vec![press(true), press(false)]
}

/// A conversation of 100,000 messages, from its end to its beginning and back.
fn conversation(program: &mut Program) {
    program.shell.open(Place::Chat(jid(BOB)));
    let mut first = Costs::default();
    for _ in 0..10 {
        program.frame(&mut first, vec![Event::PointerMoved(pos2(800.0, 400.0))]);
    }
    first.say("a conversation of 100,000 messages, opened");

    // Fast enough that each frame shows other messages; the wheel of a mouse is slower.
    let mut up = Costs::default();
    for _ in 0..40_000 {
        program.frame(&mut up, wheel(400.0));
        if program.loaded() as i64 == MESSAGES {
            break;
        }
    }
    assert_eq!(program.loaded() as i64, MESSAGES, "all of it was read");
    // The last five hundred came when the reader was near them.
    for _ in 0..200 {
        program.frame(&mut up, wheel(400.0));
    }
    up.say("a conversation of 100,000 messages, scrolled to its beginning");
    std::mem::take(&mut program.reading).say("500 older messages: the machine takes them");

    let mut down = Costs::default();
    for _ in 0..3_000 {
        program.frame(&mut down, wheel(-400.0));
    }
    down.say("a conversation of 100,000 messages in memory, scrolled");

    let mut coming = Costs::default();
    let mut taking = Costs::default();
    for n in 0..100 {
        let text = format!(
            "<message xmlns='jabber:client' type='chat' id='new{n}' from='{BOB}/x' \
             to='{ME}'><body>New message {n}</body></message>"
        );
        taking.of(|| program.receive(&text));
        program.frame(&mut coming, Vec::new());
    }
    taking.say("a message arrives in a conversation of 100,000 in memory: the machine takes it");
    coming.say("a message arrives in a conversation of 100,000 in memory");
}

/// The contact list, scrolled and searched, while people come and go.
fn contacts(program: &mut Program) {
    program.shell.open(Place::Contacts);
    let mut scrolled = Costs::default();
    program.frame(&mut scrolled, vec![Event::PointerMoved(pos2(200.0, 400.0))]);
    for _ in 0..1_000 {
        program.frame(&mut scrolled, wheel(-400.0));
    }
    scrolled.say("10,000 contacts, scrolled");

    let mut presence = Costs::default();
    let mut taking = Costs::default();
    for n in 0..300 {
        let text = format!(
            "<presence xmlns='jabber:client' from='p{:05}@example.com/x' to='{ME}'>\
             <show>away</show><status>Back at two</status></presence>",
            n * 33
        );
        taking.of(|| program.receive(&text));
        program.frame(&mut presence, Vec::new());
    }
    taking.say("10,000 contacts, somebody's presence: the machine takes it");
    presence.say("10,000 contacts, somebody's presence");

    let mut searched = Costs::default();
    let press = |pressed| Event::PointerButton {
        pos: pos2(200.0, 40.0),
        button: egui::PointerButton::Primary,
        pressed,
        modifiers: egui::Modifiers::NONE,
    };
    program.frame(&mut searched, vec![Event::PointerMoved(pos2(200.0, 40.0)), press(true)]);
    program.frame(&mut searched, vec![press(false)]);
    for letter in "surname0123".chars() {
        program.frame(&mut searched, vec![Event::Text(letter.to_string())]);
    }
    for _ in 0..11 {
        program.frame(&mut searched, key(egui::Key::Backspace));
    }
    searched.say("10,000 contacts, searched letter by letter");
}

struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn main() {
    let name = format!("offhook-frame-cost-{}", std::process::id());
    let scratch = Scratch(std::env::temp_dir().join(name));
    let store = open(&scratch.0);
    for n in 1..=MESSAGES {
        store.submit(StoreRequest::PutMessage(message(n)), |_| {});
    }
    ask(&store, StoreRequest::Load);
    let mut program = Program::new(store);
    contacts(&mut program);
    conversation(&mut program);
    program.store.close();
}
