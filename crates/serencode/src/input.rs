//! What goes into a network: which input it is, at which rate, how scaled.

use std::borrow::Cow;

use crate::EncodeError;
use crate::folder::Notes;
use crate::model::{Feed, File};
use crate::proto::{FLOAT, Port};
use crate::settings::{Scaling, Settings};
use crate::source::Source;
use crate::whisper::{self, LogMel};

/// The input of a network.
pub(crate) struct Input {
    name: String,
    /// Name and number of dimensions of a mask, which leaves nothing out.
    mask: Option<(String, usize)>,
    form: Form,
    pub rate: u32,
    pub scaling: Scaling,
}

enum Form {
    /// [1, samples], or [samples] where `flat`; of one length only where it is fixed.
    Wave { flat: bool, fixed: Option<usize> },
    /// [1, bands, 3000].
    LogMel(LogMel),
}

const DEFAULT_RATE: u32 = 16_000;

impl Input {
    /// Finds out what the input is, and what says so.
    pub fn find(file: &File, notes: &Notes, settings: &Settings) -> Result<(Input, Vec<Source>), EncodeError> {
        let graph_error = |what: String| EncodeError::Graph { path: file.path.clone(), what };
        let constants = &file.proto.graph.constants;
        // Files of an old version list constants as inputs, too.
        let is_input = |port: &&Port| !constants.iter().any(|(name, _)| *name == port.name);
        let (masks, others): (Vec<&Port>, Vec<&Port>) =
            file.proto.graph.inputs.iter().filter(is_input).partition(|port| port.name == "attention_mask");
        let [port] = others[..] else {
            let names: Vec<&str> = others.iter().map(|port| port.name.as_str()).collect();
            return Err(graph_error(format!("one input is wanted (samples or Whisper's log-mel); it has {names:?}")));
        };
        let dims = port.dims.as_deref().unwrap_or_default();
        let batch_of_one = |size: Option<u64>| size.is_none_or(|size| size == 1);
        let log_mel = |bands: u64| {
            let known = notes.extractor.as_deref().is_none_or(|extractor| extractor == "WhisperFeatureExtractor");
            (matches!(bands, 80 | 128) && known).then_some(bands as usize)
        };
        let form = match dims {
            [batch, frames] if batch_of_one(*batch) => Form::Wave { flat: false, fixed: frames.map(|n| n as usize) },
            [samples] => Form::Wave { flat: true, fixed: samples.map(|n| n as usize) },
            &[batch, Some(bands), None | Some(3000)] if batch_of_one(batch) && log_mel(bands).is_some() => {
                Form::LogMel(LogMel::new(bands as usize)?)
            }
            // A batch and the bands may both have no fixed size; then the file beside the model says what it is.
            [_, None, None | Some(3000)] if notes.extractor.as_deref() == Some("WhisperFeatureExtractor") => {
                Form::LogMel(LogMel::new(notes.bands.unwrap_or(80))?)
            }
            _ => {
                return Err(graph_error(format!(
                    "input `{}` has the shape {dims:?} with extractor {:?}; read are [1, samples], [samples] and Whisper's [1, 80 or 128, \
                     3000]",
                    port.name,
                    notes.extractor.as_deref().unwrap_or("unknown")
                )));
            }
        };
        if port.element != FLOAT {
            return Err(graph_error(format!(
                "input `{}` wants elements of type {}; float32 is fed",
                port.name, port.element
            )));
        }
        let raw = matches!(form, Form::Wave { .. });
        match notes.extractor.as_deref() {
            Some("Wav2Vec2FeatureExtractor") if raw => {}
            Some("WhisperFeatureExtractor") if !raw => {}
            Some(other) => {
                return Err(graph_error(format!(
                    "preprocessor_config.json names the extractor {other}, which does not fit the input {dims:?} or is not supported; \
                     supported are Wav2Vec2FeatureExtractor and WhisperFeatureExtractor"
                )));
            }
            None => {}
        }
        let mut sources = Vec::new();
        let rate = match (settings.rate, notes.rate) {
            (Some(rate), _) => Source::noted(&mut sources, "sample rate", rate, "set"),
            (None, Some(rate)) => Source::noted(&mut sources, "sample rate", rate, "preprocessor_config.json"),
            (None, None) => Source::noted(&mut sources, "sample rate", DEFAULT_RATE, "assumed: no file says it"),
        };
        let scaling = match (settings.input, notes.scaling) {
            (Some(scaling), _) => Source::noted(&mut sources, "input", scaling, "set"),
            (None, Some(scaling)) => Source::noted(&mut sources, "input", scaling, "preprocessor_config.json"),
            (None, None) if !raw => Source::noted(&mut sources, "input", Scaling::None, "Whisper"),
            (None, None) => {
                return Err(EncodeError::Needed {
                    path: file.path.clone(),
                    what: "no file says whether the samples are normalised (do_normalize in preprocessor_config.json beside it): set \
                           input = \"zero-mean-unit-variance\" or \"none\", as it was in training; the wrong one spoils the result \
                           without an error"
                        .to_owned(),
                });
            }
        };
        if !raw {
            if rate != DEFAULT_RATE || scaling != Scaling::None {
                return Err(graph_error(format!(
                    "Whisper's log-mel is of 16000 Hz and input none; here are {rate} and {scaling}"
                )));
            }
            sources.push(Source {
                key: "front end",
                value: "Whisper's log-mel, padded to 30 s".to_owned(),
                from: "input shape",
            });
        }
        let mask = masks.first().map(|port| (port.name.clone(), port.dims.as_ref().map_or(2, Vec::len)));
        Ok((Input { name: port.name.clone(), mask, form, rate, scaling }, sources))
    }

