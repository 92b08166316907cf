//! Who calls: names for calls whose server tells none, from what is known here and then from the
//! directory; and the same for the control API.

use offhook_contacts::ldap::Wish;
use offhook_contacts::name_of;
use offhook_contacts::numbers::{Dialling, apply, looks_like_number};
use offhook_model::{CallId, CommandError, DialString, ErrorCode, Moment, Owner, Reply, Ticket};

use super::Ask;
use crate::Core;

/// Whether addresses may be called.
const BY_ADDRESS: &str = "EnableSIPURIDialling";
/// Longest number or address that is looked for, in bytes.
const LONGEST: usize = 320;

impl Core {
    /// Calls without a name get one.
    pub(super) fn name_callers(&mut self, now: Moment) {
        let calls = self.phone.calls();
        if calls.is_empty() {
            self.contacts.named.clear();
            return;
        }
        let new = calls.iter().filter(|call| {
            let known = call.name.as_ref().is_some_and(|name| *name != call.remote);
            call.end.is_none() && !known && !call.remote.is_empty()
        });
        let new: Vec<(CallId, String)> = new
            .filter(|call| !self.contacts.named.contains(&call.id))
            .map(|call| (call.id, call.remote.clone()))
            .collect();
        for (id, remote) in new {
            self.contacts.named.insert(id);
            if !self.name_caller(id, &remote, now)
                && remote.len() <= LONGEST
                && let Some(wish) = self.wish_for(&remote)
            {
                self.ask_directory(Ask::Caller(remote), wish);
            }
        }
    }

    /// What is called for what somebody wants to call: the application dial rules' work on a number.
    /// Numbers that a call shows are not touched by them.
    ///
    /// # Errors
    /// Addresses may not be called here. Where nobody says so they may, unlike in Jabber, whose
    /// default is off: a server that wants none of them says so itself.
    pub(crate) fn as_dialled_here(&self, to: DialString) -> Result<DialString, CommandError> {
        match to {
            DialString::Number(number) => {
                Ok(DialString::Number(apply(&self.contacts.given.dial_rules, &number)))
            }
            DialString::Address(address) => {
                let settings = self.memory.settings();
                if settings.setting(BY_ADDRESS).is_some() && !settings.flag(BY_ADDRESS) {
                    return Err(CommandError {
                        owner: Owner::Admin,
                        ..CommandError::user(
                            ErrorCode::Refused,
                            "Your organisation allows calls to numbers only.",
                            "Call a number, or ask for EnableSIPURIDialling to be switched on.",
                        )
                    });
                }
                Ok(DialString::Address(address))
            }
        }
    }

    /// The directory has answered who has this number.
    pub(super) fn caller_found(&mut self, remote: &str, now: Moment) {
        let calls = self.phone.calls();
        for call in calls.iter().filter(|call| call.end.is_none() && call.remote == remote) {
            self.name_caller(call.id, remote, now);
        }
    }

    fn name_caller(&mut self, id: CallId, remote: &str, now: Moment) -> bool {
        let Some(entry) = self.known_by(remote, now).into_iter().next() else { return false };
        let name = name_of(&entry);
        self.with_phone(|phone| phone.name_caller(id, &name));
        self.drain_phone(now);
        true
    }

    /// What to ask the directory about a number or an address.
    fn wish_for(&self, who: &str) -> Option<Wish> {
        if looks_like_number(who) {
            let lookup = self.contacts.given.lookup_rules.clone();
            let dialling = Dialling { lookup, country: self.country(), ..Dialling::default() };
            let forms = dialling.looked_up(who);
            return Some(Wish::Number(forms.into_iter().next().unwrap_or_else(|| who.to_owned())));
        }
        who.contains('@').then(|| Wish::Uri(who.to_owned()))
    }

    /// Whose number or address this is.
    pub(super) fn resolve(
        &mut self,
        ticket: Ticket,
        who: String,
        now: Moment,
    ) -> Option<Result<Reply, CommandError>> {
        let who = who.trim().to_owned();
        if who.is_empty() || who.len() > LONGEST {
            return Some(Err(CommandError::user(
                ErrorCode::InvalidParams,
                "This is no number and no address.",
                "Give a number, or an address such as name@company.com.",
            )));
        }
        let known = self.known_by(&who, now);
        if known.is_empty()
            && let Some(wish) = self.wish_for(&who)
            && self.ask_directory(Ask::Resolve(ticket, who.clone()), wish)
        {
            return None;
        }
        Some(Ok(Reply::People(Box::new(self.persons(&known, &who)))))
    }
}
