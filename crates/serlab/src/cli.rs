//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use sertrain::Protocol;
use timnet::Variant;

/// Reproduces the experiments of TIM-Net (ICASSP 2023).
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask reproduce table1                                   synthetic corpora, minutes
  cargo xtask reproduce table1 --data emodb=/data/emodb          the real EMODB
  SER_DATA=/data cargo xtask reproduce table1                    every corpus below /data
  cargo xtask reproduce table1 --only emodb --seed 46,47 --epochs 100
  cargo xtask reproduce table1 --data emodb=/data/emodb --dry-run

Exit codes: 0 done, 1 the work failed or was interrupted, 2 wrong use or bad input.
Ctrl-C stops after the epoch in hand; the same command goes on from there.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train, score and print an experiment beside the published figures.
    Reproduce(Reproduce),
}

/// What can be reproduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Experiment {
    /// The six corpora, random folds.
    Table1,
}

impl Experiment {
    pub fn name(self) -> &'static str {
        match self {
            Self::Table1 => "table1",
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Reproduce {
    /// Which table or figure.
    pub experiment: Experiment,
    /// A corpus and its folder; may be repeated. Beside it, `path` in configs/corpora/*.toml and SER_DATA are read:
    /// either a folder with one folder a corpus, or CORPUS=PATH,CORPUS=PATH.
    #[arg(long, value_name = "CORPUS=PATH")]
    pub data: Vec<String>,
    /// Only these corpora.
    #[arg(long, value_delimiter = ',', value_name = "CORPUS")]
    pub only: Vec<String>,
    /// Only these protocols.
    #[arg(long, value_delimiter = ',')]
    pub protocol: Vec<Protocol>,
    /// Only these model variants: tim-net, no-bd, no-ms, no-df, tcn.
    #[arg(long, value_delimiter = ',')]
    pub variant: Vec<Variant>,
    /// Seeds in place of the published ones.
    #[arg(long, value_delimiter = ',', value_name = "N")]
    pub seed: Vec<u64>,
    /// Epochs a fold.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: Option<u32>,
    /// Folds a corpus.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    pub folds: Option<u32>,
    /// What computes the network [default: native on a CPU, libtorch on CUDA].
    #[arg(long, value_enum)]
    pub engine: Option<EngineKind>,
    /// Where libtorch computes: auto, cpu or cuda:N.
    #[arg(long, default_value = "auto")]
    pub device: String,
    /// The run folder [default: runs/EXPERIMENT-HASH, the hash of the resolved configuration, features and data].
    #[arg(long, value_name = "DIR")]
    pub run_dir: Option<PathBuf>,
    /// Folds trained side by side, one thread each [default: one a core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub jobs: Option<u32>,
    /// Print the plan and stop.
    #[arg(long)]
    pub dry_run: bool,
    /// Print metrics.json in place of the table.
    #[arg(long)]
    pub json: bool,
    /// The folder of experiment and corpus files.
    #[arg(long, default_value = "configs", value_name = "DIR")]
    pub configs: PathBuf,
}

/// What computes the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineKind {
    /// libtorch, the reference; on CPU or CUDA.
    Libtorch,
    /// timnet-native: the same network by hand, several times faster on a CPU.
    Native,
}

impl EngineKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Libtorch => "libtorch",
            Self::Native => "native",
        }
    }
}
