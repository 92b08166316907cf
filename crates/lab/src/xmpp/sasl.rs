//! The server side of SASL: PLAIN (RFC 4616), SCRAM (RFC 5802, 7677), CISCO-VTG-TOKEN and
//! WEBEX-TOKEN (reference page im-presence sections 2 and 8).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac, pbkdf2};

use crate::deployment::Deployment;
use crate::random;

const ITERATIONS: u32 = 4096;

/// What the server says next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Go on; the bytes go into `<challenge/>`.
    Challenge(Vec<u8>),
    /// Signed in as `user`; the bytes go into `<success/>`.
    Success { user: String, data: Vec<u8> },
    /// Refused, with the RFC 6120 condition.
    Failure(&'static str),
}

/// One of the two SCRAM hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
}

impl Hash {
    fn hmac(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
        };
        hmac::sign(&hmac::Key::new(algorithm, key), data).as_ref().to_vec()
    }

    fn digest(self, data: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
        };
        digest::digest(algorithm, data).as_ref().to_vec()
    }

    fn salted(self, password: &str, salt: &[u8]) -> Vec<u8> {
        let (algorithm, length) = match self {
            Self::Sha1 => (pbkdf2::PBKDF2_HMAC_SHA1, 20),
            Self::Sha256 => (pbkdf2::PBKDF2_HMAC_SHA256, 32),
        };
        let mut out = vec![0; length];
        let rounds = std::num::NonZeroU32::new(ITERATIONS).unwrap_or(std::num::NonZeroU32::MIN);
        pbkdf2::derive(algorithm, rounds, salt, password.as_bytes(), &mut out);
        out
    }
}

/// An exchange under way.
#[derive(Debug)]
pub(crate) enum Exchange {
    /// PLAIN, before its only message.
    Plain,
    /// CISCO-VTG-TOKEN, before its only message.
    Token,
    /// WEBEX-TOKEN, before its only message.
    CloudToken,
    /// SCRAM, before the first client message.
    ScramFirst(Hash),
    /// SCRAM, before the final client message.
    ScramFinal(ScramFinal),
}

/// What the server keeps between the two SCRAM messages.
#[derive(Debug)]
pub(crate) struct ScramFinal {
    hash: Hash,
    user: String,
    password: String,
    salt: Vec<u8>,
    gs2: String,
    client_first_bare: String,
    server_first: String,
    nonce: String,
}

impl Exchange {
    /// The exchange of a mechanism by its name.
    pub(crate) fn start(mechanism: &str) -> Option<Self> {
        match mechanism {
            "PLAIN" => Some(Self::Plain),
            "CISCO-VTG-TOKEN" => Some(Self::Token),
            "WEBEX-TOKEN" => Some(Self::CloudToken),
            "SCRAM-SHA-1" => Some(Self::ScramFirst(Hash::Sha1)),
            "SCRAM-SHA-256" => Some(Self::ScramFirst(Hash::Sha256)),
            _ => None,
        }
    }

    /// Takes a message of the client; returns what to say and how to go on.
    pub(crate) fn step(self, lab: &Deployment, message: &[u8]) -> (Step, Option<Self>) {
        let Ok(text) = std::str::from_utf8(message) else {
            return (Step::Failure("malformed-request"), None);
        };
        match self {
            Self::Plain => (plain(lab, text), None),
            Self::Token => (token(lab, text), None),
            Self::CloudToken => (cloud_token(lab, text), None),
            Self::ScramFirst(hash) => {
                let nonce = random::hex::<12>();
                let salt = random::bytes::<16>().to_vec();
                scram_first(lab, hash, text, &nonce, salt)
            }
            Self::ScramFinal(state) => (scram_final(&state, text), None),
        }
    }
}

const REFUSED: Step = Step::Failure("not-authorized");

fn plain(lab: &Deployment, text: &str) -> Step {
    let parts: Vec<&str> = text.split('\0').collect();
    let [_, name, password] = parts.as_slice() else { return Step::Failure("malformed-request") };
    match lab.check_password(name, password) {
        Some(person) => Step::Success { user: person.name.clone(), data: Vec::new() },
        None => REFUSED,
    }
}

