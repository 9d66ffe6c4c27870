//! How much is told on stderr.

use std::{fmt, io::IsTerminal};

use tracing::{Event, Level, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter,
    fmt::{
        FmtContext, FormatEvent, FormatFields, MakeWriter,
        format::{Format, Writer},
    },
    registry::LookupSpan,
};

/// The environment variable that has a filter of `tracing_subscriber::EnvFilter`; read where neither -q nor -v is given.
const VARIABLE: &str = "SER_LOG";

/// `-q` and `-v`.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Verbosity {
    /// Say less on stderr: warnings and errors alone, without progress; -qq errors alone.
    #[arg(short, long, global = true, display_order = 900, action = clap::ArgAction::Count, conflicts_with = "verbose")]
    quiet: u8,
    /// Say more on stderr: what is read, computed and kept; -vv everything.
    #[arg(short, long, global = true, display_order = 901, action = clap::ArgAction::Count)]
    verbose: u8,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// The message, behind `warning: ` or `error: `: of a program that answers and ends.
    Plain,
    /// With time and level: of a program that runs for hours.
    Dated,
}

/// Whether progress is shown: not with `-q`.
pub fn shows_progress() -> bool {
    tracing::enabled!(Level::INFO)
}

impl Verbosity {
    /// Level of the workspace's own messages.
    fn level(self) -> LevelFilter {
        const LEVELS: [LevelFilter; 5] =
            [LevelFilter::ERROR, LevelFilter::WARN, LevelFilter::INFO, LevelFilter::DEBUG, LevelFilter::TRACE];
        LEVELS[(2 + usize::from(self.verbose.min(2))) - usize::from(self.quiet.min(2))]
    }

    /// Messages of other libraries: errors alone, with `-v` warnings too, with `-vv` all but the finest.
    fn filter(self) -> EnvFilter {
        let own = self.level();
        let others = match own {
            LevelFilter::TRACE => LevelFilter::DEBUG,
            LevelFilter::DEBUG => LevelFilter::WARN,
            _ => LevelFilter::ERROR,
        };
        let chosen = || EnvFilter::new(format!("{others},ser={own},timnet={own}"));
        match (self.quiet, self.verbose) {
            (0, 0) => EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| chosen()),
            _ => chosen(),
        }
    }

    /// Sends the log lines of this process to `writer`, which ends on stderr. Call once, first.
    pub fn log<W>(self, lines: Lines, writer: W)
    where
        W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
    {
        let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        let log = tracing_subscriber::fmt().with_writer(writer).with_ansi(colours).with_env_filter(self.filter());
        match lines {
            Lines::Plain => log.event_format(Plain).init(),
            Lines::Dated => log.event_format(Format::default().with_target(false)).init(),
        }
    }
}

struct Plain;

impl<S, N> FormatEvent<S, N> for Plain
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        match *event.metadata().level() {
            Level::ERROR => writer.write_str("error: ")?,
            Level::WARN => writer.write_str("warning: ")?,
            _ => {}
        }
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_q_and_v_is_a_level() {
        let level = |quiet, verbose| Verbosity { quiet, verbose }.level();
        assert_eq!([level(0, 0), level(1, 0), level(9, 0)], [LevelFilter::INFO, LevelFilter::WARN, LevelFilter::ERROR]);
        assert_eq!([level(0, 1), level(0, 9)], [LevelFilter::DEBUG, LevelFilter::TRACE]);
    }
}
