//! One transfer's job: takes orders in turn, and works on one thing at a time beside listening.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use offhook_ports::{Carrier, Place, TransferFact, TransferOrder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::disk::{self, Reading, Writing};
use super::web::{Fetch, Fetched};
use super::{CHUNK, Meter, socks, web};
use crate::Net;

/// How long the receiver's connection is waited for once it says that it has one.
const CALLER: Duration = Duration::from_secs(15);

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// How a piece of work ended.
pub(super) struct Outcome {
    pub(super) fact: TransferFact,
    /// What was received, whole or not.
    pub(super) part: Option<Writing>,
}

/// The state of a job.
pub(super) struct Job {
    net: Arc<Net>,
    downloads: PathBuf,
    facts: mpsc::Sender<TransferFact>,
    /// The file to be sent, with its size.
    source: Option<(PathBuf, u64)>,
    reading: Option<Reading>,
    writing: Option<Writing>,
    /// Where what is received is to go.
    place: Option<Place>,
    /// What is received lies there until it has its name.
    partial: Option<PathBuf>,
    /// The server of the download can go on where it stopped.
    resumable: bool,
    listening: Option<Work<Option<TcpStream>>>,
    accepted: Option<TcpStream>,
    dialling: Option<Work<Option<(usize, TcpStream)>>>,
    dialled: Option<TcpStream>,
    work: Option<Work<Outcome>>,
    /// Sending begins when the receiver is here.
    awaited: bool,
}

enum Step {
    Order(Option<TransferOrder>),
    Accepted(Option<TcpStream>),
    Dialled(Option<(usize, TcpStream)>),
    Worked(Box<Outcome>),
}

