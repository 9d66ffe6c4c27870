//! `run.json`: the mark of a run folder.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{
    RunError,
    error::Result,
    file::{json, put},
};

/// Version of a run folder's layout. 2: provenance, numerics versions. 3: `systems` in `config.toml`, training seeds, corpora of one's own.
pub const RUN_VERSION: u32 = 3;

/// Whose run a folder is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Identity {
    /// Version of the folder's layout: [`RUN_VERSION`], or that of an earlier program.
    pub version: u32,
    /// The program that made the folder; absent in version 1.
    #[serde(default)]
    pub written_by: Option<String>,
    /// Hash of `config.toml`.
    pub hash: String,
}

impl Identity {
    /// Name of the file, which marks a folder as a run's.
    pub const FILE: &str = "run.json";

    /// Of a folder of this version.
    pub fn new(written_by: String, hash: String) -> Self {
        Self { version: RUN_VERSION, written_by: Some(written_by), hash }
    }

    /// That of a run folder, of any version; None where there is none yet.
    ///
    /// # Errors
    /// A file that can't be read or is another program's.
    pub fn read(run: &Path) -> Result<Option<Self>> {
        json(&run.join(Self::FILE))
    }

    /// Writes it.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, run: &Path) -> Result<()> {
        let path = run.join(Self::FILE);
        put(&path, &serde_json::to_vec_pretty(self).map_err(|e| RunError::value(&path, e))?)
    }
}
