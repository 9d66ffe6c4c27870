//! Where data goes, and progress.

use std::{
    io::{ErrorKind, IsTerminal, Write},
    path::Path,
};

use indicatif::{ProgressBar, ProgressDrawTarget};

use crate::failure::{Failure, Result};

/// Writes to `-o` (whole or not at all) or to stdout. A closed pipe is the reader's choice, not a failure.
pub fn write(to: Option<&Path>, bytes: &[u8]) -> Result<()> {
    match to {
        Some(path) => sertrain::write_atomic(path, bytes)
            .map_err(|e| Failure::Work(format!("cannot write {}: {e}", path.display()))),
        None => match std::io::stdout().write_all(bytes) {
            Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Failure::work(e)),
            _ => Ok(()),
        },
    }
}

/// A line of text to stdout.
pub fn print(text: &impl std::fmt::Display) -> Result<()> {
    write(None, format!("{text}\n").as_bytes())
}

/// JSON to stdout.
pub fn print_json(value: &impl serde::Serialize) -> Result<()> {
    print(&serde_json::to_string_pretty(value).map_err(Failure::work)?)
}

/// Runs `work` with a bar on a terminal.
pub fn with_progress<T>(work: impl FnOnce(&(dyn Fn(usize, usize) + Sync)) -> T) -> T {
    let terminal = std::io::stderr().is_terminal();
    let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target);
    let result = work(&|done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    result
}
