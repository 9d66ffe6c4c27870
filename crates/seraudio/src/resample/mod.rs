//! Changing the rate, with the filter named.

mod kaiser;
mod polyphase;
mod stream;

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rubato::{Async, FixedAsync, SincInterpolationParameters};

use crate::AudioError;
use polyphase::Polyphase;
pub use stream::ResampleStream;

/// A resampling filter. The name belongs in the record of any feature made with it, because the filter defines what
/// the bands near and above the lower Nyquist frequency hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Resampler {
    /// `sinc`: rubato's windowed sinc with its default parameters (256 taps, Blackman-Harris squared, cubic). Its
    /// delay is taken out in whole output samples, so a signal lies up to one sample early or late.
    #[default]
    Sinc,
    /// `kaiser_best-0.2`: resampy <= 0.2.2, the default of librosa up to 0.9 with that resampy.
    KaiserBest02,
    /// `kaiser_best-0.3`: resampy >= 0.3.0, a shorter filter of a lower cutoff under the same name.
    KaiserBest03,
    /// `soxr_hq`: a linear-phase filter with the band edges of the SoX resampler's HQ recipe, the default of
    /// librosa >= 0.10. Not SoX's own code: the features agree, the samples do not bit for bit.
    SoxrHq,
}

impl Resampler {
    /// Every resampler, in the order of the documentation.
    pub const ALL: [Resampler; 4] =
        [Resampler::Sinc, Resampler::KaiserBest02, Resampler::KaiserBest03, Resampler::SoxrHq];

    /// The name used in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Resampler::Sinc => "sinc",
            Resampler::KaiserBest02 => "kaiser_best-0.2",
            Resampler::KaiserBest03 => "kaiser_best-0.3",
            Resampler::SoxrHq => "soxr_hq",
        }
    }
}

impl fmt::Display for Resampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Resampler {
    type Err = AudioError;

    fn from_str(name: &str) -> Result<Self, AudioError> {
        Resampler::ALL.into_iter().find(|resampler| resampler.name() == name).ok_or_else(|| {
            AudioError::Name(match name {
                "kaiser_best" => "kaiser_best is two filters: write kaiser_best-0.2 (resampy <= 0.2.2) or \
                                  kaiser_best-0.3 (resampy >= 0.3)"
                    .into(),
                _ => {
                    let names = Resampler::ALL.map(Resampler::name).join(", ");
                    format!("no resampler named {name:?}; there are {names}")
                }
            })
        })
    }
}

crate::options::serde_by_name!(Resampler);

/// The highest rate in Hz.
const MAX_RATE: u32 = 1 << 24;
/// The largest ratio of two rates: 768,000 Hz, the highest that [`crate::Limits`] allow, to 100 Hz is 7,680.
const MAX_RATIO: u32 = 8192;
/// Most samples of a result: 8 GiB, or 27 hours at 22,050 Hz.
const MAX_SAMPLES: usize = i32::MAX as usize;

/// Samples that a signal of `length` has after a change of rate: `ceil(length * to / from)`, computed in floating
/// point as librosa computes it.
///
/// # Errors
/// As [`Converter::new`]; [`AudioError::ResampleLength`] for more than 2^31 - 1 samples.
pub fn resampled_length(length: usize, from: u32, to: u32) -> Result<usize, AudioError> {
    check(from, to)?;
    let resampled = unchecked_length(length, from, to);
    if resampled > MAX_SAMPLES {
        return Err(AudioError::ResampleLength { length, from, to, limit: MAX_SAMPLES });
    }
    Ok(resampled)
}

fn unchecked_length(length: usize, from: u32, to: u32) -> usize {
    (length as f64 * (f64::from(to) / f64::from(from))).ceil() as usize
}

fn check(from: u32, to: u32) -> Result<(), AudioError> {
    let (low, high) = (from.min(to), from.max(to));
    if low == 0 || high > MAX_RATE {
        return Err(AudioError::ResampleRate { from, to, limit: MAX_RATE });
    }
    if high.div_ceil(low) > MAX_RATIO {
        return Err(AudioError::ResampleRatio { from, to, limit: MAX_RATIO });
    }
    Ok(())
}

/// Resamples one signal. Filters are kept for the next call with the same rates.
///
/// # Errors
/// As [`Converter::new`] and [`Converter::convert`].
pub fn resample(samples: &[f32], from: u32, to: u32, resampler: Resampler) -> Result<Vec<f32>, AudioError> {
    Converter::new(from, to, resampler)?.convert(samples)
}

/// A change of rate made ready, for many signals.
#[derive(Debug, Clone)]
pub struct Converter {
    from: u32,
    to: u32,
    resampler: Resampler,
    filter: Filter,
}

#[derive(Debug, Clone)]
enum Filter {
    None,
    Rubato,
    Polyphase(Arc<Polyphase>),
}

