//! What a result came from: the engine that computed it and the inputs it was given.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{data::Dataset, objective::Objective};

/// What computes, for the provenance of a result and the key of a finished fold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineFacts {
    /// `native` or `libtorch`.
    pub name: String,
    /// Numerics version: raised whenever the same inputs give other bytes than before.
    pub numerics: u32,
    /// `cpu`, or `cuda:0` and so on.
    pub device: String,
    /// SIMD level that the engine chose (`portable`, `avx2`, `avx512`); None where a library chooses and does not say.
    pub simd: Option<String>,
}

impl EngineFacts {
    /// The device without its number: `cpu` or `cuda`.
    pub fn device_kind(&self) -> &str {
        self.device.split(':').next().unwrap_or_default()
    }
}

/// What training depends on beside the weights and the batches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingInputs {
    /// SHA-256 of the data set ([`Dataset::sha256`]), 64 hexadecimal digits.
    pub data: String,
    /// Loss and optimiser.
    pub objective: Objective,
}

impl Dataset {
    /// SHA-256 of shape, labels and features, 64 hexadecimal digits: equal data sets have equal hashes.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"timnet dataset 1");
        for n in [self.len(), self.frames(), self.coefficients()].into_iter().chain(self.labels().iter().copied()) {
            hash.update((n as u64).to_le_bytes());
        }
        let mut bytes = Vec::new();
        for values in self.features().chunks(1 << 14) {
            bytes.clear();
            bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
            hash.update(&bytes);
        }
        hex(&hash.finalize())
    }
}

/// SHA-256 of whole numbers in their order, 64 hexadecimal digits: of a list of utterances or labels.
pub fn sha256_of(numbers: &[usize]) -> String {
    let mut hash = Sha256::new();
    numbers.iter().for_each(|&n| hash.update((n as u64).to_le_bytes()));
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `hashlib.sha256(b"timnet dataset 1" + np.array([2, 1, 2, 1, 0], "<u8").tobytes() +
    /// np.array([0.5, -1, 2, 0], "<f4").tobytes()).hexdigest()`, and of `np.array([3, 1], "<u8").tobytes()`.
    #[test]
    fn hashes_are_hashlibs() {
        let data = Dataset::new(vec![0.5, -1.0, 2.0, 0.0], vec![1, 0], 1, 2).unwrap();
        assert_eq!(data.sha256(), "f391f2ea0bac5efbebd16792668576f75e831cdf57fdfd10f4600ae52658303e");
        assert_eq!(sha256_of(&[3, 1]), "9b768a7138e147b4158a6b26c2e04ee536af084a18f7b751a9439af1a7cc0765");
    }
}
