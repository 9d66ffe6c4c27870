//! Features of many signals or files, as one .npy each: what the parity command compares with librosa.
//!
//! `parity PRESET f32|f64 samples|file IN.. -o FOLDER [--length N]`: `samples` reads float32 .npy and takes them as they
//! are; `file` decodes and resamples to the preset's rate with the preset's resampler.

use std::error::Error;
use std::path::{Path, PathBuf};

use ndarray::{Array1, Array2};
use sermfcc::{Extractor, FrontEnd};

struct Job {
    front_end: FrontEnd,
    double: bool,
    from_files: bool,
    length: Option<usize>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [preset, precision, source, rest @ ..] = &arguments[..] else {
        return Err("usage: parity PRESET f32|f64 samples|file IN.. -o FOLDER [--length N]".into());
    };
    let mut job = Job {
        front_end: FrontEnd::preset(preset)?,
        double: precision == "f64",
        from_files: source == "file",
        length: None,
    };
    let (mut inputs, mut out) = (Vec::new(), PathBuf::from("."));
    let mut rest = rest.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "-o" => out = value()?.into(),
            "--length" => job.length = Some(value()?.parse()?),
            list if list.starts_with('@') => {
                inputs.extend(std::fs::read_to_string(&list[1..])?.lines().map(PathBuf::from));
            }
            input => inputs.push(input.into()),
        }
    }
    let single = Extractor::<f32>::new(&job.front_end)?;
    let double = Extractor::<f64>::new(&job.front_end)?;
    for input in &inputs {
        let samples = job.samples(input)?;
        let features: Array2<f64> =
            if job.double { double.mfcc(&samples)? } else { single.mfcc(&samples)?.mapv(f64::from) };
        let name = input.file_stem().ok_or("an input without a name")?;
        ndarray_npy::write_npy(out.join(name).with_extension("npy"), &features)?;
    }
    Ok(())
}

impl Job {
    fn samples(&self, input: &Path) -> Result<Vec<f32>, Box<dyn Error>> {
        let samples = if self.from_files {
            let options = seraudio::LoadOptions {
                rate: Some(self.front_end.sample_rate),
                resampler: self.front_end.resampler.parse()?,
                ..Default::default()
            };
            seraudio::load(input, &options)?.samples
        } else {
            let samples: Array1<f32> = ndarray_npy::read_npy(input)?;
            samples.to_vec()
        };
        Ok(match self.length {
            Some(length) => seraudio::fit_length(&samples, length),
            None => samples,
        })
    }
}
