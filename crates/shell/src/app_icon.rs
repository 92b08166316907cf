//! The picture of the program in task bars and window lists.

use egui::IconData;

const PNG: &[u8] = include_bytes!("../../../assets/icons/offhook-128.png");

/// 128 by 128 pixels, RGBA. Empty if the picture cannot be read, which a test excludes.
pub fn icon() -> IconData {
    let Ok(picture) = image::load_from_memory_with_format(PNG, image::ImageFormat::Png) else {
        return IconData::default();
    };
    let picture = picture.into_rgba8();
    IconData { width: picture.width(), height: picture.height(), rgba: picture.into_raw() }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_icon_can_be_read() {
        let icon = super::icon();
        assert_eq!((icon.width, icon.height), (128, 128));
        assert_eq!(icon.rgba.len(), 128 * 128 * 4);
    }
}
