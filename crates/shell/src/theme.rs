//! Colours, sizes and type: the only place where any of them is chosen.

use egui::{
    Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Shadow, Stroke,
    TextStyle, Vec2, Visuals,
};

/// One set of colours.
#[derive(Debug)]
pub struct Tokens {
    /// Light text on dark ground.
    pub dark: bool,
    /// Behind everything.
    pub ground: Color32,
    /// Columns and headers.
    pub panel: Color32,
    /// Cards, fields and menus.
    pub raised: Color32,
    /// Hairlines.
    pub line: Color32,
    /// Text.
    pub text: Color32,
    /// Secondary text and resting icons.
    pub muted: Color32,
    /// The one accent.
    pub accent: Color32,
    /// Ground of what is selected, and of the call bar.
    pub accent_soft: Color32,
    /// Secondary text on [`Self::accent_soft`].
    pub soft_muted: Color32,
    /// Good news on [`Self::accent_soft`].
    pub soft_ok: Color32,
    /// Bad news on [`Self::accent_soft`].
    pub soft_busy: Color32,
    /// Own messages.
    pub own_bubble: Color32,
    /// Received messages, and quiet buttons.
    pub their_bubble: Color32,
    /// Available, answer, works.
    pub ok: Color32,
    /// Away, attention.
    pub away: Color32,
    /// Busy, decline, fails.
    pub busy: Color32,
    /// Text on accent.
    pub on_accent: Color32,
    /// Text on own messages.
    pub on_own: Color32,
    /// Text on [`Self::ok`].
    pub on_ok: Color32,
    /// Text on [`Self::busy`].
    pub on_busy: Color32,
    /// The colour of the one shadow.
    pub shadow: Color32,
    /// Behind a dialog.
    pub veil: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

const LIGHT: Tokens = Tokens {
    dark: false,
    ground: rgb(0xF6_F7_F9),
    panel: rgb(0xFF_FF_FF),
    raised: rgb(0xFF_FF_FF),
    line: rgb(0xE4_E7_EC),
    text: rgb(0x14_18_1F),
    muted: rgb(0x66_70_85),
    accent: rgb(0x0B_6B_CB),
    accent_soft: rgb(0xE3_F0_FD),
    soft_muted: rgb(0x55_60_76),
    soft_ok: rgb(0x0E_6B_4C),
    soft_busy: rgb(0xA9_24_3D),
    own_bubble: rgb(0x0B_6B_CB),
    their_bubble: rgb(0xEE_F1_F5),
    ok: rgb(0x12_80_5C),
    away: rgb(0xB7_79_1F),
    busy: rgb(0xC4_31_4B),
    on_accent: rgb(0xFF_FF_FF),
    on_own: rgb(0xFF_FF_FF),
    on_ok: rgb(0xFF_FF_FF),
    on_busy: rgb(0xFF_FF_FF),
    shadow: Color32::from_rgba_premultiplied(2, 3, 4, 30),
    veil: Color32::from_rgba_premultiplied(7, 9, 12, 90),
};

const DARK: Tokens = Tokens {
    dark: true,
    ground: rgb(0x10_13_18),
    panel: rgb(0x17_1B_21),
    raised: rgb(0x1D_22_2A),
    line: rgb(0x2A_31_3B),
    text: rgb(0xE8_EC_F2),
    muted: rgb(0x98_A2_B3),
    accent: rgb(0x5A_A9_F5),
    accent_soft: rgb(0x16_30_4A),
    soft_muted: rgb(0xA9_B4_C6),
    soft_ok: rgb(0x4C_C3_8A),
    soft_busy: rgb(0xFF_8A_9B),
    own_bubble: rgb(0x1F_66_AE),
    their_bubble: rgb(0x23_2A_33),
    ok: rgb(0x4C_C3_8A),
    away: rgb(0xE5_B5_67),
    busy: rgb(0xF2_67_7C),
    on_accent: rgb(0x10_13_18),
    on_own: rgb(0xFF_FF_FF),
    on_ok: rgb(0x10_13_18),
    on_busy: rgb(0x10_13_18),
    shadow: Color32::from_rgba_premultiplied(0, 0, 0, 120),
    veil: Color32::from_rgba_premultiplied(0, 0, 0, 140),
};

const CONTRAST_LIGHT: Tokens = Tokens {
    dark: false,
    ground: rgb(0xFF_FF_FF),
    panel: rgb(0xFF_FF_FF),
    raised: rgb(0xFF_FF_FF),
    line: rgb(0x00_00_00),
    text: rgb(0x00_00_00),
    muted: rgb(0x26_2B_33),
    accent: rgb(0x00_3E_8A),
    accent_soft: rgb(0xD6_E6_FF),
    soft_muted: rgb(0x1C_20_27),
    soft_ok: rgb(0x00_4A_30),
    soft_busy: rgb(0x8E_00_1E),
    own_bubble: rgb(0x00_3E_8A),
    their_bubble: rgb(0xEC_EC_EC),
    ok: rgb(0x00_4A_30),
    away: rgb(0x6B_3F_00),
    busy: rgb(0x8E_00_1E),
    on_accent: rgb(0xFF_FF_FF),
    on_own: rgb(0xFF_FF_FF),
    on_ok: rgb(0xFF_FF_FF),
    on_busy: rgb(0xFF_FF_FF),
    shadow: Color32::TRANSPARENT,
    veil: Color32::from_rgba_premultiplied(0, 0, 0, 150),
};

const CONTRAST_DARK: Tokens = Tokens {
    dark: true,
    ground: rgb(0x00_00_00),
    panel: rgb(0x00_00_00),
    raised: rgb(0x00_00_00),
    line: rgb(0xFF_FF_FF),
    text: rgb(0xFF_FF_FF),
    muted: rgb(0xDD_DD_DD),
    accent: rgb(0x8F_C8_FF),
    accent_soft: rgb(0x00_2A_57),
    soft_muted: rgb(0xE6_E6_E6),
    soft_ok: rgb(0x6F_F0_B4),
    soft_busy: rgb(0xFF_B3_BD),
    own_bubble: rgb(0x00_3E_8A),
    their_bubble: rgb(0x20_20_20),
    ok: rgb(0x6F_F0_B4),
    away: rgb(0xFF_D4_8A),
    busy: rgb(0xFF_9A_A8),
    on_accent: rgb(0x00_00_00),
    on_own: rgb(0xFF_FF_FF),
    on_ok: rgb(0x00_00_00),
    on_busy: rgb(0x00_00_00),
    shadow: Color32::TRANSPARENT,
    veil: Color32::from_rgba_premultiplied(0, 0, 0, 170),
};

/// Grounds of initials; white on each has a contrast of 4.5 or more.
const AVATARS: [Color32; 11] = [
    rgb(0x0B_6B_CB),
    rgb(0x7A_5A_F0),
    rgb(0x0B_7F_72),
    rgb(0xB9_54_0F),
    rgb(0xC1_15_74),
    rgb(0x3E_47_84),
    rgb(0x4B_7A_0F),
    rgb(0x47_54_67),
    rgb(0x93_3A_B0),
    rgb(0x0F_6E_8F),
    rgb(0x9C_3D_63),
];

/// Text on an avatar.
pub const ON_AVATAR: Color32 = rgb(0xFF_FF_FF);

/// Widths and radii, in points; everything else is a multiple of 4.
pub const RAIL: f32 = 64.0;
/// The list column.
pub const COLUMN: f32 = 336.0;
/// Below this width the list and the conversation take turns.
pub const NARROW: f32 = 720.0;
/// Corner of buttons and fields.
pub const R_CONTROL: u8 = 10;
/// Corner of rows and small cards.
pub const R_ROW: u8 = 12;
/// Corner of cards and bubbles.
pub const R_CARD: u8 = 16;

/// The colours for this ground.
pub fn tokens(dark: bool, contrast: bool) -> &'static Tokens {
    match (dark, contrast) {
        (false, false) => &LIGHT,
        (true, false) => &DARK,
        (false, true) => &CONTRAST_LIGHT,
        (true, true) => &CONTRAST_DARK,
    }
}

