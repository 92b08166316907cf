//! A message's text as galleys: paragraphs, quotes with their bar, code on its own ground.

use std::ops::Range;
use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat};
use egui::{Color32, Galley, Rect, Stroke, Ui, Vec2, pos2, vec2};
use offhook_model::Message;
use offhook_text::{Block, Mention, Names, Span, Text, emoji_only};

use crate::cx::Cx;
use crate::theme::{Type, mono_font, regular, semibold};

/// Space between two blocks.
const GAP: f32 = 6.0;
/// How far a quote is set in.
const INSET: f32 = 12.0;
/// Around code.
const CODE_PAD: f32 = 8.0;
/// Texts beyond this are cut in the bubble, in bytes; layout of more is not worth the time.
pub const LONGEST: usize = 12_000;

/// Reads a message once: styled text of the plain body, or of its XHTML.
pub fn read(message: &Message, names: Names<'_>) -> Text {
    let html = message.more.html.as_deref();
    let end = message.body.floor_char_boundary(LONGEST);
    let cut = end < message.body.len();
    let html = html.filter(|html| html.len() <= 2 * LONGEST);
    html.and_then(|html| offhook_text::read_html(html, names)).unwrap_or_else(|| {
        let body = message.body.get(..end).unwrap_or_default();
        if cut {
            offhook_text::read(&format!("{body}…"), names)
        } else {
            offhook_text::read(body, names)
        }
    })
}

/// Colours of one bubble.
#[derive(Clone, Copy)]
pub struct Ink {
    /// Words.
    pub text: Color32,
    /// Directives, quotes and everything less important.
    pub faint: Color32,
    /// Links and mentions of others.
    pub link: Color32,
    /// Behind a mention of us.
    pub us: Color32,
    /// Behind code.
    pub code: Color32,
    /// Behind words that were searched for, and on it.
    pub hit: Color32,
    pub on_hit: Color32,
}

/// The colours of an own or a received message.
pub fn ink(cx: &Cx<'_>, own: bool) -> Ink {
    let c = cx.c;
    if own {
        Ink {
            text: c.on_own,
            faint: c.on_own.gamma_multiply(0.78),
            link: c.on_own,
            us: c.hover(c.own_bubble),
            code: c.own_bubble.lerp_to_gamma(Color32::BLACK, 0.18),
            hit: c.away,
            on_hit: Color32::BLACK,
        }
    } else {
        Ink {
            text: c.text,
            faint: c.muted,
            link: c.accent,
            us: c.accent_soft,
            code: c.their_bubble.lerp_to_gamma(c.text, 0.06),
            hit: c.away,
            on_hit: Color32::BLACK,
        }
    }
}

/// One galley with its place in the bubble.
pub struct Piece {
    /// The text.
    pub galley: Arc<Galley>,
    /// Its place, from the upper left corner of the text.
    pub place: Rect,
    /// Ranges of it in bytes that lead somewhere.
    pub links: Vec<(Range<usize>, String)>,
    /// It is code: its ground is this.
    pub ground: Option<Rect>,
    /// How many quotes it stands in.
    pub quoted: usize,
}

/// A laid out text.
#[derive(Default)]
pub struct Laid {
    /// From top to bottom.
    pub pieces: Vec<Piece>,
    /// The size of all.
    pub size: Vec2,
}

/// Lays a text out to at most this width. `hit` are words to mark, in lower case.
pub fn lay(ui: &Ui, text: &Text, width: f32, ink: &Ink, hit: &str) -> Laid {
    let big = match text.blocks.as_slice() {
        [Block::Paragraph(spans)] => match spans.as_slice() {
            [one] => emoji_only(&one.text).filter(|count| *count <= 3),
            _ => None,
        },
        _ => None,
    };
    let mut laid = Laid::default();
    let look = Look { ink, hit, big: big.is_some() };
    blocks(ui, &text.blocks, width, 0, &look, &mut laid);
    laid
}

struct Look<'a> {
    ink: &'a Ink,
    hit: &'a str,
    big: bool,
}

fn blocks(ui: &Ui, all: &[Block], width: f32, quoted: usize, look: &Look<'_>, laid: &mut Laid) {
    let left = quoted as f32 * INSET;
    let room = (width - left).max(40.0);
    for block in all {
        if laid.size.y > 0.0 && !matches!(block, Block::Quote(_)) {
            laid.size.y += GAP;
        }
        match block {
            Block::Paragraph(spans) => {
                let (job, links) = paragraph(spans, room, quoted > 0, look);
                add(ui, job, links, left, quoted, None, laid);
            }
            Block::Quote(inner) => blocks(ui, inner, width, quoted + 1, look, laid),
            Block::Code(code) => {
                let mut job = LayoutJob::default();
                let format = TextFormat {
                    font_id: mono_font(12.5),
                    line_height: Some(18.0),
                    color: look.ink.text,
                    ..Default::default()
                };
                job.append(code, 0.0, format);
                job.wrap.max_width = room - 2.0 * CODE_PAD;
                job.wrap.break_anywhere = true;
                add(ui, job, Vec::new(), left, quoted, Some(CODE_PAD), laid);
            }
        }
    }
}

