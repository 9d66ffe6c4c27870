#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod document;
mod error;
mod figures;
mod group;
mod names;
mod published;
mod render;
mod run;
mod sections;
mod setting;
mod svg;
mod training;
mod tsne;

use std::path::{Path, PathBuf};

use serrun::put;

pub use error::{ReportError, Result};
pub use run::quote;
pub use tsne::{FEWEST, Settings, tsne};

use run::Run;

/// Choices in making a report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Points around a published figure within which ours agrees with it; above 0.
    pub margin: f64,
}

impl Default for Options {
    /// 2 points.
    fn default() -> Self {
        Self { margin: 2.0 }
    }
}

/// What [`write()`] has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// All files, `report.html` first.
    pub files: Vec<PathBuf>,
    /// What the runs do not have and the report therefore does not show, in sentences.
    pub absent: Vec<String>,
}

/// Writes the report over the runs in `run_dirs` into the folder `out`, which is made where it is not: `report.html`,
/// `report.md`, `report.json`, `tables/NAME.csv`, `.json` and `.tex`, `figures/NAME.svg`. Every file is whole or not there,
/// and the same runs give the same bytes. Files of an earlier report that this one does not have stay as they are.
///
/// # Errors
/// No folder, one without `metrics.json`, a file in one that does not hold what it should, a margin that is not above 0, or files that
/// can't be written. Nothing is written before all runs are read.
pub fn write(run_dirs: &[&Path], out: &Path, options: &Options) -> Result<Written> {
    if run_dirs.is_empty() {
        return Err(ReportError::NoRuns);
    }
    if !(options.margin > 0.0 && options.margin.is_finite()) {
        return Err(ReportError::Margin(options.margin));
    }
    let runs = run_dirs.iter().enumerate().map(|(i, path)| Run::open(i, path)).collect::<Result<Vec<_>>>()?;
    let (document, absent) = sections::document(&runs, options.margin / 100.0)?;
    let json = |value: serde_json::Value| format!("{value:#}\n");
    let mut files = vec![
        ("report.html".to_owned(), render::html(&document)),
        ("report.md".to_owned(), render::markdown(&document)),
        ("report.json".to_owned(), json(render::report_json(&document, &absent))),
    ];
    for table in document.tables() {
        files.push((format!("tables/{}.csv", table.id), render::csv(table)));
        files.push((format!("tables/{}.json", table.id), json(render::table_json(table))));
        files.push((format!("tables/{}.tex", table.id), render::latex(table)));
    }
    files.extend(document.figures().map(|f| (format!("figures/{}.svg", f.id), f.svg.standalone())));
    let put = |(name, text): (String, String)| {
        let path = out.join(name);
        put(&path, text.as_bytes())?;
        Ok(path)
    };
    let files = files.into_iter().map(put).collect::<Result<_>>()?;
    tracing::debug!(out = %out.display(), runs = runs.len(), "report written");
    Ok(Written { files, absent })
}
