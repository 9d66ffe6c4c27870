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

pub use delta::delta;
pub use error::{FeatureError, FrontEndError};
pub use extractor::{Extractor, Output, Workspace};
pub use float::Float;
pub use front_end::{DctNorm, Floor, FrontEnd, LogScale, MelNorm, MelScale, PadMode, Window};
pub use normalise::normalise;
pub use presets::{PRESETS, Preset};
pub use settings::Difference;
pub use stream::Stream;
pub use trim::trim;
