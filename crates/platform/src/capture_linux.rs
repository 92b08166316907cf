//! Pictures of the screen on X11 (GetImage): the root window holds what all windows show. A Wayland
//! session shows programs no other windows; its desktop portal is not asked yet.

use std::time::Duration;

use offhook_model::CaptureArea;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ConnectionExt, CreateGCAux, EventMask, GX, Gcontext, GrabMode, GrabStatus, ImageFormat,
    ImageOrder, Rectangle, Screen, SubwindowMode, Window,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::Picture;

/// How long the user may take to point.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often the wait looks for an event; nothing else can be waited for with a bound.
const LOOK: Duration = Duration::from_millis(15);

/// Smaller drawings are clicks.
const SMALLEST: u16 = 4;

/// The plus-shaped crosshair of the cursor font.
const CROSSHAIR: u16 = 34;

const ESCAPE: u32 = 0xff1b;

type Failure = Box<dyn std::error::Error>;

/// Takes a picture of the session's display. For a window the user points at one, for a region they
/// draw a rectangle; both within a minute.
///
/// # Errors
/// Why not and what to do; also when the user changed their mind (Escape, or another button than
/// the first).
pub fn capture(area: CaptureArea) -> Result<Picture, String> {
    capture_of(None, area)?.ok_or_else(|| {
        "Nothing was chosen. Try again, and click on a window or draw a rectangle.".to_owned()
    })
}

/// As [`capture`], of a display such as `:1`; nothing when the user changed their mind.
///
/// # Errors
/// Why not and what to do.
pub fn capture_of(display: Option<&str>, area: CaptureArea) -> Result<Option<Picture>, String> {
    take(display, area).map_err(|error| {
        format!(
            "The screen cannot be looked at ({error}). Take the picture with the desktop's own \
             program and send the file."
        )
    })
}

fn take(display: Option<&str>, area: CaptureArea) -> Result<Option<Picture>, Failure> {
    let (x, number) = x11rb::connect(display)?;
    let screen = x.setup().roots.get(number).ok_or("no such screen")?.clone();
    if x.query_extension(b"XWAYLAND")?.reply()?.present {
        return Err("Wayland lets no program look at the screen by itself".into());
    }
    let whole =
        Rectangle { x: 0, y: 0, width: screen.width_in_pixels, height: screen.height_in_pixels };
    let place = match area {
        CaptureArea::Screen => Some(whole),
        CaptureArea::Window => pointing(&x, &screen, |hand| hand.window())?,
        CaptureArea::Region => pointing(&x, &screen, |hand| hand.region())?,
    };
    let place = place.and_then(|place| inside(place, whole));
    place.map(|place| picture(&x, &screen, place)).transpose()
}

/// The part of a rectangle that is on the screen.
fn inside(place: Rectangle, whole: Rectangle) -> Option<Rectangle> {
    let (left, top) = (place.x.max(0), place.y.max(0));
    let end = |at: i16, size: u16, most: u16| (i32::from(at) + i32::from(size)).min(most.into());
    let right = end(place.x, place.width, whole.width);
    let bottom = end(place.y, place.height, whole.height);
    let width = u16::try_from(right - i32::from(left)).ok().filter(|it| *it > 0)?;
    let height = u16::try_from(bottom - i32::from(top)).ok().filter(|it| *it > 0)?;
    Some(Rectangle { x: left, y: top, width, height })
}

