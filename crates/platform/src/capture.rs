//! Pictures of the screen.

use std::path::Path;

/// A picture in memory, four bytes a point: red, green, blue, 255.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Points in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width` times `height` times 4 bytes.
    pub rgba: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}x{})", self.width, self.height)
    }
}

/// Writes a picture as PNG, readable for this user alone.
///
/// # Errors
/// In words.
pub fn save_picture(picture: &Picture, path: &Path) -> Result<(), String> {
    let failed = |what: &dyn std::fmt::Display| {
        format!(
            "The picture of the screen could not be written ({what}). Check that the disk is not full."
        )
    };
    if let Some(folder) = path.parent() {
        crate::folders::private(folder).map_err(|error| failed(&error))?;
    }
    let Picture { width, height, rgba } = picture;
    let kind = image::ExtendedColorType::Rgba8;
    image::save_buffer_with_format(path, rgba, *width, *height, kind, image::ImageFormat::Png)
        .map_err(|error| failed(&error))
}
