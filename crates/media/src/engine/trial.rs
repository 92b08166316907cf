//! Trying the devices out of a call: a tone that is heard, or a few seconds that are recorded and
//! played back, as the other side of a call would hear them.

use offhook_model::{Role, SoundTest, TestPhase};

use crate::dsp::{RATE, Tone, TonePlayer};

/// How much is recorded.
const LENGTH: usize = 4 * RATE as usize;

/// How long a microphone may take to open.
const PATIENCE: usize = 3 * RATE as usize;

enum State {
    /// Frames that were waited for the microphone, and what it gave.
    Recording(usize, Vec<f32>),
    /// What is played, and how much of it was.
    Playing(Vec<f32>, usize),
    Tone(TonePlayer),
    Over,
}

/// One try.
pub(super) struct Trial {
    role: Role,
    state: State,
    peak: f32,
    /// What was told last.
    told: Option<SoundTest>,
}

impl Trial {
    pub(super) fn new(role: Role) -> Self {
        let state = match role {
            Role::Input => State::Recording(0, Vec::with_capacity(LENGTH)),
            Role::Output | Role::Ringer => State::Tone(TonePlayer::new(Tone::Test, None)),
        };
        Self { role, state, peak: 0.0, told: None }
    }

    pub(super) fn records(&self) -> bool {
        matches!(self.state, State::Recording(..))
    }

    /// It is heard on the output, or on the ringer.
    pub(super) fn plays(&self, ringer: bool) -> bool {
        let here = (self.role == Role::Ringer) == ringer;
        here && matches!(self.state, State::Playing(..) | State::Tone(_))
    }

    /// The microphone gave this, or nothing that can be one.
    pub(super) fn hear(&mut self, frame: &[f32], open: bool) {
        let State::Recording(waited, kept) = &mut self.state else { return };
        if open {
            kept.extend_from_slice(frame);
            self.peak = frame.iter().fold(self.peak, |peak, sample| peak.max(sample.abs()));
        } else {
            *waited += frame.len();
        }
        if kept.len() >= LENGTH {
            self.state = State::Playing(std::mem::take(kept), 0);
        } else if *waited >= PATIENCE {
            self.state = State::Over;
        }
    }

    /// Adds what is to be heard.
    pub(super) fn add(&mut self, mix: &mut [f32]) {
        let more = match &mut self.state {
            State::Tone(tone) => tone.add(mix),
            State::Playing(kept, at) => {
                let rest = kept.get(*at..).unwrap_or(&[]);
                for (mixed, sample) in mix.iter_mut().zip(rest) {
                    *mixed += sample;
                }
                *at += mix.len();
                *at < kept.len()
            }
            State::Recording(..) | State::Over => return,
        };
        if !more {
            self.state = State::Over;
        }
    }

    /// Somebody needs the devices.
    pub(super) fn stop(&mut self) {
        self.state = State::Over;
    }

    /// How it stands, where that is news.
    pub(super) fn news(&mut self) -> Option<SoundTest> {
        let phase = match self.state {
            State::Recording(..) => TestPhase::Recording,
            State::Playing(..) | State::Tone(_) => TestPhase::Playing,
            State::Over => TestPhase::Done,
        };
        let measured = self.role == Role::Input && phase != TestPhase::Recording;
        let peak_db = measured.then(|| decibel(self.peak)).flatten();
        let test = SoundTest { role: self.role, phase, peak_db };
        (self.told != Some(test)).then(|| *self.told.insert(test))
    }
}

/// Whole decibels below full scale; nothing for what is nothing.
fn decibel(peak: f32) -> Option<i32> {
    (peak > 0.0).then(|| (20.0 * peak.log10()).round() as i32)
}

#[cfg(test)]
mod tests {
    use super::{LENGTH, PATIENCE, Trial};
    use offhook_model::{Role, TestPhase};

    fn phase(trial: &mut Trial) -> Option<TestPhase> {
        trial.news().map(|test| test.phase)
    }

    #[test]
    fn what_was_said_is_played_back_and_measured() {
        let mut trial = Trial::new(Role::Input);
        assert_eq!(phase(&mut trial), Some(TestPhase::Recording));
        trial.hear(&[0.9; 960], false);
        for _ in 0..LENGTH / 960 {
            trial.hear(&[0.1; 960], true);
        }
        let test = trial.news().expect("news");
        assert_eq!((test.phase, test.peak_db), (TestPhase::Playing, Some(-20)));
        assert!(trial.plays(false) && !trial.plays(true));
        for _ in 0..LENGTH / 960 {
            let mut mix = [0.0; 960];
            trial.add(&mut mix);
            assert_eq!(mix[959], 0.1);
        }
        assert_eq!(phase(&mut trial), Some(TestPhase::Done));
        assert_eq!(phase(&mut trial), None, "told once");
    }

    #[test]
    fn a_microphone_that_never_opens_or_gives_nothing_has_no_level() {
        let mut trial = Trial::new(Role::Input);
        for _ in 0..PATIENCE / 960 {
            trial.hear(&[0.0; 960], false);
        }
        let test = trial.news().expect("news");
        assert_eq!((test.phase, test.peak_db), (TestPhase::Done, None));
        let mut trial = Trial::new(Role::Input);
        for _ in 0..LENGTH / 960 {
            trial.hear(&[0.0; 960], true);
        }
        let test = trial.news().expect("news");
        assert_eq!((test.phase, test.peak_db), (TestPhase::Playing, None));
    }

    #[test]
    fn a_tone_ends_by_itself_and_is_heard_where_it_is_wanted() {
        let mut trial = Trial::new(Role::Ringer);
        assert!(trial.plays(true) && !trial.plays(false));
        let mut loudest = 0.0f32;
        for _ in 0..500 {
            let mut mix = [0.0; 960];
            trial.add(&mut mix);
            loudest = mix.iter().fold(loudest, |peak, sample| peak.max(*sample));
        }
        assert!(loudest > 0.05);
        assert_eq!(phase(&mut trial), Some(TestPhase::Done));
    }
}
