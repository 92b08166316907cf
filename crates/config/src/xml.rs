//! A lenient reader of small XML documents into a tree.
//!
//! Namespaces are not resolved. A document type declaration is refused, so no entity but the five
//! of XML 1.0 section 4.6 and character references is ever expanded, and the text of a tree is
//! never longer than its source. Depth, size and number of elements are bounded.

mod element;
mod reader;

pub use element::Element;
pub use reader::{Document, MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, parse};

use offhook_model::Fault;
use thiserror::Error;

/// Why a document gives no value.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum XmlError {
    /// Nothing but white space.
    #[error("it is empty")]
    Empty,
    /// It is a web page.
    #[error("it is a web page")]
    Html,
    /// It has a document type declaration, by which entities could be declared.
    #[error("it declares a document type, which is refused")]
    DocumentType,
    /// Elements are nested deeper than [`MAX_DEPTH`].
    #[error("its elements are nested too deeply")]
    TooDeep,
    /// More than [`MAX_BYTES`] or [`MAX_ELEMENTS`].
    #[error("it is too large")]
    TooLarge,
    /// It is cut short or no XML at all; the text says what was met.
    #[error("it is not well-formed: {0}")]
    Broken(String),
    /// It is XML, and not what was asked for; the text says what is missing.
    #[error("{0}")]
    Missing(&'static str),
}

impl XmlError {
    /// The fault of the server that sent the document.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Html => Fault::Html,
            Self::TooLarge => Fault::TooLarge(MAX_BYTES as u64),
            Self::Empty
            | Self::DocumentType
            | Self::TooDeep
            | Self::Broken(_)
            | Self::Missing(_) => Fault::Nonsense(self.to_string()),
        }
    }
}
