//! Lists that lie in a folder in place of class folders.

use std::path::{Path, PathBuf};

use super::{Source, corpus_of, is_list};
use crate::finding::{Finding, FindingKind, Severity};
use crate::own::OwnOptions;
use crate::{Corpus, CorpusError, Part};

/// Open the lists of a folder: `metadata.csv` (Hugging Face) or the only one that there is; one for each part (`train.csv`,
/// `own_test_fold_1.jsonl`); or one in the folder of each part (`train/metadata.csv`). None where there is no such list.
///
/// # Errors
/// Several lists of which none is for a part; as for a list.
pub(in crate::own) fn in_folder(root: &Path, options: &OwnOptions) -> Result<Option<Corpus>, CorpusError> {
    let lists = lists(root)?;
    let by_part = |path: &PathBuf| Some((part_in(path.file_stem()?.to_str()?)?, path.clone()));
    let mut sources: Vec<(String, PathBuf)> = lists.iter().filter_map(by_part).collect();
    if sources.is_empty() {
        for folder in folders(root)? {
            let name = folder.file_name().and_then(|name| name.to_str()).map(str::to_owned);
            if let (Some(name), Some(list)) =
                (name.filter(|name| Part::parse(name).is_some()), the_list(&self::lists(&folder)?))
            {
                sources.push((name, list));
            }
        }
    }
    let sources: Vec<Source> = match (sources.is_empty(), the_list(&lists)) {
        (false, _) => sources.into_iter().map(|(split, path)| Source { path, split: Some(split) }).collect(),
        (true, Some(path)) => vec![Source { path, split: None }],
        (true, None) if lists.len() > 1 => {
            let names: Vec<String> = lists.iter().map(|path| path.display().to_string()).collect();
            let message =
                format!("has no class folders, and several lists; give the one that is meant: {}", names.join(" or "));
            return Err(CorpusError::Ambiguous { root: root.to_owned(), message });
        }
        (true, None) => return Ok(None),
    };
    let mut corpus = corpus_of(root, &sources, options)?;
    let names: Vec<String> = sources
        .iter()
        .map(|source| source.path.strip_prefix(root).unwrap_or(&source.path).display().to_string())
        .collect();
    let parts = if sources[0].split.is_some() { ", each a part of the split" } else { "" };
    let message = format!("no class folders: read from {}{parts}", names.join(", "));
    corpus.findings.push(Finding::new(Severity::Note, FindingKind::Layout, message).at(root));
    Ok(Some(corpus))
}

/// The part that a list's name has in it: `own_train_fold_1`.
fn part_in(stem: &str) -> Option<String> {
    stem.split(['_', '-', '.', ' ']).find(|word| Part::parse(word).is_some()).map(str::to_owned)
}

/// `metadata.*`, or the only list.
fn the_list(lists: &[PathBuf]) -> Option<PathBuf> {
    let metadata = lists.iter().find(|path| path.file_stem().is_some_and(|stem| stem.eq_ignore_ascii_case("metadata")));
    match lists {
        [only] => Some(only.clone()),
        _ => metadata.cloned(),
    }
}

fn lists(folder: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    entries(folder, |path| {
        is_list(path) && path.is_file() && !path.extension().is_some_and(|e| e.eq_ignore_ascii_case("txt"))
    })
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    entries(folder, Path::is_dir)
}

fn entries(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, CorpusError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(CorpusError::io(folder))? {
        let path = entry.map_err(CorpusError::io(folder))?.path();
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && wanted(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
