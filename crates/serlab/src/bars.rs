//! Bars above the log on a terminal, and plain lines otherwise.

use std::{
    io::{self, IsTerminal, Write},
    sync::{LazyLock, Mutex},
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Time between two plain lines.
pub const EVERY: Duration = Duration::from_secs(60);

/// All bars of the process; hidden where stderr is no terminal.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Where log lines go: above the bars.
pub struct AboveBars;

impl Write for AboveBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        BARS.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// A bar of `length` steps below those that are there; hidden with `-q`.
pub fn bar(length: u64, template: &str) -> ProgressBar {
    if !sercli::shows_progress() {
        return ProgressBar::hidden();
    }
    let bar = BARS.add(ProgressBar::new(length));
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.tick();
    bar
}

/// How many recordings of a corpus are read or turned into features.
pub struct Recordings {
    what: String,
    bar: ProgressBar,
    /// When the last plain line was written.
    since: Mutex<Instant>,
}

impl Recordings {
    /// `what` stands beside the bar: `emodb features`.
    pub fn new(what: &str, all: usize) -> Self {
        let bar = bar(all as u64, "{msg} {bar:30} {pos}/{len} recordings, {eta_precise} left");
        bar.set_message(what.to_owned());
        Self { what: what.to_owned(), bar, since: Mutex::new(Instant::now()) }
    }

    /// One more is done.
    pub fn done(&self) {
        self.bar.inc(1);
        let Ok(mut since) = self.since.lock() else { return };
        if !io::stderr().is_terminal() && since.elapsed() >= EVERY {
            let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(0));
            tracing::info!("{}: {done}/{all} recordings", self.what);
            *since = Instant::now();
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
