//! Folders that the program may write to: absent or empty ones, and those that carry its mark.

use std::{fs, io, path::Path};

use serrun::{create_folder, is_partial};

use crate::error::{LabError, Result};

/// Makes `folder` where it is absent; refuses one that holds other files than the program's own. The program's own folders
/// hold a file `mark`, which the caller writes before all others, and locks from before that (names that begin with `lock`).
/// `what` is for messages: `run folder`.
///
/// # Errors
/// A folder of somebody else's, which is left as it is; one that can't be made or read.
pub fn claim(folder: &Path, mark: &str, what: &str) -> Result<()> {
    let failed = |e: io::Error| LabError::Work(format!("cannot write {what} {}: {e}", folder.display()));
    create_folder(folder).map_err(failed)?;
    let marked = || folder.join(mark).is_file();
    if marked() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let empty_file = entry.metadata().is_ok_and(|m| m.is_file() && m.len() == 0);
        let ours = is_partial(&name) || (name.starts_with("lock") && empty_file);
        // Another process may have marked the folder since it was looked at.
        if !ours && !marked() {
            return Err(LabError::Input(format!(
                "{}: this folder holds `{name}` and is no {what} of serlab ({mark} is not there), so it is left as it is; give a \
                 new or empty folder, for example {}",
                folder.display(),
                folder.join("new").display()
            )));
        }
    }
    Ok(())
}

/// Makes `folder` where it is absent, and takes it where it is empty.
///
/// # Errors
/// A folder that holds something, which is left as it is; one that can't be made or read.
pub fn claim_empty(folder: &Path) -> Result<()> {
    let failed = |e: io::Error| LabError::Work(format!("cannot write {}: {e}", folder.display()));
    fs::create_dir_all(folder).map_err(failed)?;
    match fs::read_dir(folder).map_err(failed)?.next() {
        None => Ok(()),
        Some(_) => Err(LabError::Input(format!(
            "{}: it is not empty, so it is left as it is; give a new folder",
            folder.display()
        ))),
    }
}

/// Refuses symbolic links in `folders`, which are below `root`: what is written or deleted through one lies elsewhere.
///
/// # Errors
/// A link, by its path; a folder that can't be read.
pub fn refuse_links(root: &Path, folders: &[String]) -> Result<()> {
    each_file(root, folders, |path, kind| {
        if kind.is_symlink() {
            return Err(LabError::Input(format!(
                "{}: a symbolic link; what this program writes and deletes has to lie in its own folder, so nothing was touched. Put what \
                 the link leads to in its place, or give another folder",
                path.display()
            )));
        }
        Ok(())
    })
}

/// Deletes what a killed [`serrun::write_atomic`] left in `folders`, which are below `root`; only while nobody else works there.
///
/// # Errors
/// A folder that can't be read.
pub fn remove_partial_files(root: &Path, folders: &[String]) -> Result<()> {
    each_file(root, folders, |path, kind| {
        let partial = path.file_name().is_some_and(|name| is_partial(&name.to_string_lossy()));
        if kind.is_file() && partial {
            // It stays where it can't be deleted: nothing reads it.
            let _ = fs::remove_file(path);
        }
        Ok(())
    })
}

/// Every entry of those `folders` that are there and are no links, with its own type: links are not followed.
fn each_file(root: &Path, folders: &[String], mut visit: impl FnMut(&Path, fs::FileType) -> Result<()>) -> Result<()> {
    for folder in folders {
        let folder = root.join(folder);
        // `root` itself may be a link: the user named it.
        if folder != root && !fs::symlink_metadata(&folder).is_ok_and(|m| m.is_dir()) {
            continue;
        }
        let failed = |e: io::Error| LabError::Work(format!("cannot read {}: {e}", folder.display()));
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            visit(&entry.path(), entry.file_type().map_err(failed)?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_new_empty_and_marked_folders_are_taken() {
        let temp = tempfile::tempdir().unwrap();
        let folder = |name: &str| temp.path().join(name);
        claim(&folder("new/deep"), "run.json", "run folder").unwrap();
        claim(&folder("new/deep"), "run.json", "run folder").unwrap();
        // What a process leaves that is killed before it has written the mark.
        for name in ["lock", "lock-shard-1-of-2", ".ser-partial-abc"] {
            fs::write(folder("new/deep").join(name), "").unwrap();
        }
        claim(&folder("new/deep"), "run.json", "run folder").unwrap();
        fs::write(folder("new/deep/run.json"), "{}").unwrap();
        fs::write(folder("new/deep/notes"), "").unwrap();
        claim(&folder("new/deep"), "run.json", "run folder").unwrap();

        fs::create_dir(folder("theirs")).unwrap();
        for (name, text) in [("thesis.tex", "x"), ("lock", "a lock of theirs"), ("runs/run.json", "{}")] {
            let path = folder("theirs").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            let refused = claim(&folder("theirs"), "run.json", "run folder").unwrap_err();
            assert!(refused.code() == 2 && refused.to_string().contains("new or empty folder"), "{refused}");
            fs::remove_file(&path).unwrap();
            if path.parent() != Some(&folder("theirs")) {
                fs::remove_dir(path.parent().unwrap()).unwrap();
            }
        }
    }
}