impl Tokens {
    /// The one shadow, under cards that float.
    pub fn float(&self) -> Shadow {
        Shadow { offset: [0, 10], blur: 36, spread: 0, color: self.shadow }
    }

    /// The shadow below what is small: a blur wider than the thing itself is drawn with seams.
    pub fn lift(&self) -> Shadow {
        Shadow { offset: [0, 4], blur: 16, spread: 0, color: self.shadow }
    }

    /// A hairline.
    pub fn hair(&self) -> Stroke {
        Stroke::new(1.0, self.line)
    }

    /// Half way between two grounds, for a pointer that hovers.
    pub fn hover(&self, fill: Color32) -> Color32 {
        fill.lerp_to_gamma(self.text, 0.07)
    }
}

/// The avatar ground of a person, the same at every start.
pub fn avatar_color(key: &str) -> Color32 {
    let hash = key
        .bytes()
        .fold(0x811C_9DC5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    // Names that differ in one letter would else share their low bits (MurmurHash3's last steps).
    let hash = (hash ^ (hash >> 16)).wrapping_mul(0x85EB_CA6B);
    let hash = (hash ^ (hash >> 13)).wrapping_mul(0xC2B2_AE35);
    AVATARS[(hash >> 16) as usize % AVATARS.len()]
}

/// The colour of a writer's name on `c`'s ground: the avatar's, made readable there.
pub fn name_color(c: &Tokens, key: &str) -> Color32 {
    let own = avatar_color(key);
    if c.dark { own.lerp_to_gamma(c.text, 0.6) } else { own.lerp_to_gamma(c.text, 0.15) }
}

/// Roles of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// 20/28, page titles.
    Title,
    /// 16/24, names in large places.
    Heading,
    /// 14/20 semibold, names.
    Name,
    /// 14/20, running text.
    Body,
    /// 14/20 medium, buttons.
    Strong,
    /// 14/20 semibold a little smaller, on filled buttons.
    Filled,
    /// 12.5/18, second lines.
    Secondary,
    /// 12.5/18 semibold, list headings.
    Label,
    /// 12/16, times.
    Small,
    /// 11/14 semibold, counts and keys.
    Badge,
}

