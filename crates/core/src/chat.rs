//! The chat side of a session: the machine that knows roster and conversations, and the link it
//! speaks over. When it is opened again is decided in `reviving`.

use std::time::{Duration, Instant};

use offhook_im::{Im, Output, Stanza};
use offhook_model::{
    Availability, CommandError, Endpoint, ErrorCode, Fault, Jid, Link, Message, MessageId, Moment,
    NoticeBody, Owner, PhotoId, Presence, Problem, ServiceState, ServiceStatus, Ticket,
};
use offhook_ports::{
    Loaded, Resumption, StoreAnswer, StoreRequest, XmppAuth, XmppPlan, XmppServer,
};

use crate::event::XmppEvent;
use crate::failover::{Failover, State};
use crate::history::Early;
use crate::resuming::{Abandoned, Earlier};
use crate::reviving::fault_is_final;
use crate::standing::ServiceVerdict;
use crate::{Core, Effect, LinkId, RunId, StoreTag};

/// A link that stood so long was a good one: after it, pauses begin anew. One that breaks sooner
/// is no reason to hurry.
const SETTLED: Duration = Duration::from_secs(30);

/// Where the link stands.
#[derive(Debug)]
pub(crate) enum LinkState {
    /// No chat account, or given up.
    Off,
    /// Being opened.
    Opening(LinkId),
    /// Open.
    Online(LinkId),
    /// Lost; the next attempt comes then.
    Pausing(Instant),
    /// A new one-time password is being asked for.
    Renewing(RunId),
    /// Not tried until the network or the session says so.
    Parked,
    /// Being closed by us.
    Closing(LinkId),
}

/// The chat side.
pub struct ChatSide {
    pub(crate) im: Option<Im>,
    pub(crate) plan: Option<XmppPlan>,
    pub(crate) link: LinkState,
    pub(crate) attempts: u32,
    pub(crate) online_since: Option<Instant>,
    seed: u64,
    presence: Presence,
    /// A new sign-in was made for its sake since it worked the last time.
    pub(crate) anew: bool,
    /// What is waited for, where it is more than a pause.
    pub(crate) waiting: Option<String>,
    /// A stream that broke and may go on.
    pub(crate) earlier: Option<Earlier>,
    /// A link that still has such a stream.
    pub(crate) abandoned: Option<Abandoned>,
    /// The stream was taken up again, and something came on it since.
    pub(crate) carried: bool,
    /// The way back after a server was lost, while it is gone.
    pub(crate) failover: Option<Failover>,
    /// The user asked for the next attempt, and nothing more was tried by itself before.
    pub(crate) by_user: Option<bool>,
    /// What came before the history was read, while that is waited for.
    pub(crate) early: Option<Early>,
    /// Messages of which their writers hear when the store has them.
    pub(crate) unkept: Vec<(MessageId, Ticket)>,
    resumed: bool,
}

impl ChatSide {
    /// Nobody signed in.
    pub fn new(seed: u64) -> Self {
        let presence = Presence { availability: Availability::Available, ..Presence::default() };
        Self {
            im: None,
            plan: None,
            link: LinkState::Off,
            attempts: 0,
            online_since: None,
            seed,
            presence,
            anew: false,
            waiting: None,
            earlier: None,
            abandoned: None,
            carried: false,
            failover: None,
            by_user: None,
            early: None,
            unkept: Vec::new(),
            resumed: false,
        }
    }

    /// The machine, when somebody is signed in to chat.
    ///
    /// # Errors
    /// Nobody is; `what` is what the user wanted.
    pub fn machine(&mut self, what: &str) -> Result<&mut Im, CommandError> {
        self.im.as_mut().ok_or_else(|| CommandError::not_signed_in(what))
    }

    /// The machine, while there is a connection.
    ///
    /// # Errors
    /// Nobody is signed in to chat, or the connection is not there at this moment.
    pub fn connected(&mut self, what: &str) -> Result<&mut Im, CommandError> {
        let online = matches!(self.link, LinkState::Online(_));
        let im = self.machine(what)?;
        if online { Ok(im) } else { Err(not_connected(what)) }
    }

    /// The machine, for looking.
    pub fn im(&self) -> Option<&Im> {
        self.im.as_ref()
    }

    /// What we tell others.
    pub fn presence(&self) -> Presence {
        self.im.as_ref().map_or_else(Presence::default, |im| im.own_presence().clone())
    }

    /// Changes own availability and note.
    ///
    /// # Errors
    /// Nobody is signed in to chat.
    pub fn set_presence(
        &mut self,
        availability: Availability,
        note: Option<String>,
        now: Moment,
    ) -> Result<(), CommandError> {
        let note = note.filter(|note| !note.trim().is_empty());
        self.machine("Changing availability")?.set_presence(availability, note.clone(), now);
        self.presence = Presence { availability, activity: None, note };
        Ok(())
    }

