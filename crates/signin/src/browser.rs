//! Single sign-on: the browser goes where the organisation's identity provider asks for the password,
//! and comes back with the cloud's token (reference im-presence.md section 8).

use offhook_model::{Area, BrowserSignIn, Owner, Problem, Secret};
use offhook_ports::Found;

/// Longest address that is looked at; tokens have some kilobytes.
const LONGEST: usize = 16_384;

/// The cloud's token, as the browser brings it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudToken {
    /// For SASL `WEBEX-TOKEN`.
    pub token: Secret<String>,
    /// The chat server, where it came along.
    pub host: Option<String>,
}

/// Whether the browser must be used with what was found, and where to send it. To be asked before
/// a password is asked for.
pub fn browser_needed(found: &Found) -> Option<BrowserSignIn> {
    match found {
        Found::Webex { sso: Some(url), .. } => {
            Some(BrowserSignIn { url: url.clone(), of: host_of(url).to_owned() })
        }
        Found::Webex { sso: None, .. }
        | Found::Cucm(_)
        | Found::Cup(_)
        | Found::Edge(_)
        | Found::Standard { .. } => None,
    }
}

/// User name and token out of the address that the browser ends on; `None` when it holds none.
/// The address may be pasted, or come as a link to this program.
pub fn webex_from_fragment(url: &str) -> Option<(String, CloudToken)> {
    returned(url)?.ok()
}

/// The same, with what is wrong (D21). `None` when the address has nothing to do with a sign-in.
pub fn returned(url: &str) -> Option<Result<(String, CloudToken), Problem>> {
    let url = url.trim();
    if url.len() > LONGEST {
        return None;
    }
    let fields = fields(url);
    let value = |name: &str| {
        let field = fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        field.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    };
    let token = value("jabberToken").map(Secret::from);
    let ours =
        token.is_some() || value("type").is_some_and(|kind| kind.eq_ignore_ascii_case("sso"));
    if !ours {
        return None;
    }
    let name = value("username").or_else(|| value("jabberID"));
    Some(match (name.filter(|name| is_name(name)), token) {
        (Some(name), Some(token)) => {
            let host = value("jabberCluster").map(str::to_owned);
            Ok((name.to_owned(), CloudToken { token, host }))
        }
        (None, _) => Err(no_uid(host_of(url))),
        (Some(_), None) => Err(no_token(host_of(url))),
    })
}

/// Fields of the fragment, then of the query: `key=value` joined by `&`. A plus sign is itself here,
/// for tokens hold some.
fn fields(url: &str) -> Vec<(String, String)> {
    let (rest, fragment) = url.split_once('#').unwrap_or((url, ""));
    let query = rest.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let pairs = fragment.trim_start_matches(['?', '/', '!']).split('&').chain(query.split('&'));
    let decoded = |(key, value)| Some((decode(key)?, decode(value)?));
    pairs.take(64).filter_map(|pair| pair.split_once('=')).filter_map(decoded).collect()
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let value = digit(rest.next())? * 16 + digit(rest.next())?;
        bytes.push(u8::try_from(value).ok()?);
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.contains(|c: char| c.is_control())).then_some(text)
}

fn is_name(name: &str) -> bool {
    name.len() <= 320 && !name.contains(char::is_whitespace)
}

fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// The cloud wants the browser, and no token was brought back yet.
pub(crate) fn wanted(host: &str) -> Problem {
    Problem::new(
        Area::Authentication,
        Owner::User,
        format!("{host} sends this organisation's users to a sign-in page: they sign in with the browser."),
        "Sign in in the browser window that opens, then come back.",
    )
    .with_evidence(format!("{host} answered with a page or redirect"))
}

/// The token of the browser's sign-in is over.
pub(crate) fn again() -> Problem {
    Problem::new(
        Area::Authentication,
        Owner::User,
        "The sign-in with the browser is over: its token has lived its time.",
        "Sign out and in again, with the browser.",
    )
}

/// The identity provider let the user in and did not say who it is (D21).
fn no_uid(host: &str) -> Problem {
    loop_problem(host, "and the answer names no user", "the user id (uid)")
}

fn no_token(host: &str) -> Problem {
    loop_problem(host, "and the answer holds no token", "the user id (uid) and mail address")
}

fn loop_problem(host: &str, what: &str, claim: &str) -> Problem {
    let problem = Problem::new(
        Area::Authentication,
        Owner::Admin,
        format!("The single sign-on of {host} ended {what}, so it would begin again and again."),
        format!("Have the identity provider send {claim} as a claim to this service."),
    );
    Problem { who: "identity provider administrator".to_owned(), ..problem }
        .with_rule(21)
        .with_evidence("the browser came back without it")
}
