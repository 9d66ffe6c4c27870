//! MFCCs of every recording in a folder, on all cores: `folder FOLDER OUT [PRESET]` writes OUT/NAME.npy, float32
//! [frames, coefficients], and names the recordings that could not be read.

use std::error::Error;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sermfcc::{Extractor, FrontEnd};

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, out, rest @ ..] = &arguments[..] else { return Err("usage: folder FOLDER OUT [PRESET]".into()) };
    let front_end = FrontEnd::preset(rest.first().map_or("librosa-0.10", |name| name))?;
    let extractor = Extractor::<f32>::new(&front_end)?;
    let options = seraudio::LoadOptions {
        rate: Some(front_end.sample_rate),
        resampler: front_end.resampler.parse()?,
        ..Default::default()
    };
    let one = |path: &PathBuf| -> Result<(), Box<dyn Error + Send + Sync>> {
        let audio = seraudio::load(path, &options)?;
        let name = path.file_stem().unwrap_or_default();
        ndarray_npy::write_npy(Path::new(out).join(name).with_extension("npy"), &extractor.mfcc(&audio.samples)?)?;
        Ok(())
    };
    std::fs::create_dir_all(out)?;
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let results: Vec<_> = files.par_iter().map(one).collect();
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        eprintln!("{error}");
    }
    println!("{} of {} recordings", results.iter().filter(|result| result.is_ok()).count(), files.len());
    Ok(())
}
