//! Numbers: read from what people write and paste, made comparable, and turned into what is
//! dialled and looked up. Countries' numbering plans are those of libphonenumber.

mod pasted;
mod rules;
mod typed;

use std::str::FromStr;

use rlibphonenumber::enums::Region;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat};

pub use pasted::{Dialled, digits, looks_like_number};
pub use rules::apply;
pub use typed::{Dialling, Typed};

/// Longest text that is read for a number, in characters.
const LONGEST: usize = 250;

/// A country with a numbering plan. Numbers without a country code are read as if dialled there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Country(Region);

impl FromStr for Country {
    type Err = UnknownCountry;

    /// Reads a code of ISO 3166-1 with two letters.
    ///
    /// # Errors
    /// There is no such country, or it has no numbering plan.
    fn from_str(code: &str) -> Result<Self, UnknownCountry> {
        let code = code.trim();
        let two = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
        let region: Option<Region> = code.to_ascii_uppercase().parse().ok().filter(|_| two);
        let has_plan =
            |region: &Region| PHONE_NUMBER_UTIL.get_country_code_for_region(*region).is_some();
        region.filter(has_plan).map(Self).ok_or(UnknownCountry)
    }
}

/// No country of this code has a numbering plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no country of this code has a numbering plan")]
pub struct UnknownCountry;

/// When two numbers are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    /// Where numbers without a country code are from.
    pub country: Option<Country>,
    /// So many digits at the end are enough (the policy `NumberofDigitstoMatch`, reference uds.md);
    /// 0: only whole numbers are the same.
    pub last: u8,
}

/// A number that is one in some country's numbering plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorldNumber {
    /// As ITU-T E.164 writes it: `+`, country code, number.
    pub e164: String,
    /// What is dialled once somebody has answered.
    pub extension: Option<String>,
}

/// Reads a number as it would be dialled in this country; without one only numbers that begin with
/// `+` are known. `None` for internal numbers, services, and what is no number at all.
pub fn world_number(text: &str, country: Option<Country>) -> Option<WorldNumber> {
    let dialled = Dialled::read(text)?;
    let number = parsed(&dialled.written, country).filter(PhoneNumber::is_valid)?;
    let e164 = number.format_as(PhoneNumberFormat::E164).into_owned();
    Some(WorldNumber { e164, extension: dialled.extension })
}

/// A number in the form by which persons are told apart: as the world dials it, else its digits
/// where there are three or more, and the extension. `None` for what leads to nobody.
pub fn comparable(text: &str, country: Option<Country>) -> Option<String> {
    let dialled = Dialled::read(text)?;
    let number = world_number(text, country).map(|number| number.e164);
    let number = number.or(Some(dialled.number).filter(|number| number.len() >= 3))?;
    let extension = dialled.extension.map(|it| format!(";ext={it}")).unwrap_or_default();
    Some(number + &extension)
}

/// How a number ends, which is quickly read: numbers that are one by [`comparable`] end alike,
/// whichever country's plan they are read by. Plans differ in what stands before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ending {
    digits: String,
    extension: Option<String>,
}

impl Ending {
    /// How many digits count. The shortest numbers of the world have four without the country's
    /// code.
    const DIGITS: usize = 4;

    /// Reads the end of a number; `None` when the text is none, or when more than digits are dialled:
    /// some plans take what follows a `#` for an extension.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let Dialled { number, extension, .. } = Dialled::read(text)?;
        let digits = number.strip_prefix('+').unwrap_or(&number);
        let from = digits.len().saturating_sub(Self::DIGITS);
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        let digits = digits.get(from..).filter(|_| plain)?.to_owned();
        Some(Self { digits, extension })
    }
}

fn parsed(text: &str, country: Option<Country>) -> Option<PhoneNumber> {
    if text.chars().count() > LONGEST {
        return None;
    }
    PhoneNumber::parse(text, country.map(|country| country.0)).ok()
}

/// The two are the same number, each as its source writes it.
///
/// Numbers of the world are compared as such, all others digit by digit; where the plan allows,
/// equal ends are enough if both are that long. Extensions must be the same.
pub fn same(one: &str, other: &str, matching: &Matching) -> bool {
    let (Some(first), Some(second)) = (Dialled::read(one), Dialled::read(other)) else {
        return false;
    };
    if first.extension != second.extension {
        return false;
    }
    if first.number == second.number {
        return true;
    }
    let last = usize::from(matching.last);
    if last > 0 && end(&first.number, last).is_some_and(|it| end(&second.number, last) == Some(it))
    {
        return true;
    }
    let world = |text| world_number(text, matching.country);
    matches!((world(one), world(other)), (Some(one), Some(other)) if one.e164 == other.e164)
}

/// The last digits; none of what is shorter, nor of what is no plain number.
fn end(number: &str, digits: usize) -> Option<&str> {
    let from = number.len().checked_sub(digits)?;
    number.get(from..).filter(|end| end.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rlibphonenumber::PhoneNumberType;

    use super::{Country, Ending, PHONE_NUMBER_UTIL, PhoneNumberFormat, comparable};

    fn countries() -> Vec<Country> {
        let letters = || (b'A'..=b'Z').map(char::from);
        let codes = letters().flat_map(|a| letters().map(move |b| format!("{a}{b}")));
        codes.filter_map(|code| code.parse().ok()).collect()
    }

    /// What makes two numbers one leaves their ends alone.
    fn keeps_its_end(text: &str, country: Option<Country>) -> bool {
        let (Some(whole), Some(ending)) = (comparable(text, country), Ending::of(text)) else {
            return true;
        };
        Ending::of(&whole) == Some(ending)
    }

    #[test]
    fn numbers_of_every_country_end_as_they_are_written() {
        let kinds =
            [PhoneNumberType::FixedLine, PhoneNumberType::Mobile, PhoneNumberType::TollFree];
        let countries = countries();
        assert!(countries.len() > 200);
        let mut seen = 0;
        for country in countries {
            for kind in kinds {
                let util = &*PHONE_NUMBER_UTIL;
                let Ok(number) = util.get_example_number_for_type_and_region(country.0, kind)
                else {
                    continue;
                };
                for format in [
                    PhoneNumberFormat::National,
                    PhoneNumberFormat::International,
                    PhoneNumberFormat::E164,
                    PhoneNumberFormat::RFC3966,
                ] {
                    let text = number.format_as(format);
                    let whole = comparable(&text, Some(country)).expect("a number");
                    assert_eq!(Ending::of(&text), Ending::of(&whole), "{text}");
                    assert!(keeps_its_end(&format!("{text} ext. 12"), Some(country)), "{text}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 2_000, "{seen}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn whatever_is_written_the_end_is_that_of_what_is_compared(
            text in "[+0-9][-0-9 ()./*#x;,\u{202a}\u{2060}\u{ff11}]{2,18}",
            code in proptest::sample::select(&["DE", "US", "IT", "AR", "BR", "MX", "NU", "CR"][..]),
        ) {
            prop_assert!(keeps_its_end(&text, code.parse().ok()), "{text}");
            prop_assert!(keeps_its_end(&text, None), "{text}");
        }
    }
}
