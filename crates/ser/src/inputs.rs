//! Recordings named on the command line.

use std::path::{Path, PathBuf};

use sercorpus::natural_cmp;
use walkdir::WalkDir;

use crate::failure::{Failure, Result};

/// What a folder is searched for: more than a corpus is (`sercorpus`), whose films are not its recordings. A file named on
/// the command line may have any name: content decides.
const EXTENSIONS: [&str; 14] =
    ["wav", "wave", "flac", "mp3", "ogg", "oga", "m4a", "mp4", "aac", "aif", "aiff", "caf", "mka", "mkv"];

/// Files as they are, the recordings in folders at any depth in natural order; `-` is stdin.
///
/// # Errors
/// A folder that can't be read or has no recording.
pub fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut out = Vec::new();
    for path in paths {
        if !path.is_dir() {
            out.push(path.clone());
            continue;
        }
        let mut found = Vec::new();
        for entry in WalkDir::new(path) {
            let entry = entry.map_err(Failure::input)?;
            if entry.file_type().is_file() && is_recording(entry.path()) {
                found.push(entry.into_path());
            }
        }
        if found.is_empty() {
            return Err(Failure::Input(format!(
                "{}: no recording in this folder; it is searched for {}",
                path.display(),
                EXTENSIONS.join(", ")
            )));
        }
        found.sort_by(|a, b| natural_cmp(&a.to_string_lossy(), &b.to_string_lossy()));
        out.append(&mut found);
    }
    Ok(out)
}

/// Hidden files are none: macOS leaves `._NAME.wav` beside recordings.
fn is_recording(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    !hidden && extension.is_some_and(|e| EXTENSIONS.contains(&e.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_give_recordings_in_natural_order() {
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["a10.wav", "a2.WAV", "b/c.flac", "b/d.mkv", "._a2.wav", "notes.txt"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let found = expand(&[PathBuf::from("-"), folder.path().to_owned()]).unwrap();
        let names: Vec<_> = found.iter().map(|p| p.strip_prefix(folder.path()).unwrap_or(p).to_owned()).collect();
        assert_eq!(names, ["-", "a2.WAV", "a10.wav", "b/c.flac", "b/d.mkv"].map(PathBuf::from));
        for name in ["b/c.flac", "b/d.mkv"] {
            std::fs::remove_file(folder.path().join(name)).unwrap();
        }
        assert!(expand(&[folder.path().join("b")]).is_err());
    }
}
