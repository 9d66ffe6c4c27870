//! Write all six small synthetic corpora: `cargo run --release -p sercorpus --example synth -- FOLDER`.
#![allow(clippy::print_stdout)]

use sercorpus::CorpusKind;
use sercorpus::synth::{SynthOptions, write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: synth FOLDER")?;
    for kind in CorpusKind::ALL {
        let report = write(kind, &std::path::Path::new(&folder).join(kind.name()), &SynthOptions::small())?;
        let (n, seconds) = (report.utterances.len(), report.seconds);
        println!("{kind:8} {n:3} utterances, {seconds:5.1} s, {} kB", report.bytes / 1000);
    }
    Ok(())
}
