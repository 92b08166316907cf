//! The client configuration file `jabber-config.xml`, global or of a group (reference
//! client-config.md).

use offhook_model::{Layer, Source};

use crate::text::{MAX_NAME, MAX_SETTINGS, MAX_VALUE, setting};
use crate::xml::{Element, XmlError, parse};

/// Sections of the file.
const SECTIONS: [&str; 7] =
    ["Client", "Directory", "Options", "Phone", "Policies", "Presence", "Voicemail"];

/// Keys whose value is a piece of XML. What is in it is for the feature that needs it; here the
/// number of its entries stands for it.
const NESTED: [&str; 2] = ["jabber-plugin-config", "InstantMessageLabels"];

/// Reads a client configuration file. Elements of unknown names and sections are kept, passwords
/// are not. A single section or a single key without the rest of the file is read as well, as
/// guides print them.
///
/// # Errors
/// The file as a whole does not count: it is broken, a web page, or another document.
pub fn read_client_config(data: &[u8], source: Source, origin: &str) -> Result<Layer, XmlError> {
    let document = parse(data)?;
    let mut layer = Layer {
        source,
        origin: origin.to_owned(),
        settings: vec![],
        oddities: document.oddities.iter().map(|&odd| odd.to_owned()).collect(),
    };
    let root = &document.root;
    if root.is("config") {
        for child in &root.children {
            read_child(child, &mut layer);
        }
    } else if SECTIONS.iter().any(|section| root.is(section)) {
        read_child(root, &mut layer);
    } else if crate::keys::find(&root.name, source).is_some() {
        read_key(root, None, &mut layer);
    } else {
        return Err(XmlError::Missing("it has no config element"));
    }
    Ok(layer)
}

/// A section, or a key that stands outside of all.
fn read_child(child: &Element, layer: &mut Layer) {
    let known = SECTIONS.iter().find(|section| child.is(section));
    if known.is_none() && child.children.is_empty() {
        if child.value().is_some() {
            read_key(child, None, layer);
        }
        return;
    }
    match known {
        None => odd(layer, format!("the section {} is not known", shown(&child.name))),
        Some(known) if *known != child.name => {
            odd(layer, format!("the section {} is written {known}", shown(&child.name)));
        }
        Some(_) => {}
    }
    if child.value().is_some() {
        odd(layer, format!("text outside of any key in {}", shown(&child.name)));
    }
    let section = known.copied().unwrap_or(&child.name);
    for key in &child.children {
        read_key(key, Some(section), layer);
    }
}

fn read_key(element: &Element, section: Option<&str>, layer: &mut Layer) {
    if layer.settings.len() >= MAX_SETTINGS {
        return odd(layer, format!("only its first {MAX_SETTINGS} settings are read"));
    }
    if element.name.len() > MAX_NAME || element.text.len() > MAX_VALUE {
        return odd(layer, format!("line {}: a name or value is too long", element.line));
    }
    let nested = NESTED.contains(&element.name.as_str());
    let value = match element.children.len() {
        0 => element.text.clone(),
        1 => "1 entry".to_owned(),
        many => format!("{many} entries"),
    };
    if !element.children.is_empty() && !nested {
        odd(layer, format!("line {}: {} holds elements", element.line, shown(&element.name)));
    }
    // An empty element is as good as none, but a blank password was not given.
    if value.is_empty() && crate::text::is_password(&element.name) {
        return;
    }
    layer.settings.push(setting(&element.name, section, &value, element.line));
}

fn odd(layer: &mut Layer, what: String) {
    if layer.oddities.len() < 32 && !layer.oddities.contains(&what) {
        layer.oddities.push(what);
    }
}

fn shown(name: &str) -> &str {
    name.char_indices().nth(64).and_then(|(end, _)| name.get(..end)).unwrap_or(name)
}
