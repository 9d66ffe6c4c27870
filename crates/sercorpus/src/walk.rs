//! The walk over a corpus' folder: one file at a time, nothing kept but counts.

use std::path::Path;

use walkdir::WalkDir;

use crate::CorpusError;
use crate::finding::{Finding, FindingKind, Severity};

/// Deeper than any layout; ends a walk that was started too high up.
const MAX_DEPTH: usize = 16;

/// Extensions of files that may be recordings, lower case.
const AUDIO: &[&str] = &["wav", "wave", "flac", "aif", "aiff", "ogg", "opus", "mp3", "m4a"];

/// A file below the root whose extension says audio or text.
pub(crate) struct Entry<'a> {
    /// The whole path.
    pub path: &'a Path,
    /// Names of the folders between root and file, outermost first.
    pub folders: &'a [&'a str],
    /// The same with the root's own name in front: somebody may point at one speaker's folder.
    pub folders_from_root: &'a [&'a str],
    /// File name without extension.
    pub stem: &'a str,
    /// Extension in lower case.
    pub extension: &'a str,
}

impl Entry<'_> {
    pub(crate) fn is_audio(&self) -> bool {
        AUDIO.contains(&self.extension)
    }
}

/// Call `visit` for every file that is not hidden. Trouble with single entries becomes a finding. Gives the hidden ones.
pub(crate) fn walk(
    root: &Path,
    findings: &mut Vec<Finding>,
    mut visit: impl FnMut(&Entry<'_>),
) -> Result<Vec<String>, CorpusError> {
    if !std::fs::metadata(root).map_err(CorpusError::io(root))?.is_dir() {
        return Err(CorpusError::NotAFolder(root.to_owned()));
    }
    let full = std::fs::canonicalize(root).map_err(CorpusError::io(root))?;
    let root_name = full.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let mut hidden = Vec::new();
    let mut entries = WalkDir::new(root).min_depth(1).max_depth(MAX_DEPTH).follow_links(true).into_iter();
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                findings.push(walk_error(root, &error));
                continue;
            }
        };
        let Ok(below) = entry.path().strip_prefix(root) else {
            continue;
        };
        let Some(name) = entry.file_name().to_str() else {
            let message = "the name is not UTF-8, so it cannot be a recording of this corpus: rename it";
            findings.push(Finding::new(Severity::Error, FindingKind::NonUtf8, message).at(entry.path()));
            if entry.file_type().is_dir() {
                entries.skip_current_dir();
            }
            continue;
        };
        if name.starts_with('.') || name == "__MACOSX" {
            hidden.push(below.display().to_string());
            if entry.file_type().is_dir() {
                entries.skip_current_dir();
            }
            continue;
        }
        if !entry.file_type().is_file() {
            continue;
        }
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let between = below.parent().into_iter().flat_map(Path::iter).filter_map(|f| f.to_str());
        let folders_from_root: Vec<&str> = std::iter::once(root_name.as_str()).chain(between).collect();
        let extension = extension.to_ascii_lowercase();
        visit(&Entry {
            path: entry.path(),
            folders: &folders_from_root[1..],
            folders_from_root: &folders_from_root,
            stem,
            extension: &extension,
        });
    }
    hidden.sort();
    Ok(hidden)
}

fn walk_error(root: &Path, error: &walkdir::Error) -> Finding {
    let path = error.path().unwrap_or(root);
    match error.loop_ancestor() {
        Some(ancestor) => {
            let message = format!("symbolic link back to {}: not followed", ancestor.display());
            Finding::new(Severity::Warning, FindingKind::SymlinkLoop, message).at(path)
        }
        None => {
            let reason = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
            let message = format!("cannot be read ({reason}): what is in it is not counted");
            Finding::new(Severity::Error, FindingKind::Unreadable, message).at(path)
        }
    }
}
