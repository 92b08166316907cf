//! One entry per kind of outside bytes, named like its folder under `corpus/`: runs the reader
//! and checks what must hold of everything it accepts.

use crate::{Block, MAX_DEPTH, Names, Text};

const NAMES: Names<'_> = Names { us: "mary", others: &["Amira Khalil", "jonas"] };

/// Plain bodies: styling, links, mentions, emoji.
///
/// # Panics
/// When a bound does not hold.
pub fn body(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let read = crate::read(&text, NAMES);
    hold(&read);
    assert!(length(&read.blocks) <= text.len() * 3 + 16);
    let _ = crate::emoji_only(&text);
    let _ = crate::names_us(&text, "mary");
    let line = crate::safe_line(&text);
    assert!(!line.contains(['\n', '\u{202e}', '\u{200b}']));
    let cursor = text.floor_char_boundary(text.len() / 2);
    let _ = crate::mention_at(&text, cursor);
    let _ = crate::expand_shortcode(&text, cursor);
    let _ = crate::shortcode_at(&text, cursor);
}

/// XHTML-IM.
///
/// # Panics
/// When a bound does not hold.
pub fn html(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(read) = crate::read_html(&text, NAMES) {
        assert!(!read.blocks.is_empty());
        hold(&read);
    }
}

fn hold(text: &Text) {
    each(&text.blocks, 0);
    let _ = text.plain();
}

fn each(blocks: &[Block], depth: usize) {
    assert!(depth <= MAX_DEPTH);
    for block in blocks {
        match block {
            Block::Paragraph(spans) => {
                for span in spans {
                    assert!(!span.text.is_empty());
                    assert!(!span.text.contains(['\u{202e}', '\u{200b}', '\0']));
                    let Some(link) = &span.link else { continue };
                    let schemes = ["https://", "http://", "mailto:", "xmpp:", "tel:"];
                    assert!(schemes.iter().any(|scheme| link.starts_with(scheme)), "{link}");
                    assert!(!crate::link_shown(link).is_empty());
                }
            }
            Block::Quote(inner) => each(inner, depth + 1),
            Block::Code(code) => assert!(!code.contains('\0')),
        }
    }
}

fn length(blocks: &[Block]) -> usize {
    let one = |block: &Block| match block {
        Block::Paragraph(spans) => spans.iter().map(|span| span.text.len()).sum(),
        Block::Quote(inner) => length(inner),
        Block::Code(code) => code.len(),
    };
    blocks.iter().map(one).sum()
}
