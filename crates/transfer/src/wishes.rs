//! What the user wants: send, take, refuse, again; and links that came in messages.

use std::path::PathBuf;

use offhook_model::{
    Attachment, CommandError, ErrorCode, Jid, MessageId, Moment, Timestamp, Transfer,
    TransferDirection, TransferId, TransferState, TransferWay, media_type_of, safe_file_name,
};
use offhook_ports::{Place, TransferOrder};

use crate::choice::refusal;
use crate::{Change, Item, Outgoing, Source, Stage, Transfers, WAITING, sentence};

/// What is fetched at most where neither server nor policy names a bound.
const FETCHED: u64 = 4 * 1024 * 1024 * 1024;

impl Transfers {
    /// Begins to send. The message that shows it is made by the caller out of
    /// [`Transfers::attachment`], and told by [`Transfers::shown`].
    ///
    /// # Errors
    /// Policy refuses it, or too many are on their way.
    pub fn send(&mut self, wish: Outgoing, now: Moment) -> Result<TransferId, CommandError> {
        self.time = now;
        let name = match &wish.source {
            Source::File(path) => {
                let name = path.file_name().map(|name| name.to_string_lossy());
                safe_file_name(&name.unwrap_or_default())
            }
            Source::Capture(_) if !self.policy.captures => {
                return Err(sentence::refused(sentence::CAPTURES_OFF));
            }
            Source::Capture(_) => capture_name(now.wall),
        };
        if let Some(why) = refusal(&self.policy, &name, None) {
            return Err(sentence::refused(&why));
        }
        let going = self.items.values().filter(|it| it.stage != Stage::Over).count();
        if going >= WAITING.0 * 2 {
            return Err(sentence::impossible(sentence::MANY));
        }
        let id = self.next_id();
        let mut item = Item::new(id, wish.with.bare(), TransferDirection::Outgoing, name);
        item.view.path = match &wish.source {
            Source::File(path) => Some(path.clone()),
            Source::Capture(_) => None,
        };
        item.room = wish.room;
        item.addresses = wish.addresses;
        item.source = Some(wish.source);
        item.view.state = TransferState::Active;
        item.stage = Stage::Looking;
        self.add(item);
        self.look(id);
        Ok(id)
    }

    /// What the message shows of a transfer.
    pub fn attachment(&self, id: TransferId) -> Attachment {
        let Some(item) = self.items.get(&id) else { return Attachment::default() };
        Attachment {
            name: item.view.name.clone(),
            size: item.view.size,
            media_type: Some(item.kind()),
            url: item.url.clone(),
            path: item.view.path.clone(),
            transfer: Some(id),
        }
    }

    /// A message links to a file. The transfer under which it can be fetched.
    pub fn link(
        &mut self,
        with: &Jid,
        message: &MessageId,
        attachment: &Attachment,
        now: Moment,
    ) -> Option<TransferId> {
        self.time = now;
        let url = attachment.url.clone().filter(|url| url.starts_with("https://"))?;
        let same = |it: &&Item| it.view.with == *with && it.view.message == *message;
        if let Some(known) = self.items.values().find(same) {
            return Some(known.view.id);
        }
        let id = self.next_id();
        let name = safe_file_name(&attachment.name);
        let refused = refusal(&self.policy, &name, attachment.size);
        let ours = self.is_ours(&url);
        let mut item = Item::new(id, with.bare(), TransferDirection::Incoming, name);
        item.view.message = message.clone();
        item.view.way = Some(TransferWay::Server);
        item.view.size = attachment.size;
        item.url = Some(url.clone());
        if let Some(why) = &refused {
            item.stage = Stage::Over;
            item.view.state = TransferState::Declined;
            item.view.error = Some(why.clone());
        }
        self.add(item);
        if refused.is_none() && self.policy.accept_files && ours {
            self.fetch(id);
        } else if refused.is_none() && ours {
            // Only our own deployment is asked before the user wants it: anybody else would learn
            // that the message was read, and from where.
            self.order(id, TransferOrder::Head(url));
        }
        Some(id)
    }

    /// Takes an offered file.
    ///
    /// # Errors
    /// There is none that waits, or policy refuses it.
    pub fn accept(
        &mut self,
        id: TransferId,
        path: Option<PathBuf>,
        now: Moment,
    ) -> Result<(), CommandError> {
        self.time = now;
        let item = self.items.get(&id).ok_or_else(|| no_transfer(id))?;
        if item.stage != Stage::Waiting {
            return Err(not_now(id, "waits for no answer"));
        }
        if let Some(why) = refusal(&self.policy, &item.view.name, item.view.size) {
            return Err(sentence::refused(&why));
        }
        if item.session.is_some() && self.policy.managed_files_only {
            return Err(sentence::impossible(sentence::OUTSIDE_IN));
        }
        let session = item.session.is_some();
        if let Some(item) = self.item(id) {
            item.wished = path;
        }
        if session {
            self.take(id)
        } else {
            self.fetch(id)
        }
        Ok(())
    }

