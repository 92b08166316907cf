//! A directory that answers by a function and remembers what it was asked, and settings.

use std::sync::{Mutex, PoisonError};

use offhook_config::Layers;
use offhook_contacts::ldap::{Given, LdapPlan, LdapReport, Standing, Wish, search};
use offhook_model::{Layer, Setting, Source};
use offhook_ports::{BoxFuture, Ldap, LdapAnswer, LdapEnd, LdapEntry, LdapFailure, LdapRequest};
use offhook_testkit::{VirtualClock, block_on};

type Answer = Result<LdapAnswer, LdapFailure>;

pub struct Directory {
    answer: Box<dyn Fn(&LdapRequest) -> Answer + Send + Sync>,
    asked: Mutex<Vec<LdapRequest>>,
}

impl Directory {
    pub fn new(answer: impl Fn(&LdapRequest) -> Answer + Send + Sync + 'static) -> Self {
        Self { answer: Box::new(answer), asked: Mutex::default() }
    }

    /// One that knows nobody.
    pub fn empty() -> Self {
        Self::new(|_| found(vec![]))
    }

    /// What it was asked since the last time.
    pub fn asked(&self) -> Vec<LdapRequest> {
        std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn search(&self, plan: &LdapPlan, standing: &Standing, wish: &Wish) -> LdapReport {
        block_on(&VirtualClock::new(), search(self, plan, standing, wish, 50))
    }
}

impl Ldap for Directory {
    fn search(&self, request: LdapRequest) -> BoxFuture<'_, Answer> {
        let answer = (self.answer)(&request);
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        Box::pin(std::future::ready(answer))
    }

    fn forget(&self) {}
}

pub fn found(entries: Vec<LdapEntry>) -> Answer {
    Ok(LdapAnswer {
        entries,
        referrals: vec![],
        end: LdapEnd::Complete,
        left_out: 0,
        peer: ([127, 0, 0, 1], 389).into(),
        tls: None,
    })
}

pub fn refers(urls: &[&str]) -> Answer {
    let referrals = urls.iter().map(|url| (*url).to_owned()).collect();
    found(vec![]).map(|answer| LdapAnswer { referrals, ..answer })
}

pub fn entry(dn: &str, attributes: &[(&str, &str)]) -> LdapEntry {
    let attributes = attributes.iter();
    let attributes =
        attributes.map(|(name, value)| ((*name).to_owned(), vec![value.as_bytes().to_vec()]));
    LdapEntry { dn: dn.to_owned(), attributes: attributes.collect() }
}

pub fn layer(source: Source, settings: &[(&str, &str)]) -> Layer {
    let setting = |(key, value): &(&str, &str)| Setting {
        key: (*key).to_owned(),
        section: None,
        value: (*value).to_owned(),
        line: Some(1),
    };
    Layer {
        source,
        origin: "test".into(),
        settings: settings.iter().map(setting).collect(),
        oddities: vec![],
    }
}

/// Settings of a client configuration file.
pub fn file(settings: &[(&str, &str)]) -> Layers {
    Layers::new([layer(Source::GroupFile, settings)])
}

pub fn plan(settings: &[(&str, &str)]) -> LdapPlan {
    LdapPlan::read(&file(settings), &Given::default()).expect("a plan")
}

pub fn typed(text: &str) -> Wish {
    Wish::Typed(text.into())
}
