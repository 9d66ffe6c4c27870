//! The one text of a front end, for hashing. It is a format: what is written here never changes within a version.

use std::fmt::Write as _;

use crate::front_end::{
    AminRule, C0, DctNorm, DeltaRule, Floor, Framing, FrontEnd, LogScale, MelBins, MelNorm, MelScale, PadMode,
    PreEmphasis, Triangles, Window,
};

impl FrontEnd {
    /// Every setting as one text, which [`FrontEnd::hash`] hashes. Equal front ends have equal texts, different ones different
    /// texts. Version 2:
    ///
    /// - the line `sermfcc front end, version 2`, then a line `key=value` for each setting, in this order; every line ends with `\n`:
    ///   `rate` (sample_rate), `resampler`, `n_fft`, `hop` (hop_length), `centre` (center and pad_mode), `power`, `coefficients` (n_mfcc),
    ///   `lifter`, `window.shape` (window), `window.length` (win_length), `window.periodic` (periodic), `mel.bands` (n_mels), `mel.scale`
    ///   (mel_scale), `mel.norm` (mel_norm), `mel.low` (fmin), `mel.high` (fmax), `log.scale` (log_scale), `log.least` (amin), `log.floor`
    ///   (top_db), `dct.type` (dct_type), `dct.norm` (dct_norm). These words belong to the text: they stay when a setting is renamed, and
    ///   a setting that comes later has a line only where it is not at its default;
    /// - an integer is decimal, a truth value `true` or `false`, a choice its name in the TOML form;
    /// - `centre` is `none` where frames are not centred, else `zeros`, `reflect` or `edge`; an absent win_length is `n_fft`;
    /// - a real number is its IEEE 754 double, 16 hexadecimal digits, the most significant first; -0 is written as 0;
    /// - `resampler` is its length in bytes, a colon, and its UTF-8;
    /// - an absent fmax is `none`; `log.floor` is `none`, `below-maximum:` or `fixed:` and a real number;
    /// - then the settings from `sample_scale` on, each under its own key and in the order of the fields, where it is not librosa's and has
    ///   an effect: `framing` with a colon and the word for pad_mode where frames reach over the edges (`centre` is `none` then),
    ///   `pre_emphasis` as `frame:` or `signal:` and a real number, `lifter_start` with a lifter, `energy_floor` with an energy,
    ///   `delta_rule` and `delta_width` with differences.
    ///
    /// ```
    /// let text = sermfcc::FrontEnd::timnet_0_8_1().canonical();
    /// assert!(text.starts_with("sermfcc front end, version 2\nrate=22050\nresampler=15:kaiser_best-0.2\nn_fft=2048\n"));
    /// assert!(text.contains("\npower=4000000000000000\n")); // 2.0
    /// ```
    pub fn canonical(&self) -> String {
        // `beyond_librosa` takes the rest apart, so that a setting cannot be forgotten.
        let FrontEnd {
            sample_rate,
            resampler,
            n_fft,
            hop_length,
            win_length: _,
            window,
            periodic,
            center,
            pad_mode,
            power,
            n_mels,
            fmin,
            fmax,
            mel_scale,
            mel_norm,
            log_scale,
            amin,
            top_db,
            dct_type,
            dct_norm,
            n_mfcc,
            lifter,
            ..
        } = self;
        let centre = if *center && self.framing == Framing::Stft { edges(*pad_mode) } else { "none" };
        let shape = match window {
            Window::Hann => "hann",
            Window::Hamming => "hamming",
            Window::Blackman => "blackman",
            Window::Povey => "povey",
            Window::Rectangular => "rectangular",
        };
        let mel_scale = match mel_scale {
            MelScale::Slaney => "slaney",
            MelScale::Htk => "htk",
        };
        let mel_norm = match mel_norm {
            MelNorm::Slaney => "slaney",
            MelNorm::None => "none",
            MelNorm::UnitSum => "unit-sum",
        };
        let log_scale = match log_scale {
            LogScale::Decibel => "decibel",
            LogScale::Natural => "natural",
            LogScale::Log10 => "log10",
            LogScale::DecibelAmplitude => "decibel-amplitude",
        };
        let floor = match top_db {
            Floor::BelowMaximum(range) => format!("below-maximum:{}", real(*range)),
            Floor::Fixed(floor) => format!("fixed:{}", real(*floor)),
            Floor::None => "none".to_owned(),
        };
        let dct_norm = match dct_norm {
            DctNorm::Ortho => "ortho",
            DctNorm::None => "none",
            DctNorm::Htk => "htk",
        };
        let (power, lifter, low, least) = (real(*power), real(*lifter), real(*fmin), real(*amin));
        let high = fmax.map_or_else(|| "none".to_owned(), real);
        let (bytes, length) = (resampler.len(), self.window_length());
        format!(
            "sermfcc front end, version 2\n\
             rate={sample_rate}\nresampler={bytes}:{resampler}\nn_fft={n_fft}\nhop={hop_length}\ncentre={centre}\npower={power}\n\
             coefficients={n_mfcc}\nlifter={lifter}\n\
             window.shape={shape}\nwindow.length={length}\nwindow.periodic={periodic}\n\
             mel.bands={n_mels}\nmel.scale={mel_scale}\nmel.norm={mel_norm}\nmel.low={low}\nmel.high={high}\n\
             log.scale={log_scale}\nlog.least={least}\nlog.floor={floor}\n\
             dct.type={dct_type}\ndct.norm={dct_norm}\n{}",
            self.beyond_librosa()
        )
    }

