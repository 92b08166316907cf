//! A bound stream: stanzas both ways, acknowledgements (XEP-0198), keepalive, and the end.

use std::time::Duration;

use offhook_im::Stanza;
use offhook_model::Fault;
use offhook_ports::Resumption;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;

use crate::faults;
use crate::management::{Management, counted};
use crate::reader::{Item, Reader};
use crate::sign_in::{Bound, Secured};
use crate::wire::{self, Refused};
use crate::{Ending, LinkEvent};

/// After so long without writing, a space keeps middleboxes from forgetting the connection
/// (RFC 6120 section 4.6).
const IDLE: Duration = Duration::from_secs(240);

/// How long the server may take to acknowledge, or the network to take our bytes.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a polite end may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// No stanza is taken from the queue while so many bytes wait to be written.
const BACKLOG: usize = 64 * 1024;

const CHUNK: usize = 16 * 1024;

/// How a session ended.
pub(crate) enum End {
    /// We closed it.
    Closed,
    /// Something closed it, and how to go on with the stream, where that is possible.
    Fault(Fault, Option<Box<Resumption>>),
}

/// What we are told from outside while the stream stands.
pub(crate) struct Told {
    pub(crate) queue: mpsc::Receiver<Stanza>,
    pub(crate) ending: watch::Receiver<Ending>,
    pub(crate) attention: watch::Receiver<bool>,
}

struct Session<'a> {
    events: &'a mpsc::Sender<LinkEvent>,
    reader: Reader,
    /// Bytes to write, from `written` on.
    out: Vec<u8>,
    written: usize,
    flushed: bool,
    management: Option<Management>,
    /// The server wants to know whether anybody looks.
    indication: bool,
    /// The server ended the stream with a word: it cannot be taken up again.
    parted: bool,
    /// Without acknowledgements: ids in `out`.
    in_flight: Vec<String>,
    /// What we wait for by when: bytes to leave, or an acknowledgement.
    due: Option<Instant>,
    idle_since: Instant,
}

/// Runs a bound stream until it ends.
pub(crate) async fn run(bound: Bound, told: &mut Told, events: &mpsc::Sender<LinkEvent>) -> End {
    let (mut from, mut to) = split(bound.stream.io);
    let mut session = Session {
        events,
        reader: bound.stream.reader,
        out: Vec::new(),
        written: 0,
        flushed: true,
        management: bound.management,
        indication: bound.indication,
        parted: false,
        in_flight: Vec::new(),
        due: None,
        idle_since: Instant::now(),
    };
    session.begin(!*told.attention.borrow_and_update());
    let result = session.run(bound.early, &mut from, &mut to, told).await;
    // What is in the queue from here on would be lost; the sender is told so.
    told.queue.close();
    match result {
        Ok(()) => {
            while let Ok(stanza) = told.queue.try_recv() {
                session.put(&stanza);
            }
            let _ = timeout(FAREWELL, session.farewell(&mut from, &mut to)).await;
            End::Closed
        }
        Err(fault) if session.may_go_on(&fault) => {
            // A word of farewell would end the stream for good (XEP-0198 section 5).
            while let Ok(stanza) = told.queue.try_recv() {
                session.put(&stanza);
            }
            let resumption = session.management.and_then(|it| it.interrupted(bound.jid));
            End::Fault(fault, resumption)
        }
        Err(fault) => {
            let word = faults::farewell(&fault);
            let _ = timeout(FAREWELL, async {
                let _ = to.write_all(word.as_bytes()).await;
                to.shutdown().await
            })
            .await;
            End::Fault(fault, None)
        }
    }
}

