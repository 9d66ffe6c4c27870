use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::Corpus;
use crate::inspect::{Progress, probe_all};

/// Counts and durations of a group of utterances.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GroupStats {
    /// The label or speaker.
    pub name: String,
    /// Utterances.
    pub utterances: usize,
    /// Of these, those whose duration is known.
    pub timed: usize,
    /// Total duration in seconds.
    pub seconds: f64,
    /// Shortest utterance in seconds.
    pub shortest: f64,
    /// Longest utterance in seconds.
    pub longest: f64,
}

impl GroupStats {
    /// Mean duration in seconds; 0 where none is known.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.seconds / self.timed.max(1) as f64
    }

    fn add(&mut self, seconds: Option<f64>) {
        self.utterances += 1;
        let Some(seconds) = seconds else { return };
        self.shortest = if self.timed == 0 { seconds } else { self.shortest.min(seconds) };
        self.longest = self.longest.max(seconds);
        self.timed += 1;
        self.seconds += seconds;
    }
}

/// Statistics of a corpus.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Name of the corpus.
    pub corpus: String,
    /// All utterances.
    pub total: GroupStats,
    /// By label, in label order.
    pub labels: Vec<GroupStats>,
    /// By speaker, in natural order; empty where none is known.
    pub speakers: Vec<GroupStats>,
    /// Recordings at each rate in Hz.
    pub rates: BTreeMap<u32, usize>,
    /// Recordings with each number of channels.
    pub channels: BTreeMap<u32, usize>,
    /// Width of a histogram bin in seconds.
    pub bin_seconds: f64,
    /// Utterances by duration, bins from 0 on.
    pub histogram: Vec<usize>,
}

const BIN_SECONDS: f64 = 0.5;
/// The last bin takes everything longer.
const MAX_BINS: usize = 60;

/// Count utterances and durations; durations come from the headers of recordings (or from start and end).
#[must_use]
pub fn stats(corpus: &Corpus, progress: Progress<'_>) -> Stats {
    let headers = probe_all(corpus, progress);
    let named = |name: &str| GroupStats { name: name.to_owned(), ..GroupStats::default() };
    let mut labels: Vec<GroupStats> = corpus.labels.iter().map(|label| named(label)).collect();
    let mut speakers = BTreeMap::<&str, GroupStats>::new();
    let (mut total, mut rates, mut channels) = (named("all"), BTreeMap::new(), BTreeMap::new());
    let mut histogram = Vec::new();
    for ((utterance, header), class) in corpus.utterances.iter().zip(headers).zip(corpus.label_indices()) {
        let seconds = utterance.seconds(header.as_ref().and_then(|h| h.seconds()));
        total.add(seconds);
        if let Some(label) = labels.get_mut(class) {
            label.add(seconds);
        }
        if let Some(speaker) = &utterance.speaker {
            speakers.entry(speaker).or_insert_with(|| named(speaker)).add(seconds);
        }
        if let Some(header) = header {
            *rates.entry(header.rate).or_default() += 1;
            *channels.entry(header.channels).or_default() += 1;
        }
        if let Some(seconds) = seconds {
            let bin = ((seconds / BIN_SECONDS) as usize).min(MAX_BINS - 1);
            if histogram.len() <= bin {
                histogram.resize(bin + 1, 0);
            }
            histogram[bin] += 1;
        }
    }
    let mut speakers: Vec<GroupStats> = speakers.into_values().collect();
    speakers.sort_by(|a, b| crate::natural_cmp(&a.name, &b.name));
    Stats { corpus: corpus.name.clone(), total, labels, speakers, rates, channels, bin_seconds: BIN_SECONDS, histogram }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = [("label", &self.labels), ("speaker", &self.speakers)];
        let names = self.labels.iter().chain(&self.speakers).map(|g| g.name.chars().count());
        let width = names.max().unwrap_or(0).max(8);
        for (what, rows) in groups.into_iter().filter(|(_, rows)| !rows.is_empty()) {
            writeln!(f, "{what:width$}  utterances  minutes  mean s   min s   max s")?;
            for row in rows.iter().chain([&self.total]) {
                writeln!(
                    f,
                    "{:width$}  {:10}  {:7.2}  {:6.2}  {:6.2}  {:6.2}",
                    row.name,
                    row.utterances,
                    row.seconds / 60.0,
                    row.mean(),
                    row.shortest,
                    row.longest
                )?;
            }
            writeln!(f)?;
        }
        let list = |counts: Vec<String>| {
            if counts.is_empty() { "unknown".to_owned() } else { counts.join(", ") }
        };
        let rates = list(self.rates.iter().map(|(rate, n)| format!("{rate} Hz x {n}")).collect());
        let channels = list(self.channels.iter().map(|(c, n)| format!("{c} x {n}")).collect());
        write!(f, "rate: {rates}; channels: {channels}")
    }
}
