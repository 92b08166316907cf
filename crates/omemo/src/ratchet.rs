//! The Double Ratchet (Signal, revision 1): every message has a key of its own, which is given up
//! when it was used.

use std::collections::VecDeque;

use offhook_ports::Entropy;
use serde::{Deserialize, Serialize};

use crate::keys::Key;
use crate::wire::{self, Header};
use crate::{Dialect, Error, SKIPPED, crypto};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Chain {
    key: Key,
    /// How many message keys were taken from it.
    n: u32,
}

impl Chain {
    /// The next message key; the chain moves on and cannot go back.
    fn step(&mut self) -> Key {
        let message = Key::new(crypto::hmac(self.key.bytes(), &[&[1]]));
        self.key = Key::new(crypto::hmac(self.key.bytes(), &[&[2]]));
        self.n = self.n.saturating_add(1);
        message
    }
}

/// The key of a message that has not come yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Skipped {
    from: [u8; 32],
    n: u32,
    key: Key,
}

/// One side's state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ratchet {
    dialect: Dialect,
    root: Key,
    own: Key,
    theirs: Option<[u8; 32]>,
    sending: Option<Chain>,
    receiving: Option<Chain>,
    /// Length of our chain before this one.
    pn: u32,
    skipped: VecDeque<Skipped>,
}

impl Ratchet {
    /// The side that begins: it knows a key of theirs.
    pub(crate) fn begin(
        dialect: Dialect,
        shared: Key,
        theirs: [u8; 32],
        entropy: &mut dyn Entropy,
    ) -> Result<Self, Error> {
        let mut ratchet = Self::answer(dialect, shared, Key::random(entropy));
        ratchet.theirs = Some(theirs);
        ratchet.sending = Some(ratchet.turn(&theirs)?);
        Ok(ratchet)
    }

    /// The side that answers: `own` is the key that the other side began with.
    pub(crate) fn answer(dialect: Dialect, shared: Key, own: Key) -> Self {
        Self {
            dialect,
            root: shared,
            own,
            theirs: None,
            sending: None,
            receiving: None,
            pn: 0,
            skipped: VecDeque::new(),
        }
    }

    /// Encrypts; `identities` is authenticated with it.
    pub(crate) fn encrypt(&mut self, plain: &[u8], identities: &[u8]) -> Result<Vec<u8>, Error> {
        let chain = self.sending.as_mut().ok_or(Error::KeyGone)?;
        if chain.n == u32::MAX {
            return Err(Error::KeyGone);
        }
        let header = Header { n: chain.n, pn: self.pn, key: crypto::public(self.own.bytes()) };
        let key = chain.step();
        let material = Material::of(self.dialect, &key)?;
        let ciphertext = crypto::encrypt_cbc(&material.key, &material.iv, plain);
        let message = wire::message(self.dialect, &header, &ciphertext);
        let mac = crypto::hmac(material.mac.as_ref(), &[identities, &message]);
        let mac = mac.get(..self.dialect.mac_len()).ok_or(Error::Malformed)?;
        Ok(wire::authenticated(self.dialect, &message, mac))
    }

