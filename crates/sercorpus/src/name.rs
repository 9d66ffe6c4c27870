//! The name of a corpus: one of the six, or one of the user's own.

use std::{cmp::Ordering, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::CorpusKind;

/// Most characters of a name.
const LONGEST: usize = 32;

/// The name of a corpus, in files, tables and on the command line: `[a-z0-9][a-z0-9_-]{0,31}`, so that it is the same on every file
/// system and needs no quoting anywhere. The six known corpora come first, in the order of the paper's tables, then others by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CorpusName(String);

impl CorpusName {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The known corpus of this name; None for a corpus of the user's own.
    pub fn kind(&self) -> Option<CorpusKind> {
        CorpusKind::ALL.into_iter().find(|kind| kind.name() == self.0)
    }
}

impl Ord for CorpusName {
    fn cmp(&self, other: &Self) -> Ordering {
        let place = |name: &Self| name.kind().is_none();
        place(self).cmp(&place(other)).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for CorpusName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for CorpusName {
    type Err = BadCorpusName;

    /// In any letter case, as the names of the known corpora are read.
    fn from_str(text: &str) -> Result<Self, BadCorpusName> {
        let name = text.to_ascii_lowercase();
        let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let starts = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if starts && name.chars().all(fine) && name.len() <= LONGEST {
            Ok(Self(name))
        } else {
            Err(BadCorpusName(text.into()))
        }
    }
}

impl TryFrom<String> for CorpusName {
    type Error = BadCorpusName;

    fn try_from(text: String) -> Result<Self, BadCorpusName> {
        text.parse()
    }
}

impl From<CorpusName> for String {
    fn from(name: CorpusName) -> Self {
        name.0
    }
}

impl From<CorpusKind> for CorpusName {
    fn from(kind: CorpusKind) -> Self {
        Self(kind.name().to_owned())
    }
}

impl fmt::Display for CorpusName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text that can't name a corpus.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` cannot name a corpus: take 1 to 32 lower-case letters, digits, `-` and `_`, the first of them a letter or a digit", .0.escape_debug())]
pub struct BadCorpusName(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for fine in ["emodb", "my-corpus_2", "0", "a2345678901234567890123456789012"] {
            assert_eq!(fine.parse::<CorpusName>().unwrap().as_str(), fine);
        }
        assert_eq!("EmoDB".parse::<CorpusName>().unwrap().kind(), Some(CorpusKind::Emodb));
        assert_eq!("mine".parse::<CorpusName>().unwrap().kind(), None);
        for bad in
            ["", "-a", "_a", "a b", "../a", "a/b", "ä", "a\n", "a23456789012345678901234567890123", "con.", "a=b"]
        {
            assert!(bad.parse::<CorpusName>().is_err(), "{bad}");
            assert!(serde_json::from_value::<CorpusName>(serde_json::json!(bad)).is_err(), "{bad}");
        }
        assert!(CorpusKind::ALL.windows(2).all(|k| CorpusName::from(k[0]) < CorpusName::from(k[1])));
        let own = |name: &str| name.parse::<CorpusName>().unwrap();
        assert!(CorpusName::from(CorpusKind::Savee) < own("aibo") && own("aibo") < own("b"));
    }
}
