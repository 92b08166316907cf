//! What can be done with a call and with the phone at this moment, and the words where it cannot.

use std::sync::Arc;

use offhook_model::{
    Call, CallAbilities, CallState, CommandError, ErrorCode, Owner, PhoneAbilities,
};
use offhook_ports::{PhoneDialect, SipServer};

use crate::Phone;
use crate::entry::Entry;

impl Phone {
    /// The server is a call manager, which has buttons of its own.
    pub(crate) fn is_call_manager(&self) -> bool {
        matches!(self.account.dialect, PhoneDialect::Cucm { .. })
    }

    /// The call with what follows from the other calls and from the server.
    pub(crate) fn as_seen(&self, entry: &Entry) -> Call {
        let mut call = entry.call.clone();
        if let Some(local) = self.local_conference(call.id) {
            call.conference = Some(local);
        }
        call.can = self.abilities(entry);
        call
    }

    /// Whether the calls are still seen as they were. Asked after every event of the program, so it
    /// copies nothing.
    pub fn looks_like(&self, seen: &[Call]) -> bool {
        let same = |(entry, seen): (&Entry, &Call)| {
            let Call { id, direction, remote, name, state, muted, started, connected, .. } = seen;
            let Call { end, security, digits, sound, conference, parked_at, .. } = seen;
            let Call { diverted_by, preserved, trouble, silence, can, .. } = seen;
            let now = &entry.call;
            let local = self.local_conference(now.id);
            (id, direction, remote, name) == (&now.id, &now.direction, &now.remote, &now.name)
                && (state, muted, started) == (&now.state, &now.muted, &now.started)
                && (connected, end, security) == (&now.connected, &now.end, &now.security)
                && (digits, sound, parked_at) == (&now.digits, &now.sound, &now.parked_at)
                && (diverted_by, preserved) == (&now.diverted_by, &now.preserved)
                && (trouble, silence) == (&now.trouble, &now.silence)
                && conference.as_ref() == local.as_ref().or(now.conference.as_ref())
                && *can == self.abilities(entry)
        };
        self.entries.len() == seen.len() && self.entries.iter().zip(seen).all(same)
    }

    fn abilities(&self, entry: &Entry) -> CallAbilities {
        let up = |entry: &Entry| {
            matches!(
                entry.call.state,
                CallState::Connected | CallState::Held | CallState::RemoteHeld
            ) && !entry.call.preserved
        };
        let free = up(entry) && entry.pressed.is_none();
        let more = free && !self.state.reduced;
        let id = entry.call.id;
        let others = self.entries.iter().filter(|other| other.call.id != id);
        let mut partners = others.filter(|other| up(other) && !self.are_mixed(id, other.call.id));
        CallAbilities {
            hold: free,
            transfer: more && !self.is_mixed(id),
            merge: more && partners.next().is_some(),
            park: more && self.state.can.park && !self.is_mixed(id),
            divert: entry.call.state == CallState::Incoming && self.state.can.divert,
        }
    }

    /// Registered: what the server offers, and which calls it still knows.
    pub(crate) fn in_service(&mut self, server: &SipServer, reduced: bool) {
        let manager = self.is_call_manager();
        // Another call manager knows nothing of the calls of the one before (seed, high
        // availability); elsewhere the other side is asked itself.
        let same = self.server.as_ref().is_none_or(|before| before == server);
        for entry in &mut self.entries {
            if same || !manager {
                entry.call.preserved = false;
            } else if entry.is_up() {
                entry.call.preserved = true;
            }
        }
        self.server = Some(server.clone());
        let (features, pilot) = (&self.account.features, self.account.voicemail_pilot.is_some());
        let can = PhoneAbilities {
            park: manager,
            pickup: features.pickup_service.is_some(),
            forward: !manager || features.forward_service.is_some(),
            divert: manager || pilot,
        };
        let state = Arc::make_mut(&mut self.state);
        (state.reduced, state.elsewhere) = (reduced, None);
        state.voicemail.clone_from(&self.account.voicemail_pilot);
        state.can = if reduced { PhoneAbilities::default() } else { can };
    }

    /// The server is gone; the sound of calls goes on.
    pub(crate) fn out_of_service(&mut self) {
        for entry in self.entries.iter_mut().filter(|entry| entry.is_up()) {
            entry.call.preserved = true;
        }
        Arc::make_mut(&mut self.state).can = PhoneAbilities::default();
    }

    /// Refuses what needs a server that knows the call.
    pub(crate) fn with_server(&self, index: usize, verb: &str) -> Result<(), CommandError> {
        if !self.entries[index].call.preserved {
            return Ok(());
        }
        Err(CommandError {
            code: ErrorCode::NotPossible,
            cause: format!(
                "The call cannot be {verb}: its call server is gone, only its sound goes on."
            ),
            owner: Owner::Server,
            remedy: "Talk on, or hang up and call again once the phone is registered.".into(),
        })
    }

    /// Refuses what a gateway that stands in for the call managers cannot do (SRST).
    pub(crate) fn with_features(&self, what: &str) -> Result<(), CommandError> {
        if !self.state.reduced {
            return Ok(());
        }
        Err(CommandError {
            code: ErrorCode::NotPossible,
            cause: format!(
                "{what} is not possible: a gateway stands in for the call managers, which are out of reach."
            ),
            owner: Owner::Server,
            remedy: "Calling, hold and resume work; the rest comes back with the call managers."
                .into(),
        })
    }

    pub(crate) fn not_offered(&self, what: &str, remedy: &str) -> CommandError {
        CommandError {
            code: ErrorCode::NotPossible,
            cause: format!("{what} is not possible: this phone's server does not offer it."),
            owner: Owner::Admin,
            remedy: remedy.to_owned(),
        }
    }
}
