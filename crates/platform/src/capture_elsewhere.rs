//! Pictures of the screen are not built on this system.

use offhook_model::CaptureArea;

use crate::Picture;

/// Takes a picture of the screen.
///
/// # Errors
/// It is not built here.
pub fn capture(_area: CaptureArea) -> Result<Picture, String> {
    Err("Taking pictures of the screen is not built on this system yet. Take the picture with the system's own program and send the file.".to_owned())
}