impl Converter {
    /// Builds the filter, or takes it from a small cache.
    ///
    /// # Errors
    /// [`AudioError::ResampleRate`] for a rate of 0 or above 2^24 Hz (16.8 MHz), [`AudioError::ResampleRatio`] where one
    /// rate is more than 8,192 times the other.
    pub fn new(from: u32, to: u32, resampler: Resampler) -> Result<Self, AudioError> {
        check(from, to)?;
        let filter = match resampler {
            _ if from == to => Filter::None,
            Resampler::Sinc => Filter::Rubato,
            _ => Filter::Polyphase(cached(from, to, resampler)),
        };
        Ok(Converter { from, to, resampler, filter })
    }

    /// Resamples one signal to `ceil(n * to / from)` samples.
    ///
    /// resampy and soxr compute `floor` and `round` of that, and librosa fills the rest with a zero: so does this.
    ///
    /// # Errors
    /// [`AudioError::ResampleLength`] for a result of more than 2^31 - 1 samples, or that there is no memory for.
    pub fn convert(&self, samples: &[f32]) -> Result<Vec<f32>, AudioError> {
        let (from, to) = (self.from, self.to);
        let length = resampled_length(samples.len(), from, to)?;
        let mut out = Vec::new();
        out.try_reserve_exact(length).map_err(|_| AudioError::ResampleLength {
            length: samples.len(),
            from,
            to,
            limit: MAX_SAMPLES,
        })?;
        let mut stream = self.stream()?;
        stream.push(samples, &mut out);
        stream.finish(&mut out);
        Ok(out)
    }

    /// The same for a signal that arrives in pieces.
    ///
    /// # Errors
    /// [`AudioError::Resample`], which a converter once made does not give.
    pub fn stream(&self) -> Result<ResampleStream, AudioError> {
        ResampleStream::of(self)
    }

    /// Samples that the library which is followed computes; librosa fills the rest up to `ceil` with zeros.
    fn computed_length(&self, length: usize) -> usize {
        let (length, from, to) = (length as f64, f64::from(self.from), f64::from(self.to));
        match self.resampler {
            Resampler::Sinc => (length * (to / from)).ceil() as usize,
            Resampler::KaiserBest02 => (length * (to / from)) as usize,
            Resampler::KaiserBest03 => (length * to / from) as usize,
            Resampler::SoxrHq => (length * to / from).round() as usize,
        }
    }

    fn rubato(&self) -> Result<Async<f32>, AudioError> {
        let ratio = f64::from(self.to) / f64::from(self.from);
        Async::new_sinc(ratio, 1.0, &SincInterpolationParameters::default(), 1024, 1, FixedAsync::Input)
            .map_err(|error| AudioError::Resample { from: self.from, to: self.to, reason: error.to_string() })
    }
}

/// A filter that is there or being built.
type Cell = Arc<OnceLock<Arc<Polyphase>>>;

/// Filters in the order of their last use: corpora have one or two rates, augmentation takes some forty ratios.
static CACHE: Mutex<Cache> = Mutex::new(Vec::new());
type Cache = Vec<((u32, u32, Resampler), Cell)>;
const CACHED: usize = 64;
const CACHED_BYTES: usize = 64 << 20;

fn cached(from: u32, to: u32, resampler: Resampler) -> Arc<Polyphase> {
    let key = (from, to, resampler);
    // A panic elsewhere cannot leave the list half-changed, so a poisoned lock is as good as any.
    let lock = || CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let cell = {
        let mut cache = lock();
        let at = cache.iter().position(|(have, _)| *have == key);
        let entry = at.map_or_else(|| (key, Cell::default()), |at| cache.remove(at));
        let cell = entry.1.clone();
        cache.insert(0, entry);
        cell
    };
    // Without the lock: who wants another filter does not wait for this one.
    let filter = cell.get_or_init(|| Arc::new(Polyphase::new(kaiser::table(resampler), from, to))).clone();
    let mut cache = lock();
    cache.truncate(CACHED);
    let mut bytes = 0;
    cache.retain(|(_, cell)| {
        bytes += cell.get().map_or(0, |filter| filter.bytes());
        bytes <= CACHED_BYTES
    });
    filter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_filters_are_bounded_and_kept() {
        // Coprime rates: no two phases are the same, so each of these filters takes 14 MB.
        for from in 16_001..16_017 {
            assert!(Converter::new(from, 16_000, Resampler::SoxrHq).is_ok());
            let cache = CACHE.lock().unwrap();
            let bytes: usize = cache.iter().filter_map(|(_, cell)| cell.get()).map(|filter| filter.bytes()).sum();
            assert!(bytes <= CACHED_BYTES, "{bytes}");
            assert_eq!(cache[0].0, (from, 16_000, Resampler::SoxrHq));
        }
        let one = cached(44_100, 22_050, Resampler::SoxrHq);
        assert!(Arc::ptr_eq(&one, &cached(44_100, 22_050, Resampler::SoxrHq)));
    }
}
