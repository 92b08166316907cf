//! One conversation with CAPF, in which the server asks and the phone answers: who it is, for a new
//! key, to keep a certificate, to show or to forget the one it has.

use std::collections::VecDeque;

use offhook_model::{EnrolFault, Secret};

use crate::record::{Command, Reader, Record, RecordError, tag};

/// The version seen of desktop clients; phones say 3, and servers take both.
const VERSION: u8 = 2;
/// The reason that means that all is well.
const OK: u8 = 1;
/// Shorter RSA keys are not relied on (NIST SP 800-131A).
const LEAST_RSA: u32 = 2048;
/// Longer ones take minutes to make.
const MOST_RSA: u32 = 4096;
/// From so many bits on the server is told that it takes a while.
const SLOW_RSA: u32 = 3072;
/// Records of one conversation; the longest seen has six of the server's.
const MOST_RECORDS: u32 = 64;
/// Digest 2 of `sha2-signed-data`.
const SHA256: u8 = 2;

/// How the phone shows who it is (`capfAuthMode`).
#[derive(Debug)]
pub enum Authentication {
    /// By nothing.
    Null,
    /// By a string that an administrator gave its user.
    String(Secret<String>),
    /// By the certificate that it has, in DER, and its key.
    Certificate(Vec<u8>),
}

/// The key that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA with so many bits, 2,048 to 4,096.
    Rsa(u16),
    /// On the curve P-256.
    P256,
    /// On the curve P-384.
    P384,
}

/// What the conversation wants.
#[derive(Debug)]
pub enum Output {
    /// Send this record, in one write. It may hold the authentication string.
    Send(Secret<Vec<u8>>),
    /// Make a key; its public half is awaited by [`Enrolment::key_made`].
    MakeKey(KeyKind),
    /// Sign this with the key of the present certificate, with SHA-1 and with SHA-256; awaited by
    /// [`Enrolment::signed`].
    Sign(Vec<u8>),
    /// Keep this certificate, in DER, which belongs to the key. The server hears of it once
    /// [`Enrolment::kept`] says so: a certificate that it believes to be with us is not issued again.
    Keep(Vec<u8>),
    /// Forget the present certificate.
    Forget,
    /// It is over; an error when nothing was issued or forgotten.
    Over(Result<(), EnrolFault>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Hello,
    Signing,
    Answered,
    MakingKey,
    KeySent,
    Keeping,
    Done,
    Over,
}

/// The conversation.
#[derive(Debug)]
pub struct Enrolment {
    device: String,
    authentication: Authentication,
    reader: Reader,
    stage: Stage,
    session: u32,
    records: u32,
    out: VecDeque<Output>,
}

impl Enrolment {
    /// Begins for the phone of this name; the server speaks first.
    pub fn new(device: &str, authentication: Authentication) -> Self {
        Self {
            device: device.to_owned(),
            authentication,
            reader: Reader::default(),
            stage: Stage::Hello,
            session: 0,
            records: 0,
            out: VecDeque::new(),
        }
    }

    /// What is wanted next.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// Nothing more happens.
    pub fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// Bytes came.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.reader.push(bytes);
        while self.stage != Stage::Over {
            match self.reader.next_record() {
                Ok(Some(record)) => self.record(&record),
                Ok(None) => return,
                Err(error) => return self.over(Err(nonsense(in_words(error)))),
            }
        }
    }

    /// The connection ended.
    pub fn closed(&mut self) {
        match self.stage {
            // The last word is not waited for by all servers.
            Stage::Done => self.over(Ok(())),
            Stage::Over => {}
            Stage::Hello
            | Stage::Signing
            | Stage::Answered
            | Stage::MakingKey
            | Stage::KeySent
            | Stage::Keeping => {
                self.over(Err(nonsense("it broke off in the middle of the conversation")));
            }
        }
    }

    /// The key is there; DER `SubjectPublicKeyInfo`.
    pub fn key_made(&mut self, public: &[u8]) {
        if self.stage == Stage::MakingKey {
            self.stage = Stage::KeySent;
            self.send(self.reply(Command::KeyResponse).with(tag::PUBLIC_KEY, public));
        }
    }

    /// The certificate of [`Output::Keep`] is where it outlives the program, or could not be put there.
    pub fn kept(&mut self, well: bool) {
        if self.stage != Stage::Keeping {
            return;
        }
        if !well {
            return self.over(Err(EnrolFault::NotKept));
        }
        self.stage = Stage::Done;
        self.send(self.reply(Command::StoreResponse).with(tag::REASON, [OK]));
    }

    /// Signatures with the present key, of what [`Output::Sign`] named.
    pub fn signed(&mut self, sha1: &[u8], sha256: &[u8]) {
        let (Stage::Signing, Authentication::Certificate(der)) = (self.stage, &self.authentication)
        else {
            return;
        };
        let Ok(certificate) = Record::nested(der) else {
            return self.over(Err(nonsense("our certificate is too long for it")));
        };
        let mut second = vec![SHA256];
        // Longer than any signature there is would be refused when it is written.
        second.extend(u16::try_from(sha256.len()).unwrap_or(u16::MAX).to_be_bytes());
        second.extend(sha256);
        let answer = self
            .introduction()
            .with(tag::CERTIFICATE, certificate)
            .with(tag::SIGNED_DATA, sha1)
            .with(tag::SHA2_SIGNED_DATA, second);
        self.stage = Stage::Answered;
        self.send(answer);
    }

