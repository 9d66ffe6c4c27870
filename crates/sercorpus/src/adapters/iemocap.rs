//! IEMOCAP: names (`Ses01F_impro01_F000`) and EmoEvaluation files, which hold the labels.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{Seen, all_digits, look_up};
use crate::corpus::Sex;
use crate::finding::{Finding, FindingKind, Severity};
use crate::open::{IemocapStyle, OpenOptions};
use crate::walk::{Entry, walk};
use crate::{CorpusError, Utterance};

const EMOTIONS: &[(&str, &str)] = &[("ang", "angry"), ("hap", "happy"), ("neu", "neutral"), ("sad", "sad")];

/// Recordings labelled `hap`; with `exc` they are 1,636.
pub(crate) const HAPPY_ALONE: usize = 595;

/// The other labels of the corpus; `xxx` is "no agreement".
const LEFT_OUT: [&str; 7] = ["fru", "sur", "fea", "dis", "oth", "xxx", "exc"];

/// Sex, session and speaker of an utterance name; the label stays empty.
pub(super) fn recognise(stem: &str) -> Seen {
    let parts: Vec<&str> = stem.split('_').collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        return Seen::Unknown(SHAPE);
    };
    let is_dialog = first.len() == 6
        && first.is_ascii()
        && first[..3].eq_ignore_ascii_case("ses")
        && all_digits(&first[3..5])
        && parts.get(1).is_some_and(|style| style_of(style).is_some());
    if !is_dialog {
        return Seen::Unknown(SHAPE);
    }
    let turn = last.strip_prefix(['F', 'f', 'M', 'm']);
    if parts.len() < 3 || !turn.is_some_and(|turn| turn.len() == 3 && all_digits(turn)) {
        return Seen::Skipped("recordings of whole dialogs");
    }
    let woman = last.starts_with(['F', 'f']);
    let session = first[3..5].trim_start_matches('0');
    Seen::utterance(canonical(&parts), "", |u| {
        u.speaker = Some(format!("{session}{}", if woman { 'F' } else { 'M' }));
        u.sex = Some(if woman { Sex::Female } else { Sex::Male });
        u.session = Some(session.to_owned());
    })
}

const SHAPE: &str = "not named like Ses01F_impro01_F000";

fn style_of(part: &str) -> Option<IemocapStyle> {
    let starts = |prefix: &str| part.get(..prefix.len()).is_some_and(|p| p.eq_ignore_ascii_case(prefix));
    if starts("impro") {
        Some(IemocapStyle::Improvised)
    } else if starts("script") {
        Some(IemocapStyle::Scripted)
    } else {
        None
    }
}

/// The spelling of the original: `Ses01F_impro01_F000`.
fn canonical(parts: &[&str]) -> String {
    let last = parts.len() - 1;
    let spelt = parts.iter().enumerate().map(|(i, part)| match i {
        0 => format!("Ses{}", part[3..].to_ascii_uppercase()),
        i if i == last => part.to_ascii_uppercase(),
        _ => part.to_ascii_lowercase(),
    });
    spelt.collect::<Vec<_>>().join("_")
}

/// Is this a file `.../EmoEvaluation/<dialog>.txt`? Its subfolders hold single annotators' files.
fn is_evaluation(entry: &Entry<'_>) -> bool {
    entry.extension == "txt"
        && entry.folders_from_root.last().is_some_and(|folder| folder.eq_ignore_ascii_case("EmoEvaluation"))
        && entry.stem.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("ses"))
}

/// An utterance's line in an EmoEvaluation file.
struct Label {
    label: &'static str,
    file: usize,
    line: u64,
    has_recording: bool,
}

/// What the EmoEvaluation files say.
#[derive(Default)]
pub(crate) struct Labels {
    /// Labels of the utterances that take part, by id.
    wanted: HashMap<String, Label>,
    /// Ids that are labelled but left out (another emotion, another style), by reason.
    left_out: HashMap<String, &'static str>,
    files: Vec<PathBuf>,
}

impl Labels {
    /// Read all EmoEvaluation files below `root`, in the order of their names.
    pub(crate) fn below(root: &Path, options: &OpenOptions, findings: &mut Vec<Finding>) -> Result<Self, CorpusError> {
        let mut files = Vec::new();
        // What cannot be walked is told by the walk over the recordings.
        walk(root, &mut Vec::new(), |entry| {
            if is_evaluation(entry) {
                files.push(entry.path.to_owned());
            }
        })?;
        files.sort();
        let mut labels = Self::default();
        files.into_iter().for_each(|file| labels.read(file, options, findings));
        Ok(labels)
    }

