//! Carries out what the core wants.

use std::collections::HashMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use offhook_core::{Core, Effect, Event, StoreTag, Tone};
use offhook_media::MediaEngine;
use offhook_model::{CommandError, Notice, Reply, Ticket};
use offhook_net::Net;
use offhook_ports::{Http, StoreAnswer};
use offhook_store::Store;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::desk::AtDesk;
use crate::flows::Flows;
use crate::jobs::Jobs;
use crate::links::Links;
use crate::questions::Questions;

/// Most of a picture that is read, in bytes; the chat machine takes less.
const LARGEST_FILE: u64 = 1024 * 1024 + 1;

/// Where the answer to a command goes.
type Answer = oneshot::Sender<Result<Reply, CommandError>>;

/// Everything effects act on.
pub(crate) struct Hands {
    pub(crate) flows: Flows,
    pub(crate) links: Links,
    pub(crate) jobs: Jobs,
    pub(crate) media: MediaEngine,
    pub(crate) store: Store,
    pub(crate) notices: broadcast::Sender<Notice>,
    pub(crate) events: mpsc::Sender<Event>,
    /// Of the store alone; see [`report`].
    pub(crate) answers: mpsc::Sender<Event>,
    pub(crate) waiting: HashMap<Ticket, Answer>,
    pub(crate) net: Arc<Net>,
    pub(crate) questions: Questions,
    pub(crate) desk: AtDesk,
    pub(crate) quit: bool,
}

impl Hands {
    /// Carries out everything that the core wants at this moment.
    pub(crate) fn carry_out(&mut self, core: &mut Core) {
        while let Some(effect) = core.poll_effect() {
            self.act(effect);
        }
    }

    fn act(&mut self, effect: Effect) {
        match effect {
            Effect::Discover { run, request } => self.flows.discover(run, *request),
            Effect::SignIn { run, request } => self.flows.sign_in(run, *request),
            Effect::Desk { run, control, order } => self.flows.desk(run, control, order),
            Effect::Renew { run, renewal, credentials } => {
                self.flows.renew(run, *renewal, credentials);
            }
            Effect::Cancel(run) => self.flows.cancel(run),
            Effect::XmppOpen { link, plan, earlier } => {
                self.links.open_chat(link, *plan, earlier);
            }
            Effect::XmppSend(link, stanza) => self.links.send_chat(link, *stanza),
            Effect::XmppClose(link) => self.links.close_chat(link),
            Effect::XmppAbandon(link) => self.links.abandon_chat(link),
            Effect::XmppAttention(link, attended) => self.links.attend_chat(link, attended),
            Effect::SipOpen { flow, server, identity, dscp } => {
                if identity.is_some() {
                    self.flows.certified();
                }
                self.links.open_sip(flow, server, identity, dscp);
            }
            Effect::Enrol { run, plan, kept_as } => {
                self.flows.enrol(run, Arc::clone(&self.net), *plan, kept_as);
            }
            Effect::SipSend(flow, bytes) => self.links.send_sip(flow, bytes),
            Effect::SipClose(flow) => self.links.close_sip(flow),
            Effect::MediaReserve { call, ip, range, ice: None } => {
                let ports = self.media.reserve(call, ip, range);
                self.later(Event::Reserved(call, ports));
            }
            Effect::MediaReserve { call, ip, range, ice: Some(ice) } => {
                self.reserve_with_ways(call, (ip, range), *ice);
            }
            Effect::MediaApply(call, plan) => self.media.apply(call, *plan),
            Effect::MediaRelease(call) => self.media.release(call),
            Effect::MediaDtmf(call, digits) => self.media.dtmf(call, &digits),
            Effect::MediaMute(call, muted) => self.media.mute(call, muted),
            Effect::MediaTest(role) => self.media.test(role),
            Effect::MediaReopen => self.media.reopen_input(),
            Effect::MediaTone(tone) => self.media.tone(tone.map(media_tone)),
            Effect::MediaSelect(role, spec) => self.media.select(role, spec),
            Effect::MediaSound(wanted) => self.media.process(wanted),
            Effect::MediaStats(ticket, call) => self.stats(ticket, call),
            Effect::MediaDevices => self.devices(),
            Effect::Transfer(id, order) => self.jobs.order(id, order),
            Effect::TransfersOver => self.jobs.end_all(),
            Effect::Store(tag, request) => {
                let answers = self.answers.clone();
                self.store.submit(request, move |answer| report(&answers, tag, answer));
            }
            Effect::AnswerTrust { id, accept } => self.questions.answer(id, accept),
            Effect::SetTrust { policy, accepted } => self.net.set_trust(policy, &accepted),
            Effect::SetIpMode(mode) => self.net.set_ip_mode(mode),
            Effect::OpenBrowser(url) => open_browser(url),
            Effect::ForgetNames => self.net.forget_names(),
            Effect::ForgetCookies => Http::forget(&*self.net),
            Effect::WatchDesk(after) => self.desk.watch(after),
            Effect::Notify { title, body, about } => {
                self.desk.notify(title, body, about.to_string());
            }
            Effect::FindPeople { run, directory, through, wish, limit } => {
                self.flows.find_people(run, directory, through, *wish, limit);
            }
            Effect::ReadGroup { run, directory, through, id } => {
                self.flows.read_group(run, directory, through, id);
            }
            Effect::FetchPortrait { run, directory, through, id, photo } => {
                self.flows.fetch_portrait(run, directory, through, id, photo);
            }
            Effect::ReadAddressBook { run, plan, since } => {
                self.flows.read_address_book(run, *plan, since, &self.store);
            }
            Effect::ForgetDirectory => self.flows.forget_directory(),
            Effect::ReadCards(what, path) => self.read_cards(what, path),
            Effect::WriteCards(ticket, path, entries) => self.write_cards(ticket, path, entries),
            Effect::ReadPhoto(ticket, path) => self.read_photo(ticket, path),
            Effect::Reply(ticket, answer) => self.answer(ticket, answer),
            Effect::Notice(notice) => {
                // Nobody may be watching; that is no error.
                let _ = self.notices.send(notice);
            }
            Effect::Quit => self.quit = true,
        }
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Reply, CommandError>) {
        if let Some(sender) = self.waiting.remove(&ticket) {
            let _ = sender.send(answer);
        }
    }

