//! Files in conversations, as far as messages know of them: a link that was sent out of band
//! (XEP-0066), the message that shows a file on its way, and where files can go. How files travel
//! is the business of `offhook-transfer`.

use std::path::PathBuf;

use offhook_model::{
    Attachment, Delivery, EncryptionPolicy, Jid, Message, MessageId, Moment, More, TransferId,
};
use offhook_ports::StoreRequest;

use crate::{Im, Output, sentence};

/// The service for uploads (XEP-0363).
pub const UPLOAD: &str = "urn:xmpp:http:upload:0";

/// What the server has for files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileServers {
    /// Uploads (XEP-0363): the service, and the largest file in bytes if it says so.
    pub upload: Option<(Jid, Option<u64>)>,
    /// Proxy for bytestreams (XEP-0065).
    pub proxy: Option<Jid>,
    /// The answers are in.
    pub known: bool,
}

/// What becomes of a message that shows a file.
#[derive(Clone, Debug)]
pub enum FileChange {
    /// It lies at the server: the message goes out with this link.
    Link(String),
    /// The other side has it.
    Delivered,
    /// It will not arrive, in words.
    Failed(String),
    /// It is tried again.
    Again,
    /// It lies here.
    Path(PathBuf),
}

impl Im {
    /// What our server offers, as far as it has answered.
    pub fn file_servers(&self) -> FileServers {
        let server = self.me.domain().parse::<Jid>().ok();
        let upload = match self.services.with(UPLOAD) {
            Some(service) => {
                let largest = service.value(UPLOAD, "max-file-size");
                Some((service.jid.clone(), largest.and_then(|it| it.trim().parse().ok())))
            }
            // Some servers offer it themselves.
            None => server
                .filter(|_| self.services.server.contains(UPLOAD))
                .map(|server| (server, None)),
        };
        let is_proxy = |it: &&str| *it == "proxy/bytestreams";
        let proxy =
            self.services.items.iter().find(|service| {
                service.identities.iter().map(String::as_str).any(|it| is_proxy(&it))
            });
        FileServers {
            upload,
            proxy: proxy.map(|service| service.jid.clone()),
            known: self.services.known,
        }
    }

    /// The full addresses at which this person is at present, the likeliest first.
    pub fn addresses(&self, with: &Jid) -> Vec<Jid> {
        let with = with.bare();
        let last = self.talks.get(&with).and_then(|talk| talk.resource.clone());
        let last = last.map(|resource| with.with_resource(&resource));
        let others = self.people.resources(&with);
        let others = others.into_iter().filter(|it| Some(it) != last.as_ref());
        last.clone().into_iter().chain(others).collect()
    }

    /// Whether files stay here because messages to this person are encrypted from client to client,
    /// and files are not yet (XEP-0454): one must not go out in clear where the rest does not.
    pub fn keeps_files_back(&self, with: &Jid) -> bool {
        let with = with.bare();
        let required = self.policy.encryption == EncryptionPolicy::Required;
        !self.is_room(&with) && (required || self.protection_of(&with).on)
    }

    /// Shows a file on its way in the conversation. Nothing is sent until [`FileChange::Link`].
    pub fn show_file(
        &mut self,
        with: &Jid,
        own: bool,
        attachment: Attachment,
        now: Moment,
    ) -> MessageId {
        self.time = now;
        let with = with.bare();
        let id = MessageId(self.ids.next());
        let (from, to) = (self.own_address(&with), with.clone());
        let (from, to) = if own { (from, to) } else { (to, from) };
        let message = Message {
            id: id.clone(),
            with,
            from,
            to,
            body: attachment.name.clone(),
            time: now.wall,
            own,
            state: if own { Delivery::Queued } else { Delivery::Delivered },
            error: None,
            more: More { attachment: Some(attachment), ..More::default() },
        };
        if !own {
            self.talk(&message.with).count(&message);
        }
        self.add_message(message, true, true);
        id
    }

    /// What became of it. A message that is no longer in memory is passed over.
    pub fn change_file(&mut self, with: &Jid, id: &MessageId, change: FileChange) {
        let with = with.bare();
        let Some(talk) = self.talks.get_mut(&with) else { return };
        let link = matches!(change, FileChange::Link(_));
        let Some(mut message) = talk.edit(id, |message| apply(message, change)) else { return };
        if link {
            self.queue(&mut message);
            if message.state == Delivery::Failed {
                let error = message.error.clone();
                self.talk(&with).edit(id, |it| (it.state, it.error) = (Delivery::Failed, error));
            }
        }
        self.publish(&with);
        self.store(StoreRequest::PutMessage(message.clone()));
        self.tell_message(&message);
        self.flush();
    }

    /// Of own messages that waited in an earlier session, those that can still go: a file that was
    /// on its way is not.
    pub(crate) fn without_lost_files(&mut self, queued: Vec<Message>) -> Vec<Message> {
        let lost = |it: &Message| it.more.attachment.as_ref().is_some_and(|it| it.url.is_none());
        let (lost, queued): (Vec<Message>, Vec<Message>) = queued.into_iter().partition(lost);
        for message in lost {
            let with = message.with.bare();
            self.progress(&with, message.id, Delivery::Failed, Some(sentence::FILE));
        }
        queued
    }

    /// Tells of a file that lies at a server and nobody fetched yet.
    pub(crate) fn offer_link(&mut self, message: &Message) {
        let Some(attachment) = &message.more.attachment else { return };
        let here = attachment.path.is_some() || attachment.transfer.is_some();
        if attachment.url.is_some() && !here {
            self.outputs.push_back(Output::File {
                with: message.with.clone(),
                message: message.id.clone(),
                attachment: attachment.clone(),
            });
        }
    }

    /// This message's file is that transfer of the session.
    pub fn name_transfer(&mut self, with: &Jid, id: &MessageId, transfer: TransferId) {
        let with = with.bare();
        let Some(talk) = self.talks.get_mut(&with) else { return };
        talk.edit(id, |message| {
            if let Some(attachment) = &mut message.more.attachment {
                attachment.transfer = Some(transfer);
            }
        });
        self.publish(&with);
    }
}

fn apply(message: &mut Message, change: FileChange) {
    match change {
        FileChange::Link(url) => {
            message.body.clone_from(&url);
            message.state = Delivery::Queued;
            message.error = None;
            if let Some(attachment) = &mut message.more.attachment {
                attachment.url = Some(url);
            }
        }
        FileChange::Delivered => {
            message.state = message.state.max(Delivery::Delivered);
            message.error = None;
        }
        FileChange::Failed(why) if message.own => {
            message.state = Delivery::Failed;
            message.error = Some(why);
        }
        FileChange::Failed(_) => {}
        FileChange::Again => {
            if message.own {
                message.state = Delivery::Queued;
            }
            message.error = None;
        }
        FileChange::Path(path) => {
            if let Some(attachment) = &mut message.more.attachment {
                attachment.path = Some(path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use offhook_model::{ChatPolicy, ChatSettings, EncryptionPolicy, Moment, Timestamp};

    use crate::Im;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the beginning of virtual time")]
    fn files_stay_here_where_messages_go_out_encrypted() {
        let now = Moment { at: Instant::now(), wall: Timestamp(0) };
        let bob = "bob@example.com".parse().expect("valid");
        let mut im = Im::new("alice@example.com".parse().expect("valid"), 1, now);
        assert!(!im.keeps_files_back(&bob));
        let policy = ChatPolicy { encryption: EncryptionPolicy::Required, ..ChatPolicy::default() };
        im.configure(Arc::new(policy), ChatSettings::default(), now);
        assert!(im.keeps_files_back(&bob));
    }
}
