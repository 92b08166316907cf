//! Digits of numbers as a search compares them.

/// Longest number that is looked at, in digits; E.164 has 15.
pub(crate) const MAX_DIGITS: usize = 24;

/// A number taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Digits {
    /// Its digits.
    pub(crate) all: String,
    /// For each digit, where it is in the text.
    at: Vec<usize>,
    /// Where a group begins, as places among the digits, in order.
    pub(crate) groups: Vec<usize>,
}

impl Digits {
    /// Takes a number apart. The `(0)` of `+49 (0)30` is no digit of it: nobody dials it together
    /// with the country's code. In Italy, San Marino and the Vatican it belongs to the number.
    pub(crate) fn of(text: &str) -> Self {
        let text = &text[..text.floor_char_boundary(crate::fold::MAX_FIELD)];
        let international = text.trim_start().starts_with('+');
        let keeps = ["+39", "+378", "+379"].iter().any(|code| text.trim_start().starts_with(code));
        let trunk = text.find("(0)").filter(|_| international && !keeps);
        let mut digits = Self { all: String::new(), at: vec![], groups: vec![] };
        let mut inside = false;
        for (at, c) in text.char_indices() {
            let Some(digit) = c.to_digit(10).filter(|_| trunk.is_none_or(|it| at != it + 1)) else {
                inside = false;
                continue;
            };
            if digits.all.len() == MAX_DIGITS {
                break;
            }
            if !inside {
                digits.groups.push(digits.all.len());
            }
            inside = true;
            digits.all.push(char::from_digit(digit, 10).unwrap_or('0'));
            digits.at.push(at);
        }
        // After the country's code people go on as they do at home, whatever the spaces say.
        if international && let Some(code) = calling_code(&digits.all) {
            let place = code.len();
            if let Err(free) = digits.groups.binary_search(&place)
                && place < digits.all.len()
            {
                digits.groups.insert(free, place);
            }
        }
        digits
    }

    /// Where digits `from..to` are in the text, as a byte range.
    pub(crate) fn range(&self, from: usize, to: usize) -> Option<(usize, usize)> {
        let last = to.checked_sub(1)?;
        Some((*self.at.get(from)?, self.at.get(last)? + 1))
    }

    /// Where `typed` begins a group.
    pub(crate) fn group_with(&self, typed: &str) -> Option<usize> {
        self.groups.iter().copied().find(|&at| self.all[at..].starts_with(typed))
    }
}

/// The country's calling code that digits in international form begin with (ITU-T E.164: codes
/// 1 and 7 have one digit, those of the list two, all others three).
pub(crate) fn calling_code(digits: &str) -> Option<&str> {
    const TWO: [&str; 40] = [
        "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46",
        "47", "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63",
        "64", "65", "66", "81", "82", "84", "86", "90", "91", "92",
    ];
    const TWO_MORE: [&str; 4] = ["93", "94", "95", "98"];
    let length = match digits.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [b'0', ..] | [] => return None,
        _ if digits.get(..2).is_some_and(|two| TWO.contains(&two) || TWO_MORE.contains(&two)) => 2,
        _ => 3,
    };
    digits.get(..length)
}

#[cfg(test)]
mod tests {
    use super::Digits;

    #[test]
    fn a_number_has_groups_and_no_bracketed_zero() {
        let digits = Digits::of("+49 (0)30 1234-56");
        assert_eq!(digits.all, "4930123456");
        assert_eq!(digits.groups, [0, 2, 4, 8]);
        assert_eq!(digits.group_with("301"), Some(2));
        assert_eq!(digits.group_with("9301"), None);
        assert_eq!(digits.range(2, 5), Some((7, 11)));
        assert_eq!(Digits::of("+4930123456").group_with("3012"), Some(2));
        assert_eq!(Digits::of("+35312345").groups, [0, 3]);
        assert_eq!(Digits::of("+39 (0)6 1234").all, "39061234");
    }
}
