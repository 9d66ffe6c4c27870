//! Converts a Keras weight file: `cargo run -p timnet-keras --example convert -- IN.hdf5 OUT.safetensors`.

use std::{collections::BTreeMap, env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [from, to] = &arguments[..] else { return Err("usage: convert IN.hdf5 OUT.safetensors".into()) };
    let weights = timnet_keras::read(Path::new(from))?;
    fs::write(to, weights.to_safetensors(&BTreeMap::new())?)?;
    eprintln!("{to}: {}", weights.layout.settings());
    Ok(())
}
