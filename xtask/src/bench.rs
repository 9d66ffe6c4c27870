//! `cargo xtask bench`: ours and its peers in one run, alternating, then medians and ratios.
//!
//! A program under measurement prints one JSON object a line. Of its entries
//! - those whose name holds `seconds`, `peak_rss` (bytes) and `gflops` are figures;
//! - `program`, `peer` and `engine` say who measured;
//! - all others say what was measured, and have to be equal for two lines to be compared.
//!
//! Every round starts each program once: start-up and warm-up are the program's own business and outside its figures.

mod table;
mod venv;

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::{project, setup};
use table::Table;

#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask bench infer                          ours against Keras and PyTorch, five rounds
  cargo xtask bench train --rounds 3
  cargo xtask bench features --emodb PATH --json   one JSON object a figure, on standard output")]
pub struct Options {
    what: What,
    /// How often each program is run
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// EMODB's folder: `features` then measures recordings too, from the file to its MFCCs
    #[arg(long, value_name = "PATH")]
    emodb: Option<PathBuf>,
    /// JSON lines in place of the table
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// Recordings to MFCCs, against librosa
    Features,
    /// An epoch of training, against Keras and eager PyTorch
    Train,
    /// Answers of a trained network, against Keras and eager PyTorch
    Infer,
}

/// One benchmark: what is started, with which arguments for all.
struct Bench {
    package: &'static str,
    example: &'static str,
    peers: &'static [Peer],
    cases: &'static [&'static str],
}

struct Peer {
    name: &'static str,
    script: &'static str,
    /// Its own arguments, before the case's.
    arguments: &'static [&'static str],
    requirements: &'static [&'static str],
}

const fn keras(arguments: &'static [&'static str]) -> Peer {
    let requirements = &["tensorflow-cpu==2.21.0", "tf_keras==2.21.0"];
    Peer { name: "Keras", script: "benches/keras_peer.py", arguments, requirements }
}

const fn pytorch(arguments: &'static [&'static str]) -> Peer {
    Peer { name: "PyTorch", script: "benches/torch_peer.py", arguments, requirements: &["torch==2.11.0"] }
}

impl What {
    fn bench(self) -> Bench {
        match self {
            Self::Features => Bench {
                package: "sermfcc",
                example: "bench_features",
                peers: &[Peer {
                    name: "librosa",
                    script: "benches/features_peer.py",
                    arguments: &[],
                    requirements: &["librosa==0.11.0", "resampy==0.4.3"],
                }],
                cases: &[""],
            },
            Self::Train => Bench {
                package: "timnet-native",
                example: "bench_train",
                peers: const { &[keras(&["train"]), pytorch(&["train"])] },
                // EMODB's and IEMOCAP's shapes.
                cases: &[
                    "--blocks 8 --frames 188 --utterances 482 --batch 64 --epochs 3",
                    "--blocks 10 --frames 606 --utterances 128 --batch 64 --epochs 3",
                ],
            },
            Self::Infer => Bench {
                package: "timnet-native",
                example: "bench_infer",
                peers: const { &[keras(&["infer"]), pytorch(&["infer"])] },
                cases: &["--blocks 8 --frames 188 --repeat 15", "--blocks 10 --frames 606 --repeat 15"],
            },
        }
    }
}

pub fn run(options: &Options) -> Result<()> {
    if options.emodb.is_some() && !matches!(options.what, What::Features) {
        bail!(project::BadInput("--emodb goes with `bench features` alone".into()));
    }
    let bench = options.what.bench();
    setup::run(&setup::Options::default())?;
    let example = ["--quiet", "--release", "--package", bench.package, "--example", bench.example];
    project::check(project::cargo().arg("build").args(example))?;
    let python = venv::ready(bench.peers.iter().flat_map(|peer| peer.requirements))?;
    let extra: Vec<&OsStr> = options.emodb.iter().flat_map(|path| [OsStr::new("--emodb"), path.as_os_str()]).collect();

    let mut table = Table::default();
    for case in bench.cases {
        for round in 1..=options.rounds {
            eprintln!("round {round} of {}: {} {case}", options.rounds, bench.example);
            let mut ours = project::cargo();
            ours.arg("run").args(example).arg("--").args(case.split_whitespace()).args(&extra);
            table.add("ours", &lines(&mut ours)?)?;
            for peer in bench.peers {
                table.add(peer.name, &lines(script(&python, peer, case).args(&extra))?)?;
            }
        }
    }
    table.print(options.json)
}

fn script(python: &Path, peer: &Peer, case: &str) -> Command {
    let mut command = Command::new(python);
    command.current_dir(project::root()).arg(peer.script).args(peer.arguments).args(case.split_whitespace());
    command
}

/// What the program prints; its messages go to the terminal.
fn lines(command: &mut Command) -> Result<String> {
    let name = format!("{command:?}");
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        bail!("{name} failed ({})", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{name} did not print text"))
}
