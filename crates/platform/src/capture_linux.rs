//! Pictures of the screen on X11 (GetImage). A Wayland session shows programs no other windows; its
//! desktop portal is not asked yet.

use offhook_model::CaptureArea;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ConnectionExt, EventMask, GrabMode, GrabStatus, ImageFormat, ImageOrder, Screen, Window,
};
use x11rb::rust_connection::RustConnection;
use x11rb::{CURRENT_TIME, NONE};

use crate::Picture;

/// A picture is at most so many points: 16 screens of 4K.
const POINTS: u64 = 16 * 3_840 * 2_160;

const NO_X: &str = "The screen cannot be read: there is no X11 display. Taking pictures through the portal of a Wayland desktop is not built yet; take the picture with the desktop's own program and send the file.";

/// Takes a picture. For a region it is the whole screen, to be cut by whoever asked; for a window
/// the user points at one with a click.
///
/// # Errors
/// Why not and what to do.
pub fn capture(area: CaptureArea) -> Result<Picture, String> {
    let (connection, number) = x11rb::connect(None).map_err(|_| NO_X.to_owned())?;
    let screen = connection.setup().roots.get(number).ok_or(NO_X)?.clone();
    let window = match area {
        CaptureArea::Screen | CaptureArea::Region => screen.root,
        CaptureArea::Window => pointed(&connection, &screen)?,
    };
    take(&connection, &screen, window).map_err(|why| why.0)
}

struct Why(String);

impl<E: std::error::Error> From<E> for Why {
    fn from(error: E) -> Self {
        Self(format!(
            "The screen cannot be read ({error}). Take the picture with the desktop's own program and send the file."
        ))
    }
}

/// The window that the user clicks on; the pointer is a cross meanwhile. Another button breaks off.
fn pointed(connection: &RustConnection, screen: &Screen) -> Result<Window, String> {
    let grabbed = || -> Result<GrabStatus, Why> {
        let mask = EventMask::BUTTON_PRESS;
        let (sync, shape) = (GrabMode::ASYNC, cross(connection)?);
        let root = screen.root;
        let grab =
            connection.grab_pointer(false, root, mask, sync, sync, NONE, shape, CURRENT_TIME)?;
        Ok(grab.reply()?.status)
    };
    if grabbed().map_err(|why| why.0)? != GrabStatus::SUCCESS {
        return Err("Another program holds the pointer. Close its menu and try again.".to_owned());
    }
    let clicked = || -> Result<Option<Window>, Why> {
        loop {
            if let Event::ButtonPress(press) = connection.wait_for_event()? {
                let inside = if press.child == NONE { screen.root } else { press.child };
                return Ok((press.detail == 1).then_some(inside));
            }
        }
    };
    let window = clicked();
    let release = || -> Result<(), Why> {
        connection.ungrab_pointer(CURRENT_TIME)?;
        connection.flush()?;
        Ok(())
    };
    release().map_err(|why| why.0)?;
    let broken_off = || "No window was chosen. Try again and click on one.".to_owned();
    window.map_err(|why| why.0)?.ok_or_else(broken_off)
}

/// The cross of the standard pointer font.
fn cross(connection: &RustConnection) -> Result<u32, Why> {
    /// `XC_crosshair` of X11's cursor font.
    const CROSSHAIR: u16 = 34;
    let (font, cursor) = (connection.generate_id()?, connection.generate_id()?);
    connection.open_font(font, b"cursor")?;
    let (black, white) = (0, u16::MAX);
    connection.create_glyph_cursor(
        cursor,
        font,
        font,
        CROSSHAIR,
        CROSSHAIR + 1,
        black,
        black,
        black,
        white,
        white,
        white,
    )?;
    connection.close_font(font)?;
    Ok(cursor)
}

/// The part of the screen under a window: what the user sees there, and for all windows the depth
/// of the screen.
fn take(connection: &RustConnection, screen: &Screen, window: Window) -> Result<Picture, Why> {
    let size = connection.get_geometry(window)?.reply()?;
    let corner = connection.translate_coordinates(window, screen.root, 0, 0)?.reply()?;
    let (left, top) = (i32::from(corner.dst_x), i32::from(corner.dst_y));
    let clip = |from: i32, length: u16, most: u16| {
        let end = (from + i32::from(length)).min(i32::from(most));
        let from = from.max(0);
        (i16::try_from(from).unwrap_or(0), u16::try_from(end - from).unwrap_or(0))
    };
    let (x, width) = clip(left, size.width, screen.width_in_pixels);
    let (y, height) = clip(top, size.height, screen.height_in_pixels);
    let points = u64::from(width) * u64::from(height);
    if points == 0 || points > POINTS {
        return Err(Why(
            "The window is not on the screen. Bring it to the front and try again.".into()
        ));
    }
    let image = connection
        .get_image(ImageFormat::Z_PIXMAP, screen.root, x, y, width, height, u32::MAX)?
        .reply()?;
    let formats = &connection.setup().pixmap_formats;
    let format = formats.iter().find(|it| it.depth == image.depth);
    if format.is_none_or(|it| it.bits_per_pixel != 32) {
        let words = "The screen has fewer colours than can be read here. Set it to 24 bits.";
        return Err(Why(words.into()));
    }
    let msb = connection.setup().image_byte_order == ImageOrder::MSB_FIRST;
    let visual = screen
        .allowed_depths
        .iter()
        .flat_map(|depth| &depth.visuals)
        .find(|visual| visual.visual_id == screen.root_visual);
    let masks =
        visual.map_or([0xff_0000, 0xff00, 0xff], |it| [it.red_mask, it.green_mask, it.blue_mask]);
    let rgba = image.data.chunks_exact(4).flat_map(|bytes| {
        let bytes: [u8; 4] = bytes.try_into().unwrap_or_default();
        let point = if msb { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        let [red, green, blue] = masks.map(|mask| channel(point, mask));
        [red, green, blue, 255]
    });
    Ok(Picture { width: width.into(), height: height.into(), rgba: rgba.collect() })
}

/// The eight highest bits of a colour.
fn channel(point: u32, mask: u32) -> u8 {
    let value = (point & mask).checked_shr(mask.trailing_zeros()).unwrap_or(0);
    let bits = mask.count_ones();
    let value = if bits > 8 { value >> (bits - 8) } else { value << (8 - bits.min(8)) };
    u8::try_from(value & 0xff).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::channel;

    #[test]
    fn colours_are_read_by_their_masks() {
        assert_eq!(channel(0x0012_3456, 0x00ff_0000), 0x12);
        assert_eq!(channel(0x0012_3456, 0x0000_00ff), 0x56);
        assert_eq!(channel(0xffff, 0xf800), 0xf8);
        assert_eq!(channel(0x3fff_ffff, 0x3ff0_0000), 0xff);
        assert_eq!(channel(1, 0), 0);
    }
}
