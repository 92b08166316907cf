//! What accounts publish about themselves (XEP-0163): events, fetching and publishing.

use offhook_model::{Jid, Moment};
use xmpp_parsers::message::Message as Wire;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;

use crate::trespass::Trespass;
use crate::{Im, jid_from_wire, watch};

impl Im {
    /// A message that is an event of somebody's node. True when it was one, whatever it said.
    pub(crate) fn receive_event(&mut self, message: &Wire, now: Moment) -> bool {
        let Some(event) = message.payloads.iter().find(|p| p.is("event", ns::PUBSUB_EVENT)) else {
            return false;
        };
        let from = message.from.as_ref().and_then(jid_from_wire);
        let items = event.get_child("items", ns::PUBSUB_EVENT);
        if let (Some(from), Some(items)) = (from, items)
            && let Some(node) = items.attr("node")
        {
            let children: Vec<Element> = items.children().cloned().collect();
            self.published(&from, node, &children, now);
        }
        true
    }

    /// `items` are `<item/>` and `<retract/>` elements of a node of `from`: our own account's where
    /// `from` is our bare address. Whether `from` may say so at all is the feature's to judge.
    fn published(&mut self, from: &Jid, node: &str, items: &[Element], _now: Moment) {
        match node {
            ns::AVATAR_METADATA => self.photo_published(from, items),
            watch::TEMPORARY => self.temporary_presence(from, items),
            ns::BOOKMARKS2 if *from == self.me => self.bookmarks_changed(items),
            // Nobody else has a list of rooms that concerns us.
            ns::BOOKMARKS2 | ns::BOOKMARKS => self.refuse(Trespass::Account, Some(&from.bare())),
            _ => {}
        }
        self.devices_published(from, node, items);
    }
}
