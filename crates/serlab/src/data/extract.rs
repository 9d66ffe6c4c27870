//! From a recording to the features of a fixed length.

use seraudio::LoadOptions;
use sermfcc::{Extractor, FrontEnd};
use serrun::{Preparation, Utterance};

use crate::error::{LabError, Result};

/// From a recording to the features of a fixed length.
pub struct Extract {
    extractor: Extractor<f64>,
    pub options: LoadOptions,
    length: Option<usize>,
    trim: Option<f64>,
    prepare: Option<Preparation>,
}

/// Samples of a frame, and from one frame to the next, where silence is looked for: librosa's.
const TRIM_FRAME: usize = 2048;
const TRIM_HOP: usize = 512;

impl Extract {
    /// By `front_end`, of `length` samples; of the whole recording where that is None. Silence at both ends is trimmed first where `trim`
    /// says how soft it is, in decibels; `prepare` says what else is done with samples of a fixed length.
    ///
    /// # Errors
    /// Settings that cannot be used.
    pub fn new(
        front_end: &FrontEnd,
        length: Option<usize>,
        trim: Option<f64>,
        prepare: Option<Preparation>,
    ) -> Result<Self> {
        let extractor = Extractor::new(front_end).map_err(LabError::input)?;
        let resampler = front_end.resampler.parse().map_err(LabError::input)?;
        let options = LoadOptions { rate: Some(front_end.sample_rate), resampler, ..LoadOptions::default() };
        Ok(Self { extractor, options, length, trim, prepare })
    }

    /// [frames, coefficients] of an utterance: a recording, or its part between start and end.
    ///
    /// # Errors
    /// A recording that cannot be used, with its path and why.
    pub fn utterance(&self, utterance: &Utterance) -> Result<Vec<f32>> {
        let Utterance { path, start, end, .. } = utterance;
        let audio = seraudio::load(path, &self.options).map_err(LabError::input)?;
        let at = |seconds: f64| ((seconds * f64::from(audio.rate)).round() as usize).min(audio.samples.len());
        let (from, to) = (start.map_or(0, at), end.map_or(audio.samples.len(), at));
        let part = audio.samples.get(from..to).filter(|part| !part.is_empty()).ok_or_else(|| {
            let all = audio.samples.len() as f64 / f64::from(audio.rate);
            LabError::Input(format!("{}: {} lies outside of its {all:.3} s", path.display(), utterance.id))
        })?;
        let part = match self.trim {
            Some(db) => &part[sermfcc::trim(part, db, TRIM_FRAME, TRIM_HOP)],
            None => part,
        };
        self.mfcc(part).map_err(|e| LabError::Input(format!("{}: {e}", path.display())))
    }

    /// [frames, coefficients] of samples of any number.
    ///
    /// # Errors
    /// Samples that have no features.
    pub fn mfcc(&self, samples: &[f32]) -> std::result::Result<Vec<f32>, sermfcc::FeatureError> {
        let fitted = self.length.map(|length| match self.prepare {
            Some(Preparation::LightSernet) => sermfcc::light_sernet_samples(samples, length),
            _ => seraudio::fit_length(samples, length),
        });
        let matrix = self.extractor.mfcc(fitted.as_deref().unwrap_or(samples))?;
        Ok(matrix.iter().map(|&v| v as f32).collect())
    }
}

/// Little-endian.
pub fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}
