//! Chance that nobody can guess, for keys.

/// A source of random bytes that are fit for keys. The program gives the system's; tests give one
/// that they know.
pub trait Entropy: Send {
    /// Fills `out`. A source that cannot give more ends the program rather than giving less.
    fn fill(&mut self, out: &mut [u8]);
}

/// Makes one.
pub type EntropySource = fn() -> Box<dyn Entropy>;
