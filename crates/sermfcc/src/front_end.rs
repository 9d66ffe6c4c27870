//! The settings of a front end.

use serde::{Deserialize, Serialize};

use crate::FrontEndError;

/// Every setting that the features depend on, from the recording's rate to the number of coefficients.
///
/// Make one from a preset ([`FrontEnd::preset`]) and change what is to differ, or read one from any serde format; keys
/// left out have the values of `librosa-0.8.1`, and unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FrontEnd {
    /// Rate of the samples in Hz.
    pub rate: u32,
    /// Name of the filter that brought the samples to that rate. Recorded and hashed, not used: this crate resamples
    /// nothing.
    pub resampler: String,
    /// Length of the Fourier transform in samples.
    pub n_fft: usize,
    /// Samples from one frame to the next.
    pub hop: usize,
    /// Whether frame t is centred on sample `t * hop`, and what lies beyond the edges then.
    pub centre: Centre,
    /// Exponent of the magnitude spectrum: 2 for power, 1 for magnitude.
    pub power: f64,
    /// Cepstral coefficients kept, from c0.
    pub coefficients: usize,
    /// Liftering `1 + lifter / 2 * sin(pi (k + 1) / lifter)` of coefficient k; 0 for none.
    pub lifter: f64,
    /// Window function of a frame.
    pub window: Window,
    /// Mel filter bank.
    pub mel: Mel,
    /// Logarithm of the band energies, and its floors.
    pub log: Log,
    /// Cosine transform of the log energies.
    pub dct: Dct,
}

/// Window function, centred in the `n_fft` samples of a frame where it is shorter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Window {
    /// Window shape.
    pub shape: Shape,
    /// Window length in samples, at most `n_fft`.
    pub length: usize,
    /// Periodic (for spectra, denominator `length`) or symmetric (denominator `length - 1`).
    pub periodic: bool,
}

/// Shape of a window, with u = n / denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Shape {
    /// 0.5 - 0.5 cos(2 pi u)
    Hann,
    /// 0.54 - 0.46 cos(2 pi u)
    Hamming,
    /// 0.42 - 0.5 cos(2 pi u) + 0.08 cos(4 pi u)
    Blackman,
    /// 1
    Rectangular,
}

/// What lies beyond the edges of the signal. All but `None` add `n_fft / 2` samples on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Centre {
    /// Frames are not centred: frame t starts at sample `t * hop`.
    None,
    /// Zeros, librosa >= 0.9.
    Zeros,
    /// The signal mirrored at its first and last sample, librosa <= 0.8.1; repeatedly where it is short.
    Reflect,
    /// The first and the last sample repeated.
    Edge,
}

/// Mel filter bank: triangles of `bands` + 2 edges, evenly spaced in mel from `low` to `high`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mel {
    /// Number of bands.
    pub bands: usize,
    /// Mel scale formula.
    pub scale: MelScale,
    /// Height of the triangles.
    pub norm: MelNorm,
    /// Lowest edge in Hz.
    pub low: f64,
    /// Highest edge in Hz; half the rate where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

/// Hz to mel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MelScale {
    /// 3 f / 200 below 1000 Hz, 15 + 27 ln(f / 1000) / ln 6.4 above (Slaney's Auditory Toolbox).
    Slaney,
    /// 2595 log10(1 + f / 700)
    Htk,
}

/// Height of the triangles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MelNorm {
    /// 2 / (upper edge - lower edge), edges in Hz: equal areas.
    Slaney,
    /// 1
    None,
}

/// Logarithm of the band energies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Unit of the logarithm.
    pub scale: LogScale,
    /// Band energies below this are raised to it, before the logarithm.
    pub least: f64,
    /// The floor after the logarithm.
    pub floor: Floor,
}

/// Unit of the logarithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LogScale {
    /// 10 log10(S)
    Decibel,
    /// ln(S)
    Natural,
}

