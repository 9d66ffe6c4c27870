//! An encoder, and a classifier.

use std::ops::RangeInclusive;
use std::path::Path;

use ndarray::Array2;

use crate::core::{Core, labels};
use crate::output::{Kind, Offer, frames, join};
use crate::settings::{Layers, Settings};
use crate::source::Source;
use crate::{EncodeError, Forecast};

/// Names of dimensions of emotion: what regressors give.
const DIMENSIONS: [&str; 6] = ["arousal", "dominance", "valence", "activation", "pleasure", "valance"];

/// A network that makes frames or one vector of a recording. It may be used by many threads at a time, and computes the same in each.
pub struct Encoder {
    core: Core,
    offer: Offer,
    layers: Option<RangeInclusive<usize>>,
}

impl Encoder {
    /// Opens an ONNX file, or a folder as `optimum` writes it.
    ///
    /// # Errors
    /// [`EncodeError`]: a file that cannot be read, is damaged, points outside its folder or asks for more than [`crate::limits`]; a
    /// setting that is needed (`input`, `output`, `layers`) or does not fit.
    pub fn open(path: &Path, settings: &Settings) -> Result<Encoder, EncodeError> {
        let mut core = Core::open(path, settings)?;
        let (offer, from) = match core.named()? {
            Some(offer) => (offer, "set"),
            None => (only(&core)?, "the only one that fits"),
        };
        let layers = match (offer.kind, &core.settings.layers) {
            (Kind::Other, _) => {
                return Err(core.output_error(format!("output `{}` is neither frames nor a vector", offer.name)));
            }
            (Kind::Layers(count), None) => {
                let what = format!(
                    "output `{}` has {count} layers: set layers = 0 to {}, \"mean\" or \"FIRST-LAST\"; the last is seldom the best for \
                     emotion",
                    offer.name,
                    count.saturating_sub(1)
                );
                return Err(core.output_error(what));
            }
            (Kind::Layers(count), Some(layers)) => match layers.resolve(count) {
                Some(range) => Some(range),
                None => {
                    return Err(
                        core.output_error(format!("layers = {layers}, and output `{}` has {count}", offer.name))
                    );
                }
            },
            (_, Some(layers)) => {
                return Err(core.output_error(format!("layers = {layers}, and output `{}` has none", offer.name)));
            }
            (_, None) => None,
        };
        Source::noted(&mut core.sources, "output", &offer, from);
        if let Some(layers) = &core.settings.layers {
            Source::noted(&mut core.sources, "layers", layers.clone(), "set");
        }
        Ok(Encoder { core, offer, layers })
    }

    /// Sample rate in Hz that recordings have to have.
    pub fn sample_rate(&self) -> u32 {
        self.core.rate()
    }

    /// Values a frame.
    pub fn width(&self) -> usize {
        self.offer.dims.last().map_or(0, |&width| width as usize)
    }

    /// Whether it makes one vector of a recording; [`Encoder::frames`] has one row then.
    pub fn is_vector(&self) -> bool {
        self.offer.kind == Kind::Vector
    }

    /// SHA-256 of all that the features depend on, 64 hexadecimal digits: files, output, layers, rate, input, window. The number of
    /// threads is not in it.
    pub fn identity(&self) -> String {
        let layers = self.layers.as_ref().map_or("none".to_owned(), |range| Layers::Range(range.clone()).to_string());
        self.core.identity(&self.offer.name, &format!("layers {layers}"))
    }

    /// SHA-256 of the ONNX file, as `sha256sum` prints it.
    pub fn file_hash(&self) -> &str {
        file_hash(&self.core)
    }

    /// What is used and where that is from, line by line: to be shown to the user.
    pub fn describe(&self) -> Vec<Source> {
        self.core.sources.clone()
    }

    /// Bytes of the network in memory. While it is opened, the file itself is in memory, too.
    pub fn weight_bytes(&self) -> u64 {
        self.core.file.weights
    }

    /// What a recording of a number of samples will cost: to be shown before a run.
    ///
    /// # Errors
    /// [`EncodeError`]: too short, too long, or more memory or operations than allowed.
    pub fn forecast(&self, samples: usize) -> Result<Forecast, EncodeError> {
        self.core.forecast(samples)
    }

