//! What a message says, as blocks and spans that a window can lay out: message styling (XEP-0393),
//! XHTML-IM (XEP-0071), links, mentions, emoji, and texts made safe to show.
//!
//! Everything here is written by strangers. Nothing panics, everything is bounded by
//! [`MAX_BYTES`], and the work grows with the length of a text alone.

mod action;
mod emoji;
mod finish;
pub mod fuzzing;
mod host;
mod html;
mod links;
mod mentions;
mod safe;
mod styling;

pub use action::action;
pub use emoji::{
    Emoji, Language, by_shortcode, emoji, emoji_only, expand_shortcode, search, shortcode_at,
};
pub use host::host_shown;
pub use links::{Link, find_links, link_shown};
pub use mentions::{MentionAt, mention_at, names_us};
pub use safe::{safe, safe_line};

/// Longest text that is read, in bytes; what comes after is not shown.
pub const MAX_BYTES: usize = 64 * 1024;
/// Deepest nesting of quotes and lists; what is deeper is shown at this depth.
pub const MAX_DEPTH: usize = 6;

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Strong.
    pub bold: bool,
    /// Emphasised.
    pub italic: bool,
    /// Crossed out.
    pub strike: bool,
    /// Underlined.
    pub underline: bool,
    /// In a type whose letters are of one width.
    pub mono: bool,
    /// A character that only says how its neighbours look. XEP-0393 recommends to show it; it is
    /// best shown faintly and not spoken.
    pub directive: bool,
}

/// Whom a mention names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mention {
    /// Us.
    Us,
    /// Somebody else.
    Other,
}

/// A piece of text that looks the same throughout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// What it says.
    pub text: String,
    /// How it looks.
    pub style: Style,
    /// Where it leads: `http`, `https`, `mailto`, `xmpp` or `tel`, and nothing else.
    pub link: Option<String>,
    /// Whom it names.
    pub mention: Option<Mention>,
}

/// A part of a message that stands by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Lines of text; spans hold the line breaks.
    Paragraph(Vec<Span>),
    /// Somebody else's words, or our own of earlier.
    Quote(Vec<Block>),
    /// Text whose white space counts.
    Code(String),
}

/// A message that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// Its parts, from top to bottom.
    pub blocks: Vec<Block>,
}

/// Names that a mention may be of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names<'a> {
    /// Our own name or nickname; empty where nobody is named.
    pub us: &'a str,
    /// Those of others.
    pub others: &'a [&'a str],
}

/// Reads a plain body by the rules of message styling, with links and mentions found.
pub fn read(body: &str, names: Names<'_>) -> Text {
    let body = safe(cut(body));
    finish::finish(Text { blocks: styling::blocks(&body, 0) }, names)
}

/// Reads an XHTML-IM body, with links and mentions found. `None` when it cannot be read or says
/// nothing: the plain body is to be shown then.
pub fn read_html(html: &str, names: Names<'_>) -> Option<Text> {
    if html.len() > MAX_BYTES {
        return None;
    }
    let blocks = html::blocks(html)?;
    Some(finish::finish(Text { blocks }, names))
}

impl Text {
    /// What is said, without directives: for assistive technology and for lists.
    pub fn plain(&self) -> String {
        let mut plain = String::new();
        speak(&self.blocks, &mut plain);
        plain
    }
}

fn speak(blocks: &[Block], plain: &mut String) {
    for block in blocks {
        if !plain.is_empty() && !plain.ends_with('\n') {
            plain.push('\n');
        }
        match block {
            Block::Paragraph(spans) => {
                let said = spans.iter().filter(|span| !span.style.directive);
                plain.extend(said.map(|span| span.text.as_str()));
            }
            Block::Quote(inner) => speak(inner, plain),
            Block::Code(code) => plain.push_str(code),
        }
    }
}

/// The first [`MAX_BYTES`] of a text, ending with a whole character.
fn cut(text: &str) -> &str {
    let end = text.floor_char_boundary(MAX_BYTES);
    text.get(..end).unwrap_or_default()
}
