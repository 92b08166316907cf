//! Sessions with devices: begun from their bundles, begun anew where something could not be read.

use offhook_model::Jid;
use offhook_omemo::{Session, payload};
use xmpp_parsers::minidom::Element;

use super::names::DIALECTS;
use super::{DeviceId, Fetch, List, envelope, xml};
use crate::{Im, Stanza, jid_to_wire};

/// A device's session is begun anew at most once in this time, in milliseconds (an hour): somebody
/// who sends rubbish does not make us talk for ever.
const REPAIR_PAUSE: i64 = 3_600_000;

impl Im {
    /// Asks for what is missing to encrypt for a person. True when nothing is.
    pub(super) fn gather(&mut self, with: &Jid) -> bool {
        let me = self.me.clone();
        let mut complete = true;
        for who in [with, &me] {
            for dialect in DIALECTS {
                match self.encryption.list(who, dialect) {
                    List::Known(_) => {}
                    List::Asked => complete = false,
                    List::Unknown => {
                        self.ask_list(who, dialect);
                        complete = false;
                    }
                }
            }
        }
        if !complete {
            return false;
        }
        for who in [with, &me] {
            for (dialect, device) in self.encryption.devices(who) {
                if who == &me && device == self.encryption.device {
                    continue;
                }
                let known = self.encryption.people.get(who);
                let known = known.and_then(|it| it.devices.get(&(dialect, device)));
                if known.is_some_and(|it| it.session.is_some()) {
                    continue;
                }
                match known.map_or(Fetch::Not, |it| it.fetch) {
                    Fetch::Failed => {}
                    Fetch::Asked => complete = false,
                    Fetch::Not => {
                        self.ask_bundle(who, dialect, device, false);
                        complete = false;
                    }
                }
            }
        }
        complete
    }

    /// A bundle came, or did not.
    pub(super) fn bundle_answered(
        &mut self,
        who: &Jid,
        id: DeviceId,
        bundle: Option<&Element>,
        repair: bool,
    ) {
        let begun = bundle.and_then(|it| self.begin_session(id, it));
        let Some(device) = self.encryption.device_mut(who, id) else {
            return;
        };
        device.fetch = if begun.is_some() { Fetch::Not } else { Fetch::Failed };
        let Some(mut session) = begun else {
            return;
        };
        if device.session.is_some() && !repair {
            return;
        }
        if let Some(earlier) = device.session.take()
            && earlier.identity() == session.identity()
        {
            session.put_before(earlier);
        }
        device.session = Some(session);
        self.encryption.due.sessions.insert((who.clone(), id));
        if repair {
            self.encryption.due.answers.insert((who.clone(), id));
        }
    }

    fn begin_session(&mut self, id: DeviceId, bundle: &Element) -> Option<Session> {
        let bundle = xml::read_bundle(id.0, bundle)?;
        let it = &mut self.encryption;
        Session::begin(it.own.get(&id.0)?, &bundle, it.entropy.as_deref_mut()?).ok()
    }

    /// What a device wrote could not be read: it shall hear of a new session.
    pub(super) fn repair(&mut self, who: &Jid, id: DeviceId) {
        let now = self.time.wall.0;
        let listed =
            matches!(self.encryption.list(who, id.0), List::Known(ids) if ids.contains(&id.1));
        let known = listed || self.encryption.session(who, id).is_some();
        if !known && *who != self.me && !self.may_know(who) {
            return;
        }
        let Some(device) = self.encryption.device_mut(who, id) else {
            return;
        };
        if now - device.repaired < REPAIR_PAUSE || device.fetch == Fetch::Asked {
            return;
        }
        device.repaired = now;
        self.ask_bundle(who, id.0, id.1, true);
    }

    /// A message without content for a device, which moves its keys on. Its session has to be kept
    /// before it leaves.
    pub(super) fn empty_for(&mut self, who: &Jid, id: DeviceId) -> Option<Stanza> {
        let it = &mut self.encryption;
        let key = payload::empty_key(id.0, it.entropy.as_deref_mut()?);
        let device = it.people.get_mut(who)?.devices.get_mut(&id)?;
        let message = device.session.as_mut()?.encrypt(&key).ok()?;
        it.due.sessions.insert((who.clone(), id));
        let iv = [0; 12];
        let keys = [(who.clone(), id.1, message)];
        let encrypted = xml::encrypted(id.0, it.device, &keys, Some(&iv), None);
        let mut wire = envelope::empty(encrypted);
        wire.to = Some(jid_to_wire(who)?);
        wire.id = Some(xmpp_parsers::message::Id(self.ids.next()));
        Some(Stanza::Message(wire))
    }
}
