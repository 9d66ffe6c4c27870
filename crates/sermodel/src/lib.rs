#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod card;
mod error;
mod explain;
mod listen;
mod model;
mod voice;

pub use card::{Card, Figure, Normalise};
pub use error::ModelError;
pub use explain::{Contributions, Span};
pub use listen::{Listener, Window, Windows};
pub use model::{Features, Model, Prediction};
