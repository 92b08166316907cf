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
