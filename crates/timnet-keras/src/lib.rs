//! Weights of the official TIM-Net code, out of the HDF5 files that Keras' `save_weights` writes.
//!
//! Such a file has an attribute `layer_names`, a group for each layer with an attribute `weight_names`, and float32
//! datasets at `<layer>/<weight name>`. The numbers in layer names start anywhere (a process that builds a model a fold
//! goes on counting), and `layer_names` is in topological order: only the order of the numbers within a type of layer
//! tells which layer is which. Number of blocks, classes, coefficients, filters and directions follow from what is there; the
//! dropout probability is not in the file and is the default one.
//!
//! ```no_run
//! let weights = timnet_keras::read("timnet.hdf5".as_ref())?;
//! println!("{}, {} parameters", weights.layout.settings(), weights.parameters.len());
//! # Ok::<(), timnet_keras::KerasError>(())
//! ```
//!
//! There is no C library beneath: the small part of HDF5 that Keras uses is read here, and every offset, length and count
//! in the file is taken as possibly wrong.

#![forbid(unsafe_code)]

mod error;
mod hdf5;
mod model;

use std::path::Path;

pub use error::KerasError;
use serengine::Weights;

/// The weights in a file that Keras' `save_weights` or `save` wrote, for a network of `timnet-core`.
///
/// # Errors
/// A file that can't be read, is no HDF5 file, damaged, of a kind of HDF5 that Keras does not write, or does not hold a
/// TIM-Net or has weights that are not finite: the message says what was expected.
pub fn read(path: &Path) -> Result<Weights, KerasError> {
    let bytes = std::fs::read(path).map_err(|source| KerasError::Read { path: path.display().to_string(), source })?;
    from_bytes(&bytes)
}

/// [`read`] of a file's contents.
///
/// # Errors
/// As there.
pub fn from_bytes(bytes: &[u8]) -> Result<Weights, KerasError> {
    let left = hdf5::budget(bytes);
    model::weights(&hdf5::File::open(bytes, &left)?)
}