impl Job {
    pub(super) fn new(
        net: Arc<Net>,
        downloads: PathBuf,
        facts: mpsc::Sender<TransferFact>,
    ) -> Self {
        Self {
            net,
            downloads,
            facts,
            source: None,
            reading: None,
            writing: None,
            place: None,
            partial: None,
            resumable: false,
            listening: None,
            accepted: None,
            dialling: None,
            dialled: None,
            work: None,
            awaited: false,
        }
    }

    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<TransferOrder>) {
        loop {
            let step = tokio::select! {
                order = orders.recv() => Step::Order(order),
                caller = ready(&mut self.listening) => Step::Accepted(caller),
                place = ready(&mut self.dialling) => Step::Dialled(place),
                outcome = ready(&mut self.work) => Step::Worked(Box::new(outcome)),
            };
            match step {
                Step::Order(None | Some(TransferOrder::End)) => break,
                Step::Order(Some(order)) => self.act(order).await,
                Step::Accepted(caller) => {
                    self.listening = None;
                    self.accepted = caller;
                    self.tell(TransferFact::Accepted).await;
                    if std::mem::take(&mut self.awaited) {
                        self.work = None;
                        self.send(Carrier::Accepted).await;
                    }
                }
                Step::Dialled(place) => {
                    self.dialling = None;
                    let number = place.as_ref().map(|(number, _)| *number);
                    self.dialled = place.map(|(_, stream)| stream);
                    self.tell(number.map_or(TransferFact::NotDialled, TransferFact::Dialled)).await;
                }
                Step::Worked(outcome) => {
                    self.work = None;
                    self.writing = outcome.part.or(self.writing.take());
                    self.tell(outcome.fact).await;
                }
            }
        }
        // What has its name is not here any more; the rest is nobody's.
        self.remove_part().await;
    }

    async fn act(&mut self, order: TransferOrder) {
        match order {
            TransferOrder::Look(path) => self.look(path).await,
            // The engine takes pictures, and says where the picture lies.
            TransferOrder::Capture { .. } | TransferOrder::End => {}
            TransferOrder::Put { url, headers, media_type } => {
                let Some((path, size)) = self.source.clone() else { return };
                let meter = Meter::new(self.facts.clone(), 0);
                let put = web::Put { url, headers, media_type, path, size };
                let net = Arc::clone(&self.net);
                self.work = Some(Box::pin(async move {
                    let stalled = Err(web::STALLED.to_owned());
                    let fact = meter.watch(web::put(&net, put, &meter), stalled).await;
                    let fact = fact.map(|()| TransferFact::Sent { sha256: None });
                    Outcome { fact: fact.unwrap_or_else(failed), part: None }
                }));
            }
            TransferOrder::Head(url) => {
                let net = Arc::clone(&self.net);
                self.work = Some(Box::pin(async move {
                    let fact = TransferFact::Size(web::head(&net, &url).await);
                    Outcome { fact, part: None }
                }));
            }
            TransferOrder::Get { url, place, limit } => self.get(url, place, limit).await,
            TransferOrder::Listen { toward, key } => {
                let listener = socks::listen(&self.net, &toward).await;
                let at = listener.as_ref().and_then(|it| it.local_addr().ok());
                self.listening =
                    listener.map(|listener| Box::pin(socks::accept(listener, key)) as Work<_>);
                self.tell(TransferFact::Listening(at)).await;
            }
            TransferOrder::Dial { hosts, key } => {
                let net = Arc::clone(&self.net);
                self.dialling = Some(Box::pin(socks::dial(net, hosts, key)));
            }
            TransferOrder::Send(carrier) => self.send(carrier).await,
            TransferOrder::Receive { carrier, place, size } => {
                self.receive(carrier, place, size).await;
            }
            TransferOrder::ReadBlock(most) => self.read_block(most).await,
            TransferOrder::WriteBlock { bytes, place, size } => {
                self.write_block(&bytes, place, size).await;
            }
            TransferOrder::Keep => self.keep().await,
            TransferOrder::Stop { resumable } => {
                (self.work, self.listening, self.dialling) = (None, None, None);
                (self.accepted, self.dialled, self.reading) = (None, None, None);
                self.awaited = false;
                self.writing = None;
                if !(resumable && self.resumable) {
                    self.remove_part().await;
                }
            }
        }
    }

    async fn tell(&mut self, fact: TransferFact) {
        // Nobody listens when the program ends.
        let _ = self.facts.send(fact).await;
    }

    async fn fail(&mut self, why: String) {
        self.tell(failed(why)).await;
    }

    async fn look(&mut self, path: PathBuf) {
        match tokio::fs::metadata(&path).await {
            Ok(about) if about.is_file() => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let size = about.len();
                self.source = Some((path, size));
                self.tell(TransferFact::Looked { name, size }).await;
            }
            Ok(_) => {
                self.fail("This is a folder or a device, no file. Choose a file.".to_owned()).await;
            }
            Err(error) => self.fail(disk::words(&error, true)).await,
        }
    }

    fn folder(&self, place: &Place) -> PathBuf {
        place.folder.clone().unwrap_or_else(|| self.downloads.clone())
    }

    async fn begin(&mut self, place: &Place) -> Option<Writing> {
        let folder = self.folder(place);
        self.place = Some(place.clone());
        match Writing::begin(&folder, &place.name).await {
            Ok(writing) => {
                self.partial = Some(writing.path().to_owned());
                Some(writing)
            }
            Err(error) => {
                self.fail(disk::words(&error, false)).await;
                None
            }
        }
    }

    async fn get(&mut self, url: String, place: Place, limit: u64) {
        let earlier = match self.partial.clone() {
            Some(path) => Writing::resume(path).await.ok(),
            None => None,
        };
        let Some(writing) = (match earlier {
            Some(writing) => Some(writing),
            None => self.begin(&place).await,
        }) else {
            return;
        };
        self.place = Some(place);
        // A break is worth going on from until the server shows that it cannot.
        self.resumable = true;
        let net = Arc::clone(&self.net);
        let meter = Meter::new(self.facts.clone(), writing.size);
        self.work = Some(Box::pin(async move {
            let fetch = Fetch { url, limit, into: writing };
            let stalled = Fetched { outcome: Err(web::STALLED.to_owned()), into: None };
            let fetched = meter.watch(web::get(&net, fetch, &meter), stalled).await;
            let fact = match (&fetched.outcome, &fetched.into) {
                (Ok(()), Some(file)) => {
                    TransferFact::Received { size: file.size, sha256: file.sum() }
                }
                (Ok(()), None) => failed(web::STALLED.to_owned()),
                (Err(why), _) => failed(why.clone()),
            };
            Outcome { fact, part: fetched.into }
        }));
    }

    fn carrier(&mut self, carrier: Carrier) -> Option<TcpStream> {
        match carrier {
            Carrier::Accepted => self.accepted.take(),
            Carrier::Dialled => self.dialled.take(),
        }
    }

    async fn send(&mut self, carrier: Carrier) {
        let Some((path, size)) = self.source.clone() else { return };
        let Some(stream) = self.carrier(carrier) else {
            return self.await_caller(carrier).await;
        };
        // The connections that were not chosen are closed.
        (self.listening, self.accepted, self.dialled) = (None, None, None);
        let meter = Meter::new(self.facts.clone(), 0);
        self.work = Some(Box::pin(async move {
            let work = async {
                match send_all(stream, &path, size, &meter).await {
                    Ok(sum) => TransferFact::Sent { sha256: Some(sum) },
                    Err(why) => failed(why),
                }
            };
            let fact = meter.watch(work, failed(web::STALLED.to_owned())).await;
            Outcome { fact, part: None }
        }));
    }

    /// Their word can be quicker than their connection.
    async fn await_caller(&mut self, carrier: Carrier) {
        if carrier == Carrier::Dialled || self.listening.is_none() {
            return self.fail(BROKEN.to_owned()).await;
        }
        self.awaited = true;
        self.work = Some(Box::pin(async {
            tokio::time::sleep(CALLER).await;
            Outcome { fact: failed(BROKEN.to_owned()), part: None }
        }));
    }

    async fn receive(&mut self, carrier: Carrier, place: Place, size: u64) {
        let Some(mut stream) = self.carrier(carrier) else {
            return self.fail(BROKEN.to_owned()).await;
        };
        let Some(mut writing) = self.begin(&place).await else { return };
        let meter = Meter::new(self.facts.clone(), 0);
        self.work = Some(Box::pin(async move {
            let work = receive_all(&mut stream, &mut writing, size, &meter);
            let outcome = meter.watch(work, Err(web::STALLED.to_owned())).await;
            let fact = match outcome {
                Ok(()) => TransferFact::Received { size: writing.size, sha256: writing.sum() },
                Err(why) => failed(why),
            };
            Outcome { fact, part: Some(writing) }
        }));
    }

    async fn read_block(&mut self, most: usize) {
        let Some((path, size)) = self.source.clone() else { return };
        if self.reading.is_none() {
            match Reading::open(&path, size).await {
                Ok(reading) => self.reading = Some(reading),
                Err(error) => return self.fail(disk::words(&error, true)).await,
            }
        }
        let Some(reading) = &mut self.reading else { return };
        match reading.next(most).await {
            Ok(bytes) => {
                let sha256 = bytes.is_empty().then(|| reading.sum());
                self.tell(TransferFact::Block { bytes, sha256 }).await;
            }
            Err(error) => self.fail(disk::words(&error, true)).await,
        }
    }

    async fn write_block(&mut self, bytes: &[u8], place: Place, size: u64) {
        if self.writing.is_none() {
            let Some(writing) = self.begin(&place).await else { return };
            self.writing = Some(writing);
        }
        let Some(writing) = &mut self.writing else { return };
        let mut written = writing.write(bytes).await;
        let whole = writing.size >= size;
        if whole && written.is_ok() {
            written = writing.finish().await;
        }
        let (done, sum) = (writing.size, writing.sum());
        match written {
            Ok(()) => self.tell(TransferFact::Written(done)).await,
            Err(error) => return self.fail(disk::words(&error, false)).await,
        }
        if whole {
            self.tell(TransferFact::Received { size: done, sha256: sum }).await;
        }
    }

    async fn keep(&mut self) {
        self.writing = None;
        let (Some(part), Some(place)) = (self.partial.clone(), self.place.clone()) else {
            return;
        };
        match disk::keep(&part, &self.folder(&place), &place.name).await {
            Ok(path) => {
                self.partial = None;
                self.tell(TransferFact::Kept(path)).await;
            }
            Err(error) => self.fail(disk::words(&error, false)).await,
        }
    }

    async fn remove_part(&mut self) {
        self.writing = None;
        if let Some(path) = self.partial.take() {
            // It may have been removed by hand.
            let _ = tokio::fs::remove_file(path).await;
        }
    }
}