fn add(
    ui: &Ui,
    job: LayoutJob,
    links: Vec<(Range<usize>, String)>,
    left: f32,
    quoted: usize,
    pad: Option<f32>,
    laid: &mut Laid,
) {
    let galley = ui.painter().layout_job(job);
    let around = pad.unwrap_or(0.0);
    let corner = pos2(left + around, laid.size.y + around);
    let place = Rect::from_min_size(corner, galley.size());
    let ground = pad.map(|pad| place.expand(pad));
    let outer = ground.unwrap_or(place);
    laid.size.x = laid.size.x.max(outer.right());
    laid.size.y = outer.bottom();
    laid.pieces.push(Piece { galley, place, links, ground, quoted });
}

fn paragraph(
    spans: &[Span],
    width: f32,
    quoted: bool,
    look: &Look<'_>,
) -> (LayoutJob, Vec<(Range<usize>, String)>) {
    let mut job = LayoutJob::default();
    job.wrap.max_width = width;
    let mut links = Vec::new();
    for span in spans {
        let format = format(span, quoted, look);
        let start = job.text.len();
        append(&mut job, &span.text, &format, look);
        if let Some(target) = &span.link {
            links.push((start..job.text.len(), target.clone()));
        }
    }
    (job, links)
}

/// Adds text with the words that were searched for marked.
fn append(job: &mut LayoutJob, text: &str, format: &TextFormat, look: &Look<'_>) {
    let lower = text.to_lowercase();
    // Lower case may be of another length; such texts are not marked.
    if look.hit.is_empty() || lower.len() != text.len() {
        job.append(text, 0.0, format.clone());
        return;
    }
    let mut from = 0;
    for (at, found) in lower.match_indices(look.hit).take(100) {
        let marked =
            TextFormat { background: look.ink.hit, color: look.ink.on_hit, ..format.clone() };
        job.append(text.get(from..at).unwrap_or_default(), 0.0, format.clone());
        from = at + found.len();
        job.append(text.get(at..from).unwrap_or_default(), 0.0, marked);
    }
    job.append(text.get(from..).unwrap_or_default(), 0.0, format.clone());
}

fn format(span: &Span, quoted: bool, look: &Look<'_>) -> TextFormat {
    let style = span.style;
    let ink = look.ink;
    let plain = if quoted { ink.faint } else { ink.text };
    let color = match (style.directive, &span.link, span.mention) {
        (true, ..) => ink.faint,
        (false, Some(_), _) | (false, None, Some(Mention::Other)) => ink.link,
        (false, None, _) => plain,
    };
    let bold = style.bold || span.mention.is_some();
    let font = match (look.big, style.mono, bold) {
        (true, ..) => regular(34.0),
        (false, true, _) => mono_font(12.5),
        (false, false, true) => semibold(14.0),
        (false, false, false) => Type::Body.font(),
    };
    let line = |on: bool| if on { Stroke::new(1.0, color) } else { Stroke::NONE };
    TextFormat {
        font_id: font,
        line_height: Some(if look.big { 44.0 } else { Type::Body.line() }),
        color,
        background: match (style.mono, span.mention) {
            (true, _) => ink.code,
            (false, Some(Mention::Us)) => ink.us,
            (false, _) => Color32::TRANSPARENT,
        },
        italics: style.italic,
        strikethrough: line(style.strike),
        underline: line(style.underline || span.link.is_some()),
        ..Default::default()
    }
}

/// Paints what lies under a piece: the ground of code and the bars of quotes.
pub fn ground(ui: &Ui, piece: &Piece, corner: egui::Pos2, ink: &Ink) {
    let shift = corner.to_vec2();
    if let Some(rect) = piece.ground {
        ui.painter().rect_filled(rect.translate(shift), 6, ink.code);
    }
    let outer = piece.ground.unwrap_or(piece.place).translate(shift);
    for level in 0..piece.quoted {
        let left = corner.x + level as f32 * INSET;
        let bar = Rect::from_min_size(pos2(left, outer.top()), vec2(3.0, outer.height()));
        ui.painter().rect_filled(bar, 2, ink.faint.gamma_multiply(0.6));
    }
}