    /// The lines of the settings that came later, where they are not at their defaults and have an effect.
    fn beyond_librosa(&self) -> String {
        // Every field by name: a new one does not compile until it is thought of here.
        let &FrontEnd {
            sample_rate: _,
            resampler: _,
            n_fft: _,
            hop_length: _,
            win_length: _,
            window: _,
            periodic: _,
            center: _,
            pad_mode,
            power: _,
            n_mels: _,
            fmin: _,
            fmax: _,
            mel_scale: _,
            mel_norm: _,
            log_scale: _,
            amin: _,
            top_db: _,
            dct_type: _,
            dct_norm: _,
            n_mfcc: _,
            lifter,
            sample_scale,
            framing,
            drop_last_frame,
            remove_mean,
            pre_emphasis,
            spectrum_scale,
            mel_triangles,
            mel_bins,
            amin_rule,
            log_gain,
            log_offset,
            lifter_start,
            c0,
            energy_floor,
            c0_last,
            clip,
            delta_order,
            delta_rule,
            delta_width,
        } = self;
        let mut text = String::new();
        let mut line = |given: bool, key: &str, value: String| {
            if given {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{key}={value}");
            }
        };
        let framing = match framing {
            Framing::Stft => None,
            Framing::Complete => Some("complete".to_owned()),
            Framing::Rounded => Some(format!("rounded:{}", edges(pad_mode))),
            Framing::Covering => Some(format!("covering:{}", edges(pad_mode))),
            Framing::PastEnd => Some(format!("past-end:{}", edges(pad_mode))),
        };
        let pre_emphasis = match pre_emphasis {
            PreEmphasis::None => None,
            PreEmphasis::Frame(a) => Some(format!("frame:{}", real(a))),
            PreEmphasis::Signal(a) => Some(format!("signal:{}", real(a))),
        };
        let triangles = match mel_triangles {
            Triangles::Hz => "hz",
            Triangles::Mel => "mel",
            Triangles::Bins => "bins",
        };
        let bins = match mel_bins {
            MelBins::All => "all",
            MelBins::BelowNyquist => "below-nyquist",
            MelBins::Htk => "htk",
            MelBins::KaldiHtk => "kaldi-htk",
        };
        let rule = match amin_rule {
            AminRule::Max => "max",
            AminRule::ReplaceZero => "replace-zero",
            AminRule::Add => "add",
        };
        let energy = match c0 {
            C0::Kept => "kept",
            C0::RawEnergy => "raw-energy",
            C0::WindowedEnergy => "windowed-energy",
            C0::SpectralEnergy => "spectral-energy",
        };
        let delta = match delta_rule {
            DeltaRule::Polynomial => "polynomial",
            DeltaRule::Regression => "regression",
        };
        line(sample_scale != 1.0, "sample_scale", real(sample_scale));
        line(framing.is_some(), "framing", framing.unwrap_or_default());
        line(drop_last_frame, "drop_last_frame", drop_last_frame.to_string());
        line(remove_mean, "remove_mean", remove_mean.to_string());
        line(pre_emphasis.is_some(), "pre_emphasis", pre_emphasis.unwrap_or_default());
        line(spectrum_scale != 1.0, "spectrum_scale", real(spectrum_scale));
        line(mel_triangles != Triangles::Hz, "mel_triangles", triangles.to_owned());
        line(mel_bins != MelBins::All, "mel_bins", bins.to_owned());
        line(amin_rule != AminRule::Max, "amin_rule", rule.to_owned());
        line(log_gain != 1.0, "log_gain", real(log_gain));
        line(log_offset != 0.0, "log_offset", real(log_offset));
        line(lifter != 0.0 && lifter_start != 1, "lifter_start", lifter_start.to_string());
        line(c0 != C0::Kept, "c0", energy.to_owned());
        line(c0 != C0::Kept && energy_floor != 0.0, "energy_floor", real(energy_floor));
        line(c0_last, "c0_last", c0_last.to_string());
        line(clip != 0.0, "clip", real(clip));
        line(delta_order > 0, "delta_order", delta_order.to_string());
        line(delta_order > 0 && delta_rule != DeltaRule::Polynomial, "delta_rule", delta.to_owned());
        line(delta_order > 0 && delta_width != 9, "delta_width", delta_width.to_string());
        text
    }
}

fn edges(pad_mode: PadMode) -> &'static str {
    match pad_mode {
        PadMode::Constant => "zeros",
        PadMode::Reflect => "reflect",
        PadMode::Edge => "edge",
        PadMode::Symmetric => "symmetric",
    }
}

fn real(value: f64) -> String {
    // -0 + 0 is 0.
    format!("{:016x}", (value + 0.0).to_bits())
}
