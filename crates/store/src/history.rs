//! The history of one account: on disk, and in memory where it is not to be kept.

use std::sync::Arc;

use offhook_model::{
    CallRecord, Delivery, DirectoryEntry, Jid, Keeping, Message, MessageId, Secret, SourceKind,
    Timestamp,
};
use offhook_ports::{Amendment, ChatRow, KeepingPlan, Loaded};

use crate::archive::Archive;
use crate::base::{Base, Put};
use crate::reading::Page;

/// After so many new messages it is seen whether a day has passed.
const LOOK_AFTER: u32 = 1_000;

/// A day in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1_000;

/// An open history. There is always one place for messages: memory where there is one, else disk.
pub struct History {
    /// Nothing when the file cannot be used.
    disk: Option<Base>,
    /// Where messages are when they are not to be kept, or cannot be.
    memory: Option<Base>,
    plan: KeepingPlan,
    keeping: Keeping,
    archive: Option<Archive>,
    /// Messages of this batch that go to the archive when they are kept.
    fresh: Vec<Message>,
    puts: u32,
    /// When old messages were deleted, in milliseconds since 1970.
    expired: i64,
}

impl History {
    /// A history over an opened database, or without one in memory only; `keeping` says what was
    /// found about the file.
    ///
    /// # Errors
    /// As every function here: in words, without content.
    pub fn new(disk: Option<Base>, plan: KeepingPlan, keeping: Keeping) -> Result<Self, String> {
        let memory = match &disk {
            Some(_) => None,
            None => Some(Base::in_memory()?),
        };
        let mut history = Self {
            disk,
            memory,
            plan: KeepingPlan::default(),
            keeping,
            archive: None,
            fresh: Vec::new(),
            puts: 0,
            expired: i64::MIN,
        };
        history.follow(plan)?;
        Ok(history)
    }

    /// From now on it is kept like this. When messages are not to be kept any more, those that
    /// were are deleted, but for own ones that wait to be sent: an administrator who forbids a
    /// history would not want the years before to stay. When they are to be kept again, those of
    /// this session are. What others than ourselves said of people goes the same way.
    pub fn follow(&mut self, plan: KeepingPlan) -> Result<(), String> {
        if let Some(disk) = &mut self.disk {
            match (plan.history, self.memory.take()) {
                (false, Some(memory)) => self.memory = Some(memory),
                (false, None) => {
                    disk.forget_messages()?;
                    disk.forget_others_people()?;
                    let mut memory = Base::in_memory()?;
                    for message in disk.queued()? {
                        memory.put(&message)?;
                    }
                    self.memory = Some(memory);
                }
                (true, Some(memory)) => {
                    disk.whole(|disk| {
                        memory.each(None, |message| disk.put(&message).map(drop))?;
                        memory.chat_rows()?.iter().try_for_each(|row| disk.put_chat(row))?;
                        disk.take_people(&memory)
                    })?;
                }
                (true, None) => {}
            }
        }
        let days = plan.retention_days != self.plan.retention_days;
        if plan.archive_folder != self.plan.archive_folder {
            self.archive = plan.archive_folder.clone().map(Archive::new);
        }
        self.plan = plan;
        self.keeping.kept = self.memory.is_none();
        if days {
            self.expired = i64::MIN;
            self.expire()?;
        }
        Ok(())
    }

    /// How messages are really kept.
    pub fn keeping(&self) -> &Keeping {
        &self.keeping
    }

    /// Begins a batch; see [`Base::begin`].
    pub fn begin(&mut self, lasting: bool) -> Result<(), String> {
        self.both().try_for_each(|base| base.begin(lasting))
    }

    /// Ends a batch; see [`Base::commit`]. Disk goes first: what it does not take is kept nowhere.
    pub fn commit(&mut self) -> Result<(), String> {
        let results: Vec<_> = self.both().map(Base::commit).collect();
        let done: Result<(), String> = results.into_iter().collect();
        if done.is_err() {
            self.fresh.clear();
        }
        done
    }

    /// Writes what was kept to the archive, after a batch; what went wrong, told once.
    pub fn archive(&mut self) -> Option<String> {
        let fresh = std::mem::take(&mut self.fresh);
        self.archive.as_mut()?.add(&fresh)
    }

    /// Whether a database threw the batch away.
    pub fn lost_batch(&mut self) -> bool {
        let lost: Vec<_> = self.both().map(Base::lost_batch).collect();
        let lost = lost.contains(&true);
        if lost {
            self.fresh.clear();
        }
        lost
    }

    fn both(&mut self) -> impl Iterator<Item = &mut Base> {
        self.disk.iter_mut().chain(&mut self.memory)
    }

    /// Where messages are.
    pub fn messages(&mut self) -> Result<&mut Base, String> {
        self.memory.as_mut().or(self.disk.as_mut()).ok_or_else(|| "no history is open".to_owned())
    }

    /// Where that is which is kept in any case.
    fn lasting(&mut self) -> Result<&mut Base, String> {
        self.disk.as_mut().or(self.memory.as_mut()).ok_or_else(|| "no history is open".to_owned())
    }

    /// The file, when messages are in memory beside it.
    fn aside(&mut self) -> Option<&mut Base> {
        self.disk.as_mut().filter(|_| self.memory.is_some())
    }

    // ---- writing ----------------------------------------------------------------------------

    /// Keeps a message of an archive, unless it is here.
    pub fn put_archived(&mut self, message: &Message) -> Result<(), String> {
        self.messages()?.put_archived(message)
    }

