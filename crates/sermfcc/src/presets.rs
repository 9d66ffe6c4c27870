//! Presets by name and version.

use crate::FrontEndError;
use crate::front_end::{DctNorm, Floor, FrontEnd, LogScale, MelNorm, MelScale, PadMode, Window};

/// A front end known by a name.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Preset {
    /// The name, for [`FrontEnd::preset`].
    pub name: &'static str,
    /// What it equals.
    pub equals: &'static str,
    /// The front end.
    pub front_end: fn() -> FrontEnd,
}

/// The presets.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "librosa-0.8.1",
        equals: "defaults of librosa <= 0.8.1 with resampy <= 0.2.2: 20 coefficients, mirrored edges, kaiser_best-0.2",
        front_end: FrontEnd::librosa_0_8_1,
    },
    Preset {
        name: "librosa-0.9",
        equals: "defaults of librosa 0.9 with resampy >= 0.3: 20 coefficients, zeros beyond the edges, kaiser_best-0.3",
        front_end: FrontEnd::librosa_0_9,
    },
    Preset {
        name: "librosa-0.10",
        equals: "defaults of librosa >= 0.10, 0.11 included: 20 coefficients, zeros beyond the edges, soxr_hq",
        front_end: FrontEnd::librosa_0_10,
    },
    Preset {
        name: "timnet-0.8.1",
        equals: "TIM-Net's official code with librosa <= 0.8.1: 39 coefficients, otherwise as librosa-0.8.1",
        front_end: FrontEnd::timnet_0_8_1,
    },
    Preset {
        name: "timnet-0.9",
        equals: "TIM-Net's official code with librosa 0.9: 39 coefficients, otherwise as librosa-0.9",
        front_end: FrontEnd::timnet_0_9,
    },
    Preset {
        name: "timnet-0.10",
        equals: "TIM-Net's official code with librosa >= 0.10: 39 coefficients, otherwise as librosa-0.10",
        front_end: FrontEnd::timnet_0_10,
    },
    Preset {
        name: "timnet-paper",
        equals: "TIM-Net, section 2.1: 50 ms Hamming window, 12.5 ms hop, otherwise as timnet-0.8.1",
        front_end: FrontEnd::timnet_paper,
    },
];

/// Names of older versions, each with the name today.
const RENAMED: [(&str, &str); 2] = [("official", "timnet-0.8.1"), ("paper", "timnet-paper")];

impl FrontEnd {
    /// The preset of that name, one of [`PRESETS`].
    ///
    /// # Errors
    /// [`FrontEndError::UnknownPreset`]; [`FrontEndError::RenamedPreset`] for a name of an older version.
    pub fn preset(name: &str) -> Result<FrontEnd, FrontEndError> {
        if let Some(preset) = PRESETS.iter().find(|preset| preset.name == name) {
            return Ok((preset.front_end)());
        }
        Err(match RENAMED.iter().find(|(old, _)| *old == name) {
            Some((_, new)) => FrontEndError::RenamedPreset { old: name.to_owned(), new },
            None => {
                let known: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
                FrontEndError::UnknownPreset { name: name.to_owned(), known: known.join(", ") }
            }
        })
    }

    /// Name of the preset that this equals, if any.
    pub fn preset_name(&self) -> Option<&'static str> {
        PRESETS.iter().find(|preset| (preset.front_end)() == *self).map(|preset| preset.name)
    }

    /// `librosa.feature.mfcc` and `librosa.load` with their defaults, librosa <= 0.8.1 with resampy <= 0.2.2.
    pub fn librosa_0_8_1() -> FrontEnd {
        FrontEnd {
            sample_rate: 22_050,
            resampler: "kaiser_best-0.2".into(),
            n_fft: 2048,
            hop_length: 512,
            win_length: None,
            window: Window::Hann,
            periodic: true,
            center: true,
            pad_mode: PadMode::Reflect,
            power: 2.0,
            n_mels: 128,
            fmin: 0.0,
            fmax: None,
            mel_scale: MelScale::Slaney,
            mel_norm: MelNorm::Slaney,
            log_scale: LogScale::Decibel,
            amin: 1e-10,
            top_db: Floor::BelowMaximum(80.0),
            dct_type: 2,
            dct_norm: DctNorm::Ortho,
            n_mfcc: 20,
            lifter: 0.0,
        }
    }

    /// The same of librosa 0.9 with resampy >= 0.3: zeros beyond the edges.
    pub fn librosa_0_9() -> FrontEnd {
        Self::librosa_0_8_1().with(|f| (f.pad_mode, f.resampler) = (PadMode::Constant, "kaiser_best-0.3".into()))
    }

    /// The same of librosa 0.10 and 0.11: resampled by soxr.
    pub fn librosa_0_10() -> FrontEnd {
        Self::librosa_0_9().with(|f| f.resampler = "soxr_hq".into())
    }

    /// TIM-Net's official code with librosa <= 0.8.1 and resampy <= 0.2.2, as its README has them: 39 coefficients.
    pub fn timnet_0_8_1() -> FrontEnd {
        Self::librosa_0_8_1().with(|f| f.n_mfcc = 39)
    }

    /// TIM-Net's official code with librosa 0.9, as its requirements file has it, and resampy >= 0.3.
    pub fn timnet_0_9() -> FrontEnd {
        Self::librosa_0_9().with(|f| f.n_mfcc = 39)
    }

    /// TIM-Net's official code with librosa 0.10 or 0.11.
    pub fn timnet_0_10() -> FrontEnd {
        Self::librosa_0_10().with(|f| f.n_mfcc = 39)
    }

    /// TIM-Net's paper, section 2.1: 50 ms Hamming window, 12.5 ms hop. It names neither resampler nor padding: those of the
    /// official code.
    pub fn timnet_paper() -> FrontEnd {
        Self::timnet_0_8_1().with(|f| (f.window, f.win_length, f.hop_length) = (Window::Hamming, Some(1102), 276))
    }
}

/// `timnet-0.8.1`.
impl Default for FrontEnd {
    fn default() -> Self {
        Self::timnet_0_8_1()
    }
}
