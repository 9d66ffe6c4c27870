//! Files that are whole or not there.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// How the names of temporary files begin.
const PARTIAL: &str = ".ser-partial-";

/// Writes `bytes` to `path`: into a temporary file beside it, synced, then renamed over it; then the folder is synced.
///
/// A new file gets the mode that the umask leaves of 0666, an existing one keeps its mode. What is no regular file (a
/// pipe, `/dev/null`) is written to as it is, not replaced.
///
/// # Errors
/// Those of the file system; a regular file at `path` is then as it was.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let there = fs::metadata(path).ok();
    if there.as_ref().is_some_and(|m| !m.is_file() && !m.is_dir()) {
        return fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(PARTIAL);
    #[cfg(unix)]
    let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(mode);
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    if let Some(there) = there {
        file.as_file().set_permissions(there.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_folder(folder)
}

/// Whether a file of this name is what a killed [`write_atomic`] leaves.
pub fn is_partial(name: &str) -> bool {
    name.starts_with(PARTIAL)
}

/// Makes the entries of `folder` (files made, renamed, linked or removed in it) survive a power failure, where the file
/// system can do so.
///
/// # Errors
/// A failure of the disk.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    // Windows cannot open folders, some network file systems cannot sync them, and a folder may be writable and not readable.
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    match File::open(folder).and_then(|f| f.sync_all()) {
        Err(e) if !matches!(e.kind(), InvalidInput | PermissionDenied | Unsupported) => Err(e),
        _ => Ok(()),
    }
}

/// Makes `folder` and those above it where they are missing, synced as [`sync_folder`] does it.
///
/// # Errors
/// Those of the file system.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_folder(parent)?;
    match fs::create_dir(folder) {
        // Another process made it.
        Err(_) if folder.is_dir() => Ok(()),
        Err(e) => Err(e),
        Ok(()) => sync_folder(parent),
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{os::unix::fs::PermissionsExt, process::Command};

    use super::*;

    const FOLDER: &str = "SERRUN_TEST_FOLDER";

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    /// Run by [`the_umask_and_the_mode_of_an_existing_file_count`] as a process of its own: the umask is the process'.
    #[test]
    fn child() {
        let Some(folder) = std::env::var_os(FOLDER) else { return };
        let folder = Path::new(&folder);
        write_atomic(&folder.join("new"), b"1").unwrap();
        write_atomic(&folder.join("old"), b"1").unwrap();
    }

    #[test]
    fn the_umask_and_the_mode_of_an_existing_file_count() {
        for (umask, wanted) in [("027", 0o640), ("077", 0o600), ("002", 0o664)] {
            let folder = tempfile::tempdir().unwrap();
            let old = folder.path().join("old");
            fs::write(&old, "0").unwrap();
            fs::set_permissions(&old, fs::Permissions::from_mode(0o604)).unwrap();
            let mut sh = Command::new("sh");
            sh.args(["-c", &format!("umask {umask} && exec \"$0\" --exact disk::tests::child")]);
            let done = sh.arg(std::env::current_exe().unwrap()).env(FOLDER, folder.path()).output().unwrap();
            assert!(done.status.success(), "{done:?}");
            assert_eq!((mode(&folder.path().join("new")), mode(&old)), (wanted, 0o604), "umask {umask}");
            assert_eq!(fs::read(&old).unwrap(), b"1");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "a temporary file stayed");
        }
    }

    #[test]
    fn a_pipe_is_written_to_and_not_replaced() {
        use std::os::unix::fs::FileTypeExt;
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        write_atomic(&pipe, b"through").unwrap();
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
        assert_eq!(reader.join().unwrap(), b"through");
    }

    #[test]
    fn folders_are_made_where_they_are_missing() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        create_folder(&deep).unwrap();
        create_folder(&deep).unwrap();
        assert!(deep.is_dir());
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(create_folder(&folder.path().join("file/below")).is_err());
        sync_folder(&deep).unwrap();
    }
}
