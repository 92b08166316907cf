//! The configuration URL `ciscojabber://provision?Key=value&…`, and `offhook://provision?…`
//! (reference bootstrap.md section 3; seed, "Create Configuration URL").

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use offhook_model::{Area, Layer, Owner, Problem, Source};
use thiserror::Error;

use crate::keys::find;
use crate::text::{MAX_NAME, MAX_VALUE, setting};

/// Longest configuration URL, in bytes.
pub const MAX_URL: usize = 16 << 10;
/// Most parameters of one.
const MAX_PARAMETERS: usize = 64;

/// Why a configuration URL is not taken over.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum UrlError {
    /// Of another scheme, or not for `provision`.
    #[error("it does not begin with ciscojabber://provision? or offhook://provision?")]
    NoProvision,
    /// More than [`MAX_URL`] bytes.
    #[error("it is longer than {MAX_URL} bytes")]
    TooLong,
    /// Every configuration URL must name the domain.
    #[error("it does not name the services domain")]
    NoServicesDomain,
    /// The domain cannot be one, such as a placeholder that nobody filled in.
    #[error("its ServicesDomain is no domain name")]
    BadServicesDomain,
}

impl UrlError {
    /// The one sentence for whoever opened it.
    pub fn problem(self) -> Problem {
        let remedy = match self {
            Self::NoProvision => {
                "Ask whoever sent the link for one that begins with ciscojabber://provision?."
            }
            Self::TooLong => "Ask whoever sent the link to shorten it.",
            Self::NoServicesDomain | Self::BadServicesDomain => {
                "Ask whoever sent the link to write ServicesDomain=company.com into it, with the \
                 domain of your address."
            }
        };
        Problem::new(
            Area::Provisioning,
            Owner::Admin,
            format!("The configuration link cannot be used: {self}."),
            remedy,
        )
    }
}

/// Reads a configuration URL. White space inside is left out: links are printed and mailed over
/// several lines. Names that differ from the documented ones in case only, and the documented
/// misspellings, count and are told by [`problems`](crate::problems); unknown ones are kept and
/// have no effect.
///
/// # Errors
/// [`UrlError`]; nothing of the URL counts then.
pub fn read_provision_url(text: &str) -> Result<Layer, UrlError> {
    if text.len() > MAX_URL {
        return Err(UrlError::TooLong);
    }
    let text: String = text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let (scheme, query) = parts(&text).ok_or(UrlError::NoProvision)?;
    let mut layer = Layer {
        source: Source::Url,
        origin: format!("{scheme}://provision"),
        settings: vec![],
        oddities: vec![],
    };
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        if layer.settings.len() >= MAX_PARAMETERS {
            layer.oddities.push(format!("only its first {MAX_PARAMETERS} parameters are read"));
            break;
        }
        read_parameter(parameter, &mut layer);
    }
    check_domain(&layer)?;
    Ok(layer)
}

/// Scheme and query of `SCHEME://provision?QUERY`.
fn parts(text: &str) -> Option<(&'static str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let scheme =
        ["ciscojabber", "offhook"].into_iter().find(|it| it.eq_ignore_ascii_case(scheme))?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (what, query) = rest.split_once('?')?;
    // Mail programs and browsers add the slash of an empty path.
    let what = what.trim_end_matches('/');
    let query = query.split('#').next().unwrap_or_default();
    what.eq_ignore_ascii_case("provision").then_some((scheme, query))
}

fn read_parameter(parameter: &str, layer: &mut Layer) {
    // Copied out of a page's source.
    let plain = parameter.strip_prefix("amp;").unwrap_or(parameter);
    if plain.len() != parameter.len() {
        odd(layer, "an ampersand is written as &amp;");
    }
    let (key, value) = plain.split_once('=').unwrap_or((plain, ""));
    let (Some(key), Some(value)) = (decoded(key), decoded(value)) else {
        return odd(layer, "a parameter that is not UTF-8 is left out");
    };
    if key.is_empty() || key.len() > MAX_NAME || value.len() > MAX_VALUE {
        return odd(layer, "a parameter without a name or of too great a length is left out");
    }
    let mut setting = setting(&key, None, &value, 0);
    setting.line = None;
    layer.settings.push(setting);
}

fn odd(layer: &mut Layer, what: &str) {
    if !layer.oddities.iter().any(|known| known == what) {
        layer.oddities.push(what.to_owned());
    }
}

