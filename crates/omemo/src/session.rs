//! What we share with one device: the session that is used, and a few before it.
//!
//! Two devices that begin at the same moment end up with two sessions. The newer one is used, the
//! other kept until both sides write in the same one; so nothing is lost (as Signal's programs do).

use offhook_ports::Entropy;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::bundle::Bundle;
use crate::keys::{IdentityKey, Key, Own};
use crate::ratchet::Ratchet;
use crate::wire::{self, Exchange};
use crate::{Dialect, Error, x3dh};

/// How many sessions before the present one are kept.
const BEFORE: usize = 4;

/// After so many messages without an answer of ours the other side's keys should move on (XEP-0384
/// section 5.5).
const HEARTBEAT: u32 = 53;

/// A message for one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyMessage {
    /// It begins a session.
    pub begins: bool,
    /// Bytes of the `key` element.
    pub data: Vec<u8>,
}

/// What was read out of a message for our device.
#[derive(Debug)]
pub struct Opened {
    /// What was encrypted.
    pub plain: Zeroizing<Vec<u8>>,
    /// The one-time key of ours that it used up: forget it with [`Own::spend`], publish the bundle
    /// again and answer, so that the other side stops sending the beginning.
    pub spent: Option<u32>,
}

/// How a session began, repeated until the other side answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Beginning {
    ephemeral: [u8; 32],
    prekey: u32,
    signed: u32,
}

/// One session.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct One {
    ratchet: Ratchet,
    /// We began it.
    ours: bool,
    /// Sent along until something came back. Of a session that they began, how to know it again.
    beginning: Beginning,
    answered: bool,
}

/// Everything we share with one device. Serialises for the store alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    dialect: Dialect,
    own: IdentityKey,
    theirs: IdentityKey,
    current: One,
    before: Vec<One>,
}

impl Session {
    /// Begins with a device whose bundle was fetched.
    ///
    /// # Errors
    /// The bundle's signature is wrong, a key is not usable, or it offers no one-time key.
    pub fn begin(own: &Own, bundle: &Bundle, entropy: &mut dyn Entropy) -> Result<Self, Error> {
        let dialect = own.dialect();
        let begun = x3dh::begin(own, bundle, entropy)?;
        let ratchet = Ratchet::begin(dialect, begun.shared, bundle.signed.key, entropy)?;
        let beginning = Beginning {
            ephemeral: begun.ephemeral,
            prekey: begun.prekey.id,
            signed: bundle.signed.id,
        };
        let current = One { ratchet, ours: true, beginning, answered: false };
        let (own, theirs) = (*own.identity(), bundle.identity);
        Ok(Self { dialect, own, theirs, current, before: Vec::new() })
    }

    /// The other device began with this message, and we share nothing with it.
    ///
    /// # Errors
    /// It is malformed, forged, or made with keys that we do not have.
    pub fn answer(
        own: &Own,
        data: &[u8],
        entropy: &mut dyn Entropy,
    ) -> Result<(Self, Opened), Error> {
        let exchange = wire::read_exchange(own.dialect(), data)?;
        let theirs = IdentityKey::from_wire(own.dialect(), &exchange.identity)?;
        let (current, opened) = One::answer(own, &theirs, &exchange, entropy)?;
        let (dialect, own) = (own.dialect(), *own.identity());
        Ok((Self { dialect, own, theirs, current, before: Vec::new() }, opened))
    }

    /// The identity that a beginning claims, before anything is believed.
    ///
    /// # Errors
    /// It is malformed.
    pub fn claimed(dialect: Dialect, data: &[u8]) -> Result<IdentityKey, Error> {
        IdentityKey::from_wire(dialect, &wire::read_exchange(dialect, data)?.identity)
    }

    /// Whose session it is.
    pub fn identity(&self) -> &IdentityKey {
        &self.theirs
    }

    /// Encrypts for the device. The session has to be kept before the message leaves: the key of a
    /// message is never used twice.
    ///
    /// # Errors
    /// The chain is at its end.
    pub fn encrypt(&mut self, plain: &[u8]) -> Result<KeyMessage, Error> {
        let one = &mut self.current;
        let identities = identities(self.dialect, &self.own, &self.theirs, one.ours, true);
        let message = one.ratchet.encrypt(plain, &identities)?;
        if one.answered {
            return Ok(KeyMessage { begins: false, data: message });
        }
        let data = wire::exchange(
            self.dialect,
            &Exchange {
                prekey: one.beginning.prekey,
                signed: one.beginning.signed,
                identity: self.own.wire(self.dialect),
                ephemeral: one.beginning.ephemeral,
                message: &message,
            },
        );
        Ok(KeyMessage { begins: true, data })
    }

