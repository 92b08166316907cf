//! The tones of a call's progress by country: dial, ringing, busy, congestion, call waiting.
//!
//! Facts after the list in ITU-T E.180 Supplement 2; where a country has several of one kind, the one
//! that most subscribers hear. A frequency that is modulated by another is given by its two side bands.

use offhook_model::ToneCountry;

use super::RATE;
use super::tone::Tone;

/// Part of a tone: the frequencies that sound together (0: none), for how many samples.
pub(super) struct Part {
    pub(super) hertz: [f32; 2],
    pub(super) samples: u32,
}

const fn part(first: f32, second: f32, ms: u32) -> Part {
    Part { hertz: [first, second], samples: ms * (RATE / 1_000) }
}

/// A rising fifth three times, then quiet.
pub(super) const RING: &[Part] = &[
    part(587.33, 0.0, 180),
    part(880.0, 0.0, 180),
    part(587.33, 0.0, 180),
    part(880.0, 0.0, 180),
    part(587.33, 0.0, 180),
    part(880.0, 0.0, 300),
    part(0.0, 0.0, 2_000),
];
pub(super) const TEST: &[Part] =
    &[part(523.25, 0.0, 250), part(659.25, 0.0, 250), part(523.25, 783.99, 500)];

/// How the tones of one country sound.
struct Plan {
    dial: &'static [Part],
    ringback: &'static [Part],
    busy: &'static [Part],
    reorder: &'static [Part],
    waiting: &'static [Part],
}

/// The parts of a tone: first sound, then silence, in turn; milliseconds. Without times it goes on and
/// on.
macro_rules! tone {
    ($first:literal + $second:literal) => {
        &[part($first, $second, 60_000)]
    };
    ($first:literal + $second:literal, $($on:literal $off:literal),+) => {
        &[$(part($first, $second, $on), part(0.0, 0.0, $off)),+]
    };
}

/// The parts of a tone of a call's progress, nothing for others.
pub(super) fn parts(tone: Tone, country: Option<ToneCountry>) -> &'static [Part] {
    let plan = plan(country);
    match tone {
        Tone::Dial => plan.dial,
        Tone::Ringback => plan.ringback,
        Tone::Busy => plan.busy,
        Tone::Reorder => plan.reorder,
        Tone::Waiting => plan.waiting,
        Tone::Ring | Tone::Test => &[],
    }
}

fn plan(country: Option<ToneCountry>) -> &'static Plan {
    match country {
        None => &RECOMMENDED,
        Some(ToneCountry::At) => &AT,
        Some(ToneCountry::Au) => &AU,
        Some(ToneCountry::Br) => &BR,
        Some(ToneCountry::Ch) => &CH,
        Some(ToneCountry::Cn) => &CN,
        Some(ToneCountry::De) => &DE,
        Some(ToneCountry::Es) => &ES,
        Some(ToneCountry::Fr) => &FR,
        Some(ToneCountry::Gb) => &GB,
        Some(ToneCountry::It) => &IT,
        Some(ToneCountry::Jp) => &JP,
        Some(ToneCountry::Nl) => &NL,
        Some(ToneCountry::Pl) => &PL,
        Some(ToneCountry::Se) => &SE,
        Some(ToneCountry::Us) => &US,
    }
}

