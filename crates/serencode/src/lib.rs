#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod core;
mod error;
mod folder;
mod forecast;
mod input;
pub mod limits;
mod model;
mod open;
mod output;
mod proto;
mod settings;
mod source;
mod whisper;

pub use error::EncodeError;
pub use forecast::Forecast;
pub use open::{Classifier, Encoder};
pub use settings::{Layers, Longer, Scaling, Settings};
pub use source::Source;
