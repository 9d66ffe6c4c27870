//! `serlab`: the experiments of TIM-Net (ICASSP 2023). `cargo xtask reproduce` starts it.

mod backend;
mod bars;
mod cli;
mod cmd;
mod config;
mod data;
mod disk;
mod error;
mod estimate;
mod explain;
mod folder;
mod machine;
#[cfg(feature = "libtorch")]
mod peers;
mod plan;
mod progress;
mod shard;
mod show;
mod systems;
mod tensorboard;
mod workers;

use std::{
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
};

use clap::{CommandFactory, Parser};
use sercorpus::nearest;

/// Set by Ctrl-C; the second Ctrl-C ends the process at once.
static STOP: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    keep_freed_memory();
    let cli = cli::Cli::parse();
    cli.verbosity.log(sercli::Lines::Dated, || bars::AboveBars);
    let handler = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(1);
        }
        tracing::warn!("stopping after the epochs or recordings in hand; press Ctrl-C again to stop at once");
    });
    if let Err(e) = handler {
        tracing::warn!("Ctrl-C will not save: {e}");
    }
    let done = match &cli.command {
        cli::Command::Reproduce(args) => cmd::reproduce::run(args, &STOP),
        cli::Command::Merge(args) => cmd::merge::run(args),
        cli::Command::Show(args) => cmd::show::run(args),
        cli::Command::Export(args) => cmd::export::run(args),
        cli::Command::Store(args) => cmd::store::run(args),
        cli::Command::Config { command } => cmd::show::config(command),
        cli::Command::Completions { shell } => {
            sercli::completions(*shell, cli::Cli::command()).map_err(error::LabError::work)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            tracing::error!("{e}");
            ExitCode::from(e.code())
        }
    }
}

/// Training frees and takes the same large tensors at every step; by default glibc gives each back to the system and
/// has it zeroed anew.
fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt only sets two of the allocator's thresholds, before any thread exists.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 30);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
    }
}
