//! What was typed into the search box: a number, an address to call, or somebody's name.

use offhook_config::{DialRule, Layers};

use super::{Country, Dialled, apply};

/// How what was typed is dialled here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dialling {
    /// Where numbers without a country code are from.
    pub country: Option<Country>,
    /// Addresses may be called (`EnableSIPURIDialling`).
    pub addresses: bool,
    /// Domain of addresses that are typed without one (`organizationTopLevelDomain` of the device
    /// file).
    pub domain: Option<String>,
    /// Application dial rules: from what was typed to what is dialled.
    pub application: Vec<DialRule>,
    /// Directory lookup rules: from what a call shows to what directories hold.
    pub lookup: Vec<DialRule>,
}

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// Nothing.
    Nothing,
    /// A number.
    Number(Dialled),
    /// An address for calls, `user@host` without scheme and parameters.
    Address(String),
    /// Words to search for.
    Name {
        /// The address that the word is if it is called as it stands.
        address: Option<String>,
    },
}

impl Dialling {
    /// By the settings, without rules, country and domain: those come from elsewhere.
    pub fn new(layers: &Layers) -> Self {
        Self { addresses: layers.flag("EnableSIPURIDialling"), ..Self::default() }
    }

    /// Tells what was typed. Where addresses are not to be called they are names to search for.
    pub fn read(&self, text: &str) -> Typed {
        let text = text.trim();
        if text.is_empty() {
            return Typed::Nothing;
        }
        if let Some(dialled) = Dialled::read(text) {
            return Typed::Number(dialled);
        }
        let address = self.address(text);
        match address {
            Some(address) if text.contains('@') || scheme(text).is_some() => {
                Typed::Address(address)
            }
            address => Typed::Name { address },
        }
    }

    /// What is dialled for a number: the application dial rules' work on it. The extension is not
    /// dialled with it.
    pub fn dialled(&self, number: &Dialled) -> String {
        apply(&self.application, &number.number)
    }

    /// Numbers to look for when a call shows this one: as the directory lookup rules make it, and
    /// as it is.
    pub fn looked_up(&self, number: &str) -> Vec<String> {
        let plain = super::digits(number);
        let made = apply(&self.lookup, &plain);
        let mut numbers = vec![made, plain];
        numbers.dedup();
        numbers.retain(|number| !number.is_empty());
        numbers
    }

    fn address(&self, text: &str) -> Option<String> {
        if !self.addresses {
            return None;
        }
        let text = scheme(text).map_or(text, |(_, rest)| rest);
        let text = text.split([';', '?']).next().unwrap_or_default();
        let (user, host) = match text.rsplit_once('@') {
            Some((user, host)) => (user, host),
            None => (text, self.domain.as_deref()?),
        };
        let bad = |c: char| c.is_whitespace() || c.is_control() || "<>\"@/\\".contains(c);
        let odd = |part: &str| part.is_empty() || part.len() > 255 || part.contains(bad);
        (!odd(user) && !odd(host)).then(|| format!("{user}@{host}"))
    }
}

/// An address with a scheme of calls, divided.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let known = ["sip", "sips"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    known.then_some((scheme, rest))
}
