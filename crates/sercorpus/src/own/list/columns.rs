//! Which column of a list means what.

use std::collections::HashSet;

use super::table::{Cell, Table};
use crate::nearest;

/// What a column can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Path,
    Label,
    Id,
    /// An id where it is one: other lists have what was said, or count anew in every dialog.
    Utterance,
    Speaker,
    Sex,
    Session,
    Text,
    Take,
    Intensity,
    Split,
    Start,
    End,
    /// End in samples of the recording; the start is then too (SpeechBrain).
    Stop,
    /// Seconds from the start on.
    Duration,
}

/// Meanings and the names they go by, letter case, blanks, `_`, `-` and `.` aside; the first is the name for `--column`.
const NAMES: &[(Meaning, &[&str])] = &[
    (
        Meaning::Path,
        &[
            "path",
            "file",
            "filename",
            "filepath",
            "wav",
            "audio",
            "wavpath",
            "wavfile",
            "audiopath",
            "audiofile",
            "audiofilepath",
            "audiofilename",
            "wavfilename",
            "recording",
            "clip",
        ],
    ),
    (
        Meaning::Label,
        &[
            "label",
            "emotion",
            "emotions",
            "emo",
            "emoclass",
            "class",
            "category",
            "gtemotion",
            "emotionlabel",
            "labels",
            "emocat",
        ],
    ),
    (Meaning::Id, &["id", "key", "sid"]),
    (Meaning::Utterance, &["utterance", "utteranceid", "uttid", "utt"]),
    (
        Meaning::Speaker,
        &[
            "speaker",
            "spk",
            "speakerid",
            "spkid",
            "spkrid",
            "spkr",
            "actor",
            "actorid",
            "speakername",
            "subject",
            "subjectid",
            "talker",
        ],
    ),
    (Meaning::Sex, &["sex", "gender"]),
    (Meaning::Session, &["session", "sessionid"]),
    (Meaning::Text, &["text", "sentence", "sentenceid", "textid"]),
    (Meaning::Take, &["take", "repetition"]),
    (Meaning::Intensity, &["intensity"]),
    (Meaning::Split, &["split", "set", "partition", "part", "splitset", "subset"]),
    (Meaning::Start, &["start", "starttime", "offset"]),
    (Meaning::End, &["end", "endtime"]),
    (Meaning::Stop, &["stop"]),
    (Meaning::Duration, &["duration", "length"]),
];

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn meaning(name: &str) -> Option<Meaning> {
    let name = plain(name);
    NAMES.iter().find(|(_, names)| names.contains(&name.as_str())).map(|&(meaning, _)| meaning)
}

/// Does the name of a column say that it holds paths?
pub(super) fn is_path(name: &str) -> bool {
    meaning(name) == Some(Meaning::Path)
}

fn names(meaning: Meaning) -> &'static [&'static str] {
    NAMES.iter().find(|(of, _)| *of == meaning).map_or(&[], |(_, names)| names)
}

/// The first name, which `--column` takes.
pub(super) fn name(meaning: Meaning) -> &'static str {
    names(meaning).first().copied().unwrap_or_default()
}

/// The column of each meaning.
pub(super) struct Columns(Vec<(Meaning, usize)>);

impl Columns {
    /// The columns of a table: those that `chosen` names, then those whose names are known. `needed` must be there.
    ///
    /// # Errors
    /// A choice that names no meaning or no column; two columns of one meaning with other values in them; one that is needed and is
    /// not there.
    pub(super) fn of(table: &Table, chosen: &[(String, String)], needed: &[Meaning]) -> Result<Self, String> {
        let header = table.names.join(", ");
        let mut columns = Vec::new();
        for (wanted, column) in chosen {
            let known = NAMES.iter().map(|(_, names)| names[0]);
            let Some(&(meaning, _)) = NAMES.iter().find(|(_, names)| names[0].eq_ignore_ascii_case(wanted)) else {
                let (hint, all) = (nearest::hint(wanted, known.clone()), known.collect::<Vec<_>>().join(", "));
                return Err(format!(
                    "--column {wanted}={column}: `{wanted}` is not known{hint}; one of {all} is wanted"
                ));
            };
            let place = table.names.iter().position(|name| name == column);
            let Some(place) = place.or_else(|| table.names.iter().position(|name| plain(name) == plain(column))) else {
                let hint = nearest::hint(column, table.names.iter().map(String::as_str));
                return Err(format!(
                    "--column {wanted}={column}: there is no column `{column}`{hint}; the header has {header}"
                ));
            };
            columns.push((meaning, place));
        }
        let by_name: Vec<(Meaning, usize)> =
            (0..).zip(&table.names).filter_map(|(place, name)| Some((meaning(name)?, place))).collect();
        for (meaning, place) in by_name {
            let free = !chosen.iter().any(|(wanted, _)| name(meaning).eq_ignore_ascii_case(wanted));
            let taken = columns.iter().any(|&(_, of)| of == place);
            match columns.iter().find(|(of, _)| *of == meaning && meaning != Meaning::Utterance) {
                _ if !free || taken => {}
                None => columns.push((meaning, place)),
                Some(&(_, other)) if same(table, place, other) => {}
                Some(&(_, other)) => {
                    let (one, other, wanted) = (&table.names[other], &table.names[place], name(meaning));
                    return Err(format!(
                        "the columns `{one}` and `{other}` both mean the {wanted}, and differ; choose one with --column {wanted}={one} or \
                         --column {wanted}={other}"
                    ));
                }
            }
        }
        for meaning in needed {
            if !columns.iter().any(|(of, _)| of == meaning) {
                let (wanted, known) = (name(*meaning), names(*meaning).join(", "));
                return Err(format!(
                    "no column `{wanted}` in the header ({header}); known names of it are {known}; --column {wanted}=NAME names another"
                ));
            }
        }
        let mut columns = Self(columns);
        columns.settle(table);
        Ok(columns)
    }

    /// The first column of utterances whose values all differ is the id, where there is no other.
    fn settle(&mut self, table: &Table) {
        let ids = self.0.iter().filter(|(meaning, _)| *meaning == Meaning::Utterance).map(|&(_, place)| place);
        let id = ids.into_iter().find(|&place| {
            let mut seen = HashSet::new();
            table
                .rows
                .iter()
                .all(|(_, row)| matches!(row.get(place), Some(Cell::Text(text)) if seen.insert(text.as_str())))
        });
        self.0.retain(|(meaning, _)| *meaning != Meaning::Utterance);
        if let (Some(place), None) = (id, self.get(Meaning::Id)) {
            self.0.push((Meaning::Id, place));
        }
    }

    /// The place of the column with this meaning.
    pub(super) fn get(&self, meaning: Meaning) -> Option<usize> {
        self.0.iter().find(|(of, _)| *of == meaning).map(|&(_, place)| place)
    }
}

/// Do two columns hold the same in every row?
fn same(table: &Table, one: usize, other: usize) -> bool {
    table.rows.iter().all(|(_, row)| row.get(one).unwrap_or(&Cell::Empty) == row.get(other).unwrap_or(&Cell::Empty))
}
