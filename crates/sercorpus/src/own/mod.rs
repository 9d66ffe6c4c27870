//! Corpora of one's own: a manifest, or a folder per class.

mod folder;
mod label_map;
mod manifest;
mod seconds;

use std::path::{Path, PathBuf};

pub use folder::open_folder;
pub use label_map::{LabelMap, Unlisted};
pub use manifest::open_manifest;

use crate::{Corpus, CorpusError, CorpusKind, OpenOptions, detect, open};

/// Choices in reading a corpus of one's own.
#[derive(Debug, Clone, Default)]
pub struct OwnOptions {
    /// Name of the corpus; the file's or folder's if absent.
    pub name: Option<String>,
    /// Manifest: the folder that its paths start from, and that they must stay in; the manifest's own if absent.
    pub root: Option<PathBuf>,
    /// What to make of the labels.
    pub labels: Option<LabelMap>,
}

/// Open whatever `path` is: a manifest (a file), one of the six corpora (a folder; `kind` or else
/// [`detect`]ed), or a folder per class.
///
/// # Errors
/// As [`open`](crate::open()), [`open_manifest`] and [`open_folder`]; a folder that is none of all that.
pub fn open_any(
    path: &Path,
    kind: Option<CorpusKind>,
    options: &OpenOptions,
    own: &OwnOptions,
) -> Result<Corpus, CorpusError> {
    let is_folder = std::fs::metadata(path).map_err(CorpusError::io(path))?.is_dir();
    let known = match kind {
        Some(kind) => Ok(kind),
        None if !is_folder => return open_manifest(path, own),
        None => detect(path),
    };
    match known {
        Ok(kind) => {
            let corpus = open(kind, path, options)?;
            match &own.labels {
                Some(map) => map.apply(corpus),
                None => Ok(corpus),
            }
        }
        Err(not_recognised @ CorpusError::NotRecognised { .. }) => {
            open_folder(path, own).map_err(|error| match error {
                // Neither that: say what was looked for first.
                CorpusError::File { path: of, .. } if of == path => not_recognised,
                error => error,
            })
        }
        Err(error) => Err(error),
    }
}

/// The last part of a path, without extension.
fn name_of(path: &Path, options: &OwnOptions) -> String {
    let from_path = || path.file_stem().map_or_else(|| "corpus".to_owned(), |s| s.to_string_lossy().into_owned());
    options.name.clone().unwrap_or_else(from_path)
}

/// Put the classes in this order, or else in natural order of their names, and the utterances with them.
fn class_order(corpus: &mut Corpus, order: Option<&[String]>) {
    corpus.labels = order.map_or_else(
        || {
            let mut labels: Vec<String> = corpus.utterances.iter().map(|u| u.label.clone()).collect();
            labels.sort_by(|a, b| crate::natural_cmp(a, b).then_with(|| a.cmp(b)));
            labels.dedup();
            labels
        },
        <[String]>::to_vec,
    );
    corpus.sort();
}
