//! Published figures, as shares, and what must be said beside them.

use sercorpus::CorpusName;
use serrun::{Mark, OtherSystem, Protocol, System};

use crate::{
    run::{Published, Run},
    setting::Setting,
};

/// Ordered pairs of corpora in Table 2.
pub const PAIRS: usize = 20;
/// Runs of Table 2.
pub const RUNS: usize = 10;

/// The figures of the first run that has some.
#[derive(Debug)]
pub struct Paper<'a>(Option<&'a Published>);

impl<'a> Paper<'a> {
    /// Of the first run that has them.
    pub fn of(runs: &'a [Run]) -> Self {
        Self(runs.iter().find_map(|r| r.published.as_ref()))
    }

    /// UAR and WAR of TIM-Net in Table 1.
    pub fn table1(&self, system: &System, protocol: Protocol, corpus: &CorpusName) -> Option<[f64; 2]> {
        self.0?.table1(system, protocol, corpus)
    }

    /// The protocols of TIM-Net's rows of Table 1, with the UAR and WAR of a corpus.
    pub fn tim_net(&self) -> impl Iterator<Item = (Protocol, impl Fn(&CorpusName) -> Option<[f64; 2]> + 'a)> {
        let row = |(protocol, figures): (&Protocol, &'a std::collections::BTreeMap<CorpusName, [f64; 2]>)| {
            (*protocol, move |corpus: &CorpusName| figures.get(corpus).map(|pair| pair.map(|v| v / 100.0)))
        };
        self.0.into_iter().flat_map(|p| &p.tim_net).map(row)
    }

    /// The other systems' rows of Table 1, in percent.
    pub fn others(&self) -> impl Iterator<Item = &'a OtherSystem> {
        self.0.into_iter().flat_map(|p| &p.others)
    }

    /// The systems of Table 2.
    pub fn table2_systems(&self) -> impl Iterator<Item = &'a str> {
        self.0.into_iter().flat_map(|p| p.table2.keys()).map(String::as_str)
    }

    /// UAR and WAR of a system in Table 2: mean and standard deviation over [`RUNS`] runs.
    pub fn table2(&self, system: &str) -> Option<[[f64; 2]; 2]> {
        self.0?.table2(system)
    }

    /// UAR and WAR of a system, mean over exactly these corpora.
    pub fn mean(&self, system: &System, protocol: Protocol, corpora: &[CorpusName]) -> Option<[f64; 2]> {
        self.0?.mean(system, protocol, corpora)
    }

    /// What the figures were made with, without the seeds.
    pub fn setting(&self) -> Option<Setting> {
        let mut setting = serde_json::to_value(&self.0?.setting).ok()?;
        for corpus in setting.get_mut("corpora")?.as_object_mut()?.values_mut() {
            corpus.as_object_mut()?.remove("seed");
        }
        Some(Setting::of(&setting))
    }

    /// The seed of a corpus' published folds.
    pub fn seed(&self, corpus: &CorpusName) -> Option<u64> {
        Some(self.0?.setting.corpora.get(corpus)?.seed)
    }
}

/// What must be said beside a published figure within a corpus. The folds of a protocol are random, so they share their sentences; of
/// other protocols nothing is known.
pub fn marks(protocol: Option<Protocol>) -> Vec<Mark> {
    match protocol {
        Some(protocol) if protocol.caveat().is_some() => vec![Mark::Optimistic, Mark::TextsShared],
        Some(_) => vec![Mark::TextsShared],
        None => Vec::new(),
    }
}

/// What must be said beside a published figure of Table 2. CAAM aligns the corpora's features without the labels of the one tested.
pub fn marks_across(system: &str) -> Vec<Mark> {
    if system == "caam" { vec![Mark::UnlabelledTestData] } else { Vec::new() }
}
