//! Two of our own devices talk over a bad line: in any order, with losses and copies, for long.

mod support;

use std::collections::BTreeSet;

use offhook_omemo::{
    Bundle, Dialect, Error, KeyMessage, Own, PREKEYS, SIGNED_AGE, SKIPPED, Session, payload,
};
use proptest::prelude::{ProptestConfig, any, proptest};
use support::Chance;

const BOTH: [Dialect; 2] = [Dialect::Two, Dialect::Old];

fn device(dialect: Dialect, chance: &mut Chance) -> Own {
    let seed = Own::draw_seed(chance).expect("a seed");
    Own::new(dialect, seed, chance, 1_000).expect("a device")
}

fn bundle(own: &Own) -> Bundle {
    own.bundle().expect("a bundle")
}

/// Both sides with a session that both have written in.
fn pair(dialect: Dialect, chance: &mut Chance) -> ([Own; 2], [Session; 2]) {
    let owns = [device(dialect, chance), device(dialect, chance)];
    let mut first = Session::begin(&owns[0], &bundle(&owns[1]), chance).expect("begun");
    let hello = first.encrypt(b"hello").expect("encrypted");
    assert!(hello.begins);
    let (mut second, opened) = Session::answer(&owns[1], &hello.data, chance).expect("answered");
    assert_eq!(opened.plain.as_slice(), b"hello");
    assert!(opened.spent.is_some());
    let back = second.encrypt(b"hello too").expect("encrypted");
    assert!(!back.begins);
    first.decrypt(&owns[0], &back, chance).expect("read");
    assert!(first.is_answered());
    (owns, [first, second])
}

fn walk(dialect: Dialect, seed: u64, steps: usize) {
    let mut chance = Chance(seed);
    let (owns, mut sessions) = pair(dialect, &mut chance);
    let mut on_the_way: [Vec<(usize, KeyMessage)>; 2] = [Vec::new(), Vec::new()];
    let mut read = BTreeSet::new();
    for step in 0..steps {
        let side = chance.below(2);
        match chance.below(10) {
            0..=4 => {
                let text = step.to_string();
                let message = sessions[side].encrypt(text.as_bytes()).expect("encrypted");
                on_the_way[1 - side].push((step, message));
            }
            5..=8 if !on_the_way[side].is_empty() => {
                let place = chance.below(on_the_way[side].len());
                let copy = chance.below(8) == 0;
                let (number, message) = on_the_way[side][place].clone();
                if !copy {
                    on_the_way[side].swap_remove(place);
                }
                let got = sessions[side].decrypt(&owns[side], &message, &mut chance);
                if read.insert(number) {
                    assert_eq!(
                        got.expect("first time").plain.as_slice(),
                        number.to_string().as_bytes()
                    );
                } else {
                    assert!(got.is_err(), "a message was read twice");
                }
            }
            _ => {
                if chance.below(4) == 0 && !on_the_way[side].is_empty() {
                    let place = chance.below(on_the_way[side].len());
                    on_the_way[side].swap_remove(place);
                }
            }
        }
        if step % 97 == 0 {
            // What was kept goes on as what was there.
            let kept = serde_json::to_string(&sessions[side]).expect("kept");
            sessions[side] = serde_json::from_str(&kept).expect("loaded");
        }
        assert!(sessions[side].skipped() <= SKIPPED);
    }
}

