//! What the levels of folders above the recordings mean.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use super::words;
use crate::{Part, nearest};

/// What the folders of one level name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Class,
    Speaker,
    Session,
    Split,
    /// Something that does not count: a corpus among several.
    Corpus,
}

const LEVELS: [(Level, &str); 5] = [
    (Level::Class, "class"),
    (Level::Speaker, "speaker"),
    (Level::Session, "session"),
    (Level::Split, "split"),
    (Level::Corpus, "corpus"),
];

/// What the folders below a root name, outermost first: `class`, `speaker/class`, `split/class/speaker`. Folders further down do not
/// count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout(Vec<Level>);

impl Layout {
    fn of(levels: impl Into<Vec<Level>>) -> Self {
        Self(levels.into())
    }

    /// Which folder, counted from the root, names this.
    pub(crate) fn place(&self, level: Level) -> Option<usize> {
        self.0.iter().position(|&of| of == level)
    }

    /// Levels down to the class folder.
    pub(crate) fn class_depth(&self) -> usize {
        self.place(Level::Class).map_or(1, |place| place + 1)
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |level: &Level| LEVELS.iter().find(|(known, _)| known == level).map_or("", |&(_, name)| name);
        f.write_str(&self.0.iter().map(name).collect::<Vec<_>>().join("/"))
    }
}

impl FromStr for Layout {
    type Err = String;

    /// Levels separated by `/`, in any case: one of them `class`, none of them twice.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut levels = Vec::new();
        for word in text.split('/') {
            let known = LEVELS.iter().find(|(_, name)| name.eq_ignore_ascii_case(word.trim()));
            let Some(&(level, name)) = known else {
                let hint = nearest::hint(word, LEVELS.map(|(_, name)| name));
                return Err(format!(
                    "`{word}` is no level of folders{hint}: class, speaker, session, split and corpus are known"
                ));
            };
            if levels.contains(&level) {
                return Err(format!("`{name}` stands twice in `{text}`"));
            }
            levels.push(level);
        }
        if levels.contains(&Level::Class) {
            Ok(Self(levels))
        } else {
            Err(format!(
                "`{text}` lacks the level that names the classes: class, speaker/class or split/class, for example"
            ))
        }
    }
}

/// How the folders can be read.
#[derive(Debug, PartialEq)]
pub(super) enum Reading {
    /// In one way. `plain` is the class folders below the root that everybody expects, of which nothing is to be said.
    One { layout: Layout, plain: bool },
    /// In several.
    Several(Vec<Layout>),
    /// In none: parts of a split hold the recordings themselves.
    None,
}

/// Tell what the folders name: parts of a split, speakers and corpora by their names, classes by words for emotions.
/// `rows` are the folders above each recording.
pub(super) fn recognise(rows: &[Vec<String>]) -> Reading {
    let tops = level(rows, 0);
    let deeper = !level(rows, 1).is_empty();
    let parts = tops.iter().filter(|name| Part::parse(name).is_some()).count();
    if !deeper && parts > 0 && parts == tops.len() {
        return Reading::None;
    }
    if deeper && parts > 0 && parts == tops.len() {
        let readings = below(rows, 1).into_iter().map(|rest| Layout::of([&[Level::Split], &rest[..]].concat()));
        return one_or_several(readings.collect());
    }
    if deeper && parts > 1 {
        return Reading::Several(vec![Layout::of([Level::Split, Level::Class]), Layout::of([Level::Class])]);
    }
    one_or_several(below(rows, 0).into_iter().map(Layout).collect())
}

fn one_or_several(mut readings: Vec<Layout>) -> Reading {
    if readings.len() > 1 {
        return Reading::Several(readings);
    }
    let layout = readings.pop().unwrap_or(Layout::of([Level::Class]));
    Reading::One { plain: layout.0 == [Level::Class], layout }
}

/// The readings of the levels from `at` on.
fn below(rows: &[Vec<String>], at: usize) -> Vec<Vec<Level>> {
    use Level::{Class, Corpus, Speaker, Split};
    let (one, two) = (level(rows, at), level(rows, at + 1));
    let emotions = [&one, &two].map(|names| words::are_emotions(names.iter().copied()));
    let speakers = [&one, &two].map(|names| words::are_speakers(names.iter().copied()));
    if !two.is_empty() && two.iter().all(|name| Part::parse(name).is_some()) {
        return vec![vec![Class, Split]];
    }
    match emotions {
        [true, _] if speakers[1] => vec![vec![Class, Speaker]],
        [true, _] => vec![vec![Class]],
        [false, true] if speakers[0] => vec![vec![Speaker, Class]],
        [false, true] if words::are_corpora(one.iter().copied()) => vec![vec![Corpus, Class]],
        [false, true] if one.len() > 1 => vec![vec![Speaker, Class], vec![Corpus, Class]],
        [false, true] => vec![vec![Class]],
        [false, false] if !crossed(rows, at) => vec![vec![Class]],
        [false, false] if speakers[0] && !speakers[1] => vec![vec![Speaker, Class]],
        [false, false] if speakers[1] => vec![vec![Class, Speaker]],
        [false, false] => vec![vec![Class], vec![Speaker, Class]],
    }
}

