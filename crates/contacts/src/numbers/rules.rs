//! Dial rules, applied (reference device-config.md 3.4).

use offhook_config::DialRule;

/// The number as the first rule that is for it makes it; the number itself when none is. Both hold
/// digits, `*`, `#` and `+` alone, as [`super::Dialled::number`] does.
///
/// A rule that would leave nothing of a number is passed over.
pub fn apply(rules: &[DialRule], number: &str) -> String {
    let made = rules.iter().filter(|rule| fits(rule, number)).find_map(|rule| {
        let rest = number.get(usize::from(rule.strip)..)?;
        Some(format!("{}{rest}", rule.prefix)).filter(|made| !made.is_empty())
    });
    made.unwrap_or_else(|| number.to_owned())
}

fn fits(rule: &DialRule, number: &str) -> bool {
    let length = rule.digits.is_none_or(|digits| number.len() == usize::from(digits));
    length && number.starts_with(&rule.begins)
}

#[cfg(test)]
mod tests {
    use offhook_config::{DialRule, read_dial_rules};

    use super::apply;

    fn rules(text: &str) -> Vec<DialRule> {
        read_dial_rules(text.as_bytes()).expect("readable")
    }

    /// The rules that the vendor's guide for phones prints.
    const GUIDE: &str = r#"<DialRules>
        <DialRule BeginsWith="+1" NumDigits="12" DigitsToRemove="1" PrefixWith="9"/>
        <DialRule BeginsWith="919" NumDigits="10" DigitsToRemove="3" PrefixWith="9"/>
        <DialRule BeginsWith="1" NumDigits="11" DigitsToRemove="0" PrefixWith="9"/>
        <DialRule BeginsWith="" NumDigits="10" DigitsToRemove="0" PrefixWith="91"/>
        <DialRule BeginsWith="" NumDigits="7" DigitsToRemove="0" PrefixWith="9"/>
        <DialRule BeginsWith="+" NumDigits="13" DigitsToRemove="1" PrefixWith="9011"/>
        <DialRule BeginsWith="+" NumDigits="12" DigitsToRemove="1" PrefixWith="9011"/>
        </DialRules>"#;

    #[test]
    fn the_guides_rules_do_what_they_are_for() {
        let rules = rules(GUIDE);
        for (dialled, made) in [
            ("+14085550142", "914085550142"),
            ("14085550142", "914085550142"),
            ("4085550142", "914085550142"),
            ("9195550142", "95550142"),
            ("5550142", "95550142"),
            ("+49305550142", "901149305550142"),
            ("+4930555014", "+4930555014"),
            ("2001", "2001"),
            ("", ""),
        ] {
            assert_eq!(apply(&rules, dialled), made, "{dialled}");
        }
    }

    #[test]
    fn the_first_that_fits_counts_and_may_keep_a_number_as_it_is() {
        let rules = rules(
            r#"<DialRules>
            <DialRule BeginsWith="112" NumDigits="3" DigitsToRemove="0" PrefixWith=""/>
            <DialRule BeginsWith="1" NumDigits="3" DigitsToRemove="3" PrefixWith=""/>
            <DialRule BeginsWith="1" DigitsToRemove="1" PrefixWith="8"/>
            <DialRule BeginsWith="1" DigitsToRemove="0" PrefixWith="9"/>
            <DialRule BeginsWith="5" DigitsToRemove="9" PrefixWith="7"/></DialRules>"#,
        );
        assert_eq!(apply(&rules, "112"), "112");
        assert_eq!(apply(&rules, "123"), "823", "what leaves nothing is passed over");
        assert_eq!(apply(&rules, "1234"), "8234");
        assert_eq!(apply(&rules, "55"), "55", "there are no nine digits to take");
    }
}
