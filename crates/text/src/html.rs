//! XHTML-IM (XEP-0071) to blocks and spans, by a list of what is let in.
//!
//! Elements that are not on the list vanish and leave their text; those that hold no text for
//! readers (scripts, style sheets, embedded things) vanish with it. Nothing is ever loaded: an
//! image is its alternative text. Of styles only weight, slant and lines count; colours, sizes
//! and typefaces are the reader's own.

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::styling::push;
use crate::{Block, MAX_DEPTH, Span, Style, links, safe};

/// Deepest nesting of elements that is read.
const MAX_ELEMENTS_DEEP: usize = 64;
/// Most elements of a body.
const MAX_ELEMENTS: usize = 4_000;
/// Most attributes of an element that are looked at.
const MAX_ATTRIBUTES: usize = 16;

/// Reads the body. `None` when it is no XML, too deep, too large, declares a document type, or
/// says nothing.
pub fn blocks(html: &str) -> Option<Vec<Block>> {
    let mut reader = Reader::from_str(html);
    let mut page = Page::default();
    let mut count = 0;
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                count += 1;
                if count > MAX_ELEMENTS || page.open.len() >= MAX_ELEMENTS_DEEP {
                    return None;
                }
                page.start(&tag);
            }
            Event::Empty(tag) => {
                count += 1;
                if count > MAX_ELEMENTS {
                    return None;
                }
                page.start(&tag);
                page.end();
            }
            Event::End(_) => page.end(),
            Event::Text(text) => page.text(&text.xml10_content()),
            Event::CData(text) => page.text(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let name: &str = &reference;
                if let Ok(Some(c)) = reference.resolve_char_ref() {
                    page.text(c.encode_utf8(&mut [0; 4]));
                } else if let Some(text) = resolve_xml_entity(name) {
                    page.text(text);
                } else if name == "nbsp" {
                    page.text("\u{a0}");
                }
            }
            Event::DocType(_) => return None,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    page.finished()
}

/// What an element does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Stands among the words.
    Inline,
    /// Begins a new line.
    Paragraph,
    Quote,
    Code,
    List,
    Item,
    Break,
    Image,
    Cite,
    /// Vanishes with its text.
    Hidden,
}

fn kind(name: &str) -> Kind {
    match name {
        "p" | "div" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "tr" | "dt" | "dd" => {
            Kind::Paragraph
        }
        "blockquote" => Kind::Quote,
        "pre" => Kind::Code,
        "ul" | "ol" | "dl" => Kind::List,
        "li" => Kind::Item,
        "br" | "hr" => Kind::Break,
        "img" => Kind::Image,
        "q" => Kind::Cite,
        "script" | "style" | "head" | "title" | "object" | "embed" | "iframe" | "frame"
        | "applet" | "audio" | "video" | "svg" | "math" | "template" | "noscript" | "select"
        | "textarea" | "canvas" => Kind::Hidden,
        _ => Kind::Inline,
    }
}

/// An element that is open.
struct Open {
    kind: Kind,
    style: Style,
    /// Where its text leads, if it is inside of a link.
    link: Option<String>,
    /// What stands before the next item of a list: a bullet without a number.
    number: Option<u32>,
}

#[derive(Default)]
struct Page {
    open: Vec<Open>,
    /// Blocks of the page and of each open quote.
    levels: Vec<Vec<Block>>,
    spans: Vec<Span>,
    code: Option<String>,
    /// White space waits for a word.
    gap: bool,
    hidden: usize,
    quotes: usize,
    /// Text of the open link, to compare with where it leads.
    said: String,
}

impl Page {
    fn style(&self) -> Style {
        self.open.last().map(|open| open.style).unwrap_or_default()
    }

    fn start(&mut self, tag: &BytesStart<'_>) {
        let qualified = tag.name();
        let name = local(qualified.as_ref());
        let kind = kind(&name);
        let mut style = named(&name, self.style());
        let mut link = self.open.last().and_then(|open| open.link.clone());
        let (mut alt, mut number) = (None, None);
        for attribute in tag.attributes().with_checks(false).take(MAX_ATTRIBUTES).flatten() {
            let Ok(value) = attribute.normalized_value(XmlVersion::Implicit1_0) else { continue };
            match (name.as_str(), local(attribute.key.as_ref()).as_str()) {
                (_, "style") => style = declared(&value, style),
                ("a", "href") if link.is_none() => {
                    link = links::checked(value.trim());
                    self.said.clear();
                }
                ("img", "alt") => alt = Some(value.into_owned()),
                _ => {}
            }
        }
        if name == "ol" {
            number = Some(0);
        }
        self.begin(kind, alt.as_deref());
        self.open.push(Open { kind, style, link, number });
    }

