//! Corpora of one's own: a list of recordings, or a folder per class.

mod folder;
mod label_map;
mod labels;
mod layout;
mod list;
mod words;

use std::path::{Path, PathBuf};

pub use folder::open_folder;
pub use label_map::{LabelMap, Unlisted};
pub(crate) use labels::folded;
pub use layout::Layout;
pub use list::{is_list, listed_recordings, open_manifest};

use crate::{Corpus, CorpusError, CorpusKind, OpenOptions, detect, open};

/// Choices in reading a corpus of one's own.
#[derive(Debug, Clone, Default)]
pub struct OwnOptions {
    /// Name of the corpus; the file's or folder's if absent.
    pub name: Option<String>,
    /// List: the folder that its paths start from where they do not start from its own.
    pub root: Option<PathBuf>,
    /// What to make of the labels.
    pub labels: Option<LabelMap>,
    /// Folder: what its levels of folders mean; told by their names if absent.
    pub layout: Option<Layout>,
    /// List: pairs of what is wanted (`label`) and the column that holds it (`emotion`), where the names of columns do not tell.
    pub columns: Vec<(String, String)>,
}

/// Open whatever `path` is: a list of recordings (a file), one of the six corpora (a folder; `kind`, or else told by [`detect`]),
/// a folder per class, or a folder with lists in it. Class folders that contradict the files' names count more than these, which is
/// told; `kind` and [`OwnOptions::layout`] choose.
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
        None if own.layout.is_some() => return open_folder(path, own),
        None => detect(path),
    };
    match known {
        Ok(known) => {
            if kind.is_none()
                && let Some(told) = folder::overrules(known, path)?
            {
                let mut corpus = open_folder(path, own)?;
                corpus.findings.push(told);
                return Ok(corpus);
            }
            let corpus = open(known, path, options)?;
            match &own.labels {
                Some(map) => map.apply(corpus),
                None => Ok(corpus),
            }
        }
        Err(CorpusError::NotRecognised { root, seen, .. }) => open_folder(path, own).or_else(|error| match error {
            CorpusError::File { path: of, message } if of == path => match list::in_folder(path, own)? {
                Some(corpus) => Ok(corpus),
                None => Err(CorpusError::NotRecognised { root, seen, hint: Some(format!("it {message}")) }),
            },
            error => Err(error),
        }),
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
