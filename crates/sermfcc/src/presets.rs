//! Presets by name and version.

use crate::FrontEndError;
use crate::front_end::{
    AminRule, C0, DctNorm, DeltaRule, Floor, Framing, FrontEnd, LogScale, MelBins, MelNorm, MelScale, PadMode,
    PreEmphasis, Triangles, Window,
};

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
    Preset {
        name: "librosa-0.10-htk",
        equals: "librosa >= 0.10 with htk=True: HTK's mel formula, otherwise as librosa-0.10, Slaney's triangles included",
        front_end: FrontEnd::librosa_0_10_htk,
    },
    Preset {
        name: "torchaudio-mfcc",
        equals: "torchaudio >= 0.4, transforms.MFCC(16000): 16 kHz, [-1, 1), 40 coefficients",
        front_end: FrontEnd::torchaudio_mfcc,
    },
    Preset {
        name: "torchaudio-kaldi",
        equals: "torchaudio >= 0.5, compliance.kaldi.mfcc: 16 kHz, [-1, 1) as torchaudio.load gives, 13 coefficients, c0 kept",
        front_end: FrontEnd::torchaudio_kaldi,
    },
    Preset {
        name: "kaldi-mfcc",
        equals: "Kaldi's and kaldi-native-fbank's MfccOptions with dither 0: 16 kHz, 16-bit values, 13 coefficients, energy for c0",
        front_end: FrontEnd::kaldi_mfcc,
    },
    Preset {
        name: "kaldi-mfcc-no-energy",
        equals: "Kaldi's recipes' mfcc.conf, use_energy = false, with dither 0: otherwise as kaldi-mfcc",
        front_end: FrontEnd::kaldi_mfcc_no_energy,
    },
    Preset {
        name: "kaldi-mfcc-hires",
        equals: "Kaldi's recipes' mfcc_hires.conf with dither 0: 40 bands to 7,600 Hz, 40 coefficients, c0 kept",
        front_end: FrontEnd::kaldi_mfcc_hires,
    },
    Preset {
        name: "htk-mfcc-0",
        equals: "HTK 3.4, MFCC_0_D_A: 16 kHz, 16-bit values, 26 bands, magnitude, c1 to c12 and c0, deltas and accelerations",
        front_end: FrontEnd::htk_mfcc_0,
    },
    Preset {
        name: "htk-mfcc-e",
        equals: "HTK 3.4, MFCC_E_D_A with ENORMALISE = F: as htk-mfcc-0 with the raw energy for c0",
        front_end: FrontEnd::htk_mfcc_e,
    },
    Preset {
        name: "python_speech_features-0.6",
        equals: "python_speech_features 0.6, mfcc(x, 16000): 16 kHz, 16-bit values, 13 coefficients, energy for c0",
        front_end: FrontEnd::python_speech_features_0_6,
    },
    Preset {
        name: "whisper-80",
        equals: "Whisper's log-mel of 80 bands (transformers, padding='longest'): 16 kHz, [-1, 1)",
        front_end: FrontEnd::whisper_80,
    },
    Preset {
        name: "whisper-128",
        equals: "Whisper's log-mel of 128 bands (large-v3), otherwise as whisper-80",
        front_end: FrontEnd::whisper_128,
    },
    Preset {
        name: "light-sernet",
        equals: "Light-SERNet's first extractor: 16 kHz, [-1, 1), 40 coefficients, ln(S + 1e-6), clipped to 10",
        front_end: FrontEnd::light_sernet,
    },
    Preset {
        name: "light-sernet-fused",
        equals: "Light-SERNet's second extractor: ln(max(S, 1e-12)), otherwise as light-sernet",
        front_end: FrontEnd::light_sernet_fused,
    },
    Preset {
        name: "essentia-2.1b6",
        equals: "essentia 2.1b6, Spectrum and MFCC with highFrequencyBound 8000: 16 kHz, [-1, 1), 13 coefficients",
        front_end: FrontEnd::essentia_2_1b6,
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
                let known = PRESETS.iter().map(|preset| preset.name).collect();
                FrontEndError::UnknownPreset { name: name.to_owned(), known }
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
            sample_scale: 1.0,
            framing: Framing::Stft,
            drop_last_frame: false,
            remove_mean: false,
            pre_emphasis: PreEmphasis::None,
            spectrum_scale: 1.0,
            mel_triangles: Triangles::Hz,
            mel_bins: MelBins::All,
            amin_rule: AminRule::Max,
            log_gain: 1.0,
            log_offset: 0.0,
            lifter_start: 1,
            c0: C0::Kept,
            energy_floor: 0.0,
            c0_last: false,
            clip: 0.0,
            delta_order: 0,
            delta_rule: DeltaRule::Polynomial,
            delta_width: 9,
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

    /// `librosa.feature.mfcc(htk=True)` of librosa >= 0.10. `mel_scale = "htk"` gives it for the older versions.
    pub fn librosa_0_10_htk() -> FrontEnd {
        Self::librosa_0_10().with(|f| f.mel_scale = MelScale::Htk)
    }

    /// `torchaudio.transforms.MFCC(16000)`: Hann windows of 25 ms every 12.5 ms, edges mirrored, 128 HTK bands of height 1 in decibels.
    /// Torchaudio keeps these numbers of samples at every rate.
    pub fn torchaudio_mfcc() -> FrontEnd {
        Self::librosa_0_8_1().at_16_khz(400, 200, 400).with(|f| {
            (f.n_mfcc, f.mel_scale, f.mel_norm) = (40, MelScale::Htk, MelNorm::None);
        })
    }

    /// `MfccOptions` of Kaldi and kaldi-native-fbank with dither 0, of 16-bit values: povey windows of 25 ms every 10 ms, the raw
    /// energy in the place of c0. At another rate change `sample_rate`, `win_length` (25 ms, cut off), `hop_length` (10 ms) and `n_fft` (the next power
    /// of two).
    pub fn kaldi_mfcc() -> FrontEnd {
        Self::librosa_0_8_1().at_16_khz(400, 160, 512).with(|f| {
            (f.sample_scale, f.framing, f.pad_mode) = (INT16, Framing::Complete, PadMode::Symmetric);
            (f.remove_mean, f.pre_emphasis) = (true, PreEmphasis::Frame(0.97));
            (f.window, f.periodic) = (Window::Povey, false);
            (f.n_mels, f.fmin, f.mel_scale, f.mel_norm) = (23, 20.0, MelScale::Htk, MelNorm::None);
            (f.mel_triangles, f.mel_bins) = (Triangles::Mel, MelBins::BelowNyquist);
            (f.log_scale, f.amin, f.top_db) = (LogScale::Natural, f64::from(f32::EPSILON), Floor::None);
            (f.n_mfcc, f.lifter, f.lifter_start, f.c0) = (13, 22.0, 0, C0::RawEnergy);
        })
    }

    /// The same with c0 kept, as Kaldi's recipes have it in `mfcc.conf`.
    pub fn kaldi_mfcc_no_energy() -> FrontEnd {
        Self::kaldi_mfcc().with(|f| f.c0 = C0::Kept)
    }

    /// Kaldi's recipes' `mfcc_hires.conf`: 40 bands between 20 Hz and 400 Hz below half the rate, all 40 coefficients.
    pub fn kaldi_mfcc_hires() -> FrontEnd {
        Self::kaldi_mfcc_no_energy().with(|f| (f.n_mels, f.n_mfcc, f.fmax) = (40, 40, Some(-400.0)))
    }

    /// `torchaudio.compliance.kaldi.mfcc` of what `torchaudio.load` gives. With an energy in the place of c0 its `energy_floor` is 1.
    pub fn torchaudio_kaldi() -> FrontEnd {
        Self::kaldi_mfcc_no_energy().with(|f| f.sample_scale = 1.0)
    }

    /// HTK 3.4's `MFCC_0_D_A` of 16-bit values, as its book configures it: Hamming windows of 25 ms every 10 ms, magnitudes (USEPOWER F), 26
    /// bands, c1 to c12 and then c0; [`crate::Output::Deltas`] has deltas and accelerations behind them. HTK's own default is 20 bands.
    pub fn htk_mfcc_0() -> FrontEnd {
        Self::kaldi_mfcc_no_energy().with(|f| {
            (f.remove_mean, f.window, f.power) = (false, Window::Hamming, 1.0);
            (f.n_mels, f.fmin, f.mel_bins) = (26, 0.0, MelBins::Htk);
            (f.amin, f.dct_norm, f.c0_last) = (1.0, DctNorm::Htk, true);
            (f.delta_order, f.delta_rule, f.delta_width) = (2, DeltaRule::Regression, 5);
        })
    }

    /// HTK 3.4's `MFCC_E_D_A` without ENORMALISE, which needs the whole utterance: the raw energy in the place of c0.
    pub fn htk_mfcc_e() -> FrontEnd {
        Self::htk_mfcc_0().with(|f| f.c0 = C0::RawEnergy)
    }

    /// `python_speech_features.mfcc(x, 16000)` of 16-bit values: frames of 25 ms every 10 ms without a window, the energy of the spectrum
    /// in the place of c0.
    pub fn python_speech_features_0_6() -> FrontEnd {
        Self::librosa_0_8_1().at_16_khz(400, 160, 512).with(|f| {
            (f.sample_scale, f.framing, f.pad_mode) = (INT16, Framing::Covering, PadMode::Constant);
            (f.pre_emphasis, f.window, f.spectrum_scale) =
                (PreEmphasis::Signal(0.97), Window::Rectangular, 1.0 / 512.0);
            (f.n_mels, f.mel_scale, f.mel_norm, f.mel_triangles) = (26, MelScale::Htk, MelNorm::None, Triangles::Bins);
            (f.log_scale, f.amin, f.amin_rule) = (LogScale::Natural, f64::EPSILON, AminRule::ReplaceZero);
            (f.top_db, f.n_mfcc, f.lifter, f.lifter_start) = (Floor::None, 13, 22.0, 0);
            f.c0 = C0::SpectralEnergy;
        })
    }

    /// Whisper's log-mel of 80 bands, one frame every 10 ms: the coefficients are the bands, between about -1 and 1. The models want 30 s, so pad
    /// the samples with zeros to 480,000.
    pub fn whisper_80() -> FrontEnd {
        Self::librosa_0_8_1().at_16_khz(400, 160, 400).with(|f| {
            (f.drop_last_frame, f.n_mels, f.n_mfcc, f.dct_type) = (true, 80, 80, 0);
            (f.log_scale, f.top_db) = (LogScale::Log10, Floor::BelowMaximum(8.0));
            (f.log_gain, f.log_offset) = (0.25, 1.0);
        })
    }

    /// Whisper's log-mel of 128 bands, of large-v3 and later models.
    pub fn whisper_128() -> FrontEnd {
        Self::whisper_80().with(|f| (f.n_mels, f.n_mfcc) = (128, 128))
    }

    /// Light-SERNet's first extractor: Hann windows of 64 ms every 16 ms, magnitudes, 128 bands from 80 to 7,600 Hz. The samples are to
    /// be prepared by [`crate::light_sernet_samples`].
    pub fn light_sernet() -> FrontEnd {
        Self::librosa_0_8_1().at_16_khz(1024, 256, 1024).with(|f| {
            (f.center, f.power) = (false, 1.0);
            (f.fmin, f.fmax, f.mel_scale) = (80.0, Some(7600.0), MelScale::Htk);
            (f.mel_norm, f.mel_triangles) = (MelNorm::None, Triangles::Mel);
            (f.log_scale, f.amin, f.amin_rule, f.top_db) = (LogScale::Natural, 1e-6, AminRule::Add, Floor::None);
            (f.n_mfcc, f.dct_norm, f.clip) = (40, DctNorm::Htk, 10.0);
        })
    }

    /// Light-SERNet's second extractor, of the exported model: the logarithm is of at least 1e-12.
    pub fn light_sernet_fused() -> FrontEnd {
        Self::light_sernet().with(|f| (f.amin, f.amin_rule) = (1e-12, AminRule::Max))
    }

    /// essentia 2.1b6's default MFCC at 16 kHz, with the high edge at 8,000 Hz (its default, 11,000 Hz, is refused there): symmetric Hann windows of
    /// 1,024 samples that sum to 2, every 512 samples.
    pub fn essentia_2_1b6() -> FrontEnd {
        Self::librosa_0_8_1().at_16_khz(1024, 512, 1024).with(|f| {
            (f.framing, f.pad_mode, f.periodic, f.sample_scale) =
                (Framing::PastEnd, PadMode::Constant, false, 2.0 / 511.5);
            (f.n_mels, f.mel_scale, f.mel_norm, f.mel_triangles) =
                (40, MelScale::Htk, MelNorm::UnitSum, Triangles::Mel);
            (f.log_scale, f.top_db, f.n_mfcc) = (LogScale::DecibelAmplitude, Floor::None, 13);
        })
    }

    /// 16 kHz and these lengths in samples. The libraries resample nothing: `soxr_hq`, librosa's, is taken where it has to be done.
    fn at_16_khz(self, win_length: usize, hop_length: usize, n_fft: usize) -> FrontEnd {
        self.with(|f| {
            (f.sample_rate, f.resampler) = (16_000, "soxr_hq".into());
            (f.win_length, f.hop_length, f.n_fft) =
                (Some(win_length).filter(|&length| length != n_fft), hop_length, n_fft);
        })
    }
}

/// From [-1, 1) to the values of 16-bit integers.
const INT16: f64 = 32_768.0;

/// `timnet-0.8.1`.
impl Default for FrontEnd {
    fn default() -> Self {
        Self::timnet_0_8_1()
    }
}
