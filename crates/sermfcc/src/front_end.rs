//! The settings of a front end.

use serde::{Deserialize, Serialize};

use crate::FrontEndError;

/// Every setting that the features depend on, from the recording's sample rate to the number of coefficients, in librosa's
/// words where librosa has one.
///
/// Make one from a preset ([`FrontEnd::librosa_0_10`] and its like, or [`FrontEnd::preset`] by name) and change any field with
/// [`FrontEnd::with`], or read one from any serde format: keys left out have the values of `timnet-0.8.1`, unknown keys are errors,
/// and a key of an older version is an error that says what it is called now. [`crate::Extractor::new`] checks the values.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct FrontEnd {
    /// Sample rate in Hz (librosa's `sr`).
    pub sample_rate: u32,
    /// Name of the filter that brought the samples to that rate (librosa's `res_type`). Recorded and hashed, not used: this crate
    /// resamples nothing.
    pub resampler: String,
    /// Length of the Fourier transform in samples.
    pub n_fft: usize,
    /// Samples from one frame to the next.
    pub hop_length: usize,
    /// Window length in samples, at most `n_fft`; `n_fft` where absent. A shorter window stands in the middle of the `n_fft` samples
    /// of a frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub win_length: Option<usize>,
    /// Window function.
    pub window: Window,
    /// Periodic window (denominator `win_length`, librosa's) or symmetric (denominator `win_length - 1`).
    pub periodic: bool,
    /// Whether frame t is centred on sample `t * hop_length`, with `n_fft / 2` samples added on both sides of the signal; it starts
    /// at that sample otherwise.
    pub center: bool,
    /// The samples added by `center`; without meaning where frames are not centred.
    pub pad_mode: PadMode,
    /// Exponent of the magnitude spectrum: 2 for power, 1 for magnitude.
    pub power: f64,
    /// Number of mel bands: triangles between `n_mels + 2` edges, evenly spaced in mel from `fmin` to `fmax`.
    pub n_mels: usize,
    /// Lowest edge of the bands in Hz.
    pub fmin: f64,
    /// Highest edge of the bands in Hz; half the sample rate where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fmax: Option<f64>,
    /// Mel scale formula (librosa's `htk`).
    pub mel_scale: MelScale,
    /// Height of the triangles.
    pub mel_norm: MelNorm,
    /// Unit of the logarithm of the band energies.
    pub log_scale: LogScale,
    /// Band energies below this are raised to it, before the logarithm.
    pub amin: f64,
    /// Floor after the logarithm.
    pub top_db: Floor,
    /// Type of the cosine transform over the bands: 1, 2 or 3.
    pub dct_type: u8,
    /// Scaling of the cosine transform (librosa's `norm`).
    pub dct_norm: DctNorm,
    /// Cepstral coefficients kept, from c0.
    pub n_mfcc: usize,
    /// Liftering `1 + lifter / 2 * sin(pi (k + 1) / lifter)` of coefficient k; 0 for none.
    pub lifter: f64,
}

/// Window function, with u = n / denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Window {
    /// 0.5 - 0.5 cos(2 pi u)
    Hann,
    /// 0.54 - 0.46 cos(2 pi u)
    Hamming,
    /// 0.42 - 0.5 cos(2 pi u) + 0.08 cos(4 pi u)
    Blackman,
    /// 1
    Rectangular,
}

/// What stands beyond the edges of the signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PadMode {
    /// Zeros, librosa >= 0.9.
    Constant,
    /// The signal mirrored at its first and last sample, librosa <= 0.8.1; repeatedly where it is short.
    Reflect,
    /// The first and the last sample repeated.
    Edge,
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

/// Floor after the logarithm, in its unit. Written as a number (`top_db = 80.0`), `"none"` or `{ fixed = -80.0 }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "FloorForm", into = "FloorForm")]
#[non_exhaustive]
pub enum Floor {
    /// That much below the maximum over all bands and frames of the utterance (librosa's `top_db`, 80). Makes every
    /// frame depend on the whole utterance, so a stream cannot have it.
    BelowMaximum(f64),
    /// A fixed value.
    Fixed(f64),
    /// None beyond `amin` (librosa's `top_db=None`).
    None,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "top_db is a number of decibels below the maximum, \"none\" or { fixed = NUMBER }")]