    /// Frames of a recording, [frames, width].
    ///
    /// # Errors
    /// [`EncodeError`]: as [`Encoder::forecast`], a sample that is not finite, or a network that fails.
    pub fn frames(&self, samples: &[f32]) -> Result<Array2<f32>, EncodeError> {
        let pieces =
            self.core.run(samples, &self.offer, |outputs, keep| frames(outputs, self.layers.as_ref(), keep))?;
        join(&pieces, self.offer.kind).ok_or_else(|| self.core.output_error("its windows differ in width"))
    }

    /// One vector of a recording: the network's own, or the mean of its frames.
    ///
    /// # Errors
    /// As [`Encoder::frames`].
    pub fn vector(&self, samples: &[f32]) -> Result<Vec<f32>, EncodeError> {
        let frames = self.frames(samples)?;
        let mean = |column: ndarray::ArrayView1<'_, f32>| {
            (column.iter().map(|&value| f64::from(value)).sum::<f64>() / column.len() as f64) as f32
        };
        Ok(frames.columns().into_iter().map(mean).collect())
    }
}

/// The only output that features can be made of.
fn only(core: &Core) -> Result<Offer, EncodeError> {
    let classes = labels(core)?.map_or(0, |(labels, _)| labels.len() as u64);
    let fits = |offer: &&Offer| match offer.kind {
        Kind::Frames | Kind::Layers(_) => true,
        Kind::Vector => offer.dims[1] != classes,
        Kind::Other => false,
    };
    let several = |offer: &&Offer| core.settings.layers.is_none() || matches!(offer.kind, Kind::Layers(_));
    match core.offers.iter().filter(fits).filter(several).collect::<Vec<_>>()[..] {
        [offer] => Ok(offer.clone()),
        [] => Err(core.output_error("there is no output of frames or a vector")),
        _ => Err(core.output_error("there are several outputs: set output = \"NAME\"")),
    }
}

/// A network that gives a probability for each label.
pub struct Classifier {
    core: Core,
    offer: Offer,
    labels: Vec<String>,
    /// Whether the output sums to one, and needs no softmax.
    probabilities: bool,
}

impl Classifier {
    /// Opens an ONNX file, or a folder as `optimum` writes it.
    ///
    /// # Errors
    /// As [`Encoder::open`]; and no labels, or as many as no output has, or a regressor.
    pub fn open(path: &Path, settings: &Settings) -> Result<Classifier, EncodeError> {
        let core = Core::open(path, settings)?;
        let named = core.named()?;
        let Some((labels, from)) = labels(&core)? else {
            regressor(&core, named.as_ref(), &[])?;
            let what = "no labels: there is no id2label in a config.json beside it, and none in its metadata; set labels in the order of \
                        its outputs";
            return Err(core.output_error(what));
        };
        regressor(&core, named.as_ref(), &labels)?;
        let fits = |offer: &Offer| offer.kind == Kind::Vector && offer.dims[1] == labels.len() as u64;
        let offer = match named {
            Some(offer) if fits(&offer) => offer,
            Some(offer) => {
                return Err(core.output_error(format!(
                    "output `{}` has not one number for each of the {} labels",
                    offer.name,
                    labels.len()
                )));
            }
            None => match core.offers.iter().filter(|offer| fits(offer)).collect::<Vec<_>>()[..] {
                [offer] => offer.clone(),
                [] => {
                    return Err(core.output_error(format!(
                        "there are {} labels ({from}), and no output has as many numbers",
                        labels.len()
                    )));
                }
                _ => {
                    return Err(core.output_error(
                        "several outputs have as many numbers as there are labels: set output = \"NAME\"",
                    ));
                }
            },
        };
        if core.notes.problem.as_deref() == Some("multi_label_classification") {
            return Err(
                core.output_error("config.json says multi_label_classification: its labels do not exclude one another")
            );
        }
        if core.settings.layers.is_some() {
            return Err(core.output_error("layers are of encoders; a classifier has none"));
        }
        let mut classifier = Classifier { core, offer, labels, probabilities: false };
        classifier.probabilities = classifier.sums_to_one()?;
        let Classifier { core, offer, labels, .. } = &mut classifier;
        Source::noted(&mut core.sources, "output", &*offer, "as many numbers as labels");
        Source::noted(&mut core.sources, "labels", labels.join(", "), from);
        let kind = if classifier.probabilities { "probabilities" } else { "logits: softmax is taken" };
        Source::noted(&mut classifier.core.sources, "its numbers", kind, "tried on two signals");
        Ok(classifier)
    }

