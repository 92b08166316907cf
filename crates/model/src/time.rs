//! Time as an argument: nobody below the engine reads a clock.

use std::fmt;
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Wall-clock time in milliseconds since 1970-01-01T00:00:00Z. Written as RFC 3339 with
/// milliseconds in UTC wherever it leaves the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads RFC 3339. `None` when the text is no date.
    pub fn parse(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|time| Self(time.timestamp_millis()))
    }

    /// This time as chrono knows it, for formatting. Times chrono cannot hold become the epoch.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
    }
}

/// One reading of both clocks, taken by the engine and handed inward with every event.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Monotonic, for timers and durations.
    pub at: Instant,
    /// Wall clock, for what people read.
    pub wall: Timestamp,
}

impl Moment {
    /// The same reading, later by `step`. Tests advance time with it.
    pub fn plus(self, step: Duration) -> Self {
        Self {
            at: self.at + step,
            wall: Timestamp(self.wall.0 + i64::try_from(step.as_millis()).unwrap_or(i64::MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn a_timestamp_survives_its_text() {
        let time = Timestamp(1_795_351_152_123);
        assert_eq!(time.to_string(), "2026-11-22T12:39:12.123Z");
        assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
    }
}
