//! Concealment for waveform coders, in the manner of ITU-T G.711 Appendix I.
//!
//! The last pitch period is repeated, then the last two, then the last three, so that a longer
//! gap does not buzz; from 10 ms on the sound fades, and is silent after 60 ms. The first sound
//! after the gap is blended in. Unlike the appendix nothing is delayed: instead of changing what
//! was played before the gap, the step at its beginning is spread over a quarter of a period.

/// Longest pitch period looked for: 15 ms, 66 Hz.
const MAX_PERIOD_US: usize = 15_000;
/// Shortest pitch period looked for: 2.5 ms, 400 Hz.
const MIN_PERIOD_US: usize = 2_500;
/// Sound compared when looking for the period: 20 ms, as in the appendix.
const COMPARE_US: usize = 20_000;
/// History: three of the longest periods and a quarter more, or comparison plus longest period.
const HISTORY_US: usize = 48_750;
/// Full level until here.
const FADE_FROM_US: usize = 10_000;
/// Silence from here on.
const FADE_TO_US: usize = 60_000;
/// Longest blend after a gap.
const MAX_BLEND_US: usize = 10_000;

/// Where in the repeated waveform we are.
#[derive(Clone, Copy, Default)]
struct Place {
    /// How many of the last periods are repeated, 1 to 3.
    periods: usize,
    /// Sample within them.
    at: usize,
}

/// Keeps the sound last heard and continues it.
pub(crate) struct Concealer {
    /// Newest sample last.
    history: Vec<i16>,
    /// The history as it was when the gap began.
    frozen: Vec<i16>,
    /// Samples per millisecond.
    per_ms: usize,
    /// Pitch period of the present gap in samples; 0 when there is no gap.
    period: usize,
    /// What is repeated now.
    place: Place,
    /// What was repeated before, and for how many more samples it is to be heard in the blend.
    leaving: (Place, usize),
    /// Samples invented in this gap.
    invented: usize,
    /// Step at the beginning of the gap, to be spread.
    step: f32,
}

impl Concealer {
    /// For a sample rate in hertz, 8,000 or more.
    pub(crate) fn new(rate: usize) -> Self {
        let per_ms = rate / 1_000;
        let history = vec![0; HISTORY_US * per_ms / 1_000];
        Self {
            frozen: history.clone(),
            history,
            per_ms,
            period: 0,
            place: Place::default(),
            leaving: (Place::default(), 0),
            invented: 0,
            step: 0.0,
        }
    }

    fn samples(&self, microseconds: usize) -> usize {
        microseconds * self.per_ms / 1_000
    }

    /// Sound that came. Blends its beginning with the continuation when it ends a gap.
    pub(crate) fn received(&mut self, sound: &mut [i16]) {
        if self.period != 0 {
            self.blend(sound);
            self.period = 0;
        }
        self.remember(sound);
    }

    /// Continues the last sound into `out`.
    pub(crate) fn conceal(&mut self, out: &mut [i16]) {
        if self.period == 0 {
            self.begin();
        }
        for sample in out.iter_mut() {
            *sample = self.next() as i16;
        }
        self.remember(out);
    }

    fn remember(&mut self, sound: &[i16]) {
        let keep = self.history.len();
        let new = &sound[sound.len().saturating_sub(keep)..];
        self.history.copy_within(new.len().., 0);
        self.history[keep - new.len()..].copy_from_slice(new);
    }

    fn begin(&mut self) {
        self.frozen.copy_from_slice(&self.history);
        self.period = find_period(
            &self.frozen,
            self.samples(MIN_PERIOD_US),
            self.samples(MAX_PERIOD_US),
            self.samples(COMPARE_US),
        );
        self.invented = 0;
        self.place = Place { periods: 1, at: 0 };
        self.leaving = (self.place, 0);
        let end = self.frozen.len();
        self.step = f32::from(self.frozen[end - 1]) - f32::from(self.frozen[end - 1 - self.period]);
    }

