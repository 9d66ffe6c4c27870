//! The cache folder: features and synthetic corpora, which may be deleted at any time.

use std::path::{Path, PathBuf};

use crate::{disk, error::Result};

/// The file that says that a folder is the cache.
const MARK: &str = "serlab-cache.txt";

/// Opens the cache below the working folder, or makes it: `.cache/serlab`, since `.cache` alone is everybody's.
///
/// # Errors
/// A folder of that name that this program has not made; one that can't be written.
pub fn open() -> Result<PathBuf> {
    at(Path::new(".cache/serlab"))
}

fn at(cache: &Path) -> Result<PathBuf> {
    disk::claim(cache, MARK, "cache")?;
    let mark = cache.join(MARK);
    if !mark.is_file() {
        serrun::put(
            &mark,
            b"Features and synthetic corpora of serlab, made again where they are missing. May be deleted.\n",
        )?;
    }
    disk::refuse_links(cache, &[String::new()])?;
    Ok(cache.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_of_somebody_else_is_no_cache() {
        let temp = tempfile::tempdir().unwrap();
        let cache = temp.path().join("cache/serlab");
        assert_eq!(at(&cache).unwrap(), cache);
        fs::write(cache.join("more"), "").unwrap();
        at(&cache).unwrap();
        fs::remove_file(cache.join(MARK)).unwrap();
        let refused = at(&cache).unwrap_err();
        assert!(refused.code() == 2 && refused.to_string().contains("serlab-cache.txt is not there"), "{refused}");
    }
}
