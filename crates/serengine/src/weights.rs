//! Weights in and out as safetensors.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::Deserialize;

use crate::{
    layout::{Layout, Settings, Tensor},
    numbers::first_not_finite,
};

/// Parameters and running statistics of one network. The fields are open because training changes them; whoever computes with
/// weights or writes them calls [`Self::check`] first.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// The network they belong to.
    pub layout: Arc<Layout>,
    /// Trainable parameters, laid out by [`Layout::tensors`].
    pub parameters: Vec<f32>,
    /// Running statistics, laid out by [`Layout::running`].
    pub statistics: Vec<f32>,
}

/// The one entry of a file's metadata. One, because safetensors writes its metadata in hash order and equal weights must
/// make equal bytes. The entry's key is the network's family.
#[derive(Deserialize)]
struct Header<S> {
    config: S,
    metadata: BTreeMap<String, String>,
}

impl Weights {
    /// Checked weights.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn new(layout: Arc<Layout>, parameters: Vec<f32>, statistics: Vec<f32>) -> Result<Self, WeightsError> {
        let weights = Self { layout, parameters, statistics };
        weights.check()?;
        Ok(weights)
    }

    /// # Errors
    /// Vectors of another length than the layout's, and the first value that is NaN, infinite or a negative variance, by its tensor.
    pub fn check(&self) -> Result<(), WeightsError> {
        let found = (self.parameters.len(), self.statistics.len());
        let expected = (self.layout.trainable(), self.layout.statistics());
        if found != expected {
            return Err(WeightsError::Length { found, expected });
        }
        check_values("", self.layout.tensors(), &self.parameters, |_| false)?;
        check_values("", self.layout.running(), &self.statistics, |name| name.ends_with("running_var"))
    }

    /// The settings of the network, which must be of the family `S`.
    ///
    /// # Errors
    /// [`WeightsError::Family`] for another family.
    pub fn settings<S: Settings>(&self) -> Result<S, WeightsError> {
        let (found, expected) = (self.layout.family(), S::FAMILY);
        if found != expected {
            return Err(WeightsError::Family { found, expected });
        }
        serde_json::from_str(self.layout.settings())
            .map_err(|e| WeightsError::Settings { family: expected, why: e.to_string() })
    }

    /// The file's bytes: one named float32 tensor for each of the layout's, `metadata` and the settings beside them.
    ///
    /// # Errors
    /// As [`Self::check`]: no file is made of weights that can't be used.
    pub fn to_safetensors(&self, metadata: &BTreeMap<String, String>) -> Result<Vec<u8>, WeightsError> {
        self.check()?;
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let (parameters, statistics) = (bytes(&self.parameters), bytes(&self.statistics));
        let mut views = Vec::new();
        for (tensors, data) in [(self.layout.tensors(), &parameters), (self.layout.running(), &statistics)] {
            for t in tensors {
                let all = t.range.all();
                let view = TensorView::new(Dtype::F32, t.shape.clone(), &data[4 * all.start..4 * all.end])
                    .map_err(|e| WeightsError::Format(e.to_string()))?;
                views.push((t.name.as_str(), view));
            }
        }
        let metadata = serde_json::to_string(metadata).map_err(|e| WeightsError::Format(e.to_string()))?;
        let header = format!(r#"{{"config":{},"metadata":{metadata}}}"#, self.layout.settings());
        safetensors::serialize(views, Some(HashMap::from([(self.layout.family().to_owned(), header)])))
            .map_err(|e| WeightsError::Format(e.to_string()))
    }

    /// Reads what [`Self::to_safetensors`] wrote of a network of the family `S`; returns the metadata beside the settings too.
    ///
    /// # Errors
    /// Bytes that are no safetensors file, no weights of the family, or in which a tensor is missing, misshapen or not finite, by name.
    pub fn from_safetensors<S: Settings>(bytes: &[u8]) -> Result<(Self, BTreeMap<String, String>), WeightsError> {
        let format = |e: safetensors::SafeTensorError| WeightsError::Format(e.to_string());
        let family = S::FAMILY;
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(format)?;
        let file = SafeTensors::deserialize(bytes).map_err(format)?;
        let header = header.metadata().as_ref().and_then(|m| m.get(family));
        let header = header.ok_or(WeightsError::NoSettings { family })?;
        let unusable = |why: String| WeightsError::Settings { family, why };
        let Header::<S> { config, metadata } = serde_json::from_str(header).map_err(|e| unusable(e.to_string()))?;
        let layout = config.layout().map_err(|e| unusable(e.to_string()))?;
        let read = |tensors: &[Tensor]| -> Result<Vec<f32>, WeightsError> {
            let mut out = Vec::new();
            for t in tensors {
                let view = file.tensor(&t.name).map_err(|_| WeightsError::Missing(t.name.clone()))?;
                if view.dtype() != Dtype::F32 || view.shape() != t.shape {
                    return Err(WeightsError::Misshapen {
                        name: t.name.clone(),
                        found: format!("{:?} {:?}", view.dtype(), view.shape()),
                        expected: format!("F32 {:?}", t.shape),
                    });
                }
                out.extend(view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)));
            }
            Ok(out)
        };
        let (parameters, statistics) = (read(layout.tensors())?, read(layout.running())?);
        Ok((Self::new(Arc::new(layout), parameters, statistics)?, metadata))
    }

    /// [`Self::from_safetensors`] of a file.
    ///
    /// # Errors
    /// As there, and an unreadable file.
    pub fn load<S: Settings>(path: &Path) -> Result<(Self, BTreeMap<String, String>), WeightsError> {
        let bytes =
            std::fs::read(path).map_err(|source| WeightsError::Read { path: path.display().to_string(), source })?;
        Self::from_safetensors::<S>(&bytes)
    }
}