const BROKEN: &str = "The connection between the two programs broke off. Send the file again.";

fn failed(why: String) -> TransferFact {
    TransferFact::Failed { why, again: true }
}

/// Waits for work that is there; for ever where there is none.
async fn ready<T>(work: &mut Option<Work<T>>) -> T {
    match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    }
}

async fn send_all(
    mut stream: TcpStream,
    path: &Path,
    size: u64,
    meter: &Meter,
) -> Result<[u8; 32], String> {
    let mut reading = Reading::open(path, size).await.map_err(|error| disk::words(&error, true))?;
    loop {
        let bytes = reading.next(CHUNK).await.map_err(|error| disk::words(&error, true))?;
        if bytes.is_empty() {
            break;
        }
        stream.write_all(&bytes).await.map_err(|_| BROKEN.to_owned())?;
        meter.add(bytes.len());
    }
    // The receiver closes when it has everything; a program that closes earlier than it reads would
    // lose what is still on its way.
    stream.shutdown().await.map_err(|_| BROKEN.to_owned())?;
    Ok(reading.sum())
}

async fn receive_all(
    stream: &mut TcpStream,
    writing: &mut Writing,
    size: u64,
    meter: &Meter,
) -> Result<(), String> {
    let mut bytes = vec![0; CHUNK];
    while writing.size < size {
        let want = usize::try_from(size - writing.size).unwrap_or(CHUNK).min(CHUNK);
        let Some(room) = bytes.get_mut(..want) else { break };
        let read = stream.read(room).await.map_err(|_| BROKEN.to_owned())?;
        let Some(read) = bytes.get(..read).filter(|it| !it.is_empty()) else {
            return Err(BROKEN.to_owned());
        };
        writing.write(read).await.map_err(|error| disk::words(&error, false))?;
        meter.add(read.len());
    }
    writing.finish().await.map_err(|error| disk::words(&error, false))
}
