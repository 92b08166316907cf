//! What comes in: decrypted, or a sentence in its place.

use offhook_model::{Jid, KeyTrust, Protection};
use offhook_omemo::{Dialect, Error, Opened, Session, payload};
use xmpp_parsers::message::{Message as Wire, MessageType};

use super::xml::Encrypted;
use super::{DeviceId, decision, envelope, xml};
use crate::sealing::Unsealed;
use crate::{Im, jid_from_wire};

const NOT_FOR_US: &str = "This message was encrypted for other devices, not for this one.";
const OWN: &str =
    "You sent this message encrypted from this computer; its text is not kept here any more.";
const BROKEN: &str = "This message could not be decrypted. A new session is begun with the device that \
     wrote it; ask for the message again.";
const STRANGE: &str = "This message is encrypted in a way that this program does not read.";

impl Im {
    /// Decrypts a message that came, or passes it on as it is.
    pub(crate) fn unseal_message(&mut self, wire: Wire) -> Unsealed {
        if matches!(wire.type_, MessageType::Groupchat | MessageType::Error) {
            return Unsealed::Open(wire, Protection::None);
        }
        let Some(from) = wire.from.as_ref().and_then(jid_from_wire).map(|it| it.bare()) else {
            return Unsealed::Open(wire, Protection::None);
        };
        let Some((dialect, element)) = envelope::encrypted(&wire) else {
            return self.in_clear(wire, &from);
        };
        let device = self.encryption.device;
        let Some(message) = xml::read_encrypted(dialect, element, &self.me, device) else {
            return unreadable(wire, STRANGE);
        };
        if from == self.me && message.sid == device {
            // Our own, from an archive: known by its id, or lost.
            return unreadable(wire, OWN);
        }
        let Some(key) = &message.key else {
            let speaks = message.payload.is_some();
            return if speaks { unreadable(wire, NOT_FOR_US) } else { Unsealed::Nothing };
        };
        let id = (dialect, message.sid);
        match self.open_key(&from, id, key) {
            Ok(opened) => self.opened(wire, &from, id, &message, &opened),
            // It was read before: its key was given up when that was kept.
            Err(Error::KeyGone) => Unsealed::Nothing,
            Err(_) => {
                self.repair(&from, id);
                if message.payload.is_some() { unreadable(wire, BROKEN) } else { Unsealed::Nothing }
            }
        }
    }

    /// A message in clear, where that is taken.
    fn in_clear(&mut self, wire: Wire, from: &Jid) -> Unsealed {
        let person = from.local().is_some() && *from != self.me && !self.is_room(from);
        let says = !wire.bodies.is_empty();
        if person && says && !self.decided(from, false).accept_plain {
            return unreadable(wire, decision::REQUIRED);
        }
        Unsealed::Open(wire, Protection::None)
    }

    fn open_key(
        &mut self,
        from: &Jid,
        id: DeviceId,
        key: &offhook_omemo::KeyMessage,
    ) -> Result<Opened, Error> {
        let it = &mut self.encryption;
        let entropy = it.entropy.as_deref_mut().ok_or(Error::NoPreKey)?;
        let own = it.own.get(&id.0).ok_or(Error::NoPreKey)?;
        let known = it.people.get_mut(from).and_then(|it| it.devices.get_mut(&id));
        let mut fresh = None;
        let opened = match known.and_then(|it| it.session.as_mut()) {
            Some(session) => {
                let other = key.begins
                    && Session::claimed(id.0, &key.data).is_ok_and(|it| it != *session.identity());
                if other {
                    // The device was set up anew: another key, which nobody has compared.
                    let (session, opened) = Session::answer(own, &key.data, entropy)?;
                    fresh = Some(session);
                    opened
                } else {
                    session.decrypt(own, key, entropy)?
                }
            }
            None if key.begins => {
                let (session, opened) = Session::answer(own, &key.data, entropy)?;
                fresh = Some(session);
                opened
            }
            None => return Err(Error::NoPreKey),
        };
        if let Some(session) = fresh {
            it.device_mut(from, id).ok_or(Error::NoPreKey)?.session = Some(session);
        }
        Ok(opened)
    }

    fn opened(
        &mut self,
        wire: Wire,
        from: &Jid,
        id: DeviceId,
        message: &Encrypted,
        opened: &Opened,
    ) -> Unsealed {
        let it = &mut self.encryption;
        it.due.sessions.insert((from.clone(), id));
        let beat = it.session(from, id).is_some_and(Session::wants_heartbeat);
        if opened.spent.is_some() || beat {
            it.due.answers.insert((from.clone(), id));
        }
        if let Some(prekey) = opened.spent
            && it.own.get_mut(&id.0).is_some_and(|it| it.spend(prekey))
        {
            it.due.own.insert(id.0);
        }
        self.renew_keys();
        if opened.spent.is_some() {
            self.keys_changed(from);
        }
        let Some(sealed) = &message.payload else {
            return Unsealed::Nothing;
        };
        let Ok(text) = payload::open(id.0, &opened.plain, &message.iv, sealed) else {
            return unreadable(wire, BROKEN);
        };
        let clear = match id.0 {
            Dialect::Two => envelope::open(wire.clone(), &text, from),
            Dialect::Old => envelope::open_old(wire.clone(), &text),
        };
        let protection = match self.trust_of(from, id) {
            KeyTrust::Undecided => Protection::Encrypted,
            KeyTrust::Verified => Protection::Verified,
            // Whoever has that key is not believed to be the other side.
            KeyTrust::Distrusted => Protection::None,
        };
        match clear {
            Some(clear) => Unsealed::Open(clear, protection),
            None => unreadable(wire, STRANGE),
        }
    }
}

fn unreadable(wire: Wire, sentence: &str) -> Unsealed {
    Unsealed::Open(envelope::sentence(wire, sentence), Protection::Unreadable)
}
