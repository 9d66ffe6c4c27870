//! Durations on the command line and in messages.

use std::{str::FromStr, time::Duration};

/// Duration in seconds, finite and at least 0, at most a year; written `3`, `3s`, `500ms`, `2min` or `1h`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Seconds(f64);

const UNITS: [(&str, f64); 4] = [("ms", 1e-3), ("min", 60.0), ("s", 1.0), ("h", 3600.0)];
const YEAR: f64 = 365.0 * 86_400.0;

impl Seconds {
    /// In seconds.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl From<Seconds> for Duration {
    fn from(Seconds(seconds): Seconds) -> Self {
        Self::from_secs_f64(seconds)
    }
}

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unit = UNITS.iter().find_map(|(name, factor)| Some((text.strip_suffix(name)?, *factor)));
        let (number, factor) = unit.unwrap_or((text, 1.0));
        let seconds = number.trim().parse::<f64>().ok().map(|n| n * factor).filter(|s| (0.0..=YEAR).contains(s));
        seconds.map(Self).ok_or_else(|| "expected a time such as 3, 3s, 500ms, 2min or 1h".to_owned())
    }
}

/// A duration in the unit that fits: `42 s`, `12 min`, `3.5 h`.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_time_has_a_unit_or_is_in_seconds() {
        for (text, seconds) in
            [("3", 3.0), ("3s", 3.0), ("0.5 s", 0.5), ("500ms", 0.5), ("2min", 120.0), ("1.5h", 5400.0), ("0", 0.0)]
        {
            assert!((text.parse::<Seconds>().unwrap().get() - seconds).abs() < 1e-12, "{text}");
        }
        for text in ["", "s", "-1", "nan", "inf", "3m", "three", "1e300h"] {
            assert!(text.parse::<Seconds>().unwrap_err().contains("500ms"), "{text}");
        }
    }

    #[test]
    fn a_duration_is_told_in_the_unit_that_fits() {
        assert_eq!([3.2, 89.0, 90.0, 5399.0, 5400.0].map(duration), ["3 s", "89 s", "2 min", "90 min", "1.5 h"]);
    }
}
