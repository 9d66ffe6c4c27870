//! The walk over a corpus' folder: one file at a time, nothing kept but counts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::finding::{Finding, FindingKind, Severity};
use crate::{CorpusError, limits, natural_cmp};

/// Extensions of recordings that `seraudio` reads, lower case: sound only.
const SOUND: &[&str] =
    &["wav", "wave", "flac", "aif", "aiff", "aifc", "caf", "ogg", "oga", "mp3", "m4a", "m4b", "aac", "mka"];

/// Extensions of films whose sound `seraudio` reads.
const FILM: &[&str] = &["mp4", "3gp", "mkv"];

/// Extensions of recordings that are not read: they are counted and named.
const UNREAD: &[&str] = &[
    "opus", "webm", "au", "snd", "sph", "nist", "w64", "wma", "amr", "awb", "avi", "flv", "mov", "mpg", "mpeg", "wmv",
    "wv", "ape", "spx", "gsm", "voc", "ra", "rm", "ac3", "dts", "mpc", "tta", "dsf", "mid", "weba",
];

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
        SOUND.contains(&self.extension) || self.is_film()
    }

    /// A recording in a container of films: the same name with another extension is its sound.
    pub(crate) fn is_film(&self) -> bool {
        FILM.contains(&self.extension)
    }
}

/// Call `visit` for every file that is not hidden, links followed. Links that lead in a circle, entries that cannot be read, hidden
/// ones and recordings of kinds that are not read become findings.
pub(crate) fn walk(
    root: &Path,
    findings: &mut Vec<Finding>,
    mut visit: impl FnMut(&Entry<'_>),
) -> Result<(), CorpusError> {
    if !std::fs::metadata(root).map_err(CorpusError::io(root))?.is_dir() {
        return Err(CorpusError::NotAFolder(root.to_owned()));
    }
    let full = std::fs::canonicalize(root).map_err(CorpusError::io(root))?;
    let root_name = full.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let mut hidden = Vec::new();
    let mut unread = BTreeMap::<String, usize>::new();
    let mut entries = WalkDir::new(root).min_depth(1).max_depth(limits::FOLDER_DEPTH).follow_links(true).into_iter();
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
        if UNREAD.contains(&extension.as_str()) {
            *unread.entry(extension.clone()).or_default() += 1;
        }
        visit(&Entry {
            path: entry.path(),
            folders: &folders_from_root[1..],
            folders_from_root: &folders_from_root,
            stem,
            extension: &extension,
        });
    }
    if !hidden.is_empty() {
        hidden.sort();
        let message = format!("{} hidden files or folders skipped", hidden.len());
        findings.push(Finding::new(Severity::Note, FindingKind::Skipped, message).of(hidden));
    }
    findings.extend(not_read(root, unread));
    Ok(())
}

fn not_read(root: &Path, unread: BTreeMap<String, usize>) -> Option<Finding> {
    let total: usize = unread.values().sum();
    let mut kinds: Vec<_> = unread.into_iter().collect();
    kinds.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let first = &kinds.first()?.0;
    let counts = kinds.iter().map(|(kind, count)| format!(".{kind} {count}")).collect::<Vec<_>>().join(", ");
    let message = format!(
        "{total} files of kinds that are not read: {counts}; convert them, as with `ffmpeg -i NAME.{first} NAME.wav`"
    );
    Some(Finding::new(Severity::Note, FindingKind::NotRead, message).at(root))
}

/// The recordings below a folder, links followed, in natural order of their paths; and what is to be said about it: links that lead
/// in a circle, folders that cannot be read, kinds of recordings that are not read.
///
/// # Errors
/// `root` is not a folder that can be read.
pub fn recordings(root: &Path) -> Result<(Vec<PathBuf>, Vec<Finding>), CorpusError> {
    let (mut paths, mut findings) = (Vec::new(), Vec::new());
    walk(root, &mut findings, |entry| {
        if entry.is_audio() {
            paths.push(entry.path.to_owned());
        }
    })?;
    paths.sort_by(|a, b| natural_cmp(&a.to_string_lossy(), &b.to_string_lossy()).then_with(|| a.cmp(b)));
    Ok((paths, findings))
}

/// The extensions that a folder is searched for.
#[must_use]
pub fn extensions() -> Vec<&'static str> {
    SOUND.iter().chain(FILM).copied().collect()
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
