//! The settings as a list: for differences, for moving one setting from one front end to another. What is hashed is in `canonical.rs`.

use crate::FrontEnd;

/// One setting of a front end.
pub(crate) struct Setting {
    pub key: &'static str,
    /// The value for people: no format to rely on.
    pub show: fn(&FrontEnd) -> String,
    pub same: fn(&FrontEnd, &FrontEnd) -> bool,
    pub copy: fn(&mut FrontEnd, &FrontEnd),
}

macro_rules! settings {
    ($($key:literal => $($field:ident).+),+ $(,)?) => {
        /// Every setting, under its key in the TOML form.
        pub(crate) const SETTINGS: &[Setting] = &[$(Setting {
            key: $key,
            show: |front_end| format!("{:?}", front_end.$($field).+),
            same: |a, b| a.$($field).+ == b.$($field).+,
            copy: |to, from| to.$($field).+ = from.$($field).+.clone(),
        }),+];
    };
}

settings! {
    "rate" => rate,
    "resampler" => resampler,
    "n_fft" => n_fft,
    "hop" => hop,
    "centre" => centre,
    "power" => power,
    "coefficients" => coefficients,
    "lifter" => lifter,
    "window.shape" => window.shape,
    "window.length" => window.length,
    "window.periodic" => window.periodic,
    "mel.bands" => mel.bands,
    "mel.scale" => mel.scale,
    "mel.norm" => mel.norm,
    "mel.low" => mel.low,
    "mel.high" => mel.high,
    "log.scale" => log.scale,
    "log.least" => log.least,
    "log.floor" => log.floor,
    "dct.type" => dct.kind,
    "dct.norm" => dct.norm,
}

/// One setting in which two front ends differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The key in the TOML form, for example `mel.scale`.
    pub key: &'static str,
    /// The value in the first.
    pub a: String,
    /// The value in the second.
    pub b: String,
}

impl FrontEnd {
    /// The settings in which this and `other` differ.
    pub fn differences(&self, other: &FrontEnd) -> Vec<Difference> {
        let differing = SETTINGS.iter().filter(|setting| !(setting.same)(self, other));
        differing.map(|s| Difference { key: s.key, a: (s.show)(self), b: (s.show)(other) }).collect()
    }

    /// A hash of every setting, 32 hexadecimal digits, to be kept with the features: 128-bit FNV-1a of
    /// [`FrontEnd::canonical`]. The same on every machine and in every version of this crate that writes version 2 of that
    /// text. It guards against mistakes and not against malice.
    pub fn hash(&self) -> String {
        const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
        let text = self.canonical();
        let hash = text.bytes().fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
        format!("{hash:032x}")
    }
}

#[cfg(feature = "toml")]
impl FrontEnd {
    /// Reads the TOML form. A key `preset` names what the keys left out are taken from; without it, `librosa-0.8.1`.
    ///
    /// ```
    /// let front_end = sermfcc::FrontEnd::from_toml("preset = \"paper\"\nmel.bands = 40\ncoefficients = 13")?;
    /// assert_eq!((front_end.hop, front_end.mel.bands), (276, 40));
    /// # Ok::<(), sermfcc::FrontEndError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::FrontEndError`], with line and key where the text is at fault.
    pub fn from_toml(text: &str) -> Result<FrontEnd, crate::FrontEndError> {
        use crate::FrontEndError::Parse;
        let mut given: toml::Table = text.parse().map_err(|e: toml::de::Error| Parse(e.to_string()))?;
        let preset = match given.remove("preset") {
            None => FrontEnd::default(),
            Some(toml::Value::String(name)) => FrontEnd::preset(&name)?,
            Some(other) => return Err(Parse(format!("preset = {other}: the name of a preset is a string"))),
        };
        let mut table = toml::Table::try_from(&preset).map_err(|e| Parse(e.to_string()))?;
        for (key, value) in given {
            match (table.get_mut(&key), value) {
                (Some(toml::Value::Table(have)), toml::Value::Table(value)) => have.extend(value),
                (_, value) => {
                    table.insert(key, value);
                }
            }
        }
        let front_end: FrontEnd = table.try_into().map_err(|e: toml::de::Error| Parse(e.to_string()))?;
        front_end.validate()?;
        Ok(front_end)
    }

    /// The TOML form, every setting written out.
    ///
    /// # Errors
    /// [`crate::FrontEndError::Parse`] where a value has no TOML form (an `n_fft` beyond 63 bits).
    pub fn to_toml(&self) -> Result<String, crate::FrontEndError> {
        toml::to_string(self).map_err(|e| crate::FrontEndError::Parse(e.to_string()))
    }
}