    fn begin(&mut self, kind: Kind, alt: Option<&str>) {
        match kind {
            Kind::Hidden => self.hidden += 1,
            Kind::Paragraph | Kind::List => self.paragraph(),
            Kind::Code => {
                self.paragraph();
                self.code = Some(String::new());
            }
            Kind::Quote => {
                self.paragraph();
                self.quotes += 1;
                if self.quotes <= MAX_DEPTH {
                    self.levels.push(Vec::new());
                }
            }
            Kind::Item => {
                self.paragraph();
                let lists = self.open.iter().filter(|open| open.kind == Kind::List).count();
                let list = self.open.iter_mut().rfind(|open| open.kind == Kind::List);
                let number = list.and_then(|list| {
                    let number = list.number.as_mut()?;
                    *number += 1;
                    Some(*number)
                });
                let mark = number.map_or_else(|| "• ".to_owned(), |number| format!("{number}. "));
                let inset = "\u{2003}".repeat(lists.saturating_sub(1).min(MAX_DEPTH));
                push(&mut self.spans, &format!("{inset}{mark}"), Style::default());
            }
            Kind::Break => match &mut self.code {
                Some(code) => code.push('\n'),
                None if self.hidden == 0 => {
                    self.gap = false;
                    let style = self.style();
                    push(&mut self.spans, "\n", style);
                }
                None => {}
            },
            Kind::Image => {
                let alt = alt.map(safe::safe_line).unwrap_or_default();
                let alt = alt.trim();
                if !alt.is_empty() {
                    self.text(&format!("[{alt}]"));
                }
            }
            Kind::Cite => self.text("“"),
            Kind::Inline => {}
        }
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        match open.kind {
            Kind::Hidden => self.hidden = self.hidden.saturating_sub(1),
            Kind::Paragraph | Kind::List | Kind::Item => self.paragraph(),
            Kind::Code => {
                if let Some(code) = self.code.take() {
                    let code = code.trim_matches('\n');
                    if !code.is_empty() {
                        let code = safe::safe(code).into_owned();
                        self.block(Block::Code(code));
                    }
                }
            }
            Kind::Quote => {
                self.paragraph();
                if self.quotes <= MAX_DEPTH
                    && let Some(inner) = self.levels.pop()
                    && !inner.is_empty()
                {
                    self.block(Block::Quote(inner));
                }
                self.quotes = self.quotes.saturating_sub(1);
            }
            Kind::Cite => self.text("”"),
            Kind::Inline => {
                let outer = self.open.last().and_then(|open| open.link.as_ref());
                if let Some(target) = open.link.filter(|_| outer.is_none())
                    && links::misleads(&self.said, &target)
                {
                    let shown = format!(" ({})", links::link_shown(&target));
                    let style = self.style();
                    push(&mut self.spans, &shown, style);
                }
            }
            Kind::Break | Kind::Image => {}
        }
    }

    /// Words: runs of white space are one space, except in code.
    fn text(&mut self, text: &str) {
        if self.hidden > 0 {
            return;
        }
        if let Some(code) = &mut self.code {
            code.push_str(text);
            return;
        }
        let style = self.style();
        let link = self.open.last().and_then(|open| open.link.clone());
        let text = safe::safe(text);
        let mut words = String::new();
        for c in text.chars() {
            // A no-break space is meant.
            if c.is_whitespace() && c != '\u{a0}' {
                self.gap = true;
                continue;
            }
            if std::mem::take(&mut self.gap) && !(words.is_empty() && self.at_line_start()) {
                words.push(' ');
            }
            words.push(c);
        }
        if words.is_empty() {
            return;
        }
        match link {
            None => push(&mut self.spans, &words, style),
            Some(target) => {
                self.said.push_str(&words);
                self.linked(words, style, target);
            }
        }
    }

    fn linked(&mut self, words: String, style: Style, target: String) {
        let same = self
            .spans
            .last_mut()
            .filter(|last| last.style == style && last.link.as_ref() == Some(&target));
        match same {
            Some(last) => last.text.push_str(&words),
            None => {
                self.spans.push(Span { text: words, style, link: Some(target), mention: None });
            }
        }
    }

    fn at_line_start(&self) -> bool {
        self.spans.last().is_none_or(|last| last.text.ends_with(['\n', ' ']))
    }

    /// Ends the paragraph that is open.
    fn paragraph(&mut self) {
        self.gap = false;
        let mut spans = std::mem::take(&mut self.spans);
        while let Some(last) = spans.last_mut() {
            let kept = last.text.trim_end().len();
            last.text.truncate(kept);
            if kept > 0 {
                break;
            }
            spans.pop();
        }
        if !spans.is_empty() {
            self.block(Block::Paragraph(spans));
        }
    }

    fn block(&mut self, block: Block) {
        if self.levels.is_empty() {
            self.levels.push(Vec::new());
        }
        if let Some(level) = self.levels.last_mut() {
            level.push(block);
        }
    }

    /// Everything, also when elements were left open.
    fn finished(mut self) -> Option<Vec<Block>> {
        while !self.open.is_empty() {
            self.end();
        }
        self.paragraph();
        let blocks: Vec<Block> = self.levels.into_iter().flatten().collect();
        (!blocks.is_empty()).then_some(blocks)
    }
}

/// Name without prefix, in lower case.
fn local(name: &str) -> String {
    name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase()
}

fn named(name: &str, style: Style) -> Style {
    match name {
        "strong" | "b" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "dt" | "th" => {
            Style { bold: true, ..style }
        }
        "em" | "i" | "cite" | "dfn" | "var" | "address" => Style { italic: true, ..style },
        "s" | "strike" | "del" => Style { strike: true, ..style },
        "u" | "ins" => Style { underline: true, ..style },
        "code" | "tt" | "kbd" | "samp" => Style { mono: true, ..style },
        _ => style,
    }
}

/// The few declarations of a `style` attribute that count (XEP-0071 section 6.4 recommends more).
fn declared(value: &str, mut style: Style) -> Style {
    for part in value.split(';').take(MAX_ATTRIBUTES) {
        let Some((property, value)) = part.split_once(':') else { continue };
        let value = value.trim().to_ascii_lowercase();
        match property.trim().to_ascii_lowercase().as_str() {
            "font-weight" => {
                style.bold = match value.parse::<u32>() {
                    Ok(weight) => weight >= 600,
                    Err(_) => value.starts_with("bold"),
                }
            }
            "font-style" => style.italic = value == "italic" || value == "oblique",
            "text-decoration" => {
                style.strike = value.contains("line-through");
                style.underline = value.contains("underline");
            }
            _ => {}
        }
    }
    style
}
