//! What our server, our account and the services beside them can do (XEP-0030).
//!
//! Asked once a connection. When all answers are in, [`Im::services_known`] lets the features begin
//! that need them.

use std::collections::BTreeSet;

use offhook_model::{Jid, Moment};
use xmpp_parsers::data_forms::DataForm;
use xmpp_parsers::disco::{DiscoInfoQuery, DiscoInfoResult, DiscoItemsQuery, DiscoItemsResult};
use xmpp_parsers::stanza_error::{DefinedCondition, StanzaError};

use crate::asking::{self, Answer};
use crate::{Im, jid_from_wire};

/// How many services beside the server are asked.
const ITEMS: usize = 50;

/// What an answer is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// The server itself.
    Server,
    /// Our own account.
    Account,
    /// Which services there are.
    Items,
    /// One of them.
    Item,
}

/// A service beside the server.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    /// Its address.
    pub(crate) jid: Jid,
    /// `category/type` of its identities, such as `conference/text` or `proxy/bytestreams`.
    pub(crate) identities: Vec<String>,
    /// What it can do.
    pub(crate) features: BTreeSet<String>,
    /// Forms in its answer (XEP-0128), such as the largest file of XEP-0363.
    pub(crate) forms: Vec<DataForm>,
}

impl Service {
    /// A value of a form, by the form's type and the field's name.
    pub(crate) fn value(&self, form: &str, field: &str) -> Option<&str> {
        let is = |it: &&DataForm| it.form_type() == Some(form);
        let form = self.forms.iter().find(is)?;
        let field = form.fields.iter().find(|it| it.var.as_deref() == Some(field))?;
        field.values.first().map(String::as_str)
    }
}

/// What is known of them in this connection.
#[derive(Debug, Default)]
pub(crate) struct Services {
    /// Features of the server.
    pub(crate) server: BTreeSet<String>,
    /// Features of our account.
    pub(crate) account: BTreeSet<String>,
    /// The services.
    pub(crate) items: Vec<Service>,
    /// Those that did not tell what they are.
    pub(crate) unclear: Vec<Jid>,
    /// Answers still to come.
    waiting: usize,
    /// All answers are in.
    pub(crate) known: bool,
}

impl Services {
    /// The first service with this feature.
    pub(crate) fn with(&self, feature: &str) -> Option<&Service> {
        self.items.iter().find(|it| it.features.contains(feature))
    }
}

impl Im {
    /// Asks. The answers of an earlier connection are forgotten.
    pub(crate) fn ask_services(&mut self) {
        self.services = Services::default();
        let info = || DiscoInfoQuery { node: None }.into();
        let server = self.me.domain().parse::<Jid>().ok();
        let me = self.me.clone();
        let items = DiscoItemsQuery { node: None, rsm: None }.into();
        self.ask_service(server.clone(), info(), Question::Server);
        self.ask_service(Some(me), info(), Question::Account);
        self.ask_service(server, items, Question::Items);
    }

    fn ask_service(
        &mut self,
        to: Option<Jid>,
        payload: xmpp_parsers::minidom::Element,
        question: Question,
    ) {
        if to.is_some() && self.ask_get(to, payload, asking::Question::Services(question)) {
            self.services.waiting += 1;
        }
    }

    pub(crate) fn service_answered(
        &mut self,
        from: Option<Jid>,
        question: Question,
        answer: Answer,
        now: Moment,
    ) {
        self.services.waiting = self.services.waiting.saturating_sub(1);
        if let (Err(_), Question::Item, Some(from)) = (&answer, &question, &from) {
            self.services.unclear.push(from.clone());
        }
        let silent =
            |error: &StanzaError| error.defined_condition == DefinedCondition::RemoteServerTimeout;
        let silent = answer.as_ref().is_err_and(silent);
        let payload = answer.ok().flatten();
        if question == Question::Items {
            if let Some(Ok(items)) = payload.map(DiscoItemsResult::try_from) {
                self.ask_items(items);
            }
        } else if let (Some(Ok(info)), Some(from)) = (payload.map(DiscoInfoResult::try_from), from)
        {
            self.keep_service(from, &question, info);
        }
        if question == Question::Account {
            self.account_known(silent, now);
        }
        if self.services.waiting == 0 && !std::mem::replace(&mut self.services.known, true) {
            self.services_known(now);
        }
    }

    fn ask_items(&mut self, items: DiscoItemsResult) {
        let services = items.items.iter().filter(|it| it.node.is_none());
        let services: Vec<Jid> =
            services.filter_map(|it| jid_from_wire(&it.jid)).take(ITEMS).collect();
        for service in services {
            let info = DiscoInfoQuery { node: None }.into();
            self.ask_service(Some(service), info, Question::Item);
        }
    }

    fn keep_service(&mut self, from: Jid, question: &Question, info: DiscoInfoResult) {
        let features = info.features.into_iter().collect();
        match question {
            Question::Server => self.services.server = features,
            Question::Account => self.services.account = features,
            Question::Items => {}
            Question::Item => self.services.items.push(Service {
                jid: from,
                identities: info
                    .identities
                    .iter()
                    .map(|it| format!("{}/{}", it.category, it.type_))
                    .collect(),
                features,
                forms: info.extensions,
            }),
        }
    }

    /// All answers of this connection are in; what needs a service begins here.
    fn services_known(&mut self, _now: Moment) {
        self.ask_blocked();
        self.rooms_services_known();
    }
}