/// What the user sees there. All windows are seen at the depth of the screen.
fn picture(x: &RustConnection, screen: &Screen, place: Rectangle) -> Result<Picture, Failure> {
    let Rectangle { x: left, y: top, width, height } = place;
    let image = x
        .get_image(ImageFormat::Z_PIXMAP, screen.root, left, top, width, height, u32::MAX)?
        .reply()?;
    let format = x.setup().pixmap_formats.iter().find(|it| it.depth == image.depth);
    if format.map(|it| it.bits_per_pixel) != Some(32) {
        return Err("its pixels are not of 32 bits".into());
    }
    let visual = screen
        .allowed_depths
        .iter()
        .flat_map(|depth| &depth.visuals)
        .find(|visual| visual.visual_id == screen.root_visual);
    let masks =
        visual.map_or([0xff_0000, 0xff00, 0xff], |it| [it.red_mask, it.green_mask, it.blue_mask]);
    let msb = x.setup().image_byte_order == ImageOrder::MSB_FIRST;
    let rgba: Vec<u8> = image
        .data
        .chunks_exact(4)
        .flat_map(|bytes| {
            let bytes: [u8; 4] = bytes.try_into().unwrap_or_default();
            let point = if msb { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
            let [red, green, blue] = masks.map(|mask| channel(point, mask));
            [red, green, blue, 255]
        })
        .collect();
    let (width, height) = (u32::from(width), u32::from(height));
    if rgba.len() != width as usize * height as usize * 4 {
        return Err("the picture is of another size than was asked for".into());
    }
    Ok(Picture { width, height, rgba })
}

/// The eight highest bits of a colour.
fn channel(point: u32, mask: u32) -> u8 {
    let value = (point & mask).checked_shr(mask.trailing_zeros()).unwrap_or(0);
    let bits = mask.count_ones();
    let value = if bits > 8 { value >> (bits - 8) } else { value << (8 - bits.min(8)) };
    u8::try_from(value & 0xff).unwrap_or(0)
}

/// Pointer and keyboard belong to us while the user points.
struct Hand<'a> {
    x: &'a RustConnection,
    screen: &'a Screen,
    /// Draws by inverting, so that drawing twice leaves nothing behind.
    pen: Gcontext,
    escape: Vec<u8>,
    waited: Duration,
}

fn pointing(
    x: &RustConnection,
    screen: &Screen,
    choose: impl FnOnce(&mut Hand<'_>) -> Result<Option<Rectangle>, Failure>,
) -> Result<Option<Rectangle>, Failure> {
    let (font, cursor, pen) = (x.generate_id()?, x.generate_id()?, x.generate_id()?);
    x.open_font(font, b"cursor")?;
    x.create_glyph_cursor(cursor, font, font, CROSSHAIR, CROSSHAIR + 1, 0, 0, 0, !0, !0, !0)?;
    let drawing = CreateGCAux::new()
        .function(GX::INVERT)
        .subwindow_mode(SubwindowMode::INCLUDE_INFERIORS)
        .line_width(2);
    x.create_gc(pen, screen.root, &drawing)?;
    let wanted = EventMask::BUTTON_PRESS | EventMask::BUTTON_RELEASE | EventMask::POINTER_MOTION;
    let asynchronous = GrabMode::ASYNC;
    let pointer = x
        .grab_pointer(
            false,
            screen.root,
            wanted,
            asynchronous,
            asynchronous,
            screen.root,
            cursor,
            x11rb::CURRENT_TIME,
        )?
        .reply()?;
    if pointer.status != GrabStatus::SUCCESS {
        return Err("another program holds the pointer".into());
    }
    // Without the keyboard Escape does not work; the other buttons do.
    let time = x11rb::CURRENT_TIME;
    x.grab_keyboard(false, screen.root, time, asynchronous, asynchronous)?.reply()?;
    let escape = keys(x, ESCAPE)?;
    let mut hand = Hand { x, screen, pen, escape, waited: Duration::ZERO };
    let chosen = choose(&mut hand);
    x.ungrab_keyboard(time)?;
    x.ungrab_pointer(time)?;
    x.free_gc(pen)?;
    x.free_cursor(cursor)?;
    x.close_font(font)?;
    x.sync()?;
    chosen
}

/// The keys that make this symbol.
fn keys(x: &RustConnection, symbol: u32) -> Result<Vec<u8>, Failure> {
    let (first, last) = (x.setup().min_keycode, x.setup().max_keycode);
    let map = x.get_keyboard_mapping(first, last - first + 1)?.reply()?;
    let each = usize::from(map.keysyms_per_keycode).max(1);
    let rows = (first..=last).zip(map.keysyms.chunks(each));
    Ok(rows.filter(|(_, symbols)| symbols.contains(&symbol)).map(|(key, _)| key).collect())
}

impl Hand<'_> {
    /// The window below the pointer when the first button is pressed.
    fn window(&mut self) -> Result<Option<Rectangle>, Failure> {
        loop {
            match self.next()? {
                Some(Event::ButtonPress(press)) if press.detail == 1 => break,
                Some(Event::ButtonPress(_)) | None => return Ok(None),
                Some(_) => {}
            }
        }
        let below = self.x.query_pointer(self.screen.root)?.reply()?.child;
        let window: Window = if below == x11rb::NONE { self.screen.root } else { below };
        let shape = self.x.get_geometry(window)?.reply()?;
        let edge = 2 * shape.border_width;
        Ok(Some(Rectangle {
            x: shape.x,
            y: shape.y,
            width: shape.width.saturating_add(edge),
            height: shape.height.saturating_add(edge),
        }))
    }

    /// The rectangle between where the first button went down and where it came up.
    fn region(&mut self) -> Result<Option<Rectangle>, Failure> {
        let mut from = None;
        let mut drawn: Option<Rectangle> = None;
        let chosen = loop {
            match (self.next()?, from) {
                (Some(Event::ButtonPress(press)), _) if press.detail == 1 => {
                    from = Some((press.root_x, press.root_y));
                }
                (Some(Event::ButtonPress(_)) | None, _) => break None,
                (Some(Event::MotionNotify(motion)), Some(from)) => {
                    self.invert(drawn.take())?;
                    drawn = Some(between(from, (motion.root_x, motion.root_y)));
                    self.invert(drawn)?;
                }
                (Some(Event::ButtonRelease(release)), Some(from)) if release.detail == 1 => {
                    break Some(between(from, (release.root_x, release.root_y)));
                }
                (Some(_), _) => {}
            }
        };
        self.invert(drawn)?;
        self.x.sync()?;
        Ok(chosen.filter(|it| it.width >= SMALLEST && it.height >= SMALLEST))
    }

    fn invert(&self, place: Option<Rectangle>) -> Result<(), Failure> {
        if let Some(place) = place {
            self.x.poly_rectangle(self.screen.root, self.pen, &[place])?;
            self.x.flush()?;
        }
        Ok(())
    }

    /// The next event; nothing when the user gives up or takes too long.
    fn next(&mut self) -> Result<Option<Event>, Failure> {
        while self.waited < PATIENCE {
            match self.x.poll_for_event()? {
                Some(Event::KeyPress(key)) if self.escape.contains(&key.detail) => return Ok(None),
                Some(event) => return Ok(Some(event)),
                None => {
                    std::thread::sleep(LOOK);
                    self.waited += LOOK;
                }
            }
        }
        Ok(None)
    }
}

