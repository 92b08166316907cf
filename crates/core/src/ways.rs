//! Whom calls of a standard account ask for ways through address translators: what the user set, and
//! the relay's password, which is kept where passwords are.

use offhook_model::{CommandError, ErrorCode, Secret, WaySettings};
use offhook_ports::{HelperName, IceAccount, PhoneAccount, PhoneDialect, StoreRequest};

use crate::Core;
use crate::effect::{Effect, StoreTag};

/// Port of STUN and TURN (RFC 8489 section 18.6).
const PORT: u16 = 3_478;
/// Name of the relay's password in the credential store. Accounts there have an @ in theirs.
const KEPT_AS: &str = "relay (TURN)";

/// User and password.
type Login = (String, Secret<String>);

/// What is known of helpers beside the settings.
#[derive(Default)]
pub(crate) struct Helpers {
    /// Of the standard account that is signed in, which a relay may know as well.
    account: Option<Login>,
    /// For the relay.
    password: Option<Secret<String>>,
}

impl Core {
    /// The phone of this account begins: how its calls find ways.
    pub(crate) fn find_helpers(&mut self, account: &mut PhoneAccount) {
        let standard = account.dialect == PhoneDialect::Standard;
        self.helpers.account = account.digest.clone().filter(|_| standard);
        account.ice = self.ice();
        let ways = &self.settings.calls.ways;
        if standard && ways.turn_user.is_some() && self.helpers.password.is_none() {
            let request = StoreRequest::GetPassword(KEPT_AS.to_owned());
            self.out.push_back(Effect::Store(StoreTag::RelayPassword, request));
        }
    }

    /// The credential store's answer.
    pub(crate) fn relay_password_read(&mut self, password: Option<Secret<String>>) {
        if self.helpers.password.is_none() {
            self.helpers.password = password;
            self.ways_changed();
        }
    }

    /// `settings.setRelayPassword`; an empty one forgets it.
    pub(crate) fn set_relay_password(&mut self, password: Secret<String>) {
        let name = KEPT_AS.to_owned();
        if password.expose().is_empty() {
            self.helpers.password = None;
            self.store(StoreRequest::ForgetPassword(name));
        } else {
            self.helpers.password = Some(password.clone());
            self.store(StoreRequest::PutPassword(name, password));
        }
        self.ways_changed();
    }

    /// Calls from now on look for ways as it is set now.
    pub(crate) fn ways_changed(&mut self) {
        let ice = self.ice();
        self.with_phone(|phone| phone.use_ice(ice));
    }

    /// By the settings: on where a server is set, unless it is said otherwise. Call managers stand
    /// between the phones and want none of it.
    fn ice(&self) -> Option<IceAccount> {
        let account = self.helpers.account.as_ref()?;
        let ways = &self.settings.calls.ways;
        let helpers = self.named(ways, account);
        let on = ways.ice.unwrap_or(!helpers.is_empty());
        on.then_some(IceAccount { helpers, relay_only: ways.relay_only })
    }

    fn named(&self, ways: &WaySettings, account: &Login) -> Vec<HelperName> {
        let stun = ways.stun.as_deref().and_then(|text| named(text, None));
        let login = match (&ways.turn_user, &self.helpers.password) {
            (Some(user), password) => (user.clone(), password.clone().unwrap_or_else(|| "".into())),
            (None, Some(password)) => (account.0.clone(), password.clone()),
            (None, None) => account.clone(),
        };
        let turn = ways.turn.as_deref().and_then(|text| named(text, Some(login)));
        stun.into_iter().chain(turn).collect()
    }
}

/// Servers that are none are refused before they are kept.
///
/// # Errors
/// Which one, and how it is written.
pub(crate) fn check(ways: &WaySettings) -> Result<(), CommandError> {
    for text in [&ways.stun, &ways.turn].into_iter().flatten() {
        if !text.trim().is_empty() && named(text, None).is_none() {
            return Err(CommandError::user(
                ErrorCode::InvalidParams,
                "This is no server for ways of sound.",
                "Write HOST or HOST:PORT, such as turn.example.com:3478.",
            ));
        }
    }
    Ok(())
}

/// `host[:port]`, an IPv6 address in brackets; nothing where it is empty or none.
fn named(text: &str, login: Option<Login>) -> Option<HelperName> {
    let text = text.trim();
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        Some(port) => port.parse().ok().filter(|port| *port != 0)?,
        None => PORT,
    };
    let good = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    let fits = !host.is_empty() && host.len() <= 253 && host.chars().all(good);
    fits.then(|| HelperName { host: host.to_owned(), port, login })
}

#[cfg(test)]
mod tests {
    use super::{check, named};
    use offhook_model::WaySettings;

    #[test]
    fn servers_are_host_and_port() {
        for (text, host, port) in [
            ("turn.example.com", "turn.example.com", 3_478),
            (" 192.0.2.1:13478 ", "192.0.2.1", 13_478),
            ("[2001:db8::1]:5349", "2001:db8::1", 5_349),
            ("[2001:db8::1]", "2001:db8::1", 3_478),
        ] {
            let found = named(text, None).expect(text);
            assert_eq!((found.host.as_str(), found.port), (host, port));
        }
        for text in ["", "turn:", "turn.example.com:0", "a b", "http://turn", "x:99999"] {
            assert_eq!(named(text, None), None, "{text}");
        }
        let wrong = WaySettings { turn: Some("turn:".into()), ..WaySettings::default() };
        assert!(check(&wrong).is_err());
        let none = WaySettings { turn: Some(" ".into()), ..WaySettings::default() };
        assert!(check(&none).is_ok());
    }
}
