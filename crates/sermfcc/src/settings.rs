//! The settings as a list: for reading, for differences, for moving one setting from one front end to another. What is hashed is in
//! `canonical.rs`.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use crate::front_end::{C0, Framing, FrontEnd};
use crate::renamed::{self, Table, WindowOrTable};

/// One setting of a front end.
pub(crate) struct Setting {
    pub key: &'static str,
    /// The value for people: no format to rely on.
    pub show: fn(&FrontEnd) -> String,
    same: fn(&FrontEnd, &FrontEnd) -> bool,
    pub copy: fn(&mut FrontEnd, &FrontEnd),
}

macro_rules! settings {
    ($($field:ident),+ $(,)?) => {
        /// Every setting, under its key in the TOML form.
        pub(crate) const SETTINGS: &[Setting] = &[$(Setting {
            key: stringify!($field),
            show: |front_end| format!("{:?}", front_end.$field),
            same: |a, b| a.$field == b.$field,
            copy: |to, from| to.$field = from.$field.clone(),
        }),+];

        const KEYS: &[&str] = &[$(stringify!($field)),+];

        impl FrontEnd {
            /// Reads one setting; false where there is none of that key.
            fn read<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
                match key {
                    $(stringify!($field) => self.$field = map.next_value()?,)+
                    _ => return Ok(false),
                }
                Ok(true)
            }
        }
    };
}

settings! {
    sample_rate, resampler, n_fft, hop_length, win_length, window, periodic, center, pad_mode, power, n_mels, fmin, fmax, mel_scale,
    mel_norm, log_scale, amin, top_db, dct_type, dct_norm, n_mfcc, lifter, sample_scale, framing, drop_last_frame, remove_mean,
    pre_emphasis, spectrum_scale, mel_triangles, mel_bins, amin_rule, log_gain, log_offset, lifter_start, c0, energy_floor, c0_last,
    clip, delta_order, delta_rule, delta_width,
}

impl Setting {
    /// Whether the two compute something else by this setting: samples added where nothing is added are no difference, nor is `n_fft`
    /// as a window length written out, nor a detail of what is not there.
    fn differs(&self, a: &FrontEnd, b: &FrontEnd) -> bool {
        let neither = |has: fn(&FrontEnd) -> bool| !has(a) && !has(b);
        let same = match self.key {
            "center" => neither(|f| f.framing == Framing::Stft),
            "pad_mode" => neither(FrontEnd::is_padded),
            "lifter_start" => neither(|f| f.lifter != 0.0),
            "energy_floor" => neither(|f| f.c0 != C0::Kept),
            "delta_rule" | "delta_width" => neither(|f| f.delta_order > 0),
            "win_length" => a.n_fft == b.n_fft && a.window_length() == b.window_length(),
            _ => false,
        };
        !same && !(self.same)(a, b)
    }
}

/// Equal front ends compute the same and have one text ([`FrontEnd::canonical`]).
impl PartialEq for FrontEnd {
    fn eq(&self, other: &FrontEnd) -> bool {
        !SETTINGS.iter().any(|setting| setting.differs(self, other))
    }
}

/// One setting in which two front ends differ.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The key in the TOML form, for example `mel_scale`.
    pub key: &'static str,
    /// The value in the first.
    pub a: String,
    /// The value in the second.
    pub b: String,
}

impl FrontEnd {
    /// The settings in which this and `other` differ.
    pub fn differences(&self, other: &FrontEnd) -> Vec<Difference> {
        let differing = SETTINGS.iter().filter(|setting| setting.differs(self, other));
        differing.map(|s| Difference { key: s.key, a: (s.show)(self), b: (s.show)(other) }).collect()
    }

    /// The hash of every setting, 32 hexadecimal digits, to be kept with the features: 128-bit FNV-1a of
    /// [`FrontEnd::canonical`]. The same on every machine and in every version of this crate that writes version 2 of that
    /// text. It guards against mistakes and not against malice.
    pub fn fingerprint(&self) -> String {
        const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
        let text = self.canonical();
        let hash = text.bytes().fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
        format!("{hash:032x}")
    }
}

/// Reads settings over those of a front end.
struct Over(FrontEnd);

impl<'de> Visitor<'de> for Over {
    type Value = FrontEnd;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings of a front end")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FrontEnd, A::Error> {
        let Over(mut front_end) = self;
        let (mut seen, mut wrong) = (Vec::new(), Vec::new());
        while let Some(key) = map.next_key::<String>()? {
            let mut gone = |table: Table| match table.is_empty() {
                true => wrong.push(renamed::unknown(&key, KEYS)),
                false => wrong.extend(table.keys().map(|inner| renamed::unknown(&format!("{key}.{inner}"), KEYS))),
            };
            if key == "window" {
                match map.next_value()? {
                    WindowOrTable::Window(window) => front_end.window = window,
                    WindowOrTable::Table(table) => gone(table),
                }
            } else if renamed::is_table(&key) {
                gone(map.next_value()?);
            } else if !front_end.read(&key, &mut map)? {
                map.next_value::<IgnoredAny>()?;
                wrong.push(renamed::unknown(&key, KEYS));
            }
            if seen.contains(&key) {
                wrong.push(format!("front_end key `{key}` is given twice"));
            }
            seen.push(key);
        }
        if wrong.is_empty() { Ok(front_end) } else { Err(A::Error::custom(wrong.join("; "))) }
    }
}

/// Keys left out have the values of `timnet-0.8.1`.
impl<'de> Deserialize<'de> for FrontEnd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Over(FrontEnd::default()))
    }
}

#[cfg(feature = "toml")]
impl FrontEnd {
    /// Reads the TOML form. A key `preset` names what the keys left out are taken from; without it, `timnet-0.8.1`.
    ///
    /// ```
    /// let front_end = sermfcc::FrontEnd::from_toml("preset = \"librosa-0.10\"\nhop_length = 160\nn_mels = 40")?;
    /// assert_eq!((front_end.hop_length, front_end.n_mels, front_end.n_mfcc), (160, 40, 20));
    /// # Ok::<(), sermfcc::FrontEndError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::FrontEndError`], with line and key where the text is at fault.
    pub fn from_toml(text: &str) -> Result<FrontEnd, crate::FrontEndError> {
        let parse = |error: toml::de::Error| {
            let before = |span: std::ops::Range<usize>| text.get(..span.start);
            let line = error.span().and_then(before).map(|before| 1 + before.matches('\n').count());
            crate::FrontEndError::Parse { line, message: error.to_string() }
        };
        let mut given: toml::Table = text.parse().map_err(parse)?;
        let preset = match given.remove("preset") {
            None => FrontEnd::default(),
            Some(toml::Value::String(name)) => FrontEnd::preset(&name)?,
            Some(other) => {
                let message = format!("preset = {other}: the name of a preset is a string");
                return Err(crate::FrontEndError::Parse { line: None, message });
            }
        };
        let front_end = toml::Value::Table(given).deserialize_map(Over(preset)).map_err(parse)?;
        front_end.validate()?;
        Ok(front_end)
    }

    /// The TOML form: librosa's settings, but `win_length` and `fmax` only where they are not absent, and those of the others that differ
    /// from librosa's.
    ///
    /// # Errors
    /// [`crate::FrontEndError::Parse`] where a value has no TOML form (an `n_fft` beyond 63 bits).
    pub fn to_toml(&self) -> Result<String, crate::FrontEndError> {
        toml::to_string(self).map_err(|e| crate::FrontEndError::Parse { line: None, message: e.to_string() })
    }
}