fn token(lab: &Deployment, text: &str) -> Step {
    let mut user = None;
    let mut token = None;
    for part in text.split('\0') {
        match part.split_once('=') {
            Some(("userid", value)) => user = Some(value),
            Some(("token", value)) => token = Some(value),
            Some(_) | None => {}
        }
    }
    let (Some(user), Some(token)) = (user, token) else {
        return Step::Failure("malformed-request");
    };
    let name = user.split('@').next().unwrap_or_default();
    match lab.person(name) {
        Some(person) if lab.redeem(&person.name, token) => {
            Step::Success { user: person.name.clone(), data: Vec::new() }
        }
        Some(_) | None => REFUSED,
    }
}

/// The chat token of the cloud, as it is (reference page im-presence section 8).
fn cloud_token(lab: &Deployment, text: &str) -> Step {
    match lab.cloud_user("jabber", text.trim()) {
        Some(user) => Step::Success { user, data: Vec::new() },
        None => REFUSED,
    }
}

fn field<'a>(message: &'a str, key: &str) -> Option<&'a str> {
    message.split(',').find_map(|part| part.strip_prefix(key)?.strip_prefix('='))
}

fn scram_first(
    lab: &Deployment,
    hash: Hash,
    text: &str,
    server_nonce: &str,
    salt: Vec<u8>,
) -> (Step, Option<Exchange>) {
    let malformed = (Step::Failure("malformed-request"), None);
    // Without channel binding the header is "n," or "y,", an optional authzid, and a comma.
    let mut parts = text.splitn(3, ',');
    let (Some(flag), Some(authzid), Some(bare)) = (parts.next(), parts.next(), parts.next()) else {
        return malformed;
    };
    if !matches!(flag, "n" | "y") {
        return malformed;
    }
    let (Some(name), Some(client_nonce)) = (field(bare, "n"), field(bare, "r")) else {
        return malformed;
    };
    let name = name.replace("=2C", ",").replace("=3D", "=");
    let Some((user, password)) =
        lab.person(&name).and_then(|person| Some((person.name.clone(), person.password.clone()?)))
    else {
        return (REFUSED, None);
    };
    let nonce = format!("{client_nonce}{server_nonce}");
    let server_first = format!("r={nonce},s={},i={ITERATIONS}", STANDARD.encode(&salt));
    let state = ScramFinal {
        hash,
        user,
        password,
        salt,
        gs2: format!("{flag},{authzid},"),
        client_first_bare: bare.to_owned(),
        server_first: server_first.clone(),
        nonce,
    };
    (Step::Challenge(server_first.into_bytes()), Some(Exchange::ScramFinal(state)))
}

