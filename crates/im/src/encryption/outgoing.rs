//! What goes out: encrypted for every device of the other side and for our own others, or held, or
//! refused.

use offhook_model::{EncryptionPolicy, Jid, KeyTrust, MessageId, Protection};
use offhook_omemo::{Dialect, KeyMessage, payload};
use offhook_ports::StoreRequest;
use xmpp_parsers::message::{Message as Wire, MessageType};
use xmpp_parsers::minidom::Element;

use super::{DeviceId, envelope, xml};
use crate::Im;
use crate::sealing::Sealed;

/// Why a message waits.
pub(super) const HELD: &str = "A device of this conversation has a new key. Compare it and say whether you \
     trust it; until then messages wait.";
const DISTRUSTED: &str =
    "You trust none of this person's devices, so the message was not encrypted for any.";
const NO_TEXT: &str = "The other side's devices can only take encrypted texts, and your administrator \
     allows nothing in clear.";
const BROKEN: &str = "The message could not be encrypted. Try again.";

impl Im {
    /// Encrypts a message, where that is decided.
    pub(crate) fn seal_message(&mut self, with: &Jid, wire: Wire) -> Sealed {
        let one_to_one = wire.type_ != MessageType::Groupchat;
        let wanted = self.decided(with, true);
        if !one_to_one || wanted.may_send_plain {
            return Sealed::Plain(wire);
        }
        if !wanted.encrypt {
            return Sealed::Refused(wanted.sentence.unwrap_or(BROKEN).to_owned());
        }
        self.begin_encryption();
        if !self.encryption.begun || !self.gather(with) {
            self.encryption.waiting.insert(with.clone());
            return Sealed::Waiting;
        }
        self.renew_keys();
        let theirs = self.targets(with);
        let decision = self.decided(with, !theirs.is_empty());
        if !decision.encrypt {
            self.show_protection(with);
            return if decision.may_send_plain {
                Sealed::Plain(wire)
            } else {
                Sealed::Refused(decision.sentence.unwrap_or(BROKEN).to_owned())
            };
        }
        if self.held_back(with) {
            self.encryption.waiting.insert(with.clone());
            self.show_protection(with);
            return Sealed::Waiting;
        }
        self.seal_for(with, wire, theirs)
    }

    fn seal_for(&mut self, with: &Jid, wire: Wire, theirs: Vec<DeviceId>) -> Sealed {
        let trusted = |it: &DeviceId| self.trust_of(with, *it) != KeyTrust::Distrusted;
        let theirs: Vec<DeviceId> = theirs.into_iter().filter(trusted).collect();
        if theirs.is_empty() {
            return Sealed::Refused(DISTRUSTED.to_owned());
        }
        let old = theirs.iter().any(|(dialect, _)| *dialect == Dialect::Old);
        if old && wire.bodies.is_empty() {
            // Version 0.3 can hold a text alone; see `envelope`.
            if self.policy.encryption != EncryptionPolicy::Required {
                return Sealed::Plain(wire);
            }
            if theirs.iter().all(|(dialect, _)| *dialect == Dialect::Old) {
                return Sealed::Refused(NO_TEXT.to_owned());
            }
        }
        let verified = theirs.iter().all(|it| self.trust_of(with, *it) == KeyTrust::Verified);
        let me = self.me.clone();
        let mut targets: Vec<(Jid, DeviceId)> =
            theirs.into_iter().map(|it| (with.clone(), it)).collect();
        if *with != me {
            let ours = self.targets(&me).into_iter();
            let ours = ours.filter(|it| self.trust_of(&me, *it) != KeyTrust::Distrusted);
            targets.extend(ours.map(|it| (me.clone(), it)).collect::<Vec<_>>());
        }
        let two = self.element_for(Dialect::Two, with, &wire, &targets);
        let old = self.element_for(Dialect::Old, with, &wire, &targets);
        let keep_named = old.is_some();
        let elements: Vec<Element> = [two, old].into_iter().flatten().collect();
        if elements.is_empty() {
            return Sealed::Refused(BROKEN.to_owned());
        }
        // The sessions are kept before the message that used them leaves.
        self.keep_keys();
        let protection = if verified { Protection::Verified } else { Protection::Encrypted };
        if let Some(id) = &wire.id {
            self.note_protection(with, MessageId(id.0.clone()), protection);
        }
        Sealed::Ready(envelope::outside(&wire, keep_named, elements))
    }

    /// The message for all devices of one dialect, if there are any.
    fn element_for(
        &mut self,
        dialect: Dialect,
        with: &Jid,
        wire: &Wire,
        targets: &[(Jid, DeviceId)],
    ) -> Option<Element> {
        let (me, now) = (self.me.clone(), self.time.wall);
        let it = &mut self.encryption;
        let entropy = it.entropy.as_deref_mut()?;
        let content = match dialect {
            Dialect::Two => envelope::seal(wire, &me, with, now, entropy),
            Dialect::Old => wire.bodies.values().next()?.clone(),
        };
        let mut targets = targets.iter().filter(|(_, id)| id.0 == dialect).peekable();
        targets.peek()?;
        let sealed = payload::seal(dialect, content.as_bytes(), entropy).ok()?;
        let mut keys: Vec<(Jid, u32, KeyMessage)> = Vec::new();
        for (owner, id) in targets {
            let device = it.people.get_mut(owner).and_then(|it| it.devices.get_mut(id));
            let session = device.and_then(|it| it.session.as_mut());
            if let Some(Ok(key)) = session.map(|it| it.encrypt(&sealed.key)) {
                keys.push((owner.clone(), id.1, key));
                it.due.sessions.insert((owner.clone(), *id));
            }
        }
        // A message that nobody but ourselves can read is none.
        keys.iter().any(|(owner, ..)| owner == with).then(|| {
            let iv = sealed.iv.as_ref().map(|iv| &iv[..]);
            xml::encrypted(dialect, it.device, &keys, iv, Some(&sealed.payload))
        })
    }

    /// Devices with a session: of a person, or our own others.
    fn targets(&self, who: &Jid) -> Vec<DeviceId> {
        let own = *who == self.me;
        let it = &self.encryption;
        let mut devices = it.devices(who);
        devices.retain(|id| !(own && id.1 == it.device) && it.session(who, *id).is_some());
        devices
    }

    pub(super) fn trust_of(&self, who: &Jid, id: DeviceId) -> KeyTrust {
        let session = self.encryption.session(who, id);
        let fingerprint = session.map(|it| it.identity().fingerprint()).unwrap_or_default();
        let person = self.encryption.people.get(who);
        person.map_or(KeyTrust::Undecided, |it| it.trust.of(&fingerprint))
    }

    /// A key has to be decided about before anything goes out.
    pub(super) fn held_back(&self, with: &Jid) -> bool {
        [with, &self.me].into_iter().any(|who| {
            let strict = self.encryption.people.get(who).is_some_and(|it| it.trust.strict());
            let undecided = |id: &DeviceId| self.trust_of(who, *id) == KeyTrust::Undecided;
            strict && self.targets(who).iter().any(undecided)
        })
    }

    /// The message shows how it was protected.
    fn note_protection(&mut self, with: &Jid, id: MessageId, protection: Protection) {
        let Some(talk) = self.talks.get_mut(with) else {
            return;
        };
        let old = talk.find(&id.0).map(|it| it.more.protection);
        if old.is_none_or(|it| it == protection) {
            return;
        }
        if let Some(message) = talk.edit(&id, |message| message.more.protection = protection) {
            self.store(StoreRequest::PutMessage(message));
            self.publish(with);
        }
    }
}
