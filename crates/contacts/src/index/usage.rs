//! How often an address was used, what is long ago counting less.

use offhook_model::{DirectoryEntry, Timestamp};

use crate::digits::Digits;

/// After this time a use counts half, in milliseconds: thirty days.
const HALF: f32 = 30.0 * 86_400_000.0;

/// Uses of one address.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Use {
    count: f32,
    last: Timestamp,
}

impl Use {
    pub(super) fn again(&mut self, now: Timestamp) {
        self.count = self.at(now) + 1.0;
        self.last = self.last.max(now);
    }

    /// How much it counts now. A clock that went back makes nothing newer.
    #[expect(clippy::cast_precision_loss, reason = "a share of a month is enough")]
    pub(super) fn at(self, now: Timestamp) -> f32 {
        let age = now.0.saturating_sub(self.last.0).max(0) as f32;
        self.count * (-age / HALF).exp2()
    }
}

/// An address as uses are counted by: in small letters, a number as its digits.
pub(super) fn key(address: &str) -> String {
    if address.contains('@') {
        return address.trim().to_lowercase();
    }
    let digits = Digits::of(address).all;
    if digits.is_empty() { address.trim().to_lowercase() } else { digits }
}

/// By what the uses of an entry are counted.
pub(super) fn addresses(entry: &DirectoryEntry) -> impl Iterator<Item = String> {
    let im = entry.im.iter().map(|im| im.bare_str().to_owned());
    let written = entry.uris.iter().chain(&entry.mail).map(|text| key(text));
    im.chain(written).chain(entry.numbers.iter().map(|number| key(&number.number)))
}
