//! Proving who we are: SCRAM (RFC 5802, RFC 7677) and PLAIN (RFC 4616) by the `sasl` crate, and
//! `CISCO-VTG-TOKEN` of our own (reference im-presence.md section 2, point 3).
//!
//! The crate is kept on a short lead: it does not escape the user name, does not look at the
//! server's nonce, and would compute as many rounds as a server asks for.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use offhook_model::{Fault, Secret};
use offhook_ports::XmppAuth;
use sasl::client::Mechanism;
use sasl::client::mechanisms::{Plain, Scram};
use sasl::common::scram::{Sha1, Sha256};
use sasl::common::{ChannelBinding, Credentials};

/// Most rounds of a password hash that we compute; more would hold up everything else. Servers
/// use 4,096 to 600,000.
const ROUNDS: u32 = 1_000_000;

/// What the mechanism needs to go on.
enum Inner {
    Scram(Box<dyn Mechanism + Send + Sync>),
    /// One message and no verification of the server.
    Single(Secret<Vec<u8>>),
}

/// A proof under way.
pub(crate) struct Proof {
    name: &'static str,
    inner: Inner,
    nonce: String,
}

impl Proof {
    /// The best way that both sides have. The connection must be encrypted.
    pub(crate) fn choose(auth: &XmppAuth, offered: &[String]) -> Result<Self, Fault> {
        let has = |name: &str| offered.iter().any(|offer| offer == name);
        let none = || Fault::NoMechanism(offered.to_vec());
        match auth {
            XmppAuth::Password { username, password } => {
                let scram_name = username.replace('=', "=3D").replace(',', "=2C");
                if has("SCRAM-SHA-256") {
                    let credentials = credentials(&scram_name, password);
                    let inner = Scram::<Sha256>::from_credentials(credentials);
                    Self::scram("SCRAM-SHA-256", inner.map(|scram| Box::new(scram) as _))
                } else if has("SCRAM-SHA-1") {
                    let credentials = credentials(&scram_name, password);
                    let inner = Scram::<Sha1>::from_credentials(credentials);
                    Self::scram("SCRAM-SHA-1", inner.map(|scram| Box::new(scram) as _))
                } else if has("PLAIN") {
                    let mut plain = Plain::from_credentials(credentials(username, password))
                        .map_err(|error| Fault::Nonsense(error.to_string()))?;
                    Ok(Self::single("PLAIN", plain.initial()))
                } else {
                    Err(none())
                }
            }
            XmppAuth::WebexToken { token } => {
                if has("WEBEX-TOKEN") {
                    Ok(Self::single("WEBEX-TOKEN", token.expose().as_bytes().to_vec()))
                } else {
                    Err(none())
                }
            }
            XmppAuth::VtgToken { userid, token } => {
                if has("CISCO-VTG-TOKEN") {
                    Ok(Self::single("CISCO-VTG-TOKEN", vtg(userid, token)))
                } else {
                    Err(none())
                }
            }
        }
    }

    fn scram(
        name: &'static str,
        inner: Result<Box<dyn Mechanism + Send + Sync>, sasl::client::MechanismError>,
    ) -> Result<Self, Fault> {
        Ok(Self {
            name,
            inner: Inner::Scram(inner.map_err(|error| Fault::Nonsense(error.to_string()))?),
            nonce: String::new(),
        })
    }

    fn single(name: &'static str, message: Vec<u8>) -> Self {
        Self { name, inner: Inner::Single(Secret::new(message)), nonce: String::new() }
    }

    /// The mechanism's registered name.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The first message in base64.
    pub(crate) fn initial(&mut self) -> Secret<String> {
        match &mut self.inner {
            Inner::Scram(scram) => {
                let first = scram.initial();
                self.nonce = field(&first, "r").unwrap_or_default();
                Secret::new(STANDARD.encode(first))
            }
            Inner::Single(message) => Secret::new(STANDARD.encode(message.expose())),
        }
    }

    /// The answer in base64 to a challenge in base64.
    pub(crate) fn response(&mut self, challenge: &str) -> Result<String, Fault> {
        let Inner::Scram(scram) = &mut self.inner else {
            return Err(refused("a challenge where none belongs"));
        };
        let challenge = decode(challenge)?;
        let rounds = field(&challenge, "i").and_then(|i| i.parse::<u32>().ok());
        if !rounds.is_some_and(|rounds| (1..=ROUNDS).contains(&rounds)) {
            return Err(refused("a password hash with an unusable number of rounds"));
        }
        let nonce = field(&challenge, "r").unwrap_or_default();
        if nonce.len() <= self.nonce.len() || !nonce.starts_with(&self.nonce) {
            return Err(refused("a sign-in challenge that was not made for us"));
        }
        let answer = scram.response(&challenge).map_err(|error| refused(&error.to_string()))?;
        Ok(STANDARD.encode(answer))
    }

