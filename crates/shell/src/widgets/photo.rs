//! Pictures of people: fetched by the core, not to be trusted, decoded here within bounds.
//!
//! At most one picture is decoded a frame, none of more than [`PIXELS`] on a side, and what cannot
//! be read shows as initials for good.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Cursor;

use egui::{ColorImage, TextureHandle, TextureOptions, Ui};
use image::{ImageReader, Limits};
use offhook_model::{
    Command, Contact, ContactsWish, DirectoryEntry, PeopleWish, PhotoId, PhotoSource, Snapshot,
    SourceKind,
};

/// Longest side of a picture that is decoded.
const PIXELS: u32 = 2_048;

/// Bytes that decoding may take.
const MEMORY: u64 = 24 * 1024 * 1024;

/// Side of what is kept: the largest avatar at twice the resolution.
const SIDE: u32 = 128;

/// How many pictures are kept ready.
const READY: usize = 200;

/// Pictures ready to draw, and what is still to be asked for.
#[derive(Default)]
pub struct Photos {
    state: RefCell<State>,
}

/// Which picture: one that a person announced, or that of an entry of a directory or address book.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Photo(PhotoId),
    Portrait(SourceKind, String),
}

#[derive(Default)]
struct State {
    ready: HashMap<Key, Option<TextureHandle>>,
    decoded: bool,
    wanted: BTreeMap<Key, Command>,
    asked: BTreeSet<Key>,
}

impl Photos {
    /// A new frame begins.
    pub fn begin(&self) {
        self.state.borrow_mut().decoded = false;
    }

    /// Asks once for the pictures of those who were shown in this frame.
    pub fn ask(&self, out: &mut Vec<Command>) {
        let mut state = self.state.borrow_mut();
        for (key, wish) in std::mem::take(&mut state.wanted) {
            if state.asked.insert(key) {
                out.push(wish);
            }
        }
    }

    /// The picture of a person whose row is shown, once it is here and could be read.
    pub fn of(&self, ui: &Ui, snap: &Snapshot, person: &Contact) -> Option<TextureHandle> {
        let id = person.photo.as_ref()?;
        let bytes = snap.photos.get(id).map(|bytes| Some(&**bytes));
        self.picture(ui, Key::Photo(id.clone()), bytes, || {
            Command::People(PeopleWish::Photo { who: person.contact.clone() })
        })
    }

    /// The picture of an entry whose row is shown, likewise.
    pub fn portrait(
        &self,
        ui: &Ui,
        snap: &Snapshot,
        entry: &DirectoryEntry,
    ) -> Option<TextureHandle> {
        let named = match entry.photo.as_ref()? {
            PhotoSource::Of { source, id } => (*source, id.clone()),
            PhotoSource::Url(_) | PhotoSource::Attribute(_) | PhotoSource::Kept(_) => {
                (entry.source, entry.id.clone())
            }
        };
        let bytes = snap.portraits.get(&named).map(Option::as_deref);
        let (source, id) = named;
        self.picture(ui, Key::Portrait(source, id.clone()), bytes, || {
            Command::Contacts(ContactsWish::Portrait { source, id })
        })
    }

    /// `bytes` is nothing while the picture is not here, and holds nothing when there is none.
    fn picture(
        &self,
        ui: &Ui,
        key: Key,
        bytes: Option<Option<&[u8]>>,
        wish: impl FnOnce() -> Command,
    ) -> Option<TextureHandle> {
        let mut state = self.state.borrow_mut();
        if let Some(ready) = state.ready.get(&key) {
            return ready.clone();
        }
        let Some(bytes) = bytes else {
            if !state.asked.contains(&key) {
                state.wanted.insert(key, wish());
            }
            return None;
        };
        let bytes = bytes?;
        if std::mem::replace(&mut state.decoded, true) {
            // One a frame; the next frame takes the next one.
            ui.ctx().request_repaint();
            return None;
        }
        if state.ready.len() >= READY {
            state.ready.clear();
        }
        let load = |image| ui.ctx().load_texture("person", image, TextureOptions::LINEAR);
        let texture = decode(bytes).map(load);
        // What the core has let go of may be asked for again.
        state.asked.remove(&key);
        state.ready.insert(key, texture.clone());
        texture
    }
}

/// A square out of the middle, or nothing for what is no picture or too large.
fn decode(bytes: &[u8]) -> Option<ColorImage> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(PIXELS);
    limits.max_image_height = Some(PIXELS);
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let picture = reader.decode().ok()?;
    let side = picture.width().min(picture.height());
    let (left, top) = ((picture.width() - side) / 2, (picture.height() - side) / 2);
    let square = picture.crop_imm(left, top, side, side).thumbnail_exact(SIDE, SIDE).to_rgba8();
    Some(ColorImage::from_rgba_unmultiplied([SIDE as usize; 2], square.as_raw()))
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, RgbaImage};

    use super::{SIDE, decode};

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let picture = RgbaImage::from_pixel(width, height, image::Rgba([10, 20, 30, 255]));
        picture.write_to(&mut bytes, ImageFormat::Png).expect("written");
        bytes.into_inner()
    }

    #[test]
    fn pictures_become_small_squares_and_bombs_become_nothing() {
        let image = decode(&png(300, 200)).expect("a picture");
        assert_eq!(image.size, [SIDE as usize; 2]);
        assert_eq!(image.pixels.first().map(|p| p.to_array()), Some([10, 20, 30, 255]));
        // A few hundred bytes that want to be 3,000 by 3,000.
        assert!(decode(&png(3_000, 3_000)).is_none());
        assert!(decode(b"no picture").is_none());
        let whole = png(64, 64);
        assert!(decode(&whole[..whole.len() / 2]).is_none(), "cut off");
    }
}