fn scram_final(state: &ScramFinal, text: &str) -> Step {
    let Some((without_proof, proof)) = text.rsplit_once(",p=") else {
        return Step::Failure("malformed-request");
    };
    let binding = field(without_proof, "c").and_then(|value| STANDARD.decode(value).ok());
    let Ok(proof) = STANDARD.decode(proof) else { return Step::Failure("malformed-request") };
    if binding.as_deref() != Some(state.gs2.as_bytes())
        || field(without_proof, "r") != Some(state.nonce.as_str())
    {
        return REFUSED;
    }
    let hash = state.hash;
    let salted = hash.salted(&state.password, &state.salt);
    let client_key = hash.hmac(&salted, b"Client Key");
    let stored_key = hash.digest(&client_key);
    let server_key = hash.hmac(&salted, b"Server Key");
    let message = format!("{},{},{without_proof}", state.client_first_bare, state.server_first);
    let signature = hash.hmac(&stored_key, message.as_bytes());
    let expected: Vec<u8> =
        client_key.iter().zip(&signature).map(|(key, mask)| key ^ mask).collect();
    if proof != expected {
        return REFUSED;
    }
    let verifier = hash.hmac(&server_key, message.as_bytes());
    let data = format!("v={}", STANDARD.encode(verifier)).into_bytes();
    Step::Success { user: state.user.clone(), data }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LabConfig;
    use crate::deployment::tests::deployment;
    use crate::fault::Faults;
    use crate::scenario::Scenario;

    fn lab_with_user(name: &str, password: &str) -> Deployment {
        let text = format!("[[users]]\nname='{name}'\npassword='{password}'\nnumber='1'\n");
        let config = LabConfig::from_toml(&text).unwrap();
        let place = crate::deployment::tests::place(Scenario::OnPrem);
        Deployment::new(Scenario::OnPrem, config, Faults::default(), place)
    }

    fn check_vector(
        hash: Hash,
        [client_nonce, server_nonce, salt]: [&str; 3],
        proof: &str,
        verifier: &str,
    ) {
        let lab = lab_with_user("user", "pencil");
        let first = format!("n,,n=user,r={client_nonce}");
        let salt = STANDARD.decode(salt).unwrap();
        let (step, next) = scram_first(&lab, hash, &first, server_nonce, salt);
        assert!(matches!(step, Step::Challenge(_)));
        let message = format!("c=biws,r={client_nonce}{server_nonce},p={proof}");
        let (step, _) = next.unwrap().step(&lab, message.as_bytes());
        let data = format!("v={verifier}").into_bytes();
        assert_eq!(step, Step::Success { user: "user".into(), data });
    }

    #[test]
    fn scram_sha_1_gives_the_values_of_rfc_5802() {
        check_vector(
            Hash::Sha1,
            ["fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j", "QSXCR+Q6sek8bf92"],
            "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        );
    }

    #[test]
    fn scram_sha_256_gives_the_values_of_rfc_7677() {
        check_vector(
            Hash::Sha256,
            ["rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "W22ZaJ0SNY7soEsUEjb6gQ=="],
            "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        );
    }

    #[test]
    fn a_wrong_proof_or_another_nonce_is_refused() {
        let lab = lab_with_user("user", "pencil");
        for message in ["c=biws,r=abXY,p=AAAA", "c=biws,r=ab,p=AAAA", "c=eSws,r=abXY,p=AAAA"] {
            let (_, next) = scram_first(&lab, Hash::Sha256, "n,,n=user,r=ab", "XY", vec![1; 16]);
            assert_eq!(next.unwrap().step(&lab, message.as_bytes()).0, REFUSED, "{message}");
        }
        for first in ["", "n", "n,,", "p=tls-unique,,n=user,r=ab", "n,,r=ab"] {
            let (step, next) = Exchange::ScramFirst(Hash::Sha1).step(&lab, first.as_bytes());
            assert!(matches!(step, Step::Failure("malformed-request")) && next.is_none());
        }
    }

    #[test]
    fn the_token_is_the_documented_one_and_works_once() {
        let lab = deployment(&[]);
        let token = lab.one_time_password("alice");
        let message = format!("userid=alice@lab.example\0token={token}");
        let (step, _) = Exchange::Token.step(&lab, message.as_bytes());
        assert_eq!(step, Step::Success { user: "alice".into(), data: Vec::new() });
        assert_eq!(Exchange::Token.step(&lab, message.as_bytes()).0, REFUSED);
        // The published example: base64 of userid, NUL, token.
        let example = STANDARD.decode("dXNlcmlkPXVzZXJAc2VydmVyLmNvbQB0b2tlbj1mb28=").unwrap();
        assert_eq!(Exchange::Token.step(&lab, &example).0, REFUSED);
    }

    #[test]
    fn the_token_of_the_cloud_works_until_it_ends() {
        let lab = deployment(&[]);
        let token = lab.cloud_secret("jabber", "alice");
        for _ in 0..2 {
            let (step, _) = Exchange::CloudToken.step(&lab, token.as_bytes());
            assert_eq!(step, Step::Success { user: "alice".into(), data: Vec::new() });
        }
        assert_eq!(Exchange::CloudToken.step(&lab, b"foo").0, REFUSED);
        let other = lab.cloud_secret("webex", "alice");
        assert_eq!(Exchange::CloudToken.step(&lab, other.as_bytes()).0, REFUSED);
    }

    #[test]
    fn plain_takes_the_password_and_no_other() {
        let lab = deployment(&[]);
        let (step, _) = Exchange::Plain.step(&lab, b"\0alice\0secret");
        assert_eq!(step, Step::Success { user: "alice".into(), data: Vec::new() });
        assert_eq!(Exchange::Plain.step(&lab, b"\0alice\0other").0, REFUSED);
        assert_eq!(Exchange::Plain.step(&lab, b"\0bob\0").0, REFUSED);
        assert_eq!(Exchange::Plain.step(&lab, b"alice").0, Step::Failure("malformed-request"));
    }
}
