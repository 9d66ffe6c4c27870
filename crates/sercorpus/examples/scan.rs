//! Scan a corpus in three ways, to measure time and memory:
//!
//! ```text
//! scan synth KIND N FOLDER     write N short utterances
//! scan stream KIND FOLDER      visit every recording, keep none
//! scan open KIND FOLDER        all utterances, in official order
//! scan check KIND FOLDER       open, and read every recording
//! ```
#![allow(clippy::print_stdout)]

use std::path::Path;

use sercorpus::synth::{SynthOptions, write};
use sercorpus::{CorpusKind, OpenOptions, check, open, scan};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let options = OpenOptions::default();
    match arguments[..] {
        ["synth", kind, n, folder] => {
            let kind: CorpusKind = kind.parse()?;
            let report = write(kind, Path::new(folder), &SynthOptions::load(kind, n.parse()?))?;
            println!("{} utterances, {} MB", report.utterances.len(), report.bytes / 1_000_000);
        }
        ["stream", kind, folder] => {
            let mut utterances = 0;
            scan(kind.parse()?, Path::new(folder), &options, |_| utterances += 1)?;
            println!("{utterances} utterances");
        }
        ["open", kind, folder] => {
            let corpus = open(kind.parse()?, Path::new(folder), &options)?;
            println!("{} utterances", corpus.utterances.len());
        }
        ["check", kind, folder] => {
            let report = check(&open(kind.parse()?, Path::new(folder), &options)?, &|_, _| {});
            println!("{} utterances, {} findings", report.utterances, report.findings.len());
        }
        _ => {
            return Err("usage: scan synth KIND N FOLDER | scan stream|open|check KIND FOLDER".into());
        }
    }
    Ok(())
}
