//! Where each command goes.

use std::sync::Arc;

use offhook_model::{Command, CommandError, ErrorCode, Jid, Moment, Reply, Role, Settings, Ticket};
use offhook_ports::StoreRequest;

use crate::{Core, Effect, StoreTag};

/// Bounds of `limit` in history and search.
const LIMIT: std::ops::RangeInclusive<u32> = 1..=1_000;

impl Core {
    pub(crate) fn command(&mut self, ticket: Ticket, command: Command, now: Moment) {
        if let Some(answer) = self.obey(ticket, command, now) {
            self.reply(ticket, answer);
        }
    }

    /// Nothing when the answer comes later.
    fn obey(
        &mut self,
        ticket: Ticket,
        command: Command,
        now: Moment,
    ) -> Option<Result<Reply, CommandError>> {
        let done = |()| Reply::Done;
        Some(match command {
            Command::SignIn { address, username, password } => {
                self.sign_in(address, username, password, now).map(done)
            }
            Command::GivePassword { username, password } => {
                self.give_password(username, password, now).map(done)
            }
            Command::SignOut => self.sign_out(false, now).map(done),
            Command::Quit => self.sign_out(true, now).map(done),
            Command::TryAgain => self.try_again(now).map(done),
            Command::Reset => self.reset().map(done),
            Command::Provision(url) => self.provision(url.expose(), now).map(done),
            Command::AnswerTrust { id, accept } => self.answer_trust(id, accept, now).map(done),
            Command::GiveAuthString(string) => self.give_auth_string(string).map(done),
            Command::RevokeTrust { key } => self.revoke_trust(&key).map(done),
            Command::SetManual(manual) => self.set_manual(manual).map(done),
            Command::SetPresence { availability, note } if self.phone_tells_presence() => {
                self.chat.wish_presence(availability, note);
                let wished = self.chat.wished_presence();
                self.with_phone(|phone| phone.show_presence(Some(wished), now));
                Ok(Reply::Done)
            }
            Command::SetPresence { availability, note } => {
                self.chat.set_presence(availability, note, now).map(done)
            }
            Command::RosterAdd { contact, name, groups } => {
                self.roster_add(contact, name, groups, now).map(done)
            }
            Command::RosterRemove { contact } => self.roster_remove(&contact, now).map(done),
            Command::RosterAnswer { contact, allow } => {
                self.roster_answer(&contact, allow, now).map(done)
            }
            Command::SendChat { to, body } => {
                let sent = self.send_chat(to, body, now);
                return self.when_kept(ticket, sent);
            }
            Command::Typing { to, typing } => self.chat.machine("Chatting").map(|im| {
                im.typing(&to, typing, now);
                Reply::Done
            }),
            Command::MarkRead { with } => self.chat.machine("Chatting").map(|im| {
                im.mark_read(&with, now);
                Reply::Done
            }),
            Command::OpenChat { with } => self.open_chat(with).map(done),
            Command::ChatHistory { with, before, limit } => {
                return self.query(ticket, limit, StoreRequest::History { with, before, limit });
            }
            Command::ChatSearch { query, with, limit } => {
                self.searched = Some((ticket, query.clone(), with.clone()));
                return self.query(ticket, limit, StoreRequest::Search { query, with, limit });
            }
            Command::Chat(wish) => return self.chat_wish(ticket, wish, now),
            Command::Room(wish) => return self.room_wish(ticket, wish, now),
            Command::People(wish) => return self.people_wish(ticket, wish, now),
            Command::Contacts(wish) => return self.contacts_wish(ticket, wish, now),
            Command::File(wish) => return self.file_wish(ticket, wish, now),
            Command::Call(wish) => self.call_wish(wish, now),
            Command::Dial { video: true, .. } => Err(CommandError::user(
                ErrorCode::NotPossible,
                "Video calls are not built yet.",
                "Call without video.",
            )),
            Command::Dial { to, video: false } => match self.as_dialled_here(to) {
                Ok(to) => self.on_phone("Calling", |phone| phone.dial(to, now)).map(Reply::Call),
                Err(refused) => Err(refused),
            },
            Command::Answer(id) => {
                self.on_phone("Answering", |phone| phone.answer(id, now)).map(done)
            }
            Command::Decline(id) => {
                self.on_phone("Declining", |phone| phone.decline(id, now)).map(done)
            }
            Command::HangUp(id) => {
                self.on_phone("Hanging up", |phone| phone.hang_up(id, now)).map(done)
            }
            Command::Hold(id) => self.on_phone("Holding", |phone| phone.hold(id, now)).map(done),
            Command::Resume(id) => {
                self.on_phone("Resuming", |phone| phone.resume(id, now)).map(done)
            }
            Command::Mute { id, muted } => {
                self.on_phone("Muting", |phone| phone.mute(id, muted)).map(done)
            }
            Command::Dtmf { id, digits } => {
                self.on_phone("Sending digits", |phone| phone.dtmf(id, &digits, now)).map(done)
            }
            Command::CallStats(id) => {
                if !self.phone.has_call(id) {
                    return Some(Err(CommandError::no_call(id)));
                }
                self.out.push_back(Effect::MediaStats(ticket, id));
                return None;
            }
            Command::TestDevice(role) => self.test_device(role).map(done),
            Command::SelectDevice { role, spec } => self.select_device(role, spec).map(done),
            Command::RefreshDevices => {
                self.out.push_back(Effect::MediaDevices);
                Ok(Reply::Done)
            }
            Command::SetRelayPassword(password) => {
                self.set_relay_password(password);
                Ok(Reply::Done)
            }
            Command::SetAddressBookPassword(password) => {
                self.set_address_book_password(password);
                Ok(Reply::Done)
            }
            Command::SetSettings(settings) => self.set_settings(*settings).map(done),
            Command::Dismiss(id) => self.dismiss(id),
        })
    }

