//! A report over demonstration runs, and what its tests look at.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use serreport::{Options, Written};

use super::Demo;

pub fn write(runs: &[&Path], out: &Path) -> serreport::Result<Written> {
    serreport::write(runs, out, &Options::default())
}

pub struct Report {
    pub dir: tempfile::TempDir,
    pub written: Written,
}

impl Report {
    pub fn of(demo: &Demo) -> Self {
        Self::over(&[demo])
    }

    /// One report over several runs.
    pub fn over(demos: &[&Demo]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let runs: Vec<PathBuf> = (0..demos.len()).map(|i| dir.path().join(format!("run{i}"))).collect();
        demos.iter().zip(&runs).for_each(|(demo, run)| demo.write(run));
        let runs: Vec<&Path> = runs.iter().map(PathBuf::as_path).collect();
        let written = write(&runs, &dir.path().join("out")).unwrap();
        Self { dir, written }
    }

    /// The rows of a table as text, fields joined with ` | `, that start with `start`.
    pub fn rows(&self, table: &str, start: &str) -> Vec<String> {
        let table = self.table(table);
        let columns = table["columns"].as_array().unwrap();
        let text = |row: &Value| {
            let fields: Vec<&str> =
                columns.iter().map(|c| row[c.as_str().unwrap()]["text"].as_str().unwrap()).collect();
            fields.join(" | ")
        };
        table["rows"].as_array().unwrap().iter().map(text).filter(|r| r.starts_with(start)).collect()
    }

    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join("out").join(name)).unwrap()
    }

    pub fn table(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(&format!("tables/{name}.json"))).unwrap()
    }

    pub fn tables(&self) -> Vec<String> {
        let stem = |p: &PathBuf| {
            let inside = p.parent()?.file_name()? == "tables" && p.extension()? == "json";
            inside.then(|| p.file_stem().unwrap().to_string_lossy().into_owned())
        };
        self.written.files.iter().filter_map(stem).collect()
    }
}

pub const OWN: Demo = Demo {
    synthetic: false,
    epochs: 6,
    folds: 3,
    seeds: &[46],
    training_seeds: &[],
    uar: 0.6,
    corpus: "emodb",
    labels: &["angry", "fear", "happy", "neutral", "sad"],
    blocks: 8,
    learning_rate: 0.001,
    utterances: 535,
    across: false,
    missing: &[],
    rival: "TSP+INCA",
};
