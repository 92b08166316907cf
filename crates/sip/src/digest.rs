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
        self.hash_bytes(text.as_bytes())
    }

    fn hash_bytes(self, bytes: &[u8]) -> String {
        fn hex(bytes: &[u8]) -> String {
            let mut out = String::with_capacity(bytes.len() * 2);
            for byte in bytes {
                let _ = write!(out, "{byte:02x}");
            }
            out
        }
        match self {
            Self::Md5 => hex(&Md5::digest(bytes)),
            Self::Sha256 => hex(&Sha256::digest(bytes)),
        }
    }
}

/// Quality of protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Qop {
    /// Method and URI are protected.
    Auth,
    /// The body as well.
    AuthInt,
}

impl Qop {
    fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
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
    qop: Option<Qop>,
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
        let offers = |wanted: Qop| {
            let text = qops.as_deref().unwrap_or("");
            List::new(text).any(|q| q.eq_ignore_ascii_case(wanted.as_str()))
        };
        // A proxy may touch a body on the way, so it is protected only where nothing else will do.
        let qop = [Qop::Auth, Qop::AuthInt].into_iter().find(|qop| offers(*qop));
        if qops.as_deref().is_some_and(|q| !q.trim().is_empty()) && qop.is_none() {
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

    /// The same challenge with another nonce.
    #[must_use]
    pub fn with_nonce(self, nonce: String) -> Self {
        Self { nonce, stale: false, ..self }
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
        let a2 = match self.qop {
            Some(Qop::AuthInt) => {
                let body = self.algorithm.hash_bytes(what.body);
                hash(&format!("{}:{}:{body}", what.method, what.uri))
            }
            Some(Qop::Auth) | None => hash(&format!("{}:{}", what.method, what.uri)),
        };
        let response = match self.qop.map(Qop::as_str) {
            Some(qop) => hash(&format!("{a1}:{}:{count:08x}:{cnonce}:{qop}:{a2}", self.nonce)),
            None => hash(&format!("{a1}:{}:{a2}", self.nonce)),
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
        if self.qop.is_some() || self.session {
            let _ = write!(out, ", cnonce={}", quote(cnonce));
        }
        if let Some(qop) = self.qop.map(Qop::as_str) {
            let _ = write!(out, ", qop={qop}, nc={count:08x}");
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
    /// Body, for `auth-int`.
    pub body: &'a [u8],
}

/// The nonce that the server wants with the next request (`Authentication-Info`, RFC 7616 section
/// 3.5), where it names one.
pub fn next_nonce(value: &str) -> Option<String> {
    let items = List::new(value).filter_map(|item| item.split_once('='));
    let mut found = items.filter(|(name, _)| trim(name).eq_ignore_ascii_case("nextnonce"));
    found.next().map(|(_, value)| unquote(trim(value)).into_owned()).filter(|n| !n.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Challenge, Unanswerable, What, Who, next_nonce};
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
        let what = What { method: "GET", uri: "/dir/index.html", body: b"" };
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
        let answer =
            challenge.answer(&who, &What { method: "REGISTER", uri: "sip:x", body: b"" }, 1, "c");
        assert!(
            !answer.contains("nc=") && !answer.contains("qop") && !answer.contains("cnonce"),
            "{answer}"
        );
        assert!(!answer.contains("secret"));
    }

    #[test]
    fn a_body_is_protected_where_nothing_else_is_offered() {
        let challenge =
            Challenge::parse("Digest realm=\"r\",nonce=\"n\",qop=\"auth-int\"").expect("valid");
        let password = Secret::from("p");
        let who = Who { username: "u", password: &password };
        let answer = |body: &[u8]| {
            challenge.answer(&who, &What { method: "INVITE", uri: "sip:x", body }, 1, "c")
        };
        // md5(md5(u:r:p):n:00000001:c:auth-int:md5(INVITE:sip:x:md5(v=0))), by md5sum.
        assert!(
            answer(b"v=0").contains("response=\"64b93804d1cf9744c49051f53a6d568f\""),
            "{}",
            answer(b"v=0")
        );
        assert!(answer(b"v=0").contains("qop=auth-int, nc=00000001"));
        assert_ne!(answer(b"v=0"), answer(b""));
    }

    #[test]
    fn the_next_nonce_is_read() {
        let value = "qop=auth, nextnonce=\"a\\\"b\", nc=00000001";
        assert_eq!(next_nonce(value).as_deref(), Some("a\"b"));
        assert_eq!(next_nonce("rspauth=\"x\""), None);
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
