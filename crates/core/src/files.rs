//! Files and pictures of the screen in conversations: the machine for transfers beside the one for
//! chat, and what passes between them.

use std::sync::Arc;
use std::time::Instant;

use offhook_im::{FileChange, Im, Stanza};
use offhook_model::{
    CommandError, ErrorCode, FileWish, Jid, Moment, Reply, Ticket, Transfer, TransferDirection,
    TransferId,
};
use offhook_ports::{StreamHost, TransferFact, XmppServer};
use offhook_transfer::{Change, Outgoing, Output, Servers, Source, Transfers};

use crate::chat::LinkState;
use crate::{Core, Effect, LinkId};

/// The transfers of the account that is signed in.
#[derive(Debug, Default)]
pub(crate) struct FileSide {
    pub(crate) transfers: Option<Transfers>,
    /// Ids go on from one session to the next.
    last: u32,
    /// The connection that the machine knows of.
    link: Option<LinkId>,
}

impl FileSide {
    pub(crate) fn list(&self) -> Arc<Vec<Arc<Transfer>>> {
        self.transfers.as_ref().map(Transfers::list).unwrap_or_default()
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.transfers.as_ref().and_then(Transfers::next_timeout)
    }
}

impl Core {
    /// Nothing when the answer comes later.
    pub(crate) fn file_wish(
        &mut self,
        _ticket: Ticket,
        wish: FileWish,
        now: Moment,
    ) -> Option<Result<Reply, CommandError>> {
        Some(match wish {
            FileWish::Send { to, path } => self.send_file(to, Source::File(path), now),
            FileWish::Capture { to, area } => self.send_file(to, Source::Capture(area), now),
            FileWish::Accept { id, path } => {
                self.transfers().and_then(|files| files.accept(id, path, now)).map(|()| Reply::Done)
            }
            FileWish::Decline { id } => {
                self.transfers().and_then(|files| files.decline(id, now)).map(|()| Reply::Done)
            }
            FileWish::Again { id } => self.file_again(id, now).map(|()| Reply::Done),
        })
    }

    fn transfers(&mut self) -> Result<&mut Transfers, CommandError> {
        let missing = || CommandError::not_signed_in("Sending and taking files");
        self.files.transfers.as_mut().ok_or_else(missing)
    }

    fn send_file(&mut self, to: Jid, source: Source, now: Moment) -> Result<Reply, CommandError> {
        let im = self.chat.connected("Sending a file")?;
        let with = to.bare();
        if im.keeps_files_back(&with) {
            return Err(in_clear());
        }
        let wish = Outgoing {
            with: with.clone(),
            room: im.is_room(&with),
            addresses: addresses(im, &to),
            source,
        };
        let id = self.transfers()?.send(wish, now)?;
        let attachment = self.transfers()?.attachment(id);
        let message = self.chat.machine("Sending a file")?.show_file(&with, true, attachment, now);
        self.transfers()?.shown(id, message);
        Ok(Reply::Transfer(id))
    }

    fn file_again(&mut self, id: TransferId, now: Moment) -> Result<(), CommandError> {
        let files = self.transfers()?;
        let with = files.list().iter().find(|it| it.id == id).map(|it| it.with.clone());
        let im = self.chat.im();
        let back = with.as_ref().zip(im).is_some_and(|(with, im)| im.keeps_files_back(with));
        let own = files_are_own(self.files.list().iter().find(|it| it.id == id));
        if back && own {
            return Err(in_clear());
        }
        let addresses = with.zip(im).map(|(with, im)| addresses(im, &with)).unwrap_or_default();
        self.transfers()?.again(id, addresses, now)
    }

    /// A machine for a new account; one that is there goes on.
    pub(crate) fn start_files(&mut self, me: Jid, now: Moment) {
        let seed = self.chance.next();
        let mut transfers = Transfers::new(me, seed, now);
        transfers.continue_from(self.files.last);
        self.files.transfers = Some(transfers);
        self.configure_files();
    }

    /// What counts for files has changed.
    pub(crate) fn configure_files(&mut self) {
        let downloads = self.settings.chat.downloads.clone();
        let policy = Arc::clone(&self.policy.current);
        if let Some(files) = &mut self.files.transfers {
            files.configure(policy, downloads);
        }
    }

