//! `serreport`: one report over run folders.

use std::{io::IsTerminal, path::PathBuf, process::ExitCode};

use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  serreport runs/table1-0123456789ab -o report
  serreport runs/table1-* runs/table3-* -o report     one report over all of them

Exit codes: 0 done, 1 the report can't be written, 2 wrong use or bad input.";

/// Writes one self-contained report (HTML, Markdown, CSV, JSON, LaTeX rows, SVG) over run folders.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct Cli {
    /// Run folders, as `serlab` makes them.
    #[arg(required = true, value_name = "RUN_DIR")]
    runs: Vec<PathBuf>,
    /// The folder to write into.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Points around a published figure within which ours agrees with it.
    #[arg(long, value_name = "POINTS", default_value_t = serreport::Options::default().margin)]
    margin: f64,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("SER_LOG").unwrap_or_else(|_| "info".into());
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .with_env_filter(filter)
        .with_target(false)
        .init();
    let runs: Vec<&std::path::Path> = cli.runs.iter().map(PathBuf::as_path).collect();
    match serreport::write(&runs, &cli.output, &serreport::Options { margin: cli.margin }) {
        Ok(written) => {
            written.absent.iter().for_each(|absent| tracing::info!("left out: {absent}"));
            let page = cli.output.join("report.html");
            tracing::info!("{} files written; open {}", written.files.len(), page.display());
            ExitCode::SUCCESS
        }
        Err(e) => {
            tracing::error!("{e}");
            ExitCode::from(e.code())
        }
    }
}
