//! Recordings named on the command line.

use std::path::PathBuf;

use sercorpus::OwnOptions;

use crate::failure::{Failure, Result};

/// Files as they are, the recordings in folders at any depth in natural order, those that a list names; `-` is stdin. A file named
/// on the command line may have any name that is not a list's: content decides.
///
/// # Errors
/// A folder that can't be read or has no recording; a list that can't be read.
pub fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut out = Vec::new();
    for path in paths {
        if path.is_dir() {
            let (mut found, findings) = sercorpus::recordings(path).map_err(Failure::input)?;
            findings.iter().filter(|finding| finding.is_told()).for_each(|finding| eprintln!("{finding}"));
            if found.is_empty() {
                return Err(Failure::Input(format!(
                    "{}: no recording in this folder; it is searched for {}",
                    path.display(),
                    sercorpus::extensions().join(", ")
                )));
            }
            out.append(&mut found);
        } else if sercorpus::is_list(path) && path.is_file() {
            let listed = sercorpus::listed_recordings(path, &OwnOptions::default()).map_err(Failure::input)?;
            eprintln!("{}: {} recordings, each as a whole", path.display(), listed.len());
            out.extend(listed);
        } else {
            out.push(path.clone());
        }
    }
    Ok(out)
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
        let list = folder.path().join("list.csv");
        std::fs::write(&list, "file,start\na10.wav,0\na10.wav,1\na2.WAV,0\n").unwrap();
        let found = expand(std::slice::from_ref(&list)).unwrap();
        assert_eq!(found, ["a10.wav", "a2.WAV"].map(|name| folder.path().join(name)));
        std::fs::write(&list, "file\na10.wav\nb.wav\n").unwrap();
        let error = format!("{:?}", expand(&[list]).unwrap_err());
        assert!(error.contains("list.csv:3") && error.contains("does not exist"), "{error}");
    }
}
