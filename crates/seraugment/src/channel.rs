//! What a channel takes away: bandwidth and amplitude steps.

use audio_codec_algorithms::{decode_alaw, decode_ulaw, encode_alaw, encode_ulaw};
use seraudio::{Resampler, resample};

use crate::{AugmentError, error::finite};

/// Companding of telephony (ITU-T G.711).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// North America, Japan.
    Mu,
    /// Elsewhere.
    A,
}

impl Law {
    /// What is left of a 16-bit sample after eight bits of G.711.
    pub fn quantise(self, sample: i16) -> i16 {
        match self {
            Self::Mu => decode_ulaw(encode_ulaw(sample)),
            Self::A => decode_alaw(encode_alaw(sample)),
        }
    }
}

/// Keeps what a recording at `channel_rate` Hz would hold: down to that rate and back to `rate`. As many samples as
/// before. A channel rate at or above `rate` changes nothing.
///
/// # Errors
/// [`AugmentError::Audio`] where a rate is 0 or cannot be changed, [`AugmentError::NotFinite`].
pub fn band_limit(samples: &[f32], rate: u32, channel_rate: u32) -> Result<Vec<f32>, AugmentError> {
    through(samples, rate, channel_rate, |_| {})
}

/// A telephone: [`band_limit`] with eight bits of G.711 a sample in between. 8,000 Hz is the plain old one.
///
/// # Errors
/// As [`band_limit`].
pub fn codec(samples: &[f32], rate: u32, channel_rate: u32, law: Law) -> Result<Vec<f32>, AugmentError> {
    through(samples, rate, channel_rate, |channel| {
        for x in channel {
            // A cast saturates, as a converter does.
            *x = f32::from(law.quantise((*x * 32768.0).round() as i16)) / 32768.0;
        }
    })
}

fn through(
    samples: &[f32],
    rate: u32,
    channel_rate: u32,
    change: impl FnOnce(&mut [f32]),
) -> Result<Vec<f32>, AugmentError> {
    // A cast to 16 bits makes silence of NaN.
    finite(samples)?;
    let channel_rate = channel_rate.min(rate);
    let mut channel = resample(samples, rate, channel_rate, Resampler::SoxrHq)?;
    change(&mut channel);
    let mut out = resample(&channel, channel_rate, rate, Resampler::SoxrHq)?;
    out.resize(samples.len(), 0.0);
    Ok(out)
}
