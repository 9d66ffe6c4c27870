//! The one text of a front end, for hashing. It is a format: what is written here never changes within a version.

use crate::front_end::{Centre, Dct, DctNorm, Floor, FrontEnd, Log, LogScale, Mel, MelNorm, MelScale, Shape, Window};

impl FrontEnd {
    /// Every setting as one text, which [`FrontEnd::hash`] hashes. Equal front ends have equal texts, different ones different
    /// texts. Version 2:
    ///
    /// - the line `sermfcc front end, version 2`, then a line `key=value` for each setting, in the order of
    ///   [`FrontEnd`]'s fields, keys as in the TOML form; every line ends with `\n`;
    /// - an integer is decimal, a truth value `true` or `false`, a choice its name in the TOML form;
    /// - a real number is its IEEE 754 double, 16 hexadecimal digits, the most significant first; -0 is written as 0;
    /// - `resampler` is its length in bytes, a colon, and its UTF-8;
    /// - an absent `mel.high` is `none`; `log.floor` is `none`, `below-maximum:` or `fixed:` and a real number.
    ///
    /// ```
    /// let text = sermfcc::FrontEnd::default().canonical();
    /// assert!(text.starts_with("sermfcc front end, version 2\nrate=22050\nresampler=15:kaiser_best-0.2\nn_fft=2048\n"));
    /// assert!(text.contains("\npower=4000000000000000\n")); // 2.0
    /// ```
    pub fn canonical(&self) -> String {
        // Taken apart by name, so that a setting cannot be forgotten.
        let FrontEnd {
            rate,
            resampler,
            n_fft,
            hop,
            centre,
            power,
            coefficients,
            lifter,
            window: Window { shape, length, periodic },
            mel: Mel { bands, scale, norm, low, high },
            log: Log { scale: log_scale, least, floor },
            dct: Dct { kind, norm: dct_norm },
        } = self;
        let centre = match centre {
            Centre::None => "none",
            Centre::Zeros => "zeros",
            Centre::Reflect => "reflect",
            Centre::Edge => "edge",
        };
        let shape = match shape {
            Shape::Hann => "hann",
            Shape::Hamming => "hamming",
            Shape::Blackman => "blackman",
            Shape::Rectangular => "rectangular",
        };
        let scale = match scale {
            MelScale::Slaney => "slaney",
            MelScale::Htk => "htk",
        };
        let norm = match norm {
            MelNorm::Slaney => "slaney",
            MelNorm::None => "none",
        };
        let log_scale = match log_scale {
            LogScale::Decibel => "decibel",
            LogScale::Natural => "natural",
        };
        let floor = match floor {
            Floor::BelowMaximum(range) => format!("below-maximum:{}", real(*range)),
            Floor::Fixed(floor) => format!("fixed:{}", real(*floor)),
            Floor::None => "none".to_owned(),
        };
        let dct_norm = match dct_norm {
            DctNorm::Ortho => "ortho",
            DctNorm::None => "none",
        };
        let (power, lifter, low, least) = (real(*power), real(*lifter), real(*low), real(*least));
        let high = high.map_or_else(|| "none".to_owned(), real);
        let bytes = resampler.len();
        format!(
            "sermfcc front end, version 2\n\
             rate={rate}\nresampler={bytes}:{resampler}\nn_fft={n_fft}\nhop={hop}\ncentre={centre}\npower={power}\n\
             coefficients={coefficients}\nlifter={lifter}\n\
             window.shape={shape}\nwindow.length={length}\nwindow.periodic={periodic}\n\
             mel.bands={bands}\nmel.scale={scale}\nmel.norm={norm}\nmel.low={low}\nmel.high={high}\n\
             log.scale={log_scale}\nlog.least={least}\nlog.floor={floor}\n\
             dct.type={kind}\ndct.norm={dct_norm}\n"
        )
    }
}

fn real(value: f64) -> String {
    // -0 + 0 is 0.
    format!("{:016x}", (value + 0.0).to_bits())
}
