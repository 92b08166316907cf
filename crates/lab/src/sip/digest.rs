//! HTTP digest as SIP servers use it (RFC 2617 with MD5, `qop` optional).

use std::collections::HashMap;

use md5::{Digest as _, Md5};

use crate::random;

/// Realm of all challenges, the default of the real server.
pub(crate) const REALM: &str = "ccmsipline";
/// Challenges not answered yet that are remembered.
const MAX_NONCES: usize = 2048;

/// Challenges handed out.
#[derive(Debug, Default)]
pub(crate) struct Nonces(HashMap<String, ()>);

/// What credentials are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Right.
    Accepted,
    /// Missing, wrong or for an unknown challenge.
    Refused,
    /// Right password, but the challenge is not known any more.
    Stale,
}

fn md5_hex(text: &str) -> String {
    random::to_hex(&Md5::digest(text.as_bytes()))
}

/// Reads `Digest a="b", c=d` into pairs; commas inside quotes do not separate.
pub(crate) fn fields(value: &str) -> HashMap<String, String> {
    let rest = value.trim_start();
    let rest = match rest.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("digest ") => &rest[7..],
        Some(_) | None => return HashMap::new(),
    };
    let mut out = HashMap::new();
    let mut quoted = false;
    let parts = rest.split(|c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    for part in parts {
        if let Some((key, value)) = part.split_once('=') {
            let value = value.trim().trim_matches('"').to_owned();
            out.insert(key.trim().to_ascii_lowercase(), value);
        }
    }
    out
}

/// The response both sides compute.
pub(crate) fn response(
    fields: &HashMap<String, String>,
    realm: &str,
    password: &str,
    method: &str,
) -> String {
    let get = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let a1 = md5_hex(&format!("{}:{realm}:{password}", get("username")));
    let a2 = md5_hex(&format!("{method}:{}", get("uri")));
    let middle = match get("qop") {
        "" => get("nonce").to_owned(),
        qop => format!("{}:{}:{}:{qop}", get("nonce"), get("nc"), get("cnonce")),
    };
    md5_hex(&format!("{a1}:{middle}:{a2}"))
}

impl Nonces {
    /// A new challenge value for WWW- or Proxy-Authenticate.
    pub(crate) fn challenge(&mut self, stale: bool) -> String {
        if self.0.len() >= MAX_NONCES {
            self.0.clear();
        }
        let nonce = random::hex::<16>();
        self.0.insert(nonce.clone(), ());
        let stale = if stale { ", stale=true" } else { "" };
        format!("Digest realm=\"{REALM}\", nonce=\"{nonce}\", algorithm=MD5, qop=\"auth\"{stale}")
    }

    /// Checks credentials of `user` for `method`.
    pub(crate) fn check(
        &self,
        value: Option<&str>,
        method: &str,
        password_of: impl Fn(&str) -> Option<String>,
    ) -> Verdict {
        let Some(value) = value else { return Verdict::Refused };
        let fields = fields(value);
        let get = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        let Some(password) = password_of(get("username")) else { return Verdict::Refused };
        if get("realm") != REALM || response(&fields, REALM, &password, method) != get("response") {
            return Verdict::Refused;
        }
        if self.0.contains_key(get("nonce")) { Verdict::Accepted } else { Verdict::Stale }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_response_is_the_one_of_rfc_2617() {
        let value = "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", \
            nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", qop=auth, \
            nc=00000001, cnonce=\"0a4f113b\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let fields = fields(value);
        let got = response(&fields, "testrealm@host.com", "Circle Of Life", "GET");
        assert_eq!(got, "6629fae49393a05397450978507c4ef1");
    }

    #[test]
    fn only_the_right_password_for_a_known_challenge_is_accepted() {
        let mut nonces = Nonces::default();
        let challenge = fields(&nonces.challenge(false));
        let check = |nonce: &str, password: &str| {
            let mut given = HashMap::new();
            for (key, value) in
                [("username", "alice"), ("realm", REALM), ("nonce", nonce), ("uri", "sip:x")]
            {
                given.insert(key.to_owned(), value.to_owned());
            }
            let answer = response(&given, REALM, password, "REGISTER");
            let value = format!(
                "Digest username=\"alice\",realm=\"{REALM}\",nonce=\"{nonce}\",uri=\"sip:x\",response=\"{answer}\""
            );
            nonces.check(Some(&value), "REGISTER", |_| Some("secret".into()))
        };
        assert_eq!(check(&challenge["nonce"], "secret"), Verdict::Accepted);
        assert_eq!(check(&challenge["nonce"], "other"), Verdict::Refused);
        assert_eq!(check("made-up", "secret"), Verdict::Stale);
        assert_eq!(nonces.check(None, "REGISTER", |_| Some(String::new())), Verdict::Refused);
    }
}
