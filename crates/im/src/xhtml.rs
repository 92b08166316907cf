//! XHTML-IM (XEP-0071) as it is kept and handed on: what is on the list and nothing else, so that
//! nobody who shows it, the window or a program at the control interface, loads or runs anything.
//! The list is that of section 6 with what clients of today send beside it. What it means for the
//! eye is decided by who shows it.

use xmpp_parsers::minidom::{Element, Node};
use xmpp_parsers::ns;

use crate::stanza::element;

/// Deepest nesting that is kept.
const DEPTH: usize = 64;

/// Longest value of an attribute that is kept, in bytes.
const VALUE: usize = 2_048;

/// Elements that are kept. Others vanish and leave what is in them.
const KEPT: [&str; 37] = [
    "a",
    "b",
    "blockquote",
    "br",
    "cite",
    "code",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "span",
    "strike",
    "strong",
    "tt",
    "u",
    "ul",
    "var",
];

/// Elements that vanish with what is in them: it is no text for readers.
const DROPPED: [&str; 22] = [
    "applet", "audio", "base", "button", "canvas", "embed", "form", "frame", "head", "iframe",
    "input", "link", "math", "meta", "noscript", "object", "script", "select", "style", "svg",
    "textarea", "title",
];

/// Declarations of a `style` that are kept (section 6.4).
const STYLES: [&str; 8] = [
    "background-color",
    "color",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "text-align",
    "text-decoration",
];

/// The body with nothing in it but what may be kept, and without attributes of its own.
pub(crate) fn clean(body: &Element) -> Element {
    let mut cleaned = Element::bare("body", ns::XHTML);
    fill(&mut cleaned, body, 0);
    cleaned
}

fn fill(to: &mut Element, from: &Element, depth: usize) {
    for node in from.nodes() {
        match node {
            Node::Text(text) => to.append_text_node(text.clone()),
            Node::Element(child) if depth >= DEPTH || DROPPED.contains(&child.name()) => {}
            Node::Element(child) if child.has_ns(ns::XHTML) && KEPT.contains(&child.name()) => {
                let kept = ["alt", "href", "style"].into_iter();
                let kept =
                    kept.filter_map(|name| Some((name, attribute(name, child.attr(name)?)?)));
                let kept: Vec<(&str, String)> = kept.collect();
                let kept: Vec<(&str, &str)> = kept.iter().map(|it| (it.0, it.1.as_str())).collect();
                let mut kept = element(child.name(), ns::XHTML, &kept);
                fill(&mut kept, child, depth + 1);
                to.append_child(kept);
            }
            Node::Element(child) => fill(to, child, depth + 1),
        }
    }
}

/// What is kept of an attribute. An image keeps its words, never its source.
fn attribute(name: &str, value: &str) -> Option<String> {
    let value = value.trim();
    match name {
        _ if value.len() > VALUE => None,
        "alt" => Some(value.to_owned()),
        "href" => {
            let (scheme, _) = value.split_once(':')?;
            let known = ["http", "https", "mailto", "xmpp", "tel", "sip", "sips"];
            known.iter().any(|it| scheme.eq_ignore_ascii_case(it)).then(|| value.to_owned())
        }
        _ => style(value),
    }
}

fn style(value: &str) -> Option<String> {
    let kept = value.split(';').filter_map(|declaration| {
        let (property, value) = declaration.split_once(':')?;
        let (property, value) = (property.trim().to_ascii_lowercase(), value.trim());
        // Nothing that could name a place or escape from its quotes.
        let plain = value.chars().all(|c| c.is_alphanumeric() || " ,.-#%'\"".contains(c));
        (STYLES.contains(&property.as_str()) && plain && !value.is_empty())
            .then(|| format!("{property}:{value}"))
    });
    let kept = kept.collect::<Vec<_>>().join(";");
    (!kept.is_empty()).then_some(kept)
}

#[cfg(test)]
mod tests {
    use xmpp_parsers::minidom::Element;

    use super::clean;

    fn cleaned(inner: &str) -> String {
        let body =
            format!("<body xmlns='http://www.w3.org/1999/xhtml' onload='x()'>{inner}</body>");
        let body: Element = body.parse().expect("XML");
        let whole = String::from(&clean(&body));
        let whole = whole.split_once('>').map(|it| it.1.to_owned()).unwrap_or_default();
        whole.strip_suffix("</body>").unwrap_or_default().to_owned()
    }

    #[test]
    fn only_what_is_on_the_list_is_kept() {
        for (given, want) in [
            ("<p>a <b>b</b></p>", "<p>a <b>b</b></p>"),
            ("<script>x()</script>a", "a"),
            ("<blink>a<i>b</i></blink>", "a<i>b</i>"),
            ("<p onclick='x()' class='c'>a</p>", "<p>a</p>"),
            ("<a href='javascript:x()'>a</a>", "<a>a</a>"),
            ("<a href=' JavaScript:x()'>a</a>", "<a>a</a>"),
            ("<a href='data:text/html,x'>a</a>", "<a>a</a>"),
            ("<img src='https://x/y' alt='z'/>", "<img alt='z'/>"),
            ("<iframe src='x'><p>a</p></iframe>b", "b"),
            ("<svg xmlns='http://www.w3.org/2000/svg'><a>x</a></svg>b", "b"),
            ("<p xmlns='urn:other'>a</p>", "a"),
            ("<p style='background:url(x);color:url(x)'>a</p>", "<p>a</p>"),
        ] {
            assert_eq!(cleaned(given).replace('"', "'"), want, "{given}");
        }
        let vendor = "<span style='font-family:Segoe UI;color:#1a1a1a;font-size:10pt'>a</span>";
        assert_eq!(cleaned(vendor).replace('"', "'"), vendor);
        let link = "<a href='https://example.com/?a=b'>a</a>";
        assert_eq!(cleaned(link).replace('"', "'"), link);
    }

    #[test]
    fn what_is_nested_deep_is_left_out() {
        let inner = "<p>".repeat(200) + "deep" + &"</p>".repeat(200);
        assert!(!cleaned(&inner).contains("deep"));
    }
}
