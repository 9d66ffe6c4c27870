//! What an interval is over.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What was resampled for an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Each utterance by itself: the interval holds for further utterances of these speakers.
    Utterances,
    /// All utterances of a speaker together: it holds for further speakers.
    Speakers,
}

/// How many of what an interval is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Over {
    /// What was resampled.
    pub unit: Unit,
    /// How many there are.
    pub count: usize,
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Utterances => "utterances",
            Unit::Speakers => "speakers",
        };
        write!(f, "{} {unit}", self.count)
    }
}
