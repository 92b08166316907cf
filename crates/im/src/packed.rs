//! A contact list on its way from the stream to the machine.
//!
//! As a tree of elements every person takes kilobytes, 10,000 of them tens of megabytes that the
//! allocator keeps. So the reader of the stream writes each item of an answer down as text in its
//! parent as soon as it is whole. The text is told from any that a server could send by its signs:
//! XML has no way to write them (XML 1.0 section 2.2).

use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;

/// Before every person.
const PERSON: char = '\u{1e}';
/// Between the fields of one.
const FIELD: char = '\u{1f}';

/// A person of a contact list (RFC 6121 section 2.1.2) as it was written.
pub(crate) struct Packed<'a> {
    pub jid: &'a str,
    pub name: Option<&'a str>,
    pub subscription: Option<&'a str>,
    pub groups: Vec<&'a str>,
}

/// An item of a contact list as text, to stand in its place; nothing when it is something else.
pub fn pack_contact(item: &Element) -> Option<String> {
    if !item.is("item", ns::ROSTER) {
        return None;
    }
    let mut packed = String::from(PERSON);
    packed.push_str(item.attr("jid")?);
    for attribute in ["name", "subscription"] {
        packed.push(FIELD);
        packed.push_str(item.attr(attribute).unwrap_or_default());
    }
    for group in item.children().filter(|child| child.is("group", ns::ROSTER)) {
        packed.push(FIELD);
        packed.extend(group.texts());
    }
    Some(packed)
}

/// The people that were packed into a text.
pub(crate) fn unpack(text: &str) -> impl Iterator<Item = Packed<'_>> {
    text.split(PERSON).skip(1).filter_map(|person| {
        let mut fields = person.split(FIELD);
        let mut told = || fields.next().map(|field| Some(field).filter(|it| !it.is_empty()));
        let (jid, name, subscription) = (told()??, told()?, told()?);
        Some(Packed { jid, name, subscription, groups: fields.collect() })
    })
}

#[cfg(test)]
mod tests {
    use xmpp_parsers::minidom::Element;

    use super::{pack_contact, unpack};

    #[test]
    fn what_is_packed_comes_out_again() {
        let item: Element = "<item xmlns='jabber:iq:roster' jid='b@x' name='Bob &amp; Co' \
             subscription='both'><group>A</group><other/><group>B\u{e9}</group></item>"
            .parse()
            .expect("XML");
        let bare: Element = "<item xmlns='jabber:iq:roster' jid='c@x'/>".parse().expect("XML");
        let text = [&item, &bare].map(|it| pack_contact(it).expect("packed")).concat();
        let people: Vec<_> = unpack(&text).collect();
        assert_eq!((people[0].jid, people[0].name), ("b@x", Some("Bob & Co")));
        assert_eq!(people[0].groups, ["A", "B\u{e9}"]);
        assert_eq!((people[1].jid, people[1].name, people[1].subscription), ("c@x", None, None));
        assert_eq!(people.len(), 2);
    }

    #[test]
    fn what_is_no_person_is_not_packed() {
        for text in ["<item xmlns='jabber:iq:roster'/>", "<item xmlns='a' jid='b@x'/>"] {
            assert_eq!(pack_contact(&text.parse().expect("XML")), None);
        }
        assert_eq!(unpack("any text, such as b@x").count(), 0);
        assert_eq!(unpack("\u{1e}b@x").count(), 0, "cut short");
    }
}