    /// Decrypts a message of the device. Nothing changes unless it is genuine; then the session has
    /// to be kept.
    ///
    /// # Errors
    /// It is malformed, forged, was read before, or made with keys that we do not have.
    pub fn decrypt(
        &mut self,
        own: &Own,
        message: &KeyMessage,
        entropy: &mut dyn Entropy,
    ) -> Result<Opened, Error> {
        if !message.begins {
            return self.continued(&message.data, entropy);
        }
        let exchange = wire::read_exchange(self.dialect, &message.data)?;
        let theirs = IdentityKey::from_wire(self.dialect, &exchange.identity)?;
        if theirs.agreement() != self.theirs.agreement() {
            return Err(Error::Forged);
        }
        let known = |one: &One| !one.ours && one.beginning.ephemeral == exchange.ephemeral;
        if known(&self.current) || self.before.iter().any(known) {
            return self.continued(exchange.message, entropy);
        }
        let (new, opened) = One::answer(own, &self.theirs, &exchange, entropy)?;
        self.put_first(new);
        Ok(opened)
    }

    fn continued(&mut self, data: &[u8], entropy: &mut dyn Entropy) -> Result<Opened, Error> {
        let mut first = None;
        for place in 0..=self.before.len() {
            let one = match place.checked_sub(1) {
                None => &mut self.current,
                Some(place) => self.before.get_mut(place).ok_or(Error::KeyGone)?,
            };
            let identities = identities(self.dialect, &self.own, &self.theirs, one.ours, false);
            match one.ratchet.decrypt(data, &identities, entropy) {
                Ok(plain) => {
                    one.answered = true;
                    if let Some(place) = place.checked_sub(1) {
                        let one = self.before.remove(place);
                        self.put_first(one);
                    }
                    return Ok(Opened { plain: plain.into(), spent: None });
                }
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or(Error::KeyGone))
    }

    /// Begins anew beside what there was: the other side could not read us.
    pub fn put_before(&mut self, earlier: Self) {
        self.before.extend(std::iter::once(earlier.current).chain(earlier.before));
        self.before.truncate(BEFORE);
    }

    fn put_first(&mut self, one: One) {
        self.before.insert(0, std::mem::replace(&mut self.current, one));
        self.before.truncate(BEFORE);
    }

    /// The other side has written in this session.
    pub fn is_answered(&self) -> bool {
        self.current.answered
    }

    /// So many messages came without one of ours that an empty one should go back.
    pub fn wants_heartbeat(&self) -> bool {
        self.current.ratchet.received() >= HEARTBEAT
    }

    /// How many keys of missing messages are kept.
    pub fn skipped(&self) -> usize {
        self.current.ratchet.skipped()
    }
}

impl One {
    fn answer(
        own: &Own,
        theirs: &IdentityKey,
        exchange: &Exchange<'_>,
        entropy: &mut dyn Entropy,
    ) -> Result<(Self, Opened), Error> {
        let dialect = own.dialect();
        let signed = own.signed_secret(exchange.signed).ok_or(Error::NoPreKey)?;
        let prekey = own.prekey_secret(exchange.prekey).ok_or(Error::NoPreKey)?;
        let shared = x3dh::answer(own, theirs, &exchange.ephemeral, signed, prekey)?;
        let mut ratchet = Ratchet::answer(dialect, shared, Key::new(*signed.bytes()));
        let identities = identities(dialect, own.identity(), theirs, false, false);
        let plain = ratchet.decrypt(exchange.message, &identities, entropy)?;
        let beginning = Beginning {
            ephemeral: exchange.ephemeral,
            prekey: exchange.prekey,
            signed: exchange.signed,
        };
        let one = Self { ratchet, ours: false, beginning, answered: true };
        Ok((one, Opened { plain: plain.into(), spent: Some(exchange.prekey) }))
    }
}

/// What is authenticated with each message: the two identities. Version 0.8 puts the one first that
/// began the session, version 0.3 the one that sends (as Signal's programs do, undocumented).
fn identities(
    dialect: Dialect,
    own: &IdentityKey,
    theirs: &IdentityKey,
    ours: bool,
    sending: bool,
) -> Vec<u8> {
    let own_first = match dialect {
        Dialect::Two => ours,
        Dialect::Old => sending,
    };
    let (first, second) = if own_first { (own, theirs) } else { (theirs, own) };
    let mut out = wire::put_key(dialect, &first.wire(dialect));
    out.extend(wire::put_key(dialect, &second.wire(dialect)));
    out
}