    /// What the user wants others to see, whoever tells them.
    pub fn wished_presence(&self) -> Presence {
        self.presence.clone()
    }

    /// The user's availability where the account has no chat.
    pub(crate) fn wish_presence(&mut self, availability: Availability, note: Option<String>) {
        let note = note.filter(|note| !note.trim().is_empty());
        self.presence = Presence { availability, activity: None, note };
    }

    /// The account's history was read.
    pub fn loaded(&mut self, loaded: Loaded) {
        if let Some(im) = &mut self.im {
            im.loaded(loaded);
        }
    }

    /// Stored messages for a conversation on the screen.
    pub fn open_chat(&mut self, with: Jid, items: Vec<Message>, more: bool) {
        if let Some(im) = &mut self.im {
            im.open_chat(with, items, more);
        }
    }

    /// A picture was read, or is not kept.
    pub(crate) fn photo_read(&mut self, id: PhotoId, answer: StoreAnswer, now: Moment) {
        if let Some(im) = &mut self.im {
            let bytes = match answer {
                StoreAnswer::Photo(_, bytes) => bytes,
                // A store that cannot keep pictures says so; they are fetched each time.
                _ => None,
            };
            im.photo_read(id, bytes, now);
        }
    }

    /// Stored messages older than those of a conversation on the screen.
    pub fn older_read(
        &mut self,
        with: &Jid,
        before: Option<&MessageId>,
        items: Vec<Message>,
        more: bool,
    ) {
        if let Some(im) = &mut self.im {
            im.older_read(with, before, items, more);
        }
    }

    /// When something is due.
    pub fn next_timeout(&self) -> Option<Instant> {
        let pause = match self.link {
            LinkState::Pausing(until) => Some(until),
            LinkState::Off
            | LinkState::Opening(_)
            | LinkState::Online(_)
            | LinkState::Renewing(_)
            | LinkState::Parked
            | LinkState::Closing(_) => None,
        };
        let machine = self.im.as_ref().and_then(Im::next_timeout);
        let early = self.early.as_ref().and_then(|early| early.until);
        [pause, machine, self.stream_timeout(), early].into_iter().flatten().min()
    }

    /// It waits for the session.
    pub(crate) fn is_parked(&self) -> bool {
        matches!(self.link, LinkState::Parked)
    }

    /// Nothing is left to close.
    pub fn is_closed(&self) -> bool {
        match self.link {
            LinkState::Off | LinkState::Pausing(_) | LinkState::Renewing(_) | LinkState::Parked => {
                true
            }
            LinkState::Opening(_) | LinkState::Online(_) | LinkState::Closing(_) => false,
        }
    }

    /// The run that asks for a new one-time password, if one does.
    pub fn renewing(&self) -> Option<RunId> {
        match self.link {
            LinkState::Renewing(run) => Some(run),
            LinkState::Off
            | LinkState::Opening(_)
            | LinkState::Online(_)
            | LinkState::Pausing(_)
            | LinkState::Parked
            | LinkState::Closing(_) => None,
        }
    }

    fn is_current(&self, link: LinkId) -> bool {
        match self.link {
            LinkState::Opening(current)
            | LinkState::Online(current)
            | LinkState::Closing(current) => current == link,
            LinkState::Off | LinkState::Pausing(_) | LinkState::Renewing(_) | LinkState::Parked => {
                false
            }
        }
    }
}

impl Core {
    /// Begins to chat in a new session, or goes on over another way.
    pub(crate) fn start_chat(&mut self, plan: XmppPlan, now: Moment) {
        self.park_chat(now);
        (self.chat.attempts, self.chat.failover) = (0, None);
        if self.chat.im.is_some()
            && self.chat.plan.as_ref().is_some_and(|old| old.jid.bare() == plan.jid.bare())
        {
            return self.open_link(plan);
        }
        self.chat.earlier = None;
        let seed = self.chat.seed ^ self.chance.next();
        let mut im = Im::new(plan.jid.clone(), seed, now);
        im.encrypt_with((self.entropy)());
        let Presence { availability, note, .. } = self.chat.presence.clone();
        im.set_presence(availability, note, now);
        self.people.introduce(&mut im, now);
        self.chat.im = Some(im);
        self.start_files(plan.jid.bare(), now);
        self.configure_chat(now);
        self.open_link(plan);
    }

