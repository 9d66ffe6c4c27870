//! Progress: a bar on a terminal, plain lines otherwise.

use std::{
    io::IsTerminal,
    sync::Mutex,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sertrain::EpochRecord;

/// Time between two plain lines.
const EVERY: Duration = Duration::from_secs(60);

/// Epochs done over all folds.
pub struct Progress {
    bar: ProgressBar,
    terminal: bool,
    /// Epochs since the last plain line, and when that was.
    since: Mutex<(u64, Instant)>,
}

impl Progress {
    /// For `epochs` epochs in all.
    pub fn new(epochs: u64) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(epochs), target);
        let template = "{bar:30} {pos}/{len} epochs, {elapsed_precise} elapsed, {eta_precise} left  {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, terminal, since: Mutex::new((0, Instant::now())) }
    }

    /// Epochs found finished.
    pub fn skip(&self, epochs: u64) {
        self.bar.inc(epochs);
        self.bar.reset_eta();
    }

    /// One epoch of `fold` is done.
    pub fn epoch(&self, fold: &str, record: &EpochRecord) {
        self.bar.inc(1);
        let message = format!("{fold}: epoch {}, test accuracy {:.3}", record.epoch, record.test_accuracy);
        if self.terminal {
            self.bar.set_message(message);
            return;
        }
        let Ok(mut since) = self.since.lock() else { return };
        since.0 += 1;
        let elapsed = since.1.elapsed();
        if elapsed >= EVERY {
            let (position, length) = (self.bar.position(), self.bar.length().unwrap_or(0));
            let left = (length - position.min(length)) as f64 * elapsed.as_secs_f64() / since.0 as f64 / 60.0;
            tracing::info!("{position}/{length} epochs, about {left:.0} min left; {message}");
            *since = (0, Instant::now());
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
