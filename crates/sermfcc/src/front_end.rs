//! The settings of a front end.

use serde::{Deserialize, Serialize};

use crate::FrontEndError;

/// Every setting that the features depend on, from the recording's sample rate to the number of coefficients, in librosa's
/// words where librosa has one.
///
/// Make one from a preset ([`FrontEnd::librosa_0_10`] and its like, or [`FrontEnd::preset`] by name) and change any field with
/// [`FrontEnd::with`], or read one from any serde format: keys left out have the values of `timnet-0.8.1`, unknown keys are errors,
/// and a key of an older version is an error that says what it is called now. [`crate::Extractor::new`] checks the values.
///
/// The settings from `sample_scale` on are those that other libraries than librosa need. They are written only where they differ
/// from librosa's.
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
    /// Highest edge of the bands in Hz; half the sample rate where absent, and that much below it where negative.
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
    /// Type of the cosine transform over the bands: 1, 2 or 3; 0 for none: the coefficients are the log-mel bands.
    pub dct_type: u8,
    /// Scaling of the cosine transform (librosa's `norm`).
    pub dct_norm: DctNorm,
    /// Cepstral coefficients kept, from c0.
    pub n_mfcc: usize,
    /// Liftering `1 + lifter / 2 * sin(pi (k + lifter_start) / lifter)` of coefficient k; 0 for none.
    pub lifter: f64,
    /// Factor on the samples; 1 in librosa. 32768 gives samples in [-1, 1) the values of 16-bit integers.
    #[serde(skip_serializing_if = "is_one")]
    pub sample_scale: f64,
    /// Which samples a frame holds.
    #[serde(skip_serializing_if = "is_default")]
    pub framing: Framing,
    /// Whether the last frame is left out (Whisper).
    #[serde(skip_serializing_if = "is_default")]
    pub drop_last_frame: bool,
    /// Whether the mean of each frame is subtracted from it.
    #[serde(skip_serializing_if = "is_default")]
    pub remove_mean: bool,
    /// High-pass filter before the window.
    #[serde(skip_serializing_if = "is_default")]
    pub pre_emphasis: PreEmphasis,
    /// Factor on the spectrum raised to `power`; 1 in librosa.
    #[serde(skip_serializing_if = "is_one")]
    pub spectrum_scale: f64,
    /// What the triangles of the bands are linear in.
    #[serde(skip_serializing_if = "is_default")]
    pub mel_triangles: Triangles,
    /// Frequency bins that the bands are made of.
    #[serde(skip_serializing_if = "is_default")]
    pub mel_bins: MelBins,
    /// How `amin` keeps the logarithm finite.
    #[serde(skip_serializing_if = "is_default")]
    pub amin_rule: AminRule,
    /// Factor on the log-mel bands, after the floor; 1 in librosa.
    #[serde(skip_serializing_if = "is_one")]
    pub log_gain: f64,
    /// Added to the log-mel bands after that factor; 0 in librosa.
    #[serde(skip_serializing_if = "is_default")]
    pub log_offset: f64,
    /// Index of c0 in the lifter's sine: 1 in librosa, 0 elsewhere.
    #[serde(skip_serializing_if = "is_u8_one")]
    pub lifter_start: u8,
    /// What stands in the place of c0.
    #[serde(skip_serializing_if = "is_default")]
    pub c0: C0,
    /// An energy in the place of c0 is at least ln of this; 0 for no such floor.
    #[serde(skip_serializing_if = "is_default")]
    pub energy_floor: f64,
    /// Whether c0, or the energy in its place, comes last (HTK).
    #[serde(skip_serializing_if = "is_default")]
    pub c0_last: bool,
    /// Coefficients are clipped to -clip ..= clip; 0 for no clipping.
    #[serde(skip_serializing_if = "is_default")]
    pub clip: f64,
    /// Orders of differences in [`crate::Output::Deltas`]: 0 for none, 1 for deltas, 2 for deltas and accelerations.
    #[serde(skip_serializing_if = "is_default")]
    pub delta_order: u8,
    /// How differences are taken.
    #[serde(skip_serializing_if = "is_default")]
    pub delta_rule: DeltaRule,
    /// Frames that a difference spans, odd: 5 for HTK's window of 2, 9 in librosa.
    #[serde(skip_serializing_if = "is_nine")]
    pub delta_width: usize,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn is_one(value: &f64) -> bool {
    *value == 1.0
}

