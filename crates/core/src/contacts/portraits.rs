//! Pictures of people from directories and address books. They are fetched when they are to be
//! shown, bounded, and not decoded here.

use std::sync::Arc;

use offhook_model::{
    CommandError, DirectoryEntry, ErrorCode, PhotoId, PhotoSource, Portraits, SourceKind,
};
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
                // What was seen last is shown until the directory has said what is there now.
                let kept = entry.kept_photo.clone();
                let waits = kept.is_some();
                if let Some(photo) = kept {
                    let tag = StoreTag::Portrait(key.0, key.1.clone());
                    self.out.push_back(Effect::Store(tag, StoreRequest::GetPhoto(photo)));
                }
                if self.ask_portrait(&entry) || waits {
                    self.contacts.fetching.insert(key);
                } else {
                    self.portrait_is(key, None);
                }
            }
        }
        Ok(())
    }

    /// The directory has given a picture, or there is none, or it does not answer.
    pub(crate) fn portrait_fetched(&mut self, run: RunId, picture: Option<(PhotoId, Vec<u8>)>) {
        let Some(Ask::Portrait(source, id)) = self.contacts.asks.remove(&run) else { return };
        let key = (source, id);
        if let Some((photo, bytes)) = picture {
            self.keep_portrait(&key, photo, &bytes);
            return self.portrait_is(key, Some(bytes));
        }
        let entry = self.contacts.index.get(key.0, &key.1);
        if self.contacts.portraits.contains_key(&key) {
            self.contacts.fetching.remove(&key);
        } else if entry.is_none_or(|entry| entry.kept_photo.is_none()) {
            self.portrait_is(key, None);
        }
        // Else the cache of pictures has not answered yet.
    }

    fn keep_portrait(&mut self, key: &(SourceKind, String), photo: PhotoId, bytes: &[u8]) {
        let Some(entry) = self.contacts.index.get(key.0, &key.1) else { return };
        if !self.settings.contacts.keep || entry.kept_photo.as_ref() == Some(&photo) {
            return;
        }
        let entry =
            DirectoryEntry { kept_photo: Some(photo.clone()), ..DirectoryEntry::clone(entry) };
        self.contacts.index.insert(entry.clone());
        self.store(StoreRequest::PutPhoto(photo, bytes.to_vec()));
        self.store(StoreRequest::PutPeople(vec![Arc::new(entry)]));
    }

    /// The pictures of these, as they were seen last, go with what the directory says now.
    pub(super) fn with_kept_photos(&self, entries: &mut [DirectoryEntry]) {
        for entry in entries {
            let known = self.contacts.index.get(entry.source, &entry.id);
            if let Some(known) = known.filter(|known| known.photo == entry.photo) {
                entry.kept_photo.clone_from(&known.kept_photo);
            }
        }
    }

    /// The store has answered, perhaps to somebody who has left.
    pub(crate) fn portrait_read(&mut self, key: (SourceKind, String), bytes: Option<Vec<u8>>) {
        if !self.contacts.fetching.contains(&key) {
            return;
        }
        let is = |ask: &Ask| matches!(ask, Ask::Portrait(source, id) if (*source, id) == (key.0, &key.1));
        let waits = self.contacts.asks.values().any(is);
        match bytes {
            None if waits => {}
            bytes => self.portrait_is(key.clone(), bytes),
        }
        if waits {
            self.contacts.fetching.insert(key);
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
