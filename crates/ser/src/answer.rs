//! What a model says of a piece of a recording, and how that is told in JSON.

use serde::{Serialize, Serializer};

/// What a model says of a piece of a recording.
#[derive(Debug)]
pub struct Answer {
    /// In seconds.
    pub start: f64,
    /// In seconds.
    pub end: f64,
    /// None where nobody speaks.
    pub verdict: Option<Verdict>,
}

/// What a model says where somebody speaks.
#[derive(Debug)]
pub struct Verdict {
    /// One a class.
    pub probabilities: Vec<f32>,
    /// The most probable class.
    pub label: usize,
    /// Whether the model abstains from naming it.
    pub unknown: bool,
}

/// An answer as an object of JSON.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    start: f64,
    end: f64,
    label: &'a str,
    speech: bool,
    abstained: bool,
    confidence: Option<f32>,
    probabilities: Option<Probabilities<'a>>,
}

/// An object in the order of the classes.
#[derive(Debug)]
struct Probabilities<'a>(&'a [String], &'a [f32]);

impl Serialize for Probabilities<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().zip(self.1))
    }
}

impl Verdict {
    /// Probability of the most probable class.
    pub fn confidence(&self) -> f32 {
        self.probabilities[self.label]
    }
}

impl Answer {
    /// The answer in a word: a label, `unknown` or `no-speech`.
    pub fn word<'a>(&self, labels: &'a [String]) -> &'a str {
        match &self.verdict {
            None => "no-speech",
            Some(verdict) if verdict.unknown => "unknown",
            Some(verdict) => &labels[verdict.label],
        }
    }

    /// As an object of JSON, with the recording's path where one is given.
    pub fn line<'a>(&'a self, path: Option<&'a str>, labels: &'a [String]) -> Line<'a> {
        let verdict = self.verdict.as_ref();
        Line {
            path,
            start: self.start,
            end: self.end,
            label: self.word(labels),
            speech: verdict.is_some(),
            abstained: verdict.is_some_and(|v| v.unknown),
            confidence: verdict.map(Verdict::confidence),
            probabilities: verdict.map(|v| Probabilities(labels, &v.probabilities)),
        }
    }
}
