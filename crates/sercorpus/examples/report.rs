//! Check a corpus, its statistics and the leakage of its splits:
//! `cargo run --release -p sercorpus --example report -- FOLDER|MANIFEST [PLOT.svg]`.
#![allow(clippy::print_stdout)]

use sercorpus::split::{Scheme, leakage};
use sercorpus::{OpenOptions, OwnOptions, check, content_hashes, open_any, stats};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: report FOLDER|MANIFEST [PLOT.svg]")?;
    let corpus = open_any(path.as_ref(), None, &OpenOptions::default(), &OwnOptions::default())?;
    println!("{}\n", check(&corpus, &|_, _| {}));
    let stats = stats(&corpus, &|_, _| {});
    println!("{stats}\n");
    if let Some(plot) = arguments.next() {
        std::fs::write(plot, stats.to_svg()?)?;
    }
    let hashes = content_hashes(&corpus, &|_, _| {});
    let seed = corpus.kind.map_or(0, |kind| kind.published_seed());
    for scheme in [Scheme::KFold, Scheme::SpeakerIndependent] {
        let folds = scheme.split(&corpus, 10, seed)?;
        println!("{scheme}, {} folds, seed {seed}\n{}\n", folds.len(), leakage(&corpus, &folds, Some(&hashes)));
    }
    Ok(())
}
