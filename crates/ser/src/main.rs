#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod calibrate;
mod corpus;
mod evaluate;
mod failure;
mod features;
mod figures;
mod import_npy;
mod output;
mod perturb;
mod pickle;
mod recordings;
mod train;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Speech emotion recognition from the command line.
#[derive(Debug, Parser)]
#[command(version, after_help = "Exit codes: 0 done, 1 the work failed, 2 wrong use or bad input.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// MFCCs of recordings, as librosa or the paper computes them, into a .npy file.
    Features(features::Features),
    /// Look at a corpus: check, stats, export, split; or make a synthetic one.
    #[command(subcommand)]
    Corpus(corpus::Corpus),
    /// Train a model on one's own recordings and labels, and measure it honestly.
    Train(train::Train),
    /// What a model is worth on labelled recordings, as they are or louder, noisier, cut, over a telephone.
    Evaluate(evaluate::Evaluate),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Features(args) => features::run(&args),
        Command::Corpus(command) => corpus::run(&command),
        Command::Train(args) => train::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