fn is_u8_one(value: &u8) -> bool {
    *value == 1
}

fn is_nine(value: &usize) -> bool {
    *value == 9
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
    /// (0.5 - 0.5 cos(2 pi u))^0.85, Kaldi's
    Povey,
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
    /// The signal mirrored between its edge and the sample beyond, so that the first and the last sample come twice (NumPy's
    /// `symmetric`, Kaldi); repeatedly where it is short.
    Symmetric,
}

/// Which samples a frame holds, with n the samples of the signal, L the window length, H the `hop_length`. Only with
/// [`Framing::Stft`] a frame is `n_fft` samples long; with the others it is L samples, and zeros follow up to `n_fft`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Framing {
    /// librosa's: `n_fft` samples, the window in their middle, placed as `center` says.
    #[default]
    Stft,
    /// Frames that lie in the signal: 1 + floor((n - L) / H), from sample t H (Kaldi with snip_edges, HTK).
    Complete,
    /// floor((n + floor(H / 2)) / H) frames, from sample t H + floor(H / 2) - floor(L / 2) (Kaldi without snip_edges).
    Rounded,
    /// 1 + max(0, ceil((n - L) / H)) frames from sample t H: the last one reaches the end (python_speech_features).
    Covering,
    /// 1 + ceil(n / H) frames from sample t H - ceil(L / 2): until the centre of one is past the end (essentia).
    PastEnd,
}

/// High-pass filter y\[i\] = x\[i\] - a x\[i - 1\], 0 < a <= 1. Written `"none"`, `{ frame = 0.97 }` or `{ signal = 0.97 }`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PreEmphasis {
    /// No filter.
    #[default]
    None,
    /// Over each frame; the first sample becomes (1 - a) x\[0\] (Kaldi, HTK).
    Frame(f64),
    /// Over the signal before it is cut; the first sample stays (python_speech_features).
    Signal(f64),
}

/// What the triangles of the bands are linear in, on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Triangles {
    /// Frequency in Hz (librosa, torchaudio).
    #[default]
    Hz,
    /// Mel (Kaldi, HTK).
    Mel,
    /// Frequency bins, the edges being whole bins floor((n_fft + 1) f / sample_rate) (python_speech_features).
    Bins,
}

/// Frequency bins that the bands are made of; the others have no weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MelBins {
    /// All.
    #[default]
    All,
    /// All but bin n_fft / 2 (Kaldi).
    BelowNyquist,
    /// From floor(fmin n_fft / sample_rate + 0.5) + 1 to floor(fmax n_fft / sample_rate + 0.5) - 1, below n_fft / 2 (HTK).
    Htk,
    /// As below-nyquist, and where `fmin` is above 0 without the first bin of the first band (Kaldi's htk_mode).
    KaldiHtk,
}

/// How `amin` keeps the logarithm of a band energy S finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AminRule {
    /// max(amin, S)
    #[default]
    Max,
    /// amin where S is 0, else S (python_speech_features)
    ReplaceZero,
    /// S + amin (torchaudio's log_mels)
    Add,
}

/// What stands in the place of c0. An energy is ln of a sum of squares, kept finite by `amin` and `amin_rule` as a band is, and
/// never liftered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum C0 {
    /// c0 itself.
    #[default]
    Kept,
    /// Energy of the frame before pre-emphasis and window.
    RawEnergy,
    /// Energy of the frame after both.
    WindowedEnergy,
    /// ln of the sum of the spectrum raised to `power`, all bins.
    SpectralEnergy,
}

