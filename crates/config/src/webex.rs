//! Answers of the cloud's sign-in (WebEx Messenger, reference im-presence.md section 8). The place of
//! most elements is not public, so they are read by their names wherever they stand.

use std::time::Duration;

use offhook_model::{Layer, Secret, Setting, Source};

use crate::soap::Answered;
use crate::xml::{Element, XmlError, parse};

/// How long a token lives that does not say it.
const USUAL_LIFE: u64 = 28_800;
/// No token is believed for longer.
const LONGEST_LIFE: u64 = 7 * 86_400;
/// At most so many settings are kept, and none longer than so many bytes.
const MOST_SETTINGS: usize = 500;
const LONGEST_VALUE: usize = 4096;

/// The answer of `auth.do`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudLogin {
    /// Proves the user to the other services.
    pub token: Secret<String>,
    /// Host and path of the organisation's service, mostly without a scheme.
    pub service_url: Option<String>,
    /// How long the tokens live.
    pub lives: Duration,
    /// What chat needs.
    pub chat: CloudChat,
}

/// What the chat server of the cloud needs, as far as an answer has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloudChat {
    /// Our bare JID.
    pub jid: Option<String>,
    /// Token for SASL `WEBEX-TOKEN`.
    pub token: Option<Secret<String>>,
    /// XMPP host.
    pub host: Option<String>,
}

impl CloudChat {
    /// What is missing here is taken from there.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            jid: self.jid.or(other.jid),
            token: self.token.or(other.token),
            host: self.host.or(other.host),
        }
    }
}

/// The answer of `op.do` to `cmd=login`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudSession {
    /// Goes with every later question to the service.
    pub credential: Secret<String>,
    /// Some servers tell here what chat needs.
    pub chat: CloudChat,
}

/// Reads the answer of `auth.do`. A refusal carries the server's code, never its words: they could
/// repeat what we sent.
///
/// # Errors
/// Broken XML, or an answer without a result.
pub fn read_cloud_login(data: &[u8]) -> Result<Answered<CloudLogin>, XmlError> {
    let root = parse(data)?.root;
    if !succeeded(&root)? {
        return Ok(Answered::Refused(code(&root)));
    }
    let token = text(&root, "token").ok_or(XmlError::Missing("it holds no token"))?;
    let lives = text(&root, "timetolive").and_then(|text| text.parse::<u64>().ok());
    Ok(Answered::Success(CloudLogin {
        token: Secret::from(token),
        service_url: text(&root, "serviceurl").map(str::to_owned),
        lives: Duration::from_secs(lives.unwrap_or(USUAL_LIFE).clamp(60, LONGEST_LIFE)),
        chat: chat(&root),
    }))
}

/// Reads the answer of `op.do` to `cmd=login`.
///
/// # Errors
/// Broken XML, or an answer without a result or without a credential.
pub fn read_cloud_session(data: &[u8]) -> Result<Answered<CloudSession>, XmlError> {
    let root = parse(data)?.root;
    if !succeeded(&root)? {
        return Ok(Answered::Refused(code(&root)));
    }
    let credential = text(&root, "cred").ok_or(XmlError::Missing("it holds no credential"))?;
    Ok(Answered::Success(CloudSession { credential: Secret::from(credential), chat: chat(&root) }))
}

/// Reads the organisation's configuration (`task=InitialConfig`). Its form is not public, so three
/// are taken: an element with the children `key` (or `name`) and `value`, one with such attributes,
/// and plain elements whose name is the key. What looks like a secret is left out.
///
/// # Errors
/// Broken XML.
pub fn read_cloud_config(data: &[u8], origin: &str) -> Result<Answered<Layer>, XmlError> {
    let root = parse(data)?.root;
    if root.find("result").is_some() && !succeeded(&root)? {
        return Ok(Answered::Refused(code(&root)));
    }
    let mut settings = vec![];
    collect(&root, None, &mut settings);
    Ok(Answered::Success(Layer {
        source: Source::Cloud,
        origin: origin.to_owned(),
        settings,
        oddities: vec![],
    }))
}

fn succeeded(root: &Element) -> Result<bool, XmlError> {
    let result = text(root, "result").ok_or(XmlError::Missing("it has no result"))?;
    Ok(result.eq_ignore_ascii_case("SUCCESS"))
}

/// `wapi.expired_credential`, a number: a code has no white space.
fn code(root: &Element) -> Option<String> {
    let named = ["exceptionID", "errorcode", "code"];
    let code = named.iter().find_map(|name| text(root, name))?;
    let good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (code.len() <= 64 && code.chars().all(good)).then(|| code.to_owned())
}

fn chat(root: &Element) -> CloudChat {
    CloudChat {
        jid: text(root, "jabberID").map(str::to_owned),
        token: text(root, "jabberToken").map(Secret::from),
        host: text(root, "jabberCluster").map(str::to_owned),
    }
}

fn text<'a>(root: &'a Element, name: &str) -> Option<&'a str> {
    root.find_all(name).into_iter().find_map(Element::value)
}

fn collect(element: &Element, section: Option<&str>, settings: &mut Vec<Setting>) {
    if let Some((key, value)) = pair(element) {
        keep(key, section, value, settings);
        return;
    }
    if element.children.is_empty() {
        if let Some(value) = element.value() {
            keep(&element.name, section, value, settings);
        }
        return;
    }
    for child in &element.children {
        collect(child, Some(&element.name), settings);
    }
}

fn pair(element: &Element) -> Option<(&str, &str)> {
    let names = ["key", "name"];
    let child = names.iter().find_map(|name| element.text_at(&[name]));
    if let (Some(key), Some(value)) = (child, element.child("value")) {
        return Some((key, &value.text));
    }
    if !element.children.is_empty() {
        return None;
    }
    let key = names.iter().find_map(|name| element.attribute(name))?;
    Some((key, element.attribute("value").or_else(|| element.value())?))
}

fn keep(key: &str, section: Option<&str>, value: &str, settings: &mut Vec<Setting>) {
    let lower = key.to_ascii_lowercase();
    let private = ["password", "token", "cred", "secret"].iter().any(|word| lower.contains(word));
    let answer = ["result", "exceptionid", "reason"].contains(&lower.as_str());
    let plain = key.len() <= 128 && !key.contains(char::is_whitespace);
    let room = settings.len() < MOST_SETTINGS && value.len() <= LONGEST_VALUE;
    if private || answer || !plain || !room {
        return;
    }
    settings.push(Setting {
        key: key.to_owned(),
        section: section.map(str::to_owned),
        value: value.trim().to_owned(),
        line: None,
    });
}
