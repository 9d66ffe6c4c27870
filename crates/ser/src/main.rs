#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod answer;
mod calibrate;
mod compare;
mod corpus;
mod embed;
mod evaluate;
mod explain;
mod failure;
mod features;
mod figures;
mod hear;
mod import_npy;
mod inputs;
mod inspect;
mod labelled;
mod lookup;
mod model;
mod output;
mod parts;
mod perturb;
mod pickle;
mod predict;
mod recordings;
mod serve;
mod shell;
mod train;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use sercli::Lines;

/// Speech emotion recognition from the command line.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:
  ser predict me.wav                             which emotion, how sure
  ser predict talk.mp3 --window 3s --hop 0.5s    emotion over time
  ser explain me.wav -o why.svg                  which moments and time scales carried the decision
  ser inspect                                    what the model of the program is and how well it does
  ser train calls/ -o calls.safetensors          a model of one's own: a folder of recordings for each class
  ser serve                                      a page in the browser, with a microphone
  ser evaluate calls.safetensors test/           how well it does on other recordings
  ser compare calls.safetensors builtin test/    whether it is better than another model
`ser COMMAND --help` has more of them.

Data goes to stdout or to -o, messages to stderr. NO_COLOR switches colours off.
Exit codes: 0 done, 1 the work failed, 2 wrong use or bad input."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    verbosity: sercli::Verbosity,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Which emotion is in a recording, over the whole or over time.
    Predict(predict::Predict),
    /// Which time spans and scales carried a decision, as a picture.
    Explain(explain::Explain),
    /// A vector for each recording, into a .npy file.
    Embed(embed::Embed),
    /// What a model file is and how well it does.
    Inspect(inspect::Inspect),
    /// Models from and to other programs.
    #[command(subcommand)]
    Model(model::Convert),
    /// MFCCs of recordings, as librosa or the paper computes them, into a .npy file.
    Features(features::Features),
    /// Look at a corpus: check, stats, export, split; or make a synthetic one.
    #[command(subcommand)]
    Corpus(corpus::Corpus),
    /// Train a model on one's own recordings and labels, and measure it honestly.
    Train(train::Train),
    /// What a model is worth on labelled recordings, as they are or louder, noisier, cut, over a telephone.
    Evaluate(evaluate::Evaluate),
    /// Is one model better than another? Both on the same labelled recordings.
    Compare(compare::Compare),
    /// A page on this machine to record or drop a file on, and the same as a JSON endpoint.
    Serve(serve::Serve),
    /// A completion script for a shell.
    Completions(shell::Completions),
    /// The man page.
    Man(shell::Man),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let lines = if matches!(cli.command, Command::Serve(_)) { Lines::Dated } else { Lines::Plain };
    cli.verbosity.log(lines, std::io::stderr);
    let done = match cli.command {
        Command::Predict(args) => predict::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Embed(args) => embed::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Model(command) => model::run(&command),
        Command::Features(args) => features::run(&args),
        Command::Corpus(command) => corpus::run(&command),
        Command::Train(args) => train::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Completions(args) => sercli::completions(args.shell, Cli::command()).map_err(failure::Failure::work),
        Command::Man(args) => shell::man(&args, Cli::command()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