    /// Decrypts. Nothing changes unless the message is genuine.
    pub(crate) fn decrypt(
        &mut self,
        data: &[u8],
        identities: &[u8],
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<u8>, Error> {
        let message = wire::read_message(self.dialect, data)?;
        let header = message.header;
        let kept = self.skipped.iter().position(|it| it.from == header.key && it.n == header.n);
        if let Some(place) = kept {
            let key = self.skipped.get(place).map(|it| it.key.clone()).ok_or(Error::KeyGone)?;
            let plain = open(self.dialect, &key, &message, identities)?;
            self.skipped.remove(place);
            return Ok(plain);
        }
        let mut next = self.clone();
        let key = next.key_for(&header)?;
        let plain = open(self.dialect, &key, &message, identities)?;
        if self.theirs != Some(header.key) || self.receiving.is_none() {
            next.turn_ours(entropy)?;
        }
        *self = next;
        Ok(plain)
    }

    /// The key of the message with this header, with those before it put aside.
    fn key_for(&mut self, header: &Header) -> Result<Key, Error> {
        let mut budget = SKIPPED;
        if self.theirs != Some(header.key) || self.receiving.is_none() {
            self.skip_to(header.pn, &mut budget)?;
            self.theirs = Some(header.key);
            self.receiving = Some(self.turn(&header.key)?);
        }
        if self.receiving.as_ref().is_some_and(|chain| header.n < chain.n) {
            return Err(Error::KeyGone);
        }
        self.skip_to(header.n, &mut budget)?;
        Ok(self.receiving.as_mut().ok_or(Error::KeyGone)?.step())
    }

    fn skip_to(&mut self, n: u32, budget: &mut usize) -> Result<(), Error> {
        let (Some(chain), Some(from)) = (&mut self.receiving, self.theirs) else {
            return Ok(());
        };
        let missing = usize::try_from(n.saturating_sub(chain.n)).map_err(|_| Error::TooFar)?;
        *budget = budget.checked_sub(missing).ok_or(Error::TooFar)?;
        for _ in 0..missing {
            if self.skipped.len() >= SKIPPED {
                self.skipped.pop_front();
            }
            let n = chain.n;
            self.skipped.push_back(Skipped { from, n, key: chain.step() });
        }
        Ok(())
    }

    /// A new chain from our key and theirs.
    fn turn(&mut self, theirs: &[u8; 32]) -> Result<Chain, Error> {
        let shared = crypto::agree(self.own.bytes(), theirs)?;
        let out = crypto::hkdf::<64>(self.root.bytes(), shared.as_ref(), self.dialect.root_info())?;
        let (root, chain) = halves(&out)?;
        self.root = root;
        Ok(Chain { key: chain, n: 0 })
    }

    /// They have a new key, so we take one as well.
    fn turn_ours(&mut self, entropy: &mut dyn Entropy) -> Result<(), Error> {
        let theirs = self.theirs.ok_or(Error::KeyGone)?;
        self.pn = self.sending.as_ref().map_or(0, |chain| chain.n);
        self.own = Key::random(entropy);
        self.sending = Some(self.turn(&theirs)?);
        Ok(())
    }

    /// How many keys of missing messages are kept.
    pub(crate) fn skipped(&self) -> usize {
        self.skipped.len()
    }

    /// How many messages came since we turned, which the other side needs to see us answer
    /// (XEP-0384 section 5.5, heartbeat).
    pub(crate) fn received(&self) -> u32 {
        self.receiving.as_ref().map_or(0, |chain| chain.n)
    }
}

fn halves(out: &[u8; 64]) -> Result<(Key, Key), Error> {
    let first = *out.first_chunk().ok_or(Error::Malformed)?;
    let last = *out.last_chunk().ok_or(Error::Malformed)?;
    Ok((Key::new(first), Key::new(last)))
}

/// What encrypts and authenticates one message.
struct Material {
    key: zeroize::Zeroizing<[u8; 32]>,
    mac: zeroize::Zeroizing<[u8; 32]>,
    iv: [u8; 16],
}

impl Material {
    fn of(dialect: Dialect, key: &Key) -> Result<Self, Error> {
        let out = crypto::hkdf::<80>(&crypto::NO_SALT, key.bytes(), dialect.message_info())?;
        let (key, rest) = out.split_first_chunk::<32>().ok_or(Error::Malformed)?;
        let (mac, rest) = rest.split_first_chunk::<32>().ok_or(Error::Malformed)?;
        let iv = *rest.first_chunk::<16>().ok_or(Error::Malformed)?;
        Ok(Self { key: (*key).into(), mac: (*mac).into(), iv })
    }
}

fn open(
    dialect: Dialect,
    key: &Key,
    message: &wire::Ratcheted<'_>,
    identities: &[u8],
) -> Result<Vec<u8>, Error> {
    let material = Material::of(dialect, key)?;
    let mac = crypto::hmac(material.mac.as_ref(), &[identities, message.signed]);
    if !mac.get(..dialect.mac_len()).is_some_and(|mac| crypto::same(mac, message.mac)) {
        return Err(Error::Forged);
    }
    crypto::decrypt_cbc(&material.key, &material.iv, message.ciphertext)
}
