//! Weights in and out as safetensors.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};

use crate::{config::ModelConfig, layout::Layout};

/// Parameters and running statistics of one network.
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
    /// The file's bytes: one named float32 tensor for each of the layout's, `metadata` and the configuration beside them.
    ///
    /// # Errors
    /// [`WeightsError::Length`] where the vectors do not fit the configuration.
    pub fn to_safetensors(&self, metadata: &BTreeMap<String, String>) -> Result<Vec<u8>, WeightsError> {
        let layout = Layout::new(&self.config);
        self.check_lengths(&layout)?;
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
    /// Bytes that are no safetensors file, no TIM-Net, or in which a tensor is missing or misshapen, by name.
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
        Ok((Self { config, parameters, statistics }, metadata))
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

    #[test]
    fn damaged_files_are_errors() {
        let bytes = weights(Variant::TimNet).to_safetensors(&BTreeMap::new()).unwrap();
        for n in [0, 7, 8, 100, bytes.len() - 1] {
            assert!(matches!(Weights::from_safetensors(&bytes[..n]), Err(WeightsError::Format(_))), "{n}");
        }
    }
}