    fn record(&mut self, record: &Record) {
        self.records += 1;
        if self.records > MOST_RECORDS {
            return self.over(Err(nonsense("it talks without end")));
        }
        if self.stage == Stage::Hello {
            self.session = record.session;
        } else if record.session != self.session {
            return self.over(Err(nonsense("it changed the session in the middle")));
        }
        match (record.command, self.stage) {
            (Command::AuthRequest, Stage::Hello) => self.introduce(record),
            (Command::KeyRequest, Stage::Answered) => self.key_wanted(record),
            (Command::StoreRequest, Stage::KeySent) => self.store(record),
            (Command::FetchRequest, Stage::Answered) => self.show(),
            (Command::DeleteRequest, Stage::Answered) => {
                self.out.push_back(Output::Forget);
                self.stage = Stage::Done;
                self.send(self.reply(Command::DeleteResponse).with(tag::REASON, [OK]));
            }
            (Command::InProgress | Command::Other(_), _) => {}
            (Command::RetryLater, _) => {
                self.over(Err(EnrolFault::Later(record.number(tag::RETRY_DELAY))));
            }
            (Command::EndSession | Command::Abort, _) => self.ended(record),
            (_, _) => self.over(Err(nonsense("it asked out of turn"))),
        }
    }

    fn introduce(&mut self, hello: &Record) {
        match &self.authentication {
            Authentication::Null if hello.number(tag::AUTH_TYPE) == Some(1) => {
                self.over(Err(EnrolFault::StringWanted));
            }
            Authentication::Null => {
                self.stage = Stage::Answered;
                self.send(self.introduction());
            }
            Authentication::String(string) => {
                let answer = self.introduction().with_text(tag::PASSWORD, string.expose());
                self.stage = Stage::Answered;
                self.send(answer);
            }
            Authentication::Certificate(der) => {
                let mut what = self.device.clone().into_bytes();
                what.push(0);
                what.extend(der);
                self.stage = Stage::Signing;
                self.out.push_back(Output::Sign(what));
            }
        }
    }

    fn introduction(&self) -> Record {
        self.reply(Command::AuthResponse)
            .with(tag::REASON, [OK])
            .with(tag::VERSION, [VERSION])
            .with_text(tag::DEVICE_NAME, &self.device)
    }

    fn key_wanted(&mut self, request: &Record) {
        // Absent means RSA, as before there was another kind.
        let kind = match request.number(tag::KEY_TYPE).unwrap_or(0) {
            0 => {
                let bits = request.number(tag::KEY_SIZE).unwrap_or(LEAST_RSA);
                let fits = (LEAST_RSA..=MOST_RSA).contains(&bits) && bits.is_multiple_of(8);
                u16::try_from(bits).ok().filter(|_| fits).map(KeyKind::Rsa).ok_or(Some(bits))
            }
            1 => match request.number(tag::CURVE).unwrap_or(0) {
                0 => Ok(KeyKind::P256),
                1 => Ok(KeyKind::P384),
                _ => Err(None),
            },
            _ => Err(None),
        };
        match kind {
            Ok(kind) => {
                if matches!(kind, KeyKind::Rsa(bits) if u32::from(bits) >= SLOW_RSA) {
                    self.send(self.reply(Command::InProgress));
                }
                self.stage = Stage::MakingKey;
                self.out.push_back(Output::MakeKey(kind));
            }
            Err(bits) => self.over(Err(EnrolFault::Key(bits))),
        }
    }

    fn store(&mut self, request: &Record) {
        let Some(der) = request.certificate().map(<[u8]>::to_vec) else {
            return self.over(Err(nonsense("it sent no certificate to keep")));
        };
        self.stage = Stage::Keeping;
        self.out.push_back(Output::Keep(der));
    }

    /// For an administrator who looks for trouble. What is answered without a certificate is not
    /// public; the element is left out.
    fn show(&mut self) {
        let answer = self.reply(Command::FetchResponse).with(tag::REASON, [OK]);
        let nested = match &self.authentication {
            Authentication::Certificate(der) => Record::nested(der).ok(),
            Authentication::Null | Authentication::String(_) => None,
        };
        self.stage = Stage::Done;
        self.send(match nested {
            Some(nested) => answer.with(tag::CERTIFICATE_TYPE, [1]).with(tag::CERTIFICATE, nested),
            None => answer,
        });
    }

    fn ended(&mut self, record: &Record) {
        if self.stage == Stage::Done {
            return self.over(Ok(()));
        }
        let by_string = matches!(self.authentication, Authentication::String(_));
        self.over(Err(match record.number(tag::REASON).unwrap_or(0) {
            7 if by_string && self.stage == Stage::Answered => EnrolFault::WrongString,
            0 | 1 | 7 => EnrolFault::NothingPending,
            9 => EnrolFault::UnknownDevice,
            other => EnrolFault::Reason(u8::try_from(other).unwrap_or(u8::MAX)),
        }));
    }

    fn reply(&self, command: Command) -> Record {
        Record::new(command, self.session)
    }

    fn send(&mut self, record: Record) {
        match record.write() {
            Ok(bytes) => self.out.push_back(Output::Send(Secret::new(bytes))),
            Err(error) => self.over(Err(nonsense(in_words(error)))),
        }
    }

    fn over(&mut self, how: Result<(), EnrolFault>) {
        self.stage = Stage::Over;
        self.out.push_back(Output::Over(how));
    }
}

fn nonsense(what: &str) -> EnrolFault {
    EnrolFault::Nonsense(what.to_owned())
}

fn in_words(error: RecordError) -> &'static str {
    match error {
        RecordError::Protocol => "what it sent is no record of the protocol",
        RecordError::Short => "an element reaches past the end of its record",
        RecordError::TooMany => "a record has more elements than make sense",
        RecordError::TooLong => "our answer is longer than a record can be",
    }
}
