//! Whom calls of a standard account ask for ways through address translators: what the user set, and
//! the relay's password, which is kept where passwords are.

use offhook_model::{CommandError, ErrorCode, Link, Secret, WaySettings};
use offhook_ports::{HelperName, IceAccount, PhoneAccount, PhoneDialect, StoreRequest};

use crate::Core;
use crate::effect::{Effect, StoreTag};

/// Port of STUN and TURN (RFC 8489 section 18.6).
const PORT: u16 = 3_478;
/// The same over TLS.
const TLS_PORT: u16 = 5_349;
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
        let stun = ways.stun.as_deref().and_then(|text| Place::read(text, STUN));
        let stun = stun.map(|place| place.named(Link::Udp, None));
        let turn = ways.turn.as_deref().and_then(|text| Place::read(text, TURN));
        let login = match (&ways.turn_user, &self.helpers.password) {
            (Some(user), password) => (user.clone(), password.clone().unwrap_or_else(|| "".into())),
            (None, Some(password)) => (account.0.clone(), password.clone()),
            (None, None) => account.clone(),
        };
        let turn = turn.map(|place| {
            let links = place.links().iter();
            links.map(|link| place.named(*link, Some(login.clone()))).collect::<Vec<_>>()
        });
        stun.into_iter().chain(turn.into_iter().flatten()).collect()
    }
}

/// Servers that are none are refused before they are kept.
///
/// # Errors
/// Which one, and how it is written.
pub(crate) fn check(ways: &WaySettings) -> Result<(), CommandError> {
    for (text, schemes) in [(&ways.stun, STUN), (&ways.turn, TURN)] {
        let Some(text) = text.as_deref().filter(|text| !text.trim().is_empty()) else { continue };
        if Place::read(text, schemes).is_none() {
            return Err(CommandError::user(
                ErrorCode::InvalidParams,
                "This is no server for ways of sound.",
                "Write HOST or HOST:PORT, such as turn.example.com:3478; of a relay also \
                 turn:HOST?transport=tcp, or turns:HOST for TLS.",
            ));
        }
    }
    Ok(())
}

/// Beginnings of a URI that are understood, the one of TLS second (RFC 7064, RFC 7065).
type Schemes = &'static [(&'static str, bool)];
const STUN: Schemes = &[("stun:", false)];
const TURN: Schemes = &[("turn:", false), ("turns:", true)];

/// A server as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    host: String,
    /// Nothing where none is named.
    port: Option<u16>,
    /// How it is to be spoken to; nothing where that is left to us.
    link: Option<Link>,
}

impl Place {
    /// `host[:port]`, an IPv6 address in brackets, or a URI of RFC 7064 or 7065; nothing where it is
    /// empty or none.
    fn read(text: &str, schemes: Schemes) -> Option<Self> {
        let text = text.trim();
        let scheme = schemes.iter().find(|(scheme, _)| {
            // `turn:3478` is a host of that name.
            text.split_at_checked(scheme.len()).is_some_and(|(head, rest)| {
                head.eq_ignore_ascii_case(scheme) && rest.parse::<u16>().is_err()
            })
        });
        let rest = text.get(scheme.map_or(0, |(scheme, _)| scheme.len())..)?;
        let (rest, transport) = match rest.split_once("?transport=") {
            Some((rest, transport)) => (rest, Some(transport)),
            None => (rest, None),
        };
        let link = match (scheme.map(|(_, tls)| *tls), transport) {
            (None, None) => None,
            (Some(true), None | Some("tcp")) => Some(Link::Tls),
            // A relay is asked by streams; who only tells our address sees another one by them.
            (Some(false), Some("tcp")) if schemes == TURN => Some(Link::Tcp),
            (Some(false), None | Some("udp")) => Some(Link::Udp),
            _ => return None,
        };
        let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, rest)) => (host, Some(rest.strip_prefix(':')?)),
            None => match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            },
        };
        let port = match port {
            Some(port) => Some(port.parse().ok().filter(|port| *port != 0)?),
            None => None,
        };
        let good = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        let fits = !host.is_empty() && host.len() <= 253 && host.chars().all(good);
        fits.then(|| Self { host: host.to_owned(), port, link })
    }

    /// How it may be asked, in this order: by datagrams, and where those do not get through by
    /// streams.
    fn links(&self) -> &[Link] {
        match &self.link {
            Some(link) => std::slice::from_ref(link),
            None => &[Link::Udp, Link::Tcp, Link::Tls],
        }
    }

    /// The port where none is named is the one that the link usually has. Servers tell TLS and clear
    /// text apart on any.
    fn named(&self, link: Link, login: Option<Login>) -> HelperName {
        let usual = if link == Link::Tls { TLS_PORT } else { PORT };
        HelperName { host: self.host.clone(), port: self.port.unwrap_or(usual), link, login }
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, STUN, TURN, check};
    use offhook_model::{Link, WaySettings};

    #[test]
    fn servers_are_host_and_port() {
        for (text, host, port) in [
            ("turn.example.com", "turn.example.com", 3_478),
            (" 192.0.2.1:13478 ", "192.0.2.1", 13_478),
            ("[2001:db8::1]:5349", "2001:db8::1", 5_349),
            ("[2001:db8::1]", "2001:db8::1", 3_478),
            ("turn:3479", "turn", 3_479),
        ] {
            let place = Place::read(text, TURN).expect(text);
            assert_eq!(place.links(), [Link::Udp, Link::Tcp, Link::Tls], "{text}");
            let found = place.named(Link::Udp, None);
            assert_eq!((found.host.as_str(), found.port), (host, port));
        }
        for text in
            ["", "turn:", "turn.example.com:0", "a b", "http://turn", "x:99999", "[2001:db8::1]x"]
        {
            assert_eq!(Place::read(text, TURN), None, "{text}");
        }
        let wrong = WaySettings { turn: Some("turn:".into()), ..WaySettings::default() };
        assert!(check(&wrong).is_err());
        let none = WaySettings { turn: Some(" ".into()), ..WaySettings::default() };
        assert!(check(&none).is_ok());
    }

    #[test]
    fn a_uri_says_how_the_relay_is_spoken_to() {
        for (text, link, port) in [
            ("turn:turn.example.com", Link::Udp, 3_478),
            ("TURN:turn.example.com:80?transport=tcp", Link::Tcp, 80),
            ("turns:turn.example.com", Link::Tls, 5_349),
            ("turns:[2001:db8::1]:443?transport=tcp", Link::Tls, 443),
        ] {
            let place = Place::read(text, TURN).expect(text);
            assert_eq!(place.links(), [link], "{text}");
            assert_eq!(place.named(link, None).port, port, "{text}");
        }
        // TLS over datagrams is another protocol, and not built.
        assert_eq!(Place::read("turns:turn.example.com?transport=udp", TURN), None);
        assert_eq!(Place::read("stun:stun.example.com?transport=tcp", STUN), None);
        assert_eq!(Place::read("turn:turn.example.com", STUN), None);
        let place = Place::read("turn.example.com", TURN).expect("a host");
        assert_eq!(place.named(Link::Tls, None).port, 5_349);
    }
}