enum FloorForm {
    BelowMaximum(f64),
    Other(OtherFloor),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum OtherFloor {
    Fixed(f64),
    None,
}

impl From<Floor> for FloorForm {
    fn from(floor: Floor) -> Self {
        match floor {
            Floor::BelowMaximum(range) => Self::BelowMaximum(range),
            Floor::Fixed(floor) => Self::Other(OtherFloor::Fixed(floor)),
            Floor::None => Self::Other(OtherFloor::None),
        }
    }
}

impl From<FloorForm> for Floor {
    fn from(form: FloorForm) -> Self {
        match form {
            FloorForm::BelowMaximum(range) => Self::BelowMaximum(range),
            FloorForm::Other(OtherFloor::Fixed(floor)) => Self::Fixed(floor),
            FloorForm::Other(OtherFloor::None) => Self::None,
        }
    }
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
    /// This front end after `change`, which may set any field.
    ///
    /// ```
    /// let front_end = sermfcc::FrontEnd::librosa_0_10().with(|f| (f.n_fft, f.hop_length, f.n_mfcc) = (512, 128, 13));
    /// assert_eq!(front_end.frames(1280), 11);
    /// ```
    #[must_use]
    pub fn with<T>(mut self, change: impl FnOnce(&mut FrontEnd) -> T) -> FrontEnd {
        change(&mut self);
        self
    }

    /// Samples added on each side by centring.
    pub(crate) fn padding(&self) -> usize {
        if self.center { self.n_fft / 2 } else { 0 }
    }

    /// Frequency bins of the spectrum: `n_fft / 2 + 1`.
    pub fn bins(&self) -> usize {
        self.n_fft / 2 + 1
    }

    /// Window length in samples: `win_length`, or `n_fft` where that is absent.
    pub fn window_length(&self) -> usize {
        self.win_length.unwrap_or(self.n_fft)
    }

    /// Highest edge of the bands in Hz: `fmax`, or half the sample rate where that is absent.
    pub fn highest(&self) -> f64 {
        self.fmax.unwrap_or(f64::from(self.sample_rate) / 2.0)
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
        let nyquist = f64::from(self.sample_rate) / 2.0;
        let &Self { n_fft, n_mels, fmin, fmax, amin, lifter, .. } = self;
        check((1..=768_000).contains(&self.sample_rate), "sample_rate", self.sample_rate, "1 to 768000 Hz")?;
        check((2..=1 << 20).contains(&n_fft), "n_fft", n_fft, "2 to 1048576 samples")?;
        let length = self.window_length();
        check((1..=n_fft).contains(&length), "win_length", length, "1 to n_fft samples")?;
        check((1..=1 << 24).contains(&self.hop_length), "hop_length", self.hop_length, "1 to 16777216 samples")?;
        check(self.power > 0.0 && self.power <= 8.0, "power", self.power, "above 0, at most 8")?;
        check((1..=4096).contains(&n_mels), "n_mels", n_mels, "1 to 4096")?;
        if let Some(fmax) = fmax {
            check(fmax > 0.0 && fmax <= nyquist, "fmax", fmax, "above 0, at most half the sample_rate")?;
        }
        // Closer together, the edges of a band can be equal numbers, and its triangle is 0 / 0.
        check(
            fmin >= 0.0 && self.highest() - fmin >= 0.5,
            "fmin",
            fmin,
            "at least 0 Hz, and at least 0.5 Hz below the highest edge",
        )?;
        check(amin > 1e-37 && amin < 1e37, "amin", amin, "1e-37 to 1e37")?;
        match self.top_db {
            Floor::BelowMaximum(x) => check(x > 0.0 && x.is_finite(), "top_db", x, "above 0 and finite")?,
            Floor::Fixed(x) => check(x.abs() < 1e6, "top_db", x, "finite, within 1e6")?,
            Floor::None => {}
        }
        check((1..=3).contains(&self.dct_type), "dct_type", self.dct_type, "1, 2 or 3")?;
        check(self.dct_type != 1 || n_mels > 1, "dct_type", self.dct_type, "type 1 needs at least 2 bands")?;
        check((1..=n_mels).contains(&self.n_mfcc), "n_mfcc", self.n_mfcc, "1 to n_mels")?;
        check(lifter == 0.0 || (1e-3..1e6).contains(&lifter), "lifter", lifter, "0 (none), or 0.001 to 1e6")
    }
}