    /// Samples that a run takes at most, whatever the window; and the only number that it takes, if there is one.
    pub fn bounds(&self) -> (usize, Option<usize>) {
        match self.form {
            Form::Wave { fixed, .. } => (fixed.unwrap_or(usize::MAX), fixed),
            Form::LogMel(_) => (whisper::SAMPLES, None),
        }
    }

    /// Names and shapes of the inputs at a number of samples.
    pub fn shapes(&self, samples: usize) -> Vec<(&str, Vec<u64>)> {
        let dims = match &self.form {
            Form::Wave { flat: true, .. } => vec![samples as u64],
            Form::Wave { flat: false, .. } => vec![1, samples as u64],
            Form::LogMel(front) => vec![1, front.bands() as u64, whisper::FRAMES as u64],
        };
        let mut shapes = vec![(self.name.as_str(), dims)];
        shapes.extend(self.mask.as_ref().map(|(name, rank)| {
            let frames = if let Form::LogMel(_) = self.form { whisper::FRAMES } else { samples };
            (name.as_str(), if *rank == 1 { vec![frames as u64] } else { vec![1, frames as u64] })
        }));
        shapes
    }

    /// The samples of an utterance, scaled.
    pub fn scale<'a>(&self, samples: &'a [f32]) -> Cow<'a, [f32]> {
        match self.scaling {
            Scaling::None => Cow::Borrowed(samples),
            Scaling::ZeroMeanUnitVariance => Cow::Owned(normalise(samples)),
        }
    }

    /// Hands the values of the first input to `run`, made of the samples of a window.
    pub fn feed<T>(
        &self,
        samples: &[f32],
        run: impl FnOnce(&[(&str, Vec<usize>, Feed<'_>)]) -> Result<T, EncodeError>,
    ) -> Result<T, EncodeError> {
        let values = match &self.form {
            Form::Wave { .. } => Cow::Borrowed(samples),
            Form::LogMel(front) => Cow::Owned(front.compute(samples)?),
        };
        let mut feeds = Vec::new();
        for (at, (name, dims)) in self.shapes(samples.len()).into_iter().enumerate() {
            let feed = if at == 0 { Feed::Floats(&values) } else { Feed::Ones };
            feeds.push((name, dims.iter().map(|&dim| dim as usize).collect(), feed));
        }
        run(&feeds)
    }

    /// Frames of `found` that are speech: all, but with Whisper those that lie in its padding.
    pub fn speech(&self, found: usize, samples: usize) -> usize {
        match self.form {
            Form::Wave { .. } => found,
            Form::LogMel(_) => (samples * found).div_ceil(whisper::SAMPLES).min(found),
        }
    }
}

/// (x - mean) / sqrt(variance + 1e-7), n in the variance.
fn normalise(samples: &[f32]) -> Vec<f32> {
    let n = samples.len().max(1) as f64;
    let mean = samples.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    let variance = samples.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
    let scale = 1.0 / (variance + 1e-7).sqrt();
    samples.iter().map(|&x| ((f64::from(x) - mean) * scale) as f32).collect()
}