    /// Everything stops.
    pub(crate) fn drop_files(&mut self) {
        if let Some(files) = self.files.transfers.take() {
            self.files.last = files.last_id();
            self.out.push_back(Effect::TransfersOver);
        }
    }

    pub(crate) fn files_online(
        &mut self,
        link: LinkId,
        full: Jid,
        server: &XmppServer,
        now: Moment,
    ) {
        self.files.link = Some(link);
        let toward = StreamHost { host: server.host.clone(), port: server.port };
        if let Some(files) = &mut self.files.transfers {
            files.online(full, toward, now);
        }
    }

    /// What came on the stream and concerns files; false leaves it to the chat machine.
    pub(crate) fn file_stanza(&mut self, stanza: &Stanza, now: Moment) -> bool {
        match (&mut self.files.transfers, stanza) {
            (Some(files), Stanza::Iq(iq)) => files.receive(iq, now),
            _ => false,
        }
    }

    pub(crate) fn transfer_fact(&mut self, id: TransferId, fact: TransferFact, now: Moment) {
        if let Some(files) = &mut self.files.transfers {
            files.fact(id, fact, now);
        }
    }

    pub(crate) fn files_due(&mut self, now: Moment) {
        if let Some(files) = &mut self.files.transfers {
            files.handle_timeout(now);
        }
    }

    /// A message links to a file that can be fetched.
    pub(crate) fn file_linked(
        &mut self,
        with: &Jid,
        message: &offhook_model::MessageId,
        attachment: &offhook_model::Attachment,
        now: Moment,
    ) {
        let Some(files) = &mut self.files.transfers else { return };
        if let (Some(id), Some(im)) =
            (files.link(with, message, attachment, now), &mut self.chat.im)
        {
            im.name_transfer(with, message, id);
        }
    }

    /// Passes on what the machine wants.
    pub(crate) fn drain_files(&mut self, now: Moment) {
        let online = matches!(self.chat.link, LinkState::Online(_));
        if !online
            && self.files.link.take().is_some()
            && let Some(files) = &mut self.files.transfers
        {
            files.offline(now);
        }
        if let (Some(files), Some(im)) = (&mut self.files.transfers, &self.chat.im) {
            let known = im.file_servers();
            files.servers(Servers { upload: known.upload, proxy: known.proxy }, now);
        }
        while let Some(output) = self.files.transfers.as_mut().and_then(Transfers::poll) {
            match output {
                Output::Send(iq) => self.send_stanza(Stanza::Iq(*iq)),
                Output::Order(id, order) => self.out.push_back(Effect::Transfer(id, order)),
                Output::Notice(body) => self.notice(body, now),
                Output::Show { id, with, attachment } => {
                    let Some(im) = &mut self.chat.im else { continue };
                    let message = im.show_file(&with, false, attachment, now);
                    if let Some(files) = &mut self.files.transfers {
                        files.shown(id, message);
                    }
                }
                Output::Message { with, message, change } => {
                    if let Some(im) = &mut self.chat.im {
                        im.change_file(&with, &message, told(change));
                    }
                }
            }
        }
    }
}

fn told(change: Change) -> FileChange {
    match change {
        Change::Link(url) => FileChange::Link(url),
        Change::Delivered => FileChange::Delivered,
        Change::Failed(why) => FileChange::Failed(why),
        Change::Again => FileChange::Again,
        Change::Path(path) => FileChange::Path(path),
    }
}

/// Where the person is at present; an address with a resource is that program alone.
fn addresses(im: &Im, to: &Jid) -> Vec<Jid> {
    if to.resource().is_some() { vec![to.clone()] } else { im.addresses(to) }
}

fn files_are_own(transfer: Option<&Arc<Transfer>>) -> bool {
    transfer.is_some_and(|it| it.direction == TransferDirection::Outgoing)
}

fn in_clear() -> CommandError {
    CommandError::user(
        ErrorCode::NotPossible,
        "This conversation is encrypted from client to client, and files cannot be yet. Nothing was sent.",
        "Switch the encryption of the conversation off for the file where that is allowed, or send it in another way.",
    )
}
