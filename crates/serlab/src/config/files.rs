//! The configuration files: those that the program carries, or those of a folder in their place.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serrun::System;

use crate::{
    disk::claim_empty,
    error::{LabError, Result},
    nearest,
};

/// Every file, as it lies in `configs/` of the repository.
const CARRIED: [(&str, &str); 15] = [
    ("table1.toml", include_str!("../../../../configs/table1.toml")),
    ("table2.toml", include_str!("../../../../configs/table2.toml")),
    ("table3.toml", include_str!("../../../../configs/table3.toml")),
    ("fig2.toml", include_str!("../../../../configs/fig2.toml")),
    ("fig3.toml", include_str!("../../../../configs/fig3.toml")),
    ("published.toml", include_str!("../../../../configs/published.toml")),
    ("corpora/casia.toml", include_str!("../../../../configs/corpora/casia.toml")),
    ("corpora/emodb.toml", include_str!("../../../../configs/corpora/emodb.toml")),
    ("corpora/emovo.toml", include_str!("../../../../configs/corpora/emovo.toml")),
    ("corpora/iemocap.toml", include_str!("../../../../configs/corpora/iemocap.toml")),
    ("corpora/ravdess.toml", include_str!("../../../../configs/corpora/ravdess.toml")),
    ("corpora/savee.toml", include_str!("../../../../configs/corpora/savee.toml")),
    ("systems/gm-tcn.toml", include_str!("../../../../configs/systems/gm-tcn.toml")),
    ("systems/cpac.toml", include_str!("../../../../configs/systems/cpac.toml")),
    ("systems/light-sernet.toml", include_str!("../../../../configs/systems/light-sernet.toml")),
];

/// Where configuration files are read from.
#[derive(Clone, Debug)]
pub struct Configs(Option<PathBuf>);

/// A configuration file.
pub struct File {
    /// Its path, or where it lies in the program; for messages.
    pub path: String,
    /// What is in it.
    pub text: String,
}

impl Configs {
    /// The files of `folder`, and where it lacks one, or no folder is given, those that the program carries.
    ///
    /// # Errors
    /// A folder that is not there.
    pub fn of(folder: Option<&Path>) -> Result<Self> {
        match folder {
            Some(folder) if !folder.is_dir() => Err(LabError::Input(format!(
                "--configs {}: no such folder; `serlab config init {0}` makes one with the files that the program carries",
                folder.display()
            ))),
            folder => Ok(Self(folder.map(Path::to_owned))),
        }
    }

    /// The file `name`, for example `corpora/emodb.toml`.
    ///
    /// # Errors
    /// A name that is no file's, a file that can't be read.
    pub fn file(&self, name: &str) -> Result<File> {
        let carried = CARRIED.iter().find(|(n, _)| *n == name).map(|(_, text)| *text);
        if let Some(file) = self.own(name)? {
            return Ok(file);
        }
        let text = carried.ok_or_else(|| {
            let stems = || CARRIED.map(|(n, _)| n.trim_end_matches(".toml"));
            let name = name.trim_end_matches(".toml");
            LabError::Input(format!(
                "no configuration file {name}{}; there are {}",
                nearest::hint(name, stems()),
                stems().join(", ")
            ))
        })?;
        Ok(File { path: format!("{name} of the program"), text: text.to_owned() })
    }

    /// The file `name` of the folder given, if there is one.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn own(&self, name: &str) -> Result<Option<File>> {
        let Some(path) = self.0.as_ref().map(|folder| folder.join(name)) else { return Ok(None) };
        let text = serrun::text(&path).map_err(LabError::input)?;
        Ok(text.map(|text| File { path: path.display().to_string(), text }))
    }

    /// The file of a system with settings of its own; None for TIM-Net and its ablations.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn system(&self, system: &System) -> Result<Option<File>> {
        let name = format!("systems/{system}.toml");
        let carried = CARRIED.iter().any(|(n, _)| *n == name);
        if carried { self.file(&name).map(Some) } else { self.own(&name) }
    }

    /// Reads a file's values.
    ///
    /// # Errors
    /// As [`Self::file`]; an unknown key or a bad value: the message names file, line and key.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        self.file(name)?.parse()
    }
}

impl File {
    /// The file's values.
    ///
    /// # Errors
    /// An unknown key or a bad value: the message names file, line and key.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        toml::from_str(&self.text).map_err(|e| LabError::Input(format!("{}: {e}", self.path)))
    }
}

/// The names of all files, without `.toml`.
pub fn names() -> impl Iterator<Item = &'static str> {
    CARRIED.iter().map(|(name, _)| name.trim_end_matches(".toml"))
}

/// Writes every file that the program carries into a new or empty folder.
///
/// # Errors
/// A folder that holds something, or can't be written.
pub fn init(folder: &Path) -> Result<()> {
    claim_empty(folder)?;
    for (name, text) in CARRIED {
        serrun::put(&folder.join(name), text.as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_replaces_the_files_that_it_has() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("table1.toml"), "a = 1").unwrap();
        let configs = Configs::of(Some(temp.path())).unwrap();
        assert_eq!(configs.file("table1.toml").unwrap().text, "a = 1");
        assert_eq!(configs.file("table2.toml").unwrap().text, CARRIED[1].1);
        let missing = Configs::of(Some(&temp.path().join("no"))).unwrap_err();
        assert!(missing.code() == 2 && missing.to_string().contains("config init"), "{missing}");
        let error = Configs::of(None).unwrap().file("tabel1.toml").err().unwrap().to_string();
        assert!(error.contains("table1"), "{error}");
    }

    #[test]
    fn init_writes_into_an_empty_folder_alone() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("own");
        init(&folder).unwrap();
        assert_eq!(fs::read_to_string(folder.join("corpora/emodb.toml")).unwrap(), CARRIED[7].1);
        assert_eq!(init(&folder).unwrap_err().code(), 2);
    }
}
