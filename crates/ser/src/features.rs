//! `ser features`.

use std::path::PathBuf;

use ndarray::{Array2, Array3, Axis};
use ndarray_npy::WriteNpyExt;
use rayon::prelude::*;
use seraudio::LoadOptions;
use sermfcc::{Extractor, FrontEnd};

use crate::{
    failure::{Failure, Result},
    output::{self, Target},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ser features 03a01Fa.wav --preset timnet-0.8.1 -o one.npy
  ser features wav/*.wav --preset librosa-0.10 --length 96000 -o all.npy
  ser features a.flac --preset timnet-paper --resampler soxr_hq -o a.npy

The file holds float32: [frames, coefficients] of one recording, [files, frames, coefficients] of several, which then
need one length (--length). Presets:
  librosa-0.8.1   librosa's defaults, 20 coefficients: librosa <= 0.8.1 with resampy <= 0.2.2
  librosa-0.9     the same of librosa 0.9 with resampy >= 0.3
  librosa-0.10    the same of librosa 0.10 and 0.11
  timnet-0.8.1    TIM-Net's official code, 39 coefficients, with librosa <= 0.8.1
  timnet-0.9      the same with librosa 0.9
  timnet-0.10     the same with librosa 0.10 and 0.11
  timnet-paper    TIM-Net's paper: 50 ms Hamming windows every 12.5 ms, otherwise as timnet-0.8.1")]
pub struct Features {
    /// Recordings.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Front end.
    #[arg(long, default_value = "timnet-0.8.1")]
    preset: String,
    /// Another resampler than the preset's: kaiser_best-0.2, kaiser_best-0.3, soxr_hq, sinc.
    #[arg(long, value_name = "NAME")]
    resampler: Option<String>,
    /// Centre pad or centre crop to this many samples after resampling.
    #[arg(long, value_name = "SAMPLES", value_parser = clap::value_parser!(u32).range(1..))]
    length: Option<u32>,
    /// The .npy file.
    #[arg(short, long, value_name = "OUT.npy")]
    output: PathBuf,
}

/// Computes and writes the features.
///
/// # Errors
/// A recording or a setting that can't be used; a file that can't be written.
pub fn run(args: &Features) -> Result<()> {
    let target = Target::file(&args.output, output::ARRAY, args.files.iter().map(PathBuf::as_path))?;
    let mut front_end = FrontEnd::preset(&args.preset).map_err(Failure::input)?;
    if let Some(resampler) = &args.resampler {
        front_end.resampler.clone_from(resampler);
    }
    let extractor = Extractor::<f64>::new(&front_end).map_err(Failure::input)?;
    let resampler = front_end.resampler.parse().map_err(Failure::input)?;
    let options = LoadOptions { rate: Some(front_end.sample_rate), resampler, ..LoadOptions::default() };
    let features: Vec<Array2<f32>> = args
        .files
        .par_iter()
        .map(|path| {
            let mut samples = seraudio::load(path, &options).map_err(Failure::input)?.samples;
            if let Some(length) = args.length {
                samples = seraudio::fit_length(&samples, length as usize);
            }
            let mfcc = extractor.mfcc(&samples).map_err(|e| Failure::Input(format!("{}: {e}", path.display())))?;
            Ok(mfcc.mapv(|v| v as f32))
        })
        .collect::<Result<_>>()?;
    let mut bytes = Vec::new();
    match &features[..] {
        [one] => one.write_npy(&mut bytes).map_err(Failure::work)?,
        all => stack(args, all)?.write_npy(&mut bytes).map_err(Failure::work)?,
    }
    target.write(&bytes)?;
    tracing::info!("{} x {:?}, front end {}", features.len(), features[0].dim(), front_end.fingerprint());
    Ok(())
}

fn stack(args: &Features, all: &[Array2<f32>]) -> Result<Array3<f32>> {
    let odd = all.iter().zip(&args.files).find(|(f, _)| f.dim() != all[0].dim());
    if let Some((found, path)) = odd {
        return Err(Failure::Input(format!(
            "{}: {} frames where {} has {}; give --length to bring all to one",
            path.display(),
            found.nrows(),
            args.files[0].display(),
            all[0].nrows()
        )));
    }
    let views: Vec<_> = all.iter().map(|f| f.view()).collect();
    ndarray::stack(Axis(0), &views).map_err(Failure::work)
}
