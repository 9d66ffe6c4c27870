//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use sercli::{Seconds, Shell};
use serrun::{FoldsBy, Protocol, System};

use crate::{shard::Shard, systems::systems};

/// Reproduces the experiments of TIM-Net (ICASSP 2023).
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub verbosity: sercli::Verbosity,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask reproduce table1                                   preview on EMODB, which comes along
  cargo xtask reproduce table1 --full                            its whole row of Table 1
  cargo xtask reproduce table1 --data ravdess=/data/ravdess      another corpus
  cargo xtask reproduce table1 --data mine=/data/mine.csv        a corpus of one's own
  SER_DATA=/data cargo xtask reproduce all                       every corpus below /data
  cargo xtask reproduce table1 --only emodb --seed 46,47 --epochs 100
  cargo xtask reproduce table3 --set training.dropout=0.2 --dry-run
  cargo xtask reproduce all --emit slurm --shard auto/20 > job.sh; sbatch job.sh
  cargo xtask reproduce all --synthetic                          small synthetic corpora
  cargo xtask merge runs/part1 runs/part2 -o runs/whole

Exit codes: 0 done, 1 the work failed or was interrupted, 2 wrong use or bad input.
Ctrl-C stops after the epoch in hand; the same command goes on from there.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train, score and print an experiment beside the published figures.
    Reproduce(Box<Reproduce>),
    /// Join run folders into one and make its tables from what is there.
    ///
    /// Parts made with --shard, and runs that differ in protocols, systems, seeds or experiment alone, fit together.
    /// Folds that none of them has are listed.
    Merge(Merge),
    /// Print the tables of a run folder again; no recording is needed.
    Show(Show),
    /// Write a finished run's folds, predictions and figures into a folder that can be published and cited.
    ///
    /// The folds are CSV files of id, fold and part, which `--division file` reads.
    Export(Export),
    /// Show or clean the fold store.
    Store(Store),
    /// Show the experiment and corpus files that the program carries, or write them into a folder for `--configs`.
    Config {
        #[command(subcommand)]
        command: Config,
    },
    /// A completion script for a shell: `serlab completions bash > ~/.local/share/bash-completion/completions/serlab`.
    Completions {
        /// bash, elvish, fish, powershell or zsh.
        shell: Shell,
    },
}

/// What can be reproduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExperimentName {
    /// The six corpora, random folds.
    Table1,
    /// Trained on one corpus, scored on another.
    Table2,
    /// The ablations.
    Table3,
    /// Accuracy and loss over epochs.
    Fig2,
    /// Embeddings of a hold-out.
    Fig3,
    /// All of these in one run folder; what several need is trained once.
    All,
}

impl ExperimentName {
    /// What `all` is made of.
    pub const PARTS: [Self; 5] = [Self::Table1, Self::Table2, Self::Table3, Self::Fig2, Self::Fig3];