impl Session<'_> {
    /// What a resumed stream owes the server, and whether anybody looks: it forgets that.
    fn begin(&mut self, unattended: bool) {
        if let Some(management) = &self.management {
            let owed: Vec<u8> = management.unacknowledged().flatten().copied().collect();
            if !owed.is_empty() {
                self.write(&owed);
                self.ask();
            }
        }
        if unattended {
            self.indicate(false);
        }
    }

    /// The stream may be taken up again: nobody ended it with a word, and what came on it was sound.
    fn may_go_on(&self, fault: &Fault) -> bool {
        let broken = matches!(
            fault,
            Fault::Closed | Fault::AnswerTimeout | Fault::Unreachable(_) | Fault::Tls(_)
        );
        broken && !self.parted
    }

    /// Ends well when we are to close.
    async fn run(
        &mut self,
        early: Vec<Element>,
        from: &mut ReadHalf<Secured>,
        to: &mut WriteHalf<Secured>,
        told: &mut Told,
    ) -> Result<(), Fault> {
        let Told { queue, ending, attention } = told;
        for element in early {
            self.take(element).await?;
        }
        let mut chunk = vec![0; CHUNK];
        loop {
            self.read_all().await?;
            let pending = self.out.get(self.written..).unwrap_or_default();
            let backlog = pending.len();
            let next_idle = self.idle_since + IDLE;
            let open = backlog < BACKLOG && !self.management.as_ref().is_some_and(|m| m.is_full());
            tokio::select! {
                count = from.read(&mut chunk) => {
                    let count = count.map_err(|error| faults::io(&error))?;
                    match chunk.get(..count) {
                        Some(bytes) if count > 0 => self.reader.feed(bytes),
                        Some(_) | None => return Err(Fault::Closed),
                    }
                }
                count = push(to, pending), if !self.flushed => {
                    self.wrote(count.map_err(|error| faults::io(&error))?).await?;
                }
                stanza = queue.recv(), if open => match stanza {
                    Some(stanza) => {
                        self.put(&stanza);
                        while self.out.len() < BACKLOG && let Ok(more) = queue.try_recv() {
                            self.put(&more);
                        }
                        self.ask();
                    }
                    None => return Ok(()),
                },
                how = told_to_end(ending) => match how {
                    Ending::Abrupt => return Err(Fault::Closed),
                    Ending::None | Ending::Polite => return Ok(()),
                },
                Ok(()) = attention.changed(), if self.indication => {
                    let attended = *attention.borrow_and_update();
                    self.indicate(attended);
                }
                () = sleep_until(self.due.unwrap_or(next_idle)), if self.due.is_some() => {
                    return Err(Fault::AnswerTimeout);
                }
                () = sleep_until(next_idle), if self.due.is_none() => self.write(b" "),
            }
        }
    }

    async fn read_all(&mut self) -> Result<(), Fault> {
        while let Some(item) = self.reader.next()? {
            match item {
                Item::Element(element) => self.take(element).await?,
                Item::Refused(head, fault) => self.pass_over(&head, fault).await?,
                Item::Closed => {
                    self.parted = true;
                    return Err(Fault::Closed);
                }
                Item::Opened => return Err(Fault::Nonsense("a second stream header".into())),
            }
        }
        Ok(())
    }

    async fn take(&mut self, element: Element) -> Result<(), Fault> {
        if element.is("error", ns::STREAM) {
            self.parted = true;
            return Err(faults::stream_error(&element));
        }
        if element.has_ns(ns::SM) {
            return self.managed(&element).await;
        }
        if !wire::is_stanza(&element) {
            tracing::debug!(name = element.name(), "unknown element passed over");
            return Ok(());
        }
        if let Some(management) = &mut self.management {
            management.received = management.received.wrapping_add(1);
        }
        match wire::read(element) {
            Ok(stanza) => {
                tracing::trace!(name = stanza.name(), "stanza received");
                self.tell(LinkEvent::Stanza(stanza)).await
            }
            Err(refusal) => {
                tracing::debug!("unreadable stanza passed over");
                if let Some(refusal) = refusal {
                    self.put(&refusal);
                }
                Ok(())
            }
        }
    }

    /// A stanza that was not read: it counts as taken, so that the server does not bring it again,
    /// and whoever waits for it hears that it failed.
    async fn pass_over(&mut self, head: &Element, fault: Fault) -> Result<(), Fault> {
        if !wire::is_stanza(head) {
            return Ok(());
        }
        if let Some(management) = &mut self.management {
            management.received = management.received.wrapping_add(1);
        }
        match wire::refused(head) {
            Refused::Question(answer) => self.put(&answer),
            Refused::Answer(failed) => self.tell(LinkEvent::Stanza(*failed)).await?,
            Refused::Word => {}
        }
        let what = head.name().to_owned();
        tracing::warn!(what, "a stanza beyond all measure was passed over");
        self.tell(LinkEvent::Refused { what, fault }).await
    }

    async fn managed(&mut self, element: &Element) -> Result<(), Fault> {
        let Some(management) = &mut self.management else {
            return Ok(());
        };
        if element.name() == "r" {
            let answer = format!("<a xmlns='{}' h='{}'/>", ns::SM, management.received);
            self.write(answer.as_bytes());
            return Ok(());
        }
        if element.name() != "a" {
            return Ok(());
        }
        let count = counted(element)
            .ok_or_else(|| Fault::Nonsense("an acknowledgement without a number".into()))?;
        let ids = management.acknowledge(count)?;
        self.due = (!self.flushed).then(|| Instant::now() + PATIENCE);
        self.ask();
        for id in ids {
            self.tell(LinkEvent::Acked(id)).await?;
        }
        Ok(())
    }

    /// Asks for an acknowledgement where something is outstanding and none is asked for.
    fn ask(&mut self) {
        let Some(management) = &mut self.management else {
            return;
        };
        if management.is_owed() && !management.asked {
            management.asked = true;
            let request = format!("<r xmlns='{}'/>", ns::SM);
            self.write(request.as_bytes());
        }
    }

    fn put(&mut self, stanza: &Stanza) {
        let Some(bytes) = wire::write(stanza) else {
            tracing::warn!(name = stanza.name(), "stanza cannot be written and is dropped");
            return;
        };
        tracing::trace!(name = stanza.name(), bytes = bytes.len(), "stanza sent");
        let id = stanza.id().map(str::to_owned);
        match &mut self.management {
            Some(management) => management.sent(id, &bytes),
            None => self.in_flight.extend(id),
        }
        self.write(&bytes);
    }

    /// Tells the server whether anybody looks (XEP-0352 section 4); no stanza, so not counted.
    fn indicate(&mut self, attended: bool) {
        if self.indication {
            let word = if attended { "active" } else { "inactive" };
            self.write(format!("<{word} xmlns='urn:xmpp:csi:0'/>").as_bytes());
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.out.drain(..self.written);
        self.written = 0;
        self.out.extend_from_slice(bytes);
        self.flushed = false;
        self.idle_since = Instant::now();
        if self.due.is_none() {
            self.due = Some(self.idle_since + PATIENCE);
        }
    }

    /// `count` bytes went out, or everything did and was flushed.
    async fn wrote(&mut self, count: Option<usize>) -> Result<(), Fault> {
        let Some(count) = count else {
            self.flushed = true;
            self.out.clear();
            self.written = 0;
            if !self.management.as_ref().is_some_and(|m| m.asked) {
                self.due = None;
            }
            for id in std::mem::take(&mut self.in_flight) {
                self.tell(LinkEvent::Acked(id)).await?;
            }
            return Ok(());
        };
        if count == 0 {
            return Err(Fault::Closed);
        }
        self.written += count;
        self.due = Some(Instant::now() + PATIENCE);
        Ok(())
    }

    async fn tell(&self, event: LinkEvent) -> Result<(), Fault> {
        // Nobody listens: the same as being told to close.
        self.events.send(event).await.map_err(|_| Fault::Closed)
    }

    /// Asks for the last acknowledgement, says goodbye, and takes what comes until the server
    /// does too.
    async fn farewell(
        &mut self,
        from: &mut ReadHalf<Secured>,
        to: &mut WriteHalf<Secured>,
    ) -> Result<(), Fault> {
        let managed = self.management.as_ref();
        if managed.is_some_and(Management::is_owed) {
            let request = format!("<r xmlns='{}'/>", ns::SM);
            self.write(request.as_bytes());
        }
        self.write(b"</stream:stream>");
        while !self.flushed {
            let pending = self.out.get(self.written..).unwrap_or_default();
            let count = push(to, pending).await.map_err(|e| faults::io(&e))?;
            self.wrote(count).await?;
        }
        let mut chunk = vec![0; CHUNK];
        // The end of the stream comes as a fault.
        while self.read_all().await.is_ok() {
            let count = from.read(&mut chunk).await.map_err(|e| faults::io(&e))?;
            match chunk.get(..count) {
                Some(bytes) if count > 0 => self.reader.feed(bytes),
                Some(_) | None => break,
            }
        }
        to.shutdown().await.map_err(|e| faults::io(&e))
    }
}

/// Writes some bytes, or flushes when there are none. Nothing is lost when it is dropped.
async fn push(to: &mut WriteHalf<Secured>, pending: &[u8]) -> std::io::Result<Option<usize>> {
    if pending.is_empty() {
        to.flush().await?;
        return Ok(None);
    }
    to.write(pending).await.map(Some)
}

/// How the link is told to end. Politely too when nobody is left to tell it.
pub(crate) async fn told_to_end(ending: &mut watch::Receiver<Ending>) -> Ending {
    match ending.wait_for(|ending| *ending != Ending::None).await {
        Ok(how) => *how,
        Err(_) => Ending::Polite,
    }
}
