//! Where a run was computed.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Serialize;

use super::provenance::Maker;
use crate::{cli, data::Sources, machine};

/// `environment.json`: where and how the run was begun. Written once: what trained each fold is in its provenance.
#[derive(Debug, Serialize)]
pub struct Environment<'a> {
    version: u32,
    program: &'static str,
    program_version: &'a str,
    /// HEAD when the program was built; absent where that was no git checkout.
    built_at_commit: Option<&'a str>,
    program_hash: Option<String>,
    libtorch: &'static str,
    engine: &'a str,
    device: &'a str,
    corpora: BTreeMap<String, PathBuf>,
    os: &'static str,
    architecture: &'static str,
    cpu: Option<String>,
    cores: usize,
    jobs: usize,
    /// The command that makes the whole run: a shard's without `--shard`. Each call's own is in `sessions.jsonl`.
    command: Vec<String>,
}

impl<'a> Environment<'a> {
    /// Of this process.
    pub fn of(maker: &'a Maker, sources: &Sources, jobs: usize) -> Self {
        Self {
            version: 1,
            program: env!("CARGO_PKG_NAME"),
            program_version: &maker.version,
            built_at_commit: maker.commit.as_deref(),
            program_hash: machine::program_hash(),
            libtorch: "2.11.0",
            engine: &maker.engine,
            device: &maker.device,
            corpora: sources.corpora.iter().map(|s| (s.kind.to_string(), s.corpus.root.clone())).collect(),
            os: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            cpu: machine::cpu(),
            cores: machine::cores(),
            jobs,
            command: cli::without(&["--shard"], &cli::words()),
        }
    }
}
