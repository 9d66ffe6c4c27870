//! Measurements by what was measured and by whom; their medians side by side.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

/// The entries that say who measured.
const NAMES: [&str; 3] = ["program", "peer", "engine"];
const OURS: &str = "ours";

/// A measurement: what was measured, and which figure of it.
type Figure = (String, String);

#[derive(Default)]
pub struct Table(BTreeMap<Figure, BTreeMap<&'static str, Vec<f64>>>);

impl Table {
    /// Adds the JSON lines that `program` printed.
    pub fn add(&mut self, program: &'static str, lines: &str) -> Result<()> {
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            let entries: Map<String, Value> = serde_json::from_str(line)
                .with_context(|| format!("{program} printed `{line}`, which is no JSON object"))?;
            let (figures, rest): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(key, _)| is_figure(key));
            let mut measured: Vec<String> = rest
                .iter()
                .filter(|(key, _)| !NAMES.contains(&key.as_str()))
                .map(|(key, value)| {
                    format!("{key} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                })
                .collect();
            measured.sort();
            for (key, value) in figures {
                let value = value.as_f64().with_context(|| format!("{program}: `{key}` is {value}, not a number"))?;
                let figure = (measured.join(", "), key);
                self.0.entry(figure).or_default().entry(program).or_default().push(value);
            }
        }
        Ok(())
    }

    /// Writes medians and ratios (peer / ours) to standard output.
    pub fn print(&self, json: bool) -> Result<()> {
        let mut compared = 0;
        let mut out = io::stdout().lock();
        for ((measured, figure), programs) in &self.0 {
            let Some(ours) = programs.get(OURS).map(|v| median(v)) else { continue };
            if !json {
                writeln!(out, "{measured}: {figure}\n  {OURS:<12} {:>14}", human(figure, ours))?;
            }
            for (peer, values) in programs.iter().filter(|p| *p.0 != OURS) {
                compared += 1;
                let (theirs, ratio) = (median(values), median(values) / ours);
                if json {
                    let line = json!({ "measured": measured, "figure": figure, "ours": ours, "peer": peer,
                                       "theirs": theirs, "ratio": ratio, "rounds": values.len() });
                    writeln!(out, "{line}")?;
                } else {
                    writeln!(out, "  {peer:<12} {:>14}  {ratio:.2} x ours", human(figure, theirs))?;
                }
            }
        }
        if compared == 0 {
            let all: BTreeSet<&str> = self.0.keys().map(|figure| figure.0.as_str()).collect();
            bail!("nothing to compare: no two programs measured the same of\n  {}", Vec::from_iter(all).join("\n  "));
        }
        Ok(())
    }
}

fn is_figure(key: &str) -> bool {
    key.contains("seconds") || ["gflops", "peak_rss"].contains(&key)
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

fn human(figure: &str, value: f64) -> String {
    match (figure, value) {
        ("gflops", _) => format!("{value:.1} GFLOP/s"),
        ("peak_rss", _) => format!("{:.0} MiB", value / f64::from(1 << 20)),
        (_, s) if s < 1.0 => format!("{:.3} ms", s * 1e3),
        (_, s) => format!("{s:.3} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_compared_by_what_they_measured() {
        let mut table = Table::default();
        for seconds in [3.0, 1.0, 2.0] {
            table.add(OURS, &format!("{{\"engine\":\"native\",\"batch\":1,\"seconds\":{seconds}}}\n")).unwrap();
        }
        table.add("Keras", "{\"peer\":\"keras\",\"seconds\":8.0,\"batch\":1}\n\n{\"seconds\":1,\"batch\":64}").unwrap();
        assert_eq!(table.0.len(), 2);
        let one = &table.0[&("batch 1".to_owned(), "seconds".to_owned())];
        assert_eq!((median(&one[OURS]), median(&one["Keras"])), (2.0, 8.0));
        assert!(table.print(true).is_ok());
    }

    #[test]
    fn what_cannot_be_compared_is_an_error() {
        let mut table = Table::default();
        assert!(table.add(OURS, "warming up").is_err());
        assert!(table.add(OURS, "{\"seconds\":\"1\"}").is_err());
        table.add(OURS, "{\"batch\":1,\"seconds\":1}").unwrap();
        table.add("Keras", "{\"batch\":2,\"seconds\":1}").unwrap();
        assert!(table.print(false).unwrap_err().to_string().contains("batch 2"));
    }
}
