//! The messages that devices exchange, in the form of each dialect.
//!
//! Version 0.8: protocol buffers of XEP-0384 section 9, `OMEMOMessage` in `OMEMOAuthenticatedMessage`
//! in `OMEMOKeyExchange`. Version 0.3: those of the Signal protocol, a version byte 0x33 before and
//! eight bytes of authentication behind, keys with a type byte 0x05.

use crate::protobuf::{Fields, put_bytes, put_number};
use crate::{Dialect, Error};

/// Version byte of the Signal protocol: 3, and 3 is what is understood.
const VERSION: u8 = 0x33;

/// Type byte of a key of Curve25519.
const KEY_TYPE: u8 = 5;

/// The largest message between two devices: 48 bytes of key make about 200.
const LARGEST: usize = 4_096;

/// What stands before the ciphertext of a ratchet message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Number in the sending chain.
    pub(crate) n: u32,
    /// Length of the chain before it.
    pub(crate) pn: u32,
    /// The sender's ratchet key.
    pub(crate) key: [u8; 32],
}

/// A ratchet message as it came.
#[derive(Debug)]
pub(crate) struct Ratcheted<'a> {
    pub(crate) header: Header,
    pub(crate) ciphertext: &'a [u8],
    /// What is authenticated, beside the identities.
    pub(crate) signed: &'a [u8],
    pub(crate) mac: &'a [u8],
}

/// A message that begins a session.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) prekey: u32,
    pub(crate) signed: u32,
    /// Identity key in the dialect's form: Ed25519 in version 0.8, X25519 in 0.3.
    pub(crate) identity: [u8; 32],
    pub(crate) ephemeral: [u8; 32],
    pub(crate) message: &'a [u8],
}

/// A public key of the dialect's messages.
pub(crate) fn put_key(dialect: Dialect, key: &[u8; 32]) -> Vec<u8> {
    match dialect {
        Dialect::Two => key.to_vec(),
        Dialect::Old => [&[KEY_TYPE][..], key].concat(),
    }
}

/// Likewise back.
pub(crate) fn read_key(dialect: Dialect, data: &[u8]) -> Result<[u8; 32], Error> {
    let bare = match (dialect, data.split_first()) {
        (Dialect::Old, Some((&KEY_TYPE, rest))) if rest.len() == 32 => rest,
        (Dialect::Two, _) => data,
        (Dialect::Old, _) => return Err(Error::Malformed),
    };
    bare.try_into().map_err(|_| Error::Malformed)
}

/// The part of a ratchet message that is authenticated.
pub(crate) fn message(dialect: Dialect, header: &Header, ciphertext: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    let key = put_key(dialect, &header.key);
    match dialect {
        Dialect::Two => {
            put_number(&mut out, 1, header.n);
            put_number(&mut out, 2, header.pn);
            put_bytes(&mut out, 3, &key);
        }
        Dialect::Old => {
            out.push(VERSION);
            put_bytes(&mut out, 1, &key);
            put_number(&mut out, 2, header.n);
            put_number(&mut out, 3, header.pn);
        }
    }
    put_bytes(&mut out, 4, ciphertext);
    out
}

/// The whole ratchet message.
pub(crate) fn authenticated(dialect: Dialect, message: &[u8], mac: &[u8]) -> Vec<u8> {
    match dialect {
        Dialect::Two => {
            let mut out = Vec::with_capacity(message.len() + 32);
            put_bytes(&mut out, 1, mac);
            put_bytes(&mut out, 2, message);
            out
        }
        Dialect::Old => [message, mac].concat(),
    }
}

/// Reads a ratchet message.
pub(crate) fn read_message(dialect: Dialect, data: &[u8]) -> Result<Ratcheted<'_>, Error> {
    if data.len() > LARGEST {
        return Err(Error::Malformed);
    }
    let (signed, mac) = match dialect {
        Dialect::Two => {
            let fields = Fields::read(data)?;
            (fields.bytes(2)?, fields.bytes(1)?)
        }
        Dialect::Old => {
            let cut = data.len().checked_sub(dialect.mac_len()).ok_or(Error::Malformed)?;
            data.split_at_checked(cut).ok_or(Error::Malformed)?
        }
    };
    let (n, pn, key, body) = match dialect {
        Dialect::Two => (1, 2, 3, signed),
        Dialect::Old => (2, 3, 1, after_version(signed)?),
    };
    let fields = Fields::read(body)?;
    let header = Header {
        n: fields.number(n)?,
        pn: fields.number(pn)?,
        key: read_key(dialect, fields.bytes(key)?)?,
    };
    Ok(Ratcheted { header, ciphertext: fields.bytes(4)?, signed, mac })
}

/// A message that begins a session; `message` is the whole ratchet message.
pub(crate) fn exchange(dialect: Dialect, exchange: &Exchange<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(exchange.message.len() + 96);
    let identity = put_key(dialect, &exchange.identity);
    let ephemeral = put_key(dialect, &exchange.ephemeral);
    match dialect {
        Dialect::Two => {
            put_number(&mut out, 1, exchange.prekey);
            put_number(&mut out, 2, exchange.signed);
            put_bytes(&mut out, 3, &identity);
            put_bytes(&mut out, 4, &ephemeral);
            put_bytes(&mut out, 5, exchange.message);
        }
        Dialect::Old => {
            out.push(VERSION);
            put_number(&mut out, 1, exchange.prekey);
            put_bytes(&mut out, 2, &ephemeral);
            put_bytes(&mut out, 3, &identity);
            put_bytes(&mut out, 4, exchange.message);
            put_number(&mut out, 6, exchange.signed);
        }
    }
    out
}

/// Reads a message that begins a session.
pub(crate) fn read_exchange(dialect: Dialect, data: &[u8]) -> Result<Exchange<'_>, Error> {
    if data.len() > LARGEST {
        return Err(Error::Malformed);
    }
    let (body, signed, identity, ephemeral, message) = match dialect {
        Dialect::Two => (data, 2, 3, 4, 5),
        Dialect::Old => (after_version(data)?, 6, 3, 2, 4),
    };
    let fields = Fields::read(body)?;
    Ok(Exchange {
        prekey: fields.number(1)?,
        signed: fields.number(signed)?,
        identity: read_key(dialect, fields.bytes(identity)?)?,
        ephemeral: read_key(dialect, fields.bytes(ephemeral)?)?,
        message: fields.bytes(message)?,
    })
}

fn after_version(data: &[u8]) -> Result<&[u8], Error> {
    match data.split_first() {
        Some((&VERSION, rest)) => Ok(rest),
        Some(_) | None => Err(Error::Malformed),
    }
}
