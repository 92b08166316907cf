//! The product mode: what of chat and phone a user has and may have.

use offhook_config::Layers;
use offhook_model::{Area, Owner, Preset, Problem, ProductMode};

/// What of the two is to be there at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) im: bool,
    pub(crate) phone: bool,
}

/// What the settings leave: phone mode leaves the phone, `IM_Enabled` and `Telephony_Enabled` take
/// one away. What the files of this sign-in say outranks what was settled before it.
pub(crate) fn wanted(preset: &Preset, files: &Layers, phone_only: bool) -> Wanted {
    let flag = |name, before| match files.setting(name) {
        Some(_) => files.flag(name),
        None => before,
    };
    let phone_only = phone_only || preset.phone_mode;
    Wanted {
        im: !phone_only && flag("IM_Enabled", preset.im),
        phone: flag("Telephony_Enabled", preset.telephony),
    }
}

/// The mode by what the account has of what is wanted; `None` when nothing is left.
pub(crate) fn decide(wanted: Wanted, has_im: bool, has_phone: bool) -> Option<ProductMode> {
    match (wanted.im && has_im, wanted.phone && has_phone) {
        (true, true) => Some(ProductMode::Full),
        (true, false) => Some(ProductMode::ImOnly),
        (false, true) => Some(ProductMode::PhoneOnly),
        (false, false) => None,
    }
}

/// Phone mode was asked for by what only this sign-in brought, and chat has started (D24).
pub(crate) fn restart_needed(
    preset: &Preset,
    files: &Layers,
    started: ProductMode,
) -> Option<Problem> {
    let asked_for = !preset.phone_mode && files.preset().phone_mode;
    let with_chat = matches!(started, ProductMode::Full | ProductMode::ImOnly);
    (asked_for && with_chat).then(|| {
        Problem::new(
            Area::Provisioning,
            Owner::User,
            "The configuration asks for phone mode, and this session has started with chat.",
            "Sign out and in again; from then on it starts in phone mode.",
        )
        .with_rule(24)
    })
}

/// Settings leave neither chat nor phone.
pub(crate) fn nothing_wanted() -> Problem {
    Problem::new(
        Area::Provisioning,
        Owner::Admin,
        "The configuration switches off chat as well as the phone, so nothing is left to sign in to.",
        "Set IM_Enabled or Telephony_Enabled to true for this user.",
    )
}

#[cfg(test)]
mod tests {
    use offhook_config::Layers;
    use offhook_model::{Layer, Preset, ProductMode, Setting, Source};

    use super::{Wanted, decide, restart_needed, wanted};

    fn layers(settings: &[(&str, &str)]) -> Layers {
        let setting = |(key, value): &(&str, &str)| Setting {
            key: (*key).into(),
            section: None,
            value: (*value).into(),
            line: None,
        };
        Layers::new([Layer {
            source: Source::GlobalFile,
            origin: "http://tftp1:6970/jabber-config.xml".into(),
            settings: settings.iter().map(setting).collect(),
            oddities: vec![],
        }])
    }

    /// Full, chat, phone, nothing.
    fn name(mode: Option<ProductMode>) -> char {
        match mode {
            Some(ProductMode::Full) => 'F',
            Some(ProductMode::ImOnly) => 'C',
            Some(ProductMode::PhoneOnly) => 'P',
            None => '-',
        }
    }

    /// Every combination of what is settled and what the account has. Columns: the account has
    /// both, chat, phone, nothing.
    #[test]
    fn every_product_mode() {
        let table = [
            // phone mode, IM_Enabled, Telephony_Enabled
            (false, true, true, "FCP-"),
            (false, true, false, "CC--"),
            (false, false, true, "P-P-"),
            (false, false, false, "----"),
            (true, true, true, "P-P-"),
            (true, true, false, "----"),
            (true, false, true, "P-P-"),
            (true, false, false, "----"),
        ];
        for (phone_mode, im, telephony, expected) in table {
            let preset = Preset { phone_mode, im, telephony, ..Preset::default() };
            let wanted = wanted(&preset, &Layers::default(), false);
            let account = [(true, true), (true, false), (false, true), (false, false)];
            let modes: String =
                account.iter().map(|(chat, phone)| name(decide(wanted, *chat, *phone))).collect();
            assert_eq!(modes, expected, "{phone_mode} {im} {telephony}");
        }
    }

    #[test]
    fn files_of_this_sign_in_outrank_what_was_settled() {
        let settled = Preset { im: false, ..Preset::default() };
        let files = layers(&[("IM_Enabled", "TRUE"), ("Telephony_Enabled", "0")]);
        assert_eq!(wanted(&settled, &files, false), Wanted { im: true, phone: false });
        assert_eq!(wanted(&settled, &layers(&[]), false), Wanted { im: false, phone: true });
        assert_eq!(wanted(&settled, &files, true), Wanted { im: false, phone: false });
    }

    #[test]
    fn a_restart_is_needed_only_when_chat_started_against_a_new_wish() {
        let files = layers(&[("TelephonyOnlyDiscovery", "true")]);
        let full = ProductMode::Full;
        let rule = |preset: &Preset, files: &Layers, mode| {
            restart_needed(preset, files, mode).and_then(|problem| problem.rule).map(|rule| rule.0)
        };
        assert_eq!(rule(&Preset::default(), &files, full), Some(24));
        assert_eq!(rule(&Preset::default(), &files, ProductMode::PhoneOnly), None);
        assert_eq!(rule(&Preset::default(), &layers(&[]), full), None);
        let known = Preset { phone_mode: true, ..Preset::default() };
        assert_eq!(rule(&known, &files, full), None);
    }
}
