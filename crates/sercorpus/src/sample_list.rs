//! `samples.sha256`: a corpus that comes with the hashes of its samples is held to them.
//!
//! A line a recording: the SHA-256 of its decoded samples as 16-bit little-endian PCM, two blanks, its path below the corpus'
//! root. Any lossless container of the same samples passes; a resampled, cut or re-encoded copy does not. For one channel only.

use std::{collections::BTreeMap, fs, io, path::Path};

use sha2::{Digest, Sha256};

use crate::inspect::{Progress, each_file, hear};
use crate::{Corpus, Finding, FindingKind, Severity};

/// The list's name in the corpus' root.
const NAME: &str = "samples.sha256";

/// What differs from the list; nothing where there is none.
pub(crate) fn compare(corpus: &Corpus, progress: Progress<'_>) -> Vec<Finding> {
    let path = corpus.root.join(NAME);
    let finding = |kind, message: String| Finding::new(Severity::Error, kind, message);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(e) => return vec![finding(FindingKind::Unreadable, e.to_string()).at(&path)],
    };
    let mut listed = BTreeMap::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match line.split_once("  ") {
            Some((hash, name)) if hash.len() == 64 => drop(listed.insert(name, hash)),
            _ => {
                let message = format!("line {}: expected a SHA-256, two blanks and a path", number + 1);
                return vec![finding(FindingKind::Malformed, message).at(&path)];
            }
        }
    }
    let hashes = each_file(corpus, progress, hash_of);
    let (mut altered, mut unlisted) = (Vec::new(), Vec::new());
    for (utterance, hash) in corpus.utterances.iter().zip(&hashes) {
        let name =
            utterance.path.strip_prefix(&corpus.root).unwrap_or(&utterance.path).to_string_lossy().replace('\\', "/");
        match listed.remove(name.as_str()) {
            None => unlisted.push(utterance.id.clone()),
            Some(expected) if hash.as_deref() != Some(expected) => altered.push(utterance.id.clone()),
            Some(_) => {}
        }
    }
    let some = |kind, ids: Vec<String>, what: &str| {
        let message = format!("{} recordings {what} {NAME}", ids.len());
        (!ids.is_empty()).then(|| finding(kind, message).of(ids))
    };
    let absent = listed.into_keys().map(str::to_owned).collect();
    [
        some(FindingKind::Altered, altered, "have other samples than"),
        some(FindingKind::Surplus, unlisted, "are not in"),
        some(FindingKind::Missing, absent, "are not here but in"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Hexadecimal; `None` where the recording can't be read or has samples that are not 16-bit numbers.
fn hash_of(path: &Path) -> Option<String> {
    let (mut hasher, mut exact) = (Sha256::new(), true);
    hear(path, |samples| {
        for sample in samples {
            let scaled = sample * 32768.0;
            exact = exact && scaled.fract() == 0.0 && (-32768.0..32768.0).contains(&scaled);
            hasher.update((scaled as i16).to_le_bytes());
        }
    })
    .ok()?;
    exact.then(|| hasher.finalize().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}")))
}