/// The names of one level.
fn level(rows: &[Vec<String>], at: usize) -> BTreeSet<&str> {
    rows.iter().filter_map(|folders| folders.get(at)).map(String::as_str).collect()
}

/// Do names of the second level stand below several of the first, so that either may be the classes?
fn crossed(rows: &[Vec<String>], at: usize) -> bool {
    let mut above = BTreeMap::<&str, BTreeSet<&str>>::new();
    for folders in rows {
        if let (Some(one), Some(two)) = (folders.get(at), folders.get(at + 1)) {
            above.entry(two).or_default().insert(one);
        }
    }
    above.len() > 1 && above.values().any(|tops| tops.len() > 1)
}

/// `3 classes (angry, neutral, sad)`, of the folders at a level.
pub(super) fn names_at(rows: &[Vec<String>], at: usize) -> String {
    const SHOWN: usize = 8;
    let names: Vec<&str> = level(rows, at).into_iter().collect();
    let mut text = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

/// What the levels hold, for a sentence: `classes angry, sad; splits test, train`.
pub(super) fn describe(layout: &Layout, rows: &[Vec<String>]) -> String {
    let plural = |level: Level| match level {
        Level::Class => "classes",
        Level::Speaker => "speakers",
        Level::Session => "sessions",
        Level::Split => "parts of a split",
        Level::Corpus => "corpora",
    };
    let mut levels: Vec<(usize, Level)> = (0..).zip(layout.0.iter().copied()).collect();
    levels.sort_by_key(|&(_, level)| level != Level::Class);
    let parts: Vec<String> =
        levels.into_iter().map(|(at, level)| format!("{} {}", plural(level), names_at(rows, at))).collect();
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn readings(paths: &[&str]) -> Vec<String> {
        let rows: Vec<Vec<String>> = paths.iter().map(|p| p.split('/').map(str::to_owned).collect()).collect();
        match recognise(&rows) {
            Reading::One { layout, .. } => vec![layout.to_string()],
            Reading::Several(layouts) => layouts.iter().map(ToString::to_string).collect(),
            Reading::None => Vec::new(),
        }
    }

    #[test]
    fn layouts_are_told_by_names_or_asked_for() {
        for (paths, wanted) in [
            (&["angry", "sad"][..], &["class"][..]),
            (&["a/x", "b/y"], &["class"]),
            (&["train/angry", "Test/sad", "dev/sad"], &["split/class"]),
            (&["train/spk1/angry", "test/spk2/sad"], &["split/speaker/class"]),
            (&["train/angry/spk1", "test/sad/spk2"], &["split/class/speaker"]),
            (&["train/a", "test/a", "more/a"], &["split/class", "class"]),
            (&["angry/train", "sad/test"], &["class/split"]),
            (&["spk1/angry", "spk2/sad"], &["speaker/class"]),
            (&["angry/spk1", "sad/spk2"], &["class/speaker"]),
            (&["anna/angry", "bert/sad"], &["speaker/class", "corpus/class"]),
            (&["emodb/angry", "tess/sad"], &["corpus/class"]),
            (&["ok/mon", "ok/tue", "bad/mon"], &["class", "speaker/class"]),
            (&["spk1/ok", "spk2/ok", "spk2/bad"], &["speaker/class"]),
            (&["ok/wav", "bad/wav"], &["class"]),
            (&["", ""], &["class"]),
            (&["train", "test"], &[]),
        ] {
            assert_eq!(readings(paths), wanted, "{paths:?}");
        }
    }

    #[test]
    fn layouts_are_read_as_they_are_written() {
        for text in ["class", "speaker/class", "split/class/speaker", "corpus/session/class"] {
            assert_eq!(text.parse::<Layout>().unwrap().to_string(), text);
        }
        assert_eq!("Class".parse::<Layout>().unwrap().class_depth(), 1);
        for (text, part) in [
            ("speker/class", "did you mean `speaker`?"),
            ("speaker", "lacks the level"),
            ("class/class", "twice"),
            ("", "is no level"),
        ] {
            let error = text.parse::<Layout>().unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
