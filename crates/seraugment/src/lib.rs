#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod augment;
mod channel;
mod draw;
mod error;
mod level;
mod mask;
mod noise;
mod room;
mod speed;

pub use augment::{Augment, Augmenter, Range, Step};
pub use channel::{Law, band_limit, codec};
pub use draw::Draw;
pub use error::AugmentError;
pub use level::{gain, truncate};
pub use mask::{Axis, Mask, masks};
pub use noise::{NoiseBank, add_at_snr, pink, white};
pub use room::{convolve, impulse_response, room};
pub use speed::speed;