#[test]
fn two_thousand_steps_in_any_order_with_losses_and_copies() {
    for dialect in BOTH {
        walk(dialect, 1, 2_000);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_walk_reads_every_message_once(seed in any::<u64>()) {
        walk(Dialect::Two, seed, 200);
        walk(Dialect::Old, seed, 200);
    }
}

#[test]
fn a_changed_message_changes_nothing() {
    for dialect in BOTH {
        let mut chance = Chance(2);
        let (owns, mut sessions) = pair(dialect, &mut chance);
        let message = sessions[0].encrypt(b"genuine").expect("encrypted");
        let before = serde_json::to_string(&sessions[1]).expect("kept");
        for place in 0..message.data.len() {
            let mut forged = message.clone();
            forged.data[place] ^= 1 << (place % 8);
            let result = sessions[1].decrypt(&owns[1], &forged, &mut chance);
            assert!(result.is_err(), "byte {place} does not matter in {dialect:?}");
        }
        assert_eq!(serde_json::to_string(&sessions[1]).expect("kept"), before);
        let opened = sessions[1].decrypt(&owns[1], &message, &mut chance).expect("read");
        assert_eq!(opened.plain.as_slice(), b"genuine");
    }
}

#[test]
fn skipping_has_an_end() {
    for dialect in BOTH {
        let mut chance = Chance(3);
        let (owns, mut sessions) = pair(dialect, &mut chance);
        let early = sessions[0].encrypt(b"early").expect("encrypted");
        for _ in 0..SKIPPED {
            sessions[0].encrypt(b"lost").expect("encrypted");
        }
        let far = sessions[0].encrypt(b"far").expect("encrypted");
        assert_eq!(sessions[1].decrypt(&owns[1], &far, &mut chance).err(), Some(Error::TooFar),);
        sessions[1].decrypt(&owns[1], &early, &mut chance).expect("read");
        sessions[1].decrypt(&owns[1], &far, &mut chance).expect("read");
        assert_eq!(sessions[1].skipped(), SKIPPED);
    }
}

#[test]
fn both_begin_at_once_and_nothing_is_lost() {
    for dialect in BOTH {
        let mut chance = Chance(4);
        let owns = [device(dialect, &mut chance), device(dialect, &mut chance)];
        let mut sessions = [0, 1].map(|side: usize| {
            Session::begin(&owns[side], &bundle(&owns[1 - side]), &mut chance).expect("begun")
        });
        for round in 0..6 {
            let messages: Vec<_> =
                sessions.iter_mut().map(|it| it.encrypt(b"x").expect("encrypted")).collect();
            for side in 0..2 {
                let message = &messages[1 - side];
                sessions[side]
                    .decrypt(&owns[side], message, &mut chance)
                    .unwrap_or_else(|e| panic!("{dialect:?} round {round} side {side}: {e}"));
            }
        }
        assert!(sessions.iter().all(Session::is_answered));
    }
}

#[test]
fn a_beginning_is_repeated_until_answered_and_read_each_time() {
    let mut chance = Chance(5);
    let owns = [device(Dialect::Two, &mut chance), device(Dialect::Two, &mut chance)];
    let mut first = Session::begin(&owns[0], &bundle(&owns[1]), &mut chance).expect("begun");
    let messages: Vec<_> = (0..5).map(|_| first.encrypt(b"x").expect("encrypted")).collect();
    assert!(messages.iter().all(|it| it.begins));
    let (mut second, opened) =
        Session::answer(&owns[1], &messages[2].data, &mut chance).expect("answered");
    let mut own = owns[1].clone();
    assert!(own.spend(opened.spent.expect("spent")));
    for place in [4, 0, 1, 3] {
        second.decrypt(&own, &messages[place], &mut chance).expect("read");
    }
    // The same beginning makes no second session once its one-time key is spent.
    let again = Session::answer(&own, &messages[2].data, &mut chance);
    assert_eq!(again.err(), Some(Error::NoPreKey));
}

#[test]
fn keys_are_refilled_and_rotated() {
    let mut chance = Chance(6);
    let mut own = device(Dialect::Two, &mut chance);
    let old = bundle(&own);
    assert_eq!(old.prekeys.len(), PREKEYS);
    assert!(!own.maintain(&mut chance, 1_001));
    assert!(own.spend(old.prekeys[0].id) && !own.spend(old.prekeys[0].id));
    assert!(own.maintain(&mut chance, 1_001));
    let new = bundle(&own);
    assert_eq!(new.prekeys.len(), PREKEYS);
    assert!(!new.prekeys.contains(&old.prekeys[0]));
    assert!(own.maintain(&mut chance, 1_000 + SIGNED_AGE));
    let rotated = bundle(&own);
    assert_ne!(rotated.signed, old.signed);
    assert_eq!(rotated.identity, old.identity);
    // A beginning by the bundle before the rotation is still read, one rotation later no more.
    let other = device(Dialect::Two, &mut chance);
    let hello = Session::begin(&other, &new, &mut chance)
        .and_then(|mut it| it.encrypt(b"x"))
        .expect("begun");
    assert!(Session::answer(&own, &hello.data, &mut chance).is_ok());
    assert!(own.maintain(&mut chance, 1_000 + 2 * SIGNED_AGE));
    assert_eq!(Session::answer(&own, &hello.data, &mut chance).err(), Some(Error::NoPreKey));
}

#[test]
fn a_bundle_that_its_owner_did_not_sign_is_refused() {
    for dialect in BOTH {
        let mut chance = Chance(7);
        let (own, other) = (device(dialect, &mut chance), device(dialect, &mut chance));
        let mut forged = bundle(&other);
        forged.signed.key = bundle(&own).signed.key;
        assert!(Session::begin(&own, &forged, &mut chance).is_err());
        let mut empty = bundle(&other);
        empty.prekeys.clear();
        assert_eq!(Session::begin(&own, &empty, &mut chance).err(), Some(Error::Exhausted));
    }
}

#[test]
fn a_payload_opens_with_its_key_alone() {
    for dialect in BOTH {
        let mut chance = Chance(8);
        let sealed = payload::seal(dialect, b"text", &mut chance).expect("sealed");
        let iv = sealed.iv.unwrap_or_default();
        let open = |key: &[u8], data: &[u8]| payload::open(dialect, key, &iv, data);
        assert_eq!(open(&sealed.key, &sealed.payload).as_deref(), Ok(&b"text"[..]));
        let mut key = sealed.key.clone();
        key[0] ^= 1;
        assert!(open(&key, &sealed.payload).is_err());
        let mut data = sealed.payload.clone();
        data[0] ^= 1;
        assert!(open(&sealed.key, &data).is_err());
        assert!(open(&[], &sealed.payload).is_err());
    }
}

#[test]
fn the_identity_looks_the_same_in_both_dialects() {
    let mut chance = Chance(9);
    let seed = Own::draw_seed(&mut chance).expect("a seed");
    let [two, old] = BOTH.map(|it| Own::new(it, seed.clone(), &mut chance, 0).expect("a device"));
    assert_eq!(two.identity().fingerprint(), old.identity().fingerprint());
    assert_eq!(two.identity().fingerprint().len(), 64);
    assert!(!format!("{two:?}").contains(&two.identity().fingerprint()));
}
