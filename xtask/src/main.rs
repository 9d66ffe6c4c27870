//! The orchestrator, run as `cargo xtask`.
//!
//! Architecture invariant: it never links libtorch, so that it compiles in seconds and can set libtorch up.
//! Exit codes: 0 done, 1 the work failed, 2 wrong use or bad input.

mod bench;
mod project;
mod reproduce;
mod setup;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  cargo xtask reproduce table1                        a preview of the EMODB row of Table 1, on recordings that come along
  cargo xtask reproduce table1 --full                 the whole row
  cargo xtask setup                                   libtorch into .libtorch/, for --engine libtorch and the tests
  cargo xtask reproduce all --dry-run                 what would run, and for how long
  cargo xtask test                                    everything that CI checks";

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Set up, reproduce, measure and check", after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make libtorch ready: use an installed one, or fetch it with pip into .libtorch/
    Setup(setup::Options),
    /// Reproduce a table or figure of the paper
    #[command(subcommand, after_help = reproduce::EXAMPLES, disable_help_subcommand = true)]
    Reproduce(reproduce::Target),
    /// The ablations: the same as `reproduce table3`
    #[command(disable_help_flag = true)]
    Ablation(reproduce::Options),
    /// Join run folders into one and make its tables
    #[command(disable_help_flag = true)]
    Merge(reproduce::Options),
    /// Print the tables of a run folder again, or list the run folders
    #[command(disable_help_flag = true)]
    Show(reproduce::Options),
    /// Time ours and the Python peer alternately in one run; medians and ratios
    Bench(bench::Options),
    /// Everything that CI checks
    Test(test::Options),
    /// Lint the repository itself
    Tidy,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Setup(options) => setup::run(&options),
        Command::Reproduce(target) => reproduce::run(target),
        Command::Ablation(options) => reproduce::run(reproduce::Target::Table3(options)),
        Command::Merge(options) => reproduce::merge(options),
        Command::Show(options) => reproduce::show(options),
        Command::Bench(options) => bench::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Tidy => tidy::run(),
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    eprintln!("error: {error:#}");
    ExitCode::from(if error.is::<project::BadInput>() { 2 } else { 1 })
}
