//! Warning (RFC 3261 section 20.43): a code, who warns, and a text.

use super::text::{trim, unquote};

/// One warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Three digits.
    pub code: u16,
    /// Host or name of the warner.
    pub agent: String,
    /// The text, unquoted.
    pub text: String,
}

impl Warning {
    /// Reads one element of a Warning header; nothing when it has not the three parts.
    pub fn parse(value: &str) -> Option<Self> {
        let (code, rest) = trim(value).split_once(' ')?;
        let (agent, text) = trim(rest).split_once(' ')?;
        Some(Self {
            code: code.parse().ok().filter(|code| (100..1000).contains(code))?,
            agent: agent.to_owned(),
            text: unquote(trim(text)).into_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Warning;

    #[test]
    fn the_text_is_unquoted() {
        let warning = Warning::parse(r#"399 cucm "Registration is active for another client""#)
            .expect("valid");
        assert_eq!(warning.text, "Registration is active for another client");
        assert_eq!(Warning::parse("1812 overture \"In Progress\""), None);
        assert_eq!(Warning::parse("399"), None);
    }
}
