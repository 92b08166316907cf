//! Pictures of people from directories and address books. They are fetched when they are to be
//! shown, bounded, and not decoded here.

use std::sync::Arc;

use offhook_model::{CommandError, ErrorCode, PhotoSource, Portraits, SourceKind};
use offhook_ports::StoreRequest;

use super::Ask;
use crate::{Core, Effect, RunId, StoreTag};

/// Pictures that are kept in memory.
const MOST: usize = 300;
/// Bytes of them all.
const BYTES: usize = 32 * 1024 * 1024;
/// Pictures that are fetched at once; the window asks again for those that it still shows.
const AT_ONCE: usize = 8;

impl Core {
    /// The picture of this entry is to be shown.
    pub(super) fn want_portrait(
        &mut self,
        source: SourceKind,
        id: String,
    ) -> Result<(), CommandError> {
        let key = (source, id);
        if self.contacts.portraits.contains_key(&key) || self.contacts.fetching.contains(&key) {
            return Ok(());
        }
        let Some(entry) = self.contacts.index.get(source, &key.1).cloned() else {
            return Err(CommandError::user(
                ErrorCode::NoSuchObject,
                "Nobody of this id is known from there.",
                "Search for the person first.",
            ));
        };
        match &entry.photo {
            // Single entries have their own.
            None | Some(PhotoSource::Of { .. }) => self.portrait_is(key, None),
            Some(PhotoSource::Kept(photo)) => {
                let request = StoreRequest::GetPhoto(photo.clone());
                self.contacts.fetching.insert(key.clone());
                self.out.push_back(Effect::Store(StoreTag::Portrait(key.0, key.1), request));
            }
            Some(PhotoSource::Url(_) | PhotoSource::Attribute(_)) => {
                if self.contacts.fetching.len() >= AT_ONCE {
                    return Err(CommandError::user(
                        ErrorCode::NotPossible,
                        "Many pictures are being fetched already.",
                        "Ask again in a moment.",
                    ));
                }
                if self.ask_portrait(&entry) {
                    self.contacts.fetching.insert(key);
                } else {
                    self.portrait_is(key, None);
                }
            }
        }
        Ok(())
    }

    /// The directory has given a picture, or there is none.
    pub(crate) fn portrait_fetched(&mut self, run: RunId, bytes: Option<Vec<u8>>) {
        if let Some(Ask::Portrait(source, id)) = self.contacts.asks.remove(&run) {
            self.portrait_is((source, id), bytes);
        }
    }

    /// The store has answered, perhaps to somebody who has left.
    pub(crate) fn portrait_read(&mut self, key: (SourceKind, String), bytes: Option<Vec<u8>>) {
        if self.contacts.fetching.contains(&key) {
            self.portrait_is(key, bytes);
        }
    }

    /// A picture is here, or there is none.
    fn portrait_is(&mut self, key: (SourceKind, String), bytes: Option<Vec<u8>>) {
        let side = &mut self.contacts;
        side.fetching.remove(&key);
        let portraits = Arc::make_mut(&mut side.portraits);
        side.fetched.retain(|other| *other != key);
        side.fetched.push_back(key.clone());
        portraits.insert(key, bytes.map(Arc::from));
        let weight =
            |all: &Portraits| -> usize { all.values().flatten().map(|bytes| bytes.len()).sum() };
        while side.fetched.len() > MOST || weight(portraits) > BYTES && side.fetched.len() > 1 {
            let Some(oldest) = side.fetched.pop_front() else { break };
            portraits.remove(&oldest);
        }
    }
}
