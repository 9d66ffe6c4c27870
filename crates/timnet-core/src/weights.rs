//! Weights in and out as safetensors.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};

use crate::{
    config::ModelConfig,
    layout::{Layout, Tensor},
    numbers::first_not_finite,
};

/// Parameters and running statistics of one network. The fields are open because training changes them; whoever computes with
/// weights or writes them calls [`Self::check`] first.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// The network they belong to.
    pub config: ModelConfig,
    /// Trainable parameters, laid out by [`Layout`].
    pub parameters: Vec<f32>,
    /// BatchNorm's running statistics, laid out by [`Layout`].
    pub statistics: Vec<f32>,
}

/// The header's one metadata key. One, because safetensors writes its metadata in hash order and equal weights must
/// make equal bytes.
const KEY: &str = "timnet";

#[derive(Serialize, Deserialize)]
struct Header {
    config: ModelConfig,
    metadata: BTreeMap<String, String>,
}

impl Weights {
    /// Checked weights.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn new(config: ModelConfig, parameters: Vec<f32>, statistics: Vec<f32>) -> Result<Self, WeightsError> {
        let weights = Self { config, parameters, statistics };
        weights.check()?;
        Ok(weights)
    }

    /// # Errors
    /// A configuration that can't be used, vectors of another length than its, and the first value that is NaN, infinite or a negative
    /// variance, by its tensor.
    pub fn check(&self) -> Result<(), WeightsError> {
        self.config.validate().map_err(|e| WeightsError::BadConfig(e.to_string()))?;
        let layout = Layout::new(&self.config);
        self.check_lengths(&layout)?;
        check_values("", &layout.tensors, &self.parameters, |_| false)?;
        check_values("", &layout.running, &self.statistics, |name| name.ends_with("running_var"))
    }

    /// The file's bytes: one named float32 tensor for each of the layout's, `metadata` and the configuration beside them.
    ///
    /// # Errors
    /// As [`Self::check`]: no file is made of weights that can't be used.
    pub fn to_safetensors(&self, metadata: &BTreeMap<String, String>) -> Result<Vec<u8>, WeightsError> {
        self.check()?;
        let layout = Layout::new(&self.config);
        let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let (parameters, statistics) = (bytes(&self.parameters), bytes(&self.statistics));
        let mut views = Vec::new();
        for (tensors, data) in [(&layout.tensors, &parameters), (&layout.running, &statistics)] {
            for t in tensors {
                let all = t.range.all();
                let view = TensorView::new(Dtype::F32, t.shape.clone(), &data[4 * all.start..4 * all.end])
                    .map_err(|e| WeightsError::Format(e.to_string()))?;
                views.push((t.name.as_str(), view));
            }
        }
        let header = Header { config: self.config.clone(), metadata: metadata.clone() };
        let header = serde_json::to_string(&header).map_err(|e| WeightsError::Format(e.to_string()))?;
        safetensors::serialize(views, Some(HashMap::from([(KEY.to_owned(), header)])))
            .map_err(|e| WeightsError::Format(e.to_string()))
    }

    /// Reads what [`Self::to_safetensors`] wrote; returns the metadata beside the configuration too.
    ///
    /// # Errors
    /// Bytes that are no safetensors file, no TIM-Net, or in which a tensor is missing, misshapen or not finite, by name.
    pub fn from_safetensors(bytes: &[u8]) -> Result<(Self, BTreeMap<String, String>), WeightsError> {
        let format = |e: safetensors::SafeTensorError| WeightsError::Format(e.to_string());
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(format)?;
        let file = SafeTensors::deserialize(bytes).map_err(format)?;
        let header = header.metadata().as_ref().and_then(|m| m.get(KEY)).ok_or(WeightsError::NoConfig)?;
        let Header { config, metadata } =
            serde_json::from_str(header).map_err(|e| WeightsError::BadConfig(e.to_string()))?;
        config.validate().map_err(|e| WeightsError::BadConfig(e.to_string()))?;
        let layout = Layout::new(&config);
        let read = |tensors: &[crate::Tensor]| -> Result<Vec<f32>, WeightsError> {
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
        let (parameters, statistics) = (read(&layout.tensors)?, read(&layout.running)?);
        Ok((Self::new(config, parameters, statistics)?, metadata))
    }

    /// [`Self::from_safetensors`] of a file.
    ///
    /// # Errors
    /// As there, and an unreadable file.
    pub fn load(path: &Path) -> Result<(Self, BTreeMap<String, String>), WeightsError> {
        let bytes =
            std::fs::read(path).map_err(|source| WeightsError::Read { path: path.display().to_string(), source })?;
        Self::from_safetensors(&bytes)
    }

    /// # Errors
    /// [`WeightsError::Length`] where the vectors do not fit `layout`.
    pub fn check_lengths(&self, layout: &Layout) -> Result<(), WeightsError> {
        let found = (self.parameters.len(), self.statistics.len());
        let expected = (layout.trainable(), layout.statistics());
        if found == expected { Ok(()) } else { Err(WeightsError::Length { found, expected }) }
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
    /// No configuration in the file.
    #[error("no `timnet` entry in the file's metadata: these are not TIM-Net weights of this project")]
    NoConfig,
    /// A configuration that can't be used.
    #[error("the file's `timnet` entry cannot be used: {0}")]
    BadConfig(String),
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
        /// What the configuration asks for.
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
    /// Vectors of another length than the configuration's.
    #[error("(parameters, statistics) are {found:?} values long, the configuration asks for {expected:?}")]
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
        Variant,
        streams::{Key, initial},
    };

    fn weights(variant: Variant) -> Weights {
        let config = ModelConfig::of(variant, 3, 4);
        initial(&config, Key { seed: 1, fold: 0 })
    }

    #[test]
    fn what_is_written_is_read() {
        let metadata = BTreeMap::from([("labels".to_owned(), "a,b,c,d".to_owned())]);
        for variant in Variant::ALL {
            let written = weights(variant);
            let bytes = written.to_safetensors(&metadata).unwrap();
            assert_eq!(Weights::from_safetensors(&bytes).unwrap(), (written, metadata.clone()));
        }
    }

    /// Every kind of tensor, each kind of value that no network can compute with; in a file, too.
    #[test]
    fn values_that_are_no_weights_are_named() {
        for variant in Variant::ALL {
            let fine = weights(variant);
            let layout = Layout::new(&fine.config);
            let file = fine.to_safetensors(&BTreeMap::new()).unwrap();
            let places = layout.tensors.iter().map(|t| (t, false)).chain(layout.running.iter().map(|t| (t, true)));
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
            let mut damaged = file.clone();
            let at = damaged.len() - 4;
            damaged[at..].copy_from_slice(&f32::NAN.to_le_bytes());
            assert!(matches!(Weights::from_safetensors(&damaged), Err(WeightsError::Value { .. })));
        }
    }

    #[test]
    fn damaged_files_are_errors() {
        let bytes = weights(Variant::TimNet).to_safetensors(&BTreeMap::new()).unwrap();
        for n in [0, 7, 8, 100, bytes.len() - 1] {
            assert!(matches!(Weights::from_safetensors(&bytes[..n]), Err(WeightsError::Format(_))), "{n}");
        }
    }
}
