//! `cargo xtask reproduce`, `ablation`, `merge` and `show`: build serlab, with libtorch where that is wanted, and become it.

use std::{ffi::OsString, io::Write, os::unix::process::CommandExt, path::Path};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use crate::{project, setup};

/// What can be reproduced. Everything after it is handed on as it is, `--help` too.
#[derive(Subcommand)]
pub enum Target {
    /// Six corpora, by protocol
    #[command(disable_help_flag = true)]
    Table1(Options),
    /// Between corpora, TIM-Net and TCN
    #[command(disable_help_flag = true)]
    Table2(Options),
    /// The ablations
    #[command(disable_help_flag = true)]
    Table3(Options),
    /// Accuracy and loss over epochs
    #[command(disable_help_flag = true)]
    Fig2(Options),
    /// t-SNE of the embeddings
    #[command(disable_help_flag = true)]
    Fig3(Options),
    /// All of these
    #[command(disable_help_flag = true)]
    All(Options),
}

#[derive(Args)]
pub struct Options {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<OsString>,
}

pub const EXAMPLES: &str = "\
Examples:
  cargo xtask reproduce table1                                    preview on EMODB, which comes along: some five minutes
  cargo xtask reproduce table1 --full                             the whole row
  cargo xtask reproduce table1 --data ravdess=PATH --seed 46,47   another corpus, two seeds
  cargo xtask reproduce table1 --protocol last-epoch,speaker-independent
  cargo xtask reproduce all --dry-run                             the plan and its time
  cargo xtask reproduce table1 --help                             every option";

/// Replaces this process, as `cargo run` itself does: signals reach the program and its exit code is ours.
pub fn run(target: Target) -> Result<()> {
    let (name, Options { options }) = match target {
        Target::Table1(options) => ("table1", options),
        Target::Table2(options) => ("table2", options),
        Target::Table3(options) => ("table3", options),
        Target::Fig2(options) => ("fig2", options),
        Target::Fig3(options) => ("fig3", options),
        Target::All(options) => ("all", options),
    };
    serlab(&["reproduce", name], options)
}

/// `serlab merge`.
pub fn merge(Options { options }: Options) -> Result<()> {
    serlab(&["merge"], options)
}

/// `serlab show`.
pub fn show(Options { options }: Options) -> Result<()> {
    serlab(&["show"], options)
}

/// `serlab --help` of a command, as `cargo test -p serlab --test help` holds it to what the program prints: shown without building
/// anything.
fn help(command: &str) -> &'static str {
    match command {
        "merge" => include_str!("../../docs/cli/serlab-merge.txt"),
        "show" => include_str!("../../docs/cli/serlab-show.txt"),
        _ => include_str!("../../docs/cli/serlab-reproduce.txt"),
    }
}

/// In the folder of the caller, whose paths the options are. On a CPU the native engine trains, so libtorch is set up and linked
/// only where an option or a GPU wants it.
fn serlab(command: &[&str], options: Vec<OsString>) -> Result<()> {
    if options.iter().any(|o| o == "--help" || o == "-h") {
        // A closed pipe is the reader's choice.
        let _ = std::io::stdout().write_all(help(command[0]).as_bytes());
        return Ok(());
    }
    let root = project::root();
    let mut cargo = project::cargo_here();
    cargo.args(["run", "--quiet", "--release", "--package", "serlab", "--manifest-path"]).arg(root.join("Cargo.toml"));
    if command[0] == "reproduce" && wants_libtorch(&options, Path::new("/proc/driver/nvidia/version").exists()) {
        setup::run(&setup::Options::default())?;
        cargo.args(["--features", "libtorch"]);
    }
    cargo.arg("--").args(command);
    if command[0] != "show" && !given(&options, "--configs") {
        cargo.arg("--configs").arg(root.join("configs"));
    }
    if command[0] == "reproduce" {
        cargo.arg("--bundled").arg(root.join("fixtures"));
    }
    eprintln!("building serlab (the first time a few minutes)");
    cargo.args(options);
    Err(cargo.exec()).context("cannot start cargo")
}

/// Whether `flag` is among the options, with `=` or without.
fn given(options: &[OsString], flag: &str) -> bool {
    options
        .iter()
        .any(|o| o.to_str().is_some_and(|o| o.strip_prefix(flag).is_some_and(|r| r.is_empty() || r.starts_with('='))))
}

/// The value of the last `flag VALUE` or `flag=VALUE`.
fn value<'a>(options: &'a [OsString], flag: &str) -> Option<&'a str> {
    let words = || options.iter().map(|o| o.to_str().unwrap_or(""));
    let apart = words().zip(words().skip(1)).filter(|(o, _)| *o == flag).map(|(_, value)| value).next_back();
    words().filter_map(|o| o.strip_prefix(flag)?.strip_prefix('=')).next_back().or(apart)
}

/// Whether serlab may need libtorch: a system, an engine or a device asks for it, or there is an NVIDIA GPU that would be used.
fn wants_libtorch(options: &[OsString], gpu: bool) -> bool {
    let compared = ["gm-tcn", "cpac", "light-sernet"];
    if value(options, "--system").is_some_and(|all| all.split(',').any(|name| compared.contains(&name.trim()))) {
        return true;
    }
    match (value(options, "--engine"), value(options, "--device")) {
        (Some("native"), _) | (None, Some("cpu")) => false,
        (Some("libtorch"), _) => true,
        (_, Some(device)) if device != "auto" => true,
        _ => gpu,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtorch_is_set_up_only_where_it_is_wanted() {
        let wants = |words: &[&str], gpu| wants_libtorch(&words.iter().map(OsString::from).collect::<Vec<_>>(), gpu);
        assert!(!wants(&[], false));
        assert!(wants(&[], true));
        assert!(!wants(&["--device", "cpu"], true));
        assert!(!wants(&["--engine=native"], true));
        assert!(wants(&["--engine", "libtorch"], false));
        assert!(wants(&["--engine=libtorch", "--device=cpu"], false));
        assert!(wants(&["--device", "cuda:0"], false));
        assert!(!wants(&["--device=auto"], false));
        assert!(wants(&["--system", "tim-net,gm-tcn", "--device", "cpu"], false));
        assert!(!wants(&["--system=tim-net,tcn"], false));
    }
}
