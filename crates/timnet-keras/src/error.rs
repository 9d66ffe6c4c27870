/// Why a file gives no weights.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KerasError {
    /// The file can't be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The first bytes are not HDF5's.
    #[error("not an HDF5 file (it does not begin with the HDF5 signature)")]
    NotHdf5,
    /// The file is shorter than it says.
    #[error("the HDF5 file is cut off: it should have {expected} bytes and has {found}")]
    Truncated {
        /// Bytes it should have.
        expected: u64,
        /// Bytes it has.
        found: u64,
    },
    /// What the format does not allow.
    #[error("the HDF5 file is damaged: {what} at byte {at}")]
    Damaged {
        /// What is wrong.
        what: &'static str,
        /// Where.
        at: u64,
    },
    /// Links that lead to the same blocks again and again.
    #[error(
        "the HDF5 file asks for far more reading than its size: its links lead to the same blocks again and again; it is damaged, or \
         was not written by Keras"
    )]
    TooMuchWork,
    /// A value that no network can compute with.
    #[error(transparent)]
    Weights(#[from] serengine::WeightsError),
    /// What Keras does not write.
    #[error("this HDF5 file cannot be read: {0}")]
    Unsupported(String),
    /// A group, dataset or attribute that should be there.
    #[error("{0}; expected a file that Keras' `save_weights` wrote")]
    Missing(String),
    /// Layers that are not TIM-Net's.
    #[error("these are not the weights of a TIM-Net: {0}")]
    Misfit(String),
    /// A tensor of another shape.
    #[error("`{name}` has shape {found:?}, expected {expected:?}")]
    Shape {
        /// Its path in the file.
        name: String,
        /// What the file has.
        found: Vec<usize>,
        /// What fits the other layers.
        expected: Vec<usize>,
    },
}
