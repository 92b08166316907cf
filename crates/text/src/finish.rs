//! The last step of reading: links and mentions inside spans that are not code.

use crate::{Block, Mention, Names, Span, Text, links, mentions};

/// At most this many links and mentions of one message are found.
const MOST: usize = 200;

/// Splits spans at links and mentions.
pub fn finish(mut text: Text, names: Names<'_>) -> Text {
    let mut left = MOST;
    blocks(&mut text.blocks, names, &mut left);
    text
}

fn blocks(all: &mut [Block], names: Names<'_>, left: &mut usize) {
    for block in all {
        match block {
            Block::Paragraph(spans) => {
                let whole = std::mem::take(spans);
                whole.into_iter().for_each(|span| split(span, names, left, spans));
            }
            Block::Quote(inner) => blocks(inner, names, left),
            Block::Code(_) => {}
        }
    }
}

fn split(span: Span, names: Names<'_>, left: &mut usize, out: &mut Vec<Span>) {
    if span.style.mono || span.style.directive || span.link.is_some() || *left == 0 {
        out.push(span);
        return;
    }
    let mut found: Vec<_> = links::find_links(&span.text)
        .into_iter()
        .map(|link| (link.range, Some(link.target), None))
        .collect();
    for (range, who) in mentions::find(&span.text, names) {
        let free =
            |taken: &std::ops::Range<usize>| range.end <= taken.start || taken.end <= range.start;
        if found.iter().all(|(taken, ..)| free(taken)) {
            found.push((range, None, Some(who)));
        }
    }
    found.sort_by_key(|(range, ..)| range.start);
    found.truncate(*left);
    *left -= found.len();
    let mut at = 0;
    let mut piece = |from: usize, to: usize, link: Option<String>, mention: Option<Mention>| {
        let text = span.text.get(from..to).unwrap_or_default();
        if !text.is_empty() {
            out.push(Span { text: text.to_owned(), style: span.style, link, mention });
        }
    };
    for (range, link, mention) in found {
        piece(at, range.start, None, None);
        piece(range.start, range.end, link, mention);
        at = range.end;
    }
    piece(at, span.text.len(), None, None);
}
