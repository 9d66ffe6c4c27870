//! Published figures, from `published.toml`; shares here, percent there.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    document::Mark,
    error::{ReportError, Result},
};

/// Epochs of the paper's trainings.
pub const EPOCHS: u32 = 500;
/// Folds of the paper's cross-validations.
pub const FOLDS: usize = 10;
/// Ordered pairs of corpora in Table 2.
pub const PAIRS: usize = 20;
/// Runs of Table 2.
pub const RUNS: usize = 10;
/// Corpora that Table 3 is a mean of.
pub const CORPORA: usize = 6;

/// All of it.
#[derive(Debug, Deserialize)]
pub struct Published {
    pub table1: Vec<Row1>,
    pub table2: Vec<Row2>,
    pub table3: Vec<Row3>,
}

/// A row of Table 1.
#[derive(Debug, Deserialize)]
pub struct Row1 {
    pub system: String,
    /// Ours of the same name.
    pub variant: Option<String>,
    pub protocol: String,
    pub source: Source,
    /// Corpus to UAR and WAR.
    pub figures: BTreeMap<String, [f64; 2]>,
}

/// Who reported a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    Paper,
    ReRun,
}

/// A row of Table 2: mean and standard deviation.
#[derive(Debug, Deserialize)]
pub struct Row2 {
    pub system: String,
    pub variant: Option<String>,
    pub uar: [f64; 2],
    pub war: [f64; 2],
}

/// A row of Table 3.
#[derive(Debug, Deserialize)]
pub struct Row3 {
    pub variant: String,
    pub figures: [f64; 2],
}

impl Published {
    /// Reads what the crate carries.
    pub fn load() -> Result<Self> {
        let mut all: Self = toml::from_str(include_str!("published.toml"))
            .map_err(|e| ReportError::malformed("published.toml (in serreport)".as_ref(), e))?;
        let to_shares = |v: &mut [f64; 2]| v.iter_mut().for_each(|v| *v /= 100.0);
        all.table1.iter_mut().flat_map(|r| r.figures.values_mut()).for_each(to_shares);
        all.table2.iter_mut().flat_map(|r| [&mut r.uar, &mut r.war]).for_each(to_shares);
        all.table3.iter_mut().for_each(|r| to_shares(&mut r.figures));
        Ok(all)
    }

    /// UAR and WAR of our network in the paper's Table 1.
    pub fn table1(&self, variant: &str, protocol: &str, corpus: &str) -> Option<[f64; 2]> {
        let fits = |r: &&Row1| {
            r.source == Source::Paper && r.variant.as_deref() == Some(variant) && r.protocol == protocol
        };
        self.table1.iter().find(fits)?.figures.get(corpus).copied()
    }

    /// UAR and WAR of a network in Table 3.
    pub fn table3(&self, variant: &str) -> Option<[f64; 2]> {
        self.table3.iter().find(|r| r.variant == variant).map(|r| r.figures)
    }
}

/// What has to be said of figures of a protocol, whoever made them.
pub fn marks(protocol: &str) -> Vec<Mark> {
    if protocol == "best-epoch" { vec![Mark::Optimistic] } else { Vec::new() }
}