impl Type {
    /// Its font.
    pub fn font(self) -> FontId {
        let (size, weight) = match self {
            Self::Title => (20.0, SEMIBOLD),
            Self::Heading => (16.0, SEMIBOLD),
            Self::Name => (14.0, SEMIBOLD),
            Self::Body => (14.0, REGULAR),
            Self::Strong => (13.5, MEDIUM),
            Self::Filled => (13.5, SEMIBOLD),
            Self::Secondary => (12.5, REGULAR),
            Self::Label => (12.5, SEMIBOLD),
            Self::Small => (12.0, REGULAR),
            Self::Badge => (10.5, SEMIBOLD),
        };
        font(size, weight)
    }

    /// Its line height in points.
    pub fn line(self) -> f32 {
        match self {
            Self::Title => 28.0,
            Self::Heading => 24.0,
            Self::Name | Self::Body | Self::Strong | Self::Filled => 20.0,
            Self::Secondary | Self::Label => 18.0,
            Self::Small => 16.0,
            Self::Badge => 14.0,
        }
    }
}

const REGULAR: &str = "inter";
const MEDIUM: &str = "inter-medium";
const SEMIBOLD: &str = "inter-semibold";
const ICONS: &str = "lucide";
const MONO: &str = "hack";
const EMOJI: &str = "noto-emoji";

/// Inter in one of its weights at this size.
fn font(size: f32, weight: &str) -> FontId {
    if weight == REGULAR {
        FontId::proportional(size)
    } else {
        FontId::new(size, FontFamily::Name(weight.into()))
    }
}

/// Semibold at any size, for initials and timers.
pub fn semibold(size: f32) -> FontId {
    font(size, SEMIBOLD)
}

/// Code, of one letter width.
pub fn mono_font(size: f32) -> FontId {
    FontId::monospace(size)
}

/// Regular at any size, for messages of emoji alone.
pub fn regular(size: f32) -> FontId {
    font(size, REGULAR)
}

