//! Message styling (XEP-0393 section 5): blocks first, then the spans of each line.

use crate::{Block, MAX_DEPTH, Span, Style};

const FENCE: &str = "```";

/// Reads the blocks of a text, or of a quote's inside at `depth`.
pub fn blocks(text: &str, depth: usize) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.split('\n').peekable();
    let mut plain: Vec<&str> = Vec::new();
    while let Some(line) = lines.next() {
        if line.starts_with(FENCE) && lines.peek().is_some() {
            flush(&mut plain, &mut blocks);
            let inside: Vec<&str> = lines.by_ref().take_while(|line| *line != FENCE).collect();
            blocks.push(Block::Code(inside.join("\n")));
        } else if line.starts_with('>') && depth < MAX_DEPTH {
            flush(&mut plain, &mut blocks);
            let mut inside = unquoted(line).to_owned();
            while let Some(next) = lines.next_if(|next| next.starts_with('>')) {
                inside.push('\n');
                inside.push_str(unquoted(next));
            }
            blocks.push(Block::Quote(self::blocks(&inside, depth + 1)));
        } else {
            plain.push(line);
        }
    }
    flush(&mut plain, &mut blocks);
    blocks
}

/// A line of a quote without its mark and the first white space behind it.
fn unquoted(line: &str) -> &str {
    let rest = line.strip_prefix('>').unwrap_or(line);
    let mut chars = rest.chars();
    if chars.next().is_some_and(char::is_whitespace) { chars.as_str() } else { rest }
}

/// Lines that follow each other become one paragraph; empty ones around it say nothing.
fn flush(lines: &mut Vec<&str>, blocks: &mut Vec<Block>) {
    let lines = std::mem::take(lines);
    let full = |line: &&str| !line.trim().is_empty();
    let Some(first) = lines.iter().position(full) else { return };
    let last = lines.iter().rposition(full).unwrap_or(first);
    let mut spans = Vec::new();
    for (at, line) in lines.iter().take(last + 1).skip(first).enumerate() {
        if at > 0 {
            push(&mut spans, "\n", Style::default());
        }
        styled(line, Style::default(), &mut spans);
    }
    blocks.push(Block::Paragraph(spans));
}

/// Splits one line into its spans. A span within a span is of another kind, so this goes no
/// deeper than there are kinds.
fn styled(line: &str, style: Style, spans: &mut Vec<Span>) {
    let mut plain = 0;
    // The last characters, while they are directives that could have opened something.
    let mut run = Run::Start;
    // Kinds of which no end can come any more.
    let mut endless = [false; 128];
    let mut at = 0;
    while let Some(c) = line.get(at..).and_then(|rest| rest.chars().next()) {
        let opens = is_directive(c) && run.lets(c) && !endless.get(c as usize).is_none_or(|no| *no);
        run = run.then(c);
        let Some(inner) = opens.then(|| inside(line, at, c, &mut endless)).flatten() else {
            at += c.len_utf8();
            continue;
        };
        push(spans, line.get(plain..at).unwrap_or_default(), style);
        let kind = with(style, c);
        let directive = Style { directive: true, ..kind };
        let mark = c.encode_utf8(&mut [0; 4]).to_owned();
        push(spans, &mark, directive);
        if kind.mono {
            push(spans, inner, kind);
        } else {
            styled(inner, kind, spans);
        }
        push(spans, &mark, directive);
        at += 1 + inner.len() + 1;
        plain = at;
        run = Run::Word;
    }
    push(spans, line.get(plain..).unwrap_or_default(), style);
}

/// What stands before a character, as far as it matters to whether it may open a span.
#[derive(Clone, Copy)]
enum Run {
    /// The beginning, or white space.
    Start,
    /// Directives behind such, the last of them and how many.
    Directives(char, u8),
    /// Anything else.
    Word,
}

impl Run {
    /// An opening directive stands at the beginning, behind white space, or behind a different
    /// opening directive.
    fn lets(self, c: char) -> bool {
        match self {
            Self::Start => true,
            Self::Directives(last, _) => last != c,
            Self::Word => false,
        }
    }

    fn then(self, c: char) -> Self {
        match self {
            _ if c.is_whitespace() => Self::Start,
            Self::Start if is_directive(c) => Self::Directives(c, 1),
            // More than there are kinds is a line of decoration.
            Self::Directives(_, count) if is_directive(c) && count < 4 => {
                Self::Directives(c, count + 1)
            }
            Self::Start | Self::Directives(..) | Self::Word => Self::Word,
        }
    }
}

/// The text that the directive at `at` encloses, if it opens a span.
fn inside<'a>(line: &'a str, at: usize, kind: char, endless: &mut [bool; 128]) -> Option<&'a str> {
    let tail = line.get(at + 1..)?;
    let first = tail.chars().next()?;
    if first.is_whitespace() || first == kind {
        return None;
    }
    let mut before = first;
    for (end, c) in tail.char_indices().skip(1) {
        if c == kind && !before.is_whitespace() {
            return tail.get(..end);
        }
        before = c;
    }
    if let Some(flag) = endless.get_mut(kind as usize) {
        *flag = true;
    }
    None
}

