//! One walk over a corpus: recordings to the caller, the rest into findings.

use std::collections::BTreeMap;
use std::path::Path;

use crate::adapters::{Seen, iemocap, recognise};
use crate::finding::{Finding, FindingKind, Severity};
use crate::walk::{Entry, walk};
use crate::{CorpusError, CorpusKind, OpenOptions, Utterance};

/// Visit every recording of the corpus below `root` in the order the disk gives them, keeping none: memory does
/// not grow with the corpus (IEMOCAP keeps its labels). Copies of a recording are visited too.
///
/// # Errors
/// `root` is not a folder that can be read.
pub fn scan(
    kind: CorpusKind,
    root: &Path,
    options: &OpenOptions,
    mut visit: impl FnMut(Utterance),
) -> Result<Vec<Finding>, CorpusError> {
    scan_counting(kind, root, options, &mut Census::default(), &mut visit)
}

pub(crate) fn scan_counting(
    kind: CorpusKind,
    root: &Path,
    options: &OpenOptions,
    census: &mut Census,
    visit: &mut dyn FnMut(Utterance),
) -> Result<Vec<Finding>, CorpusError> {
    let mut findings = Vec::new();
    let mut labels = match kind {
        CorpusKind::Iemocap => Some(iemocap::Labels::below(root, options, &mut findings)?),
        _ => None,
    };
    let mut left = Left::default();
    walk(root, &mut findings, |entry| {
        census.count(entry);
        if !entry.is_audio() {
            return;
        }
        let seen = match (recognise(kind, entry.folders_from_root, entry.stem), &mut labels) {
            (Seen::Utterance(utterance), Some(labels)) => labels.complete(utterance),
            (seen, _) => seen,
        };
        match seen {
            Seen::Utterance(mut utterance) => {
                entry.path.clone_into(&mut utterance.path);
                visit(*utterance);
            }
            Seen::Skipped(reason) => *left.skipped.entry(reason).or_default() += 1,
            Seen::Unknown(reason) => {
                let below = entry.path.strip_prefix(root).unwrap_or(entry.path);
                left.unknown.entry(reason).or_default().push(below.display().to_string());
            }
        }
    })?;
    if let Some(labels) = labels {
        findings.extend(labels.without_recording());
    }
    findings.extend(left.findings(kind));
    Ok(findings)
}

/// Audio that is no recording of the corpus, by reason.
#[derive(Default)]
struct Left {
    skipped: BTreeMap<&'static str, usize>,
    unknown: BTreeMap<&'static str, Vec<String>>,
}

impl Left {
    fn findings(self, kind: CorpusKind) -> impl Iterator<Item = Finding> {
        let skipped = self.skipped.into_iter().map(|(what, count)| {
            let message = format!("{count} recordings left out: {what}");
            Finding::new(Severity::Note, FindingKind::Skipped, message)
        });
        let unknown = self.unknown.into_iter().map(move |(why, mut names)| {
            names.sort();
            let message = format!("{} audio files are no recordings of {kind} ({why})", names.len());
            Finding::new(Severity::Warning, FindingKind::Unrecognised, message).of(names)
        });
        skipped.chain(unknown)
    }
}

/// Files by extension, to say what was found where no corpus was.
#[derive(Default)]
pub(crate) struct Census(BTreeMap<String, usize>);

impl Census {
    pub(crate) fn count(&mut self, entry: &Entry<'_>) {
        // A folder of unrelated files may have any number of "extensions".
        if self.0.len() < 50 || self.0.contains_key(entry.extension) {
            *self.0.entry(entry.extension.to_owned()).or_default() += 1;
        }
    }
}

impl std::fmt::Display for Census {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut by_count: Vec<_> = self.0.iter().collect();
        by_count.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let parts: Vec<String> = by_count
            .into_iter()
            .take(4)
            .map(|(extension, count)| match extension.as_str() {
                "" => format!("{count} files without extension"),
                extension => format!("{count} .{extension} files"),
            })
            .collect();
        if parts.is_empty() { f.write_str("the folder is empty") } else { write!(f, "there are {}", parts.join(", ")) }
    }
}