    /// Refuses an offered file, or breaks off.
    ///
    /// # Errors
    /// There is none, or it is over.
    pub fn decline(&mut self, id: TransferId, now: Moment) -> Result<(), CommandError> {
        self.time = now;
        let item = self.items.get(&id).ok_or_else(|| no_transfer(id))?;
        let waits = item.stage == Stage::Waiting;
        match item.stage {
            Stage::Over => return Err(not_now(id, "is over")),
            _ if item.session.is_some() => {
                self.say_goodbye(id, if waits { "decline" } else { "cancel" });
            }
            _ => {}
        }
        let own = item_is_own(self.items.get(&id));
        self.refuse(id, own.then_some("You broke it off."));
        Ok(())
    }

    /// Tries again what failed; where the person is at present counts.
    ///
    /// # Errors
    /// There is none, it did not fail, or trying again cannot help.
    pub fn again(
        &mut self,
        id: TransferId,
        addresses: Vec<Jid>,
        now: Moment,
    ) -> Result<(), CommandError> {
        self.time = now;
        let item = self.items.get_mut(&id).ok_or_else(|| no_transfer(id))?;
        let failed = matches!(item.view.state, TransferState::Failed | TransferState::Declined);
        if item.stage != Stage::Over || !failed {
            return Err(not_now(id, "did not fail"));
        }
        let fetched = item.url.is_some() && item.view.direction == TransferDirection::Incoming;
        if !fetched && item.source.is_none() {
            return Err(not_now(id, "was sent by the other side, who has to send it again"));
        }
        if let Some(why) = refusal(&self.policy, &item.view.name, item.view.size) {
            return Err(sentence::refused(&why));
        }
        item.view.error = None;
        item.view.again = false;
        item.view.state = TransferState::Active;
        self.change(id, Change::Again);
        if fetched {
            self.fetch(id);
            return Ok(());
        }
        if let Some(item) = self.item(id) {
            item.addresses = addresses;
            item.view.done = 0;
            item.view.way = None;
            item.stage = Stage::Looking;
        }
        self.look(id);
        self.publish(id);
        Ok(())
    }

    fn look(&mut self, id: TransferId) {
        let Some(item) = self.items.get(&id) else { return };
        let order = match &item.source {
            Some(Source::File(path)) => TransferOrder::Look(path.clone()),
            Some(Source::Capture(area)) => {
                TransferOrder::Capture { area: *area, name: item.view.name.clone() }
            }
            None => return,
        };
        self.order(id, order);
    }

    /// Fetches a linked file.
    fn fetch(&mut self, id: TransferId) {
        let limit = self.policy.largest_file.unwrap_or(FETCHED);
        let Some(place) = self.place(id) else { return };
        let Some(item) = self.item(id) else { return };
        let Some(url) = item.url.clone() else { return };
        item.stage = Stage::Fetching;
        item.view.state = TransferState::Active;
        self.order(id, TransferOrder::Get { url, place, limit });
        self.publish(id);
    }

    /// Where the received file goes.
    pub(crate) fn place(&self, id: TransferId) -> Option<Place> {
        let item = self.items.get(&id)?;
        let named = item.wished.as_ref().and_then(|path| {
            let name = safe_file_name(&path.file_name()?.to_string_lossy());
            Some(Place { folder: path.parent().map(Into::into), name })
        });
        let usual = || Place { folder: self.downloads.clone(), name: item.view.name.clone() };
        Some(named.unwrap_or_else(usual))
    }

    /// Whether a link leads to our own deployment: our domain or below it, or the upload service.
    fn is_ours(&self, url: &str) -> bool {
        let Some(rest) = url.strip_prefix("https://") else { return false };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        let below = |name: &str| {
            let rest = host.strip_suffix(name);
            !name.is_empty() && rest.is_some_and(|it| it.is_empty() || it.ends_with('.'))
        };
        let upload = self.servers.upload.as_ref().is_some_and(|(jid, _)| jid.domain() == host);
        upload || below(self.me.domain())
    }
}

impl Item {
    pub(crate) fn new(
        id: TransferId,
        with: Jid,
        direction: TransferDirection,
        name: String,
    ) -> Self {
        Self {
            view: Transfer {
                id,
                with,
                message: MessageId(String::new()),
                direction,
                way: None,
                name,
                size: None,
                done: 0,
                state: TransferState::Offered,
                error: None,
                again: false,
                path: None,
            },
            room: false,
            source: None,
            addresses: Vec::new(),
            url: None,
            media_type: None,
            wished: None,
            stage: Stage::Waiting,
            session: None,
            in_band_only: false,
            told: None,
        }
    }

    /// The media type, as the sender says or by the name.
    pub(crate) fn kind(&self) -> String {
        self.media_type.clone().unwrap_or_else(|| media_type_of(&self.view.name).to_owned())
    }
}

fn item_is_own(item: Option<&Item>) -> bool {
    item.is_some_and(|it| it.view.direction == TransferDirection::Outgoing)
}

/// `capture-YYYY-MM-DD-HHMMSS.png`, in UTC.
fn capture_name(now: Timestamp) -> String {
    format!("capture-{}.png", now.to_utc().format("%Y-%m-%d-%H%M%S"))
}

fn no_transfer(id: TransferId) -> CommandError {
    CommandError::user(
        ErrorCode::NoSuchObject,
        format!("There is no transfer {id}."),
        "Ask file.list for the transfers there are.",
    )
}

fn not_now(id: TransferId, what: &str) -> CommandError {
    CommandError::user(
        ErrorCode::NotPossible,
        format!("Transfer {id} {what}."),
        "Ask file.list how it stands.",
    )
}