    /// Whether the output of two made-up signals is a distribution each time.
    fn sums_to_one(&self) -> Result<bool, EncodeError> {
        let samples = self.core.tried();
        for period in [80.0, 231.0] {
            let signal: Vec<f32> =
                (0..samples).map(|n| 0.1 * (n as f32 * std::f32::consts::TAU / period).sin()).collect();
            for values in self.raw(&signal)? {
                if values.iter().any(|&value| value < 0.0) || (values.iter().sum::<f64>() - 1.0).abs() > 1e-3 {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The output for each window.
    fn raw(&self, samples: &[f32]) -> Result<Vec<Vec<f64>>, EncodeError> {
        self.core.run(samples, &self.offer, |outputs, _| {
            Some(outputs.first()?.values.iter().map(|&value| f64::from(value)).collect())
        })
    }

    /// Sample rate in Hz that recordings have to have.
    pub fn sample_rate(&self) -> u32 {
        self.core.rate()
    }

    /// Labels in the order of the probabilities.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// SHA-256 of all that the probabilities depend on, labels included, 64 hexadecimal digits.
    pub fn identity(&self) -> String {
        self.core.identity(&self.offer.name, &format!("labels {:?}", self.labels))
    }

    /// SHA-256 of the ONNX file, as `sha256sum` prints it.
    pub fn file_hash(&self) -> &str {
        file_hash(&self.core)
    }

    /// What is used and where that is from, line by line: to be shown to the user.
    pub fn describe(&self) -> Vec<Source> {
        self.core.sources.clone()
    }

    /// Bytes of the network in memory.
    pub fn weight_bytes(&self) -> u64 {
        self.core.file.weights
    }

    /// What a recording of a number of samples will cost.
    ///
    /// # Errors
    /// As [`Encoder::forecast`].
    pub fn forecast(&self, samples: usize) -> Result<Forecast, EncodeError> {
        self.core.forecast(samples)
    }

    /// A probability for each label: the softmax of logits, or the network's own. The mean over windows of a longer recording.
    ///
    /// # Errors
    /// As [`Encoder::frames`].
    pub fn classify(&self, samples: &[f32]) -> Result<Vec<f32>, EncodeError> {
        let windows = self.raw(samples)?;
        let mut mean = vec![0.0; self.labels.len()];
        for values in &windows {
            let most = values.iter().copied().fold(f64::MIN, f64::max);
            let weight = |&value: &f64| if self.probabilities { value } else { (value - most).exp() };
            let sum: f64 = values.iter().map(weight).sum();
            mean.iter_mut().zip(values).for_each(|(mean, value)| *mean += weight(value) / sum / windows.len() as f64);
        }
        Ok(mean.into_iter().map(|value| value as f32).collect())
    }
}

fn file_hash(core: &Core) -> &str {
    core.file.hashes.first().map_or("", |(_, hash)| hash)
}

/// An error where the labels, the output's name or `config.json` say that the network gives dimensions of emotion.
fn regressor(core: &Core, named: Option<&Offer>, labels: &[String]) -> Result<(), EncodeError> {
    let is_dimension = |name: &str| DIMENSIONS.contains(&name.to_lowercase().as_str());
    let outputs: Vec<String> = core.offers.iter().map(|offer| offer.name.clone()).collect();
    let of_labels = !labels.is_empty() && labels.iter().all(|label| is_dimension(label));
    let of_outputs = outputs.iter().any(|name| is_dimension(name));
    if !of_labels && !of_outputs && core.notes.problem.as_deref() != Some("regression") {
        return Ok(());
    }
    let names = match (of_labels, of_outputs) {
        (true, _) => labels.to_vec(),
        (_, true) => outputs.iter().filter(|name| is_dimension(name)).cloned().collect(),
        _ => vec!["values of a regression (problem_type in config.json)".to_owned()],
    };
    let vector = core.offers.iter().find(|offer| offer.kind == Kind::Vector && offer.dims[1] == labels.len() as u64);
    let output = named.or(vector).map_or(outputs.join(", "), |offer| offer.name.clone());
    Err(EncodeError::Regressor { path: core.path().to_owned(), output, names })
}
