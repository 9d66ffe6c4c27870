#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod config;
mod places;

pub use config::{ConfigError, ModelConfig, TcnPooling, Variant};
pub use places::{Block, Places, SubBlock};
