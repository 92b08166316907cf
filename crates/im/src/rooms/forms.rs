//! Forms of rooms (XEP-0004), read with tolerance: servers name fields differently and leave
//! some out.

use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns::DATA_FORMS;

use crate::stanza::element;

/// How many fields of a form are read.
const FIELDS: usize = 200;

/// The largest form that is sent back, in values.
const VALUES: usize = 1_000;

/// A room's settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    fields: Vec<(String, Vec<String>)>,
}

impl Form {
    /// The form in an answer. `None` when there is none.
    pub(super) fn read(query: &Element) -> Option<Self> {
        let x = query.children().find(|it| it.is("x", DATA_FORMS))?;
        let mut values = 0;
        let fields = x
            .children()
            .filter(|it| it.is("field", DATA_FORMS) && it.attr("type") != Some("fixed"))
            .filter_map(|field| {
                let all = field.children().filter(|it| it.is("value", DATA_FORMS));
                let all: Vec<String> = all.map(Element::text).take(VALUES - values).collect();
                values += all.len();
                Some((field.attr("var")?.to_owned(), all))
            });
        Some(Self { fields: fields.take(FIELDS).collect() })
    }

    /// Sets a field. False when the form does not have it.
    pub(super) fn set(&mut self, name: &str, value: &str) -> bool {
        let field = self.fields.iter_mut().find(|(var, _)| var == name);
        field.map(|(_, values)| *values = vec![value.to_owned()]).is_some()
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let (_, values) = self.fields.iter().find(|(var, _)| var == name)?;
        values.first().map(String::as_str)
    }

    /// The filled form, to be sent back.
    pub(super) fn submit(&self) -> Element {
        let mut x = element("x", DATA_FORMS, &[("type", "submit")]);
        for (var, values) in &self.fields {
            let mut field = element("field", DATA_FORMS, &[("var", var)]);
            for value in values {
                let mut child = element("value", DATA_FORMS, &[]);
                child.append_text_node(value.clone());
                field.append_child(child);
            }
            x.append_child(field);
        }
        x
    }
}

/// The word of forms for yes and no.
pub(super) fn word(yes: bool) -> &'static str {
    if yes { "1" } else { "0" }
}
