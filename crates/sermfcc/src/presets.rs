//! Presets by name and version.

use crate::FrontEndError;
use crate::front_end::{Centre, Dct, DctNorm, Floor, FrontEnd, Log, LogScale, Mel, MelNorm, MelScale, Shape, Window};

/// Names of the presets, each with what it equals.
pub const PRESETS: [(&str, &str); 4] = [
    ("librosa-0.8.1", "librosa <= 0.8.1 with resampy <= 0.2.2: mirrored edges, kaiser_best-0.2"),
    ("librosa-0.9", "librosa 0.9 with resampy >= 0.3: zeros beyond the edges, kaiser_best-0.3"),
    ("librosa-0.10", "librosa >= 0.10, 0.11 included: zeros beyond the edges, soxr_hq"),
    ("paper", "TIM-Net, section 2.1: 50 ms Hamming window, 12.5 ms hop, otherwise as librosa-0.8.1"),
];

impl FrontEnd {
    /// The preset of that name: 39 coefficients at 22,050 Hz. `official` is another name for `librosa-0.8.1`.
    ///
    /// # Errors
    /// [`FrontEndError::UnknownPreset`].
    pub fn preset(name: &str) -> Result<FrontEnd, FrontEndError> {
        let official = FrontEnd::default();
        let resampled = |resampler: &str| FrontEnd {
            centre: Centre::Zeros,
            resampler: resampler.to_owned(),
            ..FrontEnd::default()
        };
        match name {
            "librosa-0.8.1" | "official" => Ok(official),
            "librosa-0.9" => Ok(resampled("kaiser_best-0.3")),
            "librosa-0.10" => Ok(resampled("soxr_hq")),
            "paper" => Ok(FrontEnd {
                hop: 276,
                window: Window { shape: Shape::Hamming, length: 1102, periodic: true },
                ..official
            }),
            _ => Err(FrontEndError::UnknownPreset {
                name: name.to_owned(),
                known: PRESETS.map(|(name, _)| name).join(", "),
            }),
        }
    }

    /// Name of the preset that this equals, if any.
    pub fn preset_name(&self) -> Option<&'static str> {
        let equal = |name: &&str| FrontEnd::preset(name).is_ok_and(|preset| preset == *self);
        PRESETS.map(|(name, _)| name).into_iter().find(equal)
    }
}

/// `librosa-0.8.1`.
impl Default for FrontEnd {
    fn default() -> Self {
        FrontEnd {
            rate: 22_050,
            resampler: "kaiser_best-0.2".into(),
            n_fft: 2048,
            hop: 512,
            centre: Centre::Reflect,
            power: 2.0,
            coefficients: 39,
            lifter: 0.0,
            window: Window::default(),
            mel: Mel::default(),
            log: Log::default(),
            dct: Dct::default(),
        }
    }
}

impl Default for Window {
    fn default() -> Self {
        Window { shape: Shape::Hann, length: 2048, periodic: true }
    }
}

impl Default for Mel {
    fn default() -> Self {
        Mel { bands: 128, scale: MelScale::Slaney, norm: MelNorm::Slaney, low: 0.0, high: None }
    }
}

impl Default for Log {
    fn default() -> Self {
        Log { scale: LogScale::Decibel, least: 1e-10, floor: Floor::BelowMaximum(80.0) }
    }
}

impl Default for Dct {
    fn default() -> Self {
        Dct { kind: 2, norm: DctNorm::Ortho }
    }
}