fn check_domain(layer: &Layer) -> Result<(), UrlError> {
    let found = layer.settings.iter().rev().find_map(|it| {
        let (key, _) = find(&it.key, Source::Url)?;
        (key.name == "ServicesDomain" && !it.value.is_empty()).then_some((key, &it.value))
    });
    let (key, value) = found.ok_or(UrlError::NoServicesDomain)?;
    match key.objection(value) {
        Some(_) => Err(UrlError::BadServicesDomain),
        None => Ok(()),
    }
}

/// Undoes percent-encoding (RFC 3986 section 2.1); a percent sign that begins none stays.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..2).filter(|_| *first == b'%');
        let byte = digits
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = tail.get(if byte.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    String::from_utf8(bytes).ok()
}

/// How often configuration URLs are taken, so that a page cannot drown the user in them
/// (`ProvisionProtocolRateLimit` in `ProvisionProtocolTimeLimit`).
#[derive(Clone, Debug)]
pub struct ProvisionLimit {
    most: usize,
    window: Duration,
    taken: VecDeque<Instant>,
}

impl Default for ProvisionLimit {
    /// Three in fifteen seconds.
    fn default() -> Self {
        Self::new(3, Duration::from_secs(15))
    }
}

impl ProvisionLimit {
    /// At most `most` in any `window`.
    pub fn new(most: usize, window: Duration) -> Self {
        Self { most: most.min(100), window, taken: VecDeque::new() }
    }

    /// One more may be taken now; it is counted when it may.
    pub fn allow(&mut self, now: Instant) -> bool {
        while self.taken.front().is_some_and(|at| now.saturating_duration_since(*at) >= self.window)
        {
            self.taken.pop_front();
        }
        let free = self.taken.len() < self.most;
        if free {
            self.taken.push_back(now);
        }
        free
    }

    /// What the user is told when it may not.
    pub fn problem(&self) -> Problem {
        Problem::new(
            Area::Provisioning,
            Owner::User,
            format!(
                "More than {} configuration links were opened within {} seconds.",
                self.most,
                self.window.as_secs()
            ),
            "Wait a little and open the link once more.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_URL, UrlError, read_provision_url};

    #[track_caller]
    fn check(text: &str, expected: Result<&[(&str, &str)], UrlError>) {
        let read = read_provision_url(text).map(|layer| {
            layer.settings.into_iter().map(|it| (it.key, it.value)).collect::<Vec<_>>()
        });
        let expected = expected.map(|pairs| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        });
        assert_eq!(read, expected, "{text}");
    }

    #[test]
    fn forms_of_the_field_are_read() {
        let one: Result<&[_], _> = Ok(&[("ServicesDomain", "example.com")]);
        check("ciscojabber://provision?ServicesDomain=example.com", one);
        check("offhook://provision?ServicesDomain=example.com", one);
        check("CiscoJabber://Provision/?ServicesDomain=example.com#x", one);
        check("ciscojabber:provision?ServicesDomain=example%2ecom&", one);
        check(
            "ciscojabber://provision?ServicesDomain=example.com&amp;ServiceDiscoveryExcludedServices=CUCM%2C%20CUP",
            Ok(&[
                ("ServicesDomain", "example.com"),
                ("ServiceDiscoveryExcludedServices", "CUCM, CUP"),
            ]),
        );
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_a_reason() {
        check("ciscojabber://provision?", Err(UrlError::NoServicesDomain));
        check("ciscojabber://provision?ServicesDomain=", Err(UrlError::NoServicesDomain));
        let placeholder = "ciscojabber://provision?ServicesDomain=<domain_for_service_discover>";
        check(placeholder, Err(UrlError::BadServicesDomain));
        check("ciscojabber://status?ServicesDomain=a.b", Err(UrlError::NoProvision));
        check("https://provision?ServicesDomain=a.b", Err(UrlError::NoProvision));
        check(&"x".repeat(MAX_URL + 1), Err(UrlError::TooLong));
        let problem = UrlError::NoServicesDomain.problem();
        assert!(problem.remedy.contains("ServicesDomain="), "{problem:?}");
    }

    #[test]
    fn broken_encoding_stays_as_it_is() {
        check(
            "ciscojabber://provision?ServicesDomain=a.b&X=100%&Y=%zz&Z=%ff",
            Ok(&[("ServicesDomain", "a.b"), ("X", "100%"), ("Y", "%zz")]),
        );
    }
}