/// How differences over frames are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DeltaRule {
    /// Derivatives of the polynomial that fits best, as [`crate::delta`] (librosa).
    #[default]
    Polynomial,
    /// Slope of the best line with the edge frames repeated, each order of the one before, as [`crate::regression_delta`] (HTK).
    Regression,
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
    /// Each band's weights divided by their sum over the bins (essentia, audioflux).
    UnitSum,
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
    /// log10(S)
    Log10,
    /// 20 log10(S)
    DecibelAmplitude,
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
    /// sqrt(2 / bands) times the plain sum of type 2 in every row, so c0 is sqrt(2) times the orthonormal one (HTK).
    Htk,
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

    /// Frequency bins of the spectrum: `n_fft / 2 + 1`.
    pub fn bins(&self) -> usize {
        self.n_fft / 2 + 1
    }

    /// Window length in samples: `win_length`, or `n_fft` where that is absent.
    pub fn window_length(&self) -> usize {
        self.win_length.unwrap_or(self.n_fft)
    }

    /// Highest edge of the bands in Hz: `fmax`, counted from half the sample rate where it is negative or absent.
    pub fn highest(&self) -> f64 {
        let nyquist = f64::from(self.sample_rate) / 2.0;
        match self.fmax {
            Some(fmax) if fmax >= 0.0 => fmax,
            below => nyquist + below.unwrap_or(0.0),
        }
    }

    /// Values per frame of [`crate::Output::Deltas`]: `n_mfcc`, and as many for each order of differences.
    pub fn with_deltas(&self) -> usize {
        self.n_mfcc * (1 + usize::from(self.delta_order))
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
            allowed: &'static str,
        ) -> Result<(), FrontEndError> {
            if ok { Ok(()) } else { Err(FrontEndError::Setting { key, value: value.to_string(), allowed }) }
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
            let within = fmax != 0.0 && fmax <= nyquist && fmax > -nyquist;
            check(within, "fmax", fmax, "above 0 and at most half the sample_rate, or negative: so much below that")?;
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
        check(self.dct_type <= 3, "dct_type", self.dct_type, "1, 2 or 3, or 0 for none")?;
        check(self.dct_type != 1 || n_mels > 1, "dct_type", self.dct_type, "type 1 needs at least 2 bands")?;
        let fits = self.dct_type == 2 || self.dct_norm != DctNorm::Htk;
        check(fits, "dct_norm", "htk", "with dct_type = 2 alone")?;
        check((1..=n_mels).contains(&self.n_mfcc), "n_mfcc", self.n_mfcc, "1 to n_mels")?;
        check(lifter == 0.0 || (1e-3..1e6).contains(&lifter), "lifter", lifter, "0 (none), or 0.001 to 1e6")?;
        check(self.lifter_start <= 1, "lifter_start", self.lifter_start, "0 or 1")?;
        for (key, factor) in [("sample_scale", self.sample_scale), ("spectrum_scale", self.spectrum_scale)] {
            check((1e-6..=1e6).contains(&factor), key, factor, "1e-6 to 1e6")?;
        }
        match self.pre_emphasis {
            PreEmphasis::None => {}
            PreEmphasis::Frame(a) | PreEmphasis::Signal(a) => {
                check(a > 0.0 && a <= 1.0, "pre_emphasis", a, "\"none\", or above 0 and at most 1")?;
            }
        }
        check(self.log_gain.abs() <= 1e6 && self.log_gain != 0.0, "log_gain", self.log_gain, "within 1e6 and not 0")?;
        check(self.log_offset.abs() <= 1e6, "log_offset", self.log_offset, "within 1e6")?;
        check((0.0..1e37).contains(&self.energy_floor), "energy_floor", self.energy_floor, "0 (none) to 1e37")?;
        check((0.0..1e37).contains(&self.clip), "clip", self.clip, "0 (none) to 1e37")?;
        check(self.delta_order <= 3, "delta_order", self.delta_order, "0 (none) to 3")?;
        let width = self.delta_width;
        check(width % 2 == 1 && (3..=1025).contains(&width), "delta_width", width, "odd, 3 to 1025 frames")?;
        let fits = self.delta_rule == DeltaRule::Regression || usize::from(self.delta_order) < width;
        check(fits, "delta_order", self.delta_order, "below delta_width")
    }
}