/// The icon font at this size.
pub fn icon_font(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(ICONS.into()))
}

macro_rules! embedded {
    ($file:literal) => {
        include_bytes!(concat!("../../../assets/fonts/", $file)).as_slice()
    };
}

/// The embedded fonts: three weights of Inter and the icons, code and emoji, about 1.3 MB, not copied.
fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    let files = [
        (REGULAR, embedded!("Inter-Regular.otf")),
        (MEDIUM, embedded!("Inter-Medium.otf")),
        (SEMIBOLD, embedded!("Inter-SemiBold.otf")),
        (ICONS, embedded!("Lucide-subset.ttf")),
        (MONO, embedded!("Hack-subset.ttf")),
        (EMOJI, embedded!("NotoEmoji-subset.ttf")),
    ];
    for (name, bytes) in files {
        fonts.font_data.insert(name.to_owned(), FontData::from_static(bytes).into());
    }
    let mut family = |family: FontFamily, names: &[&str]| {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        fonts.families.insert(family, names);
    };
    family(FontFamily::Proportional, &[REGULAR, EMOJI, ICONS]);
    family(FontFamily::Monospace, &[MONO, REGULAR, EMOJI, ICONS]);
    family(FontFamily::Name(MEDIUM.into()), &[MEDIUM, REGULAR, EMOJI, ICONS]);
    family(FontFamily::Name(SEMIBOLD.into()), &[SEMIBOLD, REGULAR, EMOJI, ICONS]);
    family(FontFamily::Name(ICONS.into()), &[ICONS, REGULAR]);
    fonts
}

/// Installs fonts and both styles.
pub fn install(ctx: &egui::Context) {
    ctx.set_fonts(fonts());
    restyle(ctx, false);
}

/// Rewrites both styles, in high contrast or not.
pub fn restyle(ctx: &egui::Context, contrast: bool) {
    for (theme, dark) in [(egui::Theme::Light, false), (egui::Theme::Dark, true)] {
        let colors = tokens(dark, contrast);
        ctx.style_mut_of(theme, |style| {
            style.text_styles = [
                (TextStyle::Small, Type::Small),
                (TextStyle::Body, Type::Body),
                (TextStyle::Monospace, Type::Secondary),
                (TextStyle::Button, Type::Strong),
                (TextStyle::Heading, Type::Title),
            ]
            .map(|(style, role)| (style, role.font()))
            .into();
            style.animation_time = 0.0;
            style.scroll_animation = egui::style::ScrollAnimation::none();
            style.spacing.item_spacing = Vec2::new(8.0, 0.0);
            style.spacing.button_padding = Vec2::new(12.0, 8.0);
            style.spacing.interact_size = Vec2::new(36.0, 36.0);
            style.spacing.menu_margin = Margin::same(8);
            style.spacing.window_margin = Margin::same(20);
            style.spacing.scroll = egui::style::ScrollStyle::thin();
            style.interaction.tooltip_delay = 0.6;
            style.interaction.selectable_labels = false;
            style.visuals = visuals(colors);
        });
    }
}

