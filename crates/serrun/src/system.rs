//! The name of what is trained.

use std::{cmp::Ordering, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Most characters of a name.
const LONGEST: usize = 32;

/// TIM-Net and what the paper compares it with, in the order of summaries, with their names in print.
const KNOWN: [(&str, &str); 8] = [
    ("tim-net", "TIM-Net"),
    ("no-bd", "w/o BD"),
    ("no-ms", "w/o MS"),
    ("no-df", "w/o DF"),
    ("tcn", "TCN"),
    ("gm-tcn", "GM-TCN"),
    ("cpac", "CPAC"),
    ("light-sernet", "Light-SERNet"),
];

/// The name of a system, in files and on the command line: `[a-z0-9][a-z0-9-]{0,31}`. TIM-Net comes first, then what the paper compares
/// it with, then others by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct System(String);

impl System {
    /// TIM-Net.
    pub fn tim_net() -> Self {
        Self(KNOWN[0].0.to_owned())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in print: TIM-Net for `tim-net`; a system that the paper does not have by its own name.
    pub fn title(&self) -> &str {
        KNOWN.iter().find(|(name, _)| *name == self.0).map_or(&self.0, |(_, title)| title)
    }

    /// Whether it is TIM-Net, which the others are compared with.
    pub fn is_tim_net(&self) -> bool {
        self.0 == KNOWN[0].0
    }

    fn place(&self) -> (usize, &str) {
        (KNOWN.iter().position(|(name, _)| *name == self.0).unwrap_or(KNOWN.len()), &self.0)
    }
}

impl Ord for System {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for System {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for System {
    type Err = BadSystemName;

    fn from_str(text: &str) -> Result<Self, BadSystemName> {
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let fine = text.starts_with(letter) && text.chars().all(|c| letter(c) || c == '-') && text.len() <= LONGEST;
        if fine { Ok(Self(text.to_owned())) } else { Err(BadSystemName(text.to_owned())) }
    }
}

impl TryFrom<String> for System {
    type Error = BadSystemName;

    fn try_from(text: String) -> Result<Self, BadSystemName> {
        text.parse()
    }
}

impl From<System> for String {
    fn from(system: System) -> Self {
        system.0
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text that can't name a system.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` cannot name a system: take 1 to 32 lower-case letters, digits and `-`, the first of them a letter or a digit", .0.escape_debug())]
pub struct BadSystemName(String);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn tim_net_comes_first_and_strange_names_are_refused() {
        let mut all: Vec<System> = ["tcn", "zz", "aa", "no-bd", "tim-net"].iter().map(|n| n.parse().unwrap()).collect();
        all.sort();
        let names: Vec<&str> = all.iter().map(System::as_str).collect();
        assert_eq!(names, ["tim-net", "no-bd", "tcn", "aa", "zz"]);
        assert_eq!((all[1].title(), all[3].title()), ("w/o BD", "aa"));
        for bad in ["", "-a", "../a", "a/b", "Tcn", "a b"] {
            assert!(serde_json::from_value::<System>(serde_json::json!(bad)).is_err(), "{bad}");
        }
    }
}
