//! The one text of a front end, for hashing. It is a format: what is written here never changes within a version.

use crate::front_end::{DctNorm, Floor, FrontEnd, LogScale, MelNorm, MelScale, PadMode, Window};

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
    /// - an absent fmax is `none`; `log.floor` is `none`, `below-maximum:` or `fixed:` and a real number.
    ///
    /// ```
    /// let text = sermfcc::FrontEnd::timnet_0_8_1().canonical();
    /// assert!(text.starts_with("sermfcc front end, version 2\nrate=22050\nresampler=15:kaiser_best-0.2\nn_fft=2048\n"));
    /// assert!(text.contains("\npower=4000000000000000\n")); // 2.0
    /// ```
    pub fn canonical(&self) -> String {
        // Taken apart by name, so that a setting cannot be forgotten.
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
        } = self;
        let centre = match pad_mode {
            _ if !center => "none",
            PadMode::Constant => "zeros",
            PadMode::Reflect => "reflect",
            PadMode::Edge => "edge",
        };
        let shape = match window {
            Window::Hann => "hann",
            Window::Hamming => "hamming",
            Window::Blackman => "blackman",
            Window::Rectangular => "rectangular",
        };
        let mel_scale = match mel_scale {
            MelScale::Slaney => "slaney",
            MelScale::Htk => "htk",
        };
        let mel_norm = match mel_norm {
            MelNorm::Slaney => "slaney",
            MelNorm::None => "none",
        };
        let log_scale = match log_scale {
            LogScale::Decibel => "decibel",
            LogScale::Natural => "natural",
        };
        let floor = match top_db {
            Floor::BelowMaximum(range) => format!("below-maximum:{}", real(*range)),
            Floor::Fixed(floor) => format!("fixed:{}", real(*floor)),
            Floor::None => "none".to_owned(),
        };
        let dct_norm = match dct_norm {
            DctNorm::Ortho => "ortho",
            DctNorm::None => "none",
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
             dct.type={dct_type}\ndct.norm={dct_norm}\n"
        )
    }
}

fn real(value: f64) -> String {
    // -0 + 0 is 0.
    format!("{:016x}", (value + 0.0).to_bits())
}
