//! One element of a tree and the ways to look into it.

use std::fmt;

/// An element: its local name, attributes by local name, child elements, and its own text
/// without surrounding white space.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Local name as written.
    pub name: String,
    /// Local names and values. The first of equal names counts.
    pub attributes: Vec<(String, String)>,
    /// Child elements in order.
    pub children: Vec<Element>,
    /// All text directly inside, joined.
    pub text: String,
    /// Line of the document where its first tag ends, counted from 1.
    pub line: u32,
}

impl Element {
    /// It has this local name, without regard to case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The text, unless it is empty.
    pub fn value(&self) -> Option<&str> {
        Some(self.text.as_str()).filter(|text| !text.is_empty())
    }

    /// The value of an attribute, unless it is empty.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// The first child of this name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.is(name))
    }

    /// All children of this name.
    pub fn children_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> + 'a {
        self.children.iter().filter(move |child| child.is(name))
    }

    /// The element at the end of a path of child names.
    pub fn at(&self, path: &[&str]) -> Option<&Element> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// The non-empty text at the end of a path of child names.
    pub fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path).and_then(Element::value)
    }

    /// This element or the first below it of this name, in document order.
    pub fn find(&self, name: &str) -> Option<&Element> {
        if self.is(name) {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(name))
    }

    /// This element and all below it of this name, in document order.
    pub fn find_all(&self, name: &str) -> Vec<&Element> {
        let mut found = vec![];
        self.collect(name, &mut found);
        found
    }

    fn collect<'a>(&'a self, name: &str, found: &mut Vec<&'a Element>) {
        if self.is(name) {
            found.push(self);
        }
        for child in &self.children {
            child.collect(name, found);
        }
    }

    /// How many elements it holds, itself included.
    pub fn count(&self) -> usize {
        1 + self.children.iter().map(Element::count).sum::<usize>()
    }

    /// How many levels it has, itself included.
    pub fn depth(&self) -> usize {
        1 + self.children.iter().map(Element::depth).max().unwrap_or(0)
    }
}

/// Names only: texts may be passwords.
impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}", self.name)?;
        for (name, _) in &self.attributes {
            write!(f, " {name}")?;
        }
        f.write_str(">")?;
        f.debug_list().entries(&self.children).finish()
    }
}
