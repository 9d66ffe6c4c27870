//! How a recording is to be read.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{AudioError, Problem, Resampler};

/// How a recording is to be read. The default keeps its rate, averages its channels and refuses damaged files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct LoadOptions {
    /// Rate to resample to, in Hz; `None` keeps the recording's own.
    pub rate: Option<u32>,
    /// The filter used where the rate changes.
    pub resampler: Resampler,
    /// How channels become one.
    pub downmix: Downmix,
    /// What is refused.
    pub limits: Limits,
    /// Take what can be decoded of a truncated or damaged file, instead of an error.
    pub accept_damaged: bool,
}

/// Bounds on what a recording may declare or hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Longest duration in seconds.
    pub max_seconds: f64,
    /// Most channels.
    pub max_channels: u32,
    /// Lowest rate in Hz.
    pub min_rate: u32,
    /// Highest rate in Hz.
    pub max_rate: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_seconds: 4.0 * 3600.0, max_channels: 64, min_rate: 100, max_rate: 768_000 }
    }
}

impl Limits {
    /// Checks a declared rate and channel count; the cheapest checks, before any sample is read.
    pub(crate) fn check(&self, rate: u32, channels: u32) -> Result<(), Problem> {
        if rate == 0 {
            return Err(Problem::Header { detail: "a sample rate of 0 Hz".into() });
        }
        if channels == 0 {
            return Err(Problem::Header { detail: "0 channels".into() });
        }
        if !(self.min_rate..=self.max_rate).contains(&rate) {
            return Err(Problem::Rate { rate, min: self.min_rate, max: self.max_rate });
        }
        if channels > self.max_channels {
            return Err(Problem::TooManyChannels { channels, limit: self.max_channels });
        }
        Ok(())
    }

    /// The most frames allowed at `rate`.
    pub(crate) fn max_frames(&self, rate: u32) -> u64 {
        (self.max_seconds * f64::from(rate)) as u64
    }
}

/// How several channels become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Downmix {
    /// The mean over channels, as librosa: `mean`.
    #[default]
    Mean,
    /// One channel, counted from 0: `left` (0), `right` (1), or `channel-N`.
    Channel(u32),
}

impl Downmix {
    /// Mixes `interleaved` frames of `channels` samples into `out`.
    pub(crate) fn mix(self, interleaved: &[f32], channels: usize, out: &mut Vec<f32>) {
        match self {
            _ if channels == 1 => out.extend_from_slice(interleaved),
            Downmix::Mean => {
                let count = channels as f32;
                out.extend(interleaved.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / count));
            }
            Downmix::Channel(channel) => {
                out.extend(interleaved.iter().skip(channel as usize).step_by(channels));
            }
        }
    }

    pub(crate) fn check(self, channels: u32) -> Result<(), Problem> {
        match self {
            Downmix::Channel(wanted) if wanted >= channels => Err(Problem::NoSuchChannel { wanted, channels }),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Downmix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Downmix::Mean => f.write_str("mean"),
            Downmix::Channel(0) => f.write_str("left"),
            Downmix::Channel(1) => f.write_str("right"),
            Downmix::Channel(n) => write!(f, "channel-{n}"),
        }
    }
}

impl FromStr for Downmix {
    type Err = AudioError;

    fn from_str(name: &str) -> Result<Self, AudioError> {
        match name {
            "mean" => Ok(Downmix::Mean),
            "left" => Ok(Downmix::Channel(0)),
            "right" => Ok(Downmix::Channel(1)),
            _ => name.strip_prefix("channel-").and_then(|n| n.parse().ok()).map(Downmix::Channel).ok_or_else(|| {
                AudioError::Name(format!("no downmix named {name:?}; use mean, left, right or channel-N"))
            }),
        }
    }
}

crate::options::serde_by_name!(Downmix);

/// Serialises a type as the name that `Display` and `FromStr` give it.
macro_rules! serde_by_name {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                name.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_by_name;
