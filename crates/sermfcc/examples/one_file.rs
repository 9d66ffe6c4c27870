//! MFCCs of one recording: `one_file RECORDING [PRESET]`. Prints the shape, the hash of the settings, and the mean of each
//! coefficient.

use std::error::Error;

use sermfcc::{Extractor, FrontEnd};

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: one_file RECORDING [PRESET]")?;
    let front_end = FrontEnd::preset(arguments.next().as_deref().unwrap_or("librosa-0.10"))?;
    // The settings name the resampler; whoever loads the recording follows it.
    let options = seraudio::LoadOptions {
        rate: Some(front_end.sample_rate),
        resampler: front_end.resampler.parse()?,
        ..Default::default()
    };
    let audio = seraudio::load(path.as_ref(), &options)?;
    let mfcc = Extractor::<f32>::new(&front_end)?.mfcc(&audio.samples)?;
    println!("{:?} [frames, coefficients], settings {}", mfcc.dim(), front_end.fingerprint());
    for (k, column) in mfcc.columns().into_iter().enumerate() {
        println!("c{k:<3} {:9.3}", column.mean().unwrap_or(0.0));
    }
    Ok(())
}