    /// Keeps a message, or what has become of it.
    pub fn put(&mut self, message: &Message) -> Result<(), String> {
        let put = self.messages()?.put(message)?;
        // An administrator who forbids a history does not want one in another place.
        if put == Put::Added && self.archive.is_some() && self.plan.history {
            self.fresh.push(message.clone());
        }
        let waits = message.own && message.state == Delivery::Queued;
        if let Some(disk) = self.aside() {
            if waits {
                disk.put(message)?;
            } else if message.own {
                disk.forget_sent(&message.id)?;
            }
        }
        self.note_put()
    }

    /// Moves an own message on; never back.
    pub fn set_delivery(
        &mut self,
        id: &MessageId,
        state: Delivery,
        error: Option<&str>,
    ) -> Result<(), String> {
        self.messages()?.set_delivery(id, state, error)?;
        match self.aside() {
            Some(disk) if state != Delivery::Queued => disk.forget_sent(id),
            Some(_) | None => Ok(()),
        }
    }

    /// Changes a message.
    pub fn amend(&mut self, with: &Jid, id: &MessageId, change: &Amendment) -> Result<(), String> {
        self.messages()?.amend(with, id, change)?;
        self.aside().map_or(Ok(()), |disk| disk.amend(with, id, change))
    }

    /// All received messages of a conversation have been seen.
    pub fn mark_read(&mut self, with: &Jid) -> Result<(), String> {
        self.messages()?.mark_read(with)
    }

    /// The archive is read to its end.
    pub fn all_placed(&mut self) -> Result<(), String> {
        self.messages()?.all_placed()
    }

    /// Deletes a conversation's messages.
    pub fn clear(&mut self, with: &Jid) -> Result<(), String> {
        self.messages()?.clear(with)
    }

    /// Keeps what is known of a conversation.
    pub fn put_chat(&mut self, row: &ChatRow) -> Result<(), String> {
        self.messages()?.put_chat(row)
    }

    /// Keeps a position in an archive.
    pub fn put_archive(&mut self, place: Option<&Jid>, position: &str) -> Result<(), String> {
        self.lasting()?.put_archive(place, position)
    }

    /// Keeps or forgets a private value.
    pub fn put_value(&mut self, name: &str, value: Option<&Secret<String>>) -> Result<(), String> {
        self.lasting()?.put_value(name, value)
    }

    /// Keeps a call; calls are no messages, and are kept in any case.
    pub fn put_call(&mut self, call: &CallRecord) -> Result<(), String> {
        self.lasting()?.put_call(call)
    }

    /// Keeps what is known of people.
    pub fn put_people(&mut self, entries: &[Arc<DirectoryEntry>]) -> Result<(), String> {
        let (own, others): (Vec<_>, Vec<_>) =
            entries.iter().map(Arc::as_ref).partition(|entry| entry.source == SourceKind::Own);
        self.lasting()?.put_people(&own)?;
        self.messages()?.put_people(&others)?;
        self.note_put()
    }

    /// Forgets what a source said: of these people, or of all.
    pub fn forget_people(
        &mut self,
        source: SourceKind,
        ids: Option<&[String]>,
    ) -> Result<(), String> {
        let base = if source == SourceKind::Own { self.lasting() } else { self.messages() };
        base?.forget_people(source, ids)
    }

    fn note_put(&mut self) -> Result<(), String> {
        self.puts += 1;
        if self.puts < LOOK_AFTER {
            return Ok(());
        }
        self.puts = 0;
        self.expire()
    }

    /// Deletes what is older than the plan allows, once a day. The database's clock counts, not
    /// the messages' own times, which their senders write.
    fn expire(&mut self) -> Result<(), String> {
        let days = i64::from(self.plan.retention_days);
        if days == 0 {
            return Ok(());
        }
        let now = self.lasting()?.now()?;
        if now.saturating_sub(self.expired) < DAY {
            return Ok(());
        }
        let before = now - days * DAY;
        let messages = self.messages()?;
        messages.expire(before)?;
        messages.forget_people_before(Timestamp(before))?;
        self.expired = now;
        Ok(())
    }

    // ---- reading ----------------------------------------------------------------------------

    /// Everything needed at sign-in.
    pub fn load(&mut self) -> Result<Loaded, String> {
        let (shut, keeping) = (self.disk.is_none(), self.keeping.clone());
        let lasting = self.lasting()?;
        let (archives, values, calls) = (lasting.archives()?, lasting.values()?, lasting.calls()?);
        let messages = self.messages()?;
        Ok(Loaded {
            chats: messages.chats()?,
            rows: messages.chat_rows()?,
            settled: messages.settled()?,
            unplaced: messages.unplaced()?,
            archives,
            values,
            shut,
            keeping,
            calls,
            queued: messages.queued()?,
        })
    }

    /// What is known of people, but for what others than ourselves said before this time, which is
    /// forgotten.
    pub fn load_people(&mut self, before: Timestamp) -> Result<Vec<DirectoryEntry>, String> {
        let mut people = Vec::new();
        for base in self.both() {
            people.append(&mut base.people(before)?);
        }
        Ok(people)
    }

    /// The newest messages older than `before`.
    pub fn page(
        &mut self,
        with: &Jid,
        before: Option<&MessageId>,
        limit: u32,
    ) -> Result<Page, String> {
        self.messages()?.page(with, before, limit)
    }
}