    pub fn name(self) -> &'static str {
        match self {
            Self::Table1 => "table1",
            Self::Table2 => "table2",
            Self::Table3 => "table3",
            Self::Fig2 => "fig2",
            Self::Fig3 => "fig3",
            Self::All => "all",
        }
    }

    /// The experiments it runs.
    pub fn parts(self) -> Vec<Self> {
        if self == Self::All { Self::PARTS.to_vec() } else { vec![self] }
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Reproduce {
    /// Which table or figure.
    pub experiment: ExperimentName,
    /// A corpus and its folder; may be repeated. Beside it, `path` in configs/corpora/*.toml and SER_DATA are read:
    /// either a folder with one folder a corpus, or CORPUS=PATH,CORPUS=PATH. A name that is none of the six corpora is a corpus of one's
    /// own: a folder of label folders, or a manifest (CSV, TSV, JSONL); configs/corpora/NAME.toml can hold its settings.
    #[arg(long, value_name = "CORPUS=PATH")]
    pub data: Vec<String>,
    /// Run on small synthetic corpora: minutes, and figures that say nothing of real speech.
    #[arg(long, conflicts_with = "data")]
    pub synthetic: bool,
    /// All epochs, where a run on the corpus that comes along would be a preview of fewer.
    #[arg(long)]
    pub full: bool,
    /// A folder with corpora that come along, one folder a corpus; used where no corpus is configured.
    #[arg(long, value_name = "DIR", hide = true)]
    pub bundled: Option<PathBuf>,
    /// Only these corpora.
    #[arg(long, value_delimiter = ',', value_name = "CORPUS")]
    pub only: Vec<String>,
    /// Only these protocols.
    #[arg(long, value_delimiter = ',', value_parser = sercli::names::<Protocol>(Protocol::ALL.map(Protocol::name)))]
    pub protocol: Vec<Protocol>,
    /// Only these systems.
    #[arg(long, value_delimiter = ',', value_parser = sercli::names::<System>(systems()))]
    pub system: Vec<System>,
    /// Seeds of the folds in place of the published ones.
    #[arg(long, value_delimiter = ',', value_name = "N")]
    pub seed: Vec<u64>,
    /// Seeds of initialisation, order and dropout, each with every seed of the folds [default: the seed of the folds]. Several are
    /// several trainings of the same folds.
    #[arg(long, value_delimiter = ',', value_name = "N")]
    pub training_seeds: Vec<u64>,
    /// Epochs a fold.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: Option<u32>,
    /// Folds a corpus.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    pub folds: Option<u32>,
    /// How the folds are made; split is the corpus' own column, file the folds of --set corpora.CORPUS.folds=PATH. `--set groups=6` says how many groups of speakers or texts, `--set repeats=3` how many times
    /// random folds are drawn.
    #[arg(long, value_name = "NAME", value_parser = FoldsBy::ALL.map(FoldsBy::name))]
    pub division: Option<String>,
    /// Any value of configs/EXPERIMENT.toml, or with `corpora.CORPUS.` before the key of configs/corpora/CORPUS.toml;
    /// with `all`, an experiment's name before the key limits it to that one. May be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// What computes the network [default: native on a CPU, libtorch on CUDA].
    #[arg(long, value_enum)]
    pub engine: Option<EngineKind>,
    /// Where libtorch computes: auto, cpu or cuda:N.
    #[arg(long, default_value = "auto")]
    pub device: String,
    /// The run folder [default: runs/EXPERIMENT-HASH, the hash of the resolved configuration, features and data].
    #[arg(long, value_name = "DIR")]
    pub run_dir: Option<PathBuf>,
    /// The fold store: what is trained is kept there, and what is there is not trained again [default: SER_STORE, else
    /// serlab/folds in the user's cache folder].
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Folds trained side by side, one thread each [default: one a core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub jobs: Option<u32>,
    /// Least time between two checkpoints of a fold. A killed run loses the epochs since the last one.
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub checkpoint_every: Seconds,
    /// Train only the I-th of N parts of the folds, I from 1. `auto` is the task of a Slurm job array, `auto/N` that or
    /// the completion index of a Kubernetes job of N. Parts may share a run folder or have their own (see `merge`).
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// Print the plan, with an estimate of its time from a short measurement, and stop.
    #[arg(long)]
    pub dry_run: bool,
    /// Print a job that runs this command in parts, as many as `--shard auto/N` says, and stop.
    #[arg(long, value_enum, conflicts_with = "dry_run")]
    pub emit: Option<Emit>,
    /// Print metrics.json in place of the table.
    #[arg(long)]
    pub json: bool,
    /// A folder of experiment and corpus files in place of those that the program carries; `config init` makes one.
    #[arg(long, value_name = "DIR")]
    pub configs: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub struct Show {
    /// Run folders [default with --list: runs].
    #[arg(required_unless_present = "list", value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// List the run folders below RUN: what they are and how many of their folds are finished.
    #[arg(long)]
    pub list: bool,
    /// Print metrics.json in place of the table; with --list, the list as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub struct Export {
    /// The run folder.
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// A new or empty folder.
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
}

#[derive(Debug, clap::Args)]
pub struct Store {
    /// The fold store [default: SER_STORE, else serlab/folds in the user's cache folder].
    #[arg(long, value_name = "DIR", global = true)]
    pub store: Option<PathBuf>,
    #[command(subcommand)]
    pub command: StoreCommand,
}

#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Print where it is, how many folds are in it, and their size.
    Show {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Name the folds that no run has asked for since so many days, and with --delete, delete them.
    ///
    /// Run folders hold copies of their folds, so that nothing of them changes. Folds that a process trains at the moment stay.
    Gc {
        /// Days since a run last asked for a fold.
        #[arg(long, value_name = "N", default_value = "90")]
        older_than: u64,
        /// Delete them.
        #[arg(long)]
        delete: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum Config {
    /// Print a file, or the names of all of them.
    Show {
        /// table1, corpora/emodb and their like.
        name: Option<String>,
        /// A folder of files in place of those that the program carries.
        #[arg(long, value_name = "DIR")]
        configs: Option<PathBuf>,
    },
    /// Write the files that the program carries into a new or empty folder.
    Init {
        /// The folder.
        folder: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
pub struct Merge {
    /// Run folders.
    #[arg(required = true, value_name = "DIR")]
    pub parts: Vec<PathBuf>,
    /// The run folder to make or to add to.
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Print metrics.json in place of the table.
    #[arg(long)]
    pub json: bool,
    /// A folder of experiment and corpus files in place of those that the program carries; `config init` makes one.
    #[arg(long, value_name = "DIR")]
    pub configs: Option<PathBuf>,
}

/// For whom a job is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Emit {
    /// A job array for `sbatch`.
    Slurm,
    /// An indexed Job for `kubectl apply`.
    Kubernetes,
}

/// What computes the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineKind {
    /// libtorch, the reference; on CPU or CUDA.
    Libtorch,
    /// timnet-native: the same network by hand, several times faster on a CPU.
    Native,
}

/// The words of this process' command line, the program first.
pub fn words() -> Vec<String> {
    std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect()
}

/// The words of a command line without `options` and their values.
pub fn without(options: &[&str], words: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    let mut skip = false;
    for word in words {
        if std::mem::take(&mut skip) {
            continue;
        }
        let name = word.split('=').next().unwrap_or(word);
        if options.contains(&name) {
            skip = !word.contains('=');
        } else {
            out.push(word.clone());
        }
    }
    out
}
