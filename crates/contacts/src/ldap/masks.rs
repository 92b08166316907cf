//! Numbers as a directory may have written them (`PhoneNumberMasks`).

/// What to make of numbers that begin so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// With its plus, such as `+1408`.
    prefix: String,
    /// With `#` for each digit, such as `+(#) ### ### ####`.
    mask: String,
}

/// Reads `+1408|+(#) ### ### ####|+34|+(##) ### ####`: prefix and mask by turns. What is no pair is
/// passed over.
pub fn read(setting: &str) -> Vec<Mask> {
    let parts: Vec<&str> = setting.split('|').map(str::trim).collect();
    let pairs = parts.chunks_exact(2).take(50);
    let pairs = pairs.filter(|pair| !pair[0].is_empty() && pair[1].contains('#'));
    pairs.map(|pair| Mask { prefix: pair[0].to_owned(), mask: pair[1].to_owned() }).collect()
}

impl Mask {
    /// The number in this form; nothing when it is another's or has another number of digits.
    fn apply(&self, digits: &str) -> Option<String> {
        let wanted: String = self.prefix.chars().filter(char::is_ascii_digit).collect();
        if !digits.starts_with(&wanted) {
            return None;
        }
        if self.mask.chars().filter(|c| *c == '#').count() != digits.len() {
            return None;
        }
        let mut left = digits.chars();
        self.mask.chars().map(|c| if c == '#' { left.next() } else { Some(c) }).collect()
    }
}

/// The forms to look for: as it came, as its digits with and without the plus, and by all masks.
/// Empty for what holds fewer than three digits.
pub fn forms(number: &str, masks: &[Mask]) -> Vec<String> {
    let number = number.trim();
    let digits: String = number.chars().filter(char::is_ascii_digit).take(32).collect();
    if digits.len() < 3 {
        return vec![];
    }
    let short: String = number.chars().take(64).collect();
    let mut forms = vec![short, format!("+{digits}"), digits.clone()];
    // A prefix with a plus is for numbers of the whole world only.
    let global = number.starts_with('+');
    let fits = |mask: &&Mask| global || !mask.prefix.starts_with('+');
    forms.extend(masks.iter().filter(fits).filter_map(|mask| mask.apply(&digits)));
    let mut seen = std::collections::HashSet::new();
    forms.retain(|form| seen.insert(form.clone()));
    forms
}

/// Whether this is typed as a number: digits, and what stands between them.
pub fn is_number(typed: &str) -> bool {
    let digits = typed.chars().filter(char::is_ascii_digit).count();
    let allowed =
        |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '.' | '/' | '(' | ')');
    digits >= 3 && typed.trim().chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::{forms, is_number, read};

    #[test]
    fn masks_by_prefix() {
        let masks = read("+1408|+(#) ### ### ####|+34|+(##) ## #### ####|+1|#-###-###-####|odd");
        assert_eq!(masks.len(), 3);
        let us = ["+14081234567", "14081234567", "+(1) 408 123 4567", "1-408-123-4567"];
        assert_eq!(forms("+14081234567", &masks), us);
        let spain = ["+34 8123456789", "+348123456789", "348123456789", "+(34) 81 2345 6789"];
        assert_eq!(forms("+34 8123456789", &masks), spain);
        assert_eq!(forms("8001", &masks), ["8001", "+8001"]);
        assert_eq!(forms("12", &masks), Vec::<String>::new());
    }

    #[test]
    fn what_is_typed_as_a_number() {
        assert!(is_number("+1 (408) 555-0100") && is_number("8001"));
        assert!(!is_number("12") && !is_number("room 8001") && !is_number("alice"));
    }
}