    /// Blends the beginning of the sound after the gap with the continuation: a quarter period,
    /// and 4 ms more for each 10 ms of gap after the first.
    fn blend(&mut self, sound: &mut [i16]) {
        let grown = self.period / 4 + self.invented.saturating_sub(10 * self.per_ms) * 2 / 5;
        let count = grown.min(self.samples(MAX_BLEND_US)).min(sound.len());
        for (index, sample) in sound[..count].iter_mut().enumerate() {
            let rise = (index + 1) as f32 / (count + 1) as f32;
            let old = self.next();
            *sample = (old * (1.0 - rise) + f32::from(*sample) * rise) as i16;
        }
    }

    /// The waveform at a place. The last quarter period before the wrap is blended with what
    /// stands before the place it wraps to.
    fn waveform(&self, place: Place) -> f32 {
        let length = place.periods * self.period;
        let begin = self.frozen.len() - length;
        let quarter = self.period / 4;
        let value = f32::from(self.frozen[begin + place.at]);
        let left = length - place.at;
        if left > quarter {
            return value;
        }
        let before = f32::from(self.frozen[begin - left]);
        let rise = (quarter + 1 - left) as f32 / (quarter + 1) as f32;
        value * (1.0 - rise) + before * rise
    }

    fn advance(&self, place: Place) -> Place {
        Place { at: (place.at + 1) % (place.periods * self.period), ..place }
    }

    /// After 10 ms two periods are repeated, after 20 ms three.
    fn widen(&mut self) {
        let stage = 10 * self.per_ms;
        if self.invented != stage && self.invented != 2 * stage {
            return;
        }
        self.leaving = (self.place, self.period / 4);
        // The same phase, one period earlier.
        self.place.periods += 1;
    }

    fn next(&mut self) -> f32 {
        self.widen();
        let quarter = self.period / 4;
        let mut value = self.waveform(self.place);
        self.place = self.advance(self.place);
        let (old, left) = self.leaving;
        if left > 0 {
            let fall = left as f32 / (quarter + 1) as f32;
            value = value * (1.0 - fall) + self.waveform(old) * fall;
            self.leaving = (self.advance(old), left - 1);
        }
        if self.invented < quarter {
            value += self.step * (quarter - self.invented) as f32 / (quarter + 1) as f32;
        }
        let (from, to) = (self.samples(FADE_FROM_US), self.samples(FADE_TO_US));
        let gain = match self.invented {
            at if at < from => 1.0,
            at if at < to => (to - at) as f32 / (to - from) as f32,
            _ => 0.0,
        };
        self.invented += 1;
        value * gain
    }
}

/// The lag between `min` and `max` at which the newest `compare` samples resemble what came
/// before most (normalised correlation). Searched coarsely first, then by single samples.
pub(crate) fn find_period(history: &[i16], min: usize, max: usize, compare: usize) -> usize {
    let coarse = (min / 20).max(1);
    let first = best_lag(history, (min..=max).step_by(coarse), compare, coarse);
    let from = first.saturating_sub(coarse - 1).max(min);
    best_lag(history, from..=(first + coarse - 1).min(max), compare, 1)
}

fn best_lag(
    history: &[i16],
    lags: impl Iterator<Item = usize>,
    compare: usize,
    thin: usize,
) -> usize {
    let end = history.len();
    let mut best = (f32::MIN, 0);
    for lag in lags {
        let compare = compare.min(end.saturating_sub(lag));
        let newest = &history[end - compare..];
        let earlier = &history[end - compare - lag..end - lag];
        let (mut product, mut energy) = (0.0f32, 1.0f32);
        for (a, b) in newest.iter().zip(earlier).step_by(thin) {
            let (a, b) = (f32::from(*a), f32::from(*b));
            product += a * b;
            energy += b * b;
        }
        let likeness = product / energy.sqrt();
        if likeness > best.0 {
            best = (likeness, lag);
        }
    }
    best.1.max(1)
}