    /// The core must not be entered while it is being drained, so the answer takes the queue.
    #[expect(clippy::disallowed_methods, reason = "the engine owns all tasks")]
    fn later(&self, event: Event) {
        let events = self.events.clone();
        if let Err(mpsc::error::TrySendError::Full(event)) = events.try_send(event) {
            tokio::spawn(async move {
                let _ = events.send(event).await;
            });
        }
    }

    /// A file may lie on a slow disk. More than is ever of use is not read.
    fn read_photo(&self, ticket: Ticket, path: PathBuf) {
        let events = self.events.clone();
        tokio::task::spawn_blocking(move || {
            let read = || {
                let mut bytes = Vec::new();
                let file = std::fs::File::open(&path)?;
                file.take(LARGEST_FILE).read_to_end(&mut bytes).map(|_| bytes)
            };
            let read = read().map_err(|error: std::io::Error| error.to_string());
            let _ = events.blocking_send(Event::PhotoFile(ticket, read));
        });
    }

    fn stats(&mut self, ticket: Ticket, call: offhook_model::CallId) {
        let Some(sender) = self.waiting.remove(&ticket) else { return };
        let media = self.media.clone();
        tokio::task::spawn_blocking(move || {
            let _ = sender.send(Ok(Reply::Stats(media.stats(call))));
        });
    }

    /// Asking the system for its devices can take a while.
    fn devices(&self) {
        let (media, events) = (self.media.clone(), self.events.clone());
        tokio::task::spawn_blocking(move || {
            let _ = events.blocking_send(Event::Devices(media.devices()));
        });
    }
}

/// Brings an answer of the store back. The engine waits for the store when its queue is full, so
/// the store must never wait for the engine's other events: answers have a queue of their own that
/// is emptied before anything else, and what nobody asked for is passed over.
fn report(answers: &mpsc::Sender<Event>, tag: StoreTag, answer: StoreAnswer) {
    match (&tag, &answer) {
        (StoreTag::Nothing, StoreAnswer::Kept) => {}
        // One of many alike; it is shown once in any case.
        (StoreTag::Nothing, _) => drop(answers.try_send(Event::Store(tag, answer))),
        (
            StoreTag::Photo(_)
            | StoreTag::People(_)
            | StoreTag::Portrait(..)
            | StoreTag::Loaded
            | StoreTag::Own(_)
            | StoreTag::Password(_)
            | StoreTag::RelayPassword
            | StoreTag::BookPassword
            | StoreTag::Identity(_)
            | StoreTag::OpenChat(_)
            | StoreTag::Older(..)
            | StoreTag::Value(_)
            | StoreTag::Query(_),
            _,
        ) => drop(answers.blocking_send(Event::Store(tag, answer))),
    }
}

/// The browser is another program; starting it may take a while, and its failure is told in the log
/// only: the address is on the screen as well.
fn open_browser(url: String) {
    tokio::task::spawn_blocking(move || {
        if let Err(error) = offhook_platform::open_browser(&url) {
            tracing::warn!(%error, "the browser cannot be opened");
        }
    });
}

fn media_tone(tone: Tone) -> offhook_media::Tone {
    match tone {
        Tone::Ringback => offhook_media::Tone::Ringback,
        Tone::Busy => offhook_media::Tone::Busy,
        Tone::Reorder => offhook_media::Tone::Reorder,
        Tone::Ring => offhook_media::Tone::Ring,
        Tone::Waiting => offhook_media::Tone::Waiting,
    }
}