const RECOMMENDED: Plan = Plan {
    dial: tone!(425.0 + 0.0),
    ringback: tone!(425.0 + 0.0, 1_000 4_000),
    busy: tone!(425.0 + 0.0, 500 500),
    reorder: tone!(425.0 + 0.0, 250 250),
    waiting: tone!(425.0 + 0.0, 200 200, 200 5_000),
};
const AT: Plan = Plan {
    dial: tone!(420.0 + 0.0),
    ringback: tone!(420.0 + 0.0, 1_000 5_000),
    busy: tone!(420.0 + 0.0, 400 400),
    reorder: tone!(420.0 + 0.0, 200 200),
    waiting: tone!(420.0 + 0.0, 40 1_960),
};
const AU: Plan = Plan {
    dial: tone!(413.0 + 438.0),
    ringback: tone!(413.0 + 438.0, 400 200, 400 2_000),
    busy: tone!(425.0 + 0.0, 375 375),
    reorder: tone!(425.0 + 0.0, 375 375),
    waiting: tone!(425.0 + 0.0, 200 200, 200 4_400),
};
const BR: Plan = Plan {
    dial: tone!(425.0 + 0.0),
    ringback: tone!(425.0 + 0.0, 1_000 4_000),
    busy: tone!(425.0 + 0.0, 250 250),
    reorder: tone!(425.0 + 0.0, 250 250, 750 250),
    waiting: tone!(425.0 + 0.0, 50 1_000),
};
const CH: Plan = Plan {
    dial: tone!(425.0 + 0.0),
    ringback: tone!(425.0 + 0.0, 1_000 4_000),
    busy: tone!(425.0 + 0.0, 500 500),
    reorder: tone!(425.0 + 0.0, 200 200),
    waiting: tone!(425.0 + 0.0, 200 200, 200 4_000),
};
const CN: Plan = Plan {
    dial: tone!(450.0 + 0.0),
    ringback: tone!(450.0 + 0.0, 1_000 4_000),
    busy: tone!(450.0 + 0.0, 350 350),
    reorder: tone!(450.0 + 0.0, 700 700),
    waiting: tone!(450.0 + 0.0, 400 4_000),
};
const DE: Plan = Plan {
    dial: tone!(425.0 + 0.0),
    ringback: tone!(425.0 + 0.0, 1_000 4_000),
    busy: tone!(425.0 + 0.0, 480 480),
    reorder: tone!(425.0 + 0.0, 240 240),
    waiting: tone!(425.0 + 0.0, 200 200, 200 5_000),
};
const ES: Plan = Plan {
    dial: tone!(425.0 + 0.0),
    ringback: tone!(425.0 + 0.0, 1_500 3_000),
    busy: tone!(425.0 + 0.0, 200 200),
    reorder: tone!(425.0 + 0.0, 200 200, 200 200, 200 600),
    waiting: tone!(425.0 + 0.0, 175 175, 175 3_500),
};
const FR: Plan = Plan {
    dial: tone!(440.0 + 0.0),
    ringback: tone!(440.0 + 0.0, 1_500 3_500),
    busy: tone!(440.0 + 0.0, 500 500),
    reorder: tone!(440.0 + 0.0, 250 250),
    waiting: tone!(440.0 + 0.0, 300 10_000),
};
const GB: Plan = Plan {
    dial: tone!(350.0 + 440.0),
    ringback: tone!(400.0 + 450.0, 400 200, 400 2_000),
    busy: tone!(400.0 + 0.0, 375 375),
    reorder: tone!(400.0 + 0.0, 400 350, 225 525),
    waiting: tone!(400.0 + 0.0, 100 2_000),
};
const IT: Plan = Plan {
    dial: tone!(425.0 + 0.0, 200 200, 600 1_000),
    ringback: tone!(425.0 + 0.0, 1_000 4_000),
    busy: tone!(425.0 + 0.0, 500 500),
    reorder: tone!(425.0 + 0.0, 200 200),
    waiting: tone!(425.0 + 0.0, 400 100, 250 100, 150 14_000),
};
const JP: Plan = Plan {
    dial: tone!(400.0 + 0.0),
    ringback: tone!(384.0 + 416.0, 1_000 2_000),
    busy: tone!(400.0 + 0.0, 500 500),
    reorder: tone!(400.0 + 0.0, 500 500),
    waiting: tone!(384.0 + 416.0, 500 4_000),
};
const NL: Plan = Plan {
    dial: tone!(425.0 + 0.0),
    ringback: tone!(425.0 + 0.0, 1_000 4_000),
    busy: tone!(425.0 + 0.0, 500 500),
    reorder: tone!(425.0 + 0.0, 250 250),
    waiting: tone!(425.0 + 0.0, 500 9_500),
};
const PL: Plan = Plan {
    dial: tone!(425.0 + 0.0),
    ringback: tone!(425.0 + 0.0, 1_000 4_000),
    busy: tone!(425.0 + 0.0, 500 500),
    reorder: tone!(425.0 + 0.0, 500 500),
    waiting: tone!(425.0 + 0.0, 150 150, 150 4_000),
};
const SE: Plan = Plan {
    dial: tone!(425.0 + 0.0),
    ringback: tone!(425.0 + 0.0, 1_000 5_000),
    busy: tone!(425.0 + 0.0, 250 250),
    reorder: tone!(425.0 + 0.0, 250 750),
    waiting: tone!(425.0 + 0.0, 200 500, 200 4_000),
};
const US: Plan = Plan {
    dial: tone!(350.0 + 440.0),
    ringback: tone!(440.0 + 480.0, 2_000 4_000),
    busy: tone!(480.0 + 620.0, 500 500),
    reorder: tone!(480.0 + 620.0, 250 250),
    waiting: tone!(440.0 + 0.0, 300 10_000),
};
