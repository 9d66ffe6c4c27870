//! `environment.json` and `sessions.jsonl`: where a run was begun, and each call that trained.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    error::{Result, RunError},
    file::{json as read_json, put_json, text},
    provenance::Maker,
};

/// Version of `environment.json`.
const VERSION: u32 = 1;

/// Where and how a run was begun. Written once: what trained each fold is in its provenance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// Raised when the file's meaning changes.
    pub version: u32,
    /// The program that began the run.
    pub program: String,
    /// Its version.
    pub program_version: String,
    /// HEAD when the program was built; absent where that was no git checkout.
    pub built_at_commit: Option<String>,
    /// Hash of the program's file.
    pub program_hash: Option<String>,
    /// Version of libtorch that the program is made for.
    pub libtorch: String,
    /// Which engine.
    pub engine: String,
    /// What it computes on: `cpu`, `cuda:0`.
    pub device: String,
    /// Where each corpus lay.
    pub corpora: BTreeMap<String, PathBuf>,
    /// Operating system.
    pub os: String,
    /// Instruction set.
    pub architecture: String,
    /// Name of the processor.
    pub cpu: Option<String>,
    /// Cores that the program could use.
    pub cores: usize,
    /// Folds trained side by side.
    pub jobs: usize,
    /// The command that makes the whole run: a shard's without `--shard`. Each call's own is in `sessions.jsonl`.
    pub command: Vec<String>,
}

/// `environment.json`: one environment, or for a merged run those of its parts.
#[derive(Clone, Debug, PartialEq)]
pub enum Environments {
    /// Of a run that was begun in one folder.
    One(Box<Environment>),
    /// Of a merged run.
    Merged(Vec<Environment>),
}

impl Environment {
    /// The version that is written.
    pub const VERSION: u32 = VERSION;
}

impl Environments {
    /// Where a run folder has it.
    pub fn file(run: &Path) -> PathBuf {
        run.join("environment.json")
    }

    /// Each of them.
    pub fn all(&self) -> &[Environment] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Merged(several) => several,
        }
    }

    /// That of a run folder; None where it has none.
    ///
    /// # Errors
    /// Another file.
    pub fn read(run: &Path) -> Result<Option<Self>> {
        let path = Self::file(run);
        let Some(mut found) = read_json::<Value>(&path)? else { return Ok(None) };
        let read = match found.get_mut("merged_from").map(Value::take) {
            Some(several) => serde_json::from_value(several).map(Self::Merged),
            None => serde_json::from_value(found).map(|one| Self::One(Box::new(one))),
        };
        read.map(Some).map_err(|e| RunError::malformed(&path, e))
    }

    /// Writes it.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, run: &Path) -> Result<()> {
        let path = Self::file(run);
        match self {
            Self::One(one) => put_json(&path, one),
            Self::Merged(several) => put_json(&path, &json!({ "version": VERSION, "merged_from": several })),
        }
    }
}

/// A line of `sessions.jsonl`: a call that trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// When it ended, in seconds since 1970.
    pub ended_unix: u64,
    /// Seconds from its start to its end, the computing of features included.
    pub wall_seconds: f64,
    /// CPU time of all its threads, in seconds.
    pub cpu_seconds: f64,
    /// `I/N` of `--shard`.
    pub shard: Option<String>,
    /// Whether it trained all that it was to train.
    pub finished: bool,
    /// Its command line.
    pub command: Vec<String>,
    /// What trained.
    pub by: Maker,
}

impl Session {
    /// Where a run folder has them.
    pub fn file(run: &Path) -> PathBuf {
        run.join("sessions.jsonl")
    }

    /// Those of a run folder, in order; none where it has no such file.
    ///
    /// # Errors
    /// A line that is no session.
    pub fn read_all(run: &Path) -> Result<Vec<Self>> {
        let path = Self::file(run);
        let Some(text) = text(&path)? else { return Ok(Vec::new()) };
        let parse = |(i, line)| {
            serde_json::from_str(line).map_err(|e| RunError::malformed(&path, format!("line {}: {e}", i + 1)))
        };
        text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()).map(parse).collect()
    }

    /// The line.
    ///
    /// # Errors
    /// Seconds that are no number.
    pub fn line(&self) -> Result<String> {
        serde_json::to_string(self).map(|line| line + "\n").map_err(|e| RunError::value(Path::new("sessions.jsonl"), e))
    }

    /// Adds it to a run folder's: in one write, so that the lines of several processes do not mix.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn append(&self, run: &Path) -> Result<()> {
        let (path, line) = (Self::file(run), self.line()?);
        let opened = OpenOptions::new().create(true).append(true).open(&path);
        let written = opened.and_then(|mut file| file.write_all(line.as_bytes()));
        written.map_err(|source| RunError::Write { path, source })
    }
}