    pub(crate) fn open_link(&mut self, plan: XmppPlan) {
        self.chat.plan = Some(plan.clone());
        if self.wait_for_stream() {
            return;
        }
        let link = self.next_link();
        self.chat.link = LinkState::Opening(link);
        self.session.services.im.state = ServiceState::Connecting;
        if let Some(server) = plan.servers.first() {
            self.session.services.im.address = Some(server.endpoint().to_string());
        }
        self.session.services.im.protocol = Some("XMPP".into());
        let earlier = self.take_stream();
        self.out.push_back(Effect::XmppOpen { link, plan: Box::new(plan), earlier });
    }

    /// Closes the link; the machine stays until [`Core::drop_chat`].
    pub(crate) fn stop_chat(&mut self, now: Moment) {
        self.wait_no_more();
        self.chat.earlier = None;
        match self.chat.link {
            LinkState::Opening(link) | LinkState::Online(link) => {
                if let Some(im) = &mut self.chat.im {
                    im.offline(now);
                }
                self.out.push_back(Effect::XmppClose(link));
                self.chat.link = LinkState::Closing(link);
            }
            LinkState::Renewing(run) => {
                self.out.push_back(Effect::Cancel(run));
                self.chat.link = LinkState::Off;
            }
            LinkState::Off | LinkState::Pausing(_) | LinkState::Parked => {
                self.chat.link = LinkState::Off;
            }
            LinkState::Closing(_) => {}
        }
    }

    /// Forgets roster and conversations.
    pub(crate) fn drop_chat(&mut self) {
        match self.chat.link {
            LinkState::Opening(link) | LinkState::Online(link) | LinkState::Closing(link) => {
                self.out.push_back(Effect::XmppClose(link));
            }
            LinkState::Renewing(run) => self.out.push_back(Effect::Cancel(run)),
            LinkState::Off | LinkState::Pausing(_) | LinkState::Parked => {}
        }
        self.chat.im = None;
        self.drop_files();
        self.chat.plan = None;
        self.chat.earlier = None;
        self.chat.abandoned = None;
        self.chat.link = LinkState::Off;
    }

    pub(crate) fn xmpp(&mut self, link: LinkId, event: XmppEvent, now: Moment) {
        let abandoned = self.chat.is_abandoned(link);
        if !self.chat.is_current(link) && !abandoned {
            return;
        }
        if matches!(event, XmppEvent::Failed { .. } | XmppEvent::Offline { .. } | XmppEvent::Closed)
        {
            self.catch_up(now);
        }
        match event {
            XmppEvent::Online { resumed, .. } if abandoned => self.abandoned_is_online(resumed),
            XmppEvent::Online { jid, resumed, server, tls } => {
                self.chat_online(link, jid, resumed, &server, tls, now);
            }
            XmppEvent::Stanza(stanza) => {
                self.chat.carried |= self.chat.resumed;
                self.stanza_came(*stanza, now);
            }
            XmppEvent::Refused { what, fault } => {
                self.chat.carried |= self.chat.resumed;
                self.toast(Problem::beyond_measure(&what, &fault), now);
            }
            XmppEvent::Acked(id) => {
                if let Some(im) = &mut self.chat.im {
                    im.acknowledged(&id, now);
                }
            }
            XmppEvent::Failed { resumption, .. } | XmppEvent::Offline { resumption, .. }
                if abandoned =>
            {
                self.abandoned_is_over(resumption, now);
            }
            XmppEvent::Closed if abandoned => self.abandoned_is_over(None, now),
            XmppEvent::Failed { at, fault, resumption } => {
                self.put_stream_back(resumption, now);
                self.chat_lost(&at, &fault, None, now);
            }
            XmppEvent::Offline { at, fault, resumption } => {
                self.chat_lost(&at, &fault, resumption, now);
            }
            XmppEvent::Closed => {
                self.chat.link = LinkState::Off;
                self.session.services.im = ServiceStatus::default();
            }
        }
    }

    pub(crate) fn take_stanza(&mut self, stanza: Stanza, now: Moment) {
        if !self.file_stanza(&stanza, now)
            && let Some(im) = &mut self.chat.im
        {
            im.receive(stanza, now);
        }
    }