    fn query(
        &mut self,
        ticket: Ticket,
        limit: u32,
        request: StoreRequest,
    ) -> Option<Result<Reply, CommandError>> {
        if !LIMIT.contains(&limit) {
            return Some(Err(CommandError::user(
                ErrorCode::InvalidParams,
                format!("limit {limit} is out of range."),
                "Use 1 to 1000.",
            )));
        }
        if let Err(error) = self.chat.machine("Reading the history") {
            return Some(Err(error));
        }
        self.out.push_back(Effect::Store(StoreTag::Query(ticket), request));
        None
    }

    fn open_chat(&mut self, with: Jid) -> Result<(), CommandError> {
        self.chat.machine("Chatting")?;
        let request = StoreRequest::History { with: with.clone(), before: None, limit: 200 };
        self.read_history(StoreTag::OpenChat(with), request);
        Ok(())
    }

    fn send_chat(&mut self, to: Jid, body: String, now: Moment) -> Result<Reply, CommandError> {
        let im = self.chat.machine("Chatting")?;
        if body.trim().is_empty() {
            return Err(CommandError::user(
                ErrorCode::InvalidParams,
                "The message is empty.",
                "Write something first.",
            ));
        }
        Ok(Reply::Message(im.send_chat(to, body, now)))
    }

    fn roster_add(
        &mut self,
        contact: Jid,
        name: Option<String>,
        groups: Option<Vec<String>>,
        now: Moment,
    ) -> Result<(), CommandError> {
        let im = self.chat.connected("Adding a contact")?;
        if im.roster_add(contact, name, groups, now) {
            return Ok(());
        }
        Err(CommandError::user(
            ErrorCode::InvalidParams,
            "This is no address of a person.",
            "Write it as name@company.com.",
        ))
    }

    fn roster_remove(&mut self, contact: &Jid, now: Moment) -> Result<(), CommandError> {
        let im = self.chat.connected("Removing a contact")?;
        let known = im.contacts().iter().any(|known| known.contact == contact.bare());
        if known && im.roster_remove(contact, now) { Ok(()) } else { Err(no_contact()) }
    }

    fn roster_answer(
        &mut self,
        contact: &Jid,
        allow: bool,
        now: Moment,
    ) -> Result<(), CommandError> {
        let im = self.chat.connected("Answering a request")?;
        let known = im.contacts().iter().any(|known| known.contact == contact.bare());
        if known && im.roster_answer(contact, allow, now) { Ok(()) } else { Err(no_contact()) }
    }

    fn set_settings(&mut self, settings: Settings) -> Result<(), CommandError> {
        let specs = |s: &Settings| {
            let [input, output, ringer] = crate::devices::specs(s);
            [(Role::Input, input), (Role::Output, output), (Role::Ringer, ringer)]
        };
        let wanted = specs(&settings);
        for (role, spec) in &wanted {
            crate::devices::fits(*role, spec)?;
        }
        crate::ways::check(&settings.calls.ways)?;
        crate::contacts::check(&settings.contacts)?;
        let changed = wanted.into_iter().zip(specs(&self.settings)).filter(|(new, old)| new != old);
        let before = self.out.len();
        for ((role, spec), _) in changed {
            self.out.push_back(Effect::MediaSelect(role, spec));
        }
        let chosen = self.out.len() > before;
        let sound = self.wanted_sound();
        let calls = settings.calls.clone();
        self.with_phone(|phone| {
            phone.answer_if_asked(calls.answer_if_asked);
            phone.refuse_referrals(calls.refuse_referrals);
            phone.save_bandwidth(calls.low_bandwidth);
        });
        let contacts = self.settings.contacts.clone();
        self.settings = Arc::new(settings);
        self.contact_settings_changed(&contacts);
        if self.wanted_sound() != sound {
            self.out.push_back(Effect::MediaSound(self.wanted_sound()));
        }
        if chosen {
            self.remember_devices();
        }
        self.ways_changed();
        self.out.push_back(Effect::MediaDevices);
        self.keep_settings();
        Ok(())
    }

    pub(crate) fn keep_settings(&mut self) {
        self.store(StoreRequest::PutSettings(Box::new(Settings::clone(&self.settings))));
    }
}

pub(crate) fn no_contact() -> CommandError {
    CommandError::user(
        ErrorCode::NoSuchObject,
        "There is no such contact.",
        "Ask roster.list for the contacts there are.",
    )
}