fn is_directive(c: char) -> bool {
    matches!(c, '*' | '_' | '~' | '`')
}

fn with(style: Style, kind: char) -> Style {
    match kind {
        '*' => Style { bold: true, ..style },
        '_' => Style { italic: true, ..style },
        '~' => Style { strike: true, ..style },
        _ => Style { mono: true, ..style },
    }
}

/// Adds text, to the last span where it looks the same.
pub fn push(spans: &mut Vec<Span>, text: &str, style: Style) {
    if text.is_empty() {
        return;
    }
    match spans.last_mut() {
        Some(last) if last.style == style && last.link.is_none() => last.text.push_str(text),
        Some(_) | None => {
            spans.push(Span { text: text.to_owned(), style, link: None, mention: None });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::blocks;
    use crate::{Block, Span};

    /// Spans as `plain`, `b(bold)`, `i(…)`, `s(…)`, `m(…)`, with their directives.
    fn written(spans: &[Span]) -> String {
        let mut text = String::new();
        let mut open = String::new();
        for span in spans {
            let style = span.style;
            let flags =
                [(style.bold, 'b'), (style.italic, 'i'), (style.strike, 's'), (style.mono, 'm')];
            let now: String = flags.iter().filter(|one| one.0).map(|one| one.1).collect();
            if now != open {
                if !open.is_empty() {
                    text.push(')');
                }
                if !now.is_empty() {
                    text.push_str(&now);
                    text.push('(');
                }
                open = now;
            }
            text.push_str(&span.text);
        }
        if !open.is_empty() {
            text.push(')');
        }
        text
    }

    fn shown(blocks: &[Block]) -> String {
        let one = |block: &Block| match block {
            Block::Paragraph(spans) => format!("P[{}]", written(spans)),
            Block::Quote(inner) => format!("Q[{}]", shown(inner)),
            Block::Code(code) => format!("C[{code}]"),
        };
        blocks.iter().map(one).collect()
    }

    #[track_caller]
    fn check(text: &str, wanted: &str) {
        assert_eq!(shown(&blocks(text, 0)), wanted, "{text:?}");
    }

    #[test]
    fn the_spans_of_the_specification() {
        check("*strong*", "P[b(*strong*)]");
        check("plain *strong* plain", "P[plain b(*strong*) plain]");
        check("*strong* plain *strong*", "P[b(*strong*) plain b(*strong*)]");
        check("*strong*plain*", "P[b(*strong*)plain*]");
        check("* plain *strong*", "P[* plain b(*strong*)]");
        for nothing in
            ["not strong*", "*not strong", "*not \n strong*", "*not *strong", "**", "***", "****"]
        {
            check(nothing, &format!("P[{nothing}]"));
        }
        check("Two spans, both *alike in dignity*", "P[Two spans, both b(*alike in dignity*)]");
        check(
            "The full title is _Twelfth Night, or What You Will_ but\n_most_ people shorten it.",
            "P[The full title is i(_Twelfth Night, or What You Will_) but\ni(_most_) people shorten it.]",
        );
        check("Everyone ~dis~likes cake.", "P[Everyone s(~dis~)likes cake.]");
        check("This is `*monospace*`", "P[This is m(`*monospace*`)]");
        check("This is *`monospace and bold`*", "P[This is b(*)bm(`monospace and bold`)b(*)]");
        check("_emphasized *strong*_", "P[i(_emphasized )bi(*strong*)i(_)]");
    }

    #[test]
    fn the_blocks_of_the_specification() {
        check(
            "(There are three blocks in this body marked by parens,)\n(but there is no *formatting)\n(as spans* may not escape blocks.)",
            "P[(There are three blocks in this body marked by parens,)\n(but there is no *formatting)\n(as spans* may not escape blocks.)]",
        );
        check(
            "```ignored\n(println \"Hello, world!\")\n```\n\nThis should show up",
            "C[(println \"Hello, world!\")]P[This should show up]",
        );
        check(
            "> ```\n> (println \"Hello, world!\")\n\nThe entire blockquote",
            "Q[C[(println \"Hello, world!\")]]P[The entire blockquote]",
        );
        check(
            "> That that is, is.\n\nSaid the old hermit of Prague.",
            "Q[P[That that is, is.]]P[Said the old hermit of Prague.]",
        );
        check(
            ">> That that is, is.\n> Said the old hermit of Prague.\n\nWho?",
            "Q[Q[P[That that is, is.]]P[Said the old hermit of Prague.]]P[Who?]",
        );
    }

    #[test]
    fn words_with_directives_inside_stay_words() {
        check("snake_case_name and 2*3*4", "P[snake_case_name and 2*3*4]");
        check("a ```lone fence", "P[a ```lone fence]");
        check("```one line only", "P[```one line only]");
    }

    #[test]
    fn quotes_end_at_a_depth() {
        let deep = ">".repeat(50_000);
        let read = shown(&blocks(&deep, 0));
        assert_eq!(read.matches("Q[").count(), crate::MAX_DEPTH);
    }
}