/// Checks the values of a flat vector; those of tensors for which `not_negative` holds of the name must be 0 or more.
pub(crate) fn check_values(
    of: &str,
    tensors: &[Tensor],
    vector: &[f32],
    not_negative: impl Fn(&str) -> bool,
) -> Result<(), WeightsError> {
    for t in tensors {
        let values = &vector[t.range.all()];
        let (bad, must) = match first_not_finite(values) {
            Some(i) => (Some(i), "a finite number"),
            None if not_negative(&t.name) => (values.iter().position(|&v| v < 0.0), "0 or more"),
            None => (None, ""),
        };
        if let Some(index) = bad {
            let name = format!("{of}`{}`", t.name);
            return Err(WeightsError::Value { name, index, shape: t.shape.clone(), value: values[index], must });
        }
    }
    Ok(())
}

/// Why weights can't be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file can't be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not a safetensors file.
    #[error("not a usable safetensors file: {0}")]
    Format(String),
    /// No settings in the file.
    #[error("no `{family}` entry in the file's metadata: these are no `{family}` weights of this project")]
    NoSettings {
        /// The family that was asked for.
        family: &'static str,
    },
    /// Settings that can't be used.
    #[error("the file's `{family}` entry cannot be used: {why}")]
    Settings {
        /// The family.
        family: &'static str,
        /// What is wrong.
        why: String,
    },
    /// A network of another family than can be computed here.
    #[error("these are weights of a `{found}` network where a `{expected}` network is needed")]
    Family {
        /// The weights' family.
        found: &'static str,
        /// The family that was asked for.
        expected: &'static str,
    },
    /// A tensor is missing.
    #[error("tensor `{0}` is missing from the file")]
    Missing(String),
    /// A tensor of another type or shape.
    #[error("tensor `{name}` is {found}, expected {expected}")]
    Misshapen {
        /// Its name.
        name: String,
        /// What the file has.
        found: String,
        /// What the network's settings ask for.
        expected: String,
    },
    /// A value that no network can compute with.
    #[error(
        "{name} has {value} at element {index} of {shape:?}; it must be {must}: the training that made it failed, or the file is damaged"
    )]
    Value {
        /// The tensor.
        name: String,
        /// Element of the tensor, row-major, counted from 0.
        index: usize,
        /// Shape of the tensor.
        shape: Vec<usize>,
        /// The value.
        value: f32,
        /// What it must be.
        must: &'static str,
    },
    /// Adam's moments of another length than the parameters.
    #[error("Adam's (first, second) moments are {found:?} values long, the parameters {expected}")]
    Moments {
        /// What was given.
        found: (usize, usize),
        /// What fits.
        expected: usize,
    },
    /// Vectors of another length than the layout's.
    #[error("(parameters, statistics) are {found:?} values long, the network's settings ask for {expected:?}")]
    Length {
        /// What was given.
        found: (usize, usize),
        /// What fits.
        expected: (usize, usize),
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        layout::toy::{TOY, Toy},
        streams::{Key, initial},
    };

    fn weights() -> Weights {
        initial(&TOY.made(), Key { seed: 1, fold: 0 })
    }

    #[test]
    fn what_is_written_is_read() {
        let metadata = BTreeMap::from([("labels".to_owned(), "a,\"b\",c".to_owned())]);
        let bytes = weights().to_safetensors(&metadata).unwrap();
        assert_eq!(Weights::from_safetensors::<Toy>(&bytes).unwrap(), (weights(), metadata));
        assert_eq!(weights().settings::<Toy>().unwrap(), TOY);
    }

    /// Every kind of tensor, each kind of value that no network can compute with; in a file, too.
    #[test]
    fn values_that_are_no_weights_are_named() {
        let fine = weights();
        let layout = &fine.layout;
        let places = layout.tensors().iter().map(|t| (t, false)).chain(layout.running().iter().map(|t| (t, true)));
        for (t, statistic) in places {
            let negative = t.name.ends_with("running_var").then_some(-1.0);
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY].into_iter().chain(negative) {
                let mut weights = fine.clone();
                let vector = if statistic { &mut weights.statistics } else { &mut weights.parameters };
                vector[t.range.start + t.range.len - 1] = bad;
                let expected = format!("`{}` has {bad} at element {}", t.name, t.range.len - 1);
                let text = weights.check().unwrap_err().to_string();
                assert!(text.starts_with(&expected), "{text}");
                assert!(weights.to_safetensors(&BTreeMap::new()).is_err());
            }
        }
        // The last tensor in the file, whichever it is.
        let mut damaged = fine.to_safetensors(&BTreeMap::new()).unwrap();
        let at = damaged.len() - 4;
        damaged[at..].copy_from_slice(&f32::NAN.to_le_bytes());
        assert!(matches!(Weights::from_safetensors::<Toy>(&damaged), Err(WeightsError::Value { .. })));
    }

    #[test]
    fn damaged_files_are_errors() {
        let bytes = weights().to_safetensors(&BTreeMap::new()).unwrap();
        for n in [0, 7, 8, 100, bytes.len() - 1] {
            assert!(matches!(Weights::from_safetensors::<Toy>(&bytes[..n]), Err(WeightsError::Format(_))), "{n}");
        }
    }

    #[test]
    fn a_network_of_another_family_is_an_error() {
        #[derive(Debug, serde::Serialize, Deserialize)]
        struct Other;
        impl Settings for Other {
            const FAMILY: &'static str = "other";
            type Error = std::convert::Infallible;
            fn layout(&self) -> Result<Layout, Self::Error> {
                Ok(Layout::new(self, 1, 2))
            }
        }
        let text = weights().settings::<Other>().unwrap_err().to_string();
        assert_eq!(text, "these are weights of a `toy` network where a `other` network is needed");
        let bytes = weights().to_safetensors(&BTreeMap::new()).unwrap();
        let text = Weights::from_safetensors::<Other>(&bytes).unwrap_err().to_string();
        assert!(text.starts_with("no `other` entry in the file's metadata"), "{text}");
    }
}
