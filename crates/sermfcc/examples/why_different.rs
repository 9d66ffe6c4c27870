//! Why do two front ends differ? `why_different RECORDING PRESET PRESET` changes one setting at a time.

use std::error::Error;

use sermfcc::{FrontEnd, compare};

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, a, b] = &arguments[..] else { return Err("usage: why_different RECORDING PRESET PRESET".into()) };
    let (a, b) = (FrontEnd::preset(a)?, FrontEnd::preset(b)?);
    // Loaded anew for each front end, so that rate and resampler count as settings.
    let report = compare::front_ends(&a, &b, |front_end| {
        let options = seraudio::LoadOptions {
            rate: Some(front_end.sample_rate),
            resampler: front_end.resampler.parse()?,
            ..Default::default()
        };
        Ok(seraudio::load(path.as_ref(), &options)?.samples)
    })?;
    println!("{report}");
    Ok(())
}
