//! Packets of calls are marked as the administrator wants, else as the user does.

use offhook_core::{Effect, Options};
use offhook_model::{Command, Layer, Provisioned, Setting, Settings, Source};

use crate::bench::{Bench, full};
use crate::calling::answered;

/// The code point of a call's sound, with the administrator's and the user's word.
fn mark(administrator: Option<bool>, user: Option<bool>) -> Option<u8> {
    let mut options = Bench::options();
    if let Some(wanted) = administrator {
        let key = "EnableDSCPPacketMarking".to_owned();
        let setting = Setting { key, section: None, value: wanted.to_string(), line: None };
        let origin = "test".to_owned();
        let (settings, oddities) = (vec![setting], vec![]);
        let layer = Layer { source: Source::Bootstrap, origin, settings, oddities };
        options = Options {
            provisioned: Provisioned { layers: vec![layer], ..options.provisioned.clone() },
            ..options
        };
    }
    let mut bench = Bench::with(options);
    let mut settings = Settings::default();
    settings.calls.differentiated_service = user;
    bench.command(Command::SetSettings(Box::new(settings))).expect("set");
    bench.let_in(full());
    answered(&mut bench);
    bench.effects.iter().rev().find_map(|effect| match effect {
        Effect::MediaApply(_, plan) => Some(plan.dscp),
        _ => None,
    })
}

#[test]
fn the_administrators_word_goes_before_the_users() {
    for (administrator, user, expected) in [
        (None, None, 46),
        (None, Some(false), 0),
        (None, Some(true), 46),
        (Some(false), None, 0),
        (Some(false), Some(true), 0),
        (Some(true), Some(false), 46),
    ] {
        assert_eq!(mark(administrator, user), Some(expected), "{administrator:?}, {user:?}");
    }
}
