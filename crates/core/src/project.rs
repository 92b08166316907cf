//! What the window and the control API may see of the core.

use std::sync::Arc;

use offhook_model::{Availability, Me, Session, Snapshot};

use crate::Core;

impl Core {
    /// One consistent picture. The large parts are shared with the machines, not copied.
    pub(crate) fn project(&self, revision: u64) -> Snapshot {
        let im = self.chat.im();
        Snapshot {
            revision,
            session: self.session.clone(),
            me: self.me(),
            contacts: im.map(offhook_im::Im::contacts).unwrap_or_default(),
            chats: im.map(offhook_im::Im::chats).unwrap_or_default(),
            messages: im.map(offhook_im::Im::messages).unwrap_or_default(),
            details: im.map(offhook_im::Im::details).unwrap_or_default(),
            photos: im.map(offhook_im::Im::photos).unwrap_or_default(),
            people: Arc::clone(&self.contacts.people),
            own_contacts: Arc::clone(&self.contacts.own),
            cards: self.contacts.cards.clone(),
            group_taking: self.contacts.taking.clone(),
            portraits: Arc::clone(&self.contacts.portraits),
            blocked: im.map(offhook_im::Im::blocked).unwrap_or_default(),
            rooms: im.map(offhook_im::Im::rooms).unwrap_or_default(),
            invitations: im.map(offhook_im::Im::invitations).unwrap_or_default(),
            listing: im.map(offhook_im::Im::listing).unwrap_or_default(),
            transfers: self.files.list(),
            policy: Arc::clone(&self.policy.current),
            keeping: self.keeping.clone(),
            calls: self.phone.calls(),
            phone: self.phone.state(),
            call_log: Arc::clone(&self.call_log),
            found: Arc::clone(&self.found),
            devices: Arc::clone(&self.devices),
            settings: Arc::clone(&self.settings),
            manual: Arc::new(self.manual.clone()),
            preset: Arc::clone(self.memory.preset()),
            layers: Arc::clone(self.memory.layers()),
            accepted: Arc::clone(self.trust.kept()),
            toasts: Arc::clone(&self.toasts),
        }
    }

    fn me(&self) -> Me {
        let Session { address, .. } = &self.session;
        let mut presence = self.chat.presence();
        if self.phone_tells_presence() {
            presence = self.chat.wished_presence();
        } else if self.session.services.im.state != offhook_model::ServiceState::Ready {
            presence.availability = Availability::Offline;
        }
        Me {
            address: address.as_ref().map(ToString::to_string),
            name: self.display_name(),
            presence,
            number: self.phone.number(),
            photo: self.chat.im().and_then(|im| im.own_photo().cloned()),
        }
    }
}
