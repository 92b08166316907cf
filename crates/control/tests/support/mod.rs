//! A made-up client behind a real socket.
#![cfg(unix)]
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use offhook_control::{Client, Host, serve};
use offhook_model::{
    AcceptedKey, AudioCodec, Availability, Call, CallDirection, CallId, CallState, Chat, ChatKind,
    ChatWish, Command, CommandError, ContactsWish, Direction, ErrorCode, Layer, LeftOut, MessageId,
    Notice, Presence, Reply, Security, SessionState, Setting, Settings, Snapshot, Source,
    StreamStats, Timestamp,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

/// Answers commands as the core would and remembers them.
#[derive(Clone)]
pub struct Fake {
    pub snapshot: Arc<Snapshot>,
    pub commands: Arc<Mutex<Vec<Command>>>,
    pub notices: broadcast::Sender<Notice>,
}

impl Fake {
    pub fn new() -> Self {
        let mut snapshot = Snapshot::default();
        snapshot.session.state = SessionState::SignedIn;
        snapshot.me.presence = Presence { availability: Availability::Away, ..Presence::default() };
        let mut chat =
            Chat::new("bob@example.com".parse().expect("valid"), "Bob".into(), ChatKind::Person);
        chat.draft = "Dear".into();
        snapshot.chats = Arc::new(vec![Arc::new(chat)]);
        snapshot.calls = Arc::new(vec![call()]);
        snapshot.accepted = Arc::new(vec![AcceptedKey {
            host: "cucm1.example.com".into(),
            key: "00aa".into(),
            subject: "CN=cucm1".into(),
            since: Timestamp(0),
        }]);
        let mut settings = Settings::default();
        settings.sound.noise_suppression = false;
        snapshot.settings = Arc::new(settings);
        let setting = Setting {
            key: "ServicesDomain".into(),
            section: None,
            value: "example.com".into(),
            line: None,
        };
        snapshot.layers = Arc::new(vec![Layer {
            source: Source::Url,
            origin: "offhook://provision".into(),
            settings: vec![setting],
            oddities: vec![],
        }]);
        Self {
            snapshot: Arc::new(snapshot),
            commands: Arc::default(),
            notices: broadcast::channel(16).0,
        }
    }

    pub fn last(&self) -> String {
        let commands = self.commands.lock().expect("commands");
        format!("{:?}", commands.last().expect("a command"))
    }
}

pub fn call() -> Call {
    Call {
        id: CallId(7),
        direction: CallDirection::Outgoing,
        remote: "2002".into(),
        name: None,
        state: CallState::RemoteHeld,
        muted: false,
        started: Timestamp(0),
        connected: None,
        end: None,
        security: Security::None,
        digits: String::new(),
        sound: None,
        conference: None,
        parked_at: None,
        desk: None,
        diverted_by: None,
        preserved: false,
        trouble: None,
        silence: None,
        can: offhook_model::CallAbilities::default(),
    }
}

pub fn figures() -> StreamStats {
    StreamStats {
        kind: "audio",
        direction: Direction::Send,
        codec: AudioCodec::Pcmu,
        payload_type: 0,
        packets: 5,
        bytes: 800,
        lost: 0,
        recovered: 0,
        jitter_ms: 0.5,
        round_trip_ms: None,
        delay_ms: 0.0,
        mos_estimate: None,
        dscp: 46,
        local_port: 20_000,
        remote_port: 30_000,
        srtp: None,
        age_ms: Some(100.0),
        bit_rate: 64_000,
        voice: Some(offhook_model::VoiceMetrics::default()),
        echo_delay_ms: None,
        echo_removed_db: None,
        way: None,
    }
}

impl Host for Fake {
    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot)
    }

    async fn request(&self, command: Command) -> Result<Reply, CommandError> {
        let reply = match &command {
            Command::SendChat { .. } => Ok(Reply::Message(MessageId("m1".into()))),
            Command::Chat(ChatWish::Reply { .. }) => Ok(Reply::Message(MessageId("m2".into()))),
            Command::Chat(ChatWish::Export { path, .. }) => {
                Ok(Reply::Exported { path: path.clone(), messages: 3 })
            }
            Command::Contacts(ContactsWish::Import { path }) => {
                let left_out = LeftOut { count: 3, lines: vec![4, 9] };
                Ok(Reply::Cards { path: path.clone(), people: 2, left_out })
            }
            Command::Contacts(ContactsWish::Export { path, .. }) => {
                Ok(Reply::Cards { path: path.clone(), people: 2, left_out: LeftOut::default() })
            }
            Command::Dial { .. } => Ok(Reply::Call(CallId(8))),
            Command::ChatHistory { .. } => Ok(Reply::Messages { items: vec![], more: true }),
            Command::CallStats(CallId(7)) => Ok(Reply::Stats(vec![figures()])),
            Command::CallStats(id) | Command::HangUp(id) => Err(CommandError::no_call(*id)),
            _ => Ok(Reply::Done),
        };
        self.commands.lock().expect("commands").push(command);
        reply
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    async fn save_report(
        &self,
        folder: Option<PathBuf>,
        note: String,
    ) -> Result<PathBuf, CommandError> {
        match folder {
            Some(folder) if note == "fail" => Err(CommandError::user(
                ErrorCode::Failed,
                format!("{} is full.", folder.display()),
                "Choose another folder.",
            )),
            folder => Ok(folder.unwrap_or_default().join("report.zip")),
        }
    }
}

/// A served instance.
pub struct Served {
    pub folder: TempDir,
    pub host: Fake,
    pub task: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Served {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = offhook_platform::listen(&folder.path().join("run")).await.expect("listens");
        let host = Fake::new();
        #[allow(clippy::disallowed_methods, reason = "nobody else spawns in a test")]
        let task = tokio::spawn(serve(listener, host.clone()));
        Self { folder, host, task }
    }

    pub fn run(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    pub fn socket(&self) -> PathBuf {
        self.run().join("control.sock")
    }

    pub async fn client(&self) -> Client {
        Client::connect(&self.run()).await.unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// The result of one call.
    pub async fn ok(&self, method: &str, params: Value) -> Value {
        let answer = self.client().await.call(method, params).await;
        answer
            .unwrap_or_else(|error| panic!("{error:?}"))
            .unwrap_or_else(|e| panic!("{method}: {e}"))
    }

    /// The error object of one call.
    pub async fn error(&self, method: &str, params: Value) -> Value {
        let answer = self.client().await.call(method, params).await;
        answer.unwrap_or_else(|error| panic!("{error:?}")).expect_err(method)
    }

    /// Writes bytes as they are and reads until the instance says nothing more for a while or
    /// closes; `closed` tells which.
    pub async fn raw(&self, bytes: &[u8], lines: usize) -> (Vec<Value>, bool) {
        let mut stream = UnixStream::connect(self.socket()).await.expect("connected");
        // The instance may close before all is written.
        let _ = stream.write_all(bytes).await;
        let mut text = Vec::new();
        let mut buffer = [0; 4096];
        let mut closed = false;
        while text.iter().filter(|byte| **byte == b'\n').count() < lines {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => {
                    closed = true;
                    break;
                }
                Ok(n) => text.extend_from_slice(&buffer[..n]),
            }
        }
        let text = String::from_utf8(text).expect("UTF-8");
        (text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect(), closed)
    }
}