fn between(a: (i16, i16), b: (i16, i16)) -> Rectangle {
    Rectangle {
        x: a.0.min(b.0),
        y: a.1.min(b.1),
        width: a.0.abs_diff(b.0),
        height: a.1.abs_diff(b.1),
    }
}

#[cfg(test)]
mod tests {
    use x11rb::protocol::xproto::Rectangle;

    use super::{between, channel, inside};

    #[test]
    fn colours_are_read_by_their_masks() {
        assert_eq!(channel(0x0012_3456, 0x00ff_0000), 0x12);
        assert_eq!(channel(0x0012_3456, 0x0000_00ff), 0x56);
        assert_eq!(channel(0xffff, 0xf800), 0xf8);
        assert_eq!(channel(0x3fff_ffff, 0x3ff0_0000), 0xff);
        assert_eq!(channel(1, 0), 0);
    }

    #[test]
    fn only_what_is_on_the_screen_is_asked_for() {
        let whole = Rectangle { x: 0, y: 0, width: 100, height: 80 };
        let place = Rectangle { x: -10, y: 60, width: 50, height: 50 };
        let seen = inside(place, whole).expect("a part");
        assert_eq!((seen.x, seen.y, seen.width, seen.height), (0, 60, 40, 20));
        assert!(inside(Rectangle { x: 100, y: 0, width: 5, height: 5 }, whole).is_none());
        let drawn = between((50, 40), (10, 70));
        assert_eq!((drawn.x, drawn.y, drawn.width, drawn.height), (10, 40, 40, 30));
    }
}
