//! Key agreement with somebody who may be away: X3DH (Signal, revision 1), with XEdDSA's place taken
//! by Ed25519 in version 0.8.

use offhook_ports::Entropy;
use zeroize::Zeroizing;

use crate::bundle::{Bundle, PreKey};
use crate::keys::{IdentityKey, Key, Own};
use crate::{Dialect, Error, crypto};

/// What the side that begins has agreed.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) shared: Key,
    pub(crate) ephemeral: [u8; 32],
    pub(crate) prekey: PreKey,
}

/// Begins with a device, by its bundle; one of its one-time keys is chosen by chance.
pub(crate) fn begin(own: &Own, bundle: &Bundle, entropy: &mut dyn Entropy) -> Result<Begun, Error> {
    bundle.verify(own.dialect())?;
    let count = u64::try_from(bundle.prekeys.len()).map_err(|_| Error::Exhausted)?;
    let mut chance = [0; 8];
    entropy.fill(&mut chance);
    let place = u64::from_le_bytes(chance).checked_rem(count).ok_or(Error::Exhausted)?;
    let prekey = *usize::try_from(place)
        .ok()
        .and_then(|place| bundle.prekeys.get(place))
        .ok_or(Error::Exhausted)?;
    let ephemeral = Key::random(entropy);
    let shared = derive(
        own.dialect(),
        [
            crypto::agree(&own.secret(), &bundle.signed.key)?,
            crypto::agree(ephemeral.bytes(), bundle.identity.agreement())?,
            crypto::agree(ephemeral.bytes(), &bundle.signed.key)?,
            crypto::agree(ephemeral.bytes(), &prekey.key)?,
        ],
    )?;
    Ok(Begun { shared, ephemeral: crypto::public(ephemeral.bytes()), prekey })
}

/// The other side began.
pub(crate) fn answer(
    own: &Own,
    theirs: &IdentityKey,
    ephemeral: &[u8; 32],
    signed: &Key,
    prekey: &Key,
) -> Result<Key, Error> {
    derive(
        own.dialect(),
        [
            crypto::agree(signed.bytes(), theirs.agreement())?,
            crypto::agree(&own.secret(), ephemeral)?,
            crypto::agree(signed.bytes(), ephemeral)?,
            crypto::agree(prekey.bytes(), ephemeral)?,
        ],
    )
}

fn derive(dialect: Dialect, parts: [Zeroizing<[u8; 32]>; 4]) -> Result<Key, Error> {
    // 32 bytes of ones, then the agreements in their order (section 2.2, KDF).
    let mut material = Zeroizing::new(vec![0xff; 32]);
    for part in &parts {
        material.extend_from_slice(part.as_ref());
    }
    let out = crypto::hkdf::<32>(&crypto::NO_SALT, &material, dialect.agreement_info())?;
    Ok(Key::new(*out))
}