/// The floor after the logarithm, in its unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Floor {
    /// That much below the maximum over all bands and frames of the utterance (librosa's `top_db`, 80). Makes every
    /// frame depend on the whole utterance, so a stream cannot have it.
    BelowMaximum(f64),
    /// A fixed value.
    Fixed(f64),
    /// None beyond `least`.
    None,
}

/// Cosine transform over the bands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dct {
    /// 1, 2 or 3.
    #[serde(rename = "type")]
    pub kind: u8,
    /// Scaling of the transform.
    pub norm: DctNorm,
}

/// Scaling of the cosine transform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DctNorm {
    /// Orthonormal.
    Ortho,
    /// SciPy's unscaled transform, twice the plain sum.
    None,
}

impl FrontEnd {
    /// Samples added on each side by centring.
    pub(crate) fn padding(&self) -> usize {
        if self.centre == Centre::None { 0 } else { self.n_fft / 2 }
    }

    /// Frequency bins of the spectrum: `n_fft / 2 + 1`.
    pub fn bins(&self) -> usize {
        self.n_fft / 2 + 1
    }

    /// The highest mel edge in Hz.
    pub fn highest(&self) -> f64 {
        self.mel.high.unwrap_or(f64::from(self.rate) / 2.0)
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`FrontEndError::Setting`] with the key, its value and what is allowed.
    pub fn validate(&self) -> Result<(), FrontEndError> {
        fn check(
            ok: bool,
            key: &'static str,
            value: impl std::fmt::Display,
            reason: &str,
        ) -> Result<(), FrontEndError> {
            if ok {
                return Ok(());
            }
            Err(FrontEndError::Setting { key, value: value.to_string(), reason: reason.to_owned() })
        }
        let nyquist = f64::from(self.rate) / 2.0;
        let Window { length, .. } = self.window;
        let Mel { bands, low, high, .. } = self.mel;
        check((1..=768_000).contains(&self.rate), "rate", self.rate, "1 to 768000 Hz")?;
        check((2..=1 << 20).contains(&self.n_fft), "n_fft", self.n_fft, "2 to 1048576 samples")?;
        check((1..=self.n_fft).contains(&length), "window.length", length, "1 to n_fft samples")?;
        check((1..=1 << 24).contains(&self.hop), "hop", self.hop, "1 to 16777216 samples")?;
        check(self.power > 0.0 && self.power <= 8.0, "power", self.power, "above 0, at most 8")?;
        check((1..=4096).contains(&bands), "mel.bands", bands, "1 to 4096")?;
        if let Some(high) = high {
            check(high > 0.0 && high <= nyquist, "mel.high", high, "above 0, at most half the rate")?;
        }
        // Closer together, the edges of a band can be equal numbers, and its triangle is 0 / 0.
        check(
            low >= 0.0 && self.highest() - low >= 0.5,
            "mel.low",
            low,
            "at least 0 Hz, and at least 0.5 Hz below the highest edge",
        )?;
        check(self.log.least > 1e-37 && self.log.least < 1e37, "log.least", self.log.least, "1e-37 to 1e37")?;
        match self.log.floor {
            Floor::BelowMaximum(x) => check(x > 0.0 && x.is_finite(), "log.floor", x, "above 0 and finite")?,
            Floor::Fixed(x) => check(x.abs() < 1e6, "log.floor", x, "finite, within 1e6")?,
            Floor::None => {}
        }
        check((1..=3).contains(&self.dct.kind), "dct.type", self.dct.kind, "1, 2 or 3")?;
        check(self.dct.kind != 1 || bands > 1, "dct.type", self.dct.kind, "type 1 needs at least 2 bands")?;
        check((1..=bands).contains(&self.coefficients), "coefficients", self.coefficients, "1 to mel.bands")?;
        let lifter = self.lifter;
        check(lifter == 0.0 || (1e-3..1e6).contains(&lifter), "lifter", lifter, "0 (none), or 0.001 to 1e6")
    }
}
