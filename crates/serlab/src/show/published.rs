//! The configuration files that the program carries are those of the published figures.

use std::path::Path;

use sercorpus::CorpusKind;
use sermfcc::FrontEnd;
use toml::{Table, Value};

use crate::config::Published;

fn published() -> (Published, Table) {
    let text = include_str!("../../../../configs/published.toml");
    (toml::from_str(text).unwrap(), toml::from_str(text).unwrap())
}

/// Every key of `paper` is in `ours` with its value.
fn holds(ours: &Table, paper: &Table) {
    for (key, value) in paper {
        assert_eq!(ours.get(key), Some(value), "{key}");
    }
}

#[test]
fn the_configurations_are_the_papers() {
    let (typed, table) = published();
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    let read = |name: &str| -> Table { toml::from_str(&std::fs::read_to_string(configs.join(name)).unwrap()).unwrap() };
    let part = |key: &str| table["setting"][key].as_table().unwrap().clone();
    let table1 = read("table1.toml");
    holds(table1["training"].as_table().unwrap(), &part("training"));
    assert_eq!(table1["folds"], table["setting"]["folds"]);
    let preset = table1["front_end"]["preset"].as_str().unwrap();
    assert_eq!(FrontEnd::preset(preset).unwrap(), typed.setting.front_end);
    assert_eq!(typed.setting.corpora.len(), 6);
    for (name, mut corpus) in part("corpora") {
        let kind: CorpusKind = name.parse().unwrap();
        let corpus = corpus.as_table_mut().unwrap();
        assert_eq!(corpus.remove("utterances"), Some(Value::Integer(kind.expected_total() as i64)));
        holds(&read(&format!("corpora/{name}.toml")), corpus);
    }
}
