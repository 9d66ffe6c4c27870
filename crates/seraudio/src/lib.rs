//! From a recording on disk to mono samples at the rate a front end wants.
//!
//! Published speech features depend on details that most loaders hide: how channels are mixed, which resampling filter
//! was used, whether bytes after the `data` chunk were read as samples. This crate names each of them.
//!
//! ```no_run
//! use seraudio::{LoadOptions, Resampler};
//!
//! let options = LoadOptions { rate: Some(22_050), resampler: Resampler::KaiserBest02, ..Default::default() };
//! let audio = seraudio::load("03a01Fa.wav".as_ref(), &options)?;
//! let fixed = seraudio::fit_length(&audio.samples, 96_000);
//! # Ok::<(), seraudio::AudioError>(())
//! ```
//!
//! What is guaranteed:
//! - A file is recognised by its content, never by its extension.
//! - Integer PCM is scaled by its full range: a 16-bit sample is `value / 32768`, as soundfile and librosa scale it.
//! - Only the bytes of the `data` chunk are samples. A recording of any format that is cut off is an error that says how
//!   much its header counts and how much is there, unless [`LoadOptions::accept_damaged`] is set.
//! - A resampled signal has exactly `ceil(n * to / from)` samples, as librosa makes it.
//! - No allocation is sized by an unverified header field: memory is bounded by the bytes present and by [`Limits`].
//! - A resampler's memory is bounded, too: rates, their ratio and the length of the result have limits
//!   ([`Converter::new`]), and kept filters take at most 64 MiB.

mod bytes;
mod container;
mod decode;
mod error;
mod length;
mod load;
mod options;
mod resample;
mod sniff;
mod wav;
mod window;

pub use error::{AudioError, Problem};
pub use length::fit_length;
pub use load::{Audio, Info, load, load_bytes, probe, probe_bytes, stream, stream_bytes};
pub use options::{Downmix, Limits, LoadOptions};
pub use resample::{Converter, ResampleStream, Resampler, resample, resampled_length};