fn visuals(c: &Tokens) -> Visuals {
    let mut v = if c.dark { Visuals::dark() } else { Visuals::light() };
    let control = CornerRadius::same(R_CONTROL);
    if c.dark {
        // egui's own choice for dark ground thickens the strokes of Inter and Lucide too much.
        v.text_options.color_transfer_function =
            egui::epaint::FontColorTransferFunction::Gamma(0.8);
    }
    v.override_text_color = Some(c.text);
    v.weak_text_color = Some(c.muted);
    v.panel_fill = c.ground;
    v.window_fill = c.raised;
    v.window_stroke = c.hair();
    v.window_corner_radius = CornerRadius::same(R_CARD);
    v.menu_corner_radius = CornerRadius::same(R_ROW);
    v.window_shadow = c.float();
    // Tooltips are popups too.
    v.popup_shadow = c.lift();
    v.extreme_bg_color = c.raised;
    v.faint_bg_color = c.ground;
    v.hyperlink_color = c.accent;
    v.warn_fg_color = c.away;
    v.error_fg_color = c.busy;
    v.selection.bg_fill = c.accent.gamma_multiply(0.35);
    v.selection.stroke = Stroke::new(1.5, c.accent);
    v.text_cursor.stroke = Stroke::new(1.5, c.accent);
    // A blinking cursor would draw twice a second for nobody.
    v.text_cursor.blink = false;
    let w = &mut v.widgets;
    for (state, fill, stroke) in [
        (&mut w.noninteractive, c.panel, c.line),
        (&mut w.inactive, c.raised, c.line),
        (&mut w.hovered, c.hover(c.raised), c.line),
        (&mut w.active, c.hover(c.raised), c.accent),
        (&mut w.open, c.raised, c.accent),
    ] {
        state.bg_fill = fill;
        state.weak_bg_fill = fill;
        state.bg_stroke = Stroke::new(1.0, stroke);
        state.fg_stroke = Stroke::new(1.0, c.text);
        state.corner_radius = control;
        state.expansion = 0.0;
    }
    // Only scroll bars are drawn with these.
    w.inactive.bg_fill = c.line.lerp_to_gamma(c.muted, 0.35);
    w.hovered.bg_fill = c.muted;
    w.active.bg_fill = c.accent;
    v
}

#[cfg(test)]
mod tests {
    use super::{AVATARS, Color32, ON_AVATAR, tokens};

    /// Relative luminance of WCAG 2.
    fn luminance(color: Color32) -> f32 {
        let channel = |value: u8| {
            let value = f32::from(value) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(color.r()) + 0.7152 * channel(color.g()) + 0.0722 * channel(color.b())
    }

    fn contrast(a: Color32, b: Color32) -> f32 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn check(what: &str, text: Color32, ground: Color32, least: f32) {
        let found = contrast(text, ground);
        assert!(found >= least, "{what}: {found:.2} is less than {least}");
    }

    #[test]
    fn text_can_be_read_on_every_ground_it_stands_on() {
        for (dark, high) in [(false, false), (true, false), (false, true), (true, true)] {
            let c = tokens(dark, high);
            let least = if high { 7.0 } else { 4.5 };
            let name = |pair: &str| format!("{pair} (dark {dark}, high contrast {high})");
            for (pair, text, ground) in [
                ("text on ground", c.text, c.ground),
                ("text on panel", c.text, c.panel),
                ("text on raised", c.text, c.raised),
                ("text on selection", c.text, c.accent_soft),
                ("text on received", c.text, c.their_bubble),
                ("muted on ground", c.muted, c.ground),
                ("muted on panel", c.muted, c.panel),
                ("muted on raised", c.muted, c.raised),
                ("muted on selection", c.soft_muted, c.accent_soft),
                ("failure on selection", c.soft_busy, c.accent_soft),
                ("ok on selection", c.soft_ok, c.accent_soft),
                ("accent on raised", c.accent, c.raised),
                ("accent on selection", c.accent, c.accent_soft),
                ("button", c.on_accent, c.accent),
                ("own message", c.on_own, c.own_bubble),
                ("answer", c.on_ok, c.ok),
                ("decline", c.on_busy, c.busy),
                ("failure on ground", c.busy, c.ground),
                ("failure on raised", c.busy, c.raised),
                ("good on raised", c.ok, c.raised),
            ] {
                // The accent on its own soft ground is only ever an icon: 3:1 (WCAG 1.4.11).
                let least = if pair == "accent on selection" { 3.0 } else { least };
                check(&name(pair), text, ground, least);
            }
            check(&name("away badge"), c.away, c.panel, 3.0);
        }
    }

    #[test]
    fn initials_can_be_read_on_every_avatar() {
        for ground in AVATARS {
            check("avatar", ON_AVATAR, ground, 4.5);
            for dark in [false, true] {
                let c = tokens(dark, false);
                let by = if dark { 0.6 } else { 0.15 };
                check("name", ground.lerp_to_gamma(c.text, by), c.ground, 4.5);
            }
        }
    }

    #[test]
    fn a_person_keeps_the_colour() {
        assert_eq!(
            super::avatar_color("amira@example.com"),
            super::avatar_color("amira@example.com")
        );
    }
}
