//! What `.libtorch/` held when it was installed: a later set-up compares with it.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

const NAME: &str = "manifest";

/// Sizes and SHA-256 of every file.
pub struct Manifest {
    /// Whether the CUDA libraries were kept.
    pub cuda: bool,
    files: Vec<(String, u64, PathBuf)>,
}

impl Manifest {
    /// Hashes all that lies under `home`.
    pub fn of(home: &Path, cuda: bool) -> Result<Self> {
        let mut files = Vec::new();
        for path in walk(home)? {
            let full = home.join(&path);
            let hash = sha256(&full).with_context(|| format!("cannot read {}", full.display()))?;
            files.push((hash, fs::metadata(&full)?.len(), path));
        }
        Ok(Self { cuda, files })
    }

    pub fn write(&self, home: &Path) -> Result<()> {
        let mut text = header(self.cuda);
        for (hash, size, path) in &self.files {
            writeln!(text, "{hash} {size} {}", path.display())?;
        }
        fs::write(home.join(NAME), text).context("cannot write the manifest")
    }

    pub fn read(home: &Path) -> Result<Self, String> {
        let again = || "its manifest is missing or of another version of this program".to_owned();
        let text = fs::read_to_string(home.join(NAME)).map_err(|_| again())?;
        let (first, rest) = text.split_once('\n').ok_or_else(again)?;
        let cuda = [false, true].into_iter().find(|&cuda| header(cuda).trim_end() == first).ok_or_else(again)?;
        let line = |line: &str| {
            let mut parts = line.splitn(3, ' ');
            Some((parts.next()?.to_owned(), parts.next()?.parse().ok()?, PathBuf::from(parts.next()?)))
        };
        let files = rest.lines().map(line).collect::<Option<_>>().ok_or_else(again)?;
        Ok(Self { cuda, files })
    }

    /// Compares sizes and, with `hash`, contents.
    pub fn check(&self, home: &Path, hash: bool) -> Result<(), String> {
        for (sha, size, path) in &self.files {
            let full = home.join(path);
            let found = fs::metadata(&full).map_err(|_| format!("{} is missing", full.display()))?.len();
            if found != *size {
                return Err(format!("{} has {found} bytes, not {size}", full.display()));
            }
            if hash && sha256(&full).map_err(|e| format!("cannot read {}: {e}", full.display()))? != *sha {
                return Err(format!("{} is not what was installed", full.display()));
            }
        }
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.files.len()
    }
}

/// The first line. Version 1 of the format.
fn header(cuda: bool) -> String {
    format!("libtorch {} {} 1\n", super::VERSION, if cuda { "cuda" } else { "cpu" })
}

/// Files under `home`, relative to it, sorted.
fn walk(home: &Path) -> Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![home.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if let Ok(path) = entry.path().strip_prefix(home) {
                files.push(path.to_owned());
            }
        }
    }
    files.sort();
    Ok(files)
}

fn sha256(path: &Path) -> io::Result<String> {
    let (mut file, mut hasher, mut buffer) = (File::open(path)?, Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            n => hasher.update(&buffer[..n]),
        }
    }
}