    /// Give an utterance its label, or say why it has none.
    pub(crate) fn complete(&mut self, mut utterance: Box<Utterance>) -> Seen {
        if let Some(label) = self.wanted.get_mut(&utterance.id) {
            label.has_recording = true;
            label.label.clone_into(&mut utterance.label);
            return Seen::Utterance(utterance);
        }
        match self.left_out.get(&utterance.id) {
            Some(reason) => Seen::Skipped(reason),
            None => Seen::Unknown("no EmoEvaluation file has a label for it"),
        }
    }

    /// The utterances whose recording `complete` never saw, file by file.
    pub(crate) fn without_recording(self) -> Vec<Finding> {
        let mut lost: Vec<(&Label, String)> =
            self.wanted.iter().filter(|(_, l)| !l.has_recording).map(|(id, l)| (l, id.clone())).collect();
        lost.sort_by_key(|(label, _)| (label.file, label.line));
        lost.chunk_by(|(a, _), (b, _)| a.file == b.file)
            .filter_map(|of_file| {
                let (first, _) = of_file.first()?;
                let ids: Vec<String> = of_file.iter().map(|(_, id)| id.clone()).collect();
                let message = format!("{} utterances have a label but no recording", ids.len());
                let finding = Finding::new(Severity::Error, FindingKind::Missing, message).of(ids);
                Some(finding.at(&self.files[first.file]).line(first.line))
            })
            .collect()
    }

    /// Read one file: its lines `[start - end]<TAB>utterance<TAB>emotion<TAB>[v, a, d]`. Lines of another kind
    /// (the header, the annotators' `C-..:` and `A-..:`) are not of interest.
    fn read(&mut self, path: PathBuf, options: &OpenOptions, findings: &mut Vec<Finding>) {
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let message = format!("cannot be read ({error}): its utterances have no labels");
                findings.push(Finding::new(Severity::Error, FindingKind::Unreadable, message).at(&path));
                return;
            }
        };
        let file = self.files.len();
        for (number, line) in (1..).zip(String::from_utf8_lossy(&bytes).lines()) {
            if !line.trim_start().starts_with('[') {
                continue;
            }
            let mut malformed = |kind, reason: String| {
                findings.push(Finding::new(Severity::Error, kind, reason).at(&path).line(number));
            };
            let Some((id, emotion)) = parse(line) else {
                malformed(
                    FindingKind::Malformed,
                    format!(
                        "`{}` is not `[start - end]<TAB>utterance<TAB>emotion<TAB>[v, a, d]`: skipped",
                        line.trim()
                    ),
                );
                continue;
            };
            let wanted = match look_up(EMOTIONS, emotion) {
                Some(label) => Ok(label),
                None if emotion.eq_ignore_ascii_case("exc") && options.excited_as_happy => Ok("happy"),
                None if LEFT_OUT.iter().any(|known| known.eq_ignore_ascii_case(emotion)) => Err("another emotion"),
                None => {
                    malformed(
                        FindingKind::UnknownLabel,
                        format!("unknown emotion `{emotion}` of {id}: the utterance is left out"),
                    );
                    Err("another emotion")
                }
            };
            let style = id.split('_').nth(1).and_then(style_of);
            let wanted = match options.iemocap_style {
                Some(only) if style != Some(only) => Err("the other style"),
                _ => wanted,
            };
            // A nested copy of the corpus says the same again.
            let known = match (self.wanted.get(&id), self.left_out.get(&id)) {
                (Some(before), _) => Some(Ok(before.label)),
                (None, before) => before.map(|&reason| Err(reason)),
            };
            match (known, wanted) {
                (None, Ok(label)) => {
                    self.wanted.insert(id, Label { label, file, line: number, has_recording: false });
                }
                (None, Err(reason)) => {
                    self.left_out.insert(id, reason);
                }
                (Some(before), again) if before == again => {}
                _ => malformed(FindingKind::Malformed, format!("{id} has another label already: this line is ignored")),
            }
        }
        self.files.push(path);
    }
}

/// Canonical utterance id and emotion code.
fn parse(line: &str) -> Option<(String, &str)> {
    let mut fields = line.split('\t').map(str::trim);
    let (span, name, emotion, attributes) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let numbers = |text: &str, separator: &str| -> Option<usize> {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        let all: Result<Vec<f64>, _> = inner.split(separator).map(|n| n.trim().parse::<f64>()).collect();
        all.ok().map(|all| all.len())
    };
    if numbers(span, " - ") != Some(2) || numbers(attributes, ",") != Some(3) || emotion.is_empty() {
        return None;
    }
    match recognise(name) {
        Seen::Utterance(utterance) => Some((utterance.id, emotion)),
        _ => None,
    }
}