    /// Verifies that the server knows the password too, where the mechanism can (RFC 5802
    /// section 3).
    pub(crate) fn success(&mut self, data: &str) -> Result<(), Fault> {
        match &mut self.inner {
            Inner::Scram(scram) => scram
                .success(&decode(data)?)
                .map_err(|_| refused("a server that does not know the password either")),
            Inner::Single(_) => Ok(()),
        }
    }
}

/// The single message of `CISCO-VTG-TOKEN`.
fn vtg(userid: &str, token: &Secret<String>) -> Vec<u8> {
    format!("userid={userid}\0token={}", token.expose()).into_bytes()
}

fn credentials(username: &str, password: &Secret<String>) -> Credentials {
    Credentials::default()
        .with_username(username)
        .with_password(password.expose().as_str())
        .with_channel_binding(ChannelBinding::None)
}

fn decode(text: &str) -> Result<Vec<u8>, Fault> {
    // RFC 6120 section 6.4.2: a lone equals sign stands for empty data.
    if text.trim() == "=" {
        return Ok(Vec::new());
    }
    STANDARD.decode(text.trim()).map_err(|_| refused("sign-in data that is not base64"))
}

fn field(message: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(message).ok()?;
    text.split(',')
        .filter_map(|part| part.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

fn refused(what: &str) -> Fault {
    Fault::Nonsense(what.to_owned())
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use offhook_model::Fault;
    use offhook_ports::XmppAuth;

    use super::Proof;

    fn password(username: &str) -> XmppAuth {
        XmppAuth::Password { username: username.into(), password: "secret".into() }
    }

    fn offer(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_token_is_written_as_the_reference_has_it() {
        let auth = XmppAuth::VtgToken { userid: "user@server.com".into(), token: "foo".into() };
        let mut proof =
            Proof::choose(&auth, &offer(&["PLAIN", "CISCO-VTG-TOKEN"])).expect("offered");
        assert_eq!(proof.name(), "CISCO-VTG-TOKEN");
        assert_eq!(proof.initial().expose(), "dXNlcmlkPXVzZXJAc2VydmVyLmNvbQB0b2tlbj1mb28=");
    }

    #[test]
    fn the_strongest_common_way_is_chosen() {
        let check = |offered: &[&str], want: Result<&str, Fault>| {
            let got = Proof::choose(&password("alice"), &offer(offered));
            assert_eq!(got.map(|proof| proof.name()), want);
        };
        check(&["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS"], Ok("SCRAM-SHA-256"));
        check(&["PLAIN", "SCRAM-SHA-1"], Ok("SCRAM-SHA-1"));
        check(&["PLAIN", "CISCO-VTG-TOKEN"], Ok("PLAIN"));
        check(&["GSSAPI"], Err(Fault::NoMechanism(offer(&["GSSAPI"]))));
        check(&[], Err(Fault::NoMechanism(Vec::new())));
    }

    #[test]
    fn a_comma_in_a_user_name_is_escaped() {
        let mut proof =
            Proof::choose(&password("a,b=c"), &offer(&["SCRAM-SHA-1"])).expect("offered");
        let first = STANDARD.decode(proof.initial().expose()).expect("base64");
        assert!(first.starts_with(b"n,,n=a=2Cb=3Dc,r="));
    }

    #[test]
    fn challenges_with_traps_are_refused() {
        let refused = |make: &dyn Fn(&str) -> String| {
            let mut proof =
                Proof::choose(&password("alice"), &offer(&["SCRAM-SHA-1"])).expect("offered");
            let first = STANDARD.decode(proof.initial().expose()).expect("base64");
            let first = String::from_utf8(first).expect("text");
            let nonce = first.split("r=").nth(1).expect("nonce").to_owned();
            let challenge = STANDARD.encode(make(&nonce));
            proof.response(&challenge).is_err()
        };
        assert!(!refused(&|nonce| format!("r={nonce}x,s=c2FsdA==,i=4096")));
        assert!(refused(&|nonce| format!("r={nonce}x,s=c2FsdA==,i=4000000000")));
        assert!(refused(&|nonce| format!("r={nonce}x,s=c2FsdA==,i=0")));
        assert!(refused(&|nonce| format!("r={nonce},s=c2FsdA==,i=4096")));
        assert!(refused(&|_| "r=other,s=c2FsdA==,i=4096".to_owned()));
        assert!(refused(&|nonce| format!("r={nonce}x,i=4096")));
    }
}
