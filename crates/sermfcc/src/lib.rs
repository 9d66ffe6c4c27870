#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod canonical;
mod cepstrum;
pub mod compare;
mod delta;
mod error;
mod extractor;
mod float;
mod frames;
mod front_end;
mod light_sernet;
mod mel;
mod normalise;
mod presets;
mod renamed;
mod settings;
mod spectrum;
mod stream;
mod trim;
mod vector;
mod window;

pub use delta::{delta, regression_delta};
pub use error::{FeatureError, FrontEndError};
pub use extractor::{Extractor, Output, Workspace};
pub use float::Float;
pub use front_end::{
    AminRule, C0, DctNorm, DeltaRule, Floor, Framing, FrontEnd, LogScale, MelBins, MelNorm, MelScale, PadMode,
    PreEmphasis, Triangles, Window,
};
pub use light_sernet::light_sernet_samples;
/// The version of ndarray whose arrays this crate takes and gives.
pub use ndarray;
pub use normalise::normalise;
pub use presets::{PRESETS, Preset};
pub use settings::Difference;
pub use stream::Stream;
pub use trim::trim;
