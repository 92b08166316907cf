//! What is asked of an archive and what it answers, as it stands on the stream (XEP-0313, XEP-0059).

use offhook_model::{Moment, Timestamp};
use xmpp_parsers::data_forms::{DataForm, DataFormType, Field};
use xmpp_parsers::delay::Delay;
use xmpp_parsers::mam::{Query as Query_, QueryId};
use xmpp_parsers::message::Message as Wire;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;
use xmpp_parsers::rsm::SetQuery;

use super::{ID, Purpose, Query};

/// Messages of a page that a person asked for.
const OLDER: usize = 50;

const FORWARD: &str = "urn:xmpp:forward:0";

impl Query {
    /// The question, under this id; in a reading of all, with so many messages a page.
    pub(super) fn payload(&self, id: &str, page: usize) -> Element {
        let field = |name: &str, value: &str| Field::text_single(name, value);
        let set = |max, after, before| SetQuery { max: Some(max), after, before, index: None };
        let (fields, set) = match &self.purpose {
            Purpose::After(place) => (Vec::new(), set(page, Some(place.clone()), None)),
            Purpose::Newest { since, before, .. } => {
                (vec![field("start", &since.to_string())], set(page, None, Some(before.clone())))
            }
            Purpose::Older { with, before, place } => {
                let with = self.archive.is_none().then(|| field("with", with.bare_str()));
                let end = place.is_none().then(|| field("end", &before.to_string()));
                let before = place.clone().unwrap_or_default();
                (with.into_iter().chain(end).collect(), set(OLDER, None, Some(before)))
            }
        };
        let form = DataForm::new(DataFormType::Submit, ns::MAM, fields);
        let (queryid, set) = (Some(QueryId(id.to_owned())), Some(set));
        Query_ { queryid, node: None, form: Some(form), set, flip_page: false }.into()
    }
}

/// What the end of a page says.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) first: Option<String>,
    pub(super) last: Option<String>,
    pub(super) complete: bool,
}

impl Page {
    /// Nonsense reads as the end.
    pub(super) fn read(fin: Option<&Element>) -> Self {
        let Some(fin) = fin.filter(|fin| fin.is("fin", ns::MAM)) else {
            return Self { complete: true, ..Self::default() };
        };
        let set = fin.get_child("set", ns::RSM);
        let item = |name: &str| {
            let text = set?.get_child(name, ns::RSM)?.text();
            Some(text).filter(|text| !text.is_empty() && text.len() <= ID)
        };
        let complete = matches!(fin.attr("complete"), Some("true" | "1"));
        Self { first: item("first"), last: item("last"), complete }
    }
}

/// The message in a result, and when it was written.
pub(super) fn forwarded(result: &Element, now: Moment) -> Option<(Wire, Timestamp)> {
    let forwarded = result.get_child("forwarded", FORWARD)?;
    let delay = forwarded.get_child("delay", ns::DELAY)?.clone();
    let stamp = Delay::try_from(delay).ok()?.stamp;
    let message = forwarded.get_child("message", ns::JABBER_CLIENT)?.clone();
    let time = Timestamp(stamp.0.timestamp_millis()).min(now.wall);
    Some((Wire::try_from(message).ok()?, time))
}
