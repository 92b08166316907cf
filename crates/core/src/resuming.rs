//! The chat stream between two links (XEP-0198): kept while its server keeps it, handed to the next
//! link, taken back from one that did not get so far. And our messages between the store and a link.

use std::time::{Duration, Instant};

use offhook_model::{CommandError, Delivery, MessageId, Moment, Reply, Ticket};
use offhook_ports::{Resumption, StoreRequest};

use crate::chat::LinkState;
use crate::{Core, Effect, LinkId, StoreTag};

/// Longest that people are shown as they were before the connection broke; after it they are unknown,
/// and the stream is not taken up again.
const LONGEST: Duration = Duration::from_secs(600);

/// A stream that carried something since it was last taken up is taken up again after so short a
/// pause, with a little chance on top.
const SHORT_PAUSE: Duration = Duration::from_millis(250);

/// An interrupted stream.
#[derive(Debug)]
pub(crate) struct Earlier {
    /// Nothing while a link has it.
    resumption: Option<Box<Resumption>>,
    /// The server forgets it then.
    until: Instant,
}

/// A link that was told to drop its connection and has not given its stream back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Abandoned {
    link: LinkId,
    /// The next link waits for that.
    reopen: bool,
    /// It came to stand on a stream that the machine never heard of.
    strange: bool,
}

impl Core {
    /// A link ended and its stream may go on.
    pub(crate) fn keep_stream(&mut self, resumption: Box<Resumption>, now: Moment) {
        let until = now.at + resumption.max.min(LONGEST);
        self.chat.earlier = Some(Earlier { resumption: Some(resumption), until });
        if let Some(im) = &mut self.chat.im {
            im.interrupted(now);
        }
    }

    /// A link did not get so far as to take up the stream it was given.
    pub(crate) fn put_stream_back(&mut self, resumption: Option<Box<Resumption>>, now: Moment) {
        match (&mut self.chat.earlier, resumption) {
            (Some(earlier), resumption @ Some(_)) => earlier.resumption = resumption,
            (Some(_), None) => self.give_stream_up(now),
            (None, _) => {}
        }
    }

    /// The stream for the next link to take up.
    pub(crate) fn take_stream(&mut self) -> Option<Box<Resumption>> {
        self.chat.earlier.as_mut()?.resumption.take()
    }

    /// The stream is not taken up again: nothing is known of anybody.
    pub(crate) fn give_stream_up(&mut self, now: Moment) {
        self.chat.earlier = None;
        self.chat.abandoned = None;
        if let Some(im) = &mut self.chat.im {
            im.offline(now);
        }
    }

    /// Drops the connection so that its stream can go on over another one.
    pub(crate) fn abandon_link(&mut self, link: LinkId, now: Moment) {
        self.out.push_back(Effect::XmppAbandon(link));
        self.chat.abandoned = Some(Abandoned { link, reopen: false, strange: false });
        if let Some(im) = &mut self.chat.im {
            im.interrupted(now);
        }
    }

    /// True when the next link has to wait for the stream of the last one.
    pub(crate) fn wait_for_stream(&mut self) -> bool {
        let Some(abandoned) = &mut self.chat.abandoned else { return false };
        abandoned.reopen = true;
        self.chat.link = LinkState::Parked;
        true
    }

    /// Nothing is to be opened when the stream of the last link is back.
    pub(crate) fn wait_no_more(&mut self) {
        if let Some(abandoned) = &mut self.chat.abandoned {
            abandoned.reopen = false;
        }
    }

    /// An abandoned link came to stand after all.
    pub(crate) fn abandoned_is_online(&mut self, resumed: bool) {
        if let Some(abandoned) = &mut self.chat.abandoned {
            abandoned.strange = !resumed;
        }
    }

    /// An abandoned link is over.
    pub(crate) fn abandoned_is_over(&mut self, given: Option<Box<Resumption>>, now: Moment) {
        let abandoned = self.chat.abandoned.take();
        match given.filter(|_| !abandoned.as_ref().is_some_and(|it| it.strange)) {
            Some(resumption) => self.keep_stream(resumption, now),
            None => self.give_stream_up(now),
        }
        let reopen = abandoned.is_some_and(|it| it.reopen);
        if reopen
            && matches!(self.chat.link, LinkState::Parked)
            && let Some(plan) = self.chat.plan.clone()
        {
            self.open_link(plan);
        }
    }

    /// The pause before a stream that broke is taken up again: none for one that stood well, a short
    /// one where it goes on and on; nothing when it is a pause like all others.
    pub(crate) fn stream_pause(&mut self, stood_well: bool) -> Option<Duration> {
        let kept = self.chat.earlier.is_some();
        let carried = std::mem::take(&mut self.chat.carried);
        if kept && stood_well {
            return Some(Duration::ZERO);
        }
        (kept && carried).then(|| SHORT_PAUSE + Duration::from_millis(self.chance.below(60)))
    }

    /// The server has forgotten the stream by now.
    pub(crate) fn stream_due(&mut self, now: Moment) {
        if self.stream_timeout().is_some_and(|until| until <= now.at) {
            self.give_stream_up(now);
        }
    }

    /// When that is; nothing while a link has the stream.
    pub(crate) fn stream_timeout(&self) -> Option<Instant> {
        self.chat.stream_timeout()
    }
}

impl Core {
    /// A new message of ours is sent when the store has it; its answer says so.
    pub(crate) fn keep_for_chat(&mut self, request: StoreRequest) {
        match &request {
            StoreRequest::PutMessage(it) if it.own && it.state == Delivery::Queued => {
                let tag = StoreTag::Own(it.id.clone());
                self.out.push_back(Effect::Store(tag, request));
            }
            _ => self.store(request),
        }
    }

    /// The store answered. A message that cannot be kept is sent all the same: it was written.
    pub(crate) fn own_message_kept(&mut self, id: &MessageId) {
        if let Some(im) = &mut self.chat.im {
            im.message_kept(id);
        }
        let answered = self.chat.unkept.extract_if(.., |(of, _)| of == id);
        for (id, ticket) in answered.collect::<Vec<_>>() {
            self.reply(ticket, Ok(Reply::Message(id)));
        }
    }

    /// The answer to whoever wrote a message: it says that the message outlives the end of the
    /// program, so it comes when the store has it.
    pub(crate) fn when_kept(
        &mut self,
        ticket: Ticket,
        sent: Result<Reply, CommandError>,
    ) -> Option<Result<Reply, CommandError>> {
        match sent {
            Ok(Reply::Message(id)) if self.chat.im.as_ref().is_some_and(|im| im.is_unkept(&id)) => {
                self.chat.unkept.push((id, ticket));
                None
            }
            sent => Some(sent),
        }
    }
}

impl crate::chat::ChatSide {
    pub(crate) fn stream_timeout(&self) -> Option<Instant> {
        let earlier = self.earlier.as_ref()?;
        earlier.resumption.as_ref().map(|_| earlier.until)
    }

    /// The link was told to drop its connection, and still speaks.
    pub(crate) fn is_abandoned(&self, link: LinkId) -> bool {
        self.abandoned.as_ref().is_some_and(|it| it.link == link)
    }
}
