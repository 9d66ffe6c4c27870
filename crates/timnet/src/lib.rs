#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod classifier;
mod network;

pub use classifier::{Activations, Classifier};
pub use network::TimNet;
