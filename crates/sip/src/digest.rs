//! Digest authentication (RFC 7616, RFC 8760): challenges in, credentials out.

use std::fmt::Write;

use md5::{Digest, Md5};
use offhook_model::Secret;
use sha2::Sha256;

use crate::message::text::{List, is_token, quote, trim, unquote};

/// Hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `MD5`, also when none is named.
    Md5,
    /// `SHA-256`.
    Sha256,
}

impl Algorithm {
    fn hash(self, text: &str) -> String {
        fn hex(bytes: &[u8]) -> String {
            let mut out = String::with_capacity(bytes.len() * 2);
            for byte in bytes {
                let _ = write!(out, "{byte:02x}");
            }
            out
        }
        match self {
            Self::Md5 => hex(&Md5::digest(text)),
            Self::Sha256 => hex(&Sha256::digest(text)),
        }
    }
}

/// What a server asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Realm.
    pub realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    /// The algorithm as the server wrote it, to be repeated.
    algorithm_text: Option<String>,
    /// The session variant (`-sess`).
    session: bool,
    /// `auth` is offered.
    qop: bool,
    /// The credentials were good, the nonce is too old.
    pub stale: bool,
}

/// Why a challenge cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswerable {
    /// Another scheme or algorithm; its name.
    Mechanism(String),
    /// Not a challenge.
    Malformed,
}

impl Challenge {
    /// Reads a `WWW-Authenticate` or `Proxy-Authenticate` value.
    ///
    /// # Errors
    /// [`Unanswerable`].
    pub fn parse(value: &str) -> Result<Self, Unanswerable> {
        let (scheme, rest) = trim(value).split_once([' ', '\t']).ok_or(Unanswerable::Malformed)?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return Err(Unanswerable::Mechanism(scheme.to_owned()));
        }
        let get = |wanted: &str| {
            List::new(rest)
                .filter_map(|item| item.split_once('='))
                .find(|(name, _)| trim(name).eq_ignore_ascii_case(wanted))
                .map(|(_, value)| unquote(trim(value)).into_owned())
        };
        let algorithm_text = get("algorithm");
        let (algorithm, session) = algorithm(algorithm_text.as_deref().unwrap_or("MD5"))?;
        let qops = get("qop");
        let qop =
            qops.as_deref().is_some_and(|q| List::new(q).any(|q| q.eq_ignore_ascii_case("auth")));
        if qops.is_some_and(|q| !q.trim().is_empty()) && !qop {
            return Err(Unanswerable::Mechanism("qop other than auth".to_owned()));
        }
        Ok(Self {
            realm: get("realm").unwrap_or_default(),
            nonce: get("nonce").ok_or(Unanswerable::Malformed)?,
            opaque: get("opaque"),
            algorithm,
            algorithm_text: algorithm_text.filter(|text| is_token(text)),
            session,
            qop,
            stale: get("stale").is_some_and(|s| s.eq_ignore_ascii_case("true")),
        })
    }

    /// The credentials for one request. `count` is how often this nonce was used, this time
    /// included; it matters only where the server offered a quality of protection.
    pub fn answer(&self, who: &Who<'_>, what: &What<'_>, count: u32, cnonce: &str) -> String {
        let hash = |text: &str| self.algorithm.hash(text);
        let (user, password) = (who.username, who.password.expose());
        let mut a1 = hash(&format!("{user}:{}:{password}", self.realm));
        if self.session {
            a1 = hash(&format!("{a1}:{}:{cnonce}", self.nonce));
        }
        let a2 = hash(&format!("{}:{}", what.method, what.uri));
        let response = if self.qop {
            hash(&format!("{a1}:{}:{count:08x}:{cnonce}:auth:{a2}", self.nonce))
        } else {
            hash(&format!("{a1}:{}:{a2}", self.nonce))
        };
        let mut out = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\"",
            quote(user),
            quote(&self.realm),
            quote(&self.nonce),
            quote(what.uri),
        );
        if let Some(text) = &self.algorithm_text {
            let _ = write!(out, ", algorithm={text}");
        }
        if self.qop || self.session {
            let _ = write!(out, ", cnonce={}", quote(cnonce));
        }
        if self.qop {
            let _ = write!(out, ", qop=auth, nc={count:08x}");
        }
        if let Some(opaque) = &self.opaque {
            let _ = write!(out, ", opaque={}", quote(opaque));
        }
        out
    }
}

fn algorithm(text: &str) -> Result<(Algorithm, bool), Unanswerable> {
    let upper = text.to_ascii_uppercase();
    let (base, session) = match upper.strip_suffix("-SESS") {
        Some(base) => (base, true),
        None => (upper.as_str(), false),
    };
    match base {
        "MD5" => Ok((Algorithm::Md5, session)),
        "SHA-256" => Ok((Algorithm::Sha256, session)),
        _ => Err(Unanswerable::Mechanism(text.to_owned())),
    }
}

/// Who answers.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    /// User name.
    pub username: &'a str,
    /// Password.
    pub password: &'a Secret<String>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct What<'a> {
    /// Method.
    pub method: &'a str,
    /// Request URI.
    pub uri: &'a str,
}

#[cfg(test)]
mod tests {
    use super::{Challenge, Unanswerable, What, Who};
    use offhook_model::Secret;

    fn check(algorithm: &str, response: &str) {
        // The example of RFC 7616 section 3.9.1.
        let challenge = Challenge::parse(&format!(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
             nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
             opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        ))
        .expect("valid");
        let password = Secret::from("Circle of Life");
        let who = Who { username: "Mufasa", password: &password };
        let what = What { method: "GET", uri: "/dir/index.html" };
        let answer =
            challenge.answer(&who, &what, 1, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
        assert!(answer.contains(&format!("response=\"{response}\"")), "{answer}");
    }

    #[test]
    fn both_algorithms_give_the_published_response() {
        check("MD5", "8ca523f5e9506fed4657c9700eebdbec");
        check("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
    }

    #[test]
    fn without_qop_there_is_no_count() {
        let challenge =
            Challenge::parse("Digest realm=\"ccmsipline\",nonce=\"n\",stale=TRUE").expect("valid");
        assert!(challenge.stale);
        let password = Secret::from("secret");
        let who = Who { username: "u", password: &password };
        let answer = challenge.answer(&who, &What { method: "REGISTER", uri: "sip:x" }, 1, "c");
        assert!(
            !answer.contains("nc=") && !answer.contains("qop") && !answer.contains("cnonce"),
            "{answer}"
        );
        assert!(!answer.contains("secret"));
    }

    #[test]
    fn what_cannot_be_answered_is_named() {
        let sha512 = Challenge::parse("Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256");
        assert_eq!(sha512, Err(Unanswerable::Mechanism("SHA-512-256".into())));
        assert_eq!(
            Challenge::parse("Basic realm=\"r\""),
            Err(Unanswerable::Mechanism("Basic".into()))
        );
        assert_eq!(Challenge::parse("Digest realm=\"r\""), Err(Unanswerable::Malformed));
    }
}