    fn chat_online(
        &mut self,
        link: LinkId,
        jid: Jid,
        resumed: bool,
        server: &XmppServer,
        tls: Option<String>,
        now: Moment,
    ) {
        // Signing out has begun while the link opened: it is closed, not used.
        if matches!(self.chat.link, LinkState::Closing(_)) {
            return;
        }
        self.chat.link = LinkState::Online(link);
        self.chat.online_since = Some(now.at);
        (self.chat.failover, self.chat.waiting) = (None, None);
        self.chat.earlier = None;
        (self.chat.resumed, self.chat.carried) = (resumed, false);
        self.session.services.im = ServiceStatus {
            state: ServiceState::Ready,
            address: Some(server.endpoint().to_string()),
            protocol: Some(match server.link {
                Link::Tls => "XMPP (direct TLS)".to_owned(),
                Link::Udp | Link::Tcp | Link::StartTls => "XMPP".to_owned(),
            }),
            tls,
            error: None,
        };
        let name = self.display_name();
        self.files_online(link, jid.clone(), server, now);
        if let Some(im) = &mut self.chat.im {
            im.call_us(name);
            im.online(jid, resumed, now);
        }
        // A new connection is taken for attended, a resumed one as well (XEP-0352 section 5).
        self.tell_attention();
        self.chat_verdict(ServiceVerdict::Ready);
        self.chat.anew = false;
        if self.network.is_good() {
            // Behind the login page the phone has come to long pauses.
            self.with_phone(|phone| phone.network_changed(now));
        }
    }

    fn chat_lost(
        &mut self,
        at: &Endpoint,
        fault: &Fault,
        resumption: Option<Box<Resumption>>,
        now: Moment,
    ) {
        if matches!(self.chat.link, LinkState::Closing(_)) {
            self.chat.link = LinkState::Off;
            self.session.services.im = ServiceStatus::default();
            return;
        }
        let was_online = matches!(self.chat.link, LinkState::Online(_));
        match resumption {
            Some(resumption) if was_online => self.keep_stream(resumption, now),
            Some(_) | None if was_online => self.give_stream_up(now),
            Some(_) | None => {}
        }
        let stood =
            self.chat.online_since.take().map(|since| now.at.saturating_duration_since(since));
        let stood_well = stood.is_some_and(|stood| stood >= SETTLED);
        if stood_well {
            self.chat.attempts = 0;
        }
        let problem = fault.problem(at);
        self.session.services.im.state =
            if was_online { ServiceState::Connecting } else { ServiceState::Failed };
        self.session.services.im.error = Some(problem.clone());
        let one_time = matches!(
            self.chat.plan.as_ref().map(|plan| &plan.auth),
            Some(XmppAuth::VtgToken { .. })
        );
        if *fault == Fault::BadCredentials && self.chat_token_over(now) {
            return;
        }
        if fault_is_final(fault, one_time) {
            self.give_chat_up(problem, now);
            return;
        }
        let pause = self.stream_pause(stood_well).filter(|_| was_online);
        if self.fail_over(was_online, pause.is_some(), &problem, now) == Some(State::Stopped) {
            return;
        }
        match pause {
            Some(pause) => self.chat.link = LinkState::Pausing(now.at + pause),
            None if self.chat.failover.is_some() => {}
            None => self.pause_chat(now),
        }
        if !was_online {
            self.chat_verdict(ServiceVerdict::Failed(problem));
        }
    }

    pub(crate) fn give_chat_up(&mut self, problem: Problem, now: Moment) {
        if self.chat.earlier.is_some() {
            self.give_stream_up(now);
        }
        (self.chat.link, self.chat.failover) = (LinkState::Off, None);
        self.session.services.im.state = ServiceState::Failed;
        self.session.services.im.error = Some(problem.clone());
        self.chat_verdict(ServiceVerdict::GivenUp(problem));
    }

    /// Passes on what the machine wants.
    pub(crate) fn drain_chat(&mut self, now: Moment) {
        while let Some(output) = self.chat.im.as_mut().and_then(Im::poll) {
            match output {
                Output::Send(stanza) => self.send_stanza(stanza),
                Output::Store(StoreRequest::GetPhoto(id)) => {
                    let request = StoreRequest::GetPhoto(id.clone());
                    self.out.push_back(Effect::Store(StoreTag::Photo(id), request));
                }
                Output::Store(request @ StoreRequest::PutValue(..)) => self.store_value(request),
                Output::Store(request) => self.keep_for_chat(request),
                Output::Notice(NoticeBody::Diagnostic { problem }) => self.toast(*problem, now),
                Output::Notice(body) => {
                    self.consider_notice(&body, now);
                    self.notice(body, now);
                }
                Output::Answer(ticket, answer) => self.reply(ticket, answer),
                Output::File { with, message, attachment } => {
                    self.file_linked(&with, &message, &attachment, now);
                }
            }
        }
    }

    pub(crate) fn send_stanza(&mut self, stanza: Stanza) {
        if let LinkState::Online(link) = self.chat.link {
            self.send_in_order(link, Box::new(stanza));
        }
    }
}

fn not_connected(what: &str) -> CommandError {
    CommandError {
        code: ErrorCode::NotPossible,
        cause: format!("{what} is not possible: chat is not connected at this moment."),
        owner: Owner::Server,
        remedy: "See the connection status for the reason; it is tried again by itself.".into(),
    }
}
